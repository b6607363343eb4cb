// The public face on standard input and output, for tests that compare the native core with the WebAssembly one.
//
//   weighbridge_cli          each line is {"call": "estimate|train|plan|sweep|describe|version", "request": …}; one line out for each
//   weighbridge_cli CALL     the whole input is one request, as raw text: it need not be JSON
//
// A sweep's columns follow its JSON as "values", with null where there is no answer.
#include <cmath>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

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
    const auto request = wrapped.find("request");
    std::cout << answer(call->get<std::string>(), request == wrapped.end() ? "{}" : written(*request)) << '\n';
  }
}
