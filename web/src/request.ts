// What the page has to know of a request and its answer in order to draw them. No figures are computed here.

import type { Answer, Description, Device, Field, Model, Problem } from './contract.js';
import { type Json, type JsonObject, get, isObject } from './json.js';

/** A member of an answer by its dotted path. */
export function at(answer: Json | undefined, path: string): Json | undefined {
  return get(answer, '/' + path.replaceAll('.', '/'));
}

export function figure(answer: Json | undefined, path: string): number | undefined {
  const value = at(answer, path);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

// As the core compares names: letters and digits, and what parts numbers.
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9.:]+/g, '');

function byName<T extends { id: string; name: string; aliases?: string[] }>(list: T[], name: Json | undefined): T | undefined {
  if (typeof name !== 'string') return undefined;
  const sought = plain(name);
  const spellings: ((item: T) => string[])[] = [(i) => [i.id], (i) => i.aliases ?? [], (i) => [i.name, i.id.slice(i.id.indexOf('/') + 1)]];
  for (const of of spellings) {
    const found = list.find((item) => of(item).some((name) => plain(name) === sought));
    if (found) return found;
  }
  return undefined;
}

export const findModel = (d: Description, request: JsonObject): Model | undefined => byName(d.models, request['model']);
export const findDevice = (d: Description, request: JsonObject): Device | undefined => byName(d.devices, request['device']);

export function modelName(d: Description, request: JsonObject, answer?: Answer): string {
  const model = request['model'];
  if (typeof model === 'string') return findModel(d, request)?.name ?? model;
  const named = get(model, '/name') ?? at(answer, 'model.name');
  return typeof named === 'string' ? named : '';
}

export function deviceName(d: Description, device: Json | undefined, custom: string): string {
  if (typeof device === 'string') return byName(d.devices, device)?.name ?? device;
  if (Array.isArray(device)) return [...new Set(device.map((one) => deviceName(d, one, custom)))].join(' + ');
  const name = get(device, '/name');
  return typeof name === 'string' && name !== '' ? name : custom;
}

/** What an answer took for a member that the request leaves open. */
export function assumed(answer: Answer | undefined, pointer: string): Json | undefined {
  const list = answer?.['assumptions'];
  if (!Array.isArray(list)) return undefined;
  return list.filter(isObject).find((item) => item['path'] === pointer)?.['value'];
}

export function deviceCount(request: JsonObject, answer: Answer | undefined): number {
  for (const value of [get(request, '/devices'), get(request, '/devices/count'), assumed(answer, '/devices')])
    if (typeof value === 'number') return value;
  return 1;
}

/** The shown field that a problem belongs to: the field of its path, or of the nearest path above it. */
export function fieldOf(problem: Problem, shown: ReadonlySet<string>): string | undefined {
  for (let path = problem.path; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) if (shown.has(path)) return path;
  return problem.code === 'missing_field' && typeof problem.params?.['name'] === 'string'
    ? [`${problem.path}/${problem.params['name']}`].find((path) => shown.has(path))
    : undefined;
}

/** What was typed into a number field: a number when it is one, the text itself otherwise, so that the core says what is wrong with it. */
export function typed(text: string): Json | undefined {
  const bare = text.trim().replaceAll(/[\s,_ ]/g, '');
  if (bare === '') return undefined;
  const value = Number(bare);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) && Number.isFinite(value) ? value : text.trim();
}

/** A number of bytes, with or without a unit: "1.5 GiB", "24 GB", "25757220864". */
export function typedBytes(text: string): Json | undefined {
  const match = /^\s*([\d.,]+)\s*([kmgt])(i?)b?\s*$/i.exec(text);
  if (!match) return typed(text);
  const value = Number(match[1]!.replaceAll(',', ''));
  const power = 'kmgt'.indexOf(match[2]!.toLowerCase()) + 1;
  return Number.isFinite(value) ? Math.round(value * (match[3] ? 1024 : 1000) ** power) : text.trim();
}

/** A number as it stands in a field, and as typed() reads it: 85520809984, but 3.35e12. */
export function plainNumber(value: number): string {
  const short = value.toExponential().replace('e+', 'e');
  return Math.abs(value) >= 1e6 && short.length + 3 < String(value).length ? short : String(value);
}

export const kNumbers = new Set(['integer', 'number', 'concurrency', 'devices']);

/** Fields that stand on the first screen, in its order; everything else of describe() comes under "more settings". */
export const kFront = [
  '/model', '/weights', '/kv_cache', '/device', '/devices', '/engine', '/engine/version', '/reserved_bytes', '/host/memory_bytes', '/host/bandwidth',
  '/workload/prompt_tokens', '/workload/output_tokens', '/workload/concurrency', '/workload/context_tokens',
];
const kElsewhere = new Set(['/method', '/explain', '/engine/name']);
const kSwitched = ['/model/', '/device/'];

/** The further fields in groups. Members of an object that replaces a name (a device by its figures) only count once it is one. */
export function furtherFields(d: Description): [group: string, fields: Field[]][] {
  const groups = new Map<string, Field[]>();
  for (const field of d.fields.estimate) {
    if (kFront.includes(field.path) || kElsewhere.has(field.path) || field.type === 'object' || field.type === 'array') continue;
    if (/^\/(model\/|devices\/|options\/)/.test(field.path) || kSwitched.some((prefix) => field.path.startsWith(prefix))) continue;
    const [head, ...rest] = field.path.slice(1).split('/');
    const group = rest.length === 0 ? 'other' : head!;
    groups.set(group, [...(groups.get(group) ?? []), field]);
  }
  const order = ['workload', 'other', 'weights', 'kv_cache', 'parallel', 'efficiency', 'prefill_pool'];
  return [...groups].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
}

/** The fields of a model or device that is given by its figures. */
export function figureFields(d: Description, request: JsonObject, head: '/model' | '/device', call: 'estimate' | 'train' = 'estimate'): Field[] {
  const value = request[head.slice(1)];
  if (!isObject(value)) return [];
  const prefix = head === '/model' ? '/model/manual/' : '/device/';
  if (head === '/model' && !isObject(value['manual'])) return [];
  return d.fields[call].filter((f) => f.path.startsWith(prefix) && f.type !== 'object');
}

/** The step of a formula in an answer; `of` says which instance. */
export function stepsOf(answer: Answer | undefined): import('./contract.js').Step[] {
  const steps = answer?.['steps'];
  return Array.isArray(steps) ? (steps as unknown as import('./contract.js').Step[]) : [];
}

/** Where the work behind a number of an answer begins. */
export function stepBehind(d: Description, answer: Answer | undefined, path: string, call = 'estimate'): { id: string; of?: string } | undefined {
  const steps = stepsOf(answer);
  const field = d.answers[call]?.find((f) => f.path === path);
  const named = [field?.step ?? []].flat().map((id) => [id, field?.of] as const);
  const article = field?.article_step === undefined ? [] : [[field.article_step, field.article_of] as const];
  for (const [id, of] of [...named, ...article]) {
    const found = steps.find((s) => s.id === id && (of === undefined || s.of === of));
    if (found) return found.of === undefined ? { id: found.id } : { id: found.id, of: found.of };
  }
  return undefined;
}
