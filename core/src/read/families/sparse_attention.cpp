// Attention that reads a part of its cache: DeepSeek V3.2 and V4, GLM-5, MiniMax-M3; and LongCat-Flash, whose layers are pairs.
// Source: the families' config.json files and reference implementations; DeepSeek-V3.2-Exp (2025), section 2; MiniMax-M3 and
// DeepSeek-V4 model cards; LongCat-Flash (arXiv 2509.01322), section 2.
#include <algorithm>
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

Indexer read_indexer(ConfigReader& r) {
  Indexer x;
  x.heads = r.count({"index_n_heads"}, "the number of index heads", kMostHeads);
  x.dim = r.count({"index_head_dim"}, "the width of an index head", kMostHeadDim);
  x.tokens = r.count({"index_topk"}, "how many tokens are attended to", kMostContext);
  x.weighted = true;
  return x;
}

// DeepSeek V3's layers, each with an indexer of its own or with the choice of an earlier layer's.
void add_indexers(ConfigReader& r, ModelSpec& spec) {
  const auto own = read_indexer(r);
  auto borrowed = own;
  borrowed.heads = borrowed.dim = 0;
  const auto types = r.texts_per_layer("indexer_types", spec.layers());
  const auto kinds = spec.kinds;
  const auto order = spec.layer_kind;
  spec.kinds.clear();
  spec.layer_kind.clear();
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto kind = kinds[order[i]];
    if (!types.empty() && types[i] != "full" && types[i] != "shared") return r.bad("indexer_types", types[i], "full or shared in every place");
    kind.mixer.indexer = types.empty() || types[i] == "full" ? own : borrowed;
    add_layer(spec, kind);
  }
  if (spec.mtp_layers == 0 || order.empty()) return;
  auto draft = kinds[order.back()];
  draft.mixer.indexer = own;
  set_mtp_kind(spec, draft);
}

void read_deepseek_v32(ConfigReader& r, ModelSpec& spec) {
  read_deepseek_v3(r, spec);
  if (!r.failed()) add_indexers(r, spec);
}

// GLM-5's prediction layer shares the model's tables.
void read_glm_dsa(ConfigReader& r, ModelSpec& spec) {
  read_deepseek_v32(r, spec);
  spec.mtp_copies_tables = false;
}

// DeepSeek V4: one key that is its own value for all heads; a window, and behind it averages of `ratio` tokens (0: none). The
// output is made in groups of low rank, and the residual is several streams mixed before and after each half.
void read_deepseek_v4(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind base;
  base.mixer.kind = MixerKind::compressed;
  auto& a = base.mixer.compressed;
  a.heads = r.count({"num_attention_heads"}, "the number of attention heads", kMostHeads);
  a.head_dim = r.count({"head_dim"}, "the width of a head", kMostHeadDim);
  a.q_lora_rank = r.count({"q_lora_rank"}, "the width of the compressed query", kMostHidden);
  a.o_groups = r.count({"o_groups"}, "the number of output groups", kMostHeads);
  a.o_lora_rank = r.count({"o_lora_rank"}, "the rank of an output group", kMostHidden);
  a.window = r.count_or({"sliding_window"}, 128, kMostContext);
  if (!r.failed() && a.heads % a.o_groups != 0) r.contradiction("o_groups", "num_attention_heads", "the one does not divide the other");
  const auto e = read_experts(r);
  base = moe_layer(base, e);
  base.feed_forward.shared_width = r.zero_or_more({"n_shared_experts"}, 0, kMostExperts) * e.width;
  base.hyper = r.zero_or_more({"hc_mult"}, 0, 64);
  spec.hyper = base.hyper;
  const auto hashed = r.zero_or_more({"num_hash_layers"}, 0, kMostLayers);
  const auto indexer = read_indexer(r);
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers"}, 0, 16);
  if (r.has("dspark_block_size")) r.ignored("dspark_block_size", "draft heads of this kind are not counted");
  const auto ratios = r.numbers("compress_ratios", kMostCount);
  if (static_cast<std::int64_t>(ratios.size()) < layers && !r.failed()) {
    if (const auto* given = r.find({"compress_ratios"})) r.bad("compress_ratios", *given, "one number for each of the " + std::to_string(layers) + " layers");
    else r.missing({"compress_ratios"}, "how each layer compresses its cache");
  }
  if (r.failed()) return;
  // Tokens of the fine averages are chosen by an indexer; the coarse ones are all read.
  constexpr std::int64_t kFine = 4;
  const auto layer = [&](std::size_t i, bool by_hash) {
    auto kind = base;
    const auto ratio = i < ratios.size() ? ratios[i] : 0;
    kind.mixer.compressed.ratio = ratio;
    if (ratio == kFine) kind.mixer.indexer = indexer;
    kind.feed_forward.router_correction = !by_hash;
    return kind;
  };
  for (std::int64_t i = 0; i < layers; ++i) add_layer(spec, layer(static_cast<std::size_t>(i), i < hashed));
  if (spec.mtp_layers > 0) set_mtp_kind(spec, layer(static_cast<std::size_t>(layers), false));
}

// MiniMax-M3: grouped queries; in most layers blocks of tokens are chosen by an index. Its checkpoints hold no prediction layers,
// whatever the file says.
void read_minimax_m3(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind dense;
  dense.mixer.attention = read_attention(r, spec, {.qk_norm = QkNorm::per_head, .qk_norm_key = "use_qk_norm"});
  if (r.flag({"attention_output_gate"}, false)) dense.mixer.attention.gate = OutputGate::elements;
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.shared_width = r.zero_or_more({"n_shared_experts"}, 0, kMostExperts) * r.count_or({"shared_intermediate_size"}, e.width);
  moe.feed_forward.router_correction = r.flag({"use_routing_bias"}, true);
  dense.feed_forward.width = r.count({"dense_intermediate_size", "intermediate_size"}, "the width of the dense feed-forward");
  const auto sparse = sparse_layers(r, layers);
  auto attention = r.inside("sparse_attention_config");
  std::vector<std::int64_t> indexed;
  Indexer x;
  if (attention.flag({"use_sparse_attention"}, false)) {
    indexed = attention.numbers_per_layer("sparse_attention_freq", layers, 1);
    if (indexed.empty()) indexed.assign(static_cast<std::size_t>(layers), 1);
    x.heads = attention.count({"sparse_num_index_heads"}, "the number of index heads", kMostHeads);
    x.dim = attention.count({"sparse_index_dim"}, "the width of an index head", kMostHeadDim);
    x.tokens = attention.count({"sparse_topk_blocks"}, "how many blocks are attended to", kMostCount) * attention.count_or({"sparse_block_size"}, 128, kMostCount);
  }
  if (r.failed() || attention.failed()) return;
  for (std::size_t i = 0; i < sparse.size(); ++i) {
    auto kind = sparse[i] ? moe : dense;
    if (!indexed.empty() && indexed[i] != 0) kind.mixer.indexer = x;
    add_layer(spec, kind);
  }
}

// LongCat-Flash: each layer is two of latent attention and a dense half, with one mixture beside them. A part of what the router
// chooses from are experts that do nothing, so a token uses that much less of the others.
void read_longcat(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto pairs = r.count({"num_layers"}, "the number of layers", kMostLayers / 2);
  LayerKind second;
  second.mixer.kind = MixerKind::mla;
  second.mixer.mla = read_latent_attention(r);
  second.feed_forward.width = r.count({"ffn_hidden_size"}, "the width of the dense feed-forward");
  auto first = second;
  auto& f = first.feed_forward;
  f.experts = r.count({"n_routed_experts"}, "the number of experts", kMostExperts);
  f.expert_width = r.count({"expert_ffn_hidden_size"}, "the width of an expert");
  f.null_experts = r.zero_or_more({"zero_expert_num"}, 0, kMostExperts);
  const auto chosen = r.count({"moe_topk"}, "how many experts a token uses", kMostExperts);
  f.experts_used = std::clamp<std::int64_t>(chosen * f.experts / (f.experts + f.null_experts), 1, f.experts);
  f.router_correction = true;
  f.router_bias = r.flag({"router_bias"}, false);
  for (std::int64_t i = 0; i < pairs; ++i) {
    add_layer(spec, first);
    add_layer(spec, second);
  }
}

constexpr std::array kFamilies{
    Family{"deepseek_v32", read_deepseek_v32}, Family{"glm_moe_dsa", read_glm_dsa},     Family{"deepseek_v4", read_deepseek_v4},
    Family{"deepseek_ref", read_deepseek_v4},  Family{"minimax_m3", read_minimax_m3},   Family{"minimax_m3_vl", read_minimax_m3}, Family{"minimax_m3_vl_text", read_minimax_m3},
    Family{"longcat_flash", read_longcat},
};

}  // namespace

ReadFamily find_sparse_attention(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
