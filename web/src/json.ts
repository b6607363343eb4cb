// Plain JSON values, and JSON Pointers into them. Nothing here changes a value in place.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function tokensOf(pointer: string): string[] {
  return pointer === '' ? [] : pointer.slice(1).split('/').map((t) => t.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function get(value: Json | undefined, pointer: string): Json | undefined {
  let at: Json | undefined = value;
  for (const token of tokensOf(pointer)) {
    if (Array.isArray(at)) at = at[Number(token)];
    else if (isObject(at) && Object.hasOwn(at, token)) at = at[token];
    else return undefined;
  }
  return at;
}

/** A copy of `value` with `next` at `pointer`; `undefined` takes the member away, and parents that this leaves empty too. */
export function set(value: JsonObject, pointer: string, next: Json | undefined): JsonObject {
  const [head, ...rest] = tokensOf(pointer);
  if (head === undefined) return value;
  const copy: JsonObject = { ...value };
  let member = next;
  if (rest.length > 0) {
    const inner = copy[head];
    const below = set(isObject(inner) ? inner : {}, '/' + rest.map(escapeToken).join('/'), next);
    member = next === undefined && Object.keys(below).length === 0 ? undefined : below;
  }
  if (member === undefined) delete copy[head];
  else Object.defineProperty(copy, head, { value: member, enumerable: true, configurable: true, writable: true });
  return copy;
}

export function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Every leaf of `value` with its pointer; arrays and empty objects count as leaves. */
export function leaves(value: Json, pointer = ''): [pointer: string, leaf: Json][] {
  if (!isObject(value) || Object.keys(value).length === 0) return [[pointer, value]];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, `${pointer}/${escapeToken(key)}`));
}

export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  }
  return false;
}
