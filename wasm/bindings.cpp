// The public face for JavaScript, whose other side is core.ts: texts in, texts out, bytes for files, numbers for a sweep. No logic here.
// With WEIGHBRIDGE_ESTIMATE_ONLY it is what <weigh-bridge> asks, and the linker leaves out the rest of the core.
//
// Plain exports and not Embind: everything that crosses is one text, and Embind's share of the module and of its script was 10 KB gzip.
#include <emscripten/emscripten.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weighbridge/api.hpp"

namespace {

namespace api = weighbridge::api;

std::string given;                               // the request, or a file's name
std::string answer;                              // stays until the next call
std::vector<double> numbers;
std::vector<api::File> files;

const char* say(std::string text) {
  answer = std::move(text);
  return answer.data();
}

}  // namespace

extern "C" {

// Room for `size` bytes of the next call's text.
EMSCRIPTEN_KEEPALIVE char* room(std::size_t size) {
  given.resize(size);
  return given.data();
}
// Of the last answer, which begins where its call said.
EMSCRIPTEN_KEEPALIVE std::size_t length() { return answer.size(); }

EMSCRIPTEN_KEEPALIVE const char* version() { return say(api::version()); }
EMSCRIPTEN_KEEPALIVE const char* describe() { return say(api::describe()); }
EMSCRIPTEN_KEEPALIVE const char* estimate() { return say(api::estimate(given)); }
#ifndef WEIGHBRIDGE_ESTIMATE_ONLY
EMSCRIPTEN_KEEPALIVE const char* train() { return say(api::train(given)); }
EMSCRIPTEN_KEEPALIVE const char* plan() { return say(api::plan(given)); }

EMSCRIPTEN_KEEPALIVE const char* sweep() {
  auto result = api::sweep(given);
  numbers = std::move(result.values);
  return say(std::move(result.json));
}
// The sweep's columns, one after another.
EMSCRIPTEN_KEEPALIVE const double* values() { return numbers.data(); }
EMSCRIPTEN_KEEPALIVE std::size_t count() { return numbers.size(); }

// Room for `bytes` of the file whose name was given; it has `size` in all.
EMSCRIPTEN_KEEPALIVE char* file(std::size_t bytes, double size) {
  files.push_back({given, std::string(bytes, '\0'), static_cast<std::int64_t>(size)});
  return files.back().content.data();
}
EMSCRIPTEN_KEEPALIVE const char* read_model() { return say(api::read_model(std::exchange(files, {}))); }
#endif
}
