// Fetching and compiling a .wasm that lies beside its module: in browsers of any kind, on servers that know no .wasm, and in Node.

export interface LoadOptions {
  /** Where the .wasm is, when it is not beside this module. Relative to the page, or in Node to the working directory. */
  wasmUrl?: string | URL;
  /** The .wasm itself, already at hand. */
  wasmBinary?: ArrayBuffer | ArrayBufferView;
}

export async function compile(beside: URL, { wasmUrl, wasmBinary }: LoadOptions = {}): Promise<WebAssembly.Module> {
  if (wasmBinary) return WebAssembly.compile(wasmBinary as BufferSource);
  const node = typeof process === 'object' && typeof process.versions?.node === 'string' && typeof document === 'undefined';
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
