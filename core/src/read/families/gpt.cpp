// GPT-2 and the families of its time: LayerNorm, two matrices in the feed-forward, often biases and one table for
// input and head. Also StarCoder 2, StableLM and Command-R, which mix those traits with newer ones.
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

struct Gpt {
  Traits traits;
  bool positions = false;                  // a learned table of positions
  std::int64_t extra_positions = 0;
};

void read_gpt(ConfigReader& r, ModelSpec& spec, const Gpt& g) {
  read_sizes(r, spec, g.traits.tied);
  spec.final_norm_bias = g.traits.norm_bias;
  if (g.positions) {
    if (spec.context == 0) spec.context = r.count({"n_positions", "max_position_embeddings"}, "the rows of its position table", kMostCount);
    spec.positions = spec.context + g.extra_positions;
  }
  all_layers(spec, read_layer(r, spec, g.traits), read_layers(r));
}

constexpr Traits kGpt{.tied = true, .gated = false, .norm_bias = true, .bias_key = {}, .biased = true,
                      .mlp_bias_key = {}, .mlp_biased = true, .fused_qkv = true, .width_factor = 4};

void read_gpt2(ConfigReader& r, ModelSpec& spec) { read_gpt(r, spec, {kGpt, true, 0}); }

// GPT: GPT-2 without the last norm.
void read_gpt1(ConfigReader& r, ModelSpec& spec) {
  read_gpt2(r, spec);
  spec.final_norm = false;
}

// Jais: GPT-2 with a gated feed-forward, and slopes in place of a table of positions.
void read_jais(ConfigReader& r, ModelSpec& spec) {
  auto t = kGpt;
  t.gated = r.text("activation_function", "gelu") == "swiglu";
  read_gpt(r, spec, {t, r.text("position_embedding_type", "learned") == "learned", 0});
}

// One key-value head for all queries (SantaCoder, StarCoder 1).
void read_gpt_bigcode(ConfigReader& r, ModelSpec& spec) {
  read_gpt2(r, spec);
  if (r.flag({"multi_query"}, true))
    for (auto& kind : spec.kinds) kind.mixer.attention.kv_heads = 1;
}

void read_gpt_neox(ConfigReader& r, ModelSpec& spec) {
  auto t = kGpt;
  t.tied = false;
  t.bias_key = "attention_bias";
  read_gpt(r, spec, {t, false, 0});
}

void read_gptj(ConfigReader& r, ModelSpec& spec) {
  auto t = kGpt;
  t.tied = false;
  t.norms = 1;
  t.biased = t.fused_qkv = false;
  read_gpt(r, spec, {t, false, 0});
  spec.head_bias = true;
}

// GPT-Neo: queries, keys and values have no bias, the output has; every second layer looks back 256 tokens.
void read_gpt_neo(ConfigReader& r, ModelSpec& spec) {
  auto t = kGpt;
  t.fused_qkv = false;
  read_gpt(r, spec, {t, true, 0});
  const auto layers = spec.layers();
  auto kind = spec.kinds.front();
  auto& a = kind.mixer.attention;
  a.q_bias = a.k_bias = a.v_bias = false;
  const auto* types = r.find({"attention_layers"});
  std::vector<char> local;
  for (std::int64_t i = 0; i < layers; ++i)
    local.push_back(types && types->is_array() && static_cast<std::size_t>(i) < types->size() ? (*types)[static_cast<std::size_t>(i)] == "local" : i % 2 == 1);
  spec.kinds.clear();
  spec.layer_kind.clear();
  layers_by_window(spec, kind, r.count_or({"window_size"}, 256, kMostContext), local);
}

// CodeGen is GPT-J with queries, keys and values in one matrix.
void read_codegen(ConfigReader& r, ModelSpec& spec) {
  read_gptj(r, spec);
  for (auto& kind : spec.kinds) kind.mixer.attention.fused_qkv = true;
}

// Two rows of the position table stand for padding. The 350M model is built otherwise: norms behind, narrow tables.
void read_opt(ConfigReader& r, ModelSpec& spec) {
  auto t = kGpt;
  t.fused_qkv = false;
  t.bias_key = t.mlp_bias_key = "enable_bias";
  read_gpt(r, spec, {t, true, 2});
  spec.final_norm = r.flag({"do_layer_norm_before"}, true);
  const auto width = r.count_or({"word_embed_proj_dim"}, spec.hidden, kMostHidden);
  if (width != spec.hidden) spec.embedding_width = width;
}

void read_bloom(ConfigReader& r, ModelSpec& spec) {
  read_gpt(r, spec, {kGpt, false, 0});
  spec.embedding_norm = true;
}

void read_mpt(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const bool bias = !r.flag({"no_bias"}, false);
  auto attention = r.inside("attn_config");
  if (r.flag({"learned_pos_emb"}, true) && !attention.flag({"alibi"}, false)) spec.positions = spec.context;
  auto t = kGpt;
  t.biased = t.mlp_biased = t.norm_bias = bias;
  LayerKind k = read_layer(r, spec, t);
  auto& a = k.mixer.attention;
  a.kv_heads = attention.count_or({"kv_n_heads"}, a.heads, a.heads);
  if (attention.flag({"qk_ln"}, false)) a.qk_norm = QkNorm::full_width;
  k.feed_forward.width = r.count_or({"expansion_ratio"}, 4, 64) * spec.hidden;
  spec.final_norm_bias = bias;
  all_layers(spec, k, read_layers(r));
}

// Falcon 7B: one key-value head, one norm before both halves. 40B and 180B ("new decoder"): groups, a norm for each half.
void read_falcon(ConfigReader& r, ModelSpec& spec) {
  const bool grouped = r.flag({"new_decoder_architecture"}, r.has("n_head_kv"));
  const bool parallel = r.flag({"parallel_attn"}, true);
  const bool one_head = !grouped && r.flag({"multi_query"}, true);
  auto t = kGpt;
  t.bias_key = t.mlp_bias_key = "bias";
  t.biased = t.mlp_biased = false;
  t.norms = grouped ? static_cast<int>(r.count_or({"num_ln_in_parallel_attn"}, 2, 2)) : parallel ? 1 : 2;
  read_gpt(r, spec, {t, false, 0});
  if (spec.context == 0) spec.context = 2048;
  for (auto& kind : spec.kinds) {
    auto& a = kind.mixer.attention;
    if (!grouped) a.kv_heads = one_head ? 1 : a.heads;
  }
}

// StarCoder 2: grouped queries, biases everywhere, a window in the 7B and 15B models.
void read_starcoder2(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  spec.final_norm_bias = true;
  const auto layers = read_layers(r);
  const auto kind = read_layer(r, spec, {.gated = false, .norm_bias = true, .bias_key = "use_bias", .biased = true,
                                         .mlp_bias_key = "use_bias", .mlp_biased = true});
  layers_by_window(spec, kind, read_window(r, spec), read_windowed(r, layers, 0));
}

void read_stablelm(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.norms = r.flag({"use_parallel_residual"}, false) ? 1 : 2, .norm_bias = true, .bias_key = "use_qkv_bias",
                         .biases = Biases::qkv, .qk_norm = QkNorm::full_width, .qk_norm_key = "qk_layernorm", .qk_normed = false});
}

constexpr Traits kCohere{.tied = true, .norms = 1, .qk_norm = QkNorm::full_width, .qk_norm_key = "use_qk_norm", .qk_normed = false};

void read_cohere(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, kCohere); }
// Three local layers to one global.
void read_cohere2(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = read_layers(r);
  const auto kind = read_layer(r, spec, kCohere);
  layers_by_window(spec, kind, read_window(r, spec, 4096), read_windowed(r, layers, 4));
}

// Command A+: experts as wide as the file's feed-forward; the first layers are dense and have windows of their own.
void read_cohere2_moe(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = read_layers(r);
  auto dense = read_layer(r, spec, kCohere);
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.shared_width = r.zero_or_more({"num_shared_experts"}, 0, kMostExperts) * e.width;
  dense.feed_forward.width = r.count_or({"prefix_dense_intermediate_size"}, e.width);
  const auto sparse = sparse_layers(r, layers);
  const auto first = r.zero_or_more({"first_k_dense_replace"}, 0, kMostLayers);
  const auto every_first = r.count_or({"prefix_dense_sliding_window_pattern"}, 1, kMostLayers), every = r.count_or({"sliding_window_pattern"}, 4, kMostLayers);
  auto local = r.has("layer_types") ? read_windowed(r, layers, 0) : std::vector<char>();
  for (auto i = static_cast<std::int64_t>(local.size()); i < layers; ++i) local.push_back(i < first ? (i + 1) % every_first != 0 : (i - first + 1) % every != 0);
  const auto window = read_window(r, spec, 4096);
  for (std::size_t i = 0; i < sparse.size(); ++i) {
    auto kind = sparse[i] ? moe : dense;
    if (local[i]) kind.mixer.attention.window = window;
    add_layer(spec, kind);
  }
}

constexpr std::array kFamilies{
    Family{"cohere2_moe", read_cohere2_moe}, Family{"openai-gpt", read_gpt1},
    Family{"gpt-sw3", read_gpt2},        Family{"jais", read_jais},
    Family{"gpt2", read_gpt2},           Family{"gpt_bigcode", read_gpt_bigcode},
    Family{"gpt_neox", read_gpt_neox},   Family{"gpt_neox_reward_model", read_gpt_neox},
    Family{"gptj", read_gptj},           Family{"opt", read_opt},
    Family{"gpt_neo", read_gpt_neo},     Family{"codegen", read_codegen},
    Family{"bloom", read_bloom},         Family{"mpt", read_mpt},
    Family{"falcon", read_falcon},       Family{"RefinedWeb", read_falcon},
    Family{"RefinedWebModel", read_falcon}, Family{"starcoder2", read_starcoder2},
    Family{"stablelm", read_stablelm},   Family{"stablelm_epoch", read_stablelm},
    Family{"cohere", read_cohere},       Family{"cohere2", read_cohere2},
};

}  // namespace

ReadFamily find_gpt(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
