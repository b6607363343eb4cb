// Llama and the many families that are Llama but for one or two traits: RMSNorm before each half, gated feed-forward.
// Source: the families' own config.json files and reference implementations in transformers.
#include <array>
#include <cmath>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

void read_llama(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {}); }

namespace {

// Mistral 7B v0.1 looks back 4,096 tokens on every layer; later ones write null.
void read_mistral(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto layer = read_layer(r, spec, {});
  const auto window = read_window(r, spec);
  layers_by_window(spec, layer, window, read_windowed(r, layers, 0));
}

void read_smollm3(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.tied = true}); }
void read_internlm(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.bias_key = "bias", .biased = true}); }
void read_internlm2(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.bias_key = "bias", .fused_qkv = true}); }
void read_internlm3(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.bias_key = "qkv_bias", .biases = Biases::qkv}); }
void read_pangu(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.bias_key = "bias", .biased = true}); }
void read_baichuan(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.bias_key = {}, .fused_qkv = true}); }
void read_orion(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.norm_bias = true}); }
void read_ernie(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.tied = true, .bias_key = "use_bias", .mlp_bias_key = "use_bias"}); }
void read_hunyuan_dense(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.qk_norm = QkNorm::per_head, .qk_norm_key = "use_qk_norm"});
}
// Squared ReLU, hence two matrices; LayerNorm with bias.
void read_nemotron(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.gated = false, .norm_bias = true}); }
void read_arcee(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.gated = false}); }

void read_seed_oss(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.biases = Biases::qkv, .biased = true});
  const bool out = r.flag({"attention_out_bias"}, false);
  for (auto& kind : spec.kinds) kind.mixer.attention.o_bias = out;
}

void read_minicpm(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.tied = true});
  if (!r.has("num_experts") || r.zero_or_more({"num_experts"}, 0) == 0) return;
  const auto e = read_experts(r);
  for (auto& kind : spec.kinds) kind = moe_layer(kind, e);
}

// EXAONE 4: norms after each half instead of before, and three local layers to one global in the larger models.
void read_exaone4(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto layer = read_layer(r, spec, {.qk_norm = QkNorm::per_head});
  layers_by_window(spec, layer, read_window(r, spec), read_windowed(r, layers, 4));
}

// OLMo 1 normalises without weights; OLMo 2 after each half, and queries and keys over their full width; OLMo 3 adds windows.
void read_olmo(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.norms = 0});
  spec.final_norm = false;
}
void read_olmo2(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.qk_norm = QkNorm::full_width}); }
void read_olmo3(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto layer = read_layer(r, spec, {.qk_norm = QkNorm::full_width});
  layers_by_window(spec, layer, read_window(r, spec, 4096), read_windowed(r, layers, 4));
}

// Key and value lie in one matrix; output and down-projection have biases unless the file says otherwise.
void read_telechat(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.bias_key = {}, .mlp_bias_key = {}});
  const bool biased = r.flag({"add_bias_linear"}, true);
  for (auto& kind : spec.kinds) kind.mixer.attention.o_bias = kind.feed_forward.down_bias = biased;
}

// Yuan 2: before queries and keys are made, two convolutions over two tokens each, to half the width and back, and a norm.
void read_yuan(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.tied = true, .bias_key = {}});
  for (auto& kind : spec.kinds) {
    auto& filter = kind.mixer.recurrent;
    filter.kind = RecurrentKind::localized_filter;
    filter.kernel = 2;
    filter.conv_bias = true;
  }
}

// Qwen2's layer with one more that predicts the token after next.
void read_mimo(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.biases = Biases::qkv, .biased = true});
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers"}, 0, 16);
}

// Nemotron-NAS (DeciLM): Llama layers pruned one by one; a half that is left out has no norm either.
void read_nemotron_nas(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind full;
  full.mixer.attention = read_attention(r, spec, {});
  const auto* blocks = r.find({"block_configs"});
  if (!blocks) {
    r.missing({"block_configs"}, "the shape of each layer");
    return;
  }
  if (!blocks->is_array() || static_cast<std::int64_t>(blocks->size()) != layers) {
    r.bad("block_configs", *blocks, "one object for each of the " + std::to_string(layers) + " layers");
    return;
  }
  const auto truth = [](const nlohmann::json* value) { return value && value->is_boolean() && *value->get_ptr<const bool*>(); };
  for (const auto& block : *blocks) {
    auto kind = full;
    const auto* attention = entry(block, "attention");
    const auto* ffn = entry(block, "ffn");
    if (!attention || !ffn) return r.bad("block_configs", *blocks, "attention and ffn in each object");
    if (truth(entry(*attention, "no_op"))) {
      kind.mixer = {};
      kind.mixer.kind = MixerKind::none;
      --kind.norms;
    } else if (truth(entry(*attention, "replace_with_linear"))) {
      kind.mixer = {};
      kind.mixer.kind = MixerKind::linear;
    } else {
      std::int64_t group = 0;
      const auto* given = entry(*attention, "n_heads_in_group");
      if (!given || !whole_number(*given, 1, full.mixer.attention.heads, group) || full.mixer.attention.heads % group != 0)
        return r.bad("block_configs", *blocks, "an n_heads_in_group that divides the heads");
      kind.mixer.attention.kv_heads = full.mixer.attention.heads / group;
    }
    if (truth(entry(*ffn, "no_op"))) {
      --kind.norms;
    } else if (truth(entry(*ffn, "replace_with_linear"))) {
      kind.feed_forward.square = true;
    } else {
      const auto* given = entry(*ffn, "ffn_mult");
      const double factor = given && given->is_number() ? given->get<double>() : 0;
      if (!(factor > 0 && factor < 1000)) return r.bad("block_configs", *blocks, "an ffn_mult above 0 and below 1000");
      const auto width = static_cast<std::int64_t>(2 * factor * static_cast<double>(spec.hidden) / 3);
      kind.feed_forward.width = (width + 255) / 256 * 256;
    }
    add_layer(spec, kind);
  }
}

// Apertus: two matrices with an activation that learns two numbers, and norms on queries and keys.
void read_apertus(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.gated = false, .qk_norm = QkNorm::per_head, .qk_norm_key = "qk_norm"});
  for (auto& kind : spec.kinds) kind.scalars = 2;
}

// BitNet b1.58: a norm before each half's last matrix too.
void read_bitnet(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.norms = 3});
  for (auto& kind : spec.kinds) kind.feed_forward.inner_norm = true;
}

// HyperCLOVA X: a norm behind each half too, if the file says so.
void read_hyperclovax(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.norms = r.flag({"use_post_norm"}, false) ? 4 : 2}); }

// nanochat: norms without weights.
void read_nanochat(ConfigReader& r, ModelSpec& spec) {
  read_decoder(r, spec, {.gated = false, .norms = 0, .bias_key = "qkv_bias"});
  spec.final_norm = false;
}

// Jais 2: Nemotron's layer with biases.
void read_jais2(ConfigReader& r, ModelSpec& spec) { read_decoder(r, spec, {.gated = false, .norm_bias = true, .biased = true, .mlp_biased = true}); }

// PLaMo 3: norms before and after each half, seven local layers to one global.
void read_plamo3(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto layer = read_layer(r, spec, {.norms = 4, .fused_qkv = true, .fused_gate_up = true, .qk_norm = QkNorm::per_head});
  layers_by_window(spec, layer, r.count_or({"window_size", "sliding_window"}, 2048, kMostContext), read_windowed(r, layers, 8));
}

// Granite with windows: one sink per head; the first of four layers is global. Some have experts.
void read_granite_swa(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = read_layers(r);
  auto layer = read_layer(r, spec, {});
  layer.mixer.attention.sinks = true;
  if (r.zero_or_more({"num_local_experts"}, 0, kMostExperts) > 0) {
    layer = moe_layer(layer, read_experts(r));
    layer.feed_forward.shared_width = r.zero_or_more({"shared_intermediate_size"}, 0);
  }
  std::vector<char> local;
  for (std::int64_t i = 0; i < layers; ++i) local.push_back(i % 4 != 0);
  layers_by_window(spec, layer, read_window(r, spec, 128), r.has("layer_types") ? read_windowed(r, layers, 0) : local);
}

constexpr std::array kFamilies{
    Family{"hyperclovax", read_hyperclovax}, Family{"nanochat", read_nanochat},   Family{"jais2", read_jais2},
    Family{"plamo3", read_plamo3},         Family{"granite_swa", read_granite_swa}, Family{"granitemoe_swa", read_granite_swa},
    Family{"exaone4_5", read_exaone4},     Family{"exaone4_5_text", read_exaone4}, Family{"hunyuan_vl", read_hunyuan_dense},
    Family{"hunyuan_vl_text", read_hunyuan_dense}, Family{"emu3_text_model", read_llama}, Family{"Emu3", read_llama},
    Family{"paddleocr_vl_text", read_ernie}, Family{"telechat3", read_llama},     Family{"code_llama", read_llama},
    Family{"llama", read_llama},           Family{"mistral", read_mistral},       Family{"ministral", read_mistral},
    Family{"ministral3", read_mistral},    Family{"mistral3", read_mistral},    Family{"smollm3", read_smollm3},       Family{"granite", read_llama},
    Family{"internlm", read_internlm},     Family{"internlm2", read_internlm2},   Family{"internlm3", read_internlm3},
    Family{"PanguEmbedded", read_pangu},   Family{"baichuan", read_baichuan},     Family{"orion", read_orion},
    Family{"ernie4_5", read_ernie},        Family{"hunyuan_v1_dense", read_hunyuan_dense},
    Family{"nemotron", read_nemotron},     Family{"arcee", read_arcee},           Family{"seed_oss", read_seed_oss},
    Family{"minicpm", read_minicpm},       Family{"exaone", read_llama},          Family{"exaone4", read_exaone4},
    Family{"olmo", read_olmo},             Family{"olmo2", read_olmo2},           Family{"olmo3", read_olmo3},
    Family{"yuan", read_yuan},             Family{"telechat", read_telechat},     Family{"mimo", read_mimo},             Family{"Yi", read_llama},
    Family{"aquila", read_llama},          Family{"nemotron-nas", read_nemotron_nas},
    Family{"apertus", read_apertus},       Family{"bitnet", read_bitnet},         Family{"cwm", read_mistral},          Family{"helium", read_llama},
    Family{"xverse", read_llama},          Family{"iquestcoder", read_llama},     Family{"paddleocr_vl", read_ernie},
};

}  // namespace

ReadFamily find_llama_like(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
