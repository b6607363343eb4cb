#!/usr/bin/env node
// dist/npm: the package that people install. The wasm module must have been built (build/wasm/module).
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

import { types } from "./generate_types.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "dist/npm");
const module = join(root, "build/wasm/module");
const { version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
copyFileSync(join(module, "weighbridge.wasm"), join(out, "weighbridge.wasm"));

const built = await build({
  entryPoints: [join(root, "wasm/loader.ts")], bundle: true, format: "esm", target: "es2022", minify: true, write: false, legalComments: "none",
  // The .wasm lies beside index.js here.
  plugins: [{
    name: "beside",
    setup: (b) => b.onLoad({ filter: /loader\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const moved = text.replace("'../build/wasm/module/weighbridge.wasm'", "'./weighbridge.wasm'");
      if (moved === text) throw new Error("wasm/loader.ts no longer names its .wasm as build_npm.mjs expects");
      return { contents: moved, loader: "ts" };
    }),
  }],
});
writeFileSync(join(out, "index.js"), built.outputFiles[0].text);

for (const file of ["index.d.ts", "README.md"]) copyFileSync(join(root, "wasm", file), join(out, file));
copyFileSync(join(root, "LICENSE"), join(out, "LICENSE"));
writeFileSync(join(out, "package.json"), `${JSON.stringify({
  name: "weighbridge", version, license,
  description: "GPU memory and speed of language models, with every number's work shown",
  type: "module", main: "./index.js", types: "./index.d.ts", sideEffects: false, engines: { node: ">=18" },
  exports: { ".": { types: "./index.d.ts", default: "./index.js" }, "./weighbridge.wasm": "./weighbridge.wasm", "./package.json": "./package.json" },
  files: ["index.js", "index.d.ts", "types.d.ts", "weighbridge.wasm", "README.md", "LICENSE"],
  keywords: ["llm", "gpu", "memory", "inference", "calculator", "wasm"],
}, null, 2)}\n`);

const { load } = await import(pathToFileURL(join(out, "index.js")).href);
const wb = await load();
writeFileSync(join(out, "types.d.ts"), types(wb.describe()));
console.error(`dist/npm: weighbridge ${wb.version}`);
