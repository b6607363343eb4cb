// The attributes of <weigh-bridge>: what of a request each of them stands for. web/api.json describes them.

import { type Json, type JsonObject, get, isObject, set } from './json.js';
import { plainNumber, typed } from './request.js';

/** Attributes that are members of the request, in the order in which their controls stand. */
export const kFields: Record<string, string> = {
  model: '/model', weights: '/weights', 'kv-cache': '/kv_cache', engine: '/engine', device: '/device', devices: '/devices',
  prompt: '/workload/prompt_tokens', output: '/workload/output_tokens', context: '/workload/context_tokens', concurrency: '/workload/concurrency', method: '/method',
};
const kNumeric = new Set(['devices', 'prompt', 'output', 'context', 'concurrency']);

/** What `controls` without a value offers. */
export const kUsualControls = ['model', 'weights', 'device', 'devices', 'prompt', 'output', 'context', 'concurrency'];

/** Attributes that say how it is shown. */
export const kLooks = ['view', 'lang', 'theme', 'unit', 'readonly', 'controls', 'page'] as const;
export const kSwitches: readonly string[] = ['readonly'];
export const kViews = ['card', 'bar', 'table', 'line'] as const;
export type Look = (typeof kViews)[number];

export const propertyOf = (attribute: string): string => attribute.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

export const valueOf = (attribute: string, text: string): Json | undefined => (kNumeric.has(attribute) ? typed(text) : text.trim() || undefined);

/** The request of an element: what was set as a property, and its attributes over it. */
export function requestOf(element: Element, base: JsonObject): JsonObject {
  let request = base;
  for (const [name, pointer] of Object.entries(kFields)) {
    const text = element.getAttribute(name);
    if (text === null) continue;
    const value = valueOf(name, text);
    if (value !== undefined) request = set(request, pointer, value);
  }
  return request;
}

/** A member of a request as it stands in a control; undefined for what no control can show (a model read from a file). */
export function textOf(request: JsonObject, pointer: string): string | undefined {
  const value = get(request, pointer);
  if (value === undefined || value === null) return '';
  if (isObject(value)) return typeof value['count'] === 'number' ? plainNumber(value['count']) : undefined;
  if (Array.isArray(value)) return undefined;
  return typeof value === 'number' ? plainNumber(value) : String(value);
}
