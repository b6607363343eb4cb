// Every formula of the calculator, with its unit, kind and source, and its value in the set-up that stands in the form.

import { type TemplateResult, html, nothing } from 'lit';

import type { Formula } from '../contract.js';
import { inWords, parseFormula, toElement, toMath } from '../formula.js';
import { stepsOf } from '../request.js';
import type { Screen, ScreenHost } from '../screens.js';
import { nameInWords, plainSentence } from '../text.js';

class Formulas implements Screen {
  private query = '';

  constructor(private readonly host: ScreenHost) {
    void host.bringWork();
  }

  private one(formula: Formula, example: number | undefined): TemplateResult {
    const { texts, format, description } = this.host;
    const name = nameInWords(formula.id, texts.names);
    let math: Element | string = formula.text;
    try {
      math = toElement(toMath(parseFormula(formula.text), inWords((n) => nameInWords(n, texts.names)), { tag: 'mtext', children: [name] }, Math.max(22, Math.floor((Math.min(innerWidth, 1000) - 60) / 10.5))));
    } catch {
      // shown as it is written
    }
    const sources = (formula.source ?? '').split(/\s+/).filter(Boolean).map((id) => description!.sources.find((s) => s.id === id) ?? { id, title: id, url: /^https:/.test(id) ? id : undefined });
    return html`<article class="entry" id="formula-${formula.id}"><h3>${name}</h3><p class="summary">${texts.formulas[formula.id] ?? formula.summary ?? ''}</p>
      <div class="formula" tabindex="0" role="group" aria-label=${name}>${math}</div>
      <p class="muted"><b title=${texts.kindHints[formula.kind] ?? ''}>${texts.kinds[formula.kind]}</b> · ${sources.map((s, i) => html`${i > 0 ? texts.separator : ''}${s.url ? html`<a href=${s.url} rel="noreferrer">${s.title}</a>` : s.title}`)}${formula.locator ? html`, ${formula.locator}` : nothing}${example === undefined ? nothing : html` · ${plainSentence(this.host.more!.hereIs, { value: format.exact(example, formula.unit) })}`}</p></article>`;
  }

  render(): unknown {
    const { texts, description, answer } = this.host;
    const more = this.host.more!;
    const steps = new Map(stepsOf(answer).map((s) => [s.id, s.value]));
    const article = new Map(stepsOf(this.host.ask({ ...this.host.request, method: 'article' }, true, 'estimate')).map((s) => [s.id, s.value]));
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (f: Formula): string => [f.id, f.text, f.summary ?? '', texts.formulas[f.id] ?? '', nameInWords(f.id, texts.names)].join(' ').toLowerCase();
    const found = description!.formulas.filter((f) => words.every((w) => text(f).includes(w)));
    const group = (name: string, list: Formula[]): unknown => (list.length === 0 ? nothing : html`<h3 class="part">${name} <small>${this.host.format.count(list.length)}</small></h3>${list.map((f) => this.one(f, steps.get(f.id) ?? article.get(f.id)))}`);
    const of = (f: Formula): string => (f.method === 'article' ? 'article' : f.id.startsWith('train_') ? 'train' : 'serve');
    return html`<section class="page" id="answer" tabindex="-1" aria-labelledby="screen-title"><h2 id="screen-title">${texts.views['formulas']}</h2>
      <p class="lead">${plainSentence(more.formulasLead, { count: this.host.format.count(description!.formulas.length) })}</p>
      <div class="finder"><label for="formulas-find">${more.find}</label><input id="formulas-find" type="search" autocomplete="off" @input=${(e: Event) => { this.query = (e.target as HTMLInputElement).value; this.host.requestUpdate(); }} />
        <p role="status">${plainSentence(more.rowsShown, { count: this.host.format.count(found.length), all: this.host.format.count(description!.formulas.length) })}</p></div>
      ${group(texts.views['serve']!, found.filter((f) => of(f) === 'serve'))}${group(texts.views['train']!, found.filter((f) => of(f) === 'train'))}${group(texts.article, found.filter((f) => of(f) === 'article'))}</section>`;
  }
}

export const screen = (host: ScreenHost): Screen => new Formulas(host);
