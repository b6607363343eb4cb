#include "weighbridge/layout.hpp"

#include <algorithm>
#include <numeric>

namespace weighbridge {

std::vector<std::int64_t> tensor_degrees(const Inventory& m, std::int64_t most) {
  std::vector<std::int64_t> degrees;
  const auto end = m.heads_divisor > 0 ? std::min(m.heads_divisor, most) : most;
  for (std::int64_t n = 1; n <= end; ++n)
    if (m.heads_divisor % n == 0) degrees.push_back(n);
  return degrees;
}

Layout default_layout(const Inventory& m, std::int64_t devices, std::int64_t per_node, bool layer_split) {
  const auto largest_divisor = [](std::int64_t of, std::int64_t most) {
    auto n = std::max<std::int64_t>(1, std::min(of, most));
    while (of % n != 0) --n;
    return n;
  };
  Layout l;
  if (!layer_split) l.tensor = largest_divisor(std::gcd(devices, m.heads_divisor), per_node);
  const auto rest = devices / l.tensor;
  l.pipeline = largest_divisor(rest, m.spec.layers());
  l.data = rest / l.pipeline;
  return l;
}

StageLayers stage_layers(std::int64_t layers, std::int64_t pipeline, std::int64_t stage, LeftOver left_over) {
  const auto each = layers / pipeline, more = layers % pipeline;
  if (left_over == LeftOver::last) return {stage * each, stage + 1 == pipeline ? layers : (stage + 1) * each};
  const auto longer_from = left_over == LeftOver::before_last ? pipeline - 1 - more : 0;
  const auto first = [&](std::int64_t s) { return s * each + std::clamp<std::int64_t>(s - longer_from, 0, more); };
  return {first(stage), first(stage + 1)};
}

}  // namespace weighbridge
