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

// How many layers of each kind pipeline stage `stage` holds: layers are dealt evenly, the first stages take the remainder.
// `out` has one entry per kind.
void stage_layers(const ModelSpec& spec, std::int64_t pipeline, std::int64_t stage, std::vector<std::int64_t>& out);

}  // namespace weighbridge
