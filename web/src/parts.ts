// What the page and the embedded element draw alike: the verdict, the memory bar and the numbers that open their work.

import { type TemplateResult, html, nothing, svg } from 'lit';

import type { Answer, Description } from './contract.js';
import type { Format } from './format.js';
import type { Call } from './host.js';
import { type JsonObject, isObject, leaves } from './json.js';
import type { Texts } from './lang/en.js';
import { at, deviceCount, deviceName, figure } from './request.js';
import { sentence } from './text.js';

/** What every drawing needs. `open` shows the work behind a number; without it numbers are plain text. */
export interface View {
  call: Call;
  description: Description;
  texts: Texts;
  format: Format;
  request: JsonObject; // the one that was answered
  answer: Answer;
  open?: (path: string) => void;
}

export const kParts = ['weights', 'kv_cache', 'activations', 'runtime'] as const;
export const kTrainParts = ['weights', 'gradients', 'optimizer', 'activations', 'logits', 'kv_cache', 'runtime'] as const;
export const kRoles = ['embedding', 'attention', 'mlp', 'experts', 'router', 'norm', 'lm_head', 'vision', 'other'] as const;

export const unitOf = (view: View, path: string): string | undefined => view.description.answers[view.call]?.find((f) => f.path === path)?.unit;

/** A number of the answer, as a button that opens its work. */
export function number(view: View, path: string, text?: string): TemplateResult | string {
  const value = figure(view.answer, path);
  if (value === undefined) return '–';
  const shown = text ?? view.format.of(value, unitOf(view, path));
  if (!view.open) return shown;
  return html`<button type="button" class="number" data-path=${path} aria-haspopup="dialog" @click=${() => view.open!(path)}>${shown}</button>`;
}

export type Tone = 'fits' | 'short' | 'open';

export function toneOf(answer: Answer): Tone {
  const fits = at(answer, 'memory.per_device.fits');
  return fits === true ? 'fits' : fits === false ? 'short' : 'open';
}

/** Nobody said how many, and it takes several: what fits on one is worth saying too. */
export function onOneCard(view: View, form: JsonObject): boolean {
  const { request, answer } = view;
  return view.call === 'estimate' && request['method'] !== 'article' && form['devices'] === undefined && form['parallel'] === undefined && form['prefill_pool'] === undefined
    && typeof request['device'] === 'string' && toneOf(answer) === 'fits' && deviceCount(request, answer) > 1;
}

/** How fast a set-up that fits is, in words. */
export function pace(view: View): unknown[] | undefined {
  const { texts, format, answer } = view;
  if (toneOf(answer) !== 'fits' || figure(answer, 'speed.tokens_per_s_per_user') === undefined) return undefined;
  const together = figure(answer, 'load.concurrency') ?? 1;
  const words = { rate: number(view, 'speed.tokens_per_s_per_user'), all: number(view, 'speed.output_tokens_per_s'), first: number(view, 'speed.ttft_s'), count: format.number(together) };
  return sentence(together > 1 ? texts.paceMany : texts.pace, words);
}

/** The headline: whether it fits, on what, and with how much to spare. */
export function verdict(view: View): unknown[] {
  const { answer, request, texts, format } = view;
  const tone = toneOf(answer);
  const all = view.call === 'train' ? 'memory.per_device.total' : 'memory.total.total';
  const needed = (): TemplateResult | string => number(view, all, format.giga(figure(answer, all) ?? 0));
  if (tone === 'open') return sentence(texts.needs, { room: needed() });
  const count = deviceCount(request, answer);
  const name = deviceName(view.description, request['device'], texts.customName);
  const devices = html`<span class="devices">${sentence(texts.times, { count: format.count(count), device: name })}</span>`;
  if (request['method'] === 'article')
    return sentence(tone === 'fits' ? texts.articleFits : texts.articleShort, {
      devices,
      needed: number(view, 'capacity.devices_needed'),
    });
  const room = number(view, 'memory.per_device.headroom', format.giga(Math.abs(figure(answer, 'memory.per_device.headroom') ?? 0)));
  const text = tone === 'fits' ? (count > 1 ? texts.fitsMany : texts.fits) : count > 1 ? texts.shortMany : texts.short;
  return sentence(text, { devices, room });
}

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;

/** Round steps for a ruler of about six marks. */
export function ticks(top: number, unit: number): number[] {
  const rough = top / unit / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((s) => s >= rough)!;
  const marks: number[] = [];
  for (let mark = 0; mark * unit <= top; mark += step) marks.push(mark);
  return marks;
}

export interface Bar {
  segments: { part: string; from: number; size: number }[];
  total: number;
  capacity: number | undefined;
  usable: number | undefined;
  /** The end of the ruler, and what its marks count. */
  top: number;
  unit: number;
}

/** What the bar shows: the parts from left to right, the card, and the ruler below. */
export function barOf(view: View): Bar | undefined {
  const { answer, format } = view;
  const value = (part: string): number => figure(answer, `memory.per_device.${part}`) ?? figure(answer, `memory.total.${part}`) ?? 0;
  const total = value('total');
  const capacity = figure(answer, 'memory.per_device.capacity');
  if (total <= 0) return undefined;
  let from = 0;
  const segments = (view.call === 'train' ? kTrainParts : kParts).map((part) => {
    const segment = { part, from, size: value(part) };
    from += segment.size;
    return segment;
  });
  return {
    segments, total, capacity, usable: figure(answer, 'memory.per_device.usable') ?? capacity,
    top: Math.max(total, capacity ?? 0) * (capacity === undefined || total > capacity ? 1.03 : 1.015), unit: format.unit === 'GiB' ? 2 ** 30 : 1e9,
  };
}

/** The stacked bar on its ruler, with the card's capacity as a post. Styles are set as properties: a policy may forbid the attribute. */
export function memoryBar(view: View): TemplateResult | typeof nothing {
  const { texts, format } = view;
  const bar = barOf(view);
  if (!bar) return nothing;
  const { segments, total, capacity, usable, top, unit } = bar;
  const label = sentence(texts.memoryBar, {
    parts: segments.map((s) => `${texts.parts[s.part]} ${format.giga(s.size)}`).join(texts.separator),
    capacity: capacity === undefined ? '–' : format.giga(capacity),
  }).join('');
  const free = usable === undefined ? 0 : usable - total;
  // A name, and then its value, as far as there is room: what does not fit wraps to a line out of sight.
  const written = (kind: string, name: string, at: number, size: number): TemplateResult =>
    html`<span class="label ${kind}" aria-hidden="true" .style=${`inset-inline-start:${percent(at / top)};width:${percent(size / top)}`}><i></i><b>${name}</b><span>${format.giga(size)}</span></span>`;
  return html`<div class="bar">
    ${capacity === undefined
      ? nothing
      : html`<div class="posts" aria-hidden="true"><span .style=${capacity / top > 0.5 ? `inset-inline-end:${percent(1 - capacity / top)}` : `inset-inline-start:${percent(capacity / top)}`}>${sentence(texts.capacityOf, {
          device: deviceName(view.description, view.request['device'], texts.customName),
          capacity: format.giga(capacity),
        })}</span></div>`}
    <div class="beam"><svg role="img" aria-label=${label} width="100%" height="56" class="stack">
      ${capacity === undefined ? nothing : svg`<rect class="card" x="0" y="4" width=${percent(capacity / top)} height="48" rx="2" />`}
      ${segments.map((s) =>
        s.size > 0
          ? svg`<g class="part ${s.part}"><rect x=${percent(s.from / top)} y="8" width=${percent(s.size / top)} height="40"><title>${texts.parts[s.part]} ${format.giga(s.size)}</title></rect></g>`
          : nothing,
      )}
      ${usable !== undefined && total > usable ? svg`<rect class="over" x=${percent(usable / top)} y="8" width=${percent((total - usable) / top)} height="40" />` : nothing}
      ${usable !== undefined && usable !== capacity ? svg`<line class="usable" x1=${percent(usable / top)} x2=${percent(usable / top)} y1="2" y2="54" />` : nothing}
      ${capacity === undefined ? nothing : svg`<line class="post" x1=${percent(capacity / top)} x2=${percent(capacity / top)} y1="0" y2="56" />`}
    </svg>
    ${segments.map((s) => (s.size > 0 ? written(s.part, texts.parts[s.part]!, s.from, s.size) : nothing))}${free > 0 ? written('free', texts.free, total, free) : nothing}</div>
    <div class="ruler" aria-hidden="true">${ticks(top, unit).map((mark, i, all) =>
      html`<span .style=${`inset-inline-start:${percent((mark * unit) / top)}`} class=${i === 0 ? 'first' : (mark * unit) / top > 0.93 ? 'last' : ''}>${format.number(mark)}${i === all.length - 1 ? ` ${format.unit}` : ''}</span>`)}</div>
  </div>`;
}

/** One advice item in words: what to change, and what is left then. */
export function adviceText(view: View, item: JsonObject): string {
  const { texts, format } = view;
  if (item['path'] === undefined && isObject(item['request'])) {
    // What it changes in the request, each by its name.
    const before = new Map(leaves(view.request).map(([path, value]) => [path, JSON.stringify(value)]));
    const changes = leaves(item['request']).filter(([path, value]) => path !== '/explain' && before.get(path) !== JSON.stringify(value));
    const named = changes.map(([path, value]) => (path === '/devices' ? sentence(texts.adviceDevices, { value: String(value), device: deviceName(view.description, view.request['device'], texts.customName) }).join('')
      : sentence(texts.adviceSet, { label: texts.labels[path] ?? path.slice(1), value: typeof value === 'number' ? format.count(value) : typeof value === 'boolean' ? (value ? texts.yes : texts.no) : (texts.choices[String(value)] ?? String(value)) }).join('')));
    if (named.length > 0) return named.join(texts.separator);
  }
  const path = String(item['path'] ?? '');
  const value = item['value'];
  const label = texts.labels[path] ?? path;
  const device = deviceName(view.description, at(item, 'request.device') ?? view.request['device'], texts.customName);
  const put = (text: string, values: Record<string, string>): string => sentence(text, values).join('');
  if (path === '/devices' && typeof value === 'number') return put(texts.adviceDevices, { value: format.count(value), device });
  if (path === '/device' && value !== undefined) {
    const count = at(item, 'request.devices');
    return put(texts.adviceDevices, { value: format.count(typeof count === 'number' ? count : deviceCount(view.request, view.answer)), device });
  }
  if (path.endsWith('_tokens') && typeof value === 'number') return put(texts.adviceTokens, { label, value: format.count(value) });
  if (path === '' || value === undefined || isObject(value)) return String(item['change'] ?? '');
  const named = path === '/weights' ? (texts.formatNames[String(value)] ?? view.description.weight_formats.find((f) => f.id === value)?.name) : undefined;
  return put(texts.adviceSet, { label, value: typeof value === 'number' ? format.count(value) : (named ?? String(value)) });
}

export function adviceOf(answer: Answer): JsonObject[] {
  const list = answer['advice'];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** The numbers under the verdict; a path without a value is left out. */
export function figures(view: View, paths: string[], withInterval = true): TemplateResult {
  const { answer, texts, format } = view;
  const intervals = isObject(answer['intervals']) ? answer['intervals'] : {};
  const share = (path: string): string | undefined => (path === 'speed.mfu' ? format.percent(figure(answer, path)!) : undefined);
  return html`<dl class="figures">
    ${paths
      .filter((path) => figure(answer, path) !== undefined)
      .map((path) => {
        const interval = intervals[path];
        const unit = unitOf(view, path);
        const range = withInterval && Array.isArray(interval)
          ? (path === 'speed.mfu' ? `${format.percent(Number(interval[0]))} – ${format.percent(Number(interval[1]))}` : format.range(Number(interval[0]), Number(interval[1]), unit)) : undefined;
        const bound = path === 'speed.ttft_s' ? at(answer, 'speed.prefill.bound') : path === 'speed.tpot_s' ? at(answer, 'speed.decode.bound') : undefined;
        return html`<div>
          <dt>${texts.figures[path] ?? path}${texts.short_[path] ? html` <abbr>${texts.short_[path]}</abbr>` : nothing}</dt>
          <dd>${number(view, path, share(path))}${range
            ? html`<small title=${sentence(texts.betweenHint, { range }).join('')}>${range}</small>` : nothing}${typeof bound === 'string'
            ? html`<small>${texts.bound[bound] ?? bound}</small>` : nothing}</dd>
        </div>`;
      })}
  </dl>`;
}
