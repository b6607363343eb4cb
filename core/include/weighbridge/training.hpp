// Training and fine-tuning: what a step holds on the fullest device at each of its moments, and how long it takes.
//
// States, activations and FLOPs follow from the tensor inventory; what a frame adds and what share of the hardware it reaches is
// data (core/data/training.json). Memory is what the driver would report at the peak.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/request.hpp"

namespace weighbridge {

// In the order of the request's choices.
enum class TrainMethod : std::uint8_t { full, lora, qlora, freeze };
enum class Precision : std::uint8_t { fp32, bf16, fp16_mixed, bf16_mixed, fp8_mixed };
enum class Optimizer : std::uint8_t { adamw, adamw_8bit, paged_adamw_8bit, adamw_bf16, sgd, sgd_momentum, adafactor, lion, muon, galore };
enum class Checkpointing : std::uint8_t { none, selective, selective_op, full };
enum class Loss : std::uint8_t { full, chunked, fused };
enum class Framework : std::uint8_t { pytorch, deepspeed, megatron, fsdp, unsloth };
enum class Offload : std::uint8_t { none, optimizer, all };

// devices = data x tensor x pipeline x context. `expert` says over how many of data x tensor x context the experts are spread.
struct TrainLayout {
  std::int64_t data = 1, tensor = 1, pipeline = 1, context = 1, expert = 1;
  std::int64_t virtual_pipeline = 1;         // chunks of layers per stage (interleaved schedule)
  std::int64_t shard_group = 0;              // ranks that states are sharded over; 0: data x context
  int zero_stage = 0;
  bool no_sync = false;                      // FSDP: gradients stay whole until the last micro-batch
  bool sequence = false;                     // sequence parallelism beside tensor parallelism
  Offload offload = Offload::none;
  bool nvme = false;                         // what is offloaded lies on NVMe, behind buffers in system memory
  std::int64_t devices() const { return data * tensor * pipeline * context; }
  std::int64_t replicas() const { return data * context; }
  std::int64_t shards() const { return shard_group > 0 ? shard_group : replicas(); }
};

// One low-rank pair beside a matrix, or beside a part of a fused one.
struct Adapter {
  std::string name;                          // "layers.{}.self_attn.q_proj"
  TensorClass part = TensorClass::other;     // attention_q … ffn_down
  std::int16_t kind = -1;                    // of the layers that carry it
  std::int64_t layers = 1, per_layer = 1;
  std::int64_t inputs = 0, outputs = 0;
  Split split = Split::even;
  bool routed = false;                       // beside experts
  std::int64_t tensors() const { return layers * per_layer; }
};

struct TrainRequest : ModelChoice {
  TrainMethod method = TrainMethod::full;
  Precision precision = Precision::bf16_mixed;
  Optimizer optimizer = Optimizer::adamw;
  Framework framework = Framework::pytorch;
  double rank = 16;
  bool dora = false;
  double galore_rank = 128;
  std::vector<Adapter> adapters;
  std::vector<std::uint16_t> train_also;     // rows of the inventory that are trained in full beside the adapters
  std::int64_t trained_layers = 0;           // freeze: so many of the last layers; 0: none or all, by the method
  WeightChoice base;                         // the frozen base; no format and no bits: 16 or 32 bits by the precision
  Checkpointing checkpointing = Checkpointing::none;
  std::int64_t every = 1;                    // full: every k-th layer
  bool activation_offload = false, optimizer_in_backward = false, compile = false, eager_attention = false;
  Loss loss = Loss::full;
  double capacity_factor = 0;                // of routed experts; 0: they take all tokens, evenly drawn
  TrainLayout layout;
  Given<double> micro_batch{1}, accumulation{1}, sequence_tokens{4096};
  double dataset_tokens = 0;                 // 0: not given
  std::optional<Device> device;
  From device_from = From::catalog;
  Given<std::int64_t> devices{1};
  std::int64_t per_node = 0;                 // 0: the device's own, else 8
  double compute_efficiency = 0;             // > 0: replaces the fitted ones
  double trainable_parameters = 0;
  double bytes_per_parameter = 2;            // of the weights, as the article counts
  bool article = false, explain = false;
  std::vector<Assumption> assumptions;

  // Experts padded to their capacity hold, compute and send so many slots for each token's choice of an expert; so many of those have
  // a token in them, at most (Fedus et al. 2021, "Switch Transformers", arXiv 2101.03961, section 2.2).
  double expert_slots() const { return capacity_factor > 0 ? capacity_factor : 1; }
  double expert_tokens() const { return expert_slots() < 1 ? expert_slots() : 1; }
};

// Reads a parsed request. Every problem found goes to `problems`; nothing is returned when one of them is an error.
std::optional<TrainRequest> read_train_request(const nlohmann::json& request, const Catalog& catalog, Problems& problems);

// ---- the answer ----

enum class Moment : std::uint8_t { forward, loss, backward, backward_end, optimizer_step, kCount };
constexpr std::size_t kMoments = static_cast<std::size_t>(Moment::kCount);
std::string_view moment_name(Moment moment);

struct TrainParts {                          // of one device
  Bytes weights, gradients, optimizer, activations, logits, runtime;
  Bytes total() const { return weights + gradients + optimizer + activations + logits + runtime; }
};

struct TrainSpeed {
  FlopsPerToken flops_per_token;             // of the model: no recomputation, attention in full
  Seconds step;
  TokensPerSecond tokens_per_s, tokens_per_s_per_device;
  FlopsPerSecond flops_per_device;
  double mfu = 0;
  Seconds total;                             // 0: no data set given
  double device_hours = 0;
  Dollars cost;                              // 0: not known
  Joules energy;                             // 0: not known
};

struct Training {
  Bytes weight_bytes;                        // one copy of all weights: as trained, or the frozen base in its format
  std::array<TrainParts, kMoments> timeline;
  Moment peak = Moment::forward;
  Bytes host;                                // all devices together
  bool has_speed = false;
  TrainSpeed speed;
  double memory_low = 1, memory_high = 1;    // factors of the 80 % interval
  double speed_low = 1, speed_high = 1;
  Arithmetic arithmetic = Arithmetic::bf16;  // of the matrix products, wanted and found
  Arithmetic arithmetic_used = Arithmetic::bf16;
  const TrainParts& at_peak() const { return timeline[static_cast<std::size_t>(peak)]; }
};

Training training(const TrainRequest& request, const Catalog& catalog);
Training training(const TrainRequest& request, const Catalog& catalog, Trace& trace);

}  // namespace weighbridge
