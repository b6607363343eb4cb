// Text -> checked JSON value. Everything that makes a text no request is found here, before anything is read from it.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

#include "weighbridge/problem.hpp"

namespace weighbridge {

constexpr std::size_t kLongestText = 4'000'000;      // bytes of a request or a config.json
constexpr std::size_t kDeepest = 64;                 // arrays and objects inside each other

// Parses `text`. Refuses it by its size first, then for broken UTF-8, wrong syntax, depth and keys that stand twice in one
// object; every problem found is added to `problems` with its path under `base`. Numbers beyond the range of a double are
// `not_finite`. `python_numbers`: NaN and Infinity, as Python writes them in config.json, are read as null.
std::optional<nlohmann::json> parse_json(std::string_view text, std::string_view base, Problems& problems, bool python_numbers = false);

bool is_utf8(std::string_view text);

// Text of our own (the packed catalogue): null when it is broken.
nlohmann::json parse_trusted(std::string_view text);

}  // namespace weighbridge
