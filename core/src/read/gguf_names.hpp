// Names of tensors in GGUF files, as llama.cpp gives them, and what they say of a tensor.
#pragma once

#include <cstdint>
#include <string_view>

#include "weighbridge/tensors.hpp"

namespace weighbridge {

// What a header, and what a request carries of one, may hold at most.
constexpr std::int64_t kMostLayersHere = 4096;
constexpr std::size_t kMostKindsHere = 255, kMostRowsHere = 4096;
constexpr std::int64_t kMostDimension = std::int64_t{1} << 40, kMostCountHere = 1'000'000;

// "blk.12.attn_q.weight": layer 12 (else -1), "attn_q", and whether it ends in .weight.
struct GgufName {
  std::int64_t layer = -1;
  std::string_view part;
  bool weight = false;
};
GgufName split_name(std::string_view full);

// "v.blk.3.attn_q.weight" of a tower or projector, in a file of its own or beside the language model.
bool is_tower(std::string_view name);

// Role, class, split and use of a row, from its name and shape.
void classify(TensorRow& row, std::string_view part, bool weight, bool vector);

// What a GGUF tensor is, by its name.
struct TensorPlace {
  std::int64_t layer = -1;
  Role role = Role::other;
  bool matrix = false;                 // says what its part is encoded in
  bool beside = false;                 // no weight of the model (rotary factors, scales of a matrix)
};
TensorPlace place_of_tensor(std::string_view name);

}  // namespace weighbridge
