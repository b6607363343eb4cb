// Per-layer embeddings, shared caches, encoder-decoders and cross-attention: totals that others published, and caches.
// T5 and Whisper: the elements of their files on the Hub; Llama 3.2 Vision: data/hf_models.json in https://github.com/AlexsJones/llmfit.
#include <nlohmann/json.hpp>

#include "core/api_json.hpp"
#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge;
using nlohmann::json;

namespace {

Inventory read_whole(const json& config) {
  Problems problems;
  auto spec = read_config(config, "model", "", catalog().formats(), problems);
  REQUIRE(spec.has_value());
  return inventory(std::move(*spec));
}

json types(std::int64_t layers, std::int64_t every) {
  json out = json::array();
  for (std::int64_t i = 0; i < layers; ++i) out.push_back((i + 1) % every == 0 ? "full_attention" : "sliding_attention");
  return out;
}

json gemma3n(std::int64_t layers, std::int64_t width, std::int64_t shared) {
  return {{"model_type", "gemma3n"},
          {"vision_config", {{"model_type", "gemma3n_vision"}, {"hidden_size", 2048}}},
          {"audio_config", {{"model_type", "gemma3n_audio"}, {"hidden_size", 1536}, {"conf_num_hidden_layers", 12}, {"sscp_conv_channel_size", {128, 32}}}},
          {"text_config", {{"model_type", "gemma3n_text"}, {"vocab_size", 262400}, {"vocab_size_per_layer_input", 262144}, {"hidden_size", 2048},
           {"hidden_size_per_layer_input", 256}, {"intermediate_size", json::array_t(static_cast<std::size_t>(layers), width)}, {"num_hidden_layers", layers},
           {"num_attention_heads", 8}, {"num_key_value_heads", 2}, {"head_dim", 256}, {"sliding_window", 512}, {"altup_num_inputs", 4}, {"laurel_rank", 64},
           {"num_kv_shared_layers", shared}, {"max_position_embeddings", 32768}, {"layer_types", types(layers, 5)}}}};
}

json gemma4(std::int64_t hidden, std::int64_t layers, std::int64_t width, std::int64_t heads, std::int64_t kv_heads, std::int64_t every) {
  return {{"model_type", "gemma4"},
          {"text_config", {{"model_type", "gemma4_text"}, {"vocab_size", 262144}, {"hidden_size", hidden}, {"intermediate_size", width}, {"num_hidden_layers", layers},
           {"num_attention_heads", heads}, {"num_key_value_heads", kv_heads}, {"head_dim", 256}, {"global_head_dim", 512}, {"sliding_window", 512},
           {"tie_word_embeddings", true}, {"max_position_embeddings", 131072}, {"layer_types", types(layers, every)}}}};
}
json small_gemma4(std::int64_t hidden, std::int64_t layers, std::int64_t width, std::int64_t kv_heads, std::int64_t every, std::int64_t shared, bool wide) {
  auto c = gemma4(hidden, layers, width, 8, kv_heads, every);
  auto& t = c["text_config"];
  t["hidden_size_per_layer_input"] = 256;
  t["num_kv_shared_layers"] = shared;
  t["use_double_wide_mlp"] = wide;
  c["vision_config"] = {{"hidden_size", 768}, {"intermediate_size", 3072}, {"num_hidden_layers", 16}, {"num_attention_heads", 12}, {"head_dim", 64}, {"patch_size", 16}, {"position_embedding_size", 10240}};
  c["audio_config"] = {{"hidden_size", 1024}, {"num_hidden_layers", 12}, {"num_attention_heads", 8}, {"output_proj_dims", 1536}};
  return c;
}
json large_gemma4(std::int64_t hidden, std::int64_t layers, std::int64_t width, std::int64_t heads, std::int64_t kv_heads, std::int64_t global_kv_heads) {
  auto c = gemma4(hidden, layers, width, heads, kv_heads, 6);
  auto& t = c["text_config"];
  t["attention_k_eq_v"] = true;
  t["num_global_key_value_heads"] = global_kv_heads;
  t["sliding_window"] = 1024;
  c["vision_config"] = {{"hidden_size", 1152}, {"intermediate_size", 4304}, {"num_hidden_layers", 27}, {"num_attention_heads", 16}, {"head_dim", 72}, {"patch_size", 16},
                        {"position_embedding_size", 10240}, {"standardize", true}};
  return c;
}

json gemma4_12b() {
  auto c = large_gemma4(3840, 48, 15360, 16, 8, 1);
  c["model_type"] = "gemma4_unified";
  c["text_config"]["model_type"] = "gemma4_unified_text";
  c["vision_config"] = {{"patch_size", 16}, {"pooling_kernel_size", 3}, {"mm_embed_dim", 3840}, {"mm_posemb_size", 1120}};
  c["audio_config"] = {{"audio_embed_dim", 640}};
  return c;
}

json t5(std::int64_t d, std::int64_t kv, std::int64_t ff, std::int64_t layers, std::int64_t heads, bool gated) {
  return {{"model_type", "t5"}, {"vocab_size", 32128}, {"d_model", d}, {"d_kv", kv}, {"d_ff", ff}, {"num_layers", layers}, {"num_heads", heads},
          {"feed_forward_proj", gated ? "gated-gelu" : "relu"}, {"tie_word_embeddings", !gated}};
}
json whisper(std::int64_t d, std::int64_t encoders, std::int64_t decoders, std::int64_t heads, std::int64_t vocabulary, std::int64_t mels) {
  return {{"model_type", "whisper"}, {"vocab_size", vocabulary}, {"d_model", d}, {"encoder_layers", encoders}, {"decoder_layers", decoders},
          {"decoder_attention_heads", heads}, {"encoder_ffn_dim", 4 * d}, {"decoder_ffn_dim", 4 * d}, {"num_mel_bins", mels}};
}
json mllama(std::int64_t hidden, std::int64_t layers, std::int64_t width, std::int64_t heads, std::int64_t first, std::int64_t crossed) {
  json cross = json::array();
  for (std::int64_t i = 0; i < crossed; ++i) cross.push_back(first + 5 * i);
  return {{"model_type", "mllama"},
          {"vision_config", {{"hidden_size", 1280}, {"intermediate_size", 5120}, {"num_hidden_layers", 32}, {"num_global_layers", 8}, {"image_size", 560}, {"patch_size", 14},
           {"max_num_tiles", 4}, {"intermediate_layers_indices", {3, 7, 15, 23, 30}}, {"supported_aspect_ratios", {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {2, 1}, {2, 2}, {3, 1}, {4, 1}}}}},
          {"text_config", {{"model_type", "mllama_text_model"}, {"vocab_size", 128256}, {"hidden_size", hidden}, {"intermediate_size", width}, {"num_hidden_layers", layers},
           {"num_attention_heads", heads}, {"num_key_value_heads", 8}, {"cross_attention_layers", cross}, {"tie_word_embeddings", false}, {"max_position_embeddings", 131072}}}};
}

// 16-bit cache bytes per token without limit, of full windows, and of what is kept once.
double growing(const Inventory& m) {
  double bytes = 0;
  for (const auto& c : m.caches)
    if (c.window == 0) bytes += 2 * static_cast<double>(c.layers) * (c.k_elements + c.v_elements);
  return bytes;
}
double kept(const Inventory& m) {
  double bytes = 0;
  for (const auto& c : m.caches) bytes += static_cast<double>(c.layers) * c.state_elements * c.state_bits / 8;
  return bytes;
}

}  // namespace

// The Hub's counts of the checkpoints' elements; T5's of its README (https://github.com/google-research/t5x).
TEST_CASE("models with per-layer embeddings, encoders and cross-attention have as many parameters as published") {
  struct Case {
    const char* id;
    json config;
    std::int64_t expected;
  };
  const Case cases[] = {
      {"google/gemma-3n-E4B-it", gemma3n(35, 16384, 15), 7849978192},
      {"google/gemma-3n-E2B-it", gemma3n(30, 8192, 10), 5439438272},
      {"google/gemma-4-E4B-it", small_gemma4(2560, 42, 10240, 2, 6, 18, false), 7996156490},
      {"google/gemma-4-E2B-it", small_gemma4(1536, 35, 6144, 1, 5, 20, true), 5123178051},
      {"google/gemma-4-31B-it: 62546177752 bytes", large_gemma4(5376, 60, 21504, 32, 16, 4), 31273088876},
      // A bf16 fine-tune's file has 23,919,549,408 bytes, 88,960 of them its header (https://huggingface.co/knowlet/Gemma-4-12B-Unified-System-One).
      {"google/gemma-4-12B-it", gemma4_12b(), 11959730224},
      {"google/t5-v1_1-xxl", t5(4096, 64, 10240, 24, 64, true), 11135332352},
      {"google/flan-t5-base", t5(768, 64, 2048, 12, 12, true), 247577856},
      {"google-t5/t5-base", t5(768, 64, 3072, 12, 12, false), 222903552},
      {"openai/whisper-tiny", whisper(384, 4, 4, 6, 51865, 80), 37760640},
      {"openai/whisper-large-v3", whisper(1280, 32, 32, 20, 51866, 128), 1543490560},
      {"openai/whisper-large-v3-turbo", whisper(1280, 32, 4, 20, 51866, 128), 808878080},
      {"meta-llama/Llama-3.2-90B-Vision-Instruct", mllama(8192, 100, 28672, 64, 3, 20), 88593355323},
  };
  for (const auto& c : cases) {
    INFO(c.id);
    const auto m = read_whole(c.config);
    CHECK(m.parameters == c.expected);
    CHECK(m.active_parameters < m.parameters);
    CHECK(m.rows.size() < 200);
  }
}

TEST_CASE("a mixture of experts beside a dense feed-forward") {
  auto config = large_gemma4(2816, 30, 2112, 16, 8, 2);
  auto& t = config["text_config"];
  t["enable_moe_block"] = true;
  t["num_experts"] = 128;
  t["top_k_experts"] = 8;
  t["moe_intermediate_size"] = 704;
  const auto m = read_whole(config);
  // google/gemma-4-26B-A4B-it: its fine-tunes' 25,805,933,872, and the 30 layer scalars and two vectors of the tower that they leave out.
  CHECK(m.parameters == 25805933872 + 30 + 2 * 1152);
  CHECK(growing(m) == 5 * 2 * 2 * 512 * 2);
  CHECK(m.experts == 128);
}

TEST_CASE("layers that share a cache keep none") {
  const auto m = read_whole(small_gemma4(2560, 42, 10240, 2, 6, 18, false));
  // 24 layers have a cache; four of them are global.
  CHECK(growing(m) == 4 * 2 * 2 * 512 * 2);
  std::int64_t windowed = 0;
  for (const auto& c : m.caches)
    if (c.window == 512 && c.k_elements > 0) windowed += c.layers;
  CHECK(windowed == 20);
  // Their own keys and values are in the checkpoint, and no token uses them.
  CHECK(m.active_parameters < m.parameters);

  auto wrong = small_gemma4(2560, 42, 10240, 2, 6, 42, false);
  Problems problems;
  CHECK_FALSE(read_config(wrong, "model", "", catalog().formats(), problems));
}

TEST_CASE("what an encoder or an image leaves behind is kept once per sequence") {
  const auto w = read_whole(whisper(1280, 32, 32, 20, 51866, 128));
  CHECK(growing(w) == 32 * 2 * 1280 * 2);
  CHECK(kept(w) == 32.0 * 1500 * 2 * 1280 * 2);
  const auto v = read_whole(mllama(8192, 100, 28672, 64, 3, 20));
  CHECK(growing(v) == 80 * 2 * 8 * 128 * 2);
  CHECK(kept(v) == 20.0 * 4 * 1601 * 2 * 8 * 128 * 2);
  CHECK(kept(read_whole(t5(768, 64, 2048, 12, 12, true))) == 0);
}

TEST_CASE("encoders without a decoder are refused for that reason") {
  for (const auto* type : {"bert", "roberta", "modernbert"}) {
    const auto answer = weighbridge_test::estimate({{"model", {{"config", {{"model_type", type}, {"hidden_size", 768}, {"num_hidden_layers", 12}, {"num_attention_heads", 12},
                                                                          {"intermediate_size", 3072}, {"vocab_size", 30522}}}}}});
    CHECK(weighbridge_test::at(answer, "/ok") == false);
    CHECK(weighbridge_test::text(answer, "/problems/0/code") == "unsupported_model");
    CHECK(weighbridge_test::text(answer, "/problems/0/message").find("encoder") != std::string::npos);
  }
}

TEST_CASE("a file without a model_type is read by its class") {
  auto config = small_gemma4(2560, 42, 10240, 2, 6, 18, false);
  const auto known = read_whole(config).parameters;
  config.erase("model_type");
  config["text_config"].erase("model_type");
  config["architectures"] = {"Gemma4ForConditionalGeneration"};
  CHECK(read_whole(config).parameters == known);
}
