// Gemma 1 to 3: one table for input and head; from the second on, norms before and after each half and local layers.
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

// head_dim is 256 when a file leaves it out, whatever the hidden size.
void read_gemma(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.tied = true, .head_dim = 256}); }

// `every` n-th layer is global when the file has no list; `t` holds what else it may leave out.
void read_with_windows(ConfigReader& r, ModelSpec& spec, const Traits& t, std::int64_t every, std::int64_t vocabulary) {
  read_sizes(r, spec, true, vocabulary);
  const auto layers = read_layers(r);
  const auto kind = read_layer(r, spec, t);
  layers_by_window(spec, kind, read_window(r, spec, 4096), read_windowed(r, layers, every));
}

void read_gemma2(ConfigReader& r, ModelSpec& spec) {
  read_with_windows(r, spec, {.norms = 4, .head_dim = 256}, 2, 0);
}

// Gemma 2's windows with Gemma 1's two norms.
void read_vaultgemma(ConfigReader& r, ModelSpec& spec) { read_with_windows(r, spec, {.head_dim = 256}, 2, 0); }

// The multimodal files leave out what equals the 4B model's text part.
void read_gemma3(ConfigReader& r, ModelSpec& spec) {
  read_with_windows(r, spec, {.norms = 4, .qk_norm = QkNorm::per_head, .heads = 8, .kv_heads = 4, .head_dim = 256}, 6, 262208);
  if (spec.context == 0) spec.context = 131072;
}

constexpr std::array kFamilies{
    Family{"gemma", read_gemma},
    Family{"gemma2", read_gemma2},
    Family{"vaultgemma", read_vaultgemma},
    Family{"gemma3", read_gemma3},
    Family{"gemma3_text", read_gemma3},
};

}  // namespace

ReadFamily find_gemma(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
