// The documented client over one WebAssembly instance: plain values in, plain values out, and nothing ever thrown.

import { type Core, coreOf, importsOf } from './core.js';
import { type Finding, brokenAt, isBroken, jsonText, mended, pointer } from './json_text.js';
import { type Problem, withWords } from './problem_text.js';

export interface ModelFile {
  name: string;
  /** The file's bytes, or as many from its start as are at hand. */
  bytes?: Uint8Array | ArrayBuffer | ArrayBufferView;
  text?: string;
  /** Of the whole file, when only its beginning is given. */
  size?: number;
}

export interface Answer {
  ok: boolean;
  problems: Problem[];
  [member: string]: unknown;
}

export interface SweepAnswer {
  ok: boolean;
  columns?: Record<string, Float64Array>;
  length?: number;
  problems: Problem[];
}

/** A request is an object, or the JSON text of one. */
export interface Client {
  readonly version: string;
  describe(): any;
  estimate(request: any): any;
  train(request: any): any;
  plan(request: any): any;
  sweep(request: any): SweepAnswer;
  readModel(files: ModelFile[]): any;
}

// The core refuses longer requests by their size; a text that cannot pass is not copied to it.
const kLongestRequest = 4_000_000;
// Headers end long before this, so that no more of a file is copied.
const kMostOfOneFile = 64 << 20;
const kMostOfAllFiles = 256 << 20;

/** An instance, at once where the page's thread may make one, else when it is ready (older browsers, of large modules). */
function start(module: WebAssembly.Module): { core?: Core; ready: Promise<Core> } {
  const imports = importsOf(module);
  try {
    const core = coreOf(new WebAssembly.Instance(module, imports));
    return { core, ready: Promise.resolve(core) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ready: WebAssembly.instantiate(module, imports).then(coreOf) };
  }
}

export async function createClient(module: WebAssembly.Module): Promise<Client> {
  const first = start(module);
  // Calls stay synchronous after an abort: a fresh instance is made at once, or lies ready where that cannot be.
  const atOnce = first.core !== undefined;
  let core: Core | undefined = await first.ready;
  let spare: Core | undefined;
  const layReady = (): void => void start(module).ready.then((made) => (spare = made), () => {});
  if (!atOnce) layReady();

  const renew = (): void => {
    core = spare;
    spare = undefined;
    if (atOnce) core = start(module).core;
    else layReady();
  };

  /** Asks the core. `undefined` when it failed; then the next call has a fresh instance. */
  const ask = <T>(question: (core: Core) => T): { answer: T } | { failure: string } => {
    try {
      if (!core) renew();
      if (!core) return { failure: 'a fresh instance is being made' };
      return { answer: question(core) };
    } catch (error) {
      core = undefined;
      try {
        renew();
      } catch {
        // The next call tries again.
      }
      return { failure: String(error instanceof Error ? error.message : error) };
    }
  };

  let texts: ReadonlyMap<string, string> | undefined;
  const words = (finding: Finding): Problem => {
    if (!texts) {
      const described = ask((c) => (JSON.parse(c.describe()) as { problems?: { code: string; summary: string }[] }).problems ?? []);
      if ('answer' in described) texts = new Map(described.answer.map((row) => [row.code, row.summary]));
    }
    return withWords(finding, texts ?? new Map());
  };
  const failed = (findings: Finding[]): Answer => ({ ok: false, problems: findings.map(words) });
  const broken = (failure: string): Answer => failed([{ code: 'internal_error', path: '', params: { detail: failure } }]);

  /** The request as text, given to `question`; what JSON cannot carry comes first among the problems. */
  const call = (request: unknown, question: (core: Core, text: string) => Answer): Answer => {
    const findings: Finding[] = [];
    let text: string;
    if (typeof request === 'string') {
      if (request.length > kLongestRequest) findings.push({ code: 'too_large', path: '', params: { bytes: utf8Length(request), limit: kLongestRequest } });
      else if (isBroken(request)) findings.push({ code: 'broken_text', path: '', params: { position: brokenAt(request) } });
      if (findings.length > 0) return failed(findings);
      text = request;
    } else {
      text = jsonText(request, kLongestRequest, findings);
      if (findings.some((finding) => finding.code === 'too_large')) return failed(findings);
    }
    const asked = ask((c) => question(c, text));
    if ('failure' in asked) return broken(asked.failure);
    if (findings.length === 0) return asked.answer;
    // What stands in place of a value that cannot be carried is not the caller's mistake.
    const own = findings.map(words);
    const others = asked.answer.ok ? [] : asked.answer.problems.filter((p) => !own.some((o) => isWithin(p.path, o.path) || isOf(p, o.path)));
    return { ok: false, problems: [...own, ...others] };
  };
  const plain = (name: 'estimate' | 'train' | 'plan') => (request: unknown): Answer =>
    call(request, (c, text) => JSON.parse(c[name](text)) as Answer);

  const version = core.version();
  return Object.freeze({
    version,
    describe: (): any => {
      const asked = ask((c) => JSON.parse(c.describe()) as unknown);
      return 'answer' in asked ? asked.answer : broken(asked.failure);
    },
    estimate: plain('estimate'),
    train: plain('train'),
    plan: plain('plan'),
    sweep: (request: unknown): SweepAnswer =>
      call(request, (c, text) => {
        const { json, values } = c.sweep(text);
        const { columns: paths, ...rest } = JSON.parse(json) as Answer & { columns?: string[]; length?: number };
        const length = rest.length ?? 0;
        const columns = (paths ?? []).map((path, i) => [path, values.slice(i * length, (i + 1) * length)] as const);
        return rest.ok ? { ...rest, columns: Object.fromEntries(columns) } : rest;
      }) as unknown as SweepAnswer,
    readModel: (files: unknown): any => {
      try {
        const findings: Finding[] = [];
        const list = filesOf(files, findings);
        if (findings.length > 0) return failed(findings);
        const asked = ask((c) => JSON.parse(c.read_model(list)) as Answer);
        return 'answer' in asked ? asked.answer : broken(asked.failure);
      } catch {
        return failed([{ code: 'not_json_value', path: '', params: { found: 'an object that cannot be read' } }]);
      }
    },
  });
}

const isWithin = (path: string, outer: string): boolean => path === outer || path.startsWith(`${outer}/`);
// A required field, or a list of one kind, that lacks only what could not be carried.
const isOf = (p: Problem, path: string): boolean =>
  (p.code === 'missing_field' && isWithin(path, pointer(p.path, String(p.params['name'])))) || (p.code === 'wrong_type' && path.startsWith(`${p.path}/`));

function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; ++i) {
    const c = text.charCodeAt(i);
    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c >= 0xd800 && c < 0xe000 ? 2 : 3;    // a pair of surrogates is four bytes
  }
  return bytes;
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'object' ? 'object' : typeof value);

const kFileFields = ['name', 'bytes', 'text', 'size'];

function filesOf(files: unknown, findings: Finding[]): { name: string; bytes: Uint8Array; size: number }[] {
  const out: { name: string; bytes: Uint8Array; size: number }[] = [];
  const add = (code: string, path: string, params: Finding['params'] = {}): void => void findings.push({ code, path, params });
  if (!Array.isArray(files)) {
    add('wrong_type', '', { expected: 'array', found: kindOf(files) });
    return out;
  }
  let all = 0;
  for (let i = 0; i < files.length; ++i) {
    const at = pointer('', i);
    const file = files[i] as Record<string, unknown> | null | undefined;
    if (typeof file !== 'object' || file === null || Array.isArray(file)) {
      add('wrong_type', at, { expected: 'object', found: kindOf(file) });
      continue;
    }
    for (const key of Object.keys(file)) {
      if (!kFileFields.includes(key)) add('unknown_field', pointer(at, mended(key)), { name: mended(key), accepted: kFileFields });
    }
    const { name, bytes, text, size } = file;
    if (name === undefined) add('missing_field', pointer(at, 'name'), { name: 'name' });
    else if (typeof name !== 'string') add('wrong_type', pointer(at, 'name'), { expected: 'string', found: kindOf(name) });
    else if (isBroken(name)) add('broken_text', pointer(at, 'name'), { position: brokenAt(name) });

    let content = new Uint8Array();
    let given = 0;
    if (bytes !== undefined && text !== undefined) {
      add('conflicting_fields', at, { a: 'bytes', b: 'text' });
    } else if (typeof text === 'string') {
      if (isBroken(text)) add('broken_text', pointer(at, 'text'), { position: brokenAt(text) });
      given = utf8Length(text);
      content = new TextEncoder().encode(text.slice(0, kMostOfOneFile));
    } else if (text !== undefined) {
      add('wrong_type', pointer(at, 'text'), { expected: 'string', found: kindOf(text) });
    } else if (ArrayBuffer.isView(bytes)) {
      given = bytes.byteLength;
      content = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
    } else if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(bytes))) {
      content = new Uint8Array(bytes as ArrayBuffer);
      given = content.length;
    } else if (bytes !== undefined) {
      add('wrong_type', pointer(at, 'bytes'), { expected: 'Uint8Array', found: kindOf(bytes) });
    } else {
      add('missing_field', pointer(at, 'bytes'), { name: 'bytes' });
    }

    if (size !== undefined && typeof size !== 'number') add('wrong_type', pointer(at, 'size'), { expected: 'integer', found: kindOf(size) });
    else if (size !== undefined && !Number.isFinite(size)) add('not_finite', pointer(at, 'size'), { value: String(size) });
    else if (size !== undefined && !Number.isSafeInteger(size)) add('wrong_type', pointer(at, 'size'), { expected: 'integer', found: 'number' });
    else if (size !== undefined && size < given) add('out_of_range', pointer(at, 'size'), { value: size, min: given });
    content = content.subarray(0, kMostOfOneFile);
    all += content.length;
    out.push({ name: String(name), bytes: content, size: Math.max(given, Number(size ?? 0)) });
  }
  if (all > kMostOfAllFiles) add('too_large', '', { bytes: all, limit: kMostOfAllFiles });
  return out;
}
