// Types of the package: the calls by hand, requests and answers generated from describe() (types.d.ts).
import type { DeviceId, EstimateAnswer, EstimateRequest, ModelId, PlanRequest, ProblemCode, ReadModel, SweepRequest, TrainAnswer, TrainRequest } from './types.js';

export type * from './types.js';

export interface Problem {
  /** Errors block; warnings and notes come with a good answer. */
  severity: 'error' | 'warning' | 'note';
  code: ProblemCode;
  /** JSON Pointer into the request. */
  path: string;
  /** What is wrong, why, and what is accepted, in English. */
  message: string;
  params: Record<string, string | number | string[]>;
}

export interface BadAnswer {
  ok: false;
  /** Every problem that was found. */
  problems: Problem[];
}

export interface GoodAnswer {
  ok: true;
  /** Warnings and notes. */
  problems: Problem[];
  /** Each default and assumption that the answer rests on. */
  assumptions: { path: string; value: unknown; from: 'default' | 'catalog' | 'estimated' | 'assumed'; source?: string }[];
  /** By dotted answer path: the weakest kind on each number's way. */
  basis: Record<string, 'exact' | 'model' | 'fitted' | 'assumed'>;
  /** By dotted answer path: the range that held 80 % of comparable measurements. */
  intervals: Record<string, [low: number, high: number]>;
  /** When it does not fit: single changes that make it fit, by `cost`: the share that is lost of sequences, context, speed, money or quality. */
  advice?: { change: string; path?: string; value?: unknown; request: EstimateRequest; headroom: number; cost?: number }[];
  /** With "explain": true. */
  steps?: Step[];
}

export interface Step {
  /** Of a formula in describe().formulas. */
  id: string;
  of?: string;
  value: number;
  inputs: { name: string; value: number | number[]; from: 'user' | 'catalog' | 'default' | 'assumed' | 'model' | 'device' | 'format' | 'step'; step?: string; of?: string }[];
  rows?: string[];
}

export interface SweepAnswer {
  ok: true;
  /** By output path; NaN where there is no answer. */
  columns: Record<string, Float64Array>;
  length: number;
  problems: Problem[];
}

export interface PlanAnswer {
  ok: true;
  evaluated: number;
  feasible: number;
  rows: { request: EstimateRequest; answer: EstimateAnswer }[];
  pareto: number[];
  why_not: unknown[];
  problems: Problem[];
}

export interface ModelFile {
  name: string;
  /** The file's bytes, or as many from its start as are at hand. */
  bytes?: Uint8Array | ArrayBuffer;
  text?: string;
  /** Of the whole file, when only its beginning is given. */
  size?: number;
}

export interface Description {
  version: string;
  fields: Record<'estimate' | 'train' | 'plan' | 'sweep', { path: string; type: string; summary: string; unit?: string; min?: number; max?: number; default?: unknown; enum?: unknown[] }[]>;
  answers: Record<string, { path: string; type: string; summary: string; unit?: string; nullable?: boolean; step?: string | string[]; of?: string }[]>;
  problems: { code: ProblemCode; severity: 'error' | 'warning' | 'note'; summary: string }[];
  models: ({ id: ModelId; name: string } & Record<string, unknown>)[];
  devices: ({ id: DeviceId; name: string; memory_bytes: number; bandwidth: number } & Record<string, unknown>)[];
  weight_formats: ({ id: string } & Record<string, unknown>)[];
  kv_formats: ({ id: string } & Record<string, unknown>)[];
  engines: ({ id: string } & Record<string, unknown>)[];
  optimizers: ({ id: string } & Record<string, unknown>)[];
  formulas: { id: string; text: string; unit?: string; kind: 'exact' | 'model' | 'fitted' | 'assumed'; source?: string; locator?: string; summary?: string; method?: string }[];
  sources: { id: string; title: string; url?: string }[];
}

/** Every call is synchronous and pure, and never throws. A request may also be given as JSON text. */
export interface Weighbridge {
  readonly version: string;
  describe(): Description;
  estimate(request: EstimateRequest | string): EstimateAnswer | BadAnswer;
  train(request: TrainRequest | string): TrainAnswer | BadAnswer;
  plan(request: PlanRequest | string): PlanAnswer | BadAnswer;
  sweep(request: SweepRequest | string): SweepAnswer | BadAnswer;
  /** config.json, *.gguf, *.safetensors, *.safetensors.index.json: one file, or several that belong together. */
  readModel(files: readonly ModelFile[]): { ok: true; model: ReadModel; problems: Problem[] } | BadAnswer;
}

export interface LoadOptions {
  /** Where the .wasm is, when it is not beside the module. */
  wasmUrl?: string | URL;
  /** The .wasm itself, already at hand. */
  wasmBinary?: ArrayBuffer | ArrayBufferView;
}

/** The one calculator of this page or process. */
export function load(options?: LoadOptions): Promise<Weighbridge>;
