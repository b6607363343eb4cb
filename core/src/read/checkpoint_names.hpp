// Names of tensors in checkpoints, as the families of transformers give them, and what they say of a tensor.
#pragma once

#include <cstdint>
#include <string_view>

#include "read/safetensors.hpp"
#include "weighbridge/tensors.hpp"

namespace weighbridge {

struct TensorName {
  std::int64_t layer = -1, expert = -1;
  bool tower = false, experts = false, shared = false, beside = false, packed = false, weight = false;
  std::string_view module;             // its last part: "q_proj"
  std::string_view suffix;             // "weight", "bias", "scales"
  std::string_view gguf;               // empty: no name of llama.cpp's
  Role role = Role::other;
};
TensorName tensor_name(std::string_view full);

inline bool holds(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

// What stands in checkpoints and is no weight of the model.
bool is_buffer(std::string_view name);

std::string_view encoding_of(const Dtype& d);

}  // namespace weighbridge
