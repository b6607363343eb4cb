// A table that can be sorted by each column and searched; it scrolls sideways within itself where it is wider than the page.

import { type TemplateResult, html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import { repeat } from 'lit/directives/repeat.js';

import type { ScreenHost } from '../screens.js';
import { plainSentence } from '../text.js';

export interface Column<R> {
  id: string;
  name: string;
  /** What it is sorted by; rows without a value come last either way. */
  value: (row: R) => string | number | undefined;
  show?: (row: R) => unknown;
  numeric?: boolean;
  /** Its first click sorts from the largest. */
  down?: boolean;
}

export interface Choice<R> {
  id: string;
  name: string;
  all: string;
  values: [value: string, name: string][];
  of: (row: R) => string | undefined;
}

const kMost = 600; // rows drawn at once; a search narrows them, a button shows all

export class Table<R> {
  private by: string;
  private down: boolean;
  private query = '';
  private most = kMost;
  private readonly chosen = new Map<string, string>();

  constructor(private readonly host: ScreenHost, private readonly key: (row: R) => string, private readonly text: (row: R) => string, by: string, down = false) {
    this.by = by;
    this.down = down;
  }

  private sort(column: Column<R>): void {
    this.down = this.by === column.id ? !this.down : (column.down ?? false);
    this.by = column.id;
    this.host.requestUpdate();
  }

  rows(all: R[], columns: Column<R>[], choices: Choice<R>[] = []): R[] {
    const words = this.query.toLowerCase().split(/[\s/_-]+/).filter(Boolean);
    const column = columns.find((c) => c.id === this.by) ?? columns[0]!;
    const sign = this.down ? -1 : 1;
    return all
      .filter((row) => choices.every((c) => !this.chosen.get(c.id) || c.of(row) === this.chosen.get(c.id)))
      .filter((row) => words.length === 0 || words.every((word) => this.text(row).toLowerCase().includes(word)))
      .map((row, i) => [column.value(row), i, row] as const)
      .sort(([a, i], [b, j]) => {
        if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0) || i - j;
        const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
        return sign * order || i - j;
      })
      .map((row) => row[2]);
  }

  render(id: string, caption: string, all: R[], columns: Column<R>[], choices: Choice<R>[] = []): TemplateResult {
    const texts = this.host.more!;
    const found = this.rows(all, columns, choices);
    const rows = found.slice(0, this.most);
    return html`<div class="finder">
        <label for="${id}-find">${texts.find}</label><input id="${id}-find" type="search" autocomplete="off" spellcheck="false" .value=${live(this.query)}
          @input=${(e: Event) => { this.query = (e.target as HTMLInputElement).value; this.host.requestUpdate(); }} />
        ${choices.map((c) => html`<label for="${id}-${c.id}">${c.name}</label><select id="${id}-${c.id}" @change=${(e: Event) => { this.chosen.set(c.id, (e.target as HTMLSelectElement).value); this.host.requestUpdate(); }}>
          <option value="">${c.all}</option>${c.values.map(([value, name]) => html`<option value=${value} ?selected=${this.chosen.get(c.id) === value}>${name}</option>`)}</select>`)}
        <p role="status">${plainSentence(texts.rowsShown, { count: this.host.format.count(found.length), all: this.host.format.count(all.length) })}</p>
      </div>
      <div class="scroll wide" tabindex="0" role="group" aria-label=${caption}><table class="list">
        <caption class="unseen">${caption}</caption>
        <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.numeric ? 'value' : ''} aria-sort=${c.id === this.by ? (this.down ? 'descending' : 'ascending') : nothing}><button type="button" @click=${() => this.sort(c)}>${c.name}<i aria-hidden="true">${c.id === this.by ? (this.down ? '↓' : '↑') : ''}</i></button></th>`)}</tr></thead>
        <tbody>${repeat(rows, this.key, (row) => html`<tr>${columns.map((c, i) => {
          const shown = c.show ? c.show(row) : (c.value(row) ?? '–');
          return i === 0 ? html`<th scope="row">${shown}</th>` : html`<td class=${c.numeric ? 'value' : ''}>${shown}</td>`;
        })}</tr>`)}</tbody>
      </table></div>${found.length > rows.length ? html`<p class="tasks more-rows"><button type="button" @click=${() => { this.most = Infinity; this.host.requestUpdate(); }}>${plainSentence(texts.showAll, { count: this.host.format.count(found.length) })}</button></p>` : nothing}`;
  }
}
