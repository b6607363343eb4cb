// Serving: what a model takes in memory and how fast it answers, by the rules of the request's engine.
//
// `ideal` allocates just what the arithmetic needs: nothing is rounded to pages, nothing reserved; engine.hpp says what the others
// do. A pass takes the time of its memory traffic and its arithmetic at the shares of the peaks that kernels reach, of the links, and
// of the launches between them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "weighbridge/request.hpp"

namespace weighbridge {

enum class Bound : std::uint8_t { compute, bandwidth, interconnect, overhead };
std::string_view bound_name(Bound bound);

struct DeviceMemory {                      // the fullest device
  Bytes weights, kv_cache, activations, runtime, total;
  Bytes capacity, usable, headroom;
  bool fits = false;
  std::array<Bytes, kRoles> weights_by_role{};
  Bytes engine_weights;                    // what the engine makes of the weights when it has loaded them, and a draft model
  Bytes adapters;                          // LoRA, beside the roles
  Bytes context, libraries, graphs, reserved;          // the runtime
};

struct HostMemory {                        // what stays in system memory
  Bytes weights, kv_cache;
  Bytes total() const { return weights + kv_cache; }
};

struct TotalMemory {                       // all devices together
  Bytes weights, kv_cache, activations, runtime, total;
};

struct Capacity {
  Bytes kv_pool;
  BytesPerToken kv_bytes_per_token;
  double kv_tokens = 0;
  double max_context_tokens = 0;
  double max_concurrency = 0;
  std::int64_t devices_needed = 0;         // 0: no number of devices up to the limit is enough
};

struct PassTime {
  Flops flops;                             // of all devices
  Bytes bytes;                             // moved by all devices
  Seconds seconds;
  TokensPerSecond tokens_per_s;
  Bound bound = Bound::bandwidth;
};

struct Speed {
  PassTime prefill, decode;
  Seconds ttft, tpot, latency;             // tpot: per token
  TokensPerSecond output_tokens_per_s, tokens_per_s_per_user;
};

struct Load {
  double concurrency = 0;
  double utilisation = 0;
  bool stable = true;
  Seconds queue;
};

struct Cost {                              // a figure that is not known is 0, and null in JSON
  Dollars usd_per_hour;
  double usd_per_million_output_tokens = 0;
  Watts watts;
  JoulesPerToken joules_per_output_token;
};

struct Estimate {
  // whole model
  Bytes weight_bytes;
  BytesPerToken kv_bytes_per_token;
  Bytes window_bytes_per_sequence, state_bytes_per_sequence;
  Layout layout;
  double concurrency = 0;                  // as used for memory ("max" resolved)
  TotalMemory total;
  HostMemory host;
  // with a device
  bool has_device = false;
  DeviceMemory device;
  Capacity capacity;
  bool has_speed = false;                  // bandwidth and a compute peak are known
  Speed speed, slow, fast;                 // slow and fast: the ends of what held 80 % of the measurements
  Load load;
  Cost cost;
  Arithmetic arithmetic = Arithmetic::bf16;        // of the largest part of the matrix products
  Arithmetic arithmetic_used = Arithmetic::bf16;   // what the device runs it in
};

// Stored rows that every layout holds and every pass reads in the same way, added up.
struct StoredGroup {
  enum class Place : std::uint8_t { layers, first, last, ends };       // with the layers of its kind; on which pipeline stages else
  enum class Read : std::uint8_t { whole, experts, table, never };     // what a pass reads of it
  Role role = Role::other;
  Split split = Split::even;
  Place place = Place::layers;
  Read read = Read::whole;
  std::int16_t kind = -1;
  double table_rows = 0;                   // of a table: a token reads one of so many rows
  Bytes bytes;
  double narrow = 0;                       // elements stored in less than 16 bits
  bool alike(const StoredGroup& o) const {
    return role == o.role && split == o.split && place == o.place && read == o.read && kind == o.kind && table_rows == o.table_rows;
  }
};

// Matrix products of one kind: FLOP per token, or per logit where they are of the head.
struct Product {
  Arithmetic arithmetic = Arithmetic::bf16;        // that the format is made for
  bool narrow = false;                     // stored in less than 16 bits
  bool packed = false;                     // stored narrower than it multiplies, whatever the device
  bool routed = false, head = false;
  double flops = 0;
};
constexpr std::size_t kProducts = 48;      // precisions x packed x (dense, routed, head) and room

// A request's tensors in their stored format, and what all devices, layouts and workloads have in common. Build once, use for all.
struct Stored {
  std::vector<StoredRow> rows;
  std::vector<StoredGroup> groups;         // the prediction layers' (MTP) after all others
  std::size_t without_mtp = 0;             // how many groups there are before those
  std::array<Bytes, kRoles> by_role{};     // whole model, every tensor
  Bytes loaded, mtp;                       // one copy of what is loaded always, and of the prediction layers
  std::array<Product, kProducts> products{};       // linear layers
  std::size_t product_count = 0;
  Arithmetic arithmetic = Arithmetic::bf16;        // of the largest part of them
  bool fp32_matrices = false;
};
void store(const Request& request, const Formats& formats, Stored& out);

Estimate estimate(const Request& request, const Formats& formats, const Stored& stored);
Estimate estimate(const Request& request, const Formats& formats, const Stored& stored, Trace& trace);

// Whether the request fits on `devices` of its device in the default layout, and with how much to spare.
Bytes headroom(const Request& request, const Formats& formats, const Stored& stored, std::int64_t devices);

}  // namespace weighbridge
