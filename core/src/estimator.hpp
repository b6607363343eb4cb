// The one calculation behind an estimate, templated on its trace: estimate.cpp makes the bare one that sweeps and the planner
// repeat, estimate_traced.cpp the one whose steps are shown.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

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
constexpr std::int64_t kOneByOne = 64;                // up to here every number of devices is tried, beyond it whole nodes
constexpr std::size_t kSplits = 4;
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

struct Shares {                                        // of a tensor, by its split
  std::array<double, kSplits> on_fullest{}, copies{};
};

// Whatever one estimate needs again and again. Reused by the caller's thread, so that the planner's loop does not allocate.
struct Scratch {
  formulas::CacheTerms cache;
  std::vector<Shares> shares;                          // in one layout, by kind of layer + 1
  std::vector<Bytes> layer_weights, layer_cache;       // on the fullest device, of one layer of a kind; the cache of one sequence, whole
  struct Table {
    Bytes bytes;
    double rows;
  };
  std::vector<Table> tables;
  std::vector<char> full_windows;
};

struct Work {                                          // of one pass, on each device of one replica
  double tokens = 0, logit_rows = 0;
  Flops linear_flops, attention_flops;                 // all devices of the replica
  Bytes weight_bytes, kv_bytes;                        // on the fullest device, all pipeline stages together
};

struct Effort {                                        // efficiencies
  double compute = 1, bandwidth = 1, link = 1;
};

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
    speed();
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

  // Key-value heads that a tensor of such layers is made of.
  std::int64_t kv_heads(std::int16_t kind) const { return kind < 0 ? 1 : m_.caches[static_cast<std::size_t>(kind)].kv_heads; }

  const Shares& shares_of(std::int16_t kind) const { return scratch_.shares[static_cast<std::size_t>(kind + 1)]; }
  static std::size_t index(Split split) { return static_cast<std::size_t>(split); }

  // What one layer of each kind weighs on the fullest device of a layout, and what lies beside the layers, on the ends.
  void weigh_layers(const Layout& l) {
    for (std::size_t i = 0; i < scratch_.shares.size(); ++i) {
      const auto heads = kv_heads(static_cast<std::int16_t>(static_cast<std::int16_t>(i) - 1));
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
    e_.total.weights = read_whole_ = read_experts_ = {};
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
        case Read::whole: read_whole_ += g.bytes * share; break;
        case Read::experts: read_experts_ += g.bytes * share; break;
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
      held.push_back(twice * formulas::copies(row.split, kv_heads(row.kind), e_.layout));
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
  void show_device_weights() {
    const auto here = [&](const StoredRow& s, const TensorRow& row) {
      Part part{0, formulas::share_on_fullest(row.split, kv_heads(row.kind), e_.layout)};
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

  // ---- one pass ----

  // Linear layers of a pass of `tokens` tokens, of which `logit_rows` go through the head; `routed` tokens meet in the experts.
  template <class Tr>
  Work linear(double tokens, double logit_rows, double routed, double passes, std::string_view of, FormulaId bytes_id, Tr& trace) const {
    Work w;
    w.tokens = tokens;
    w.logit_rows = logit_rows;
    double distinct_share = 1;
    if (m_.experts > 0) {
      const auto experts = static_cast<double>(m_.experts);
      distinct_share = formulas::distinct_experts(experts, static_cast<double>(m_.experts_used), routed, of, trace) / experts;
    }
    for (std::size_t a = 0; a < kPrecisions; ++a) w.linear_flops += flops_in(a, w);
    w.weight_bytes = read_whole_ + read_experts_ * distinct_share;
    for (const auto& table : scratch_.tables) w.weight_bytes += table.bytes * std::min(1.0, tokens / table.rows);
    w.weight_bytes *= passes;
    if constexpr (Tr::on) show_linear(w, distinct_share, passes, of, bytes_id, trace);
    return w;
  }

  Flops flops_in(std::size_t arithmetic, const Work& w) const {
    return Flops{stored_.flops_per_token[arithmetic] * w.tokens + stored_.flops_per_logit[arithmetic] * w.logit_rows};
  }

  void show_linear(const Work& w, double distinct_share, double passes, std::string_view of, FormulaId bytes_id, Trace& trace) const {
    const double used_share = m_.experts > 0 ? static_cast<double>(m_.experts_used) / static_cast<double>(m_.experts) : 1;
    std::vector<double> count, share, used, elements, bits, scales, multiplied, through;
    std::vector<std::string> names;
    for (const auto& s : stored_.rows) {
      const auto& row = m_.rows[s.row];
      if (row.mtp || row.use == Use::never) continue;
      multiplied.push_back(row.use == Use::routed ? used_share : 1);
      through.push_back(row.use == Use::last || row.tied_head ? w.logit_rows : row.use == Use::lookup ? 0 : w.tokens);
      const auto& e = formats_.encodings[s.encoding];
      count.push_back(static_cast<double>(s.layers * row.per_layer));
      share.push_back(formulas::share_on_fullest(row.split, kv_heads(row.kind), e_.layout));
      used.push_back(formulas::touched(row, w.tokens, distinct_share));
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

  double new_tokens() const {
    return std::max(0.0, r_.workload.prompt_tokens.value - r_.workload.cached_prefix_tokens.value);
  }

  template <class Tr>
  Work prefill_work(Tr& trace) const {
    const auto& load = r_.workload;
    const double cached = load.cached_prefix_tokens.value, tokens = new_tokens();
    const double passes = std::max(1.0, std::ceil(tokens / r_.chunk_tokens.value));
    Work w = linear(tokens, 1, tokens, passes, "prefill", FormulaId::prefill_weight_bytes, trace);
    const auto& t = scratch_.cache;
    std::vector<double> all_pairs;                     // only with a trace
    for (std::size_t i = 0; i < m_.caches.size(); ++i) {
      std::string_view name;
      if constexpr (Tr::on) name = t.names[i];
      const double pairs = formulas::attention_pairs(tokens, cached, t.window[i], name, trace);
      if constexpr (Tr::on) all_pairs.push_back(pairs);
      w.attention_flops += Flops{t.layers[i] * m_.caches[i].prefill_flops_per_pair * pairs};
      w.kv_bytes += Bytes{t.layers[i] * t.share[i] * t.bytes_per_token[i] * formulas::reach(t.window[i], cached + tokens)};
    }
    w.kv_bytes *= passes;
    if constexpr (Tr::on) {
      std::vector<double> per_pair;
      for (const auto& c : m_.caches) per_pair.push_back(c.prefill_flops_per_pair);
      trace.step(FormulaId::prefill_attention_flops, w.attention_flops,
                 {{"layers", t.layers, From::model}, {"flops_per_pair", per_pair, From::model}, {"pairs", all_pairs, From::model}});
      trace.name_rows(t.names);
      trace.step(FormulaId::prefill_kv_bytes, w.kv_bytes,
                 {{"passes", passes, From::user}, {"layers", t.layers, From::model}, {"share", t.share, From::model},
                  {"bytes_per_token", t.bytes_per_token, From::model}, {"window_tokens", formulas::shown_windows(t, cached + tokens), From::model},
                  {"cached_tokens", cached, load.cached_prefix_tokens.from}, {"tokens", tokens, load.prompt_tokens.from}});
      trace.name_rows(t.names);
    }
    return w;
  }

  double mean_context() const { return r_.workload.prompt_tokens.value + r_.workload.output_tokens.value / 2; }

  template <class Tr>
  Work decode_work(double batch, Tr& trace) const {
    const double meeting = e_.layout.expert > 1 ? batch * static_cast<double>(e_.layout.data) : batch;
    Work w = linear(batch, batch, meeting, 1, "decode", FormulaId::decode_weight_bytes, trace);
    const auto& t = scratch_.cache;
    const double context = mean_context();
    for (std::size_t i = 0; i < m_.caches.size(); ++i) {
      const double seen = formulas::reach(t.window[i], context);
      w.attention_flops += Flops{batch * t.layers[i] * m_.caches[i].decode_flops_per_pair * seen};
      w.kv_bytes += Bytes{batch * t.layers[i] * (t.share[i] * t.bytes_per_token[i] * seen + 2 * t.state[i])};
    }
    if constexpr (Tr::on) {
      std::vector<double> per_pair;
      for (const auto& c : m_.caches) per_pair.push_back(c.decode_flops_per_pair);
      trace.step(FormulaId::decode_attention_flops, w.attention_flops,
                 {{"batch", batch, From::user}, {"layers", t.layers, From::model}, {"flops_per_pair", per_pair, From::model},
                  {"mean_context", context, From::user}, {"window_tokens", formulas::shown_windows(t, context), From::model}});
      trace.name_rows(t.names);
      trace.step(FormulaId::decode_kv_bytes, w.kv_bytes,
                 {{"batch", batch, From::user}, {"layers", t.layers, From::model}, {"share", t.share, From::model},
                  {"bytes_per_token", t.bytes_per_token, From::model}, {"mean_context", context, From::user},
                  {"window_tokens", formulas::shown_windows(t, context), From::model}, {"state_bytes", t.state, From::model}});
      trace.name_rows(t.names);
    }
    return w;
  }

  struct Timed {
    Seconds seconds;
    Bound bound = Bound::bandwidth;
  };

  template <class Tr>
  Timed time(const Work& w, const Effort& effort, std::string_view of, Tr& trace) const {
    const auto& d = *r_.device;
    const auto& l = e_.layout;
    const auto tensor = static_cast<double>(l.tensor);
    const Seconds at_peak = w.tokens * token_at_peak_ + w.logit_rows * logit_at_peak_;
    const auto attention_peak = peaks_[static_cast<std::size_t>(Arithmetic::bf16)];
    const Seconds linear_compute = at_peak / (tensor * effort.compute);
    const Seconds attention_compute = w.attention_flops / attention_peak / (tensor * effort.compute);
    const Seconds linear_bandwidth = w.weight_bytes / (d.bandwidth * effort.bandwidth);
    const Seconds attention_bandwidth = w.kv_bytes / (d.bandwidth * effort.bandwidth);
    const Seconds linear = max(linear_compute, linear_bandwidth), attention = max(attention_compute, attention_bandwidth);
    if constexpr (Tr::on) {
      const From efficiency_from = r_.compute_efficiency > 0 ? From::user : From::catalog;
      const From share_from = r_.bandwidth_efficiency > 0 ? From::user : From::catalog;
      std::vector<double> flops, rates;
      std::vector<std::string> names;
      for (std::size_t a = 0; a < kPrecisions; ++a) {
        if (flops_in(a, w).value <= 0) continue;
        const auto p = peak(d, static_cast<Arithmetic>(a));
        flops.push_back(flops_in(a, w).value);
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
    const auto reduce = formulas::all_reduce(static_cast<double>(m_.spec.layers()), tensor, w.tokens, hidden, link, r_.device_from, of, trace);
    const auto pipe = formulas::pipeline_transfer(static_cast<double>(l.pipeline), w.tokens, hidden, link, r_.device_from, of, trace);
    const auto exchange = formulas::expert_exchange(static_cast<double>(m_.moe_layers), static_cast<double>(m_.experts_used), l, w.tokens, hidden, link, r_.device_from, of, trace);
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
    return d.peak[static_cast<std::size_t>(Arithmetic::fp32)].value > 0 || !stored_.fp32_matrices;
  }

  void find_peaks() {
    token_at_peak_ = logit_at_peak_ = {};
    for (std::size_t a = 0; a < kPrecisions; ++a) {
      const Flops token{stored_.flops_per_token[a]}, logit{stored_.flops_per_logit[a]};
      const bool attention = a == static_cast<std::size_t>(Arithmetic::bf16);
      if (!attention && token.value <= 0 && logit.value <= 0) continue;
      peaks_[a] = peak(*r_.device, static_cast<Arithmetic>(a)).rate;
      token_at_peak_ += token / peaks_[a];
      logit_at_peak_ += logit / peaks_[a];
    }
  }

  double in_replica(double concurrency) const { return std::ceil(concurrency / static_cast<double>(e_.layout.data)); }

  // Sequences that one decode pass advances together: pipeline stages work on micro-batches side by side.
  double micro_batch(double concurrency) const {
    return std::max(1.0, std::ceil(in_replica(concurrency) / static_cast<double>(e_.layout.pipeline)));
  }

  Effort effort(double Efficiency::*which) const {
    const auto& d = *r_.device;
    return {r_.compute_efficiency > 0 ? r_.compute_efficiency : d.compute.*which,
            r_.bandwidth_efficiency > 0 ? r_.bandwidth_efficiency : d.bandwidth_share.*which, d.link_share.*which};
  }

  template <class Tr>
  void prefill(Speed& s, const Effort& effort, Tr& trace) const {
    const auto& w = r_.workload;
    const Work prompt = prefill_work(trace);
    const auto timed = time(prompt, effort, "prefill", trace);
    s.prefill.flops = trace.step(FormulaId::prefill_flops, prompt.linear_flops + prompt.attention_flops,
                                 {{"linear", prompt.linear_flops, FormulaId::linear_flops, "prefill"},
                                  {"attention", prompt.attention_flops, FormulaId::prefill_attention_flops}});
    s.prefill.bytes = static_cast<double>(e_.layout.tensor) * (prompt.weight_bytes + prompt.kv_bytes);
    s.prefill.seconds = timed.seconds;
    s.prefill.bound = timed.bound;
    if (timed.seconds.value > 0)
      s.prefill.tokens_per_s = trace.step(FormulaId::prefill_tokens_per_s, Tokens{prompt.tokens} / timed.seconds,
                                          {{"tokens", prompt.tokens, w.prompt_tokens.from}, {"seconds", timed.seconds, FormulaId::pass_seconds, "prefill"}});
  }

  // A steady step at a concurrency, and with the prefill's time what readers feel.
  template <class Tr>
  void decode(Speed& s, const Effort& effort, double concurrency, Tr& trace) const {
    const auto& w = r_.workload;
    const auto& l = e_.layout;
    const auto tensor = static_cast<double>(l.tensor);
    const double batch = micro_batch(concurrency);
    const Work token = decode_work(batch, trace);
    const auto timed = time(token, effort, "decode", trace);
    // Each micro-batch reads the weights once more; products and caches are those of the sequences that there are.
    const double micro_batches = std::ceil(in_replica(concurrency) / batch) * static_cast<double>(l.data);
    s.decode.flops = trace.step(FormulaId::decode_flops, concurrency / batch * (token.linear_flops + token.attention_flops),
                                {{"concurrency", concurrency, w.concurrency.from}, {"batch", batch, From::user}, {"linear", token.linear_flops, FormulaId::linear_flops, "decode"},
                                 {"attention", token.attention_flops, FormulaId::decode_attention_flops}});
    s.decode.bytes = trace.step(FormulaId::decode_bytes, tensor * (micro_batches * token.weight_bytes + concurrency / batch * token.kv_bytes),
                                {{"micro_batches", micro_batches, From::user}, {"tensor", tensor, From::user},
                                 {"concurrency", concurrency, w.concurrency.from}, {"batch", batch, From::user},
                                 {"weight_bytes", token.weight_bytes, FormulaId::decode_weight_bytes}, {"kv_bytes", token.kv_bytes, FormulaId::decode_kv_bytes}});
    s.decode.seconds = timed.seconds;
    s.decode.bound = timed.bound;
    s.decode.tokens_per_s = trace.step(FormulaId::decode_tokens_per_s, Tokens{concurrency} / timed.seconds,
                                       {{"concurrency", concurrency, w.concurrency.from}, {"seconds", timed.seconds, FormulaId::pass_seconds, "decode"}});
    formulas::under_load(s, in_replica(concurrency), static_cast<double>(l.pipeline), concurrency, w, trace);
  }

  // What an open loop settles at: the fewest sequences in flight whose throughput keeps up.
  double settled_concurrency(Speed& s, const Effort& effort, double most) {
    const auto& w = r_.workload;
    const auto rate = [&](double concurrency) {
      s.decode.seconds = time(decode_work(micro_batch(concurrency), quiet_), effort, "decode", quiet_).seconds;
      formulas::under_load(s, in_replica(concurrency), static_cast<double>(e_.layout.pipeline), concurrency, w, quiet_);
      return s.output_tokens_per_s.value / w.output_tokens.value;
    };
    const double best = rate(most);
    e_.load.utilisation = w.requests_per_s / best;
    e_.load.stable = best >= w.requests_per_s;
    if (!e_.load.stable) return most;
    double low = 1, high = most;
    while (low < high) {
      const double middle = std::floor((low + high) / 2);
      if (rate(middle) >= w.requests_per_s) high = middle; else low = middle + 1;
    }
    return high;
  }

  void speed() {
    if (!can_time()) return;
    e_.has_speed = true;
    find_peaks();
    const auto& w = r_.workload;
    auto& load = e_.load;
    const auto typical = effort(&Efficiency::value);
    const double capacity = e_.capacity.max_concurrency;
    prefill(e_.speed, typical, trace_);
    load.concurrency = concurrency_;
    if (w.requests_per_s > 0) load.concurrency = settled_concurrency(e_.speed, typical, capacity >= 1 ? std::min(capacity, 65536.0) : 1);
    else if (capacity >= 1) load.concurrency = std::min(concurrency_, capacity);
    decode(e_.speed, typical, load.concurrency, trace_);
    if (w.requests_per_s <= 0) {
      load.queue = wait(e_.speed, trace_);
      load.utilisation = capacity > 0 ? std::min(1.0, load.concurrency / capacity) : 1;
    }
    at(effort(&Efficiency::low), e_.slow);
    at(effort(&Efficiency::high), e_.fast);
    e_.arithmetic = stored_.arithmetic;
    e_.arithmetic_used = peak(*r_.device, e_.arithmetic).arithmetic;
    e_.cost = formulas::cost(*r_.device, r_.device_from, static_cast<double>(e_.layout.devices()), e_.speed.output_tokens_per_s, trace_);
  }

  // In a closed loop: what is more than fits waits for its turn.
  template <class Tr>
  Seconds wait(Speed& s, Tr& trace) const {
    const auto& w = r_.workload;
    const double running = e_.load.concurrency;
    if (w.requests_per_s > 0 || running >= concurrency_ || w.mode == Mode::offline) return {};
    const auto queue = formulas::queue(s, concurrency_, running, w, trace);
    s.ttft = trace.step(FormulaId::queued_ttft, s.ttft + queue,
                        {{"ttft", s.ttft, w.mode == Mode::static_batch ? FormulaId::static_ttft : FormulaId::ttft},
                         {"queue", queue, FormulaId::queue}});
    s.latency = trace.step(FormulaId::queued_latency, s.latency + queue,
                           {{"latency", s.latency, FormulaId::latency}, {"queue", queue, FormulaId::queue}});
    return queue;
  }

  void at(const Effort& effort, Speed& s) const {
    prefill(s, effort, quiet_);
    decode(s, effort, e_.load.concurrency, quiet_);
    wait(s, quiet_);
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
  Bytes read_whole_, read_experts_;                    // on the fullest device, all stages together
  Bytes activations_, sequence_;
  std::int64_t needed_ = -1;
  // on the device
  std::array<FlopsPerSecond, kPrecisions> peaks_{};
  Seconds token_at_peak_, logit_at_peak_;              // linear layers of one token, and its logits, on one device
};

}  // namespace weighbridge
