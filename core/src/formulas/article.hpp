// The article's simple formulas, kept exactly: 1 GB is 10^9 bytes, attention is multi-headed, every call has a copy of
// everything, the activation formula is used once and not per layer, and a token costs what the whole prompt costs.
//
// Source: sources.json "article". Where and why the detailed method differs stands beside the detailed formulas.
#pragma once

#include "weighbridge/trace.hpp"

namespace weighbridge::formulas {

struct ArticleShape {                  // 0: not known
  double parameters = 0, layers = 0, hidden = 0, heads = 0;
};

template <class T>
Bytes article_weights(const ArticleShape& s, double bytes_per_parameter, T& trace) {
  return trace.step(FormulaId::article_weights, Bytes{s.parameters * bytes_per_parameter},
                    {{"parameters", s.parameters, From::model}, {"bytes_per_parameter", bytes_per_parameter, From::format}});
}

template <class T>
Bytes article_kv_cache(const ArticleShape& s, const Given<double>& batch, const Given<double>& sequence, double bytes, From from, T& trace) {
  return trace.step(FormulaId::article_kv_cache, Bytes{2 * batch.value * sequence.value * s.layers * s.hidden * bytes},
                    {{"batch", batch}, {"sequence", sequence}, {"layers", s.layers, From::model},
                     {"hidden_size", s.hidden, From::model}, {"bytes", bytes, from}});
}

template <class T>
Bytes article_activations(const ArticleShape& s, const Given<double>& batch, const Given<double>& sequence, T& trace) {
  return trace.step(FormulaId::article_activations,
                    Bytes{batch.value * sequence.value * s.hidden * (34 + 5 * sequence.value * s.heads / s.hidden)},
                    {{"batch", batch}, {"sequence", sequence}, {"hidden_size", s.hidden, From::model}, {"heads", s.heads, From::model}});
}

}  // namespace weighbridge::formulas
