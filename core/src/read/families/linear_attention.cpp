// Models whose layers mostly keep a state in place of a cache: Qwen3-Next, Qwen 3.5 and 3.6, Kimi Linear and K3, MiniMax-01 and
// M1, LFM2, RWKV. Source: the families' config.json files and reference implementations in transformers; Gated DeltaNet
// (arXiv 2412.06464), Kimi Linear (arXiv 2510.26692), MiniMax-01 (arXiv 2501.08313), Eagle and Finch (arXiv 2404.05892).
#include <algorithm>
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

Mixer only(const Recurrent& state) {
  Mixer m;
  m.kind = MixerKind::none;
  m.recurrent = state;
  return m;
}

std::int64_t state_bits(ConfigReader& r) {
  const auto type = r.text("mamba_ssm_dtype");
  return type == "bfloat16" || type == "float16" ? 16 : 32;
}

// ---- Qwen3-Next, 3.5, 3.6 ----

// One entry per layer, 1 where it has full attention.
std::vector<char> full_layers(ConfigReader& r, std::int64_t layers, std::string_view linear_name) {
  std::vector<char> out;
  if (r.has("layer_types")) {
    for (const auto& type : r.texts_per_layer("layer_types", layers)) {
      if (type != "full_attention" && type != linear_name) {
        r.bad("layer_types", type, "full_attention or " + std::string(linear_name) + " in every place");
        break;
      }
      out.push_back(type == "full_attention");
    }
    out.resize(static_cast<std::size_t>(layers));
    return out;
  }
  const auto every = r.count_or({"full_attention_interval"}, 4, kMostLayers);
  for (std::int64_t i = 0; i < layers; ++i) out.push_back((i + 1) % every == 0);
  return out;
}

// `drafts`: prediction layers where the file does not say.
void read_qwen(ConfigReader& r, ModelSpec& spec, std::int64_t drafts) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const Traits traits{.qk_norm = QkNorm::per_head};
  LayerKind full;
  full.mixer.attention = read_attention(r, spec, traits);
  if (r.flag({"attn_output_gate"}, true)) full.mixer.attention.gate = OutputGate::elements;
  Recurrent s;
  s.kind = RecurrentKind::gated_delta;
  s.heads = r.count({"linear_num_value_heads"}, "the number of heads of the state", kMostHeads);
  s.key_heads = r.count({"linear_num_key_heads"}, "the number of key heads of the state", kMostHeads);
  s.key_dim = r.count({"linear_key_head_dim"}, "the width of a key head of the state", kMostHeadDim);
  s.value_dim = r.count({"linear_value_head_dim"}, "the width of a value head of the state", kMostHeadDim);
  s.kernel = r.count_or({"linear_conv_kernel_dim"}, 4, 64);
  s.state_bits = state_bits(r);
  if (!r.failed() && s.heads % s.key_heads != 0)
    r.contradiction("linear_num_key_heads", "linear_num_value_heads", "the one does not divide the other");

  const bool any_experts = r.zero_or_more({"num_experts"}, 0, kMostExperts) > 0;
  const auto step = r.count_or({"decoder_sparse_step"}, 1, kMostLayers);
  const auto only_dense = r.numbers("mlp_only_layers", kMostLayers);
  const auto has_experts = [&](std::int64_t i) {
    return any_experts && (i + 1) % step == 0 && std::find(only_dense.begin(), only_dense.end(), i) == only_dense.end();
  };
  bool any_dense = false;
  for (std::int64_t i = 0; i < layers; ++i) any_dense = any_dense || !has_experts(i);
  FeedForward dense, moe;
  if (any_dense) dense.width = r.count({"intermediate_size"}, "the width of the feed-forward");
  if (any_experts) {
    moe = moe_layer({}, read_experts(r)).feed_forward;
    moe.shared_width = r.zero_or_more({"shared_expert_intermediate_size"}, 0);
    moe.shared_gate = moe.shared_width > 0;
  }
  const auto is_full = full_layers(r, layers, "linear_attention");
  for (std::int64_t i = 0; i < layers; ++i) {
    auto kind = full;
    if (!is_full[static_cast<std::size_t>(i)]) kind.mixer = only(s);
    kind.feed_forward = has_experts(i) ? moe : dense;
    add_layer(spec, kind);
  }
  spec.mtp_layers = r.zero_or_more({"mtp_num_hidden_layers", "num_nextn_predict_layers"}, drafts, 16);
  spec.mtp_copies_tables = r.flag({"mtp_use_dedicated_embeddings"}, false);
  full.feed_forward = any_experts ? moe : dense;
  if (spec.mtp_layers > 0) set_mtp_kind(spec, full);
}

void read_qwen35(ConfigReader& r, ModelSpec& spec) { read_qwen(r, spec, 0); }
// The checkpoints hold a prediction layer that config.json says nothing of.
void read_qwen3_next(ConfigReader& r, ModelSpec& spec) { read_qwen(r, spec, 1); }

// OLMo Hybrid: what the file leaves out of the state's widths follows from the hidden size.
void read_olmo_hybrid(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto full = read_layer(r, spec, {.qk_norm = QkNorm::full_width});
  const auto heads = full.mixer.attention.heads;
  Recurrent s;
  s.kind = RecurrentKind::gated_delta;
  s.key_heads = r.count_or({"linear_num_key_heads"}, heads, kMostHeads);
  s.heads = r.count_or({"linear_num_value_heads"}, heads, kMostHeads);
  s.key_dim = r.count_or({"linear_key_head_dim"}, std::max<std::int64_t>(1, spec.hidden * 3 / 4 / s.key_heads), kMostHeadDim);
  s.value_dim = r.count_or({"linear_value_head_dim"}, 2 * s.key_dim, kMostHeadDim);
  s.kernel = r.count_or({"linear_conv_kernel_dim"}, 4, 64);
  if (!r.failed() && s.heads % s.key_heads != 0) r.contradiction("linear_num_key_heads", "linear_num_value_heads", "the one does not divide the other");
  auto linear = full;
  linear.mixer = only(s);
  for (const char is_full : full_layers(r, layers, "linear_attention")) add_layer(spec, is_full ? full : linear);
}

// ---- Kimi Linear and K3 ----

void read_kimi_linear(ConfigReader& r, ModelSpec& spec) {
  read_deepseek(r, spec);
  auto linear = r.inside("linear_attn_config");
  Recurrent s;
  s.kind = RecurrentKind::kda;
  s.heads = s.key_heads = linear.count({"num_heads"}, "the number of heads of the state", kMostHeads);
  s.key_dim = s.value_dim = linear.count({"head_dim"}, "the width of a head of the state", kMostHeadDim);
  s.kernel = linear.count_or({"short_conv_kernel_size"}, 4, 64);
  s.rank = linear.flag({"use_full_rank_gate"}, false) ? 0 : s.value_dim;
  const auto kda = linear.numbers("kda_layers", kMostLayers);          // counted from 1
  if (kda.empty() && !r.failed()) r.missing({"linear_attn_config"}, "which layers keep a state (kda_layers)");
  if (r.failed() || linear.failed()) return;
  const bool gate = r.flag({"mla_use_output_gate"}, false);
  const auto narrow = r.zero_or_more({"routed_expert_hidden_size"}, 0, kMostHidden);
  // K3 weighs earlier residuals before each half and before the head, each time with a norm and one query.
  spec.final_residual = r.zero_or_more({"attn_res_block_size"}, 0, kMostLayers) > 0;
  const bool latent_norm = narrow > 0 && r.flag({"latent_moe_use_norm"}, false);
  const auto kinds = spec.kinds;
  const auto order = spec.layer_kind;
  spec.kinds.clear();
  spec.layer_kind.clear();
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto kind = kinds[order[i]];
    if (std::find(kda.begin(), kda.end(), static_cast<std::int64_t>(i) + 1) != kda.end()) kind.mixer = only(s);
    else if (gate) kind.mixer.mla.gate = OutputGate::elements;
    if (spec.final_residual) kind.norms += 4;
    if (kind.feed_forward.experts > 0) {
      kind.feed_forward.router_correction = true;
      kind.feed_forward.expert_hidden = narrow;
      kind.feed_forward.latent_norm = latent_norm;
    }
    add_layer(spec, kind);
  }
}

// Ling 3: Kimi's layers with whole matrices for gate and decay; the last of every group, and those behind the last whole group,
// have latent attention with a gate.
void read_ling3(ConfigReader& r, ModelSpec& spec) {
  if (!r.has("short_conv_kernel_size")) return r.unsupported("linear attention with a fixed decay in this family (Ling 2.5)");
  read_deepseek(r, spec);
  Recurrent s;
  s.kind = RecurrentKind::kda;
  s.heads = s.key_heads = r.count({"num_attention_heads"}, "the number of heads of the state", kMostHeads);
  s.key_dim = s.value_dim = r.count({"head_dim"}, "the width of a head of the state", kMostHeadDim);
  s.kernel = r.count_or({"short_conv_kernel_size"}, 4, 64);
  s.whole_decay = r.flag({"no_kda_lora"}, true);
  s.rank = s.whole_decay ? 0 : s.value_dim;
  const auto group = r.count({"layer_group_size"}, "how many layers share one with full attention", kMostLayers);
  const auto gate = r.text("gated_attention_proj_granularity_type");
  const auto shared = r.zero_or_more({"moe_shared_expert_intermediate_size"}, 0) * r.zero_or_more({"num_shared_experts"}, 0, kMostExperts);
  if (r.failed()) return;
  const auto kinds = spec.kinds;
  const auto order = spec.layer_kind;
  const auto whole = static_cast<std::int64_t>(order.size()) / group * group;
  spec.kinds.clear();
  spec.layer_kind.clear();
  const auto layer = [&](std::int64_t i, std::uint8_t of) {
    auto kind = kinds[of];
    if ((i + 1) % group != 0 && i < whole) kind.mixer = only(s);
    else kind.mixer.mla.gate = gate == "head_wise" ? OutputGate::heads : gate == "element_wise" ? OutputGate::elements : OutputGate::none;
    kind.feed_forward.router_correction = kind.feed_forward.experts > 0;
    if (shared > 0 && kind.feed_forward.experts > 0) kind.feed_forward.shared_width = shared;
    return kind;
  };
  for (std::size_t i = 0; i < order.size(); ++i) add_layer(spec, layer(static_cast<std::int64_t>(i), order[i]));
  if (spec.mtp_layers > 0) set_mtp_kind(spec, layer(group - 1, order.back()));
}

// ---- MiniMax-01 and M1 ----

void read_minimax(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  auto full = moe_layer(read_layer(r, spec, {}), read_experts(r));
  full.feed_forward.shared_width = r.zero_or_more({"shared_intermediate_size"}, 0);
  const auto& a = full.mixer.attention;
  Recurrent s;
  s.kind = RecurrentKind::lightning;
  s.heads = s.key_heads = a.heads;
  s.key_dim = s.value_dim = a.head_dim;
  auto linear = full;
  linear.mixer = only(s);
  const auto types = r.numbers_per_layer("attn_type_list", layers, 1);
  const auto named = types.empty() ? full_layers(r, layers, "linear_attention") : std::vector<char>();
  if (types.empty() && !r.has("layer_types") && !r.failed()) r.missing({"attn_type_list", "layer_types"}, "which layers have full attention");
  for (std::size_t i = 0; i < static_cast<std::size_t>(layers); ++i) add_layer(spec, (types.empty() ? named[i] != 0 : types[i] != 0) ? full : linear);
}

// ---- LFM2 ----

// The files give a width from which the real one is made: two thirds, rounded up.
std::int64_t lfm2_width(ConfigReader& r) {
  auto width = r.count({"intermediate_size", "block_ff_dim"}, "the width of the feed-forward");
  if (!r.flag({"block_auto_adjust_ff_dim"}, true)) return width;
  width = 2 * width / 3;
  if (const auto* factor = r.find({"block_ffn_dim_multiplier"})) {
    if (!factor->is_number() || !(factor->get<double>() > 0 && factor->get<double>() < 1000)) return r.bad("block_ffn_dim_multiplier", *factor, "a number above 0 and below 1000"), 1;
    width = static_cast<std::int64_t>(factor->get<double>() * static_cast<double>(width));
  }
  const auto multiple = r.count_or({"block_multiple_of"}, 256, kMostHidden);
  return (width + multiple - 1) / multiple * multiple;
}

void read_lfm2(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = read_layers(r);
  LayerKind attention;
  attention.mixer.attention = read_attention(r, spec, {.bias_key = {}, .qk_norm = QkNorm::per_head});
  Recurrent s;
  s.kind = RecurrentKind::short_convolution;
  s.kernel = r.count_or({"conv_L_cache"}, 3, 64);
  s.bias = s.conv_bias = r.flag({"conv_bias"}, false);
  const bool any_experts = r.has("num_experts");
  FeedForward dense, moe;
  if (any_experts) {
    dense.width = r.count({"intermediate_size"}, "the width of the dense feed-forward");
    moe = moe_layer({}, read_experts(r)).feed_forward;
    moe.router_correction = r.flag({"use_expert_bias"}, true);
  } else {
    dense.width = lfm2_width(r);
  }
  const auto first = any_experts ? r.zero_or_more({"num_dense_layers"}, 0, kMostLayers) : layers;
  std::vector<char> full(static_cast<std::size_t>(layers));
  if (r.has("full_attn_idxs") && !r.has("layer_types"))
    for (const auto i : r.numbers("full_attn_idxs", layers - 1)) full[static_cast<std::size_t>(i)] = 1;
  else if (r.has("layer_types")) full = full_layers(r, layers, "conv");
  else r.missing({"layer_types", "full_attn_idxs"}, "which layers have attention");
  for (std::int64_t i = 0; i < layers; ++i) {
    auto kind = attention;
    if (!full[static_cast<std::size_t>(i)]) kind.mixer = only(s);
    kind.feed_forward = i < first ? dense : moe;
    add_layer(spec, kind);
  }
}

// ---- RWKV ----

// Low-rank widths and vectors of one layer's time mixing.
void read_rwkv(ConfigReader& r, ModelSpec& spec, std::int64_t rank, std::int64_t vectors) {
  read_sizes(r, spec, false);
  spec.tied = false;                           // every checkpoint holds both tables, whatever a copy of the file says
  spec.embedding_norm = spec.final_norm_bias = true;
  if (spec.context == 0) spec.context = r.count_or({"context_length"}, 0, kMostContext);
  const auto layers = read_layers(r);
  LayerKind k;
  k.norm_bias = true;
  Recurrent s;
  s.kind = RecurrentKind::rwkv;
  const auto width = r.count_or({"attention_hidden_size"}, spec.hidden, kMostHidden);
  s.key_dim = s.value_dim = r.count_or({"head_size"}, 64, kMostHeadDim);
  s.heads = s.key_heads = std::max<std::int64_t>(1, width / s.value_dim);
  if (!r.failed() && width % s.value_dim != 0) r.contradiction("head_size", "attention_hidden_size", "the one does not divide the other");
  s.rank = rank;
  s.vectors = vectors;
  k.mixer = only(s);
  k.feed_forward.gated = false;
  k.feed_forward.square = true;                // receptance
  k.feed_forward.width = r.count_or({"intermediate_size"}, spec.hidden * 7 / 2 / 32 * 32);
  all_layers(spec, k, layers);
}

// Version 4: numerator, denominator and exponent of each channel; no gate, and no norm behind it.
void read_rwkv4(ConfigReader& r, ModelSpec& spec) {
  read_rwkv(r, spec, 0, 7);
  for (auto& kind : spec.kinds) {
    auto& s = kind.mixer.recurrent;
    s.kind = RecurrentKind::rwkv4;
    s.heads = s.key_heads = s.heads * s.value_dim;
    s.value_dim = 1;
    s.key_dim = 3;
  }
}
void read_rwkv5(ConfigReader& r, ModelSpec& spec) { read_rwkv(r, spec, 0, 8); }
// Five mixes of rank 32 and a decay of rank 64; twice as much in models of 4,096 and wider.
void read_rwkv6(ConfigReader& r, ModelSpec& spec) {
  const bool wide = r.count_or({"hidden_size"}, 1, kMostHidden) >= 4096;
  read_rwkv(r, spec, wide ? 5 * 64 + 128 : 5 * 32 + 64, 10);
}

// Version 7: steps, gate and mixing of values are of low rank; the first layer has no values to mix in. No square matrix, and a
// feed-forward of two.
void read_rwkv7(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  spec.embedding_norm = r.flag({"norm_first"}, true);
  const bool bias = r.flag({"norm_bias"}, true);
  spec.final_norm_bias = bias;
  const auto layers = read_layers(r);
  LayerKind k;
  k.norm_bias = bias;
  Recurrent s;
  s.kind = RecurrentKind::rwkv7;
  s.key_dim = s.value_dim = r.count_or({"head_dim", "head_size"}, 64, kMostHeadDim);
  s.heads = s.key_heads = std::max<std::int64_t>(1, spec.hidden / s.value_dim);
  if (!r.failed() && spec.hidden % s.value_dim != 0) r.contradiction("head_dim", "hidden_size", "the one does not divide the other");
  const auto values = r.count({"v_low_rank_dim"}, "the rank that mixes in the first layer's values", kMostHidden);
  s.rank = r.count({"decay_low_rank_dim"}, "the rank of the decay", kMostHidden) + r.count({"a_low_rank_dim"}, "the rank of the learning rate", kMostHidden) +
           r.count({"gate_low_rank_dim"}, "the rank of the gate", kMostHidden);
  s.vectors = 12;
  k.mixer = only(s);
  k.feed_forward.gated = false;
  k.feed_forward.width = r.count_or({"intermediate_size"}, 4 * spec.hidden);
  add_layer(spec, k);
  k.mixer.recurrent.rank += values;
  k.mixer.recurrent.vectors = 13;
  for (std::int64_t i = 1; i < layers; ++i) add_layer(spec, k);
}

constexpr std::array kFamilies{
    Family{"olmo_hybrid", read_olmo_hybrid},
    Family{"qwen3_next", read_qwen3_next},  Family{"qwen3_5", read_qwen35},          Family{"qwen3_5_text", read_qwen35},
    Family{"qwen3_5_moe", read_qwen35},     Family{"qwen3_5_moe_text", read_qwen35}, Family{"kimi_linear", read_kimi_linear},
    Family{"kimi_k3", read_kimi_linear},    Family{"bailing_hybrid", read_ling3},
    Family{"qwen3_8", read_qwen35},         Family{"qwen3_8_text", read_qwen35},     Family{"qwen3_8_moe", read_qwen35},      Family{"qwen3_8_moe_text", read_qwen35},
       Family{"minimax", read_minimax},         Family{"minimax_text_01", read_minimax},
    Family{"minimax_m1", read_minimax},     Family{"lfm2", read_lfm2},               Family{"lfm2_moe", read_lfm2},
    Family{"rwkv", read_rwkv4},             Family{"rwkv5", read_rwkv5},            Family{"rwkv6", read_rwkv6},
    Family{"rwkv7", read_rwkv7},
};

}  // namespace

ReadFamily find_linear_attention(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
