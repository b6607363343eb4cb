// JSON without exceptions: every access asks first.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace weighbridge {

inline const nlohmann::json* member(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(std::string(key));
  return at == object.end() ? nullptr : &*at;
}

inline std::string_view as_text(const nlohmann::json& value) {
  const auto* s = value.get_ptr<const std::string*>();
  return s ? std::string_view(*s) : std::string_view();
}
inline std::string text_of(const nlohmann::json& object, std::string_view key) {
  const auto* value = member(object, key);
  return value ? std::string(as_text(*value)) : std::string();
}
inline double number_of(const nlohmann::json& object, std::string_view key, double otherwise = 0) {
  const auto* value = member(object, key);
  return value && value->is_number() ? value->get<double>() : otherwise;
}

}  // namespace weighbridge
