// Curves of one request along one axis, each from one sweep, drawn once they come into view, and each with its table.
// Drawn as SVG by hand: two kinds of chart are less than a plotting library weighs, and they print and recolour with the page.

import { LitElement, type PropertyValues, type TemplateResult, html, nothing, svg } from 'lit';

import type { Client } from './contract.js';
import type { JsonObject } from './json.js';
import { get, same, set } from './json.js';
import { type View, kParts, unitOf } from './parts.js';
import { assumed, figure, findModel } from './request.js';

interface Curve {
  id: string;
  title: string;
  axis: string;
  vary: string;
  values: number[];
  outputs: string[];
  stacked: boolean;
  request: JsonObject;
  now: number | undefined;
}

const kWidth = 480;
const kHeight = 200;
const kLeft = 48;
const kBottom = 26;
const kTop = 10;

const powers = (from: number, to: number): number[] => {
  const values: number[] = [];
  for (let v = from; v < to; v *= 2) {
    values.push(v);
    if (v * 1.5 < to && v > 1) values.push(Math.round(v * 1.5));
  }
  return [...values, to];
};

function curvesOf(view: View): Curve[] {
  const { texts, request, answer, description } = view;
  const context = figure(answer, 'model.context_tokens') ?? findModel(description, request)?.context_tokens ?? 32768;
  const longest = Math.max(2048, Math.min(context, 1 << 20));
  const memory = [...kParts.map((part) => `memory.per_device.${part}`), 'memory.per_device.usable'];
  const closed = set(set(request, '/workload/requests_per_s', undefined), '/explain', undefined);
  const open = set(closed, '/workload/context_tokens', undefined);
  const set1 = (r: JsonObject): JsonObject => set(r, '/workload/cached_prefix_tokens', undefined);
  const now = (path: string): number | undefined => {
    const value = get(request, path) ?? assumed(answer, path) ?? description.fields.estimate.find((f) => f.path === path)?.default;
    return typeof value === 'number' ? value : undefined;
  };
  const most = Math.max(64, ...[figure(answer, 'capacity.max_concurrency') ?? 0, now('/workload/concurrency') ?? 0].map((v) => Math.min(1024, 2 ** Math.ceil(Math.log2(v + 1)))));
  // With the number of devices left open the answer would take more of them as it grows; the curves stay on those shown.
  const count = get(request, '/devices') ?? assumed(answer, '/devices');
  const fixed = (r: JsonObject): JsonObject => (count === undefined || count === null ? r : set(r, '/devices', count));
  return [
    { id: 'memory-concurrency', title: texts.curveMemoryConcurrency, axis: texts.axisConcurrency, vary: '/workload/concurrency', values: powers(1, most), outputs: memory, stacked: true, request: fixed(closed), now: now('/workload/concurrency') },
    { id: 'memory-context', title: texts.curveMemoryContext, axis: texts.axisContext, vary: '/workload/context_tokens', values: powers(1024, longest), outputs: memory, stacked: true, request: fixed(closed), now: now('/workload/context_tokens') },
    { id: 'speed-concurrency', title: texts.curveSpeedConcurrency, axis: texts.axisConcurrency, vary: '/workload/concurrency', values: powers(1, most), outputs: ['speed.output_tokens_per_s', 'speed.decode.tokens_per_s'], stacked: false, request: fixed(closed), now: now('/workload/concurrency') },
    { id: 'tpot-prompt', title: texts.curveTpotContext, axis: texts.axisPrompt, vary: '/workload/prompt_tokens', values: powers(256, longest), outputs: ['speed.tpot_s'], stacked: false, request: fixed(set1(open)), now: now('/workload/prompt_tokens') },
  ];
}

function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((f) => f * power).find((v) => v >= value) ?? value;
}

export class WbCurves extends LitElement {
  static override properties = { view: { attribute: false }, client: { attribute: false }, near_: { state: true } };
  declare view: View | undefined;
  declare client: Client | undefined;
  declare private near_: boolean;
  private columns = new Map<string, { request: JsonObject; values: number[]; columns: Record<string, Float64Array> | undefined }>();
  private watcher: IntersectionObserver | undefined;

  constructor() {
    super();
    this.near_ = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.watcher = new IntersectionObserver((entries) => (this.near_ = entries.some((e) => e.isIntersecting)), { rootMargin: '200px' });
    this.watcher.observe(this);
    matchMedia('print').addEventListener('change', this.printing);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watcher?.disconnect();
    matchMedia('print').removeEventListener('change', this.printing);
  }

  private printing = (): void => {
    this.near_ = true;
  };

  // Out of sight nothing is drawn again, so that typing in the form costs one estimate and no sweep.
  protected override shouldUpdate(changed: PropertyValues): boolean {
    return this.near_ || !this.hasUpdated || changed.has('near_');
  }

  private swept(curve: Curve): Record<string, Float64Array> | undefined {
    const known = this.columns.get(curve.id);
    if (known && same(known.request, curve.request) && same(known.values, curve.values)) return known.columns;
    const answer = this.client!.sweep({ call: 'estimate', request: curve.request, vary: { path: curve.vary, values: curve.values }, outputs: curve.outputs });
    const columns = answer.ok ? answer.columns : undefined;
    this.columns.set(curve.id, { request: curve.request, values: curve.values, columns });
    return columns;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.view || !this.client) return nothing;
    const article = this.view.request['method'] === 'article';
    const curves = curvesOf(this.view).filter((curve) => curve.id !== 'tpot-prompt' || !article);
    return html`<div class="curves">${curves.map((curve) => (this.near_ ? this.figure(curve) : html`<figure class="curve"><figcaption>${curve.title}</figcaption><div class="blank"></div></figure>`))}</div>`;
  }

  private name(path: string): string {
    const { texts } = this.view!;
    return texts.figures[path] ?? texts.parts[path.split('.').pop()!] ?? path;
  }

  private unitNote(curve: Curve): TemplateResult | typeof nothing {
    const { format, texts } = this.view!;
    const unit = unitOf(this.view!, curve.outputs[0]!);
    if (unit === undefined || unit === 's') return nothing;
    return html` <small>${unit === 'bytes' ? format.unit : (texts.unit[unit] ?? unit)}</small>`;
  }

  private figure(curve: Curve): TemplateResult | typeof nothing {
    const view = this.view!;
    const { texts, format } = view;
    const columns = this.swept(curve);
    const show = (path: string, value: number): string => {
      if (Number.isNaN(value)) return '–';
      const unit = unitOf(view, path);
      return unit === 'bytes' ? format.giga(value) : format.of(value, unit);
    };
    const any = columns && curve.outputs.some((path) => columns[path]?.some((v) => Number.isFinite(v)));
    if (!any) return nothing;
    return html`<figure class="curve" data-curve=${curve.id}>
      <figcaption>${curve.title}${this.unitNote(curve)}</figcaption>
      ${this.chart(curve, columns)}
      <details><summary>${texts.table}</summary><div class="scroll" tabindex="0" role="group" aria-label=${curve.title}><table>
        <thead><tr><th scope="col">${curve.axis}</th>${curve.outputs.map((path) => html`<th scope="col" class="value">${this.name(path)}</th>`)}</tr></thead>
        <tbody>${curve.values.map((x, i) => html`<tr><th scope="row">${format.count(x)}</th>${curve.outputs.map((path) => html`<td class="value">${show(path, columns[path]?.[i] ?? NaN)}</td>`)}</tr>`)}</tbody>
      </table></div></details>
    </figure>`;
  }

  private chart(curve: Curve, columns: Record<string, Float64Array>): TemplateResult {
    const view = this.view!;
    const { format } = view;
    const { values } = curve;
    const lines = curve.stacked ? curve.outputs.slice(0, -1) : curve.outputs;
    const limit = curve.stacked ? columns[curve.outputs[curve.outputs.length - 1]!]?.find((v) => Number.isFinite(v)) : undefined;
    const column = (path: string, i: number): number => columns[path]?.[i] ?? NaN;
    const tops = values.map((_, i) => (curve.stacked ? lines.reduce((sum, p) => sum + column(p, i), 0) : Math.max(...lines.map((p) => column(p, i)))));
    const finite = tops.filter((v) => Number.isFinite(v));
    const unit = unitOf(view, lines[0]!);
    const scale = unit === 'bytes' ? (format.unit === 'GiB' ? 2 ** 30 : 1e9) : 1;
    const top = niceTop(Math.max(...finite, limit ?? 0) / scale) * scale;
    const x = (v: number): number => kLeft + ((kWidth - kLeft - 8) * Math.log(v / values[0]!)) / Math.log(values[values.length - 1]! / values[0]!);
    const y = (v: number): number => kHeight - kBottom - ((kHeight - kBottom - kTop) * v) / top;
    const show = (v: number): string => (unit === 's' ? format.of(v, unit) : format.number(v / scale));
    const marks = [0, 1, 2, 3, 4].map((i) => (top * i) / 4);
    const xMarks = values.filter((v) => Number.isInteger(Math.log2(v / values[0]!))).filter((_, i, all) => i % Math.ceil(all.length / 6) === 0);
    const short = (v: number): string => (v >= 1024 && v % 1024 === 0 ? `${format.count(v / 1024)}K` : format.count(v));
    const point = (v: number, h: number): string => `${x(v).toFixed(1)},${y(h).toFixed(1)}`;
    const below = values.map(() => 0);
    const known = values.map((_, i) => i).filter((i) => Number.isFinite(tops[i]));
    return html`<svg viewBox="0 0 ${kWidth} ${kHeight}" role="img" aria-label="${curve.title}">
      ${marks.map((m) => svg`<line class="grid" x1=${kLeft} x2=${kWidth - 8} y1=${y(m)} y2=${y(m)} /><text x=${kLeft - 6} y=${y(m) + 4} text-anchor="end">${show(m)}</text>`)}
      ${xMarks.map((v) => svg`<text x=${x(v)} y=${kHeight - 8} text-anchor="middle">${short(v)}</text>`)}
      ${lines.map((path, l) => {
        const name = path.split('.').pop()!;
        if (!curve.stacked) {
          const pointsOf = known.filter((i) => Number.isFinite(column(path, i))).map((i) => point(values[i]!, column(path, i)));
          return svg`<polyline class="line line-${l}" points=${pointsOf.join(' ')} />`;
        }
        const lower = known.map((i) => point(values[i]!, below[i]!));
        const upper = known.map((i) => point(values[i]!, (below[i]! += column(path, i))));
        return svg`<polygon class="area ${name}" points=${[...upper, ...lower.reverse()].join(' ')} />`;
      })}
      ${limit === undefined ? nothing : svg`<line class="limit" x1=${kLeft} x2=${kWidth - 8} y1=${y(limit)} y2=${y(limit)} /><text class="limit-text" x=${kWidth - 12} y=${y(limit) < kTop + 14 ? y(limit) + 14 : y(limit) - 5} text-anchor="end">${view.texts.usable}</text>`}
      ${curve.now !== undefined && curve.now >= values[0]! && curve.now <= values[values.length - 1]! ? svg`<line class="now" x1=${x(curve.now)} x2=${x(curve.now)} y1=${kTop} y2=${kHeight - kBottom} /><text class="now-text" x=${Math.min(x(curve.now) + 4, kWidth - 30)} y=${kTop + 8}>${view.texts.youAreHere}</text>` : nothing}
    </svg>
    <p class="keys"><span class="axis">${curve.axis}</span>${lines.length > 1 ? lines.filter((path) => columns[path]?.some((v) => v > 0)).map((path) => html`<span class="key ${curve.stacked ? path.split('.').pop() : `line-${lines.indexOf(path)}`}"><i></i>${this.name(path)}</span>`) : nothing}</p>`;
  }
}

customElements.define('wb-curves', WbCurves);
