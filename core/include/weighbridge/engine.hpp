// How an engine takes memory: which rules it follows, and the constants of these rules at one of its versions.
//
// The constants stand in data/engines.json, each with the version from which it holds, its unit, range and source; what is done
// with them stands in src/formulas/engine_memory.hpp. Units are base units: bytes, tokens, sequences, shares of one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge {

// Which formulas hold.
enum class EngineRule : std::uint8_t {
  ideal,             // takes what the arithmetic needs
  budget,            // vLLM: a share of the memory, of which the cache gets what a profiling run leaves
  static_share,      // SGLang: a share of the memory for weights and cache; activations live in the rest
  free_share,        // TensorRT-LLM: the cache gets a share of what is free once the engine is built
  dynamic,           // Transformers, MLX, ExLlamaV2: the cache grows, nothing is set aside
  buffers,           // llama.cpp and kin: model, cache and compute buffers, a part of them on the host
};
std::optional<EngineRule> find_engine_rule(std::string_view name);

enum class Constant : std::uint8_t {
  // what the engine may take
  memory_share,                    // of the device's memory
  memory_share_2, memory_share_4, memory_share_8,          // the same over 2, 4, 8 devices; 0: as over fewer
  kept_bytes, kept_bytes_per_pass_token, kept_bytes_per_device,      // SGLang: what its default share leaves
  // beside weights, cache and activations
  context_bytes,                   // driver context
  context_in_budget,               // 1: it counts as the engine's own
  libraries_bytes, libraries_bytes_2, libraries_bytes_4, libraries_bytes_8,   // over 1, 2, 4, 8 devices with a fast link
  libraries_bytes_slow,            // over several devices without one
  graph_bytes,                     // recorded graphs: of all sizes together,
  graph_bytes_per_layer, graph_bytes_per_moe_layer,      // of a layer in one size,
  pieces_to, graphs_to,            // sizes recorded in pieces between attention, and whole ones, up to so many tokens; 0 both: all sizes are one
  graph_step,                      // tokens between sizes above 256
  graphs_in_budget,
  // one pass
  pass_tokens, pass_tokens_large,  // tokens in one pass; on large devices
  large_memory_bytes,              // from here a device is large
  whole_prompts_to,                // contexts up to this are read in one pass, whole
  max_sequences, max_sequences_large,
  // activations
  sampler_copies,                  // fp32 logits of a full batch that are alive at once while it samples
  hidden_copies,                   // 16-bit hidden states of a pass alive at the same time
  score_copies,                    // score matrices without flash attention, in fp32
  expert_buffers,                  // 1: what experts work in lies beside the logits
  media_tokens,                    // prompts with pictures are profiled with at least so many tokens
  media_patches,                   // largest image that buffers are made for
  prompt_logit_bytes,              // per token of the prompt and entry of the vocabulary
  every_logit,                     // 1: buffers for the logits of all tokens of a pass
  feed_forward_rows, feed_forward_hidden,        // of the gated feed-forward's width alive at once, and hidden states beside
  mask_bytes,                      // with flash attention, per token of a pass and cell
  pipeline_copies,                 // of inputs that pipeline stages keep
  left_over_layers,                // which pipeline stages take the layers left over: a LeftOver
  // cache
  cell_tokens,                     // a cache is a multiple of so many tokens
  windows_mixed, windows_all,      // 1: windows are honoured where some layers, where all layers have one
  window_pass,                     // 1: a window's cache holds the tokens of a pass beside it
  window_least_tokens,
  equal_groups,                    // 1: layers are filled up to groups of equal size, and states take whole pages
  state_ratio,                     // SGLang: a pool of its own for states, by so many times the cache's; 0: one pool
  latent,                          // 1: MLA keeps the latent; 0: keys and values
  state_bits,                      // of recurrent states and convolution inputs, all in one width; 0: as the model has them
  position_tables,                 // 1: sines and cosines of every position of the model lie on each device
  latent_products,                 // 1: products of MLA's up-projections with their neighbours lie beside them
  latent_copies,                   // of MLA's up-projections in 16 bits; 1: where they are quantised, 2: always
  towers_always,                   // 1: towers are loaded with a GGUF file's model, images or not
  head_elements,                   // without the latent: heads are padded to so many elements
  kCount
};
constexpr std::size_t kConstants = static_cast<std::size_t>(Constant::kCount);
std::string_view constant_name(Constant constant);
std::optional<Constant> find_constant(std::string_view name);

// Without rows of its own an engine rounds nothing and sets nothing aside, and honours windows and latents.
struct EngineProfile {
  EngineRule rule = EngineRule::ideal;
  std::array<double, kConstants> values{};
  constexpr EngineProfile() {
    for (const auto c : {Constant::memory_share, Constant::cell_tokens, Constant::windows_mixed, Constant::windows_all, Constant::latent, Constant::pipeline_copies})
      values[static_cast<std::size_t>(c)] = 1;
  }
  double operator[](Constant c) const { return values[static_cast<std::size_t>(c)]; }
};

// "0.11.0", "v0.8", "b5921": an ordered number; nothing when it is no version.
std::optional<double> version_number(std::string_view version);

struct EngineConstant {
  Constant id;
  double since = 0;                // version number
  double value = 0;
};

// What is estimated and has been measured. A range holds 80 % of the measurements, as factors of what is predicted.
enum class MeasuredPart : std::uint8_t { activations, libraries, graphs, total, pool, context, kCount };
std::optional<MeasuredPart> find_measured_part(std::string_view name);
struct Range {
  double low = 1, high = 1;
};
using Ranges = std::array<Range, static_cast<std::size_t>(MeasuredPart::kCount)>;

// The constants that hold at a version: of each the latest row.
EngineProfile profile_at(EngineRule rule, const std::vector<EngineConstant>& rows, double version);

}  // namespace weighbridge
