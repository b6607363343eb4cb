// Every model of the catalogue: its total as counted here, and as its makers or others published it.

import { html, nothing } from 'lit';

import type { Model } from '../contract.js';
import { set } from '../json.js';
import { figure } from '../request.js';
import type { Screen, ScreenHost } from '../screens.js';
import { plainSentence } from '../text.js';
import { type Column, Table } from './table.js';

import published from 'virtual:published';

interface Row {
  model: Model;
  weights: number | undefined;
  kv: number | undefined;
  published: number | undefined;
  source: string | undefined;
  differs: string;
  of: string;
}

class Models implements Screen {
  private rows: Row[] | undefined;
  private readonly table: Table<Row>;

  constructor(private readonly host: ScreenHost) {
    this.table = new Table(host, (row) => row.model.id, (row) => [row.model.id, row.model.name, row.model.family ?? '', row.model.organization ?? '', ...(row.model.aliases ?? [])].join(' '), 'release', true);
  }

  private all(): Row[] {
    return (this.rows ??= this.host.description!.models.map((model) => {
      const answer = this.host.ask({ model: model.id }, false, 'estimate');
      const [total, source, differs = '', of = ''] = published[model.id] ?? [];
      return { model, weights: figure(answer, 'model.weight_bytes'), kv: figure(answer, 'model.kv_bytes_per_token'), published: total, source, differs, of };
    }));
  }

  private sources(row: Row): unknown {
    const { more, description } = this.host;
    const known = description!.sources.find((s) => s.id === row.source);
    const url = known?.url ?? row.source;
    const link = (to: string | undefined, text: string): unknown => (to && /^https:/.test(to) ? html`<a href=${to} rel="noreferrer" aria-label="${row.model.name}: ${text}">${text}</a>` : nothing);
    const own = (row.model as { source?: string }).source;
    return html`${link(own, more!.sourceModel)}${url && url !== own ? html` ${link(url, more!.sourceTotal)}` : nothing}`;
  }

  render(): unknown {
    const { texts, more, format, description } = this.host;
    const rows = this.all();
    const columns: Column<Row>[] = [
      { id: 'name', name: texts.model, value: (r) => r.model.name, show: (r) => html`<button type="button" class="link" title=${r.model.id} @click=${() => this.host.show('serve', set(set(this.host.request, '/model', r.model.id), '/weights', undefined))}>${r.model.name}</button>` },
      { id: 'maker', name: more!.maker, value: (r) => r.model.organization ?? r.model.id.split('/')[0] },
      { id: 'release', name: more!.release, value: (r) => (r.model as { release?: string }).release, down: true },
      { id: 'parameters', name: more!.counted, numeric: true, down: true, value: (r) => r.model.parameters, show: (r) => format.count(r.model.parameters) },
      { id: 'published', name: more!.published, numeric: true, down: true, value: (r) => r.published,
        show: (r) => (r.published === undefined ? html`<span class="muted" title=${more!.noTotal}>–</span>` : r.published === r.model.parameters ? html`<span class="same" title=${this.same(r)}>${format.count(r.published)} <span aria-label=${this.same(r)}>=</span></span>` : html`<span title=${this.note(r)}>${format.count(r.published)}</span>`) },
      { id: 'active', name: more!.active, numeric: true, down: true, value: (r) => r.model.active_parameters, show: (r) => (r.model.active_parameters === undefined ? '–' : format.short(r.model.active_parameters)) },
      { id: 'format', name: texts.labels['/weights']!, value: (r) => (r.model as { published_format?: string }).published_format },
      { id: 'weights', name: more!.weightBytes, numeric: true, down: true, value: (r) => r.weights, show: (r) => (r.weights === undefined ? '–' : format.giga(r.weights)) },
      { id: 'kv', name: more!.kvPerToken, numeric: true, down: true, value: (r) => r.kv, show: (r) => (r.kv === undefined ? '–' : format.bytes(r.kv)) },
      { id: 'context', name: texts.labels['/workload/context_tokens']!, numeric: true, down: true, value: (r) => r.model.context_tokens, show: (r) => (r.model.context_tokens === undefined ? '–' : format.count(r.model.context_tokens)) },
      { id: 'source', name: texts.source, value: (r) => r.source, show: (r) => this.sources(r) },
    ];
    const with_ = rows.filter((r) => r.published !== undefined);
    const same = with_.filter((r) => r.published === r.model.parameters);
    const families = [...new Set(description!.models.map((m) => m.family ?? ''))].filter(Boolean).sort();
    return html`<section class="page" id="answer" tabindex="-1" aria-labelledby="screen-title"><h2 id="screen-title">${texts.views['models']}</h2>
      <p class="lead">${plainSentence(more!.modelsLead, { count: format.count(rows.length), published: format.count(with_.length), same: format.count(same.length) })}</p>
      ${this.table.render('models', texts.views['models']!, rows, columns, [{ id: 'family', name: more!.family, all: more!.all, values: families.map((f) => [f, f]), of: (r) => r.model.family }])}
      ${with_.length === same.length ? nothing : html`<h3>${more!.differences}</h3><ul class="plain">${with_.filter((r) => r.published !== r.model.parameters).map((r) => html`<li><b>${r.model.name}</b> ${this.note(r)}</li>`)}</ul>`}</section>`;
  }

  private same(row: Row): string {
    const { more } = this.host;
    return row.of === '' ? more!.sameTotal : plainSentence(more!.totalOf, { model: row.of });
  }

  private note(row: Row): string {
    const off = Math.abs(row.model.parameters / row.published! - 1);
    const by = plainSentence(this.host.more!.offBy, { share: off < 1e-4 ? '< 0.01%' : this.host.format.percent(off) });
    const why = row.differs || (row.model as { note?: string }).note;
    return why ? `${by}: ${why}` : by;
  }
}

export const screen = (host: ScreenHost): Screen => new Models(host);
