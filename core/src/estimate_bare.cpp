#include "estimator.hpp"

namespace weighbridge {

Estimate estimate(const Request& request, const Formats& formats, const Stored& stored) {
  static thread_local Scratch scratch;
  NoTrace none;
  Estimate e;
  if (request.prefill_pool) e.speed.prefill = estimate(*request.prefill_pool, formats, stored).speed.prefill;
  Estimator<NoTrace>(request, formats, stored, scratch, none, e).run();
  return e;
}

Bytes headroom(const Request& request, const Formats& formats, const Stored& stored, std::int64_t devices) {
  Scratch scratch;
  NoTrace none;
  Estimate e;
  return Estimator<NoTrace>(request, formats, stored, scratch, none, e).headroom_on(devices);
}

}  // namespace weighbridge
