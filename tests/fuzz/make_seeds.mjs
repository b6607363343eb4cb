// Seeds and a dictionary for the fuzz targets, from the golden cases: node make_seeds.mjs OUT_FOLDER
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const out = process.argv[2];
if (!out) {
  console.error("usage: node make_seeds.mjs OUT_FOLDER");
  process.exit(2);
}
const tests = join(dirname(fileURLToPath(import.meta.url)), "..");
const cases = join(tests, "golden", "cases");

// The first byte chooses the call (calls_fuzz) or the kind of file (model_fuzz).
const callByte = { train: "0", plan: "1", sweep: "2" };
const configByte = "2";
const words = new Set();
function collect(value) {
  if (typeof value === "string" && value.length < 40) words.add(value);
  if (Array.isArray(value)) value.forEach(collect);
  else if (value && typeof value === "object")
    for (const [key, inner] of Object.entries(value)) {
      words.add(key);
      collect(inner);
    }
}

for (const target of ["estimate", "calls", "model"]) mkdirSync(join(out, target), { recursive: true });
let seeds = 0;
for (const file of readdirSync(cases).sort()) {
  if (!file.endsWith(".json")) continue;
  const { name, call, request } = JSON.parse(readFileSync(join(cases, file), "utf8"));
  collect(request);
  const text = JSON.stringify(request);
  if (call === "estimate") writeFileSync(join(out, "estimate", name), text);
  else writeFileSync(join(out, "calls", name), callByte[call] + text);
  if (request?.model?.config) writeFileSync(join(out, "model", name), configByte + JSON.stringify(request.model.config));
  ++seeds;
}

// Real shapes of config.json, from the catalogue.
const models = join(tests, "..", "core", "data", "models");
for (const file of readdirSync(models).sort()) {
  if (!file.endsWith(".json")) continue;
  const data = JSON.parse(readFileSync(join(models, file), "utf8"));
  const first = (Array.isArray(data) ? data : data.models)?.[0];
  if (!first?.config) continue;
  collect(first.config);
  writeFileSync(join(out, "model", file.replace(".json", "")), configByte + JSON.stringify(first.config));
  ++seeds;
}
writeFileSync(join(out, "request.dict"), [...words].sort().map((w) => `${JSON.stringify(JSON.stringify(w))}\n`).join(""));
console.log(`${seeds} seeds, ${words.size} words`);
