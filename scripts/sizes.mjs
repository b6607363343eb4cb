#!/usr/bin/env node
// What readers load, in bytes, against the committed budget tests/sizes.json: a growth has to be written there, and so shows as a diff.
//
//   node scripts/sizes.mjs            prints both
//   node scripts/sizes.mjs --write    takes what was built as the new budget
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const budgetFile = join(root, "tests/sizes.json");

/** A growth of less than this share of the budget is let pass. */
export const kSlack = 0.02;

const gzip = (file) => gzipSync(readFileSync(file), { level: 9 }).length;

/** The files that dist/site/index.html itself asks for: with these the first answer stands there. */
function firstLoad(site) {
  const html = readFileSync(join(site, "index.html"), "utf8").replaceAll(/<link rel="later"[^>]*>/g, "");
  const named = [...html.matchAll(/(?:src|href)="\.\/((?:assets\/)?[^"]+\.(?:js|css|lzma|svg))"/g)].map((m) => m[1]);
  return ["index.html", ...new Set(named)];
}

/** What comes when the reader first moves: with these every change of a field is answered (tests/web/first.test.mjs). */
const calculator = (assets) => assets.filter((file) => /\/(app|parts|glue|weighbridge_estimate)-/.test(file));

export const budget = () => JSON.parse(readFileSync(budgetFile, "utf8"));

/** Bytes by name; `gzip` in the name says that they are compressed. */
export function sizes(dist = join(root, "dist")) {
  const site = join(dist, "site");
  const first = firstLoad(site);
  const sum = (files) => files.reduce((total, file) => total + gzip(join(site, file)), 0);
  const npm = readdirSync(join(dist, "npm"));
  const assets = readdirSync(join(site, "assets")).map((file) => `assets/${file}`);
  return {
    "site, first load, gzip": sum(first),
    "site, first load and its calculator, gzip": sum(first) + sum(calculator(assets)),
    "site, WebAssembly and its glue, gzip": sum(assets.filter((file) => /\/(weighbridge_estimate|glue)-/.test(file))),
    "site, WebAssembly that comes later, gzip": sum(assets.filter((file) => /\/weighbridge-.*\.lzma$/.test(file))),
    "embed module, gzip": gzip(join(dist, "embed/weigh-bridge.js")),
    "single file": statSync(join(dist, "weighbridge.html")).size,
    "npm package, gzip": npm.reduce((total, file) => total + gzip(join(dist, "npm", file)), 0),
  };
}

/** What was promised to readers, where something was. */
export const kWanted = { "site, first load, gzip": 160_000, "site, first load and its calculator, gzip": 200_000, "site, WebAssembly and its glue, gzip": 110_000, "embed module, gzip": 200_000, "single file": 700_000 };

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const now = sizes();
  if (process.argv.includes("--write")) {
    writeFileSync(budgetFile, `${JSON.stringify(now, null, 2)}\n`);
  }
  const kb = (n) => (n === undefined ? "" : `${(n / 1000).toFixed(1)} KB`);
  const old = budget();
  for (const [name, bytes] of Object.entries(now)) console.log(`${name.padEnd(38)} ${kb(bytes).padStart(10)}   budget ${kb(old[name]).padStart(10)}   wanted at most ${kb(kWanted[name])}`);
}
