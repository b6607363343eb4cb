// The mixtures of llama.cpp's quantiser: which tensor of a GGUF file type is stored in which block type.
//
// Source: the rules that llama.cpp documents and its quantiser applies (sources.json: llama-cpp-quantize). A file type
// such as Q4_K_M is a base type and promotions by a tensor's part, its layer, the number of experts and how many query
// heads share a key head. IQ types are taken as made with an importance matrix, which is how they are published.
// Fused and latent attention matrices follow the rules that the published files were made by (no promotion of attn_kv_b).
#pragma once

#include <cstdint>
#include <string_view>

#include "weighbridge/formats.hpp"
#include "weighbridge/tensors.hpp"

namespace weighbridge::gguf {

struct Mix;

// What the rules look at beside the tensor.
struct Mixture {
  const Mix* mix = nullptr;
  const Formats* formats = nullptr;
  const Inventory* model = nullptr;
  std::int64_t layers = 0;             // prediction layers included, when the file has them
  std::int64_t experts = 0;
  std::int64_t heads_per_kv_head = 1;
};

// `format` is one of FormatRule::gguf.
Mixture mixture(const Inventory& inventory, const WeightFormat& format, const Formats& formats);

// The block type that the rules choose for one tensor of `row` in layer `layer` (0 for tensors outside the layers).
std::string_view block_type(const Mixture& m, const TensorRow& row, std::int64_t layer);

// Whether llama.cpp's converter writes the prediction layers of such a model into the file (conversion/ of that repository).
bool keeps_prediction_layers(std::string_view architecture);

// The encoding that the row really gets: one that its width fills.
EncodingId encoding(const Mixture& m, const TensorRow& row, std::string_view block_type);

}  // namespace weighbridge::gguf
