// Phi 1 to 4 and Phi-MoE.
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

// Phi 1, 1.5 and 2: attention and feed-forward side by side behind one LayerNorm, biases everywhere, two matrices.
void read_phi(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.gated = false, .norms = 1, .norm_bias = true, .bias_key = {}, .biased = true,
                         .mlp_bias_key = {}, .mlp_biased = true, .width_factor = 4});
  spec.head_bias = true;
}

// Phi 3 on: Llama's layer with fused matrices. The window of the long-context files is longer than their context.
void read_phi3(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  spec.head_bias = r.flag({"lm_head_bias"}, false);
  const auto layers = read_layers(r);
  const auto kind = read_layer(r, spec, {.fused_qkv = true, .fused_gate_up = true});
  layers_by_window(spec, kind, read_window(r, spec), read_windowed(r, layers, 0));
}

void read_phimoe(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  spec.head_bias = r.flag({"lm_head_bias"}, false);
  spec.final_norm_bias = true;
  const auto layers = read_layers(r);
  const auto kind = moe_layer(read_layer(r, spec, {.norm_bias = true}), read_experts(r));
  layers_by_window(spec, kind, read_window(r, spec), read_windowed(r, layers, 0));
}

constexpr std::array kFamilies{
    Family{"phi", read_phi},     Family{"phi-msft", read_phi}, Family{"phi3", read_phi3},
    Family{"phi3_v", read_phi3}, Family{"phi4", read_phi3},    Family{"phi4mm", read_phi3},    Family{"phi4_multimodal", read_phi3}, Family{"phimoe", read_phimoe},
};

}  // namespace

ReadFamily find_phi(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
