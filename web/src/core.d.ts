// The calculator itself: the loaders that fetch its .wasm, or the one that carries it (vite.config.ts).
declare module '#core' {
  /** A core that can estimate. */
  export function load(): Promise<unknown>;
  /** One that can do everything. */
  export function loadWhole(): Promise<unknown>;
}
