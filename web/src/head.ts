// The head of the page: its name, its settings, and the links to its views. On a phone the settings fold behind a button.

import { type TemplateResult, html, nothing } from 'lit';

import type { Texts } from './lang/en.js';
import { type ViewName, kViews } from './screens.js';
import { type Settings, type Theme, kLanguages } from './settings.js';

interface Head {
  texts: Texts;
  settings: Settings;
  where: ViewName;
  /** The settings are unfolded. */
  open: boolean;
  method: 'detailed' | 'article';
  /** The fragment of a view's address, with the whole request. */
  linkTo(view: ViewName): string;
  choose(change: Partial<Settings>): void;
  compute(method: 'detailed' | 'article'): void;
  copy(): void;
  show(view: ViewName): void;
  fold(): void;
  skip(): void;
}

function choice<T extends string>(legend: string, value: T, choices: [T, string, string?][], choose: (value: T) => void, fold = true): TemplateResult {
  return html`<div class="switch ${fold ? 'fold' : ''}" role="group" aria-label=${legend}>${choices.map(([v, text, lang]) => html`<button type="button" aria-pressed=${v === value} lang=${lang ?? nothing} @click=${() => choose(v)}>${text}</button>`)}</div>`;
}

export function head({ texts, settings, where, open, method, ...on }: Head): TemplateResult {
  // Written in full, so that nobody takes the first of them for a way to skip something on this page.
  const here = location.href.replace(/#.*$/, '');
  const followed = (e: MouseEvent, view: ViewName): void => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
    e.preventDefault();
    on.show(view);
  };
  return html`<header>
    <a class="skip" href="#answer" @click=${(e: Event) => { e.preventDefault(); on.skip(); }}>${texts.skip}</a>
    <h1><svg viewBox="0 0 24 24" aria-hidden="true"><use href="#mark-bridge" /></svg>${texts.title}</h1><p>${texts.tagline}</p>
    <div class="tools" ?data-open=${open}>
      ${choice(texts.method, method, [['detailed', texts.detailed], ['article', texts.article]], (v) => on.compute(v))}
      ${choice(texts.units, settings.unit, [['GiB', 'GiB'], ['GB', 'GB']], (unit) => on.choose({ unit }))}
      ${choice(texts.language, settings.language, kLanguages.map(([l, tag, name]) => [l, name, tag]), (language) => on.choose({ language }), false)}
      ${choice<Theme>(texts.theme, settings.theme, [['auto', texts.auto], ['light', texts.light], ['dark', texts.dark]], (theme) => on.choose({ theme }))}
      <button type="button" class="copy fold" @click=${() => on.copy()}>${texts.copyLink}</button>
      <button type="button" class="cog" aria-expanded=${open} aria-label=${texts.pageSettings} @click=${() => on.fold()}><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 7h9m5 0h2M4 17h2m5 0h9" /><circle cx="15.5" cy="7" r="2.5" /><circle cx="8.5" cy="17" r="2.5" /></svg></button>
    </div>
    <nav class="views" aria-label=${texts.viewsLabel}>${kViews.map((v) => html`<a href="${here}#${on.linkTo(v)}" aria-current=${v === where ? 'page' : nothing} @click=${(e: MouseEvent) => followed(e, v)}>${texts.views[v]}</a>`)}</nav>
  </header>`;
}
