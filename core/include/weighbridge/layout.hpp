// How a model is spread over devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weighbridge/request.hpp"

namespace weighbridge {

// Tensor-parallel degrees that split this model's attention heads evenly, ascending, up to `most`.
std::vector<std::int64_t> tensor_degrees(const Inventory& model, std::int64_t most);

// The layout taken when the request names none. Layer-split engines: pipeline = devices. Others: the largest tensor degree
// <= the node that divides the heads and the devices, then pipeline over whole layers, then data.
Layout default_layout(const Inventory& model, std::int64_t devices, std::int64_t per_node, bool layer_split);

// Which pipeline stages take the layers that cannot be dealt evenly: the first ones, one each; the last one, all of them; or those
// before the last one, one each.
enum class LeftOver : std::uint8_t { first, last, before_last };

// The layers that pipeline stage `stage` holds.
struct StageLayers {
  std::int64_t first = 0, end = 0;
};
StageLayers stage_layers(std::int64_t layers, std::int64_t pipeline, std::int64_t stage, LeftOver left_over = LeftOver::first);

}  // namespace weighbridge
