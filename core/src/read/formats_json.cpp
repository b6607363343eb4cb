#include "read/formats_json.hpp"

#include <algorithm>

#include "json.hpp"

namespace weighbridge {
namespace {

using nlohmann::json;

int whole(const json& object, std::string_view key, int least) {
  return static_cast<int>(std::clamp<double>(number_of(object, key, least), least, 1 << 20));
}

std::vector<std::string> texts(const json& object, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = member(object, key); list && list->is_array())
    for (const auto& item : *list)
      if (item.is_string()) out.emplace_back(as_text(item));
  return out;
}

Encoding read_encoding(const json& j) {
  Encoding e;
  e.id = text_of(j, "id");
  e.bits = number_of(j, "bits", e.bits);
  e.block = whole(j, "block", 1);
  e.group = whole(j, "group", 0);
  e.bytes_per_group = number_of(j, "bytes_per_group");
  e.bytes_per_row = number_of(j, "bytes_per_row");
  e.bytes_per_column = number_of(j, "bytes_per_column");
  e.tile = whole(j, "tile", 0);
  e.bytes_per_tile = number_of(j, "bytes_per_tile");
  e.bytes_per_tensor = number_of(j, "bytes_per_tensor");
  e.arithmetic = find_arithmetic(text_of(j, "arithmetic")).value_or(e.arithmetic);
  e.source = text_of(j, "source");
  return e;
}

WeightFormat read_weight_format(const json& j, const Formats& formats) {
  WeightFormat f;
  f.id = text_of(j, "id");
  f.name = text_of(j, "name");
  f.aliases = texts(j, "aliases");
  f.group = text_of(j, "group");
  f.rule = find_format_rule(text_of(j, "rule")).value_or(f.rule);
  f.encoding = formats.encoding(text_of(j, "encoding"));
  f.bits_per_weight = number_of(j, "bits_per_weight", f.bits_per_weight);
  f.article_bytes = number_of(j, "article_bytes", f.article_bytes);
  f.source = text_of(j, "source");
  return f;
}

KvFormat read_kv_format(const json& j) {
  KvFormat f;
  f.id = text_of(j, "id");
  f.aliases = texts(j, "aliases");
  f.bits = number_of(j, "bits", f.bits);
  f.source = text_of(j, "source");
  return f;
}

template <class Read>
void each(const json& formats, std::string_view key, Read read) {
  if (const auto* list = member(formats, key); list && list->is_array())
    for (const auto& entry : *list) read(entry);
}

}  // namespace

Formats read_formats(const json& formats) {
  Formats out;
  each(formats, "encodings", [&](const json& j) { out.encodings.push_back(read_encoding(j)); });
  each(formats, "weight_formats", [&](const json& j) { out.weights.push_back(read_weight_format(j, out)); });
  each(formats, "kv_formats", [&](const json& j) { out.kv.push_back(read_kv_format(j)); });
  return out;
}

}  // namespace weighbridge
