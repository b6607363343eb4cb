// Any bytes as a model: first as the text of a config.json inside a request, then as a file of any kind that is read.
#include <cstddef>
#include <cstdint>

#include "invariants.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge_fuzz;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_estimate(weighbridge::api::estimate(R"({"model":{"config":)" + text + R"(},"device":"h100-sxm-80gb"})"));

  static const char* const names[] = {"config.json", "model.gguf", "model.safetensors", "model.safetensors.index.json", ""};
  weighbridge::api::File file;
  file.name = names[data[0] % 5];
  file.content = text;
  file.size = static_cast<std::int64_t>(text.size()) + (data[0] >= 128 ? 1000 : 0);
  const auto answer = weighbridge::api::read_model({file});
  const auto read = check_answer(answer);
  if (find(read, "ok")->get<bool>()) {
    // The model goes into requests as it is.
    const auto* model = find(read, "model");
    if (!model) violated("a file that was read is a model", answer);
    const json request{{"model", *model}, {"device", "h100-sxm-80gb"}};
    check_estimate(weighbridge::api::estimate(request.dump(-1, ' ', false, json::error_handler_t::replace)));
  }
  check_next_request();
  return 0;
}
