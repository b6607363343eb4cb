// In the module that only estimates, numbers without their work come from the code that shows it, which is there anyway: a second
// copy without a trace is for sweeps and plans, which this module has not. In place of core/src/estimate_bare.cpp.
#include "estimator.hpp"

namespace weighbridge {

Estimate estimate(const Request& request, const Formats& formats, const Stored& stored) {
  Trace quiet(false);
  return estimate(request, formats, stored, quiet);
}

Bytes headroom(const Request& request, const Formats& formats, const Stored& stored, std::int64_t devices) {
  Scratch scratch;
  Trace quiet(false);
  Estimate e;
  return Estimator<Trace>(request, formats, stored, scratch, quiet, e).headroom_on(devices);
}

}  // namespace weighbridge
