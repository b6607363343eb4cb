#include "estimator.hpp"

namespace weighbridge {

Estimate estimate(const Request& request, const Formats& formats, const Stored& stored, Trace& trace) {
  Scratch scratch;
  return Estimator<Trace>(request, formats, stored, scratch, trace).run();
}

}  // namespace weighbridge
