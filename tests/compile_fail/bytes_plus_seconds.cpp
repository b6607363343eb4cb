// Memory and time do not add.
#include "weighbridge/units.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

double value() {
#ifdef WEIGHBRIDGE_CONTROL          // the same without the mistake: must compile
  return (80_GB + 1_GiB).value;
#else
  return (80_GB + 1.0_s).value;
#endif
}
