#include "weighbridge/formats.hpp"

#include <array>
#include <cmath>
#include <utility>

namespace weighbridge {
namespace {

constexpr std::array<std::pair<std::string_view, Arithmetic>, 6> kArithmetics{{
    {"fp32", Arithmetic::fp32}, {"fp16", Arithmetic::fp16}, {"bf16", Arithmetic::bf16},
    {"fp8", Arithmetic::fp8},   {"fp4", Arithmetic::fp4},   {"int8", Arithmetic::int8},
}};

constexpr std::array<std::pair<std::string_view, FormatRule>, 5> kRules{{
    {"uniform", FormatRule::uniform},
    {"linear_only", FormatRule::linear_only},
    {"experts_only", FormatRule::experts_only},
    {"matrices", FormatRule::matrices},
    {"gguf", FormatRule::gguf},
}};

// Own folding: the core knows no locale.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

template <class Format>
const Format* find_by_name(const std::vector<Format>& formats, std::string_view word) {
  for (const auto& f : formats) {
    if (same(f.id, word)) return &f;
    for (const auto& alias : f.aliases)
      if (same(alias, word)) return &f;
  }
  return nullptr;
}

constexpr double groups(std::int64_t elements, std::int64_t size) {
  return static_cast<double>((elements + size - 1) / size);
}

}  // namespace

std::string_view arithmetic_name(Arithmetic a) {
  for (const auto& [name, value] : kArithmetics)
    if (value == a) return name;
  return {};
}

std::optional<Arithmetic> find_arithmetic(std::string_view name) {
  for (const auto& [known, value] : kArithmetics)
    if (known == name) return value;
  return std::nullopt;
}

std::optional<FormatRule> find_format_rule(std::string_view name) {
  for (const auto& [known, value] : kRules)
    if (known == name) return value;
  return std::nullopt;
}

Bytes payload_bytes(const Encoding& e, std::int64_t rows, std::int64_t columns) {
  return Bytes{static_cast<double>(rows) * static_cast<double>(columns) * e.bits / 8};
}

Bytes scale_bytes(const Encoding& e, std::int64_t rows, std::int64_t columns) {
  const auto r = static_cast<double>(rows);
  double bytes = e.bytes_per_row * r + e.bytes_per_column * static_cast<double>(columns) + e.bytes_per_tensor;
  if (e.group > 0) bytes += e.bytes_per_group * r * groups(columns, e.group);
  if (e.tile > 0) bytes += e.bytes_per_tile * groups(rows, e.tile) * groups(columns, e.tile);
  return Bytes{std::ceil(bytes)};
}

const WeightFormat* Formats::find_weight(std::string_view id_or_alias) const { return find_by_name(weights, id_or_alias); }

const KvFormat* Formats::find_kv(std::string_view id_or_alias) const { return find_by_name(kv, id_or_alias); }

EncodingId Formats::encoding(std::string_view id) const {
  for (std::size_t i = 0; i < encodings.size(); ++i)
    if (encodings[i].id == id) return static_cast<EncodingId>(i);
  return 0;
}

}  // namespace weighbridge
