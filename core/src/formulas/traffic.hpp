// Bytes that a pass moves: the weights it touches, the cache it reads.
//
// Distinct experts of a batch: each of n tokens picks `used` of `experts` evenly, so an expert stays untouched with
// probability (1 - used / experts)^n. Source: definitions of our own.
#pragma once

#include "kv_cache.hpp"

namespace weighbridge::formulas {

// x^n for a whole n >= 0 by repeated squaring: the same bits natively and in wasm, which pow() does not promise.
constexpr double power(double x, double n) {
  double result = 1;
  for (auto k = n < 9e15 ? static_cast<std::int64_t>(n) : std::int64_t{9000000000000000}; k > 0; k /= 2) {
    if (k % 2 == 1) result *= x;
    x *= x;
  }
  return result;
}

template <class T>
double distinct_experts(double experts, double used, double tokens, std::string_view of, T& trace) {
  return trace.step(FormulaId::distinct_experts, experts * (1 - power(1 - used / experts, tokens)),
                    {{"experts", experts, From::model}, {"experts_used", used, From::model}, {"tokens", tokens, From::user}}, of);
}

// The part of a tensor that a pass of `tokens` tokens reads.
inline double touched(const TensorRow& row, double tokens, double distinct_share) {
  switch (row.use) {
    case Use::always: case Use::last: return 1;
    case Use::routed: return distinct_share;
    case Use::lookup:
      if (row.tied_head) return 1;
      return tokens < static_cast<double>(row.rows) ? tokens / static_cast<double>(row.rows) : 1.0;
    case Use::never: return 0;
  }
  return 0;
}

}  // namespace weighbridge::formulas
