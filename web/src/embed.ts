// <weigh-bridge model="Qwen/QwQ-32B" device="h100-sxm-80gb">64 GB and an H100</weigh-bridge>
//
// One weighing inside somebody's page. The text inside the tag stands until the answer is there, and whenever there is none.
// Attributes are the truth; several changes make one update. It starts once it comes near the viewport.

import { LitElement, type PropertyValues, type TemplateResult, css, html, nothing, unsafeCSS } from 'lit';

import { load } from '#core';

import type { Answer, Client, Description } from './contract.js';
import { type Format, makeFormat } from './format.js';
import { type Json, type JsonObject, set } from './json.js';
import { type Texts, en } from './lang/en.js';
import { writeLink } from './link.js';
import { type View, figures, kParts, memoryBar, toneOf, verdict } from './parts.js';
import parts from './parts.css?inline';
import { figure, modelName, typed } from './request.js';
import { languageOf, textsOf } from './settings.js';

/** Attributes and the members of a request that they stand for. */
export const kAttributes: Record<string, string> = {
  model: '/model', weights: '/weights', 'kv-cache': '/kv_cache', engine: '/engine', device: '/device', devices: '/devices', method: '/method',
  'prompt-tokens': '/workload/prompt_tokens', 'output-tokens': '/workload/output_tokens', concurrency: '/workload/concurrency', 'context-tokens': '/workload/context_tokens',
};
const kNumbers = new Set(['devices', 'prompt-tokens', 'output-tokens', 'concurrency', 'context-tokens']);

// One core, and one description, for all elements of a document.
let core: Promise<{ client: Client; description: Description }> | undefined;
const shared = (): Promise<{ client: Client; description: Description }> =>
  (core ??= load().then((made) => ({ client: made as Client, description: (made as Client).describe() })));

export class WeighBridge extends LitElement {
  static override styles = [
    unsafeCSS(parts),
    css`
      :host { display: block; color-scheme: inherit; max-width: 52rem; }    /* the text inside, until it is replaced, looks as the page wants */
      :host([hidden]) { display: none; }
      :host([theme='light']) { color-scheme: light; }
      :host([theme='dark']) { color-scheme: dark; }
      * { box-sizing: border-box; }
      .ticket { font: 400 0.9375rem/1.45 var(--sans); color: var(--ink); text-align: start; background: var(--ticket); border: 1px solid var(--rule); border-top: 4px solid var(--edge); border-radius: 4px; padding: 0.9rem 1.1rem; }
      .fits { border-top-color: var(--good); }
      .short { border-top-color: var(--bad); }
      p { margin: 0; }
      .what, .link { color: var(--muted); font-size: 0.8125rem; }
      .verdict { font: 500 1.3rem/1.3 var(--serif); margin: 0.1rem 0; }
      .link { margin-top: 0.7rem; }
      a { color: var(--accent); }
      a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
      .keys { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; font-size: 0.8125rem; list-style: none; margin: 0 0 0.8rem; padding: 0; font-variant-numeric: tabular-nums; }
      .keys i { display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 2px; margin-inline-end: 0.4rem; forced-color-adjust: none; }
      .keys .weights { background: var(--weights); }
      .keys .kv_cache { background: var(--kv); }
      .keys .activations { background: var(--activations); }
      .keys .runtime { background: var(--runtime); }
      .figures { grid-template-columns: repeat(auto-fill, minmax(7.4rem, 1fr)); gap: 0.8rem 1rem; }
    `,
  ];
  static override properties = { view_: { state: true }, link_: { state: true } };
  declare private view_: View | undefined;
  declare private link_: string;
  private texts: Texts = en;
  private format: Format | undefined;
  private watcher: IntersectionObserver | undefined;
  private started = false;

  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, ...Object.keys(kAttributes), 'lang', 'unit', 'page'];
  }

  constructor() {
    super();
    this.link_ = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.watcher = new IntersectionObserver(
      (entries) => {
        if (!entries.some((e) => e.isIntersecting)) return;
        this.watcher?.disconnect();
        this.started = true;
        void this.weigh();
      },
      { rootMargin: '600px' },
    );
    if (!this.started) this.watcher.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watcher?.disconnect();
  }

  override attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    super.attributeChangedCallback(name, before, after);
    if (before !== after && this.started) queueMicrotask(() => void this.weigh());
  }

  /** The request that the attributes make. */
  get request(): JsonObject {
    let request: JsonObject = {};
    for (const [name, pointer] of Object.entries(kAttributes)) {
      const text = this.getAttribute(name)?.trim();
      if (!text) continue;
      const value: Json | undefined = kNumbers.has(name) ? typed(text) : text;
      request = set(request, pointer, value);
    }
    return request;
  }

  private turn = 0;

  private async weigh(): Promise<void> {
    const turn = (this.turn += 1);
    try {
      const { client, description } = await shared();
      const lang = (this.closest('[lang]') ?? document.documentElement).getAttribute('lang');
      const language = languageOf(lang ? [lang] : navigator.languages);
      this.texts = await textsOf(language);
      if (turn !== this.turn) return;
      this.format = makeFormat(language === 'zh' ? 'zh-CN' : 'en', this.getAttribute('unit') === 'GB' ? 'GB' : 'GiB', { unit: (u) => this.texts.unit[u] ?? u });
      const request = this.request;
      const answer: Answer = client.estimate(request);
      const page = this.getAttribute('page');
      this.link_ = page && answer.ok ? `${page.replace(/#.*$/, '')}#${await writeLink(request)}` : '';
      if (turn !== this.turn) return;
      this.view_ = answer.ok ? { call: 'estimate', description, texts: this.texts, format: this.format, request, answer } : undefined;
      this.title = answer.ok ? '' : (answer.problems[0]?.message ?? '');
      if (this.title === '') this.removeAttribute('title');
      this.dispatchEvent(new CustomEvent('weigh', { bubbles: true, detail: answer }));
    } catch (error) {
      this.view_ = undefined;
      console.error('weigh-bridge:', error);
    }
  }

  protected override updated(_: PropertyValues): void {
    this.toggleAttribute('ready', this.view_ !== undefined);
  }

  protected override render(): TemplateResult {
    const view = this.view_;
    if (!view) return html`<slot></slot>`;
    const { texts, format, answer } = view;
    const weights = this.getAttribute('weights');
    const value = (part: string): number => figure(answer, `memory.per_device.${part}`) ?? figure(answer, `memory.total.${part}`) ?? 0;
    return html`<div role="group" class="ticket ${toneOf(answer)}" aria-label=${texts.title}>
      <p class="what">${[modelName(view.description, view.request, answer), weights].filter(Boolean).join(' · ')}</p>
      <p class="verdict">${verdict(view)}</p>
      ${memoryBar(view)}
      <ul class="keys">${kParts.filter((part) => value(part) > 0).map((part) => html`<li><i class=${part}></i>${texts.parts[part]} ${format.giga(value(part))}</li>`)}</ul>
      ${figures(view, ['speed.ttft_s', 'speed.tpot_s', 'speed.output_tokens_per_s', 'capacity.max_context_tokens', 'capacity.max_concurrency'], false)}
      ${this.link_ ? html`<p class="link"><a href=${this.link_}>${texts.openPage}</a></p>` : nothing}
    </div>`;
  }
}
