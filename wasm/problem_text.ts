// Words for the loader's own problems, from the core's table: describe().problems[].summary.

import type { Finding } from './json_text.js';

export interface Problem {
  severity: 'error' | 'warning' | 'note';
  code: string;
  path: string;
  message: string;
  params: Record<string, string | number | string[]>;
}

/** Puts params into a text: {name} stands for one, a part in [brackets] goes when one of its params is absent. */
export function fill(text: string, params: Problem['params']): string {
  const word = (name: string): string | undefined => {
    const value = params[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return String(value);
    return value.length < 2 ? value.join('') : `${value.slice(0, -1).join(', ')} or ${value[value.length - 1]}`;
  };
  const put = (part: string): string => part.replace(/\{(\w+)\}/g, (_, name: string) => word(name) ?? '?');
  const complete = (part: string): boolean => [...part.matchAll(/\{(\w+)\}/g)].every((m) => word(m[1] as string) !== undefined);
  return put(text.replace(/\[([^\]]*)\]/g, (_, part: string) => (complete(part) ? part : '')));
}

export function withWords(finding: Finding, texts: ReadonlyMap<string, string>): Problem {
  const { code, path, params } = finding;
  return { severity: 'error', code, path, message: fill(texts.get(code) ?? code, params), params };
}
