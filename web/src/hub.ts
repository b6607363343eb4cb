// A model from the Hugging Face Hub, because the reader asked for it: its config.json, its index, and the beginnings of its
// files by HTTP range. Nothing of the request leaves the page besides the repository's name.

import type { Client } from './contract.js';
import { type ReadModel, type Source, Unreadable, type Words, readSources } from './files.js';
import type { HubReference } from './hub_reference.js';
import { isObject } from './json.js';
import { plainSentence } from './text.js';

const kMostText = 32 << 20; // an index of a large checkpoint has some 10 MB
const kFirstOfHeader = 1 << 18;
const kMostShards = 16; // headers of more files than these tell no more than the index does

/** A mirror may be named in the page's head; what the policy in the same head allows must then agree. */
const meta = (): HTMLMetaElement | null => document.querySelector('meta[name="weighbridge-hub"]');
export const hubBase = (): string => (meta()?.content || 'https://huggingface.co').replace(/\/+$/, '');
const patience = (): number => Number(meta()?.dataset['timeout']) || 20_000;

export type HubProblem = 'offline' | 'gated' | 'closed' | 'missing' | 'revision' | 'noModel' | 'noFile' | 'timeout' | 'unreachable' | 'brokenOff' | 'blocked' | 'failed' | 'tooLarge' | 'unusable';

/** Several files of weights, of which the reader has to choose one. */
export interface HubChoice {
  choices: { name: string; reference: HubReference }[];
}

export class Stopped extends Error {}

interface Ask {
  reference: HubReference;
  words: Words;
  stop: AbortSignal;
  say: (file: string) => void;
}

function refusal({ reference, words }: Ask, problem: HubProblem, values: Record<string, string> = {}): Unreadable {
  return new Unreadable(plainSentence(words.texts.hub[problem]!, { id: reference.id, host: new URL(hubBase()).host, revision: reference.revision ?? 'main', ...values }));
}

const escaped = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
const addressOf = ({ id, revision }: HubReference, file: string): string => `${hubBase()}/${escaped(id)}/resolve/${encodeURIComponent(revision ?? 'main')}/${escaped(file)}`;

/** A request that is given up when nothing comes for a while. Answers undefined when the repository has no such file. */
async function request(ask: Ask, url: string, name: string, range?: [from: number, to: number]): Promise<{ response: Response; alive: () => void; late: () => boolean; end: () => void } | undefined> {
  if (!navigator.onLine) throw refusal(ask, 'offline');
  const giveUp = new AbortController();
  let timer = 0;
  let late = false;
  const alive = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => ((late = true), giveUp.abort()), patience());
  };
  const stopped = (): void => giveUp.abort();
  let blocked = false;
  const violated = (): void => void (blocked = true);
  document.addEventListener('securitypolicyviolation', violated);
  ask.stop.addEventListener('abort', stopped);
  addEventListener('offline', stopped);
  const end = (): void => {
    clearTimeout(timer);
    giveUp.abort();
    ask.stop.removeEventListener('abort', stopped);
    removeEventListener('offline', stopped);
    document.removeEventListener('securitypolicyviolation', violated);
  };
  alive();
  ask.say(name);
  let response: Response;
  try {
    response = await fetch(url, { headers: range ? { Range: `bytes=${range[0]}-${range[1] - 1}` } : {}, signal: giveUp.signal, credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-cache' });
  } catch {
    await new Promise((done) => setTimeout(done)); // the violation's event comes after the failure
    end();
    if (ask.stop.aborted) throw new Stopped();
    throw refusal(ask, late ? 'timeout' : blocked ? 'blocked' : navigator.onLine ? 'unreachable' : 'offline');
  }
  if (response.ok) return { response, alive, late: () => late, end };
  end();
  const code = response.headers.get('x-error-code') ?? '';
  if (code === 'GatedRepo') throw refusal(ask, 'gated');
  if (code === 'RepoNotFound') throw refusal(ask, 'missing');
  if (code === 'RevisionNotFound') throw refusal(ask, 'revision');
  if (response.status === 404 || response.status === 410 || code === 'EntryNotFound') return undefined;
  if (response.status === 403) throw refusal(ask, 'gated');
  if (response.status === 401) throw refusal(ask, 'closed');
  throw refusal(ask, 'failed', { status: String(response.status) });
}

/** The body up to `most` bytes; what is longer is broken off. */
async function body(ask: Ask, got: NonNullable<Awaited<ReturnType<typeof request>>>, most: number): Promise<{ bytes: Uint8Array; whole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let whole = true;
  const reader = got.response.body?.getReader();
  try {
    for (;;) {
      const part = await reader?.read();
      if (!part || part.done) break;
      got.alive();
      chunks.push(part.value);
      length += part.value.length;
      if (length > most) {
        whole = false;
        break;
      }
    }
  } catch {
    if (ask.stop.aborted) throw new Stopped();
    throw refusal(ask, !navigator.onLine ? 'offline' : got.late() ? 'timeout' : 'brokenOff');
  } finally {
    got.end();
  }
  const bytes = new Uint8Array(Math.min(length, most));
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, whole };
}

/** A small file, whole. */
async function text(ask: Ask, url: string, name: string): Promise<string | undefined> {
  const got = await request(ask, url, name);
  if (!got) return undefined;
  const { bytes, whole } = await body(ask, got, kMostText);
  if (!whole) throw refusal(ask, 'tooLarge', { file: name });
  return new TextDecoder().decode(bytes);
}

const whole = (name: string, content: string): Source => {
  const bytes = new TextEncoder().encode(content);
  return { name, size: bytes.length, read: () => Promise.resolve(bytes) };
};

/** A large file, from its start as far as is wanted. Servers that ignore the range are broken off as soon as there is enough. */
class Remote implements Source {
  private bytes: Uint8Array = new Uint8Array();
  size = 0;
  found = true;
  readonly first = kFirstOfHeader;

  constructor(private readonly ask: Ask, readonly name: string) {}

  async read(wanted: number): Promise<Uint8Array> {
    const have = this.bytes.length;
    const to = this.size > 0 ? Math.min(wanted, this.size) : wanted;
    if (have >= to) return this.bytes;
    const got = await request(this.ask, addressOf(this.ask.reference, this.name), this.name, [have, to]);
    if (!got) {
      this.found = false;
      return this.bytes;
    }
    const { response } = got;
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
    const partial = response.status === 206 && (range === null || Number(range[1]) === have);
    if (response.status === 206 && !partial) {
      got.end();
      throw refusal(this.ask, 'failed', { status: '206' });
    }
    const { bytes, whole } = await body(this.ask, got, partial ? to - have : to);
    if (partial) {
      const joined = new Uint8Array(have + bytes.length);
      joined.set(this.bytes);
      joined.set(bytes, have);
      this.bytes = joined;
    } else {
      this.bytes = bytes;
    }
    const stated = range ? Number(range[2]) : partial ? 0 : Number(response.headers.get('x-linked-size') ?? response.headers.get('content-length') ?? 0);
    // Without a stated size a file that goes on counts as one that is long enough for whatever its header says.
    this.size = stated >= this.bytes.length ? stated : whole && !partial ? this.bytes.length : Number.MAX_SAFE_INTEGER;
    return this.bytes;
  }
}

/** The parts of a split GGUF file: `…-00001-of-00003.gguf`. */
function partsOf(name: string, all?: string[]): string[] {
  const split = /^(.*-)(\d{5})(-of-)(\d{5})(\.gguf)$/i.exec(name);
  if (!split) return [name];
  const count = Math.min(Number(split[4]), 256);
  const parts = Array.from({ length: count }, (_, i) => `${split[1]}${String(i + 1).padStart(5, '0')}${split[3]}${split[4]}${split[5]}`);
  return all && !parts.every((part) => all.includes(part)) ? [name] : parts;
}

async function weightsOf(ask: Ask): Promise<Source[]> {
  const index = await text(ask, addressOf(ask.reference, 'model.safetensors.index.json'), 'model.safetensors.index.json');
  if (index === undefined) {
    const one = new Remote(ask, 'model.safetensors');
    await one.read(kFirstOfHeader);
    return one.found ? [one] : [];
  }
  const sources: Source[] = [whole('model.safetensors.index.json', index)];
  let shards: string[] = [];
  try {
    const map = (JSON.parse(index) as { weight_map?: unknown }).weight_map;
    if (isObject(map)) shards = [...new Set(Object.values(map).filter((v): v is string => typeof v === 'string' && /^[\w./-]+\.safetensors$/.test(v) && !v.includes('..')))];
  } catch {
    // the core says what is wrong with it
  }
  if (shards.length <= kMostShards) {
    const remote = shards.sort().map((name) => new Remote(ask, name));
    await Promise.all(remote.map((one) => one.read(kFirstOfHeader)));
    if (remote.every((one) => one.found)) sources.push(...remote);
  }
  return sources;
}

async function listed(ask: Ask): Promise<{ files: string[]; task: string }> {
  const { reference } = ask;
  const at = `${hubBase()}/api/models/${escaped(reference.id)}${reference.revision ? `/revision/${encodeURIComponent(reference.revision)}` : ''}`;
  const answer = await text(ask, at, reference.id);
  if (answer === undefined) throw refusal(ask, 'missing');
  try {
    const value: unknown = JSON.parse(answer);
    const siblings = isObject(value) && Array.isArray(value['siblings']) ? value['siblings'].filter(isObject) : [];
    return { files: siblings.map((s) => s['rfilename']).filter((f): f is string => typeof f === 'string'), task: isObject(value) && typeof value['pipeline_tag'] === 'string' ? value['pipeline_tag'] : '' };
  } catch {
    throw refusal(ask, 'failed', { status: '200' });
  }
}

/** The model of a repository; or the files among which the reader has to choose. */
export async function fromHub(client: Client, reference: HubReference, words: Words, stop: AbortSignal, say: (file: string) => void): Promise<ReadModel | HubChoice> {
  const ask: Ask = { reference, words, stop, say };
  if (reference.file && /\.gguf$/i.test(reference.file)) {
    const parts = partsOf(reference.file).map((name) => new Remote(ask, name));
    await Promise.all(parts.map((part) => part.read(kFirstOfHeader)));
    const gone = parts.find((part) => !part.found);
    if (gone) throw refusal(ask, 'noFile', { file: gone.name });
    const read = await readSources(client, parts, words);
    return { ...read, name: `${reference.id}/${reference.file}` };
  }
  const config = await text(ask, addressOf(reference, 'config.json'), 'config.json');
  if (config === undefined) {
    const { files, task } = await listed(ask);
    const gguf = files.filter((f) => /\.gguf$/i.test(f) && !/mmproj/i.test(f)).filter((f, _, all) => partsOf(f, all)[0] === f);
    const wanted = reference.tag ? gguf.filter((f) => f.toLowerCase().includes(reference.tag!.toLowerCase())) : gguf;
    if (gguf.length === 0) throw refusal(ask, 'noModel', { task: task || '–' });
    if (wanted.length === 1) return fromHub(client, { ...reference, file: wanted[0]! }, words, stop, say);
    return { choices: (wanted.length > 0 ? wanted : gguf).map((name) => ({ name, reference: { ...reference, file: name } })) };
  }
  const sources = [whole('config.json', config), ...(await weightsOf(ask))];
  const read = await readSources(client, sources, words).catch((error: unknown) => {
    if (error instanceof Unreadable) throw refusal(ask, 'unusable', { type: /"model_type"\s*:\s*"([\w.-]+)"/.exec(config)?.[1] ?? '–', reason: error.message });
    throw error;
  });
  return { ...read, name: reference.id, model: { ...read.model, name: reference.id } };
}
