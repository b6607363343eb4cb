#include "read/checkpoint_names.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace weighbridge {

namespace {

constexpr std::string_view kTowerWords[] = {"vision", "visual", "audio", "image", "vit.", "projector", "resampler", "connector", "speech", "img_"};
// The last part of a module's name, as families write it, and llama.cpp's name of the same.
struct Module {
  std::string_view name, gguf;
  Role role;
};
using R = Role;
constexpr Module kModules[] = {
    {"embed_tokens", "token_embd", R::embedding}, {"wte", "token_embd", R::embedding}, {"word_embeddings", "token_embd", R::embedding},
    {"embed_in", "token_embd", R::embedding}, {"tok_embeddings", "token_embd", R::embedding}, {"embeddings", "token_embd", R::embedding},
    {"wpe", "position_embd", R::embedding}, {"embed_positions", "position_embd", R::embedding},
    {"lm_head", "output", R::lm_head}, {"embed_out", "output", R::lm_head},
    {"q_proj", "attn_q", R::attention}, {"k_proj", "attn_k", R::attention}, {"v_proj", "attn_v", R::attention},
    {"o_proj", "attn_output", R::attention}, {"out_proj", "attn_output", R::attention}, {"dense", "attn_output", R::attention}, {"wo", "attn_output", R::attention},
    {"wq", "attn_q", R::attention}, {"wk", "attn_k", R::attention}, {"wv", "attn_v", R::attention},
    {"qkv_proj", "attn_qkv", R::attention}, {"query_key_value", "attn_qkv", R::attention}, {"Wqkv", "attn_qkv", R::attention},
    {"wqkv", "attn_qkv", R::attention}, {"q_a_proj", "attn_q_a", R::attention}, {"q_b_proj", "attn_q_b", R::attention},
    {"kv_a_proj_with_mqa", "attn_kv_a_mqa", R::attention}, {"kv_b_proj", "attn_kv_b", R::attention},
    {"q_norm", "attn_q_norm", R::norm}, {"k_norm", "attn_k_norm", R::norm}, {"kv_a_layernorm", "attn_kv_a_norm", R::norm}, {"q_a_layernorm", "attn_q_a_norm", R::norm},
    {"gate_proj", "ffn_gate", R::mlp}, {"up_proj", "ffn_up", R::mlp}, {"down_proj", "ffn_down", R::mlp}, {"gate_up_proj", "ffn_up", R::mlp},
    {"w1", "ffn_gate", R::mlp}, {"w3", "ffn_up", R::mlp}, {"w2", "ffn_down", R::mlp}, {"fc1", "ffn_up", R::mlp}, {"fc2", "ffn_down", R::mlp},
    {"dense_h_to_4h", "ffn_up", R::mlp}, {"dense_4h_to_h", "ffn_down", R::mlp}, {"c_fc", "ffn_up", R::mlp},
    {"gate", "ffn_gate_inp", R::router}, {"router", "ffn_gate_inp", R::router}, {"e_score_correction_bias", "exp_probs_b", R::router},
    {"shared_expert_gate", "ffn_gate_inp_shexp", R::router}, {"sinks", "attn_sinks", R::attention}};

// What stands beside a packed weight, and weights that are packed.
constexpr std::string_view kScales[] = {"scales", "scale", "weight_scale", "weight_scale_inv", "weight_scale_2", "input_scale", "k_scale", "v_scale", "qzeros", "g_idx",
                                        "weight_shape", "weight_zero_point", "weight_global_scale", "input_global_scale", "absmax", "quant_map", "nested_absmax",
                                        "nested_quant_map", "SCB", "biases", "weight_format"};
constexpr std::string_view kPacked[] = {"qweight", "weight_packed", "blocks"};

template <std::size_t N>
bool any_of(const std::string_view (&list)[N], std::string_view word) { return std::find(std::begin(list), std::end(list), word) != std::end(list); }

std::int64_t number_in(std::string_view part) {
  std::int64_t n = -1;
  const auto* end = part.data() + part.size();
  return !part.empty() && part.size() < 7 && std::from_chars(part.data(), end, n).ptr == end ? n : -1;
}

}  // namespace

TensorName tensor_name(std::string_view full) {
  TensorName n;
  for (const auto word : kTowerWords) n.tower = n.tower || holds(full, word);
  std::string_view before;
  for (std::string_view left = full; !left.empty();) {
    const auto dot = std::min(left.find('.'), left.size());
    const auto part = left.substr(0, dot);
    left.remove_prefix(std::min(dot + 1, left.size()));
    if (const auto number = number_in(part); number >= 0) {
      if (before == "experts") n.expert = number;
      else if (n.layer < 0 && (before == "layers" || before == "h" || before == "blocks" || before == "block" || before == "layer")) n.layer = number;
      before = part;
      continue;
    }
    n.experts = n.experts || part == "experts";
    n.shared = n.shared || holds(part, "shared_expert") || part == "shared_mlp";
    before = part;
    if (left.empty()) n.suffix = part;
    else n.module = part;
  }
  // "mlp.experts.down_proj_blocks", "self_attn.sinks": no ".weight" at the end.
  bool known = n.suffix == "weight" || n.suffix == "bias" || any_of(kScales, n.suffix) || any_of(kPacked, n.suffix);
  if (!known) {
    n.module = n.suffix;
    n.suffix = "weight";
    for (const std::string_view end : {"_blocks", "_scales", "_bias"})
      if (n.module.size() > end.size() && n.module.substr(n.module.size() - end.size()) == end && n.module != "e_score_correction_bias") {
        n.suffix = end.substr(1);
        n.module.remove_suffix(end.size());
      }
  }
  n.beside = any_of(kScales, n.suffix);
  n.packed = any_of(kPacked, n.suffix);
  n.weight = !n.beside && n.suffix != "bias";
  for (const auto& m : kModules)
    if (m.name == n.module) n.gguf = m.gguf, n.role = m.role;
  if (n.layer < 0 && n.role != R::embedding && n.role != R::lm_head) n.role = R::other, n.gguf = {};
  if (n.role == R::other) {
    if (holds(n.module, "norm") || holds(n.module, "ln_") || n.module == "ln") n.role = R::norm;
    else if (n.layer >= 0 && (holds(full, "attn") || holds(full, "attention") || holds(full, "mixer") || holds(full, "mamba") || holds(full, "conv"))) n.role = R::attention;
    else if (n.layer >= 0 && (holds(full, "mlp") || holds(full, "ffn") || holds(full, "feed_forward"))) n.role = R::mlp;
  }
  if (n.experts && n.role != R::router) n.role = R::experts;
  if (n.shared && n.role == R::experts) n.role = R::mlp;
  if (n.tower) n.role = R::vision, n.layer = -1, n.gguf = {};
  return n;
}

bool is_buffer(std::string_view name) { return holds(name, "inv_freq") || holds(name, ".attn.masked_bias") || holds(name, "attention.masked_bias"); }

std::string_view encoding_of(const Dtype& d) {
  if (d.name == "BF16") return "bf16";
  if (d.name == "F16") return "f16";
  if (d.name == "F32") return "f32";
  if (d.name.substr(0, 2) == "F8") return "f8";
  if (d.name.substr(0, 2) == "F6") return "f6";
  if (d.name == "F4") return "f4";
  return d.bits == 8 ? "i8" : d.bits == 16 ? "i16" : d.bits == 32 ? "i32" : d.name == "F64" ? "f64" : "i64";
}

}  // namespace weighbridge
