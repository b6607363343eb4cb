// The views besides Serve. Each is loaded when it is first shown.

import type { TemplateResult } from 'lit';

import type { Form } from './form.js';
import type { Call } from './host.js';
import type { Answer } from './contract.js';
import type { JsonObject } from './json.js';
import type { MoreTexts } from './lang/en-more.js';
import type { SectionHost, Sections } from './sections.js';

const kAll = ['serve', 'train', 'card', 'compare', 'models', 'devices', 'accuracy', 'formulas'] as const;
export type ViewName = (typeof kAll)[number];
/** The measurements would double the single file: it goes without their view. */
export const kViews: readonly ViewName[] = kAll.filter((view) => view !== 'accuracy' || import.meta.env.MODE !== 'single');

export interface ScreenHost extends SectionHost {
  readonly more: MoreTexts | undefined;
  /** What the link holds besides the request: set-ups to compare, each a link of its own. */
  readonly extras: string[];
  setExtras(extras: string[]): void;
  bringWork(): Promise<void>;
  show(view: ViewName, request?: JsonObject): void;
  ask(request: JsonObject, explain: boolean, call?: Call): Answer;
  tell(text: string): void;
  requestUpdate(): void;
  /** On a phone: whether the whole form is shown, and what unfolds it. */
  readonly adjusting: boolean;
  folding(inShort: string[]): TemplateResult;
}

export interface Screen {
  render(): unknown;
}

type Make = (host: ScreenHost, form: Form, sections: Sections) => Screen;

export const kScreens: Record<string, () => Promise<{ screen: Make }>> = {
  accuracy: () => import('./views/accuracy.js'),
  card: () => import('./views/card.js'),
  compare: () => import('./views/compare.js'),
  formulas: () => import('./views/formulas.js'),
  train: () => import('./views/train.js'),
  models: () => import('./views/models.js'),
  devices: () => import('./views/devices.js'),
};
