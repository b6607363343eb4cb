// The public face on standard input and output, for tests that compare the native core with the WebAssembly one.
//
//   weighbridge_cli          each line is {"call": "estimate|train|plan|sweep|describe|version", "request": …}; one line out for each.
//                            {"call": …, "text": "…"} gives the request as raw text, {"call": "read_model", "files": [{"name", "text" | "path", "size"?}]} files
//   weighbridge_cli CALL     the whole input is one request, as raw text: it need not be JSON
//
// A sweep's columns follow its JSON as "values", with null where there is no answer.
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weighbridge/api.hpp"

namespace {

namespace api = weighbridge::api;
using nlohmann::json;

std::string written(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string answer(std::string_view call, std::string_view request) {
  if (call == "version") return written(api::version());
  if (call == "describe") return api::describe();
  if (call == "estimate") return api::estimate(request);
  if (call == "train") return api::train(request);
  if (call == "plan") return api::plan(request);
  if (call == "sweep") {
    const auto sweep = api::sweep(request);
    auto values = json::array();
    for (const double v : sweep.values) values.push_back(std::isnan(v) ? json(nullptr) : json(v));
    return R"({"json":)" + sweep.json + R"(,"values":)" + written(values) + "}";
  }
  return R"({"error":"unknown call"})";
}

std::string read_model(const json& wrapped) {
  std::vector<api::File> files;
  const auto list = wrapped.find("files");
  if (list == wrapped.end() || !list->is_array()) return R"({"error":"no files"})";
  for (const auto& item : *list) {
    const auto text_of = [&](const char* key) { return item.contains(key) && item[key].is_string() ? item[key].get<std::string>() : std::string(); };
    api::File file{text_of("name"), text_of("text"), 0};
    if (item.contains("path")) {
      std::ifstream in(text_of("path"), std::ios::binary);
      file.content.assign(std::istreambuf_iterator<char>(in), {});
    }
    file.size = item.contains("size") && item["size"].is_number() ? item["size"].get<std::int64_t>() : static_cast<std::int64_t>(file.content.size());
    files.push_back(std::move(file));
  }
  return api::read_model(files);
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  if (argc == 2) {
    const std::string request(std::istreambuf_iterator<char>(std::cin), {});
    std::cout << answer(argv[1], request) << '\n';
    return 0;
  }
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    const auto wrapped = json::parse(line, nullptr, false);
    const auto call = wrapped.is_object() ? wrapped.find("call") : wrapped.end();
    if (!wrapped.is_object() || call == wrapped.end() || !call->is_string()) {
      std::cout << R"({"error":"not a call"})" << '\n';
      continue;
    }
    if (*call == "read_model") {
      std::cout << read_model(wrapped) << '\n';
      continue;
    }
    if (const auto raw = wrapped.find("text"); raw != wrapped.end() && raw->is_string()) {
      std::cout << answer(call->get<std::string>(), raw->get<std::string>()) << '\n';
      continue;
    }
    const auto request = wrapped.find("request");
    std::cout << answer(call->get<std::string>(), request == wrapped.end() ? "{}" : written(*request)) << '\n';
  }
}
