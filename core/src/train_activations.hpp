// What a training step keeps of its forward pass on one device, layer by layer, and what the backward pass needs beside.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "formulas/training_activations.hpp"
#include "train_places.hpp"
#include "training_data.hpp"

namespace weighbridge {

class TrainActivations : protected TrainPlaces {
 protected:
  TrainActivations(const TrainRequest& r, const Catalog& catalog)
      : TrainPlaces(r), formats_(catalog.formats()), data_(training_data(catalog)), frame_(data_.frames[static_cast<std::size_t>(r.framework)]) {}

  formulas::Keeping keeping(bool recomputing) const {
    formulas::Keeping k;
    k.bytes = compute_bytes();
    k.residual_bytes = wide_residual() ? 4 : k.bytes;
    // Transformer Engine keeps inputs of its matrix products in the 8 bits that they were multiplied in.
    k.input_bytes = r_.framework == Framework::megatron && r_.precision == Precision::fp8_mixed ? 1 : k.bytes;
    k.tensor = static_cast<double>(l_.tensor);
    k.sequence = l_.sequence;
    k.compiled = r_.compile;
    k.fused_norms = frame_.fused_norms || r_.compile;
    k.fused_product = frame_.fused_product || r_.compile;
    k.sequence_tokens = r_.sequence_tokens.value;
    k.probabilities = r_.eager_attention && (recomputing || r_.checkpointing != Checkpointing::selective);
    k.trains_all = r_.adapters.empty();
    k.request = &r_;
    // PEFT drops out and casts every target's input on its own; Unsloth's kernels share one.
    if (!r_.adapters.empty()) k.adapter_bytes = r_.framework == Framework::unsloth ? k.bytes / 2 : k.bytes + (r_.framework == Framework::megatron ? 0 : 1);
    return k;
  }
  // The GPT block of the activation paper drops out; blocks with norms without biases and gated feed-forwards do not.
  formulas::Keeping keeping(std::size_t kind, bool recomputing) const {
    auto k = keeping(recomputing);
    const auto& spec = m_.spec.kinds[kind];
    k.dropout = r_.framework == Framework::megatron && !spec.feed_forward.gated && k.trains_all;
    k.fused_norms = k.fused_norms || spec.norm_bias;               // LayerNorm is one kernel everywhere
    return k;
  }


  // Bytes that one layer of a kind keeps for one micro-batch.
  template <class Tr>
  Bytes layer_bytes(std::size_t kind, Checkpointing how, std::string_view of, Tr& trace) const {
    std::vector<formulas::Saved> saved;
    const auto put = [&](const formulas::Saved& s) { saved.push_back(s); };
    const auto k = keeping(kind, how == Checkpointing::none && r_.checkpointing == Checkpointing::full);
    if (how == Checkpointing::full) put({"layer input", static_cast<double>(m_.spec.hidden), k.residual_bytes, k.sequence ? k.tensor : 1});
    else if (how == Checkpointing::selective_op) formulas::each_kept_by_operator(m_, kind, k, put);
    else formulas::each_saved(m_, kind, k, put);
    return formulas::layer_activations(saved, tokens(), r_.micro_batch.from, of, trace);
  }

  // Micro-batches whose activations a stage holds at once (1F1B; interleaved: in chunks of its layers).
  template <class Tr>
  double in_flight(const Stage& s, Tr& trace) const {
    const auto p = static_cast<double>(l_.pipeline), v = static_cast<double>(l_.virtual_pipeline), m = r_.accumulation.value;
    const auto stage = static_cast<double>(s.index);
    if (l_.pipeline == 1) return 1;
    if (l_.virtual_pipeline == 1)
      return trace.step(FormulaId::train_in_flight, std::min(m, p - stage), {{"micro_batches", m, r_.accumulation.from}, {"pipeline", p, From::user}, {"stage", stage, From::model}});
    return trace.step(FormulaId::train_in_flight_interleaved, std::min(m, ((v - 1) * p + 2 * (p - 1 - stage) + 1) / v),
                      {{"micro_batches", m, r_.accumulation.from}, {"pipeline", p, From::user}, {"chunks", v, From::user}, {"stage", stage, From::model}});
  }

  template <class Tr>
  Bytes kept_activations(const Stage& s, Tr& trace) {
    std::vector<double> layers, bytes;
    std::vector<std::string> rows;
    const double flight = in_flight(s, trace);
    Bytes sum;
    for (std::size_t kind = 0; kind < m_.spec.kinds.size(); ++kind) {
      double here = layers_on(s, kind);
      if (r_.trained_layers > 0 && r_.adapters.empty())
        here = s.last ? static_cast<double>(m_.layers_of(kind, m_.spec.layers() - r_.trained_layers, m_.spec.layers())) : 0;
      if (here <= 0) continue;
      const auto put = [&](double n, Checkpointing how, std::string_view what) {
        if (n <= 0) return;
        const auto of = std::string(what) + (m_.spec.kinds.size() > 1 ? " of kind " + std::to_string(kind + 1) : std::string());
        const auto each = layer_bytes(kind, how, of, trace);
        sum += flight * n * each;
        if constexpr (Tr::on) {
          layers.push_back(n);
          bytes.push_back(each.value);
          rows.push_back(of);
        }
      };
      if (r_.checkpointing == Checkpointing::full) {
        // Of every k layers one is computed again. What is sent to system memory leaves two layers in flight.
        double again = r_.every > 1 ? std::floor(here / static_cast<double>(r_.every)) : here;
        const double whole = here - again;
        if (r_.activation_offload) again = std::min(again, 2.0);
        put(whole, Checkpointing::none, "layers");
        put(again, Checkpointing::full, "layers computed again");
      } else {
        put(r_.activation_offload ? std::min(here, 2.0) : here, r_.checkpointing, "layers");
      }
    }
    if constexpr (Tr::on) {
      trace.step(FormulaId::train_kept_activations, sum, {{"micro_batches", flight, From::user}, {"layers", layers, From::model}, {"layer_bytes", bytes, From::model}});
      trace.name_rows(std::move(rows));
    }
    return sum;
  }

  // What the backward pass of one layer needs beside: its activations again when they were dropped, gradients of the feed-forward's
  // tensors, and one matrix of a quantised base in 16 bits.
  template <class Tr>
  Bytes working_set(Tr& trace) const {
    const bool again = r_.checkpointing == Checkpointing::full || r_.checkpointing == Checkpointing::selective_op || r_.activation_offload;
    Bytes layer, widest;
    std::size_t of_layer = 0;
    for (std::size_t kind = 0; kind < m_.spec.kinds.size(); ++kind) {
      NoTrace quiet;
      const auto bytes = again ? layer_bytes(kind, Checkpointing::none, "", quiet) : Bytes{};
      const auto& f = m_.spec.kinds[kind].feed_forward;
      const double width = (f.gated ? 3.0 : 2.0) * (static_cast<double>(f.width + f.shared_width) + r_.expert_slots() * static_cast<double>(f.experts_used * f.expert_width));
      widest = max(widest, Bytes{tokens() * width * compute_bytes() / static_cast<double>(l_.tensor)});
      if (bytes > layer) { layer = bytes; of_layer = kind; }
    }
    if constexpr (Tr::on)
      if (again) layer_bytes(of_layer, Checkpointing::none, "computed again", trace);
    Bytes unpacked;
    if (quantised_base())
      for (const auto& row : m_.rows)
        if (row.linear && row.kind >= 0) unpacked = max(unpacked, Bytes{compute_bytes() * static_cast<double>(row.rows * row.columns) * share(row.split, row.kind)});
    const auto recomputed = again ? Input("recomputed", layer, FormulaId::train_layer_activations, "computed again") : Input("recomputed", 0.0, From::model);
    return trace.step(FormulaId::train_working_set, layer + widest + unpacked, {recomputed, {"feed_forward_gradients", widest, From::model}, {"unpacked", unpacked, From::model}});
  }
  // Hugging Face's preparation for training on weights that bitsandbytes quantised turns all others into fp32.
  bool widens_base() const {
    const bool bitsandbytes = r_.base.format && r_.method != TrainMethod::full && formats_.encodings[r_.base.format->encoding].source == "bitsandbytes";
    return mixed() && bitsandbytes && r_.framework != Framework::unsloth;
  }
  bool mixed() const { return r_.precision == Precision::fp16_mixed || r_.precision == Precision::bf16_mixed; }
  // Autocast leaves the table of tokens in fp32 where it is stored so, and with it all sums between layers.
  bool wide_residual() const { return widens_base() || (r_.method == TrainMethod::full && mixed() && r_.framework == Framework::pytorch); }
  bool quantised_base() const { return r_.base.format && formats_.encodings[r_.base.format->encoding].bits < 16 && r_.method != TrainMethod::full; }

  template <class Tr>
  Bytes logits(const Stage& s, Tr& trace) const {
    if (!s.last || !m_.spec.has_head) return {};
    const double bytes = frame_.logit_bytes[static_cast<std::size_t>(r_.loss)], vocabulary = static_cast<double>(m_.spec.vocabulary), tensor = static_cast<double>(l_.tensor);
    return trace.step(FormulaId::train_logits, Bytes{tokens() * vocabulary / tensor * bytes},
                      {{"tokens", tokens(), r_.micro_batch.from}, {"vocab_size", vocabulary, From::model}, {"tensor", tensor, From::user}, {"bytes", bytes, From::assumed}});
  }

  const Formats& formats_;
  const TrainingData& data_;
  const TrainFrame& frame_;
};

}  // namespace weighbridge
