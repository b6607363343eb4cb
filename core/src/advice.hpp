// What to change when it does not fit: single changes, each the smallest of its kind, the least harmful first.
#pragma once

#include <nlohmann/json.hpp>

#include "weighbridge/catalog.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/request.hpp"

namespace weighbridge {

// [{change, path, value, request, headroom}, …]; empty when it fits. `request` is the text that was asked, with that one
// change made; it fits, and `headroom` says with how much to spare.
nlohmann::json advice(const nlohmann::json& request, const Request& read, const Estimate& estimate, const Catalog& catalog);

}  // namespace weighbridge
