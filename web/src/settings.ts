// What a reader chose about the page itself: kept in the browser, never in a link.

import type { ByteUnit } from './format.js';
import type { MoreTexts } from './lang/en-more.js';
import { type Texts, en } from './lang/en.js';

export type Language = 'en' | 'zh';
export type Theme = 'auto' | 'light' | 'dark';
export const kLanguages: [Language, string, string][] = [['en', 'en', 'English'], ['zh', 'zh-CN', '中文']];

export interface Settings {
  language: Language;
  theme: Theme;
  unit: ByteUnit;
}

const kKey = 'weighbridge';

export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

export function readSettings(): Settings {
  const settings: Settings = { language: languageOf(navigator.languages), theme: 'auto', unit: 'GiB' };
  try {
    const kept = JSON.parse(localStorage.getItem(kKey) ?? '{}') as Partial<Settings>;
    if (kept.language === 'en' || kept.language === 'zh') settings.language = kept.language;
    if (kept.theme === 'light' || kept.theme === 'dark') settings.theme = kept.theme;
    if (kept.unit === 'GB') settings.unit = kept.unit;
  } catch {
    // a browser that keeps nothing
  }
  return settings;
}

export function keepSettings(settings: Settings): void {
  try {
    localStorage.setItem(kKey, JSON.stringify(settings));
  } catch {
    // a browser that keeps nothing
  }
}

/** The page's texts; with those of the work behind numbers once they are needed. */
export async function textsOf(language: Language, withWork = false): Promise<Texts> {
  if (language === 'en') return en;
  const { zh } = await import('./lang/zh.js');
  return withWork ? { ...zh, ...(await import('./lang/zh-work.js')).zhWork } : zh;
}

/** The texts of what is loaded later: files, the Hub, and all views but the first. */
export async function moreTextsOf(language: Language): Promise<MoreTexts> {
  return language === 'zh' ? (await import('./lang/zh-more.js')).zhMore : (await import('./lang/en-more.js')).enMore;
}

/** The page's texts with the names that only the later views need. */
export function withMore(texts: Texts, more: MoreTexts): Texts {
  const merged: Texts = { ...texts };
  for (const key of Object.keys(more.names) as (keyof MoreTexts['names'])[]) merged[key] = { ...texts[key], ...more.names[key] };
  return merged;
}
