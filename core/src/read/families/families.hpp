// Which reader knows which model_type. One file per group of families; each has its own rows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "read/config_reader.hpp"
#include "weighbridge/model.hpp"

namespace weighbridge {

// Fills sizes, layers and kinds of `spec`. Problems go to the reader.
using ReadFamily = void (*)(ConfigReader& r, ModelSpec& spec);

struct Family {
  std::string_view model_type;
  ReadFamily read;
};

// Reports, in configs of any family (`known`: one that has a reader), keys and layer types that stand for parts which
// cannot be counted.
void look_for_signs(ConfigReader& r, bool known);
// nullptr when no reader knows the model_type.
ReadFamily find_family(std::string_view model_type);
// What a known architecture would need that is not here yet; empty when there is no such.
std::string_view unsupported_part(std::string_view model_type);
// The same of a file's architecture, whose tensors say all that keys leave out.
std::string_view unsupported_in_files(std::string_view architecture);
// By the keys that most families share.
void read_generic(ConfigReader& r, ModelSpec& spec);

ReadFamily find_llama_like(std::string_view model_type);
ReadFamily find_qwen(std::string_view model_type);
ReadFamily find_gemma(std::string_view model_type);
ReadFamily find_phi(std::string_view model_type);
ReadFamily find_gpt(std::string_view model_type);
ReadFamily find_moe(std::string_view model_type);
ReadFamily find_deepseek(std::string_view model_type);
ReadFamily find_per_layer(std::string_view model_type);
ReadFamily find_encoder_decoder(std::string_view model_type);
ReadFamily find_glm(std::string_view model_type);
// Families whose layers differ in their mixers; they know the keys that look_for_signs takes for unknown parts.
ReadFamily find_hybrid(std::string_view model_type);
ReadFamily find_state_space(std::string_view model_type);
ReadFamily find_linear_attention(std::string_view model_type);
ReadFamily find_sparse_attention(std::string_view model_type);

// Shared between files.
void read_llama(ConfigReader& r, ModelSpec& spec);
void read_deepseek(ConfigReader& r, ModelSpec& spec);
void read_deepseek_v3(ConfigReader& r, ModelSpec& spec);
// `value_otherwise`: width of a value head where the config has none; 0: it must say so.
Mla read_latent_attention(ConfigReader& r, std::int64_t value_otherwise = 0);

template <class Table>
ReadFamily find_in(const Table& table, std::string_view model_type) {
  for (const auto& row : table)
    if (row.model_type == model_type) return row.read;
  return nullptr;
}

}  // namespace weighbridge
