// Bytes per token are no bytes until they are multiplied by tokens.
#include "weighbridge/units.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

double value() {
#ifdef WEIGHBRIDGE_CONTROL          // the same without the mistake: must compile
  const BytesPerToken k{131072}; const Bytes b = k * 1000_tokens; return b.value;
#else
  const BytesPerToken k{131072}; const Bytes b = k; return b.value;
#endif
}
