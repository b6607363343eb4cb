// Two to four set-ups side by side, with what differs marked. Each stands in the link as a link of its own.

import { html, nothing } from 'lit';

import type { Answer } from '../contract.js';
import { withEngine } from '../engine.js';
import { type Json, type JsonObject, leaves } from '../json.js';
import { readLink, writeLink } from '../link.js';
import { type View, memoryBar, toneOf } from '../parts.js';
import { at, deviceCount, deviceName, modelName } from '../request.js';
import type { Screen, ScreenHost } from '../screens.js';
import { rowsOf, setUpName, verdictText } from '../share.js';
import { plainSentence } from '../text.js';

const kMost = 4;

// Questions that people come with, each as links of its set-ups.
const kPairs: [question: 'format' | 'cards' | 'engines', links: string[]][] = [
  ['format', ['m=Qwen/Qwen3-32B&w=bf16&d=h100-sxm-80gb&n=1', 'm=Qwen/Qwen3-32B&w=awq-int4&d=h100-sxm-80gb&n=1']],
  ['cards', ['rtx-4090', 'rtx-5090', 'rtx-3090'].map((d) => `m=Qwen/Qwen3-32B&w=Q4_K_M&d=${d}&n=1`)],
  ['engines', ['vllm', 'sglang', 'tensorrt-llm'].map((e) => `m=meta-llama/Llama-3.1-8B&e=${e}&d=h100-sxm-80gb&n=1&c=32`)],
];

class Compare implements Screen {
  private known = '';
  private requests: JsonObject[] = [];

  constructor(private readonly host: ScreenHost) {}

  /** The set-ups of the link; reading one takes a moment. */
  private get list(): JsonObject[] {
    const now = this.host.extras.join('\n');
    if (now !== this.known) {
      this.known = now;
      void Promise.all(this.host.extras.slice(0, kMost).map((text) => readLink(text).then((l) => l.request, () => undefined))).then((all) => {
        this.requests = all.filter((r) => r !== undefined);
        this.host.requestUpdate();
      });
    }
    return this.requests;
  }

  private async add(request: JsonObject): Promise<void> {
    this.host.setExtras([...this.host.extras, await writeLink(request)].slice(-kMost));
  }

  private view(request: JsonObject): View | undefined {
    const { description, texts, format } = this.host;
    const asked = withEngine(description!, request);
    const answer: Answer = this.host.ask(asked, false, 'estimate');
    return answer.ok ? { call: 'estimate', description: description!, texts, format, request: asked, answer } : undefined;
  }

  render(): unknown {
    const { texts } = this.host;
    const more = this.host.more!;
    const list = this.list;
    const views = list.map((request) => this.view(request));
    const names = (request: JsonObject): Map<string, Json> => new Map(leaves(request).filter(([path]) => path !== '/explain'));
    const paths = [...new Set(views.flatMap((v) => [...names(v?.request ?? {}).keys()]))];
    const said = (view: View | undefined, path: string): string => {
      if (!view) return '–';
      if (path === '/model') return modelName(view.description, view.request, view.answer);
      if (path === '/device') return `${deviceCount(view.request, view.answer)} × ${deviceName(view.description, view.request['device'], texts.customName)}`;
      const value = names(view.request).get(path);
      return value === undefined ? '–' : typeof value === 'number' ? this.host.format.count(value) : String(value);
    };
    const groups = paths.filter((path) => !path.startsWith('/model/') && path !== '/devices');
    const rows = views.map((v) => (v ? rowsOf(v) : []));
    const figurePaths = [...new Set(rows.flat().map((r) => r.path))];
    const rowOf = (i: number, path: string): ReturnType<typeof rowsOf>[number] | undefined => rows[i]?.find((r) => r.path === path);
    const differs = (cells: string[]): boolean => new Set(cells).size > 1;
    const line = (name: string, cells: string[]): unknown => html`<tr class=${differs(cells) ? 'differs' : ''}><th scope="row">${name}${differs(cells) ? html`<span class="unseen"> (${more.differs})</span>` : nothing}</th>${cells.map((c) => html`<td class="value">${c}</td>`)}</tr>`;
    const head = (name: string): unknown => html`<tr class="head"><th scope="rowgroup" colspan=${list.length + 1}>${name}</th></tr>`;
    const figureLine = (path: string): unknown => line(rows.flat().find((r) => r.path === path)!.name, views.map((_, i) => rowOf(i, path)?.shown ?? '–'));
    return html`<section class="page" id="answer" tabindex="-1" aria-labelledby="screen-title"><h2 id="screen-title">${texts.views['compare']}</h2>
      <p class="lead">${more.compareLead}</p>
      ${list.length < kMost ? html`<p class="tasks"><button type="button" @click=${() => void this.add(this.host.request)}>${plainSentence(more.addPresent, { name: this.host.view(false) ? setUpName(this.host.view(false)!) : '–' })}</button></p>` : nothing}
      ${list.length === 0 && this.host.extras.length === 0 ? html`<p class="muted try">${more.trySome}</p><p class="tasks">${kPairs.map(([question, links]) => html`<button type="button" @click=${() => this.host.setExtras(links)}>${more.pairs[question]}</button>`)}</p>` : nothing}
      ${list.length === 0 ? nothing : html`<div class="scroll wide" tabindex="0" role="group" aria-label=${texts.views['compare']!}><table class="list compare"><thead><tr><td></td>${list.map((request, i) => html`<th scope="col" class="value">
          <b>${views[i] ? modelName(views[i]!.description, views[i]!.request, views[i]!.answer) : String(request['model'] ?? '–')}</b>
          <p class="verdict-line ${views[i] ? toneOf(views[i]!.answer) : 'short'}">${views[i] ? verdictText(views[i]!) : texts.staleNone}</p>
          ${views[i] && at(views[i]!.answer, 'memory.per_device') !== null ? memoryBar(views[i]!) : nothing}
          <p class="tasks"><button type="button" class="link" @click=${() => this.host.show('serve', request)}>${more.openSetUp}</button> <button type="button" class="link" @click=${() => this.host.setExtras(this.host.extras.filter((_, j) => j !== i))}>${more.removeSetUp}</button></p></th>`)}</tr></thead>
        <tbody>${head(texts.request)}${groups.map((path) => line(texts.labels[path] ?? path.split('/').slice(2).join('.'), views.map((v) => said(v, path))))}</tbody>
        <tbody>${head(texts.memory)}${figurePaths.filter((path) => path.startsWith('memory.')).map(figureLine)}</tbody>
        <tbody>${head(texts.capacityAndSpeed)}${figurePaths.filter((path) => !path.startsWith('memory.')).map(figureLine)}</tbody></table></div>`}</section>`;
  }
}

export const screen = (host: ScreenHost): Screen => new Compare(host);
