// Seeds and a dictionary for the fuzz targets, from the golden cases: node make_seeds.mjs OUT_FOLDER
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { gguf, kF32, kQ4K, kQ8, llamaTensors, safetensors } from "../support/model_files.mjs";

const out = process.argv[2];
if (!out) {
  console.error("usage: node make_seeds.mjs OUT_FOLDER");
  process.exit(2);
}
const tests = join(dirname(fileURLToPath(import.meta.url)), "..");
const cases = join(tests, "golden", "cases");

// The first byte chooses the call (calls_fuzz).
const callByte = { train: "0", plan: "1", sweep: "2" };
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

for (const target of ["estimate", "calls", "config", "gguf", "safetensors"]) mkdirSync(join(out, target), { recursive: true });
let seeds = 0;
for (const file of readdirSync(cases).sort()) {
  if (!file.endsWith(".json")) continue;
  const { name, call, request } = JSON.parse(readFileSync(join(cases, file), "utf8"));
  collect(request);
  const text = JSON.stringify(request);
  if (call === "estimate") writeFileSync(join(out, "estimate", name), text);
  else writeFileSync(join(out, "calls", name), callByte[call] + text);
  if (request?.model?.config) writeFileSync(join(out, "config", name), JSON.stringify(request.model.config));
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
  writeFileSync(join(out, "config", file.replace(".json", "")), JSON.stringify(first.config));
  ++seeds;
}

// Files of models, each with a first byte that says what lies beside it (gguf_fuzz, safetensors_fuzz).
const seed = (target, name, how, bytes) => {
  writeFileSync(join(out, target, name), Buffer.concat([Buffer.from([how]), bytes]));
  ++seeds;
};
const meta = { "general.architecture": "llama", "llama.block_count": 1, "llama.embedding_length": 256, "llama.attention.head_count": 4, "llama.attention.head_count_kv": 2,
  "general.file_type": 15, "tokenizer.ggml.tokens": { texts: ["a", "bc"] } };
const layer = [["token_embd.weight", [256, 100], kQ4K], ["blk.0.attn_q.weight", [256, 256], kQ8], ["blk.0.ffn_down.weight", [512, 256], kQ4K], ["blk.0.attn_norm.weight", [256], kF32]];
const experts = [["blk.0.ffn_down_exps.weight", [256, 256, 4], kQ8], ["blk.0.ffn_gate_inp.weight", [256, 4], kF32]];
for (const how of [0, 1, 2]) seed("gguf", `llama-${how}`, how, gguf(meta, layer).bytes);
seed("gguf", "experts", 0, gguf({ ...meta, "llama.expert_used_count": 2 }, [...layer, ...experts]).bytes);
seed("gguf", "latent", 0, gguf({ ...meta, "llama.attention.kv_lora_rank": 64, "llama.rope.dimension_count": 32, "llama.attention.key_length_mla": 96, "llama.attention.value_length_mla": 64 }, layer).bytes);
seed("gguf", "tower", 0, gguf({ "general.architecture": "clip" }, [["v.blk.0.attn_q.weight", [64, 64], kF32]]).bytes);
for (const w of [...Object.keys(meta), "llama.attention.sliding_window", "llama.attention.key_length", "split.count", "general.alignment"]) words.add(w);

const small = llamaTensors({ hidden_size: 256, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 512, vocab_size: 1000 });
const header = safetensors(small).bytes;
for (const how of [0, 4, 8, 12]) seed("safetensors", `whole-${how}`, how, header);
for (const how of [2, 10]) seed("safetensors", `text-${how}`, how, header.subarray(8));
const scaled = small.flatMap(([name, dtype, shape]) => (name.includes("_proj") ? [[name, "F8_E4M3", shape], [`${name}_scale`, "F32", [shape[0], 1]]] : [[name, dtype, shape]]));
for (const how of [2, 10]) seed("safetensors", `scaled-${how}`, how, safetensors(scaled).bytes.subarray(8));
const index = Buffer.from(JSON.stringify({ metadata: { total_size: 3150000 }, weight_map: Object.fromEntries(small.map(([name]) => [name, "a.safetensors"])) }));
for (const how of [1, 9]) seed("safetensors", `index-${how}`, how, index);
for (const w of ["dtype", "shape", "data_offsets", "__metadata__", "weight_map", "total_size", "BF16", "F8_E4M3", "model.layers.1.mlp.experts.3.w1.weight"]) words.add(w);

writeFileSync(join(out, "request.dict"), [...words].sort().map((w) => `${JSON.stringify(JSON.stringify(w))}\n`).join(""));
console.log(`${seeds} seeds, ${words.size} words`);
