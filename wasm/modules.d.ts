// What the wasm build leaves in build/wasm/module.
declare module '*/weighbridge.packed.mjs' {
  /** The .lzma in base 85. */
  const packed: string;
  export default packed;
}
