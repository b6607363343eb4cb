// Asking the public face from tests: JSON in, parsed JSON out, and a walk through answers that cannot abort.
//
// The core is built without exceptions and with JSON_NOEXCEPTION, so that a missing key must be a failed check and never a call to
// json::at().
#pragma once

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "weighbridge/api.hpp"

namespace weighbridge_test {

using nlohmann::json;

inline json parsed(std::string_view text) { return json::parse(text, nullptr, false); }

inline std::string written(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

inline json estimate(const json& request) { return parsed(weighbridge::api::estimate(written(request))); }
inline json train(const json& request) { return parsed(weighbridge::api::train(written(request))); }

// The value at a JSON Pointer without escapes ("/memory/total/weights"); null when there is none.
inline const json& at(const json& value, std::string_view pointer) {
  static const json kNothing;
  const json* here = &value;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    const std::string key(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (here->is_object()) {
      const auto found = here->find(key);
      if (found == here->end()) return kNothing;
      here = &*found;
    } else if (here->is_array() && !key.empty() && key.find_first_not_of("0123456789") == std::string::npos) {
      const auto index = std::stoul(key);
      if (index >= here->size()) return kNothing;
      here = &(*here)[index];
    } else {
      return kNothing;
    }
  }
  return *here;
}

// NaN when it is no number, so that every comparison with it fails.
inline double number(const json& value, std::string_view pointer) {
  const auto& found = at(value, pointer);
  return found.is_number() ? found.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

inline std::string text(const json& value, std::string_view pointer) {
  const auto& found = at(value, pointer);
  return found.is_string() ? found.get<std::string>() : std::string{};
}

inline bool is_true(const json& value, std::string_view pointer) {
  const auto& found = at(value, pointer);
  return found.is_boolean() && found.get<bool>();
}

// Dotted answer path ("memory.per_device.total") to JSON Pointer.
inline std::string from_dotted(std::string_view path) {
  std::string out = "/";
  for (const char c : path) out += c == '.' ? '/' : c;
  return out;
}

// Equal up to the rounding of a few double operations.
inline bool same(double a, double b, double tolerance = 1e-12) {
  const double size = a < 0 ? -a : a, other = b < 0 ? -b : b;
  const double difference = a > b ? a - b : b - a;
  return difference <= tolerance * (size > other ? size : other);
}

// Whether an answer's problems hold this code.
inline bool has_problem(const json& answer, std::string_view code) {
  const auto& problems = at(answer, "/problems");
  if (!problems.is_array()) return false;
  for (const auto& problem : problems)
    if (text(problem, "/code") == code) return true;
  return false;
}

}  // namespace weighbridge_test
