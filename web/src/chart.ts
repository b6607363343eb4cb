// One chart and its table twin. Drawn as SVG by hand: a few kinds of chart are less than a plotting library weighs, and they
// print and recolour with the page.

import { type TemplateResult, html, nothing, svg } from 'lit';

export interface Line {
  name: string;
  /** Class that colours it: `line-0` to `line-3`, or a part of the memory. */
  kind: string;
  points: [x: number, y: number][];
  /** The range that held 80 % of comparable measurements, at the same places. */
  band?: [low: number, high: number][];
}

export interface Axis {
  title: string;
  show: (value: number) => string;
  log: boolean;
  from?: number;
  to?: number;
  /** How much one of what is shown is, where that is not 1. */
  one?: number;
  /** Where marks may stand; by default round numbers. */
  marks?: number[];
}

export interface Chart {
  id: string;
  title: string;
  unit?: string;
  x: Axis;
  y: Axis;
  lines: Line[];
  /** Parts that stand on each other, in place of lines. */
  stacked?: boolean;
  limit?: { value: number; name: string };
  now?: { x: number; y?: number; name: string };
  /** Points with names: after the point, or before it where the curve runs the other way. */
  dots?: { x: number; y: number; name: string; kind: string; before?: boolean }[];
  /** What is to be said of it, below. */
  notes?: string[];
  table: { head: string[]; rows: string[][] };
  tableName: string;
}

const kWidth = 480;
const kHeight = 210;
const kLeft = 56;
const kBottom = 28;
const kTop = 12;
const kRight = 10;

export function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((f) => f * power).find((v) => v >= value * 0.9999) ?? value;
}

/** Whether marks at this distance are round numbers. */
function niceStep(step: number): boolean {
  const first = step / 10 ** Math.floor(Math.log10(step));
  return [1, 2, 2.5, 5, 10].some((f) => Math.abs(first / f - 1) < 1e-9);
}

function marksOf(axis: Axis, low: number, high: number): number[] {
  if (axis.marks) return axis.marks.filter((m) => m >= low && m <= high).filter((_, i, all) => i % Math.ceil(all.length / 7) === 0);
  if (!axis.log) {
    const parts = [4, 5, 3].find((n) => niceStep((high - low) / n / (axis.one ?? 1))) ?? 4;
    return Array.from({ length: parts + 1 }, (_, i) => low + ((high - low) * i) / parts);
  }
  const all: number[] = [];
  for (let p = Math.ceil(Math.log10(low) - 1e-9); 10 ** p <= high * 1.0001; ++p) all.push(10 ** p);
  return all.length > 1 ? all.filter((_, i) => i % Math.ceil(all.length / 6) === 0) : [low, high];
}

export function chart(c: Chart): TemplateResult | typeof nothing {
  const points = c.lines.flatMap((l) => l.points).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  if (points.length === 0) return nothing;
  const xs = [...points.map((p) => p[0]), ...(c.dots ?? []).map((d) => d.x)];
  const bands = c.lines.flatMap((l) => l.band ?? []).flat().filter(Number.isFinite);
  const sums = c.stacked ? (c.lines[0]?.points ?? []).map((_, i) => c.lines.reduce((sum, l) => sum + (l.points[i]?.[1] ?? 0), 0)) : points.map((p) => p[1]);
  const ys = [...sums, ...bands, ...(c.dots ?? []).map((d) => d.y), ...(c.limit ? [c.limit.value] : [])].filter((v) => Number.isFinite(v) && (!c.y.log || v > 0));
  const [x0, x1] = [c.x.from ?? Math.min(...xs), c.x.to ?? Math.max(...xs)];
  const y0 = c.y.from ?? (c.y.log ? Math.min(...ys) : 0);
  const y1 = c.y.to ?? (c.y.log ? Math.max(...ys) : niceTop(Math.max(...ys)));
  const place = (axis: Axis, v: number, low: number, high: number): number => (high === low ? 0 : axis.log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low));
  const x = (v: number): number => kLeft + (kWidth - kLeft - kRight) * place(c.x, v, x0, x1);
  const y = (v: number): number => kHeight - kBottom - (kHeight - kBottom - kTop) * Math.max(-0.02, Math.min(1.02, place(c.y, c.y.log ? Math.max(v, y0 / 1e3) : v, y0, y1)));
  const at = (px: number, py: number): string => `${x(px).toFixed(1)},${y(py).toFixed(1)}`;
  const inX = (v: number): boolean => v >= x0 * 0.9999 && v <= x1 * 1.0001;
  const isBefore = (d: NonNullable<Chart['dots']>[number]): boolean => d.before ?? x(d.x) > kWidth - 110;
  const below = (c.lines[0]?.points ?? []).map(() => 0);
  const good = (l: Line): [number, number][] => l.points.filter(([px, py]) => Number.isFinite(px) && Number.isFinite(py) && (!c.y.log || py > 0));
  return html`<figure class="curve" data-curve=${c.id}>
    <figcaption>${c.title}${c.unit ? html` <small>${c.unit}</small>` : nothing}</figcaption>
    <svg viewBox="0 0 ${kWidth} ${kHeight}" role="img" aria-label=${c.title}>
      ${marksOf(c.y, y0, y1).map((m) => svg`<line class="grid" x1=${kLeft} x2=${kWidth - kRight} y1=${y(m)} y2=${y(m)} /><text x=${kLeft - 6} y=${y(m) + 4} text-anchor="end">${c.y.show(m)}</text>`)}
      ${marksOf(c.x, x0, x1).map((m) => svg`<text x=${x(m)} y=${kHeight - 9} text-anchor=${x(m) > kWidth - 34 ? 'end' : 'middle'}>${c.x.show(m)}</text>`)}
      ${c.lines.map((l) => {
        if (c.stacked) {
          const lower = l.points.map(([px], i) => at(px, below[i]!));
          const upper = l.points.map(([px, py], i) => at(px, (below[i]! += Number.isFinite(py) ? py : 0)));
          return svg`<polygon class="area ${l.kind}" points=${[...upper, ...lower.reverse()].join(' ')} />`;
        }
        const band = l.band?.map((b, i) => [l.points[i]![0], b] as const).filter(([px, [low, high]]) => Number.isFinite(px) && Number.isFinite(low) && Number.isFinite(high));
        return svg`${band && band.length > 1 ? svg`<polygon class="band ${l.kind}" points=${[...band.map(([px, [, high]]) => at(px, high)), ...band.map(([px, [low]]) => at(px, low)).reverse()].join(' ')} />` : nothing}
          <polyline class="line ${l.kind}" points=${good(l).map(([px, py]) => at(px, py)).join(' ')} />`;
      })}
      ${c.limit ? svg`<line class="limit" x1=${kLeft} x2=${kWidth - kRight} y1=${y(c.limit.value)} y2=${y(c.limit.value)} /><text class="limit-text" x=${kWidth - 14} y=${y(c.limit.value) < kTop + 14 ? y(c.limit.value) + 14 : y(c.limit.value) - 5} text-anchor="end">${c.limit.name}</text>` : nothing}
      ${(c.dots ?? []).map((d) => svg`<circle class="dot ${d.kind}" cx=${x(d.x)} cy=${y(d.y)} r="5" /><text class="now-text" x=${isBefore(d) ? x(d.x) - 9 : x(d.x) + 9} y=${y(d.y) + 16} text-anchor=${isBefore(d) ? 'end' : 'start'}>${d.name}</text>`)}
      ${c.now && inX(c.now.x)
        ? c.now.y === undefined
          ? svg`<line class="now" x1=${x(c.now.x)} x2=${x(c.now.x)} y1=${kTop} y2=${kHeight - kBottom} /><text class="now-text" x=${Math.min(x(c.now.x) + 4, kWidth - 44)} y=${kTop + 8}>${c.now.name}</text>`
          : svg`<circle class="dot" cx=${x(c.now.x)} cy=${y(c.now.y)} r="5" /><text class="now-text" x=${x(c.now.x) > kWidth - 80 ? x(c.now.x) - 9 : x(c.now.x) + 9} text-anchor=${x(c.now.x) > kWidth - 80 ? 'end' : 'start'} y=${y(c.now.y) + (y(c.now.y) < kTop + 16 ? 14 : -7)}>${c.now.name}</text>`
        : nothing}
    </svg>
    <p class="keys"><span class="axis">${c.x.title}</span>${c.lines.length > 1 ? c.lines.filter((l) => l.points.some((p) => p[1] > 0)).map((l) => html`<span class="key ${l.kind}"><i></i>${l.name}</span>`) : nothing}</p>
    ${(c.notes ?? []).map((note) => html`<p class="note">${note}</p>`)}
    <details><summary>${c.tableName}</summary><div class="scroll" tabindex="0" role="group" aria-label=${c.title}><table>
      <thead><tr>${c.table.head.map((name, i) => html`<th scope="col" class=${i > 0 ? 'value' : ''}>${name}</th>`)}</tr></thead>
      <tbody>${c.table.rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="value">${cell}</td>`))}</tr>`)}</tbody>
    </table></div></details>
  </figure>`;
}
