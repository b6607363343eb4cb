// The work behind one number: its formula in words and with the numbers put in, what goes in and where each of that is from.

import { type TemplateResult, html, nothing } from 'lit';

import type { Formula, Step, StepInput } from './contract.js';
import { type MathNode, type NameDrawer, inWords, parseFormula, toElement, toMath } from './formula.js';
import { isObject } from './json.js';
import { type View, unitOf } from './parts.js';
import { at, figure, findDevice, stepBehind, stepsOf } from './request.js';
import { nameInWords, plainSentence, sentence } from './text.js';

/** A place in the chain: a number of the answer, or a step that another step rests on. */
export type Place = { path: string } | { id: string; of?: string | undefined };

export interface WorkEvents {
  open: (place: Place) => void;
}

const text = (content: string): MathNode => ({ tag: 'mtext', children: [content] });

export function titleOf(view: View, place: Place): string {
  const { texts } = view;
  if ('path' in place) {
    const last = place.path.split('.').pop()!;
    return texts.figures[place.path] ?? texts.parts[last] ?? nameInWords(last, texts.names);
  }
  const name = nameInWords(place.id, texts.names);
  return place.of ? `${name} (${texts.parts[place.of] ?? nameInWords(place.of, texts.names)})` : name;
}

function findStep(view: View, place: Place): Step | undefined {
  const wanted = 'path' in place ? stepBehind(view.description, view.answer, place.path, view.call) : place;
  if (!wanted) return undefined;
  const steps = stepsOf(view.answer);
  return steps.find((s) => s.id === wanted.id && s.of === wanted.of) ?? steps.find((s) => s.id === wanted.id && wanted.of === undefined);
}

function sources(view: View, ids: string | undefined, locator?: string): TemplateResult {
  return html`${(ids ?? '').split(/\s+/).filter(Boolean).map((id, i) => {
    const source = view.description.sources.find((s) => s.id === id);
    const url = source?.url ?? (/^https:/.test(id) ? id : undefined);
    const title = source?.title ?? id;
    return html`${i > 0 ? view.texts.separator : ''}${url ? html`<a href=${url} rel="noreferrer">${title}</a>` : title}`;
  })}${locator ? html`, ${locator}` : nothing}`;
}

const unitOfStep = (view: View, id: string): string | undefined => view.description.formulas.find((f) => f.id === id)?.unit;

function unitOfInput(view: View, formula: Formula | undefined, input: StepInput): string | undefined {
  if (input.step) return unitOfStep(view, input.step);
  return formula?.inputs?.find((i) => i.name === input.name)?.unit;
}

/** A formula in words, and with the numbers of a step put in; undefined where its text cannot be drawn. `room`: characters beside each other. */
export function drawFormula(view: View, formula: Formula, step: Step | undefined, room: number): { words: Element; numbers: Element | undefined } | undefined {
  const { texts, format } = view;
  const label = text(nameInWords(formula.id, texts.names));
  const words = inWords((name) => nameInWords(name, texts.names));
  const byName = new Map(step?.inputs.map((input) => [input.name, input]));
  const numbers: NameDrawer = (name) => {
    const value = byName.get(name)?.value;
    return typeof value === 'number' ? { tag: 'mn', children: [format.exact(value)] } : text(nameInWords(name, texts.names));
  };
  try {
    const parsed = parseFormula(formula.text);
    return { words: toElement(toMath(parsed, words, label, room)), numbers: step && toElement(toMath(parsed, numbers, { tag: 'mn', children: [format.exact(step.value, formula.unit)] }, room)) };
  } catch {
    return undefined;
  }
}

function formulaLines(view: View, formula: Formula, step: Step): TemplateResult {
  const { texts } = view;
  const drawn = drawFormula(view, formula, step, Math.max(22, Math.floor((Math.min(innerWidth, 800) - 80) / 10.5)));
  if (!drawn) return html`<p class="formula"><code>${formula.text}</code></p>`;
  return html`<h3>${texts.formula}</h3>
    <div class="formula" tabindex="0" role="group" aria-label=${texts.formula}>${drawn.words}</div>
    <h3>${texts.withNumbers}</h3>
    <div class="formula" tabindex="0" role="group" aria-label=${texts.withNumbers}>${drawn.numbers}</div>`;
}

/** Which of a device's figures an input stands for, so that its source can be named. */
function deviceFigure(view: View, input: StepInput): unknown[] | undefined {
  const device = findDevice(view.description, view.request);
  if (!device?.basis) return undefined;
  const keys: Record<string, string[]> = {
    capacity: ['memory_bytes', 'marketed_bytes'], bandwidth: ['bandwidth'], link_bandwidth: ['link_bandwidth'], power: ['power_w'], price: ['price'],
    usable_fraction: ['usable_fraction'], peak: Object.keys(device.flops ?? {}).map((p) => `flops.${p}`),
  };
  for (const key of keys[input.name] ?? []) {
    const known = key.startsWith('flops.') ? device.flops?.[key.slice(6)] : (device as unknown as Record<string, unknown>)[key];
    const same = Array.isArray(input.value) ? input.value.some((v) => v === known) : input.value === known;
    if (same || key === 'price') return device.basis[key];
  }
  return undefined;
}

function provenance(view: View, basis: unknown[]): TemplateResult {
  const [how, ...rest] = basis.map(String);
  const known = rest.filter((r) => view.description.sources.some((s) => s.id === r));
  return html`<small>${view.texts.froms[how ?? ''] ?? how}: ${known.length > 0 ? sources(view, known.join(' ')) : rest.join(' ')}</small>`;
}

/** What a row of a sum stands for: tensors keep their names, the rest is said in words. */
export function rowName(row: string, texts: View['texts']): string {
  const layers = /^layers (\d[\d\s,–-]*)$/.exec(row);
  if (layers) return plainSentence(texts.rowLayers, { n: layers[1]! });
  const weights = /^(\S+) weights in (\S+)$/.exec(row);
  if (weights) return plainSentence(texts.rowWeights, { stored: weights[1]!, computed: weights[2]! });
  return row.includes('.') ? row : nameInWords(row, texts.names);
}

function inputRows(view: View, formula: Formula | undefined, step: Step, events: WorkEvents): TemplateResult | typeof nothing {
  const { texts, format } = view;
  const plain = step.inputs.filter((input) => !Array.isArray(input.value));
  const vectors = step.inputs.filter((input) => Array.isArray(input.value));
  return html`
    ${plain.length === 0 ? nothing : html`<h3>${texts.inputs}</h3>
      <div class="scroll"><table class="inputs">
        <thead><tr><th scope="col">${texts.name}</th><th scope="col" class="value">${texts.value}</th><th scope="col">${texts.from}</th></tr></thead>
        <tbody>${plain.map((input) => {
          const value = format.exact(input.value as number, unitOfInput(view, formula, input));
          const name = nameInWords(input.name, texts.names);
          const basis = input.from === 'catalog' || input.from === 'device' ? deviceFigure(view, input) : undefined;
          return html`<tr><th scope="row">${name}</th>
            <td class="value">${input.step
              ? html`<button type="button" class="number" aria-label=${`${texts.openStep.replace('{name}', name)}: ${value}`} @click=${() => events.open({ id: input.step!, of: input.of })}>${value}</button>`
              : value}</td>
            <td><span class="from from-${input.from}">${texts.froms[input.from] ?? input.from}</span>${basis ? provenance(view, basis) : nothing}</td></tr>`;
        })}</tbody>
      </table></div>`}
    ${vectors.length === 0 ? nothing : html`<h3>${texts.rows}</h3>${rowTable(view, step)}`}`;
}

/** The rows of a sum; undefined where a step is none. */
export function rowTable(view: View, step: Step): TemplateResult | undefined {
  const { texts, format } = view;
  const vectors = step.inputs.filter((input) => Array.isArray(input.value));
  if (vectors.length === 0) return undefined;
  const rows = Math.max(0, ...vectors.map((v) => (v.value as number[]).length));
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${texts.rows}><table class="inputs">
    <thead><tr>${step.rows ? html`<th scope="col">${texts.name}</th>` : nothing}${vectors.map((v) => html`<th scope="col" class="value">${nameInWords(v.name, texts.names)}</th>`)}</tr></thead>
    <tbody>${Array.from({ length: rows }, (_, i) => html`<tr>${step.rows ? html`<th scope="row">${rowName(step.rows[i] ?? '', texts)}</th>` : nothing}
      ${vectors.map((v) => html`<td class="value">${format.exact((v.value as number[])[i] ?? 0)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** Formulas that are still a little too wide are set smaller, down to what can be read. */
export function fitFormulas(sheet: Element): void {
  for (const box of sheet.querySelectorAll<HTMLElement>('.formula')) {
    const math = box.firstElementChild as HTMLElement | null;
    if (!math) continue;
    math.style.fontSize = '';
    for (let size = 1.1; size > 0.7 && box.scrollWidth > box.clientWidth; size -= 0.08) math.style.fontSize = `${size.toFixed(2)}rem`;
  }
}

export function work(view: View, place: Place, events: WorkEvents): TemplateResult {
  const { texts, format, answer } = view;
  const step = findStep(view, place);
  const formula = step && view.description.formulas.find((f) => f.id === step.id);
  const path = 'path' in place ? place.path : undefined;
  const value = path === undefined ? step?.value : figure(answer, path);
  const unit = path === undefined ? formula?.unit : unitOf(view, path);
  const basis = path === undefined ? undefined : at(answer, 'basis');
  const weakest = path !== undefined && isObject(basis) ? basis[path] : undefined;
  const interval = path !== undefined && isObject(answer['intervals']) ? answer['intervals'][path] : undefined;
  const field = path === undefined ? undefined : view.description.answers[view.call]?.find((f) => f.path === path);
  const device = path?.endsWith('.capacity') ? deviceFigure(view, { name: 'capacity', value: value ?? 0, from: 'device' }) : undefined;
  const summary = formula ? (texts.formulas[formula.id] ?? formula.summary) : path === undefined ? undefined : (texts.fields[path] ?? field?.summary);
  return html`
    ${value === undefined ? nothing : html`<p class="result">${format.of(value, unit)} <small>${format.exact(value, unit)}</small></p>`}
    ${summary ? html`<p class="summary">${summary}</p>` : nothing}
    ${Array.isArray(interval) ? html`<p class="muted">${sentence(texts.betweenHint, { range: format.range(Number(interval[0]), Number(interval[1]), unit) })}</p>` : nothing}
    ${formula && step
      ? html`${formulaLines(view, formula, step)}${inputRows(view, formula, step, events)}`
      : html`<p class="muted">${device ? texts.deviceFigure : field?.step ? texts.noWorkHere : texts.noWork}${device ? html`<br />${provenance(view, device)}` : nothing}</p>`}
    <dl class="about">
      ${formula ? html`<div><dt>${texts.source}</dt><dd>${sources(view, formula.source, formula.locator)}</dd></div>
        <div><dt>${texts.kind}</dt><dd><b>${texts.kinds[formula.kind]}</b> <span class="muted">${texts.kindHints[formula.kind]}</span></dd></div>` : nothing}
      ${typeof weakest === 'string' && weakest !== formula?.kind ? html`<div><dt>${texts.basisHint}</dt><dd><b>${texts.kinds[weakest] ?? weakest}</b> <span class="muted">${texts.kindHints[weakest] ?? ''}</span></dd></div>` : nothing}
    </dl>`;
}
