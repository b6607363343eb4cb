// What the tests of the WebAssembly module share: where things are, the bare module, the native core beside it.
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const npm = join(root, "dist/npm");
export const modules = join(root, "build/wasm/module");

for (const [path, made] of [[npm, "scripts/build.sh"], [join(modules, "weighbridge.wasm"), "scripts/build.sh"]]) {
  if (!existsSync(path)) throw new Error(`${path} is missing: run ${made} first`);
}

/** The package as users have it. `fresh`: another instance of the module than the one that other tests share. */
export function load(options, fresh = "") {
  return import(pathToFileURL(join(npm, "index.js")).href + (fresh && `?${fresh}`)).then((module) => module.load(options));
}

/** One of wasm/*.ts. */
async function built(file) {
  const folder = mkdtempSync(join(tmpdir(), "weighbridge-"));
  try {
    const out = join(folder, "module.mjs");
    await build({ entryPoints: [join(root, "wasm", file)], bundle: true, format: "esm", target: "es2022", outfile: out, logLevel: "error" });
    return await import(pathToFileURL(out).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const moduleOf = (name) => new WebAssembly.Module(readFileSync(join(modules, `${name}.wasm`)));

/** The bindings without the loader: texts in, texts out. */
export async function bareCore(name = "weighbridge") {
  const { coreOf, importsOf } = await built("core.ts");
  const module = moduleOf(name);
  return coreOf(new WebAssembly.Instance(module, importsOf(module)));
}

/** The loader over another core than the real one. */
export const clientOver = async (name) => (await built("client.ts")).createClient(moduleOf(name));

const cli = [process.env.WEIGHBRIDGE_CLI, join(root, "build/release/tests/weighbridge_cli"), join(root, "build/dev/tests/weighbridge_cli")].find((path) => path && existsSync(path));

/** What the native core says to each of these lines (see tests/support/cli.cpp). */
export function native(lines) {
  if (!cli) throw new Error("The native command line is missing: cmake --preset dev && cmake --build build/dev --target weighbridge_cli");
  return new Promise((resolve, reject) => {
    const child = execFile(cli, { encoding: "utf8", maxBuffer: 1 << 30 }, (error, out) => (error ? reject(error) : resolve(out.split("\n").slice(0, -1))));
    child.stdin.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
}

export const goldenCases = () => {
  const folder = join(root, "tests/golden/cases");
  return readdirSync(folder).filter((file) => file.endsWith(".json")).sort().map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
};

/** [path, code] of each problem, as one text each. */
export const found = (answer) => answer.problems.filter((p) => p.severity === "error").map((p) => `${p.path} ${p.code}`).sort();
