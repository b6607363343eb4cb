// What a model is: the one description that weights, cache, traffic, FLOPs and training are computed from.
//
// A reader (read/) makes a ModelSpec from config.json, and inventory() makes the tensors from the ModelSpec.
// No formula knows a model family; the readers do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weighbridge/formats.hpp"

namespace weighbridge {

enum class QkNorm : std::uint8_t { none, per_head, full_width };

// Softmax attention with any number of key-value heads: MHA, GQA, MQA.
struct Attention {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;         // width of one query and key head
  std::int64_t value_dim = 0;        // width of one value head
  std::int64_t window = 0;           // tokens a layer looks back (sliding or chunked); 0: all
  bool q_bias = false, k_bias = false, v_bias = false, o_bias = false;
  bool fused_qkv = false;            // stored as one matrix (matters to names and block rules, not to counts)
  QkNorm qk_norm = QkNorm::none;
  bool sinks = false;                // one learned logit per head (gpt-oss)
  bool operator==(const Attention&) const = default;
};

// Multi-head latent attention (DeepSeek V2 on): the cache holds one latent of kv_lora_rank + rope_dim per token and layer.
struct Mla {
  std::int64_t heads = 0;
  std::int64_t q_lora_rank = 0;      // 0: the query is not compressed
  std::int64_t kv_lora_rank = 0;
  std::int64_t nope_dim = 0, rope_dim = 0, value_dim = 0;
  bool bias = false;                 // on both down-projections and on the output
  bool operator==(const Mla&) const = default;
};

enum class MixerKind : std::uint8_t { none, attention, mla };

struct Mixer {
  MixerKind kind = MixerKind::attention;
  Attention attention;
  Mla mla;
  bool operator==(const Mixer&) const = default;
};

struct FeedForward {
  // dense part; width 0: none
  std::int64_t width = 0;
  bool gated = true;
  bool bias = false;                 // on every matrix of the dense part
  bool down_bias = false;            // on its last matrix only
  bool fused_gate_up = false;
  // experts; experts 0: dense only
  std::int64_t experts = 0, experts_used = 0, expert_width = 0;
  bool expert_bias = false;          // gpt-oss: biases on both expert matrices
  bool router_bias = false;
  bool router_correction = false;    // one score correction per expert (noaux_tc)
  std::int64_t shared_width = 0;     // all shared experts of a layer together
  bool shared_gate = false;          // Qwen2-MoE: one h-wide gate on the shared expert
  bool operator==(const FeedForward&) const = default;
};

struct LayerKind {
  Mixer mixer;
  FeedForward feed_forward;
  int norms = 2;                     // vectors of hidden_size
  bool norm_bias = false;
  bool operator==(const LayerKind&) const = default;
};

// Where a checkpoint's weights lie when the request names no format of its own.
struct Published {
  std::string format;                // weight format id as the files hold it ("bf16", "fp8", "awq-int4"); empty: unknown
  bool assumed = false;              // the config does not say; 16 bits taken
  // exact layout of a quantised checkpoint, when the config tells it
  EncodingId linear = 0;             // encoding of the quantised linear layers
  bool quantised = false;
  bool experts_only = false;
  bool matrices = false;             // embedding and head are quantised like the linear layers (MLX)
  EncodingId rest = 0;               // encoding of all else
  bool towers = false;               // the towers' linear layers are quantised too (bitsandbytes)
  std::vector<std::string> unquantised;      // parts of row names that stay in `rest` ("lm_head", "self_attn", …)
};

// Weights of one shape in a tower: `count` matrices of rows x columns, or vectors gathered into one (rows 1).
struct TowerPart {
  std::string name;
  std::int64_t rows = 1, columns = 1, count = 1;
  bool linear = false;               // a matrix of a linear layer, split and quantised like one
  bool operator==(const TowerPart&) const = default;
};

// What turns images or sound into inputs of the language model: an encoder and its projector.
struct Tower {
  std::string name;                  // "vision", "audio"
  std::vector<TowerPart> parts;
  bool operator==(const Tower&) const = default;
};

struct ModelSpec {
  std::string id, name, architecture;        // id: Hugging Face id or the name given; architecture: model_type
  std::int64_t vocabulary = 0;
  std::int64_t hidden = 0;
  std::int64_t positions = 0;                // rows of a learned position table
  std::int64_t embedding_width = 0;          // when narrower than hidden (OPT 350M); 0: hidden
  bool tied = false;
  bool head_bias = false;
  bool embedding_norm = false;
  bool final_norm = true;
  bool final_norm_bias = false;
  bool has_head = true;                      // false: not a language model head
  std::int64_t context = 0;                  // tokens the model was made for; 0: unknown
  std::vector<LayerKind> kinds;
  std::vector<std::uint8_t> layer_kind;      // one entry per layer, in order: index into kinds
  std::int64_t mtp_layers = 0;               // multi-token prediction layers in the checkpoint
  std::uint8_t mtp_kind = 0;                 // shape of each
  bool mtp_copies_tables = false;            // the MTP layer stores embedding and head again
  std::vector<Tower> towers;
  Published published;
  std::vector<std::string> assumed;          // "head_dim 128": what a model read from tensors alone takes for granted

  std::int64_t layers() const { return static_cast<std::int64_t>(layer_kind.size()); }
};

}  // namespace weighbridge
