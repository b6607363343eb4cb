// Layers that keep a state, side by side with attention or in its place, and attention that picks what it reads.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/hybrid_models.hpp"
#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge;
using nlohmann::json;

namespace {

json models() { return json::parse(tests::kHybridModels, nullptr, false); }

json config_of(std::string_view id) {
  for (const auto& model : models())
    if (model["id"] == std::string(id)) return model["config"];
  return nullptr;
}

std::optional<ModelSpec> read(const json& config, Problems& problems) {
  return read_config(config, "test/model", "/model/config", catalog().formats(), problems);
}

Inventory whole(const json& config) {
  Problems problems;
  auto spec = read(config, problems);
  std::string text;
  for (const auto& p : problems.list()) text += p.path + ": " + message(p) + "\n";
  INFO(text);
  REQUIRE(spec);
  return inventory(std::move(*spec));
}

double growth(const Inventory& m) {
  double bytes = 0;
  for (const auto& c : m.caches)
    if (c.window == 0) bytes += static_cast<double>(c.layers) * ((c.k_elements + c.v_elements) * 2 + c.fixed_bytes);
  return bytes;
}

double state(const Inventory& m) {
  double bytes = 0;
  for (const auto& c : m.caches) bytes += static_cast<double>(c.layers) * (c.state_elements * c.state_bits / 8 + c.conv_elements * 2);
  return bytes;
}

std::int64_t elements(const Inventory& m, std::string_view part) {
  std::int64_t n = 0;
  for (const auto& r : m.rows)
    if (r.name.find(part) != std::string::npos) n += r.elements();
  return n;
}

}  // namespace

TEST_CASE("hybrid models have their published totals, caches and states") {
  for (const auto& model : models()) {
    const auto id = model["id"].get<std::string>();
    INFO(id);
    const auto m = whole(model["config"]);
    CHECK(m.parameters == model["parameters"].get<std::int64_t>());
    CHECK(m.mtp_parameters == model["mtp"].get<std::int64_t>());
    CHECK(growth(m) == model["kv_bytes_per_token"].get<double>());
    CHECK(state(m) == model["state_bytes"].get<double>());
    CHECK(m.active_parameters > 0);
    CHECK(m.active_parameters <= m.parameters - m.mtp_parameters);
    CHECK(m.rows.size() <= 100);               // DeepSeek V4 has five kinds of layers
    std::int64_t layers = 0;
    for (std::size_t i = 0; i < m.spec.kinds.size(); ++i) layers += m.caches[i].layers;
    CHECK(layers == m.spec.layers());
  }
}

TEST_CASE("kernels, decays and steps are no matrices: no format quantises them") {
  for (const auto& model : models()) {
    const auto m = whole(model["config"]);
    INFO(model["id"].get<std::string>());
    std::vector<StoredRow> stored;
    for (const auto* format : {"int4", "Q4_K_M", "fp8", "nf4"}) {
      store(m, *catalog().formats().find_weight(format), catalog().formats(), stored);
      for (const auto& s : stored) {
        const auto& row = m.rows[s.row];
        if (row.cls != TensorClass::recurrence) continue;
        CHECK(!row.linear);
        CHECK(catalog().formats().encodings[s.encoding].bits >= 16);
      }
    }
  }
}

TEST_CASE("attention and state stand side by side in a layer of Falcon-H1") {
  const auto m = whole(config_of("tiiuae/Falcon-H1-0.5B-Instruct"));
  REQUIRE(m.spec.kinds.size() == 1);
  REQUIRE(m.caches.size() == 2);
  CHECK(m.caches[0].k_elements == 2 * 64);
  CHECK(m.caches[0].state_elements == 0);
  CHECK(m.caches[1].kind == 0);
  CHECK(m.caches[1].state_elements == 24 * 64 * 128);
  CHECK(m.caches[1].layers == 36);
  CHECK(m.caches[1].kv_heads == 24);
}

TEST_CASE("a layer of Nemotron-H is one half of an ordinary one") {
  const auto m = whole(config_of("nvidia/Nemotron-H-56B-Base-8K"));
  REQUIRE(m.spec.kinds.size() == 3);
  CHECK(m.spec.layers() == 118);
  for (const auto& kind : m.spec.kinds) {
    CHECK(kind.norms == 1);
    CHECK((kind.mixer.kind == MixerKind::none && kind.mixer.recurrent.kind == RecurrentKind::none) == (kind.feed_forward.width > 0));
  }
  auto config = config_of("nvidia/Nemotron-H-56B-Base-8K");
  config["num_hidden_layers"] = 117;
  Problems problems;
  CHECK(!read(config, problems));
  CHECK(problems.list()[0].code == Code::config_contradiction);
  config["hybrid_override_pattern"] = "MX*-";
  problems = {};
  CHECK(!read(config, problems));
}

TEST_CASE("words and letters say the same layers") {
  auto config = config_of("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16");
  const auto letters = config["hybrid_override_pattern"].get<std::string>();
  const auto before = whole(config);
  json words = json::array();
  for (const char c : letters) words.push_back(c == 'M' ? "mamba" : c == '*' ? "attention" : "moe");
  config.erase("hybrid_override_pattern");
  config.erase("num_hidden_layers");
  config["layers_block_type"] = words;
  const auto after = whole(config);
  CHECK(after.spec.layer_kind == before.spec.layer_kind);
  CHECK(after.parameters == before.parameters);
}

TEST_CASE("a list of layer types and an interval say the same layers") {
  auto config = config_of("Qwen/Qwen3.5-9B");
  const auto before = whole(config);
  json types = json::array();
  for (int i = 0; i < 32; ++i) types.push_back(i % 4 == 3 ? "full_attention" : "linear_attention");
  config["layer_types"] = types;
  config.erase("full_attention_interval");
  CHECK(whole(config).spec.layer_kind == before.spec.layer_kind);
  config["layer_types"][5] = "something_else";
  Problems problems;
  CHECK(!read(config, problems));
}

TEST_CASE("a state in 16 bits is half of one in 32") {
  auto config = config_of("Qwen/Qwen3.5-9B");
  const auto full = whole(config);
  config["mamba_ssm_dtype"] = "bfloat16";
  const auto half = whole(config);
  double states = 0;
  for (const auto& c : full.caches) states += static_cast<double>(c.layers) * c.state_elements;
  CHECK(state(full) - state(half) == 2 * states);
}

TEST_CASE("the state does not grow with the context, and more state heads make more of it") {
  auto config = config_of("tiiuae/falcon-mamba-7b");
  const auto one = whole(config);
  CHECK(growth(one) == 0);
  config["state_size"] = 32;
  const auto two = whole(config);
  CHECK(two.caches[0].state_elements == 2 * one.caches[0].state_elements);
  CHECK(two.caches[0].conv_elements == one.caches[0].conv_elements);
  CHECK(elements(two, "A_log") == 2 * elements(one, "A_log"));
}

TEST_CASE("tensor parallelism keeps the heads of a state together") {
  CHECK(whole(config_of("Qwen/Qwen3-Next-80B-A3B-Instruct")).heads_divisor == 16);
  CHECK(whole(config_of("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16")).heads_divisor == 32);
  CHECK(whole(config_of("tiiuae/Falcon-H1-0.5B-Instruct")).heads_divisor == 8);
}

TEST_CASE("published totals of sizes that are known in words only") {
  // Codestral Mamba 7B: the safetensors total on its Hugging Face page.
  CHECK(whole({{"model_type", "mamba2"}, {"vocab_size", 32768}, {"hidden_size", 4096}, {"num_hidden_layers", 64}, {"num_heads", 128},
               {"head_dim", 64}, {"state_size", 128}, {"n_groups", 8}, {"conv_kernel", 4}, {"expand", 2}, {"tie_word_embeddings", false}})
            .parameters == 7'285'403'648);
}

TEST_CASE("an indexer keeps one key per token and bounds what attention reads") {
  const auto m = whole(config_of("zai-org/GLM-5"));
  CHECK(elements(m, "indexer") == 79 * (2048 * 32 * 128 + 6144 * 128 + 2 * 128 + 6144 * 32));       // 78 layers and the prediction layer
  double fixed = 0;
  for (const auto& c : m.caches) {
    fixed += static_cast<double>(c.layers) * c.fixed_bytes;
    if (c.k_elements > 0) CHECK(c.attends == 2048);
    else CHECK(c.attends == 0);
  }
  CHECK(fixed == 78 * 132);

  // GLM-5.2: three layers in four take the choice of the one before them.
  auto config = config_of("zai-org/GLM-5");
  json types = json::array();
  for (int i = 0; i < 78; ++i) types.push_back(i < 3 || i % 4 == 2 ? "full" : "shared");
  config["indexer_types"] = types;
  const auto shared = whole(config);
  CHECK(shared.parameters - shared.mtp_parameters == 743'377'019'904);
  for (const auto& c : shared.caches)
    if (c.k_elements > 0) CHECK(c.attends == 2048);
}

TEST_CASE("compressed attention keeps a window, averages, and an index of the fine ones") {
  const auto m = whole(config_of("deepseek-ai/DeepSeek-V4-Flash"));
  double window = 0, fine = 0, coarse = 0, index = 0;
  for (const auto& c : m.caches) {
    const auto layers = static_cast<double>(c.layers);
    if (c.window == 128) window += layers;
    else if (c.fixed_bytes > 0) index += layers * c.fixed_bytes;
    else if (c.attends == 512 * 4) fine += layers * c.k_elements;
    else coarse += layers * c.k_elements;
  }
  CHECK(window == 43);
  CHECK(fine == 21 * 128);
  CHECK(coarse == 20 * 4);
  CHECK(index == 21 * 33);
  CHECK(elements(m, "hyper_connection") == 43 * 2 * (24 * 4 * 4096 + 27) + 4 * 4 * 4096 + 5);
}

TEST_CASE("layers with more than one part are read or refused, never half counted") {
  for (const auto& model : models()) {
    const auto base = model["config"];
    for (const auto& [key, value] : base.items()) {
      for (const json& wrong : {json(nullptr), json(-1), json(0), json(1e18), json("x"), json::array(), json::object({{"a", 1}}), json::array({-1, 1e18})}) {
        auto config = base;
        config[key] = wrong;
        Problems problems;
        const auto spec = read(config, problems);
        if (!spec) {
          CHECK(!problems.list().empty());
          continue;
        }
        const auto m = inventory(*spec);
        std::int64_t sum = 0;
        for (const auto& r : m.rows) {
          if (r.elements() <= 0) FAIL_CHECK(model["id"].get<std::string>() << " " << key << " " << wrong.dump() << ": " << r.name);
          sum += r.elements();
        }
        CHECK(sum == m.parameters);
      }
    }
  }
}

TEST_CASE("LongCat-Flash: a layer is a pair, and a third of what the router chooses from does nothing") {
  const json config{{"model_type", "longcat_flash"}, {"vocab_size", 131072}, {"hidden_size", 6144}, {"num_layers", 28}, {"num_attention_heads", 64},
                    {"q_lora_rank", 1536}, {"kv_lora_rank", 512}, {"qk_nope_head_dim", 128}, {"qk_rope_head_dim", 64}, {"v_head_dim", 128},
                    {"ffn_hidden_size", 12288}, {"expert_ffn_hidden_size", 2048}, {"n_routed_experts", 512}, {"zero_expert_num", 256}, {"moe_topk", 12}};
  const auto m = whole(config);
  CHECK(m.spec.layers() == 56);
  CHECK(m.experts_used == 8);
  CHECK(static_cast<double>(m.parameters) / 1e9 == Approx(560).epsilon(0.005));       // "560 billion", arXiv 2509.01322
  CHECK(static_cast<double>(m.active_parameters) / 1e9 == Approx(27).epsilon(0.05));  // "27 billion on average"
}
