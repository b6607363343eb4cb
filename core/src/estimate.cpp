#include "weighbridge/estimate.hpp"

#include "estimator.hpp"

namespace weighbridge {

std::string_view bound_name(Bound bound) {
  switch (bound) {
    case Bound::compute: return "compute";
    case Bound::bandwidth: return "bandwidth";
    case Bound::interconnect: return "interconnect";
  }
  return "bandwidth";
}

formulas::Widths formulas::widest(const ModelSpec& spec) {
  Widths widest;
  for (const auto& kind : spec.kinds) {
    double mixer = 0;
    if (kind.mixer.kind == MixerKind::attention) {
      const auto& a = kind.mixer.attention;
      mixer = static_cast<double>(a.heads * (a.head_dim + a.value_dim) + a.kv_heads * (a.head_dim + a.value_dim));
    } else if (kind.mixer.kind == MixerKind::mla) {
      const auto& a = kind.mixer.mla;
      mixer = static_cast<double>(a.heads * (a.nope_dim + a.rope_dim + a.nope_dim + a.value_dim + a.value_dim) +
                                  a.q_lora_rank + a.kv_lora_rank + a.rope_dim);
    }
    const auto& f = kind.feed_forward;
    const double copies = f.gated ? 3 : 2;
    const double dense = copies * static_cast<double>(f.width);
    const double moe = f.experts > 0 ? copies * static_cast<double>(f.experts_used * f.expert_width + f.shared_width) : 0;
    widest.mixer = std::max(widest.mixer, mixer);
    widest.feed_forward = std::max(widest.feed_forward, std::max(dense, moe));
  }
  return widest;
}

void store(const Request& request, const Formats& formats, Stored& out) {
  if (request.weights.bits > 0) store_average(*request.model, request.weights.bits, formats, out);
  else if (request.weights.format) store(*request.model, *request.weights.format, formats, out);
  else store_published(*request.model, formats, out);
}

Estimate estimate(const Request& request, const Formats& formats, const Stored& stored) {
  static thread_local Scratch scratch;
  NoTrace none;
  return Estimator<NoTrace>(request, formats, stored, scratch, none).run();
}

Bytes headroom(const Request& request, const Formats& formats, const Stored& stored, std::int64_t devices) {
  Scratch scratch;
  NoTrace none;
  return Estimator<NoTrace>(request, formats, stored, scratch, none).headroom_on(devices);
}

}  // namespace weighbridge
