// What must hold for every answer, whatever was asked. A violation aborts, so that a fuzzer keeps the input.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/api.hpp"

namespace weighbridge_fuzz {

using nlohmann::json;

[[noreturn]] inline void violated(const char* what, std::string_view answer) {
  std::fprintf(stderr, "invariant violated: %s\nanswer: %.*s\n", what, static_cast<int>(std::min<std::size_t>(answer.size(), 4000)), answer.data());
  std::abort();
}

inline const json* find(const json& value, std::string_view dotted) {
  const json* here = &value;
  while (!dotted.empty()) {
    const auto end = std::min(dotted.find('.'), dotted.size());
    if (!here->is_object()) return nullptr;
    const auto found = here->find(std::string(dotted.substr(0, end)));
    if (found == here->end()) return nullptr;
    here = &*found;
    dotted.remove_prefix(std::min(end + 1, dotted.size()));
  }
  return here;
}

inline std::string text_at(const json& value, const char* key) {
  const auto* found = find(value, key);
  return found && found->is_string() ? found->get<std::string>() : std::string{};
}

inline double number_at(const json& value, std::string_view dotted) {
  const auto* found = find(value, dotted);
  return found && found->is_number() ? found->get<double>() : std::nan("");
}

// What describe() promises of answers.
struct Promises {
  std::set<std::string> codes;
  std::vector<std::string> never_null;         // paths of estimate's answer
};

inline const Promises& promises() {
  static const Promises made = [] {
    Promises p;
    const auto description = json::parse(weighbridge::api::describe(), nullptr, false);
    if (const auto* problems = find(description, "problems"))
      for (const auto& problem : *problems) p.codes.insert(text_at(problem, "code"));
    if (const auto* answers = find(description, "answers.estimate"))
      for (const auto& a : *answers) {
        const auto* nullable = find(a, "nullable");
        const auto path = text_at(a, "path");
        if (nullable && nullable->is_boolean() && !nullable->get<bool>() && path.find_first_of("[*") == std::string::npos) p.never_null.push_back(path);
      }
    if (p.codes.empty() || p.never_null.empty()) violated("describe() names codes and answers", "");
    return p;
  }();
  return made;
}

inline bool all_finite(const json& value) {
  if (value.is_number()) return std::isfinite(value.get<double>());
  if (value.is_structured())
    for (const auto& item : value)
      if (!all_finite(item)) return false;
  return true;
}

inline json check_answer(const std::string& text) {
  auto answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) violated("the answer is a JSON object", text);
  const auto* ok = find(answer, "ok");
  if (!ok || !ok->is_boolean()) violated("ok is true or false", text);
  const auto* problems = find(answer, "problems");
  if (!problems || !problems->is_array()) violated("problems is a list", text);
  int errors = 0;
  for (const auto& p : *problems) {
    const auto severity = text_at(p, "severity");
    if (severity != "error" && severity != "warning" && severity != "note") violated("a problem has a known severity", text);
    errors += severity == "error";
    if (promises().codes.count(text_at(p, "code")) == 0) violated("a problem's code is of the closed list", text);
    if (text_at(p, "message").empty()) violated("a problem has a message", text);
    const auto* path = find(p, "path");
    if (!path || !path->is_string()) violated("a problem has a path", text);
    if (const auto where = path->get<std::string>(); !where.empty() && where[0] != '/') violated("a path is a JSON Pointer", text);
    if (text_at(p, "code") == "internal_error") violated("no request is our own defect", text);
  }
  if (ok->get<bool>() && errors > 0) violated("a good answer has no errors", text);
  if (!ok->get<bool>() && errors == 0) violated("a refusal says why", text);
  if (!all_finite(answer)) violated("every number is finite", text);
  return answer;
}

inline void check_estimate(const std::string& text) {
  const auto answer = check_answer(text);
  if (!find(answer, "ok")->get<bool>()) return;
  const bool placed = find(answer, "memory.per_device") && find(answer, "memory.per_device")->is_object();
  for (const auto& path : promises().never_null) {
    const bool needs_device = path.rfind("memory.per_device.", 0) == 0 || path.rfind("capacity.", 0) == 0 || path.rfind("speed.", 0) == 0 || path.rfind("memory.detail.", 0) == 0 || path.rfind("memory.host.", 0) == 0 || path.rfind("load.", 0) == 0 || path.rfind("cost.", 0) == 0;
    if (needs_device && !placed) continue;
    const auto* value = find(answer, path);
    if (!value || value->is_null()) {
      // A parent that may be null (speed without the device's figures) takes its members along.
      const auto parent = path.substr(0, path.rfind('.'));
      const auto* above = parent == path ? nullptr : find(answer, parent);
      if (parent == path || (above && above->is_object())) violated(path.c_str(), text);
    }
  }
  for (const std::string_view part : {"memory.total", "memory.per_device"}) {
    const auto* memory = find(answer, part);
    if (!memory || !memory->is_object()) continue;
    const double total = number_at(*memory, "total");
    double sum = 0;
    for (const char* name : {"weights", "kv_cache", "activations", "runtime"}) {
      const double bytes = number_at(*memory, name);
      if (!(bytes >= 0)) violated("no part of the memory is negative", text);
      sum += bytes;
    }
    if (!(std::abs(total - sum) <= 1e-9 * std::max(1.0, sum))) violated("a total is the sum of its parts", text);
  }
  if (placed) {
    const auto* fits = find(answer, "memory.per_device.fits");
    const double headroom = number_at(answer, "memory.per_device.headroom");
    if (!fits || !fits->is_boolean() || fits->get<bool>() != (headroom >= 0)) violated("it fits when nothing is short", text);
  }
}

// Whatever came before, a good request has the answer that it always has.
inline void check_next_request() {
  static const std::string request = R"({"model":"meta-llama/Llama-3.1-8B","device":"rtx-4090","weights":"Q4_K_M"})";
  static const std::string always = weighbridge::api::estimate(request);
  const auto now = weighbridge::api::estimate(request);
  if (now != always || now.rfind("{", 0) != 0) violated("the next good request has the answer that it always has", now);
  static const bool good = [] {
    const auto answer = json::parse(always, nullptr, false);
    const auto* ok = find(answer, "ok");
    return ok && ok->is_boolean() && ok->get<bool>();
  }();
  if (!good) violated("the good request is good", now);
}

}  // namespace weighbridge_fuzz
