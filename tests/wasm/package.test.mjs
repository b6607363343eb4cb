// dist/npm as a user meets it: it loads, it is one, it answers.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { load, npm, root } from "./support.mjs";

const request = { model: "Qwen/QwQ-32B", weights: "bf16", device: "h100-sxm-80gb", devices: 2 };

test("the package loads in Node and answers", async () => {
  const wb = await load();
  const answer = wb.estimate(request);
  assert.equal(answer.ok, true, JSON.stringify(answer.problems));
  assert.equal(answer.model.parameters, 32_763_876_352);
  assert.equal(answer.memory.per_device.fits, true);
  assert.deepEqual(wb.estimate(JSON.stringify(request)), answer, "a request may be its own text");
  assert.deepEqual(wb.estimate(request), answer, "the same request has the same answer");
});

test("everybody shares one calculator", async () => {
  const [a, b] = await Promise.all([load(), load()]);
  assert.equal(a, b);
  assert.equal(await load({ wasmUrl: "file:///nowhere" }), a, "later options are too late");
  assert.ok(Object.isFrozen(a));
});

test("the module may come from elsewhere, and a failed load may be tried again", async () => {
  const wasm = readFileSync(join(npm, "weighbridge.wasm"));
  const fromBytes = await load({ wasmBinary: wasm }, "from-bytes");
  assert.equal(fromBytes.estimate(request).ok, true);
  await assert.rejects(load({ wasmUrl: "file:///no/such.wasm" }, "again"));
  await assert.rejects(load({ wasmBinary: new Uint8Array([1, 2, 3]) }, "again"));
  assert.equal((await load({}, "again")).estimate(request).ok, true);
});

test("versions agree", async () => {
  const wb = await load();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.equal(wb.version, version);
  assert.equal(wb.describe().version, version);
  assert.equal(JSON.parse(readFileSync(join(npm, "package.json"), "utf8")).version, version);
});

test("every file that the package names is in it", () => {
  const { files, main, types, exports } = JSON.parse(readFileSync(join(npm, "package.json"), "utf8"));
  const named = [...files, main, types, ...Object.values(exports).flatMap((e) => (typeof e === "string" ? [e] : Object.values(e)))];
  for (const file of named) assert.ok(existsSync(join(npm, file)), file);
});

test("describe() tells what there is", async () => {
  const d = (await load()).describe();
  assert.ok(d.models.length >= 40, "models");
  assert.ok(d.devices.length >= 200, "devices");
  for (const list of ["weight_formats", "kv_formats", "engines", "optimizers", "formulas", "sources", "problems"]) assert.ok(d[list].length > 0, list);
  for (const call of ["estimate", "train", "plan", "sweep"]) {
    assert.ok(d.fields[call].length > 0, call);
    for (const field of d.fields[call]) assert.ok(field.path.startsWith("/") && field.type && field.summary, JSON.stringify(field));
  }
  const ids = (list) => list.map(({ id }) => id);
  for (const list of ["models", "devices", "weight_formats", "kv_formats", "engines", "formulas", "sources"]) {
    assert.equal(new Set(ids(d[list])).size, d[list].length, `${list} twice`);
  }
  const sources = new Set(ids(d.sources));
  for (const formula of d.formulas) assert.ok(!formula.source || sources.has(formula.source), `${formula.id}: no source ${formula.source}`);
});

test("every default of describe() is what an empty request gets", async () => {
  const wb = await load();
  const defaults = Object.fromEntries(wb.describe().fields.estimate.filter((f) => f.default !== undefined).map((f) => [f.path, f.default]));
  const { assumptions } = wb.estimate({ model: "meta-llama/Llama-3.1-8B" });
  for (const { path, value, from } of assumptions) if (from === "default" && path in defaults) assert.deepEqual(value, defaults[path], path);
  assert.ok(assumptions.length > 5);
});

test("a sweep has one column for each output, with NaN where there is no answer", async () => {
  const wb = await load();
  const sweep = wb.sweep({
    call: "estimate", request: { model: "meta-llama/Llama-3.1-8B", device: "rtx-4090", devices: 1 },
    vary: { path: "/workload/concurrency", values: [1, 2, 0, 4] }, outputs: ["memory.per_device.total", "speed.tpot_s"],
  });
  assert.equal(sweep.ok, true);
  assert.deepEqual(Object.keys(sweep.columns), ["memory.per_device.total", "speed.tpot_s"]);
  for (const [path, column] of Object.entries(sweep.columns)) {
    assert.ok(column instanceof Float64Array);
    assert.equal(column.length, 4);
    assert.ok(Number.isNaN(column[2]), path);
  }
  for (const [i, concurrency] of [1, 2, 0, 4].entries()) {
    if (concurrency === 0) continue;
    const alone = wb.estimate({ model: "meta-llama/Llama-3.1-8B", device: "rtx-4090", devices: 1, workload: { concurrency } });
    assert.equal(sweep.columns["memory.per_device.total"][i], alone.memory.per_device.total);
    assert.equal(sweep.columns["speed.tpot_s"][i], alone.speed.tpot_s);
  }
  const typed = wb.sweep({
    call: "estimate", request: { model: "meta-llama/Llama-3.1-8B" }, vary: { path: "/workload/concurrency", values: Float64Array.of(1, 2) }, outputs: ["memory.total.total"],
  });
  assert.equal(typed.columns["memory.total.total"].length, 2);
});

test("readModel takes bytes, buffers, views and text, and its model goes into requests", async () => {
  const wb = await load();
  const config = { model_type: "llama", hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, intermediate_size: 14336, vocab_size: 128256, torch_dtype: "bfloat16" };
  const text = JSON.stringify(config);
  const bytes = new TextEncoder().encode(text);
  const framed = new Uint8Array(bytes.length + 20).fill(0xff);
  framed.set(bytes, 10);
  const forms = { text: { text }, bytes: { bytes }, buffer: { bytes: bytes.buffer }, "a view into more": { bytes: framed.subarray(10, 10 + bytes.length) }, "a data view": { bytes: new DataView(bytes.buffer) }, node: { bytes: Buffer.from(text) } };
  for (const [name, form] of Object.entries(forms)) {
    const read = wb.readModel([{ name: "config.json", ...form }]);
    assert.equal(read.ok, true, `${name}: ${JSON.stringify(read.problems)}`);
    assert.equal(wb.estimate({ model: read.model }).model.parameters, 8_030_261_248, name);
  }
  const part = wb.readModel([{ name: "config.json", bytes: bytes.subarray(0, 20), size: bytes.length }]);
  assert.equal(part.ok, false);
  assert.deepEqual(part.problems[0].params, { name: "config.json", bytes: bytes.length });
  assert.equal(part.problems[0].code, "needs_more_bytes");
});

test("the package can be published with its provenance, and brings the element", async () => {
  const info = JSON.parse(readFileSync(join(npm, "package.json"), "utf8"));
  assert.equal(info.publishConfig.provenance, true);
  assert.equal(info.license, "MIT");
  for (const file of readdirSync(npm)) assert.ok(file === "package.json" || info.files.includes(file), `${file} is published`);
  const manifest = JSON.parse(readFileSync(join(npm, info.customElements), "utf8"));
  assert.equal(manifest.schemaVersion, "1.0.0");
  for (const { path } of manifest.modules) assert.ok(existsSync(join(npm, path)), path);
  assert.match(readFileSync(join(npm, "element.js"), "utf8"), /customElements\.define\("weigh-bridge"/);
  assert.equal((await import(join(npm, info.exports["./element"].node))).WeighBridge, undefined, "on a server it does nothing");
  assert.match(readFileSync(join(npm, "README.md"), "utf8"), /weighbridge\/element/);
});
