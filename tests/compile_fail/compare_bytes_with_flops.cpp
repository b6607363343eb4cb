// Different units do not compare.
#include "weighbridge/units.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

double value() {
#ifdef WEIGHBRIDGE_CONTROL          // the same without the mistake: must compile
  return 80_GB < 80_GiB ? 1 : 0;
#else
  return 80_GB < Flops{1} ? 1 : 0;
#endif
}
