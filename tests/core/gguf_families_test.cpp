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
TEST_CASE("Kimi K3 in GGUF: a whole gate, narrow experts, a gate on latent attention, residuals that are weighed") {
  Model m("kimi-k3");
  m.number("block_count", 4).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4).numbers("attention.head_count_kv", {0, 0, 0, 1});
  m.number("attention.key_length", 96).number("attention.kv_lora_rank", 64).number("attention.q_lora_rank", 96).number("rope.dimension_count", 32).number("attention.key_length_mla", 96);
  m.number("attention.value_length_mla", 64).number("kda.head_dim", 64).number("ssm.conv_kernel", 4).number("expert_count", 4).number("expert_used_count", 2);
  m.number("expert_feed_forward_length", 64).number("expert_shared_count", 2).number("leading_dense_block_count", 1).number("expert_latent_length", 128).number("attn_res.block_size", 2);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.attn_q.weight", {256, 256}).tensor("blk.0.ssm_g.weight", {256, 256});
  m.tensor("blk.1.ffn_routed_norm.weight", {128}, kF32).tensor("blk.3.attn_gate.weight", {256, 256});
  same_model(m, R"({"model_type":"kimi_k3","num_hidden_layers":4,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,"num_key_value_heads":4,"kv_lora_rank":64,
    "q_lora_rank":96,"qk_nope_head_dim":64,"qk_rope_head_dim":32,"v_head_dim":64,"num_experts":4,"num_experts_per_token":2,"num_shared_experts":2,"moe_intermediate_size":64,
    "first_k_dense_replace":1,"linear_attn_config":{"full_attn_layers":[4],"kda_layers":[1,2,3],"head_dim":64,"num_heads":4,"short_conv_kernel_size":4,"use_full_rank_gate":true},
    "mla_use_output_gate":true,"routed_expert_hidden_size":128,"latent_moe_use_norm":true,"attn_res_block_size":2,"vocab_size":1000,"tie_word_embeddings":false})");
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

TEST_CASE("RWKV 6 and 7 in GGUF") {
  Model six("rwkv6");
  six.number("block_count", 2).number("embedding_length", 256).number("feed_forward_length", 896).number("wkv.head_size", 64).number("context_length", 4096);
  six.number("time_mix_extra_dim", 32).number("time_decay_extra_dim", 64);
  six.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}, kQ8).tensor("blk.0.time_mix_receptance.weight", {256, 256}, kQ8).tensor("blk.1.channel_mix_key.weight", {256, 896});
  same_model(six, R"({"model_type":"rwkv6","num_hidden_layers":2,"hidden_size":256,"intermediate_size":896,"head_size":64,"vocab_size":1000})");
  Model seven("rwkv7");
  seven.number("block_count", 3).number("embedding_length", 256).number("feed_forward_length", 1024).number("wkv.head_size", 64).number("attention.decay_lora_rank", 64);
  seven.number("attention.iclr_lora_rank", 48).number("attention.value_residual_mix_lora_rank", 32).number("attention.gate_lora_rank", 128);
  seven.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}, kQ8).tensor("blk.0.time_mix_w1.weight", {256, 64}).tensor("blk.2.time_mix_key.weight", {256, 256}, kQ8);
  same_model(seven, R"({"model_type":"rwkv7","num_hidden_layers":3,"hidden_size":256,"intermediate_size":1024,"head_dim":64,"decay_low_rank_dim":64,"a_low_rank_dim":48,
    "v_low_rank_dim":32,"gate_low_rank_dim":128,"vocab_size":1000})");
}

TEST_CASE("T5 in GGUF, gated or not, its decoder as deep as its encoder or not") {
  const auto file = [](bool gated, std::uint32_t decoders) {
    Model m("t5");
    m.number("block_count", 3).number("embedding_length", 256).number("feed_forward_length", 640).number("attention.head_count", 6).number("attention.key_length", 64);
    m.number("attention.relative_buckets_count", 32);
    if (decoders != 3) m.number("decoder_block_count", decoders);
    m.tensor("token_embd.weight", {256, 1000}, kQ8).tensor("enc.blk.0.attn_q.weight", {256, 384}, kQ8).tensor("dec.blk.0.cross_attn_k.weight", {256, 384});
    if (gated) m.tensor("dec.blk.0.ffn_gate.weight", {256, 640}).tensor("output.weight", {256, 1000});
    return m;
  };
  same_model(file(false, 3), R"({"model_type":"t5","d_model":256,"d_kv":64,"d_ff":640,"num_layers":3,"num_heads":6,"feed_forward_proj":"relu","vocab_size":1000})");
  same_model(file(true, 2), R"({"model_type":"t5","d_model":256,"d_kv":64,"d_ff":640,"num_layers":3,"num_decoder_layers":2,"num_heads":6,"feed_forward_proj":"gated-gelu","tie_word_embeddings":false,
    "vocab_size":1000})");
}

TEST_CASE("GLM-5 in GGUF: layers without an indexer take over what an earlier one chose") {
  Model m("glm-dsa");
  m.number("block_count", 3).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4).number("attention.head_count_kv", 1).number("attention.key_length", 96);
  m.number("attention.value_length", 64).number("attention.key_length_mla", 64).number("attention.value_length_mla", 48).number("attention.kv_lora_rank", 64).number("attention.q_lora_rank", 128);
  m.number("rope.dimension_count", 32).number("expert_count", 8).number("expert_used_count", 2).number("expert_feed_forward_length", 64).number("expert_shared_count", 1);
  m.number("leading_dense_block_count", 1).number("attention.indexer.head_count", 4).number("attention.indexer.key_length", 32).number("attention.indexer.top_k", 512);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.1.exp_probs_b.bias", {8}, kF32);
  m.tensor("blk.0.indexer.proj.weight", {256, 4}).tensor("blk.1.indexer.proj.weight", {256, 4}).tensor("blk.2.attn_q_a.weight", {256, 128}, kQ8);
  same_model(m, R"({"model_type":"glm_moe_dsa","num_hidden_layers":3,"hidden_size":256,"intermediate_size":512,"num_attention_heads":4,"num_key_value_heads":4,"kv_lora_rank":64,"q_lora_rank":128,
    "qk_nope_head_dim":32,"qk_rope_head_dim":32,"v_head_dim":48,"n_routed_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":64,"n_shared_experts":1,"first_k_dense_replace":1,
    "topk_method":"noaux_tc","index_n_heads":4,"index_head_dim":32,"index_topk":512,"indexer_types":["full","full","shared"],"vocab_size":1000})");
}

TEST_CASE("MiniMax-M3 in GGUF") {
  Model m("minimax-m3");
  m.number("block_count", 3).number("embedding_length", 256).number("feed_forward_length", 512).number("attention.head_count", 4).number("attention.head_count_kv", 2).number("attention.key_length", 64);
  m.number("expert_count", 8).number("expert_used_count", 2).number("expert_feed_forward_length", 64).number("expert_shared_feed_forward_length", 96).number("expert_shared_count", 1);
  m.number("leading_dense_block_count", 1).number("attention.indexer.head_count", 2).number("attention.indexer.key_length", 32).number("attention.indexer.top_k", 4).number("attention.indexer.block_size", 128);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.attn_q_norm.weight", {64}, kF32).tensor("blk.1.exp_probs_b.bias", {8}, kF32);
  m.tensor("blk.1.indexer.k_proj.weight", {256, 32}).tensor("blk.2.indexer.k_proj.weight", {256, 32}, kQ8);
  same_model(m, R"({"model_type":"minimax_m3","num_hidden_layers":3,"hidden_size":256,"dense_intermediate_size":512,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":64,"use_qk_norm":true,
    "num_local_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":64,"n_shared_experts":1,"shared_intermediate_size":96,"first_k_dense_replace":1,"use_routing_bias":true,
    "sparse_attention_config":{"use_sparse_attention":true,"sparse_num_index_heads":2,"sparse_index_dim":32,"sparse_topk_blocks":4,"sparse_block_size":128,"sparse_attention_freq":[0,1,1]},
    "tie_word_embeddings":false,"vocab_size":1000})");
}

TEST_CASE("DeepSeek V4 in GGUF") {
  Model m("deepseek4");
  m.number("block_count", 4).number("embedding_length", 256).number("attention.head_count", 8).number("attention.head_count_kv", 1).number("attention.key_length", 64).number("attention.value_length", 64);
  m.number("attention.q_lora_rank", 96).number("attention.output_group_count", 4).number("attention.output_lora_rank", 32).number("attention.sliding_window", 128);
  m.numbers("attention.compress_ratios", {0, 4, 128, 4}).number("expert_count", 8).number("expert_used_count", 2).number("expert_feed_forward_length", 64).number("expert_shared_count", 1);
  m.number("hyper_connection.count", 4).number("hash_layer_count", 1).number("attention.indexer.head_count", 4).number("attention.indexer.key_length", 32).number("attention.indexer.top_k", 64);
  m.tensor("token_embd.weight", {256, 1000}).tensor("output.weight", {256, 1000}).tensor("blk.0.attn_q_a.weight", {256, 96}, kQ8).tensor("blk.1.ffn_up_exps.weight", {256, 64, 8}, kQ8);
  same_model(m, R"({"model_type":"deepseek_v4","num_hidden_layers":4,"hidden_size":256,"num_attention_heads":8,"head_dim":64,"q_lora_rank":96,"o_groups":4,"o_lora_rank":32,"sliding_window":128,
    "compress_ratios":[0,4,128,4],"n_routed_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":64,"n_shared_experts":1,"hc_mult":4,"num_hash_layers":1,"index_n_heads":4,
    "index_head_dim":32,"index_topk":64,"tie_word_embeddings":false,"vocab_size":1000})");
}

TEST_CASE("an encoder in GGUF is refused for what it is") {
  for (const char* architecture : {"bert", "nomic-bert", "gemma-embedding", "t5encoder"}) {
    Model m(architecture);
    m.number("block_count", 2).number("embedding_length", 256).number("attention.head_count", 4).tensor("token_embd.weight", {256, 1000}).tensor("blk.0.attn_q.weight", {256, 256});
    const auto read = parsed(api::read_model({m.file()}));
    INFO(written(read));
    CHECK(at(read, "/ok") == false);
    CHECK(text(read, "/problems/0/message").find("encoder") != std::string::npos);
  }
}
