// The page's small modules without a browser: numbers in words, links, formulas, texts, and what the first visit weighs.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { root, site, temporaryFolder } from "./support.mjs";

const kModules = ["format", "link", "formula", "text", "json", "request", "combobox", "knee"];
const m = await temporaryFolder(async (folder) => {
  await build({
    stdin: { contents: kModules.map((name) => `export * from "./${name}.ts";`).join("\n"), resolveDir: join(root, "web/src") }, bundle: true, format: "esm", outfile: join(folder, "modules.mjs"), logLevel: "silent",
    plugins: [{ name: "beside", setup: (b) => {
      b.onResolve({ filter: /^\.\/.*\.js$/ }, (a) => ({ path: join(a.resolveDir, a.path.replace(/\.js$/, ".ts")) }));
      b.onLoad({ filter: /combobox\.ts$/ }, ({ path }) => ({ loader: "ts", contents: readFileSync(path, "utf8").split("export class")[0] }));    // its search, not its element
    } }],
  });
  return import(pathToFileURL(join(folder, "modules.mjs")).href);
});
const { load } = await import(pathToFileURL(join(root, "dist/npm/index.js")).href);
const wb = await load();
const description = wb.describe();

const format = (unit = "GiB", lang = "en") => m.makeFormat(lang, unit, { unit: (u) => u });
const plain = (text) => text.replaceAll("\u00a0", " ");

test("bytes are read in GiB or GB, and small ones do not become zero", () => {
  const [binary, decimal] = [format("GiB"), format("GB")];
  for (const [value, gib, gb] of [[65527752704, "61.0 GiB", "65.5 GB"], [2 ** 30, "1.00 GiB", "1.07 GB"], [0, "0 GiB", "0 GB"], [4096, "< 0.01 GiB", "< 0.01 GB"], [1e15, "931,323 GiB", "1,000,000 GB"]]) {
    assert.equal(plain(binary.giga(value)), gib);
    assert.equal(plain(decimal.giga(value)), gb);
  }
  assert.equal(plain(binary.of(262144, "bytes/token")), "256 KiB/token");
});

test("times, shares, money and ranges are short and keep their unit once", () => {
  const f = format();
  for (const [value, unit, text] of [
    [0.0338, "s", "33.8 ms"], [0.175, "s", "175 ms"], [8.8188, "s", "8.82 s"], [0, "s", "0 s"], [5.25e-5, "s", "52.5 µs"], [300, "s", "5 min"], [36000, "s", "10 h"],
    [29.02, "tokens/s", "29.0 tokens/s"], [2.95, "USD/h", "$2.95/h"], [0.01234, "USD", "$0.0123"], [32763876352, "parameters", "32.8B"], [1, "devices", "1"], [6.46e13, "FLOP", "64.6 TFLOP"],
  ]) assert.equal(plain(f.of(value, unit)), text);
  assert.equal(f.percent(0.0039), "0.4%");
  assert.equal(f.percent(0.77), "77%");
  assert.equal(plain(f.range(0.118, 0.197, "s")), "118 – 197 ms");
  assert.equal(plain(f.range(0.9, 1.2, "s")), "900 ms – 1.20 s");
  assert.equal(plain(f.range(0.5 * 2 ** 30, 1.25 * 2 ** 30, "giga")), "0.50 – 1.25 GiB", "under a figure in GiB no end is in MiB");
  assert.equal(plain(f.exact(65527752704, "bytes")), "65,527,752,704 bytes");
  assert.equal(plain(f.exact(6.4e15)), "6,400,000,000,000,000");
});

test("a link gives back the request that it was made of", async () => {
  const requests = [
    {}, { model: "Qwen/QwQ-32B" }, { model: "8", weights: "Q4_K_M", devices: 8 }, { model: "a&b=c#d%e", device: "true", method: "article" },
    { model: "x", workload: { prompt_tokens: 1, concurrency: "max", requests_per_s: 0.5 }, options: { block_size: 16, enforce_eager: true }, kv_cache: { k: "q8_0", v: "q4_0" } },
    { model: { manual: { parameters: 32e9 }, name: "ein Modell — 模型" }, device: ["rtx-4090", "rtx-3090"], weights: { bits_per_weight: 4.5 } },
    { model: "x", devices: "eight", "odd.name/with~signs": { "": 1 } },
  ];
  for (const request of requests.slice(1)) {
    const link = await m.writeLink(request);
    assert.doesNotMatch(link, /[\s"<>#]/);
    const { request: back } = await m.readLink(link);
    assert.deepEqual(back, request, link);
  }
});

test("a model that is too long for a link leaves its file's name", async () => {
  const noise = Array.from({ length: 4000 }, (_, i) => ((i * 2654435761) % 4294967296).toString(36));
  const link = await m.readLink(await m.writeLink({ model: { rows: noise }, device: "rtx-4090" }, "my model.gguf"));
  assert.deepEqual(link, { request: { device: "rtx-4090" }, missingFile: "my model.gguf" });
});

test("damaged links are refused as such", async () => {
  for (const text of ["x", "=1", "m=", "p=%FF", "n={", "z=AAAA", "n=1e"]) await assert.rejects(m.readLink(text), m.BrokenLink, text);
});

test("every formula of the core is read, and drawn with exactly its own names", () => {
  for (const { id, text } of description.formulas) {
    const parsed = m.parseFormula(text);
    const drawn = m.serialize(m.toMath(parsed, m.inWords((name) => name)));
    assert.match(drawn, /^<math display="block">.*<\/math>$/);
    for (const name of m.namesIn(parsed)) assert.ok(drawn.includes(`<mtext>${name}</mtext>`), `${id}: ${name}`);
    assert.equal((drawn.match(/<m\w+/g) ?? []).length, (drawn.match(/<\/m\w+/g) ?? []).length, id);
  }
});

test("brackets stand where the value would change without them", () => {
  const drawn = (text) => m.serialize(m.toMath(m.parseFormula(text), m.inWords((n) => n))).replace(/<mo[^>]*>/g, "").replace(/<[^>]+>/g, "");
  assert.equal(drawn("a * (b + c)"), "a×(b+c)");
  assert.equal(drawn("a - (b - c)"), "a−(b−c)");
  assert.equal(drawn("(a * b) + c"), "a×b+c");
  assert.equal(drawn("ceil(a / b)"), "⌈ab⌉");
  for (const broken of ["a +", "(a", "a b", "a # b", "f(a,", ""]) assert.throws(() => m.parseFormula(broken), SyntaxError, broken);
});

test("the knee is where throughput ÷ latency is greatest, and nowhere if that is at an end", () => {
  // Latency a + b n at n sequences, throughput n ÷ latency: by hand the knee is at n = a ÷ b.
  const sequences = [1, 2, 4, 8, 16, 32, 64];
  const latency = (a, b) => sequences.map((n) => a + b * n);
  const knee = (times) => m.kneeOf(sequences.map((n, i) => n / times[i]), times);
  assert.equal(sequences[knee(latency(8, 1))], 8);
  assert.equal(sequences[knee(latency(32, 2))], 16);
  assert.equal(knee(latency(0, 1)), undefined, "each further one waits for all others: it bends before the curve begins");
  assert.equal(knee(latency(1000, 1)), undefined, "latency hardly grows: it bends after the curve ends");
  assert.equal(sequences[knee([NaN, ...latency(8, 1).slice(1, -1), NaN])], 8, "points without an answer do not count");
  assert.equal(m.kneeOf([], []), undefined);
});

test("sentences take their values, and optional parts fall away with them", () => {
  assert.equal(m.plainSentence("{a} of {b}", { a: "1", b: "2" }), "1 of 2");
  assert.equal(m.fillOptional("No \"{v}\"[; the nearest is \"{n}\"].", (name) => ({ v: "x" })[name]), 'No "x".');
  assert.equal(m.fillOptional("No \"{v}\"[; the nearest is \"{n}\"].", (name) => ({ v: "x", n: "y" })[name]), 'No "x"; the nearest is "y".');
});

test("what is typed is a number where it is one, and otherwise stays as it is for the core to refuse", () => {
  for (const [text, value] of [["2,048", 2048], [" 8 ", 8], ["1e3", 1000], ["3.35e12", 3.35e12], ["", undefined], ["abc", "abc"], ["1e999", "1e999"], ["max", "max"], ["-5", -5], ["0x10", "0x10"]])
    assert.equal(m.typed(text), value, text);
  for (const value of [0, 1, 1.5, 2048, 85520809984, 3.35e12, 9.895e14, 1e6, 123456789, 1e-7]) assert.equal(m.typed(m.plainNumber(value)), value);
});

test("a search finds every word, and what begins with it first", () => {
  const list = description.models.map((model) => ({ value: model.id, name: model.name, search: [model.id, model.name, ...(model.aliases ?? [])].join(" ").toLowerCase() }));
  assert.equal(m.search(list, "llama 3.1 8b")[0].value, "meta-llama/Llama-3.1-8B");
  assert.equal(m.search(list, "QWQ")[0].value, "Qwen/QwQ-32B");
  assert.equal(m.search(list, "deepseek r1")[0].value, "deepseek-ai/DeepSeek-R1");
  assert.equal(m.search(list, "no such thing").length, 0);
  assert.equal(m.search(list, "").length, list.length);
});

test("work is found behind every figure that has a step, by both methods", () => {
  for (const method of ["detailed", "article"]) {
    const answer = wb.estimate({ model: "deepseek-ai/DeepSeek-R1", device: "h200-sxm-141gb", method, explain: true });
    assert.ok(answer.ok);
    const missing = description.answers.estimate.filter((f) => (method === "article" ? f.article_step : f.step) && typeof m.at(answer, f.path) === "number" && m.at(answer, f.path) !== 0 && !m.stepBehind(description, answer, f.path));
    assert.deepEqual(missing.map((f) => f.path), []);
    for (const path of ["memory.total.total", "speed.tpot_s", "model.weight_bytes"]) assert.equal(m.stepBehind(description, answer, path).id.startsWith("article"), method === "article", path);
  }
});

test("at first load the page itself, what asks the core included, is at most 54 KB, gzip, and 66 KB in Chinese", () => {
  const assets = readdirSync(join(site, "assets")).map((file) => join(site, "assets", file));
  const weigh = (pattern) => assets.filter((file) => pattern.test(file)).reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
  const page = gzipSync(readFileSync(join(site, "index.html")), { level: 9 }).length + weigh(/\/(index|parts|icon)-[^/]*$/);
  assert.ok(page > 10_000, "the parts are found by their names");
  assert.ok(page <= 54_000, `${page} bytes`);
  assert.ok(page + weigh(/\/zh-(?!work|more)[^/]*$/) <= 66_000, `${page + weigh(/\/zh-(?!work|more)[^/]*$/)} bytes with Chinese`);
});
