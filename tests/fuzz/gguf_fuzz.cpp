// Any bytes as a GGUF file. The first byte says whether it is a beginning only, and what lies beside it.
#include <cstddef>
#include <cstdint>

#include "files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge_fuzz;
  if (size == 0) return 0;
  const std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<weighbridge::api::File> files{file_of("model.gguf", content, (data[0] & 1U) != 0 ? 1'000'000'000 : 0)};
  if ((data[0] & 2U) != 0) files.push_back(file_of("config.json", kSmallConfig));
  if ((data[0] & 4U) != 0) {
    const auto half = content.size() / 2;
    files[0] = file_of("model-00001-of-00002.gguf", content.substr(0, half));
    files.push_back(file_of("model-00002-of-00002.gguf", content.substr(half)));
  }
  check_files(files);
  return 0;
}
