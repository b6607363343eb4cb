// What a model is: the one description that weights, cache, traffic, FLOPs and training are computed from.
//
// A reader (read/) makes a ModelSpec from config.json, and inventory() makes the tensors from the ModelSpec.
// No formula knows a model family; the readers do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "weighbridge/formats.hpp"

namespace weighbridge {

enum class QkNorm : std::uint8_t { none, per_head, full_width };

// What the heads' output is multiplied by before the output matrix: a gate for each of its elements, or for each head.
enum class OutputGate : std::uint8_t { none, elements, heads };

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
  bool key_is_value = false;         // values are the keys before their norm: no value matrix, the cache holds both (Gemma 4)
  bool no_keys = false;              // of those that share a cache: it has no matrices for keys and values (CLA, arXiv 2405.12981)
  bool shares_cache = false;         // reads the keys and values of an earlier layer; its own are stored and unused (Gemma 3n and 4)
  OutputGate gate = OutputGate::none;        // of elements: its rows lie in the query matrix (Qwen3-Next)
  bool operator==(const Attention&) const = default;
};

// Multi-head latent attention (DeepSeek V2 on): the cache holds one latent of kv_lora_rank + rope_dim per token and layer.
struct Mla {
  std::int64_t heads = 0;
  std::int64_t q_lora_rank = 0;      // 0: the query is not compressed
  std::int64_t kv_lora_rank = 0;
  std::int64_t nope_dim = 0, rope_dim = 0, value_dim = 0;
  bool bias = false;                 // on both down-projections and on the output
  OutputGate gate = OutputGate::none;
  bool operator==(const Mla&) const = default;
};

// Which of many cached tokens a query attends to is chosen by narrow heads of its own, with one key per token in a cache beside
// the layer's (DeepSeek V3.2, GLM-5, MiniMax-M3).
struct Indexer {
  std::int64_t heads = 0;            // 0: none
  std::int64_t dim = 0;              // width of the key and of one query head
  std::int64_t tokens = 0;           // how many cached tokens are attended to
  bool weighted = false;             // DeepSeek: queries from the compressed ones, a LayerNorm on the key, a weight for each head; else RMSNorms on both
  bool operator==(const Indexer&) const = default;
};

enum class RecurrentKind : std::uint8_t {
  none,
  mamba,                             // selective state space, one state for each channel (arXiv 2312.00752)
  mamba2,                            // the same with heads (arXiv 2405.21060)
  gated_delta,                       // gated delta rule (arXiv 2412.06464; Qwen3-Next)
  kda,                               // the same with a decay for each channel (Kimi Linear, arXiv 2510.26692)
  lightning,                         // linear attention with a fixed decay (MiniMax-01, arXiv 2501.08313)
  localized_filter,                  // two causal convolutions before queries and keys (Yuan 2.0, arXiv 2311.15786)
  short_convolution,                 // a gated causal convolution and nothing else (LFM2)
  rwkv4, rwkv, rwkv7,                // time mixing of version 4 (arXiv 2305.13048), 5 and 6 (arXiv 2404.05892), and 7 (arXiv 2503.14456)
};

// A mixer with a state of constant size, read and written at every step: heads x key_dim x value_dim elements, and the last
// kernel - 1 inputs of a causal convolution.
struct Recurrent {
  RecurrentKind kind = RecurrentKind::none;
  std::int64_t heads = 0;            // of values and state (Mamba-1: one for each channel)
  std::int64_t key_heads = 0;        // of keys and queries; Mamba-2: groups of B and C
  std::int64_t key_dim = 0, value_dim = 0;
  std::int64_t kernel = 0;           // width of the causal convolution
  std::int64_t rank = 0;             // of low-rank steps and gates, all together; 0: gates are whole matrices
  std::int64_t vectors = 0;          // RWKV: vectors of hidden_size beside the matrices
  bool bias = false, conv_bias = false;
  bool norm = false;                 // before the output matrix
  bool inner_norms = false;          // on what the state is made from (Jamba)
  bool whole_decay = false;          // kda: the decay is made by one matrix, not by two of low rank (Ling 3)
  std::int64_t state_bits = 32;      // of one state element, as the model's makers run it
  bool operator==(const Recurrent&) const = default;
};

// DeepSeek V4: every head shares one key, which is its own value; beside a window of single tokens a layer keeps averages of
// `ratio` tokens each. The output goes through groups of low rank.
struct CompressedAttention {
  std::int64_t heads = 0, head_dim = 0;
  std::int64_t q_lora_rank = 0, o_groups = 0, o_lora_rank = 0;
  std::int64_t window = 0;
  std::int64_t ratio = 0;            // 0: the window alone
  // Averages that overlap are made from two halves.
  std::int64_t halves() const { return ratio == 4 ? 2 : 1; }
  bool operator==(const CompressedAttention&) const = default;
};

enum class MixerKind : std::uint8_t {
  none,
  attention,
  mla,
  compressed,
  linear,                            // one square matrix in its place (Nemotron-NAS)
};

// Attention and a recurrent part can stand side by side in one layer (Falcon-H1).
struct Mixer {
  MixerKind kind = MixerKind::attention;
  Attention attention;
  Mla mla;
  CompressedAttention compressed;
  Indexer indexer;                   // of attention; of compressed attention it has averages of its own
  Recurrent recurrent;
  bool operator==(const Mixer&) const = default;
};

struct FeedForward {
  // dense part; width 0: none
  std::int64_t width = 0;
  bool gated = true;
  bool bias = false;                 // on every matrix of the dense part
  bool down_bias = false;            // on its last matrix only
  bool fused_gate_up = false;
  bool inner_norm = false;           // over the width, before the last matrix of the dense part (BitNet)
  bool square = false;               // one matrix of hidden x hidden, alone (Nemotron-NAS) or beside the others (RWKV's receptance)
  // experts; experts 0: dense only
  std::int64_t experts = 0, experts_used = 0, expert_width = 0;
  bool expert_bias = false;          // gpt-oss: biases on both expert matrices
  bool router_bias = false;
  std::int64_t null_experts = 0;     // the router can also choose these, which do nothing (LongCat-Flash)
  bool router_correction = false;    // one score correction per expert (noaux_tc)
  std::int64_t expert_hidden = 0;    // experts work in this narrower width, between two matrices for all (Nemotron 3); 0: hidden
  bool latent_norm = false;          // a norm in that width
  std::int64_t shared_width = 0;     // all shared experts of a layer together
  bool shared_gate = false;          // Qwen2-MoE: one h-wide gate on the shared expert
  bool router_scales = false;        // Gemma 4: one scale per input and one per expert
  bool operator==(const FeedForward&) const = default;
};

struct LayerKind {
  Mixer mixer;
  FeedForward feed_forward;
  // Attention to the states of an encoder or to images, after the mixer or in its place; its keys and values are computed once.
  bool crosses = false;
  Attention cross;
  std::int64_t source_tokens = 0;    // that it attends to; 0: the prompt's, which take no place in the mixer's own cache (T5)
  std::int64_t per_layer_input = 0;  // width of what each token's own entry for this layer adds (Gemma 3n and 4)
  std::int64_t laurel_rank = 0;      // a low-rank path beside attention (Gemma 3n; arXiv 2411.07501)
  std::int64_t scalars = 0;          // single learned numbers: gates, scales
  int norms = 2;                     // vectors of hidden_size
  bool norm_bias = false;
  std::int64_t hyper = 0;            // streams of the residual, mixed before and after each half (hyper-connections); 0: one, not mixed
  bool operator==(const LayerKind&) const = default;
};

// Modules of a quantised checkpoint that are stored in another way than most of its linear layers.
struct PublishedPart {
  std::string module;                // part of row names, as in Published::unquantised
  EncodingId encoding = 0;
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
  bool named_only = false;           // linear layers that no part names stay in `rest`
  std::vector<PublishedPart> parts;          // the first that fits a row counts; before `linear`, after `unquantised`
  double bits = 0, head_bits = 0;            // > 0: linear layers and head take so many bits on average (EXL2, EXL3)
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

// What an encoder works on: the largest image (all of its tiles), and how wide one layer is for a patch of it.
struct Sight {
  std::int64_t patches = 0;          // 0: unknown
  std::int64_t inputs = 0;           // of the language model that they become
  std::int64_t heads = 0, width = 0, pixels = 0;           // pixels: numbers of a patch
  std::int64_t layer = 0;            // elements alive in the wider half of a layer, split over devices
  bool operator==(const Sight&) const = default;
};

// What turns images or sound into inputs of the language model: an encoder and its projector.
struct Tower {
  std::string name;                  // "vision", "audio", "encoder"
  bool encoder = false;              // the encoder half of a text or speech model: always loaded, quantised like the rest
  std::vector<TowerPart> parts;
  Sight sight;
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
  bool final_residual = false;               // before the head earlier residuals are weighed (Kimi K3): a norm and a query
  bool has_head = true;                      // false: not a language model head
  std::int64_t hyper = 0;                    // streams of the residual that are mixed into one before the head
  std::int64_t context = 0;                  // tokens the model was made for; 0: unknown
  std::int64_t position_stretch = 1;         // rows of an engine's table of rotary positions for each of these: positions in time, height and width
  std::vector<LayerKind> kinds;
  std::vector<std::uint8_t> layer_kind;      // one entry per layer, in order: index into kinds
  std::int64_t mtp_layers = 0;               // multi-token prediction layers in the checkpoint
  std::uint8_t mtp_kind = 0;                 // shape of each
  bool mtp_copies_tables = false;            // the MTP layer stores embedding and head again
  std::int64_t per_layer_vocabulary = 0;     // rows of the table with an entry for every layer; its width: per_layer_input x layers
  std::int64_t altup_inputs = 0;             // parallel residual streams, of which one is computed (Gemma 3n; arXiv 2301.13310)
  bool wide_routers = false;                 // quantised checkpoints store routers in 32 bits (MiniMax M2)
  std::vector<Tower> towers;
  Published published;
  std::vector<std::string> assumed;          // "head_dim 128": what a model read from tensors alone takes for granted

  std::int64_t layers() const { return static_cast<std::int64_t>(layer_kind.size()); }
  // Attention heads of the layers that have most of them; 0: no layer has any.
  std::int64_t most_heads() const {
    std::int64_t most = 0;
    for (const auto& kind : kinds) most = std::max({most, kind.mixer.attention.heads, kind.mixer.mla.heads, kind.mixer.compressed.heads});
    return most;
  }
};

}  // namespace weighbridge
