// What training keeps of every weight: itself, its gradient, its master copy and the optimizer's states, and how they are sharded.
//
// Sources: Rajbhandari et al. 2020, "ZeRO" (arXiv 1910.02054), sections 3 and 5 (2 + 2 + 12 bytes per parameter, stages 1 to 3);
// Hu et al. 2021, "LoRA" (arXiv 2106.09685), section 4.1 (rank x (inputs + outputs)); PyTorch's FSDP, Megatron-LM's distributed
// optimizer and bitsandbytes, whose documentation says what each keeps.
#pragma once

#include "weighbridge/trace.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge::formulas {

struct StateBytes {                          // per parameter
  double weights = 2, gradients = 2, master = 0, value = 4;      // value: of one optimizer state
};

// The regime of weights that are trained in full.
constexpr StateBytes regime(Framework framework, Precision precision) {
  if (precision == Precision::fp32) return {4, 4, 0, 4};
  if (precision == Precision::bf16) return {2, 2, 0, 2};
  switch (framework) {
    case Framework::deepspeed: return {2, 2, 4, 4};
    // bf16 gradients are summed in fp32 (Megatron-LM, --accumulate-allreduce-grads-in-fp32 is implied by --bf16).
    case Framework::megatron: return {2, precision == Precision::fp16_mixed ? 2.0 : 4.0, 4, 4};
    default: return {4, 4, 0, 4};            // autocast, FSDP's mixed precision: fp32 weights, cast on their way into a layer
  }
}
// Adapters: fp32 in the mixed regimes, else as the weights; Megatron keeps a master copy.
constexpr StateBytes adapter_regime(Framework framework, Precision precision) {
  if (precision == Precision::bf16) return {2, 2, 0, 2};
  return framework == Framework::megatron || framework == Framework::deepspeed ? regime(framework, precision) : StateBytes{4, 4, 0, 4};
}

// Optimizer states of one matrix of rows x columns, in values. Muon keeps one for matrices inside layers and two for all else;
// Adafactor the sums of rows and columns; GaLore two of the projected gradient and the projector.
constexpr double state_values(Optimizer optimizer, const TensorRow& row, double galore_rank) {
  const auto elements = static_cast<double>(row.rows * row.columns);
  const auto small = static_cast<double>(row.rows < row.columns ? row.rows : row.columns), large = elements / small;
  switch (optimizer) {
    case Optimizer::sgd: return 0;
    case Optimizer::sgd_momentum: case Optimizer::lion: return elements;
    case Optimizer::adafactor: return row.rows > 1 ? static_cast<double>(row.rows + row.columns) : elements;
    case Optimizer::muon: return row.linear && row.kind >= 0 ? elements : 2 * elements;
    case Optimizer::galore: return row.linear && row.kind >= 0 && small > galore_rank ? galore_rank * (2 * large + small) : 2 * elements;
    default: return 2 * elements;
  }
}
// Bytes of one such value.
constexpr double value_bytes(Optimizer optimizer, double of_regime, double bits8_scale) {
  switch (optimizer) {
    case Optimizer::adamw_8bit: case Optimizer::paged_adamw_8bit: return 1 + bits8_scale;
    case Optimizer::adamw_bf16: return 2;
    case Optimizer::adafactor: return 4;
    default: return of_regime;
  }
}

// Weights that are trained alike: how many lie on the fullest device before sharding, and what each takes.
struct TrainGroup {
  std::string_view name;
  double parameters = 0;
  double weight_bytes = 0, gradient_bytes = 0, state_bytes = 0;  // master copy included in the states
  double temporary_bytes = 0;                // what the optimizer's step allocates beside its states
  double cast_bytes = 0;                     // 16-bit copies that the forward pass keeps
  double weight_shards = 1, gradient_shards = 1, state_shards = 1;
};

struct States {
  Bytes weights, gradients, optimizer;       // frozen weights are among the weights
};

template <class T>
States states(const std::vector<TrainGroup>& groups, Bytes frozen, T& trace) {
  States out;
  out.weights = frozen;
  for (const auto& g : groups) {
    out.weights += Bytes{g.parameters * g.weight_bytes / g.weight_shards};
    out.gradients += Bytes{g.parameters * g.gradient_bytes / g.gradient_shards};
    out.optimizer += Bytes{g.parameters * g.state_bytes / g.state_shards};
  }
  if constexpr (T::on) {
    const auto show = [&](FormulaId id, Bytes value, double TrainGroup::*bytes, double TrainGroup::*shards) {
      std::vector<double> n, b, s;
      std::vector<std::string> rows;
      for (const auto& g : groups) {
        n.push_back(g.parameters);
        b.push_back(g.*bytes);
        s.push_back(g.*shards);
        rows.emplace_back(g.name);
      }
      if (id == FormulaId::train_weights)
        trace.step(id, value, {{"frozen", frozen, FormulaId::train_frozen_weights}, {"parameters", n, From::model}, {"bytes", b, From::format}, {"shards", s, From::user}});
      else
        trace.step(id, value, {{"parameters", n, From::model}, {"bytes", b, From::format}, {"shards", s, From::user}});
      trace.name_rows(std::move(rows));
    };
    show(FormulaId::train_weights, out.weights, &TrainGroup::weight_bytes, &TrainGroup::weight_shards);
    show(FormulaId::train_gradients, out.gradients, &TrainGroup::gradient_bytes, &TrainGroup::gradient_shards);
    show(FormulaId::train_optimizer, out.optimizer, &TrainGroup::state_bytes, &TrainGroup::state_shards);
  }
  return out;
}

}  // namespace weighbridge::formulas
