// From a JavaScript value to JSON text, saying what JSON cannot carry instead of changing or dropping it.

/** What is wrong, before it has words: see problem_text.ts. */
export interface Finding {
  code: string;
  path: string;
  params: Record<string, string | number | string[]>;
}

// Real config.json files hold NaN and Infinity (Python writes them), so there they are read as null.
const kInsideConfig = /^(\/request)?\/model(\/\d+)?\/config\/|^\/vary\/values\/\d+\/config\/|^\/options\/speculative\/draft_model\/config\//;

// Deeper than the core reads, and shallow enough for every engine's stack.
const kDeepest = 400;

export function pointer(base: string, token: string | number): string {
  return `${base}/${String(token).replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

// In unicode mode only surrogates without their other half are characters of their own.
const kLoneSurrogate = /\p{Surrogate}/u;
const kLoneSurrogates = /\p{Surrogate}/gu;

export const isBroken = (text: string): boolean => kLoneSurrogate.test(text);
export const mended = (text: string): string => text.replace(kLoneSurrogates, '\uFFFD');

/** The position of the first lone surrogate in UTF-8 bytes, as the core counts. */
export function brokenAt(text: string): number {
  return new TextEncoder().encode(text.slice(0, text.search(kLoneSurrogate))).length;
}

/**
 * The JSON text of `value`. Each value that JSON cannot carry becomes null in the text and one finding with its path;
 * `undefined` is left out as JSON.stringify does. Stops, with the finding too_large, once the text is longer than `limit`.
 */
export function jsonText(value: unknown, limit: number, findings: Finding[]): string {
  const ancestors = new Set<object>();
  let length = 0;
  const out: string[] = [];
  const put = (text: string): void => {
    length += text.length;
    out.push(text);
  };
  const refuse = (code: string, path: string, params: Finding['params'] = {}): void => {
    findings.push({ code, path, params });
    put('null');
  };
  const putText = (text: string, path: string): void => {
    if (isBroken(text)) refuse('broken_text', path, { position: brokenAt(text) });
    else put(JSON.stringify(text));
  };

  const write = (given: unknown, path: string, key: string, depth: number): void => {
    let v = given;
    if (typeof v === 'object' && v !== null) {
      if (typeof (v as { toJSON?: unknown }).toJSON === 'function') v = (v as { toJSON(key: string): unknown }).toJSON(key);
      else if (v instanceof Number || v instanceof String || v instanceof Boolean) v = v.valueOf();
    }
    switch (typeof v) {
      case 'string': return putText(v, path);
      case 'boolean': return put(String(v));
      case 'number':
        if (Number.isFinite(v)) return put(JSON.stringify(v));
        return kInsideConfig.test(path) ? put('null') : refuse('not_finite', path, { value: String(v) });
      case 'undefined': return put('null');
      case 'bigint': return refuse('not_json_value', path, { found: 'a BigInt' });
      case 'function': return refuse('not_json_value', path, { found: 'a function' });
      case 'symbol': return refuse('not_json_value', path, { found: 'a symbol' });
    }
    if (v === null) return put('null');
    const object = v as object;
    if (ancestors.has(object)) return refuse('cycle', path);
    if (depth > kDeepest) return put('null');                // the text is too deep already, and the core says so
    const kind = Object.prototype.toString.call(object).slice(8, -1);
    const typed = ArrayBuffer.isView(object) && kind !== 'DataView';
    if (!typed && /^(Map|Set|WeakMap|WeakSet|WeakRef|Promise|RegExp|ArrayBuffer|SharedArrayBuffer|DataView)$/.test(kind)) {
      return refuse('not_json_value', path, { found: `a ${kind}` });
    }
    ancestors.add(object);
    if (typed || Array.isArray(object)) {
      const list = object as unknown as ArrayLike<unknown>;
      put('[');
      for (let i = 0; i < list.length && length <= limit; ++i) {
        if (i > 0) put(',');
        visit(() => list[i], pointer(path, i), String(i), depth + 1);
      }
      put(']');
    } else {
      put('{');
      let first = true;
      for (const name of Object.keys(object)) {
        if (length > limit) break;
        const inner = (object as Record<string, unknown>);
        const place = pointer(path, mended(name));
        let member: unknown;
        try {
          member = inner[name];
        } catch {
          findings.push({ code: 'not_json_value', path: place, params: { found: 'a property that cannot be read' } });
          continue;
        }
        if (member === undefined) continue;
        if (!first) put(',');
        first = false;
        if (isBroken(name)) findings.push({ code: 'broken_text', path: place, params: { position: brokenAt(name) } });
        put(`${JSON.stringify(mended(name))}:`);
        visit(() => member, place, name, depth + 1);
      }
      put('}');
    }
    ancestors.delete(object);
  };

  // Getters, proxies and toJSON are foreign code: whatever they throw is a finding.
  const visit = (read: () => unknown, path: string, key: string, depth: number): void => {
    const before = ancestors.size;
    const at = out.length;
    try {
      write(read(), path, key, depth);
    } catch {
      out.length = at;
      [...ancestors].slice(before).forEach((object) => ancestors.delete(object));
      refuse('not_json_value', path, { found: 'an object that cannot be read' });
    }
  };

  visit(() => value, '', '', 0);
  if (length > limit) findings.push({ code: 'too_large', path: '', params: { limit } });
  return out.join('');
}
