// The page: a form over describe(), the answer beside it, and the address bar that holds the request.

import { LitElement, type PropertyValues, type TemplateResult, html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';

import './combobox.js';
import type { Option } from './combobox.js';
import type { Answer, Client, Description, Field, ModelFile, Problem } from './contract.js';
import { type Format, makeFormat } from './format.js';
import { type Json, type JsonObject, get, isObject, leaves, same, set } from './json.js';
import { type Texts, en } from './lang/en.js';
import { BrokenLink, readLink, writeLink } from './link.js';
import { type View, adviceOf, adviceText, figures, kParts, kRoles, memoryBar, number, toneOf, verdict } from './parts.js';
import {
  assumed, at, deviceCount, deviceName, fieldOf, figure, figureFields, findDevice, findModel, furtherFields, kFront, kNumbers, modelName, typed,
} from './request.js';
import { type Settings, type Theme, kLanguages, keepSettings, readSettings, textsOf } from './settings.js';
import { nameInWords, plainSentence, problemText, sentence } from './text.js';
import type { Place } from './work.js';

const kExample: JsonObject = { model: 'Qwen/QwQ-32B', device: 'h100-sxm-80gb' };
const kExamples: [request: JsonObject, link: string][] = [
  [{ model: 'Qwen/QwQ-32B', weights: 'bf16', device: 'h100-sxm-80gb' }, 'm=Qwen/QwQ-32B&w=bf16&d=h100-sxm-80gb'],
  [{ model: 'meta-llama/Llama-3.1-8B', weights: 'Q4_K_M', device: 'rtx-4090' }, 'm=meta-llama/Llama-3.1-8B&w=Q4_K_M&d=rtx-4090'],
  [{ model: 'deepseek-ai/DeepSeek-R1', weights: 'fp8', device: 'h200-sxm-141gb', devices: 8 }, 'm=deepseek-ai/DeepSeek-R1&w=fp8&d=h200-sxm-141gb&n=8'],
];
const kLargestFile = 64 << 20;
const kFirstBytes = 1 << 20;
const kCustom = '\u0000custom'; // no id of the catalogue
const kNothing = '\u0000none';

export class WeighPage extends LitElement {
  static override properties = {
    client: { attribute: false }, texts: { state: true }, settings: { state: true }, request: { state: true }, answer: { state: true },
    problems: { state: true }, chain: { state: true }, notice: { state: true }, dragging: { state: true }, failure: { state: true },
    showRoles: { state: true }, said: { state: true }, settled: { state: true }, missingFile: { state: true }, fileNote: { state: true },
  };
  declare client: Client | undefined;
  declare texts: Texts;
  declare settings: Settings;
  declare request: JsonObject; // what stands in the form
  declare answer: Answer | undefined; // the last good one
  declare problems: Problem[];
  declare chain: Place[];
  declare notice: string;
  declare dragging: boolean;
  declare failure: string;
  declare showRoles: boolean;
  declare said: string;
  declare missingFile: string;
  declare fileNote: string;
  declare settled: boolean; // the first answer has been painted, and what lies below it may follow

  private description: Description | undefined;
  private answered: JsonObject = {};
  private other: Answer | undefined;
  private format: Format;
  private fileName: string | undefined;
  private changedPath = '';
  private linkTurn = 0;
  private sayTimer = 0;
  private workOf: typeof import('./work.js') | undefined;
  private lists = new Map<string, Option[]>();

  constructor() {
    super();
    this.settings = readSettings();
    this.texts = en;
    this.format = makeFormat('en', this.settings.unit, { unit: (u) => u });
    this.request = kExample;
    this.problems = [];
    this.chain = [];
    this.notice = this.failure = this.said = this.missingFile = this.fileNote = '';
    this.dragging = this.showRoles = this.settled = false;
  }

  protected override createRenderRoot(): HTMLElement {
    this.replaceChildren(); // the shell that stood here while the scripts were loading
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('popstate', this.moved);
    addEventListener('hashchange', this.moved);
    addEventListener('dragover', this.dragOver);
    addEventListener('dragleave', this.dragLeave);
    addEventListener('drop', this.dropped);
    addEventListener('paste', this.pasted);
    this.applyTheme();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('popstate', this.moved);
    removeEventListener('hashchange', this.moved);
    removeEventListener('dragover', this.dragOver);
    removeEventListener('dragleave', this.dragLeave);
    removeEventListener('drop', this.dropped);
    removeEventListener('paste', this.pasted);
  }

  /** Starts with a core that is ready, in the language and with the request that this visit asks for. */
  async start(client: Client): Promise<void> {
    this.description = client.describe();
    this.texts = await textsOf(this.settings.language);
    this.speak();
    this.client = client;
    await this.follow();
    await this.updateComplete;
    performance.mark('weighbridge:answer');
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    this.settled = true;
    void import('./curves.js');
  }

  // ---- language, theme, units ----

  private speak(): void {
    const tag = kLanguages.find(([l]) => l === this.settings.language)![1];
    document.documentElement.lang = tag;
    document.title = `${this.texts.title}: ${this.texts.tagline}`;
    this.format = makeFormat(tag, this.settings.unit, { unit: (u) => this.texts.unit[u] ?? u });
    this.lists.clear();
  }

  /** The catalogue as options, made when a list is first opened. */
  private list(path: '/model' | '/device'): Option[] {
    let list = this.lists.get(path);
    if (!list) {
      const { format } = this;
      list = path === '/model'
        ? (this.description?.models ?? []).map((m) => ({
            value: m.id,
            name: m.name,
            note: [format.short(m.parameters), m.organization ?? m.id.split('/')[0]].join(' · '),
            search: [m.id, m.name, m.organization ?? '', m.family ?? '', ...(m.aliases ?? [])].join(' ').toLowerCase(),
          }))
        : (this.description?.devices ?? []).map((d) => ({
            value: d.id,
            name: d.name,
            note: [format.giga(d.memory_bytes), d.bandwidth ? format.of(d.bandwidth, 'bytes/s') : '', d.vendor].filter(Boolean).join(' · '),
            search: [d.id, d.name, d.vendor, ...(d.aliases ?? [])].join(' ').toLowerCase(),
          }));
      this.lists.set(path, list);
    }
    return list;
  }

  private listModels = (): Option[] => this.list('/model');
  private listDevices = (): Option[] => this.list('/device');

  private async choose(change: Partial<Settings>): Promise<void> {
    const settings = { ...this.settings, ...change };
    keepSettings(settings);
    const texts = await textsOf(settings.language, this.workOf !== undefined);
    this.settings = settings;
    this.texts = texts;
    this.applyTheme();
    this.speak();
    this.say();
  }

  private applyTheme(): void {
    document.documentElement.dataset['theme'] = this.settings.theme;
  }

  // ---- request, answer, address ----

  private moved = (): void => {
    void this.follow();
  };

  /** Takes the request from the address bar. */
  private async follow(): Promise<void> {
    if (!this.client) return;
    const fragment = location.hash.replace(/^#/, '');
    this.missingFile = this.notice = this.fileNote = '';
    this.changedPath = '';
    this.linkTurn += 1;
    let request = kExample;
    if (fragment !== '') {
      try {
        const link = await readLink(fragment);
        request = link.request;
        this.missingFile = link.missingFile ?? '';
        if (link.missingFile !== undefined) this.fileName = link.missingFile;
      } catch (error) {
        if (!(error instanceof BrokenLink)) throw error;
        this.notice = this.texts.brokenLink;
      }
    }
    this.weigh(request);
  }

  private ask(request: JsonObject, explain: boolean): Answer {
    return this.client!.estimate(explain ? { ...request, explain: true } : request);
  }

  private weigh(request: JsonObject): void {
    this.request = request;
    const answer = this.ask(request, true);
    this.problems = Array.isArray(answer.problems) ? answer.problems : [];
    if (answer.ok) {
      this.answer = answer;
      this.answered = request;
      const other = this.ask({ ...request, method: request['method'] === 'article' ? 'detailed' : 'article' }, false);
      this.other = other.ok ? other : undefined;
      if (this.chain.length > 0 && !('path' in this.chain[0]!)) this.chain = [];
    }
    this.say();
  }

  /** Sets one member of the request, answers at once, and writes the link: a new entry of the history for each field in turn. */
  private put(path: string, value: Json | undefined): void {
    let request = set(this.request, path, value);
    if (path.startsWith('/workload/requests_per_s') && value !== undefined) request = set(request, '/workload/concurrency', undefined);
    if (path === '/workload/concurrency' && value !== undefined) request = set(request, '/workload/requests_per_s', undefined);
    if (path === '/model') this.missingFile = this.fileNote = '';
    this.replace(request, path);
  }

  private replace(request: JsonObject, path: string): void {
    if (same(request, this.request)) return;
    this.notice = '';
    this.weigh(request);
    void this.write(path);
  }

  private async write(path: string): Promise<void> {
    if (this.answered !== this.request) return; // a link holds what can be answered
    const turn = (this.linkTurn += 1);
    const again = path !== '' && path === this.changedPath && kNumbers.has(this.field(path)?.type ?? '');
    this.changedPath = path;
    const link = '#' + (await writeLink(this.request, this.fileName));
    if (turn !== this.linkTurn || link === location.hash) return;
    if (again) history.replaceState(null, '', link);
    else history.pushState(null, '', link);
  }

  private say(): void {
    clearTimeout(this.sayTimer);
    this.sayTimer = window.setTimeout(() => {
      const wrong = this.problems.filter((p) => p.severity === 'error');
      const view = this.view(false);
      if (wrong.length > 0) this.said = wrong.map((p) => this.wordsOf(p)).join(' ');
      else if (view) this.said = this.plainVerdict(view);
    }, 700);
  }

  private plainVerdict(view: View): string {
    const host = document.createElement('div');
    const text = (part: unknown): string =>
      typeof part === 'string' ? part : Array.isArray(part) ? part.map(text).join('')
        : isObject(part) && Array.isArray(part['values']) ? (part['values'] as unknown[]).map(text).join('') : '';
    host.textContent = verdict(view).map(text).join('');
    return host.textContent ?? '';
  }

  private field(path: string): Field | undefined {
    return this.description?.fields.estimate.find((f) => f.path === path);
  }

  private view(withWork = true): View | undefined {
    if (!this.answer || !this.description) return undefined;
    const view: View = { description: this.description, texts: this.texts, format: this.format, request: this.answered, answer: this.answer };
    if (withWork) view.open = (path) => ((this.chain = [{ path }]), void this.bringWork());
    return view;
  }

  private bringing: Promise<void> | undefined;

  /** What draws the work behind a number: fetched when a reader first comes near one. */
  private bringWork = (): Promise<void> =>
    (this.bringing ??= (async () => {
      this.workOf = await import('./work.js');
      this.texts = await textsOf(this.settings.language, true);
      this.requestUpdate();
    })());

  private nearNumber = (event: Event): void => {
    if ((event.target as Element).closest('.number')) void this.bringWork();
  };

  private wordsOf(problem: Problem): string {
    return problemText(problem, this.texts, (v) => this.format.exact(v));
  }

  // ---- files ----

  private dragOver = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    this.dragging = true;
  };

  private dragLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.dragging = false;
  };

  private dropped = (event: DragEvent): void => {
    this.dragging = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    void this.readFiles(files);
  };

  private pasted = (event: ClipboardEvent): void => {
    const target = event.target as HTMLElement | null;
    if (target?.closest('input, textarea, dialog')) return;
    const text = event.clipboardData?.getData('text') ?? '';
    if (text.trim().startsWith('{')) this.readText(text, 'config.json');
  };

  /** Reads the beginning of each file, and more of it for as long as the core asks: a file of 40 GB is not read whole. */
  private async readFiles(files: File[]): Promise<void> {
    const large = files.find((f) => f.size > kLargestFile && f.name.endsWith('.json'));
    if (large) {
      this.fileNote = plainSentence(this.texts.fileTooLarge, { name: large.name, size: this.format.bytes(large.size) });
      return;
    }
    const begin = async (file: File, bytes: number): Promise<ModelFile> => ({ name: file.name, size: file.size, bytes: new Uint8Array(await file.slice(0, bytes).arrayBuffer()) });
    const name = files.map((f) => f.name).join(' + ');
    try {
      const given = await Promise.all(files.map((f) => begin(f, kFirstBytes)));
      for (;;) {
        const more = this.client!.readModel(given).problems.filter((p) => p.code === 'needs_more_bytes');
        if (more.length === 0) break;
        for (const problem of more) {
          const i = Number(problem.path.split('/')[1]);
          const bytes = problem.params['bytes'];
          if (typeof bytes !== 'number' || bytes > kLargestFile || !files[i]) {
            this.fileNote = this.wordsOf(problem);
            return;
          }
          given[i] = await begin(files[i], bytes);
        }
      }
      this.takeModel(given, name);
    } catch (error) {
      this.fileNote = plainSentence(this.texts.pasteFailed, { reason: (error as Error).message });   // a folder, or a file that went away
    }
  }

  private readText(text: string, name: string): void {
    try {
      if (!isObject(JSON.parse(text.replaceAll(/\bNaN\b|-?\bInfinity\b/g, 'null')))) throw new SyntaxError(text.slice(0, 20));
    } catch (error) {
      this.fileNote = plainSentence(this.texts.pasteFailed, { reason: (error as Error).message });
      return;
    }
    this.takeModel([{ name, text }], name);
  }

  private takeModel(files: Parameters<Client['readModel']>[0], name: string): void {
    const read = this.client!.readModel(files);
    if (!read.ok || !read.model) {
      this.fileNote = read.problems.filter((p) => p.severity === 'error').map((p) => this.wordsOf(p)).join(' ');
      return;
    }
    this.fileName = name;
    this.put('/model', read.model);
  }

  // ---- the form ----

  private static readonly id = (path: string): string => 'f' + path.replaceAll('/', '-');

  private label(field: Field): string {
    const own = this.texts.labels[field.path] ?? this.texts.labels[field.path.replace('/prefill_pool', '')];
    return own ?? field.path.split('/').slice(2).join('.');
  }

  private summary(field: Field): string {
    return this.texts.fields[field.path] ?? this.texts.fields[field.path.replace('/prefill_pool', '')] ?? field.summary;
  }

  private errorsAt(path: string, shown: ReadonlySet<string>): Problem[] {
    return this.problems.filter((p) => p.severity === 'error' && fieldOf(p, shown) === path);
  }

  private errorText(path: string, errors: Problem[]): TemplateResult | typeof nothing {
    if (errors.length === 0) return nothing;
    return html`<div class="error" id=${WeighPage.id(path) + '-error'}>
      ${errors.map((p) => {
        const nearest = p.params?.['nearest'];
        const unknown = p.code.startsWith('unknown_') && p.code !== 'unknown_field' && typeof nearest === 'string';
        return html`<p>${this.wordsOf(p)}${unknown ? html` <button type="button" class="link" @click=${() => this.put(p.path, nearest)}>${plainSentence(this.texts.useNearest, { nearest })}</button>` : nothing}</p>`;
      })}
    </div>`;
  }

  private control(field: Field, shown: ReadonlySet<string>): TemplateResult {
    const { path } = field;
    const id = WeighPage.id(path);
    const errors = this.errorsAt(path, shown);
    const value = get(this.request, path);
    const described = errors.length > 0 ? `${id}-error` : nothing;
    const options = this.optionsOf(field, value);
    const hint = this.summary(field);
    const text = value === undefined || isObject(value) ? '' : Array.isArray(value) ? value.join(', ') : typeof value === 'number' && Math.abs(value) < 1e15 ? String(value) : String(value);
    return html`<div class="field ${errors.length > 0 ? 'wrong' : ''}" data-path=${path} title=${hint}>
      <label for=${id}>${this.label(field)}</label>
      ${options
        ? html`<select id=${id} aria-invalid=${errors.length > 0 ? 'true' : nothing} aria-describedby=${described}
            @change=${(e: Event) => this.selected(field, (e.target as HTMLSelectElement).value)}>${options}</select>`
        : html`<input id=${id} type="text" autocomplete="off" spellcheck="false" inputmode=${field.type === 'integer' || field.type === 'number' ? 'decimal' : 'text'}
            placeholder=${this.placeholder(field)} aria-invalid=${errors.length > 0 ? 'true' : nothing} aria-describedby=${described}
            .value=${live(this.sameNumber(id, text))} @input=${(e: Event) => this.typedIn(field, (e.target as HTMLInputElement).value)}
            @keydown=${(e: KeyboardEvent) => this.stepped(field, e)} />`}
      ${this.errorText(path, errors)}
    </div>`;
  }

  // While somebody types "1e" or "2,048" the text is theirs; it is only replaced when it stands for something else.
  private sameNumber(id: string, text: string): string {
    const input = this.querySelector<HTMLInputElement>(`#${CSS.escape(id)}`);
    if (input && document.activeElement === input && String(typed(input.value) ?? '') === text) return input.value;
    return text;
  }

  private typedIn(field: Field, text: string): void {
    const value = kNumbers.has(field.type) ? typed(text) : text.trim() === '' ? undefined : text.trim();
    this.put(field.path, value);
  }

  /** Arrow keys go to the next power of two for tokens and by one for counts. */
  private stepped(field: Field, event: KeyboardEvent): void {
    if (!kNumbers.has(field.type) || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    const now = get(this.request, field.path) ?? assumed(this.answer, field.path) ?? field.default;
    if (typeof now !== 'number') return;
    event.preventDefault();
    const up = event.key === 'ArrowUp';
    let next = now + (up ? 1 : -1);
    if (field.unit === 'tokens' && now > 0) next = 2 ** (up ? Math.floor(Math.log2(now)) + 1 : Math.ceil(Math.log2(now)) - 1);
    const least = field.min ?? field.above ?? 0;
    next = Math.max(least, Math.min(field.max ?? Infinity, next));
    if (next !== now && next !== field.above) this.put(field.path, next);
  }

  private placeholder(field: Field): string {
    const value = assumed(this.answer, field.path) ?? field.default;
    if (value === undefined || value === null || isObject(value)) return field.path === '/devices' ? this.texts.fewest : '';
    return typeof value === 'number' ? this.format.count(value) : String(value);
  }

  private selected(field: Field, value: string): void {
    if (value === kCustom) return;
    if (value === kNothing) this.put(field.path, undefined);
    else this.put(field.path, field.type === 'boolean' ? value === 'true' : (JSON.parse(value) as Json));
  }

  private optionsOf(field: Field, value: Json | undefined): TemplateResult[] | undefined {
    const { texts, description } = this;
    const standard = assumed(this.answer, field.path) ?? field.default;
    const first = (plain: string, withValue: string): TemplateResult => {
      const known = typeof standard === 'string' || typeof standard === 'boolean';
      const words = known ? plainSentence(withValue, { format: String(standard), value: texts.choices[String(standard)] ?? this.nameOfChoice(field, standard) }) : plain;
      return html`<option value=${kNothing} ?selected=${value === undefined}>${words}</option>`;
    };
    const option = (v: Json, name: string): TemplateResult => html`<option value=${JSON.stringify(v)} ?selected=${same(v, value)}>${name}</option>`;
    const listed = (ids: Json[]): boolean => value === undefined || ids.some((v) => same(v, value));
    const special = (ids: Json[]): TemplateResult | typeof nothing => (listed(ids) ? nothing : html`<option value=${kCustom} selected>${this.specialName(value!)}</option>`);
    if (field.path.startsWith('/weights') || field.type === 'weight_format') {
      if (field.type !== 'weight_format') return undefined;
      const formats = description!.weight_formats;
      const groups = [...new Set(formats.map((f) => f.group ?? ''))];
      const known = formats.find((f) => typeof value === 'string' && (f.id === value || f.aliases?.includes(value)));
      const item = (f: (typeof formats)[number]): TemplateResult => html`<option value=${JSON.stringify(f.id)} ?selected=${known === f}>${f.name ?? f.id}</option>`;
      return [first(texts.publishedPlain, texts.published), html`${known ? nothing : special([])}`,
        ...groups.map((g) => html`<optgroup label=${texts.weightGroups[g] ?? g}>${formats.filter((f) => (f.group ?? '') === g).map(item)}</optgroup>`)];
    }
    if (field.type === 'kv_format') {
      const formats = description!.kv_formats;
      const known = formats.find((f) => typeof value === 'string' && (f.id === value || f.aliases?.includes(value)));
      return [first(texts.standardPlain, texts.standard), html`${known ? nothing : special([])}`,
        ...formats.map((f) => html`<option value=${JSON.stringify(f.id)} ?selected=${known === f}>${f.id}</option>`)];
    }
    if (field.type === 'engine') {
      const ids = description!.engines.map((e) => e.id);
      return [first(texts.standardPlain, texts.standard), html`${special(ids)}`, ...description!.engines.map((e) => option(e.id, e.name ?? e.id))];
    }
    if (field.type === 'boolean')
      return [first(texts.standardPlain, texts.standard), html`<option value="true" ?selected=${value === true}>${texts.yes}</option>`, html`<option value="false" ?selected=${value === false}>${texts.no}</option>`];
    if (field.enum) return [first(texts.standardPlain, texts.standard), html`${special(field.enum)}`, ...field.enum.map((v) => option(v, texts.choices[String(v)] ?? String(v)))];
    return undefined;
  }

  private nameOfChoice(field: Field, value: Json): string {
    if (field.type === 'engine') return this.description!.engines.find((e) => e.id === value)?.name ?? String(value);
    if (typeof value === 'boolean') return value ? this.texts.yes : this.texts.no;
    return String(value);
  }

  private specialName(value: Json): string {
    if (isObject(value) && typeof value['bits_per_weight'] === 'number')
      return plainSentence(this.texts.averageBits, { bits: this.format.number(value['bits_per_weight']) });
    if (isObject(value) && ('k' in value || 'v' in value)) return plainSentence(this.texts.keysAndValues, { k: String(value['k'] ?? '–'), v: String(value['v'] ?? '–') });
    return isObject(value) ? String(value['name'] ?? '…') : String(value);
  }

  private combobox(path: '/model' | '/device', shown: ReadonlySet<string>): TemplateResult {
    const { texts, request } = this;
    const id = WeighPage.id(path);
    const errors = this.errorsAt(path, shown);
    const model = path === '/model';
    const value = request[path.slice(1)];
    const text = model
      ? this.missingFile || modelName(this.description!, request, this.answered === request ? this.answer : undefined) || (value === undefined ? '' : (this.fileName ?? ''))
      : value === undefined ? '' : deviceName(this.description!, value, texts.customName);
    const known = model ? findModel(this.description!, request)?.id : findDevice(this.description!, request)?.id;
    const note = model ? this.fileNote || (this.missingFile ? plainSentence(texts.fileMissing, { name: this.missingFile }) : '') : '';
    const wrong = errors.length > 0 || note !== '';
    return html`<div class="field wide ${wrong ? 'wrong' : ''}" data-path=${path}>
      <label for=${id}>${texts.labels[path]}</label>
      <wb-combobox .list=${model ? this.listModels : this.listDevices} .extra=${model ? this.sizes : this.figuresOption} .selected=${known ?? ''} .text=${text} .label=${texts.labels[path]!}
        .fieldId=${id} .placeholder=${model ? texts.searchModel : texts.searchDevice} .invalid=${wrong} .describedBy=${wrong ? `${id}-error` : ''}
        .noneText=${texts.noneFound} .countText=${(n: number) => plainSentence(texts.matches, { count: this.format.count(n) })}
        @choose=${(e: CustomEvent<string>) => this.chose(path, e.detail)} @free=${(e: CustomEvent<string>) => this.put(path, e.detail)}
        @json=${(e: CustomEvent<string>) => (model ? this.readText(e.detail, 'config.json') : undefined)}></wb-combobox>
      ${note ? html`<div class="error" id="${id}-error"><p>${note}</p></div>` : this.errorText(path, errors)}
    </div>`;
  }

  private figureFields(path: '/model' | '/device', shown: ReadonlySet<string>): TemplateResult | typeof nothing {
    const fields = figureFields(this.description!, this.request, path);
    return fields.length === 0 ? nothing : html`<div class="grid inner">${fields.map((f) => this.control(f, shown))}</div>`;
  }

  // "32B" in the model field may mean a model of that size that no catalogue has.
  private sizes = (query: string): Option[] => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([bmt])\s*$/i.exec(query);
    if (!match) return [];
    const parameters = Math.round(Number(match[1]) * { m: 1e6, b: 1e9, t: 1e12 }[match[2]!.toLowerCase() as 'm' | 'b' | 't']);
    return [{ value: JSON.stringify({ manual: { parameters } }), name: plainSentence(this.texts.bySize, { size: this.format.short(parameters) }), note: this.texts.bySizeNote, search: '' }];
  };

  private figuresOption = (): Option[] =>
    [{ value: kCustom, name: this.texts.customDevice, note: this.texts.customDeviceNote, search: '', aside: true }, { value: kNothing, name: this.texts.noDevice, search: '', aside: true }];

  private chose(path: '/model' | '/device', value: string): void {
    if (value === kNothing) return this.replace(set(set(this.request, '/device', undefined), '/devices', undefined), path);
    if (value === kCustom) {
      const like = findDevice(this.description!, this.request);
      return this.put(path, {
        name: like?.name ?? this.texts.customName,
        memory_bytes: like?.memory_bytes ?? 24e9,
        bandwidth: like?.bandwidth ?? 1e12,
        flops: { bf16: like?.flops?.['bf16'] ?? 1e14 },
      });
    }
    if (value.startsWith('{')) return this.put(path, JSON.parse(value) as Json);
    this.put(path, value);
  }

  private form(): TemplateResult {
    const { texts, description, request } = this;
    const further = furtherFields(description!, request);
    const own = [...figureFields(description!, request, '/model'), ...figureFields(description!, request, '/device')];
    const shown = new Set([...kFront, ...further.flatMap(([, fields]) => fields.map((f) => f.path)), ...own.map((f) => f.path)]);
    const field = (path: string): TemplateResult | typeof nothing => {
      const found = this.field(path);
      return found ? this.control(found, shown) : nothing;
    };
    const loose = this.problems.filter((p) => p.severity === 'error' && fieldOf(p, shown) === undefined);
    const inside = further.some(([, fields]) => fields.some((f) => get(request, f.path) !== undefined || this.errorsAt(f.path, shown).length > 0));
    return html`<form class="request" @submit=${(e: Event) => e.preventDefault()} aria-label=${texts.request}>
      <fieldset><legend>${texts.model}</legend>
        ${this.combobox('/model', shown)}${this.figureFields('/model', shown)}
        <p class="file"><label class="link">${texts.openFile}<input type="file" accept=".json,.gguf,.safetensors" multiple
          @change=${(e: Event) => { const input = e.target as HTMLInputElement; void this.readFiles([...(input.files ?? [])]).then(() => (input.value = '')); }} /></label></p>
        <div class="grid">${field('/weights')}${field('/kv_cache')}</div>
      </fieldset>
      <fieldset><legend>${texts.hardware}</legend>
        <div class="pair"><div>${this.combobox('/device', shown)}</div>${field('/devices')}</div>${this.figureFields('/device', shown)}
      </fieldset>
      <fieldset><legend>${texts.workload}</legend>
        <div class="grid">${field('/workload/prompt_tokens')}${field('/workload/output_tokens')}${field('/workload/concurrency')}${field('/workload/context_tokens')}</div>
      </fieldset>
      ${loose.length === 0 ? nothing : html`<div class="error loose" role="group" aria-label=${texts.problems}>${loose.map((p) => html`<p>${this.wordsOf(p)}
        ${p.path !== '' && p.path !== '/model' ? html`<button type="button" class="link" @click=${() => this.put(p.path, undefined)}>${plainSentence(texts.removeField, { name: p.path })}</button>` : nothing}</p>`)}</div>`}
      <details class="further" ?open=${inside || undefined}><summary>${texts.more}</summary>
        ${this.settled || inside ? further.map(([group, fields]) => html`<fieldset><legend>${texts.groups[group] ?? nameInWords(group, texts.names)}</legend><div class="grid">${fields.map((f) => this.control(f, shown))}</div></fieldset>`) : nothing}
      </details>
    </form>`;
  }

  private examples(): TemplateResult {
    const { texts, description } = this;
    return html`<nav class="examples" aria-labelledby="examples"><h2 id="examples">${texts.examples}</h2><ul>${kExamples.map(([example, link]) => html`<li><a href="#${link}">${modelName(description!, example)}
        <small>${String(example['weights'])} · ${sentence(texts.times, { count: String(example['devices'] ?? 1), device: deviceName(description!, example['device'], '') })}</small></a></li>`)}</ul></nav>`;
  }

  // ---- the answer ----

  private memoryTable(view: View): TemplateResult {
    const { texts, format, answer } = view;
    const per = (part: string): string => `memory.per_device.${part}`;
    const onDevice = figure(answer, per('total')) !== undefined;
    const many = onDevice && deviceCount(view.request, answer) > 1;
    const capacity = figure(answer, per('capacity'));
    const cell = (path: string): TemplateResult => {
      const value = figure(answer, path);
      return html`<td class="value">${value === undefined ? '–' : number(view, path, format.giga(Math.abs(value)))}</td>`;
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
    return html`<table class="memory">
      <thead><tr><th scope="col">${texts.part}</th>${onDevice ? html`<th scope="col" class="value">${many ? texts.perDevice : texts.oneDevice}</th><th scope="col" class="value">${texts.ofCard}</th>` : nothing}
        ${many || !onDevice ? html`<th scope="col" class="value">${texts.allDevices}</th>` : nothing}</tr></thead>
      <tbody>
        ${kParts.map((part) => html`${row(part, part === 'weights' && roles.length > 0
          ? html`${swatch(part)}<button type="button" class="expand" aria-expanded=${this.showRoles} aria-label=${texts.showParts} @click=${() => (this.showRoles = !this.showRoles)}><svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 4.5 6 8.5 10 4.5" /></svg></button>`
          : swatch(part), '')}
        ${part === 'weights' && this.showRoles ? roles.map((role) => html`<tr class="role"><th scope="row">${texts.parts[role]}</th>${cell(`memory.detail.weights.${role}`)}
          ${onDevice ? html`<td class="value share">${share(`memory.detail.weights.${role}`)}</td>` : nothing}${many ? html`<td></td>` : nothing}</tr>`) : nothing}`)}
        ${row('total', texts.parts['total'], 'sum')}
        ${onDevice ? html`${row('usable', texts.parts['usable'], 'after')}${row('headroom', texts.parts[toneOf(answer) === 'short' ? 'lacking' : 'headroom'], `after ${toneOf(answer)}`)}` : nothing}
      </tbody>
    </table>`;
  }

  private advice(view: View): TemplateResult | typeof nothing {
    if (toneOf(view.answer) !== 'short') return nothing;
    const items = adviceOf(view.answer);
    const { texts, format } = view;
    if (items.length === 0) return view.request['method'] === 'article' ? nothing : html`<p class="advice">${texts.noAdvice}</p>`;
    return html`<div class="advice"><span id="advice">${texts.fitsWith}</span><ul aria-labelledby="advice">${items.map((item) => html`<li>
      <button type="button" @click=${() => isObject(item['request']) && this.replace(this.clean(item['request']), '')}>${adviceText(view, item)}
      ${typeof item['headroom'] === 'number' ? html`<small>${plainSentence(texts.toSpare, { room: format.giga(item['headroom']) })}</small>` : nothing}</button></li>`)}</ul></div>`;
  }

  private clean(request: JsonObject): JsonObject {
    const { explain: _, ...rest } = request;
    return rest;
  }

  private otherMethod(view: View): TemplateResult | typeof nothing {
    const { texts, format } = view;
    if (!this.other) return nothing;
    const article = view.request['method'] === 'article';
    const total = figure(this.other, 'memory.total.total');
    const count = figure(this.other, 'capacity.devices_needed');
    if (total === undefined) return nothing;
    const text = count ? (article ? texts.otherDetailed : texts.otherArticle) : article ? texts.otherDetailedPlain : texts.otherArticlePlain;
    const devices = sentence(texts.times, { count: format.count(count ?? 1), device: deviceName(view.description, view.request['device'], texts.customName) });
    return html`<p class="other"><span>${sentence(text, { total: format.giga(total), devices })}</span> <button type="button" class="link"
      @click=${() => this.put('/method', article ? undefined : 'article')}>${article ? texts.seeDetailed : texts.seeArticle}</button></p>`;
  }

  private result(): TemplateResult {
    const { texts } = this;
    const view = this.view();
    const wrong = this.problems.some((p) => p.severity === 'error');
    if (!view) return html`<section class="ticket open" id="answer" aria-label=${texts.answer} tabindex="-1"><h2 class="verdict">${wrong ? texts.staleNone : texts.loading}</h2></section>`;
    const tone = toneOf(view.answer);
    const name = modelName(view.description, view.request, view.answer);
    const speeds = ['speed.ttft_s', 'speed.tpot_s', 'speed.tokens_per_s_per_user', 'speed.output_tokens_per_s', 'capacity.max_context_tokens', 'capacity.max_concurrency'];
    return html`<section class="ticket ${tone}" id="answer" aria-label=${texts.answer} tabindex="-1" data-stale=${wrong || nothing}>
        ${wrong ? html`<p class="stale">${texts.stale}</p>` : nothing}
        <p class="what"><b>${name}</b><span>${plainSentence(texts.parametersOf, { count: view.format.short(figure(view.answer, 'model.parameters') ?? 0) })}</span><span>${String(this.weightsOf(view) ?? '')}</span></p>
        <h2 class="verdict"><svg viewBox="0 0 24 24" aria-hidden="true"><use href="#mark-${tone}" /></svg><span>${verdict(view)}</span></h2>
        ${this.advice(view)}
        ${tone === 'open' ? html`<p class="muted">${texts.needsHint}</p>` : nothing}
        ${memoryBar(view)}
        <div class="columns">
          <div><h3>${texts.memory}</h3>${this.memoryTable(view)}</div>
          <div class="headline"><h3>${texts.capacityAndSpeed}</h3>${figures(view, speeds)}
            ${at(view.answer, 'memory.per_device') !== null && at(view.answer, 'speed') === null ? html`<p class="muted">${texts.noSpeed}</p>` : nothing}</div>
        </div>
        ${this.otherMethod(view)}
      </section>
      ${this.notes()}${this.settled ? this.rest(view) : nothing}`;
  }

  private rest(view: View): TemplateResult {
    const { texts } = view;
    const further = ['speed.latency_s', 'speed.prefill.tokens_per_s', 'speed.decode.tokens_per_s', 'speed.decode.bytes_per_step', 'speed.prefill.flops', 'capacity.devices_needed', 'capacity.kv_pool',
      'capacity.kv_tokens', 'load.queue_s', 'cost.usd_per_hour', 'cost.usd_per_million_output_tokens', 'cost.watts', 'cost.joules_per_output_token'];
    const facts = ['model.parameters', 'model.active_parameters', 'model.mtp_parameters', 'model.layers', 'model.context_tokens', 'model.weight_bytes', 'model.kv_bytes_per_token', 'model.window_bytes_per_sequence', 'model.state_bytes_per_sequence'];
    const some = (paths: string[]): string[] => paths.filter((p) => (figure(view.answer, p) ?? 0) !== 0);
    return html`<section class="below" aria-label=${texts.moreFigures}><h2>${texts.moreFigures}</h2>${figures(view, some(further), false)}</section>
      <section class="below" aria-label=${texts.modelFacts}><h2>${texts.modelFacts}</h2>${figures(view, some(facts), false)}</section>
      ${at(view.answer, 'memory.per_device') === null ? nothing : html`<section class="below" aria-label=${texts.curves}><h2>${texts.curves}</h2><wb-curves .view=${view} .client=${this.client}></wb-curves></section>`}
      ${this.assumptions(view)}`;
  }

  private weightsOf(view: View): Json | undefined {
    const value = get(view.request, '/weights') ?? assumed(view.answer, '/weights');
    return value === undefined || value === null ? undefined : isObject(value) ? this.specialName(value) : value;
  }

  private notes(): TemplateResult | typeof nothing {
    const list = this.problems.filter((p) => p.severity !== 'error');
    if (list.length === 0) return nothing;
    return html`<section class="below notes" aria-label=${this.texts.notes}><h2>${this.texts.notes}</h2>
      <ul>${list.map((p) => html`<li class=${p.severity}><b>${this.texts.severity[p.severity]}</b> ${this.wordsOf(p)}</li>`)}</ul></section>`;
  }

  private assumptions(view: View): TemplateResult | typeof nothing {
    const { texts, format } = view;
    const list = view.answer['assumptions'];
    if (!Array.isArray(list) || list.length === 0) return nothing;
    const show = (value: Json | undefined): string =>
      typeof value === 'number' ? format.count(value) : isObject(value) ? leaves(value).map(([p, v]) => `${p.slice(1)} ${String(v)}`).join(texts.separator)
        : typeof value === 'boolean' ? (value ? texts.yes : texts.no) : (texts.choices[String(value)] ?? String(value));
    return html`<section class="below" aria-label=${texts.assumptions}><h2>${texts.assumptions}</h2><p class="muted">${texts.assumptionsHint}</p>
      <dl class="assumptions">${list.filter(isObject).map((item) => {
        const path = String(item['path']);
        const field = this.field(path);
        const group = path.split('/')[1] ?? '';
        const name = texts.labels[path] ?? (field ? this.label(field) : path.slice(1).replaceAll('/', ' '));
        const long = path.split('/').length > 2 && group !== 'workload' ? `${texts.groups[group] ?? group}: ${name}` : name;
        return html`<div><dt>${long}</dt><dd>${show(item['value'])} <span class="from">${texts.froms[String(item['from'])] ?? String(item['from'])}</span></dd></div>`;
      })}</dl></section>`;
  }

  // ---- the head and the work ----

  private switch<T extends string>(legend: string, value: T, choices: [T, string, string?][], choose: (value: T) => void): TemplateResult {
    return html`<div class="switch" role="group" aria-label=${legend}>${choices.map(([v, text, lang]) => html`<button type="button" aria-pressed=${v === value} lang=${lang ?? nothing} @click=${() => choose(v)}>${text}</button>`)}</div>`;
  }

  private head(): TemplateResult {
    const { texts, settings } = this;
    return html`<header>
      <a class="skip" href="#answer" @click=${(e: Event) => { e.preventDefault(); this.querySelector<HTMLElement>('#answer')?.focus(); }}>${texts.skip}</a>
      <h1><svg viewBox="0 0 24 24" aria-hidden="true"><use href="#mark-bridge" /></svg>${texts.title}</h1><p>${texts.tagline}</p>
      <nav aria-label=${texts.more}>
        ${this.switch(texts.method, this.request['method'] === 'article' ? 'article' : 'detailed', [['detailed', texts.detailed], ['article', texts.article]], (v) => this.put('/method', v === 'article' ? v : undefined))}
        ${this.switch(texts.units, settings.unit, [['GiB', 'GiB'], ['GB', 'GB']], (unit) => void this.choose({ unit }))}
        ${this.switch(texts.language, settings.language, kLanguages.map(([l, tag, name]) => [l, name, tag]), (language) => void this.choose({ language }))}
        ${this.switch<Theme>(texts.theme, settings.theme, [['auto', texts.auto], ['light', texts.light], ['dark', texts.dark]], (theme) => void this.choose({ theme }))}
        <button type="button" class="copy" @click=${this.copy}>${texts.copyLink}</button>
      </nav>
    </header>`;
  }

  private copy = async (): Promise<void> => {
    const link = '#' + (await writeLink(this.request, this.fileName));
    await navigator.clipboard?.writeText(location.href.replace(/#.*$/, '') + link).catch(() => undefined);
    if (location.hash !== link) history.replaceState(null, '', link);
    this.said = this.notice = this.texts.linkCopied;
    setTimeout(() => this.notice === this.texts.linkCopied && (this.notice = ''), 2500);
  };

  private workDialog(): TemplateResult | typeof nothing {
    const { texts, chain, workOf } = this;
    if (!workOf) return nothing;
    const { titleOf, work } = workOf;
    const view = this.view();
    const place = chain[chain.length - 1];
    return html`<dialog aria-labelledby="work-title" @close=${() => (this.chain = [])} @click=${(e: MouseEvent) => e.target === e.currentTarget && (e.currentTarget as HTMLDialogElement).close()}>
      ${view && place
        ? html`<div class="sheet">
            <div class="top">
              ${chain.length > 1 ? html`<button type="button" class="back" @click=${() => (this.chain = chain.slice(0, -1))}>${texts.back}</button>` : nothing}
              <button type="button" class="close" @click=${(e: Event) => (e.target as HTMLElement).closest('dialog')!.close()}>${texts.close}</button>
            </div>
            ${chain.length > 1 ? html`<ol class="trail">${chain.slice(0, -1).map((p, i) => html`<li><button type="button" class="link" @click=${() => (this.chain = chain.slice(0, i + 1))}>${titleOf(view, p)}</button></li>`)}</ol>` : nothing}
            <h2 id="work-title" tabindex="-1">${titleOf(view, place)}</h2>
            ${work(view, place, { open: (next) => (this.chain = [...chain, next]) })}
          </div>`
        : nothing}
    </dialog>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('chain') && !changed.has('texts')) return;
    const dialog = this.querySelector('dialog');
    if (!dialog) return;
    if (this.chain.length > 0 && !dialog.open) dialog.showModal();
    else if (this.chain.length === 0 && dialog.open) dialog.close();
    if (this.chain.length > 0) {
      dialog.querySelector<HTMLElement>('#work-title')?.focus();
      dialog.scrollTop = 0;
    }
  }

  protected override render(): TemplateResult {
    const { texts } = this;
    if (this.failure) return html`${this.head()}<main><p class="failure" role="alert">${plainSentence(texts.broken, { reason: this.failure })}</p></main>`;
    if (!this.client || !this.description) return html`${this.head()}<main><section class="ticket open"><h2 class="verdict">${texts.loading}</h2></section></main>`;
    return html`${this.head()}
      <main class=${this.dragging ? 'dragging' : ''}>
        ${this.form()}
        <div class="answer" @pointerover=${this.nearNumber} @focusin=${this.nearNumber}>${this.notice ? html`<p class="notice">${this.notice}</p>` : nothing}${this.result()}</div>
        ${this.examples()}
      </main>
      <footer><p>${plainSentence(texts.footer, { version: this.description.version })}</p></footer>
      <p class="unseen" role="status" aria-live="polite">${this.said}</p>
      ${this.dragging ? html`<div class="drop"><p>${texts.dropHere}</p></div>` : nothing}
      ${this.workDialog()}`;
  }
}

customElements.define('weigh-page', WeighPage);
