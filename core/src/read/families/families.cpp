#include "read/families/families.hpp"

#include <algorithm>
#include <array>

#include "read/blocks.hpp"

namespace weighbridge {

namespace {

struct Unsupported {
  std::string_view model_type;
  std::string_view part;
};

constexpr std::string_view kGatedDelta = "linear-attention layers with a state (gated delta rule)";
constexpr std::string_view kStateSpace = "state-space layers (Mamba)";
constexpr std::string_view kRecurrent = "recurrent layers (RWKV)";
constexpr std::string_view kEncoder = "an encoder beside or in place of the decoder";
constexpr std::string_view kNoDecoder = "a decoder: it is an encoder, which makes no text and keeps no cache";
constexpr std::string_view kShared = "per-layer embeddings and layers that share a cache";
constexpr std::string_view kShares = "layers whose attention is stored once and used by several of them";
constexpr std::string_view kSparse = "a sparse attention indexer";

constexpr std::array kUnsupported{
    Unsupported{"zamba", kShares},              Unsupported{"zamba2", kShares},          Unsupported{"rwkv", kRecurrent},
    Unsupported{"retnet", "retention layers"},  Unsupported{"recurrent_gemma", "recurrent layers (RG-LRU)"}, Unsupported{"bart", kEncoder},              Unsupported{"bert", kNoDecoder},               Unsupported{"roberta", kNoDecoder},
    Unsupported{"xlm-roberta", kNoDecoder},       Unsupported{"modernbert", kNoDecoder},
};

// The layer types that readers know; any other is a mixer that must not be counted as attention.
constexpr std::array<std::string_view, 7> kAttentions{"full_attention", "sliding_attention", "chunked_attention", "attention", "global", "local", "full"};

// Keys that betray parts which the keys of plain decoders say nothing of.
struct Sign {
  std::string_view key;
  std::string_view part;
};
constexpr std::array kSigns{
    Sign{"hybrid_override_pattern", kStateSpace}, Sign{"layers_block_type", kStateSpace},       Sign{"mamba_num_heads", kStateSpace},
    Sign{"mamba_d_state", kStateSpace},           Sign{"mamba_d_ssm", kStateSpace},             Sign{"ssm_cfg", kStateSpace},
    Sign{"ssm_state_size", kStateSpace},          Sign{"state_size", kStateSpace},              Sign{"attn_layer_period", kStateSpace},
    Sign{"linear_num_value_heads", kGatedDelta},  Sign{"linear_attn_config", kGatedDelta},      Sign{"full_attention_interval", kGatedDelta},
    Sign{"attention_hidden_size", kRecurrent},    Sign{"num_decoder_layers", kEncoder},         Sign{"encoder_layers", kEncoder},
    Sign{"index_topk", kSparse},                  Sign{"index_n_heads", kSparse},               Sign{"sparse_attention_config", kSparse},
    Sign{"compress_ratios", "compressed attention"}, Sign{"num_kv_shared_layers", kShared},     Sign{"hidden_size_per_layer_input", kShared},
    Sign{"cross_attention_layers", "cross-attention layers"}, Sign{"block_configs", "layers that differ one by one"},
    Sign{"conv_L_cache", "short-convolution layers"}, Sign{"moe_latent_size", "experts in a narrower width"},
};

}  // namespace

std::string_view unsupported_part(std::string_view model_type) {
  for (const auto& row : kUnsupported)
    if (row.model_type == model_type) return row.part;
  return {};
}

ReadFamily find_hybrid(std::string_view model_type) {
  for (const auto find : {find_state_space, find_linear_attention, find_sparse_attention, find_per_layer, find_encoder_decoder})
    if (const auto read = find(model_type)) return read;
  return nullptr;
}

ReadFamily find_family(std::string_view model_type) {
  for (const auto find : {find_llama_like, find_qwen, find_gemma, find_phi, find_gpt, find_moe, find_deepseek, find_glm, find_hybrid})
    if (const auto read = find(model_type)) return read;
  return nullptr;
}

void look_for_signs(ConfigReader& r, bool known) {
  std::string_view last;
  for (const auto& sign : kSigns) {
    if (known && sign.key == "block_configs") continue;          // its family reads it
    const auto* value = r.find({sign.key});
    if (!value || sign.part == last || *value == 0 || *value == false || (value->is_structured() && value->empty())) continue;
    r.unsupported(std::string(sign.part) + " (" + std::string(sign.key) + ")");
    last = sign.part;
  }
  if (r.has("is_encoder_decoder") && r.flag({"is_encoder_decoder"}, false)) r.unsupported(std::string(kEncoder));
  const auto* types = r.find({"layer_types"});
  if (!types || !types->is_array()) return;
  for (const auto& type : *types) {
    const auto* name = type.get_ptr<const std::string*>();
    if (!name || std::find(kAttentions.begin(), kAttentions.end(), *name) != kAttentions.end()) continue;
    r.unsupported("layers of type \"" + name->substr(0, 64) + "\" (layer_types)");
    return;
  }
}

void read_generic(ConfigReader& r, ModelSpec& spec) {
  // Latent attention and fine-grained experts are written alike by all who took them over from DeepSeek.
  if (r.has("kv_lora_rank") || r.find({"n_routed_experts", "num_experts", "num_local_experts"})) return read_deepseek(r, spec);
  read_llama(r, spec);
}

}  // namespace weighbridge
