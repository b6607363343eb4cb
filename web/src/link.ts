// The address bar: a request as text after '#', and back.
//
// One member a piece, `name=value`, joined by '&'. The commonest members have a letter; the others are written by their
// pointer with dots (`options.block_size`). A value is bare text when it could not be anything else, and JSON otherwise, so
// that "8" and 8 stay apart. A model that was read from a file is packed (JSON, deflate, base64url) and left out when it is too long.

import { type Json, type JsonObject, escapeToken, isObject, leaves, set, tokensOf } from './json.js';

const kShort: Record<string, string> = {
  m: '/model',
  w: '/weights',
  k: '/kv_cache',
  e: '/engine',
  d: '/device',
  n: '/devices',
  p: '/workload/prompt_tokens',
  o: '/workload/output_tokens',
  c: '/workload/concurrency',
  x: '/workload/context_tokens',
};
const kLetter = new Map(Object.entries(kShort).map(([letter, pointer]) => [pointer, letter]));
const kPacked = 'z';
const kFile = 'file';
const kView = 'v';
const kExtra = 's';

/** More than this is no link that people can send on. */
export const kLongestPacked = 8192;

export interface Link {
  request: JsonObject;
  /** The name of a model file that was too long for the link: it has to be dropped again. */
  missingFile?: string;
  /** The view, when it is not the first one. */
  view?: string;
  /** What a view holds besides the request, in its own words. */
  extra?: string[];
}

export class BrokenLink extends Error {}

// What may stand in a fragment without being escaped, minus what separates our pieces.
const escapeText = (text: string): string =>
  encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%40', '@');

function writeValue(value: Json): string {
  const bare = typeof value === 'string' && value !== '' && !/^[\s\d[{"+\-.]/.test(value) && !/^(true|false|null)$/.test(value);
  return escapeText(bare ? (value as string) : JSON.stringify(value));
}

function readValue(text: string): Json {
  const plain = decodeURIComponent(text);
  if (!/^[\s\d[{"+\-.]/.test(plain) && !/^(true|false|null)$/.test(plain)) {
    if (plain === '') throw new BrokenLink('a member without a value');
    return plain;
  }
  return JSON.parse(plain) as Json;
}

function writeName(pointer: string): string {
  return kLetter.get(pointer) ?? tokensOf(pointer).map((t) => escapeText(t).replaceAll('.', '%2E')).join('.');
}

function readName(name: string): string {
  const known = Object.hasOwn(kShort, name) ? kShort[name] : undefined;
  return known ?? '/' + name.split('.').map((t) => escapeToken(decodeURIComponent(t))).join('/');
}

async function pipe(bytes: Uint8Array, through: CompressionStream | DecompressionStream, limit = Infinity): Promise<Uint8Array> {
  const writer = through.writable.getWriter();
  const written = writer.write(bytes as BufferSource).then(() => writer.close());
  written.catch(() => undefined); // the reader below reports it
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = through.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) throw new BrokenLink('too long when unpacked');
    chunks.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

async function pack(value: Json): Promise<string> {
  const packed = await pipe(new TextEncoder().encode(JSON.stringify(value)), new CompressionStream('deflate-raw'));
  let binary = '';
  for (const byte of packed) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

async function unpack(text: string): Promise<Json> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  const plain = await pipe(bytes, new DecompressionStream('deflate-raw'), 1 << 20);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)) as Json;
}

/** The piece for a model that was read from a file: packed, or the name of the file where that is too long. */
export async function packModel(model: Json, fileName = 'config.json'): Promise<string> {
  const packed = await pack(model);
  return packed.length <= kLongestPacked ? `${kPacked}=${packed}` : `${kFile}=${writeValue(fileName)}`;
}

/** The fragment, without '#', that reopens `request`. `packed` stands for a model that is no name. */
export function joinLink(request: JsonObject, packed: string | undefined, view?: string, extra: string[] = []): string {
  const pieces: string[] = view === undefined ? [] : [`${kView}=${writeValue(view)}`];
  const { model, ...rest } = request;
  if (isObject(model)) {
    if (packed !== undefined) pieces.push(packed);
  } else if (model !== undefined) {
    pieces.push(`m=${writeValue(model)}`);
  }
  if (Object.keys(rest).length > 0) {
    for (const [pointer, value] of leaves(rest)) pieces.push(`${writeName(pointer)}=${writeValue(value)}`);
  }
  pieces.push(...extra.map((text) => `${kExtra}=${encodeURIComponent(text)}`));
  return pieces.join('&');
}

/** The same, with the model packed on the way. `fileName` stands in for one that is too long. */
export const writeLink = async (request: JsonObject, fileName?: string, view?: string, extra?: string[]): Promise<string> =>
  joinLink(request, isObject(request['model']) ? await packModel(request['model'], fileName) : undefined, view, extra);

/** The request in a fragment; throws BrokenLink when it holds anything else. */
export async function readLink(fragment: string): Promise<Link> {
  const link: Link = { request: {} };
  try {
    for (const piece of fragment.replace(/^#/, '').split('&')) {
      const split = piece.indexOf('=');
      if (split < 1) throw new BrokenLink(`no name in "${piece.slice(0, 40)}"`);
      const name = piece.slice(0, split);
      const text = piece.slice(split + 1);
      if (name === kPacked) link.request = set(link.request, '/model', await unpack(text));
      else if (name === kView) link.view = String(readValue(text));
      else if (name === kExtra) (link.extra ??= []).push(decodeURIComponent(text));
      else if (name === kFile) link.missingFile = String(readValue(text));
      else link.request = set(link.request, readName(name), readValue(text));
    }
  } catch (error) {
    throw error instanceof BrokenLink ? error : new BrokenLink(String(error));
  }
  return link;
}
