// Qwen 1 to 3, dense and mixtures of experts, and the language part of Qwen-VL.
#include <algorithm>
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

// Qwen 1 writes the widths of gate and up together, and a bias only where queries, keys and values are made.
void read_qwen1(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.bias_key = {}, .biases = Biases::qkv, .biased = true, .fused_qkv = true});
  for (auto& kind : spec.kinds) {
    if (!r.failed() && kind.feed_forward.width % 2 != 0)
      r.contradiction("intermediate_size", "model_type", "in this family it is twice the width, so it must be even");
    kind.feed_forward.width = std::max<std::int64_t>(1, kind.feed_forward.width / 2);
  }
}

// Molmo 7B-D: Qwen 2 that writes its width as Qwen 1 does.
void read_molmo(ConfigReader& r, ModelSpec& spec) {
  read_qwen1(r, spec);
  const bool biased = r.flag({"qkv_bias"}, false);
  for (auto& kind : spec.kinds) {
    auto& a = kind.mixer.attention;
    a.q_bias = a.k_bias = a.v_bias = biased;
  }
  if (r.text("layer_norm_type", "rms") != "rms" || r.flag({"attention_layer_norm"}, false)) r.unsupported("Molmo with other norms than RMS");
}

// A sliding_window is often written down and switched off; when on, it begins at max_window_layers.
std::vector<char> windowed(ConfigReader& r, std::int64_t layers) {
  if (!r.flag({"use_sliding_window"}, false)) return std::vector<char>(static_cast<std::size_t>(layers), 0);
  if (r.has("layer_types")) return read_windowed(r, layers, 0);
  const auto from = r.zero_or_more({"max_window_layers"}, 0, kMostLayers);
  std::vector<char> out;
  for (std::int64_t i = 0; i < layers; ++i) out.push_back(i >= from);
  return out;
}

void read_dense(ConfigReader& r, ModelSpec& spec, const Traits& t) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto layer = read_layer(r, spec, t);
  layers_by_window(spec, layer, read_window(r, spec), windowed(r, layers));
}

constexpr Traits kQwen2{.bias_key = {}, .biases = Biases::qkv, .biased = true};
constexpr Traits kQwen3{.qk_norm = QkNorm::per_head};

void read_qwen2(ConfigReader& r, ModelSpec& spec) { read_dense(r, spec, kQwen2); }
void read_qwen3(ConfigReader& r, ModelSpec& spec) { read_dense(r, spec, kQwen3); }

// Every decoder_sparse_step-th layer has experts, except those in mlp_only_layers.
void read_moe(ConfigReader& r, ModelSpec& spec, const Traits& t, bool shared) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, t);
  auto moe = moe_layer(dense, read_experts(r));
  if (shared) {
    moe.feed_forward.shared_width = r.zero_or_more({"shared_expert_intermediate_size"}, 0);
    moe.feed_forward.shared_gate = moe.feed_forward.shared_width > 0;
  }
  const auto step = r.count_or({"decoder_sparse_step"}, 1, kMostLayers);
  const auto only_dense = r.numbers("mlp_only_layers", kMostLayers);
  const auto local = windowed(r, layers);
  const auto window = read_window(r, spec);
  for (std::int64_t i = 0; i < layers; ++i) {
    const bool has_experts = (i + 1) % step == 0 && std::find(only_dense.begin(), only_dense.end(), i) == only_dense.end();
    auto kind = has_experts ? moe : dense;
    if (local[static_cast<std::size_t>(i)]) kind.mixer.attention.window = window;
    add_layer(spec, kind);
  }
}

void read_qwen2_moe(ConfigReader& r, ModelSpec& spec) {
  read_moe(r, spec, {.bias_key = "qkv_bias", .biases = Biases::qkv, .biased = true}, true);
}
void read_qwen3_moe(ConfigReader& r, ModelSpec& spec) { read_moe(r, spec, kQwen3, false); }

// Mellum 2: lists say which layers have experts and which a window.
void read_mellum(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto dense = read_layer(r, spec, kQwen3);
  const auto moe = moe_layer(dense, read_experts(r));
  const auto sparse = sparse_layers(r, layers);
  const auto local = r.has("layer_types") ? read_windowed(r, layers, 0) : std::vector<char>(static_cast<std::size_t>(layers));
  const auto window = read_window(r, spec, 1024);
  for (std::size_t i = 0; i < sparse.size(); ++i) {
    auto kind = sparse[i] ? moe : dense;
    if (local[i]) kind.mixer.attention.window = window;
    add_layer(spec, kind);
  }
}

// MiniCPM-V and -o are built on Llama 3, then Qwen2 (2.6), then Qwen3 (4.5); the version says which.
void read_minicpmv(ConfigReader& r, ModelSpec& spec) {
  const auto* version = r.find({"version"});
  const double number = version && version->is_number() ? version->get<double>() : 0;
  if (number >= 4.5) return read_qwen3(r, spec);
  if (number >= 2.6 && number < 4) return read_qwen2(r, spec);
  read_llama(r, spec);
}

constexpr std::array kFamilies{
    Family{"qwen", read_qwen1},
    Family{"mellum", read_mellum},
    Family{"qwen2", read_qwen2},
    Family{"molmo", read_molmo},
    Family{"logics", read_qwen3},
    Family{"qwen2_vl", read_qwen2},
    Family{"qwen2_vl_text", read_qwen2},
    Family{"qwen2_5_vl", read_qwen2},
    Family{"qwen2_5_vl_text", read_qwen2},
    Family{"qwen3", read_qwen3},
    Family{"qwen3_vl", read_qwen3},
    Family{"qwen3_vl_text", read_qwen3},
    Family{"qwen2_moe", read_qwen2_moe},
    Family{"qwen3_moe", read_qwen3_moe},
    Family{"qwen3_vl_moe", read_qwen3_moe},
    Family{"qwen3_vl_moe_text", read_qwen3_moe},
    Family{"dots_ocr", read_qwen2},
    Family{"Keye", read_qwen3},
    Family{"keye", read_qwen3},
    Family{"minicpmv", read_minicpmv},
    Family{"minicpmo", read_minicpmv},
    Family{"qwen2_5_omni", read_qwen2},
    Family{"qwen2_5_omni_text", read_qwen2},
    Family{"qwen3_omni_moe", read_qwen3_moe},
    Family{"qwen3_omni_moe_text", read_qwen3_moe},
};

}  // namespace

ReadFamily find_qwen(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
