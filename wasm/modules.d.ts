// What the wasm build leaves in build/wasm/module.
declare module '*/weighbridge.mjs' {
  const glue: (module: object) => Promise<unknown>;
  export default glue;
}
declare module '*/weighbridge_estimate.mjs' {
  const glue: (module: object) => Promise<unknown>;
  export default glue;
}
declare module '*/weighbridge.packed.mjs' {
  /** The .wasm, LZMA, base 85; and how many bytes the .wasm has. */
  const packed: string;
  export default packed;
  export const bytes: number;
}
