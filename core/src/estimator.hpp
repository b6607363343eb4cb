// The one calculation behind an estimate, templated on its trace: estimate.cpp makes the bare one that sweeps and the planner
// repeat, estimate_traced.cpp the one whose steps are shown.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "formulas/activations.hpp"
#include "formulas/kv_cache.hpp"
#include "formulas/weights.hpp"
#include "scratch.hpp"
#include "speed.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/layout.hpp"

namespace weighbridge {

using formulas::Part;

inline constexpr std::int64_t kDefaultNode = 8;
constexpr std::int64_t kMostDevices = 1024;
constexpr std::int64_t kOneByOne = 64;                // up to here every number of devices is tried, beyond it whole nodes
constexpr double kUnknownContext = 2147483648.0;      // when a model says nothing of its own limit

inline std::int64_t node_size(const Request& r) {
  if (r.per_node > 0) return r.per_node;
  return r.device && r.device->per_node > 0 ? r.device->per_node : kDefaultNode;
}

inline bool loaded(const Request& r, const TensorRow& row) { return !row.mtp || r.speculative; }

// Where in a pipeline a tensor lies: with its layers, with the first or the last ones, or (a tied table) with both.
inline StoredGroup::Place place_of(const TensorRow& row) {
  using Place = StoredGroup::Place;
  if (row.kind >= 0 && !row.mtp) return Place::layers;
  return row.tied_head ? Place::ends : row.use == Use::lookup ? Place::first : Place::last;
}

template <class T>
class Estimator {
 public:
  Estimator(const Request& r, const Formats& f, const Stored& s, Scratch& scratch, T& trace, Estimate& out)
      : r_(r), m_(*r.model), formats_(f), stored_(s), scratch_(scratch), trace_(trace), e_(out) {
    cache_terms();
  }

  void run() {
    whole_model();
    concurrency_ = r_.workload.concurrency.value;
    choose_layout();
    place();
    if (!r_.device) return totals();
    e_.has_device = true;
    if (r_.workload.concurrency_max) {
      concurrency_ = std::max(1.0, max_concurrency(quiet_));
      place();
    }
    totals();
    device_memory();
    capacity();
    Pacer<T>(r_, formats_, stored_, scratch_, reads_, concurrency_, trace_, e_).run();
  }

  Bytes headroom_on(std::int64_t devices) {
    const auto l = default_layout(m_, devices, node_size(r_), r_.engine.layer_split);
    const double concurrency = r_.workload.concurrency_max ? 1 : r_.workload.concurrency.value;
    const double sequences = std::ceil(concurrency / static_cast<double>(l.data));
    return usable() - reserved() - fullest_stage(l, sequences).bytes - activation_peak(l, sequences, quiet_);
  }

 private:
  using Place = StoredGroup::Place;
  using Read = StoredGroup::Read;

  // ---- the model, whole ----

  void cache_terms() {
    auto& t = scratch_.cache;
    const auto n = m_.caches.size();
    for (auto* terms : {&t.layers, &t.bytes_per_token, &t.window, &t.state, &t.here, &t.share, &t.copies}) terms->resize(n);
    if constexpr (T::on) t.names.resize(n);
    scratch_.layer_weights.resize(n);
    scratch_.layer_cache.resize(n);
    scratch_.shares.resize(n + 1);
    const double k_bits = r_.k_format->bits, v_bits = r_.v_format->bits;
    for (std::size_t i = 0; i < n; ++i) {
      const auto& c = m_.caches[i];
      t.layers[i] = static_cast<double>(c.layers);
      t.window[i] = static_cast<double>(c.window);
      t.state[i] = c.state_bytes;
      std::string_view name;
      if constexpr (T::on) name = t.names[i] = n == 1 ? "layers" : "layers " + std::to_string(i + 1);
      t.bytes_per_token[i] = formulas::layer_kv_bytes_per_token(c, k_bits, v_bits, r_.kv_from, name, trace_).value;
      scratch_.layer_cache[i] = Bytes{formulas::layer_bytes(t, i, r_.workload.context_tokens.value)};
    }
  }

  void whole_model() {
    if constexpr (T::on) {
      const auto all = [](const StoredRow& s, const TensorRow&) { return Part{static_cast<double>(s.layers), 1}; };
      formulas::show_roles(FormulaId::role_weights, stored_.by_role, m_, formats_, r_.weights.bits, stored_.rows, all, trace_);
    }
    e_.weight_bytes = formulas::sum_of_roles(FormulaId::model_weights, FormulaId::role_weights, stored_.by_role, trace_);
    const auto per = formulas::per_sequence(scratch_.cache, trace_);
    e_.kv_bytes_per_token = per.growing;
    e_.window_bytes_per_sequence = per.windows;
    e_.state_bytes_per_sequence = per.state;
  }

  std::span<const StoredGroup> loaded_groups() const {
    return {stored_.groups.data(), r_.speculative ? stored_.groups.size() : stored_.without_mtp};
  }

  // ---- where it lies ----

  void choose_layout() {
    if (r_.layout_given) { e_.layout = r_.layout; return; }
    auto devices = r_.devices.value;
    if (devices == 0) devices = r_.device ? std::max<std::int64_t>(1, devices_needed()) : 1;
    e_.layout = default_layout(m_, devices, node_size(r_), r_.engine.layer_split);
  }

  double sequences() const { return std::ceil(concurrency_ / static_cast<double>(e_.layout.data)); }

  const Shares& shares_of(std::int16_t kind) const { return scratch_.shares[static_cast<std::size_t>(kind + 1)]; }
  static std::size_t index(Split split) { return static_cast<std::size_t>(split); }

  // What one layer of each kind weighs on the fullest device of a layout, and what lies beside the layers, on the ends.
  void weigh_layers(const Layout& l) {
    for (std::size_t i = 0; i < scratch_.shares.size(); ++i) {
      const auto heads = kv_heads(m_, static_cast<std::int16_t>(static_cast<std::int16_t>(i) - 1));
      for (const auto split : {Split::even, Split::kv_heads, Split::replicated, Split::experts}) {
        scratch_.shares[i].on_fullest[index(split)] = formulas::share_on_fullest(split, heads, l);
        scratch_.shares[i].copies[index(split)] = formulas::copies(split, heads, l);
      }
    }
    auto& layer = scratch_.layer_weights;
    std::fill(layer.begin(), layer.end(), Bytes{});
    first_ = last_ = ends_ = {};
    for (const auto& g : loaded_groups()) {
      const auto bytes = g.bytes * shares_of(g.kind).on_fullest[index(g.split)];
      switch (g.place) {
        case Place::layers: layer[static_cast<std::size_t>(g.kind)] += bytes / scratch_.cache.layers[static_cast<std::size_t>(g.kind)]; break;
        case Place::first: first_ += bytes; break;
        case Place::last: last_ += bytes; break;
        case Place::ends: ends_ += bytes; break;
      }
    }
  }

  double cache_share(std::size_t kind, const Layout& l) const {
    const auto& c = m_.caches[kind];
    return c.replicated ? 1.0 : formulas::heads_share(c.kv_heads, l.tensor);
  }

  // Calls f(stage, weights, cache of one sequence) for the pipeline stages, on the fullest device of each.
  template <class F>
  void each_stage(const Layout& l, F f) {
    weigh_layers(l);
    const auto kinds = scratch_.layer_weights.size();
    const auto last = l.pipeline - 1;
    for (std::int64_t stage = 0; stage <= last; ++stage) {
      // Layers of one kind are dealt so that no stage between the second and the last holds more than the second.
      if (kinds == 1 && stage == 2) stage = last;
      const auto layers = stage_layers(m_.spec.layers(), l.pipeline, stage);
      Bytes weights, sequence;
      for (std::size_t i = 0; i < kinds; ++i) {
        const auto here = static_cast<double>(m_.layers_of(i, layers.first, layers.end));
        weights += here * scratch_.layer_weights[i];
        sequence += here * cache_share(i, l) * scratch_.layer_cache[i];
      }
      if (stage == 0) weights += first_;
      if (stage == last) weights += last_;
      if (stage == 0 || stage == last) weights += ends_;
      f(stage, weights, sequence);
    }
  }

  struct Fullest {
    std::int64_t stage = 0;
    Bytes bytes{-1};                                   // weights and cache
  };
  Fullest fullest_stage(const Layout& l, double sequences) {
    Fullest most;
    each_stage(l, [&](std::int64_t stage, Bytes weights, Bytes sequence) {
      const auto bytes = weights + sequences * sequence;
      if (bytes > most.bytes) most = {stage, bytes};
    });
    return most;
  }

  template <class Tr>
  Bytes activation_peak(const Layout& l, double sequences, Tr& trace) const {
    return formulas::activation_peak(m_, pass_tokens(), sequences, static_cast<double>(l.tensor), trace);
  }

  Bytes usable() const { return r_.device->memory * r_.device->usable_fraction; }
  Bytes reserved() const { return Bytes{r_.reserved_bytes.value}; }

  bool on_fullest(Place place) const {
    const bool first = fullest_ == 0, last = fullest_ == e_.layout.pipeline - 1;
    return place == Place::first ? first : place == Place::last ? last : first || last;
  }

  // One pass over the tensors in the layout: what the fullest device holds, what all hold, and what a pass over the model reads.
  void place() {
    const auto& l = e_.layout;
    fullest_ = fullest_stage(l, sequences()).stage;
    const auto layers = stage_layers(m_.spec.layers(), l.pipeline, fullest_);
    auto& t = scratch_.cache;
    for (std::size_t i = 0; i < t.layers.size(); ++i) {
      const auto& c = m_.caches[i];
      t.here[i] = static_cast<double>(m_.layers_of(i, layers.first, layers.end));
      t.share[i] = cache_share(i, l);
      t.copies[i] = c.replicated ? static_cast<double>(l.tensor) : formulas::heads_copies(c.kv_heads, l.tensor);
    }
    auto& roles = e_.device.weights_by_role;
    roles = {};
    e_.total.weights = {};
    reads_ = {};
    scratch_.tables.clear();
    for (const auto& g : loaded_groups()) {
      const auto& shares = shares_of(g.kind);
      const double share = shares.on_fullest[index(g.split)];
      const auto kind = static_cast<std::size_t>(g.kind);
      const double part = g.place == Place::layers ? t.here[kind] / t.layers[kind] : on_fullest(g.place) ? 1 : 0;
      const double twice = g.place == Place::ends && l.pipeline > 1 ? 2 : 1;         // first and last stage both hold it
      roles[static_cast<std::size_t>(g.role)] += g.bytes * (part * share);
      e_.total.weights += g.bytes * (twice * shares.copies[index(g.split)]);
      switch (g.read) {
        case Read::whole: reads_.whole += g.bytes * share; break;
        case Read::experts: reads_.experts += g.bytes * share; break;
        case Read::table: scratch_.tables.push_back({g.bytes * share, g.table_rows}); break;
        case Read::never: break;
      }
    }
    e_.device.weights = formulas::sum_of_roles(FormulaId::device_weights, FormulaId::device_role_weights, roles, quiet_);
    e_.concurrency = concurrency_;
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
    if constexpr (T::on) show_total_weights();
    auto& t = e_.total;
    t.kv_cache = formulas::total_kv_cache(scratch_.cache, concurrency_, r_.workload.concurrency.from, r_.workload.context_tokens, trace_);
    activations_ = activation_peak(e_.layout, sequences(), trace_);
    t.activations = trace_.step(FormulaId::total_activations, devices * activations_,
                                {{"devices", devices, From::user}, {"activations", activations_, FormulaId::activations}});
    e_.device.reserved = trace_.step(FormulaId::runtime, reserved(), {{"reserved_bytes", r_.reserved_bytes}});
    t.runtime = trace_.step(FormulaId::total_runtime, devices * e_.device.reserved,
                            {{"devices", devices, From::user}, {"runtime", e_.device.reserved, FormulaId::runtime}});
    t.total = trace_.step(FormulaId::total_memory, t.weights + t.kv_cache + t.activations + t.runtime,
                          {{"weights", t.weights, FormulaId::total_weights}, {"kv_cache", t.kv_cache, FormulaId::total_kv_cache},
                           {"activations", t.activations, FormulaId::total_activations},
                           {"runtime", t.runtime, FormulaId::total_runtime}});
    if constexpr (T::on) show_device_weights();
  }

  void show_total_weights() {
    std::vector<double> count, held, elements, bits, scales;
    std::vector<std::string> names;
    for (const auto& s : stored_.rows) {
      const auto& row = m_.rows[s.row];
      if (!loaded(r_, row)) continue;
      const auto& e = formats_.encodings[s.encoding];
      const double twice = row.tied_head && e_.layout.pipeline > 1 ? 2 : 1;
      count.push_back(static_cast<double>(s.layers * row.per_layer));
      held.push_back(twice * formulas::copies(row.split, kv_heads(m_, row.kind), e_.layout));
      elements.push_back(static_cast<double>(row.rows * row.columns));
      bits.push_back(r_.weights.bits > 0 ? r_.weights.bits : e.bits);
      scales.push_back(s.beside.value);
      names.push_back(row.name);
    }
    trace_.step(FormulaId::total_weights, e_.total.weights,
                {{"count", count, From::model}, {"copies", held, From::model}, {"elements", elements, From::model},
                 {"bits", bits, From::format}, {"scale_bytes", scales, From::format}});
    trace_.name_rows(std::move(names));
  }

  // Weights by role on the fullest device (without a device: on the one that would hold most).
  void show_device_weights() {
    const auto here = [&](const StoredRow& s, const TensorRow& row) {
      Part part{0, formulas::share_on_fullest(row.split, kv_heads(m_, row.kind), e_.layout)};
      if (!loaded(r_, row)) return part;
      const auto place = place_of(row);
      const auto layers = static_cast<double>(s.layers);
      if (place == Place::layers) part.layers = layers * scratch_.cache.here[static_cast<std::size_t>(row.kind)] / static_cast<double>(row.layers);
      else if (on_fullest(place)) part.layers = layers;
      return part;
    };
    const auto& roles = e_.device.weights_by_role;
    formulas::show_roles(FormulaId::device_role_weights, roles, m_, formats_, r_.weights.bits, stored_.rows, here, trace_);
    formulas::sum_of_roles(FormulaId::device_weights, FormulaId::device_role_weights, roles, trace_);
  }

  void device_memory() {
    auto& d = e_.device;
    sequence_ = formulas::device_sequence_bytes(scratch_.cache, r_.workload.context_tokens, trace_);
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

  // Sequences that fit beside the weights and the reserve, with their activations, on the stage where fewest do: at many sequences
  // that need not be the fullest one.
  template <class Tr>
  double max_concurrency(Tr& trace) {
    const Bytes logits{4 * static_cast<double>(m_.spec.vocabulary)};
    const Bytes pass = activation_peak(e_.layout, 0, quiet_);
    const auto room = [&](Bytes weights) { return max(Bytes{}, usable() - weights - reserved()); };
    const auto fitting = [&](Bytes space, Bytes each) {
      const double beside_pass = each.value > 0 ? std::floor((space - pass) / each) : kUnknownContext;
      const double beside_logits = (each + logits).value > 0 ? std::floor(space / (each + logits)) : kUnknownContext;
      return std::max(0.0, std::min(beside_pass, beside_logits));
    };
    Bytes weights = e_.device.weights;
    Bytes sequence = formulas::device_sequence_bytes(scratch_.cache, r_.workload.context_tokens, quiet_);
    double fewest = fitting(room(weights), sequence);
    bool elsewhere = false;
    each_stage(e_.layout, [&](std::int64_t stage, Bytes held, Bytes each) {
      if (stage == fullest_ || fitting(room(held), each) >= fewest) return;
      fewest = fitting(room(held), each);
      weights = held;
      sequence = each;
      elsewhere = true;
    });
    const auto data = static_cast<double>(e_.layout.data);
    const auto of = [&](std::string_view name, Bytes value, FormulaId id) { return elsewhere ? Input(name, value, From::model) : Input(name, value, id); };
    trace.step(FormulaId::room, room(weights),
               {{"usable", usable(), FormulaId::usable_memory}, of("weights", weights, FormulaId::device_weights),
                {"runtime", reserved(), FormulaId::runtime}});
    if (sequence.value <= 0) return data * fewest;
    return trace.step(FormulaId::max_concurrency, data * fewest,
                      {{"data", data, From::user}, {"room", room(weights), FormulaId::room}, {"pass_activations", pass, From::model},
                       of("bytes_per_sequence", sequence, FormulaId::device_kv_bytes_per_sequence),
                       {"logits_per_sequence", logits, From::model}});
  }

  double context_limit() const { return m_.spec.context > 0 ? static_cast<double>(m_.spec.context) : kUnknownContext; }

  // Largest context at which `sequences` fit into the pool: windows that are full stop growing, one after another.
  double max_context(Bytes pool) {
    const auto& t = scratch_.cache;
    const double each = pool.value / sequences();
    double growing = 0, held = 0, context = 0;
    auto& full = scratch_.full_windows;
    full.assign(t.layers.size(), 0);
    for (bool changed = true; changed;) {
      changed = false;
      growing = held = 0;
      for (std::size_t i = 0; i < t.layers.size(); ++i) {
        const double rate = t.here[i] * t.share[i] * t.bytes_per_token[i];
        held += t.here[i] * t.share[i] * t.state[i];
        if (full[i]) held += rate * t.window[i];
        else growing += rate;
      }
      context = each <= held ? 0 : growing > 0 ? std::floor((each - held) / growing) : kUnknownContext;
      for (std::size_t i = 0; i < t.layers.size(); ++i)
        if (!full[i] && t.window[i] > 0 && t.window[i] < context) { full[i] = 1; changed = true; }
    }
    if (growing <= 0) return each >= held ? context_limit() : 0;
    return trace_.step(FormulaId::max_context_tokens, std::min(context_limit(), std::max(0.0, std::floor((each - held) / growing))),
                       {{"model_context", context_limit(), From::model}, {"kv_pool", pool, FormulaId::kv_pool},
                        {"sequences", sequences(), r_.workload.concurrency.from}, {"full_bytes", held, From::model},
                        {"growing_bytes_per_token", growing, From::model}});
  }

  bool plain_cache() const {
    for (std::size_t i = 0; i < scratch_.cache.window.size(); ++i)
      if (scratch_.cache.window[i] > 0 || scratch_.cache.state[i] > 0) return false;
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
      c.kv_bytes_per_token = formulas::device_kv_bytes_per_token(scratch_.cache, trace_);
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

  // The fewest devices on which the request fits in the default layout: every number up to 64, beyond that whole nodes.
  std::int64_t devices_needed() {
    if (needed_ >= 0) return needed_;
    needed_ = 0;
    const auto& w = r_.workload;
    const auto node = node_size(r_);
    // No layout takes less, over all its devices, than one copy of what is loaded and of every sequence, nor on any of them less
    // than the activations of one sequence in the widest split. So the search starts where these fit, but for rounding.
    const Bytes each = usable() - reserved() - activation_peak({node, 1, 1, 1}, 1, quiet_);
    if (each.value <= 0) return needed_;
    Bytes sequence;
    for (std::size_t i = 0; i < scratch_.layer_cache.size(); ++i) sequence += scratch_.cache.layers[i] * scratch_.layer_cache[i];
    const Bytes least = stored_.loaded + (r_.speculative ? stored_.mtp : Bytes{}) + (w.concurrency_max ? 1 : w.concurrency.value) * sequence;
    constexpr double kRounding = 1 - 1e-9;
    auto n = static_cast<std::int64_t>(std::clamp(std::ceil(least / each * kRounding), 1.0, 1e6));
    if (n > kOneByOne) n = (n + node - 1) / node * node;
    while (n <= kMostDevices) {
      if (headroom_on(n).value >= 0) { needed_ = n; break; }
      n = n < kOneByOne ? n + 1 : (n / node + 1) * node;
    }
    return needed_;
  }

  const Request& r_;
  const Inventory& m_;
  const Formats& formats_;
  const Stored& stored_;
  Scratch& scratch_;
  T& trace_;
  mutable NoTrace quiet_;
  Estimate& e_;
  double concurrency_ = 1;
  // in the layout
  std::int64_t fullest_ = 0;                           // pipeline stage
  Bytes first_, last_, ends_;                          // beside the layers, on the stages that hold them
  Reads reads_;
  Bytes activations_, sequence_;
  std::int64_t needed_ = -1;
};

}  // namespace weighbridge
