// Any bytes as a request to estimate.
#include <cstddef>
#include <cstdint>

#include "invariants.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge_fuzz;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto answer = weighbridge::api::estimate(text);
  check_estimate(answer);
  if (weighbridge::api::estimate(text) != answer) violated("the same request has the same answer", answer);
  check_next_request();
  return 0;
}
