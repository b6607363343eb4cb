// What would make a set-up fit, each with the room that is left and the speed that it then has; fetched when it is first needed.

import type { Answer, Description } from './contract.js';
import { engineOf, withEngine } from './engine.js';
import type { Call } from './host.js';
import { type JsonObject, get, isObject, same } from './json.js';
import { type View, adviceOf, adviceText, onOneCard, toneOf } from './parts.js';
import { at, figure, findDevice } from './request.js';
import { plainSentence } from './text.js';

// From the best to the smallest. Undefined is the format that a model was published in.
export const kFormats = [undefined, 'Q8_0', 'Q6_K', 'Q5_K_M', 'Q4_K_M', 'IQ4_XS', 'Q3_K_M', 'IQ3_XXS', 'Q2_K'];
const kMost = 4;

type Ask = (request: JsonObject, explain: boolean, call?: Call) => Answer;

export interface Way {
  /** Its words, in whatever language the page then speaks. */
  text: (view: View) => string;
  request: JsonObject;
  headroom: number | undefined;
  speed: number | undefined;
}

/** The best of these formats in which a request fits, in the engine that people use for it. */
export function bestFormat(ask: Ask, description: Description, request: JsonObject, formats = kFormats): { weights: string | undefined; request: JsonObject; answer: Answer } | undefined {
  for (const weights of formats) {
    const asked = withEngine(description, weights === undefined ? request : { ...request, weights });
    const answer = ask(asked, false, 'estimate');
    if (answer.ok && at(answer, 'memory.per_device.fits') === true) return { weights, request: asked, answer };
  }
  return undefined;
}

/** The core's advice; and on a card that people have at home also the best GGUF format, which is what they would run there. */
export function waysOf(ask: Ask, view: View, form: JsonObject): Way[] {
  const alone = onOneCard(view, form);
  const base: JsonObject = alone ? { ...view.request, devices: 1 } : view.request;
  if (!alone && toneOf(view.answer) !== 'short') return [];
  const ways: Way[] = [];
  const speed = view.call === 'train' ? 'speed.tokens_per_s' : 'speed.tokens_per_s_per_user';
  for (const item of adviceOf(alone ? ask(base, false, view.call) : view.answer)) {
    const { request } = item;
    if (!isObject(request) || (alone && !same(request['devices'], 1))) continue;
    ways.push({ text: (now) => adviceText({ ...now, request: base }, item), request, headroom: figure(item, 'headroom'), speed: figure(ask(request, false, view.call), speed) });
  }
  const device = findDevice(view.description, base);
  const engine = engineOf(form);
  const read = get(base, '/model/header') !== undefined; // a file has the format that it has
  if (view.call === 'estimate' && base['devices'] === 1 && !read && (engine === undefined || engine === 'llama.cpp') && device && /consumer|workstation|apple|edge/.test(device.class ?? '')) {
    const best = bestFormat(ask, view.description, { ...form, devices: 1 }, kFormats.slice(1));
    if (best && best.weights !== base['weights']) {
      const { weights: _, ...rest } = form;
      ways.unshift({
        text: (now) => plainSentence(now.texts.inEngine, { format: best.weights!, engine: now.description.engines.find((e) => e.id === engineOf(best.request))?.name ?? '' }), request: { ...rest, devices: 1, weights: best.weights! },
        headroom: figure(best.answer, 'memory.per_device.headroom'), speed: figure(best.answer, speed),
      });
    }
  }
  return ways.slice(0, kMost);
}
