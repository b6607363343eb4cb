#include "read/config_reader.hpp"

#include <algorithm>
#include <cmath>

#include "json_writer.hpp"

namespace weighbridge {

namespace {

std::vector<std::string> copy(ConfigReader::Keys keys) { return {keys.begin(), keys.end()}; }

std::string range(std::int64_t least, std::int64_t most) {
  return "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

std::string described(const nlohmann::json& value) {
  if (value.is_array()) return "an array of " + std::to_string(value.size());
  if (value.is_object()) return "an object";
  if (const auto* text = value.get_ptr<const std::string*>()) return "\"" + *text + "\"";
  return json_text(value);
}

const nlohmann::json* entry(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(std::string(key));
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

bool whole_number(const nlohmann::json& value, std::int64_t least, std::int64_t most, std::int64_t& out) {
  if (!value.is_number()) return false;
  const auto number = value.get<double>();
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) || number != std::floor(number)) return false;
  out = static_cast<std::int64_t>(number);
  return true;
}

const nlohmann::json* ConfigReader::find(Keys keys) const {
  for (const auto key : keys)
    if (const auto* value = entry(language_, key)) return value;
  return nullptr;
}

const nlohmann::json* ConfigReader::find_anywhere(std::string_view key) const {
  if (const auto* value = entry(language_, key)) return value;
  return entry(top_, key);
}

std::string ConfigReader::path_of(std::string_view key) const {
  const bool at_top = !entry(language_, key) && entry(top_, key);
  return pointer(at_top ? top_path_ : path_, key);
}

void ConfigReader::report(Code code, const std::string& path, std::initializer_list<Named> params) {
  if (severity(code) == Severity::error) failed_ = true;
  if (!reported_.insert(std::string(code_name(code)) + path).second) return;
  problems_.add(code, path, params);
}

void ConfigReader::missing(Keys keys, std::string_view gives) {
  report(Code::config_missing_key, pointer(path_, *keys.begin()), {{"keys", copy(keys)}, {"why", gives}});
}

void ConfigReader::bad(std::string_view key, const nlohmann::json& value, std::string accepted) {
  report(Code::config_bad_value, path_of(key), {{"key", key}, {"value", described(value)}, {"accepted", accepted}});
}

void ConfigReader::contradiction(std::string_view a, std::string_view b, std::string why) {
  report(Code::config_contradiction, path_of(a), {{"a", a}, {"b", b}, {"why", why}});
}

void ConfigReader::ignored(std::string_view key, std::string why) {
  report(Code::config_key_ignored, path_of(key), {{"key", key}, {"why", why}});
}

void ConfigReader::unsupported(std::string part) {
  failed_ = true;
  unsupported_.push_back(std::move(part));
}

std::int64_t ConfigReader::whole(std::string_view key, const nlohmann::json& value, std::int64_t least, std::int64_t most) {
  std::int64_t out = 0;
  if (whole_number(value, least, most, out)) return out;
  // Some write a number once for each layer (Hunyuan: moe_topk).
  if (value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [&](const auto& v) { return v == value.front(); }) &&
      whole_number(value.front(), least, most, out))
    return out;
  bad(key, value, range(least, most));
  return 1;
}

std::int64_t ConfigReader::count(Keys keys, std::string_view gives, std::int64_t most) {
  for (const auto key : keys)
    if (const auto* value = entry(language_, key)) return whole(key, *value, 1, most);
  missing(keys, gives);
  return 1;
}

std::int64_t ConfigReader::count_or(Keys keys, std::int64_t otherwise, std::int64_t most) {
  for (const auto key : keys)
    if (const auto* value = entry(language_, key)) return whole(key, *value, 1, most);
  return otherwise;
}

std::int64_t ConfigReader::zero_or_more(Keys keys, std::int64_t otherwise, std::int64_t most) {
  for (const auto key : keys)
    if (const auto* value = entry(language_, key)) return whole(key, *value, 0, most);
  return otherwise;
}

bool ConfigReader::flag(Keys keys, bool otherwise) {
  for (const auto key : keys) {
    const auto* value = entry(language_, key);
    if (!value) continue;
    if (const auto* given = value->get_ptr<const bool*>()) return *given;
    bad(key, *value, "true or false");
    return otherwise;
  }
  return otherwise;
}

bool ConfigReader::flag_anywhere(std::string_view key, bool otherwise) {
  const auto* value = find_anywhere(key);
  if (!value) return otherwise;
  if (const auto* given = value->get_ptr<const bool*>()) return *given;
  bad(key, *value, "true or false");
  return otherwise;
}

std::string ConfigReader::text(std::string_view key, std::string_view otherwise) {
  const auto* value = entry(language_, key);
  if (!value) return std::string(otherwise);
  if (const auto* given = value->get_ptr<const std::string*>()) return *given;
  bad(key, *value, "text");
  return std::string(otherwise);
}

std::vector<std::string> ConfigReader::texts_per_layer(std::string_view key, std::int64_t layers) {
  const auto* value = entry(language_, key);
  if (!value || (value->is_array() && value->empty())) return {};
  std::vector<std::string> out;
  const bool fits = value->is_array() && static_cast<std::int64_t>(value->size()) == layers;
  if (fits)
    for (const auto& item : *value)
      if (const auto* given = item.get_ptr<const std::string*>()) out.push_back(*given);
  if (static_cast<std::int64_t>(out.size()) == layers) return out;
  bad(key, *value, "one text for each of the " + std::to_string(layers) + " layers");
  return {};
}

std::vector<std::int64_t> ConfigReader::numbers_per_layer(std::string_view key, std::int64_t layers, std::int64_t most) {
  const auto* value = entry(language_, key);
  if (!value || (value->is_array() && value->empty())) return {};
  std::vector<std::int64_t> out;
  if (value->is_array() && static_cast<std::int64_t>(value->size()) == layers) {
    for (const auto& item : *value) {
      std::int64_t number = item.is_boolean() ? *item.get_ptr<const bool*>() : 0;
      if (item.is_boolean() || whole_number(item, 0, most, number)) out.push_back(number);
    }
  }
  if (static_cast<std::int64_t>(out.size()) == layers) return out;
  bad(key, *value, "one whole number for each of the " + std::to_string(layers) + " layers");
  return {};
}

std::vector<std::int64_t> ConfigReader::numbers(std::string_view key, std::int64_t most) {
  const auto* value = entry(language_, key);
  if (!value) return {};
  std::vector<std::int64_t> out;
  bool all = value->is_array() && value->size() <= static_cast<std::size_t>(kMostLayers);
  if (all) {
    for (const auto& item : *value) {
      std::int64_t number = 0;
      if (whole_number(item, 0, most, number)) out.push_back(number);
      else all = false;
    }
  }
  if (!all) bad(key, *value, "a list of whole numbers up to " + std::to_string(most));
  return out;
}

ConfigReader ConfigReader::inside(std::string_view key) {
  static const nlohmann::json kNothing = nlohmann::json::object();
  const auto* value = entry(language_, key);
  if (value && !value->is_object()) bad(key, *value, "an object");
  ConfigReader inner(value && value->is_object() ? *value : kNothing, pointer(path_, key), top_, top_path_, problems_);
  return inner;
}

}  // namespace weighbridge
