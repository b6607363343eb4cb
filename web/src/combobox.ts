// A searchable list after the ARIA combobox pattern (editable, list autocomplete), drawn in the page's own tree.

import { LitElement, type TemplateResult, html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';

export interface Option {
  value: string;
  name: string;
  note?: string;
  /** What a search looks through, in lower case. */
  search: string;
  /** Stands below whatever was searched, and is never taken for what was meant. */
  aside?: boolean;
}

const kMost = 100; // rows drawn at once; a search narrows them

const wordsOf = (text: string): string[] => text.toLowerCase().split(/[\s/_-]+/).filter(Boolean);

/** Every word of the query must stand in an option; options that begin with it, and then shorter names, come first. */
export function search(options: Option[], query: string): Option[] {
  const words = wordsOf(query);
  if (words.length === 0) return options;
  const whole = words.join(' ');
  const rank = (o: Option): number => {
    const name = wordsOf(o.name).join(' ');
    return name === whole ? 0 : name.startsWith(whole) ? 1 : name.includes(whole) ? 2 : 3;
  };
  return options
    .filter((o) => words.every((word) => o.search.includes(word)))
    .map((o, i) => [rank(o), o.name.length, i, o] as const)
    .sort((a, b) => a[0] - b[0] || (a[0] < 3 ? a[1] - b[1] : 0) || a[2] - b[2])
    .map((row) => row[3]);
}

export class WbCombobox extends LitElement {
  static override properties = {
    list: { attribute: false }, extra: { attribute: false }, selected: {}, text: {}, fieldId: {}, placeholder: {},
    describedBy: {}, invalid: { type: Boolean }, noneText: {}, countText: { attribute: false }, label: {},
    open_: { state: true }, query_: { state: true }, active_: { state: true },
  };
  declare list: () => Option[];
  declare extra: (query: string) => Option[];
  declare selected: string;
  declare text: string;
  declare label: string;
  declare fieldId: string;
  declare placeholder: string;
  declare describedBy: string;
  declare invalid: boolean;
  declare noneText: string;
  declare countText: (count: number) => string;
  declare private open_: boolean;
  declare private query_: string | undefined; // undefined: nothing typed since it was opened
  declare private active_: number;

  constructor() {
    super();
    this.list = () => [];
    this.extra = () => [];
    this.selected = this.text = this.fieldId = this.placeholder = this.describedBy = this.noneText = this.label = '';
    this.countText = String;
    this.invalid = this.open_ = false;
    this.active_ = -1;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  private get found(): Option[] {
    return [...search(this.list(), this.query_ ?? ''), ...this.extra(this.query_ ?? '')];
  }

  private get input(): HTMLInputElement {
    return this.querySelector('input')!;
  }

  private show(): void {
    if (this.open_) return;
    this.open_ = true;
    this.active_ = this.query_ === undefined ? this.found.findIndex((o) => o.value === this.selected) : 0;
  }

  private hide(): void {
    this.open_ = false;
    this.query_ = undefined;
    this.active_ = -1;
  }

  private choose(option: Option): void {
    this.hide();
    this.dispatchEvent(new CustomEvent('choose', { detail: option.value }));
    this.requestUpdate();
  }

  private typed(event: Event): void {
    this.query_ = (event.target as HTMLInputElement).value;
    this.open_ = true;
    const first = this.found[0];
    this.active_ = this.query_.trim() === '' || !first || first.aside ? -1 : 0;
  }

  private pressed(event: KeyboardEvent): void {
    const found = this.found;
    const last = Math.min(found.length, kMost) - 1;
    const move = (to: number): void => {
      event.preventDefault();
      if (!this.open_) this.show();
      else this.active_ = Math.max(0, Math.min(last, to));
    };
    switch (event.key) {
      case 'ArrowDown':
        return move(this.active_ >= last ? 0 : this.active_ + 1);
      case 'ArrowUp':
        return move(this.active_ <= 0 ? last : this.active_ - 1);
      case 'PageDown':
        return move(this.active_ + 8);
      case 'PageUp':
        return move(this.active_ - 8);
      case 'Enter': {
        if (!this.open_) return;
        event.preventDefault();
        const option = found[this.active_];
        if (option) this.choose(option);
        else if (this.query_?.trim()) this.free(this.query_.trim());
        return;
      }
      case 'Escape':
        if (!this.open_ && this.query_ === undefined) return;
        event.preventDefault();
        this.hide();
        this.input.value = this.text;
        this.input.select();
    }
  }

  private free(text: string): void {
    this.hide();
    this.dispatchEvent(new CustomEvent('free', { detail: text }));
  }

  private left(): void {
    const typed = this.query_?.trim();
    // What was typed and found nothing is handed on, so that it is answered with what is wrong; the rest is put back.
    if (typed && this.found.every((o) => o.aside)) this.free(typed);
    else this.hide();
  }

  private pasted(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData('text') ?? '';
    if (!text.trim().startsWith('{')) return;
    event.preventDefault();
    event.stopPropagation();
    this.hide();
    this.dispatchEvent(new CustomEvent('json', { detail: text }));
  }

  protected override updated(): void {
    this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  protected override render(): TemplateResult {
    const found = this.open_ ? this.found : [];
    const list = `${this.fieldId}-list`;
    const optionId = (i: number): string => `${this.fieldId}-o${i}`;
    return html`<input
        id=${this.fieldId} type="text" role="combobox" autocomplete="off" autocapitalize="off" spellcheck="false"
        aria-autocomplete="list" aria-haspopup="listbox" aria-expanded=${this.open_} aria-controls=${this.open_ ? list : nothing}
        aria-activedescendant=${this.open_ && found[this.active_] ? optionId(this.active_) : nothing}
        aria-invalid=${this.invalid ? 'true' : nothing} aria-describedby=${this.describedBy || nothing}
        placeholder=${this.placeholder} .value=${live(this.query_ ?? this.text)}
        @input=${this.typed} @keydown=${this.pressed} @paste=${this.pasted} @blur=${this.left}
        @focus=${(e: FocusEvent) => (e.target as HTMLInputElement).select()} @click=${this.show} />
      <svg class="chevron" viewBox="0 0 12 12" aria-hidden="true"><path d="M2 4.5 6 8.5 10 4.5" /></svg>
      ${this.open_
        ? html`<div class="popup" @pointerdown=${(e: Event) => e.preventDefault()}>
            <ul role="listbox" id=${list} aria-label=${this.label}>
              ${found.slice(0, kMost).map(
                (o, i) =>
                  html`<li role="option" id=${optionId(i)} aria-selected=${i === this.active_} class="${o.value === this.selected ? 'current' : ''} ${o.aside ? 'aside' : ''}"
                    @click=${() => this.choose(o)}><span>${o.name}</span>${o.note ? html`<small>${o.note}</small>` : nothing}</li>`,
              )}
            </ul>
            <p class="count" aria-live="polite">${found.every((o) => o.aside) ? this.noneText : this.countText(found.filter((o) => !o.aside).length)}</p>
          </div>`
        : nothing}`;
  }
}

customElements.define('wb-combobox', WbCombobox);
