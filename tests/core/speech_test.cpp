// Models that hear and speak, whole: encoders, adapters and voices beside the language model.
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge;
using nlohmann::json;

namespace {

// Totals of all tensors in the checkpoint. Qwen: n_parameters in https://github.com/embeddings-benchmark/mteb
// (mteb/models/model_implementations/qwen_omni_models.py). Phi-4-multimodal and MiniCPM-V 4.5: data/hf_models.json in
// https://github.com/AlexsJones/llmfit, from the Hub. MiniCPM-V 2.6: https://github.com/floschne/gimmick, from the Hub. Voxtral has a
// rounded total on its Hub page (4.68 B).
constexpr const char kWhole[] = R"json([
{"id": "Qwen/Qwen3-Omni-30B-A3B-Thinking", "parameters": 31719205488, "config": {"model_type": "qwen3_omni_moe",
  "thinker_config": {"model_type": "qwen3_omni_moe_thinker", "text_config": {"model_type": "qwen3_omni_moe_text", "vocab_size": 152064,
  "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 768,
  "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8, "decoder_sparse_step": 1, "tie_word_embeddings": false},
  "vision_config": {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2,
  "out_hidden_size": 2048, "num_position_embeddings": 2304, "deepstack_visual_indexes": [8, 16, 24]}, "audio_config": {"d_model": 1280,
  "num_mel_bins": 128, "encoder_layers": 32, "encoder_ffn_dim": 5120, "output_dim": 2048, "downsample_hidden_size": 480}},
  "enable_audio_output": false}},
{"id": "Qwen/Qwen3-Omni-30B-A3B-Instruct", "parameters": 35259818545, "like": 0, "config": {"enable_audio_output": true,
  "talker_config": {"text_config": {"hidden_size": 1024, "num_hidden_layers": 20, "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 128,
  "intermediate_size": 2048, "moe_intermediate_size": 384, "num_experts": 128, "shared_expert_intermediate_size": 768, "vocab_size": 3072},
  "code_predictor_config": {"num_code_groups": 16}, "thinker_hidden_size": 2048}, "code2wav_config": {"hidden_size": 1024}}},
{"id": "Qwen/Qwen2.5-Omni-7B", "parameters": 10732225440, "config": {"model_type": "qwen2_5_omni",
  "thinker_config": {"model_type": "qwen2_5_omni_thinker", "text_config": {"model_type": "qwen2_5_omni_text", "vocab_size": 152064,
  "hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18944,
  "tie_word_embeddings": false}, "vision_config": {"depth": 32, "hidden_size": 1280, "embed_dim": 1280, "intermediate_size": 3420,
  "out_hidden_size": 3584, "patch_size": 14}, "audio_config": {"d_model": 1280, "encoder_layers": 32, "encoder_ffn_dim": 5120, "num_mel_bins": 128,
  "output_dim": 3584}}, "talker_config": {"hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 12, "num_key_value_heads": 4,
  "head_dim": 128, "intermediate_size": 18944, "vocab_size": 8448, "embedding_size": 3584}, "token2wav_config": {}}},
{"id": "Qwen/Qwen2.5-Omni-3B", "parameters": 5537120672, "config": {"model_type": "qwen2_5_omni",
  "thinker_config": {"model_type": "qwen2_5_omni_thinker", "text_config": {"model_type": "qwen2_5_omni_text", "vocab_size": 151936,
  "hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 2, "intermediate_size": 11008,
  "tie_word_embeddings": false}, "vision_config": {"depth": 32, "hidden_size": 1280, "embed_dim": 1280, "intermediate_size": 3420,
  "out_hidden_size": 2048, "patch_size": 14}, "audio_config": {"d_model": 1280, "encoder_layers": 32, "encoder_ffn_dim": 5120, "num_mel_bins": 128,
  "output_dim": 2048}}, "talker_config": {"hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
  "head_dim": 64, "intermediate_size": 4864, "vocab_size": 8448, "embedding_size": 2048}, "token2wav_config": {}}},
{"id": "microsoft/Phi-4-multimodal-instruct", "parameters": 5574460384, "config": {"model_type": "phi4mm", "vocab_size": 200064, "hidden_size": 3072,
  "num_hidden_layers": 32, "num_attention_heads": 24, "num_key_value_heads": 8, "intermediate_size": 8192, "tie_word_embeddings": true,
  "max_position_embeddings": 131072, "sliding_window": 262144, "audio_processor": {"config": {"attention_dim": 1024, "attention_heads": 16,
  "linear_units": 1536, "num_blocks": 24, "kernel_size": 3, "input_size": 80, "nemo_conv_settings": {"conv_channels": 1024},
  "relative_attention_bias_args": {"t5_bias_max_distance": 500, "type": "t5"}, "time_reduction": 8}, "name": "cascades"}, "vision_lora": {"r": 256},
  "speech_lora": {"r": 320}, "embd_layer": {}}},
{"id": "openbmb/MiniCPM-V-2_6", "parameters": 8099175152, "config": {"model_type": "minicpmv", "version": 2.6, "vocab_size": 151666,
  "hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18944, "query_num": 64,
  "tie_word_embeddings": false, "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152, "image_size": 980,
  "intermediate_size": 4304, "num_attention_heads": 16, "num_hidden_layers": 27, "patch_size": 14}, "slice_config": {}}},
{"id": "openbmb/MiniCPM-V-4_5", "parameters": 8695895280, "config": {"model_type": "minicpmv", "version": 4.5, "vocab_size": 151748,
  "hidden_size": 4096, "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 12288,
  "query_num": 64, "tie_word_embeddings": false, "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152, "image_size": 980,
  "intermediate_size": 4304, "num_attention_heads": 16, "num_hidden_layers": 27, "patch_size": 14}}},
{"id": "mistralai/Voxtral-Mini-3B-2507", "hundredths": 468, "config": {"model_type": "voxtral",
  "audio_config": {"model_type": "voxtral_encoder", "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20,
  "num_mel_bins": 128, "max_source_positions": 1500, "vocab_size": 51866}, "text_config": {"model_type": "llama", "vocab_size": 131072,
  "hidden_size": 3072, "num_hidden_layers": 30, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 8192}}}
])json";

// One that is like another but for some members holds these alone.
json config_of(const json& cases, const json& c) {
  auto config = c.contains("like") ? cases[c["like"].get<std::size_t>()]["config"] : json::object();
  config.merge_patch(c["config"]);
  return config;
}

Inventory read_whole(const json& config) {
  Problems problems;
  auto spec = read_config(config, "model", "", catalog().formats(), problems);
  for (const auto& p : problems.list()) INFO(message(p));
  REQUIRE(spec.has_value());
  CHECK(problems.list().empty());
  return inventory(std::move(*spec));
}

}  // namespace

TEST_CASE("models that hear and speak have as many parameters as published") {
  const auto cases = json::parse(kWhole, nullptr, false);
  REQUIRE(cases.size() == 8);
  for (const auto& c : cases) {
    INFO(c["id"]);
    const auto counted = read_whole(config_of(cases, c)).parameters;
    if (c.contains("hundredths")) CHECK((counted + 5'000'000) / 10'000'000 == c["hundredths"].get<std::int64_t>());
    else CHECK(counted == c["parameters"].get<std::int64_t>());
  }
}

TEST_CASE("a voice that is turned off is not counted") {
  const auto cases = json::parse(kWhole, nullptr, false);
  auto config = config_of(cases, cases[1]);
  config["enable_audio_output"] = false;
  CHECK(read_whole(config).parameters == 31719205488);
  for (const auto& row : read_whole(config).rows) CHECK(row.name.rfind("talker", 0) != 0);
}

TEST_CASE("sizes of a voice that cannot be are problems with their paths") {
  const auto cases = json::parse(kWhole, nullptr, false);
  auto config = config_of(cases, cases[1]);
  config["talker_config"]["text_config"]["num_experts"] = -1;
  Problems problems;
  CHECK_FALSE(read_config(config, "model", "", catalog().formats(), problems));
  REQUIRE(problems.list().size() == 1);
  CHECK(problems.list()[0].path == "/talker_config/text_config/num_experts");
}
