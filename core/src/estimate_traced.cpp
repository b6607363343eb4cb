#include "estimator.hpp"

namespace weighbridge {

Estimate estimate(const Request& request, const Formats& formats, const Stored& stored, Trace& trace) {
  Scratch scratch;
  Estimate e;
  Estimator<Trace>(request, formats, stored, scratch, trace, e).run();
  return e;
}

}  // namespace weighbridge
