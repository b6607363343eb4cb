// The method of the article that started the project: simple formulas, reproduced exactly.
#pragma once

#include "weighbridge/estimate.hpp"
#include "weighbridge/problem.hpp"
#include "weighbridge/request.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge {

// What the article has no figure for is NaN (null in JSON). Parts whose inputs are not known are 0, with a note.
Estimate article_estimate(const Request& request, const Formats& formats, Trace& trace, Problems& notes);

struct ArticleTraining {
  Bytes weights, gradients, optimizer, activations, kv_cache, total;      // all devices together
  Bytes range_low, range_high;         // weights + 12 … 20 bytes per trainable parameter
  Bytes factor_low, factor_high;       // 4 … 6 times inference
};
ArticleTraining article_training(const TrainRequest& request, Trace& trace, Problems& notes);

}  // namespace weighbridge
