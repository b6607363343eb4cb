#!/usr/bin/env node
// Last step of linking: node scripts/finish_module.mjs MODULE.mjs (MODULE.wasm lies beside it)
//
// 1. Emscripten's glue names its .wasm by import.meta.url, and bundlers would ship a second copy for that. The loader
//    always hands the module over itself (instantiateWasm), so the mention goes.
// 2. MODULE.packed.mjs is the .wasm as gzip in base64, for builds that are one file.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const file = process.argv[2];
const glue = readFileSync(file, "utf8");
const finished = glue.replace(/new URL\(\s*(["'])[^"']+\.wasm\1\s*,\s*import\.meta\.url\s*\)(\.href|\.toString\(\))?/g, '""');
if (/\beval\(|new Function\b/.test(finished)) throw new Error(`${file} makes code from text, which a Content-Security-Policy forbids`);
if (finished !== glue) writeFileSync(file, finished);

const packed = gzipSync(readFileSync(file.replace(/\.mjs$/, ".wasm")), { level: 9 }).toString("base64");
writeFileSync(file.replace(/\.mjs$/, ".packed.mjs"), `export default "${packed}";\n`);
