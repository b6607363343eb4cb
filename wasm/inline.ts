// The calculator in one file: the .wasm travels inside, compressed, so that pages from file:// and single modules need no second fetch.

import packed from '../build/wasm/module/weighbridge.packed.mjs';
import { type Client, createClient } from './client.js';
import { unpackLzma } from './lzma.js';

export type { Answer, Client, ModelFile, SweepAnswer } from './client.js';
export type { Problem } from './problem_text.js';

let shared: Promise<Client> | undefined;

/** The one calculator of this page. */
export function load(): Promise<Client> {
  shared ??= Promise.resolve()
    .then(() => WebAssembly.compile(unpack(packed)))
    .then(createClient)
    .catch((error: unknown) => {
      shared = undefined;
      throw error;
    });
  return shared;
}

/** Everything is there from the start. */
export const loadWhole = load;

// Base 85, the lowest digit first, of LZMA (scripts/finish_module.mjs).
function unpack(text: string): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let i = 0, at = 0; i < text.length; i += 5, at += 4) {
    let value = 0;
    for (let k = 4; k >= 0; --k) {
      const digit = text.charCodeAt(i + k) - 40;
      value = value * 85 + (digit > 52 ? digit - 1 : digit);
    }
    view.setUint32(at, value);
  }
  return unpackLzma(new Uint8Array(view.buffer));
}
