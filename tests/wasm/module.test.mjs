// What the built files and their sources must be like.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "node:test";

import { build } from "esbuild";

import { modules, npm, root } from "./support.mjs";

const read = (...path) => readFileSync(join(...path), "utf8");

test("the bindings are short and hold no logic", () => {
  const source = read(root, "wasm/bindings.cpp");
  assert.ok(source.split("\n").length < 100);
  assert.doesNotMatch(source, /\b(if|while|switch|try|catch)\b/);
});

test("no file makes code from text: pages may forbid it", () => {
  for (const file of [join(npm, "index.js"), join(npm, "element.js")]) assert.ok(!/\beval\s*\(|\bnew Function\b|(?<![.\w])Function\s*\(/.test(read(file)), file);
});

test("the packed module is the module, at once and in steps", async () => {
  const { outputFiles } = await build({ entryPoints: [join(root, "wasm/lzma.ts")], bundle: true, format: "esm", write: false });
  const { unpackLater, unpackLzma } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  const digit = (c) => c.charCodeAt(0) - (c > "\\" ? 41 : 40);
  for (const name of ["weighbridge", "weighbridge_estimate"]) {
    const packed = readFileSync(join(modules, `${name}.lzma`));
    const wasm = readFileSync(join(modules, `${name}.wasm`));
    assert.ok(wasm.equals(unpackLzma(packed)));
    assert.ok(wasm.equals(await unpackLater(packed)));
    const { default: text } = await import(pathToFileURL(join(modules, `${name}.packed.mjs`)).href);
    const padded = Buffer.alloc((text.length / 5) * 4);
    for (let i = 0; i < text.length; i += 5) padded.writeUInt32BE([...text.slice(i, i + 5)].reduceRight((value, c) => value * 85 + digit(c), 0), (i / 5) * 4);
    assert.ok(packed.equals(padded.subarray(0, packed.length)));
  }
  assert.ok(readFileSync(join(npm, "weighbridge.wasm")).equals(readFileSync(join(modules, "weighbridge.wasm"))));
});

test("the module asks the system for nothing: no files, no clock, no environment, no chance", () => {
  const module = new WebAssembly.Module(readFileSync(join(npm, "weighbridge.wasm")));
  const names = WebAssembly.Module.imports(module).map(({ name }) => name);
  for (const name of names) assert.doesNotMatch(name, /fd_|path_|environ|clock|random|syscall|sock/);
});
