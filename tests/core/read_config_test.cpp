#include "weighbridge/read_config.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "core/published_totals.hpp"
#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge;
using nlohmann::json;

namespace {

const Formats& formats() { return catalog().formats(); }

struct Reading {
  std::optional<ModelSpec> spec;
  std::vector<Problem> problems;

  bool has(Code code, std::string_view path) const {
    for (const auto& p : problems)
      if (p.code == code && p.path == path) return true;
    return false;
  }
  bool has(Code code) const {
    for (const auto& p : problems)
      if (p.code == code) return true;
    return false;
  }
  std::string text() const {
    std::string all;
    for (const auto& p : problems) all += std::string(code_name(p.code)) + " " + p.path + ": " + message(p) + "\n";
    return all;
  }
};

Reading read(const json& config) {
  Problems problems;
  Reading out;
  out.spec = read_config(config, "test/model", "/model/config", formats(), problems);
  out.problems = problems.list();
  return out;
}

Reading read(const char* text) { return read(json::parse(text, nullptr, false)); }

Inventory read_whole(const json& config) {
  auto reading = read(config);
  INFO(reading.text());
  REQUIRE(reading.spec);
  return inventory(std::move(*reading.spec));
}

json published(std::string_view id) {
  for (const auto& model : json::parse(tests::kPublishedTotals, nullptr, false))
    if (model["id"] == std::string(id)) return model["config"];
  return nullptr;
}

json llama() { return published("meta-llama/Llama-3.1-8B"); }

// 16-bit cache bytes per token once all windows are full.
double growth(const Inventory& m) {
  double bytes = 0;
  for (const auto& c : m.caches)
    if (c.window == 0) bytes += static_cast<double>(c.layers) * (c.k_elements + c.v_elements) * 2;
  return bytes;
}

std::int64_t windowed_layers(const Inventory& m, std::int64_t window) {
  std::int64_t layers = 0;
  for (const auto& c : m.caches)
    if (c.window == window) layers += c.layers;
  return layers;
}

const Encoding& linear_encoding(const ModelSpec& spec) { return formats().encodings[spec.published.linear]; }

}  // namespace

TEST_CASE("parameter totals are those that were published") {
  const auto models = json::parse(tests::kPublishedTotals, nullptr, false);
  REQUIRE(models.size() > 40);
  for (const auto& model : models) {
    INFO(model["id"]);
    const auto m = read_whole(model["config"]);
    CHECK(m.parameters == model["parameters"].get<std::int64_t>());
    CHECK(m.rows.size() <= 60);
  }
}

TEST_CASE("no catalogue model has an unknown architecture, and each has its published total") {
  // Published totals are not in the packed text; the files under core/data have them.
  std::map<std::string, std::pair<std::int64_t, bool>> totals;         // and whether the row says why it differs
  std::map<std::string, std::string> same;                             // models whose total is published for another one of the same shapes
  for (const auto& file : std::filesystem::directory_iterator(WEIGHBRIDGE_TESTS_DIR "/../core/data/models")) {
    std::ifstream in(file.path());
    for (const auto& row : json::parse(in, nullptr, false)) {
      if (row.contains("published_as")) same[row["id"]] = row["published_as"];
      if (const auto total = row.find("published_parameters"); total != row.end()) totals[row["id"]] = {total->get<std::int64_t>(), row.contains("published_differs")};
    }
  }
  CHECK(totals.size() > 250);
  CHECK(same.size() > 20);
  for (const auto& [id, other] : same) {
    INFO(id);
    const auto total = totals.find(other);
    REQUIRE((total != totals.end() && !total->second.second));
    totals.emplace(id, total->second);
  }
  CHECK(catalog().models().size() >= 200);
  for (const auto& model : catalog().models()) {
    INFO(model.id);
    const auto reading = read(catalog().model_config(model));
    INFO(reading.text());
    REQUIRE(reading.spec);
    CHECK(!reading.has(Code::unknown_architecture));
    const auto m = inventory(*reading.spec);
    const auto total = totals.find(model.id);
    if (total == totals.end()) continue;
    CHECK((m.parameters == total->second.first) != total->second.second);
    CHECK(static_cast<double>(m.parameters) > 0.74 * static_cast<double>(total->second.first));        // a stored copy of the table in a small model
  }
}

TEST_CASE("parts that cannot be counted are problems in every family") {
  const json plain = json::parse(R"({"model_type": "qwen3", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
    "num_hidden_layers": 2, "num_attention_heads": 32})", nullptr, false);
  CHECK(read(plain).spec);
  const auto with = [&](const char* type, const char* key, json value) {
    auto config = plain;
    config["model_type"] = type;
    config[key] = std::move(value);
    return read(config);
  };
  for (const char* type : {"qwen3", "llama", "deepseek_v3", "something-new"}) {
    INFO(type);
    for (const char* layer : {"linear_attention", "conv", "mamba", "recurrent"}) {
      const auto reading = with(type, "layer_types", json::array({layer, "full_attention"}));
      CHECK(!reading.spec);
      CHECK(reading.has(Code::unsupported_model));
    }
    CHECK(with(type, "ssm_state_size", 16).has(Code::unsupported_model));
    CHECK(with(type, "index_topk", 2048).has(Code::unsupported_model));
    CHECK(!with(type, "index_topk", 0).has(Code::unsupported_model));
    CHECK(!with(type, "index_topk", nullptr).has(Code::unsupported_model));
  }
  const auto reward = with("llama", "architectures", json::array({"LlamaForSequenceClassification"}));
  CHECK(reward.spec);
  CHECK(reward.has(Code::config_key_ignored, "/model/config/architectures"));
}

TEST_CASE("names lead to their rows in any spelling") {
  for (const char* name : {"qwen/qwq-32b", "QwQ-32B", "qwq 32b", "QWQ_32B"}) CHECK(catalog().find_model(name)->id == "Qwen/QwQ-32B");
  CHECK(catalog().find_model("opt-13b")->id == "facebook/opt-13b");
  CHECK(catalog().find_model("OPT 1.3B")->id == "facebook/opt-1.3b");
  CHECK(catalog().find_model("llama3:8b")->id == "meta-llama/Meta-Llama-3-8B-Instruct");
  CHECK(catalog().find_model("meta-llama/Llama-2-7b-hf")->name == "Llama 2 7B");
  for (const char* name : {"rtx-4090", "RTX 4090", "4090", "rtx4090", "NVIDIA GeForce RTX 4090"}) CHECK(catalog().find_device(name)->device.id == "rtx-4090");
  CHECK(catalog().find_device("m1 max")->device.id == "apple-m1-max-32c");
  CHECK(catalog().find_device("nvidia h100")->device.id == "h100-sxm-80gb");
  for (const char* name : {"", "rtx", "gpu", "-", "GeForce RTX"}) {
    CHECK(catalog().find_device(name) == nullptr);
    CHECK(catalog().find_model(name) == nullptr);
  }
}

TEST_CASE("a device's row says of each figure where it is from") {
  const auto row = catalog().device_row(catalog().find_device("rtx-4090")->row);
  CHECK(row["id"] == "rtx-4090");
  CHECK(row["name"] == "GeForce RTX 4090");
  CHECK(row["unified"] == false);
  CHECK(row["flops"]["fp16"] == 165200000000000);
  CHECK(row["basis"]["flops.fp16"] == json::array({"derived", "128 SM x 2520 MHz x 512 FLOP per clock"}));
  CHECK(row["basis"]["bandwidth"][0] == "sourced");
  CHECK(!row.contains("clock"));
}

TEST_CASE("active parameters are near what the makers say") {
  // Model cards: gpt-oss-20b 3.6B and 120b 5.1B active; Mixtral 8x7B 12.9B; Qwen3-235B-A22B 22B; DeepSeek-V2-Lite 2.4B.
  const auto active = [](std::string_view id) { return static_cast<double>(read_whole(published(id)).active_parameters); };
  CHECK(std::abs(active("openai/gpt-oss-20b") - 3.6e9) < 0.05e9);
  CHECK(std::abs(active("openai/gpt-oss-120b") - 5.1e9) < 0.05e9);
  CHECK(std::abs(active("mistralai/Mixtral-8x7B-v0.1") - 12.9e9) < 0.2e9);
  CHECK(std::abs(active("Qwen/Qwen3-235B-A22B") - 22e9) < 0.7e9);
  CHECK(std::abs(active("deepseek-ai/DeepSeek-V2-Lite") - 2.4e9) < 0.2e9);
}

TEST_CASE("cache growth per token by attention") {
  const auto per_token = [](std::string_view id) { return growth(read_whole(published(id))); };
  CHECK(per_token("meta-llama/Llama-2-7b-hf") == 2 * 32 * 32 * 128 * 2);           // multi-head
  CHECK(per_token("meta-llama/Llama-3.1-8B") == 2 * 32 * 8 * 128 * 2);             // grouped
  CHECK(per_token("bigcode/gpt_bigcode-santacoder") == 2 * 24 * 1 * 128 * 2);      // one key-value head
  CHECK(per_token("mistralai/Mistral-Nemo-Instruct-2407") == 2 * 40 * 8 * 128 * 2);      // head_dim is not hidden / heads
  CHECK(per_token("deepseek-ai/DeepSeek-V2-Lite") == 27 * (512 + 64) * 2);         // the latent
}

TEST_CASE("windows: from a list, from a pattern, from the family") {
  const auto gemma2 = read_whole(published("google/gemma-2-9b-it"));
  CHECK(windowed_layers(gemma2, 4096) == 21);
  CHECK(windowed_layers(gemma2, 0) == 21);
  CHECK(gemma2.spec.kinds[gemma2.spec.layer_kind[0]].mixer.attention.window == 4096);

  const auto gemma3 = read_whole(published("google/gemma-3-1b-it"));
  CHECK(windowed_layers(gemma3, 512) == 22);
  CHECK(gemma3.spec.kinds[gemma3.spec.layer_kind[5]].mixer.attention.window == 0);

  CHECK(windowed_layers(read_whole(published("mistralai/Mistral-7B-Instruct-v0.1")), 4096) == 32);
  CHECK(windowed_layers(read_whole(published("mistralai/Mistral-7B-Instruct-v0.3")), 0) == 32);
  CHECK(windowed_layers(read_whole(published("openai/gpt-oss-20b")), 128) == 12);
  CHECK(windowed_layers(read_whole(published("LGAI-EXAONE/EXAONE-4.0-32B")), 4096) == 48);

  auto listed = published("google/gemma-2-9b-it");
  listed["layer_types"] = json::array();
  for (int i = 0; i < 42; ++i) listed["layer_types"].push_back(i < 40 ? "full_attention" : "sliding_attention");
  CHECK(windowed_layers(read_whole(listed), 4096) == 2);
}

TEST_CASE("a window that is switched off or longer than the context is none") {
  auto qwen = published("Qwen/Qwen2.5-7B");
  qwen["sliding_window"] = 4096;
  qwen["use_sliding_window"] = false;
  CHECK(windowed_layers(read_whole(qwen), 0) == 28);
  qwen["use_sliding_window"] = true;
  qwen["max_window_layers"] = 20;
  CHECK(windowed_layers(read_whole(qwen), 4096) == 8);

  auto phi = published("microsoft/Phi-3-mini-4k-instruct");
  CHECK(windowed_layers(read_whole(phi), 2047) == 32);
  phi["sliding_window"] = 262144;
  phi["max_position_embeddings"] = 131072;
  CHECK(windowed_layers(read_whole(phi), 0) == 32);
}

TEST_CASE("head_dim is taken from the file and divided only when absent") {
  auto config = llama();
  config["head_dim"] = nullptr;
  CHECK(read_whole(config).spec.kinds[0].mixer.attention.head_dim == 128);
  config["head_dim"] = 256;
  CHECK(read_whole(config).spec.kinds[0].mixer.attention.head_dim == 256);
}

TEST_CASE("a language model inside a multimodal config, with its tower") {
  const json config = {{"model_type", "mistral3"},
                       {"torch_dtype", "float16"},
                       {"tie_word_embeddings", true},
                       {"vision_config", {{"hidden_size", 1024}}},
                       {"text_config", llama()}};
  auto inner = config;
  inner["text_config"].erase("tie_word_embeddings");
  const auto reading = read(inner);
  INFO(reading.text());
  REQUIRE(reading.spec);
  CHECK(reading.spec->tied);
  CHECK(reading.spec->published.format == "fp16");
  CHECK(reading.spec->towers.size() == 1);

  // A table of sizes inside text_config is where a problem in it is shown.
  inner["text_config"]["hidden_size"] = -1;
  CHECK(read(inner).has(Code::config_bad_value, "/model/config/text_config/hidden_size"));
}

TEST_CASE("layers of a pruned model differ one by one") {
  auto config = llama();
  config["model_type"] = "nemotron-nas";
  config["num_hidden_layers"] = 3;
  config.erase("intermediate_size");
  config.erase("num_key_value_heads");
  const json attention = {{"n_heads_in_group", 4}}, ffn = {{"ffn_mult", 5.25}}, nothing = {{"no_op", true}};
  config["block_configs"] = {{{"attention", attention}, {"ffn", ffn}}, {{"attention", nothing}, {"ffn", ffn}}, {{"attention", attention}, {"ffn", nothing}}};
  const auto m = read_whole(config);
  const std::int64_t width = 14336;                      // 2 x 5.25 x 4096 / 3, already a multiple of 256
  const std::int64_t one_attention = 2LL * 4096 * 4096 + 2LL * 1024 * 4096, one_ffn = 3 * 4096 * width;
  CHECK(m.parameters == 2LL * 128256 * 4096 + 2 * one_attention + 2 * one_ffn + 4 * 4096 + 4096);
  CHECK(m.spec.kinds.size() == 3);
}

TEST_CASE("weights are published in what the file says") {
  auto config = llama();
  CHECK(read(config).spec->published.assumed);
  config["torch_dtype"] = "bfloat16";
  auto p = read(config).spec->published;
  CHECK(p.format == "bf16");
  CHECK(!p.assumed);
  CHECK(!p.quantised);
  config.erase("torch_dtype");
  config["dtype"] = "float32";
  CHECK(read(config).spec->published.format == "fp32");
}

TEST_CASE("quantised checkpoints by their quantization_config") {
  struct Case {
    const char* config;
    const char* format;
    const char* encoding;
  };
  const Case cases[] = {
      {R"({"quant_method":"fp8","weight_block_size":[128,128]})", "fp8", "fp8-tile128"},
      {R"({"quant_method":"fp8","weight_block_size":null,"activation_scheme":"static"})", "fp8", "fp8-tensor"},
      {R"({"quant_method":"awq","bits":4,"group_size":128,"zero_point":true})", "awq-int4", "awq-int4-g128"},
      {R"({"quant_method":"gptq","bits":4,"group_size":32})", "gptq-int4", "gptq-int4-g32"},
      {R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"})", "nf4", "nf4-b64"},
      {R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_use_double_quant":true})", "nf4-dq", "nf4-b64-dq"},
      {R"({"quant_method":"bitsandbytes","load_in_8bit":true})", "bnb-int8", "bnb-int8"},
      {R"({"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":8,"type":"float","strategy":"channel"}}}})", "fp8", "fp8-row"},
      {R"({"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":8,"type":"int","strategy":"channel"}}}})", "w8a8-int8", "int8-row"},
      {R"({"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":4,"type":"int","strategy":"group","group_size":32}}}})", "int4", "int4-g32"},
      {R"({"quant_algo":"NVFP4","config_groups":{"group_0":{"weights":{"num_bits":4,"type":"float","group_size":16}}}})", "nvfp4", "nvfp4"},
      {R"({"quant_method":"modelopt","quant_algo":"FP8"})", "fp8", "fp8-tensor"},
      {R"({"group_size":64,"bits":4})", "mlx-4bit", "mlx-4bit-g64"},
  };
  for (const auto& c : cases) {
    INFO(c.config);
    auto config = llama();
    config["quantization_config"] = json::parse(c.config, nullptr, false);
    const auto reading = read(config);
    INFO(reading.text());
    REQUIRE(reading.spec);
    CHECK(reading.problems.empty());
    CHECK(reading.spec->published.quantised);
    CHECK(reading.spec->published.format == c.format);
    CHECK(linear_encoding(*reading.spec).id == c.encoding);
  }
}

TEST_CASE("modules that stay unquantised are found by name, pattern and layer") {
  const auto kept = [](const char* list) {
    auto config = llama();
    config["num_hidden_layers"] = 2;
    config["quantization_config"] = {{"quant_method", "fp8"}, {"weight_block_size", {128, 128}}, {"modules_to_not_convert", json::parse(list, nullptr, false)}};
    return read(config).spec->published.unquantised;
  };
  using Names = std::vector<std::string>;
  CHECK(kept(R"(["lm_head","model.embed_tokens","model.layers.0.input_layernorm","model.layers.1.mlp.gate","visual.blocks.0.mlp"])").empty());
  CHECK(kept(R"(["re:.*self_attn.*"])") == Names{"self_attn"});
  CHECK(kept(R"(["re:.*mlp\\.(gate|up)_proj.*"])") == Names{"mlp.gate_proj", "mlp.up_proj"});
  CHECK(kept(R"(["model.layers.0.self_attn*","model.layers.1.self_attn*"])") == Names{"model.layers.{}.self_attn"});
  CHECK(kept(R"(["model.layers.1.self_attn.o_proj"])") == Names{"model.layers.1.self_attn.o_proj"});
  CHECK(kept(R"([7, null, {"a": 1}, ""])").empty());
  CHECK(kept(R"("no list")").empty());
}

TEST_CASE("a way of quantising that is not known is said, and 16 bits are taken") {
  for (const auto* text : {R"({"quant_method":"hqq","nbits":3})", R"({"quant_method":"gptq","bits":3,"group_size":128})", R"({})"}) {
    auto config = llama();
    config["quantization_config"] = json::parse(text, nullptr, false);
    const auto reading = read(config);
    REQUIRE(reading.spec);
    CHECK(reading.has(Code::config_key_ignored, "/model/config/quantization_config"));
    CHECK(!reading.spec->published.quantised);
    CHECK(reading.spec->published.assumed);
  }
}

// ---- what can be wrong ----

TEST_CASE("all that is missing is named at once, with the other names it has") {
  const auto reading = read(R"({"model_type":"llama","vocab_size":32000})");
  CHECK(!reading.spec);
  for (const auto* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"})
    CHECK(reading.has(Code::config_missing_key, std::string("/model/config/") + key));
  CHECK(reading.problems.size() == 4);
  CHECK(reading.text().find("num_hidden_layers, n_layer, n_layers or num_layers") != std::string::npos);
}

TEST_CASE("values that cannot be are named with what is accepted") {
  const json values[] = {-1, 0, 1.5, 1e308, "4096", true, json::array({1, 2}), json::object()};
  for (const auto* key : {"hidden_size", "vocab_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size"}) {
    for (const auto& value : values) {
      auto config = llama();
      config[key] = value;
      INFO(key << " = " << value.dump());
      const auto reading = read(config);
      CHECK(!reading.spec);
      CHECK(reading.has(Code::config_bad_value, std::string("/model/config/") + key));
      CHECK(reading.problems.size() == 1);
    }
  }
}

TEST_CASE("a whole number may be written with a point, or once for each layer") {
  auto config = llama();
  config["hidden_size"] = 4096.0;
  CHECK(read_whole(config).parameters == 8'030'261'248);
  config["num_key_value_heads"] = json::array({8, 8, 8});
  CHECK(read_whole(config).parameters == 8'030'261'248);
}

TEST_CASE("sizes that contradict each other") {
  auto config = llama();
  config["num_key_value_heads"] = 5;
  CHECK(read(config).has(Code::config_contradiction, "/model/config/num_key_value_heads"));

  config = llama();
  config["num_attention_heads"] = 24;
  CHECK(read(config).has(Code::config_contradiction, "/model/config/hidden_size"));

  config = published("mistralai/Mixtral-8x7B-v0.1");
  config["num_experts_per_tok"] = 9;
  CHECK(read(config).has(Code::config_contradiction, "/model/config/num_experts_per_tok"));

  config = published("google/gemma-2-9b-it");
  config["layer_types"] = {"full_attention"};
  CHECK(read(config).has(Code::config_bad_value, "/model/config/layer_types"));
}

TEST_CASE("a model of more than 2^53 parameters is refused before anything overflows") {
  auto config = llama();
  config["hidden_size"] = 1'000'000;
  config["head_dim"] = 65536;
  config["num_attention_heads"] = 16384;
  config["num_key_value_heads"] = 16384;
  config["num_hidden_layers"] = 4096;
  config["intermediate_size"] = 10'000'000;
  const auto reading = read(config);
  CHECK(!reading.spec);
  CHECK(reading.has(Code::config_contradiction));
}

TEST_CASE("an unknown architecture is read by its generic keys, and said") {
  auto config = llama();
  config["model_type"] = "something_new";
  const auto reading = read(config);
  REQUIRE(reading.spec);
  CHECK(reading.has(Code::unknown_architecture, "/model/config/model_type"));
  CHECK(inventory(*reading.spec).parameters == 8'030'261'248);

  config.erase("intermediate_size");
  CHECK(read(config).has(Code::config_missing_key, "/model/config/intermediate_size"));
  CHECK(!read(config).has(Code::unknown_architecture));
}

TEST_CASE("parts that are not computed yet are named, never guessed") {
  auto config = llama();
  config["model_type"] = "zamba2";
  const auto known = read(config);
  CHECK(!known.spec);
  REQUIRE(known.has(Code::unsupported_model, "/model/config"));
  CHECK(known.text().find("stored once and used by several") != std::string::npos);

  config["model_type"] = "something_new";
  config["linear_num_value_heads"] = 32;
  const auto unknown = read(config);
  CHECK(!unknown.spec);
  CHECK(unknown.text().find("linear_num_value_heads") != std::string::npos);
}

TEST_CASE("families whose common keys would mislead are refused, each with what it has that is not counted") {
  const std::pair<const char*, const char*> rows[] = {
      {"zamba", "stored once"}, {"ouro", "several times"},    {"xlstm", "mLSTM"},      {"rwkv6qwen2", "RWKV"},  {"minicpm_sala", "fixed decay"},
      {"Dream", "diffusion"},   {"llada2_moe", "diffusion"},  {"diffllama", "differential"}, {"grove_moe", "beside the routed"},
      {"fuyu", "two matrices"}, {"t5gemma", "an encoder"},    {"deberta-v2", "makes no text"}, {"ernie4_5_moe_vl", "for images"}};
  for (const auto& [type, part] : rows) {
    INFO(type);
    auto config = llama();
    config["model_type"] = type;
    const auto reading = read(config);
    CHECK(!reading.spec);
    REQUIRE(reading.has(Code::unsupported_model, "/model/config"));
    CHECK(reading.text().find(part) != std::string::npos);
  }
}

// The language parts of these are those of GLM-4-0414, Qwen2, Qwen3 and ERNIE 4.5 (config.json and model code of each).
TEST_CASE("towers of their own do not make a language part another one") {
  const std::pair<const char*, const char*> rows[] = {{"glm4v_text", "glm4"}, {"glm46v", "glm4"},   {"dots_ocr", "qwen2"},
                                                      {"Keye", "qwen3"},      {"xverse", "llama"},  {"paddleocr_vl", "ernie4_5"}};
  for (const auto& [type, same] : rows) {
    INFO(type);
    auto one = llama(), other = llama();
    one["model_type"] = type;
    other["model_type"] = same;
    const auto reading = read(one), known = read(other);
    REQUIRE(reading.spec);
    CHECK(!reading.has(Code::unknown_architecture, "/model/config/model_type"));
    CHECK(reading.spec->kinds == known.spec->kinds);
  }
}

TEST_CASE("experts of an unknown family are read under every name that families have for their number") {
  auto config = llama();
  config["model_type"] = "something_new";
  const auto dense = inventory(*read(config).spec).parameters;
  for (const auto* key : {"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"}) {
    auto moe = config;
    moe[key] = 8;
    moe["num_experts_per_tok"] = 2;
    const auto reading = read(moe);
    REQUIRE(reading.spec);
    CHECK(inventory(*reading.spec).parameters > 5 * dense);
  }
}

TEST_CASE("what is no config at all") {
  for (const auto& value : {json(nullptr), json(7), json("llama"), json::array(), json(true)}) {
    const auto reading = read(value);
    CHECK(!reading.spec);
    CHECK(reading.has(Code::wrong_type, "/model/config"));
  }
  const auto empty = read(json::object());
  CHECK(!empty.spec);
  CHECK(empty.problems.size() >= 5);
}

TEST_CASE("any one value gone wrong gives a problem or a model, never neither") {
  const json values[] = {nullptr, "x", -1, 0, 1, 7, 3.5, 1e7, 1e308, true, json::array(), json::array({1, 2}), json::object()};
  for (const auto& model : json::parse(tests::kPublishedTotals, nullptr, false)) {
    const auto& config = model["config"];
    for (const auto& [key, original] : config.items()) {
      for (const auto& value : values) {
        auto changed = config;
        changed[key] = value;
        Problems problems;
        const auto spec = read_config(changed, "x", "/c", formats(), problems);
        if (spec.has_value() == problems.has_errors()) FAIL(model["id"] << " " << key << " = " << value.dump());
        if (!spec) continue;
        const auto m = inventory(*spec);
        if (m.parameters <= 0 || m.active_parameters > m.parameters) FAIL(model["id"] << " " << key << " = " << value.dump());
      }
    }
  }
  SUCCEED("all combinations answered");
}

// The counts of every case in a folder of measurements, when one is given.
TEST_CASE("totals of a given folder of cases") {
  const char* folder = std::getenv("WEIGHBRIDGE_CASES");
  if (!folder) {
    std::cerr << "SKIPPED: WEIGHBRIDGE_CASES names no folder, so its parameter totals are not compared\n";
    return;
  }
  std::ifstream cases(std::string(folder) + "/models.jsonl");
  REQUIRE(cases.good());
  int exact = 0, refused = 0;
  for (std::string line; std::getline(cases, line);) {
    const auto c = json::parse(line, nullptr, false);
    if (c["path"] != "/model/parameters" || !c["request"]["model"].contains("config_file")) continue;
    std::ifstream file(std::string(folder) + "/../configs/" + c["request"]["model"]["config_file"].get<std::string>());
    std::stringstream text;
    text << file.rdbuf();
    const auto reading = read(text.str().c_str());
    if (!reading.spec || reading.has(Code::config_key_ignored)) {
      ++refused;                                         // or a tower is not counted, and said so
      continue;
    }
    const auto count = static_cast<double>(inventory(*reading.spec).parameters);
    INFO(c["id"]);
    if (c.contains("range")) {
      CHECK(count >= c["range"][0].get<double>());
      CHECK(count <= c["range"][1].get<double>());
    } else {
      CHECK(count == c["value"].get<double>());
    }
    ++exact;
  }
  std::cerr << "parameter totals: " << exact << " as published, " << refused << " not read in full\n";
  CHECK(exact > 100);
}
