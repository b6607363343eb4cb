// Every device of the catalogue, with the sources of its figures.

import { html, nothing } from 'lit';

import type { Device } from '../contract.js';
import { set } from '../json.js';
import type { Screen, ScreenHost } from '../screens.js';
import { plainSentence } from '../text.js';
import { type Column, Table } from './table.js';

type Row = Device & { price?: { usd_per_hour: number; date?: string; provider?: string }; memory_kind?: string; link?: string; architecture?: string };

class Devices implements Screen {
  private readonly table: Table<Row>;

  constructor(private readonly host: ScreenHost) {
    this.table = new Table(host, (d) => d.id, (d) => [d.id, d.name, d.vendor, d.architecture ?? '', ...(d.aliases ?? [])].join(' '), 'year', true);
  }

  private sources(device: Row): unknown {
    const { description, more } = this.host;
    const named = new Set(Object.values(device.basis ?? {}).flatMap((basis) => basis.slice(1).map(String)));
    const found = description!.sources.filter((s) => named.has(s.id));
    const derived = Object.entries(device.basis ?? {}).filter(([, basis]) => basis[0] === 'derived').map(([key, basis]) => `${key} = ${basis.slice(1).join(' ')}`);
    return html`<details class="sources"><summary>${this.host.format.count(found.length + derived.length)}<span class="unseen"> ${more!.sources}: ${device.name}</span></summary>
      <ul>${found.map((s) => html`<li>${s.url ? html`<a href=${s.url} rel="noreferrer">${s.title}</a>` : s.title}</li>`)}${derived.map((text) => html`<li>${text}</li>`)}</ul></details>`;
  }

  render(): unknown {
    const { texts, more, format, description } = this.host;
    const rows = description!.devices as Row[];
    const rate = (precision: string): Column<Row> => ({ id: precision, name: precision, numeric: true, down: true, value: (d) => d.flops?.[precision], show: (d) => (d.flops?.[precision] === undefined ? '–' : format.of(d.flops[precision]!, 'FLOP/s')) });
    const columns: Column<Row>[] = [
      { id: 'name', name: texts.labels['/device']!, value: (d) => d.name, show: (d) => html`<button type="button" class="link" title=${d.id} @click=${() => this.host.show('serve', set(this.host.request, '/device', d.id))}>${d.name}</button>` },
      { id: 'vendor', name: more!.maker, value: (d) => d.vendor },
      { id: 'year', name: more!.release, value: (d) => d.release_year, show: (d) => (d.release_year === undefined ? '–' : String(d.release_year)), down: true },
      { id: 'memory', name: texts.memory, numeric: true, down: true, value: (d) => d.memory_bytes, show: (d) => format.giga(d.memory_bytes) },
      { id: 'bandwidth', name: more!.bandwidth, numeric: true, down: true, value: (d) => d.bandwidth, show: (d) => (d.bandwidth ? format.of(d.bandwidth, 'bytes/s') : '–') },
      rate('bf16'), rate('fp8'), rate('int8'),
      { id: 'link', name: more!.link, numeric: true, down: true, value: (d) => d.link_bandwidth, show: (d) => (d.link_bandwidth === undefined ? '–' : html`<span title=${d.link ?? ''}>${format.of(d.link_bandwidth, 'bytes/s')}</span>`) },
      { id: 'power', name: texts.figures['cost.watts']!, numeric: true, value: (d) => d.power_w, show: (d) => (d.power_w === undefined ? '–' : format.of(d.power_w, 'W')) },
      { id: 'price', name: more!.price, numeric: true, value: (d) => d.price?.usd_per_hour, show: (d) => (d.price ? html`<span title="${d.price.provider ?? ''} ${d.price.date ?? ''}">${format.of(d.price.usd_per_hour, 'USD/h')}</span>` : nothing) },
      { id: 'sources', name: more!.sources, value: (d) => Object.keys(d.basis ?? {}).length, show: (d) => this.sources(d) },
    ];
    const vendors = [...new Set(rows.map((d) => d.vendor))].sort();
    const classes = [...new Set(rows.map((d) => d.class ?? ''))].filter(Boolean);
    return html`<section class="page" id="answer" tabindex="-1" aria-labelledby="screen-title"><h2 id="screen-title">${texts.views['devices']}</h2>
      <p class="lead">${plainSentence(more!.devicesLead, { count: format.count(rows.length) })}</p>
      ${this.table.render('devices', texts.views['devices']!, rows, columns, [
        { id: 'vendor', name: more!.maker, all: more!.all, values: vendors.map((v) => [v, v]), of: (d) => d.vendor },
        { id: 'class', name: more!.deviceClass, all: more!.all, values: classes.map((c) => [c, more!.classes[c] ?? c]), of: (d) => d.class },
      ])}</section>`;
  }
}

export const screen = (host: ScreenHost): Screen => new Devices(host);
