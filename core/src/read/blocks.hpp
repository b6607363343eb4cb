// The parts that decoder families share: sizes, one layer's attention and feed-forward, and which layers have a window.
#pragma once

#include <string_view>
#include <vector>

#include "read/config_reader.hpp"
#include "weighbridge/model.hpp"

namespace weighbridge {

enum class Biases : std::uint8_t { none, qkv, qkvo };

// How a family's layer differs from Llama's. Most families are one row of these.
struct Traits {
  bool tied = false;                               // when the config does not say
  bool gated = true;
  int norms = 2;
  bool norm_bias = false;
  std::string_view bias_key = "attention_bias";    // empty: the config has no say
  Biases biases = Biases::qkvo;                    // which ones, when there are any
  bool biased = false;                             // when the config does not say
  std::string_view mlp_bias_key = "mlp_bias";
  bool mlp_biased = false;
  bool fused_qkv = false;
  bool fused_gate_up = false;
  QkNorm qk_norm = QkNorm::none;
  std::string_view qk_norm_key = {};               // a flag that turns it on or off
  bool qk_normed = true;                           // when that flag is absent
  // When the config leaves them out; 0: the usual rules.
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
  std::int64_t width_factor = 0;                   // feed-forward width over hidden size; 0: the config must say the width
};

struct Experts {
  std::int64_t experts = 0, used = 0, width = 0;
};

// Vocabulary, hidden size, tying, context.
void read_sizes(ConfigReader& r, ModelSpec& spec, bool tied, std::int64_t vocabulary = 0);
std::int64_t read_layers(ConfigReader& r);
Attention read_attention(ConfigReader& r, const ModelSpec& spec, const Traits& t);
// A layer without experts.
LayerKind read_layer(ConfigReader& r, const ModelSpec& spec, const Traits& t);
// Number, use and width of the routed experts; the width is the dense one when the config has no other.
Experts read_experts(ConfigReader& r);
LayerKind moe_layer(LayerKind layer, const Experts& e);

// Tokens a windowed layer looks back; 0 when there is no window or the model's context never fills it.
std::int64_t read_window(ConfigReader& r, const ModelSpec& spec, std::int64_t otherwise = 0);
// One entry per layer, 1 where it has a window: from layer_types, else from a pattern length ("every n-th is global"),
// else `every` (0: all are windowed).
std::vector<char> read_windowed(ConfigReader& r, std::int64_t layers, std::int64_t every);

// Appends a layer; kinds that are equal become one. A model has at most 255 kinds (read_config checks).
constexpr std::size_t kMostKinds = 255;
void add_layer(ModelSpec& spec, const LayerKind& kind);
// The shape of the prediction layers (MTP), which no other layer need have.
void set_mtp_kind(ModelSpec& spec, const LayerKind& kind);
// One entry per layer, 1 where it has experts: a list, or every n-th after the first dense ones.
std::vector<char> sparse_layers(ConfigReader& r, std::int64_t layers);
// Dense layers and those with experts as sparse_layers has them: mostly the first few are dense.
void dense_then_experts(ConfigReader& r, ModelSpec& spec, const LayerKind& dense, const LayerKind& moe, std::int64_t layers);
void all_layers(ModelSpec& spec, const LayerKind& kind, std::int64_t layers);
void layers_by_window(ModelSpec& spec, const LayerKind& full, std::int64_t window, const std::vector<char>& windowed);

// A whole decoder of equal layers, windowed where the family says so.
void read_decoder(ConfigReader& r, ModelSpec& spec, const Traits& t);

}  // namespace weighbridge
