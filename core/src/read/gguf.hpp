// GGUF headers, versions 2 and 3, little and big endian: metadata and the list of tensors, without the tensors.
//
// Source: the GGUF specification (sources.json: ggml). Texts stay where they are in the file; arrays are skipped but for short
// ones of numbers, so that a header with a tokenizer of 20 MB takes no more memory than one without.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/problem.hpp"

namespace weighbridge {

struct GgufTensor {
  std::string_view name;
  std::array<std::int64_t, 4> dims{1, 1, 1, 1};        // fastest first: dims[0] is the input width of a matrix
  int dimensions = 0;
  std::string_view encoding;                           // id of the encoding (formats.json)
};

struct GgufValue {
  double number = 0;
  std::string_view text;
  std::vector<double> list;                            // short arrays of numbers
  std::uint64_t length = 0;                            // of any array
};

struct GgufHeader {
  std::map<std::string_view, GgufValue> values;        // by key
  std::vector<GgufTensor> tensors;
  std::vector<std::string> owned;                      // names that stand in no file's bytes

  const GgufValue* find(std::string_view key) const;
};

// The content is the file's first bytes, of `size` in all. A header that is not whole is `needs_more_bytes` when there are
// more, else `unsupported_file`; everything that is wrong is added to `problems` at `path`.
std::optional<GgufHeader> read_gguf(std::string_view content, std::int64_t size, std::string_view name, std::string_view path, Problems& problems);

}  // namespace weighbridge
