// The config.json that a GGUF file's model has: for families whose layers are more than attention and feed-forwards, so that their
// one reader reads them from both kinds of file.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "read/gguf.hpp"

namespace weighbridge {

// Nothing for architectures that are read from their tensors alone (header_model.hpp), and for those that are not known.
std::optional<nlohmann::json> config_of_gguf(const std::vector<GgufHeader>& parts);

}  // namespace weighbridge
