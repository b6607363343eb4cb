#include "estimator.hpp"

namespace weighbridge {

Estimate estimate(const Request& request, const Formats& formats, const Stored& stored, Trace& trace) {
  Scratch scratch;
  Estimate e;
  if (request.prefill_pool) e.speed.prefill = estimate(*request.prefill_pool, formats, stored).speed.prefill;
  Estimator<Trace>(request, formats, stored, scratch, trace, e).run();
  return e;
}

}  // namespace weighbridge
