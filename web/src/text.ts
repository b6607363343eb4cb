// Sentences with {placeholders}, and texts of problems with [parts] that fall away when a param is absent.

import type { Json } from './json.js';

/** The pieces of a sentence, with values (numbers, buttons, templates) where its placeholders stand. */
export function sentence(text: string, values: Record<string, unknown>): unknown[] {
  return text.split(/\{(\w+)\}/).map((piece, i) => (i % 2 === 0 ? piece : (values[piece] ?? '')));
}

export function plainSentence(text: string, values: Record<string, string>): string {
  return sentence(text, values).join('');
}

/** `text` with `written(name)` put in; a [part] is left out when one of its params is undefined. */
export function fillOptional(text: string, written: (name: string) => string | undefined): string {
  const put = (part: string): string | undefined => {
    let complete = true;
    const filled = part.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = written(name);
      if (value === undefined || value === '') complete = false;
      return value ?? '?';
    });
    return complete ? filled : undefined;
  };
  return text
    .split(/(\[[^\]]*\])/)
    .map((part) => (part.startsWith('[') ? (put(part.slice(1, -1)) ?? '') : part.replace(/\{(\w+)\}/g, (_, name: string) => written(name) ?? '?')))
    .join('');
}

export interface ProblemWords {
  problemTexts: Record<string, string>;
  fragments: Record<string, string>;
  separator: string;
  unit?: Record<string, string>;
}

/** A problem in the page's language: from its code and params where the language has a text, else as the core says it. */
export function problemText(
  problem: { code: string; message: string; params?: Record<string, Json> },
  words: ProblemWords,
  number: (value: number) => string,
): string {
  const text = words.problemTexts[problem.code];
  if (text === undefined) return problem.message;
  const one = (value: Json): string =>
    typeof value === 'number' ? number(value) : typeof value === 'string' ? (words.fragments[value] ?? value) : JSON.stringify(value);
  return fillOptional(text, (name) => {
    const value = problem.params?.[name];
    if (value === undefined || value === null) return undefined;
    if (name === 'unit' && typeof value === 'string') return words.unit?.[value] ?? value;
    return Array.isArray(value) ? value.map(one).join(words.separator) : one(value);
  });
}

/** `kv_bytes_per_token` as people write it. */
export function nameInWords(name: string, names: Record<string, string>): string {
  return (
    names[name] ??
    name
      .split('_')
      .map((w) => (/^(kv|flops?|tpot|ttft|mlp|usd|mla)$/.test(w) ? w.toUpperCase().replace('FLOPS', 'FLOP') : w))
      .join(' ')
  );
}
