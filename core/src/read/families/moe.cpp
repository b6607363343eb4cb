// Mixtures of experts with ordinary attention.
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

// Every layer has experts and nothing else.
void read_all_experts(ConfigReader& r, ModelSpec& spec, const Traits& t) {
  read_sizes(r, spec, t.tied);
  spec.final_norm_bias = t.norm_bias;
  const auto layers = read_layers(r);
  const auto kind = moe_layer(read_layer(r, spec, t), read_experts(r));
  layers_by_window(spec, kind, read_window(r, spec), read_windowed(r, layers, 0));
}

void read_mixtral(ConfigReader& r, ModelSpec& spec) { read_all_experts(r, spec, {}); }
void read_olmoe(ConfigReader& r, ModelSpec& spec) { read_all_experts(r, spec, {.qk_norm = QkNorm::full_width}); }

// Grok: norms before and after each half; from 2 on a dense feed-forward beside the experts.
void read_grok(ConfigReader& r, ModelSpec& spec) {
  read_all_experts(r, spec, {.norms = 4});
  if (r.flag({"residual_moe"}, false)) spec.kinds.front().feed_forward.width = r.count({"intermediate_size"}, "the width of the dense feed-forward");
}

// Arctic: beside the experts a feed-forward as wide as the hidden size, with a norm of its own.
void read_arctic(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, {});
  auto moe = moe_layer(dense, read_experts(r));
  if (r.flag({"parallel_attn_mlp_res"}, false)) {
    moe.feed_forward.width = spec.hidden;
    moe.norms = 3;
  }
  const auto every = r.count_or({"moe_layer_frequency"}, 2, kMostLayers);
  for (std::int64_t i = 0; i < layers; ++i) add_layer(spec, (i + 1) % every == 0 ? moe : dense);
}

// SmallThinker: experts in every layer; which layers have a window is a list.
void read_smallthinker(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind kind;
  kind.mixer.attention = read_attention(r, spec, {.bias_key = {}});
  Experts e;
  e.experts = r.count({"moe_num_primary_experts"}, "the number of experts", kMostExperts);
  e.used = r.count({"moe_num_active_primary_experts"}, "how many experts a token uses", kMostExperts);
  e.width = r.count({"moe_ffn_hidden_size"}, "the width of an expert");
  if (!r.failed() && e.used > e.experts) r.contradiction("moe_num_active_primary_experts", "moe_num_primary_experts", "a token cannot use more experts than there are");
  if (r.flag({"moe_enable_secondary_experts"}, false)) r.unsupported("experts inside of experts (moe_enable_secondary_experts)");
  kind = moe_layer(kind, e);
  const auto windowed = r.numbers_per_layer("sliding_window_layout", layers, 1);
  auto local = std::vector<char>(windowed.begin(), windowed.end());
  local.resize(static_cast<std::size_t>(layers));
  layers_by_window(spec, kind, read_window(r, spec, 4096), local);
}

void read_granitemoe(ConfigReader& r, ModelSpec& spec) {
  read_all_experts(r, spec, {});
  const auto shared = r.zero_or_more({"shared_intermediate_size"}, 0);
  for (auto& kind : spec.kinds) kind.feed_forward.shared_width = shared;
}

void read_minimax_m2(ConfigReader& r, ModelSpec& spec) {
  read_all_experts(r, spec, {.qk_norm = QkNorm::full_width, .qk_norm_key = "use_qk_norm"});
  const bool correction = r.flag({"use_routing_bias"}, true);
  for (auto& kind : spec.kinds) kind.feed_forward.router_correction = correction;
  spec.wide_routers = true;
}

// gpt-oss: biases everywhere, one sink per head, every second layer (from the first on) looks back 128 tokens.
void read_gpt_oss(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  auto kind = moe_layer(read_layer(r, spec, {.biased = true, .head_dim = 64}), read_experts(r));
  kind.mixer.attention.sinks = true;
  kind.feed_forward.fused_gate_up = true;
  kind.feed_forward.expert_bias = kind.feed_forward.router_bias = true;
  layers_by_window(spec, kind, read_window(r, spec, 128), read_windowed(r, layers, 2));
}

void read_dbrx(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  auto attention = r.inside("attn_config");
  auto experts = r.inside("ffn_config");
  LayerKind k;
  auto& a = k.mixer.attention = read_attention(r, spec, {.fused_qkv = true});
  a.kv_heads = attention.count_or({"kv_n_heads"}, 1, a.heads);
  if (!r.failed() && a.heads % a.kv_heads != 0) r.contradiction("attn_config", "n_heads", "kv_n_heads does not divide the heads");
  all_layers(spec, moe_layer(k, read_experts(experts)), read_layers(r));
}

// Ling: a DeepSeek-style mixture over grouped-query attention.
void read_bailing(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  auto dense = read_layer(r, spec, {.bias_key = "use_qkv_bias", .biases = Biases::qkv, .mlp_bias_key = "use_bias", .fused_qkv = true,
                                    .qk_norm = QkNorm::per_head, .qk_norm_key = "use_qk_norm", .qk_normed = false});
  dense.mixer.attention.o_bias = r.flag({"use_bias"}, false);
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.shared_width = r.zero_or_more({"num_shared_experts", "n_shared_experts"}, 0, kMostExperts) * e.width;
  moe.feed_forward.router_correction = r.flag({"moe_router_enable_expert_bias"}, false);
  dense_then_experts(r, spec, dense, moe, layers);
}

// K-EXAONE (arXiv 2601.01739): EXAONE 4's attention, three local layers to one global, over DeepSeek's mixture.
void read_exaone_moe(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, {.qk_norm = QkNorm::per_head});
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.shared_width = r.zero_or_more({"num_shared_experts", "n_shared_experts"}, 0, kMostExperts) * e.width;
  moe.feed_forward.router_correction = true;
  const auto window = read_window(r, spec);
  const auto local = read_windowed(r, layers, 4);
  const auto sparse = r.has("is_moe_layer") ? r.numbers_per_layer("is_moe_layer", layers, 1) : std::vector<std::int64_t>();
  const auto flags = sparse.empty() ? sparse_layers(r, layers) : std::vector<char>(sparse.begin(), sparse.end());
  for (std::size_t i = 0; i < flags.size(); ++i) {
    auto kind = flags[i] ? moe : dense;
    if (local[i]) kind.mixer.attention.window = window;
    add_layer(spec, kind);
  }
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers"}, 0, 16);
  if (spec.mtp_layers > 0) set_mtp_kind(spec, dense);
}

// Arcee Trinity (AFMoE): a gate on what the heads make, norms before and after each half, experts after the first dense layers.
void read_afmoe(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  auto dense = read_layer(r, spec, {.norms = 4, .bias_key = {}, .mlp_bias_key = {}, .qk_norm = QkNorm::per_head});
  dense.mixer.attention.gate = OutputGate::elements;
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.shared_width = r.zero_or_more({"num_shared_experts"}, 0, kMostExperts) * e.width;
  moe.feed_forward.router_correction = true;
  const auto first = r.zero_or_more({"num_dense_layers"}, 0, kMostLayers);
  const auto window = read_window(r, spec);
  const auto local = read_windowed(r, layers, r.count_or({"global_attn_every_n_layers"}, 4, kMostLayers));
  for (std::int64_t i = 0; i < layers; ++i) {
    auto kind = i < first ? dense : moe;
    if (local[static_cast<std::size_t>(i)]) kind.mixer.attention.window = window;
    add_layer(spec, kind);
  }
}

// Muse Glimmer: AFMoE's gate and norms in dense layers; every fourth layer, counted from the last, is global.
void read_muse_glimmer(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  auto layer = read_layer(r, spec, {.norms = 4});
  layer.mixer.attention.gate = OutputGate::elements;
  std::vector<char> local;
  for (std::int64_t i = 0; i < layers; ++i) local.push_back((layers - 1 - i) % 4 != 0);
  layers_by_window(spec, layer, read_window(r, spec, 2048), r.has("layer_types") ? read_windowed(r, layers, 0) : local);
}

// Laguna: as many heads as the file gives each layer, one gate a head.
void read_laguna(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  auto dense = read_layer(r, spec, {.mlp_bias_key = {}, .qk_norm = QkNorm::per_head});
  dense.mixer.attention.gate = OutputGate::heads;
  auto moe = moe_layer(dense, read_experts(r));
  moe.feed_forward.shared_width = r.zero_or_more({"shared_expert_intermediate_size"}, 512);
  moe.feed_forward.router_correction = true;
  const auto heads = r.numbers_per_layer("num_attention_heads_per_layer", layers, kMostHeads);
  const auto types = r.texts_per_layer("mlp_layer_types", layers);
  const auto window = read_window(r, spec, 512);
  const auto local = r.has("layer_types") ? read_windowed(r, layers, 0) : std::vector<char>(static_cast<std::size_t>(layers));
  for (std::size_t i = 0; i < local.size(); ++i) {
    auto kind = types.empty() ? (i == 0 ? dense : moe) : types[i] == "dense" ? dense : moe;
    auto& a = kind.mixer.attention;
    if (!heads.empty()) a.heads = heads[i];
    if (!r.failed() && (a.heads < 1 || a.heads % a.kv_heads != 0)) return r.contradiction("num_key_value_heads", "num_attention_heads_per_layer", "the one does not divide the other");
    if (local[i]) a.window = window;
    add_layer(spec, kind);
  }
}

// Hunyuan 3.
void read_hy3(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, {.qk_norm = QkNorm::per_head, .qk_norm_key = "qk_norm"});
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.shared_width = r.zero_or_more({"num_shared_experts"}, 0, kMostExperts) * e.width;
  moe.feed_forward.router_correction = true;
  dense_then_experts(r, spec, dense, moe, layers);
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers"}, 0, 16);
  spec.mtp_kind = spec.layer_kind.empty() ? std::uint8_t{0} : spec.layer_kind.back();
}

// Hunyuan writes its counts once for each layer.
void read_hunyuan(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  if (r.flag({"use_mla"}, false)) r.unsupported("latent attention in this family (use_mla)");
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, {.qk_norm = QkNorm::per_head, .qk_norm_key = "use_qk_norm", .qk_normed = false});
  auto moe = dense;
  if (r.zero_or_more({"num_experts"}, 0, kMostExperts) > 1) {
    const auto e = read_experts(r);
    moe = moe_layer(dense, e);
    moe.feed_forward.shared_width = r.zero_or_more({"num_shared_expert"}, 0, kMostExperts) * e.width;
  }
  const auto skipped = r.zero_or_more({"moe_layer_num_skipped"}, 0, kMostLayers);
  // Of so many layers the first makes the keys and values, and the others have no matrices for them (CLA, arXiv 2405.12981).
  const auto shared_by = r.flag({"use_cla"}, false) ? r.count_or({"cla_share_factor"}, 1, kMostLayers) : 1;
  for (std::int64_t i = 0; i < layers; ++i) {
    auto layer = i < skipped ? dense : moe;
    auto& a = layer.mixer.attention;
    a.shares_cache = a.no_keys = i % shared_by != 0;
    add_layer(spec, layer);
  }
}

// ERNIE 4.5: the first layers are dense, the rest have routed and shared experts and a correction per expert.
void read_ernie_moe(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, {.bias_key = "use_bias", .mlp_bias_key = "use_bias"});
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.router_correction = r.flag({"moe_use_aux_free"}, true);
  moe.feed_forward.shared_width = r.zero_or_more({"moe_num_shared_experts"}, 0, kMostExperts) * e.width;
  const auto first = r.zero_or_more({"moe_layer_start_index"}, 1, kMostLayers);
  const auto step = r.count_or({"moe_layer_interval"}, 1, kMostLayers);
  for (std::int64_t i = 0; i < layers; ++i) add_layer(spec, i >= first && (i + 1) % step == 0 ? moe : dense);
}

// Llama 4: routed experts and a shared one of the same width; three layers in four look back one chunk only.
void read_llama4(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto kind = read_layer(r, spec, {});
  auto e = read_experts(r);
  e.width = r.count({"intermediate_size"}, "the width of an expert");
  auto moe = moe_layer(kind, e);
  moe.feed_forward.shared_width = e.width;
  auto dense = kind;
  dense.feed_forward.width = r.count_or({"intermediate_size_mlp"}, e.width);
  const auto step = r.count_or({"interleave_moe_layer_step"}, 1, kMostLayers);
  auto chunk = r.zero_or_more({"attention_chunk_size"}, 8192, kMostContext);
  if (spec.context > 0 && chunk >= spec.context) chunk = 0;
  auto chunked = r.numbers_per_layer("no_rope_layers", layers, 1);
  if (chunked.empty())
    for (const char c : read_windowed(r, layers, 4)) chunked.push_back(c);
  for (std::int64_t i = 0; i < layers; ++i) {
    auto layer = (i + 1) % step == 0 ? moe : dense;
    if (chunked[static_cast<std::size_t>(i)]) layer.mixer.attention.window = chunk;
    add_layer(spec, layer);
  }
}

// Step 3.5 and 3.7: windowed layers can have heads of their own, each head's output can be gated; three prediction layers.
void read_step(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind full;
  full.mixer.attention = read_attention(r, spec, {.qk_norm = QkNorm::per_head});
  auto& a = full.mixer.attention;
  if (r.flag({"use_head_wise_attn_gate"}, false)) a.gate = OutputGate::heads;
  LayerKind local = full;
  auto& l = local.mixer.attention;
  auto other = r.inside("attention_other_setting");
  l.heads = other.count_or({"num_attention_heads"}, a.heads, kMostHeads);
  l.kv_heads = other.count_or({"num_attention_groups", "num_key_value_heads"}, a.kv_heads, kMostHeads);
  l.head_dim = l.value_dim = other.count_or({"head_dim"}, a.head_dim, kMostHeadDim);
  l.window = read_window(r, spec, 512);
  if (!r.failed() && l.heads % l.kv_heads != 0) r.contradiction("attention_other_setting", "num_attention_groups", "the one does not divide the heads of the other");
  const auto e = read_experts(r);
  FeedForward dense;
  dense.width = r.count({"intermediate_size"}, "the width of the dense feed-forward");
  auto moe = moe_layer({}, e).feed_forward;
  moe.shared_width = r.count_or({"share_expert_dim", "share_expert_dims"}, e.width);
  moe.router_correction = r.flag({"use_moe_router_bias"}, false);
  const auto first = r.zero_or_more({"first_k_dense_replace"}, 3, kMostLayers);
  const auto windowed = read_windowed(r, layers, 4);
  for (std::int64_t i = 0; i < layers; ++i) {
    auto kind = windowed[static_cast<std::size_t>(i)] ? local : full;
    kind.feed_forward = i < first ? dense : moe;
    add_layer(spec, kind);
  }
}

// MiMo-V2: local and global layers have heads of their own, with keys wider than values, and sinks where the window is.
void read_mimo_v2(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind full = read_layer(r, spec, {.biases = Biases::qkv});
  auto& a = full.mixer.attention;
  a.value_dim = r.count_or({"v_head_dim"}, a.head_dim, kMostHeadDim);
  a.sinks = r.flag({"add_full_attention_sink_bias"}, false);
  LayerKind local = full;
  auto& l = local.mixer.attention;
  l.heads = r.count_or({"swa_num_attention_heads"}, a.heads, kMostHeads);
  l.kv_heads = r.count_or({"swa_num_key_value_heads"}, a.kv_heads, kMostHeads);
  l.head_dim = r.count_or({"swa_head_dim"}, a.head_dim, kMostHeadDim);
  l.value_dim = r.count_or({"swa_v_head_dim"}, a.value_dim, kMostHeadDim);
  l.sinks = r.flag({"add_swa_attention_sink_bias"}, true);
  l.window = read_window(r, spec, 128);
  if (!r.failed() && l.heads % l.kv_heads != 0) r.contradiction("swa_num_key_value_heads", "swa_num_attention_heads", "the one does not divide the other");
  const auto e = read_experts(r);
  const auto is_local = r.numbers_per_layer("hybrid_layer_pattern", layers, 1);
  const auto is_moe = r.numbers_per_layer("moe_layer_freq", layers, 1);
  if (is_local.empty() && !r.failed()) r.missing({"hybrid_layer_pattern"}, "which layers have a window");
  if (is_moe.empty() && !r.failed()) r.missing({"moe_layer_freq"}, "which layers have experts");
  if (r.failed()) return;
  const bool correction = r.text("topk_method", "noaux_tc") == "noaux_tc";
  for (std::size_t i = 0; i < is_local.size(); ++i) {
    auto layer = is_local[i] ? local : full;
    if (is_moe[i]) {
      layer = moe_layer(layer, e);
      layer.feed_forward.router_correction = correction;
      layer.feed_forward.shared_width = r.zero_or_more({"n_shared_experts"}, 0, kMostExperts) * e.width;
    }
    add_layer(spec, layer);
  }
}

constexpr std::array kFamilies{
    Family{"mixtral", read_mixtral},         Family{"olmoe", read_olmoe},           Family{"granitemoe", read_granitemoe},
    Family{"granitemoeshared", read_granitemoe}, Family{"minimax_m2", read_minimax_m2}, Family{"gpt_oss", read_gpt_oss},
    Family{"dbrx", read_dbrx},               Family{"bailing_moe", read_bailing}, Family{"bailing_moe_v2", read_bailing}, Family{"exaone_moe", read_exaone_moe}, Family{"afmoe", read_afmoe}, Family{"laguna", read_laguna},   Family{"hunyuan", read_hunyuan},
    Family{"hunyuan_v1_moe", read_hunyuan},  Family{"ernie4_5_moe", read_ernie_moe}, Family{"llama4", read_llama4},
    Family{"llama4_text", read_llama4},      Family{"mimo_v2_flash", read_mimo_v2},
    Family{"grok1", read_grok},              Family{"arctic", read_arctic},         Family{"smallthinker", read_smallthinker},
    Family{"muse_glimmer", read_muse_glimmer}, Family{"muse_glimmer_text", read_muse_glimmer}, Family{"mimo_v2", read_mimo_v2},
    Family{"sarvam_moe", read_bailing},
    Family{"grok-1", read_grok},             Family{"flex_olmo", read_olmoe},        Family{"hy_v3", read_hy3},               Family{"step3p5", read_step},          Family{"step3p7", read_step},
};

}  // namespace

ReadFamily find_moe(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
