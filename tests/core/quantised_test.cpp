// Checkpoints whose parts are stored in different ways: what a config says of them, and the bytes that follow.
#include <nlohmann/json.hpp>

#include "core/api_json.hpp"
#include "support/catch.hpp"
#include "weighbridge/api.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge;
using nlohmann::json;

namespace {

json qwen3(std::int64_t hidden, std::int64_t width, std::int64_t layers, std::int64_t heads) {
  return {{"model_type", "qwen3"}, {"torch_dtype", "bfloat16"}, {"vocab_size", 151936}, {"hidden_size", hidden}, {"intermediate_size", width}, {"num_hidden_layers", layers},
          {"num_attention_heads", heads}, {"num_key_value_heads", 8}, {"head_dim", 128}, {"tie_word_embeddings", false}, {"max_position_embeddings", 40960}};
}
json with(json config, json quantization) {
  config["quantization_config"] = std::move(quantization);
  return config;
}

struct Checkpoint {
  Inventory inventory;
  std::vector<StoredRow> rows;
  double bytes() const {
    double sum = 0;
    for (const auto& s : rows) sum += s.bytes.value;
    return sum;
  }
  // Encodings of a row and their layers: "nvfp4:4 bf16:28".
  std::string stored(std::string_view name) const {
    std::string out;
    for (const auto& s : rows) {
      if (inventory.rows[s.row].name != name) continue;
      if (!out.empty()) out += ' ';
      out += catalog().formats().encodings[s.encoding].id + ":" + std::to_string(s.layers);
    }
    return out;
  }
};

Checkpoint checkpoint(const json& config) {
  Problems problems;
  auto spec = read_config(config, "model", "", catalog().formats(), problems);
  REQUIRE(spec.has_value());
  Checkpoint out{inventory(std::move(*spec)), {}};
  store_published(out.inventory, catalog().formats(), out.rows);
  return out;
}

json group(int bits, const char* type, json targets) {
  return {{"targets", std::move(targets)}, {"weights", {{"num_bits", bits}, {"type", type}, {"group_size", 16}}}};
}

}  // namespace

TEST_CASE("quantised checkpoints weigh what was published") {
  // The header of RedHatAI/Qwen3-8B-FP8-dynamic, by https://github.com/llm-d-incubation/llm-d-planner (five digits).
  const json rows = {{"quant_method", "compressed-tensors"}, {"ignore", {"lm_head"}},
                     {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", {{"num_bits", 8}, {"type", "float"}, {"strategy", "channel"}}}}}}}};
  CHECK(std::abs(checkpoint(with(qwen3(4096, 12288, 36, 32), rows)).bytes() - 9438502018) < 6000);
  // total_size of the index of a bitsandbytes copy of allenai/Molmo-7B-D-0924, which leaves the tower in 16 bits: 6,661,964,712.
  const json molmo = {{"model_type", "molmo"}, {"torch_dtype", "float16"}, {"vocab_size", 152064}, {"hidden_size", 3584}, {"intermediate_size", 37888}, {"num_hidden_layers", 28},
                      {"num_attention_heads", 28}, {"num_key_value_heads", 4}, {"qkv_bias", true}, {"tie_word_embeddings", false}, {"max_position_embeddings", 4096}};
  const json nf4 = {{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}, {"bnb_4bit_use_double_quant", false}, {"llm_int8_skip_modules", {"model.vision_backbone", "model.transformer.ff_out"}}};
  const auto bytes = checkpoint(with(molmo, nf4)).bytes();
  CHECK(std::abs(bytes / 6661964712.0 - 1) < 1e-5);
}

TEST_CASE("groups with targets of their own are stored as they say, and what none names is left alone") {
  const json q = {{"quant_method", "modelopt"}, {"ignore", {"model.layers.3*"}},
                  {"config_groups", {{"group_0", group(8, "float", {"model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"})},
                                     {"group_1", group(4, "float", {"lm_head", "re:.*mlp\\.(gate|up|down)_proj"})}}}};
  const auto c = checkpoint(with(qwen3(1024, 4096, 4, 8), q));
  CHECK(c.stored("layers.{}.self_attn.q_proj.weight") == "fp8-tensor:2 bf16:2");
  CHECK(c.stored("layers.{}.self_attn.o_proj.weight") == "bf16:4");
  CHECK(c.stored("layers.{}.mlp.up_proj.weight") == "nvfp4:3 bf16:1");
  CHECK(c.stored("lm_head.weight") == "nvfp4:1");
  CHECK(c.stored("embed_tokens.weight") == "bf16:1");
}

TEST_CASE("layers that are listed one by one are stored as listed") {
  json layers = json::object();
  for (int i = 0; i < 4; ++i) {
    const auto at = "model.layers." + std::to_string(i);
    layers[at + ".self_attn.q_proj"] = {{"quant_algo", "MXFP8"}};
    layers[at + ".mlp.up_proj"] = {{"quant_algo", "NVFP4"}, {"group_size", 16}};
  }
  const auto c = checkpoint(with(qwen3(1024, 4096, 4, 8), {{"quant_algo", "MIXED_PRECISION"}, {"quantized_layers", layers}}));
  CHECK(c.stored("layers.{}.self_attn.q_proj.weight") == "mxfp8:4");
  CHECK(c.stored("layers.{}.mlp.up_proj.weight") == "nvfp4:4");
  CHECK(c.stored("layers.{}.mlp.down_proj.weight") == "bf16:4");
}

TEST_CASE("MLX: bits of single modules, and modules that are left alone") {
  auto config = qwen3(1024, 4096, 4, 8);
  config["quantization"] = {{"group_size", 64}, {"bits", 3}, {"model.layers.1.mlp.down_proj", {{"group_size", 64}, {"bits", 6}}}, {"lm_head", {{"group_size", 64}, {"bits", 8}}},
                            {"model.layers.2.self_attn.v_proj", false}};
  const auto c = checkpoint(config);
  CHECK(c.stored("layers.{}.mlp.up_proj.weight") == "mlx-3bit-g64:4");
  CHECK(c.stored("layers.{}.mlp.down_proj.weight") == "mlx-3bit-g64:3 mlx-6bit-g64:1");
  CHECK(c.stored("lm_head.weight") == "mlx-8bit-g64:1");
  CHECK(c.stored("layers.{}.self_attn.v_proj.weight") == "mlx-3bit-g64:3 bf16:1");
}

TEST_CASE("EXL3 names an average for the linear layers and one for the head") {
  const auto plain = qwen3(1024, 4096, 4, 8);
  const auto c = checkpoint(with(plain, {{"quant_method", "exl3"}, {"bits", 3.5}, {"head_bits", 6}}));
  double linear = 0, rest = 0, head = 0;
  for (const auto& r : c.inventory.rows) (r.linear ? linear : r.cls == TensorClass::output ? head : rest) += static_cast<double>(r.elements());
  CHECK(c.bytes() == linear * 3.5 / 8 + head * 6 / 8 + rest * 2);
}

TEST_CASE("towers stay in 16 bits unless bitsandbytes is told nothing of them") {
  json config = {{"model_type", "qwen3_vl"}, {"text_config", qwen3(1024, 4096, 4, 8)}, {"vision_config", {{"depth", 2}, {"hidden_size", 512}, {"intermediate_size", 2048}, {"out_hidden_size", 1024}}}};
  const auto q = [&](json quantization) { return checkpoint(with(config, std::move(quantization))).stored("vision.layers.{}.up_proj.weight"); };
  CHECK(q({{"quant_method", "fp8"}, {"weight_block_size", {128, 128}}}) == "bf16:1");
  CHECK(q({{"quant_method", "awq"}, {"bits", 4}, {"group_size", 128}}) == "bf16:1");
  CHECK(q({{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}}) == "nf4-b64:1");
  CHECK(q({{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}, {"llm_int8_skip_modules", {"visual"}}}) == "bf16:1");
}

TEST_CASE("llama.cpp loads a tower for images alone, vLLM always") {
  using weighbridge_test::estimate;
  using weighbridge_test::number;
  json request = {{"model", "Qwen/Qwen3-VL-8B-Instruct"}, {"weights", "bf16"}, {"device", "h100-sxm-80gb"}};
  const auto loaded = [&](const char* engine, int images) {
    request["engine"] = engine;
    request["options"]["images_per_prompt"] = images;
    return number(estimate(request), "/memory/total/weights");
  };
  CHECK(loaded("llama.cpp", 1) - loaded("llama.cpp", 0) == 2.0 * 576388336);
  CHECK(loaded("vllm", 0) == loaded("vllm", 1));
  CHECK(number(estimate(request), "/model/weight_bytes") == 2.0 * 8767123696);
}

TEST_CASE("a config that names every module of every layer becomes a short model of the same bytes") {
  using namespace weighbridge_test;
  auto quantization = json{{"quant_method", "modelopt"}, {"quant_algo", "MIXED_PRECISION"}, {"quantized_layers", json::object()}, {"exclude_modules", {"lm_head"}}};
  for (int layer = 0; layer < 36; ++layer)
    for (const char* part : {"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"})
      quantization["quantized_layers"]["model.layers." + std::to_string(layer) + "." + part] =
          layer % 3 == 0 ? json{{"quant_algo", "FP8"}, {"made_by", "a calibration of every module on its own, layer by layer"}} : json{{"quant_algo", "NVFP4"}, {"group_size", 16}, {"made_by", "a calibration of every module on its own, layer by layer"}};
  const auto config = with(qwen3(4096, 12288, 36, 32), quantization);
  REQUIRE(config.dump().size() > 32 * 1024);
  const auto text = config.dump();
  const auto read = parsed(api::read_model({{"config.json", text, static_cast<std::int64_t>(text.size())}}));
  REQUIRE(is_true(read, "/ok"));
  CHECK(read["model"].dump().size() < 4096);
  CHECK(read["model"].dump().find("layers.{0,3,6,") != std::string::npos);
  const auto bytes = [](const json& model) { return number(parsed(api::estimate(json{{"model", model}}.dump())), "/model/weight_bytes"); };
  CHECK(bytes(read["model"]) == bytes({{"config", config}}));
  // A list that is no list of layers names no layer.
  auto broken = with(qwen3(4096, 12288, 2, 32), {{"quant_method", "modelopt"}, {"quant_algo", "MIXED_PRECISION"},
                                                 {"quantized_layers", {{"model.layers.{0-99999}.mlp.up_proj", {{"quant_algo", "FP8"}}}, {"model.layers.{1-,}.mlp.down_proj", {{"quant_algo", "FP8"}}}}}});
  CHECK(bytes({{"config", broken}}) > 0);
}
