#include "read/formats_json.hpp"

#include <nlohmann/json.hpp>

namespace weighbridge {
namespace {

using nlohmann::json;

// Every getter looks before it takes: without exceptions a wrong access would abort.
const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

void take(const json& object, const char* key, std::string& out) {
  const auto* v = member(object, key);
  if (v != nullptr && v->is_string()) out = *v->get_ptr<const json::string_t*>();
}

void take(const json& object, const char* key, double& out) {
  const auto* v = member(object, key);
  if (v == nullptr || !v->is_number()) return;
  if (v->is_number_float()) out = *v->get_ptr<const json::number_float_t*>();
  else out = static_cast<double>(*v->get_ptr<const json::number_integer_t*>());
}

void take(const json& object, const char* key, int& out) {
  double number = out;
  take(object, key, number);
  if (number >= 0 && number <= 1 << 20) out = static_cast<int>(number);
}

void take(const json& object, const char* key, std::vector<std::string>& out) {
  const auto* v = member(object, key);
  if (v == nullptr || !v->is_array()) return;
  for (const auto& item : *v)
    if (item.is_string()) out.push_back(*item.get_ptr<const json::string_t*>());
}

Encoding read_encoding(const json& j) {
  Encoding e;
  take(j, "id", e.id);
  take(j, "bits", e.bits);
  take(j, "block", e.block);
  take(j, "group", e.group);
  take(j, "bytes_per_group", e.bytes_per_group);
  take(j, "bytes_per_row", e.bytes_per_row);
  take(j, "bytes_per_column", e.bytes_per_column);
  take(j, "tile", e.tile);
  take(j, "bytes_per_tile", e.bytes_per_tile);
  take(j, "bytes_per_tensor", e.bytes_per_tensor);
  std::string arithmetic;
  take(j, "arithmetic", arithmetic);
  e.arithmetic = find_arithmetic(arithmetic).value_or(e.arithmetic);
  take(j, "source", e.source);
  return e;
}

WeightFormat read_weight_format(const json& j, const Formats& formats) {
  WeightFormat f;
  take(j, "id", f.id);
  take(j, "name", f.name);
  take(j, "aliases", f.aliases);
  take(j, "group", f.group);
  std::string rule, encoding;
  take(j, "rule", rule);
  f.rule = find_format_rule(rule).value_or(f.rule);
  take(j, "encoding", encoding);
  f.encoding = formats.encoding(encoding);
  take(j, "bits_per_weight", f.bits_per_weight);
  take(j, "article_bytes", f.article_bytes);
  take(j, "source", f.source);
  return f;
}

KvFormat read_kv_format(const json& j) {
  KvFormat f;
  take(j, "id", f.id);
  take(j, "aliases", f.aliases);
  take(j, "bits", f.bits);
  take(j, "source", f.source);
  return f;
}

template <class Read>
void each(const json& formats, const char* key, Read read) {
  const auto* list = member(formats, key);
  if (list == nullptr || !list->is_array()) return;
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
