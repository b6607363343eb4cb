#include "read/gguf_config.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

namespace weighbridge {

namespace {

using nlohmann::json;

// How a file says which of its layers are of which kind.
enum class Layers : std::uint8_t {
  plain,               // a key of the config says it
  types,               // layer_types: attention where there are KV heads
  nemotron,            // one letter a layer
  jamba,               // periods
  kimi,                // lists of layers, counted from 1
  windows,             // layer_types: sliding where the pattern says so
  ratios,              // how much of its cache each averages
  blocks,              // which choose blocks of their cache
  encoder,             // as many in an encoder, or a count of their own
};

struct Family {
  std::string_view architecture, model_type;
  Layers layers;
  std::string_view recurrent = {};                       // name of the layers without KV heads
  std::string_view attention = "full_attention";
};
constexpr Family kFamilies[] = {
    {"qwen3next", "qwen3_next", Layers::plain},
    {"qwen35", "qwen3_5_text", Layers::plain},
    {"qwen35moe", "qwen3_5_moe_text", Layers::plain},
    {"nemotron_h", "nemotron_h", Layers::nemotron},
    {"nemotron_h_moe", "nemotron_h", Layers::nemotron},
    {"falcon-h1", "falcon_h1", Layers::plain},
    {"mamba", "mamba", Layers::plain},
    {"mamba2", "mamba2", Layers::plain},
    {"lfm2", "lfm2", Layers::types, "conv"},
    {"lfm2moe", "lfm2_moe", Layers::types, "conv"},
    {"granitehybrid", "granitemoehybrid", Layers::types, "mamba", "attention"},
    {"jamba", "jamba", Layers::jamba},
    {"kimi-linear", "kimi_linear", Layers::kimi},
    {"kimi-k3", "kimi_k3", Layers::kimi},
    {"gemma3n", "gemma3n_text", Layers::windows},
    {"gemma4", "gemma4_text", Layers::windows},
    {"glm-dsa", "glm_moe_dsa", Layers::plain},
    {"deepseek32", "deepseek_v32", Layers::plain},
    {"deepseek4", "deepseek_v4", Layers::ratios},
    {"minimax-m3", "minimax_m3", Layers::blocks},
    {"minimax_m3", "minimax_m3", Layers::blocks},
    {"rwkv6", "rwkv6", Layers::plain},
    {"rwkv7", "rwkv7", Layers::plain},
    {"t5", "t5", Layers::encoder},
};

// A number of the file under all names that configs have for it; of an array, the largest.
struct Key {
  std::string_view gguf;
  std::string_view config[4];
  bool zero = false;                                     // 0 says something; else it says that the file does not know
};
constexpr Key kKeys[] = {
    {"context_length", {"max_position_embeddings"}},
    {"embedding_length", {"hidden_size"}},
    {"feed_forward_length", {"intermediate_size"}},
    {"attention.head_count", {"num_attention_heads"}},
    {"attention.head_count_kv", {"num_key_value_heads"}},
    {"attention.key_length", {"head_dim"}},
    {"attention.sliding_window", {"sliding_window"}},
    {"attention.shared_kv_layers", {"num_kv_shared_layers"}, true},
    {"attention.kv_lora_rank", {"kv_lora_rank"}},
    {"attention.q_lora_rank", {"q_lora_rank"}},
    {"attention.value_length_mla", {"v_head_dim"}},
    {"rope.dimension_count", {"qk_rope_head_dim"}},
    {"expert_count", {"num_experts", "n_routed_experts", "num_local_experts"}},
    {"expert_used_count", {"num_experts_per_tok", "num_experts_per_token", "top_k_experts"}},
    {"expert_feed_forward_length", {"moe_intermediate_size"}},
    {"expert_shared_feed_forward_length", {"shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size"}},
    {"expert_shared_count", {"num_shared_experts", "n_shared_experts"}},
    {"leading_dense_block_count", {"first_k_dense_replace", "num_dense_layers"}, true},
    {"full_attention_interval", {"full_attention_interval"}},
    {"shortconv.l_cache", {"conv_L_cache"}},
    {"expert_latent_length", {"routed_expert_hidden_size"}},
    {"attn_res.block_size", {"attn_res_block_size"}},
    {"embedding_length_per_layer_input", {"hidden_size_per_layer_input"}, true},
    {"altup.num_inputs", {"altup_num_inputs"}},
    {"attention.indexer.head_count", {"index_n_heads"}},
    {"attention.indexer.key_length", {"index_head_dim"}},
    {"attention.indexer.top_k", {"index_topk"}},
    {"attention.output_group_count", {"o_groups"}},
    {"attention.output_lora_rank", {"o_lora_rank"}},
    {"hyper_connection.count", {"hc_mult"}},
    {"hash_layer_count", {"num_hash_layers"}, true},
    {"wkv.head_size", {"head_size"}},
    {"attention.decay_lora_rank", {"decay_low_rank_dim"}},
    {"attention.iclr_lora_rank", {"a_low_rank_dim"}},
    {"attention.value_residual_mix_lora_rank", {"v_low_rank_dim"}},
    {"attention.gate_lora_rank", {"gate_low_rank_dim"}},
    {"attention.relative_buckets_count", {"relative_attention_num_buckets"}},
    {"ssm.conv_kernel", {"linear_conv_kernel_dim", "conv_kernel", "mamba_d_conv"}},
    {"ssm.state_size", {"linear_key_head_dim", "ssm_state_size", "mamba_d_state", "state_size"}},
    {"ssm.group_count", {"linear_num_key_heads", "n_groups", "mamba_n_groups"}},
};

class Converter {
 public:
  explicit Converter(const std::vector<GgufHeader>& parts) : parts_(parts) {
    for (const auto& part : parts)
      if (const auto* what = part.find("general.architecture"); what && what->text != "clip")
        if (!meta_ || part.values.size() > meta_->values.size()) meta_ = &part, architecture_ = what->text;
  }

  std::optional<json> convert() {
    const auto* family = std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const Family& f) { return f.architecture == architecture_; });
    if (!meta_ || family == std::end(kFamilies)) return std::nullopt;
    for (const auto& part : parts_)
      for (const auto& t : part.tensors) tensors_.push_back(&t);
    std::sort(tensors_.begin(), tensors_.end(), [](const GgufTensor* x, const GgufTensor* y) { return x->name < y->name; });
    auto& c = config_;
    c = json::object();
    c["model_type"] = std::string(family->model_type);
    drafts_ = std::max<std::int64_t>(0, number("nextn_predict_layers"));
    layers_ = number("block_count") - drafts_;
    if (layers_ < 1 || layers_ > kMostLayersHere) return std::nullopt;
    c["num_hidden_layers"] = layers_;
    c["num_nextn_predict_layers"] = c["mtp_num_hidden_layers"] = drafts_;
    for (const auto& key : kKeys)
      if (const auto n = number(key.gguf); n > 0 || (n == 0 && key.zero))
        for (const auto name : key.config)
          if (!name.empty()) c[std::string(name)] = n;
    if (const auto* table = tensor("token_embd.weight")) c["vocab_size"] = table->dims[1];
    c["tie_word_embeddings"] = !tensor("output.weight");
    if (number("attention.kv_lora_rank") > 0) latent();
    recurrent();
    shared_indexers();
    switch (family->layers) {
      case Layers::plain: break;
      case Layers::types: types(family->recurrent, family->attention); break;
      case Layers::nemotron: nemotron(); break;
      case Layers::jamba: jamba(); break;
      case Layers::kimi: kimi(); break;
      case Layers::windows: windows(); break;
      case Layers::ratios: ratios(); break;
      case Layers::blocks: blocks(); break;
      case Layers::encoder: encoder(); break;
    }
    return std::move(config_);
  }

 private:
  static constexpr std::int64_t kMostLayersHere = 4096;

  const GgufValue* value(std::string_view key) const { return meta_->find(architecture_ + "." + std::string(key)); }
  static std::int64_t whole(double x) { return x >= 0 && x <= 9007199254740992.0 && x == std::floor(x) ? static_cast<std::int64_t>(x) : -1; }
  std::int64_t number(std::string_view key) const {
    const auto* v = value(key);
    if (!v) return -1;
    if (!v->is_list()) return whole(v->number);
    double most = 0;
    for (std::uint64_t i = 0; i < v->length && i < kMostLayersHere; ++i) most = std::max(most, v->item(i));
    return whole(most);
  }
  // Of one layer; `otherwise` when the file has one number for all.
  double in_layer(std::string_view key, std::int64_t layer, double otherwise) const {
    const auto* v = value(key);
    return v && v->is_list() ? v->item(static_cast<std::uint64_t>(layer)) : otherwise;
  }
  const GgufTensor* tensor(std::string_view name) const {
    const auto at = std::lower_bound(tensors_.begin(), tensors_.end(), name, [](const GgufTensor* t, std::string_view n) { return t->name < n; });
    return at != tensors_.end() && (*at)->name == name ? *at : nullptr;
  }
  static std::string layer_name(std::int64_t layer, std::string_view part) { return "blk." + std::to_string(layer) + "." + std::string(part); }
  // Whether a layer has a tensor whose name begins so.
  bool has_part(std::int64_t layer, std::string_view part) const {
    const auto begin = layer_name(layer, part);
    const auto at = std::lower_bound(tensors_.begin(), tensors_.end(), begin, [](const GgufTensor* t, std::string_view n) { return t->name < n; });
    return at != tensors_.end() && (*at)->name.substr(0, begin.size()) == begin;
  }
  bool any_layer_has(std::string_view part) const {
    for (std::int64_t i = 0; i < layers_; ++i)
      if (has_part(i, part)) return true;
    return false;
  }
  bool attends(std::int64_t layer) const { return in_layer("attention.head_count_kv", layer, 1) > 0; }

  // One latent for all heads; the file's own key widths are those of the cache.
  void latent() {
    config_["qk_nope_head_dim"] = number("attention.key_length_mla") - number("rope.dimension_count");
    config_["num_key_value_heads"] = number("attention.head_count");
    config_.erase("head_dim");
    if (any_layer_has("exp_probs_b")) config_["topk_method"] = "noaux_tc";
  }

  // GLM-5.2: some layers take over what an earlier one has chosen, and have no indexer.
  void shared_indexers() {
    if (!any_layer_has("indexer")) return;
    auto types = json::array();
    for (std::int64_t i = 0; i < layers_; ++i) types.push_back(has_part(i, "indexer") ? "full" : "shared");
    config_["indexer_types"] = std::move(types);
  }

  void recurrent() {
    auto& c = config_;
    const auto rank = number("ssm.time_step_rank"), inner = number("ssm.inner_size"), hidden = number("embedding_length");
    if (rank < 1 || inner < 1 || hidden < 1) return;
    const bool scan = architecture_ == "mamba" || architecture_ == "jamba";          // Mamba-1: the rank is one of a projection
    if (scan) {
      c["time_step_rank"] = c["mamba_dt_rank"] = rank;
      c["intermediate_size"] = architecture_ == "mamba" ? inner : number("feed_forward_length");
    } else {
      for (const char* key : {"linear_num_value_heads", "mamba_num_heads", "mamba_n_heads", "num_heads"}) c[key] = rank;
      for (const char* key : {"linear_value_head_dim", "mamba_head_dim", "mamba_d_head"}) c[key] = inner / rank;
      c["mamba_d_ssm"] = inner;
      if (architecture_ == "mamba2") c["head_dim"] = inner / rank;
    }
    c["mamba_expand"] = c["expand"] = std::max<std::int64_t>(1, inner / hidden);
    c["mamba_rms_norm"] = any_layer_has("ssm_norm.weight");
    // Falcon-Mamba is Mamba with norms that have no weights.
    if (architecture_ == "mamba" && value("ssm.dt_b_c_rms")) c["model_type"] = "falcon_mamba";
  }

  void types(std::string_view recurrent, std::string_view attention) {
    auto list = json::array();
    for (std::int64_t i = 0; i < layers_; ++i) list.push_back(std::string(attends(i) ? attention : recurrent));
    config_["layer_types"] = std::move(list);
    config_["block_auto_adjust_ff_dim"] = false;
    if (const auto width = number("expert_feed_forward_length"); width > 0 && architecture_ == "granitehybrid") config_["intermediate_size"] = width;
    if (number("expert_count") < 1) config_["num_local_experts"] = 0;
  }

  void nemotron() {
    std::string letters;
    const bool experts = number("expert_count") > 0;
    for (std::int64_t i = 0; i < layers_; ++i) letters += attends(i) ? '*' : in_layer("feed_forward_length", i, 0) > 0 ? (experts ? 'E' : '-') : 'M';
    config_["hybrid_override_pattern"] = letters;
    for (const char* key : {"moe_latent_size", "expert_latent_length"})
      if (const auto latent = number(key); latent > 0) config_["moe_latent_size"] = latent;
  }

  void jamba() {
    const auto first_and_period = [&](auto holds, const char* offset, const char* period) {
      std::int64_t first = -1, second = -1;
      for (std::int64_t i = 0; i < layers_ && second < 0; ++i)
        if (holds(i)) (first < 0 ? first : second) = i;
      if (first < 0) return;
      config_[offset] = first;
      config_[period] = second > 0 ? second - first : layers_;
    };
    first_and_period([&](std::int64_t i) { return attends(i); }, "attn_layer_offset", "attn_layer_period");
    first_and_period([&](std::int64_t i) { return has_part(i, "ffn_gate_inp.weight"); }, "expert_layer_offset", "expert_layer_period");
  }

  void kimi() {
    auto full = json::array(), linear = json::array();
    for (std::int64_t i = 0; i < layers_; ++i) (attends(i) ? full : linear).push_back(i + 1);
    auto inner = json::object();
    inner["full_attn_layers"] = std::move(full);
    inner["kda_layers"] = std::move(linear);
    inner["head_dim"] = number("kda.head_dim");
    inner["num_heads"] = number("attention.head_count");
    inner["short_conv_kernel_size"] = number("ssm.conv_kernel");
    inner["use_full_rank_gate"] = any_layer_has("ssm_g.weight");
    config_["linear_attn_config"] = std::move(inner);
    config_["mla_use_output_gate"] = any_layer_has("attn_gate.weight");
    config_["latent_moe_use_norm"] = any_layer_has("ffn_routed_norm.weight");
  }

  void windows() {
    auto list = json::array(), widths = json::array();
    std::int64_t global_heads = 0, local_heads = 0;
    for (std::int64_t i = 0; i < layers_; ++i) {
      const bool local = in_layer("attention.sliding_window_pattern", i, 0) != 0;
      list.push_back(std::string(local ? "sliding_attention" : "full_attention"));
      widths.push_back(whole(in_layer("feed_forward_length", i, static_cast<double>(number("feed_forward_length")))));
      (local ? local_heads : global_heads) = whole(in_layer("attention.head_count_kv", i, static_cast<double>(number("attention.head_count_kv"))));
    }
    auto& c = config_;
    c["layer_types"] = std::move(list);
    c["vocab_size_per_layer_input"] = c["vocab_size"];
    if (const auto* table = tensor("per_layer_token_embd.weight")) c["vocab_size_per_layer_input"] = table->dims[1];
    if (architecture_ == "gemma3n") {
      c["intermediate_size"] = std::move(widths);
      return;
    }
    // Gemma 4: heads of another width where there is no window, and no value matrix there when values are keys.
    if (const auto local = number("attention.key_length_swa"); local > 0) {
      c["global_head_dim"] = c["head_dim"];
      c["head_dim"] = local;
    }
    if (local_heads > 0) c["num_key_value_heads"] = local_heads;
    if (global_heads > 0) c["num_global_key_value_heads"] = global_heads;
    c["enable_moe_block"] = number("expert_count") > 0;
    std::int64_t least = 0, most = 0;
    for (const auto& width : widths) {
      const auto n = width.get<std::int64_t>();
      least = least == 0 ? n : std::min(least, n);
      most = std::max(most, n);
    }
    c["intermediate_size"] = least;
    c["use_double_wide_mlp"] = most == 2 * least;
    bool values = true;
    for (std::int64_t i = 0; i < layers_; ++i) {
      if (has_part(i, "attn_k.weight") && !has_part(i, "attn_v.weight")) values = false;
    }
    c["attention_k_eq_v"] = !values;
  }

  void ratios() {
    auto list = json::array();
    for (std::int64_t i = 0; i < layers_ + drafts_; ++i) list.push_back(whole(in_layer("attention.compress_ratios", i, 0)));
    config_["compress_ratios"] = std::move(list);
  }

  void blocks() {
    auto& c = config_;
    c["dense_intermediate_size"] = number("feed_forward_length");
    c["use_qk_norm"] = any_layer_has("attn_q_norm");
    c["use_routing_bias"] = any_layer_has("exp_probs_b");
    auto chosen = json::array();
    bool any = false;
    for (std::int64_t i = 0; i < layers_; ++i) {
      chosen.push_back(has_part(i, "indexer") ? 1 : 0);
      any = any || has_part(i, "indexer");
    }
    if (!any) return;
    auto inner = json::object();
    inner["use_sparse_attention"] = true;
    inner["sparse_num_index_heads"] = number("attention.indexer.head_count");
    inner["sparse_index_dim"] = number("attention.indexer.key_length");
    inner["sparse_topk_blocks"] = number("attention.indexer.top_k");
    inner["sparse_block_size"] = number("attention.indexer.block_size");
    inner["sparse_attention_freq"] = std::move(chosen);
    c["sparse_attention_config"] = std::move(inner);
  }

  void encoder() {
    auto& c = config_;
    c["num_layers"] = layers_;
    if (const auto n = number("decoder_block_count"); n > 0) c["num_decoder_layers"] = n;
    c["num_heads"] = number("attention.head_count");
    c["d_kv"] = number("attention.key_length");
    c["d_ff"] = number("feed_forward_length");
    c["feed_forward_proj"] = tensor("dec.blk.0.ffn_gate.weight") ? "gated-gelu" : "relu";
  }

  const std::vector<GgufHeader>& parts_;
  const GgufHeader* meta_ = nullptr;
  std::string architecture_;
  std::vector<const GgufTensor*> tensors_;               // by name
  std::int64_t layers_ = 0, drafts_ = 0;
  json config_;
};

}  // namespace

std::optional<json> config_of_gguf(const std::vector<GgufHeader>& parts) { return Converter(parts).convert(); }

}  // namespace weighbridge
