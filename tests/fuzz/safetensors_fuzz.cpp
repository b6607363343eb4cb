// Any bytes as a safetensors header or an index. The first byte says which, whether it is a beginning only, whether the length in
// front is right, and whether a config lies beside it.
#include <cstddef>
#include <cstdint>

#include "files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge_fuzz;
  if (size == 0) return 0;
  std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  const unsigned how = data[0];
  const bool index = (how & 1U) != 0;
  if (!index && (how & 2U) != 0) {
    std::string length;
    for (unsigned i = 0; i < 8; ++i) length += static_cast<char>(static_cast<std::uint64_t>(content.size()) >> (8 * i) & 0xFFU);
    content = length + content;
  }
  std::vector<weighbridge::api::File> files{file_of(index ? "model.safetensors.index.json" : "model.safetensors", content, (how & 4U) != 0 ? 1'000'000 : 0)};
  if ((how & 8U) != 0) files.push_back(file_of("config.json", kSmallConfig));
  check_files(files);
  return 0;
}
