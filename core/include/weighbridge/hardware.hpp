// A device: what it holds, how fast it moves bytes and multiplies, and whose measured efficiencies it has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weighbridge/formats.hpp"
#include "weighbridge/formula.hpp"
#include "weighbridge/units.hpp"

namespace weighbridge {

struct Device {
  std::string id, name, device_class;
  Bytes memory;                          // what the driver reports; for unified memory all of it
  Bytes visible;                         // what a program is told, a little less than `memory` on some devices
  Bytes marketed;                        // the number in its name, as 10^9 bytes (the article's method)
  double usable_fraction = 1;            // unified memory: the share that the GPU may take
  BytesPerSecond bandwidth;
  FlopsPerSecond peak[6];                // dense, by Arithmetic; 0: not known or not supported
  bool link_assumed = false;
  BytesPerSecond link;                   // one way, to the other devices of a node; 0: not known
  std::int64_t per_node = 0;             // 0: not known
  Watts power;                           // 0: not known
  Watts rated_power;                     // as made, where `power` was limited, or that of a device alike where it is not known; 0: as `power`
  Dollars price_per_hour;                // 0: not known
  bool unified = false;
  bool custom = false;                   // given in the request
  std::uint8_t pace_class = 255;         // whose efficiencies it reaches, in PaceTable; 255: the last class, for all the rest
  bool unfolds = false;                  // llama.cpp multiplies long passes by 16-bit copies of its quantised weights
  double link_share = 0.8;               // of the link's rate that large collectives reach
  std::string training_class;            // of training.json; empty: all others
  Kind memory_kind = Kind::exact;        // sourced figures are exact, derived ones a model, assumed ones assumed
  Kind bandwidth_kind = Kind::exact;
  Kind peak_kind[6] = {Kind::exact, Kind::exact, Kind::exact, Kind::exact, Kind::exact, Kind::exact};     // as `peak`
};

// The peak that products in `wanted` precision run at on this device: without units for it, the next wider ones
// (fp4, fp8 and int8 fall back to 16 bits, bf16 to fp16, 16 bits to fp32). Where no fp32 figure is known, the few products of
// fp32 vectors count at 16 bits. 0 when no figure is known.
struct Peak {
  FlopsPerSecond rate;
  Arithmetic arithmetic = Arithmetic::fp32;
};
Peak peak(const Device& device, Arithmetic wanted);

}  // namespace weighbridge
