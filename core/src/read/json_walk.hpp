// JSON text that is looked through and not kept: headers of many megabytes.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace weighbridge {

// Tells `handler` every event of the text; false when it stopped or the text is no JSON. All texts go through this one call,
// so that the module has one parser.
bool walk_json(std::string_view text, nlohmann::json_sax<nlohmann::json>& handler);

// Position of the first byte that is not UTF-8; npos when there is none.
std::size_t first_broken_byte(std::string_view text);

// A name out of a file, for messages: quoted, not too long, and text whatever bytes it has.
std::string quoted_name(std::string_view name);

}  // namespace weighbridge
