// A bare number has no unit.
#include "weighbridge/units.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

double value() {
#ifdef WEIGHBRIDGE_CONTROL          // the same without the mistake: must compile
  const Bytes b = 80_GB; return b.value;
#else
  const Bytes b = 80; return b.value;
#endif
}
