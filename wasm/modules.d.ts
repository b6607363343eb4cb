// What the wasm build leaves in build/wasm/module.
declare module '*/weighbridge.mjs' {
  const glue: (module: object) => Promise<unknown>;
  export default glue;
}
declare module '*/weighbridge.packed.mjs' {
  /** The .wasm, gzip, base64. */
  const packed: string;
  export default packed;
}
