// The public face for JavaScript: texts in, texts out, bytes for files, one typed array for a sweep. No logic here.
// With WEIGHBRIDGE_ESTIMATE_ONLY it is what <weigh-bridge> asks, and the linker leaves out the rest of the core.
#include <emscripten/bind.h>
#include <emscripten/val.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weighbridge/api.hpp"

namespace {

namespace api = weighbridge::api;
using emscripten::val;

std::string estimate(const std::string& request) { return api::estimate(request); }
#ifndef WEIGHBRIDGE_ESTIMATE_ONLY
std::string train(const std::string& request) { return api::train(request); }
std::string plan(const std::string& request) { return api::plan(request); }

// {json, values}: a copy of the values, since the memory behind a view moves when it grows.
val sweep(const std::string& request) {
  const auto result = api::sweep(request);
  auto out = val::object();
  out.set("json", result.json);
  const val view(emscripten::typed_memory_view(result.values.size(), result.values.data()));
  out.set("values", view.call<val>("slice"));
  return out;
}

// files: [{name, bytes: Uint8Array, size}, …]
std::string read_model(const val& files) {
  std::vector<api::File> list;
  const auto count = files["length"].as<unsigned>();
  for (unsigned i = 0; i < count; ++i) {
    const val file = files[i];
    const val bytes = file["bytes"];
    api::File one{file["name"].as<std::string>(), std::string(bytes["length"].as<unsigned>(), '\0'), static_cast<std::int64_t>(file["size"].as<double>())};
    // One copy, and none in between: a header may have tens of megabytes.
    val(emscripten::typed_memory_view(one.content.size(), reinterpret_cast<unsigned char*>(one.content.data()))).call<void>("set", bytes);
    list.push_back(std::move(one));
  }
  return api::read_model(list);
}
#endif

}  // namespace

EMSCRIPTEN_BINDINGS(weighbridge) {
  emscripten::function("version", &api::version);
  emscripten::function("describe", &api::describe);
  emscripten::function("estimate", &estimate);
#ifndef WEIGHBRIDGE_ESTIMATE_ONLY
  emscripten::function("train", &train);
  emscripten::function("plan", &plan);
  emscripten::function("sweep", &sweep);
  emscripten::function("read_model", &read_model);
#endif
}
