// Every formula of the calculator, with its unit, kind and source, and worked once with numbers: those of the set-up in the form
// where it uses the formula, else those of an example that does.

import { type TemplateResult, html, nothing } from 'lit';

import type { Formula, Step } from '../contract.js';
import { withEngine } from '../engine.js';
import type { Call } from '../host.js';
import type { JsonObject } from '../json.js';
import type { View } from '../parts.js';
import { stepsOf } from '../request.js';
import type { Screen, ScreenHost } from '../screens.js';
import { setUpName } from '../share.js';
import { nameInWords, plainSentence } from '../text.js';
import { drawFormula, rowTable } from '../work.js';

// Between them they use every formula; a test says so.
const kExamples: [call: Call, request: JsonObject][] = [
  ['estimate', { model: 'Qwen/QwQ-32B', device: 'h100-sxm-80gb', engine: 'vllm' }],
  ['estimate', { model: 'Qwen/QwQ-32B', device: 'h100-sxm-80gb', engine: 'ideal' }],
  ['estimate', { model: 'Qwen/QwQ-32B', device: 'h100-sxm-80gb', method: 'article' }],
  ['train', { model: 'meta-llama/Llama-3.1-8B', device: 'h100-sxm-80gb', estimate_method: 'article' }],
  ['train', { model: 'meta-llama/Llama-3.1-8B', device: 'h100-sxm-80gb', devices: 2, parallel: { pipeline: 2 } }],
  ['train', { model: 'meta-llama/Meta-Llama-3-70B', device: 'h100-sxm-80gb', devices: 512, framework: 'megatron', parallel: { data: 16, tensor: 8, pipeline: 4, virtual_pipeline: 2, sequence: true, zero_stage: 1 }, sequence_tokens: 8192, gradient_accumulation: 32, dataset_tokens: 1e12, price_usd_per_hour: 2 }],
  ['train', { model: 'Qwen/Qwen3-30B-A3B', device: 'h100-sxm-80gb', devices: 8, framework: 'megatron', parallel: { data: 8, expert: 8, zero_stage: 1 } }],
  ['train', { model: 'meta-llama/Llama-3.1-8B', device: 'rtx-4090', method: 'qlora', parallel: { offload: 'optimizer' }, activation_offload: true, dataset_tokens: 1e7 }],
  ['estimate', { model: 'deepseek-ai/DeepSeek-R1', device: 'h200-sxm-141gb', devices: 16, engine: 'vllm', parallel: { tensor: 8, pipeline: 2, data: 1, expert: 8 }, workload: { concurrency: 64 } }],
  ['estimate', { model: 'openai/gpt-oss-120b', weights: 'Q4_K_M', device: 'rtx-4090', engine: 'llama.cpp', host: { memory_bytes: 128e9, bandwidth: 80e9 }, options: { n_cpu_moe: 24, flash_attention: false } }],
  ['estimate', { model: 'Qwen/Qwen3-Next-80B-A3B-Instruct', device: 'h100-sxm-80gb', devices: 4, engine: 'vllm', options: { lora_adapters: { count: 2, rank: 16 } } }],
  ['estimate', { model: 'Qwen/Qwen3-32B', device: 'h100-sxm-80gb', devices: 2, engine: 'vllm', workload: { mode: 'static_batch', concurrency: 8 }, options: { speculative: { draft_model: 'Qwen/Qwen3-0.6B', tokens: 3, acceptance: 0.7 } } }],
  ['estimate', { model: 'Qwen/Qwen3-32B', device: 'h100-sxm-80gb', devices: 2, engine: 'vllm', workload: { concurrency: 8 }, prefill_pool: { device: 'h100-sxm-80gb', devices: 2 } }],
  ['estimate', { model: 'Qwen/Qwen3-32B', device: 'h100-sxm-80gb', devices: 2, engine: 'vllm', workload: { concurrency: 2000 } }],
  ['estimate', { model: 'Qwen/Qwen3-32B', device: 'h100-sxm-80gb', devices: 2, engine: 'vllm', workload: { requests_per_s: 1 } }],
  ['estimate', { model: 'Qwen/Qwen2.5-VL-7B-Instruct', device: 'rtx-4090', engine: 'vllm' }],
  ['estimate', { model: 'meta-llama/Llama-3.1-8B', weights: 'Q8_0', device: 'rtx-4090', engine: 'llama.cpp', host: { memory_bytes: 64e9, bandwidth: 80e9 }, options: { n_gpu_layers: 10 } }],
];

interface Worked {
  step: Step;
  view: View;
  /** The example's own request; undefined for the set-up in the form. */
  request: JsonObject | undefined;
}

class Formulas implements Screen {
  private query = '';
  private worked = new Map<string, Worked>();
  private workedFor: unknown[] = [];

  constructor(private readonly host: ScreenHost) {
    void host.bringWork();
  }

  /** Each formula's step, from the first set-up that has one. */
  private work(): Map<string, Worked> {
    const { host } = this;
    const { answer, texts, format } = host;
    if ([answer, texts, format].every((part, i) => part === this.workedFor[i])) return this.worked;
    this.workedFor = [answer, texts, format];
    this.worked = new Map();
    const take = (view: View, request?: JsonObject): void => {
      for (const step of stepsOf(view.answer)) if (!this.worked.has(step.id)) this.worked.set(step.id, { step, view, request });
    };
    const present = host.view(false);
    if (present) take(present);
    for (const [call, request] of kExamples) {
      const asked = call === 'estimate' ? withEngine(host.description!, request) : request;
      const made = host.ask(asked, true, call);
      if (made.ok) take({ call, description: host.description!, texts, format, request: asked, answer: made }, request);
    }
    return this.worked;
  }

  private one(formula: Formula, worked: Worked | undefined): TemplateResult {
    const { texts, description, format } = this.host;
    const more = this.host.more!;
    const name = nameInWords(formula.id, texts.names);
    const view: View = worked?.view ?? { call: 'estimate', description: description!, texts, format, request: {}, answer: { ok: true, problems: [] } };
    const drawn = drawFormula(view, formula, worked?.step, Math.max(22, Math.floor((Math.min(innerWidth, 1000) - 60) / 10.5)));
    const rows = worked && rowTable(view, worked.step);
    const sources = (formula.source ?? '').split(/\s+/).filter(Boolean).map((id) => description!.sources.find((s) => s.id === id) ?? { id, title: id, url: /^https:/.test(id) ? id : undefined });
    const open = (): void => this.host.show(worked!.view.call === 'train' ? 'train' : 'serve', worked!.request);
    return html`<article class="entry" id="formula-${formula.id}"><h3>${name}</h3><p class="summary">${texts.formulas[formula.id] ?? formula.summary ?? ''}</p>
      <div class="formula" tabindex="0" role="group" aria-label=${name}>${drawn?.words ?? html`<code>${formula.text}</code>`}</div>
      ${worked && drawn?.numbers ? html`<div class="formula example" tabindex="0" role="group" aria-label="${name}: ${texts.withNumbers}">${drawn.numbers}</div>` : nothing}
      ${rows ? html`<details class="sum"><summary>${texts.rows}<span class="unseen">: ${name}</span></summary>${rows}</details>` : nothing}
      <p class="muted"><b title=${texts.kindHints[formula.kind] ?? ''}>${texts.kinds[formula.kind]}</b> · ${sources.map((s, i) => html`${i > 0 ? texts.separator : ''}${s.url ? html`<a href=${s.url} rel="noreferrer">${s.title}</a>` : s.title}`)}${formula.locator ? html`, ${formula.locator}` : nothing}${worked
        ? html` · ${more.numbersOf} ${worked.request ? html`<button type="button" class="link" @click=${open}>${setUpName(worked.view)}</button>` : more.presentSetUp}` : nothing}</p></article>`;
  }

  render(): unknown {
    const { texts, description } = this.host;
    const more = this.host.more!;
    const worked = this.work();
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (f: Formula): string => [f.id, f.text, f.summary ?? '', texts.formulas[f.id] ?? '', nameInWords(f.id, texts.names)].join(' ').toLowerCase();
    const found = description!.formulas.filter((f) => words.every((w) => text(f).includes(w)));
    const group = (name: string, list: Formula[]): unknown => (list.length === 0 ? nothing : html`<h3 class="part">${name} <small>${this.host.format.count(list.length)}</small></h3>${list.map((f) => this.one(f, worked.get(f.id)))}`);
    const of = (f: Formula): string => (f.method === 'article' ? 'article' : f.id.startsWith('train_') ? 'train' : 'serve');
    return html`<section class="page" id="answer" tabindex="-1" aria-labelledby="screen-title"><h2 id="screen-title">${texts.views['formulas']}</h2>
      <p class="lead">${plainSentence(more.formulasLead, { count: this.host.format.count(description!.formulas.length) })}</p>
      <div class="finder"><label for="formulas-find">${more.find}</label><input id="formulas-find" type="search" autocomplete="off" @input=${(e: Event) => { this.query = (e.target as HTMLInputElement).value; this.host.requestUpdate(); }} />
        <p role="status">${plainSentence(more.rowsShown, { count: this.host.format.count(found.length), all: this.host.format.count(description!.formulas.length) })}</p></div>
      ${group(texts.views['serve']!, found.filter((f) => of(f) === 'serve'))}${group(texts.views['train']!, found.filter((f) => of(f) === 'train'))}${group(texts.article, found.filter((f) => of(f) === 'article'))}</section>`;
  }
}

export const screen = (host: ScreenHost): Screen => new Formulas(host);
