// Families that a GGUF file is read through the config that its metadata make: the same model as by its config.json, and the bytes
// of the file's own tensors.
#include <functional>
#include <string>
#include <vector>

#include "api_json.hpp"
#include "gguf_file.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;
namespace api = weighbridge::api;

namespace {

// Metadata first, counted; then the tensors.
class Model {
 public:
  explicit Model(std::string architecture) : architecture_(std::move(architecture)) {
    keys_.push_back([this](GgufWriter& w) { w.word("general.architecture", architecture_); });
  }
  Model& number(const std::string& key, std::uint32_t value) {
    keys_.push_back([this, key, value](GgufWriter& w) { w.number(architecture_ + "." + key, value); });
    return *this;
  }
  Model& numbers(const std::string& key, const std::vector<std::int64_t>& values) {
    keys_.push_back([this, key, values](GgufWriter& w) { w.numbers(architecture_ + "." + key, values); });
    return *this;
  }
  Model& tensor(const std::string& name, const std::vector<std::uint64_t>& dims, std::uint32_t type = kF16) {
    tensors_.push_back([name, dims, type](GgufWriter& w) { w.tensor(name, dims, type); });
    double bytes = type == kF16 ? 2 : type == kF32 ? 4 : 34.0 / 32;
    for (const auto d : dims) bytes *= static_cast<double>(d);
    bytes_ += bytes;
    return *this;
  }
  double bytes() const { return bytes_; }
  api::File file() const {
    GgufWriter w;
    w.counts(tensors_.size(), keys_.size());
    for (const auto& key : keys_) key(w);
    for (const auto& tensor : tensors_) tensor(w);
    return {"model.gguf", w.text(), static_cast<std::int64_t>(w.text().size())};
  }

 private:
  std::string architecture_;
  std::vector<std::function<void(GgufWriter&)>> keys_, tensors_;
  double bytes_ = 0;
};

// The model of the file is that of the config, but for its bytes.
void same_model(const Model& file, const char* config) {
  const auto read = parsed(api::read_model({file.file()}));
  INFO(written(read));
  REQUIRE(is_true(read, "/ok"));
  const auto by_file = estimate({{"model", at(read, "/model")}, {"explain", true}}), by_config = estimate({{"model", {{"config", parsed(config)}}}});
  INFO(written(by_config));
  INFO(written(by_file));
  REQUIRE(is_true(by_config, "/ok"));
  REQUIRE(is_true(by_file, "/ok"));
  for (const char* what : {"parameters", "active_parameters", "layers", "kv_bytes_per_token", "window_bytes_per_sequence", "state_bytes_per_sequence"}) {
    INFO(what);
    CHECK(number(by_file, std::string("/model/") + what) == number(by_config, std::string("/model/") + what));
  }
  CHECK(number(by_file, "/model/weight_bytes") == file.bytes());
}

}  // namespace

TEST_CASE("Qwen3-Next in GGUF") {
  Model m("qwen3next");
  m.number("block_count", 4).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4);
  m.number("attention.head_count_kv", 2).number("attention.key_length", 64).number("full_attention_interval", 4).number("expert_count", 8);
  m.number("expert_used_count", 2).number("expert_feed_forward_length", 64).number("expert_shared_feed_forward_length", 64);
  m.number("ssm.conv_kernel", 4).number("ssm.state_size", 32).number("ssm.group_count", 2).number("ssm.time_step_rank", 4).number("ssm.inner_size", 128);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}, kQ8).tensor("blk.0.attn_qkv.weight", {256, 256}).tensor("blk.0.ssm_out.weight", {128, 256}, kQ8);
  m.tensor("blk.0.ffn_up_exps.weight", {256, 64, 8}, kQ8).tensor("blk.3.attn_q.weight", {256, 512}).tensor("blk.3.ffn_gate_inp.weight", {256, 8}, kF32);
  same_model(m, R"({"model_type":"qwen3_next","mtp_num_hidden_layers":0,"num_hidden_layers":4,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":64,
    "full_attention_interval":4,"num_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":64,"shared_expert_intermediate_size":64,"linear_conv_kernel_dim":4,
    "linear_key_head_dim":32,"linear_num_key_heads":2,"linear_num_value_heads":4,"linear_value_head_dim":32,"vocab_size":1000,"tie_word_embeddings":false})");
}

TEST_CASE("Qwen3.5 in GGUF, its prediction layer counted among the blocks") {
  Model m("qwen35");
  m.number("block_count", 5).number("nextn_predict_layers", 1).number("embedding_length", 256).number("feed_forward_length", 512);
  m.number("attention.head_count", 4).number("attention.head_count_kv", 2).number("attention.key_length", 64).number("full_attention_interval", 4);
  m.number("ssm.conv_kernel", 4).number("ssm.state_size", 32).number("ssm.group_count", 2).number("ssm.time_step_rank", 4).number("ssm.inner_size", 128);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.4.attn_q.weight", {256, 512}).tensor("blk.4.nextn.eh_proj.weight", {512, 256});
  same_model(m, R"({"model_type":"qwen3_5_text","num_hidden_layers":4,"mtp_num_hidden_layers":1,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,
    "num_key_value_heads":2,"head_dim":64,"full_attention_interval":4,"linear_conv_kernel_dim":4,"linear_key_head_dim":32,"linear_num_key_heads":2,
    "linear_num_value_heads":4,"linear_value_head_dim":32,"vocab_size":1000,"tie_word_embeddings":false})");
}

TEST_CASE("Nemotron-H in GGUF: what a layer is follows from its heads and its width") {
  Model m("nemotron_h");
  m.number("block_count", 4).number("embedding_length", 256).numbers("feed_forward_length", {0, 512, 0, 512}).number("attention.head_count", 4);
  m.numbers("attention.head_count_kv", {0, 0, 2, 0}).number("attention.key_length", 64);
  m.number("ssm.conv_kernel", 4).number("ssm.state_size", 32).number("ssm.group_count", 2).number("ssm.time_step_rank", 8).number("ssm.inner_size", 512);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.ssm_in.weight", {256, 1160}).tensor("blk.0.ssm_norm.weight", {256, 2}, kF32);
  same_model(m, R"({"model_type":"nemotron_h","hybrid_override_pattern":"M-*-","num_hidden_layers":4,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,
    "num_key_value_heads":2,"head_dim":64,"conv_kernel":4,"ssm_state_size":32,"n_groups":2,"mamba_num_heads":8,"mamba_head_dim":64,"vocab_size":1000,"tie_word_embeddings":false})");
}

TEST_CASE("Falcon-H1 in GGUF") {
  Model m("falcon-h1");
  m.number("block_count", 2).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4).number("attention.head_count_kv", 2);
  m.number("attention.key_length", 64).number("ssm.conv_kernel", 4).number("ssm.state_size", 32).number("ssm.group_count", 1).number("ssm.time_step_rank", 6).number("ssm.inner_size", 384);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.ssm_in.weight", {256, 838}).tensor("blk.1.attn_q.weight", {256, 256});
  same_model(m, R"({"model_type":"falcon_h1","num_hidden_layers":2,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":64,
    "mamba_d_conv":4,"mamba_d_state":32,"mamba_n_groups":1,"mamba_n_heads":6,"mamba_d_head":64,"mamba_d_ssm":384,"mamba_rms_norm":false,"vocab_size":1000,"tie_word_embeddings":false})");
}

TEST_CASE("Falcon-Mamba in GGUF") {
  Model m("mamba");
  m.number("block_count", 2).number("embedding_length", 256).number("feed_forward_length", 0).number("attention.head_count", 0).number("ssm.conv_kernel", 4);
  m.number("ssm.state_size", 16).number("ssm.time_step_rank", 16).number("ssm.inner_size", 512).number("ssm.dt_b_c_rms", 1);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.ssm_in.weight", {256, 1024}).tensor("blk.1.ssm_a", {16, 512}, kF32);
  same_model(m, R"({"model_type":"falcon_mamba","num_hidden_layers":2,"hidden_size":256,"intermediate_size":512,"conv_kernel":4,"state_size":16,"time_step_rank":16,
    "use_conv_bias":true,"vocab_size":1000,"tie_word_embeddings":false})");
}

TEST_CASE("LFM2 in GGUF") {
  Model m("lfm2");
  m.number("block_count", 3).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4).numbers("attention.head_count_kv", {0, 2, 0});
  m.number("shortconv.l_cache", 3);
  m.tensor("token_embd.weight", {256, 1000}).tensor("blk.0.shortconv.in_proj.weight", {256, 768}).tensor("blk.1.attn_q.weight", {256, 256});
  same_model(m, R"({"model_type":"lfm2","num_hidden_layers":3,"hidden_size":256,"intermediate_size":512,"block_auto_adjust_ff_dim":false,"num_attention_heads":4,
    "num_key_value_heads":2,"layer_types":["conv","full_attention","conv"],"conv_L_cache":3,"vocab_size":1000,"tie_word_embeddings":true})");
}

TEST_CASE("Granite 4 in GGUF") {
  Model m("granitehybrid");
  m.number("block_count", 3).number("embedding_length", 256).number("feed_forward_length", 128).number("attention.head_count", 4).numbers("attention.head_count_kv", {0, 2, 0});
  m.number("expert_count", 4).number("expert_used_count", 2).number("expert_shared_feed_forward_length", 64);
  m.number("ssm.conv_kernel", 4).number("ssm.state_size", 32).number("ssm.group_count", 1).number("ssm.time_step_rank", 8).number("ssm.inner_size", 512);
  m.tensor("token_embd.weight", {256, 1000}).tensor("blk.0.ssm_in.weight", {256, 1096}).tensor("blk.0.ssm_norm.weight", {512}, kF32).tensor("blk.1.attn_q.weight", {256, 256});
  same_model(m, R"({"model_type":"granitemoehybrid","num_hidden_layers":3,"hidden_size":256,"intermediate_size":128,"shared_intermediate_size":64,"num_local_experts":4,
    "num_experts_per_tok":2,"num_attention_heads":4,"num_key_value_heads":2,"layer_types":["mamba","attention","mamba"],"mamba_d_conv":4,"mamba_d_state":32,"mamba_n_groups":1,
    "mamba_n_heads":8,"mamba_d_head":64,"mamba_expand":2,"vocab_size":1000,"tie_word_embeddings":true})");
}

TEST_CASE("Jamba in GGUF") {
  Model m("jamba");
  m.number("block_count", 8).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4);
  m.numbers("attention.head_count_kv", {0, 0, 2, 0, 0, 0, 2, 0}).number("expert_count", 4).number("expert_used_count", 2);
  m.number("ssm.conv_kernel", 4).number("ssm.state_size", 16).number("ssm.time_step_rank", 16).number("ssm.inner_size", 512);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.ssm_in.weight", {256, 1024});
  for (const char* layer : {"1", "3", "5", "7"}) m.tensor(std::string("blk.") + layer + ".ffn_gate_inp.weight", {256, 4}, kF32);
  same_model(m, R"({"model_type":"jamba","num_hidden_layers":8,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,"num_key_value_heads":2,"num_experts":4,
    "num_experts_per_tok":2,"attn_layer_offset":2,"attn_layer_period":4,"expert_layer_offset":1,"expert_layer_period":2,"mamba_d_conv":4,"mamba_d_state":16,"mamba_dt_rank":16,
    "mamba_expand":2,"vocab_size":1000,"tie_word_embeddings":false})");
}

TEST_CASE("Kimi Linear in GGUF") {
  Model m("kimi-linear");
  m.number("block_count", 4).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4).numbers("attention.head_count_kv", {0, 0, 0, 1});
  m.number("attention.key_length", 96).number("attention.kv_lora_rank", 64).number("rope.dimension_count", 32).number("attention.key_length_mla", 96);
  m.number("attention.value_length_mla", 64).number("kda.head_dim", 64).number("ssm.conv_kernel", 4).number("expert_count", 4).number("expert_used_count", 2);
  m.number("expert_feed_forward_length", 64).number("expert_shared_count", 1).number("leading_dense_block_count", 1);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.attn_q.weight", {256, 256}).tensor("blk.0.ssm_f_a.weight", {256, 64});
  same_model(m, R"({"model_type":"kimi_linear","num_hidden_layers":4,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,"num_key_value_heads":4,"kv_lora_rank":64,
    "q_lora_rank":null,"qk_nope_head_dim":64,"qk_rope_head_dim":32,"v_head_dim":64,"num_experts":4,"num_experts_per_token":2,"num_shared_experts":1,"moe_intermediate_size":64,
    "first_k_dense_replace":1,"linear_attn_config":{"full_attn_layers":[4],"kda_layers":[1,2,3],"head_dim":64,"num_heads":4,"short_conv_kernel_size":4},"vocab_size":1000,
    "tie_word_embeddings":false})");
}
TEST_CASE("Gemma 3n in GGUF") {
  Model m("gemma3n");
  m.number("block_count", 4).number("embedding_length", 256).numbers("feed_forward_length", {512, 512, 512, 512}).number("attention.head_count", 4).number("attention.head_count_kv", 2);
  m.number("attention.key_length", 64).number("attention.sliding_window", 128).numbers("attention.sliding_window_pattern", {1, 0, 1, 0}).number("attention.shared_kv_layers", 2);
  m.number("embedding_length_per_layer_input", 32).number("altup.num_inputs", 4).number("context_length", 4096);
  m.tensor("token_embd.weight", {256, 1000}).tensor("per_layer_token_embd.weight", {128, 900}).tensor("blk.0.attn_q.weight", {256, 256});
  same_model(m, R"({"model_type":"gemma3n_text","num_hidden_layers":4,"hidden_size":256,"intermediate_size":[512,512,512,512],"num_attention_heads":4,"num_key_value_heads":2,
    "head_dim":64,"sliding_window":128,"layer_types":["sliding_attention","full_attention","sliding_attention","full_attention"],"num_kv_shared_layers":2,
    "hidden_size_per_layer_input":32,"vocab_size_per_layer_input":900,"altup_num_inputs":4,"laurel_rank":64,"max_position_embeddings":4096,"vocab_size":1000,"tie_word_embeddings":true})");
}

TEST_CASE("Gemma 4 in GGUF") {
  Model m("gemma4");
  m.number("block_count", 4).number("embedding_length", 256).numbers("feed_forward_length", {512, 512, 1024, 1024}).number("attention.head_count", 4);
  m.numbers("attention.head_count_kv", {2, 1, 2, 1}).number("attention.key_length", 128).number("attention.key_length_swa", 64).number("attention.sliding_window", 128);
  m.numbers("attention.sliding_window_pattern", {1, 0, 1, 0}).number("attention.shared_kv_layers", 2).number("embedding_length_per_layer_input", 32).number("context_length", 4096);
  m.tensor("token_embd.weight", {256, 1000}).tensor("per_layer_token_embd.weight", {128, 1000}).tensor("blk.0.attn_k.weight", {256, 128}).tensor("blk.0.attn_v.weight", {256, 128});
  same_model(m, R"({"model_type":"gemma4_text","num_hidden_layers":4,"hidden_size":256,"intermediate_size":512,"use_double_wide_mlp":true,"num_attention_heads":4,
    "num_key_value_heads":2,"num_global_key_value_heads":1,"head_dim":64,"global_head_dim":128,"sliding_window":128,
    "layer_types":["sliding_attention","full_attention","sliding_attention","full_attention"],"num_kv_shared_layers":2,"hidden_size_per_layer_input":32,
    "vocab_size_per_layer_input":1000,"max_position_embeddings":4096,"vocab_size":1000,"tie_word_embeddings":true,"attention_k_eq_v":false,"enable_moe_block":false})");
}
