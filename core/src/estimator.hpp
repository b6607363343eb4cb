// The one calculation behind an estimate, templated on its trace: estimate.cpp makes the bare one that sweeps and the planner
// repeat, estimate_traced.cpp the one whose steps are shown. placement.hpp has where things lie, speed.hpp how fast they are.
#pragma once

#include "placement.hpp"

namespace weighbridge {

constexpr std::int64_t kMostDevices = 1024;
constexpr std::int64_t kOneByOne = 64;                // up to here every number of devices is tried, beyond it whole nodes
constexpr double kUnknownContext = 2147483648.0;      // when a model says nothing of its own limit

template <class T>
class Estimator : private Placement<T> {
  using Base = Placement<T>;
  using typename Base::Place;

 public:
  Estimator(const Request& r, const Formats& f, const Stored& s, Scratch& scratch, T& trace, Estimate& out) : Base(r, f, s, scratch, trace, out) {}

  void run() {
    whole_model();
    concurrency_ = r_.workload.concurrency.value;
    choose_layout();
    this->place(sequences());
    if (r_.device && r_.workload.concurrency_max) {
      concurrency_ = std::max(1.0, max_concurrency(quiet_));
      this->place(sequences());
    }
    if (r_.device && r_.workload.requests_per_s > 0) {
      e_.capacity.max_concurrency = max_concurrency(quiet_);
      concurrency_ = Pacer<NoTrace>(r_, formats_, stored_, scratch_, reads_, concurrency_, quiet_, e_).settled(e_.capacity.max_concurrency);
      this->place(sequences());
    }
    e_.concurrency = concurrency_;
    totals();
    if (!r_.device) return;
    e_.has_device = true;
    device_memory();
    capacity();
    Pacer<T>(r_, formats_, stored_, scratch_, reads_, concurrency_, trace_, e_).run();
  }

  // `any_short`: where there is not enough, what the first stage that lacks room is short of.
  Bytes headroom_on(std::int64_t devices, bool any_short = false) {
    const auto l = default_layout(m_, devices, node_size(r_), r_.engine.layer_split);
    const double concurrency = r_.workload.concurrency_max ? 1 : r_.workload.concurrency.value;
    return this->fullest_stage(l, std::ceil(concurrency / static_cast<double>(l.data)), any_short).headroom;
  }

 private:
  using Base::r_; using Base::m_; using Base::formats_; using Base::stored_; using Base::scratch_; using Base::trace_;
  using Base::quiet_; using Base::e_; using Base::p_; using Base::cells_; using Base::fullest_; using Base::reads_;
  using Base::activations_; using Base::buffers_; using Base::on_host_;

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

  void choose_layout() {
    if (r_.layout_given) { e_.layout = r_.layout; return; }
    auto devices = r_.devices.value;
    if (devices == 0) devices = r_.device ? std::max<std::int64_t>(1, devices_needed()) : 1;
    e_.layout = default_layout(m_, devices, node_size(r_), r_.engine.layer_split);
  }

  double sequences() const { return std::ceil(concurrency_ / static_cast<double>(e_.layout.data)); }

  // ---- memory ----

  FormulaId activations_id() const {
    return p_.rule == EngineRule::ideal ? FormulaId::activations : p_.rule == EngineRule::buffers ? FormulaId::compute_buffer : FormulaId::engine_activations;
  }
  FormulaId usable_id() const { return this->has_budget() ? FormulaId::budget : FormulaId::usable_memory; }

  void totals() {
    const auto& l = e_.layout;
    const auto devices = static_cast<double>(l.devices());
    auto& t = e_.total;
    auto& d = e_.device;
    if constexpr (T::on) {
      show_total_weights();
      this->hold(sequences(), trace_);
    }
    auto& on_devices = scratch_.on_devices;
    on_devices.resize(scratch_.cache.layers.size());
    for (std::size_t i = 0; i < on_devices.size(); ++i)
      on_devices[i] = this->cache_on_host() ? 0 : on_host_ > 0 && i < scratch_.cache.own ? static_cast<double>(m_.layers_of(m_.caches[i].kind, std::min(on_host_, m_.spec.layers()), m_.spec.layers())) : scratch_.cache.layers[i];
    t.kv_cache = formulas::total_kv_cache(scratch_.cache, on_devices, concurrency_, r_.workload.concurrency.from, trace_);
    if (on_host_ > 0 || this->cache_on_host()) {
      Bytes each;
      for (std::size_t i = 0; i < on_devices.size(); ++i) each += (scratch_.cache.layers[i] - on_devices[i]) * scratch_.layer_cache[i];
      e_.host.kv_cache = concurrency_ * each;
      if constexpr (T::on) {
        const auto& c = scratch_.cache;
        std::vector<double> on_host;
        for (std::size_t i = 0; i < on_devices.size(); ++i) on_host.push_back(c.layers[i] - on_devices[i]);
        trace_.step(FormulaId::host_kv_cache, e_.host.kv_cache,
                    {{"concurrency", concurrency_, r_.workload.concurrency.from}, {"layers", on_host, From::model}, {"padding", c.padding, From::catalog},
                     {"bytes_per_token", c.bytes_per_token, From::model}, {"held_tokens", c.held, From::model}, {"state_bytes", c.state, From::model}});
        trace_.name_rows(c.names);
      }
    }
    this->activations_on(l, sequences(), fullest_, trace_);
    t.activations = trace_.step(FormulaId::total_activations, devices * activations_,
                                {{"devices", devices, From::user}, {"activations", activations_, activations_id()}});
    const auto parts = this->runtime_parts(l, trace_);
    d.context = parts.context;
    d.libraries = parts.libraries;
    d.graphs = parts.graphs;
    d.reserved = this->reserved();
    const auto part = [&](std::string_view name, Bytes b, FormulaId id) { return p_.rule == EngineRule::ideal ? Input(name, b, From::catalog) : Input(name, b, id); };
    d.runtime = trace_.step(FormulaId::runtime, d.context + d.libraries + d.graphs + d.reserved,
                            {part("context", d.context, FormulaId::engine_context), part("libraries", d.libraries, FormulaId::engine_libraries),
                             part("graphs", d.graphs, FormulaId::engine_graphs), {"reserved_bytes", r_.reserved_bytes}});
    t.runtime = trace_.step(FormulaId::total_runtime, devices * d.runtime,
                            {{"devices", devices, From::user}, {"runtime", d.runtime, FormulaId::runtime}});
    t.total = trace_.step(FormulaId::total_memory, t.weights + t.kv_cache + t.activations + t.runtime,
                          {{"weights", t.weights, FormulaId::total_weights}, {"kv_cache", t.kv_cache, FormulaId::total_kv_cache},
                           {"activations", t.activations, FormulaId::total_activations},
                           {"runtime", t.runtime, FormulaId::total_runtime}});
    if constexpr (T::on) show_device_weights();
  }

  // Layers of a row that lie on the devices of a replica, or on the fullest one, where `moved` layers' experts stay on the host.
  double row_layers(const StoredRow& s, const TensorRow& row, const StageLayers& stage) const {
    const auto kind = static_cast<std::size_t>(row.kind);
    auto here = static_cast<double>(m_.layers_of(kind, stage.first, stage.end));
    if (row.role == Role::experts && r_.cpu_moe > 0) here -= this->moved(kind, stage);
    return static_cast<double>(s.layers) * here / static_cast<double>(row.layers);
  }

  void show_total_weights() {
    std::vector<double> count, copies, elements, bits, scales, host_count, host_elements, host_bits, host_scales;
    std::vector<std::string> names, host_names;
    const auto devices = this->offloaded_layers();
    for (const auto& s : stored_.rows) {
      const auto& row = m_.rows[s.row];
      if (!this->loaded(row)) continue;
      const auto& e = formats_.encodings[s.encoding];
      const auto where = place_of(row);
      const auto all = static_cast<double>(s.layers);
      double on_devices = all, on_host = 0, holders = 1;
      if (where == Place::layers && buffers_) {
        on_devices = row_layers(s, row, devices);
        on_host = all - on_devices;
      } else if (where != Place::layers) {
        holders = this->holders(where, row.role);
        if (buffers_ && (holders == 0 || where == Place::ends)) on_host = all;
      }
      const auto per_layer = static_cast<double>(row.per_layer), size = static_cast<double>(row.rows * row.columns);
      const double row_bits = r_.weights.bits > 0 ? r_.weights.bits : e.bits, scale = s.beside.value;
      count.push_back(on_devices * per_layer);
      copies.push_back(holders * formulas::copies(row.split, kv_heads(m_, row.kind), e_.layout));
      elements.push_back(size);
      bits.push_back(row_bits);
      scales.push_back(scale);
      names.push_back(row.name);
      if (on_host <= 0) continue;
      host_count.push_back(on_host * per_layer);
      host_elements.push_back(size);
      host_bits.push_back(row_bits);
      host_scales.push_back(scale);
      host_names.push_back(row.name);
    }
    trace_.step(FormulaId::total_weights, e_.total.weights,
                {{"count", count, From::model}, {"copies", copies, From::model}, {"elements", elements, From::model},
                 {"bits", bits, From::format}, {"scale_bytes", scales, From::format}, {"adapters", this->adapters_, From::user},
                 {"engine_weights", this->engine_weights_, From::model}});
    trace_.name_rows(std::move(names));
    if (host_count.empty()) return;
    trace_.step(FormulaId::host_weights, e_.host.weights,
                {{"count", host_count, From::model}, {"elements", host_elements, From::model}, {"bits", host_bits, From::format},
                 {"scale_bytes", host_scales, From::format}});
    trace_.name_rows(std::move(host_names));
  }

  // Weights by role on the fullest device (without a device: on the one that would hold most).
  void show_device_weights() {
    const auto stage = this->by_rows(e_.layout) ? this->offloaded_layers() : this->layers_on(e_.layout, fullest_);
    const double rows = this->row_share(e_.layout, fullest_);
    const auto here = [&](const StoredRow& s, const TensorRow& row) {
      Part part{0, formulas::share_on_fullest(row.split, kv_heads(m_, row.kind), e_.layout)};
      if (!this->loaded(row)) return part;
      const auto where = place_of(row);
      part.layers = where == Place::layers ? rows * row_layers(s, row, stage) : this->on_fullest(where, row.role) * static_cast<double>(s.layers);
      return part;
    };
    const auto& roles = e_.device.weights_by_role;
    formulas::show_roles(FormulaId::device_role_weights, roles, m_, formats_, r_.weights.bits, stored_.rows, here, trace_);
    const auto& d = e_.device;
    Input adapters{"adapters", d.adapters, From::user}, made{"engine_weights", d.engine_weights, From::model};
    std::vector<double> adapter_width, latent_bytes, on_here;
    for (std::size_t i = 0; i < m_.spec.kinds.size(); ++i) {
      const auto kind = static_cast<std::int16_t>(i);
      adapter_width.push_back(r_.adapters > 0 ? this->adapter_width(kind, e_.layout) : 0);
      latent_bytes.push_back(this->latent_width(kind, e_.layout));
      on_here.push_back(rows * static_cast<double>(m_.layers_of(i, stage.first, stage.end)));
    }
    const std::vector<std::string> names(scratch_.cache.names.begin(), scratch_.cache.names.begin() + static_cast<std::ptrdiff_t>(m_.spec.kinds.size()));
    if (r_.adapters > 0) {
      trace_.step(FormulaId::adapter_weights, d.adapters,
                  {{"adapters", r_.adapters, From::user}, {"rank", r_.adapter_rank, From::user}, {"layers", on_here, From::model}, {"width", adapter_width, From::model}});
      trace_.name_rows(names);
      adapters = {"adapters", d.adapters, FormulaId::adapter_weights};
    }
    if (d.engine_weights.value > 0) {
      trace_.step(FormulaId::engine_weights, d.engine_weights,
                  {{"positions", this->position_rows(), From::model}, {"position_width", this->position_width(), From::model},
                   {"layers", on_here, From::model}, {"latent_bytes", latent_bytes, From::model},
                   {"draft_weights", this->draft_weights(e_.layout), From::model}});
      trace_.name_rows(names);
      made = {"engine_weights", d.engine_weights, FormulaId::engine_weights};
    }
    formulas::sum_of_roles(FormulaId::device_weights, FormulaId::device_role_weights, roles, trace_, {adapters, made});
  }

  void device_memory() {
    auto& d = e_.device;
    const auto& l = e_.layout;
    sequence_ = formulas::device_sequence_bytes(scratch_.cache, trace_);
    d.kv_cache = trace_.step(FormulaId::device_kv_cache, sequences() * sequence_,
                             {{"sequences", sequences(), r_.workload.concurrency.from},
                              {"bytes_per_sequence", sequence_, FormulaId::device_kv_bytes_per_sequence}});
    d.activations = activations_;
    d.total = trace_.step(FormulaId::device_total, d.weights + d.kv_cache + d.activations + d.runtime,
                          {{"weights", d.weights, FormulaId::device_weights}, {"kv_cache", d.kv_cache, FormulaId::device_kv_cache},
                           {"activations", d.activations, activations_id()}, {"runtime", d.runtime, FormulaId::runtime}});
    d.capacity = this->capacity_of(fullest_, l);
    const double fraction = this->usable_fraction(fullest_, l);
    d.usable = this->usable_on(fullest_, l, d.weights, d.activations);
    const auto visible = this->visible_on(fullest_, l);
    if (this->has_budget()) {
      const bool given = r_.memory_share > 0;
      trace_.step(FormulaId::budget, d.usable,
                  {{"visible", visible, r_.device_from}, {"usable_fraction", fraction, r_.device_from},
                   {"memory_share", this->memory_share(l), given ? From::user : From::catalog},
                   {"outside", this->outside(l, d.weights, d.activations), From::catalog}});
    } else {
      trace_.step(FormulaId::usable_memory, d.usable, {{"visible", visible, r_.device_from}, {"usable_fraction", fraction, r_.device_from}});
    }
    d.headroom = trace_.step(FormulaId::headroom, d.usable - d.total, {{"usable", d.usable, usable_id()}, {"total", d.total, FormulaId::device_total}});
    d.fits = d.headroom.value >= 0;
  }

  // ---- capacity ----

  // Sequences that fit beside the weights and the reserve, with their activations, on the stage where fewest do: at many sequences
  // that need not be the fullest one.
  template <class Tr>
  double max_concurrency(Tr& trace) {
    const auto& l = e_.layout;
    const bool ideal = p_.rule == EngineRule::ideal;
    const auto runtime = this->runtime_on(l);
    // What each sequence adds to the activations, and what a pass takes without them.
    const Bytes added = ideal ? Bytes{4 * static_cast<double>(m_.spec.vocabulary)}
                      : this->batched_prompts() ? this->activations_on(l, 1, l.pipeline - 1, quiet_) : Bytes{};
    const auto pass_on = [&](std::int64_t stage) {
      return ideal ? this->activations_on(l, 0, stage, quiet_) : this->batched_prompts() ? Bytes{} : this->activations_on(l, sequences(), stage, quiet_);
    };
    struct At {
      Bytes weights, sequence, pass, usable;
      double fits;
    };
    const auto at = [&](std::int64_t stage, Bytes weights, Bytes each) {
      const auto pass = pass_on(stage);
      const auto usable = this->usable_on(stage, l, weights, pass);
      const auto space = max(Bytes{}, usable - weights - runtime);
      const double beside_pass = each.value > 0 ? std::floor((space - pass) / each) : space >= pass ? kUnknownContext : 0;
      const double beside_logits = (each + added).value > 0 ? std::floor(space / (each + added)) : kUnknownContext;
      return At{weights, each, pass, usable, std::max(0.0, std::min(beside_pass, beside_logits))};
    };
    // Of two pools the fuller one counts.
    const double uneven = fuller_pool();
    At fewest = at(fullest_, e_.device.weights, uneven * formulas::device_sequence_bytes(scratch_.cache, quiet_));
    bool elsewhere = false;
    if (l.pipeline > 1)
      this->each_stage(l, [&](std::int64_t stage, Bytes held, Bytes each) {
        if (stage == fullest_) return true;
        const auto other = at(stage, held, uneven * each);
        if (other.fits >= fewest.fits) return true;
        fewest = other;
        elsewhere = true;
        return true;
      });
    // A cache in system memory is bounded by what that holds beside the weights there.
    if (this->cache_on_host() && r_.host_bytes > 0 && e_.host.kv_cache.value > 0)
      fewest.fits = std::min(fewest.fits, std::floor(std::max(0.0, r_.host_bytes - e_.host.weights.value) * concurrency_ / e_.host.kv_cache.value));
    const auto data = static_cast<double>(l.data);
    const auto of = [&](std::string_view name, Bytes value, FormulaId id) { return elsewhere ? Input(name, value, From::model) : Input(name, value, id); };
    const auto space = trace.step(FormulaId::room, max(Bytes{}, fewest.usable - fewest.weights - runtime),
                                  {of("usable", fewest.usable, usable_id()), of("weights", fewest.weights, FormulaId::device_weights),
                                   {"runtime", runtime, FormulaId::runtime}});
    if (fewest.sequence.value <= 0) return data * fewest.fits;
    return trace.step(FormulaId::max_concurrency, data * fewest.fits,
                      {{"data", data, From::user}, {"room", space, FormulaId::room}, {"pass_activations", fewest.pass, From::model},
                       uneven > 1 ? Input("bytes_per_sequence", fewest.sequence, From::model) : of("bytes_per_sequence", fewest.sequence, FormulaId::device_kv_bytes_per_sequence),
                       {"logits_per_sequence", added, From::model}});
  }

  double context_limit() const { return m_.spec.context > 0 ? static_cast<double>(m_.spec.context) : kUnknownContext; }

  // Largest context at which `sequences` fit into the pool: windows that are full stop growing, one after another.
  double max_context(Bytes pool) {
    const auto& t = scratch_.cache;
    const double share = kv_share();
    if (share < 1 && sequences() * states_here() > pool.value / share * (1 - share)) return 0;
    const double each = pool.value / sequences();
    const double multiple = cells_.multiple / cells_.sequences;
    double growing = 0, held = 0, context = 0;
    auto& full = scratch_.full_windows;
    full.assign(t.layers.size(), 0);
    const auto fit = [&] { return std::max(0.0, std::floor((each - held) / growing / multiple)) * multiple; };
    // A window is full at what the engine keeps of it; cells_ rounds as it does for the asked context.
    const auto window = [&](std::size_t i) {
      const double w = std::max(t.kept[i], cells_.least_window);
      return std::ceil((cells_.sequences * w + cells_.extra) / cells_.multiple) * multiple;
    };
    for (bool changed = true; changed;) {
      changed = false;
      growing = held = 0;
      for (std::size_t i = 0; i < t.layers.size(); ++i) {
        const double on_device = t.here[i] * t.share[i] * t.padding[i], rate = on_device * t.bytes_per_token[i];
        if (share >= 1) held += on_device * t.state[i];      // else in a pool of their own
        if (full[i]) held += rate * window(i);
        else growing += rate;
      }
      context = each <= held ? 0 : growing > 0 ? fit() : kUnknownContext;
      for (std::size_t i = 0; i < t.layers.size(); ++i)
        if (!full[i] && t.kept[i] > 0 && window(i) < context) { full[i] = 1; changed = true; }
    }
    if (growing <= 0) return each >= held ? context_limit() : 0;
    return trace_.step(FormulaId::max_context_tokens, std::min(context_limit(), std::floor(fit())),
                       {{"model_context", context_limit(), From::model}, {"kv_pool", pool, FormulaId::kv_pool},
                        {"sequences", sequences(), r_.workload.concurrency.from}, {"full_bytes", held, From::model},
                        {"growing_bytes_per_token", growing, From::model}, {"multiple", multiple, From::catalog}});
  }

  bool has_states() const {
    for (const double state : scratch_.cache.state) if (state > 0) return true;
    return false;
  }
  double kv_share() const { return 1 / (1 + (has_states() ? p_[Constant::state_ratio] : 0)); }
  // Of one sequence, on the fullest device.
  double states_here() const {
    const auto& t = scratch_.cache;
    double bytes = 0;
    for (std::size_t i = 0; i < t.layers.size(); ++i) bytes += t.here[i] * t.share[i] * t.padding[i] * t.state[i];
    return bytes;
  }
  // What a sequence takes of both pools together when the one that it fills first is full, beside what it needs.
  double fuller_pool() const {
    const double share = kv_share();
    if (share >= 1) return 1;
    const auto& t = scratch_.cache;
    const double states = states_here();
    double all = 0;
    for (std::size_t i = 0; i < t.layers.size(); ++i) all += t.here[i] * t.share[i] * formulas::layer_bytes(t, i);
    return all > 0 ? std::max((1 - states / all) / share, states / all / (1 - share)) : 1;
  }
  bool plain_cache() const {
    for (std::size_t i = 0; i < scratch_.cache.kept.size(); ++i)
      if (scratch_.cache.kept[i] > 0 || scratch_.cache.state[i] > 0) return false;
    return true;
  }

  void capacity() {
    auto& c = e_.capacity;
    const auto& d = e_.device;
    // An engine that keeps states in a pool of their own gives the cache the rest of it.
    const double kv_share = this->kv_share();
    const bool apart = kv_share < 1;
    c.kv_pool = trace_.step(FormulaId::kv_pool, kv_share * max(Bytes{}, d.usable - d.weights - d.activations - d.runtime),
                            {{"kv_share", kv_share, From::catalog}, {"usable", d.usable, usable_id()}, {"weights", d.weights, FormulaId::device_weights},
                             {"activations", d.activations, activations_id()}, {"runtime", d.runtime, FormulaId::runtime}});
    const Given<double>& context = r_.workload.context_tokens;
    if (plain_cache() || apart) {
      c.kv_bytes_per_token = formulas::device_kv_bytes_per_token(scratch_.cache, trace_);
      if (c.kv_bytes_per_token.value > 0)
        c.kv_tokens = trace_.step(FormulaId::kv_tokens, std::floor(c.kv_pool.value / (c.kv_bytes_per_token.value * cells_.multiple)) * cells_.multiple,
                                  {{"kv_pool", c.kv_pool, FormulaId::kv_pool},
                                   {"bytes_per_token", c.kv_bytes_per_token, FormulaId::device_kv_bytes_per_token},
                                   {"multiple", cells_.multiple, From::catalog}});
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
    const auto node = node_size(r_);
    auto n = p_.rule == EngineRule::ideal ? least_devices(node) : 1;
    if (n <= 0) return needed_;
    while (n <= kMostDevices) {
      if (headroom_on(n, true).value >= 0) { needed_ = n; break; }
      n = n < kOneByOne ? n + 1 : (n / node + 1) * node;
    }
    if (r_.unified) this->hold(sequences(), quiet_);   // the search left another layout's
    return needed_;
  }

  // No layout of the ideal engine takes less, over all its devices, than one copy of what is loaded and of every sequence, nor on any
  // of them less than the activations of one sequence in the widest split. So the search starts where these fit, but for rounding.
  std::int64_t least_devices(std::int64_t node) {
    const auto& w = r_.workload;
    const Bytes each = r_.device->memory * r_.device->usable_fraction - this->reserved() - this->activations_on({node, 1, 1, 1}, 1, 0, quiet_);
    if (each.value <= 0) return 0;
    Bytes sequence;
    for (std::size_t i = 0; i < scratch_.layer_cache.size(); ++i) sequence += scratch_.cache.layers[i] * scratch_.layer_cache[i];
    const Bytes least = stored_.loaded + (r_.speculative ? stored_.mtp : Bytes{}) + (w.concurrency_max ? 1 : w.concurrency.value) * sequence;
    constexpr double kRounding = 1 - 1e-9;
    auto n = static_cast<std::int64_t>(std::clamp(std::ceil(least / each * kRounding), 1.0, 1e6));
    if (n > kOneByOne) n = (n + node - 1) / node * node;
    return n;
  }

  double concurrency_ = 1;
  Bytes sequence_;                                     // the cache of one on the fullest device
  std::int64_t needed_ = -1;
};

}  // namespace weighbridge
