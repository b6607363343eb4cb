// Families in their real shapes, against what their makers say: a total where one is printed to the last digit, else the rounded one.
#include <cmath>
#include <string>
#include <vector>

#include "api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;

namespace {

struct Published {
  const char* config;
  double parameters;
  double within;                         // as a share; 0: exactly
  double active = 0;                     // rounded by the makers, within a tenth
};

const Published kFamilies[] = {
    // The first Mamba files, in the shape of mamba-130m-hf, and RWKV 4: https://github.com/jmichaelov/recurrent-vs-transformer-modeling.
    {R"({"d_model":768,"n_layer":24,"vocab_size":50277,"ssm_cfg":{},"rms_norm":true,"pad_vocab_size_multiple":8})", 129135360, 0},
    {R"({"model_type":"rwkv","vocab_size":50277,"hidden_size":768,"attention_hidden_size":768,"num_hidden_layers":12,"intermediate_size":3072,"context_length":1024})", 169342464, 0},
    {R"({"model_type":"rwkv","vocab_size":50277,"hidden_size":1024,"attention_hidden_size":1024,"num_hidden_layers":24,"intermediate_size":4096,"context_length":1024})", 430397440, 0},
    {R"({"model_type":"rwkv","vocab_size":50277,"hidden_size":2048,"attention_hidden_size":2048,"num_hidden_layers":24,"intermediate_size":8192,"context_length":1024})", 1515106304, 0},
    {R"({"model_type":"rwkv","vocab_size":50277,"hidden_size":2560,"attention_hidden_size":2560,"num_hidden_layers":32,"intermediate_size":10240,"context_length":1024})", 2984627200, 0},
    // Mamba 2 of 130 million (arXiv 2405.21060): one group, heads of 64, a state of 128.
    {R"({"d_model":768,"d_intermediate":0,"n_layer":24,"vocab_size":50277,"ssm_cfg":{"layer":"Mamba2"},"attn_layer_idx":[],"pad_vocab_size_multiple":16,"tie_embeddings":true})", 130e6, 0.01},
    // GPT (https://huggingface.co/openai-community/openai-gpt): 0.1 billion; 12 layers of 768.
    {R"({"model_type":"openai-gpt","n_embd":768,"n_layer":12,"n_head":12,"n_positions":512,"vocab_size":40478})", 117e6, 0.01},
    // Grok 2 (https://huggingface.co/xai-org/grok-2): its type says "git", its class Grok1; 270 billion, 115 billion used.
    {R"({"model_type":"git","architectures":["Grok1ForCausalLM"],"hidden_size":8192,"intermediate_size":32768,"moe_intermediate_size":16384,"num_hidden_layers":64,
        "num_attention_heads":64,"num_key_value_heads":8,"head_dim":128,"vocab_size":131072,"num_local_experts":8,"num_experts_per_tok":2,"residual_moe":true})", 270e9, 0.005, 115e9},
    // Arctic (https://huggingface.co/Snowflake/snowflake-arctic-base): 480 billion, 17 billion used.
    {R"({"model_type":"arctic","hidden_size":7168,"intermediate_size":4864,"num_hidden_layers":35,"num_attention_heads":56,"num_key_value_heads":8,"vocab_size":32000,
        "num_local_experts":128,"num_experts_per_tok":2,"moe_layer_frequency":1,"parallel_attn_mlp_res":true})", 480e9, 0.005, 17e9},
    // Hunyuan-Large (arXiv 2411.02265): 389 billion, 52 billion used.
    {R"({"model_type":"hunyuan","hidden_size":6400,"intermediate_size":18304,"num_hidden_layers":64,"num_attention_heads":80,"num_key_value_heads":8,"vocab_size":129024,
        "num_experts":16,"moe_topk":1,"num_shared_expert":1,"use_cla":true,"cla_share_factor":2,"use_qk_norm":true,"tie_word_embeddings":true})", 389e9, 0.005, 52e9},
    // A.X K1 (https://huggingface.co/skt/A.X-K1): 519 billion, 33 billion used.
    {R"({"model_type":"axk1","vocab_size":163840,"hidden_size":7168,"intermediate_size":18432,"moe_intermediate_size":2048,"num_hidden_layers":61,"num_attention_heads":64,
        "n_shared_experts":1,"n_routed_experts":192,"num_experts_per_tok":8,"kv_lora_rank":512,"q_lora_rank":1536,"qk_rope_head_dim":64,"qk_nope_head_dim":128,"v_head_dim":128,
        "first_k_dense_replace":1})", 519e9, 0.002, 33e9},
    // openPangu Ultra (https://ai.gitcode.com/ascend-tribe/openpangu-ultra-moe-718b-model): 718 billion without the prediction layer, 39 used.
    {R"({"model_type":"pangu_ultra_moe","vocab_size":153600,"hidden_size":7680,"intermediate_size":18432,"moe_intermediate_size":2048,"num_hidden_layers":61,"num_mtp_layers":0,
        "num_attention_heads":128,"num_shared_experts":1,"num_routed_experts":256,"num_experts_per_tok":8,"num_dense_layers":3,"attention_kv_lora_dim":512,
        "attention_q_lora_dim":1536,"attention_qk_rope_dim":64,"attention_qk_dim":128,"attention_v_dim":128,"sandwich_norm":true})", 718e9, 0.003, 39e9},
    // SmallThinker (arXiv 2507.20984): 4 billion, 0.6 billion used beside the tables.
    {R"({"model_type":"smallthinker","hidden_size":1536,"head_dim":128,"num_hidden_layers":32,"num_attention_heads":12,"num_key_value_heads":2,"vocab_size":151936,
        "moe_ffn_hidden_size":768,"moe_num_active_primary_experts":4,"moe_num_primary_experts":32,"sliding_window_size":4096,"tie_word_embeddings":true})", 4e9, 0.02},
    // Mellum 2 (https://huggingface.co/JetBrains/Mellum2-12B-A2.5B-Base): 12 billion.
    {R"({"model_type":"mellum","vocab_size":98304,"hidden_size":2304,"intermediate_size":7168,"num_hidden_layers":28,"num_attention_heads":32,"num_key_value_heads":4,"head_dim":128,
        "num_experts":64,"num_experts_per_tok":8,"moe_intermediate_size":896})", 12e9, 0.02},
    // OLMo Hybrid (https://huggingface.co/allenai/Olmo-Hybrid-7B): 7 billion.
    {R"({"model_type":"olmo_hybrid","vocab_size":100352,"hidden_size":3840,"intermediate_size":11008,"num_hidden_layers":32,"num_attention_heads":30})", 7.4e9, 0.01},
    // Jais (arXiv 2308.16149): 13.0 billion. Jais 2 (https://huggingface.co/inceptionai/Jais-2-8B-Chat): 8 billion.
    {R"({"model_type":"jais","n_embd":5120,"n_layer":40,"n_head":40,"n_inner":13653,"n_positions":2048,"vocab_size":84992,"activation_function":"swiglu","position_embedding_type":"alibi"})", 13e9, 0.005},
    {R"({"model_type":"jais2","vocab_size":150272,"hidden_size":3328,"intermediate_size":26624,"num_hidden_layers":32,"num_attention_heads":26})", 8.1e9, 0.01},
};

}  // namespace

TEST_CASE("families in their real shapes have the parameters that their makers say") {
  for (const auto& family : kFamilies) {
    const auto answer = estimate({{"model", {{"config", parsed(family.config)}}}});
    INFO(family.config);
    INFO(written(at(answer, "/problems")));
    REQUIRE(is_true(answer, "/ok"));
    const double parameters = number(answer, "/model/parameters"), active = number(answer, "/model/active_parameters");
    INFO(parameters << " " << active);
    CHECK(std::abs(parameters - family.parameters) <= family.within * family.parameters);
    if (family.active > 0) CHECK(std::abs(active - family.active) <= 0.1 * family.active);
  }
}

TEST_CASE("RWKV 4 keeps three numbers of a channel, and the token before it twice") {
  const auto answer = estimate({{"model", {{"config", {{"model_type", "rwkv"}, {"vocab_size", 50277}, {"hidden_size", 768}, {"num_hidden_layers", 12}, {"intermediate_size", 3072}}}}}});
  REQUIRE(is_true(answer, "/ok"));
  CHECK(number(answer, "/model/state_bytes_per_sequence") == 12 * (3 * 768 * 4 + 2 * 768 * 2));
  CHECK(number(answer, "/model/kv_bytes_per_token") == 0);
}

TEST_CASE("layers that take over keys and values have no matrices for them and no cache") {
  const auto of = [](bool shared) {
    return estimate({{"model", {{"config", {{"model_type", "hunyuan"}, {"hidden_size", 1024}, {"intermediate_size", 2048}, {"num_hidden_layers", 8}, {"num_attention_heads", 8},
                                            {"num_key_value_heads", 2}, {"vocab_size", 1000}, {"use_cla", shared}, {"cla_share_factor", 2}}}}}});
  };
  const auto one = of(false), two = of(true);
  CHECK(number(two, "/model/kv_bytes_per_token") == number(one, "/model/kv_bytes_per_token") / 2);
  CHECK(number(one, "/model/parameters") - number(two, "/model/parameters") == 4 * 2 * 1024 * 2 * 128);
}

TEST_CASE("windows of families that write them in their own way") {
  const auto growth = [](json config) {
    const json sizes{{"hidden_size", 1024}, {"intermediate_size", 2048}, {"num_hidden_layers", 8}, {"num_attention_heads", 8}, {"num_key_value_heads", 2}, {"head_dim", 128},
                     {"vocab_size", 1000}, {"max_position_embeddings", 65536}, {"num_experts", 4}, {"num_experts_per_tok", 2}};
    for (const auto& [key, value] : sizes.items())
      if (!config.contains(key)) config[key] = value;
    const auto answer = estimate({{"model", {{"config", config}}}});
    INFO(written(at(answer, "/problems")));
    REQUIRE(is_true(answer, "/ok"));
    return number(answer, "/model/kv_bytes_per_token") / (2 * 2 * 128 * 2);          // layers without a window
  };
  CHECK(growth({{"model_type", "granite_swa"}}) == 2);                               // the first of four
  CHECK(growth({{"model_type", "muse_glimmer_text"}, {"num_hidden_layers", 7}}) == 2);         // counted from the last: 6 and 2
  CHECK(growth({{"model_type", "plamo3"}}) == 1);
  CHECK(growth({{"model_type", "cohere2_moe"}}) == 2);
  CHECK(growth({{"model_type", "cohere2_moe"}, {"first_k_dense_replace", 1}, {"num_hidden_layers", 9}}) == 3);           // the dense one is global
  CHECK(growth({{"model_type", "mellum"}, {"num_hidden_layers", 4}, {"layer_types", {"sliding_attention", "sliding_attention", "sliding_attention", "full_attention"}}}) == 1);
  CHECK(growth({{"model_type", "smallthinker"}, {"num_hidden_layers", 4}, {"moe_num_primary_experts", 4}, {"moe_num_active_primary_experts", 2}, {"moe_ffn_hidden_size", 64},
                {"sliding_window_layout", {0, 1, 1, 1}}}) == 1);
}
