// How long one training step takes.
//
// Sources: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1 (6 N per token); Chowdhery et al. 2022, "PaLM",
// appendix B (model FLOPs utilisation: attention counted in full, recomputation not); Narayanan et al. 2021, "Efficient Large-Scale
// Language Model Training on GPU Clusters Using Megatron-LM" (arXiv 2104.04473), section 2.2 (pipeline bubbles).
#pragma once

#include "weighbridge/trace.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge::formulas {

// What a device does for one micro-batch, on the pipeline stage that does most. Weights and FLOP are those of all devices that
// share the stage's layers.
struct StageWork {
  double tokens = 0;                         // of the micro-batch on this device
  double slots = 0;                          // the same with the empty slots that experts are padded with
  double used = 0, back = 0, trained = 0;    // weights per token: forward; that gradients flow back through; that have gradients of their own
  double routed = 0, routed_back = 0, routed_trained = 0;        // of these, in routed experts
  double attention = 0, attention_back = 0;  // FLOP per token: forward; of the layers that gradients flow back through
  double again_linear = 0, again_attention = 0;      // forward passes that are repeated
  double saved_bytes = 0;                    // that a forward pass writes on a device, before recomputation
  double logit_bytes = 0;
  double weight_bytes = 0;                   // on a device, read by each pass
  double gradient_bytes = 0;                 // on a device, moved while a micro-batch's gradients are added to the others'
  double layers = 0, moe_layers = 0;
  double expert_width = 0;                   // of what is sent to an expert
  double experts = 0;                        // of a layer on a device
};

// Linear layers but for routed experts: forward, what is computed again, the inputs' gradients, and the trained weights' gradients.
template <class T>
Seconds linear_seconds(const StageWork& w, double tensor, FlopsPerSecond peak, double efficiency, From peak_from, From efficiency_from, T& trace) {
  const double used = w.used - w.routed, back = w.back - w.routed_back, trained = w.trained - w.routed_trained;
  const Flops flops{2 * w.tokens * (used * (1 + w.again_linear) + back + trained) / tensor};
  return trace.step(FormulaId::train_linear_seconds, flops / (peak * efficiency),
                    {{"tokens", w.tokens, From::user}, {"used_parameters", used, From::model}, {"recomputed", w.again_linear, From::user},
                     {"backward_parameters", back, From::model}, {"trained_parameters", trained, From::model}, {"tensor", tensor, From::user},
                     {"peak", peak, peak_from}, {"efficiency", efficiency, efficiency_from}});
}

// Products of routed experts: each expert's on a device are cast and started on their own, and the host waits to learn how many tokens
// each has, so that no other work hides it.
template <class T>
Seconds expert_seconds(const StageWork& w, Seconds launch, double tensor, FlopsPerSecond peak, double efficiency, From peak_from, From efficiency_from, T& trace) {
  if (w.routed <= 0) return {};
  const Flops flops{2 * w.slots * (w.routed * (1 + w.again_linear) + w.routed_back + w.routed_trained) / tensor};
  return trace.step(FormulaId::train_expert_seconds, flops / (peak * efficiency) + w.moe_layers * w.experts * (3 + w.again_linear) * launch,
                    {{"tokens", w.slots, From::user}, {"used_parameters", w.routed, From::model}, {"recomputed", w.again_linear, From::user},
                     {"backward_parameters", w.routed_back, From::model}, {"trained_parameters", w.routed_trained, From::model}, {"tensor", tensor, From::user},
                     {"peak", peak, peak_from}, {"efficiency", efficiency, efficiency_from},
                     {"layers", w.moe_layers, From::model}, {"experts", w.experts, From::model}, {"launch", launch, efficiency_from}});
}

template <class T>
Seconds attention_seconds(const StageWork& w, double tensor, FlopsPerSecond peak, double efficiency, From peak_from, From efficiency_from, T& trace) {
  const Flops flops{w.tokens * (w.attention * (1 + w.again_attention) + 2 * w.attention_back) / tensor};
  return trace.step(FormulaId::train_attention_seconds, flops / (peak * efficiency),
                    {{"tokens", w.tokens, From::user}, {"attention", w.attention, From::model}, {"recomputed", w.again_attention, From::user},
                     {"attention_back", w.attention_back, From::model}, {"tensor", tensor, From::user}, {"peak", peak, peak_from},
                     {"efficiency", efficiency, efficiency_from}});
}

// Norms, activations, residuals: what is kept is written and read once forwards and twice over backwards; every pass reads the
// weights, and gradients are added up.
template <class T>
Seconds memory_seconds(const StageWork& w, BytesPerSecond bandwidth, double efficiency, From from, T& trace) {
  const Bytes bytes{w.saved_bytes * (6 + 2 * w.again_linear) + 2 * w.logit_bytes + w.weight_bytes * (3 + w.again_linear) + w.gradient_bytes};
  return trace.step(FormulaId::train_memory_seconds, bytes / (bandwidth * efficiency),
                    {{"activations", w.saved_bytes, From::model}, {"recomputed", w.again_linear, From::user}, {"logits", w.logit_bytes, From::model},
                     {"weights", w.weight_bytes, From::model}, {"gradients", w.gradient_bytes, From::model}, {"bandwidth", bandwidth, from},
                     {"efficiency", efficiency, From::catalog}});
}

struct Pipe {
  BytesPerSecond rate;
  double efficiency = 1;
  Seconds launch;                            // of one exchange
};

// Bytes that every rank hands on around a ring, `times` over, in `starts` exchanges.
template <class T>
Seconds exchange_seconds(double times, double bytes, double ranks, const Pipe& pipe, From from, std::string_view of, T& trace, double starts = 0) {
  if (ranks <= 1 || pipe.rate.value <= 0 || times * bytes <= 0) return {};
  return trace.step(FormulaId::train_exchange_seconds, Bytes{times * bytes * (ranks - 1) / ranks} / (pipe.rate * pipe.efficiency) + starts * pipe.launch,
                    {{"times", times, From::model}, {"bytes", bytes, From::model}, {"ranks", ranks, From::user},
                     {"link_bandwidth", pipe.rate, from}, {"efficiency", pipe.efficiency, From::catalog}, {"starts", starts, From::model}, {"launch", pipe.launch, From::assumed}}, of);
}

// What hidden exchange costs beside the work that hides it: the longer of both, and a share of the shorter.
template <class T>
Seconds overlapped(const Input& work, const Input& exchange, double overlap, std::string_view of, T& trace) {
  const Seconds a{work.value}, b{exchange.value};
  return trace.step(FormulaId::train_overlapped, max(a, b) + overlap * min(a, b), {work, exchange, {"overlap", overlap, From::assumed}}, of);
}

}  // namespace weighbridge::formulas
