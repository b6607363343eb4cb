// What runs on one's card: each model of the catalogue in the best format that fits it, with the room that is left and its speed.

import { html, nothing } from 'lit';

import type { Device, Model } from '../contract.js';
import { engineOf } from '../engine.js';
import type { Form } from '../form.js';
import { type JsonObject, get, set } from '../json.js';
import { figure, findDevice } from '../request.js';
import type { Screen, ScreenHost } from '../screens.js';
import { plainSentence } from '../text.js';
import { bestFormat } from '../ways.js';
import { type Column, Table } from './table.js';

const kAtOnce = 12; // models, before the page may draw again

interface Row {
  model: Model;
  request: JsonObject;
  format: string;
  engine: string;
  weights: number;
  headroom: number;
  context: number | undefined;
  speed: number | undefined;
}

class Card implements Screen {
  private readonly table: Table<Row>;
  private key = '';
  private rows: Row[] = [];
  private done = 0;
  private turn = 0;
  private guess = '';

  constructor(private readonly host: ScreenHost, private readonly form: Form) {
    this.table = new Table(host, (r) => r.model.id, (r) => [r.model.id, r.model.name, r.model.family ?? '', r.format, r.engine].join(' '), 'parameters', true);
  }

  private weigh(model: Model, base: JsonObject): Row | undefined {
    const best = bestFormat((request, explain, call) => this.host.ask(request, explain, call), this.host.description!, { ...base, model: model.id });
    if (!best) return undefined;
    const { weights, request, answer } = best;
    return {
      model, request, format: weights ?? (model as { published_format?: string }).published_format ?? 'bf16', engine: engineOf(request) ?? 'ideal', weights: figure(answer, 'model.weight_bytes') ?? 0,
      headroom: figure(answer, 'memory.per_device.headroom') ?? 0, context: figure(answer, 'capacity.max_context_tokens'), speed: figure(answer, 'speed.tokens_per_s_per_user'),
    };
  }

  private async weighAll(base: JsonObject): Promise<void> {
    const turn = (this.turn += 1);
    const { models } = this.host.description!;
    this.rows = [];
    for (this.done = 0; this.done < models.length; this.done += kAtOnce) {
      await new Promise((done) => setTimeout(done));
      if (turn !== this.turn) return;
      this.rows = [...this.rows, ...models.slice(this.done, this.done + kAtOnce).map((m) => this.weigh(m, base)).filter((r) => r !== undefined)];
      this.host.requestUpdate();
    }
    this.host.requestUpdate();
  }

  /** The name that the browser's graphics gives, looked up among the devices. Nothing leaves the page. */
  private guessDevice = (): void => {
    const context = document.createElement('canvas').getContext('webgl');
    const info = context?.getExtension('WEBGL_debug_renderer_info');
    const name = String((info ? context!.getParameter(info.UNMASKED_RENDERER_WEBGL) : context?.getParameter(context.RENDERER)) ?? '');
    const plain = (text: string): string => ` ${text.toLowerCase().replace(/[^a-z0-9]+/g, ' ')} `;
    const found = this.host.description!.devices
      .map((d): [Device, string] => [d, [d.name, ...(d.aliases ?? [])].find((n) => n.length > 3 && plain(name).includes(plain(n))) ?? ''])
      .filter(([, by]) => by !== '').sort((a, b) => b[1].length - a[1].length)[0]?.[0];
    this.guess = found ? '' : plainSentence(this.host.more!.noGuess, { name: name || '–' });
    if (found) this.host.put('/device', found.id);
    else this.host.requestUpdate();
  };

  render(): unknown {
    const { texts, format, request, description } = this.host;
    const more = this.host.more!;
    const kept = ['/device', '/devices', '/workload/prompt_tokens', '/workload/output_tokens', '/workload/concurrency', '/workload/context_tokens', '/reserved_bytes', '/host/memory_bytes', '/host/bandwidth', '/kv_cache'];
    let base = kept.reduce((made: JsonObject, path) => set(made, path, get(request, path)), {});
    if (base['devices'] === undefined && !Array.isArray(base['device'])) base = { ...base, devices: 1 };
    const key = JSON.stringify(base);
    if (base['device'] !== undefined && key !== this.key) {
      this.key = key;
      void this.weighAll(base);
    }
    const shown = new Set(['/device', '/devices', '/workload/context_tokens', '/workload/concurrency', '/reserved_bytes']);
    const all = description!.models.length;
    const busy = this.done < all && base['device'] !== undefined;
    const columns: Column<Row>[] = [
      { id: 'name', name: texts.model, value: (r) => r.model.name, show: (r) => html`<button type="button" class="link" @click=${() => { const { engine: _, ...open } = r.request; this.host.show('serve', open); }}>${r.model.name}</button>` },
      { id: 'parameters', name: texts.figures['model.parameters']!, numeric: true, down: true, value: (r) => r.model.parameters, show: (r) => format.short(r.model.parameters) },
      { id: 'format', name: more.bestFormat, value: (r) => r.format },
      { id: 'speed', name: texts.figures['speed.tokens_per_s_per_user']!, numeric: true, down: true, value: (r) => r.speed, show: (r) => (r.speed === undefined ? '–' : format.of(r.speed, 'tokens/s')) },
      { id: 'headroom', name: texts.parts['headroom']!, numeric: true, down: true, value: (r) => r.headroom, show: (r) => format.giga(r.headroom) },
      { id: 'weights', name: more.download, numeric: true, value: (r) => r.weights, show: (r) => format.giga(r.weights) },
      { id: 'context', name: texts.figures['capacity.max_context_tokens']!, numeric: true, down: true, value: (r) => r.context, show: (r) => (r.context === undefined ? '–' : format.count(r.context)) },
      { id: 'engine', name: texts.labels['/engine']!, value: (r) => description!.engines.find((e) => e.id === r.engine)?.name ?? r.engine },
    ];
    const fields = [...shown].slice(2).map((path) => this.host.field(path)).filter((f) => f !== undefined);
    const device = findDevice(description!, request);
    return html`<section class="page" id="answer" tabindex="-1" aria-labelledby="screen-title"><h2 id="screen-title">${device ? plainSentence(more.runsOn, { device: device.name }) : texts.views['card']}</h2>
      <p class="lead">${more.cardLead}</p>
      <form class="band" @submit=${(e: Event) => e.preventDefault()} aria-label=${texts.request}><div class="wide">${this.form.device(shown, request['devices'] !== undefined)}<p class="file"><button type="button" class="link" @click=${this.guessDevice}>${more.guess}</button></p>${this.guess ? html`<p class="error">${this.guess}</p>` : nothing}</div>${fields.map((f) => this.form.control(f, shown))}</form>
      ${base['device'] === undefined ? html`<p>${texts.needsHint}</p>` : html`<p class="muted" role="status">${busy ? plainSentence(more.weighing, { count: format.count(this.done), all: format.count(all) }) : plainSentence(more.fitOf, { count: format.count(this.rows.length), all: format.count(all) })}</p>
        ${this.table.render('card', texts.views['card']!, this.rows, columns)}`}</section>`;
  }
}

export const screen = (host: ScreenHost, form: Form): Screen => new Card(host, form);
