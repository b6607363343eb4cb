// What programs reach of a device, and what each step costs beside its bytes and products: the fitted figures of
// core/data/efficiency.json, put together for one engine on one device.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/hardware.hpp"

namespace weighbridge {

// Engines with like kernels and like overheads. `local` runs GGUF and kin with kernels of its own (llama.cpp, ollama).
enum class EngineKind : std::uint8_t { ideal, vllm, sglang, tensorrt, local, mlx, exllama, eager };

struct EnginePace {
  EngineKind kind = EngineKind::ideal;
  double generation = -1;              // 0: builds of early 2024 and before, 1: of late 2025, above 1: later; below 0: not known
  double at_least = 0;                 // of a build of unknown version: it is newer than the model that it runs
  bool vulkan = false;
  bool flash_attention = true;
};

// The constants, by their names in efficiency.json.
#define WEIGHBRIDGE_PACE_CONSTANTS(X)                                                                                              \
  X(cache) X(kv_rereads) X(kv_rereads_plain) X(score_bytes) X(hidden_moves) X(joules_local) X(joules_int8) X(joules_server) X(local_hbm_bandwidth)                    \
  X(packed_local) X(int8_products) X(packed_server) X(expert_padding) X(expert_padding_server) X(tile_cost) X(expert_compute) X(expert_compute_server) X(tile_tokens) X(attention_plain)  \
  X(attention_amd) X(attention_flash) X(attention_old) X(unpack_local) X(unpack_mlx) X(unpack_server) X(unpack_eager) X(exposed)         \
  X(layer_local_old) X(layer_local) X(layer_metal) X(layer_hip) X(layer_mlx) X(layer_exllama) X(layer_eager)     \
  X(layer_server_old) X(layer_server) X(layer_tensorrt) X(layer_sglang) X(layer_blackwell) X(layer_cdna) X(moe_layer_local) X(expert_launch) X(expert_kernels)       \
  X(moe_layer_server) X(moe_prompt) X(moe_tokens) X(host_server) X(sequence_vllm_old) X(sequence_server) X(reduce_pcie) X(reduce_xgmi) X(reduce_nvlink3)       \
  X(reduce_nvlink4) X(reduce_growth) X(link) X(pipeline_local) X(floor_server)                 \
  X(floor_sglang) X(prompt_queue) X(prompt_queue_vllm) X(vulkan_compute) X(unknown_version) X(host_share) X(host_bandwidth) X(fetch_tokens) X(loop_tokens) X(expert_tile) X(expert_tile_vector) X(unfold_tokens)

enum class PaceConstant : std::uint8_t {
#define WEIGHBRIDGE_PACE_NAME(name) name,
  WEIGHBRIDGE_PACE_CONSTANTS(WEIGHBRIDGE_PACE_NAME)
#undef WEIGHBRIDGE_PACE_NAME
  kCount
};
constexpr std::size_t kPaceConstants = static_cast<std::size_t>(PaceConstant::kCount);

enum class MemoryClass : std::uint8_t { hbm, gddr, unified };
enum class LaunchClass : std::uint8_t { cuda, blackwell, hip, cdna, metal };

struct DevicePace {                    // of a class of devices
  std::string name, training;          // training: the class of training.json
  double bandwidth = 1, compute = 1;   // shares of the peaks that kernels reach
  double link = 0.8;                   // share of the link's rate that large collectives reach
  MemoryClass memory = MemoryClass::gddr;
  LaunchClass launch = LaunchClass::cuda;
  bool power_limited = false;          // products slow down as the board's power limit is reached
  std::vector<std::string> unfolds;    // beginnings of the architectures on which llama.cpp multiplies by 16-bit copies
  double issue_lanes = 1;              // lanes that issue at once for each fp32 lane: 2 where integer lanes stand beside these
  std::uint8_t measured = 0;           // by which groups of engines: a bit each
};

// What held 80 % of the measurements that were left out of the fit: measured over estimated time.
struct Spread {
  double low = 1, high = 0;            // nothing known: below low
};
enum class SpreadOf : std::uint8_t { single, single_moe, batched, batched_moe, prefill, prefill_moe, ttft, ttft_loaded, kCount };
// Engines whose spreads are told apart: all, those of one user with kernels of their own, servers, eager loops.
enum class EngineGroup : std::uint8_t { all, own, server, eager, kCount };

// One engine on one device.
struct Pace {
  bool measured = true;                // somebody did on this class of devices
  double bandwidth = 1, cache = 1;     // shares of the memory's peak for weights and for the KV cache
  double compute = 1;                  // share of the dense peak in matrix products, as far as power allows
  double joules = 0;                   // of a FLOP in these, which the board's power limit spreads over time
  double watts = 0;                    // that limit, as rated; 0: not known
  double lowered_watts = 0, lowered_joules = 0;        // the limit that was set below it, and what a FLOP then draws on any board; 0: none
  double lowered_int8_joules = 0;      // what one of `int8_products` then draws
  double packed = 1, experts = 1;      // times that: weights stored narrower than they multiply, routed experts
  double int8_products = 0;            // operations of the INT8 matrix units for each fp32 operation of the vector lanes, where quantised weights multiply there
  double attention = 1;                // share of the 16-bit peak in attention
  double tile = 0, expert_padding = 0; // tokens that each product, each touched expert pays for beside its own
  double expert_tile = 0, tile_cost = 0;               // widest tile of quantised experts, 0: not by tiles; time of an empty column of it over that of a token
  double unpack = 0;                   // operations for each stored weight narrower than it multiplies
  double unfold_tokens = 0;            // of a pass: from here on quantised weights are copied to 16 bits in memory and multiplied from there; 0: never
  bool unfold_experts = false;         // those of routed experts too
  double rereads = 0;                  // of the query heads of a key-value head beside the first: a step reads the cache once more for each
  double hidden_moves = 0;             // vectors of the hidden size that a layer moves for each token, and for each of its experts
  double score_bytes = 0;              // moved for each attention score, without flash attention
  double exposed = 0;                  // of the shorter of memory and arithmetic, what does not hide behind the longer
  Seconds host, layer, moe_layer, sequence;            // of a pass, a layer, an expert layer, a sequence in a step
  Seconds moe_prompt;                  // of an expert layer in a pass over a prompt, beside that
  Seconds moe_tokens;                  // of an expert layer in a pass of several tokens, beside that
  Seconds expert;                      // of each expert of a layer, where they run one by one
  bool packed_experts_apart = false;   // experts that are unpacked to 16 bits run one by one, all of them in every pass
  bool every_expert = false;           // they do in every pass, and for all experts; otherwise for those that a long pass touches unquantised
  Seconds reduce;                      // latency of an all-reduce
  double link = 1;                     // share of the link's rate
  double stages = 1;                   // of what pipeline stages could gain on a prompt
  double in_flight = 1e9;              // passes that may be under way in them at a time
  std::array<double, 3> host_share{1, 1, 1};           // of system memory's bandwidth, what processors reach: value, least, most
  BytesPerSecond host_bandwidth;       // of system memory, where the request says nothing
  double fetch_tokens = 0, loop_tokens = 0;            // of a pass: from here on weights are fetched to the device, unquantised experts run one by one
  Seconds floor;                       // from the request's arrival to its first pass and from the last to the reader
  double prompt_queue = 0;             // share of the prompts of a closed loop that start together, of those that one pass has room for
  bool bf16_on_vectors = false;        // no matrix units for bf16: its products run in fp32
  bool latent_prompts = false;         // attends to MLA's latents in a prompt too, instead of unfolding them
  bool own_kernels = false;            // narrow weights run in the engine's own 16-bit or INT8 products; accumulates in 16 bits
};

class PaceTable {
 public:
  void read(const nlohmann::json& efficiency);

  double operator[](PaceConstant c) const { return constants_[static_cast<std::size_t>(c)]; }
  const DevicePace& device(std::uint8_t index) const { return devices_[index < devices_.size() ? index : devices_.size() - 1]; }
  // The first class that takes such a device.
  std::uint8_t device_class(std::string_view id, std::string_view vendor, std::string_view architecture, std::string_view memory_kind) const;
  // `released`: when the model was published, in years; 0: not known.
  EnginePace engine(std::string_view id, std::string_view version, double released = 0) const;
  // When a version came out, in years; 0: not known.
  double date_of(std::string_view id, std::string_view version) const;
  Pace pace(const EnginePace& engine, const Device& device, std::int64_t tensor) const;
  // Falls back, and widens, in this order: the group's own spread on a class that it was measured on; on a class that it was not measured on;
  // that of all engines; a class that nobody measured.
  Spread spread(SpreadOf of, EngineKind engine, const Device& device) const;

 private:
  struct Applies {
    std::vector<std::string> ids, vendors, architectures, memory_kinds;      // beginnings
  };
  struct Version {
    std::string engine;
    double version = 0, date = 0;
  };
  std::array<double, kPaceConstants> constants_{};
  std::array<double, 3> host_share_{1, 1, 1};
  std::vector<DevicePace> devices_{DevicePace{}};
  std::vector<Applies> applies_{Applies{}};
  std::vector<Version> versions_;
  std::array<std::array<Spread, static_cast<std::size_t>(EngineGroup::kCount)>, static_cast<std::size_t>(SpreadOf::kCount)> spreads_{};
  double unmeasured_engines_ = 1, unmeasured_class_ = 1;           // by how much a spread widens
};

}  // namespace weighbridge
