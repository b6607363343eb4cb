// Headers of safetensors files and indexes of sharded checkpoints: names, dtypes and shapes, without the tensors.
//
// Source: the safetensors format (sources.json: safetensors). The JSON is looked through and not kept, so that a header takes
// less than four times its bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/problem.hpp"

namespace weighbridge {

// More of a file is never asked for: real headers have a few megabytes.
constexpr std::int64_t kMostHeaderBytes = std::int64_t{64} << 20;

struct Dtype {
  std::string_view name;                     // as the file writes it
  int bits;
};

struct CheckpointTensor {
  std::uint32_t name_at = 0, name_length = 0;          // in Checkpoint::names
  std::uint8_t dtype = 0, rank = 0;
  std::array<std::int64_t, 4> dims{1, 1, 1, 1};        // fastest first: dims[0] is the input width of a matrix; dims[3] holds all the rest
  std::int64_t begin = 0, end = 0;                     // in the buffer
  std::int64_t elements() const { return dims[0] * dims[1] * dims[2] * dims[3]; }
  std::int64_t bytes() const { return end - begin; }
};

// One header, or one index (whose tensors have names only).
struct Checkpoint {
  std::string names;
  std::vector<CheckpointTensor> tensors;               // by name
  bool index = false;
  double total_size = 0, total_parameters = 0;         // of an index; 0: it does not say
  std::size_t files = 0;                               // that an index names

  std::string_view name(const CheckpointTensor& t) const { return std::string_view(names).substr(t.name_at, t.name_length); }
};

constexpr std::size_t kMostDtypes = 24;
std::uint8_t dtype_count();
const Dtype& dtype_at(std::uint8_t index);
inline const Dtype& dtype_of(const CheckpointTensor& t) { return dtype_at(t.dtype); }

// `content` is the file's first bytes, of `size` in all. Everything that is wrong is added to `problems` at `path`, a header that is
// not whole yet as needs_more_bytes.
std::optional<Checkpoint> read_safetensors(std::string_view content, std::int64_t size, std::string_view file, std::string_view path, Problems& problems);
std::optional<Checkpoint> read_checkpoint_index(std::string_view content, std::int64_t size, std::string_view file, std::string_view path, Problems& problems);

}  // namespace weighbridge
