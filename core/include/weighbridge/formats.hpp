// Number formats: how a tensor of weights, or a cache entry, is stored, to the bit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/units.hpp"

namespace weighbridge {

// Which matrix units a format's products run on, when the device has them.
enum class Arithmetic : std::uint8_t { fp32, fp16, bf16, fp8, fp4, int8 };
constexpr std::size_t kPrecisions = 6;
std::string_view arithmetic_name(Arithmetic a);
std::optional<Arithmetic> find_arithmetic(std::string_view name);

// How one tensor is stored: `bits` per element (scales inside fixed blocks included) and what lies beside them.
// Scales: one per `group` elements along a row (rounded up), per output row, per input column, per square tile, per tensor.
struct Encoding {
  std::string id;                    // "bf16", "q4_K", "int4-g128"
  double bits = 16;
  int block = 1;                     // elements of one block; a row must be a multiple of it
  int group = 0;
  double bytes_per_group = 0;
  double bytes_per_row = 0;
  double bytes_per_column = 0;
  int tile = 0;
  double bytes_per_tile = 0;
  double bytes_per_tensor = 0;
  Arithmetic arithmetic = Arithmetic::bf16;    // precision its matrix products run in, hardware permitting
  std::string source;
};

// Bytes of one tensor of rows x columns (a vector is 1 x n): payload and what lies beside it.
Bytes payload_bytes(const Encoding& e, std::int64_t rows, std::int64_t columns);
Bytes scale_bytes(const Encoding& e, std::int64_t rows, std::int64_t columns);

using EncodingId = std::uint8_t;     // index into Formats::encodings

// From a tensor's role to its encoding.
enum class FormatRule : std::uint8_t {
  uniform,      // every tensor in one encoding (fp32, fp16, bf16)
  linear_only,  // linear layers in the encoding, all else in 16 bits (int8, int4, nf4, fp8, AWQ, GPTQ …)
  experts_only, // expert matrices in the encoding, all else in 16 bits (mxfp4 as gpt-oss ships it); without experts: linear_only
  matrices,     // linear layers, tables, head and routers where a row is whole groups, all else in 16 bits (MLX)
  gguf,         // llama.cpp's mixtures: which tensors are promoted depends on role, layer and shape
};

std::optional<FormatRule> find_format_rule(std::string_view name);

struct WeightFormat {
  std::string id;                    // "bf16", "Q4_K_M", "awq-int4"
  std::string name;
  std::vector<std::string> aliases;
  std::string group;                 // "float", "integer", "4-bit", "gguf": how a form sorts them
  FormatRule rule = FormatRule::uniform;
  EncodingId encoding = 0;           // of the tensors that the format is named after
  double bits_per_weight = 16;       // nominal, of those tensors
  double article_bytes = 0;          // bytes per parameter in the article's method (INT8 1, INT4 0.5 flat)
  std::string source;
};

// One K or V element in the cache, scales included.
struct KvFormat {
  std::string id;                    // "bf16", "fp8", "q8_0"
  std::vector<std::string> aliases;
  double bits = 16;
  std::string source;
};

struct Formats {
  std::vector<Encoding> encodings;
  std::vector<WeightFormat> weights;
  std::vector<KvFormat> kv;

  const WeightFormat* find_weight(std::string_view id_or_alias) const;   // case-insensitive
  const KvFormat* find_kv(std::string_view id_or_alias) const;
  EncodingId encoding(std::string_view id) const;                        // must exist: the pack step checked it; else 0
};

}  // namespace weighbridge
