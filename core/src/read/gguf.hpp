// GGUF headers, versions 2 and 3, little and big endian: metadata and the list of tensors, without the tensors.
//
// Source: the GGUF specification (sources.json: ggml). Texts and arrays stay where they are in the file, so that a header with a
// tokenizer of 20 MB takes no more memory than one without.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/formats.hpp"
#include "weighbridge/problem.hpp"

namespace weighbridge {

struct GgufTensor {
  std::string_view name;
  std::array<std::int64_t, 4> dims{1, 1, 1, 1};        // fastest first: dims[0] is the input width of a matrix
  std::int64_t offset = 0;                             // of its data, in the data section
  int dimensions = 0;
  EncodingId encoding = 0;
};

// Arrays stay where they are in the file, too.
struct GgufValue {
  double number = 0;
  std::string_view text;                               // of an array: the bytes of its numbers; empty for arrays of texts
  std::uint64_t length = 0;                            // of any array
  std::uint8_t element = 0;                            // type of an array's numbers
  bool swapped = false;

  bool is_list() const { return length > 0 && !text.empty(); }
  double item(std::uint64_t i) const;                  // 0 beyond the end
};

struct GgufHeader {
  std::map<std::string_view, GgufValue> values;        // by key
  std::vector<GgufTensor> tensors;
  std::vector<std::string> owned;                      // names that stand in no file's bytes

  const GgufValue* find(std::string_view key) const;
};

// The content is the file's first bytes, of `size` in all. A header that is not whole is `needs_more_bytes` when there are
// more, else `unsupported_file`; everything that is wrong is added to `problems` at `path`.
std::optional<GgufHeader> read_gguf(std::string_view content, std::int64_t size, std::string_view name, std::string_view path, const Formats& formats,
                                    Problems& problems);

}  // namespace weighbridge
