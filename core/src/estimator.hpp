// The one calculation behind an estimate, templated on its trace: estimate.cpp makes the bare one that sweeps and the planner
// repeat, estimate_traced.cpp the one whose steps are shown.
#pragma once

#include <algorithm>
#include <cmath>

#include "formulas/activations.hpp"
#include "formulas/communication.hpp"
#include "formulas/compute.hpp"
#include "formulas/cost.hpp"
#include "formulas/kv_cache.hpp"
#include "formulas/latency.hpp"
#include "formulas/traffic.hpp"
#include "formulas/weights.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/layout.hpp"

namespace weighbridge {

using formulas::Part;

inline constexpr std::int64_t kDefaultNode = 8;
constexpr std::int64_t kMostDevices = 1024;
constexpr double kUnknownContext = 2147483648.0;      // when a model says nothing of its own limit

inline std::int64_t node_size(const Request& r) {
  if (r.per_node > 0) return r.per_node;
  return r.device && r.device->per_node > 0 ? r.device->per_node : kDefaultNode;
}

inline bool loaded(const Request& r, const TensorRow& row) { return !row.mtp || r.speculative; }

enum class Stage { first, middle, last, only };

inline bool on_stage(const TensorRow& row, Stage stage) {
  if (row.kind >= 0 && !row.mtp) return true;          // counted by its layers
  if (stage == Stage::only) return true;
  if (row.tied_head) return stage != Stage::middle;
  return row.use == Use::lookup ? stage == Stage::first : stage == Stage::last;
}

// Whatever one estimate needs again and again. Reused by the caller's thread, so that the planner's loop does not allocate.
struct Scratch {
  std::vector<std::int64_t> stage_layers, fullest_layers;
  formulas::CacheTerms whole, device;
  const Inventory* named_for = nullptr;
};

struct Work {                                          // of one pass, on each device of one replica
  double flops[6] = {};                                // of the linear layers, all devices of the replica, by Arithmetic
  Flops linear_flops, attention_flops;
  Bytes weight_bytes, kv_bytes;                        // on the fullest device, all pipeline stages together
};

struct Effort {                                        // efficiencies
  double compute = 1, bandwidth = 1, link = 1;
};

template <class T>
class Estimator {
 public:
  Estimator(const Request& r, const Formats& f, const Stored& s, Scratch& scratch, T& trace)
      : r_(r), m_(*r.model), formats_(f), stored_(s), scratch_(scratch), trace_(trace) {}

  Estimate run() {
    cache_terms();
    whole_model();
    choose_layout();
    concurrency_ = r_.workload.concurrency.value;
    if (!r_.device) {
      place();
      totals();
      return e_;
    }
    e_.has_device = true;
    place();
    if (r_.workload.concurrency_max) {
      concurrency_ = std::max(1.0, max_concurrency(quiet_));
      place();
    }
    e_.concurrency = concurrency_;
    totals();
    device_memory();
    capacity();
    speed();
    return e_;
  }

  Bytes headroom_on(std::int64_t devices) {
    cache_terms();
    e_.layout = default_layout(m_, devices, node_size(r_), r_.engine.layer_split);
    concurrency_ = r_.workload.concurrency_max ? 1 : r_.workload.concurrency.value;
    return usable() - fullest_bytes();
  }

 private:
  // ---- the model, whole ----

  void cache_terms() {
    auto& t = scratch_.whole;
    const auto n = m_.caches.size();
    t.layers.resize(n); t.share.resize(n); t.copies.resize(n); t.bytes_per_token.resize(n); t.window.resize(n);
    t.state.resize(n);
    if constexpr (T::on) t.names.resize(n);
    const double k_bits = r_.k_format->bits, v_bits = r_.v_format->bits;
    for (std::size_t i = 0; i < n; ++i) {
      const auto& c = m_.caches[i];
      t.layers[i] = static_cast<double>(c.layers);
      t.window[i] = static_cast<double>(c.window);
      t.state[i] = c.state_bytes;
      if constexpr (T::on) {
        t.names[i] = n == 1 ? "layers" : "layers " + std::to_string(i + 1);
        t.bytes_per_token[i] =
            formulas::layer_kv_bytes_per_token(c, k_bits, v_bits, r_.kv_from, t.names[i], trace_).value;
      } else {
        t.bytes_per_token[i] = formulas::layer_kv_bytes_per_token(c, k_bits, v_bits, r_.kv_from, {}, trace_).value;
      }
    }
  }

  void whole_model() {
    const auto all = [](const StoredRow& s, const TensorRow&) { return Part{static_cast<double>(s.layers), 1}; };
    const auto roles = formulas::weights_by_role(FormulaId::role_weights, m_, formats_, r_.weights.bits, stored_, all, trace_);
    e_.weight_bytes = formulas::sum_of_roles(FormulaId::model_weights, FormulaId::role_weights, roles, trace_);
    const auto per = formulas::per_sequence(scratch_.whole, trace_);
    e_.kv_bytes_per_token = per.growing;
    e_.window_bytes_per_sequence = per.windows;
    e_.state_bytes_per_sequence = per.state;
    widths_ = formulas::widest(m_.spec);
  }

  // ---- where it lies ----

  void choose_layout() {
    if (r_.layout_given) { e_.layout = r_.layout; return; }
    auto devices = r_.devices.value;
    if (devices == 0) {
      devices = r_.device ? devices_needed() : 1;
      if (devices == 0) devices = 1;
    }
    e_.layout = default_layout(m_, devices, node_size(r_), r_.engine.layer_split);
  }

  double sequences() const { return std::ceil(concurrency_ / static_cast<double>(e_.layout.data)); }

  Stage stage_of(std::int64_t stage) const {
    const auto n = e_.layout.pipeline;
    if (n == 1) return Stage::only;
    return stage == 0 ? Stage::first : stage == n - 1 ? Stage::last : Stage::middle;
  }

  double part_layers(const StoredRow& s, const TensorRow& row, Stage stage, const std::vector<std::int64_t>& layers) const {
    if (!loaded(r_, row) || !on_stage(row, stage)) return 0;
    if (row.kind < 0 || row.mtp) return static_cast<double>(s.layers);
    const auto here = static_cast<double>(layers[static_cast<std::size_t>(row.kind)]);
    return static_cast<double>(s.layers) * here / static_cast<double>(row.layers);
  }

  Bytes stage_weights(Stage stage, const std::vector<std::int64_t>& layers) const {
    Bytes bytes;
    for (const auto& s : stored_) {
      const auto& row = m_.rows[s.row];
      const auto held = part_layers(s, row, stage, layers);
      if (held > 0) bytes += s.bytes * (held / static_cast<double>(s.layers) * formulas::share_on_fullest(m_, row, e_.layout));
    }
    return bytes;
  }

  double cache_share(std::size_t kind) const {
    const auto& c = m_.caches[kind];
    return c.replicated ? 1.0 : formulas::heads_share(c.kv_heads, e_.layout.tensor);
  }
  double cache_copies(std::size_t kind) const {
    const auto& c = m_.caches[kind];
    return c.replicated ? static_cast<double>(e_.layout.tensor) : formulas::heads_copies(c.kv_heads, e_.layout.tensor);
  }

  Bytes stage_sequence(const std::vector<std::int64_t>& layers) const {
    const auto& t = scratch_.whole;
    Bytes bytes;
    for (std::size_t i = 0; i < t.layers.size(); ++i)
      bytes += Bytes{static_cast<double>(layers[i]) * cache_share(i) *
                     (t.bytes_per_token[i] * formulas::reach(t.window[i], r_.workload.context_tokens.value) + t.state[i])};
    return bytes;
  }

  // Finds the fullest pipeline stage and what lies on it.
  Bytes fullest_stage() {
    Bytes most{-1};
    auto& layers = scratch_.stage_layers;
    for (std::int64_t stage = 0; stage < e_.layout.pipeline; ++stage) {
      stage_layers(m_.spec, e_.layout.pipeline, stage, layers);
      const auto bytes = stage_weights(stage_of(stage), layers) + sequences() * stage_sequence(layers);
      if (bytes > most) {
        most = bytes;
        fullest_ = stage_of(stage);
        scratch_.fullest_layers = layers;
      }
    }
    return most;
  }

  Bytes activation_peak() {
    widths_ = formulas::widest(m_.spec);
    NoTrace none;
    return formulas::activation_peak(m_.spec, widths_, pass_tokens(), sequences(), static_cast<double>(e_.layout.tensor), none);
  }

  Bytes fullest_bytes() { return fullest_stage() + activation_peak() + Bytes{r_.reserved_bytes.value}; }

  Bytes usable() const { return r_.device->memory * r_.device->usable_fraction; }

  void place() {
    fullest_stage();
    auto& d = scratch_.device;
    const auto& w = scratch_.whole;
    d = w;
    for (std::size_t i = 0; i < d.layers.size(); ++i) {
      d.layers[i] = static_cast<double>(scratch_.fullest_layers[i]);
      d.share[i] = cache_share(i);
      scratch_.whole.copies[i] = cache_copies(i);
    }
  }

  // ---- memory ----

  Given<double> pass_tokens() const {
    const auto& w = r_.workload;
    const double uncached = std::max(1.0, w.prompt_tokens.value - w.cached_prefix_tokens.value);
    return uncached < r_.chunk_tokens.value ? Given<double>{uncached, w.prompt_tokens.from}
                                            : Given<double>{r_.chunk_tokens.value, r_.chunk_tokens.from};
  }

  void totals() {
    const auto devices = static_cast<double>(e_.layout.devices());
    const auto everywhere = [&](const StoredRow& s, const TensorRow& row) {
      if (!loaded(r_, row)) return Part{};
      const double twice = row.tied_head && e_.layout.pipeline > 1 ? 2 : 1;      // first and last stage both hold it
      return Part{static_cast<double>(s.layers), twice * formulas::copies(m_, row, e_.layout)};
    };
    e_.concurrency = concurrency_;
    const auto roles = formulas::weights_by_role(FormulaId::total_weights, m_, formats_, r_.weights.bits, stored_, everywhere, quiet_);
    for (const auto b : roles) e_.total.weights += b;
    if constexpr (T::on) trace_total_weights(everywhere);
    const auto per = formulas::sequence_bytes(FormulaId::total_kv_cache, scratch_.whole, scratch_.whole.copies, "copies",
                                              r_.workload.context_tokens, quiet_);
    e_.total.kv_cache = concurrency_ * per;
    if constexpr (T::on) {
      auto window = scratch_.whole.window;
      for (auto& w : window) if (w == 0) w = r_.workload.context_tokens.value;
      trace_.step(FormulaId::total_kv_cache, e_.total.kv_cache,
                  {{"concurrency", concurrency_, r_.workload.concurrency.from}, {"layers", scratch_.whole.layers, From::model},
                   {"copies", scratch_.whole.copies, From::model},
                   {"bytes_per_token", scratch_.whole.bytes_per_token, From::model},
                   {"context_tokens", r_.workload.context_tokens}, {"window_tokens", window, From::model},
                   {"state_bytes", scratch_.whole.state, From::model}});
      trace_.name_rows(scratch_.whole.names);
    }
    const auto peak = formulas::activation_peak(m_.spec, widths_, pass_tokens(), sequences(),
                                                static_cast<double>(e_.layout.tensor), trace_);
    activations_ = peak;
    e_.total.activations = trace_.step(FormulaId::total_activations, devices * peak,
                                       {{"devices", devices, From::user}, {"activations", peak, FormulaId::activations}});
    const auto reserved = trace_.step(FormulaId::runtime, Bytes{r_.reserved_bytes.value}, {{"reserved_bytes", r_.reserved_bytes}});
    e_.total.runtime = trace_.step(FormulaId::total_runtime, devices * reserved,
                                   {{"devices", devices, From::user}, {"runtime", reserved, FormulaId::runtime}});
    auto& t = e_.total;
    t.total = trace_.step(FormulaId::total_memory, t.weights + t.kv_cache + t.activations + t.runtime,
                          {{"weights", t.weights, FormulaId::total_weights}, {"kv_cache", t.kv_cache, FormulaId::total_kv_cache},
                           {"activations", t.activations, FormulaId::total_activations},
                           {"runtime", t.runtime, FormulaId::total_runtime}});
    if (!e_.has_device) on_fullest();
  }

  template <class PartOf>
  void trace_total_weights(PartOf part) {
    std::vector<double> count, held, elements, bits, scales;
    std::vector<std::string> names;
    for (const auto& s : stored_) {
      const auto& row = m_.rows[s.row];
      const Part p = part(s, row);
      if (p.layers == 0) continue;
      const auto& e = formats_.encodings[s.encoding];
      count.push_back(p.layers * static_cast<double>(row.per_layer));
      held.push_back(p.share);
      elements.push_back(static_cast<double>(row.rows * row.columns));
      bits.push_back(r_.weights.bits > 0 ? r_.weights.bits : e.bits);
      scales.push_back(r_.weights.bits > 0 ? 0 : scale_bytes(e, row.rows, row.columns).value);
      names.push_back(row.name);
    }
    trace_.step(FormulaId::total_weights, e_.total.weights,
                {{"count", count, From::model}, {"copies", held, From::model}, {"elements", elements, From::model},
                 {"bits", bits, From::format}, {"scale_bytes", scales, From::format}});
    trace_.name_rows(std::move(names));
  }

  // Weights by role on the fullest device (without a device: on the one that would hold most).
  void on_fullest() {
    const auto here = [&](const StoredRow& s, const TensorRow& row) {
      return Part{part_layers(s, row, fullest_, scratch_.fullest_layers), formulas::share_on_fullest(m_, row, e_.layout)};
    };
    auto& d = e_.device;
    d.weights_by_role = formulas::weights_by_role(FormulaId::device_role_weights, m_, formats_, r_.weights.bits, stored_, here, trace_);
    d.weights = formulas::sum_of_roles(FormulaId::device_weights, FormulaId::device_role_weights, d.weights_by_role, trace_);
    d.reserved = Bytes{r_.reserved_bytes.value};
  }

  void device_memory() {
    on_fullest();
    auto& d = e_.device;
    sequence_ = formulas::sequence_bytes(FormulaId::device_kv_bytes_per_sequence, scratch_.device, scratch_.device.share,
                                         "share", r_.workload.context_tokens, trace_);
    d.kv_cache = trace_.step(FormulaId::device_kv_cache, sequences() * sequence_,
                             {{"sequences", sequences(), r_.workload.concurrency.from},
                              {"bytes_per_sequence", sequence_, FormulaId::device_kv_bytes_per_sequence}});
    d.activations = activations_;
    d.runtime = d.reserved;
    d.total = trace_.step(FormulaId::device_total, d.weights + d.kv_cache + d.activations + d.runtime,
                          {{"weights", d.weights, FormulaId::device_weights}, {"kv_cache", d.kv_cache, FormulaId::device_kv_cache},
                           {"activations", d.activations, FormulaId::activations}, {"runtime", d.runtime, FormulaId::runtime}});
    d.capacity = r_.device->memory;
    d.usable = trace_.step(FormulaId::usable_memory, usable(),
                           {{"capacity", d.capacity, r_.device_from}, {"usable_fraction", r_.device->usable_fraction, r_.device_from}});
    d.headroom = trace_.step(FormulaId::headroom, d.usable - d.total,
                             {{"usable", d.usable, FormulaId::usable_memory}, {"total", d.total, FormulaId::device_total}});
    d.fits = d.headroom.value >= 0;
  }

  // ---- capacity ----

  // What weights and reserve leave. Sequences share it with the activations.
  Bytes room() const {
    return max(Bytes{}, usable() - stage_weights(fullest_, scratch_.fullest_layers) - Bytes{r_.reserved_bytes.value});
  }

  template <class Tr>
  double max_concurrency(Tr& trace) {
    const auto& d = e_.device;
    const Bytes space = trace.step(FormulaId::room, room(),
                                   {{"usable", usable(), FormulaId::usable_memory}, {"weights", d.weights, FormulaId::device_weights},
                                    {"runtime", d.reserved, FormulaId::runtime}});
    const Bytes each = stage_sequence(scratch_.fullest_layers);
    const Bytes logits{4 * static_cast<double>(m_.spec.vocabulary)};
    NoTrace none;
    const Bytes pass = formulas::activation_peak(m_.spec, widths_, pass_tokens(), 0, static_cast<double>(e_.layout.tensor), none);
    const auto data = static_cast<double>(e_.layout.data);
    const double beside_pass = each.value > 0 ? std::floor((space - pass) / each) : kUnknownContext;
    const double beside_logits = (each + logits).value > 0 ? std::floor(space / (each + logits)) : kUnknownContext;
    const double most = data * std::max(0.0, std::min(beside_pass, beside_logits));
    if (each.value <= 0) return most;
    return trace.step(FormulaId::max_concurrency, most,
                      {{"data", data, From::user}, {"room", space, FormulaId::room}, {"pass_activations", pass, From::model},
                       {"bytes_per_sequence", each, FormulaId::device_kv_bytes_per_sequence},
                       {"logits_per_sequence", logits, From::model}});
  }

  double context_limit() const { return m_.spec.context > 0 ? static_cast<double>(m_.spec.context) : kUnknownContext; }

  // Largest context at which `sequences` fit into the pool: windows that are full stop growing, one after another.
  double max_context(Bytes pool) {
    const auto& d = scratch_.device;
    const double each = pool.value / sequences();
    double growing = 0, held = 0, context = 0;
    std::vector<char>& full = full_windows_;
    full.assign(d.layers.size(), 0);
    for (bool changed = true; changed;) {
      changed = false;
      growing = held = 0;
      for (std::size_t i = 0; i < d.layers.size(); ++i) {
        const double rate = d.layers[i] * d.share[i] * d.bytes_per_token[i];
        held += d.layers[i] * d.share[i] * d.state[i];
        if (full[i]) held += rate * d.window[i];
        else growing += rate;
      }
      context = each <= held ? 0 : growing > 0 ? std::floor((each - held) / growing) : kUnknownContext;
      for (std::size_t i = 0; i < d.layers.size(); ++i)
        if (!full[i] && d.window[i] > 0 && d.window[i] < context) { full[i] = 1; changed = true; }
    }
    if (growing <= 0) return each >= held ? context_limit() : 0;
    return trace_.step(FormulaId::max_context_tokens, std::min(context_limit(), std::max(0.0, std::floor((each - held) / growing))),
                       {{"model_context", context_limit(), From::model}, {"kv_pool", pool, FormulaId::kv_pool},
                        {"sequences", sequences(), r_.workload.concurrency.from}, {"full_bytes", held, From::model},
                        {"growing_bytes_per_token", growing, From::model}});
  }

  bool plain_cache() const {
    for (std::size_t i = 0; i < scratch_.whole.window.size(); ++i)
      if (scratch_.whole.window[i] > 0 || scratch_.whole.state[i] > 0) return false;
    return true;
  }

  void capacity() {
    auto& c = e_.capacity;
    const auto& d = e_.device;
    c.kv_pool = trace_.step(FormulaId::kv_pool, max(Bytes{}, d.usable - d.weights - d.activations - d.runtime),
                            {{"usable", d.usable, FormulaId::usable_memory}, {"weights", d.weights, FormulaId::device_weights},
                             {"activations", d.activations, FormulaId::activations}, {"runtime", d.runtime, FormulaId::runtime}});
    const Given<double>& context = r_.workload.context_tokens;
    if (plain_cache()) {
      c.kv_bytes_per_token = formulas::device_kv_bytes_per_token(scratch_.device, trace_);
      if (c.kv_bytes_per_token.value > 0)
        c.kv_tokens = trace_.step(FormulaId::kv_tokens, std::floor((c.kv_pool / c.kv_bytes_per_token).value),
                                  {{"kv_pool", c.kv_pool, FormulaId::kv_pool},
                                   {"bytes_per_token", c.kv_bytes_per_token, FormulaId::device_kv_bytes_per_token}});
    } else if (sequence_.value > 0) {
      c.kv_tokens = trace_.step(FormulaId::windowed_kv_tokens, std::floor(c.kv_pool / sequence_ * context.value),
                                {{"kv_pool", c.kv_pool, FormulaId::kv_pool},
                                 {"bytes_per_sequence", sequence_, FormulaId::device_kv_bytes_per_sequence},
                                 {"context_tokens", context}});
      c.kv_bytes_per_token = c.kv_tokens > 0
          ? trace_.step(FormulaId::windowed_kv_bytes_per_token, c.kv_pool / Tokens{c.kv_tokens},
                        {{"kv_pool", c.kv_pool, FormulaId::kv_pool}, {"kv_tokens", c.kv_tokens, FormulaId::windowed_kv_tokens}})
          : BytesPerToken{sequence_.value / context.value};
    }
    c.max_concurrency = max_concurrency(trace_);
    c.max_context_tokens = max_context(c.kv_pool);
    c.devices_needed = devices_needed();
  }

  std::int64_t devices_needed() {
    if (needed_ >= 0) return needed_;
    Scratch scratch;
    NoTrace none;
    const auto fits_on = [&](std::int64_t n) {
      Estimator<NoTrace> other(r_, formats_, stored_, scratch, none);
      return other.headroom_on(n).value >= 0;
    };
    needed_ = 0;
    const Bytes each = usable() - Bytes{r_.reserved_bytes.value};
    if (each.value <= 0) return needed_;
    Bytes least;                                       // no layout can take less than one copy of what is loaded
    for (const auto& s : stored_) if (loaded(r_, m_.rows[s.row])) least += s.bytes;
    auto n = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(std::ceil(least / each), 1e6)));
    const auto node = node_size(r_);
    while (n <= kMostDevices) {
      if (fits_on(n)) { needed_ = n; break; }
      n = n < 64 ? n + 1 : (n / node + 1) * node;      // beyond 64 whole nodes are added
    }
    return needed_;
  }

  // ---- one pass ----

  std::int64_t moe_layers() const {
    std::int64_t n = 0;
    for (std::size_t i = 0; i < m_.spec.kinds.size(); ++i)
      if (m_.spec.kinds[i].feed_forward.experts > 0) n += m_.caches[i].layers;
    return n;
  }

  // Linear layers of a pass of `tokens` tokens, of which `logit_rows` go through the head.
  template <class Tr>
  void linear(Work& w, double tokens, double logit_rows, std::string_view of, FormulaId bytes_id, double passes, Tr& trace) {
    const auto& l = e_.layout;
    double distinct_share = 1;
    if (m_.experts > 0) {
      const double routed = l.expert > 1 ? tokens * static_cast<double>(l.data) : tokens;
      const auto experts = static_cast<double>(m_.experts);
      distinct_share = formulas::distinct_experts(experts, static_cast<double>(m_.experts_used), routed, of, trace) / experts;
    }
    const double used_share = m_.experts > 0 ? static_cast<double>(m_.experts_used) / static_cast<double>(m_.experts) : 1;
    for (const auto& s : stored_) {
      const auto& row = m_.rows[s.row];
      if (row.mtp || row.use == Use::never) continue;
      const double elements = static_cast<double>(s.layers * row.per_layer * row.rows * row.columns);
      const double rows = row.use == Use::last || row.tied_head ? logit_rows : row.use == Use::lookup ? 0 : tokens;
      const double flops = 2 * elements * (row.use == Use::routed ? used_share : 1) * rows;
      w.flops[static_cast<std::size_t>(formats_.encodings[s.encoding].arithmetic)] += flops;
      w.linear_flops += Flops{flops};
      w.weight_bytes += s.bytes * (formulas::share_on_fullest(m_, row, l) * formulas::touched(row, tokens, distinct_share) * passes);
    }
    if constexpr (Tr::on) {
      std::vector<double> count, share, used, elements, bits, scales, multiplied, through;
      std::vector<std::string> names;
      for (const auto& s : stored_) {
        const auto& row = m_.rows[s.row];
        if (row.mtp || row.use == Use::never) continue;
        multiplied.push_back(row.use == Use::routed ? used_share : 1);
        through.push_back(row.use == Use::last || row.tied_head ? logit_rows : row.use == Use::lookup ? 0 : tokens);
        const auto& e = formats_.encodings[s.encoding];
        count.push_back(static_cast<double>(s.layers * row.per_layer));
        share.push_back(formulas::share_on_fullest(m_, row, l));
        used.push_back(formulas::touched(row, tokens, distinct_share));
        elements.push_back(static_cast<double>(row.rows * row.columns));
        bits.push_back(r_.weights.bits > 0 ? r_.weights.bits : e.bits);
        scales.push_back(r_.weights.bits > 0 ? 0 : scale_bytes(e, row.rows, row.columns).value);
        names.push_back(row.name);
      }
      trace.step(bytes_id, w.weight_bytes,
                 {{"passes", passes, From::user}, {"count", count, From::model}, {"share", share, From::model}, {"used", used, From::model},
                  {"elements", elements, From::model}, {"bits", bits, From::format}, {"scale_bytes", scales, From::format}});
      trace.name_rows(names);
      trace.step(FormulaId::linear_flops, w.linear_flops,
                 {{"count", count, From::model}, {"elements", elements, From::model}, {"used", multiplied, From::model},
                  {"tokens", through, From::user}}, of);
      trace.name_rows(std::move(names));
    }
  }

  template <class Tr>
  Work prefill_work(Tr& trace) {
    Work w;
    const auto& load = r_.workload;
    const double cached = load.cached_prefix_tokens.value, tokens = std::max(0.0, load.prompt_tokens.value - cached);
    const double passes = std::max(1.0, std::ceil(tokens / r_.chunk_tokens.value));
    linear(w, tokens, 1, "prefill", FormulaId::prefill_weight_bytes, passes, trace);
    std::vector<double>& layers = v1_; std::vector<double>& per_pair = v2_; std::vector<double>& pairs = v3_;
    layers.clear(); per_pair.clear(); pairs.clear();
    const auto& t = scratch_.whole;
    for (std::size_t i = 0; i < m_.caches.size(); ++i) {
      layers.push_back(t.layers[i]);
      per_pair.push_back(m_.caches[i].prefill_flops_per_pair);
      if constexpr (Tr::on) pairs.push_back(formulas::attention_pairs(tokens, cached, t.window[i], t.names[i], trace));
      else pairs.push_back(formulas::attention_pairs(tokens, cached, t.window[i], {}, trace));
      w.attention_flops += Flops{t.layers[i] * per_pair[i] * pairs[i]};
      w.kv_bytes += Bytes{t.layers[i] * cache_share(i) * t.bytes_per_token[i] * formulas::reach(t.window[i], cached + tokens) * passes};
    }
    if constexpr (Tr::on) {
      trace.step(FormulaId::prefill_attention_flops, w.attention_flops,
                 {{"layers", layers, From::model}, {"flops_per_pair", per_pair, From::model}, {"pairs", pairs, From::model}});
      trace.name_rows(t.names);
      std::vector<double> share, window(t.window);
      for (std::size_t i = 0; i < m_.caches.size(); ++i) share.push_back(cache_share(i));
      for (auto& x : window) if (x == 0) x = cached + tokens;
      trace.step(FormulaId::prefill_kv_bytes, w.kv_bytes,
                 {{"passes", passes, From::user}, {"layers", t.layers, From::model}, {"share", share, From::model},
                  {"bytes_per_token", t.bytes_per_token, From::model}, {"window_tokens", window, From::model},
                  {"cached_tokens", cached, load.cached_prefix_tokens.from}, {"tokens", tokens, load.prompt_tokens.from}});
      trace.name_rows(t.names);
    }
    return w;
  }

  double mean_context() const { return r_.workload.prompt_tokens.value + r_.workload.output_tokens.value / 2; }

  template <class Tr>
  Work decode_work(double batch, Tr& trace) {
    Work w;
    linear(w, batch, batch, "decode", FormulaId::decode_weight_bytes, 1, trace);
    const auto& t = scratch_.whole;
    const double context = mean_context();
    for (std::size_t i = 0; i < m_.caches.size(); ++i) {
      const double seen = formulas::reach(t.window[i], context);
      w.attention_flops += Flops{batch * t.layers[i] * m_.caches[i].decode_flops_per_pair * seen};
      w.kv_bytes += Bytes{batch * t.layers[i] * (cache_share(i) * t.bytes_per_token[i] * seen + 2 * t.state[i])};
    }
    if constexpr (Tr::on) {
      std::vector<double> per_pair, share, window(t.window);
      for (std::size_t i = 0; i < m_.caches.size(); ++i) {
        per_pair.push_back(m_.caches[i].decode_flops_per_pair);
        share.push_back(cache_share(i));
        if (window[i] == 0) window[i] = context;
      }
      trace.step(FormulaId::decode_attention_flops, w.attention_flops,
                 {{"batch", batch, From::user}, {"layers", t.layers, From::model}, {"flops_per_pair", per_pair, From::model},
                  {"mean_context", context, From::user}, {"window_tokens", window, From::model}});
      trace.name_rows(t.names);
      trace.step(FormulaId::decode_kv_bytes, w.kv_bytes,
                 {{"batch", batch, From::user}, {"layers", t.layers, From::model}, {"share", share, From::model},
                  {"bytes_per_token", t.bytes_per_token, From::model}, {"mean_context", context, From::user},
                  {"window_tokens", window, From::model}, {"state_bytes", t.state, From::model}});
      trace.name_rows(t.names);
    }
    return w;
  }

  struct Timed {
    Seconds seconds;
    Bound bound = Bound::bandwidth;
  };

  template <class Tr>
  Timed time(const Work& w, double tokens, const Effort& effort, std::string_view of, Tr& trace) {
    const auto& d = *r_.device;
    const auto& l = e_.layout;
    const auto tensor = static_cast<double>(l.tensor);
    const From efficiency_from = r_.compute_efficiency > 0 ? From::user : From::catalog;
    const From share_from = r_.bandwidth_efficiency > 0 ? From::user : From::catalog;
    Seconds at_peak;
    for (std::size_t a = 0; a < 6; ++a)
      if (w.flops[a] > 0) at_peak += Flops{w.flops[a]} / peak(d, static_cast<Arithmetic>(a)).rate;
    const auto attention_peak = peak(d, Arithmetic::bf16).rate;
    const Seconds linear_compute = at_peak / (tensor * effort.compute);
    const Seconds attention_compute = w.attention_flops / attention_peak / (tensor * effort.compute);
    const Seconds linear_bandwidth = w.weight_bytes / (d.bandwidth * effort.bandwidth);
    const Seconds attention_bandwidth = w.kv_bytes / (d.bandwidth * effort.bandwidth);
    const Seconds linear = max(linear_compute, linear_bandwidth), attention = max(attention_compute, attention_bandwidth);
    if constexpr (Tr::on) {
      std::vector<double> flops, rates;
      std::vector<std::string> names;
      for (std::size_t a = 0; a < 6; ++a) {
        if (w.flops[a] <= 0) continue;
        const auto p = peak(d, static_cast<Arithmetic>(a));
        flops.push_back(w.flops[a]);
        rates.push_back(p.rate.value);
        names.emplace_back(std::string(arithmetic_name(static_cast<Arithmetic>(a))) + " weights in " + std::string(arithmetic_name(p.arithmetic)));
      }
      const std::string lin = std::string(of) + " linear", att = std::string(of) + " attention";
      trace.step(FormulaId::compute_seconds, linear_compute,
                 {{"flops", flops, From::model}, {"peak", rates, r_.device_from}, {"tensor", tensor, From::user},
                  {"efficiency", effort.compute, efficiency_from}}, lin);
      trace.name_rows(names);
      const std::vector<double> one_flops{w.attention_flops.value}, one_rate{attention_peak.value};
      trace.step(FormulaId::compute_seconds, attention_compute,
                 {{"flops", one_flops, From::model}, {"peak", one_rate, r_.device_from}, {"tensor", tensor, From::user},
                  {"efficiency", effort.compute, efficiency_from}}, att);
      trace.name_rows({"attention"});
      const bool decode = of == "decode";
      trace.step(FormulaId::bandwidth_seconds, linear_bandwidth,
                 {{"bytes", w.weight_bytes, decode ? FormulaId::decode_weight_bytes : FormulaId::prefill_weight_bytes},
                  {"bandwidth", d.bandwidth, r_.device_from}, {"efficiency", effort.bandwidth, share_from}}, lin);
      trace.step(FormulaId::bandwidth_seconds, attention_bandwidth,
                 {{"bytes", w.kv_bytes, decode ? FormulaId::decode_kv_bytes : FormulaId::prefill_kv_bytes},
                  {"bandwidth", d.bandwidth, r_.device_from}, {"efficiency", effort.bandwidth, share_from}}, att);
      trace.step(FormulaId::group_seconds, linear,
                 {{"compute", linear_compute, FormulaId::compute_seconds, lin}, {"bandwidth", linear_bandwidth, FormulaId::bandwidth_seconds, lin}}, lin);
      trace.step(FormulaId::group_seconds, attention,
                 {{"compute", attention_compute, FormulaId::compute_seconds, att}, {"bandwidth", attention_bandwidth, FormulaId::bandwidth_seconds, att}}, att);
    }
    const formulas::Link link{d.link, effort.link};
    const auto hidden = static_cast<double>(m_.spec.hidden);
    const auto reduce = formulas::all_reduce(static_cast<double>(m_.spec.layers()), tensor, tokens, hidden, link, r_.device_from, of, trace);
    const auto pipe = formulas::pipeline_transfer(static_cast<double>(l.pipeline), tokens, hidden, link, r_.device_from, of, trace);
    const auto exchange = formulas::expert_exchange(static_cast<double>(moe_layers()), static_cast<double>(m_.experts_used), l, tokens, hidden, link, r_.device_from, of, trace);
    Timed out;
    out.seconds = linear + attention + reduce + pipe + exchange;
    if constexpr (Tr::on) {
      const std::string lin = std::string(of) + " linear", att = std::string(of) + " attention";
      const auto or_zero = [&](std::string_view name, Seconds s, FormulaId id) {
        return s.value > 0 ? Input(name, s, id, of) : Input(name, s, From::model);
      };
      trace.step(FormulaId::pass_seconds, out.seconds,
                 {{"linear", linear, FormulaId::group_seconds, lin}, {"attention", attention, FormulaId::group_seconds, att},
                  or_zero("all_reduce", reduce, FormulaId::all_reduce_seconds), or_zero("pipeline", pipe, FormulaId::pipeline_seconds),
                  or_zero("expert_exchange", exchange, FormulaId::expert_exchange_seconds)}, of);
    }
    Seconds compute, bandwidth;
    (linear_compute > linear_bandwidth ? compute : bandwidth) += linear;
    (attention_compute > attention_bandwidth ? compute : bandwidth) += attention;
    const Seconds links = reduce + pipe + exchange;
    out.bound = links > compute && links > bandwidth ? Bound::interconnect : compute > bandwidth ? Bound::compute : Bound::bandwidth;
    return out;
  }

  // ---- speed ----

  bool can_time() const {
    const auto& d = *r_.device;
    if (d.bandwidth.value <= 0 || peak(d, Arithmetic::bf16).rate.value <= 0) return false;
    if (d.peak[static_cast<std::size_t>(Arithmetic::fp32)].value > 0) return true;
    return std::none_of(stored_.begin(), stored_.end(), [&](const StoredRow& s) {
      return m_.rows[s.row].linear && formats_.encodings[s.encoding].arithmetic == Arithmetic::fp32;
    });
  }

  // Sequences that one decode pass advances together: pipeline stages work on micro-batches side by side.
  double micro_batch(double concurrency) const {
    const double in_replica = std::ceil(concurrency / static_cast<double>(e_.layout.data));
    return std::max(1.0, std::ceil(in_replica / static_cast<double>(e_.layout.pipeline)));
  }

  // Steady step time at a concurrency.
  Seconds step_seconds(double concurrency, const Effort& effort) {
    const auto batch = micro_batch(concurrency);
    return time(decode_work(batch, quiet_), batch, effort, "decode", quiet_).seconds;
  }

  Seconds prefill_seconds(const Effort& effort) {
    const auto& w = r_.workload;
    return time(prefill_work(quiet_), std::max(0.0, w.prompt_tokens.value - w.cached_prefix_tokens.value), effort, "prefill", quiet_).seconds;
  }

  Effort effort(double Efficiency::*which) const {
    const auto& d = *r_.device;
    return {r_.compute_efficiency > 0 ? r_.compute_efficiency : d.compute.*which,
            r_.bandwidth_efficiency > 0 ? r_.bandwidth_efficiency : d.bandwidth_share.*which, d.link_share.*which};
  }

  template <class Tr>
  Speed at(const Effort& effort, double concurrency, Tr& trace) {
    const auto& w = r_.workload;
    const auto& l = e_.layout;
    Speed s;
    const double new_tokens = std::max(0.0, w.prompt_tokens.value - w.cached_prefix_tokens.value);
    const Work prompt = prefill_work(trace);
    const auto prefill = time(prompt, new_tokens, effort, "prefill", trace);
    s.prefill.flops = trace.step(FormulaId::prefill_flops, prompt.linear_flops + prompt.attention_flops,
                                 {{"linear", prompt.linear_flops, FormulaId::linear_flops, "prefill"},
                                  {"attention", prompt.attention_flops, FormulaId::prefill_attention_flops}});
    s.prefill.bytes = static_cast<double>(l.tensor) * (prompt.weight_bytes + prompt.kv_bytes);
    s.prefill.seconds = prefill.seconds;
    s.prefill.bound = prefill.bound;
    if (prefill.seconds.value > 0)
      s.prefill.tokens_per_s = trace.step(FormulaId::prefill_tokens_per_s, Tokens{new_tokens} / prefill.seconds,
                                          {{"tokens", new_tokens, w.prompt_tokens.from}, {"seconds", prefill.seconds, FormulaId::pass_seconds, "prefill"}});

    const double batch = micro_batch(concurrency);
    const Work token = decode_work(batch, trace);
    const auto decode = time(token, batch, effort, "decode", trace);
    const double in_replica = std::ceil(concurrency / static_cast<double>(l.data));
    const double micro_batches = std::min(in_replica, static_cast<double>(l.pipeline)) * static_cast<double>(l.data);
    s.decode.flops = trace.step(FormulaId::decode_flops, micro_batches * (token.linear_flops + token.attention_flops),
                                {{"micro_batches", micro_batches, From::user}, {"linear", token.linear_flops, FormulaId::linear_flops, "decode"},
                                 {"attention", token.attention_flops, FormulaId::decode_attention_flops}});
    s.decode.bytes = trace.step(FormulaId::decode_bytes, micro_batches * static_cast<double>(l.tensor) * (token.weight_bytes + token.kv_bytes),
                                {{"micro_batches", micro_batches, From::user}, {"tensor", static_cast<double>(l.tensor), From::user},
                                 {"weight_bytes", token.weight_bytes, FormulaId::decode_weight_bytes}, {"kv_bytes", token.kv_bytes, FormulaId::decode_kv_bytes}});
    s.decode.seconds = decode.seconds;
    s.decode.bound = decode.bound;
    s.decode.tokens_per_s = trace.step(FormulaId::decode_tokens_per_s, Tokens{concurrency} / decode.seconds,
                                       {{"concurrency", concurrency, w.concurrency.from}, {"seconds", decode.seconds, FormulaId::pass_seconds, "decode"}});
    formulas::under_load(s, in_replica, concurrency, w, trace);
    return s;
  }

  // Throughput of requests at a concurrency, for open loops: bare arithmetic, no trace.
  Speed probe(const Effort& effort, double concurrency) {
    Speed s;
    s.prefill.seconds = prefill_once_;
    s.decode.seconds = step_seconds(concurrency, effort);
    formulas::under_load(s, std::ceil(concurrency / static_cast<double>(e_.layout.data)), concurrency, r_.workload, quiet_);
    return s;
  }

  void speed() {
    if (!can_time()) return;
    e_.has_speed = true;
    const auto& w = r_.workload;
    const auto typical = effort(&Efficiency::value);
    const bool weights_fit = e_.capacity.max_concurrency >= 1;
    double running = concurrency_;
    auto& load = e_.load;
    if (w.requests_per_s > 0) {
      prefill_once_ = prefill_seconds(typical);
      const double most = weights_fit ? std::min(e_.capacity.max_concurrency, 65536.0) : 1;
      const auto rate = [&](double c) { return probe(typical, c).output_tokens_per_s.value / w.output_tokens.value; };
      const double best = rate(most);
      load.utilisation = w.requests_per_s / best;
      load.stable = best >= w.requests_per_s;
      double low = 1, high = most;
      if (load.stable) {
        while (low < high) {                           // smallest concurrency whose throughput keeps up
          const double middle = std::floor((low + high) / 2);
          if (rate(middle) >= w.requests_per_s) high = middle; else low = middle + 1;
        }
      }
      running = high;
    } else if (weights_fit && running > e_.capacity.max_concurrency) {
      running = e_.capacity.max_concurrency;
    }
    e_.speed = at(typical, running, trace_);
    if (w.requests_per_s <= 0) {
      if (running < concurrency_ && w.mode != Mode::offline) {
        load.queue = formulas::queue(e_.speed, concurrency_, running, w, trace_);
        e_.speed.ttft = trace_.step(FormulaId::queued_ttft, e_.speed.ttft + load.queue,
                                    {{"ttft", e_.speed.ttft, w.mode == Mode::static_batch ? FormulaId::static_ttft : FormulaId::ttft},
                                     {"queue", load.queue, FormulaId::queue}});
        e_.speed.latency = trace_.step(FormulaId::queued_latency, e_.speed.latency + load.queue,
                                       {{"latency", e_.speed.latency, FormulaId::latency}, {"queue", load.queue, FormulaId::queue}});
      }
      load.utilisation = e_.capacity.max_concurrency > 0 ? std::min(1.0, running / e_.capacity.max_concurrency) : 1;
    }
    load.concurrency = running;
    if constexpr (T::on) {
      e_.slow = at(effort(&Efficiency::low), running, quiet_);
      e_.fast = at(effort(&Efficiency::high), running, quiet_);
    }
    double largest = 0;
    const auto work = decode_work(1, quiet_);
    for (std::size_t a = 0; a < 6; ++a)
      if (work.flops[a] > largest) { largest = work.flops[a]; e_.arithmetic = static_cast<Arithmetic>(a); }
    e_.arithmetic_used = peak(*r_.device, e_.arithmetic).arithmetic;
    e_.cost = formulas::cost(*r_.device, r_.device_from, static_cast<double>(e_.layout.devices()), e_.speed.output_tokens_per_s, trace_);
  }

  const Request& r_;
  const Inventory& m_;
  const Formats& formats_;
  const Stored& stored_;
  Scratch& scratch_;
  T& trace_;
  NoTrace quiet_;
  Estimate e_;
  formulas::Widths widths_;
  double concurrency_ = 1;
  Stage fullest_ = Stage::only;
  Bytes activations_, sequence_;
  Seconds prefill_once_;
  std::int64_t needed_ = -1;
  std::vector<char> full_windows_;
  std::vector<double> v1_, v2_, v3_;

  template <class>
  friend class Estimator;
};

}  // namespace weighbridge
