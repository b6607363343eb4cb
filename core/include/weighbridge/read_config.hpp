// Hugging Face config.json -> ModelSpec.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "weighbridge/formats.hpp"
#include "weighbridge/model.hpp"
#include "weighbridge/problem.hpp"

namespace weighbridge {

// Reads a checked JSON value (an object, else a problem) as a config.json. Every problem found is added to `problems`
// with its path under `path` ("/model/config"); nothing is returned when one of them is an error. Warnings (an unknown
// model_type read by its generic keys) come with a ModelSpec. `name` becomes id and name.
std::optional<ModelSpec> read_config(const nlohmann::json& config, std::string_view name, std::string_view path,
                                     const Formats& formats, Problems& problems);

}  // namespace weighbridge
