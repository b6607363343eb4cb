// What the page needs to know of the core's public face (README, "The contract").

import type { Json, JsonObject } from './json.js';

export interface Client {
  readonly version: string;
  describe(): Description;
  estimate(request: unknown): Answer;
  train(request: unknown): Answer;
  plan(request: unknown): Answer;
  sweep(request: unknown): SweepAnswer;
  readModel(files: ModelFile[]): { ok: boolean; model?: JsonObject; problems: Problem[] };
}

export interface ModelFile {
  name: string;
  text?: string;
  bytes?: Uint8Array;
  size?: number;
}

export interface Problem {
  severity: 'error' | 'warning' | 'note';
  code: string;
  path: string;
  message: string;
  params: Record<string, Json>;
}

export interface Answer extends JsonObject {
  ok: boolean;
  problems: Problem[] & Json[];
}

export interface SweepAnswer {
  ok: boolean;
  columns?: Record<string, Float64Array>;
  problems: Problem[];
}

export interface Step {
  id: string;
  of?: string;
  value: number;
  inputs: StepInput[];
  rows?: string[];
}

export interface StepInput {
  name: string;
  value: number | number[];
  from: string;
  step?: string;
  of?: string;
}

export interface Field {
  path: string;
  type: string;
  unit?: string;
  min?: number;
  /** An exclusive minimum, in place of `min`. */
  above?: number;
  max?: number;
  default?: Json;
  enum?: Json[];
  summary: string;
}

export interface AnswerField {
  path: string;
  type: string;
  unit?: string;
  nullable?: boolean;
  summary: string;
  step?: string | string[];
  of?: string;
  /** The same with the article's method. */
  article_step?: string;
  article_of?: string;
}

export interface Model {
  id: string;
  name: string;
  aliases?: string[];
  family?: string;
  organization?: string;
  parameters: number;
  active_parameters?: number;
  layers?: number;
  context_tokens?: number;
}

export interface Device {
  id: string;
  name: string;
  aliases?: string[];
  vendor: string;
  class?: string;
  memory_bytes: number;
  bandwidth: number;
  release_year?: number;
  flops?: Record<string, number>;
  link_bandwidth?: number;
  per_node?: number;
  power_w?: number;
  unified?: boolean;
  basis?: Record<string, Json[]>;
}

export interface Formula {
  id: string;
  text: string;
  unit?: string;
  kind: 'exact' | 'model' | 'fitted' | 'assumed';
  source?: string;
  locator?: string;
  summary?: string;
  method?: string;
  inputs?: { name: string; unit?: string }[];
}

export interface Description {
  version: string;
  fields: Record<'estimate' | 'train' | 'plan' | 'sweep', Field[]>;
  answers: Record<string, AnswerField[]>;
  problems: { code: string; severity: string; summary: string }[];
  models: Model[];
  devices: Device[];
  weight_formats: { id: string; name?: string; aliases?: string[]; group?: string; bits_per_weight?: number }[];
  kv_formats: { id: string; aliases?: string[]; bits_per_element?: number }[];
  engines: { id: string; name?: string; profile?: boolean; layer_split?: boolean; versions?: [first: string, last: string]; constants?: { id: string }[] }[];
  formulas: Formula[];
  sources: { id: string; title: string; url?: string; date?: string }[];
}
