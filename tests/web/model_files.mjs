// Small model files, written by their specifications.

/** A GGUF header of one layer, with its tensors' bytes left out. */
export function gguf({ padding = 0, part, parts } = {}) {
  const out = [];
  const le = (value, bytes) => {
    let left = BigInt(value);
    for (let i = 0; i < bytes; ++i, left >>= 8n) out.push(Number(left & 255n));
  };
  const text = (s) => { le(s.length, 8); for (const c of s) out.push(c.charCodeAt(0)); };
  const number = (key, value, type = 4, bytes = 4) => { text(key); le(type, 4); le(value, bytes); };
  const tensors = [["token_embd.weight", [256, 1000]], ["blk.0.attn_q.weight", [256, 256]], ["blk.0.ffn_down.weight", [512, 256]]];
  const mine = parts ? tensors.filter((_, i) => i % parts === part) : tensors;
  const keys = 6 + (padding > 0 ? 1 : 0) + (parts ? 3 : 0);
  for (const c of "GGUF") out.push(c.charCodeAt(0));
  le(3, 4);
  le(mine.length, 8);
  le(keys, 8);
  text("general.architecture"); le(8, 4); text("llama");
  number("llama.block_count", 1);
  number("llama.embedding_length", 256);
  number("llama.attention.head_count", 4);
  number("llama.attention.head_count_kv", 2);
  number("general.file_type", 7);
  if (padding > 0) { text("tokenizer.padding"); le(8, 4); text(" ".repeat(padding)); }     // as long as a tokenizer
  if (parts) {
    number("split.no", part, 2, 2);
    number("split.count", parts, 2, 2);
    number("split.tensors.count", tensors.length, 5, 4);
  }
  let offset = 0;
  for (const [name, dims] of mine) {
    text(name); le(dims.length, 4);
    for (const d of dims) le(d, 8);
    le(8, 4);      // Q8_0
    le(offset, 8);
    offset += (dims[0] * dims[1] * 34) / 32;
  }
  return Buffer.from(out);
}

/** What the tensors of gguf() weigh. */
export const kGgufBytes = ((256 * 1000 + 256 * 256 + 512 * 256) * 34) / 32;

export const kConfig = {
  model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_size: 4096, intermediate_size: 14336, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, vocab_size: 128256,
  max_position_embeddings: 131072, torch_dtype: "bfloat16", tie_word_embeddings: false, _name_or_path: "somebody/my-llama",
};

/** The tensors of kConfig (or of a llama of other sizes) by name. */
export function llamaTensors({ hidden_size: h, intermediate_size: f, num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: kv, vocab_size: v } = kConfig) {
  const d = h / heads, all = { "model.embed_tokens.weight": [v, h] };
  for (let l = 0; l < layers; ++l) {
    const at = `model.layers.${l}.`;
    Object.assign(all, {
      [`${at}self_attn.q_proj.weight`]: [h, h], [`${at}self_attn.k_proj.weight`]: [kv * d, h], [`${at}self_attn.v_proj.weight`]: [kv * d, h], [`${at}self_attn.o_proj.weight`]: [h, h],
      [`${at}mlp.gate_proj.weight`]: [f, h], [`${at}mlp.up_proj.weight`]: [f, h], [`${at}mlp.down_proj.weight`]: [h, f], [`${at}input_layernorm.weight`]: [h], [`${at}post_attention_layernorm.weight`]: [h],
    });
  }
  return { ...all, "model.norm.weight": [h], "lm_head.weight": [v, h] };
}

/** A safetensors header over these tensors; the data that would follow is left out, and `size` says how long the file would be. */
export function safetensors(tensors, type = "BF16", bytes = 2) {
  let offset = 0;
  const header = { __metadata__: { format: "pt" } };
  for (const [name, shape] of Object.entries(tensors)) {
    const size = shape.reduce((a, b) => a * b, bytes);
    header[name] = { dtype: type, shape, data_offsets: [offset, offset + size] };
    offset += size;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return { bytes: Buffer.concat([length, text]), size: 8 + text.length + offset, data: offset };
}
