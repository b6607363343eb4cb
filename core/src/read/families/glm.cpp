// ChatGLM 1 to 3 and GLM-4 to 4.7.
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

// The first ChatGLM is a LayerNorm model with biases; the second and third are Llama-like with few key-value heads.
void read_chatglm(ConfigReader& r, ModelSpec& spec) {
  const bool first = r.has("inner_hidden_size") || r.has("position_encoding_2d");
  const Traits t = first ? Traits{.tied = true, .gated = false, .norm_bias = true, .bias_key = {}, .biased = true,
                                  .mlp_bias_key = {}, .mlp_biased = true, .fused_qkv = true}
                         : Traits{.bias_key = "add_qkv_bias", .biases = Biases::qkv, .mlp_bias_key = "add_bias_linear",
                                  .fused_qkv = true, .fused_gate_up = true};
  read_sizes(r, spec, t.tied);
  if (!first) spec.vocabulary = r.count_or({"padded_vocab_size", "vocab_size"}, spec.vocabulary);
  spec.final_norm_bias = t.norm_bias;
  const auto layers = read_layers(r);
  LayerKind k;
  auto& a = k.mixer.attention = read_attention(r, spec, t);
  if (r.flag({"multi_query_attention"}, false)) a.kv_heads = r.count({"multi_query_group_num"}, "the number of key-value heads", a.heads);
  if (!r.failed() && a.heads % a.kv_heads != 0)
    r.contradiction("multi_query_group_num", "num_attention_heads", "the one does not divide the other");
  a.o_bias = first || r.flag({"add_bias_linear"}, false);
  auto& f = k.feed_forward;
  f.width = r.count({"ffn_hidden_size", "inner_hidden_size"}, "the width of the feed-forward");
  f.gated = t.gated;
  f.bias = first || r.flag({"add_bias_linear"}, false);
  f.fused_gate_up = t.fused_gate_up;
  k.norm_bias = t.norm_bias;
  all_layers(spec, k, layers);
}

// GLM-4.5 on: the first layers are dense; the file of the token-after-next layer repeats both tables.
void read_glm4_moe(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, {.biases = Biases::qkv, .qk_norm = QkNorm::per_head, .qk_norm_key = "use_qk_norm", .qk_normed = false});
  const auto e = read_experts(r);
  auto moe = moe_layer(dense, e);
  moe.feed_forward.shared_width = r.zero_or_more({"n_shared_experts"}, 0, kMostExperts) * e.width;
  moe.feed_forward.router_correction = true;
  dense_then_experts(r, spec, dense, moe, layers);
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers"}, 0, 16);
  spec.mtp_kind = spec.layer_kind.empty() ? std::uint8_t{0} : spec.layer_kind.back();
  spec.mtp_copies_tables = r.flag({"mtp_use_dedicated_embeddings"}, true);         // 4.6 leaves the copies out and does not say so
}

constexpr Traits kGlm4{.biases = Biases::qkv, .fused_gate_up = true};

void read_glm(ConfigReader& r, ModelSpec& spec) {
  if (r.has("n_routed_experts")) return read_glm4_moe(r, spec);            // copies of GLM-4.5 files say "glm"
  read_decoder(r, spec, kGlm4);
}
// GLM-4-0414: norms before and after each half.
void read_glm4(ConfigReader& r, ModelSpec& spec) {
  auto t = kGlm4;
  t.norms = 4;
  read_decoder(r, spec, t);
}

// GLM-OCR: GLM-4-0414's layer without biases, and one that predicts the token after next.
void read_glm_ocr(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.norms = 4, .bias_key = {}, .fused_gate_up = true});
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers"}, 0, 16);
}

constexpr std::array kFamilies{
    Family{"glm_ocr", read_glm_ocr}, Family{"glm_ocr_text", read_glm_ocr}, Family{"glm_image_text", read_glm4}, Family{"glmga", read_glm4},
    Family{"chatglm", read_chatglm}, Family{"glm", read_glm}, Family{"glm4", read_glm4}, Family{"glm4_moe", read_glm4_moe},
    Family{"glm4v", read_glm4}, Family{"glm4v_text", read_glm4}, Family{"glm46v", read_glm4},
    Family{"glm4v_moe", read_glm4_moe}, Family{"glm4v_moe_text", read_glm4_moe}, Family{"solar_open", read_glm4_moe},
};

}  // namespace

ReadFamily find_glm(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
