// The first answer as HTML: what the page shows for its default request, computed by the built core and drawn by the page's
// own templates, so that a reader sees it before any script has run. The page draws it again once the calculator is there; a
// test holds the two against each other.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const escape = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** Lit's templates as text: attributes stay, listeners fall away, and of the properties only those that a reader sees. */
export function written(value) {
  if (value === null || value === undefined || value === false || typeof value === "symbol" || typeof value === "function") return "";
  if (Array.isArray(value)) return value.map(written).join("");
  if (value._$litDirective$) return written(value.values?.[0]);
  if (!value._$litType$) return typeof value === "object" && Symbol.iterator in value ? [...value].map(written).join("") : escape(value);
  const { strings, values } = value;
  let out = "";
  for (let i = 0; i < strings.length; ++i) {
    out += strings[i];
    if (i === values.length) break;
    const bound = values[i];
    if (out.lastIndexOf("<") <= out.lastIndexOf(">")) {
      out += written(bound);
      continue;
    }
    const plain = bound?._$litDirective$ ? bound.values[0] : bound;
    const [whole, name, quoted] = /([.?@]?[\w:-]+)=("[^"]*)?$/.exec(out) ?? [];
    if (quoted !== undefined) out += escape(plain ?? "");
    else {
      out = out.slice(0, out.length - whole.length);
      if (name.startsWith("@") || typeof plain === "symbol" || plain === undefined || plain === null) continue;
      if (name.startsWith("?")) out += plain ? `${name.slice(1)}=""` : "";
      else if (name === ".style" || name === ".value") out += `${name.slice(1)}="${escape(plain)}"`;
      else if (name === ".text" || name === ".fieldId") out += `data${name.replace(".", "-").toLowerCase()}="${escape(plain)}"`;
      else if (!name.startsWith(".")) out += `${name}="${escape(plain)}"`;
    }
  }
  return out;
}

/** The lists are drawn by an element of their own; until the page draws it, its text stands in a field, which must not wake up as that element before. */
const withFields = (html) =>
  html.replace(/<wb-combobox([^>]*)><\/wb-combobox>/g, (_, attributes) => {
    const of = (name) => new RegExp(`data-${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
    return `<div class="combobox"><input id="${of("fieldid")}" type="text" value="${of("text")}" readonly></div>`;
  });

export async function firstAnswer() {
  const folder = await mkdtemp(join(tmpdir(), "weighbridge-first-"));
  try {
    await build({
      entryPoints: [join(here, "src/page.ts")], bundle: true, format: "esm", platform: "node", conditions: ["node", "import"], outfile: join(folder, "page.mjs"), logLevel: "error", target: "es2022",
      plugins: [{ name: "none", setup: (b) => { b.onResolve({ filter: /^virtual:/ }, () => ({ path: "none", namespace: "none" })); b.onLoad({ filter: /./, namespace: "none" }, () => ({ contents: "export default {}" })); } }], define: { "import.meta.env.MODE": '"site"' },
    });
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const { WeighPage } = await import(pathToFileURL(join(folder, "page.mjs")).href);
    await build({ entryPoints: [join(here, "../wasm/loader.ts")], bundle: true, format: "esm", platform: "neutral", outfile: join(folder, "core.mjs"), logLevel: "error", target: "es2022" });
    const { load } = await import(pathToFileURL(join(folder, "core.mjs")).href);
    const client = await load({ wasmBinary: await readFile(join(here, "../build/wasm/module/weighbridge.wasm")) });
    // What the templates ask of a browser: none of it decides what is drawn.
    const still = { matches: false, addEventListener() {}, removeEventListener() {} };
    const element = { lang: "", dataset: {}, title: "" };
    const kept = {};
    for (const [name, value] of Object.entries({ navigator: { languages: ["en"], onLine: true }, location: { hash: "", href: "" }, document: { documentElement: element, activeElement: null, title: "" }, matchMedia: () => still, CSS: { escape: String }, addEventListener() {}, removeEventListener() {} })) {
      kept[name] = Object.getOwnPropertyDescriptor(globalThis, name);
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    try {
      WeighPage.prototype.querySelector = () => null;
      const page = new WeighPage();
      page.startNow(client);
      return withFields(written(page.render())).replace(/<select ([^>]*)>.*?<\/select>/gs, (whole, attributes) => `<select disabled ${attributes}>${/<option[^>]* selected=""[^>]*>[^<]*<\/option>/.exec(whole)?.[0] ?? ""}</select>`).replace(/<input (?![^>]*readonly)/g, "<input readonly ").replace(/>\s+</g, "> <").replace(/\s{2,}/g, " ");
    } finally {
      for (const [name, descriptor] of Object.entries(kept)) descriptor ? Object.defineProperty(globalThis, name, descriptor) : delete globalThis[name];
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
