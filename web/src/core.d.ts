// The calculator itself: the loader that fetches its .wasm, or the one that carries it (vite.config.ts).
declare module '#core' {
  export function load(options?: { wasmUrl?: string }): Promise<unknown>;
}
