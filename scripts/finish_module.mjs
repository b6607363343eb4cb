#!/usr/bin/env node
// Last step of linking: node scripts/finish_module.mjs MODULE.wasm
//
// MODULE.lzma is the .wasm as LZMA behind its size in four bytes (a fifth smaller than gzip; wasm/lzma.ts unpacks it), for the site.
// MODULE.packed.mjs is that in base 85, for builds that are one file: four bytes in five characters, from ( to } without the backslash.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

// Python has LZMA and Node has not; Emscripten brings Python wherever this runs. lc as in wasm/lzma.ts.
const kPack = "import lzma, sys; f = [{'id': lzma.FILTER_LZMA1, 'preset': 9 | lzma.PRESET_EXTREME, 'lc': 4, 'lp': 0, 'pb': 0}]; sys.stdout.buffer.write(lzma.compress(sys.stdin.buffer.read(), lzma.FORMAT_RAW, filters=f))";

const file = process.argv[2];
const wasm = readFileSync(file);
const size = Buffer.alloc(4);
size.writeUInt32BE(wasm.length);
const packed = Buffer.concat([size, execFileSync(process.env.EMSDK_PYTHON ?? "python3", ["-c", kPack], { input: wasm, maxBuffer: 1 << 28 })]);
writeFileSync(file.replace(/\.wasm$/, ".lzma"), packed);

const padded = Buffer.concat([packed, Buffer.alloc(-packed.length & 3)]);
let text = "";
for (let i = 0; i < padded.length; i += 4) {
  for (let value = padded.readUInt32BE(i), k = 0; k < 5; ++k, value = Math.floor(value / 85)) text += String.fromCharCode(40 + (value % 85) + (value % 85 >= 52 ? 1 : 0));
}
writeFileSync(file.replace(/\.wasm$/, ".packed.mjs"), `export default ${JSON.stringify(text)};\n`);
