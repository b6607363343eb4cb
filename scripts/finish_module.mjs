#!/usr/bin/env node
// Last step of linking: node scripts/finish_module.mjs MODULE.mjs (MODULE.wasm lies beside it)
//
// 1. Emscripten's glue names its .wasm by import.meta.url, and bundlers would ship a second copy for that. The loader
//    always hands the module over itself (instantiateWasm), so the mention goes.
// 2. MODULE.packed.mjs is the .wasm as LZMA (a fifth smaller than gzip; wasm/lzma.ts unpacks it) in base 85, for builds that are one
//    file: four bytes in five characters, from ( to } without the backslash, and how many bytes the .wasm has.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const file = process.argv[2];
const glue = readFileSync(file, "utf8");
const finished = glue.replace(/new URL\(\s*(["'])[^"']+\.wasm\1\s*,\s*import\.meta\.url\s*\)(\.href|\.toString\(\))?/g, '""');
if (/\beval\(|new Function\b/.test(finished)) throw new Error(`${file} makes code from text, which a Content-Security-Policy forbids`);
if (finished !== glue) writeFileSync(file, finished);

// Python has LZMA and Node has not; Emscripten brings Python wherever this runs. lc as in wasm/lzma.ts.
const kPack = "import lzma, sys; f = [{'id': lzma.FILTER_LZMA1, 'preset': 9 | lzma.PRESET_EXTREME, 'lc': 4, 'lp': 0, 'pb': 0}]; sys.stdout.buffer.write(lzma.compress(sys.stdin.buffer.read(), lzma.FORMAT_RAW, filters=f))";
const wasm = readFileSync(file.replace(/\.mjs$/, ".wasm"));
const packed = execFileSync(process.env.EMSDK_PYTHON ?? "python3", ["-c", kPack], { input: wasm, maxBuffer: 1 << 28 });
const padded = Buffer.concat([packed, Buffer.alloc(-packed.length & 3)]);
let text = "";
for (let i = 0; i < padded.length; i += 4) {
  for (let value = padded.readUInt32BE(i), k = 0; k < 5; ++k, value = Math.floor(value / 85)) text += String.fromCharCode(40 + (value % 85) + (value % 85 >= 52 ? 1 : 0));
}
writeFileSync(file.replace(/\.mjs$/, ".packed.mjs"), `export default ${JSON.stringify(text)};\nexport const bytes = ${wasm.length};\n`);
