// In which format a checkpoint's weights lie: torch_dtype and quantization_config.
#pragma once

#include "read/config_reader.hpp"
#include "weighbridge/formats.hpp"
#include "weighbridge/model.hpp"

namespace weighbridge {

Published read_published(ConfigReader& r, const Formats& formats, std::int64_t layers);

// Some quantisers name every module of every layer: of names that differ by their layer alone one is made, "layers.{0-2,7}.mlp",
// which read_published takes for all of them.
void compact_modules(nlohmann::json& config, int depth = 2);

}  // namespace weighbridge
