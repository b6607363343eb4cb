// What lies on which device: stages, shares of tensors, and the part of a model that is trained.
#pragma once

#include <algorithm>

#include "formulas/weights.hpp"
#include "weighbridge/layout.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge {

class TrainPlaces {
 protected:
  explicit TrainPlaces(const TrainRequest& r) : r_(r), m_(*r.model), l_(r.layout) {
    split_.tensor = l_.tensor;
    split_.data = l_.data * l_.context;
    split_.expert = l_.expert;
  }

  struct Stage {
    std::int64_t index = 0;
    StageLayers layers;
    bool first = true, last = true;
  };
  Stage stage_of(std::int64_t index) const {
    return {index, stage_layers(m_.spec.layers(), l_.pipeline, index), index == 0, index == l_.pipeline - 1};
  }
  double layers_on(const Stage& s, std::size_t kind) const { return static_cast<double>(m_.layers_of(kind, s.layers.first, s.layers.end)); }

  // Of the layers that carry a row, those on this stage; 1 or 0 for tensors beside the layers.
  double part_on(const Stage& s, std::int16_t kind, std::int64_t row_layers, bool mtp, Use use, bool tied) const {
    if (kind >= 0 && !mtp) {
      const auto all = static_cast<double>(m_.caches[static_cast<std::size_t>(kind)].layers);
      return all > 0 ? layers_on(s, static_cast<std::size_t>(kind)) * static_cast<double>(row_layers) / all : 0;
    }
    const bool here = tied ? s.first || s.last : use == Use::lookup ? s.first : s.last;
    return here ? static_cast<double>(row_layers) : 0;
  }
  double layers_of(const Stage& s, const TensorRow& row) const { return part_on(s, row.kind, row.layers, row.mtp, row.use, row.tied_head); }
  double kv_heads(std::int16_t kind) const { return kind < 0 ? 1 : static_cast<double>(m_.caches[static_cast<std::size_t>(kind)].kv_heads); }

  // Experts lie whole on their group; without one, tensor parallelism splits them.
  double share(Split split, std::int16_t kind) const {
    if (split == Split::experts) return 1.0 / static_cast<double>(l_.expert > 1 ? l_.expert : l_.tensor);
    return formulas::share_on_fullest(split, static_cast<std::int64_t>(kv_heads(kind)), split_);
  }
  bool expert_group(Split split) const { return split == Split::experts && l_.expert > 1; }

  // Trained layers of a row when only the last ones are trained.
  double trained_share(const TensorRow& row) const {
    if (r_.method == TrainMethod::full) return 1;
    if (r_.trained_layers == 0 || row.kind < 0 || row.mtp) return 0;
    const auto kind = static_cast<std::size_t>(row.kind);
    const auto all = m_.layers_of(kind, 0, m_.spec.layers());
    return all > 0 ? static_cast<double>(m_.layers_of(kind, m_.spec.layers() - r_.trained_layers, m_.spec.layers())) / static_cast<double>(all) : 0;
  }

  // FSDP gathers weights anew for every pass, except between the micro-batches of a pipeline, where torchtitan keeps them gathered
  // (fsdp_reshard_after_forward: default) and scatters gradients after the last one.
  bool regathers() const { return l_.zero_stage >= 3 && (r_.framework != Framework::fsdp || l_.pipeline == 1); }
  // Whole gradients are summed up until the last micro-batch (FSDP's no_sync).
  bool sums_whole() const { return r_.framework == Framework::fsdp && l_.zero_stage > 0 && r_.accumulation.value > 1 && (l_.no_sync || l_.pipeline > 1); }

  double compute_bytes() const { return r_.precision == Precision::fp32 ? 4 : 2; }
  double tokens() const { return r_.micro_batch.value * r_.sequence_tokens.value / static_cast<double>(l_.context); }

  const TrainRequest& r_;
  const Inventory& m_;
  const TrainLayout& l_;
  Layout split_;                             // how tensors are split, in the terms that weights of serving share
};

}  // namespace weighbridge
