// In which format a checkpoint's weights lie: torch_dtype and quantization_config.
#pragma once

#include "read/config_reader.hpp"
#include "weighbridge/formats.hpp"
#include "weighbridge/model.hpp"

namespace weighbridge {

Published read_published(ConfigReader& r, const Formats& formats, std::int64_t layers);

}  // namespace weighbridge
