// Towers of multimodal models: vision and audio encoders with their projectors, counted from config.json.
#pragma once

#include "read/config_reader.hpp"
#include "weighbridge/model.hpp"

namespace weighbridge {

// Adds the towers that `config` (the whole, or its thinker) describes. What is there and cannot be counted is said as a warning.
void read_towers(ConfigReader& whole, ModelSpec& spec);

}  // namespace weighbridge
