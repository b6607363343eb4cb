// The calculator of the site, in two parts: the one that estimates comes first, and the whole one when something else is asked of it.

import glue from '../build/wasm/module/weighbridge_estimate.mjs';
import { type Client, createClient } from './client.js';
import { compile } from './compile.js';

/** Answers estimate() and describe(), byte for byte as the whole one does, and nothing else. */
export const load = async (): Promise<Client> =>
  createClient(glue, await compile(new URL('../build/wasm/module/weighbridge_estimate.wasm', import.meta.url)));

/** Everything. A failed fetch may be tried again. */
export const loadWhole = async (): Promise<Client> => (await import('./loader.js')).load();
