// import { load } from "weighbridge": the calculator with its .wasm beside this module.

import glue from '../build/wasm/module/weighbridge.mjs';
import { type Client, createClient } from './client.js';

export type { Answer, Client, ModelFile, SweepAnswer } from './client.js';
export type { Problem } from './problem_text.js';

export interface LoadOptions {
  /** Where the .wasm is, when it is not beside this module. Relative to the page, or in Node to the working directory. */
  wasmUrl?: string | URL;
  /** The .wasm itself, already at hand. */
  wasmBinary?: ArrayBuffer | ArrayBufferView;
}

let shared: Promise<Client> | undefined;

/** The one calculator of this page or process. The first call says where the .wasm comes from; a failed one may be tried again. */
export function load(options: LoadOptions = {}): Promise<Client> {
  shared ??= compile(options)
    .then((module) => createClient(glue, module))
    .catch((error: unknown) => {
      shared = undefined;
      throw error;
    });
  return shared;
}

async function compile({ wasmUrl, wasmBinary }: LoadOptions): Promise<WebAssembly.Module> {
  if (wasmBinary) return WebAssembly.compile(wasmBinary as BufferSource);
  const node = typeof process === 'object' && typeof process.versions?.node === 'string' && typeof document === 'undefined';
  const beside = new URL('../build/wasm/module/weighbridge.wasm', import.meta.url);
  const url = wasmUrl === undefined ? beside : new URL(wasmUrl, node ? `file://${process.cwd()}/` : documentBase());
  if (node && url.protocol === 'file:') {
    const files = 'node:fs/promises';                     // a name that bundlers for the browser do not follow
    const { readFile } = (await import(/* @vite-ignore */ files)) as typeof import('node:fs/promises');
    return WebAssembly.compile((await readFile(url)) as BufferSource);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`weighbridge: ${url.href} answered ${response.status}`);
  // Servers that do not know .wasm send it under another type, which streaming refuses.
  if (/^application\/wasm\b/.test(response.headers.get('content-type') ?? '') && typeof WebAssembly.compileStreaming === 'function') {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}

// Workers have no document.
const documentBase = (): string => (typeof document === 'undefined' ? self.location.href : document.baseURI);
