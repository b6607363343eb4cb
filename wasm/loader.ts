// import { load } from "weighbridge": the calculator with its .wasm beside this module.

import { type Client, createClient } from './client.js';
import { type LoadOptions, compile } from './compile.js';

export type { Answer, Client, ModelFile, SweepAnswer } from './client.js';
export type { LoadOptions } from './compile.js';
export type { Problem } from './problem_text.js';

let shared: Promise<Client> | undefined;

/** The one calculator of this page or process. The first call says where the .wasm comes from; a failed one may be tried again. */
export function load(options: LoadOptions = {}): Promise<Client> {
  shared ??= compile(new URL('../build/wasm/module/weighbridge.wasm', import.meta.url), options)
    .then(createClient)
    .catch((error: unknown) => {
      shared = undefined;
      throw error;
    });
  return shared;
}
