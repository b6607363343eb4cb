#!/usr/bin/env node
// Fits the figures of core/data/training.json to published training runs (tests/measurements/training.jsonl).
//
//   node scripts/fit_training.mjs            prints errors, each source (of large ones each device) left out in turn too
//   node scripts/fit_training.mjs --write    and writes the fitted values, their ranges and the intervals
//
// The core is asked through WEIGHBRIDGE_CLI (or build/release/tests/weighbridge_cli) with its steps; a step is computed again from its
// formula's own text with other figures, so that what is fitted is what the core computes. Every source weighs the same.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cli = process.env.WEIGHBRIDGE_CLI ?? join(root, "build/release/tests/weighbridge_cli");
const ask = (calls) => execFileSync(cli, { input: calls.map((c) => JSON.stringify(c) + "\n").join(""), maxBuffer: 1 << 30 }).toString().trim().split("\n").map((line) => JSON.parse(line));

const file = join(root, "core/data/training.json");
const data = JSON.parse(readFileSync(file, "utf8"));
const efficiencies = JSON.parse(readFileSync(join(root, "core/data/efficiency.json"), "utf8"));
const rows = readFileSync(join(root, "tests/measurements/training.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
const [description] = ask([{ call: "describe" }]);
const device = new Map(description.devices.map((d) => [d.id, d]));

// A formula's text as a function of its inputs; vectors stand only inside sum().
const compiled = new Map(description.formulas.map((f) => {
  const text = f.text.replace(/\^/g, "**");
  const body = text.replace(/sum\(([^()]*(?:\([^()]*\)[^()]*)*)\)/g, (_, inner) => `sum(n, (n) => ${inner.replace(/[a-z_][a-z0-9_]*(?!\w*\()/gi, "n.$&")})`);
  const scalar = body.replace(/(?<![.\w])(?!sum|min|max|ceil|floor|sqrt|n\b)[a-z_][a-z0-9_]*(?!\w*\()/gi, "n.$&");
  return [f.id, new Function("n", "sum", "min", "max", "ceil", "floor", "sqrt", `return ${scalar}`)];
}));
const sum = (n, f) => {
  const length = Math.max(...Object.values(n).map((v) => (Array.isArray(v) ? v.length : 0)));
  let total = 0;
  for (let i = 0; i < length; ++i) total += f(Object.fromEntries(Object.entries(n).map(([k, v]) => [k, Array.isArray(v) ? v[i] : v])));
  return total;
};
const key = (id, of) => `${id}|${of ?? ""}`;

// The class of a device, as the core chooses it.
const classOf = (request) => {
  const d = device.get(request.device) ?? {};
  const fits = (list, x) => !list || list.some((beginning) => String(x ?? "").startsWith(beginning));
  const c = efficiencies.classes.find(({ applies }) => fits(applies.vendors, d.vendor) && fits(applies.architectures, d.architecture) && fits(applies.memory_kinds, d.memory_kind) && fits(applies.ids, d.id));
  return c.training && (c.memory !== "gddr" || d.class === "consumer") ? c.training : "all others";
};
const frameOf = (request) => request.framework ?? "pytorch";

// Which figure a step's input stands for.
const figures = {
  "train_linear_seconds/efficiency": (r) => [`class/${classOf(r)}`, r.precision === "fp8-mixed" ? "linear8" : "linear"],
  "train_expert_seconds/efficiency": (r) => [`class/${classOf(r)}`, r.precision === "fp8-mixed" ? "linear8" : "linear"],
  "train_expert_seconds/launch": () => ["common", "expert_launch"],
  "train_attention_seconds/efficiency": (r) => [`class/${classOf(r)}`, r.framework === "megatron" && r.attention !== "eager" ? "attention_fused" : "attention"],
  "train_memory_seconds/efficiency": (r) => [`class/${classOf(r)}`, "memory"],
  "train_unpack_seconds/efficiency": () => ["common", "dequantise"],
  "train_busy_seconds/exposed": () => ["common", "tensor_exposed"],
  "train_exchange_seconds/launch": () => ["common", "exchange_launch"],
  "train_overlapped/overlap": () => ["common", "overlap"],
  "train_launch_seconds/launch": (r) => [`frame/${frameOf(r)}`, "launch"],
  "train_runtime/slack": (r) => (r.compile && data.common.compiled_slack.value < place([`frame/${frameOf(r)}`, "slack"]).value ? ["common", "compiled_slack"] : [`frame/${frameOf(r)}`, "slack"]),
};
const place = ([group, name]) => {
  const [kind, id] = group.split("/");
  const row = kind === "common" ? data.common : kind === "class" ? data.classes.find((c) => c.class === id) : data.frames.find((f) => f.frame === id);
  return row[name];
};
const fitted = {
  "class/data-centre GPU, HBM2": { linear: [0.5, 0.95], attention: [0.1, 0.8], memory: [0.3, 0.8] },
  "class/data-centre GPU, HBM3 and later": { linear: [0.4, 0.9], linear8: [0.4, 0.95], attention: [0.1, 0.8], attention_fused: [0.2, 1.2], memory: [0.3, 0.8] },
  common: { tensor_exposed: [0.3, 1], overlap: [0.1, 0.4], dequantise: [0.03, 0.6], expert_launch: [0.00001, 0.0003], compiled_slack: [0.01, 0.12], exchange_launch: [0.00001, 0.00006] },
  "frame/pytorch": { launch: [0.0001, 0.003], slack: [0.03, 0.3] },
  "frame/megatron": { launch: [0.0001, 0.003], slack: [0.03, 0.3] },
  "frame/fsdp": { slack: [0.03, 0.2] },
};
const start = () => Object.fromEntries(Object.entries(fitted).flatMap(([group, names]) => Object.keys(names).map((name) => [`${group}|${name}`, Math.min(names[name][1], Math.max(names[name][0], place([group, name]).value))])));

// ------------------------------------------------------------------------------------------------------------- the runs

const target = { "memory.per_device.total": "memory", "speed.step_seconds": "time", "speed.tokens_per_s_per_device": "time", "speed.mfu": "time", "speed.tflops_per_device": "time" };
const at = (o, path) => path.split(".").reduce((v, k) => v?.[k], o);
// Runs of which an input had to be inferred (grade C) count a quarter: they are all that there is of experts and of 8-bit arithmetic.
const answers = ask(rows.map((r) => ({ call: "train", request: { ...r.request, explain: true } })));
const runs = rows.map((row, i) => ({ ...row, answer: answers[i], kind: target[row.path] })).filter((r) => r.answer.ok && r.kind && Number.isFinite(at(r.answer, r.path)));
const refused = rows.filter((r, i) => !answers[i].ok).length;
const group = (r) => r.source.replace(/ ?\[.*$/, "").replace(/ docs.*$| examples.*$/, "");

const kMemory = ["train_runtime", "train_total"];
const isTime = (id) => /^train_(linear|expert|attention|memory|unpack|busy|launch|exchange|host|micro_batch|pipeline|step|tokens|flops_per_device|mfu)/.test(id) || id === "train_overlapped";
for (const run of runs) {
  run.steps = run.answer.steps.filter((s) => (run.kind === "memory" ? kMemory.includes(s.id) : isTime(s.id)));
  run.final = run.kind === "memory" ? "train_total" : { "speed.step_seconds": "train_step_seconds", "speed.tokens_per_s_per_device": "train_tokens_per_device", "speed.mfu": "train_mfu", "speed.tflops_per_device": "train_flops_per_device" }[run.path];
  for (const s of run.steps)
    for (const input of s.inputs) {
      const figure = figures[`${s.id}/${input.name}`];
      if (figure && input.from !== "user") {
        const [g, name] = figure(run.request);
        input.figure = `${g}|${name}`;
        (run.figures ??= new Set()).add(input.figure);
        input.scale = input.value / place([g, name]).value;      // a launch counts twice with adapters
      }
    }
}
const predict = (run, values) => {
  const found = new Map();
  for (const s of run.steps) {
    const n = {};
    for (const input of s.inputs) {
      const earlier = input.step && found.get(key(input.step, input.of));
      n[input.name] = input.figure in values ? input.scale * values[input.figure] : earlier ?? input.value;
    }
    found.set(key(s.id, s.of), compiled.get(s.id)(n, sum, Math.min, Math.max, Math.ceil, Math.floor, Math.sqrt));
  }
  return found.get(key(run.final));
};
// The range of a measurement is where its unit is in doubt: inside it nothing is wrong.
const error = (run, values) => {
  const got = predict(run, values), [low, high] = run.range ?? [run.value, run.value];
  return got < low ? Math.log(got / low) : got > high ? Math.log(got / high) : 0;
};
const weight = (run) => (run.grade === "C" ? 0.25 : 1);
// What one fit makes small: mean absolute errors, every source alike, and pull towards where the figures were guessed to keep them physical.
const loss = (list, errors) => {
  const by = new Map();
  for (const [i, run] of list.entries()) {
    const k = `${group(run)}|${run.kind}`, e = Math.min(Math.abs(errors[i]), 0.5), w = weight(run);
    const [n, total, rows] = by.get(k) ?? [0, 0, 0];
    by.set(k, [n + w, total + w * e, rows + 1]);
  }
  return [...by.values()].reduce((t, [n, total, rows]) => t + (total / rows) * Math.min(1, n / 4), 0) / by.size;
};
function fit(list) {
  const values = start(), names = Object.keys(values);
  let errors = list.map((run) => error(run, values)), best = loss(list, errors);
  for (let again = 0; again < 2; ++again) for (let step = 0.25; step > 0.01; step /= 1.6)
    for (let round = 0; round < 3; ++round)
      for (const name of names) {
        const [g, n] = name.split("|"), [low, high] = fitted[g][n];
        for (const factor of [1 + step, 1 / (1 + step)]) {
          const before = values[name];
          values[name] = Math.min(high, Math.max(low, n === "slack" ? before + (factor > 1 ? 0.05 : -0.05) * step * 4 : before * factor));
          const moved = list.map((run, i) => (run.figures?.has(name) ? error(run, values) : errors[i])), now = loss(list, moved);
          if (now < best - 1e-9) [best, errors] = [now, moved];
          else values[name] = before;
        }
      }
  return values;
}
const quantile = (list, q) => { const s = [...list].sort((a, b) => a - b); return s[Math.min(s.length - 1, Math.floor(q * s.length))]; };
const percent = (x) => `${(100 * x).toFixed(1)} %`.padStart(8);
function report(title, list, values) {
  for (const kind of ["memory", "time"]) {
    const errors = list.filter((r) => r.kind === kind).map((r) => error(r, values));
    if (errors.length === 0) continue;
    const abs = errors.map(Math.abs);
    console.log(`${title.padEnd(64)} ${kind.padEnd(7)} ${String(errors.length).padStart(4)}  median ${percent(quantile(abs, 0.5))}  90 % ${percent(quantile(abs, 0.9))}  bias ${Math.exp(quantile(errors, 0.5)).toFixed(2)}`);
  }
}

console.log(`${runs.length} runs of ${rows.length} rows (${refused} refused)`);
report("as in the data now", runs, start());
const values = fit(runs);
for (const g of [...new Set(runs.map(group))]) report(`  ${g}`.slice(0, 64), runs.filter((r) => group(r) === g), values);
report("fitted", runs, values);
const out = [], seen = Object.fromEntries(Object.keys(values).map((name) => [name, [values[name]]]));
// A source of most runs of a kind goes device by device: without all of it nothing would be left to fit to.
const fold = (r) => (runs.filter((x) => group(x) === group(r)).length > 50 ? `${group(r).slice(0, 30)}: ${typeof r.request.device === "string" ? r.request.device : r.request.device.name}` : group(r));
const foldOf = new Map(runs.map((r) => [r, fold(r)]));
for (const g of [...new Set(foldOf.values())]) {
  const without = fit(runs.filter((r) => foldOf.get(r) !== g)), left = runs.filter((r) => foldOf.get(r) === g);
  report(`left out: ${g}`.slice(0, 64), left, without);
  for (const name of Object.keys(values)) seen[name].push(without[name]);
  out.push(...left.map((r) => ({ ...r, off: error(r, without), got: predict(r, without) })));
}
// What a source that the fit has not seen is met with: by figure, of all runs and of those with all inputs published, and by frame.
const round = (x) => Number(x.toPrecision(4));
const errors = (list) => {
  const abs = list.map((r) => Math.abs(r.off));
  return { rows: list.length, median: round(quantile(abs, 0.5)), p90: round(quantile(abs, 0.9)), bias: round(Math.exp(quantile(list.map((r) => r.off), 0.5))) };
};
const kLeastShown = 5;
const unseen = [...new Set(out.map((r) => r.path))].sort().flatMap((path) => {
  const list = out.filter((r) => r.path === path), published = list.filter((r) => r.grade !== "C");
  const frames = [...new Set(list.map((r) => frameOf(r.request)))].sort().map((frame) => ({ frame, list: list.filter((r) => frameOf(r.request) === frame) }));
  return [{ path, ...errors(list) }, ...(published.length > 0 ? [{ path, inputs: "published", ...errors(published) }] : []),
          ...(frames.length > 1 ? frames.filter((f) => f.list.length >= kLeastShown).map((f) => ({ path, frame: f.frame, ...errors(f.list) })) : [])];
});
for (const u of unseen)
  console.log(`source left out: ${u.path.padEnd(38)} ${(u.frame ?? (u.inputs ? "all inputs published" : "all")).padEnd(21)} ${String(u.rows).padStart(4)}  median ${percent(u.median)}  90 % ${percent(u.p90)}  bias ${u.bias.toFixed(2)}`);
// The range that held 80 % of the measurements of sources that the fit had not seen. A step's seconds are the other way round than its speed.
// All runs of a part, those of a frame, and those of a frame with and without experts, where there are enough.
const hasExperts = (r) => r.answer.steps.some((s) => s.id === "train_expert_seconds");
const weighted = (list, q) => {
  const s = [...list].sort((a, b) => a[0] - b[0]), all = s.reduce((t, [, w]) => t + w, 0);
  let at = 0;
  for (const [x, w] of s) if ((at += w) >= q * all) return x;
  return s.at(-1)[0];
};
// What was inferred of a run adds to its error, and says little of a request whose inputs are known.
const kInferred = 0.1;
const kLeast = 8;
const intervals = ["memory", "time"].flatMap((kind) => {
  const list = out.filter((r) => r.kind === kind);
  const row = (some, extra) => {
    const ratios = some.map((r) => [r.path === "speed.step_seconds" ? r.got / r.value : r.value / r.got, r.grade === "C" ? kInferred : 1]);
    return { part: kind === "time" ? "speed" : kind, ...extra, low: Number(Math.min(1, weighted(ratios, 0.1)).toPrecision(3)), high: Number(Math.max(1, weighted(ratios, 0.9)).toPrecision(3)), measurements: ratios.length, source: "training-measurements" };
  };
  const found = [row(list, {})];
  // One source alone may widen the range of all, but says too little to narrow it.
  const of = (some, extra, within) => {
    const i = row(some, extra);
    return new Set(some.map(group)).size > 1 ? i : { ...i, low: Math.min(i.low, within.low), high: Math.max(i.high, within.high) };
  };
  for (const { frame } of data.frames) {
    const framed = list.filter((r) => frameOf(r.request) === frame);
    if (framed.length < kLeast) continue;
    found.push(of(framed, { frame }, found[0]));
    const within = found.at(-1);
    for (const experts of [false, true]) {
      const some = framed.filter((r) => hasExperts(r) === experts);
      if (some.length >= kLeast && some.length < framed.length) found.push(of(some, { frame, experts }, within));
    }
  }
  return found;
});
for (const i of intervals) console.log(`80 % of ${JSON.stringify(i)}`);
for (const [name, value] of Object.entries(values)) console.log(name.padEnd(60), value.toPrecision(3), "with sources left out", Math.min(...seen[name]).toPrecision(3), "to", Math.max(...seen[name]).toPrecision(3));
if (process.argv.includes("--write")) {
  for (const [name, value] of Object.entries(values)) {
    const figure = place(name.split("|"));
    figure.value = Number(value.toPrecision(3));
    figure.low = Number(Math.min(figure.value, ...seen[name]).toPrecision(3));
    figure.high = Number(Math.max(figure.value, ...seen[name]).toPrecision(3));
    figure.source = "training-measurements";
  }
  data.intervals = intervals;
  mkdirSync(join(root, "docs/accuracy"), { recursive: true });
  const nameOf = ({ model }) => (typeof model === "string" ? model : `${(model.manual.parameters / 1e9).toPrecision(3)} billion parameters`);
  const table = [...new Set(runs.map((r) => `${group(r)}|${r.kind}`))].map((k) => {
    const [source, part] = k.split("|");
    return { source, part, ...errors(runs.filter((r) => group(r) === source && r.kind === part).map((r) => ({ off: error(r, values) }))) };
  });
  const points = runs.map((r) => ({ id: r.id, model: nameOf(r.request), part: r.kind, path: r.path, measured: r.value, predicted: Number(predict(r, values).toPrecision(6)), grade: r.grade, source: r.source }));
  const each = (list) => list.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  writeFileSync(join(root, "docs/accuracy/training.json"), `{\n  "table": [\n${each(table)}\n  ],\n  "source_left_out": [\n${each(unseen)}\n  ],\n  "points": [\n${each(points)}\n  ]\n}\n`);
  const lines = (o) => Object.entries(o).map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}`);
  const list = (l) => l.map((row) => `    {\n${lines(row).map((x) => `      ${x}`).join(",\n")}\n    }`).join(",\n");
  const object = (o) => lines(o).map((x) => `    ${x}`).join(",\n");
  writeFileSync(file, `{\n  "frames": [\n${list(data.frames)}\n  ],\n  "classes": [\n${list(data.classes)}\n  ],\n  "common": {\n${object(data.common)}\n  },\n  "intervals": [\n${data.intervals.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]\n}\n`);
  console.log("written");
}
