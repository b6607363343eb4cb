// A model of which only sizes are known.
#pragma once

#include <cstdint>
#include <string>

#include "weighbridge/catalog.hpp"
#include "weighbridge/tensors.hpp"

namespace weighbridge {

struct ManualSizes {                   // 0: not given
  double parameters = 0, active_parameters = 0;
  std::int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, vocabulary = 0, feed_forward = 0;
};

struct ManualModel {
  Inventory inventory;
  std::string like;                    // catalogue model whose shape filled the gaps; empty: nothing was missing
};

// Embedding and head tables by their sizes and all other weights as one matrix; what is missing is taken from the catalogue
// model with the nearest number of parameters (dense, or MoE when active_parameters says so).
ManualModel manual_model(const ManualSizes& sizes, const std::string& name, const Catalog& catalog);

}  // namespace weighbridge
