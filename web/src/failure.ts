// Why the calculator did not start, in the reader's language, and what to do.

import type { Texts } from './lang/en.js';
import { plainSentence } from './text.js';

export function failureText(error: unknown, texts: Texts): string {
  const reason = error instanceof Error ? error.message : String(error);
  // Browsers word it differently; all of them name the policy or the keyword that it lacks.
  if (typeof WebAssembly === 'undefined' || /security policy|\bCSP\b|unsafe-eval/i.test(reason)) return texts.failures.policy;
  // fetch() and import() reject with a TypeError, in each browser's own words; the loader names the server's answer.
  if (!navigator.onLine || /fetch|load|network|import|answered \d{3}/i.test(reason)) return texts.failures.network;
  return plainSentence(texts.broken, { reason });
}
