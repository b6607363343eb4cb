// What a training step holds on the fullest device, and the work of the busiest one; templated on its trace. train_clock.hpp times it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "formulas/training_state.hpp"
#include "formulas/training_time.hpp"
#include "formulas/weights.hpp"
#include "train_activations.hpp"
#include "train_clock.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge {

template <class T>
class Trainer : private TrainActivations {
 public:
  Trainer(const TrainRequest& r, const Catalog& catalog, T& trace) : TrainActivations(r, catalog), trace_(trace) { store_base(); }

  Training run() {
    // First and last stage hold most: the tables, and most micro-batches in flight or the logits. With layers of several kinds any may.
    const bool many = m_.spec.kinds.size() > 1;
    std::int64_t fullest = 0;
    Bytes most{-1};
    NoTrace quiet;
    for (std::int64_t stage = 0; stage < l_.pipeline; ++stage) {
      if (!many && stage == 2 && stage < l_.pipeline - 1) stage = l_.pipeline - 1;
      const auto total = memory(stage, quiet);
      if (total > most) { most = total; fullest = stage; }
    }
    out_stage_ = fullest;
    memory(fullest, trace_);
    if (r_.device) time();
    const auto memory_range = data_.interval("memory", r_.framework, m_.experts > 0), speed_range = data_.interval("speed", r_.framework, m_.experts > 0);
    out_.memory_low = memory_range.low;
    out_.memory_high = memory_range.high;
    out_.speed_low = speed_range.low;
    out_.speed_high = speed_range.high;
    return out_;
  }

 private:
  // ---- what lies where ----

  void store_base() {
    if (r_.method == TrainMethod::full) {
      out_.weight_bytes = Bytes{formulas::regime(r_.framework, r_.precision).weights * static_cast<double>(m_.parameters)};
      return;
    }
    const bool quantised = r_.base.format || r_.base.bits > 0;
    if (r_.base.bits > 0) store_average(m_, r_.base.bits, formats_, base_);
    else if (const auto* format = quantised ? r_.base.format : formats_.find_weight(r_.precision == Precision::fp32 ? "fp32" : "bf16")) store(m_, *format, formats_, base_);
    const bool widens = widens_base();
    const auto wide = formats_.encoding("fp32");
    for (auto& s : base_) {
      if (widens && s.encoding != r_.base.format->encoding) s = stored_row(s.row, m_.rows[s.row], wide, s.layers, formats_);
      out_.weight_bytes += s.bytes;
    }
  }

  // ---- states ----

  void shard(formulas::TrainGroup& g, bool experts) const {
    // Experts are copied over fewer devices than all else, and sharded over those.
    const double copies = experts ? static_cast<double>(l_.replicas() * l_.tensor) / static_cast<double>(l_.expert) : static_cast<double>(l_.replicas());
    const double n = std::max(1.0, std::min(copies, static_cast<double>(l_.shards())));
    const bool fsdp = r_.framework == Framework::fsdp && l_.zero_stage > 0;
    if (fsdp || l_.zero_stage >= 3) g.weight_shards = n;
    if ((fsdp || l_.zero_stage >= 2) && !sums_whole()) g.gradient_shards = n;
    if (l_.zero_stage >= 1) g.state_shards = n;
  }

  // A group of weights that are trained alike, with what its optimizer keeps.
  struct Count {
    double parameters = 0, values = 0;
    std::vector<double> count, share, elements, state;
    std::vector<std::string> rows;
    void add(const std::string& name, double n, double part, double of_one, double values_of_one) {
      if (n * part * of_one <= 0) return;
      parameters += n * part * of_one;
      values += n * part * values_of_one;
      if constexpr (T::on) {
        count.push_back(n);
        share.push_back(part);
        elements.push_back(of_one);
        state.push_back(values_of_one);
        rows.push_back(name);
      }
    }
  };
  template <class Tr>
  void add_group(std::string_view name, Count& c, const formulas::StateBytes& bytes, bool experts, bool casts, Tr& trace) {
    if (c.parameters <= 0) return;
    formulas::TrainGroup g;
    g.name = name;
    g.parameters = c.parameters;
    g.weight_bytes = bytes.weights;
    g.gradient_bytes = bytes.gradients;
    const double of_value = formulas::value_bytes(r_.optimizer, bytes.value, data_.scale_8bit);
    if constexpr (Tr::on) {
      trace.step(FormulaId::train_parameters, c.parameters, {{"count", c.count, From::model}, {"share", c.share, From::user}, {"elements", c.elements, From::model}}, name);
      trace.name_rows(c.rows);
      trace.step(FormulaId::train_state_values, c.values, {{"count", c.count, From::model}, {"share", c.share, From::user}, {"values", c.state, From::model}}, name);
      trace.name_rows(c.rows);
    }
    g.state_bytes = trace.step(FormulaId::train_state_bytes, bytes.master + of_value * c.values / c.parameters,
                               {{"master", bytes.master, From::format}, {"bytes", of_value, From::format}, {"values", c.values, FormulaId::train_state_values, name},
                                {"parameters", c.parameters, FormulaId::train_parameters, name}}, name);
    // PyTorch's default (foreach) Adam makes lists as large as all weights while it steps; compiled, fused and 8-bit ones do not.
    const bool lists = !r_.compile && (r_.framework == Framework::pytorch || r_.framework == Framework::fsdp);
    if (lists && !r_.optimizer_in_backward && (r_.optimizer == Optimizer::adamw || r_.optimizer == Optimizer::adamw_bf16)) g.temporary_bytes = bytes.weights;
    const bool autocast = r_.framework == Framework::pytorch || r_.framework == Framework::unsloth;
    if (casts && autocast && bytes.weights > compute_bytes() && r_.checkpointing != Checkpointing::full) g.cast_bytes = compute_bytes();
    shard(g, experts);
    groups_.push_back(g);
  }

  template <class Tr>
  void make_groups(const Stage& s, Tr& trace) {
    groups_.clear();
    const auto whole = formulas::regime(r_.framework, r_.precision);
    Count dense, experts, modules;
    for (const auto& row : m_.rows) {
      const double trained = trained_share(row);
      if (trained <= 0) continue;
      auto& c = expert_group(row.split) ? experts : dense;
      const double n = trained < 1 ? (s.last ? trained * static_cast<double>(row.tensors()) : 0.0) : layers_of(s, row) * static_cast<double>(row.per_layer);
      c.add(row.name, n, share(row.split, row.kind), static_cast<double>(row.rows * row.columns), formulas::state_values(r_.optimizer, row, r_.galore_rank));
    }
    add_group("weights", dense, whole, false, true, trace);
    add_group("experts", experts, whole, true, true, trace);
    Count low_rank, of_experts;
    for (const auto& a : r_.adapters) {
      const double n = part_on(s, a.kind, a.layers, false, Use::always, false) * static_cast<double>(a.per_layer);
      const double elements = r_.rank * static_cast<double>(a.inputs + a.outputs) + (r_.dora ? static_cast<double>(a.outputs) : 0.0);
      TensorRow pair;
      pair.rows = static_cast<std::int64_t>(r_.rank);
      pair.columns = a.inputs + a.outputs;
      auto& c = expert_group(a.split) ? of_experts : low_rank;
      c.add(a.name, n, a.split == Split::replicated ? 1.0 : share(a.split, a.kind), elements, formulas::state_values(r_.optimizer, pair, r_.galore_rank) * elements / static_cast<double>(pair.rows * pair.columns));
    }
    const auto adapters = formulas::adapter_regime(r_.framework, r_.precision);
    add_group("adapters", low_rank, adapters, false, false, trace);
    add_group("adapters of experts", of_experts, adapters, true, false, trace);
    // A module trained in full beside adapters is a second copy in the base's 16 bits; the frozen one stays (PEFT, modules_to_save).
    for (const auto id : r_.train_also) {
      const auto& row = m_.rows[id];
      modules.add(row.name, layers_of(s, row) * static_cast<double>(row.per_layer), share(row.split, row.kind), static_cast<double>(row.rows * row.columns),
                  formulas::state_values(r_.optimizer, row, r_.galore_rank));
    }
    const auto copies = r_.framework == Framework::pytorch || r_.framework == Framework::unsloth ? formulas::regime(r_.framework, r_.precision == Precision::fp32 ? Precision::fp32 : Precision::bf16) : whole;
    add_group("modules", modules, copies, false, false, trace);
  }

  template <class Tr>
  Bytes frozen_weights(const Stage& s, Tr& trace) const {
    const double shards = l_.zero_stage >= 3 || (r_.framework == Framework::fsdp && l_.zero_stage > 0) ? static_cast<double>(l_.shards()) : 1;
    double sum = 0;
    std::vector<double> count, part, elements, bits, scales;
    std::vector<std::string> names;
    for (const auto& b : base_) {
      const auto& row = m_.rows[b.row];
      if (row.mtp && row.use == Use::never) continue;
      const auto& e = formats_.encodings[b.encoding];
      double n = part_on(s, row.kind, b.layers, row.mtp, row.use, row.tied_head);
      if (r_.trained_layers > 0 && s.last) n = std::max(0.0, n - trained_share(row) * static_cast<double>(b.layers));
      n *= static_cast<double>(row.per_layer);
      if (n <= 0) continue;
      const double of_one = static_cast<double>(row.rows * row.columns), of_scales = r_.base.bits > 0 ? 0 : scale_bytes(e, row.rows, row.columns).value;
      const double width = r_.base.bits > 0 ? r_.base.bits : e.bits;
      sum += n * share(row.split, row.kind) * (of_one * width / 8 + of_scales);
      if constexpr (Tr::on) {
        count.push_back(n);
        part.push_back(share(row.split, row.kind));
        elements.push_back(of_one);
        bits.push_back(width);
        scales.push_back(of_scales);
        names.push_back(row.name);
      }
    }
    if constexpr (Tr::on) {
      trace.step(FormulaId::train_frozen_weights, Bytes{sum / shards},
                 {{"count", count, From::model}, {"share", part, From::user}, {"elements", elements, From::model}, {"bits", bits, From::format},
                  {"scale_bytes", scales, From::format}, {"shards", shards, From::user}});
      trace.name_rows(std::move(names));
    }
    return Bytes{sum / shards};
  }

  // ---- buffers ----

  // Weights of the largest layer on a device, and of what lies beside the layers.
  struct Blocks { double layer = 0, root = 0, all = 0, trained_layer = 0; };
  Blocks blocks(const Stage& s) const {
    Blocks b;
    std::vector<double> layer(m_.spec.kinds.size(), 0.0);
    for (const auto& row : m_.rows) {
      const double here = layers_of(s, row);
      if (here <= 0) continue;
      const double n = static_cast<double>(row.per_layer * row.rows * row.columns) * share(row.split, row.kind);
      b.all += here * n;
      if (row.kind >= 0 && !row.mtp) layer[static_cast<std::size_t>(row.kind)] += n * static_cast<double>(row.layers) / static_cast<double>(std::max<std::int64_t>(1, m_.caches[static_cast<std::size_t>(row.kind)].layers));
      else b.root += here * n;
    }
    for (const double n : layer) b.layer = std::max(b.layer, n);
    if (r_.method == TrainMethod::full) b.trained_layer = b.layer;
    return b;
  }

  template <class Tr>
  Bytes buffers(const Stage& s, Tr& trace) const {
    std::vector<double> count, parameters, bytes;
    std::vector<std::string> names;
    double sum = 0;
    const auto put = [&](const char* name, double n, double of, double each) {
      if (n * of * each <= 0) return;
      sum += n * of * each;
      if constexpr (Tr::on) {
        count.push_back(n);
        parameters.push_back(of);
        bytes.push_back(each);
        names.emplace_back(name);
      }
    };
    if (l_.replicas() > 1) {
      const auto b = blocks(s);
      double trained = 0, gradient = 0;
      for (const auto& g : groups_) {
        trained += g.parameters;
        gradient = std::max(gradient, g.gradient_bytes);
      }
      const double held = quantised_base() ? r_.base.format->bits_per_weight / 8 : compute_bytes();
      if (r_.framework == Framework::fsdp && l_.zero_stage > 0) {
        if (regathers()) {
          put("gathered layers", 2, b.layer, held);
          put("gathered tables and head", 1, b.root, compute_bytes());
        } else {
          put("gathered weights", 1, b.all, held);
        }
        if (!sums_whole()) put("gradients of a layer", 1, b.trained_layer, gradient);
      } else if (frame_.buckets && l_.zero_stage > 0) {
        if (l_.zero_stage >= 3) put("gathered weights", 1, std::min(b.all, 2 * data_.largest_bucket), held);
        put("buckets", 2, std::min(trained, data_.largest_bucket), compute_bytes());
      } else if (l_.zero_stage >= 2) {
        if (l_.zero_stage >= 3) put("gathered layers", 2, b.layer, held);
        put("gradients of a layer", 1, b.trained_layer, gradient);
      } else if (r_.framework == Framework::pytorch || (r_.framework == Framework::fsdp)) {
        put("gradient buckets", 1, trained, gradient);
      }
    }
    if constexpr (Tr::on) {
      trace.step(FormulaId::train_buffers, Bytes{sum}, {{"count", count, From::user}, {"parameters", parameters, From::model}, {"bytes", bytes, From::format}});
      trace.name_rows(std::move(names));
    }
    return Bytes{sum};
  }

  // ---- the moments ----

  // The share of a paged optimizer's states that stays on the device; whole pages of the others lie in system memory.
  static double paged_in(Bytes room, Bytes states) {
    constexpr double kPage = 2.0 * 1024 * 1024;
    return std::clamp(std::floor(room.value / kPage) * kPage / states.value, 0.0, 1.0);
  }

  template <class Tr>
  Bytes memory(std::int64_t index, Tr& trace) {
    const auto s = stage_of(index);
    make_groups(s, trace);
    const auto frozen = frozen_weights(s, trace);
    const auto states = formulas::states(groups_, frozen, trace);
    const auto kept = kept_activations(s, trace);
    const auto working = working_set(trace);
    const auto loss = logits(s, trace);
    const auto buffer = buffers(s, trace);

    Bytes casts, step_lists, largest_gradient;
    for (const auto& g : groups_) {
      casts += Bytes{g.parameters * g.cast_bytes};
      step_lists += Bytes{g.parameters * g.temporary_bytes / g.state_shards};
    }
    if (r_.optimizer_in_backward) {
      const auto b = blocks(s);
      const double each = groups_.empty() ? 0 : groups_.front().gradient_bytes / groups_.front().gradient_shards;
      largest_gradient = min(states.gradients, Bytes{std::max(b.layer, b.root) * each});
    }
    // Frames with gradient buffers of their own hold them always; else gradients come with the backward pass and stay while they are summed up.
    const bool always = !r_.optimizer_in_backward && (r_.framework == Framework::megatron || r_.framework == Framework::deepspeed || r_.accumulation.value > 1 || l_.pipeline > 1);
    const bool off_optimizer = l_.offload != Offload::none, off_weights = l_.offload == Offload::all;
    const bool off_gradients = off_optimizer && (r_.framework == Framework::deepspeed ? l_.zero_stage >= 2 : r_.framework == Framework::fsdp);

    struct Held { double present; Bytes more; };
    struct Row { Held weights, gradients, optimizer, activations, logits; };
    const double w = off_weights ? 0 : 1, g = off_gradients ? 0 : 1, early = always ? g : 0;
    double o = off_optimizer ? 0 : 1;
    const Bytes none{};
    const double full = r_.optimizer_in_backward ? 0 : g, shards = static_cast<double>(l_.shards());
    Row rows[kMoments] = {
        {{w, casts}, {early, none}, {o, none}, {1, none}, {0, none}},
        {{w, casts}, {early, none}, {o, none}, {1, none}, {1, none}},
        {{w, casts}, {early, largest_gradient}, {o, none}, {1, working}, {0, none}},
        {{w, none}, {full, largest_gradient}, {o, none}, {0, working}, {0, none}},
        {{w, none}, {sums_whole() ? full / shards : full, none}, {o, off_optimizer ? none : step_lists}, {0, none}, {0, none}},
    };
    const auto of = [](Bytes held, const Held& h) { return h.present * held + h.more; };
    // A compiled graph plans where its tensors lie.
    const double slack = r_.compile ? std::min(frame_.slack, data_.compiled_slack) : frame_.slack;
    const Bytes context{frame_.context}, collectives{l_.devices() > 1 ? frame_.collectives : 0};
    if (r_.optimizer == Optimizer::paged_adamw_8bit && r_.device && o > 0 && states.optimizer.value > 0) {
      Bytes rest;
      for (const auto& row : rows)
        rest = max(rest, of(states.weights, row.weights) + of(states.gradients, row.gradients) + of(kept, row.activations) + of(loss, row.logits) + row.optimizer.more);
      const auto room = (r_.device->memory * r_.device->usable_fraction - context - collectives) / (1 + slack) - rest - buffer;
      o = paged_in(room, states.optimizer);
      for (auto& row : rows) row.optimizer.present = o;
    }
    Bytes most;
    for (std::size_t i = 0; i < kMoments; ++i) {
      auto& p = out_.timeline[i];
      p.weights = of(states.weights, rows[i].weights);
      p.gradients = of(states.gradients, rows[i].gradients);
      p.optimizer = of(states.optimizer, rows[i].optimizer);
      p.activations = of(kept, rows[i].activations);
      p.logits = of(loss, rows[i].logits);
      p.runtime = {};
      if (p.total() > most || i == 0) { most = p.total(); out_.peak = static_cast<Moment>(i); }
    }
    // The allocator keeps what it once took, so that all moments have the runtime of the largest.
    const auto allocated = most + buffer;
    const auto at = static_cast<std::size_t>(out_.peak);
    const auto show = [&](std::string_view name, FormulaId id, Bytes held, const Held& h) {
      return trace.step(FormulaId::train_part, of(held, h), {{"held", held, id}, {"present", h.present, From::model}, {"temporary", h.more, From::model}}, name);
    };
    if constexpr (Tr::on) {
      const auto& row = rows[at];
      show("weights", FormulaId::train_weights, states.weights, row.weights);
      show("gradients", FormulaId::train_gradients, states.gradients, row.gradients);
      show("optimizer", FormulaId::train_optimizer, states.optimizer, row.optimizer);
      show("activations", FormulaId::train_kept_activations, kept, row.activations);
      if (loss.value > 0) show("logits", FormulaId::train_logits, loss, row.logits);
    }
    const auto parts = out_.timeline[at];
    const auto part = [&](std::string_view name, Bytes value) {
      return name == "logits" && loss.value <= 0 ? Input(name, value, From::model) : Input(name, value, FormulaId::train_part, name);
    };
    const auto inputs = std::array<Input, 5>{part("weights", parts.weights), part("gradients", parts.gradients), part("optimizer", parts.optimizer),
                                             part("activations", parts.activations), part("logits", parts.logits)};
    const auto runtime = trace.step(FormulaId::train_runtime, context + collectives + buffer + slack * allocated,
                                    {{"context", context, From::assumed}, {"collectives", collectives, From::assumed}, {"buffers", buffer, FormulaId::train_buffers},
                                     {"slack", slack, From::assumed}, inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]});
    for (auto& p : out_.timeline) p.runtime = runtime;
    const auto total = trace.step(FormulaId::train_total, out_.timeline[at].total(), {inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], {"runtime", runtime, FormulaId::train_runtime}});

    // What lies on NVMe leaves its buffers in system memory.
    const auto held_there = [&](Bytes all) { return l_.nvme ? min(all, Bytes{data_.nvme_buffer}) : all; };
    const auto states_there = held_there((1 - o) * states.optimizer), weights_there = held_there(off_weights ? states.weights : none), gradients_there = held_there(off_gradients ? states.gradients : none);
    const Bytes host = states_there + weights_there + gradients_there;
    const double devices = static_cast<double>(l_.devices());
    if (host.value > 0)
      trace.step(FormulaId::train_host, devices * host,
                 {{"devices", devices, From::user}, {"optimizer", states_there, From::model}, {"weights", weights_there, From::model}, {"gradients", gradients_there, From::model}});
    out_.host = devices * host;
    return total;
  }

  // ---- work ----

  double used(const TensorRow& row) const {
    if (row.use == Use::never || row.mtp || (row.use == Use::lookup && !row.tied_head)) return 0;
    if (row.use != Use::routed) return 1;
    const auto& f = m_.spec.kinds[static_cast<std::size_t>(row.kind)].feed_forward;
    return r_.expert_tokens() * static_cast<double>(f.experts_used) / static_cast<double>(std::max<std::int64_t>(1, f.experts));
  }

  // Of one stage; tied tables do their work as the head.
  formulas::StageWork work_of(const Stage& s) const {
    formulas::StageWork w;
    w.tokens = tokens();
    w.slots = tokens() * r_.expert_slots() / r_.expert_tokens();
    const bool some = r_.method == TrainMethod::freeze && r_.train_also.empty();
    double read = 0, added = 0;              // weights on a device: that a pass reads, that have gradients
    for (std::size_t i = 0; i < m_.rows.size(); ++i) {
      const auto& row = m_.rows[i];
      const double n = used(row) * static_cast<double>(row.per_layer * row.rows * row.columns);
      const double here = (row.tied_head ? (s.last ? 1.0 : 0.0) : layers_of(s, row)) * n;
      w.used += here;
      // All experts of a device are read, however few a token uses.
      const double lies = n > 0 ? (row.tied_head ? (s.last ? 1.0 : 0.0) : layers_of(s, row)) * static_cast<double>(row.per_layer * row.rows * row.columns) * share(row.split, row.kind) : 0;
      read += lies;
      const double trained = r_.method == TrainMethod::full ? 1 : trained_share(row);
      const bool whole = std::find(r_.train_also.begin(), r_.train_also.end(), i) != r_.train_also.end();
      w.trained += whole ? here : trained * here;
      added += whole ? lies : trained * lies;
      const double through = some && row.kind >= 0 ? trained * here : here;
      w.back += through;
      if (row.use == Use::routed) {
        w.routed += here;
        w.routed_back += through;
        w.routed_trained += trained * here;
      }
    }
    for (const auto& a : r_.adapters) {
      const auto& f = m_.spec.kinds[static_cast<std::size_t>(a.kind)].feed_forward;
      const double times = a.routed ? r_.expert_tokens() * static_cast<double>(f.experts_used) : static_cast<double>(a.per_layer);
      const double n = part_on(s, a.kind, a.layers, false, Use::always, false) * times * r_.rank * static_cast<double>(a.inputs + a.outputs);
      w.used += n;
      w.back += n;
      w.trained += n;
    }
    NoTrace quiet;
    // Caches say what a token attends to: all of the sequence, a window, the best of it, or a state.
    const auto first = m_.spec.layers() - r_.trained_layers;
    for (const auto& c : m_.caches) {
      double span = r_.sequence_tokens.value;
      for (const auto most : {c.window, c.attends})
        if (most > 0) span = std::min(span, static_cast<double>(most));
      const double each = c.prefill_flops_per_pair * span + c.flops_per_token, here = layers_on(s, c.kind);
      w.attention += here * each;
      w.attention_back += each * (some ? static_cast<double>(m_.layers_of(c.kind, std::max(s.layers.first, first), std::max(s.layers.end, first))) : here);
    }
    for (std::size_t kind = 0; kind < m_.spec.kinds.size(); ++kind) {
      const double here = layers_on(s, kind);
      if (here <= 0) continue;
      w.layers += here;
      if (const auto& f = m_.spec.kinds[kind].feed_forward; f.experts > 0) {
        w.moe_layers += here;
        w.experts = static_cast<double>(f.experts) / static_cast<double>(l_.expert);
        w.expert_width = static_cast<double>(f.expert_hidden > 0 ? f.expert_hidden : m_.spec.hidden);
      }
      w.saved_bytes += here * layer_bytes(kind, Checkpointing::none, "", quiet).value;
    }
    w.logit_bytes = logits(s, quiet).value;
    w.weight_bytes = read * (quantised_base() ? r_.base.format->bits_per_weight / 8 : compute_bytes());
    const auto regime = formulas::regime(r_.framework, r_.precision);
    if (r_.method == TrainMethod::full) w.gradient_bytes = added * (compute_bytes() + (r_.accumulation.value > 1 ? 2 : 1) * regime.gradients);
    switch (r_.checkpointing) {
      case Checkpointing::full: w.again_linear = w.again_attention = 1.0 / static_cast<double>(r_.every); break;
      case Checkpointing::selective_op: w.again_linear = 0.5; break;
      case Checkpointing::selective: w.again_attention = r_.eager_attention ? 1 : 0; break;
      case Checkpointing::none: break;
    }
    return w;
  }

  void time() {
    TrainClock<T> clock(r_, data_, frame_, trace_, out_);
    auto busiest = work_of(stage_of(0));
    auto all = busiest;
    for (std::int64_t i = 1; i < l_.pipeline; ++i) {
      const auto w = work_of(stage_of(i));
      all.used += w.used;
      all.back += w.back;
      all.trained += w.trained;
      all.attention += w.attention;
      all.attention_back += w.attention_back;
      if (w.used > busiest.used) busiest = w;
    }
    const auto b = blocks(stage_of(out_stage_));
    Bytes unpacked;                          // what one pass over a quantised base writes and reads in 16 bits
    if (const double stored = quantised_base() ? r_.base.format->bits_per_weight / 8 : 0; stored > 0) unpacked = Bytes{busiest.weight_bytes / stored * (stored + 2 * compute_bytes())};
    // Matrix units want rows of whole groups of 8 elements; attention over other heads runs without them.
    bool odd = false;
    for (const auto& kind : m_.spec.kinds) odd = odd || (kind.mixer.kind == MixerKind::attention && r_.eager_attention && kind.mixer.attention.head_dim % 8 != 0);
    clock.run(all, busiest, groups_, b.all, unpacked, odd);
  }

  T& trace_;
  std::vector<StoredRow> base_;              // frozen weights in their format
  std::vector<formulas::TrainGroup> groups_;
  Training out_;
  std::int64_t out_stage_ = 0;               // the fullest
};

}  // namespace weighbridge
