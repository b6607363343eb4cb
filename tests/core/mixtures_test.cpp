// Mixtures of experts whose makers publish a rounded total only.
#include <cmath>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge;
using nlohmann::json;

namespace {

// "billions": as on the model's Hub page, to its last digit; the config as the repository has it.
constexpr const char kMixtures[] = R"json([
{"id": "arcee-ai/Trinity-Mini", "billions": 26.1, "windowed": 24, "config": {"model_type": "afmoe", "vocab_size": 200192, "hidden_size": 2048, "num_hidden_layers": 32, "num_attention_heads": 32,
  "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 1024, "num_experts": 128, "num_experts_per_tok": 8, "num_shared_experts": 1, "num_dense_layers": 2,
  "sliding_window": 2048, "global_attn_every_n_layers": 4, "max_position_embeddings": 131072, "tie_word_embeddings": false}},
{"id": "LGAI-EXAONE/K-EXAONE-236B-A23B", "billions": 237.1, "windowed": 36, "config": {"model_type": "exaone_moe", "vocab_size": 153600, "hidden_size": 6144, "num_hidden_layers": 48, "num_attention_heads": 64,
  "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 18432, "moe_intermediate_size": 2048, "num_experts": 128, "num_experts_per_tok": 8, "num_shared_experts": 1, "first_k_dense_replace": 1,
  "sliding_window": 128, "sliding_window_pattern": "LLLG", "num_nextn_predict_layers": 1, "max_position_embeddings": 262144, "tie_word_embeddings": false}},
{"id": "mistralai/Mistral-Small-4-119B-2603", "billions": 119.4, "windowed": 0, "config": {"model_type": "mistral3", "text_config": {"model_type": "mistral4", "vocab_size": 131072, "hidden_size": 4096, "num_hidden_layers": 36,
  "num_attention_heads": 32, "num_key_value_heads": 32, "kv_lora_rank": 256, "q_lora_rank": 1024, "qk_nope_head_dim": 64, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 128,
  "n_shared_experts": 1, "num_experts_per_tok": 4, "moe_intermediate_size": 2048, "first_k_dense_replace": 0, "intermediate_size": 12288, "tie_word_embeddings": false}, "spatial_merge_size": 2,
  "vision_config": {"model_type": "pixtral", "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "image_size": 1540, "patch_size": 14, "num_attention_heads": 16, "head_dim": 64}}}
])json";

}  // namespace

TEST_CASE("mixtures of experts have as many billions as published") {
  const auto mixtures = json::parse(kMixtures, nullptr, false);
  REQUIRE(mixtures.size() == 3);
  for (const auto& m : mixtures) {
    INFO(m["id"]);
    Problems problems;
    auto spec = read_config(m["config"], "model", "", catalog().formats(), problems);
    REQUIRE(spec);
    CHECK(problems.list().empty());
    const auto inventory_of = inventory(std::move(*spec));
    CHECK(std::round(static_cast<double>(inventory_of.parameters) / 1e8) / 10 == m["billions"].get<double>());
    std::int64_t windowed = 0;
    for (const auto& c : inventory_of.caches) windowed += c.window > 0 ? c.layers : 0;
    CHECK(windowed == m["windowed"].get<std::int64_t>());
  }
}

TEST_CASE("Laguna has as many heads as each layer says, and a gate for each") {
  const json config{{"model_type", "laguna"}, {"vocab_size", 1000}, {"hidden_size", 256}, {"intermediate_size", 512}, {"num_hidden_layers", 2}, {"num_attention_heads", 4}, {"num_attention_heads_per_layer", {4, 8}},
                    {"num_key_value_heads", 2}, {"head_dim", 64}, {"num_experts", 4}, {"num_experts_per_tok", 2}, {"moe_intermediate_size", 32}, {"shared_expert_intermediate_size", 32},
                    {"layer_types", {"full_attention", "sliding_attention"}}, {"sliding_window", 128}, {"max_position_embeddings", 4096}, {"tie_word_embeddings", false}};
  Problems problems;
  auto spec = read_config(config, "model", "", catalog().formats(), problems);
  REQUIRE(spec);
  const auto attention = [](std::int64_t heads) { return 2 * heads * 64 * 256 + 2 * 2 * 64 * 256 + heads * 256 + 2 * 64 + 2 * 256; };
  CHECK(inventory(std::move(*spec)).parameters == 2 * 1000 * 256 + 256 + attention(4) + 3 * 256 * 512 + attention(8) + 5 * 3 * 256 * 32 + 4 * 256 + 4);
  auto odd = config;
  odd["num_attention_heads_per_layer"] = {4, 5};
  CHECK_FALSE(read_config(odd, "model", "", catalog().formats(), problems));
}

// Every tensor of the reference's small model (modeling_bailing_moe_v3.py of the checkpoints), written down one by one.
TEST_CASE("Ling 3 has whole matrices for gate and decay, and latent attention with a gate for each head in the last layer of a group") {
  const json config{{"model_type", "bailing_hybrid"}, {"vocab_size", 32}, {"hidden_size", 16}, {"intermediate_size", 24}, {"num_hidden_layers", 8}, {"num_attention_heads", 2}, {"head_dim", 8}, {"num_experts", 8},
                    {"num_experts_per_tok", 2}, {"num_shared_experts", 1}, {"moe_intermediate_size", 8}, {"moe_shared_expert_intermediate_size", 8}, {"first_k_dense_replace", 1}, {"q_lora_rank", 12}, {"kv_lora_rank", 10},
                    {"qk_nope_head_dim", 8}, {"qk_rope_head_dim", 4}, {"v_head_dim", 8}, {"gated_attention_proj_granularity_type", "head_wise"}, {"layer_group_size", 4}, {"short_conv_kernel_size", 4},
                    {"no_kda_lora", true}, {"tie_word_embeddings", false}};
  Problems problems;
  auto spec = read_config(config, "model", "", catalog().formats(), problems);
  REQUIRE(spec);
  const std::int64_t latent = 12 * 16 + 12 + 2 * 12 * 12 + 14 * 16 + 10 + 2 * 16 * 10 + 2 * 16 + 16 * 16;
  const std::int64_t delta = 5 * 16 * 16 + 3 * 16 * 4 + 2 * 16 + 2 + 16 + 8 + 16 * 16;
  const std::int64_t experts = 8 * 16 + 8 + 8 * 3 * 8 * 16 + 3 * 8 * 16;
  CHECK(inventory(std::move(*spec)).parameters == 2 * 32 * 16 + 16 + 8 * 2 * 16 + 2 * latent + 6 * delta + 3 * 24 * 16 + 7 * experts);
}
