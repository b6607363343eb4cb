// The WebAssembly core says byte for byte what the native one says.
import assert from "node:assert/strict";
import test from "node:test";

import { bareCore, goldenCases, native } from "./support.mjs";

const core = await bareCore();

/** The answer of the WebAssembly core, in the form of the native command line. */
function inWasm({ call, text, files }) {
  if (call === "read_model") {
    const list = files.map(({ name, text: content, size }) => {
      const bytes = new TextEncoder().encode(content);
      return { name, bytes, size: size ?? bytes.length };
    });
    return { json: core.read_model(list) };
  }
  if (call !== "sweep") return { json: core[call](text) };
  const { json, values } = core.sweep(text);
  return { json, values: [...values] };
}

// What the site's first core and <weigh-bridge> ask: the same answers, byte for byte, to everything that both can do.
const estimating = await bareCore("weighbridge_estimate");

async function compare(lines) {
  const answers = await native(lines.map(({ name, ...line }) => line));
  assert.equal(answers.length, lines.length);
  lines.forEach((line, i) => {
    const got = inWasm(line);
    if (line.call === "estimate") assert.equal(estimating.estimate(line.text), got.json, `the estimating core, ${line.name}`);
    if (line.call !== "sweep") return assert.equal(got.json, answers[i], line.name);
    const start = '{"json":';
    assert.ok(answers[i].startsWith(start + got.json), `${line.name}: ${answers[i].slice(0, 300)}`);
    const values = JSON.parse(answers[i]).values.map((v) => v ?? NaN);
    assert.deepEqual(got.values, values, line.name);                         // exact: both print and read shortest forms
  });
}

test("golden cases", async () => {
  const cases = goldenCases();
  assert.ok(cases.length >= 40);
  await compare(cases.map(({ name, call, request }) => ({ name, call, text: JSON.stringify(request) })));
});

test("every model of the catalogue, with its work", async () => {
  const { models } = JSON.parse(core.describe());
  await compare(models.flatMap(({ id }) => [
    { name: id, call: "estimate", text: JSON.stringify({ model: id, device: "h100-sxm-80gb", explain: true, workload: { prompt_tokens: 3333, concurrency: 7 } }) },
    { name: `${id} Q4_K_M`, call: "estimate", text: JSON.stringify({ model: id, device: "rtx-4090", weights: "Q4_K_M", kv_cache: "q8_0", engine: "llama.cpp", workload: { requests_per_s: 0.37 } }) },
  ]));
});

test("every device and every weight format", async () => {
  const { devices, weight_formats: formats } = JSON.parse(core.describe());
  await compare([
    ...devices.map(({ id }) => ({ name: id, call: "estimate", text: JSON.stringify({ model: "Qwen/Qwen2.5-7B", device: id }) })),
    ...formats.map(({ id }) => ({ name: id, call: "estimate", text: JSON.stringify({ model: "mistralai/Mixtral-8x7B-v0.1", weights: id, device: "h200-sxm-141gb" }) })),
  ]);
});

test("sweeps along every kind of axis", async () => {
  const outputs = ["memory.per_device.total", "memory.per_device.headroom", "speed.ttft_s", "speed.tpot_s", "speed.output_tokens_per_s", "capacity.max_concurrency", "cost.joules_per_output_token"];
  const request = { model: "deepseek-ai/DeepSeek-R1", device: "h200-sxm-141gb", devices: 8 };
  const range = (n, f) => Array.from({ length: n }, (_, i) => f(i));
  const axes = {
    "/workload/concurrency": range(300, (i) => i), "/workload/prompt_tokens": range(200, (i) => 1 + i * 777), "/devices": range(40, (i) => i),
    "/efficiency/bandwidth": range(101, (i) => i / 100), "/weights": ["fp8", "bf16", "Q4_K_M", { bits_per_weight: 3.7 }, "none"], "/workload/requests_per_s": range(50, (i) => i * 0.31),
  };
  await compare(Object.entries(axes).map(([path, values]) => ({ name: path, call: "sweep", text: JSON.stringify({ call: "estimate", request, vary: { path, values }, outputs }) })));
});

test("what is refused is refused in the same words", async () => {
  const texts = ["", "{", "[]", "null", '{"model":1}', '{"model":"no/such","x":1,"workload":{"prompt_tokens":-1}}', `${"[".repeat(100)}`, '{"a":1,"a":2}', '{"a":1e999}', '{"model":"ü€😀"}', '{"\\u0000":"\\u0000"}'];
  await compare(["estimate", "train", "plan"].flatMap((call) => texts.map((text) => ({ name: `${call} ${text}`, call, text }))));
  const config = '{"model_type":"llama","hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"intermediate_size":14336,"vocab_size":128256,"x":NaN}';
  await compare([
    { name: "a config", call: "read_model", files: [{ name: "config.json", text: config }] },
    { name: "half a config", call: "read_model", files: [{ name: "config.json", text: config.slice(0, 50), size: 500 }] },
    { name: "no files", call: "read_model", files: [] },
    { name: "odd files", call: "read_model", files: [{ name: "model.gguf", text: "GGUF" }, { name: "", text: "" }] },
  ]);
});

test("describe()", async () => {
  const [answer] = await native([{ call: "describe" }]);
  assert.equal(core.describe(), answer);
  assert.equal(estimating.describe(), answer);
});
