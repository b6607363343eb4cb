// The tensor inventory: every weight of a model with its shape, role and use. Rows are grouped by role and by layers of
// one kind, at most about 60 rows even for DeepSeek.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "weighbridge/formats.hpp"
#include "weighbridge/model.hpp"

namespace weighbridge {

enum class Role : std::uint8_t { embedding, attention, mlp, experts, router, norm, lm_head, vision, other, kCount };
constexpr std::size_t kRoles = static_cast<std::size_t>(Role::kCount);
std::string_view role_name(Role role);

// What one token's pass through the model touches of a tensor.
enum class Use : std::uint8_t {
  always,       // read whole, 2 FLOP per element
  lookup,       // one row per token (input embedding, learned positions)
  last,         // only for tokens whose logits are wanted (lm_head)
  routed,       // experts_used of experts
  never,        // not loaded by default, or not in the text path (MTP layers, towers)
};

// How tensor parallelism of n lays a tensor out.
enum class Split : std::uint8_t {
  even,         // 1/n on each device (column or row parallel, vocabulary)
  kv_heads,     // key-value heads: 1/n, but never less than one head: replicated beyond kv_heads
  replicated,   // whole on each device (norms, routers, MLA down-projections)
  experts,      // spread over expert groups, each expert split further
};

// What a weight is to the quantisers' rules.
enum class TensorClass : std::uint8_t {
  token_embedding, output, attention_q, attention_k, attention_v, attention_qkv, attention_output, attention_other,
  ffn_gate, ffn_up, ffn_down, ffn_gate_up, router, norm, bias, position,
  recurrence,                        // convolution kernels, decays, steps: small, and left alone by every quantiser
  other
};

struct TensorRow {
  std::string name;                  // "layers.{}.self_attn.q_proj.weight"; {} runs over the layers of the kind
  Role role = Role::other;
  Use use = Use::always;
  Split split = Split::even;
  TensorClass cls = TensorClass::other;
  bool linear = false;               // a matrix of a linear layer: what weight-only formats quantise
  std::int16_t kind = -1;            // index into ModelSpec::kinds; -1: once per model; MTP rows: the MTP kind
  bool mtp = false;
  std::int64_t layers = 1;           // how many layers carry it (1 for kind -1)
  std::int64_t per_layer = 1;        // tensors of this shape in one layer (experts)
  std::int64_t rows = 1, columns = 1;        // output x input; a vector is 1 x n
  bool tied_head = false;            // the input table that also serves as the head: counted once, used as both

  std::int64_t tensors() const { return layers * per_layer; }
  std::int64_t elements() const { return tensors() * rows * columns; }
};

// What one layer of a kind keeps per sequence; a layer with two mixers, or with an index beside its cache, has two of these.
struct CacheShape {
  std::size_t kind = 0;                      // index into ModelSpec::kinds
  std::int64_t layers = 0;
  double k_elements = 0, v_elements = 0;     // per token, all heads (for MLA: the latent counts as K)
  std::int64_t kv_heads = 1;                 // over how many parts tensor parallelism can spread it
  bool replicated = false;                   // MLA latent: whole on every tensor-parallel rank
  std::int64_t window = 0;                   // tokens kept at most; 0: all
  double fixed_bytes = 0;                    // per token, in a format of its own that kv_cache does not change (indexer keys)
  // constant per sequence (recurrent layers): a state, and the inputs that a convolution looks back at
  double state_elements = 0, state_bits = 32, conv_elements = 0;
  double flops_per_token = 0;                // of updating and reading the state
  std::int64_t attends = 0;                  // cached tokens that a new one reads at most (sparse attention); 0: all
  // attention FLOPs of one new token against one cached token
  double decode_flops_per_pair = 0;          // MLA: absorbed form
  double prefill_flops_per_pair = 0;
  double scores_per_pair = 0;                // query heads that make one
};

// Elements per token that the widest layer's mixer and feed-forward hold beside the residual and its normed copy.
struct Widths {
  double mixer = 0;                          // queries, keys, values and the mixer's output, all heads
  double feed_forward = 0;                   // gate, up and their product; for MoE of all experts that a token uses
};

// A row in the encoding that a format gives it. A mixture can give one row two encodings: then two entries, whose layers
// add up to the row's.
struct StoredRow {
  std::uint16_t row = 0;             // index into Inventory::rows
  EncodingId encoding = 0;
  std::int64_t layers = 1;
  Bytes bytes;                       // of these layers together, scales included
  Bytes beside;                      // of `bytes`, what one tensor has beside its payload (scales)
};

struct Inventory {
  ModelSpec spec;
  std::vector<TensorRow> rows;
  std::vector<CacheShape> caches;            // one per ModelSpec::kinds entry, same order; after these, the second ones

  std::vector<StoredRow> stored;             // as the file holds them, when the rows were read from a header; else empty

  std::int64_t parameters = 0;               // tied tables once, towers and MTP included, scales not
  std::int64_t active_parameters = 0;        // per token: head included, input table, towers and MTP not
  std::int64_t mtp_parameters = 0;
  std::int64_t experts = 0, experts_used = 0;        // of the MoE layers (0: dense); one pair for the whole model

  // of the layers (see measure)
  Widths widths;
  std::int64_t moe_layers = 0;
  std::int64_t heads_divisor = 0;            // tensor parallelism splits the heads of every layer evenly when it divides this; 0: no heads
  std::vector<std::int32_t> layers_before;   // [layer x kinds + kind]: layers of the kind before that layer, and one entry more
  std::int64_t layers_of(std::size_t kind, std::int64_t first, std::int64_t end) const {
    const auto n = spec.kinds.size();
    return layers_before[static_cast<std::size_t>(end) * n + kind] - layers_before[static_cast<std::size_t>(first) * n + kind];
  }
};

// Derives every tensor of `spec`. Total: a checked spec always has an inventory.
Inventory inventory(ModelSpec spec);

// Fills in what follows from a model's layers and caches: widths, divisor of the heads, layers of each kind. inventory() calls it.
void measure(Inventory& inventory);

// Fills in `caches`: what the layers of each kind keep.
void make_caches(Inventory& inventory);

// Fills in the totals (parameters, experts) from the rows and the kinds.
void count(Inventory& inventory);

// Bytes of `layers` layers of a row in an encoding, scales included.
StoredRow stored_row(std::size_t index, const TensorRow& row, EncodingId encoding, std::int64_t layers, const Formats& formats);

// Every row of the inventory as `format` stores it. `out` is cleared first; no allocation once it has its capacity.
void store(const Inventory& inventory, const WeightFormat& format, const Formats& formats, std::vector<StoredRow>& out);
// As the checkpoint was published (quantization_config, torch_dtype), or as its file holds it.
void store_published(const Inventory& inventory, const Formats& formats, std::vector<StoredRow>& out);
// {"bits_per_weight": x}: bytes = elements x bits / 8 for every tensor.
void store_average(const Inventory& inventory, double bits_per_weight, const Formats& formats, std::vector<StoredRow>& out);

}  // namespace weighbridge
