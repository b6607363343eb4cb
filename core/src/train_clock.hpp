// How long a training step takes: the arithmetic of a micro-batch, what passes between devices, pipeline bubbles and the optimizer.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "formulas/training_state.hpp"
#include "formulas/training_time.hpp"
#include "train_places.hpp"
#include "training_data.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge {

template <class T>
class TrainClock : private TrainPlaces {
 public:
  TrainClock(const TrainRequest& r, const TrainingData& data, const TrainFrame& frame, T& trace, Training& out)
      : TrainPlaces(r), d_(*r.device), data_(data), class_(data.of(d_)), frame_(frame), trace_(trace), out_(out) {}

  // `all`: the whole model's work, `busiest`: of the stage that does most; `held`: weights on the fullest device; `unpacked`: bytes that
  // one pass over a quantised base moves; `odd_heads`: attention runs without matrix units.
  void run(const formulas::StageWork& all, const formulas::StageWork& busiest, const std::vector<formulas::TrainGroup>& groups, double held, Bytes unpacked, bool odd_heads) {
    const auto arithmetic = wanted();
    const auto matrix = peak(d_, arithmetic), wide = peak(d_, odd_heads ? Arithmetic::fp32 : arithmetic == Arithmetic::fp8 ? Arithmetic::bf16 : arithmetic);
    out_.arithmetic = arithmetic;
    out_.arithmetic_used = matrix.arithmetic;
    if (matrix.rate.value <= 0 || d_.bandwidth.value <= 0) return;
    out_.has_speed = true;
    auto& s = out_.speed;
    s.flops_per_token = trace_.step(FormulaId::train_flops_per_token, FlopsPerToken{2 * (all.used + all.back + all.trained) + all.attention + 2 * all.attention_back},
                                    {{"used_parameters", all.used, From::model}, {"backward_parameters", all.back, From::model}, {"trained_parameters", all.trained, From::model},
                                     {"attention", all.attention, From::model}, {"attention_back", all.attention_back, From::model}});
    const auto micro = micro_batch(busiest, matrix, wide, groups, held, unpacked);
    const double m = r_.accumulation.value, p = static_cast<double>(l_.pipeline), v = static_cast<double>(l_.virtual_pipeline);
    const auto passes = trace_.step(FormulaId::train_pipeline_seconds, micro * (m + (p - 1) / v),
                                    {{"micro_batch", micro, FormulaId::train_overlapped, "weights"}, {"micro_batches", m, r_.accumulation.from},
                                     {"pipeline", p, From::user}, {"chunks", v, From::user}});
    const auto with_gradients = formulas::overlapped({"work", passes, FormulaId::train_pipeline_seconds}, exchanged(gradient_exchange(groups), "gradients"), data_.overlap, "gradients", trace_);
    const auto update = optimizer(groups);
    s.step = trace_.step(FormulaId::train_step_seconds, with_gradients + update,
                         {{"passes", with_gradients, FormulaId::train_overlapped, "gradients"}, {"optimizer", update, FormulaId::train_optimizer_seconds}});
    results(matrix.rate);
  }

 private:
  static Input exchanged(Seconds s, std::string_view of) { return s.value > 0 ? Input("exchange", s, FormulaId::train_exchange_seconds, of) : Input("exchange", s, From::model); }

  Arithmetic wanted() const {
    switch (r_.precision) {
      case Precision::fp32: return Arithmetic::fp32;
      case Precision::fp16_mixed: return Arithmetic::fp16;
      case Precision::fp8_mixed: return Arithmetic::fp8;
      default: return Arithmetic::bf16;
    }
  }

  double node() const { return static_cast<double>(r_.per_node > 0 ? r_.per_node : d_.per_node > 0 ? d_.per_node : 8); }

  // Devices of no known class that are linked directly stand in nodes made for training.
  double network() const { return d_.training_class.empty() && d_.link.value >= data_.direct_link ? data_.direct_network : class_.network; }

  // The way between `ranks` devices, of which each stands for `width` neighbours (tensor parallel groups lie inside nodes). Beyond a
  // node a ring passes each node's network once, which all of the ring's members there share.
  formulas::Pipe pipe(double ranks, double width) const {
    const formulas::Pipe inside{d_.link, d_.link_share, Seconds{data_.exchange_launch}};
    if (ranks * width <= node()) return inside;
    const double members = std::max(1.0, node() / width);
    const formulas::Pipe outside{BytesPerSecond{network() * members}, inside.efficiency, inside.launch};
    return inside.rate.value > 0 && inside.rate < outside.rate ? inside : outside;
  }

  Seconds micro_batch(const formulas::StageWork& w, const Peak& matrix, const Peak& wide, const std::vector<formulas::TrainGroup>& groups, double held, Bytes unpacked) {
    const bool given = r_.compute_efficiency > 0;
    const auto from = given ? From::user : From::catalog;
    const double linear = given ? r_.compute_efficiency : matrix.arithmetic == Arithmetic::fp8 ? class_.linear8 : class_.linear;
    const double tensor = static_cast<double>(l_.tensor);
    const auto t_linear = formulas::linear_seconds(w, tensor, matrix.rate, linear, r_.device_from, from, trace_);
    const auto t_routed = formulas::expert_seconds(w, Seconds{given ? 0 : data_.expert_launch}, tensor, matrix.rate, linear, r_.device_from, from, trace_);
    const auto t_attention = formulas::attention_seconds(w, tensor, wide.rate, given ? r_.compute_efficiency : r_.framework == Framework::megatron && !r_.eager_attention ? class_.attention_fused : class_.attention, r_.device_from, from, trace_);
    // A share of the peak that the user gives stands for all that happens on the device.
    const auto t_memory = given ? Seconds{} : formulas::memory_seconds(w, d_.bandwidth, class_.memory, r_.device_from, trace_);
    Seconds t_unpack;
    if (unpacked.value > 0 && !given) {
      const double passes = 2 + w.again_linear;
      t_unpack = trace_.step(FormulaId::train_unpack_seconds, passes * unpacked / (d_.bandwidth * data_.dequantise),
                             {{"passes", passes, From::model}, {"bytes", unpacked, From::model}, {"bandwidth", d_.bandwidth, r_.device_from}, {"efficiency", data_.dequantise, From::catalog}});
    }
    const auto t_tensor = tensor_exchange(w);
    const auto t_expert = expert_exchange(w);
    const auto input = [](std::string_view name, Seconds s, FormulaId id, std::string_view of = {}) { return s.value > 0 ? Input(name, s, id, of) : Input(name, s, From::model); };
    const auto busy = trace_.step(FormulaId::train_busy_seconds, t_linear + t_routed + t_attention + t_memory + t_unpack + data_.tensor_exposed * t_tensor + t_expert,
                                  {{"linear", t_linear, FormulaId::train_linear_seconds}, input("experts", t_routed, FormulaId::train_expert_seconds), {"attention", t_attention, FormulaId::train_attention_seconds},
                                   input("memory", t_memory, FormulaId::train_memory_seconds), input("unpack", t_unpack, FormulaId::train_unpack_seconds),
                                   {"exposed", data_.tensor_exposed, From::assumed}, input("tensor_exchange", t_tensor, FormulaId::train_exchange_seconds, "tensor"),
                                   input("expert_exchange", t_expert, FormulaId::train_exchange_seconds, "experts")});
    const double launch = given ? 0 : frame_.launch_seconds * (r_.adapters.empty() ? 1.0 : 2.0);
    const auto floor = trace_.step(FormulaId::train_launch_seconds, Seconds{w.layers * (3 + w.again_linear) * launch},
                                   {{"layers", w.layers, From::model}, {"recomputed", w.again_linear, From::user}, {"launch", launch, From::assumed}});
    const auto work = trace_.step(FormulaId::train_micro_batch_seconds, max(busy, floor), {{"busy", busy, FormulaId::train_busy_seconds}, {"launch", floor, FormulaId::train_launch_seconds}});
    // Keys and values and sharded weights take turns on the links; only one of them is common. The way to system memory is another one.
    const auto weights = weight_exchange(held), context = context_exchange(w), host = host_exchange(groups, held);
    const auto hidden = host > weights + context                        ? Input("exchange", host, FormulaId::train_host_seconds)
                        : weights.value > 0 && context.value > 0 ? Input("exchange", weights + context, From::model)
                                                                 : exchanged(max(weights, context), weights.value > 0 ? "weights" : "context");
    return formulas::overlapped({"work", work, FormulaId::train_micro_batch_seconds}, hidden, data_.overlap, "weights", trace_);
  }

  // All-reduces of the hidden states, two per layer and direction, and two more when the layer is computed again.
  Seconds tensor_exchange(const formulas::StageWork& w) {
    const double ranks = static_cast<double>(l_.tensor);
    const double passes = 2 * w.layers * (4 + (l_.sequence ? 1 : 0) + 2 * w.again_linear);
    return formulas::exchange_seconds(passes, w.tokens * static_cast<double>(m_.spec.hidden) * 2, ranks, pipe(ranks, 1), r_.device_from, "tensor", trace_, passes);
  }
  Seconds expert_exchange(const formulas::StageWork& w) {
    if (l_.expert <= 1) return {};
    const double ranks = static_cast<double>(l_.expert);
    // All to all, each device on its own way to the network. Beyond a node a token goes to every node once that any of its experts lies
    // in, else to every such device (DeepSeek-V3, arXiv 2412.19437, section 3.2.2; DeepEP); its experts are drawn evenly.
    auto way = pipe(ranks, 1);
    const bool beyond = ranks > node();
    if (beyond) way.rate = BytesPerSecond{network()};
    const double places = beyond ? std::ceil(ranks / node()) : ranks;
    double missed = 1;
    for (std::int64_t i = 0; i < m_.experts_used; ++i) missed *= 1 - 1 / places;
    const double copies = places * (1 - missed) * r_.expert_slots();
    return formulas::exchange_seconds(w.moe_layers * (4 + 2 * w.again_linear), w.tokens / static_cast<double>(l_.tensor) * copies * w.expert_width * 2, places, way, r_.device_from, "experts", trace_);
  }
  // Keys and values go round once forwards, and with their gradients backwards.
  Seconds context_exchange(const formulas::StageWork& w) {
    const double ranks = static_cast<double>(l_.context);
    if (ranks <= 1) return {};
    double elements = 0;
    for (const auto& c : m_.caches) elements += static_cast<double>(c.layers) * (c.k_elements + c.v_elements);
    elements *= w.layers / static_cast<double>(std::max<std::int64_t>(1, m_.spec.layers()));
    return formulas::exchange_seconds(3 + w.again_attention, w.tokens * ranks * elements * 2 / static_cast<double>(l_.tensor), ranks, pipe(ranks, static_cast<double>(l_.tensor)), r_.device_from, "context", trace_);
  }
  // Sharded weights are gathered for the forward and for the backward pass, and gradients scattered, with every micro-batch.
  Seconds weight_exchange(double held) {
    if (l_.zero_stage < 3) return {};
    const double ranks = static_cast<double>(l_.shards());
    const double bytes = base_bytes();
    // Reduced in fp32. What stays gathered or whole for all micro-batches goes over the links once a step.
    const double gradients = r_.method == TrainMethod::full ? (r_.framework == Framework::fsdp ? 2.0 : 1.0) : 0.0, m = r_.accumulation.value;
    return formulas::exchange_seconds((regathers() ? 2 : 1 / m) + gradients / (sums_whole() ? m : 1), held * bytes, ranks, pipe(ranks, static_cast<double>(l_.tensor)), r_.device_from, "weights", trace_);
  }
  double base_bytes() const { return r_.base.format && r_.method != TrainMethod::full ? r_.base.format->bits_per_weight / 8 : r_.precision == Precision::fp32 ? 4 : 2; }
  // Between a device and system memory: offloaded weights come for the forward and for the backward pass; gradients go to an offloaded
  // optimizer, sharded ones with every micro-batch, and new weights come back once a step.
  Seconds host_exchange(const std::vector<formulas::TrainGroup>& groups, double held) {
    if (l_.offload == Offload::none) return {};
    const double m = r_.accumulation.value;
    double gradients = 0;
    for (const auto& g : groups) gradients += g.parameters / g.state_shards * compute_bytes() * ((l_.zero_stage >= 2 ? 1 : 1 / m) + (l_.offload == Offload::all ? 0 : 1 / m));
    const double weights = l_.offload == Offload::all ? 2 * held * base_bytes() / static_cast<double>(l_.zero_stage >= 3 ? l_.shards() : 1) : 0;
    return trace_.step(FormulaId::train_host_seconds, Seconds{(weights + gradients) / data_.host_link},
                       {{"weights", weights, From::model}, {"gradients", gradients, From::model}, {"rate", data_.host_link, From::assumed}});
  }
  // Once per step otherwise: reduced, and handed out again.
  Seconds gradient_exchange(const std::vector<formulas::TrainGroup>& groups) {
    const bool hybrid = l_.zero_stage >= 3 && l_.shards() < l_.replicas();
    if (l_.replicas() <= 1 || (l_.zero_stage >= 3 && !hybrid)) return {};
    const double ranks = static_cast<double>(hybrid ? l_.replicas() / l_.shards() : l_.replicas());
    double bytes = 0;
    for (const auto& g : groups) bytes += g.parameters * g.gradient_bytes / (hybrid ? g.state_shards : 1);
    return formulas::exchange_seconds(2, bytes, ranks, pipe(hybrid ? static_cast<double>(l_.replicas()) : ranks, static_cast<double>(l_.tensor)), r_.device_from, "gradients", trace_);
  }

  Seconds optimizer(const std::vector<formulas::TrainGroup>& groups) {
    double bytes = 0;
    for (const auto& g : groups) bytes += g.parameters / g.state_shards * (2 * (g.weight_bytes + g.state_bytes) + g.gradient_bytes);
    const bool away = l_.offload != Offload::none;
    const double host = data_.host_rate / std::min(node(), static_cast<double>(l_.devices()));
    const double rate = away ? (l_.nvme ? std::min(data_.nvme_rate, host) : host) : d_.bandwidth.value * class_.memory;
    return trace_.step(FormulaId::train_optimizer_seconds, Seconds{bytes / rate}, {{"bytes", bytes, From::model}, {"rate", rate, From::assumed}});
  }

  void results(FlopsPerSecond peak) {
    auto& s = out_.speed;
    const double tokens = r_.micro_batch.value * r_.accumulation.value * static_cast<double>(l_.data) * r_.sequence_tokens.value;
    const double devices = static_cast<double>(l_.devices());
    s.tokens_per_s = trace_.step(FormulaId::train_tokens_per_s, Tokens{tokens} / s.step, {{"tokens", tokens, From::user}, {"step", s.step, FormulaId::train_step_seconds}});
    s.tokens_per_s_per_device = trace_.step(FormulaId::train_tokens_per_device, s.tokens_per_s / devices, {{"tokens_per_s", s.tokens_per_s, FormulaId::train_tokens_per_s}, {"devices", devices, From::user}});
    s.flops_per_device = trace_.step(FormulaId::train_flops_per_device, s.flops_per_token * s.tokens_per_s_per_device,
                                     {{"flops_per_token", s.flops_per_token, FormulaId::train_flops_per_token}, {"tokens_per_s", s.tokens_per_s_per_device, FormulaId::train_tokens_per_device}});
    s.mfu = trace_.step(FormulaId::train_mfu, s.flops_per_device / peak, {{"flops", s.flops_per_device, FormulaId::train_flops_per_device}, {"peak", peak, r_.device_from}});
    if (r_.dataset_tokens <= 0) return;
    s.total = trace_.step(FormulaId::train_total_seconds, Tokens{r_.dataset_tokens} / s.tokens_per_s,
                          {{"dataset_tokens", r_.dataset_tokens, From::user}, {"tokens_per_s", s.tokens_per_s, FormulaId::train_tokens_per_s}});
    s.device_hours = trace_.step(FormulaId::train_device_hours, s.total.value * devices / 3600, {{"seconds", s.total, FormulaId::train_total_seconds}, {"devices", devices, From::user}});
    if (d_.price_per_hour.value > 0)
      s.cost = trace_.step(FormulaId::train_cost, s.device_hours * d_.price_per_hour, {{"device_hours", s.device_hours, FormulaId::train_device_hours}, {"price", d_.price_per_hour, r_.device_from}});
    if (d_.power.value > 0)
      s.energy = trace_.step(FormulaId::train_energy, s.total * (devices * d_.power),
                             {{"seconds", s.total, FormulaId::train_total_seconds}, {"devices", devices, From::user}, {"power", d_.power, r_.device_from}});
  }

  const Device& d_;
  const TrainingData& data_;
  const TrainClass& class_;
  const TrainFrame& frame_;
  T& trace_;
  Training& out_;
};

}  // namespace weighbridge
