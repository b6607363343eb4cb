// What the built files and their sources must be like.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "node:test";
import { gunzipSync } from "node:zlib";

import { modules, npm, root } from "./support.mjs";

const read = (...path) => readFileSync(join(...path), "utf8");

test("the bindings are short and hold no logic", () => {
  const source = read(root, "wasm/bindings.cpp");
  assert.ok(source.split("\n").length < 100);
  assert.doesNotMatch(source, /\b(if|while|switch|try|catch)\b/);
});

test("no file makes code from text: pages may forbid it", () => {
  for (const file of [join(modules, "weighbridge.mjs"), join(npm, "index.js")]) assert.ok(!/\beval\s*\(|\bnew Function\b|(?<![.\w])Function\s*\(/.test(read(file)), file);
});

test("the glue neither reads files nor names its .wasm", () => {
  const glue = read(modules, "weighbridge.mjs");
  assert.ok(!/new URL\([^)]*import\.meta\.url/.test(glue));
  assert.ok(!/\brequire\(/.test(glue));
});

test("the packed module is the module", async () => {
  const { default: text, bytes } = await import(pathToFileURL(join(modules, "weighbridge.packed.mjs")).href);
  const unpacked = Buffer.alloc((text.length / 5) * 4);
  const digit = (c) => c.charCodeAt(0) - (c > "\\" ? 41 : 40);
  for (let i = 0; i < text.length; i += 5) unpacked.writeUInt32BE([...text.slice(i, i + 5)].reduceRight((value, c) => value * 85 + digit(c), 0), (i / 5) * 4);
  assert.ok(gunzipSync(unpacked.subarray(0, bytes)).equals(readFileSync(join(modules, "weighbridge.wasm"))));
  assert.ok(readFileSync(join(npm, "weighbridge.wasm")).equals(readFileSync(join(modules, "weighbridge.wasm"))));
});

test("the module asks the system for nothing: no files, no clock, no environment, no chance", () => {
  const module = new WebAssembly.Module(readFileSync(join(npm, "weighbridge.wasm")));
  const names = WebAssembly.Module.imports(module).map(({ name }) => name);
  for (const name of names) assert.doesNotMatch(name, /fd_(read|open)|path_|environ|clock|random|syscall|sock/);
});
