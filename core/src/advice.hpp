// What to change when it does not fit: single changes, each the smallest of its kind, the least harmful first.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "json_writer.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/request.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge {

// Writes "advice": [{change, path, value, request, headroom}, …]; empty when it fits. `request` is what was asked with that one
// change made; it fits, and `headroom` says with how much to spare.
void write_advice(JsonWriter& w, const nlohmann::json& request, const Request& read, const Estimate& estimate, const Catalog& catalog);

// The same for training, without path and value: a change there may set several fields.
void write_train_advice(JsonWriter& w, const nlohmann::json& request, const TrainRequest& read, const Training& training, const Catalog& catalog);

}  // namespace weighbridge
