#!/usr/bin/env node
// How far memory answers are from what engines printed: tests/measurements/inference_memory.jsonl, every row with its source.
//
//   node scripts/accuracy.mjs               the table, per engine and part
//   node scripts/accuracy.mjs --write       and writes docs/accuracy/inference_memory.json, from which the page draws
//   node scripts/accuracy.mjs --fit         and writes core/data/intervals.json: ranges that hold 80 % of the measurements
//   node scripts/accuracy.mjs --markdown    the table as README has it
//   node scripts/accuracy.mjs --worst 20    and the rows that are farthest off
//
// A range is fitted on ratios of measured to predicted; the share inside is counted with the row's own model left out of the fit.
// The core is asked through build/dev/tests/weighbridge_cli (or WEIGHBRIDGE_CLI), which is built first.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const option = (name) => process.argv.includes(name);
const worst = option("--worst") ? Number(process.argv[process.argv.indexOf("--worst") + 1]) : 0;
const cli = process.env.WEIGHBRIDGE_CLI ?? join(root, "build/dev/tests/weighbridge_cli");
if (!existsSync(cli)) {
  console.error(`${cli} is not built: scripts/build.sh makes it, or give WEIGHBRIDGE_CLI.`);
  process.exit(2);
}

const kFewest = 5;               // ratios of an engine's part that a range of its own needs
/** What a measured path is a measurement of. */
const kParts = {
  "memory.per_device.activations": "activations",
  "memory.detail.runtime.libraries": "libraries",
  "memory.detail.runtime.graphs": "graphs",
  "memory.per_device.total": "total",
  "memory.total.total": "total",
  "capacity.kv_pool": "pool",
  "capacity.kv_tokens": "pool",
};
/** Parts that are counted and not estimated: they have no range. */
const kExact = {
  "memory.per_device.weights": "weights", "memory.total.weights": "weights", "memory.host.weights": "weights", "model.weight_bytes": "weights",
  "memory.total.kv_cache": "cache", "capacity.kv_bytes_per_token": "cache", "model.state_bytes_per_sequence": "cache",
};

const rows = readFileSync(join(root, "tests/measurements/inference_memory.jsonl"), "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const answers = execFileSync(cli, { input: rows.map(({ request }) => `${JSON.stringify({ call: "estimate", request })}\n`).join(""), encoding: "utf8", maxBuffer: 1 << 30 }).split("\n");
const at = (value, path) => path.split(".").reduce((v, key) => v?.[key], value);
const engineOf = ({ engine }) => (typeof engine === "string" ? engine : engine?.name ?? "ideal");

const points = rows.map((row, i) => {
  const answer = JSON.parse(answers[i]);
  const got = answer.ok ? at(answer, row.path) : undefined;
  const point = { id: row.id, engine: engineOf(row.request), model: row.request.model, part: kParts[row.path] ?? kExact[row.path] ?? row.path, path: row.path, value: row.value, grade: row.grade, source: row.source };
  if (typeof got !== "number") return { ...point, why: answer.problems?.find((p) => p.severity === "error")?.code ?? "no number" };
  const [low, high] = row.range ?? [row.value, row.value];
  const target = Math.min(Math.max(got, low), high);
  return { ...point, got, error: got === target ? 0 : got / target - 1, target, ranged: row.path in kParts };
});
const answered = points.filter((p) => p.error !== undefined);

// Where a further ratio lies with a probability of 80 %: few ratios say little of their tails, so they are taken as log-normal and the
// range as Student's prediction interval (mean and spread both estimated).
const kStudent = [3.078, 1.886, 1.638, 1.533, 1.476, 1.44, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.35, 1.345, 1.341, 1.337, 1.333, 1.33, 1.328, 1.325];      // 90 % one-sided, by degrees of freedom
const kMostOfOne = 5;            // a source with more rows counts as so many: its rows share one machine and one version
function ends(used) {
  const weights = used.map((p) => Math.min(1, kMostOfOne / used.filter((q) => q.source === p.source).length));
  const n = weights.reduce((sum, w) => sum + w, 0), logs = used.map((p) => Math.log(p.value / p.got));
  const mean = logs.reduce((sum, x, i) => sum + weights[i] * x, 0) / n;
  const spread = Math.sqrt(logs.reduce((sum, x, i) => sum + weights[i] * (x - mean) ** 2, 0) / (n - 1));
  const reach = (kStudent[Math.floor(n) - 2] ?? 1.29) * spread * Math.sqrt(1 + 1 / n);
  return [Math.exp(mean - reach), Math.exp(mean + reach)];
}
/** An engine's own range, or with too few ratios that of all engines together. */
function range(engine, part, without) {
  const all = answered.filter((p) => p.ranged && p.part === part && p.got > 0 && p.model !== without);
  const own = all.filter((p) => p.engine === engine);
  const used = own.length >= kFewest ? own : all;
  return used.length >= 2 ? { range: ends(used), measurements: used.length, own: used === own } : undefined;
}
/** What its constants are known to within, for parts of which fewer than two sources tell. */
const kConstants = { graphs: ["graph_bytes_per_layer", "graph_bytes_per_moe_layer"], context: ["context_bytes"] };
const engineRows = JSON.parse(readFileSync(join(root, "core/data/engines.json"), "utf8"));
function known(engine, part) {
  const sources = new Set(answered.filter((p) => p.ranged && p.part === part && p.engine === engine).map((p) => p.source));
  const constants = engineRows.find(({ id }) => id === engine)?.constants?.filter(({ id, low }) => kConstants[part]?.includes(id) && low !== undefined) ?? [];
  if (sources.size > 1 || constants.length === 0) return undefined;
  return { range: [Math.min(...constants.map((c) => c.low / c.value)), Math.max(...constants.map((c) => c.high / c.value))], measurements: 0, own: true };
}

const quantile = (sorted, q) => (sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN);
const percent = (x) => (x === null || Number.isNaN(x) ? "    -" : `${(100 * x).toFixed(1)} %`.padStart(7));
const groups = new Map();
for (const p of points) {
  const key = `${p.engine} | ${p.part}`;
  if (!groups.has(key)) groups.set(key, []);
  groups.get(key).push(p);
}
const table = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, list]) => {
  const [engine, part] = key.split(" | ");
  const with_number = list.filter((p) => p.error !== undefined);
  const errors = with_number.map((p) => Math.abs(p.error)).sort((a, b) => a - b);
  const judged = with_number.filter((p) => p.ranged).flatMap((p) => {
    const r = range(engine, part, p.model);
    return r ? [p.value >= p.got * r.range[0] && p.value <= p.got * r.range[1]] : [];
  });
  return { engine, part, rows: list.length, answered: with_number.length, median: quantile(errors, 0.5), p90: quantile(errors, 0.9), inside: judged.length ? judged.filter(Boolean).length / judged.length : null };
});
if (option("--markdown")) {
  const cell = (x) => (x === null || Number.isNaN(x) ? "" : `${(100 * x).toFixed(1)} %`);
  console.log("| Engine | Part | Measurements | Median error | 90 % within | Inside the range |\n| --- | --- | ---: | ---: | ---: | ---: |");
  for (const r of table.filter((r) => r.answered > 0)) console.log(`| ${r.engine} | ${r.part} | ${r.answered} | ${cell(r.median)} | ${cell(r.p90)} | ${cell(r.inside)} |`);
  process.exit(0);
}
console.log("engine         part         rows answered   median       90 %   inside");
for (const r of table) console.log(`${r.engine.padEnd(14)} ${r.part.padEnd(12)} ${String(r.rows).padStart(4)} ${String(r.answered).padStart(8)}  ${percent(r.median)}   ${percent(r.p90)}  ${percent(r.inside)}`);
const refused = points.filter((p) => p.why);
if (refused.length > 0) console.log(`without an answer: ${[...new Set(refused.map((p) => `${p.model} (${p.why})`))].join(", ")}`);
if (worst > 0)
  for (const p of answered.toSorted((a, b) => Math.abs(b.error) - Math.abs(a.error)).slice(0, worst))
    console.log(`${percent(p.error)}  ${p.got.toPrecision(6)} for ${p.value.toPrecision(6)}  ${p.path}  ${p.id}  ${p.source}`);

const line = (value) => JSON.stringify(value);
if (option("--write")) {
  const folder = join(root, "docs/accuracy");
  mkdirSync(folder, { recursive: true });
  const shown = answered.map(({ id, engine, model, part, value, got, grade, source }) => ({ id, engine, model, part, measured: value, predicted: got, grade, source }));
  const round = (x) => (typeof x === "number" && !Number.isNaN(x) ? Number(x.toPrecision(4)) : null);
  writeFileSync(join(folder, "inference_memory.json"),
    `{\n  "table": [\n${table.map((r) => `    ${line({ ...r, median: round(r.median), p90: round(r.p90), inside: round(r.inside) })}`).join(",\n")}\n  ],\n  "points": [\n${shown.map((p) => `    ${line(p)}`).join(",\n")}\n  ]\n}\n`);
}
if (option("--fit")) {
  const parts = [...new Set([...Object.values(kParts), ...Object.keys(kConstants)])];
  const engines = engineRows.map(({ id }) => id).filter((id) => id !== "ideal").sort();
  const fitted = ["*", ...engines].flatMap((engine) => parts.flatMap((part) => {
    const r = known(engine, part) ?? (part in kConstants ? undefined : range(engine, part));
    if (!r || (engine !== "*" && !r.own)) return [];
    return [{ engine, part, low: Number(Math.min(1, r.range[0]).toPrecision(3)), high: Number(Math.max(1, r.range[1]).toPrecision(3)), measurements: r.measurements }];
  }));
  writeFileSync(join(root, "core/data/intervals.json"), `[\n${fitted.map((r) => `  ${line(r)}`).join(",\n")}\n]\n`);
  console.log(`core/data/intervals.json: ${fitted.length} ranges`);
}
