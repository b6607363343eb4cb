// Any bytes as a config.json: inside a request, then as a file.
#include <cstddef>
#include <cstdint>

#include "files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge_fuzz;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (size % 8 == 0) check_estimate(weighbridge::api::estimate(R"({"model":{"config":)" + text + R"(},"device":"h100-sxm-80gb"})"));
  check_files({file_of("config.json", text)});
  return 0;
}
