// The larger of a size and a time means nothing.
#include "weighbridge/units.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

double value() {
#ifdef WEIGHBRIDGE_CONTROL          // the same without the mistake: must compile
  return max(80_GB, 1_GiB).value;
#else
  return max(80_GB, 1.0_s).value;
#endif
}
