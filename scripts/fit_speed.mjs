#!/usr/bin/env node
// Fits the constants of the pass model to tests/measurements/inference_speed.jsonl and writes core/data/efficiency.json, and to
// docs/accuracy/speed.json how far it is off by kind of measurement, in the fit and with a device, a model or a source left out.
//
//   node scripts/fit_speed.mjs             fit, print the errors in and out of the fit, write the files
//   node scripts/fit_speed.mjs --dry       the same without writing
//   node scripts/fit_speed.mjs --sources   and the median ratio of every source with itself left out
//   node scripts/fit_speed.mjs --check     no fit: the model of speed_model.mjs must give what the core answers
//
// The core is asked through build/release/tests/weighbridge_cli (or WEIGHBRIDGE_CLI), which is built first and holds the constants of the
// last fit; those of other sources stay as they are. Robust regression (pseudo-Huber) of the logarithm of estimated over measured, damped Gauss-Newton, with weak priors from
// speed_constants.mjs so that what the data do not tell stays where it was. Errors count a third as much in rows whose inputs were partly
// inferred, rows of one source on one device share their weight, and dense
// batches and first tokens, of which few sources speak, count twice.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { classBounds, classStarts, constants } from "./speed_constants.mjs";
import { computeOf, features, predict } from "./speed_model.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const file = join(root, "core/data/efficiency.json");
const cli = process.env.WEIGHBRIDGE_CLI ?? join(root, "build/release/tests/weighbridge_cli");
const efficiency = JSON.parse(readFileSync(file, "utf8"));
const kPrior = 6e-3, kHuber = 0.08, kInferred = 0.35;
const kSpreads = ["single", "single_moe", "batched", "batched_moe", "prefill", "prefill_moe", "ttft", "ttft_loaded"];
const kOwnSpread = 8;            // pairs of a model and a device, measured, that a group of engines needs for a spread of its own
const kFewWidened = 20;          // measurements that say how much wider spreads must be
const kFewest = 3;               // and to count as measured on a class of devices

function ask(calls) {
  return execFileSync(cli, [], { input: calls.map((c) => JSON.stringify(c)).join("\n") + "\n", maxBuffer: 1 << 30 }).toString().trim().split("\n").map((line) => JSON.parse(line));
}

function measurements() {
  const rows = readFileSync(join(root, "tests/measurements/inference_speed.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const answers = ask([...rows.map((r) => ({ call: "estimate", request: { ...r.request, explain: true } })), { call: "describe", request: {} }]);
  const described = answers.pop(), devices = new Map(described.devices.map((d) => [d.id, d]));
  const released = new Map(described.models.map((m) => [m.id, m.release]));
  const known = rows.map((r, i) => (answers[i].ok && answers[i].speed ? features(r, answers[i], devices.get(r.request.device), released.get(answers[i].model.id), efficiency, current) : null)).filter(Boolean);
  if (known.length < rows.length) console.log(`${rows.length - known.length} of ${rows.length} measurements are of models that the catalogue does not have`);
  return known;
}

// What is free: every constant, and bandwidth and compute of the classes that have measurements (compute of some together).
const measured = efficiency.classes.map((c, i) => [c, i]).filter(([c]) => Object.keys(c.applies).length > 0);
const free = [
  ...constants,
  ...measured.map(([c, i]) => ({ name: `bandwidth/${i}`, start: classStarts[c.class][0], ...classBounds.bandwidth })),
  ...new Map(measured.map(([c, i]) => [computeOf(c, i), { name: computeOf(c, i), start: classStarts[c.class][1], ...classBounds.compute }])).values(),
];
const current = Object.fromEntries([...constants.map((c) => [c.name, c.start]), ...efficiency.constants.map((c) => [c.name, c.value]),
  ...efficiency.classes.flatMap((c, i) => [[`bandwidth/${i}`, c.bandwidth.value], [computeOf(c, i), c.compute.value]])]);

const group = (f) => [f.row.source, f.row.request.device, f.row.kind].join("|");
function weights(rows) {
  const count = {};
  for (const f of rows) count[group(f)] = (count[group(f)] ?? 0) + 1;
  const kinds = { "batched-dense": 2, ttft: 2 };
  return rows.map((f) => ((f.row.grade === "C" ? kInferred : 1) * (kinds[f.row.kind] ?? 1)) / Math.sqrt(Math.min(40, count[group(f)])));
}

function solve(matrix, right) {
  const n = right.length;
  for (let i = 0; i < n; i++) {
    let most = i;
    for (let k = i + 1; k < n; k++) if (Math.abs(matrix[k][i]) > Math.abs(matrix[most][i])) most = k;
    [matrix[i], matrix[most]] = [matrix[most], matrix[i]];
    [right[i], right[most]] = [right[most], right[i]];
    for (let k = i + 1; k < n; k++) {
      const factor = matrix[k][i] / matrix[i][i];
      if (factor === 0) continue;
      for (let j = i; j < n; j++) matrix[k][j] -= factor * matrix[i][j];
      right[k] -= factor * right[i];
    }
  }
  const out = Array(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = right[i];
    for (let j = i + 1; j < n; j++) sum -= matrix[i][j] * out[j];
    out[i] = sum / matrix[i][i];
  }
  return out;
}

/** The constants that fit these rows, from `start`. */
function fit(rows, start, rounds) {
  const low = free.map((c) => Math.log(c.low)), high = free.map((c) => Math.log(c.high)), prior = free.map((c) => Math.log(c.start)), n = free.length;
  const w = weights(rows);
  const named = (x) => ({ ...current, ...Object.fromEntries(free.map((c, i) => [c.name, Math.exp(x[i])])) });
  const residuals = (x) => { const p = named(x); return rows.map((f) => Math.log(predict(f, p) / f.row.value)); };
  const loss = (r, x) => r.reduce((sum, v, i) => sum + w[i] * kHuber ** 2 * (Math.sqrt(1 + (v / kHuber) ** 2) - 1), 0) +
    kPrior * x.reduce((sum, v, i) => sum + ((v - prior[i]) / free[i].spread) ** 2, 0);
  const x = free.map((c, i) => Math.min(high[i], Math.max(low[i], Math.log(start[c.name]))));
  let r = residuals(x), best = loss(r, x), damping = 1e-3, normal = null;
  for (let round = 0; round < rounds; round++) {
    const slopes = free.map((_, k) => {
      const moved = x.slice(), step = x[k] > high[k] - 2e-3 ? -1e-3 : 1e-3;
      moved[k] += step;
      return residuals(moved).map((v, i) => (v - r[i]) / step);
    });
    const influence = r.map((v, i) => w[i] / Math.sqrt(1 + (v / kHuber) ** 2) / 2);
    normal = Array.from({ length: n }, () => new Float64Array(n));
    const right = new Float64Array(n);
    for (let a = 0; a < n; a++) {
      for (let b = a; b < n; b++) {
        let sum = 0;
        for (let i = 0; i < r.length; i++) sum += influence[i] * slopes[a][i] * slopes[b][i];
        normal[a][b] = normal[b][a] = sum;
      }
      for (let i = 0; i < r.length; i++) right[a] -= influence[i] * slopes[a][i] * r[i];
      right[a] -= (kPrior * (x[a] - prior[a])) / free[a].spread ** 2;
      normal[a][a] += kPrior / free[a].spread ** 2;
    }
    let better = false;
    for (let attempt = 0; attempt < 8 && !better; attempt++) {
      const damped = normal.map((line, i) => { const copy = Array.from(line); copy[i] *= 1 + damping; return copy; });
      const step = solve(damped, Array.from(right));
      const moved = x.map((v, i) => Math.min(high[i], Math.max(low[i], v + Math.max(-0.7, Math.min(0.7, step[i])))));
      const then = residuals(moved), now = loss(then, moved);
      if (now < best) {
        if (best - now < 1e-5 * best) round = rounds;
        better = true;
        moved.forEach((v, i) => (x[i] = v));
        r = then;
        best = now;
        damping = Math.max(1e-6, damping / 4);
      } else damping *= 6;
    }
    if (!better) break;
  }
  return named(x);
}

const quantile = (sorted, q) => (sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : NaN);
const percent = (x) => `${(100 * x).toFixed(1)}%`.padStart(7);
function errorsOf(rows, estimate) {
  const ratios = rows.map((f) => estimate(f) / f.row.value).sort((a, b) => a - b), errors = ratios.map((x) => Math.abs(x - 1)).sort((a, b) => a - b);
  return { median: quantile(errors, 0.5), p90: quantile(errors, 0.9), bias: quantile(ratios, 0.5) };
}
const byKind = (rows) => [...new Set(rows.map((f) => f.row.kind))].sort().map((kind) => [kind, rows.filter((f) => f.row.kind === kind)]);
function table(title, rows, estimate) {
  console.log(`\n${title}\n  rows  median     p90   bias`);
  for (const [kind, list] of byKind(rows)) {
    const { median, p90, bias } = errorsOf(list, estimate);
    console.log(`${String(list.length).padStart(6)} ${percent(median)} ${percent(p90)} ${bias.toFixed(2).padStart(6)}  ${kind}`);
  }
}

const rows = measurements();
if (process.argv.includes("--check")) {
  const worst = rows.map((f) => [Math.abs(predict(f, current) / f.core - 1), f]).sort((a, b) => b[0] - a[0]);
  console.log(`${rows.length} measurements; the model and the core differ by at most ${worst[0][0].toExponential(2)}`);
  for (const [d, f] of worst.slice(0, 5)) if (d > 1e-3) console.log(d.toPrecision(3), f.row.figure, f.row.kind, JSON.stringify(f.row.request));
  process.exit(worst[0][0] < 1e-3 ? 0 : 1);
}

const values = fit(rows, current, 30);
const sure = rows.filter((f) => f.row.grade !== "C");
table("In the fit (inputs all stated)", sure, (f) => predict(f, values));
table("In the fit (an input inferred)", rows.filter((f) => f.row.grade === "C"), (f) => predict(f, values));

// Engines with like kernels, by which ranges are told apart.
const groupOf = (f) => (f.server ? "server" : f.own ? "own" : "eager");
const isRate = (f) => f.row.figure.includes("tokens_per_s");
/** Measured over estimated time. */
const timeRatio = (f, p) => (isRate(f) ? predict(f, p) / f.row.value : f.row.value / predict(f, p));

// Left out: devices and models in eighths, every source at a time; and, to see what to expect of what nobody measured, a group of engines
// on a class of devices, and a class of devices, which is then taken as "all others".
const refits = [];
function leaveOut(what, key, parts, adjust = (p) => p) {
  const keys = [...new Set(rows.map(key))];
  const folds = parts ? Array.from({ length: parts }, (_, i) => keys.filter((_, j) => j % parts === i)) : keys.map((k) => [k]);
  const of = new Map();
  for (const fold of folds) {
    const out = new Set(fold);
    const p = adjust(fit(rows.filter((f) => !out.has(key(f))), values, 6), fold);
    refits.push(p);
    for (const f of rows.filter((g) => out.has(key(g)))) of.set(f, p);
  }
  table(`Left out by ${what} (inputs all stated)`, sure, (f) => predict(f, of.get(f)));
  if (what === "source" && process.argv.includes("--sources"))
    for (const source of keys) {
      const kinds = new Map();
      for (const f of rows.filter((g) => key(g) === source)) kinds.set(f.row.kind, [...(kinds.get(f.row.kind) ?? []), f]);
      for (const [kind, list] of kinds) {
        const { median, bias } = errorsOf(list, (f) => predict(f, of.get(f)));
        console.log(`${String(list.length).padStart(6)} ${percent(median)} ${bias.toFixed(2).padStart(6)}  ${kind} of ${source}`);
      }
    }
  return compared((f) => of.get(f));
}
/** Every measurement with the constants that it is compared by. */
function compared(of) {
  return rows.map((f) => ({ f, p: of(f), time: timeRatio(f, of(f)), weight: f.row.grade === "C" ? kInferred : 1 }));
}
const inFit = compared(() => values);
const without = { device: leaveOut("device", (f) => f.row.request.device, 8), model: leaveOut("model", (f) => f.row.request.model, 8), source: leaveOut("source", (f) => f.row.source.split(" ")[0], 0) };
const leftOut = Object.values(without).flat();
const used = refits.length;
const others = efficiency.classes.at(-1);
const byEngine = leaveOut("engines on a class", (f) => `${groupOf(f)} ${f.index}`, 0);
const byClass = leaveOut("class, taken as all others", (f) => f.index, 0, (p, [i]) => ({ ...p, [`bandwidth/${i}`]: others.bandwidth.value, [computeOf(efficiency.classes[i], i)]: others.compute.value }));
refits.length = used;

// What held 80 % of the measurements, each as fitted and as left out in three ways, by kind of figure and group of engines: what a reader asks
// for is sometimes what was measured and sometimes not. Rows with inferred inputs count less, as in the fit.
const spreadOf = (f) => {
  const moe = f.row.kind.endsWith("moe") || f.experts > 0;
  if (f.row.figure === "ttft_s") return f.concurrency > 1 ? "ttft_loaded" : "ttft";
  if (f.row.figure.startsWith("prefill")) return moe ? "prefill_moe" : "prefill";
  return `${f.concurrency > 1 ? "batched" : "single"}${moe ? "_moe" : ""}`;
};
const short = (x) => Number(x.toPrecision(3));
function weighted(list, share) {
  const sorted = list.slice().sort((a, b) => a.time - b.time), whole = sorted.reduce((sum, x) => sum + x.weight, 0);
  let sum = 0;
  return sorted.find((x) => (sum += x.weight) >= share * whole)?.time ?? 1;
}
/** Whether a measurement speaks of such a time: a first token of a server without load is its prompt and little else, where nobody measured prompts alone. */
const speaksOf = (f, of) => spreadOf(f) === of || (f.server && spreadOf(f) === "ttft" && of === (f.experts > 0 ? "prefill_moe" : "prefill"));
const spreads = kSpreads.flatMap((of) =>
  ["*", "own", "server", "eager"].flatMap((engines) => {
    const speaks = ({ f }) => speaksOf(f, of) && (engines === "*" || groupOf(f) === engines);
    const measurements = inFit.filter(speaks).length, setups = new Set(inFit.filter(speaks).map(({ f }) => `${f.row.request.model} ${f.row.request.device}`)).size;
    const ours = [...inFit, ...leftOut].filter(speaks);
    if (engines !== "*" && setups < kOwnSpread) return [];
    return [{ of, engines, low: short(Math.min(1, weighted(ours, 0.1))), high: short(Math.max(1, weighted(ours, 0.9))), measurements }];
  }));
console.log("\nspreads (80 % of measured over estimated times)");
for (const s of spreads) console.log(`  ${s.of} ${s.engines}: ${s.low} to ${s.high} (${s.measurements})`);
const spreadFor = (f) => spreads.find((x) => x.of === spreadOf(f) && x.engines === groupOf(f)) ?? spreads.find((x) => x.of === spreadOf(f));
const errors = [...byKind(rows), ["all", rows]].flatMap(([kind, list]) =>
  Object.entries({ nothing: inFit, ...without }).flatMap(([left_out, all]) =>
    [["stated", (f) => f.row.grade !== "C"], ["all", () => true]].flatMap(([inputs, takes]) => {
      const chosen = all.filter(({ f }) => list.includes(f) && takes(f));
      if (chosen.length === 0) return [];
      const constantsOf = new Map(chosen.map(({ f, p }) => [f, p]));
      const { median, p90, bias } = errorsOf(chosen.map(({ f }) => f), (f) => predict(f, constantsOf.get(f)));
      const inside = chosen.filter(({ f, time }) => time >= spreadFor(f).low && time <= spreadFor(f).high).length / chosen.length;
      return [{ kind, inputs, left_out, measurements: chosen.length, median: short(median), p90: short(p90), bias: short(bias), inside: short(inside) }];
    })));
console.log("\nWith its source left out (inputs all stated)\n  rows  median     p90   bias  in range");
for (const e of errors.filter((e) => e.left_out === "source" && e.inputs === "stated"))
  console.log(`${String(e.measurements).padStart(6)} ${percent(e.median)} ${percent(e.p90)} ${e.bias.toFixed(2).padStart(6)}  ${percent(e.inside)}  ${e.kind}`);
/** The factor by which the spread of each kind must widen on both sides to hold 80 % of these: the largest. */
const widening = (list) => short(Math.max(1, ...kSpreads.map((of) => {
  const needed = list.filter(({ f }) => spreadOf(f) === of).map(({ f, time, weight }) => {
    const s = spreadFor(f);
    return { time: Math.max(s.low / time, time / s.high), weight };
  });
  return needed.length < kFewWidened ? 1 : weighted(needed, 0.8);
})));
const unmeasured = { engines: widening(byEngine), class: widening(byClass) };
console.log(`  they widen by ${unmeasured.engines} for engines that were not measured on a class of devices, by ${unmeasured.class} for a class that was not measured`);

// Range of a constant over all refits; how many rows move when it moves.
const range = (name) => { const all = refits.map((p) => p[name]).concat(values[name]).sort((a, b) => a - b); return [all[0], all.at(-1)]; };
const touched = (name) => {
  const moved = { ...values, [name]: values[name] * 1.1 };
  return rows.filter((f) => Math.abs(Math.log(predict(f, moved) / predict(f, values))) > 1e-3).length;
};
const outward = (x, round) => { const unit = 10 ** (Math.floor(Math.log10(x)) - 1); return Math.min(Number((round(x / unit) * unit).toPrecision(2)), x <= 1 ? 1 : Infinity); };
const figure = (name) => {
  const [low, high] = range(name);
  return { value: short(values[name]), low: outward(low, Math.floor), high: outward(high, Math.ceil), measurements: touched(name), source: "speed-measurements" };
};
const enginesOn = (index) => ["own", "server", "eager"].filter((g) => rows.filter((f) => f.index === index && groupOf(f) === g).length >= kFewest);
const out = {
  classes: efficiency.classes.map((c, i) => (free.some((x) => x.name === `bandwidth/${i}`) ? { ...c, engines: enginesOn(i), bandwidth: figure(`bandwidth/${i}`), compute: figure(computeOf(c, i)) } : c)),
  constants: [...constants.map(({ name, unit, meaning }) => ({ name, ...figure(name), unit, meaning })), ...efficiency.constants.filter((c) => c.source !== "speed-measurements")],
  versions: efficiency.versions, spreads, unmeasured_widens: unmeasured,
};
const unused = [...out.constants.filter((c) => c.measurements < 3 && c.source === "speed-measurements").map((c) => c.name), ...out.classes.filter((c) => c.bandwidth.measurements < 3 || c.compute.measurements < 3).map((c) => c.class)];
console.log(`\n${free.length} free constants for ${rows.length} measurements (one for ${(rows.length / free.length).toFixed(1)}); hardly measured: ${unused.join(", ") || "none"}`);
const spaced = (row) => JSON.stringify(row).replaceAll('":', '": ').replaceAll(',"', ', "');
const lines = (of, key) => `  "${key}": [\n${of[key].map((row) => `    ${spaced(row)}`).join(",\n")}\n  ]`;
if (!process.argv.includes("--dry")) {
  writeFileSync(file, `{\n${["classes", "constants", "versions", "spreads"].map((key) => lines(out, key)).join(",\n")},\n  "unmeasured_widens": ${spaced(unmeasured)},\n  "driver": ${spaced(efficiency.driver)}\n}\n`);
  writeFileSync(join(root, "docs/accuracy/speed.json"), `{\n${lines({ errors }, "errors")}\n}\n`);
}
