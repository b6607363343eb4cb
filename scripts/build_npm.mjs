#!/usr/bin/env node
// dist/npm: the package that people install. The wasm module and the element must have been built (build/wasm/module, dist/embed).
//
// npm asks that the package name the repository that it was built in before it takes its provenance: WEIGHBRIDGE_REPOSITORY, or what
// GitHub's workflows say of themselves.
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

// <weigh-bridge>: the module of dist/embed, as weighbridge/element.
copyFileSync(join(root, "dist/embed/weigh-bridge.js"), join(out, "element.js"));
copyFileSync(join(root, "web/element.d.ts"), join(out, "element.d.ts"));
// Where pages are drawn on a server the tag is only a tag.
writeFileSync(join(out, "element.node.js"), "export const WeighBridge = undefined;\n");
writeFileSync(join(out, "custom-elements.json"), readFileSync(join(root, "web/api.json"), "utf8").replaceAll('"weigh-bridge.js"', '"element.js"'));

for (const file of ["index.d.ts", "README.md"]) copyFileSync(join(root, "wasm", file), join(out, file));
copyFileSync(join(root, "LICENSE"), join(out, "LICENSE"));
const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, WEIGHBRIDGE_REPOSITORY = GITHUB_REPOSITORY && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}` } = process.env;
writeFileSync(join(out, "package.json"), `${JSON.stringify({
  name: "weighbridge", version, license,
  description: "GPU memory and speed of language models, with every number's work shown; the calculator, and <weigh-bridge> for any page",
  keywords: ["llm", "gpu", "memory", "vram", "inference", "calculator", "wasm", "web-component", "custom-element"],
  ...(WEIGHBRIDGE_REPOSITORY ? { repository: { type: "git", url: `git+${WEIGHBRIDGE_REPOSITORY}.git` } } : {}),
  type: "module", main: "./index.js", types: "./index.d.ts", sideEffects: ["./element.js"], engines: { node: ">=18" },
  exports: {
    ".": { types: "./index.d.ts", default: "./index.js" },
    "./element": { types: "./element.d.ts", browser: "./element.js", node: "./element.node.js", default: "./element.js" },
    "./weighbridge.wasm": "./weighbridge.wasm", "./custom-elements.json": "./custom-elements.json", "./package.json": "./package.json",
  },
  jsdelivr: "./element.js", unpkg: "./element.js", customElements: "./custom-elements.json",
  files: ["index.js", "index.d.ts", "types.d.ts", "element.js", "element.node.js", "element.d.ts", "custom-elements.json", "weighbridge.wasm", "README.md", "LICENSE"],
  publishConfig: { access: "public", provenance: true },
}, null, 2)}\n`);

const { load } = await import(pathToFileURL(join(out, "index.js")).href);
const wb = await load();
writeFileSync(join(out, "types.d.ts"), types(wb.describe()));
console.error(`dist/npm: weighbridge ${wb.version}`);
