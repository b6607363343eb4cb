#include "read/blocks.hpp"

#include <algorithm>

namespace weighbridge {

void read_sizes(ConfigReader& r, ModelSpec& spec, bool tied, std::int64_t vocabulary) {
  spec.vocabulary = vocabulary > 0 ? r.count_or({"vocab_size", "padded_vocab_size"}, vocabulary)
                                   : r.count({"vocab_size", "padded_vocab_size"}, "the number of tokens it knows");
  spec.hidden = r.count({"hidden_size", "n_embd", "d_model", "n_embed"}, "the width of a layer", kMostHidden);
  spec.tied = r.flag_anywhere("tie_word_embeddings", tied);
  spec.context = r.count_or({"max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length", "model_max_length", "n_ctx"}, 0, kMostContext);
}

std::int64_t read_layers(ConfigReader& r) {
  return r.count({"num_hidden_layers", "n_layer", "n_layers", "num_layers"}, "the number of layers", kMostLayers);
}

Attention read_attention(ConfigReader& r, const ModelSpec& spec, const Traits& t) {
  Attention a;
  a.heads = t.heads > 0 ? r.count_or({"num_attention_heads"}, t.heads, kMostHeads)
                        : r.count({"num_attention_heads", "n_head", "n_heads", "num_heads"}, "the number of attention heads", kMostHeads);
  a.kv_heads = r.count_or({"num_key_value_heads", "num_kv_heads", "n_head_kv", "num_attention_groups"}, t.kv_heads > 0 ? t.kv_heads : a.heads, kMostHeads);
  if (!r.failed() && a.heads % a.kv_heads != 0)
    r.contradiction("num_key_value_heads", "num_attention_heads",
                    std::to_string(a.heads) + " heads cannot share " + std::to_string(a.kv_heads) + " key-value heads evenly");
  a.head_dim = r.count_or({"head_dim", "attention_head_dim", "kv_channels"}, t.head_dim, kMostHeadDim);
  if (a.head_dim == 0) {
    a.head_dim = std::max<std::int64_t>(1, spec.hidden / a.heads);
    if (!r.failed() && spec.hidden % a.heads != 0)
      r.contradiction("hidden_size", "num_attention_heads",
                      "a width of " + std::to_string(spec.hidden) + " cannot be divided among " + std::to_string(a.heads) +
                          " heads, and there is no head_dim");
  }
  a.value_dim = a.head_dim;
  const bool biased = t.bias_key.empty() ? t.biased : r.flag({t.bias_key}, t.biased);
  a.q_bias = a.k_bias = a.v_bias = biased && t.biases != Biases::none;
  a.o_bias = biased && t.biases == Biases::qkvo;
  a.fused_qkv = t.fused_qkv;
  const bool normed = t.qk_norm_key.empty() ? t.qk_normed : r.flag({t.qk_norm_key}, t.qk_normed);
  if (normed) a.qk_norm = t.qk_norm;
  return a;
}

namespace {

std::int64_t read_width(ConfigReader& r, const ModelSpec& spec, const Traits& t) {
  const ConfigReader::Keys keys{"intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "d_ff"};
  return t.width_factor > 0 ? r.count_or(keys, t.width_factor * spec.hidden) : r.count(keys, "the width of the feed-forward");
}

}  // namespace

LayerKind read_layer(ConfigReader& r, const ModelSpec& spec, const Traits& t) {
  LayerKind k;
  k.mixer.attention = read_attention(r, spec, t);
  auto& f = k.feed_forward;
  f.width = read_width(r, spec, t);
  f.gated = t.gated;
  f.bias = t.mlp_bias_key.empty() ? t.mlp_biased : r.flag({t.mlp_bias_key}, t.mlp_biased);
  f.fused_gate_up = t.fused_gate_up;
  k.norms = t.norms;
  k.norm_bias = t.norm_bias;
  return k;
}

Experts read_experts(ConfigReader& r) {
  Experts e;
  e.experts = r.count({"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts", "num_routed_experts"}, "the number of experts", kMostExperts);
  e.used = r.count({"num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "moe_k", "top_k_experts"}, "how many experts a token uses", kMostExperts);
  if (!r.failed() && e.used > e.experts)
    r.contradiction("num_experts_per_tok", "num_experts", "a token cannot use " + std::to_string(e.used) + " of " + std::to_string(e.experts) + " experts");
  e.used = std::min(e.used, e.experts);
  e.width = r.count({"moe_intermediate_size", "intermediate_size", "ffn_hidden_size"}, "the width of an expert");
  return e;
}

LayerKind moe_layer(LayerKind layer, const Experts& e) {
  auto& f = layer.feed_forward;
  f.width = 0;
  f.bias = f.down_bias = false;
  f.experts = e.experts;
  f.experts_used = e.used;
  f.expert_width = e.width;
  return layer;
}

std::int64_t read_window(ConfigReader& r, const ModelSpec& spec, std::int64_t otherwise) {
  const auto window = r.zero_or_more({"sliding_window", "sliding_window_size", "sliding_window_attention_size"}, otherwise, kMostContext);
  return spec.context > 0 && window >= spec.context ? 0 : window;
}

std::vector<char> read_windowed(ConfigReader& r, std::int64_t layers, std::int64_t every) {
  std::vector<char> out(static_cast<std::size_t>(layers), 1);
  if (r.has("layer_types")) {
    const auto types = r.texts_per_layer("layer_types", layers);
    for (std::size_t i = 0; i < types.size(); ++i) {
      out[i] = types[i] == "sliding_attention" || types[i] == "chunked_attention" || types[i] == "local_attention";
      if (!out[i] && types[i] != "full_attention" && types[i] != "attention" && types[i] != "global_attention") {
        r.bad("layer_types", types[i], "full_attention or sliding_attention in every place");
        break;
      }
    }
    return out;
  }
  for (const auto key : {"sliding_window_pattern", "_sliding_window_pattern"}) {
    if (!r.has(key)) continue;
    const auto* value = r.find({key});
    if (const auto* letters = value->get_ptr<const std::string*>()) {      // "LLLG": local and global, repeated
      if (letters->empty() || letters->find_first_not_of("LG") != std::string::npos) {
        r.bad(key, *value, "a number, or letters L and G");
        return out;
      }
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = (*letters)[i % letters->size()] == 'L';
      return out;
    }
    every = r.count_or({key}, every, kMostLayers);
    break;
  }
  if (every > 0)
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = (i + 1) % static_cast<std::size_t>(every) != 0;
  return out;
}

namespace {

std::uint8_t kind_index(ModelSpec& spec, const LayerKind& kind) {
  auto at = std::find(spec.kinds.begin(), spec.kinds.end(), kind);
  if (at == spec.kinds.end()) {
    if (spec.kinds.size() <= kMostKinds) spec.kinds.push_back(kind);
    at = spec.kinds.end() - 1;
  }
  return static_cast<std::uint8_t>(at - spec.kinds.begin());
}

}  // namespace

void add_layer(ModelSpec& spec, const LayerKind& kind) { spec.layer_kind.push_back(kind_index(spec, kind)); }

void set_mtp_kind(ModelSpec& spec, const LayerKind& kind) { spec.mtp_kind = kind_index(spec, kind); }

std::vector<char> sparse_layers(ConfigReader& r, std::int64_t layers) {
  std::vector<char> out;
  if (const auto types = r.texts_per_layer("mlp_layer_types", layers); !types.empty()) {
    for (const auto& type : types) out.push_back(type == "sparse");
    return out;
  }
  const auto* given = r.find({"moe_layer_freq"});
  if (given && given->is_array()) {
    for (const auto n : r.numbers_per_layer("moe_layer_freq", layers, 1)) out.push_back(n != 0);
    out.resize(static_cast<std::size_t>(layers));
    return out;
  }
  const auto first = r.zero_or_more({"first_k_dense_replace", "num_dense_layers"}, 0, kMostLayers);
  const auto every = r.count_or({"moe_layer_freq"}, 1, kMostLayers);
  for (std::int64_t i = 0; i < layers; ++i) out.push_back(i >= first && i % every == 0);
  return out;
}

void dense_then_experts(ConfigReader& r, ModelSpec& spec, const LayerKind& dense, const LayerKind& moe, std::int64_t layers) {
  for (const char sparse : sparse_layers(r, layers)) add_layer(spec, sparse ? moe : dense);
}

void all_layers(ModelSpec& spec, const LayerKind& kind, std::int64_t layers) {
  spec.kinds = {kind};
  spec.layer_kind.assign(static_cast<std::size_t>(layers), 0);
}

void layers_by_window(ModelSpec& spec, const LayerKind& full, std::int64_t window, const std::vector<char>& windowed) {
  auto local = full;
  local.mixer.attention.window = window;
  for (const char w : windowed) add_layer(spec, w ? local : full);
}

void read_decoder(ConfigReader& r, ModelSpec& spec, const Traits& t) {
  read_sizes(r, spec, t.tied);
  spec.final_norm_bias = t.norm_bias;
  all_layers(spec, read_layer(r, spec, t), read_layers(r));
}

}  // namespace weighbridge
