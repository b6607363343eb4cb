// The cases under tests/golden/cases: one file each, {"name", "call", "request", "answer"}.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/api.hpp"

namespace weighbridge_test {

struct GoldenCase {
  std::string file, name, call;
  nlohmann::json request, answer;
};

inline std::filesystem::path tests_folder() {
  if (const char* given = std::getenv("WEIGHBRIDGE_TESTS_DIR")) return given;
#ifdef WEIGHBRIDGE_TESTS_DIR
  return WEIGHBRIDGE_TESTS_DIR;
#else
  return "tests";
#endif
}

inline nlohmann::json read_json_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return nlohmann::json::parse(text.str(), nullptr, false);
}

inline std::vector<GoldenCase> golden_cases() {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(tests_folder() / "golden" / "cases", error))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<GoldenCase> out;
  for (const auto& path : files) {
    GoldenCase c;
    c.file = path.filename().string();
    const auto file = read_json_file(path);
    if (file.is_object()) {
      const auto text = [&](const char* key) { return file.contains(key) && file[key].is_string() ? file[key].get<std::string>() : std::string{}; };
      c.name = text("name");
      c.call = text("call");
      if (file.contains("request")) c.request = file["request"];
      if (file.contains("answer")) c.answer = file["answer"];
    }
    out.push_back(std::move(c));
  }
  return out;
}

inline std::string written_compact(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// What the public face says, as JSON. A sweep comes as {"json", "values"}, with null where there is no answer: the form of
// support/cli.cpp, which regenerates the cases.
inline nlohmann::json answer_of(std::string_view call, const nlohmann::json& request) {
  const auto text = written_compact(request);
  const auto parsed = [](const std::string& answer) { return nlohmann::json::parse(answer, nullptr, false); };
  if (call == "estimate") return parsed(weighbridge::api::estimate(text));
  if (call == "train") return parsed(weighbridge::api::train(text));
  if (call == "plan") return parsed(weighbridge::api::plan(text));
  if (call != "sweep") return nullptr;
  const auto sweep = weighbridge::api::sweep(text);
  auto values = nlohmann::json::array();
  for (const double v : sweep.values) values.push_back(std::isnan(v) ? nlohmann::json(nullptr) : nlohmann::json(v));
  return {{"json", parsed(sweep.json)}, {"values", std::move(values)}};
}

}  // namespace weighbridge_test
