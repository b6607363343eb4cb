// DeepSeek (MoE, V2, V3, R1) and Kimi K2: fine-grained experts, and from V2 on latent attention.
// Source: DeepSeek-V2 (arXiv 2405.04434) section 2.1, DeepSeek-V3 (arXiv 2412.19437) section 2, the models' config.json files.
#include <algorithm>
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

Mla read_latent_attention(ConfigReader& r, std::int64_t value_otherwise) {
  Mla a;
  a.heads = r.count({"num_attention_heads"}, "the number of attention heads", kMostHeads);
  a.q_lora_rank = r.zero_or_more({"q_lora_rank", "attention_q_lora_dim"}, 0, kMostHidden);
  a.kv_lora_rank = r.count({"kv_lora_rank", "attention_kv_lora_dim"}, "the width of the cached latent", kMostHidden);
  a.nope_dim = r.count({"qk_nope_head_dim", "attention_qk_dim"}, "the width of a head without position", kMostHeadDim);
  a.rope_dim = r.count({"qk_rope_head_dim", "attention_qk_rope_dim"}, "the width of a head's position", kMostHeadDim);
  const ConfigReader::Keys values{"v_head_dim", "attention_v_dim"};
  a.value_dim = value_otherwise > 0 ? r.count_or(values, value_otherwise, kMostHeadDim) : r.count(values, "the width of a value head", kMostHeadDim);
  a.bias = r.flag({"attention_bias"}, false);
  return a;
}

namespace {

void read(ConfigReader& r, ModelSpec& spec, bool corrected, bool copies_tables) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind dense;
  if (r.find({"kv_lora_rank", "attention_kv_lora_dim"}) && r.flag({"use_mla"}, true)) {
    dense.mixer.kind = MixerKind::mla;
    dense.mixer.mla = read_latent_attention(r);
  } else {
    dense.mixer.attention = read_attention(r, spec, {});
  }
  const bool any_experts = r.find({"n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts", "num_routed_experts"}) != nullptr;
  const auto sparse = any_experts ? sparse_layers(r, layers) : std::vector<char>(static_cast<std::size_t>(layers));
  const bool any_dense = std::find(sparse.begin(), sparse.end(), 0) != sparse.end();
  dense.feed_forward.width = any_dense ? r.count({"intermediate_size"}, "the width of the dense feed-forward") : 1;
  auto moe = dense;
  if (any_experts) {
    const auto e = read_experts(r);
    moe = moe_layer(dense, e);
    const auto shared = r.zero_or_more({"n_shared_experts", "num_shared_experts", "moe_num_shared_experts"}, 0, kMostExperts);
    moe.feed_forward.shared_width = shared > 0 ? shared * e.width : r.zero_or_more({"shared_expert_intermediate_size"}, 0);
    const auto method = r.text("topk_method");
    moe.feed_forward.router_correction = method.empty() ? corrected : method == "noaux_tc";
  }
  for (const char s : sparse) add_layer(spec, s ? moe : dense);
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers", "num_mtp_layers"}, 0, 16);
  spec.mtp_kind = spec.layer_kind.empty() ? std::uint8_t{0} : spec.layer_kind.back();
  spec.mtp_copies_tables = copies_tables;
}

// dots.llm1: V3's mixture over grouped queries that are normed head by head.
void read_dots1(ConfigReader& r, ModelSpec& spec) {
  read(r, spec, true, false);
  for (auto& kind : spec.kinds) kind.mixer.attention.qk_norm = QkNorm::per_head;
}

// A.X K1: a norm behind the experts too.
void read_axk1(ConfigReader& r, ModelSpec& spec) {
  read(r, spec, true, false);
  for (auto& kind : spec.kinds)
    if (kind.feed_forward.experts > 0) ++kind.norms;
}

void read_sarvam_mla(ConfigReader& r, ModelSpec& spec) { read(r, spec, true, false); }

// openPangu Ultra: norms before and after each half, and corrections of the router's scores when the file says so.
void read_pangu_ultra(ConfigReader& r, ModelSpec& spec) {
  read(r, spec, r.flag({"router_enable_expert_bias"}, false), false);
  if (r.flag({"sandwich_norm"}, false))
    for (auto& kind : spec.kinds) kind.norms = 4;
}

// MiniCPM 3: latent attention in a small dense model, whose values are as wide as an even share of the hidden size.
void read_minicpm3(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  LayerKind kind;
  kind.mixer.kind = MixerKind::mla;
  kind.mixer.mla = read_latent_attention(r, std::max<std::int64_t>(1, spec.hidden / r.count({"num_attention_heads"}, "the number of attention heads", kMostHeads)));
  kind.feed_forward.width = r.count({"intermediate_size"}, "the width of the feed-forward");
  all_layers(spec, kind, read_layers(r));
}

void read_v1_v2(ConfigReader& r, ModelSpec& spec) { read(r, spec, false, false); }

constexpr std::array kFamilies{
    Family{"deepseek", read_v1_v2},    Family{"deepseek_v2", read_v1_v2}, Family{"DeepseekOCR", read_v1_v2}, Family{"dots1", read_dots1}, Family{"minicpm3", read_minicpm3}, Family{"mistral4", read_v1_v2},
    Family{"aria_text", read_v1_v2},   Family{"deepseek_ocr2", read_v1_v2}, Family{"deepseek_ocr2_text", read_v1_v2}, Family{"youtu_llm", read_v1_v2}, Family{"axk1", read_axk1},
    Family{"sarvam_mla", read_sarvam_mla}, Family{"pangu_ultra_moe", read_pangu_ultra},
    Family{"deepseek_v3", read_deepseek_v3},    Family{"glm4_moe_lite", read_deepseek_v3}, Family{"kimi_k2", read_deepseek_v3},        Family{"kimi_k25", read_deepseek_v3},
};

}  // namespace

void read_deepseek(ConfigReader& r, ModelSpec& spec) { read_v1_v2(r, spec); }
// V3's files repeat both tables in the layer that predicts the token after next.
void read_deepseek_v3(ConfigReader& r, ModelSpec& spec) { read(r, spec, true, true); }

ReadFamily find_deepseek(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
