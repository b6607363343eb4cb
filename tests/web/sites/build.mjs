// Puts a site together as its tool would: static ones are copied, those of React and Vue are drawn on the server and bundled for the browser.
import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

import { root } from "../support.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** Where each tool puts a file that its pages name. */
const kPlaces = { plain: "weigh-bridge.js", mkdocs: "assets/weigh-bridge.js", docusaurus: "weigh-bridge.js", vitepress: "weigh-bridge.js", sphinx: "_static/weigh-bridge.js" };
export const kSites = Object.keys(kPlaces);

const kMount = { docusaurus: "__docusaurus", vitepress: "app" };

export async function buildSite(name, folder) {
  if (name in kMount) {
    const options = { bundle: true, format: "esm", logLevel: "silent", define: { "process.env.NODE_ENV": '"development"', __VUE_OPTIONS_API__: "false", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true" } };
    await build({ ...options, entryPoints: [join(here, name, "client.mjs")], outfile: join(folder, "client.js") });
    const server = join(folder, "server.cjs");
    await build({ ...options, format: "cjs", entryPoints: [join(here, name, "server.mjs")], outfile: server, platform: "node" });
    const { html } = (await import(pathToFileURL(server).href)).default;
    await copyFile(join(here, name, "theme.css"), join(folder, "theme.css"));
    await writeFile(join(folder, "index.html"), `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="theme.css">
<script type="module" src="weigh-bridge.js"></script><script type="module" src="client.js"></script></head>
<body><div id="${kMount[name]}">${await html()}</div></body></html>`);
  } else {
    await cp(join(here, name), folder, { recursive: true });
  }
  const place = join(folder, kPlaces[name]);
  await mkdir(dirname(place), { recursive: true });
  await copyFile(join(root, "dist/embed/weigh-bridge.js"), place);
  return readFile(join(folder, "index.html"), "utf8");
}
