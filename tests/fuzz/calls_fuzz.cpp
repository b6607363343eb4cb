// Any bytes as a request to one of the other calls; the first byte chooses which.
#include <cstddef>
#include <cstdint>

#include "invariants.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge_fuzz;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: check_answer(weighbridge::api::train(text)); break;
    case 1: check_answer(weighbridge::api::plan(text)); break;
    default: {
      const auto sweep = weighbridge::api::sweep(text);
      const auto answer = check_answer(sweep.json);
      const auto* columns = find(answer, "columns");
      const auto* length = find(answer, "length");
      const std::size_t expected = columns && columns->is_array() && length && length->is_number_unsigned()
                                       ? columns->size() * length->get<std::size_t>() : 0;
      if (sweep.values.size() != expected) violated("a sweep has one value for each column and step", sweep.json);
      for (const double v : sweep.values)
        if (std::isinf(v)) violated("a sweep's value is a number or missing", sweep.json);
    }
  }
  check_next_request();
  return 0;
}
