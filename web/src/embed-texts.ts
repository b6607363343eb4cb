// The element's texts: those of the page's first view, without what the page loads later.

import { type Texts, en } from './lang/en.js';
import type { Language } from './settings.js';

export async function textsOf(language: Language): Promise<Texts> {
  return language === 'zh' ? (await import('./lang/zh.js')).zh : en;
}
