// Gemma 3n and 4: each token has an entry of its own for every layer, and the last layers read the cache of earlier ones.
// Source: the reference implementations in https://github.com/huggingface/transformers (models gemma3n, gemma4).
#include <algorithm>
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

constexpr Traits kGemma{.tied = true, .norms = 4, .qk_norm = QkNorm::per_head, .kv_heads = 0, .head_dim = 256};

std::int64_t shared_layers(ConfigReader& r, std::int64_t layers, std::int64_t otherwise) {
  const auto shared = r.zero_or_more({"num_kv_shared_layers"}, otherwise, kMostLayers);
  if (!r.failed() && shared >= layers) r.contradiction("num_kv_shared_layers", "num_hidden_layers", "at least one layer must make the cache that the others share");
  return std::min(shared, layers - 1);
}

// One number for all layers or one for each.
std::vector<std::int64_t> widths(ConfigReader& r, std::int64_t layers) {
  const auto* given = r.find({"intermediate_size"});
  if (given && given->is_array()) {
    auto out = r.numbers_per_layer("intermediate_size", layers);
    for (auto& w : out) w = std::max<std::int64_t>(1, w);
    if (!out.empty()) return out;
  }
  return std::vector<std::int64_t>(static_cast<std::size_t>(layers), r.count({"intermediate_size"}, "the width of the feed-forward"));
}

void read_gemma3n(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true, 262400);
  const auto layers = read_layers(r);
  spec.per_layer_vocabulary = r.count_or({"vocab_size_per_layer_input"}, 262144);
  spec.altup_inputs = r.count_or({"altup_num_inputs"}, 4, 64);
  LayerKind kind;
  kind.norms = 4;
  kind.mixer.attention = read_attention(r, spec, kGemma);
  kind.per_layer_input = r.count_or({"hidden_size_per_layer_input"}, 256, kMostHidden);
  kind.laurel_rank = r.count_or({"laurel_rank"}, 64, kMostHidden);
  const auto own = layers - shared_layers(r, layers, 15);
  const auto window = read_window(r, spec, 512);
  const auto local = read_windowed(r, layers, 5);
  const auto width = widths(r, layers);
  for (std::int64_t i = 0; i < layers; ++i) {
    const auto at = static_cast<std::size_t>(i);
    kind.mixer.attention.window = local[at] ? window : 0;
    kind.mixer.attention.shares_cache = i >= own;
    kind.feed_forward.width = width[at];
    add_layer(spec, kind);
  }
}

// Gemma 4: global layers have wider heads, in the larger models no value matrix; in the smallest, layers without a cache of
// their own have a feed-forward twice as wide; in the MoE, experts stand beside the dense part, with norms of their own.
void read_gemma4(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true, 262144);
  const auto layers = read_layers(r);
  LayerKind kind;
  kind.norms = 4;
  kind.scalars = 1;
  auto local = read_attention(r, spec, kGemma), global = local;
  const bool one_matrix = r.flag({"attention_k_eq_v"}, false);
  global.head_dim = global.value_dim = r.count_or({"global_head_dim"}, 512, kMostHeadDim);
  global.key_is_value = one_matrix;
  if (one_matrix) global.kv_heads = r.count_or({"num_global_key_value_heads"}, global.kv_heads, kMostHeads);
  if (!r.failed() && global.heads % global.kv_heads != 0)
    r.contradiction("num_global_key_value_heads", "num_attention_heads", "the one does not divide the other");
  local.window = read_window(r, spec, 512);
  kind.per_layer_input = r.zero_or_more({"hidden_size_per_layer_input"}, 0, kMostHidden);
  if (kind.per_layer_input > 0) spec.per_layer_vocabulary = r.count_or({"vocab_size_per_layer_input"}, 262144);
  if (r.flag({"enable_moe_block"}, false)) {
    const auto e = read_experts(r);
    auto& f = kind.feed_forward;
    f.experts = e.experts;
    f.experts_used = e.used;
    f.expert_width = e.width;
    f.router_scales = true;
    kind.norms = 7;
  }
  const auto own = layers - shared_layers(r, layers, 0);
  const bool double_wide = r.flag({"use_double_wide_mlp"}, false);
  const auto is_local = read_windowed(r, layers, 6);
  const auto width = widths(r, layers);
  for (std::int64_t i = 0; i < layers; ++i) {
    const auto at = static_cast<std::size_t>(i);
    kind.mixer.attention = is_local[at] ? local : global;
    kind.mixer.attention.shares_cache = i >= own;
    kind.feed_forward.width = width[at] * (double_wide && i >= own ? 2 : 1);
    add_layer(spec, kind);
  }
}

// OpenELM: heads and feed-forward widths grow from layer to layer; widths are rounded to the nearest multiple, but never by more
// than a tenth down.
void read_openelm(ConfigReader& r, ModelSpec& spec) {
  spec.vocabulary = r.count({"vocab_size"}, "the number of tokens it knows");
  spec.hidden = r.count({"model_dim"}, "the width of a layer", kMostHidden);
  spec.tied = r.flag({"share_input_output_layers"}, true);
  spec.context = r.count_or({"max_context_length"}, 2048, kMostContext);
  const auto layers = r.count({"num_transformer_layers"}, "the number of layers", kMostLayers);
  const auto heads = r.numbers_per_layer("num_query_heads", layers, kMostHeads), kv_heads = r.numbers_per_layer("num_kv_heads", layers, kMostHeads);
  const auto dim = r.count({"head_dim"}, "the width of a head", kMostHeadDim);
  const auto multiple = r.count_or({"ffn_dim_divisor"}, 256, kMostHidden);
  const auto* factors = r.find({"ffn_multipliers"});
  if (heads.empty() || kv_heads.empty() || !factors) {
    if (!r.failed()) r.missing({"num_query_heads", "num_kv_heads", "ffn_multipliers"}, "the heads and widths of each layer");
    return;
  }
  if (!factors->is_array() || static_cast<std::int64_t>(factors->size()) != layers) return r.bad("ffn_multipliers", *factors, "one number for each of the " + std::to_string(layers) + " layers");
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const auto& factor = (*factors)[i];
    if (!factor.is_number() || !(factor.get<double>() > 0 && factor.get<double>() < 1000)) return r.bad("ffn_multipliers", factor, "numbers above 0 and below 1000");
    if (heads[i] < 1 || kv_heads[i] < 1 || heads[i] % kv_heads[i] != 0) return r.contradiction("num_kv_heads", "num_query_heads", "the one does not divide the other");
    LayerKind kind;
    auto& a = kind.mixer.attention;
    a.heads = heads[i];
    a.kv_heads = kv_heads[i];
    a.head_dim = a.value_dim = dim;
    a.fused_qkv = true;
    if (r.flag({"normalize_qk_projections"}, true)) a.qk_norm = QkNorm::per_head;
    const double width = factor.get<double>() * static_cast<double>(spec.hidden);
    auto& f = kind.feed_forward;
    f.fused_gate_up = true;
    f.width = std::max(multiple, static_cast<std::int64_t>(width + static_cast<double>(multiple) / 2) / multiple * multiple);
    if (static_cast<double>(f.width) < 0.9 * width) f.width += multiple;
    add_layer(spec, kind);
  }
}

constexpr std::array kFamilies{
    Family{"openelm", read_openelm},
    Family{"gemma3n", read_gemma3n},       Family{"gemma3n_text", read_gemma3n},
    Family{"gemma4", read_gemma4},         Family{"gemma4_text", read_gemma4},
    Family{"gemma4_unified", read_gemma4}, Family{"gemma4_unified_text", read_gemma4},
};

}  // namespace

ReadFamily find_per_layer(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
