// Vision and audio towers: totals that others published, and what engines load of them. An integer beside a name is the number of
// elements in the files on the Hub, as data/hf_models.json in https://github.com/AlexsJones/llmfit lists it.
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
  for (const auto& p : problems.list()) INFO(message(p));
  REQUIRE(spec.has_value());
  return inventory(std::move(*spec));
}

std::int64_t towers(const Inventory& m) {
  std::int64_t sum = 0;
  for (const auto& r : m.rows)
    if (r.role == Role::vision) sum += r.elements();
  return sum;
}

json language(std::int64_t hidden) {
  return {{"model_type", "llama"}, {"vocab_size", 1000}, {"hidden_size", hidden}, {"intermediate_size", 64}, {"num_hidden_layers", 1},
          {"num_attention_heads", 8}, {"tie_word_embeddings", false}};
}
json multimodal(std::string_view type, std::int64_t hidden, json vision) {
  return {{"model_type", std::string(type)}, {"text_config", language(hidden)}, {"vision_config", std::move(vision)}};
}

}  // namespace

// Published total of the whole minus the language model's own (both the Hub's counts of the checkpoint's elements).
TEST_CASE("vision towers have as many parameters as published") {
  struct Case {
    const char* id;
    json config;
    std::int64_t expected;
  };
  const json clip{{"model_type", "clip_vision_model"}, {"hidden_size", 1024}, {"intermediate_size", 4096}, {"num_hidden_layers", 24},
                  {"image_size", 336}, {"patch_size", 14}, {"num_attention_heads", 16}};
  const json pixtral{{"model_type", "pixtral"}, {"hidden_size", 1024}, {"intermediate_size", 4096}, {"num_hidden_layers", 24},
                     {"image_size", 1540}, {"patch_size", 14}, {"num_attention_heads", 16}, {"head_dim", 64}};
  const json siglip{{"model_type", "siglip_vision_model"}, {"hidden_size", 1152}, {"intermediate_size", 4304}, {"num_hidden_layers", 27},
                    {"image_size", 896}, {"patch_size", 14}, {"num_attention_heads", 16}};
  const json moon{{"vt_hidden_size", 1152}, {"vt_intermediate_size", 4304}, {"vt_num_hidden_layers", 27}, {"patch_size", 14},
                  {"init_pos_emb_height", 64}, {"init_pos_emb_width", 64}, {"merge_kernel_size", {2, 2}}};
  const Case cases[] = {
      {"Qwen/Qwen2-VL-7B-Instruct: 8291375616", multimodal("qwen2_vl", 3584, {{"depth", 32}, {"embed_dim", 1280}, {"mlp_ratio", 4}, {"hidden_size", 3584}, {"patch_size", 14}}), 675759104},
      {"Qwen/Qwen2-VL-7B-Instruct, by default", multimodal("qwen2_vl", 3584, {{"in_chans", 3}, {"spatial_patch_size", 14}}), 675759104},
      {"Qwen/Qwen2.5-VL-7B-Instruct: 8292166656", multimodal("qwen2_5_vl", 3584, {{"depth", 32}, {"hidden_size", 1280}, {"intermediate_size", 3420}, {"out_hidden_size", 3584}, {"patch_size", 14}}), 676550144},
      {"Qwen/Qwen3-VL-2B-Instruct: 2127532032", multimodal("qwen3_vl", 2048, {{"depth", 24}, {"hidden_size", 1024}, {"intermediate_size", 4096}, {"out_hidden_size", 2048},
       {"patch_size", 16}, {"num_position_embeddings", 2304}, {"deepstack_visual_indexes", {5, 11, 17}}}), 406957056},
      {"Qwen/Qwen3-VL-8B-Instruct: 8767123696", multimodal("qwen3_vl", 4096, {{"deepstack_visual_indexes", {8, 16, 24}}}), 576388336},
      {"google/gemma-3-27b-it: 27432406640", multimodal("gemma3", 5376, siglip), 423060336},
      {"google/gemma-3-4b-it: 4300079472", multimodal("gemma3", 2560, siglip), 419816304},
      {"meta-llama/Llama-4-Scout-17B-16E-Instruct: 108641793536", multimodal("llama4", 5120, json::object()), 871932416},
      {"mistralai/Mistral-Small-3.2-24B-Instruct-2506: 24011361280", multimodal("mistral3", 5120, pixtral), 438958080},
      {"llava-hf/llava-1.5-7b-hf: 7063427072", multimodal("llava", 4096, clip), 303507456 + 20979712},
      {"llava-hf/llava-v1.6-mistral-7b-hf: 7566747648", multimodal("llava_next", 4096, clip), 303507456 + 20979712 + 4096},
      {"llava-hf/llava-onevision-qwen2-7b-ov-hf: 8030348832", multimodal("llava_onevision", 3584, {{"model_type", "siglip_vision_model"}, {"hidden_size", 1152}, {"intermediate_size", 4304}, {"num_hidden_layers", 26},
       {"image_size", 384}, {"patch_size", 14}, {"num_attention_heads", 16}, {"vision_use_head", false}}), 414732320},
      {"OpenGVLab/InternVL3-8B: 7944373760", multimodal("internvl_chat", 3584, {{"hidden_size", 1024}, {"intermediate_size", 4096}, {"num_hidden_layers", 24}, {"image_size", 448}, {"patch_size", 14}, {"qkv_bias", true}}), 331552768},
      {"moonshotai/Kimi-VL-A3B-Instruct: 16407657776, of which 15960111936 are Moonlight's", multimodal("kimi_vl", 2048, moon), 447545840},
      // 2779.9 B with the language model, as on its Hub page.
      {"moonshotai/Kimi-K3", multimodal("kimi_k3", 7168, {{"init_pos_emb_height", 64}, {"init_pos_emb_width", 64}, {"merge_kernel_size", {2, 2}}, {"mm_hidden_size", 1024}, {"norm_type", "rmsnorm"}, {"patch_size", 14},
       {"qkv_hidden_size", 1536}, {"text_hidden_size", 7168}, {"vt_hidden_size", 1024}, {"vt_intermediate_size", 4096}, {"vt_num_attention_heads", 12}, {"vt_num_hidden_layers", 27}}), 447358976},
      // 854 GB in 16 bits with the language model, as on its Hub page.
      {"MiniMaxAI/MiniMax-M3", multimodal("minimax_m3_vl", 6144, {{"hidden_size", 1280}, {"intermediate_size", 5120}, {"num_hidden_layers", 32}, {"num_attention_heads", 16}, {"patch_size", 14}, {"image_size", 2016},
       {"img_token_compression_config", {{"spatial_merge_size", 2}, {"temporal_patch_size", 2}}}}), 865567232},
      {"zai-org/GLM-4.1V-9B-Thinking: 10292777472", multimodal("glm4v", 4096, {{"depth", 24}, {"hidden_size", 1536}, {"intermediate_size", 13696}, {"out_hidden_size", 4096}, {"patch_size", 14}, {"image_size", 336}}), 892498432},
      {"zai-org/GLM-4.5V: 107710933120", multimodal("glm4v_moe", 4096, {{"depth", 24}, {"hidden_size", 1536}, {"intermediate_size", 10944}, {"out_hidden_size", 4096}}), 858681856},
      {"google/paligemma-3b-pt-224: 2923466480", multimodal("paligemma", 2048, {{"model_type", "siglip_vision_model"}, {"projection_dim", 2048}}), 412442352 + 2361344},
      {"deepseek-ai/DeepSeek-OCR: 3336106240", {{"model_type", "DeepseekOCR"}, {"language_config", language(1280)}, {"vision_config", json::object()}}, 401372160},
  };
  for (const auto& c : cases) {
    INFO(c.id);
    const auto with = read_whole(c.config);
    auto text = c.config;
    text.erase("vision_config");
    text["model_type"] = "llama";
    const auto without = read_whole(text);
    CHECK(towers(with) == c.expected);
    CHECK(with.parameters == without.parameters + c.expected);
    CHECK(with.active_parameters == without.active_parameters);
  }
}

TEST_CASE("a text_config that says little more than its type is what transformers makes of it") {
  const json clip{{"model_type", "clip_vision_model"}, {"hidden_size", 1024}, {"intermediate_size", 4096}, {"num_hidden_layers", 24}, {"image_size", 336}, {"patch_size", 14}};
  // llava-hf/llava-1.5-7b-hf, as its config.json is.
  const json llava{{"model_type", "llava"}, {"text_config", {{"model_type", "llama"}, {"max_position_embeddings", 4096}, {"vocab_size", 32064}}}, {"vision_config", clip}};
  const auto m = read_whole(llava);
  CHECK(m.parameters == 7063427072);
  CHECK(m.spec.context == 4096);
}

TEST_CASE("a tower that is not known is said to be left out") {
  Problems problems;
  const auto spec = read_config(multimodal("llama", 256, {{"model_type", "resnet"}}), "model", "", catalog().formats(), problems);
  REQUIRE(spec);
  CHECK(spec->towers.empty());
  REQUIRE(problems.list().size() == 1);
  CHECK(problems.list()[0].code == Code::config_key_ignored);
  CHECK(problems.list()[0].path == "/vision_config");
}

TEST_CASE("sizes of a tower that cannot be are problems with their paths") {
  for (const auto& [key, value] : {std::pair<const char*, json>{"depth", -1}, {"hidden_size", 1e18}, {"patch_size", "16"}, {"num_position_embeddings", 0}}) {
    Problems problems;
    CHECK_FALSE(read_config(multimodal("qwen3_vl", 256, {{key, value}}), "model", "", catalog().formats(), problems));
    REQUIRE(problems.list().size() == 1);
    CHECK(problems.list()[0].path == std::string("/vision_config/") + key);
  }
}

TEST_CASE("a tower larger than any number is refused") {
  Problems problems;
  const json huge{{"depth", 4096}, {"hidden_size", 1000000}, {"intermediate_size", 1000000}, {"spatial_merge_size", 16}, {"patch_size", 1024}, {"temporal_patch_size", 64}};
  CHECK_FALSE(read_config(multimodal("qwen3_vl", 256, huge), "model", "", catalog().formats(), problems));
}
