// The packed catalogue's number formats -> Formats.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "weighbridge/formats.hpp"

namespace weighbridge {

// `formats` is {"encodings", "weight_formats", "kv_formats"} as the pack step wrote and checked it: keys are the members of
// the structs, enums by name, a weight format's encoding by id. What is missing keeps the struct's default.
Formats read_formats(const nlohmann::json& formats);

}  // namespace weighbridge
