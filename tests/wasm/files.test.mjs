// readModel as a page uses it: beginnings of files that grow as it asks, several files at once, one small model out.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

import { gguf, kF32, kQ4K, kQ6K, llamaTensors, safetensors } from "../support/model_files.mjs";
import { load, npm, root } from "./support.mjs";

const config = { model_type: "llama", hidden_size: 1024, num_hidden_layers: 4, num_attention_heads: 16, num_key_value_heads: 4, intermediate_size: 2048, vocab_size: 32000, torch_dtype: "bfloat16" };
const kModelLimit = 32 * 1024;

/** What a page does: a little of each file, then as much as is asked for. */
function readGrowing(wb, files, first = 1000) {
  const given = files.map(({ name, bytes, size }) => ({ name, size, bytes: bytes.subarray(0, first) }));
  for (let questions = 0; ; ++questions) {
    assert.ok(questions < 40, "it asks again and again");
    const answer = wb.readModel(given);
    const more = answer.problems.filter((p) => p.code === "needs_more_bytes");
    if (more.length === 0) return answer;
    for (const { path, params } of more) {
      const i = Number(path.slice(1));
      assert.equal(params.name, files[i].name);
      assert.ok(params.bytes > given[i].bytes.length && params.bytes <= files[i].size, `${params.bytes} of ${files[i].size}`);
      given[i] = { ...given[i], bytes: files[i].bytes.subarray(0, params.bytes) };
    }
  }
}

const weightBytes = (wb, read) => {
  assert.equal(read.ok, true, JSON.stringify(read.problems));
  assert.ok(JSON.stringify(read.model).length <= kModelLimit);
  const answer = wb.estimate({ model: read.model, device: "rtx-4090" });
  assert.equal(answer.ok, true, JSON.stringify(answer.problems));
  return answer.model.weight_bytes;
};

test("shards, their index and the config, in any order and from their beginnings", async () => {
  const wb = await load();
  const tensors = llamaTensors(config);
  const whole = safetensors(tensors);
  const files = [tensors.slice(0, 10), tensors.slice(10)].map((part, i) => ({ name: `model-0000${i + 1}-of-00002.safetensors`, ...safetensors(part) }));
  const bytes = tensors.reduce((sum, [, , shape]) => sum + 2 * shape.reduce((a, b) => a * b, 1), 0);
  const asFile = (name, value) => {
    const encoded = new TextEncoder().encode(JSON.stringify(value));
    return { name, bytes: encoded, size: encoded.length };
  };
  const index = asFile("model.safetensors.index.json", { metadata: { total_size: bytes }, weight_map: Object.fromEntries(tensors.map(([name], i) => [name, files[i < 10 ? 0 : 1].name])) });
  const shape = asFile("config.json", config);
  for (const given of [[files[1], shape, files[0]], [shape, ...files, index], files, [index, shape], [index], [shape, { name: "model.safetensors", ...whole }]]) {
    assert.equal(weightBytes(wb, readGrowing(wb, given)), bytes, given.map(({ name }) => name).join(" "));
  }
  const half = wb.readModel([shape, files[0]].map(({ name, bytes: b, size }) => ({ name, bytes: b, size })));
  assert.equal(half.ok, false);
  assert.match(half.problems[0].message, /one of 2 parts/);
});

test("a GGUF file with a tokenizer of megabytes", async () => {
  const wb = await load();
  const tensors = [["token_embd.weight", [1024, 32000], kQ4K], ["output_norm.weight", [1024], kF32], ["blk.0.attn_q.weight", [1024, 1024], kQ4K], ["blk.0.ffn_down.weight", [2048, 1024], kQ6K]];
  const values = { "general.architecture": "llama", "llama.block_count": 1, "llama.embedding_length": 1024, "llama.attention.head_count": 16, "llama.attention.head_count_kv": 4,
    "tokenizer.ggml.tokens": { texts: Array.from({ length: 60_000 }, (_, i) => `token number ${i} of many`) } };
  const file = { name: "large.gguf", ...gguf(values, tensors) };
  assert.ok(file.bytes.length > 1e6);
  const expected = (1024 * 32000 + 1024 * 1024) * (144 / 256) + 4 * 1024 + 2048 * 1024 * (210 / 256);
  assert.equal(weightBytes(wb, readGrowing(wb, [file])), expected);
  const tower = { name: "mmproj.gguf", ...gguf({ "general.architecture": "clip" }, [["v.blk.0.attn_q.weight", [64, 64], kF32], ["mm.0.weight", [64, 1024], kF32]]) };
  assert.equal(weightBytes(wb, readGrowing(wb, [tower, file])), expected + 4 * (64 * 64 + 64 * 1024));
});

test("a file that never ends is not asked for without end", async () => {
  const wb = await load();
  const { bytes } = gguf({ "general.architecture": "llama" }, []);
  const endless = new Uint8Array(1 << 16);
  endless.set(bytes.subarray(0, 24));
  new DataView(endless.buffer).setBigUint64(16, 60_000n, true);
  new DataView(endless.buffer).setBigUint64(24, 1n << 31n, true);
  const answer = wb.readModel([{ name: "a.gguf", bytes: endless, size: 2 ** 40 }]);
  assert.equal(answer.ok, false);
  assert.equal(answer.problems[0].code, "unsupported_file");
});

// The example runs as it stands in both languages, on a checkpoint whose tensors are holes in the file.
test("the README's example reads a folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weighbridge-example-"));
  try {
    const put = (name, { bytes, size }) => {
      writeFileSync(join(folder, name), bytes);
      truncateSync(join(folder, name), size);
    };
    const tensors = llamaTensors(config);
    put("model-00001-of-00002.safetensors", safetensors(tensors.slice(0, 7)));
    put("model-00002-of-00002.safetensors", safetensors(tensors.slice(7)));
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    writeFileSync(join(folder, "tokenizer.json"), "{}");
    const wb = await load();
    const { parameters, weight_bytes } = wb.estimate({ model: { config } }).model;
    for (const file of ["README.md", "README.zh.md"]) {
      const example = [...readFileSync(join(root, file), "utf8").matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code).find((code) => code.includes("readModel("));
      assert.ok(example, file);
      const script = join(folder, "example.mjs");
      writeFileSync(script, example.replace('from "weighbridge"', `from ${JSON.stringify(pathToFileURL(join(npm, "index.js")).href)}`));
      const out = execFileSync(process.execPath, [script, folder], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
      assert.equal(out, `llama: ${parameters} parameters, ${weight_bytes} bytes of weights, fits: true\n`, file);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
