#include "weighbridge/layout.hpp"

#include <algorithm>

namespace weighbridge {

namespace {

std::int64_t attention_heads(const Inventory& m) {
  std::int64_t heads = 0;
  for (const auto& kind : m.spec.kinds) {
    const auto h = kind.mixer.kind == MixerKind::mla ? kind.mixer.mla.heads : kind.mixer.attention.heads;
    if (kind.mixer.kind == MixerKind::none || h <= 0) continue;
    heads = heads == 0 ? h : std::min(heads, h);
  }
  return heads;
}

bool divides_all_heads(const Inventory& m, std::int64_t tensor) {
  for (const auto& kind : m.spec.kinds) {
    if (kind.mixer.kind == MixerKind::none) continue;
    const auto heads = kind.mixer.kind == MixerKind::mla ? kind.mixer.mla.heads : kind.mixer.attention.heads;
    if (heads > 0 && heads % tensor != 0) return false;
  }
  return true;
}

}  // namespace

std::vector<std::int64_t> tensor_degrees(const Inventory& m, std::int64_t most) {
  std::vector<std::int64_t> degrees;
  const auto heads = attention_heads(m);
  const auto end = heads > 0 ? std::min(heads, most) : most;
  for (std::int64_t n = 1; n <= end; ++n)
    if (divides_all_heads(m, n)) degrees.push_back(n);
  return degrees;
}

Layout default_layout(const Inventory& m, std::int64_t devices, std::int64_t per_node, bool layer_split) {
  Layout l;
  const auto layers = std::max<std::int64_t>(1, m.spec.layers());
  if (!layer_split) {
    for (std::int64_t n = std::min(devices, per_node); n > 1; --n)
      if (devices % n == 0 && divides_all_heads(m, n)) { l.tensor = n; break; }
  }
  const auto rest = devices / l.tensor;
  for (std::int64_t n = std::min(rest, layers); n >= 1; --n)
    if (rest % n == 0) { l.pipeline = n; break; }
  l.data = rest / l.pipeline;
  return l;
}

void stage_layers(const ModelSpec& spec, std::int64_t pipeline, std::int64_t stage, std::vector<std::int64_t>& out) {
  out.assign(spec.kinds.size(), 0);
  const auto layers = spec.layers(), each = layers / pipeline, more = layers % pipeline;
  const auto first = stage * each + std::min(stage, more);
  const auto count = each + (stage < more ? 1 : 0);
  for (auto i = first; i < first + count; ++i) ++out[spec.layer_kind[static_cast<std::size_t>(i)]];
}

}  // namespace weighbridge
