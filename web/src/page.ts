// The page: its head, the request in the address bar, and the views, of which Serve is the first.

import { LitElement, type PropertyValues, type TemplateResult, html, nothing } from 'lit';

import type { Answer, Client, Description, Field, Problem } from './contract.js';
import { withEngine } from './engine.js';
import { Form } from './form.js';
import { type Format, makeFormat } from './format.js';
import { head } from './head.js';
import { type Call, type Reading, kNoReading } from './host.js';
import { type HubReference, hubReference } from './hub_reference.js';
import { type Json, type JsonObject, get, isObject, same, set } from './json.js';
import type { MoreTexts } from './lang/en-more.js';
import { type Texts, en } from './lang/en.js';
import { isLost, lostText } from './failure.js';
import { BrokenLink, joinLink, packModel, readLink } from './link.js';
import { type View, onOneCard, toneOf, verdict } from './parts.js';
import { deviceName, figureFields, furtherFields, kFront, kNumbers, modelName } from './request.js';
import { type Screen, type ScreenHost, type ViewName, kScreens, kViews } from './screens.js';
import { type SectionHost, Sections } from './sections.js';
import { type Settings, kLanguages, keepSettings, moreTextsOf, readSettings, textsOf, withMore } from './settings.js';
import { nameInWords, plainSentence, problemText, sentence } from './text.js';
import type { Place } from './work.js';

const kExample: JsonObject = { model: 'Qwen/QwQ-32B', device: 'h100-sxm-80gb' };
const kExamples: [request: JsonObject, link: string][] = [
  [{ model: 'Qwen/QwQ-32B', weights: 'bf16', device: 'h100-sxm-80gb' }, 'm=Qwen/QwQ-32B&w=bf16&d=h100-sxm-80gb'],
  [{ model: 'meta-llama/Llama-3.1-8B', weights: 'Q4_K_M', device: 'rtx-4090' }, 'm=meta-llama/Llama-3.1-8B&w=Q4_K_M&d=rtx-4090'],
  [{ model: 'Qwen/Qwen3-32B', weights: 'Q4_K_M', device: 'rtx-3090' }, 'm=Qwen/Qwen3-32B&w=Q4_K_M&d=rtx-3090&n=1'],
  [{ model: 'deepseek-ai/DeepSeek-R1', weights: 'fp8', device: 'h200-sxm-141gb', devices: 8 }, 'm=deepseek-ai/DeepSeek-R1&w=fp8&d=h200-sxm-141gb&n=8'],
];
/** What the requests of Serve and of Train have in common, and carry over to each other. */
const kShared = ['/model', '/device', '/devices', '/price_usd_per_hour'];
/** The views that ask for more than estimates. */
const kWhole: readonly ViewName[] = ['train', 'accuracy', 'formulas'];
/** Pairs of which a request holds one. */
const kEither = [['/workload/requests_per_s', '/workload/concurrency'], ['/gradient_accumulation', '/global_batch']] as const;

export class WeighPage extends LitElement implements ScreenHost {
  static override properties = {
    client: { attribute: false }, whole: { state: true }, texts: { state: true }, settings: { state: true }, request: { state: true }, answer: { state: true },
    problems: { state: true }, chain: { state: true }, notice: { state: true }, dragging: { state: true }, failure: { state: true },
    opened: { state: true }, workOf: { state: true }, said: { state: true }, settled: { state: true }, reading: { state: true },
    where: { state: true }, extras: { state: true }, given: { state: true }, more: { state: true }, screen: { state: true },
    ways: { state: true }, adjusting: { state: true }, tools: { state: true },
  };
  declare client: Client | undefined; // answers estimates
  declare whole: Client | undefined; // the same, once it can do everything
  declare texts: Texts;
  declare settings: Settings;
  declare request: JsonObject; // what stands in the form
  declare answer: Answer | undefined; // the last good one
  declare problems: Problem[];
  declare chain: Place[];
  declare notice: string;
  declare dragging: boolean;
  declare failure: string;
  declare opened: ReadonlySet<string>;
  declare said: string;
  declare settled: boolean; // the first answer has been painted, and what lies below it may follow
  declare reading: Reading;
  declare where: ViewName;
  declare extras: string[];
  declare given: string; // the last text that was copied
  declare more: MoreTexts | undefined; // texts of what is loaded later
  declare screen: Screen | undefined; // what draws a view other than Serve
  declare ways: SectionHost['ways'];
  declare adjusting: boolean; // on a phone: the whole form is shown
  declare tools: boolean; // on a phone: the settings of the page are shown

  chosen: Settings;        // what was chosen last: `settings`, once its texts are there
  description: Description | undefined;
  answered: JsonObject = {};
  asked: JsonObject = {};
  other: Answer | undefined;
  format: Format;
  private readonly form = new Form(this);
  private readonly sections = new Sections(this, this.form);
  private readonly kept: Partial<Record<Call, JsonObject>> = {}; // the requests of the calls that are not shown
  private stop: AbortController | undefined;
  private shell: ChildNode[] = [];
  private changedPath = '';
  private linkTurn = 0;
  private viewTurn = 0;
  private loadWhole: () => Promise<Client> = () => Promise.reject(new Error());
  private bringingWhole: Promise<Client> | undefined;
  private wasLost = false;
  private sayTimer = 0;
  private wayTimer = 0;
  private waysOf: typeof import('./ways.js').waysOf | undefined;
  private packed: { model: Json; piece: string } | undefined; // the model of the request as the link holds it
  declare private workOf: typeof import('./work.js') | undefined; // loaded when the first number is opened

  constructor() {
    super();
    this.settings = this.chosen = readSettings();
    this.texts = en;
    this.format = makeFormat('en', this.settings.unit, { unit: (u) => u });
    this.request = kExample;
    this.problems = [];
    this.chain = [];
    this.notice = this.failure = this.said = this.given = '';
    this.reading = kNoReading;
    this.where = 'serve';
    this.extras = [];
    this.dragging = this.settled = this.adjusting = this.tools = false;
    this.opened = new Set();
  }

  protected override createRenderRoot(): HTMLElement {
    this.shell = [...this.childNodes]; // what stood here before the scripts ran stays until there is an answer
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
    addEventListener('unhandledrejection', this.lost);
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
    removeEventListener('unhandledrejection', this.lost);
  }

  /** Starts with a core that is ready, in the language and with the request that this visit asks for. */
  async start(client: Client, loadWhole: () => Promise<Client>): Promise<void> {
    this.loadWhole = loadWhole;
    if (this.settings.language !== 'en') this.texts = await textsOf(this.settings.language);
    const ways = location.hash.length > 1 ? import('./ways.js') : undefined;
    this.describe(client);
    await new Promise((done) => setTimeout(done)); // a reader who types or scrolls by now comes first
    this.waysOf = (await ways)?.waysOf;
    this.begin(client);
    await this.follow();
    await this.updateComplete;
    performance.mark('weighbridge:answer');
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    this.settled = true;
    void import('./curves.js');
  }

  /** The default request, answered. */
  startNow(client: Client): void {
    this.describe(client);
    this.begin(client);
  }

  private describe(client: Client): void {
    this.description = client.describe();
    this.speak();
  }

  private begin(client: Client): void {
    this.client = client;
    if (location.hash.length < 2) this.weigh(kExample);
  }

  /** Something that is loaded when it is asked for did not come: a language, the work behind a number, a picture. */
  private lost = (event: PromiseRejectionEvent): void => {
    if (!isLost(event.reason)) return;
    event.preventDefault();
    this.missed(event.reason);
  };

  private missed = (reason: unknown): void => {
    this.notice = this.said = lostText(reason, this.texts);
    this.wasLost = true;
  };

  private found(): void {
    if (this.wasLost) this.notice = '';
    this.wasLost = false;
  }

  // ---- language, theme, units ----

  private speak(): void {
    const tag = kLanguages.find(([l]) => l === this.settings.language)![1];
    document.documentElement.lang = tag;
    document.title = `${this.texts.title}: ${this.texts.tagline}`;
    this.format = makeFormat(tag, this.settings.unit, { unit: (u) => this.texts.unit[u] ?? u });
  }

  private async choose(change: Partial<Settings>): Promise<void> {
    // The next choice may come while texts are fetched: it builds on this one, and is then shown in its place.
    const settings = (this.chosen = { ...this.chosen, ...change });
    keepSettings(settings);
    let texts, more;
    try {
      texts = await textsOf(settings.language, this.workOf !== undefined);
      more = this.more && (await moreTextsOf(settings.language));
    } catch (error) {
      if (settings === this.chosen) keepSettings((this.chosen = this.settings));
      throw error;
    }
    if (settings !== this.chosen) return;
    if (more) this.more = more;
    this.settings = settings;
    this.texts = this.more ? withMore(texts, this.more) : texts;
    this.found();
    this.applyTheme();
    this.speak();
    this.say();
  }

  private applyTheme(): void {
    document.documentElement.dataset['theme'] = this.settings.theme;
  }

  // ---- request, answer, address ----

  get call(): Call {
    return this.where === 'train' ? 'train' : 'estimate';
  }

  private moved = (): void => {
    void this.follow();
  };

  /** Takes the view and the request from the address bar. */
  private async follow(): Promise<void> {
    if (!this.client) return;
    const fragment = location.hash.replace(/^#/, '');
    this.notice = '';
    this.stopReading();
    this.reading = kNoReading;
    this.changedPath = '';
    this.linkTurn += 1;
    let request: JsonObject | undefined = fragment === '' && this.answered !== kExample ? kExample : undefined;
    let where: ViewName = 'serve';
    if (fragment !== '') {
      try {
        const link = await readLink(fragment);
        where = kViews.find((v) => v === link.view) ?? 'serve';
        request = link.request;
        if (link.view !== undefined && where !== link.view) this.notice = plainSentence(this.texts.unknownView, { view: link.view.slice(0, 40) });
        this.extras = link.extra ?? this.extras;
        if (link.missingFile !== undefined) this.reading = { ...kNoReading, missing: link.missingFile, name: link.missingFile };
      } catch (error) {
        if (!(error instanceof BrokenLink)) throw error;
        this.notice = this.texts.brokenLink;
      }
    }
    // A bare view (`#v=models`) keeps what stands in the form.
    if (request && Object.keys(request).length === 0 && this.reading.missing === '') request = undefined;
    if (this.notice) this.said = this.notice;
    await this.enter(where, request);
  }

  /** Goes to a view, with this request in its form; without one it takes over what the views have in common. */
  private async enter(where: ViewName, request: JsonObject | undefined): Promise<void> {
    const turn = (this.viewTurn += 1);
    const before = this.call;
    if (this.answer) this.kept[before] = this.request;
    if (where !== this.where) {
      this.where = where;
      this.screen = undefined;
      this.chain = [];
    }
    if (this.call !== before) {
      this.answer = this.other = undefined;
      request ??= this.carried(this.call);
    }
    if (where !== 'serve') void this.bringScreen(where);
    if (this.call === 'train' && !this.whole) {
      if (request) this.kept.train = request; // for whoever leaves before the core has come
      else request = this.kept.train; // the core did not come the last time
      if (!(await this.bringWhole().catch(() => undefined)) || turn !== this.viewTurn) return; // bringScreen says why
    }
    if (request !== undefined || this.answered !== this.request || !this.answer) this.weigh(request ?? this.request);
  }

  /** The core that also trains, sweeps and reads files. */
  bringWhole = (): Promise<Client> =>
    (this.bringingWhole ??= this.loadWhole().then(
      (whole) => (this.client = this.whole = whole),
      (error: unknown) => {
        this.bringingWhole = undefined; // the next one who needs it tries again
        throw error;
      },
    ));

  private async bringScreen(where: ViewName): Promise<void> {
    try {
      const [{ screen }] = await Promise.all([kScreens[where]!(), this.bringMore(), kWhole.includes(where) ? this.bringWhole() : undefined]);
      if (this.where === where) this.screen = screen(this, this.form, this.sections);
    } catch (error) {
      this.notice = lostText(error, this.texts);
    }
  }

  private async bringMore(): Promise<MoreTexts> {
    if (!this.more) {
      this.more = await moreTextsOf(this.settings.language);
      this.texts = withMore(this.texts, this.more);
    }
    return this.more;
  }

  /** Shows a view; with a request that it starts from, or with the present one. */
  show(where: ViewName, request?: JsonObject): void {
    this.notice = '';
    void this.enter(where, request).then(() => this.write(''));
    scrollTo(0, 0);
  }

  setExtras(extras: string[]): void {
    this.extras = extras;
    void this.write('');
  }

  ask(request: JsonObject, explain: boolean, call: Call = this.call): Answer {
    return this.client![call](explain ? { ...request, explain: true } : request);
  }

  private weigh(request: JsonObject): void {
    this.request = request;
    const asked = this.call === 'estimate' ? withEngine(this.description!, request) : request;
    const answer = this.ask(asked, true);
    this.problems = Array.isArray(answer.problems) ? answer.problems : [];
    this.given = '';
    if (answer.ok) {
      this.answer = answer;
      this.answered = request;
      this.asked = asked;
      const method = this.call === 'train' ? 'estimate_method' : 'method';
      const other = this.ask(withEngine(this.description!, { ...request, [method]: request[method] === 'article' ? 'detailed' : 'article' }), false);
      this.other = other.ok ? other : undefined;
      if (this.chain.length > 0 && !('path' in this.chain[0]!)) this.chain = [];
    }
    this.seekWays();
    this.say();
  }

  /** What would make it fit: with the first answer, so that nothing moves then; later once a slider rests, and until then the last ones stand. */
  private seekWays(): void {
    clearTimeout(this.wayTimer);
    const view = this.view(false);
    if (!view || (toneOf(view.answer) !== 'short' && !onOneCard(view, this.request))) return void (this.ways = undefined);
    const seek = async (): Promise<void> => {
      this.waysOf ??= (await import('./ways.js')).waysOf;
      const now = this.view(false);
      if (now && now.answer === view.answer) this.ways = { of: now.answer, list: this.waysOf((request, explain, call) => this.ask(request, explain, call), now, this.answered) };
    };
    if (!this.settled && this.waysOf) void seek();
    else this.wayTimer = window.setTimeout(() => void seek(), 60);
  }

  /** Leads to the field that a path of the request belongs to. */
  lead(path: string): void {
    this.adjusting = true;
    void this.updateComplete.then(() => {
      for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
        const field = this.querySelector<HTMLElement>(`#${CSS.escape(Form.id(at))}`);
        if (!field) continue;
        field.closest('details')?.setAttribute('open', '');
        field.scrollIntoView({ block: 'center' });
        return field.focus({ preventScroll: true });
      }
    });
  }

  /** Sets one member of the request, answers at once, and writes the link: a new entry of the history for each field in turn. */
  put(path: string, value: Json | undefined): void {
    let request = set(this.request, path, value);
    for (const [a, b] of kEither) if (value !== undefined && (path === a || path === b)) request = set(request, path === a ? b : a, undefined);
    if (path === '/model') {
      this.stopReading();
      this.reading = kNoReading;
    }
    this.replace(request, path);
  }

  replace(request: JsonObject, path: string): void {
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
    await new Promise((done) => setTimeout(done)); // the answer is painted first: an entry of the history takes milliseconds
    const link = '#' + (await this.link());
    if (turn !== this.linkTurn || link === location.hash) return;
    if (again) history.replaceState(null, '', link);
    else history.pushState(null, '', link);
  }

  private async link(): Promise<string> {
    const model = this.request['model'];
    if (isObject(model) && this.packed?.model !== model) {
      this.packed = { model, piece: await packModel(model, this.reading.name) };
      this.requestUpdate(); // the links to the other views hold it too
    }
    return this.linkTo(this.where, this.request);
  }

  /** A view with the whole request, so that it can be opened beside this one: the last that was answered, for what is wrong leads nowhere. */
  private linkTo(where: ViewName, own = this.answered): string {
    const call: Call = where === 'train' ? 'train' : 'estimate';
    const request = call === this.call ? own : this.carried(call);
    return joinLink(request, this.packed && this.packed.model === request['model'] ? this.packed.piece : undefined, where === 'serve' ? undefined : where, where === 'compare' ? this.extras : []);
  }

  /** What the form of the other call starts from: its own last request, or what both have in common. */
  private carried(call: Call): JsonObject {
    const kept = this.kept[call];
    return kShared.reduce((made, path) => set(made, path, get(this.request, path)), kept ?? {});
  }

  private say(): void {
    if (!this.isConnected) return;
    clearTimeout(this.sayTimer);
    this.sayTimer = window.setTimeout(() => {
      const wrong = this.problems.filter((p) => p.severity === 'error');
      const view = this.view(false);
      if (wrong.length > 0) this.said = wrong.map((p) => this.wordsOf(p)).join(' ');
      else if (view) this.said = this.plainVerdict(view);
    }, 700);
  }

  private plainVerdict(view: View): string {
    const text = (part: unknown): string =>
      typeof part === 'string' ? part : Array.isArray(part) ? part.map(text).join('')
        : isObject(part) && Array.isArray(part['values']) ? (part['values'] as unknown[]).map(text).join('') : '';
    return verdict(view).map(text).join('');
  }

  field(path: string): Field | undefined {
    return this.description?.fields[this.call].find((f) => f.path === path);
  }

  view(withWork = true): View | undefined {
    if (!this.answer || !this.description) return undefined;
    const view: View = { call: this.call, description: this.description, texts: this.texts, format: this.format, request: this.asked, answer: this.answer };
    if (withWork) view.open = (path) => ((this.chain = [{ path }]), void this.bringWork().catch(this.missed));
    return view;
  }

  private bringing: Promise<void> | undefined;

  /** What draws the work behind a number: fetched when a reader first comes near one. */
  bringWork = (): Promise<void> =>
    (this.bringing ??= (async () => {
      this.workOf = await import('./work.js');
      const texts = await textsOf(this.settings.language, true);
      this.texts = this.more ? withMore(texts, this.more) : texts;
      this.found();
      this.requestUpdate();
    })().catch((error: unknown) => {
      this.bringing = undefined; // the next number tries again
      this.chain = [];
      throw error;
    }));

  private nearNumber = (event: Event): void => {
    if ((event.target as Element).closest('.number')) this.bringWork().catch(() => undefined); // a click says why
  };

  wordsOf(problem: Problem): string {
    return problemText(problem, this.texts, (v) => this.format.exact(v));
  }

  // ---- models from files and from the Hub ----

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
    const transfer = event.dataTransfer;
    if (!transfer || ![...transfer.items].some((item) => item.kind === 'file')) return;
    event.preventDefault();
    // The list of a drop is gone once its event has been handled.
    const files = [...transfer.files];
    const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry?.() ?? null);
    void this.read((reader, words) => reader.readDropped(this.client!, files, entries, words));
  };

  private pasted = (event: ClipboardEvent): void => {
    const target = event.target as HTMLElement | null;
    if (target?.closest('input, textarea, dialog')) return;
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) return void this.readFiles(files);
    const text = (event.clipboardData?.getData('text') ?? '').trim();
    if (text.startsWith('{')) void this.readText(text, 'config.json');
    else if (hubReference(text)) this.put('/model', hubReference(text)!.id);
  };

  readFiles(files: File[]): Promise<void> {
    return files.length === 0 ? Promise.resolve() : this.read((reader, words) => reader.readFiles(this.client!, files, words));
  }

  readText(text: string, name: string): Promise<void> {
    return this.read((reader, words) => Promise.resolve(reader.readText(this.client!, text, name, words)));
  }

  fetchModel(reference: HubReference): Promise<void> {
    return this.read(async (_, words, stop) => (await import('./hub.js')).fromHub(this.client!, reference, words, stop,
      (file) => (this.reading = { ...this.reading, busy: plainSentence(words.texts.fetching, { file, id: reference.id }) })));
  }

  stopReading(): void {
    this.stop?.abort();
    this.stop = undefined;
    if (this.reading.busy) this.reading = { ...this.reading, busy: '' };
  }

  private async read(how: (reader: typeof import('./files.js'), words: import('./files.js').Words, stop: AbortSignal) => Promise<import('./files.js').ReadModel | import('./hub.js').HubChoice>): Promise<void> {
    this.stopReading();
    const stop = (this.stop = new AbortController());
    const note = (text: string): void => {
      if (stop.signal.aborted) return;
      this.reading = { ...this.reading, note: text, busy: '', choices: [] };
      if (text) this.said = text;
    };
    let unreadable: typeof import('./files.js').Unreadable | undefined;
    try {
      const [reader, texts] = await Promise.all([import('./files.js'), this.bringMore(), this.bringWhole()]);
      unreadable = reader.Unreadable;
      const read = await how(reader, { texts, format: this.format, wordsOf: (p) => this.wordsOf(p) }, stop.signal);
      if (stop.signal.aborted) return;
      if ('choices' in read) {
        this.reading = { ...this.reading, note: '', busy: '', choices: read.choices };
        this.said = texts.chooseFile;
        return;
      }
      this.reading = { ...kNoReading, name: read.name, found: read.problems };
      // Its weights as they are: a format chosen for another model says nothing of this one.
      this.replace(set(set(this.request, '/model', read.model), '/weights', undefined), '/model');
    } catch (error) {
      if (!stop.signal.aborted) note(unreadable && error instanceof unreadable ? error.message : lostText(error, this.texts));
    } finally {
      if (this.stop === stop) this.stop = undefined;
    }
  }

  // ---- the Serve view ----

  private serveForm(): TemplateResult {
    const { texts, description, request, form } = this;
    const further = furtherFields(description!);
    const own = [...figureFields(description!, request, '/model'), ...figureFields(description!, request, '/device')];
    const options = description!.fields.estimate.filter((f) => f.path.startsWith('/options/')).map((f) => f.path);
    const shown = new Set([...kFront, ...options, ...further.flatMap(([, fields]) => fields.map((f) => f.path)), ...own.map((f) => f.path)]);
    const field = (path: string): TemplateResult | typeof nothing => {
      const found = this.field(path);
      return found ? form.control(found, shown) : nothing;
    };
    const inside = further.some(([, fields]) => fields.some((f) => get(request, f.path) !== undefined || form.errorsAt(f.path, shown).length > 0));
    return html`<form class="request" ?data-adjusting=${this.adjusting} @submit=${(e: Event) => e.preventDefault()} aria-label=${texts.request}>
      <fieldset><legend>${texts.model}</legend>
        ${form.model(shown)}
        <div class="grid adjust">${field('/weights')}${field('/kv_cache')}</div>
      </fieldset>
      <fieldset><legend>${texts.hardware}</legend>${form.device(shown)}<div class="adjust">${form.engine(shown)}</div></fieldset>
      ${this.folding(form.inShort())}
      <fieldset class="adjust"><legend>${texts.workload}</legend>
        <div class="grid">${field('/workload/prompt_tokens')}${field('/workload/output_tokens')}${field('/workload/concurrency')}${field('/workload/context_tokens')}</div>
      </fieldset>
      ${form.loose(shown)}
      <details class="further adjust" ?open=${inside || undefined}><summary>${texts.more}</summary>
        ${this.settled || inside ? further.map(([group, fields]) => html`<fieldset><legend>${texts.groups[group] ?? nameInWords(group, texts.names)}</legend><div class="grid">${fields.map((f) => form.control(f, shown))}</div></fieldset>`) : nothing}
      </details>
    </form>`;
  }

  /** On a phone the form shows its two questions, and the rest behind this. */
  folding(inShort: string[]): TemplateResult {
    return html`<button type="button" class="folding" aria-expanded=${this.adjusting} @click=${() => (this.adjusting = !this.adjusting)}><b>${this.texts.adjust}</b> <span>${inShort.filter(Boolean).join(' · ')}</span></button>`;
  }

  private examples(): TemplateResult {
    const { texts, description } = this;
    return html`<nav class="examples" aria-labelledby="examples"><h2 id="examples">${texts.examples}</h2><ul>${kExamples.map(([example, link]) => html`<li><a href="#${link}">${modelName(description!, example)}
        <small>${String(example['weights'])} · ${sentence(texts.times, { count: String(example['devices'] ?? 1), device: deviceName(description!, example['device'], '') })}</small></a></li>`)}</ul></nav>`;
  }

  // ---- the head and the work ----

  private head(): TemplateResult {
    const method = this.call === 'train' ? 'estimate_method' : 'method';
    return head({
      texts: this.texts, settings: this.settings, where: this.where, open: this.tools, method: this.request[method] === 'article' ? 'article' : 'detailed', linkTo: (view) => this.linkTo(view),
      choose: (change) => void this.choose(change), copy: () => void this.copy(), show: (view) => this.show(view), fold: () => (this.tools = !this.tools), compute: (by) => this.put('/' + method, by === 'article' ? by : undefined),
      skip: () => this.querySelector<HTMLElement>('#answer')?.focus(),
    });
  }

  private copy = async (): Promise<void> => {
    const link = '#' + (await this.link());
    await navigator.clipboard?.writeText(location.href.replace(/#.*$/, '') + link).catch(() => undefined);
    if (location.hash !== link) history.replaceState(null, '', link);
    this.tell(this.texts.linkCopied);
  };

  async give(text: string): Promise<void> {
    this.given = text;
    this.found();
    let copied = false;
    await navigator.clipboard?.writeText(text).then(() => (copied = true), () => undefined);
    this.said = copied ? this.texts.copied : this.texts.toCopy;
  }

  /** Says something for a moment. */
  tell(text: string): void {
    this.said = this.notice = text;
    setTimeout(() => this.notice === text && (this.notice = ''), 2500);
  }

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
    if (this.shell.length > 0 && this.hasSomething) {
      for (const node of this.shell.splice(0)) node.remove();
      this.toggleAttribute('ready', true);
      delete document.documentElement.dataset['start'];
    }
    if (changed.has('where')) {
      const [views, now] = [this.querySelector('.views'), this.querySelector<HTMLElement>('.views [aria-current]')];
      if (views && now) views.scrollLeft = now.offsetLeft - 64; // on a phone the row is longer than the page
    }
    if (!changed.has('chain') && !changed.has('texts') && !changed.has('workOf')) return;
    const dialog = this.querySelector('dialog');
    if (!dialog) return;
    if (this.chain.length > 0 && !dialog.open) dialog.showModal();
    else if (this.chain.length === 0 && dialog.open) dialog.close();
    if (this.chain.length > 0) {
      this.workOf?.fitFormulas(dialog);
      dialog.querySelector<HTMLElement>('#work-title')?.focus();
      dialog.scrollTop = 0;
    }
  }

  /** Until then the page as it came stands there, for what is drawn below it would move up when it goes. */
  private get hasSomething(): boolean {
    return this.answer !== undefined || this.problems.length > 0 || (this.failure ?? this.notice ?? '') !== '';
  }

  private serve(): TemplateResult {
    return html`${this.serveForm()}
      <div class="answer" @pointerover=${this.nearNumber} @focusin=${this.nearNumber}>${this.said_()}${this.sections.result()}</div>
      ${this.examples()}`;
  }

  private said_(): TemplateResult | typeof nothing {
    return this.notice ? html`<p class="notice">${this.notice}</p>` : nothing;
  }

  override render(): TemplateResult | typeof nothing {
    const { texts } = this;
    if (this.failure) return html`${this.head()}<main><p class="failure" role="alert">${this.failure}</p></main>`;
    if (!this.client || !this.description || (this.shell.length > 0 && !this.hasSomething)) return nothing; // the shell stands
    const { screen } = this;
    return html`${this.head()}
      ${this.where === 'serve'
        ? html`<main class=${this.dragging ? 'dragging' : ''}>${this.serve()}</main>`
        : html`<main class=${this.where === 'train' ? this.where : `screen ${this.where}`} @pointerover=${this.nearNumber} @focusin=${this.nearNumber}>${this.said_()}${screen ? screen.render() : html`<p class="muted" id="answer" tabindex="-1">${texts.loading}</p>`}</main>`}
      <footer><p>${plainSentence(texts.footer, { version: this.description.version })}</p></footer>
      <p class="unseen" role="status" aria-live="polite">${this.said}</p>
      ${this.dragging ? html`<div class="drop"><p>${texts.dropHere}</p></div>` : nothing}
      ${this.workDialog()}`;
  }
}

customElements.define('weigh-page', WeighPage);
