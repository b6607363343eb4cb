// The answer of the Serve view: the verdict, what the memory is made of, speed, and what it all rests on.

import { type TemplateResult, html, nothing } from 'lit';

import { engineOf, holdsPool } from './engine.js';
import type { Form } from './form.js';
import type { Host } from './host.js';
import type { Answer } from './contract.js';
import { type Json, type JsonObject, get, isObject, leaves, same } from './json.js';
import { type View, adviceOf, adviceText, figures, kParts, kRoles, memoryBar, number, onOneCard, pace, toneOf, unitOf, verdict } from './parts.js';
import { assumed, at, deviceCount, deviceName, figure, modelName } from './request.js';
import { plainSentence, sentence } from './text.js';
import type { Way } from './ways.js';

export interface SectionHost extends Host {
  /** The answer of the other method. */
  readonly other: Answer | undefined;
  /** The parts of the memory whose own parts are shown. */
  opened: ReadonlySet<string>;
  view(withWork?: boolean): View | undefined;
  /** Copies a text, and shows it. */
  give(text: string): Promise<void>;
  readonly given: string;
  /** What would make it fit, with speeds, once that is known; and the answer that it is of. */
  readonly ways: { of: Answer; list: Way[] } | undefined;
  /** Leads to the field that a path of the request belongs to. */
  lead(path: string): void;
}

export const paceLine = (words: unknown[] | undefined): TemplateResult | typeof nothing => (words ? html`<p class="pace">${words}</p>` : nothing);

export class Sections {
  constructor(private readonly host: SectionHost, private readonly form: Form) {}

  memoryTable(view: View): TemplateResult {
    const { texts, format, answer } = view;
    const per = (part: string): string => `memory.per_device.${part}`;
    const onDevice = figure(answer, per('total')) !== undefined;
    const many = onDevice && deviceCount(view.request, answer) > 1;
    const capacity = figure(answer, per('capacity'));
    const intervals = isObject(answer['intervals']) ? answer['intervals'] : {};
    const basis = isObject(answer['basis']) ? answer['basis'] : {};
    const cell = (path: string): TemplateResult => {
      const value = figure(answer, path);
      const interval = intervals[path];
      const range = Array.isArray(interval) && value !== undefined && value !== 0 && !/headroom|usable|capacity/.test(path) ? format.range(Number(interval[0]), Number(interval[1]), 'giga') : undefined;
      return html`<td class="value">${value === undefined ? '–' : number(view, path, format.giga(Math.abs(value)))}${range ? html`<small title=${plainSentence(texts.betweenHint, { range })}>${range}</small>` : nothing}</td>`;
    };
    const kindOf = (path: string): TemplateResult | typeof nothing => {
      const kind = basis[path];
      return typeof kind === 'string' && (figure(answer, path) ?? 0) !== 0 ? html` <small class="basis" title=${texts.kindHints[kind] ?? ''}>${texts.kinds[kind] ?? kind}</small>` : nothing;
    };
    const share = (path: string): string => {
      const value = figure(answer, path);
      return value === undefined || capacity === undefined ? '' : format.percent(Math.abs(value) / capacity);
    };
    const roles = kRoles.filter((role) => (figure(answer, `memory.detail.weights.${role}`) ?? 0) > 0);
    const row = (part: string, name: unknown, kind: string): TemplateResult => html`<tr class=${kind} data-part=${part}>
      <th scope="row">${name}</th>
      ${onDevice ? cell(per(part)) : nothing}
      ${onDevice ? html`<td class="value share">${share(per(part))}</td>` : nothing}
      ${many || !onDevice ? (['usable', 'capacity', 'headroom'].includes(part) ? html`<td></td>` : cell(`memory.total.${part}`)) : nothing}
    </tr>`;
    const swatch = (part: string): TemplateResult => html`<i class="swatch ${part}" aria-hidden="true"></i>${texts.parts[part]}`;
    const inside: Record<string, string[]> = { weights: roles.map((role) => `weights.${role}`), runtime: ['context', 'libraries', 'graphs', 'reserved'].map((p) => `runtime.${p}`).filter((p) => (figure(answer, `memory.detail.${p}`) ?? 0) > 0) };
    const toggle = (part: string): void => void (this.host.opened = new Set(this.host.opened.has(part) ? [...this.host.opened].filter((p) => p !== part) : [...this.host.opened, part]));
    const pool = onDevice ? figure(answer, 'capacity.kv_pool') : undefined;
    const held = pool !== undefined && holdsPool(view.description, view.request) && pool > (figure(answer, per('kv_cache')) ?? 0) * 1.01;
    const hosted = (figure(answer, 'memory.host.total') ?? 0) > 0;
    return html`<table class="memory ${many ? 'many' : ''}">
      <thead><tr><th scope="col">${texts.part}</th>${onDevice ? html`<th scope="col" class="value">${many ? texts.perDevice : texts.oneDevice}</th><th scope="col" class="value">${texts.ofCard}</th>` : nothing}
        ${many || !onDevice ? html`<th scope="col" class="value">${many ? texts.allDevices : texts.oneDevice}</th>` : nothing}</tr></thead>
      <tbody>
        ${kParts.map((part) => html`${row(part, html`${swatch(part)}${onDevice && (inside[part]?.length ?? 0) > 0
          ? html`<button type="button" class="expand" aria-expanded=${this.host.opened.has(part)} aria-label=${`${texts.showParts}: ${texts.parts[part]}`} @click=${() => toggle(part)}><svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 4.5 6 8.5 10 4.5" /></svg></button>`
          : nothing}${kindOf(onDevice ? per(part) : `memory.total.${part}`)}`, '')}
        ${this.host.opened.has(part) && onDevice ? inside[part]?.map((inner) => html`<tr class="role"><th scope="row">${texts.parts[inner.split('.')[1]!]}</th>${cell(`memory.detail.${inner}`)}
          <td class="value share">${share(`memory.detail.${inner}`)}</td>${many ? html`<td></td>` : nothing}</tr>`) : nothing}
        ${part === 'kv_cache' && held ? html`<tr class="role"><th scope="row">${texts.allocated}</th>${cell('capacity.kv_pool')}<td class="value share">${share('capacity.kv_pool')}</td>${many ? html`<td></td>` : nothing}</tr>` : nothing}`)}
        ${row('total', texts.parts['total'], 'sum')}
        ${onDevice ? html`${row('usable', texts.parts['usable'], 'after')}${row('headroom', texts.parts[toneOf(answer) === 'short' ? 'lacking' : 'headroom'], `after ${toneOf(answer)}`)}` : nothing}
      </tbody>
    </table>${hosted ? html`<table class="memory host"><caption>${texts.inHost}</caption><tbody>
      ${['weights', 'kv_cache', 'total'].filter((part) => (figure(answer, `memory.host.${part}`) ?? 0) > 0).map((part) => html`<tr class=${part === 'total' ? 'sum' : ''}><th scope="row">${part === 'total' ? texts.parts['total'] : swatch(part)}</th>${cell(`memory.host.${part}`)}</tr>`)}
      ${(figure(answer, 'memory.host.capacity') ?? 0) > 0 ? html`<tr class="after ${at(answer, 'memory.host.fits') === false ? 'short' : ''}"><th scope="row">${texts.parts['capacity']}</th>${cell('memory.host.capacity')}</tr>` : nothing}
    </tbody></table>` : nothing}`;
  }

  /** What would make it fit. The core's advice stands at once, its speeds follow. */
  advice(view: View): TemplateResult | typeof nothing {
    const { texts, format } = view;
    const alone = onOneCard(view, this.host.request);
    if (!alone && toneOf(view.answer) !== 'short') return nothing;
    const known = this.host.ways;
    const ways: Way[] = known?.list ?? (alone ? [] : adviceOf(view.answer).filter((item) => isObject(item['request'])).map((item) => ({ text: (now) => adviceText(now, item), request: item['request'] as JsonObject, headroom: figure(item, 'headroom'), speed: undefined })));
    if (ways.length === 0 && !alone) return view.request['method'] === 'article' ? nothing : html`<p class="advice">${texts.noAdvice}</p>`;
    const unit = unitOf(view, view.call === 'train' ? 'speed.tokens_per_s' : 'speed.tokens_per_s_per_user');
    const beside = (way: Way): string => [way.headroom === undefined ? '' : plainSentence(texts.toSpare, { room: format.giga(way.headroom) }), way.speed === undefined ? '' : format.of(way.speed, unit)].filter(Boolean).join(' · ');
    return html`<div class="advice"><span id="advice">${alone ? texts.onOne : texts.fitsWith}</span>${alone && known?.list.length === 0 ? html`<span class="muted">${texts.notOnOne}</span>` : html`<ul aria-labelledby="advice">${ways.map((way) => html`<li>
      <button type="button" @click=${() => (!known || known.of === view.answer) && this.host.replace(this.clean(way.request), '')}>${way.text(view)} <small>${beside(way)}</small></button></li>`)}</ul>`}</div>`;
  }

  /** What is wrong, each leading to its field. */
  wrongs(): TemplateResult | typeof nothing {
    const list = this.host.problems.filter((p) => p.severity === 'error');
    return list.length === 0 ? nothing : html`<ul class="wrongs">${list.map((p) => html`<li>${p.path === '' ? nothing : html`<button type="button" class="link" @click=${() => this.host.lead(p.path)}>${this.nameOf(p.path)}</button> `}<span>${this.host.wordsOf(p)}</span></li>`)}</ul>`;
  }

  private nameOf(path: string): string {
    const { texts } = this.host;
    const field = this.host.field(path);
    return texts.labels[path] ?? (field ? this.form.label(field) : path.slice(1).replaceAll('/', ' '));
  }

  private clean(request: JsonObject): JsonObject {
    const { explain: _, ...rest } = request;
    // The page's own choice of an engine stays one.
    if (this.host.request['engine'] === undefined && same(rest['engine'], this.host.asked['engine'])) delete rest['engine'];
    return rest;
  }

  private otherMethod(view: View): TemplateResult | typeof nothing {
    const { texts, format } = view;
    if (!this.host.other) return nothing;
    const article = view.request['method'] === 'article';
    const total = figure(this.host.other, 'memory.total.total');
    const count = figure(this.host.other, 'capacity.devices_needed');
    if (total === undefined) return nothing;
    const text = count ? (article ? texts.otherDetailed : texts.otherArticle) : article ? texts.otherDetailedPlain : texts.otherArticlePlain;
    const devices = sentence(texts.times, { count: format.count(count ?? 1), device: deviceName(view.description, view.request['device'], texts.customName) });
    return html`<p class="other"><span>${sentence(text, { total: format.giga(total), devices })}${this.otherSpeed(view, article)}</span> <button type="button" class="link"
      @click=${() => this.host.put('/method', article ? undefined : 'article')}>${article ? texts.seeDetailed : texts.seeArticle}</button></p>`;
  }

  /** How fast the other method says that it is, and why it says so. */
  private otherSpeed(view: View, article: boolean): unknown {
    const path = 'speed.tokens_per_s_per_user';
    const [theirs, ours] = [this.host.other, view.answer].map((answer) => figure(answer!, path));
    if (!theirs || !ours) return nothing;
    const rate = (value: number): string => view.format.of(value, unitOf(view, path));
    return html`<br />${sentence(article ? view.texts.otherDetailedSpeed : view.texts.otherArticleSpeed, { theirs: rate(theirs), ours: rate(ours) })}`;
  }

  result(): TemplateResult {
    const { texts } = this.host;
    const view = this.host.view();
    const wrong = this.host.problems.some((p) => p.severity === 'error');
    if (!view) return html`<section class="ticket open" id="answer" aria-label=${texts.answer} tabindex="-1"><h2 class="verdict">${wrong ? texts.staleNone : texts.loading}</h2>${this.wrongs()}</section>`;
    const tone = toneOf(view.answer);
    const name = modelName(view.description, view.request, view.answer);
    const speeds = ['speed.ttft_s', 'speed.tpot_s', 'speed.tokens_per_s_per_user', 'speed.output_tokens_per_s', 'capacity.max_context_tokens', 'capacity.max_concurrency'];
    return html`<section class="ticket ${tone}" id="answer" aria-label=${texts.answer} tabindex="-1" data-stale=${wrong || nothing}>
        ${wrong ? html`<div class="stale"><p>${texts.stale}</p>${this.wrongs()}</div>` : nothing}
        <p class="what"><b>${name}</b><span>${plainSentence(texts.parametersOf, { count: view.format.short(figure(view.answer, 'model.parameters') ?? 0) })}</span><span>${String(this.weightsOf(view) ?? '')}</span></p>
        <h2 class="verdict"><svg viewBox="0 0 24 24" aria-hidden="true"><use href="#mark-${tone}" /></svg><span>${verdict(view)}</span></h2>
        ${paceLine(pace(view))}${this.advice(view)}
        ${tone === 'open' ? html`<p class="muted">${texts.needsHint}</p>` : nothing}
        ${memoryBar(view)}
        <div class="columns">
          <div><h3>${texts.memory}</h3>${this.memoryTable(view)}</div>
          ${tone === 'open' ? nothing : html`<div class="headline"><h3>${texts.capacityAndSpeed}</h3>${figures(view, speeds)}
            ${at(view.answer, 'memory.per_device') !== null && at(view.answer, 'speed') === null ? html`<p class="muted">${texts.noSpeed}</p>` : nothing}</div>`}
        </div>
        ${this.otherMethod(view)}
      </section>
      ${this.notes()}${this.host.settled ? this.rest(view) : nothing}`;
  }

  private rest(view: View): TemplateResult {
    const { texts } = view;
    const further = ['speed.latency_s', 'speed.prefill.tokens_per_s', 'speed.decode.tokens_per_s', 'speed.decode.bytes_per_step', 'speed.prefill.flops', 'capacity.devices_needed', 'capacity.kv_pool',
      'capacity.kv_tokens', 'load.queue_s', 'cost.usd_per_hour', 'cost.usd_per_million_output_tokens', 'cost.watts', 'cost.joules_per_output_token'];
    const facts = ['model.parameters', 'model.active_parameters', 'model.mtp_parameters', 'model.layers', 'model.context_tokens', 'model.weight_bytes', 'model.kv_bytes_per_token', 'model.window_bytes_per_sequence', 'model.state_bytes_per_sequence'];
    const some = (paths: string[]): string[] => paths.filter((p) => (figure(view.answer, p) ?? 0) !== 0);
    return html`${some(further).length === 0 ? nothing : html`<section class="below" aria-label=${texts.moreFigures}><h2>${texts.moreFigures}</h2>${figures(view, some(further), false)}</section>`}
      <section class="below" aria-label=${texts.modelFacts}><h2>${texts.modelFacts}</h2>${figures(view, some(facts), false)}</section>
      ${at(view.answer, 'memory.per_device') === null ? nothing : html`<section class="below" aria-label=${texts.curves}><h2>${texts.curves}</h2><wb-curves .view=${view} .client=${this.host.whole} .bring=${this.host.bringWhole}></wb-curves></section>`}
      ${this.assumptions(view)}${this.take(view, pace)}`;
  }

  /** The answer to take along. */
  take(view: View, paceOf: (view: View) => unknown[] | undefined): TemplateResult {
    const { texts } = view;
    const picture = (kind: 'png' | 'svg'): void => void import('./picture.js').then(({ savePicture }) => savePicture(view, kind, paceOf));
    const copy = (how: 'asMarkdown' | 'asCsv' | 'asJson'): void => void import('./share.js').then(async (share) => this.host.give(how === 'asMarkdown' ? share.asMarkdown(view, location.href) : share[how](view)));
    const command = (): void => void import('./share.js').then((share) => this.host.give(share.commandOf(view) ?? ''));
    const engine = engineOf(view.request);
    return html`<section class="below take" aria-label=${texts.take}><h2>${texts.take}</h2><p class="tasks">
      <button type="button" @click=${() => copy('asMarkdown')}>${texts.copyMarkdown}</button><button type="button" @click=${() => copy('asCsv')}>CSV</button><button type="button" @click=${() => copy('asJson')}>JSON</button>
      ${view.call === 'estimate' && engine !== undefined && !['ideal', 'transformers', 'exllamav2'].includes(engine) ? html`<button type="button" @click=${command}>${texts.copyCommand}</button>` : nothing}
      <button type="button" @click=${() => picture('png')}>${texts.savePicture} PNG</button><button type="button" aria-label="${texts.savePicture} SVG" @click=${() => picture('svg')}>SVG</button></p>
      ${this.host.given ? html`<pre class="given" tabindex="0">${this.host.given}</pre>` : nothing}</section>`;
  }

  private weightsOf(view: View): Json | undefined {
    const value = get(view.request, '/weights') ?? assumed(view.answer, '/weights');
    return value === undefined || value === null ? undefined : isObject(value) ? this.form.specialName(value) : value;
  }

  notes(): TemplateResult | typeof nothing {
    const list = [...this.host.reading.found, ...this.host.problems].filter((p) => p.severity !== 'error');
    if (list.length === 0) return nothing;
    return html`<section class="below notes" aria-label=${this.host.texts.notes}><h2>${this.host.texts.notes}</h2>
      <ul>${list.map((p) => html`<li class=${p.severity}><b>${this.host.texts.severity[p.severity]}</b> ${this.host.wordsOf(p)}</li>`)}</ul></section>`;
  }

  assumptions(view: View): TemplateResult | typeof nothing {
    const { texts, format } = view;
    const list = view.answer['assumptions'];
    if (!Array.isArray(list) || list.length === 0) return nothing;
    const show = (value: Json | undefined): string =>
      typeof value === 'number' ? (Number.isInteger(value) ? format.count(value) : format.number(value)) : isObject(value) ? leaves(value).map(([p, v]) => `${p.slice(1)} ${String(v)}`).join(texts.separator)
        : typeof value === 'boolean' ? (value ? texts.yes : texts.no) : (texts.choices[String(value)] ?? String(value));
    return html`<section class="below" aria-label=${texts.assumptions}><h2>${texts.assumptions}</h2><p class="muted">${texts.assumptionsHint}</p>
      <dl class="assumptions">${list.filter(isObject).map((item) => {
        const path = String(item['path']);
        const group = path.split('/')[1] ?? '';
        const name = this.nameOf(path);
        const long = path.split('/').length > 2 && group !== 'workload' ? `${texts.groups[group] ?? group}: ${name}` : name;
        return html`<div><dt>${long}</dt><dd>${show(item['value'])} <span class="from">${texts.froms[String(item['from'])] ?? String(item['from'])}</span></dd></div>`;
      })}</dl></section>`;
  }
}
