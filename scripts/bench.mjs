// The measurements behind scripts/bench.sh, which builds what they need. Every figure is a median.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { gguf, kQ8 } from "../tests/support/model_files.mjs";
import { kWanted, sizes as budgeted } from "./sizes.mjs";
import { serve } from "./static_server.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const path = (name) => join(root, name);

const kPageRuns = 9;
const kChanges = 30;
const kTimesPerRequest = 31;
const kSweepPoints = 200;

// ------------------------------------------------------------------------------------------------------------ measuring

const sorted = (values) => [...values].sort((a, b) => a - b);
const quantile = (values, q) => sorted(values)[Math.min(values.length - 1, Math.floor(q * values.length))];
const median = (values) => quantile(values, 0.5);

/** Milliseconds that `run` takes, `times` times, after as many to warm up as a tenth of them. */
function timesOf(run, times) {
  const out = [];
  for (let i = -Math.ceil(times / 10); i < times; ++i) {
    const start = performance.now();
    run();
    if (i >= 0) out.push(performance.now() - start);
  }
  return out;
}

function loops() {
  const run = (program, args) => JSON.parse(execFileSync(program, args, { encoding: "utf8" }));
  return {
    native: run(path("build/release/tests/weighbridge_bench"), ["--json"]),
    wasm: run(process.execPath, [path("build/wasm/bench/bench_core.cjs"), "--json"]),
  };
}

/** Requests that people ask: those of the golden cases that have an answer. */
function requests(weighbridge) {
  const folder = path("tests/golden/cases");
  return readdirSync(folder).sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")))
    .filter((c) => c.call === "estimate" && c.request !== null && typeof c.request === "object" && weighbridge.estimate(c.request).ok)
    .map((c) => c.request);
}

/** A header as large ones are: 10 MB of tokenizer and 1,000 tensors. */
function largeHeader() {
  const kLayers = 111, names = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down", "attn_norm", "ffn_norm"];
  const tensors = Array.from({ length: kLayers }, (_, layer) => names.map((name) => [`blk.${layer}.${name}.weight`, [64, 64], kQ8])).flat();
  const values = { "general.architecture": "llama", "llama.block_count": kLayers, "llama.embedding_length": 64, "llama.attention.head_count": 2,
    "tokenizer.ggml.tokens": { texts: Array.from({ length: 250_000 }, (_, i) => `a token of thirty bytes ${i}`) } };
  return { name: "large.gguf", ...gguf(values, [["token_embd.weight", [64, 64], kQ8], ...tensors]) };
}

async function calls() {
  const { load } = await import(path("dist/npm/index.js"));
  const weighbridge = await load();
  const asked = requests(weighbridge);
  const estimate = (explain) => {
    const each = asked.map((request) => median(timesOf(() => weighbridge.estimate({ ...request, explain }), kTimesPerRequest)));
    return { median_ms: median(each), p90_ms: quantile(each, 0.9), requests: asked.length };
  };
  const axis = {
    call: "estimate", request: { model: "Qwen/QwQ-32B", device: "h100-sxm-80gb" },
    vary: { path: "/workload/prompt_tokens", values: Array.from({ length: kSweepPoints }, (_, i) => 100 * (i + 1)) },
    outputs: ["memory.per_device.total", "speed.ttft_s", "speed.tpot_s"],
  };
  if (!weighbridge.sweep(axis).ok) throw new Error("the sweep has no answer");
  const header = largeHeader();
  const read = weighbridge.readModel([header]);
  if (!read.ok) throw new Error(`the header was not read: ${JSON.stringify(read.problems)}`);
  return {
    explained: estimate(true), plain: estimate(false),
    sweep_ms: median(timesOf(() => weighbridge.sweep(axis), 31)),
    header: { megabytes: header.bytes.length / 1e6, ms: median(timesOf(() => weighbridge.readModel([header]), 15)) },
    describe_ms: median(timesOf(() => weighbridge.describe(), 31)),
  };
}

const filesOf = (folder) => readdirSync(folder, { withFileTypes: true })
  .flatMap((entry) => (entry.isDirectory() ? filesOf(join(folder, entry.name)) : [join(folder, entry.name)]));

/** Bytes of every file of the site as a host sends it; which of them stand behind the first answer, and which come when its reader first moves. */
function sizes(site, asked, later = new Set()) {
  const files = filesOf(site).sort().map((file) => ({
    file: relative(site, file).replaceAll("\\", "/"), gzip: gzipSync(readFileSync(file), { level: 9 }).length,
  }));
  for (const f of files) f.first_load = asked === undefined ? undefined : asked.has(f.file);
  const first = files.filter((f) => f.first_load !== false);
  const second = files.filter((f) => f.first_load === false && later.has(f.file));
  for (const f of second) f.calculator = true;
  const sum = (list) => list.reduce((total, f) => total + f.gzip, 0);
  // The core's glue: what unpacks the module and speaks to it.
  const core = [...first, ...second].filter((f) => f.file.endsWith(".lzma") || /(^|\/)glue-[^/]*js$/.test(f.file));
  return { files, first_load: sum(first), calculator: sum(second), core: sum(core), all: sum(files) };
}

/** Runs in the page: adds up how far its content jumps, before the first answer and after it. */
function noteShifts() {
  window.shifts = { before: 0, after: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts[window.firstAnswer === undefined || entry.startTime < window.firstAnswer ? "before" : "after"] += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}

/** Runs in the page: notes when the verdict has been drawn. The time is counted from the start of the navigation. */
function noteFirstAnswer() {
  const look = () => {
    // The verdict has its sign only once there is an answer.
    if (document.querySelector(".verdict svg") === null) return requestAnimationFrame(look);
    // The task after a frame's callbacks runs once that frame has been painted.
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { window.firstAnswer = performance.now(); };
      channel.port2.postMessage(0);
    });
  };
  requestAnimationFrame(look);
}

/** Runs in the page: milliseconds from the reader's first move to a calculator whose answer is drawn. */
function noteReady() {
  addEventListener("pointermove", () => {
    const moved = performance.now();
    const look = () => {
      if (!document.querySelector("weigh-page[ready]")) return requestAnimationFrame(look);
      window.readyAfter = performance.now() - moved;
    };
    requestAnimationFrame(look);
  }, { once: true, capture: true });
}

/** Runs in the page: milliseconds that a frame takes in which a reader changes a number of the form: from the change to the task after its paint. */
async function inputTimes(changes) {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const painted = () => new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  });
  const times = [];
  for (let i = 0; i < changes; ++i) {
    const field = document.getElementById(["f-workload-prompt_tokens", "f-workload-output_tokens", "f-workload-concurrency"][i % 3]);
    await new Promise((done) => setTimeout(done, 120)); // as fast as people type
    await frame();
    const start = performance.now();
    field.value = String(100 + i);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await painted();
    times.push(performance.now() - start);
  }
  return times;
}

/** Milliseconds to the first answer on screen, to a calculator behind it, and to the paint of a change; each in a browser that has never seen the site. */
async function firstAnswers(site) {
  const { chromium } = await import("playwright-core");
  const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));
  if (!executablePath) return undefined;
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const server = await serve({ root: site });
  const times = [], shifts = [], ready = [], inputs = [];
  const asked = new Set(["index.html"]), later = new Set();
  try {
    for (let run = 0; run < kPageRuns; ++run) {
      const profile = mkdtempSync(join(tmpdir(), "weighbridge-bench-"));
      const context = await chromium.launchPersistentContext(profile, { executablePath, args, viewport: { width: 1440, height: 900 }, locale: "en-US" });
      try {
        const page = context.pages()[0] ?? (await context.newPage());
        let first = true;
        page.on("request", (request) => (first ? asked : later).add(request.url().replace(server.url, "").replace(/[?#].*/, "") || "index.html"));
        await page.addInitScript(noteShifts);
        await page.addInitScript(noteFirstAnswer);
        await page.addInitScript(noteReady);
        await page.goto(server.url);
        await page.waitForFunction(() => window.firstAnswer !== undefined, undefined, { timeout: 20_000 });
        times.push(await page.evaluate(() => window.firstAnswer));
        await page.waitForTimeout(700);             // nothing that is fetched by itself is left out
        first = false;
        await page.mouse.move(4, 4);
        await page.waitForFunction(() => window.readyAfter !== undefined, undefined, { timeout: 20_000 });
        ready.push(await page.evaluate(() => window.readyAfter));
        await page.waitForTimeout(700);             // what comes later, below
        shifts.push(await page.evaluate(() => window.shifts));
        inputs.push(...(await page.evaluate(inputTimes, kChanges)));
      } finally {
        await context.close();
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      }
    }
  } finally {
    await server.close();
  }
  return { median_ms: median(times), low_ms: Math.min(...times), high_ms: Math.max(...times), runs: times.length, asked, later, ready_ms: median(ready), input_p95_ms: quantile(inputs, 0.95), input_median_ms: median(inputs), cls: median(shifts.map((s) => s.before + s.after)), cls_after_answer: Math.max(...shifts.map((s) => s.after)) };
}

// -------------------------------------------------------------------------------------------------------------- showing

const thousands = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
const ms = (n) => `${n < 10 ? n.toFixed(2) : n.toFixed(0)} ms`;
const kb = (n) => `${(n / 1000).toFixed(1)} KB`;

function rowsOf(r) {
  const rate = (loop) => `${thousands(loop.per_second)} per second`;
  const rows = [
    ["Estimates in a C++ loop, WebAssembly, one core", rate(r.loops.wasm.estimate)],
    ["The same natively", rate(r.loops.native.estimate)],
    ["With the model's tensors laid out anew each time, WebAssembly", rate(r.loops.wasm.store_and_estimate)],
    ["The same natively", rate(r.loops.native.store_and_estimate)],
    [`One estimate through JSON with every step explained, ${r.calls.explained.requests} requests`, `${ms(r.calls.explained.median_ms)}, nine in ten below ${ms(r.calls.explained.p90_ms)}`],
    ["The same without explanation", `${ms(r.calls.plain.median_ms)}, nine in ten below ${ms(r.calls.plain.p90_ms)}`],
    [`A sweep of ${kSweepPoints} points`, ms(r.calls.sweep_ms)],
    [`readModel() of a GGUF header of ${r.calls.header.megabytes.toFixed(0)} MB with 1,000 tensors`, ms(r.calls.header.ms)],
    ["describe()", ms(r.calls.describe_ms)],
  ];
  if (r.site) rows.push(["Site, first load, gzip", kb(r.site.first_load)], ["What the reader's first move fetches, gzip", kb(r.site.calculator)], ["of it WebAssembly and its glue", kb(r.site.core)]);
  if (r.sizes) rows.push(["`<weigh-bridge>`, one module, gzip", kb(r.sizes["embed module, gzip"])], ["The page as one file", kb(r.sizes["single file"])]);
  if (r.first_answer) {
    const { median_ms, ready_ms, input_median_ms, input_p95_ms } = r.first_answer;
    rows.push(["First answer on screen, cold, from loopback", ms(median_ms)], ["From the reader's first move to the calculator behind it", ms(ready_ms)], ["A changed number, to its paint", `${ms(input_median_ms)}, 95 % within ${ms(input_p95_ms)}`]);
  }
  return rows;
}

function show(r) {
  const rows = rowsOf(r);
  const width = Math.max(...rows.map(([what]) => what.length));
  console.log(`${r.processor}, Node ${r.node}; medians\n`);
  for (const [what, value] of rows) console.log(`  ${what.padEnd(width)}  ${value}`);
  if (r.first_answer) console.log(`\nLayout shift: ${r.first_answer.cls.toFixed(4)} in all (median), at most ${r.first_answer.cls_after_answer.toFixed(4)} after the first answer.`);
  if (r.sizes) for (const [name, most] of Object.entries(kWanted)) if (r.sizes[name] > most) console.log(`Over what is wanted: ${name}, ${kb(r.sizes[name])} of at most ${kb(most)}.`);
  if (r.first_answer) console.log(`\nFirst answer: ${r.first_answer.runs} runs, ${r.first_answer.low_ms.toFixed(0)} to ${r.first_answer.high_ms.toFixed(0)} ms, each with a fresh profile.`);
  else console.log("\nFirst answer: skipped, there is no dist/site or no Chromium.");
  if (!r.site) return console.log("Sizes: skipped, there is no dist/site.");
  console.log("\nSizes of dist/site, gzip:");
  for (const f of r.site.files) console.log(`  ${f.file.padEnd(width)}  ${thousands(f.gzip).padStart(9)}${f.calculator ? "  (on the first move)" : f.first_load === false ? "  (later)" : ""}`);
}

const site = path("dist/site");
const hasSite = existsSync(join(site, "index.html"));
const result = { node: process.versions.node, processor: cpus()[0]?.model ?? "unknown processor", loops: loops(), calls: await calls() };
if (hasSite) {
  result.sizes = budgeted();
  const first = await firstAnswers(site);
  result.site = sizes(site, first?.asked, first?.later);
  if (first) {
    const { asked: _, later: __, ...figures } = first;
    result.first_answer = figures;
  }
}
mkdirSync(path("build"), { recursive: true });
writeFileSync(path("build/bench.json"), `${JSON.stringify(result, null, 1)}\n`);
if (process.argv.includes("--markdown")) for (const row of rowsOf(result)) console.log(`| ${row.join(" | ")} |`);
else show(result);
