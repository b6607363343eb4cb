#include "read/gguf_names.hpp"

#include <algorithm>
#include <charconv>

namespace weighbridge {

namespace {

// What a tensor is, by the last part of its name (llama.cpp's names; sources.json: ggml).
struct NameRule {
  std::string_view name;                         // without "blk.N." and ".weight"
  Role role;
  TensorClass cls;
  Split split = Split::even;
  Use use = Use::always;
};
using R = Role;
using C = TensorClass;
constexpr NameRule kNames[] = {
    {"token_embd", R::embedding, C::token_embedding, Split::even, Use::lookup},
    {"position_embd", R::embedding, C::position, Split::replicated, Use::lookup},
    {"output", R::lm_head, C::output, Split::even, Use::last},
    {"attn_q", R::attention, C::attention_q},
    {"attn_k", R::attention, C::attention_k, Split::kv_heads},
    {"attn_v", R::attention, C::attention_v, Split::kv_heads},
    {"attn_qkv", R::attention, C::attention_qkv},
    {"attn_output", R::attention, C::attention_output},
    {"attn_q_a", R::attention, C::attention_other, Split::replicated},
    {"attn_kv_a_mqa", R::attention, C::attention_other, Split::replicated},
    {"attn_q_b", R::attention, C::attention_q},
    {"attn_kv_b", R::attention, C::attention_other},
    {"attn_k_b", R::attention, C::attention_other},
    {"attn_v_b", R::attention, C::attention_other},
    {"attn_sinks", R::attention, C::other},
    {"ffn_gate", R::mlp, C::ffn_gate},
    {"ffn_up", R::mlp, C::ffn_up},
    {"ffn_down", R::mlp, C::ffn_down},
    {"ffn_gate_shexp", R::mlp, C::ffn_gate},
    {"ffn_up_shexp", R::mlp, C::ffn_up},
    {"ffn_down_shexp", R::mlp, C::ffn_down},
    {"ffn_gate_exps", R::experts, C::ffn_gate, Split::experts, Use::routed},
    {"ffn_up_exps", R::experts, C::ffn_up, Split::experts, Use::routed},
    {"ffn_down_exps", R::experts, C::ffn_down, Split::experts, Use::routed},
    {"ffn_gate_up_exps", R::experts, C::ffn_gate_up, Split::experts, Use::routed},
    {"ffn_gate_inp", R::router, C::router, Split::replicated},
    {"ffn_gate_inp_shexp", R::router, C::router, Split::replicated},
    {"exp_probs_b", R::router, C::bias, Split::replicated},
    {"rope_freqs", R::other, C::position, Split::replicated, Use::never},
    {"rope_factors_long", R::other, C::position, Split::replicated, Use::never},
    {"rope_factors_short", R::other, C::position, Split::replicated, Use::never},
};

}  // namespace

GgufName split_name(std::string_view full) {
  GgufName n;
  if (full.substr(0, 4) == "blk.") {
    full.remove_prefix(4);
    const auto dot = full.find('.');
    std::int64_t layer = -1;
    const auto* end = full.data() + std::min(dot, full.size());
    if (dot != std::string_view::npos && std::from_chars(full.data(), end, layer).ptr == end && layer >= 0 && layer < kMostLayersHere) {
      n.layer = layer;
      full.remove_prefix(dot + 1);
    }
  }
  constexpr std::string_view kWeight = ".weight", kBias = ".bias";
  const auto ends = [&](std::string_view end) { return full.size() > end.size() && full.substr(full.size() - end.size()) == end; };
  n.weight = ends(kWeight);
  if (n.weight) full.remove_suffix(kWeight.size());
  else if (ends(kBias)) full.remove_suffix(kBias.size());
  n.part = full;
  return n;
}

bool is_tower(std::string_view name) { return name.substr(0, 2) == "v." || name.substr(0, 2) == "a." || name.substr(0, 3) == "mm."; }

void classify(TensorRow& row, std::string_view part, bool weight, bool vector) {
  row.split = Split::replicated;
  row.role = part.find("norm") != std::string_view::npos ? R::norm : R::other;
  row.cls = row.role == R::norm ? C::norm : C::other;
  for (const auto& rule : kNames) {
    if (rule.name != part) continue;
    row.role = rule.role;
    row.cls = rule.cls;
    row.split = rule.split;
    row.use = rule.use;
  }
  const auto end = part.substr(part.rfind('.') + 1);
  if (end.find("scale") != std::string_view::npos && end != part) {              // beside a matrix: no parameters of the model
    row.cls = C::position;
    row.use = Use::never;
  } else if (!weight && part != "attn_sinks") {
    row.cls = C::bias;
    if (part == "attn_output" || part == "ffn_down") row.split = Split::replicated;
  }
  if (is_tower(row.name)) {
    row.role = R::vision;
    row.cls = C::other;
    row.use = Use::never;
  }
  const bool table = row.cls == C::token_embedding || row.cls == C::output || row.cls == C::position || row.cls == C::router;
  row.linear = weight && !vector && !table && row.role != R::norm;
}

TensorPlace place_of_tensor(std::string_view full) {
  const auto name = split_name(full);
  TensorRow row;
  row.name = full;
  classify(row, name.part, name.weight, false);
  if (row.role == R::other)
    for (const std::string_view mixer : {"attn_", "ssm_", "shortconv", "indexer", "time_mix"})
      if (name.part.substr(0, mixer.size()) == mixer) row.role = R::attention;
  if (row.role == R::other && name.part.substr(0, 11) == "channel_mix") row.role = R::mlp;
  return {name.layer, row.role, row.linear || row.cls == C::token_embedding || row.cls == C::output, row.cls == C::position && row.use == Use::never};
}

}  // namespace weighbridge
