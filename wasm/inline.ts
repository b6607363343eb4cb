// The calculator in one file: the .wasm travels inside, compressed, so that pages from file:// and single modules need no second fetch.

import glue from '../build/wasm/module/weighbridge.mjs';
import packed from '../build/wasm/module/weighbridge.packed.mjs';
import { type Client, createClient } from './client.js';

export type { Answer, Client, ModelFile, SweepAnswer } from './client.js';
export type { Problem } from './problem_text.js';

let shared: Promise<Client> | undefined;

/** The one calculator of this page. */
export function load(): Promise<Client> {
  shared ??= inflate(packed)
    .then((bytes) => WebAssembly.compile(bytes))
    .then((module) => createClient(glue, module))
    .catch((error: unknown) => {
      shared = undefined;
      throw error;
    });
  return shared;
}

async function inflate(base64: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}
