#!/usr/bin/env node
// Last step of linking: node scripts/finish_module.mjs MODULE.mjs (MODULE.wasm lies beside it)
//
// 1. Emscripten's glue names its .wasm by import.meta.url, and bundlers would ship a second copy for that. The loader
//    always hands the module over itself (instantiateWasm), so the mention goes.
// 2. MODULE.packed.mjs is the .wasm as gzip in base 85, for builds that are one file: four bytes in five characters, from ( to }
//    without the backslash, and how many bytes there are.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const file = process.argv[2];
const glue = readFileSync(file, "utf8");
const finished = glue.replace(/new URL\(\s*(["'])[^"']+\.wasm\1\s*,\s*import\.meta\.url\s*\)(\.href|\.toString\(\))?/g, '""');
if (/\beval\(|new Function\b/.test(finished)) throw new Error(`${file} makes code from text, which a Content-Security-Policy forbids`);
if (finished !== glue) writeFileSync(file, finished);

const packed = gzipSync(readFileSync(file.replace(/\.mjs$/, ".wasm")), { level: 9 });
const padded = Buffer.concat([packed, Buffer.alloc(-packed.length & 3)]);
let text = "";
for (let i = 0; i < padded.length; i += 4) {
  for (let value = padded.readUInt32BE(i), k = 0; k < 5; ++k, value = Math.floor(value / 85)) text += String.fromCharCode(40 + (value % 85) + (value % 85 >= 52 ? 1 : 0));
}
writeFileSync(file.replace(/\.mjs$/, ".packed.mjs"), `export default ${JSON.stringify(text)};\nexport const bytes = ${packed.length};\n`);
