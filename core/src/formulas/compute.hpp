// FLOPs of a pass: two per weight and token, and attention over what each token looks at.
//
// Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1 (2 N per token; attention apart).
#pragma once

#include "kv_cache.hpp"

namespace weighbridge::formulas {

// Pairs of a new token and a token it sees, in a layer that looks back at most `reach` tokens: n new tokens after
// `cached` earlier ones. The first `growing` of them still see everything.
template <class T>
double attention_pairs(double tokens, double cached, double window, std::string_view of, T& trace) {
  const double far = window > 0 ? window : tokens + cached;
  const double room = far > cached ? far - cached : 0;
  const double growing = trace.step(FormulaId::growing_pairs, tokens < room ? tokens : room,
                                    {{"tokens", tokens, From::user}, {"cached_tokens", cached, From::user},
                                     {"reach", far, From::model}}, of);
  return trace.step(FormulaId::attention_pairs, growing * cached + growing * (growing + 1) / 2 + (tokens - growing) * far,
                    {{"growing", growing, FormulaId::growing_pairs, of}, {"cached_tokens", cached, From::user},
                     {"tokens", tokens, From::user}, {"reach", far, From::model}}, of);
}

}  // namespace weighbridge::formulas
