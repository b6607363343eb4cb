// FLOPs over bandwidth are no time.
#include "weighbridge/units.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

double value() {
#ifdef WEIGHBRIDGE_CONTROL          // the same without the mistake: must compile
  const Seconds t = Flops{1e12} / 300_TFLOPS; return t.value;
#else
  const Seconds t = Flops{1e12} / 3200_GB_per_s; return t.value;
#endif
}
