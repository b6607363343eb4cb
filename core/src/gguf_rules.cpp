#include "gguf_rules.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace weighbridge::gguf {
namespace {

using Type = std::string_view;                 // encoding id; empty: the base type
constexpr Type kBase{};

// Layers in which a promotion holds, n being the number of layers.
enum class When : std::uint8_t {
  never,
  always,
  first_two,
  first_four,
  first_sixteenth,
  first_eighth,
  middle,                                      // without the first and the last eighth
  more_bits,                                   // the first and the last eighth, and every third layer between
  shared_keys,                                 // at least four query heads per key head
  shared_keys_or_experts,                      // ... or at least four experts
};

struct Promotion {
  When when = When::never;
  Type to = kBase;
  Type otherwise = kBase;
};

constexpr std::int64_t kEight = 8;             // Mixtral's number of experts, for which there are rules of their own

}  // namespace

struct Mix {
  std::string_view file_type;
  Type base;
  Type table;                                  // input embedding of a model with a head of its own
  Type head;                                   // output matrix, or the table that serves as one
  Promotion value;                             // attn_v
  Type fused;                                  // attn_qkv
  Type query_key;
  Type output;                                 // attn_output
  Type output_of_eight_experts;
  Promotion down;
  Promotion up_gate;
};

namespace {

constexpr Promotion kNone{};

// One row per file type, in the order of the members of Mix.
constexpr std::array<Mix, 29> kMixes{{
    {"Q2_K", "q2_K", kBase, "q6_K", {When::shared_keys, "q4_K", "q3_K"}, kBase, kBase, "q3_K", "q5_K", {When::always, "q3_K"}, kNone},
    {"Q2_K_S", "q2_K", kBase, "q6_K", {When::shared_keys, "q4_K"}, kBase, kBase, kBase, kBase, {When::first_eighth, "q4_K"}, kNone},
    {"Q3_K_S", "q3_K", kBase, "q6_K", kNone, kBase, kBase, kBase, "q5_K", kNone, kNone},
    {"Q3_K_M", "q3_K", kBase, "q6_K", {When::first_two, "q5_K", "q4_K"}, "q4_K", kBase, "q4_K", "q5_K", {When::first_sixteenth, "q5_K", "q4_K"}, kNone},
    {"Q3_K_L", "q3_K", kBase, "q6_K", {When::always, "q5_K"}, "q4_K", kBase, "q5_K", kBase, {When::always, "q5_K"}, kNone},
    {"Q4_0", "q4_0", kBase, "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"Q4_1", "q4_1", kBase, "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"Q4_K_S", "q4_K", kBase, "q6_K", {When::first_four, "q5_K"}, kBase, kBase, kBase, "q5_K", {When::first_eighth, "q5_K"}, kNone},
    {"Q4_K_M", "q4_K", kBase, "q6_K", {When::more_bits, "q6_K"}, "q5_K", kBase, kBase, "q5_K", {When::more_bits, "q6_K"}, kNone},
    {"Q5_0", "q5_0", kBase, "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"Q5_1", "q5_1", kBase, "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"Q5_K_S", "q5_K", kBase, "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"Q5_K_M", "q5_K", kBase, "q6_K", {When::more_bits, "q6_K"}, "q6_K", kBase, kBase, kBase, {When::more_bits, "q6_K"}, kNone},
    {"Q6_K", "q6_K", kBase, "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"Q8_0", "q8_0", kBase, "q8_0", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"IQ1_S", "iq1_s", "q2_K", "q5_K", {When::shared_keys_or_experts, "q4_K", "q2_K"}, kBase, kBase, "iq2_xxs", "q5_K", {When::first_eighth, "q2_K"}, kNone},
    {"IQ1_M", "iq1_m", "q2_K", "q5_K", {When::shared_keys_or_experts, "q4_K", "q2_K"}, kBase, kBase, "iq2_xxs", "q5_K", {When::first_eighth, "q2_K"}, kNone},
    {"IQ2_XXS", "iq2_xxs", "q2_K", "q5_K", {When::shared_keys_or_experts, "q4_K", "q2_K"}, kBase, kBase, kBase, "q5_K", {When::first_eighth, "q2_K"}, kNone},
    {"IQ2_XS", "iq2_xs", "q2_K", "q5_K", {When::shared_keys_or_experts, "q4_K", "q2_K"}, kBase, kBase, kBase, "q5_K", {When::first_eighth, "q2_K"}, kNone},
    {"IQ2_S", "iq2_xs", "iq3_s", "q5_K", {When::shared_keys_or_experts, "q4_K", "iq3_s"}, kBase, kBase, "iq3_s", "q5_K", {When::first_eighth, "iq3_s"}, kNone},
    {"IQ2_M", "iq2_s", "iq3_s", "q5_K", {When::shared_keys_or_experts, "q4_K", "iq3_s"}, kBase, kBase, "iq3_s", "q5_K", {When::first_eighth, "iq3_s"}, kNone},
    {"IQ3_XXS", "iq3_xxs", "iq3_s", "q5_K", {When::shared_keys, "q4_K"}, kBase, "iq2_s", "iq3_s", "q5_K", kNone, kNone},
    {"IQ3_XS", "iq3_s", kBase, "q6_K", {When::shared_keys, "q4_K"}, kBase, "iq3_xxs", kBase, "q5_K", kNone, {When::middle, "iq3_xxs"}},
    {"IQ3_S", "iq3_s", kBase, "q6_K", {When::shared_keys, "q4_K"}, kBase, kBase, kBase, "q5_K", kNone, kNone},
    {"IQ3_M", "iq3_s", kBase, "q6_K", {When::always, "q4_K"}, "q4_K", kBase, "q4_K", "q5_K", {When::first_eighth, "q4_K"}, kNone},
    {"IQ4_XS", "iq4_xs", kBase, "q6_K", {When::shared_keys, "q5_K"}, kBase, kBase, kBase, "q5_K", kNone, kNone},
    {"IQ4_NL", "iq4_nl", kBase, "q6_K", {When::shared_keys, "q5_K"}, kBase, kBase, kBase, "q5_K", kNone, kNone},
    {"TQ1_0", "tq1_0", "q4_K", "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
    {"TQ2_0", "tq2_0", "q4_K", "q6_K", kNone, kBase, kBase, kBase, kBase, kNone, kNone},
}};

// All but the experts lie in 8 bits; expert matrices in the base type.
constexpr Mix kExpertsInMxfp4{"MXFP4_MOE", "mxfp4", "q8_0", "q8_0", kNone, kBase, kBase, kBase, kBase, kNone, kNone};

// Two to one-and-a-half bits: the quantiser has a branch of its own for them.
bool very_low(const Mix& m) { return m.file_type.substr(0, 3) == "IQ1" || m.file_type.substr(0, 3) == "IQ2"; }

// `layer` of `n`: the quantiser numbers the matrices of one part, which not every layer has.
bool holds(When when, const Mixture& m, std::int64_t layer, std::int64_t n) {
  switch (when) {
    case When::never: return false;
    case When::always: return true;
    case When::first_two: return layer < 2;
    case When::first_four: return layer < 4;
    case When::first_sixteenth: return layer < n / 16;
    case When::first_eighth: return layer < n / 8;
    case When::middle: return layer >= n / 8 && layer < 7 * n / 8;
    case When::more_bits: return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
    case When::shared_keys: return m.heads_per_kv_head >= 4;
    case When::shared_keys_or_experts: return m.heads_per_kv_head >= 4 || m.experts >= 4;
  }
  return false;
}

Type pick(const Promotion& p, const Mixture& m, std::int64_t layer, std::int64_t n) { return holds(p.when, m, layer, n) ? p.to : p.otherwise; }

// How many of the first `layers` layers are of kinds that `has` is true of.
template <class Has>
std::int64_t count_before(const Mixture& m, std::int64_t layers, Has has) {
  const auto& model = *m.model;
  std::int64_t count = std::max<std::int64_t>(0, layers - model.spec.layers());        // a prediction layer has everything
  for (std::size_t kind = 0; kind < model.spec.kinds.size(); ++kind)
    if (has(model.spec.kinds[kind])) count += model.layers_of(kind, 0, std::min(layers, model.spec.layers()));
  return count;
}
bool has_values(const LayerKind& kind) {
  const auto r = kind.mixer.recurrent.kind;
  return kind.mixer.kind == MixerKind::attention || r == RecurrentKind::gated_delta || r == RecurrentKind::kda || r == RecurrentKind::lightning;
}
// Files with experts are numbered by layer, others by feed-forward.
std::int64_t feed_forward_before(const Mixture& m, std::int64_t layer) {
  return m.experts > 0 ? layer : count_before(m, layer, [](const LayerKind& kind) { return kind.feed_forward.width > 0; });
}

// The tables' size class "70B": few key heads of much use, so their matrices are cheap to keep well.
bool seventy_billion(const Mixture& m) { return m.layers == 80 && m.heads_per_kv_head > 1; }

Type value_type(const Mixture& m, std::int64_t layer) {
  const auto& mix = *m.mix;
  Type type = pick(mix.value, m, count_before(m, layer, has_values), count_before(m, m.layers, has_values));
  if (very_low(mix)) return type;
  if (m.experts == kEight) return "q8_0";
  const Type stored = type.empty() ? mix.base : type;
  return seventy_billion(m) && (stored == "q3_K" || stored == "q4_K") ? Type{"q5_K"} : type;
}

Type key_type(const Mixture& m) {
  if (m.experts == kEight) return very_low(*m.mix) ? "q4_K" : "q8_0";
  return m.mix->query_key;
}

Type output_type(const Mixture& m) {
  return m.experts == kEight ? m.mix->output_of_eight_experts : m.mix->output;
}

Type down_type(const Mixture& m, std::int64_t layer) {
  const auto& mix = *m.mix;
  if (mix.file_type == "IQ3_M" && m.experts == kEight && holds(When::more_bits, m, layer, m.layers)) return mix.down.to;
  return pick(mix.down, m, feed_forward_before(m, layer), m.layers);
}

// Vectors, norms, routers and position tables keep 32 bits.
bool kept(const TensorRow& row) {
  switch (row.cls) {
    case TensorClass::norm:
    case TensorClass::bias:
    case TensorClass::router:
    case TensorClass::recurrence:
    case TensorClass::position: return true;
    default: return row.rows == 1 || row.columns == 1;
  }
}

const Encoding& find(const Formats& formats, Type type) { return formats.encodings[formats.encoding(type)]; }

Type chosen(const Mixture& m, const TensorRow& row, std::int64_t layer) {
  const auto& mix = *m.mix;
  const bool head = row.cls == TensorClass::output || row.tied_head;
  if (head) return row.columns % find(*m.formats, mix.base).block == 0 ? mix.head : "q8_0";
  if (row.cls == TensorClass::token_embedding) return mix.table;
  if (&mix == &kExpertsInMxfp4) return row.role == Role::experts && row.use != Use::always ? mix.base : "q8_0";
  switch (row.cls) {
    case TensorClass::attention_v: return value_type(m, layer);
    case TensorClass::attention_qkv: return mix.fused;
    case TensorClass::attention_k: return key_type(m);
    case TensorClass::attention_q: return mix.query_key;
    case TensorClass::attention_output: return row.name.find("out_proj") == std::string::npos ? output_type(m) : kBase;      // of attention only
    case TensorClass::ffn_down: return down_type(m, layer);
    case TensorClass::ffn_gate:
    case TensorClass::ffn_up:
    case TensorClass::ffn_gate_up: return pick(mix.up_gate, m, feed_forward_before(m, layer), m.layers);
    default: return kBase;
  }
}

// A row that is not whole blocks goes to a type of blocks of 32, else to 16 bits.
Type fitting(const Formats& formats, Type type, std::int64_t columns) {
  const auto fits = [&](Type t) { return columns % find(formats, t).block == 0; };
  if (fits(type)) return type;
  Type smaller = "f16";
  if (type == "q4_K") smaller = "q5_0";
  else if (type == "q5_K") smaller = "q5_1";
  else if (type == "q6_K") smaller = "q8_0";
  else if (type == "q2_K" || type == "q3_K" || type.substr(0, 2) == "tq") smaller = "q4_0";
  else if (type.substr(0, 2) == "iq") smaller = "iq4_nl";
  return fits(smaller) ? smaller : Type{"f16"};
}

const Mix& mix_of(std::string_view file_type) {
  for (const auto& mix : kMixes)
    if (mix.file_type == file_type) return mix;
  return kExpertsInMxfp4;
}

}  // namespace

Mixture mixture(const Inventory& inventory, const WeightFormat& format, const Formats& formats) {
  Mixture m;
  m.mix = &mix_of(format.id);
  m.formats = &formats;
  m.model = &inventory;
  m.layers = inventory.spec.layers() + (keeps_prediction_layers(inventory.spec.architecture) ? inventory.spec.mtp_layers : 0);
  m.experts = inventory.experts;
  // Files of these list the KV heads layer by layer, and the quantiser looks at the first: none.
  const auto first = inventory.spec.layer_kind.empty() ? RecurrentKind::none : inventory.spec.kinds[inventory.spec.layer_kind[0]].mixer.recurrent.kind;
  const bool listed = first == RecurrentKind::mamba || first == RecurrentKind::mamba2 || first == RecurrentKind::kda || first == RecurrentKind::short_convolution;
  if (listed && inventory.spec.kinds[inventory.spec.layer_kind[0]].mixer.kind == MixerKind::none) {
    m.heads_per_kv_head = 0;
    return m;
  }
  for (const auto& kind : inventory.spec.kinds) {
    const auto& a = kind.mixer.attention;
    if (kind.mixer.kind == MixerKind::attention && a.kv_heads > 0) {
      m.heads_per_kv_head = a.heads / a.kv_heads;
      break;
    }
    // One latent for all heads counts as one key head.
    if (kind.mixer.kind == MixerKind::mla || kind.mixer.kind == MixerKind::compressed) {
      m.heads_per_kv_head = std::max(kind.mixer.mla.heads, kind.mixer.compressed.heads);
      break;
    }
  }
  return m;
}

std::string_view block_type(const Mixture& m, const TensorRow& row, std::int64_t layer) {
  if (kept(row)) return "f32";
  const Type type = chosen(m, row, layer);
  return type.empty() ? m.mix->base : type;
}

bool keeps_prediction_layers(std::string_view architecture) {
  constexpr std::string_view kDropped[] = {"deepseek_v3", "kimi_k2", "kimi_k25", "qwen3_next", "glm4_moe_lite", "pangu_ultra_moe", "nemotron_h"};
  for (const auto dropped : kDropped)
    if (architecture == dropped) return false;
  return true;
}

EncodingId encoding(const Mixture& m, const TensorRow& row, std::string_view block_type) {
  return m.formats->encoding(fitting(*m.formats, block_type, row.columns));
}

}  // namespace weighbridge::gguf
