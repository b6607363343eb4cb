// Activation peak of one pass: the widest point of one layer, since layers reuse the same memory.
//
// Source: definitions of our own; the tensors alive at each point follow the layer as Korthikanti et al. 2022 (figure 2)
// draw it, without what only training keeps, and without score matrices (flash attention). 16 bits per element; logits fp32.
#pragma once

#include "weighbridge/tensors.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge::formulas {

template <class T>
Bytes activation_peak(const Inventory& m, const Given<double>& tokens, double sequences, double tensor, T& trace) {
  const auto hidden = static_cast<double>(m.spec.hidden), vocabulary = static_cast<double>(m.spec.vocabulary);
  const auto& w = m.widths;
  const auto attention = trace.step(
      FormulaId::attention_activations, Bytes{2 * tokens.value * (2 * hidden + w.mixer / tensor)},
      {{"tokens", tokens}, {"hidden_size", hidden, From::model}, {"mixer_width", w.mixer, From::model},
       {"tensor", tensor, From::user}});
  const auto feed_forward = trace.step(
      FormulaId::feed_forward_activations, Bytes{2 * tokens.value * (2 * hidden + w.feed_forward / tensor)},
      {{"tokens", tokens}, {"hidden_size", hidden, From::model}, {"feed_forward_width", w.feed_forward, From::model},
       {"tensor", tensor, From::user}});
  const auto logits = trace.step(FormulaId::logits_activations, Bytes{4 * sequences * vocabulary},
                                 {{"sequences", sequences, From::user}, {"vocab_size", vocabulary, From::model}});
  return trace.step(FormulaId::activations, max(max(attention, feed_forward), logits),
                    {{"attention", attention, FormulaId::attention_activations},
                     {"feed_forward", feed_forward, FormulaId::feed_forward_activations},
                     {"logits", logits, FormulaId::logits_activations}});
}

}  // namespace weighbridge::formulas
