// What the calculator says against what others measured: every published measurement, computed anew in this browser.

import { type TemplateResult, html, nothing, svg } from 'lit';

import leftOut from 'virtual:left-out';
import measurements from 'virtual:measurements';

import type { Answer } from '../contract.js';
import { engineOf } from '../engine.js';
import { type JsonObject, isObject } from '../json.js';
import { unitOf } from '../parts.js';
import { figure, findDevice } from '../request.js';
import type { Screen, ScreenHost } from '../screens.js';
import { plainSentence } from '../text.js';
import { type Column, Table } from './table.js';

type Measured = (typeof measurements)[number];

interface Row {
  measured: Measured;
  engine: string;
  predicted: number | undefined;
  /** Predicted over measured, minus one. */
  error: number | undefined;
  inside: boolean | undefined;
  /** The same by a roofline at 100 %, and by the article's formulas; for speeds alone. */
  naive: number | undefined;
  article: number | undefined;
}

const kAtOnce = 40;

class Accuracy implements Screen {
  private rows: Row[] = [];
  private readonly table: Table<Row>;

  constructor(private readonly host: ScreenHost) {
    this.table = new Table(host, (r) => r.measured.id, (r) => [r.measured.id, r.engine, r.measured.path, r.measured.source].join(' '), 'error', true);
    void this.compute();
  }

  private async compute(): Promise<void> {
    for (let i = 0; i < measurements.length; i += kAtOnce) {
      this.rows.push(...measurements.slice(i, i + kAtOnce).map((m): Row => {
        const answer: Answer = this.host.ask(m.request, false, m.call);
        const predicted = answer.ok ? figure(answer, m.path) : undefined;
        const range = isObject(answer['intervals']) ? answer['intervals'][m.path] : undefined;
        const speed = m.call === 'estimate' && m.path.startsWith('speed.');
        const by = (request: JsonObject): number | undefined => {
          const value = speed ? figure(this.host.ask(request, false, 'estimate'), m.path) : undefined;
          return value === undefined ? undefined : value / m.value - 1;
        };
        return {
          measured: m, naive: by({ ...m.request, engine: 'ideal', efficiency: { compute: 1, bandwidth: 1 } }), article: by({ ...m.request, method: 'article' }), engine: m.call === 'train' ? String(m.request['framework'] ?? 'pytorch') : (engineOf(m.request) ?? 'ideal'), predicted,
          error: predicted === undefined ? undefined : predicted / m.value - 1, inside: Array.isArray(range) ? m.value >= Number(range[0]) && m.value <= Number(range[1]) : undefined,
        };
      }));
      this.host.requestUpdate();
      await new Promise((done) => setTimeout(done));
    }
    this.host.requestUpdate();
  }

  private name(row: Row): string {
    const { texts } = this.host;
    return texts.figures[row.measured.path] ?? texts.parts[row.measured.path.split('.').pop()!] ?? row.measured.path;
  }

  /** An address, or `github:owner/repository path`. */
  private source(row: Row): unknown {
    const [first, rest] = row.measured.source.split(/\s+/, 2);
    const url = first!.startsWith('github:') ? `https://github.com/${first!.slice(7)}${rest ? `/blob/HEAD/${rest}` : ''}` : /^https:/.test(first!) ? first! : undefined;
    return url ? html`<a href=${url} rel="noreferrer">${first!.startsWith('github:') ? first!.slice(7) : new URL(url).host}<span class="unseen"> ${row.measured.id}</span></a>` : row.measured.source;
  }

  private engine(row: Row): string {
    return this.host.description!.engines.find((e) => e.id === row.engine)?.name ?? row.engine;
  }

  private show(row: Row, value: number | undefined): string {
    if (value === undefined) return '–';
    if (row.measured.path === 'speed.mfu') return this.host.format.percent(value);
    const view = this.host.view(false);
    const unit = view ? unitOf({ ...view, call: row.measured.call }, row.measured.path) : undefined;
    return this.host.format.of(value, unit);
  }

  /** A device's maker and class; undefined where a request describes a device of its own, or several. */
  private deviceClass(row: Row): string | undefined {
    const { description } = this.host;
    const device = findDevice(description!, row.measured.request);
    return device && [...new Set([device.vendor, this.host.more!.classes[device.class ?? ''] ?? device.class])].filter(Boolean).join(' ');
  }

  /** Errors of these measurements by what `by` says of them, and by figure. */
  private summary(caption: string, head: string, all: Row[], by: (row: Row) => string): TemplateResult {
    const { format } = this.host;
    const more = this.host.more!;
    const groups = new Map<string, Row[]>();
    for (const row of all) {
      const key = `${by(row)}\n${this.name(row)}`;
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    const at = (list: number[], share: number): number | undefined => list[Math.min(list.length - 1, Math.floor(share * list.length))];
    const percent = (v: number | undefined): string => (v === undefined ? '–' : format.percent(v));
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${caption}><table class="list errors"><caption class="unseen">${caption}</caption>
      <thead><tr><th scope="col">${head}</th><th scope="col">${more.figure}</th><th scope="col" class="value">${more.measurements}</th><th scope="col" class="value">${more.unanswered}</th><th scope="col" class="value">${more.median}</th><th scope="col" class="value">${more.nine}</th><th scope="col" class="value">${more.insideRange}</th><th scope="col" class="value">${more.byRoofline}</th><th scope="col" class="value">${more.byArticle}</th></tr></thead>
      <tbody>${[...groups].sort(([a], [b]) => a.localeCompare(b)).map(([key, rows]) => {
        const [first, what] = key.split('\n');
        const errors = rows.map((r) => r.error).filter((v) => v !== undefined).map(Math.abs).sort((a, b) => a - b);
        const middle = (of: (row: Row) => number | undefined): string => {
          const known = rows.map(of).filter((v) => v !== undefined).map(Math.abs).sort((a, b) => a - b);
          return percent(at(known, 0.5));
        };
        const ranged = rows.filter((r) => r.inside !== undefined);
        return html`<tr><th scope="row">${first}</th><td>${what}</td><td class="value">${format.count(rows.length)}</td><td class="value">${format.count(rows.length - errors.length)}</td><td class="value">${percent(at(errors, 0.5))}</td><td class="value">${percent(at(errors, 0.9))}</td>
          <td class="value">${ranged.length === 0 ? '–' : format.percent(ranged.filter((r) => r.inside).length / ranged.length)}</td>
          <td class="value">${middle((r) => r.naive)}</td><td class="value">${middle((r) => r.article)}</td></tr>`;
      })}</tbody></table></div>`;
  }

  /** By kind of work: speeds as fitted, and where their own source, model or device was left out of the fit. */
  private leftOut(): TemplateResult {
    const { format } = this.host;
    const more = this.host.more!;
    const ways = ['nothing', 'source', 'model', 'device'] as const;
    const rows = leftOut.filter((e) => e.inputs === 'stated');
    const of = (kind: string, way: string): (typeof rows)[number] | undefined => rows.find((e) => e.kind === kind && e.left_out === way);
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${more.leftOut}><table class="list errors"><caption class="unseen">${more.leftOut}</caption>
      <thead><tr><th scope="col">${more.workKind}</th><th scope="col" class="value">${more.measurements}</th>${ways.map((way) => html`<th scope="col" class="value">${more.leftOutWays[way]}</th>`)}<th scope="col" class="value">${more.insideRange}</th></tr></thead>
      <tbody>${[...new Set(rows.map((e) => e.kind))].map((kind) => html`<tr><th scope="row">${more.workKinds[kind] ?? kind}</th><td class="value">${format.count(of(kind, 'nothing')!.measurements)}</td>
        ${ways.map((way) => html`<td class="value">${format.percent(of(kind, way)!.median)} / ${format.percent(of(kind, way)!.p90)}</td>`)}<td class="value">${format.percent(of(kind, 'source')!.inside)}</td></tr>`)}</tbody></table></div>
      <p class="muted">${more.leftOutNote}</p>`;
  }

  /** In words: memory, speed and training, each with how far half and nine in ten of the measurements are away. */
  private headlines(): TemplateResult {
    const { format } = this.host;
    const more = this.host.more!;
    const of = (row: Row): string => (row.measured.call === 'train' ? 'train' : row.measured.path.startsWith('speed.') ? 'speed' : 'memory');
    return html`<dl class="figures headlines">${['memory', 'speed', 'train'].map((kind) => {
      const rows = this.rows.filter((row) => of(row) === kind && row.error !== undefined);
      const errors = rows.map((row) => Math.abs(row.error!)).sort((a, b) => a - b);
      const ranged = rows.filter((row) => row.inside !== undefined);
      const at = (share: number): string => format.percent(errors[Math.min(errors.length - 1, Math.floor(share * errors.length))] ?? 0);
      const words = { count: format.count(rows.length), median: at(0.5), nine: at(0.9), inside: ranged.length === 0 ? '' : format.percent(ranged.filter((row) => row.inside).length / ranged.length) };
      return errors.length === 0 ? nothing : html`<div><dt>${more.headlines[kind]}</dt><dd>± ${at(0.5)}<small>${plainSentence(ranged.length > 0 ? more.halfWithin : more.halfOnly, words)}</small></dd></div>`;
    })}</dl>`;
  }

  /** A colour of its own for each engine, and for each framework a ring of one, the same in every picture. */
  private looks(): Map<string, string> {
    const names = (train: boolean): string[] => [...new Set(this.rows.filter((r) => (r.measured.call === 'train') === train).map((r) => r.engine))].sort();
    return new Map([...names(false).map((e, i) => [e, `mark-${i}`] as const), ...names(true).map((e, i) => [e, `mark-${i} ring`] as const)]);
  }

  /** Each measurement as a dot; on the diagonal the two agree, and the dashed lines are ten percent away. */
  private scatter(of: RegExp, caption: string, marks: number[], show: (value: number) => string, unit = ''): TemplateResult | typeof nothing {
    const more = this.host.more!;
    const bytes = this.rows.filter((r) => of.test(r.measured.path) && r.predicted !== undefined && r.predicted > 0 && r.measured.value > 0);
    if (bytes.length < 3) return nothing;
    const all = bytes.flatMap((r) => [r.measured.value, r.predicted!]);
    const [low, high] = [Math.log(Math.min(...all)) - 0.2, Math.log(Math.max(...all)) + 0.2];
    const x = (v: number): number => 60 + (430 * (Math.log(v) - low)) / (high - low);
    const y = (v: number): number => 290 - (280 * (Math.log(v) - low)) / (high - low);
    const looks = this.looks();
    const engines = [...new Map(bytes.map((r) => [r.engine, r])).values()];
    const shown = marks.filter((v) => Math.log(v) > low && Math.log(v) < high);
    const [a, b] = [Math.exp(low), Math.exp(high)];
    return html`<figure class="curve scatter"><figcaption>${caption}</figcaption><svg viewBox="0 0 500 320" role="img" aria-label=${caption}>
      ${shown.map((v) => svg`<line class="grid" x1="60" x2="490" y1=${y(v)} y2=${y(v)} /><text x="54" y=${y(v) + 4} text-anchor="end">${show(v)}</text><text x=${x(v)} y="308" text-anchor="middle">${show(v)}</text>`)}
      <line class="now" x1=${x(a)} y1=${y(a)} x2=${x(b)} y2=${y(b)} />
      ${[1.1, 1 / 1.1].map((f) => svg`<line class="grid dashed" x1=${x(a)} y1=${y(a * f)} x2=${x(b)} y2=${y(b * f)} />`)}
      ${bytes.map((r) => svg`<circle class="mark ${looks.get(r.engine)}" cx=${x(r.measured.value)} cy=${y(r.predicted!)} r="3.2"><title>${r.measured.id}</title></circle>`)}</svg>
      <p class="keys"><span class="axis">${[more.axisMeasured, unit].filter(Boolean).join(this.host.texts.separator)}</span>${engines.map((r) => html`<span class="key ${looks.get(r.engine)}"><i></i>${this.engine(r)}</span>`)}</p></figure>`;
  }

  render(): unknown {
    const { texts, format } = this.host;
    const more = this.host.more!;
    const columns: Column<Row>[] = [
      { id: 'engine', name: texts.labels['/engine']!, value: (r) => this.engine(r) },
      { id: 'figure', name: more.figure, value: (r) => this.name(r) },
      { id: 'model', name: texts.model, value: (r) => (typeof r.measured.request['model'] === 'string' ? r.measured.request['model'] : '…') },
      { id: 'measured', name: more.measuredValue, numeric: true, down: true, value: (r) => r.measured.value, show: (r) => this.show(r, r.measured.value) },
      { id: 'predicted', name: more.predictedValue, numeric: true, down: true, value: (r) => r.predicted, show: (r) => this.show(r, r.predicted) },
      { id: 'error', name: more.error, numeric: true, down: true, value: (r) => (r.error === undefined ? undefined : Math.abs(r.error)), show: (r) => (r.error === undefined ? '–' : `${r.error > 0 ? '+' : r.error < 0 ? '−' : ''}${format.percent(Math.abs(r.error))}`) },
      { id: 'inside', name: more.insideRange, value: (r) => (r.inside === undefined ? undefined : r.inside ? 1 : 0), show: (r) => (r.inside === undefined ? '–' : r.inside ? texts.yes : texts.no) },
      { id: 'open', name: more.set, value: (r) => r.measured.id, show: (r) => html`<button type="button" class="link" aria-label="${more.openSetUp}: ${r.measured.id}" @click=${() => this.host.show(r.measured.call === 'train' ? 'train' : 'serve', r.measured.request)}>${more.openSetUp}</button>` },
      { id: 'source', name: texts.source, value: (r) => r.measured.source, show: (r) => this.source(r) },
    ];
    const engines = [...new Set(this.rows.map((r) => r.engine))].sort();
    return html`<section class="page" id="answer" tabindex="-1" aria-labelledby="screen-title"><h2 id="screen-title">${texts.views['accuracy']}</h2>
      <p class="lead">${plainSentence(more.accuracyLead, { count: format.count(measurements.length) })}</p>
      ${this.rows.length < measurements.length ? html`<p class="muted">${plainSentence(more.weighing, { count: format.count(this.rows.length), all: format.count(measurements.length) })}</p>` : html`${this.headlines()}<div class="curves">${this.scatter(/memory\.|kv_pool|weights|kv_cache/, more.predictedMeasured, [2 ** 20, 2 ** 24, 2 ** 27, 2 ** 30, 2 ** 33, 2 ** 36, 2 ** 40], (v) => format.bytes(v))}${this.scatter(/tokens_per_s/, more.predictedSpeed, [0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6], (v) => format.short(v), texts.unit['tokens/s'] ?? 'tokens/s')}</div>
        <h3>${more.summaryOfErrors}</h3>${this.summary(more.summaryOfErrors, texts.labels['/engine']!, this.rows, (r) => this.engine(r))}
        <h3>${more.summaryByClass}</h3>${this.summary(more.summaryByClass, more.deviceClass, this.rows.filter((r) => r.naive !== undefined), (r) => this.deviceClass(r) ?? more.otherDevices)}
        <h3>${more.leftOut}</h3>${this.leftOut()}
        <h3>${more.everyMeasurement}</h3>${this.table.render('accuracy', more.everyMeasurement, this.rows, columns, [{ id: 'engine', name: texts.labels['/engine']!, all: more.all, values: engines.map((e) => [e, this.host.description!.engines.find((row) => row.id === e)?.name ?? e]), of: (r) => r.engine }])}`}</section>`;
  }
}

export const screen = (host: ScreenHost): Screen => new Accuracy(host);
