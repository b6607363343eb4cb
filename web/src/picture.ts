// The answer as a picture of its own, to put into a text or a talk: SVG with plain text in it, or that as PNG.

import { assumed, deviceName, figure, modelName } from './request.js';
import { type View, barOf, ticks, toneOf, verdict } from './parts.js';
import { plainly } from './share.js';
import { plainSentence } from './text.js';

const kWidth = 960;
const kMargin = 36;
const kBar = kWidth - 2 * kMargin;
const kSharper = 2; // pixels of a PNG per unit of the picture

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\u00a0', ' ');

/** The colours and typefaces of the page as it is now, light or dark. */
function inks(): (name: string) => string {
  const probe = document.body.appendChild(document.createElement('i'));
  const known = new Map<string, string>();
  for (const name of ['ticket', 'ink', 'muted', 'rule', 'paper', 'good', 'bad', 'edge', 'weights', 'kv', 'activations', 'runtime', 'gradients', 'optimizer', 'logits', 'weights-ink', 'kv-ink', 'activations-ink', 'runtime-ink', 'gradients-ink', 'optimizer-ink', 'logits-ink']) {
    probe.style.color = `var(--${name})`;
    known.set(name, getComputedStyle(probe).color);
  }
  for (const name of ['serif', 'sans']) {
    probe.style.fontFamily = `var(--${name})`;
    known.set(name, getComputedStyle(probe).fontFamily.replaceAll('"', "'"));
  }
  probe.remove();
  return (name) => known.get(name) ?? 'currentColor';
}

/** Lines of at most this width; Chinese may break anywhere, other scripts between words. */
function lines(text: string, font: string, width: number, measure: CanvasRenderingContext2D): string[] {
  measure.font = font;
  const made: string[] = [];
  let line = '';
  for (const piece of text.match(/[\u3000-\u9fff\uff00-\uffef]|[^\s\u3000-\u9fff\uff00-\uffef]+\s*|\s+/g) ?? []) {
    if (line !== '' && measure.measureText((line + piece).trimEnd()).width > width) {
      made.push(line.trimEnd());
      line = '';
    }
    line += piece;
  }
  return line.trim() === '' ? made : [...made, line.trimEnd()];
}

export function pictureOf(view: View, pace: (view: View) => unknown[] | undefined): string {
  const { texts, format, answer } = view;
  const ink = inks();
  const measure = document.createElement('canvas').getContext('2d')!;
  const out: string[] = [];
  let y = kMargin;
  const write = (text: string, x: number, at: number, size: number, { face = 'sans', color = 'ink', weight = 400, anchor = 'start' } = {}): void =>
    void out.push(`<text x="${x.toFixed(1)}" y="${at.toFixed(1)}" font-family="${escaped(ink(face))}" font-size="${size}" font-weight="${weight}" fill="${ink(color)}" text-anchor="${anchor}">${escaped(text)}</text>`);
  const rect = (x: number, at: number, width: number, height: number, fill: string, more = ''): void => void out.push(`<rect x="${x.toFixed(1)}" y="${at.toFixed(1)}" width="${Math.max(0, width).toFixed(1)}" height="${height}" fill="${fill}" ${more}/>`);
  const paragraph = (text: string, size: number, face: string, color: string): void => {
    for (const line of lines(text, `${size}px ${ink(face)}`, kBar, measure)) write(line, kMargin, (y += size * 1.3) - size * 0.25, size, { face, color });
  };
  const tone = toneOf(answer);
  const [path, key] = view.call === 'estimate' ? ['/weights', 'weights'] : ['/method', 'method'];
  const weights = view.request[key!] ?? assumed(answer, path!);
  paragraph([modelName(view.description, view.request, answer), plainSentence(texts.parametersOf, { count: format.short(figure(answer, 'model.parameters') ?? 0) }), typeof weights === 'string' ? (texts.choices[weights] ?? weights) : ''].filter(Boolean).join(' · '), 16, 'sans', 'muted');
  paragraph(plainly(view, verdict), 30, 'serif', tone === 'short' ? 'bad' : 'ink');
  paragraph(plainly(view, pace), 17, 'sans', 'ink');
  const bar = barOf(view);
  if (bar) {
    const { segments, total, capacity, usable, top, unit } = bar;
    const x = (bytes: number): number => kMargin + (kBar * bytes) / top;
    y += 34;
    if (capacity !== undefined) {
      const right = capacity / top > 0.5;
      write(plainSentence(texts.capacityOf, { device: deviceName(view.description, view.request['device'], texts.customName), capacity: format.giga(capacity) }), x(capacity), y - 8, 14, { color: 'muted', anchor: right ? 'end' : 'start' });
      rect(kMargin, y, x(capacity) - kMargin, 56, ink('paper'), 'rx="2"');
    }
    for (const { part, from, size } of segments) {
      if (size <= 0) continue;
      const name = part === 'kv_cache' ? 'kv' : part;
      const width = (kBar * size) / top;
      rect(x(from), y + 4, width, 48, ink(name), `stroke="${ink('ticket')}"`);
      measure.font = `600 15px ${ink('sans')}`;
      if (measure.measureText(texts.parts[part]!).width + 20 < width) write(texts.parts[part]!, x(from) + 10, y + 33, 15, { color: `${name}-ink`, weight: 600 });
    }
    if (usable !== undefined && total > usable) out.push(`<rect x="${x(usable).toFixed(1)}" y="${y + 4}" width="${((kBar * (total - usable)) / top).toFixed(1)}" height="48" fill="none" stroke="${ink('bad')}" stroke-width="3" stroke-dasharray="6 3"/>`);
    const post = (at: number, how: string): void => void out.push(`<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${y - 2}" y2="${y + 58}" stroke="${ink('ink')}" ${how}/>`);
    if (usable !== undefined && usable !== capacity) post(usable, 'stroke-width="1.5" stroke-dasharray="4 3"');
    if (capacity !== undefined) post(capacity, 'stroke-width="3"');
    y += 60;
    rect(kMargin, y, kBar, 2, ink('ink'));
    ticks(top, unit).forEach((mark, i, all) => write(`${format.number(mark)}${i === all.length - 1 ? ` ${format.unit}` : ''}`, x(mark * unit), y + 20, 13, { color: 'muted', anchor: i === 0 ? 'start' : (mark * unit) / top > 0.93 ? 'end' : 'middle' }));
    y += 56;
    // The same as a table, two parts in a row.
    const rows = [...segments.filter((s) => s.size > 0).map((s) => ({ ...s, name: texts.parts[s.part]! })), { part: 'total', size: total, name: texts.parts['total']! }];
    const column = kBar / 2 - 16;
    rows.forEach(({ part, size, name }, i) => {
      const left = kMargin + (i % 2) * (column + 32);
      if (part !== 'total') rect(left, y - 12, 13, 13, ink(part === 'kv_cache' ? 'kv' : part), 'rx="2"');
      write(name, left + (part === 'total' ? 0 : 22), y, 16, { weight: part === 'total' ? 600 : 400 });
      write(format.giga(size), left + column, y, 16, { anchor: 'end', weight: part === 'total' ? 600 : 400 });
      rect(left, y + 9, column, 1, ink('rule'));
      if (i % 2 === 1 || i === rows.length - 1) y += 32;
    });
  }
  y += 10;
  write(`Weighbridge ${view.description.version}`, kMargin, y, 13, { color: 'muted' });
  if (/^https?:/.test(location.href)) write(location.host + location.pathname, kWidth - kMargin, y, 13, { color: 'muted', anchor: 'end' });
  const height = Math.ceil(y + kMargin * 0.7);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${kWidth}" height="${height}" viewBox="0 0 ${kWidth} ${height}" role="img"><title>${escaped(plainly(view, verdict))}</title>`
    + `<rect width="${kWidth}" height="${height}" fill="${ink('ticket')}"/><rect width="${kWidth}" height="5" fill="${ink(tone === 'fits' ? 'good' : tone === 'short' ? 'bad' : 'edge')}"/>${out.join('')}</svg>\n`;
}

async function asPng(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth * kSharper;
  canvas.height = image.naturalHeight * kSharper;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('no picture'))), 'image/png'));
}

/** Leaves the picture among the reader's downloads. */
export async function savePicture(view: View, kind: 'png' | 'svg', pace: (view: View) => unknown[] | undefined): Promise<void> {
  const svg = pictureOf(view, pace);
  const blob = kind === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : await asPng(svg);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `weighbridge-${modelName(view.description, view.request, view.answer).toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^-|-$/g, '') || 'answer'}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
