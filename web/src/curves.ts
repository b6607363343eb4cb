// Curves of one request along one axis, each from one sweep, drawn once they come into view.

import { LitElement, type PropertyValues, type TemplateResult, html, nothing } from 'lit';

import { type Chart, type Line, chart, niceTop } from './chart.js';
import type { Answer, Client } from './contract.js';
import { type JsonObject, get, isObject, same, set } from './json.js';
import { kneeOf } from './knee.js';
import { type View, kParts, unitOf } from './parts.js';
import { assumed, at, deviceCount, figure, findDevice, findModel, stepsOf } from './request.js';
import { plainSentence } from './text.js';

type Columns = Record<string, ArrayLike<number>>;

const powers = (from: number, to: number): number[] => {
  const values: number[] = [];
  for (let v = from; v < to; v *= 2) {
    values.push(v);
    if (v * 1.5 < to && v > 1) values.push(Math.round(v * 1.5));
  }
  return [...values, to];
};
const twos = (values: number[]): number[] => values.filter((v) => Number.isInteger(Math.log2(v / values[0]!)));

export class WbCurves extends LitElement {
  static override properties = { view: { attribute: false }, client: { attribute: false }, bring: { attribute: false }, near_: { state: true } };
  declare view: View | undefined;
  declare client: Client | undefined; // with sweeps
  declare bring: (() => Promise<unknown>) | undefined; // asks for it
  declare private near_: boolean;
  private readonly known = new Map<string, { request: JsonObject; values: number[]; columns: Columns | undefined }>();
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

  protected override updated(): void {
    if (this.near_ && !this.client) void this.bring?.().catch(() => {}); // without it the curves stay blank, and the next change tries again
  }

  /** Columns along an axis: one sweep; or, with intervals, an answer for each point. */
  private swept(id: string, request: JsonObject, path: string, values: number[], outputs: string[], ranges: string[] = []): Columns | undefined {
    const known = this.known.get(id);
    if (known && same(known.request, request) && same(known.values, values)) return known.columns;
    let columns: Columns | undefined;
    if (ranges.length === 0) {
      const answer = this.client!.sweep({ call: 'estimate', request, vary: { path, values }, outputs });
      columns = answer.ok ? answer.columns : undefined;
    } else {
      const answers = values.map((value): Answer => this.client!.estimate(set(request, path, value)));
      const column = (of: (answer: Answer) => number | undefined): number[] => answers.map((a) => (a.ok ? (of(a) ?? NaN) : NaN));
      const end = (answer: Answer, output: string, i: number): number | undefined => {
        const range = isObject(answer['intervals']) ? answer['intervals'][output] : undefined;
        return Array.isArray(range) ? Number(range[i]) : undefined;
      };
      columns = Object.fromEntries([
        ...outputs.map((o) => [o, column((a) => figure(a, o))] as const),
        ...ranges.flatMap((o) => [[`${o} low`, column((a) => end(a, o, 0))] as const, [`${o} high`, column((a) => end(a, o, 1))] as const]),
      ]);
      if (!outputs.some((o) => [...(columns![o] as number[])].some(Number.isFinite))) columns = undefined;
    }
    this.known.set(id, { request, values, columns });
    return columns;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { view, client } = this;
    if (!view) return nothing;
    if (!this.near_ || !client) return html`<div class="curves"><figure class="curve"><div class="blank"></div></figure></div>`;
    return html`<div class="curves">${this.charts(view).map((c) => chart(c))}</div>`;
  }

  private charts(view: View): Chart[] {
    const { texts, format, request, answer, description } = view;
    const article = request['method'] === 'article';
    const context = figure(answer, 'model.context_tokens') ?? findModel(description, request)?.context_tokens ?? 32768;
    const longest = Math.max(2048, Math.min(context, 1 << 20));
    const now = (path: string): number | undefined => {
      const value = get(request, path) ?? assumed(answer, path) ?? description.fields.estimate.find((f) => f.path === path)?.default;
      return typeof value === 'number' ? value : undefined;
    };
    const most = Math.max(64, ...[figure(answer, 'capacity.max_concurrency') ?? 0, now('/workload/concurrency') ?? 0].map((v) => Math.min(1024, 2 ** Math.ceil(Math.log2(v + 1)))));
    // With the number of devices left open the answer would take more of them as it grows; the curves stay on those shown.
    const count = get(request, '/devices') ?? assumed(answer, '/devices');
    const fixed = count === undefined || count === null || Array.isArray(request['device']) ? request : set(request, '/devices', count);
    const closed = set(set(fixed, '/workload/requests_per_s', undefined), '/explain', undefined);
    const open = set(set(closed, '/workload/context_tokens', undefined), '/workload/cached_prefix_tokens', undefined);

    const shortCount = (v: number): string => (v >= 1024 && v % 1024 === 0 ? `${format.count(v / 1024)}K` : format.count(v));
    const name = (path: string): string => texts.figures[path] ?? texts.parts[path.split('.').pop()!] ?? path;
    const show = (path: string, v: number): string => (Number.isFinite(v) ? (unitOf(view, path) === 'bytes' ? format.giga(v) : format.of(v, unitOf(view, path))) : '–');
    const col = (columns: Columns, path: string, i: number): number => columns[path]?.[i] ?? NaN;
    const table = (axis: string, values: number[], outputs: string[], columns: Columns, ranges: string[] = []): Chart['table'] => ({
      head: [axis, ...outputs.map(name), ...ranges.map((o) => `${name(o)}, 80 %`)],
      rows: values.map((v, i) => [format.count(v), ...outputs.map((o) => show(o, col(columns, o, i))),
        ...ranges.map((o) => (Number.isFinite(col(columns, `${o} low`, i)) ? format.range(col(columns, `${o} low`, i), col(columns, `${o} high`, i), unitOf(view, o)) : '–'))]),
    });
    const line = (columns: Columns, values: number[], o: string, kind: string, band = false): Line => ({
      name: name(o), kind, points: values.map((v, i) => [v, col(columns, o, i)]),
      ...(band ? { band: values.map((_, i): [number, number] => [col(columns, `${o} low`, i), col(columns, `${o} high`, i)]) } : {}),
    });
    const concurrency = powers(1, most);
    const charts: (Chart | undefined)[] = [];
    const base = { tableName: texts.table };

    // memory, in parts
    const memory = [...kParts.map((part) => `memory.per_device.${part}`), 'memory.per_device.usable'];
    const scale = format.unit === 'GiB' ? 2 ** 30 : 1e9;
    for (const [id, title, axis, path, values] of [
      ['memory-concurrency', texts.curveMemoryConcurrency, texts.axisConcurrency, '/workload/concurrency', concurrency],
      ['memory-context', texts.curveMemoryContext, texts.axisContext, '/workload/context_tokens', powers(1024, longest)],
    ] as const) {
      const columns = this.swept(id, closed, path, values, memory);
      if (!columns) continue;
      const usable = [...(columns['memory.per_device.usable'] as ArrayLike<number> as number[])].find(Number.isFinite);
      const x = now(path);
      charts.push({ ...base, id, title, unit: format.unit, stacked: true, x: { title: axis, show: shortCount, log: true, marks: twos(values) }, y: { title: format.unit, show: (v) => format.number(v / scale), log: false, one: scale,
        to: (() => { const top = Math.max(usable ?? 0, ...values.map((_, i) => kParts.reduce((sum, p) => sum + (col(columns, `memory.per_device.${p}`, i) || 0), 0))); return niceTop(top / scale) * scale; })() },
        lines: kParts.map((part) => line(columns, values, `memory.per_device.${part}`, part)), ...(usable === undefined ? {} : { limit: { value: usable, name: texts.usable } }),
        ...(x === undefined ? {} : { now: { x, name: texts.youAreHere } }), table: table(axis, values, memory, columns) });
    }

    if (at(answer, 'speed') !== null) {
      // throughput against what each reader sees, over concurrency
      const outs = ['speed.output_tokens_per_s', 'speed.tokens_per_s_per_user', 'speed.ttft_s', 'speed.latency_s'];
      const load = this.swept('load', closed, '/workload/concurrency', concurrency, outs, article ? [] : ['speed.output_tokens_per_s']);
      if (load) {
        const points = concurrency.map((_, i): [number, number] => [col(load, outs[1]!, i), col(load, outs[0]!, i)]);
        const here = [figure(answer, outs[1]!), figure(answer, outs[0]!)];
        const knee = kneeOf(load[outs[0]!]!, load[outs[3]!]!);
        const twin = table(texts.axisConcurrency, concurrency, outs, load, article ? [] : [outs[0]!]);
        if (knee !== undefined) twin.rows[knee]![0] += ` (${texts.knee})`;
        const note = plainSentence(knee === undefined ? texts.kneeNone : texts.kneeAt, knee === undefined ? { count: format.count(most) }
          : { count: format.count(concurrency[knee]!), all: show(outs[0]!, points[knee]![1]), latency: show(outs[3]!, col(load, outs[3]!, knee)) });
        charts.push({ ...base, id: 'throughput-latency', title: texts.curveThroughput, unit: texts.unit['tokens/s'] ?? 'tokens/s', x: { title: texts.axisPerReader, show: (v) => format.number(v), log: false, from: 0, to: niceTop(Math.max(...points.map((p) => p[0]).filter(Number.isFinite), here[0] ?? 0)) }, y: { title: '', show: (v) => format.number(v), log: false },
          lines: [{ name: name(outs[0]!), kind: 'line-0', points }], ...(here[0] !== undefined && here[1] !== undefined ? { now: { x: here[0], y: here[1], name: texts.youAreHere } } : {}),
          dots: knee === undefined ? [] : [{ x: points[knee]![0], y: points[knee]![1], name: texts.knee, kind: 'line-1', before: true }], notes: [note, texts.noPercentiles], table: twin });
      }
      // decode speed over context
      if (!article) {
        const prompts = powers(256, longest);
        const outs2 = ['speed.tokens_per_s_per_user', 'speed.tpot_s'];
        const decode = this.swept('decode-context', set(open, '/workload/concurrency', 1), '/workload/prompt_tokens', prompts, outs2, [outs2[0]!]);
        const x = now('/workload/prompt_tokens');
        if (decode)
          charts.push({ ...base, id: 'decode-context', title: texts.curveDecodeContext, unit: texts.unit['tokens/s'] ?? 'tokens/s', x: { title: texts.axisPrompt, show: shortCount, log: true, marks: twos(prompts) }, y: { title: '', show: (v) => format.number(v), log: false },
            lines: [line(decode, prompts, outs2[0]!, 'line-0', true)], ...(x === undefined ? {} : { now: { x, name: texts.youAreHere } }), table: table(texts.axisPrompt, prompts, outs2, decode, [outs2[0]!]) });
        charts.push(this.roofline(view, closed, concurrency));
      }
    }
    return charts.filter((c) => c !== undefined);
  }

  /** FLOP for each byte against FLOP/s: the device's roof, and where decoding and prefill stand under it. */
  private roofline(view: View, request: JsonObject, concurrency: number[]): Chart | undefined {
    const { texts, format, answer, description } = view;
    const own = request['device'];
    const device = findDevice(description, request) ?? (isObject(own) ? (own as unknown as NonNullable<ReturnType<typeof findDevice>>) : undefined);
    const peaks = Object.values(device?.flops ?? {});
    const precision = ['bf16', 'fp16', 'fp32', 'fp8'].find((p) => device?.flops?.[p] !== undefined);
    if (!device?.bandwidth || peaks.length === 0 || !precision) return undefined;
    const devices = deviceCount(view.request, answer);
    const peak = device.flops![precision]! * devices;
    const bandwidth = device.bandwidth * devices;
    const outs = ['speed.decode.flops_per_step', 'speed.decode.bytes_per_step', 'speed.decode.seconds_per_step'];
    const columns = this.swept('roofline', request, '/workload/concurrency', concurrency, outs);
    if (!columns) return undefined;
    const path = concurrency.map((_, i): [number, number] => [columns[outs[0]!]![i]! / columns[outs[1]!]![i]!, columns[outs[0]!]![i]! / columns[outs[2]!]![i]!]);
    const [flops, bytes, seconds] = outs.map((o) => figure(answer, o));
    const dots: NonNullable<Chart['dots']> = [];
    if (flops && bytes && seconds) dots.push({ x: flops / bytes, y: flops / seconds, name: texts.figures['speed.decode.seconds_per_step']!, kind: 'line-0' });
    const steps = stepsOf(answer);
    const read = ['prefill_weight_bytes', 'prefill_kv_bytes'].map((id) => steps.find((s) => s.id === id)?.value);
    const prefill = [figure(answer, 'speed.prefill.flops'), figure(answer, 'speed.prefill.seconds')];
    if (read[0] && prefill[0] && prefill[1]) dots.push({ x: prefill[0] / ((read[0] + (read[1] ?? 0)) * devices), y: prefill[0] / prefill[1], name: texts.figures['speed.prefill.seconds']!, kind: 'line-1' });
    const all = [...path.map((p) => p[0]), ...dots.map((d) => d.x), peak / bandwidth].filter((v) => Number.isFinite(v) && v > 0);
    const [from, to] = [10 ** Math.floor(Math.log10(Math.min(...all))), 10 ** Math.ceil(Math.log10(Math.max(...all) * 1.5))];
    const ridge = peak / bandwidth;
    const ys = [...path.map((p) => p[1]), ...dots.map((d) => d.y)].filter((v) => Number.isFinite(v) && v > 0);
    const rate = (v: number): string => format.of(v, 'FLOP/s');
    return {
      id: 'roofline', title: texts.curveRoofline, unit: 'FLOP/s', tableName: texts.table,
      x: { title: texts.axisIntensity, show: (v) => format.number(v), log: true, from, to },
      y: { title: 'FLOP/s', show: (v) => rate(v).replace('FLOP/s', ''), log: true, from: 10 ** Math.floor(Math.log10(Math.min(...ys))), to: 10 ** Math.ceil(Math.log10(peak)) },
      lines: [
        { name: `${texts.roof} (${precision})`, kind: 'roof', points: [[from, from * bandwidth], [ridge, peak], [to, peak]] },
        { name: texts.axisConcurrency, kind: 'line-0', points: path },
      ],
      dots,
      table: { head: [texts.axisConcurrency, texts.axisIntensity, texts.attained, texts.roof], rows: concurrency.map((v, i) => [format.count(v), Number.isFinite(path[i]![0]) ? format.number(path[i]![0]) : '–', Number.isFinite(path[i]![1]) ? rate(path[i]![1]) : '–', Number.isFinite(path[i]![0]) ? rate(Math.min(peak, path[i]![0] * bandwidth)) : '–']) },
    };
  }
}

customElements.define('wb-curves', WbCurves);
