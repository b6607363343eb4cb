// A quantity loses its unit only where it says so.
#include "weighbridge/units.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

double value() {
#ifdef WEIGHBRIDGE_CONTROL          // the same without the mistake: must compile
  const double d = (80_GB).value; return d;
#else
  const double d = 80_GB; return d;
#endif
}
