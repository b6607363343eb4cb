// The calculator of the site, in two parts: the one that estimates comes first, and the whole one when something else is asked of it.

import { type Client, createClient } from './client.js';
import { unpackLater } from './lzma.js';

async function fetched(url: URL): Promise<Client> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`weighbridge: ${url.href} answered ${response.status}`);
  const wasm = await unpackLater(new Uint8Array(await response.arrayBuffer()));
  return createClient(await WebAssembly.compile(wasm));
}

/** Answers estimate() and describe(), byte for byte as the whole one does, and nothing else. */
export const load = (): Promise<Client> => fetched(new URL('../build/wasm/module/weighbridge_estimate.lzma', import.meta.url));

/** Everything. A failed fetch may be tried again. */
export const loadWhole = (): Promise<Client> => fetched(new URL('../build/wasm/module/weighbridge.lzma', import.meta.url));
