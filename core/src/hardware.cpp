#include "weighbridge/hardware.hpp"

#include <initializer_list>

namespace weighbridge {

Peak peak(const Device& device, Arithmetic wanted) {
  const auto first_known = [&](std::initializer_list<Arithmetic> order) {
    for (const auto a : order) {
      const auto rate = device.peak[static_cast<std::size_t>(a)];
      if (rate.value > 0) return Peak{rate, a};
    }
    return Peak{};
  };
  using enum Arithmetic;
  switch (wanted) {
    case fp32: return first_known({fp32, fp16, bf16});
    case fp16: return first_known({fp16, bf16, fp32});
    case bf16: return first_known({bf16, fp16, fp32});
    case fp8: return first_known({fp8, bf16, fp16, fp32});
    case fp4: return first_known({fp4, bf16, fp16, fp32});
    case int8: return first_known({int8, bf16, fp16, fp32});
  }
  return {};
}

}  // namespace weighbridge
