// Training: what one step holds on the fullest device at each of its moments, how long it takes, and what would make it fit.

import { type TemplateResult, html, nothing, svg } from 'lit';

import type { Field } from '../contract.js';
import type { Form } from '../form.js';
import { get, isObject } from '../json.js';
import { type View, figures, kTrainParts, memoryBar, number, toneOf, verdict } from '../parts.js';
import { at, deviceName, figure, figureFields, modelName } from '../request.js';
import type { Screen, ScreenHost } from '../screens.js';
import { type Sections, paceLine } from '../sections.js';
import { plainSentence, sentence } from '../text.js';

const kExamples: [text: 'qlora' | 'full' | 'pretrain', link: string][] = [
  ['qlora', 'v=train&m=meta-llama/Llama-3.1-8B&d=rtx-4090&method=qlora&lora.targets=all-linear&activation_checkpointing=full&loss=chunked&sequence_tokens=2048&dataset_tokens=10000000'],
  ['full', 'v=train&m=meta-llama/Llama-2-7b-hf&d=a100-sxm-80gb&n=8&framework=deepspeed&parallel.data=8&parallel.zero_stage=3&activation_checkpointing=full&sequence_tokens=4096&dataset_tokens=1000000000'],
  ['pretrain', 'v=train&m=meta-llama/Meta-Llama-3-70B&d=h100-sxm-80gb&n=512&framework=megatron&parallel.data=16&parallel.tensor=8&parallel.pipeline=4&parallel.virtual_pipeline=5&parallel.sequence=true&parallel.zero_stage=1&activation_checkpointing=selective&sequence_tokens=8192&gradient_accumulation=32&dataset_tokens=1000000000000'],
];

const kFront = ['/method', '/optimizer', '/precision', '/framework'];
const kBatch = ['/sequence_tokens', '/micro_batch', '/gradient_accumulation', '/dataset_tokens'];
const kSaving = ['/activation_checkpointing', '/loss', '/attention', '/parallel/zero_stage', '/parallel/offload', '/parallel/offload_to', '/activation_offload', '/optimizer_in_backward', '/compile'];
const kSplit = ['/parallel/data', '/parallel/tensor', '/parallel/sequence', '/parallel/pipeline', '/parallel/virtual_pipeline', '/parallel/context', '/parallel/expert', '/capacity_factor', '/parallel/shard_group'];
const kOther = ['/global_batch', '/efficiency/compute', '/price_usd_per_hour', '/devices/per_node'];

const bar = (part: string, x: string, width: string, name: string, size: string): unknown => svg`<g class="part ${part}"><rect x=${x} y="3" width=${width} height="20"><title>${name} ${size}</title></rect></g>`;
const line = (x: string): unknown => svg`<line class="usable" x1=${x} x2=${x} y1="0" y2="26" />`;

class Train implements Screen {
  constructor(private readonly host: ScreenHost, private readonly form: Form, private readonly sections: Sections) {}

  private fields(paths: string[]): Field[] {
    return paths.map((path) => this.host.field(path)).filter((f) => f !== undefined);
  }

  private request(): TemplateResult {
    const { host, form } = this;
    const { texts, request, description } = host;
    const more = host.more!.train;
    const method = request['method'] ?? 'full';
    const adapters = method === 'lora' || method === 'qlora' ? ['/lora/rank', '/lora/targets', '/lora/dora'] : [];
    const tuned = [...(method === 'freeze' ? ['/trained_layers'] : []), ...(request['optimizer'] === 'galore' ? ['/galore_rank'] : [])];
    const sync = request['framework'] === 'fsdp' && Number(request['gradient_accumulation'] ?? 1) > 1 ? ['/parallel/no_sync'] : [];
    const base = method === 'qlora' ? ['/base_weights', '/double_quantization'] : [];
    const own = [...figureFields(description!, request, '/model', 'train'), ...figureFields(description!, request, '/device', 'train')].map((f) => f.path);
    const front = ['/model', '/device', '/devices', ...kFront, ...adapters, ...base, ...tuned, ...kBatch, ...sync, ...kSaving];
    const shown = new Set([...front, ...kSplit, ...kOther, ...own]);
    const grid = (paths: string[]): TemplateResult => html`<div class="grid">${this.fields(paths).map((f) => form.control(f, shown))}</div>`;
    const open = [...kSplit, ...kOther].some((path) => get(request, path) !== undefined || form.errorsAt(path, shown).length > 0);
    return html`<form class="request" ?data-adjusting=${host.adjusting} @submit=${(e: Event) => e.preventDefault()} aria-label=${texts.request}>
      <fieldset><legend>${texts.model}</legend>${form.model(shown)}</fieldset>
      <fieldset><legend>${texts.hardware}</legend>${form.device(shown)}</fieldset>
      ${host.folding(form.inShort())}
      <fieldset class="adjust"><legend>${more.how}</legend>${grid([...kFront, ...adapters, ...base, ...tuned])}</fieldset>
      <fieldset class="adjust"><legend>${more.batch}</legend>${grid([...kBatch, ...sync])}</fieldset>
      <fieldset class="adjust"><legend>${more.saving}</legend>${grid(kSaving)}</fieldset>
      ${form.loose(shown)}
      <details class="further adjust" ?open=${open || undefined}><summary>${more.split}</summary>${grid(kSplit)}${grid(kOther)}</details>
    </form>`;
  }

  private table(view: View): TemplateResult {
    const { texts, format, answer } = view;
    const more = this.host.more!.train;
    const path = (part: string): string => `memory.per_device.${part}`;
    const basis = isObject(answer['basis']) ? answer['basis'] : {};
    const intervals = isObject(answer['intervals']) ? answer['intervals'] : {};
    const capacity = figure(answer, path('capacity'));
    const row = (part: string, name: unknown, kind = ''): TemplateResult | typeof nothing => {
      const value = figure(answer, path(part));
      if (value === undefined) return nothing;
      const range = intervals[path(part)];
      const how = basis[path(part)];
      return html`<tr class=${kind} data-part=${part}><th scope="row">${name}${kind === '' && typeof how === 'string' ? html` <small class="basis" title=${texts.kindHints[how] ?? ''}>${texts.kinds[how] ?? how}</small>` : nothing}</th>
        <td class="value">${number(view, path(part), format.giga(Math.abs(value)))}${Array.isArray(range) && part !== 'headroom' ? html`<small>${format.range(Number(range[0]), Number(range[1]), 'giga')}</small>` : nothing}</td>
        <td class="value share">${capacity === undefined ? '' : format.percent(Math.abs(value) / capacity)}</td></tr>`;
    };
    const swatch = (part: string): TemplateResult => html`<i class="swatch ${part}" aria-hidden="true"></i>${texts.parts[part]}`;
    return html`<table class="memory"><thead><tr><th scope="col">${texts.part}</th><th scope="col" class="value">${more.atPeak}</th><th scope="col" class="value">${capacity === undefined ? '' : texts.ofCard}</th></tr></thead><tbody>
      ${kTrainParts.filter((part) => part !== 'kv_cache' || (figure(answer, path(part)) ?? 0) > 0).map((part) => row(part, swatch(part)))}${row('total', texts.parts['total'], 'sum')}
      ${capacity === undefined ? nothing : html`${row('usable', texts.parts['usable'], 'after')}${row('headroom', texts.parts[toneOf(answer) === 'short' ? 'lacking' : 'headroom'], `after ${toneOf(answer)}`)}`}
      ${(figure(answer, 'memory.host.total') ?? 0) > 0 ? html`<tr class="after"><th scope="row">${texts.inHost}</th><td class="value">${number(view, 'memory.host.total', format.giga(figure(answer, 'memory.host.total')!))}</td><td></td></tr>` : nothing}
    </tbody></table>`;
  }

  /** The step's moments, each a bar of its parts over the same ruler, and the same as a table. */
  private timeline(view: View): TemplateResult | typeof nothing {
    const { texts, format, answer } = view;
    const more = this.host.more!.train;
    const moments = Array.isArray(answer['timeline']) ? answer['timeline'].filter(isObject) : [];
    if (moments.length < 2) return nothing;
    const value = (moment: (typeof moments)[number], part: string): number => Number(moment[part] ?? 0);
    const peak = Math.max(...moments.map((m) => value(m, 'total')));
    const capacity = figure(answer, 'memory.per_device.usable');
    const top = Math.max(peak, capacity ?? 0) * 1.02;
    const percent = (v: number): string => `${((v / top) * 100).toFixed(3)}%`;
    const parts = kTrainParts.filter((part) => moments.some((m) => value(m, part) > 0));
    const name = (m: (typeof moments)[number]): string => more.moments[String(m['moment'])] ?? String(m['moment']);
    return html`<section class="below" aria-labelledby="timeline"><h2 id="timeline">${more.timeline}</h2><figure class="timeline">
      <div class="moments" role="img" aria-label=${`${more.timeline}: ${moments.map((m) => `${name(m)} ${format.giga(value(m, 'total'))}`).join(texts.separator)}`}>
        ${moments.map((m) => {
          let from = 0;
          return html`<div class="moment ${value(m, 'total') === peak ? 'peak' : ''}"><span>${name(m)}</span><svg width="100%" height="26" aria-hidden="true" class="stack">
            ${parts.map((part) => { const x = from; from += value(m, part); return value(m, part) > 0 ? bar(part, percent(x), percent(value(m, part)), texts.parts[part]!, format.giga(value(m, part))) : nothing; })}
            ${capacity === undefined ? nothing : line(percent(capacity))}</svg><b>${format.giga(value(m, 'total'))}</b></div>`;
        })}
      </div>
      <p class="keys">${capacity === undefined ? nothing : html`<span class="axis">${texts.usable}: ${format.giga(capacity)}</span>`}${parts.map((part) => html`<span class="key ${part}"><i></i>${texts.parts[part]}</span>`)}</p>
      <details open><summary>${texts.table}</summary><div class="scroll" tabindex="0" role="group" aria-label=${more.timeline}><table class="list">
        <thead><tr><th scope="col">${more.moment}</th>${parts.map((part) => html`<th scope="col" class="value">${texts.parts[part]}</th>`)}<th scope="col" class="value">${texts.parts['total']}</th></tr></thead>
        <tbody>${moments.map((m) => html`<tr class=${value(m, 'total') === peak ? 'peak' : ''}><th scope="row">${name(m)}${value(m, 'total') === peak ? html` <small class="basis">${more.peak}</small>` : nothing}</th>${parts.map((part) => html`<td class="value">${format.giga(value(m, part))}</td>`)}<td class="value">${format.giga(value(m, 'total'))}</td></tr>`)}</tbody>
      </table></div></details></figure></section>`;
  }

  private article(view: View): TemplateResult | typeof nothing {
    const { format, answer } = view;
    const more = this.host.more!.train;
    const pair = (path: string): string | undefined => {
      const range = at(answer, path);
      return Array.isArray(range) ? format.range(Number(range[0]), Number(range[1]), 'giga') : undefined;
    };
    const [states, factor] = [pair('article.range_bytes'), pair('article.factor_range_bytes')];
    return states && factor ? html`<section class="below"><h2>${this.host.texts.article}</h2><p class="lead">${plainSentence(more.articleRanges, { states, factor })}</p></section>` : nothing;
  }

  /** How fast, in words. */
  private readonly pace = (view: View): unknown[] | undefined => {
    const more = this.host.more!.train;
    if (toneOf(view.answer) !== 'fits' || figure(view.answer, 'speed.tokens_per_s') === undefined) return undefined;
    const run = (figure(view.answer, 'speed.total_seconds') ?? 0) > 0;
    return sentence(run ? more.paceRun : more.pace, { rate: number(view, 'speed.tokens_per_s'), step: number(view, 'speed.step_seconds'), run: number(view, 'speed.total_seconds') });
  };

  private other(view: View): TemplateResult | typeof nothing {
    const { texts, format } = view;
    const total = figure(this.host.other, 'memory.per_device.total');
    const article = view.request['estimate_method'] === 'article';
    if (total === undefined) return nothing;
    return html`<p class="other"><span>${plainSentence(article ? this.host.more!.train.otherDetailed : this.host.more!.train.otherArticle, { total: format.giga(total) })}</span> <button type="button" class="link"
      @click=${() => this.host.put('/estimate_method', article ? undefined : 'article')}>${article ? texts.seeDetailed : texts.seeArticle}</button></p>`;
  }

  private result(): TemplateResult {
    const { texts } = this.host;
    const more = this.host.more!.train;
    const view = this.host.view();
    const wrong = this.host.problems.some((p) => p.severity === 'error');
    if (!view) return html`<section class="ticket open" id="answer" aria-label=${texts.answer} tabindex="-1"><h2 class="verdict">${wrong ? texts.staleNone : texts.loading}</h2>${this.sections.wrongs()}</section>`;
    const tone = toneOf(view.answer);
    const speeds = ['speed.tokens_per_s', 'speed.total_seconds', 'speed.step_seconds', 'speed.mfu', 'speed.cost_usd', 'speed.device_hours'];
    const further = ['speed.tokens_per_s_per_device', 'speed.tflops_per_device', 'speed.flops_per_token', 'speed.joules'];
    const facts = ['model.trainable_parameters', 'model.parameters', 'model.active_parameters', 'model.layers', 'model.weight_bytes'];
    const some = (paths: string[]): string[] => paths.filter((p) => (figure(view.answer, p) ?? 0) !== 0);
    const trained = figure(view.answer, 'model.trainable_parameters') ?? 0;
    return html`<section class="ticket ${tone}" id="answer" aria-label=${texts.answer} tabindex="-1" data-stale=${wrong || nothing}>
        ${wrong ? html`<div class="stale"><p>${texts.stale}</p>${this.sections.wrongs()}</div>` : nothing}
        <p class="what"><b>${modelName(view.description, view.request, view.answer)}</b><span>${plainSentence(texts.parametersOf, { count: view.format.short(figure(view.answer, 'model.parameters') ?? 0) })}</span><span>${texts.choices[String(view.request['method'] ?? 'full')] ?? ''}</span><span>${plainSentence(more.trained, { count: view.format.short(trained) })}</span></p>
        <h2 class="verdict"><svg viewBox="0 0 24 24" aria-hidden="true"><use href="#mark-${tone}" /></svg><span>${verdict(view)}</span></h2>
        ${paceLine(this.pace(view))}${this.sections.advice(view)}
        ${tone === 'open' ? html`<p class="muted">${texts.needsHint}</p>` : nothing}
        ${memoryBar(view)}
        <div class="columns"><div><h3>${texts.memory}</h3>${this.table(view)}</div>
          ${at(view.answer, 'speed') === null ? nothing : html`<div class="headline"><h3>${more.speed}</h3>${figures(view, some(speeds))}${(figure(view.answer, 'speed.total_seconds') ?? 0) > 0 ? nothing : html`<p class="muted">${more.giveDataset}</p>`}</div>`}</div>
        ${this.other(view)}
      </section>
      ${this.sections.notes()}${this.timeline(view)}${this.article(view)}
      ${some(further).length === 0 ? nothing : html`<section class="below" aria-label=${texts.moreFigures}><h2>${texts.moreFigures}</h2>${figures(view, some(further))}</section>`}
      <section class="below" aria-label=${texts.modelFacts}><h2>${texts.modelFacts}</h2>${figures(view, some(facts), false)}</section>
      ${this.sections.assumptions(view)}${this.sections.take(view, this.pace)}`;
  }

  render(): unknown {
    const { texts } = this.host;
    const more = this.host.more!.train;
    return html`${this.request()}<div class="answer">${this.result()}</div>
      <nav class="examples" aria-labelledby="examples"><h2 id="examples">${texts.examples}</h2><ul>${kExamples.map(([text, link]) => {
        const device = /(?:&|^)d=([^&]*)/.exec(link)![1]!;
        const count = /(?:&|^)n=(\d+)/.exec(link)?.[1] ?? '1';
        return html`<li><a href="#${link}">${more.examples[text]} <small>${sentence(texts.times, { count, device: deviceName(this.host.description!, device, '') })}</small></a></li>`;
      })}</ul></nav>`;
  }
}

export const screen = (host: ScreenHost, form: Form, sections: Sections): Screen => new Train(host, form, sections);
