// <weigh-bridge model="Qwen/QwQ-32B" device="h100-sxm-80gb">64 GB and an H100</weigh-bridge>
//
// One weighing inside somebody's page. The text inside the tag stands until the answer is there, and whenever there is none.
// Attributes are the truth, what a reader changes becomes an attribute, and nothing else is written on the tag, so that a page
// that is drawn again by its own scripts finds it as it left it. Several changes make one update. It starts near the viewport.

import { LitElement, type TemplateResult, html, nothing, unsafeCSS } from 'lit';
import { live } from 'lit/directives/live.js';

import { load } from '#core';

import type { Answer, Client, Description } from './contract.js';
import { type Look, kFields, kLooks, kSwitches, kUsualControls, kViews, propertyOf, requestOf, textOf, valueOf } from './embed-attributes.js';
import styles from './embed.css?inline';
import { failureText } from './failure.js';
import { type Format, makeFormat } from './format.js';
import { type JsonObject, get, isObject, same } from './json.js';
import { type Texts, en } from './lang/en.js';
import { writeLink } from './link.js';
import { type View, figures, kParts, memoryBar, number, toneOf, verdict } from './parts.js';
import parts from './parts.css?inline';
import { assumed, figure, modelName } from './request.js';
import { textsOf } from './embed-texts.js';
import { languageOf } from './settings.js';
import { problemText } from './text.js';

interface Shared {
  client: Client;
  description: Description;
}

// One core, and one description, for all elements of a document.
let core: Promise<Shared> | undefined;
let ready: Shared | undefined;
const shared = (): Promise<Shared> =>
  (core ??= load().then(
    (made) => (ready = { client: made as Client, description: (made as Client).describe() }),
    (error: unknown) => {
      core = undefined; // the next tag tries again
      throw error;
    },
  ));

const kFigures = ['speed.ttft_s', 'speed.tpot_s', 'speed.output_tokens_per_s', 'capacity.max_context_tokens', 'capacity.max_concurrency'];
let ids = 0;

/** The attributes as properties: accessors, made below. */
type Properties = { [name in 'model' | 'weights' | 'kvCache' | 'engine' | 'device' | 'devices' | 'prompt' | 'output' | 'context' | 'concurrency' | 'method' | 'view' | 'theme' | 'unit' | 'controls' | 'page']: string | null };
export interface WeighBridge extends Properties {
  readonly: boolean;
}

export class WeighBridge extends LitElement {
  static override styles = [unsafeCSS(parts), unsafeCSS(styles)];

  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, ...Object.keys(kFields), ...kLooks];
  }

  private base: JsonObject = {};
  private shown: View | undefined;
  private last: Answer | undefined;
  private asked: JsonObject = {};
  private texts: Texts = en;
  private format: Format = makeFormat('en', 'GiB', { unit: (u) => u });
  private link = '';
  private trouble = '';
  private said = '';
  private watcher: IntersectionObserver | undefined;
  private started = false;
  private queued = false;
  private turn = 0;
  private speaking = 0;
  private readonly number = (ids += 1);

  override connectedCallback(): void {
    super.connectedCallback();
    // Set before the script had come: they lie over the accessors.
    for (const name of ['request', ...WeighBridge.observedAttributes.map(propertyOf)]) {
      if (!Object.hasOwn(this, name)) continue;
      const own = this as unknown as Record<string, unknown>;
      const value = own[name];
      delete own[name];
      own[name] = value;
    }
    addEventListener('beforeprint', this.print);
    if (this.started) return this.changed();
    this.watcher = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && this.start(), { rootMargin: '600px' });
    this.watcher.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('beforeprint', this.print);
    this.watcher?.disconnect();
  }

  override attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    super.attributeChangedCallback(name, before, after);
    if (before !== after) this.changed();
  }

  /** The request that is asked. Setting it gives what the attributes do not say. */
  get request(): JsonObject {
    return requestOf(this, this.base);
  }
  set request(value: JsonObject | null | undefined) {
    this.base = isObject(value) ? value : {};
    this.changed();
  }

  /** The last answer, good or bad; undefined until there is one. */
  get answer(): Answer | undefined {
    return this.last;
  }

  private start(): void {
    this.watcher?.disconnect();
    this.started = true;
    this.changed();
  }

  /** Paper has no viewport. What is there at once is drawn at once; of the others the text inside is printed. */
  private print = (): void => {
    if (this.started) return;
    this.start();
    if (!ready) return;
    this.weigh(ready);
    this.performUpdate();
  };

  private changed(): void {
    if (!this.started || this.queued) return;
    this.queued = true;
    queueMicrotask(() => {
      this.queued = false;
      if (this.isConnected) void this.update_();
    });
  }

  private async update_(): Promise<void> {
    const turn = (this.turn += 1);
    const lang = (this.closest('[lang]') ?? document.documentElement).getAttribute('lang');
    const language = languageOf(lang ? [lang] : navigator.languages);
    try {
      this.texts = await textsOf(language);
      const made = await shared();
      if (turn !== this.turn) return;
      this.format = makeFormat(language === 'zh' ? 'zh-CN' : 'en', this.getAttribute('unit') === 'GB' ? 'GB' : 'GiB', { unit: (u) => this.texts.unit[u] ?? u });
      this.weigh(made);
      const page = this.pageUrl();
      const link = page && this.shown ? `${page}#${await writeLink(this.asked)}` : '';
      if (turn !== this.turn) return;
      this.link = link;
    } catch (error) {
      if (turn !== this.turn) return;
      this.trouble = failureText(error, this.texts);
      console.warn('weigh-bridge:', error);
    }
    this.requestUpdate();
  }

  /** Where the whole page is, as the attribute says it; nothing that could run as a script. */
  private pageUrl(): string {
    const page = this.getAttribute('page')?.replace(/#.*$/, '') ?? '';
    return page !== '' && URL.canParse(page, document.baseURI) && /^(https?|file):$/.test(new URL(page, document.baseURI).protocol) ? page : '';
  }

  private weigh({ client, description }: Shared): void {
    const request = this.request;
    const answer = client.estimate(request);
    const first = this.last === undefined;
    const before = this.asked;
    this.last = answer;
    this.asked = request;
    if (answer.ok) {
      this.shown = { call: 'estimate', description, texts: this.texts, format: this.format, request, answer };
      this.trouble = '';
    } else {
      const errors = answer.problems.filter((p) => p.severity === 'error');
      this.trouble = errors.map((p) => problemText(p, this.texts, (v) => this.format.exact(v))).join(' ');
      // A reader who is typing keeps the last good answer beside what is wrong; what a page wrote wrong leaves the page's text.
      if (!this.hasAttribute('controls')) this.shown = undefined;
      console.warn('weigh-bridge:', ...errors.map((p) => `${p.path} ${p.message}`));
    }
    this.requestUpdate();
    if (first || !same(before, request)) this.dispatchEvent(new CustomEvent('change', { bubbles: true, detail: { request, answer } }));
  }

  // ---- drawing ----

  private put(name: string, text: string): void {
    if (valueOf(name, text) === undefined) this.removeAttribute(name);
    else this.setAttribute(name, text.trim());
    clearTimeout(this.speaking);
    this.speaking = window.setTimeout(() => {
      this.said = this.trouble || (this.renderRoot.querySelector('.verdict')?.textContent ?? '');
      this.requestUpdate();
    }, 700);
  }

  private get controlled(): string[] {
    const wanted = this.getAttribute('controls');
    if (wanted === null) return [];
    const names = wanted.split(/[\s,]+/).filter((name) => Object.hasOwn(kFields, name));
    return names.length > 0 ? names : kUsualControls;
  }

  private labelOf(name: string): string {
    return name === 'method' ? this.texts.method : (this.texts.labels[kFields[name]!] ?? name);
  }

  /** The choices of a list, with what is taken when nothing is chosen in front. */
  private choicesOf(name: string, d: Description): [value: string, text: string][] | undefined {
    if (name === 'weights') return d.weight_formats.map((f) => [f.id, f.name ?? f.id]);
    if (name === 'kv-cache') return d.kv_formats.map((f) => [f.id, f.id]);
    if (name === 'engine') return d.engines.map((e) => [e.id, e.name ?? e.id]);
    if (name === 'method') return [['detailed', this.texts.detailed], ['article', this.texts.article]];
    return undefined;
  }

  private control(name: string, view: View | undefined, d: Description): TemplateResult {
    const pointer = kFields[name]!;
    const id = `w${this.number}-${name}`;
    const text = textOf(this.asked, pointer);
    const taken = assumed(view?.answer, pointer);
    const wrong = this.last?.problems.some((p) => p.severity === 'error' && (p.path === pointer || p.path.startsWith(`${pointer}/`))) ? 'true' : nothing;
    const choices = this.choicesOf(name, d);
    const change = (e: Event): void => this.put(name, (e.target as HTMLInputElement).value);
    const hint = text === undefined ? modelName(d, this.asked, view?.answer) : typeof taken === 'number' ? this.format.count(taken) : typeof taken === 'string' ? taken : '';
    const catalogue = name === 'model' ? d.models : name === 'device' ? d.devices : undefined;
    const field = choices
      ? html`<select id=${id} aria-invalid=${wrong} @change=${change}>
          <option value="" ?selected=${!text}>${typeof taken === 'string' ? taken : this.texts.standardPlain}</option>
          ${choices.map(([value, shown]) => html`<option value=${value} ?selected=${value.toLowerCase() === text?.toLowerCase()}>${shown}</option>`)}</select>`
      : catalogue
        ? html`<input id=${id} type="text" list="${id}-list" autocomplete="off" spellcheck="false" aria-invalid=${wrong} placeholder=${hint} .value=${live(text ?? '')} @change=${change} />
          <datalist id="${id}-list">${catalogue.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</datalist>`
        : html`<input id=${id} type="text" inputmode="numeric" autocomplete="off" aria-invalid=${wrong} placeholder=${hint}
          .value=${live(this.typing(id, name, text ?? ''))} @input=${change} />`;
    return html`<div part="control"><label for=${id}>${this.labelOf(name)}</label>${field}</div>`;
  }

  // "1e" while somebody types 1e3 is theirs; it is replaced once it stands for something else.
  private typing(id: string, name: string, text: string): string {
    const input = this.renderRoot.querySelector<HTMLInputElement>(`#${id}`);
    return input && this.shadowRoot?.activeElement === input && valueOf(name, input.value) === valueOf(name, text) ? input.value : text;
  }

  private settings(view: View | undefined, d: Description): TemplateResult | typeof nothing {
    const names = this.controlled;
    if (names.length === 0) return nothing;
    if (!this.hasAttribute('readonly'))
      return html`<fieldset class="controls" part="controls" aria-label=${this.texts.settings}>${names.map((name) => this.control(name, view, d))}</fieldset>`;
    const value = (name: string): string => {
      const given = get(this.asked, kFields[name]!) ?? assumed(view?.answer, kFields[name]!);
      if (name === 'model') return modelName(d, this.asked, view?.answer);
      const text = typeof given === 'number' ? this.format.count(given) : typeof given === 'string' ? given : '–';
      return name === 'device' ? (d.devices.find((one) => one.id === text)?.name ?? text) : text;
    };
    return html`<dl class="controls" part="settings">${names.map((name) => html`<div part="setting"><dt>${this.labelOf(name)}</dt><dd>${value(name)}</dd></div>`)}</dl>`;
  }

  private valueOf_(view: View, part: string): number | undefined {
    return figure(view.answer, `memory.per_device.${part}`) ?? figure(view.answer, `memory.total.${part}`);
  }

  private bar(view: View): TemplateResult {
    const value = (part: string): number => this.valueOf_(view, part) ?? 0;
    return html`<div part="bar">${memoryBar(view)}</div>
      <ul class="keys" part="keys">${kParts.filter((part) => value(part) > 0).map((part) => html`<li><i class=${part}></i>${view.texts.parts[part]} ${view.format.giga(value(part))}</li>`)}</ul>`;
  }

  private table(view: View): TemplateResult {
    const { texts, format } = view;
    const row = (part: string, kind = ''): TemplateResult | typeof nothing => {
      const value = this.valueOf_(view, part);
      const name = part === 'headroom' && (value ?? 0) < 0 ? 'lacking' : part;
      return value === undefined ? nothing : html`<tr class=${kind}><th scope="row">${texts.parts[name]}</th><td>${format.giga(Math.abs(value))}</td></tr>`;
    };
    return html`<table part="table"><caption>${texts.memory}</caption><tbody>${kParts.map((part) => row(part))}${row('total', 'sum')}${row('usable')}${row('headroom')}</tbody>
      <tbody>${kFigures.filter((path) => figure(view.answer, path) !== undefined).map((path) => html`<tr><th scope="row">${texts.figures[path]}</th><td>${number(view, path)}</td></tr>`)}</tbody></table>`;
  }

  protected override render(): TemplateResult {
    const view = this.shown;
    const { texts } = this;
    if (!view && !(this.controlled.length > 0 && ready)) {
      // Nothing to show instead, and no words of the page either: then say why.
      const empty = this.trouble !== '' && this.children.length === 0 && this.textContent?.trim() === '';
      return html`<slot name="heading"></slot><slot></slot>${empty ? html`<p class="problem" part="problem">${this.trouble}</p>` : nothing}<slot name="note"></slot>`;
    }
    const look: Look = kViews.find((one) => one === this.getAttribute('view')) ?? 'card';
    if (look === 'line' && view) return html`<span class="verdict-line" part="verdict">${verdict(view)}</span>`;
    const weights = textOf(this.asked, '/weights');
    return html`<div role="group" class="ticket ${view ? toneOf(view.answer) : ''}" part="ticket" aria-label=${texts.title}>
      <slot name="heading"></slot>
      ${this.settings(view, (view ?? ready)!.description)}
      ${this.trouble ? html`<p class="problem" part="problem">${this.trouble}</p>` : nothing}
      ${view ? html`
        ${look === 'bar' ? nothing : html`<p class="what" part="model">${[modelName(view.description, view.request, view.answer), weights].filter(Boolean).join(' · ')}</p>
        <p class="verdict" part="verdict">${verdict(view)}</p>`}
        ${look === 'table' ? this.table(view) : this.bar(view)}
        ${look === 'card' && kFigures.some((path) => figure(view.answer, path) !== undefined) ? html`<div part="figures">${figures(view, kFigures, false)}</div>` : nothing}
        ${this.link ? html`<p class="link"><a part="link" href=${this.link} target=${self === top ? nothing : '_blank'} rel="noopener">${texts.openPage}</a></p>` : nothing}` : nothing}
      <slot name="note"></slot>
      ${this.controlled.length > 0 && !this.hasAttribute('readonly') ? html`<p class="unseen" role="status">${this.said}</p>` : nothing}
    </div>`;
  }
}

// Each attribute as a property too, for frameworks that set properties. `lang` is every element's own.
for (const name of [...Object.keys(kFields), ...kLooks]) {
  if (name === 'lang') continue;
  const boolean = kSwitches.includes(name);
  Object.defineProperty(WeighBridge.prototype, propertyOf(name), {
    configurable: true,
    enumerable: true,
    get(this: WeighBridge): string | boolean | null {
      return boolean ? this.hasAttribute(name) : this.getAttribute(name);
    },
    set(this: WeighBridge, value: unknown) {
      if (value === null || value === undefined || value === false) this.removeAttribute(name);
      else this.setAttribute(name, value === true ? '' : String(value));
    },
  });
}
