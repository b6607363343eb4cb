// Headers of model files, written by the formats' descriptions: for tests and for the bench.

const kAlign = 32;
// Elements and bytes of a block, by ggml's type number.
const kBlocks = { 0: [1, 4], 1: [1, 2], 8: [32, 34], 12: [256, 144], 14: [256, 210], 30: [1, 2] };
export const kF32 = 0, kF16 = 1, kQ8 = 8, kQ4K = 12, kQ6K = 14;

/**
 * A GGUF file up to its tensors. `values`: numbers (u32), texts, {texts: [...]} or {ints: [...]} for arrays; `tensors`: [name, dims, type].
 * `size` is what the whole file has.
 */
export function gguf(values, tensors) {
  const parts = [];
  const bytes = (length, write) => {
    const view = new DataView(new ArrayBuffer(length));
    write(view);
    parts.push(new Uint8Array(view.buffer));
  };
  const u32 = (n) => bytes(4, (v) => v.setUint32(0, n, true));
  const u64 = (n) => bytes(8, (v) => v.setBigUint64(0, BigInt(n), true));
  const text = (s) => {
    const encoded = new TextEncoder().encode(s);
    u64(encoded.length);
    parts.push(encoded);
  };
  parts.push(new TextEncoder().encode("GGUF"));
  u32(3);
  u64(tensors.length);
  u64(Object.keys(values).length);
  for (const [key, value] of Object.entries(values)) {
    text(key);
    if (typeof value === "number") {
      u32(4);
      u32(value);
    } else if (typeof value === "string") {
      u32(8);
      text(value);
    } else if (value.ints) {
      u32(9);
      u32(5);
      u64(value.ints.length);
      for (const each of value.ints) u32(each);
    } else {
      u32(9);
      u32(8);
      u64(value.texts.length);
      for (const each of value.texts) text(each);
    }
  }
  let offset = 0;
  for (const [name, dims, type] of tensors) {
    text(name);
    u32(dims.length);
    for (const d of dims) u64(d);
    u32(type);
    u64(offset);
    const [elements, size] = kBlocks[type];
    offset = Math.ceil((offset + (dims.reduce((a, b) => a * b, 1) / elements) * size) / kAlign) * kAlign;
  }
  const length = parts.reduce((n, p) => n + p.length, 0);
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return { bytes: out, size: Math.ceil(length / kAlign) * kAlign + offset };
}

const kBytes = { BF16: 2, F16: 2, F32: 4, F8_E4M3: 1, U8: 1 };

/** A safetensors file up to its tensors: [name, dtype, shape]. */
export function safetensors(tensors) {
  let at = 0;
  const header = { __metadata__: { format: "pt" } };
  for (const [name, dtype, shape] of tensors) {
    const begin = at;
    at += shape.reduce((a, b) => a * b, 1) * kBytes[dtype];
    header[name] = { dtype, shape, data_offsets: [begin, at] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + text.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  return { bytes: out, size: out.length + at, data: at };
}

/** A Llama 3 8B of nobody's. */
export const kConfig = {
  model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_size: 4096, intermediate_size: 14336, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, vocab_size: 128256,
  max_position_embeddings: 131072, torch_dtype: "bfloat16", tie_word_embeddings: false, _name_or_path: "somebody/my-llama",
};

const kTiny = [["token_embd.weight", [256, 1000], kQ8], ["blk.0.attn_q.weight", [256, 256], kQ8], ["blk.0.ffn_down.weight", [512, 256], kQ8]];

/** The header of a GGUF file of one layer: whole or one of several parts, with metadata as long as a tokenizer's or not. */
export function tinyGguf({ padding = 0, part, parts } = {}) {
  const values = { "general.architecture": "llama", "llama.block_count": 1, "llama.embedding_length": 256, "llama.attention.head_count": 4, "llama.attention.head_count_kv": 2, "general.file_type": 7 };
  if (padding > 0) values["tokenizer.padding"] = " ".repeat(padding);
  if (parts) Object.assign(values, { "split.no": part, "split.count": parts, "split.tensors.count": kTiny.length });
  return Buffer.from(gguf(values, parts ? kTiny.filter((_, i) => i % parts === part) : kTiny).bytes);
}

/** What the tensors of tinyGguf() weigh. */
export const kGgufBytes = (kTiny.reduce((n, [, dims]) => n + dims[0] * dims[1], 0) * 34) / 32;

/** The tensors of a Llama without biases, as Hugging Face names them. */
export function llamaTensors({ hidden_size: h, num_hidden_layers, num_attention_heads: heads, num_key_value_heads: kv, intermediate_size: f, vocab_size: v }, dtype = "BF16") {
  const k = (h / heads) * kv;
  const out = [["model.embed_tokens.weight", dtype, [v, h]], ["lm_head.weight", dtype, [v, h]], ["model.norm.weight", dtype, [h]]];
  for (let i = 0; i < num_hidden_layers; ++i) {
    const add = (name, ...shape) => out.push([`model.layers.${i}.${name}.weight`, dtype, shape]);
    add("self_attn.q_proj", h, h), add("self_attn.k_proj", k, h), add("self_attn.v_proj", k, h), add("self_attn.o_proj", h, h);
    add("mlp.gate_proj", f, h), add("mlp.up_proj", f, h), add("mlp.down_proj", h, f), add("input_layernorm", h), add("post_attention_layernorm", h);
  }
  return out;
}
