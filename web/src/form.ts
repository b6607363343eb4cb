// The form over describe(): a control for each field, what is wrong beside it, and the two searchable lists.

import { type TemplateResult, html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';

import './combobox.js';
import type { Option } from './combobox.js';
import type { Answer, Description, Field, Problem } from './contract.js';
import type { Format } from './format.js';
import type { Host } from './host.js';
import { engineOf, optionsOf, usualEngine } from './engine.js';
import { hubReference } from './hub_reference.js';
import { type Json, type JsonObject, get, isObject, same, set } from './json.js';
import type { Texts } from './lang/en.js';
import { assumed, deviceName, fieldOf, figure, figureFields, findDevice, findModel, kNumbers, modelName, plainNumber, typed, typedBytes } from './request.js';
import { plainSentence } from './text.js';

const kCustom = '~custom'; // no id of the catalogue
const kNothing = '~none';
const kHub = '~hub:';

export class Form {
  constructor(private readonly host: Host) {}

  private get texts(): Texts { return this.host.texts; }
  private get format(): Format { return this.host.format; }
  private get description(): Description { return this.host.description!; }
  private get request(): JsonObject { return this.host.request; }
  private get answer(): Answer | undefined { return this.host.answer; }
  private get problems(): Problem[] { return this.host.problems; }

  private readonly lists = new Map<string, Option[]>();
  private listed: Format | undefined;

  /** The catalogue as options, made when a list is first opened. */
  private list(path: '/model' | '/device'): Option[] {
    if (this.listed !== this.format) this.lists.clear();    // another language or unit
    this.listed = this.format;
    let list = this.lists.get(path);
    if (!list) {
      const { format } = this;
      list = path === '/model'
        ? (this.description.models).map((m) => ({
            value: m.id,
            name: m.name,
            note: [format.short(m.parameters), m.organization ?? m.id.split('/')[0]].join(' · '),
            search: [m.id, m.name, m.organization ?? '', m.family ?? '', ...(m.aliases ?? [])].join(' ').toLowerCase(),
          }))
        : (this.description.devices).map((d) => ({
            value: d.id,
            name: d.name,
            note: [format.giga(d.memory_bytes), d.bandwidth ? format.of(d.bandwidth, 'bytes/s') : '', d.vendor].filter(Boolean).join(' · '),
            search: [d.id, d.name, d.vendor, ...(d.aliases ?? []), `${Math.round(d.memory_bytes / 2 ** 30)}gb`, `${Math.round(d.memory_bytes / 2 ** 30)} gb`].join(' ').toLowerCase(), // "24 GB" as cards are sold
          }));
      this.lists.set(path, list);
    }
    return list;
  }

  private readonly listModels = (): Option[] => this.list('/model');
  private readonly listDevices = (): Option[] => this.list('/device');

  static readonly id = (path: string): string => 'f' + path.replaceAll('/', '-');

  label(field: Field): string {
    const own = this.texts.labels[field.path] ?? this.texts.labels[field.path.replace('/prefill_pool', '')];
    return own ?? field.path.split('/').slice(2).join('.');
  }

  summary(field: Field): string {
    return this.texts.fields[field.path] ?? this.texts.fields[field.path.replace('/prefill_pool', '')] ?? field.summary;
  }

  errorsAt(path: string, shown: ReadonlySet<string>): Problem[] {
    return this.problems.filter((p) => p.severity === 'error' && fieldOf(p, shown) === path);
  }

  errorText(path: string, errors: Problem[]): TemplateResult | typeof nothing {
    if (errors.length === 0) return nothing;
    return html`<div class="error" id=${Form.id(path) + '-error'}>
      ${errors.map((p) => {
        const nearest = p.params?.['nearest'];
        const unknown = p.code.startsWith('unknown_') && p.code !== 'unknown_field' && typeof nearest === 'string';
        return html`<p>${this.host.wordsOf(p)}${unknown ? html` <button type="button" class="link" @click=${() => this.host.put(p.path, nearest)}>${plainSentence(this.texts.useNearest, { nearest })}</button>` : nothing}</p>`;
      })}
    </div>`;
  }

  control(field: Field, shown: ReadonlySet<string>): TemplateResult {
    const { path } = field;
    const id = Form.id(path);
    const errors = this.errorsAt(path, shown);
    const value = get(this.request, path);
    const described = errors.length > 0 ? `${id}-error` : nothing;
    const options = this.optionsOf(field, value);
    const hint = this.summary(field);
    const text = value === undefined || isObject(value) ? '' : Array.isArray(value) ? value.join(', ') : typeof value === 'number' ? plainNumber(value) : String(value);
    return html`<div class="field ${errors.length > 0 ? 'wrong' : ''}" data-path=${path} title=${hint}>
      <label for=${id}>${this.label(field)}</label>
      ${options
        ? html`<select id=${id} aria-invalid=${errors.length > 0 ? 'true' : nothing} aria-describedby=${described}
            @change=${(e: Event) => this.selected(field, (e.target as HTMLSelectElement).value)}>${options}</select>`
        : html`<input id=${id} type="text" autocomplete="off" spellcheck="false" inputmode=${field.type === 'integer' || field.type === 'number' ? 'decimal' : 'text'}
            placeholder=${this.placeholder(field)} aria-invalid=${errors.length > 0 ? 'true' : nothing} aria-describedby=${described}
            .value=${live(this.sameNumber(id, value, text))} @input=${(e: Event) => this.typedIn(field, (e.target as HTMLInputElement).value)}
            @keydown=${(e: KeyboardEvent) => this.stepped(field, e)} />`}
      ${this.errorText(path, errors)}
    </div>`;
  }

  // While somebody types "1e" or "2,048" the text is theirs; it is only replaced when it stands for something else.
  private sameNumber(id: string, value: Json | undefined, text: string): string {
    const input = this.host.querySelector<HTMLInputElement>(`#${CSS.escape(id)}`);
    if (input && document.activeElement === input && (typed(input.value) === value || typedBytes(input.value) === value)) return input.value;
    return text;
  }

  private typedIn(field: Field, text: string): void {
    if (field.type === 'targets' || field.type === 'strings') {
      const names = text.split(/[\s,，、]+/).filter(Boolean);
      this.host.put(field.path, names.length === 0 ? undefined : field.type === 'targets' && names.length === 1 && names[0] === 'all-linear' ? names[0] : names);
      return;
    }
    const value = field.unit === 'bytes' ? typedBytes(text) : kNumbers.has(field.type) ? typed(text) : text.trim() === '' ? undefined : text.trim();
    this.host.put(field.path, value);
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
    if (next !== now && next !== field.above) this.host.put(field.path, next);
  }

  private placeholder(field: Field): string {
    const value = assumed(this.answer, field.path) ?? field.default;
    if (value === undefined || value === null || isObject(value)) return field.path === '/devices' ? this.texts.fewest : '';
    return typeof value === 'number' ? (Number.isInteger(value) ? this.format.count(value) : this.format.number(value)) : String(value);
  }

  private selected(field: Field, value: string): void {
    if (value === kCustom) return;
    if (value === kNothing) this.host.put(field.path, undefined);
    else this.host.put(field.path, field.type === 'boolean' ? value === 'true' : (JSON.parse(value) as Json));
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
    if (field.type === 'weight_format') {
      const formats = description.weight_formats;
      const groups = [...new Set(formats.map((f) => f.group ?? ''))];
      const known = formats.find((f) => typeof value === 'string' && (f.id === value || f.aliases?.includes(value)));
      const item = (f: (typeof formats)[number]): TemplateResult => html`<option value=${JSON.stringify(f.id)} ?selected=${known === f}>${texts.formatNames[f.id] ?? f.name ?? f.id}</option>`;
      return [field.path === '/weights' ? first(texts.publishedPlain, texts.published) : first(texts.standardPlain, texts.standard), html`${known ? nothing : special([])}`,
        ...groups.map((g) => html`<optgroup label=${texts.weightGroups[g] ?? g}>${formats.filter((f) => (f.group ?? '') === g).map(item)}</optgroup>`)];
    }
    if (field.type === 'kv_format') {
      const formats = description.kv_formats;
      const known = formats.find((f) => typeof value === 'string' && (f.id === value || f.aliases?.includes(value)));
      return [first(texts.standardPlain, texts.standard), html`${known ? nothing : special([])}`,
        ...formats.map((f) => html`<option value=${JSON.stringify(f.id)} ?selected=${known === f}>${f.id}</option>`)];
    }
    if (field.type === 'engine') {
      const ids = description.engines.map((e) => e.id);
      return [first(texts.standardPlain, texts.standard), html`${special(ids)}`, ...description.engines.map((e) => option(e.id, e.name ?? e.id))];
    }
    if (field.type === 'boolean')
      return [first(texts.standardPlain, texts.standard), html`<option value="true" ?selected=${value === true}>${texts.yes}</option>`, html`<option value="false" ?selected=${value === false}>${texts.no}</option>`];
    if (field.enum) return [first(texts.standardPlain, texts.standard), html`${special(field.enum)}`, ...field.enum.map((v) => option(v, texts.choices[String(v)] ?? String(v)))];
    return undefined;
  }

  private nameOfChoice(field: Field, value: Json): string {
    if (field.type === 'engine') return this.description.engines.find((e) => e.id === value)?.name ?? String(value);
    if (typeof value === 'boolean') return value ? this.texts.yes : this.texts.no;
    return String(value);
  }

  specialName(value: Json): string {
    if (isObject(value) && typeof value['bits_per_weight'] === 'number')
      return plainSentence(this.texts.averageBits, { bits: this.format.number(value['bits_per_weight']) });
    if (isObject(value) && ('k' in value || 'v' in value)) return plainSentence(this.texts.keysAndValues, { k: String(value['k'] ?? '–'), v: String(value['v'] ?? '–') });
    return isObject(value) ? String(value['name'] ?? '…') : String(value);
  }

  combobox(path: '/model' | '/device', shown: ReadonlySet<string>): TemplateResult {
    const { texts, request } = this;
    const { reading } = this.host;
    const id = Form.id(path);
    const errors = this.errorsAt(path, shown);
    const model = path === '/model';
    const value = request[path.slice(1)];
    const text = model
      ? reading.missing || modelName(this.description, request, this.host.answered === request ? this.answer : undefined) || (value === undefined ? '' : (reading.name ?? ''))
      : value === undefined ? '' : deviceName(this.description, value, texts.customName);
    const known = model ? findModel(this.description, request)?.id : findDevice(this.description, request)?.id;
    const note = model ? reading.note || (reading.missing ? plainSentence(texts.fileMissing, { name: reading.missing }) : '') : '';
    const wrong = errors.length > 0 || note !== '';
    return html`<div class="field wide ${wrong ? 'wrong' : ''}" data-path=${path}>
      <label for=${id}>${texts.labels[path]}</label>
      <wb-combobox .list=${model ? this.listModels : this.listDevices} .extra=${model ? this.beyond : this.figuresOption} .selected=${known ?? ''} .text=${text} .label=${texts.labels[path]!}
        .fieldId=${id} .placeholder=${model ? texts.searchModel : texts.searchDevice} .invalid=${wrong} .describedBy=${wrong ? `${id}-error` : ''}
        .noneText=${texts.noneFound} .countText=${(n: number) => plainSentence(texts.matches, { count: this.format.count(n) })}
        @choose=${(e: CustomEvent<string>) => this.chose(path, e.detail)} @free=${(e: CustomEvent<string>) => this.host.put(path, e.detail)}
        @json=${(e: CustomEvent<string>) => void (model && this.host.readText(e.detail, 'config.json'))}></wb-combobox>
      ${note ? html`<div class="error" id="${id}-error"><p>${note}</p></div>` : this.errorText(path, errors)}
    </div>`;
  }

  figureFields(path: '/model' | '/device', shown: ReadonlySet<string>): TemplateResult | typeof nothing {
    const fields = figureFields(this.description, this.request, path, this.host.call);
    return fields.length === 0 ? nothing : html`<div class="grid inner">${fields.map((f) => this.control(f, shown))}</div>`;
  }

  // What the catalogue does not have: "32B" may mean a model of that size, and an id or address may be fetched, on a click.
  private readonly beyond = (query: string): Option[] => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([bmt])\s*$/i.exec(query);
    if (match) {
      const parameters = Math.round(Number(match[1]) * { m: 1e6, b: 1e9, t: 1e12 }[match[2]!.toLowerCase() as 'm' | 'b' | 't']);
      return [{ value: JSON.stringify({ manual: { parameters } }), name: plainSentence(this.texts.bySize, { size: this.format.short(parameters) }), note: this.texts.bySizeNote, search: '' }];
    }
    const reference = hubReference(query);
    if (!reference) return [];
    const known = this.description.models.find((m) => m.id.toLowerCase() === reference.id.toLowerCase());
    return [
      ...(known && query.trim() !== known.id && !reference.file ? [{ value: known.id, name: known.name, note: known.id, search: '' }] : []),
      { value: kHub + query.trim(), name: plainSentence(this.texts.fetchModel, { id: reference.id }), note: this.texts.fetchNote, search: '', aside: true },
    ];
  };

  private figuresOption = (): Option[] =>
    [{ value: kCustom, name: this.texts.customDevice, note: this.texts.customDeviceNote, search: '', aside: true }, { value: kNothing, name: this.texts.noDevice, search: '', aside: true }];

  private chose(path: '/model' | '/device', value: string): void {
    if (value === kNothing) return this.host.replace(set(set(this.request, '/device', undefined), '/devices', undefined), path);
    if (value.startsWith(kHub)) {
      const reference = hubReference(value.slice(kHub.length));
      return reference ? void this.host.fetchModel(reference) : undefined;
    }
    if (value === kCustom) {
      const like = findDevice(this.description, this.request);
      if (!like) return this.host.put(path, { name: this.texts.customName, memory_bytes: 24e9, bandwidth: 1e12, flops: { bf16: 1e14 } });
      const kept = ['name', 'memory_bytes', 'bandwidth', 'flops', 'link_bandwidth', 'per_node', 'power_w', 'unified', 'class'] as const;
      return this.host.put(path, Object.fromEntries(kept.filter((key) => like[key] !== undefined).map((key) => [key, like[key]!])));
    }
    if (value.startsWith('{')) return this.host.put(path, JSON.parse(value) as Json);
    this.host.put(path, value);
  }

  /** The model: its list, files, and the figures of one that is given by hand. */
  model(shown: ReadonlySet<string>): TemplateResult {
    const { texts } = this;
    const { reading } = this.host;
    const named = this.request['model'];
    const unknown = typeof named === 'string' && this.problems.some((p) => p.code === 'unknown_model' || p.code === 'model_taken_for') ? hubReference(named) : undefined;
    return html`${this.combobox('/model', shown)}${this.figureFields('/model', shown)}
      ${unknown && !reading.busy ? html`<p class="busy"><button type="button" class="link" @click=${() => void this.host.fetchModel(unknown)}>${plainSentence(texts.fetchModel, { id: unknown.id })}</button> ${texts.fetchNote}</p>` : nothing}
      ${reading.busy ? html`<p class="busy">${reading.busy} <button type="button" class="link" @click=${() => this.host.stopReading()}>${texts.cancel}</button></p>` : nothing}
      ${reading.choices.length === 0 ? nothing : html`<div class="choices" role="group" aria-labelledby="choices"><p id="choices">${texts.chooseOne}</p><ul>${reading.choices.map((choice) =>
        html`<li><button type="button" class="link" @click=${() => void this.host.fetchModel(choice.reference)}>${choice.name}</button></li>`)}</ul></div>`}
      <p class="file adjust"><label class="link">${texts.openFile}<input type="file" accept=".json,.gguf,.safetensors" multiple
        @change=${(e: Event) => { const input = e.target as HTMLInputElement; void this.host.readFiles([...(input.files ?? [])]).then(() => (input.value = '')); }} /></label></p>`;
  }

  device(shown: ReadonlySet<string>, withCount = true): TemplateResult {
    const { texts, request } = this;
    const count = withCount ? this.host.field('/devices') : undefined;
    const device = request['device'];
    if (Array.isArray(device)) return this.mixed(device, shown);
    const layers = this.description.engines.find((e) => e.id === engineOf(this.host.asked))?.layer_split === true;
    return html`<div class=${withCount ? 'pair' : ''}><div>${this.combobox('/device', shown)}</div>${count ? this.control(count, shown) : nothing}</div>${this.figureFields('/device', shown)}
      ${withCount && layers && this.host.call === 'estimate' && typeof device === 'string' && request['devices'] === undefined
        ? html`<p class="file"><button type="button" class="link" @click=${() => this.host.put('/device', [device, device])}>${texts.addCard}</button></p>` : nothing}`;
  }

  /** Different cards side by side, of which a layer-split engine gives each its share. */
  private mixed(list: Json[], shown: ReadonlySet<string>): TemplateResult {
    const { texts } = this;
    const put = (next: Json[]): void => this.host.put('/device', next.length > 1 ? next : next[0]);
    return html`${list.map((one, i) => html`<div class="pair"><div>${this.cardBox(one, i, (value) => put(list.map((d, j) => (j === i ? value : d))))}</div>
        <button type="button" class="remove" aria-label=${plainSentence(texts.removeField, { name: deviceName(this.description, one, texts.customName) })} @click=${() => put(list.filter((_, j) => j !== i))}>−</button></div>`)}
      ${this.errorText('/device', this.errorsAt('/device', shown))}
      <p class="file"><button type="button" class="link" @click=${() => put([...list, list[list.length - 1]!])}>${texts.addCard}</button></p>`;
  }

  private cardBox(value: Json, i: number, put: (id: string) => void): TemplateResult {
    const { texts } = this;
    const id = `f-device-${i}`;
    return html`<div class="field wide" data-path="/device"><label for=${id}>${plainSentence(texts.card, { number: this.format.count(i + 1) })}</label>
      <wb-combobox .list=${this.listDevices} .selected=${String(value)} .text=${deviceName(this.description, value, texts.customName)} .label=${texts.labels['/device']!} .fieldId=${id} .placeholder=${texts.searchDevice}
        .noneText=${texts.noneFound} .countText=${(n: number) => plainSentence(texts.matches, { count: this.format.count(n) })} @choose=${(e: CustomEvent<string>) => put(e.detail)} @free=${(e: CustomEvent<string>) => put(e.detail)}></wb-combobox></div>`;
  }

  /** The engine, its version, the options that it heeds, and the memory that it finds. */
  engine(shown: ReadonlySet<string>): TemplateResult {
    const { texts, request, description } = this;
    const { asked, settled } = this.host;
    const chosen = engineOf(request);
    const engine = engineOf(asked) ?? 'ideal';
    const row = description.engines.find((e) => e.id === engine);
    const usual = usualEngine(description, request);
    const name = (id: string): string => description.engines.find((e) => e.id === id)?.name ?? id;
    const version = get(request, '/engine/version');
    const errors = this.errorsAt('/engine', shown);
    const options = settled ? this.optionFields(engine) : [];
    const open = options.some((f) => get(request, f.path) !== undefined || this.errorsAt(f.path, shown).length > 0);
    const memory = ['/reserved_bytes', '/host/memory_bytes', '/host/bandwidth'].map((path) => this.host.field(path)).filter((f) => f !== undefined);
    return html`<div class="pair"><div class="field ${errors.length > 0 ? 'wrong' : ''}" data-path="/engine" title=${texts.fields['/engine'] ?? this.host.field('/engine')?.summary ?? ''}>
        <label for="f-engine">${texts.labels['/engine']}</label>
        <select id="f-engine" aria-invalid=${errors.length > 0 ? 'true' : nothing} aria-describedby=${errors.length > 0 ? 'f-engine-error' : nothing}
          @change=${(e: Event) => { const id = (e.target as HTMLSelectElement).value; this.host.put('/engine', id === '' ? undefined : id); }}>
          <option value="" ?selected=${chosen === undefined}>${plainSentence(usual ? texts.usualEngine : texts.standard, { value: name(usual ?? 'ideal') })}</option>
          ${chosen !== undefined && !description.engines.some((e) => e.id === chosen) ? html`<option value=${chosen} selected>${chosen}</option>` : nothing}
          ${description.engines.map((e) => html`<option value=${e.id} ?selected=${e.id === chosen}>${e.profile ? (e.name ?? e.id) : plainSentence(texts.asIdeal, { name: e.name ?? e.id })}</option>`)}</select>${this.errorText('/engine', errors)}</div>
      ${row?.versions
        ? html`<div class="field"><label for="f-engine-version">${texts.labels['/engine/version']}</label><input id="f-engine-version" type="text" autocomplete="off" placeholder=${row.versions[1]} title="${row.versions[0]} – ${row.versions[1]}"
            .value=${live(typeof version === 'string' ? version : '')} @change=${(e: Event) => { const text = (e.target as HTMLInputElement).value.trim(); this.host.put('/engine', text === '' ? chosen : { name: engine, version: text }); }} /></div>` : nothing}</div>
      <details class="more options" ?open=${open || undefined}><summary>${texts.engineOptions}</summary>
        <div class="grid">${options.map((f) => this.option(f, shown))}</div>
        <div class="grid">${memory.map((f) => this.control(f, shown))}</div>
      </details>`;
  }

  /** The options that this engine heeds, those that people turn first; and any that stand in the request. */
  optionFields(engine: string): Field[] {
    const first = ['gpu_memory_utilization', 'mem_fraction_static', 'n_gpu_layers', 'n_cpu_moe', 'max_num_batched_tokens', 'chunked_prefill_size', 'max_num_seqs', 'max_batch_size', 'n_ubatch', 'flash_attention'];
    const rank = (f: Field): number => (first.indexOf(f.path.slice(9)) + first.length + 1) % (first.length + 1);
    const heeded = optionsOf(this.host.client!, this.description, engine);
    return this.description.fields.estimate
      .filter((f) => f.path.startsWith('/options/') && f.type !== 'object' && (heeded.has(f.path) || get(this.request, f.path) !== undefined))
      .map((f, i) => [rank(f), i, f] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map((row) => row[2]);
  }

  /** An option with a range is turned by a slider beside its number. */
  private option(field: Field, shown: ReadonlySet<string>): TemplateResult {
    const layers = figure(this.answer, 'model.layers');
    const path = field.path.slice(9);
    const most = path === 'n_gpu_layers' && layers ? layers + 1 : path === 'n_cpu_moe' && layers ? layers : field.max === 1 ? 1 : undefined;
    if (most === undefined) return this.control(field, shown);
    const value = get(this.request, field.path) ?? assumed(this.answer, field.path) ?? field.default;
    const now = typeof value === 'number' ? Math.min(value, most) : path === 'n_cpu_moe' ? 0 : most;
    return html`<div class="slider">${this.control(field, shown)}<input type="range" min="0" max=${most} step=${most === 1 ? '0.01' : '1'} .value=${live(String(now))} aria-label=${this.label(field)}
      @input=${(e: Event) => this.host.put(field.path, Number((e.target as HTMLInputElement).value))} /></div>`;
  }

  /** The set-up in few words, for where the form is folded. */
  inShort(): string[] {
    const { texts, request } = this;
    const value = (path: string): string => {
      const v = get(request, path) ?? assumed(this.answer, path) ?? this.host.field(path)?.default;
      return v === undefined || v === null ? '' : typeof v === 'number' ? this.format.count(v) : isObject(v) ? this.specialName(v) : (texts.choices[String(v)] ?? String(v));
    };
    if (this.host.call === 'train') return [value('/method'), value('/optimizer'), `${texts.labels['/sequence_tokens'] ?? ''} ${value('/sequence_tokens')}`];
    const engine = engineOf(this.host.asked);
    return [value('/weights'), this.description.engines.find((e) => e.id === engine)?.name ?? '', `${texts.labels['/workload/prompt_tokens']} ${value('/workload/prompt_tokens')}`, `${texts.labels['/workload/output_tokens']} ${value('/workload/output_tokens')}`];
  }

  /** Problems that belong to no field that is shown. */
  loose(shown: ReadonlySet<string>): TemplateResult | typeof nothing {
    const { texts } = this;
    const list = this.problems.filter((p) => p.severity === 'error' && fieldOf(p, shown) === undefined);
    return list.length === 0 ? nothing : html`<div class="error loose" role="group" aria-label=${texts.problems}>${list.map((p) => html`<p>${this.host.wordsOf(p)}
      ${p.path !== '' && p.path !== '/model' ? html`<button type="button" class="link" @click=${() => this.host.put(p.path, undefined)}>${plainSentence(texts.removeField, { name: p.path })}</button>` : nothing}</p>`)}</div>`;
  }
}
