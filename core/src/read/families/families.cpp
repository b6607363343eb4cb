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
constexpr std::string_view kAgain = "layers that a token passes several times";
constexpr std::string_view kFixedDecay = "linear-attention layers with a fixed decay";
constexpr std::string_view kDifferential = "differential attention";
constexpr std::string_view kDiffusion = "text by diffusion: the tokens of a block are made together, in several passes";
constexpr std::string_view kFactorised = "attention with factorised queries (MFA)";
constexpr std::string_view kImageExperts = "experts of their own for images";
constexpr std::string_view kDraft = "a target: it drafts for another model and reads that one's states";
constexpr std::string_view kSound = "models of sound beside the one of text";
constexpr std::string_view kTwoWays = "attention in both directions or to segments";
constexpr std::string_view kUnlike = "layers unlike those that its keys describe";
constexpr std::string_view kSmallExperts = "small experts beside the routed ones";
constexpr std::string_view kOldLayers = "LayerNorms and a feed-forward of two matrices, which its keys do not say";

constexpr std::array kUnsupported{
    Unsupported{"zamba", kShares},          Unsupported{"zamba2", kShares},          Unsupported{"ouro", kAgain},
    Unsupported{"iquestloopcoder", kAgain}, Unsupported{"hrm_text", kAgain},
    Unsupported{"rwkv_hybrid", kRecurrent},
    Unsupported{"rwkv6qwen2", kRecurrent},  Unsupported{"arwkv7", kRecurrent},       Unsupported{"xlstm", "recurrent layers (mLSTM)"},
    Unsupported{"retnet", "retention layers"},                                       Unsupported{"recurrent_gemma", "recurrent layers (RG-LRU)"},
    Unsupported{"plamo2", kStateSpace},     Unsupported{"bailing_moe_linear", kFixedDecay}, Unsupported{"minicpm_sala", kFixedDecay},
    Unsupported{"diffllama", kDifferential},                                         Unsupported{"motif", kDifferential},
    Unsupported{"Motif", kDifferential},    Unsupported{"dream", kDiffusion},        Unsupported{"Dream", kDiffusion},
    Unsupported{"llada", kDiffusion},       Unsupported{"llada_moe", kDiffusion},    Unsupported{"llada2_moe", kDiffusion},
    Unsupported{"sdar", kDiffusion},        Unsupported{"sdar_moe", kDiffusion},     Unsupported{"rnd1", kDiffusion},
    Unsupported{"grovemoe", kSmallExperts},
    Unsupported{"grove_moe", kSmallExperts},
    Unsupported{"longcat_flash_ngram", "embeddings of n-grams"},                     Unsupported{"baichuan_m1", "convolutions of keys and values"},
    Unsupported{"step3_vl", kFactorised},   Unsupported{"step3_text", kFactorised},  Unsupported{"ernie4_5_moe_vl", kImageExperts},
    Unsupported{"ernie4_5_vl_moe", kImageExperts},                                   Unsupported{"blt", "patches of bytes in place of tokens"},
    Unsupported{"persimmon", kOldLayers},   Unsupported{"fuyu", kOldLayers},         Unsupported{"codeshell", kOldLayers},
    Unsupported{"xglm", kOldLayers},        Unsupported{"biogpt", kOldLayers},       Unsupported{"ctrl", kOldLayers},
    Unsupported{"gpt_neox_japanese", kOldLayers}, Unsupported{"gpt_refact", kOldLayers}, Unsupported{"refact", kOldLayers},
    Unsupported{"kosmos-2", kOldLayers},    Unsupported{"kosmos-2.5", kOldLayers},   Unsupported{"plamo", kUnlike},
    Unsupported{"modernbert-decoder", kUnlike}, Unsupported{"doge", kUnlike},        Unsupported{"zaya", kUnlike},
    Unsupported{"hymba", kUnlike},          Unsupported{"phi4flash", kUnlike},       Unsupported{"striped_hyena", "long convolutions"},
    Unsupported{"stripedhyena", "long convolutions"},                                Unsupported{"jetmoe", "experts of attention"},
    Unsupported{"chameleon", "norms of queries and keys with biases"},               Unsupported{"idefics", "cross-attention layers"},
    Unsupported{"axk2", "norms with gates, and queries made from two latents"},      Unsupported{"inkling_mm_model", "short convolutions of keys, values and residuals"},
    Unsupported{"inkling_text", "short convolutions of keys, values and residuals"}, Unsupported{"bailing_moe_v2_5", kFixedDecay},
    Unsupported{"diffusion_gemma", kDiffusion}, Unsupported{"diffusion_gemma_text", kDiffusion}, Unsupported{"gemma4_assistant", kDraft},
    Unsupported{"gemma4_unified_assistant", kDraft}, Unsupported{"muse_glimmer_assistant", kDraft}, Unsupported{"eagle3", kDraft},
    Unsupported{"dflash", kDraft},          Unsupported{"csm", kSound},              Unsupported{"moshi", kSound},
    Unsupported{"kyutai_speech_to_text", kSound}, Unsupported{"higgs_audio_v2", kSound}, Unsupported{"dia", kSound},
    Unsupported{"bark", kSound},            Unsupported{"musicgen", kSound},         Unsupported{"musicgen_melody", kSound},
    Unsupported{"wavtokenizer-dec", kSound}, Unsupported{"xlnet", kTwoWays},         Unsupported{"xlm", kTwoWays},
    Unsupported{"cpmant", kTwoWays},        Unsupported{"reformer", kTwoWays},       Unsupported{"transfo-xl", kTwoWays},
    Unsupported{"ernie4_5_vl_moe_text", kImageExperts},                              Unsupported{"cogvlm", kImageExperts},
    Unsupported{"bart", kEncoder},          Unsupported{"mbart", kEncoder},          Unsupported{"marian", kEncoder},
    Unsupported{"pegasus", kEncoder},       Unsupported{"umt5", kEncoder},           Unsupported{"longt5", kEncoder},
    Unsupported{"t5gemma", kEncoder},       Unsupported{"t5gemma2", kEncoder},       Unsupported{"switch_transformers", kEncoder},
    Unsupported{"moonshine", kEncoder},     Unsupported{"florence2", kEncoder},
    Unsupported{"bert", kNoDecoder},        Unsupported{"roberta", kNoDecoder},      Unsupported{"xlm-roberta", kNoDecoder},
    Unsupported{"modernbert", kNoDecoder},  Unsupported{"distilbert", kNoDecoder},   Unsupported{"electra", kNoDecoder},
    Unsupported{"deberta", kNoDecoder},     Unsupported{"deberta-v2", kNoDecoder},   Unsupported{"albert", kNoDecoder},
    Unsupported{"camembert", kNoDecoder},   Unsupported{"mpnet", kNoDecoder},        Unsupported{"nomic_bert", kNoDecoder},
    Unsupported{"eurobert", kNoDecoder},    Unsupported{"clip", kNoDecoder},         Unsupported{"siglip", kNoDecoder},
    Unsupported{"wav2vec2", kNoDecoder},    Unsupported{"hubert", kNoDecoder},
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
    Sign{"type_vocab_size", kNoDecoder},          Sign{"cross_attention_layers", "cross-attention layers"}, Sign{"block_configs", "layers that differ one by one"},
    Sign{"conv_L_cache", "short-convolution layers"}, Sign{"moe_latent_size", "experts in a narrower width"},
};

}  // namespace

std::string_view unsupported_part(std::string_view model_type) {
  for (const auto& row : kUnsupported)
    if (row.model_type == model_type) return row.part;
  return {};
}

std::string_view unsupported_in_files(std::string_view architecture) {
  const auto same = [&](std::string_view type) {
    return std::equal(type.begin(), type.end(), architecture.begin(), architecture.end(), [](char a, char b) { return a == b || (a == '_' && b == '-'); });
  };
  for (const auto& row : kUnsupported)
    for (const auto part : {kDiffusion, kDraft, kSound, kSmallExperts, kAgain})
      if (row.part == part && same(row.model_type)) return part;
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
    if (known && (sign.key == "block_configs" || sign.part == kNoDecoder)) continue;          // its family reads it, or knows better
    const auto* value = r.find({sign.key});
    if (!value || sign.part == last || *value == 0 || *value == false || (value->is_structured() && value->empty())) continue;
    r.unsupported(std::string(sign.part) + " (" + std::string(sign.key) + ")");
    last = sign.part;
  }
  if (const auto* classes = r.find_anywhere("architectures"); !known && classes && classes->is_array() && !classes->empty()) {
    const auto* name = classes->front().get_ptr<const std::string*>();
    if (name && name->find("MaskedLM") != std::string::npos && last != kNoDecoder) r.unsupported(std::string(kNoDecoder));
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
  if (r.has("kv_lora_rank") || r.find({"n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts"})) return read_deepseek(r, spec);
  read_llama(r, spec);
}

}  // namespace weighbridge
