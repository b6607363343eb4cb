// The engine of a request: which one people use for what is at hand, and which options it heeds. The core says the latter: an
// option that an engine does not have is a warning.

import type { Client, Description, Field } from './contract.js';
import { type Json, type JsonObject, get, isObject, set } from './json.js';
import { findDevice } from './request.js';

export const engineOf = (request: JsonObject): string | undefined => {
  const engine = request['engine'];
  return typeof engine === 'string' ? engine : isObject(engine) && typeof engine['name'] === 'string' ? engine['name'] : undefined;
};

/** Whether the engine takes a share of the card at its start, so that what the cache does not need is held for it all the same. */
export const holdsPool = (d: Description, request: JsonObject): boolean =>
  request['method'] !== 'article' && d.engines.find((e) => e.id === engineOf(request))?.constants?.some((c) => c.id === 'memory_share') === true;

/** GGUF files run in llama.cpp, Apple's chips have MLX, and the rest is served by vLLM: the engine that a page starts with, where its rules are known. */
export function usualEngine(d: Description, request: JsonObject): string | undefined {
  const header = get(request, '/model/header');
  const weights = request['weights'];
  const gguf = typeof weights === 'string' ? d.weight_formats.find((f) => f.id.toLowerCase() === weights.toLowerCase())?.group === 'gguf' : weights === undefined && isObject(header) && header['gguf'] !== undefined;
  const device = findDevice(d, request);
  const wanted = Array.isArray(request['device']) || gguf || device?.class === 'cpu' ? 'llama.cpp' : device?.class === 'apple' ? 'mlx' : 'vllm';
  return d.engines.find((e) => e.id === wanted && e.profile)?.id;
}

/** The request with its engine named. The article's method knows none. */
export function withEngine(d: Description, request: JsonObject): JsonObject {
  if (request['engine'] !== undefined || request['method'] === 'article') return request;
  const usual = usualEngine(d, request);
  return usual === undefined ? request : { ...request, engine: usual };
}

const heeded = new WeakMap<Client, Map<string, Set<string>>>();

/** The options that this engine heeds, found out by giving it each of them once. */
export function optionsOf(client: Client, d: Description, engine: string): Set<string> {
  let known = heeded.get(client);
  if (!known) heeded.set(client, (known = new Map()));
  let paths = known.get(engine);
  if (!paths) {
    paths = new Set();
    for (const field of d.fields.estimate) {
      if (!field.path.startsWith('/options/') || field.type === 'object') continue;
      const request = set({ model: d.models[0]!.id, engine }, field.path, sample(field, d));
      const answer = client.estimate(request);
      if (!answer.problems.some((p) => p.code === 'option_without_effect' || p.severity === 'error')) paths.add(field.path);
    }
    known.set(engine, paths);
  }
  return paths;
}

function sample(field: Field, d: Description): Json {
  if (field.enum?.[0] !== undefined) return field.enum[0];
  if (field.type === 'boolean') return true;
  if (field.type === 'string') return d.models[0]!.id;
  return Math.min(field.max ?? 1, Math.max(field.min ?? 1, 1));
}
