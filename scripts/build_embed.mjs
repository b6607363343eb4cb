#!/usr/bin/env node
// What lies beside dist/embed/weigh-bridge.js: the gallery, embed.html with its script, and frame.js for the page around it.
import { copyFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(process.env.WEIGHBRIDGE_DIST ?? join(root, "dist"), "embed");
const options = { bundle: true, format: "esm", target: "es2022", minify: true, legalComments: "none", logLevel: "warning" };

await build({
  ...options, entryPoints: [join(root, "web/src/embed-frame.ts")], outfile: join(out, "embed.js"),
  plugins: [{ name: "beside", setup: (b) => b.onResolve({ filter: /embed-define\.js$/ }, () => ({ path: "./weigh-bridge.js", external: true })) }],
});
await build({ ...options, entryPoints: [join(root, "web/src/embed-parent.ts")], outfile: join(out, "frame.js") });
for (const file of ["index.html", "gallery.css", "embed.html", "embed.css"]) copyFileSync(join(root, "web/embed", file), join(out, file));
