// Why the calculator did not start, in the reader's language, and what to do.

import type { Texts } from './lang/en.js';
import { plainSentence } from './text.js';

/** Whether something could not be fetched: fetch() and import() reject with a TypeError, in each browser's own words; the loader names the server's answer. */
export const isLost = (error: unknown): boolean => !navigator.onLine || /fetch|load|network|import|answered \d{3}/i.test(error instanceof Error ? error.message : String(error));

/** Why a part of the page that comes later did not. */
export const lostText = (error: unknown, texts: Texts): string =>
  isLost(error) ? texts.lost : plainSentence(texts.notLoaded, { reason: error instanceof Error ? error.message : String(error) });

export function failureText(error: unknown, texts: Texts): string {
  const reason = error instanceof Error ? error.message : String(error);
  // Browsers word it differently; all of them name the policy or the keyword that it lacks.
  if (typeof WebAssembly === 'undefined' || /security policy|\bCSP\b|unsafe-eval/i.test(reason)) return texts.failures.policy;
  if (isLost(error)) return texts.failures.network;
  return plainSentence(texts.broken, { reason });
}
