// Where everything lies: the engine's rules for this request, the layout, and what each device of it and the host hold. The base of
// the one calculation that estimator.hpp describes, bare or traced like it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "formulas/activations.hpp"
#include "formulas/engine_memory.hpp"
#include "formulas/kv_cache.hpp"
#include "formulas/weights.hpp"
#include "scratch.hpp"
#include "speed.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/layout.hpp"

namespace weighbridge {

using formulas::Part;

inline constexpr std::int64_t kDefaultNode = 8;

inline std::int64_t node_size(const Request& r) {
  if (r.per_node > 0) return r.per_node;
  return r.device && r.device->per_node > 0 ? r.device->per_node : kDefaultNode;
}

// Where in a pipeline a tensor lies: with its layers, with the first or the last ones, or (a tied table) with both. Towers make inputs.
inline StoredGroup::Place place_of(const TensorRow& row) {
  using Place = StoredGroup::Place;
  if (row.kind >= 0 && !row.mtp) return Place::layers;
  if (row.role == Role::vision) return Place::first;
  return row.tied_head ? Place::ends : row.use == Use::lookup ? Place::first : Place::last;
}

template <class T>
class Placement {
 protected:
  using Place = StoredGroup::Place;
  using Read = StoredGroup::Read;

  Placement(const Request& r, const Formats& f, const Stored& s, Scratch& scratch, T& trace, Estimate& out)
      : r_(r), m_(*r.model), formats_(f), stored_(s), scratch_(scratch), trace_(trace), e_(out), p_(r.engine.profile) {
    heads_ = static_cast<double>(m_.spec.most_heads());
    buffers_ = p_.rule == EngineRule::buffers && !(r.device && r.device->device_class == "cpu");
    if (buffers_) {
      const auto units = m_.spec.layers() + 1;           // the output layer counts as one
      offloaded_ = r_.gpu_layers < 0 || r_.gpu_layers > units ? units : r_.gpu_layers;
      on_host_ = units - offloaded_;
    }
    cache_terms();
  }

  bool loaded(const TensorRow& row) const {
    return !row.mtp || r_.speculative;
  }

  // ---- the cache, as the engine keeps it ----

  // What a layer keeps when an engine does not know latents: keys and values of all heads.
  void without_latent(CacheShape& c, const Mla& mla) const {
    const double pad = p_[Constant::head_elements];
    const auto heads = static_cast<double>(mla.heads);
    c.k_elements = heads * std::max(pad, static_cast<double>(mla.nope_dim + mla.rope_dim));
    c.v_elements = heads * std::max(pad, static_cast<double>(mla.value_dim));
    c.kv_heads = mla.heads;
    c.replicated = false;
  }

  // The window of a kind, when the engine keeps less for it; else 0.
  double kept_window(const CacheShape& c, bool all_windowed) const {
    if (r_.full_windows || p_[all_windowed ? Constant::windows_all : Constant::windows_mixed] <= 0) return 0;
    return static_cast<double>(c.window);
  }

  bool cache_on_host() const { return buffers_ && r_.cache_on_host; }

  // What drafts has a cache of its own: a draft model's layers, or the model's prediction layers.
  bool drafts_itself() const { return r_.speculative && !r_.draft.model; }
  const Inventory& drafter() const { return r_.draft.model ? *r_.draft.model : m_; }
  void add_drafting_caches() {
    if (!r_.speculative) return;
    for (auto c : drafter().caches) {
      if (drafts_itself()) c.layers = c.kind == m_.spec.mtp_kind ? m_.spec.mtp_layers : 0;
      if (c.layers > 0) scratch_.shapes.push_back(c);
    }
  }
  // A rejected token's states cannot be taken out again, so that engines keep one for each token that a pass checks.
  double kept_states(const CacheShape& c, const Inventory& of) const {
    const bool rolls_back = p_.rule == EngineRule::buffers || p_.rule == EngineRule::budget || p_.rule == EngineRule::static_share;
    const bool recurs = of.spec.kinds[c.kind].mixer.recurrent.kind != RecurrentKind::none && c.k_elements <= 0 && c.state_elements + c.conv_elements > 0;
    return rolls_back && recurs ? 1 + r_.draft.tokens.value : 1;
  }

  void cache_terms() {
    auto& t = scratch_.cache;
    t.own = m_.caches.size();
    scratch_.shapes.assign(m_.caches.begin(), m_.caches.end());
    add_drafting_caches();
    const auto n = scratch_.shapes.size();
    for (auto* terms : {&t.layers, &t.bytes_per_token, &t.window, &t.reads, &t.token_flops, &t.kept, &t.held, &t.padding, &t.state, &t.here, &t.share, &t.copies}) terms->resize(n);
    if constexpr (T::on) t.names.resize(n);
    const auto kinds = m_.spec.kinds.size();
    for (auto* bytes : {&scratch_.layer_weights, &scratch_.layer_experts}) bytes->resize(kinds);
    scratch_.layer_cache.resize(n);
    scratch_.cache_shares.resize(n);
    const auto windowed = [](const Inventory& m) { return std::all_of(m.caches.begin(), m.caches.end(), [](const CacheShape& c) { return c.window > 0 || c.k_elements <= 0; }); };
    const bool all_windowed = windowed(m_), drafts_windowed = windowed(drafter());
    // llama.cpp keeps what drafts in 16 bits, whatever the model's own cache is in.
    const double narrow = buffers_ ? 16 : 0;
    for (std::size_t i = 0; i < n; ++i) {
      auto& c = scratch_.shapes[i];
      const bool drafts = i >= t.own;
      const auto& of = drafts ? drafter() : m_;
      const double k_bits = drafts && narrow > 0 ? narrow : r_.k_format->bits, v_bits = drafts && narrow > 0 ? narrow : r_.v_format->bits;
      if (!r_.latent && c.k_elements > 0 && of.spec.kinds[c.kind].mixer.kind == MixerKind::mla) without_latent(c, of.spec.kinds[c.kind].mixer.mla);
      t.layers[i] = static_cast<double>(c.layers);
      t.window[i] = static_cast<double>(c.window);
      t.kept[i] = kept_window(c, drafts ? drafts_windowed : all_windowed);
      t.reads[i] = static_cast<double>(c.attends > 0 && (c.window == 0 || c.attends < c.window) ? c.attends : c.window);
      t.token_flops[i] = c.flops_per_token;
      t.padding[i] = 1;
      std::string_view name;
      if constexpr (T::on) name = t.names[i] = drafts ? "draft" : t.own == 1 ? "layers" : "layers " + std::to_string(c.kind + 1) + (i < kinds ? "" : c.fixed_bytes > 0 ? ", index" : ", beside");
      t.state[i] = formulas::layer_state_bytes(c, p_[Constant::state_bits], name, trace_).value;
      t.bytes_per_token[i] = formulas::layer_kv_bytes_per_token(c, k_bits, v_bits, r_.kv_from, name, trace_).value;
    }
    cells_.multiple = r_.cell_tokens;
    cells_.extra = p_[Constant::window_pass] > 0 ? r_.chunk_tokens.value - (p_.rule == EngineRule::budget ? 1 : 0) : 0;
    cells_.least_window = p_[Constant::window_least_tokens];
    if (p_[Constant::equal_groups] > 0) fill_groups();
    for (std::size_t i = 0; i < n; ++i) t.padding[i] *= kept_states(scratch_.shapes[i], i < t.own ? m_ : drafter());
    hold(1, quiet_);
  }

  // Groups of layers that share a table must be of one size: the smallest sort's.
  void fill_groups() {
    auto& t = scratch_.cache;
    const auto n = t.layers.size();
    const auto alike = [&](std::size_t a, std::size_t b) { return t.kept[a] == t.kept[b] && (t.state[a] > 0) == (t.state[b] > 0); };
    const auto keeps = [&](std::size_t i) { return t.bytes_per_token[i] > 0 || t.state[i] > 0; };
    const auto of_sort = [&](std::size_t i) {
      double layers = 0;
      for (std::size_t j = 0; j < n; ++j) if (keeps(j) && alike(i, j)) layers += t.layers[j];
      return layers;
    };
    double smallest = 0, most = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (!keeps(i)) continue;
      const double layers = of_sort(i);
      smallest = smallest > 0 ? std::min(smallest, layers) : layers;
      most = std::max(most, layers);
    }
    if (smallest <= 0 || smallest == most) return;
    for (std::size_t i = 0; i < n; ++i)
      if (keeps(i)) t.padding[i] = std::ceil(of_sort(i) / smallest) * smallest / of_sort(i);
    // A state takes whole blocks of the attention layers, whose blocks grow until one holds it.
    double per_token = 0, state = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (t.bytes_per_token[i] > 0) per_token = std::max(per_token, t.bytes_per_token[i]);
      state = std::max(state, t.state[i]);
    }
    if (per_token <= 0 || state <= 0) return;
    cells_.multiple = std::max(cells_.multiple, std::ceil(state / (per_token * cells_.multiple)) * cells_.multiple);
    for (std::size_t i = 0; i < n; ++i) if (t.state[i] > 0) t.state[i] = cells_.multiple * per_token;
  }

  // Fills in what each layer holds when `sequences` of the asked context are in flight on a replica.
  template <class Tr>
  void hold(double sequences, Tr& trace) {
    auto& t = scratch_.cache;
    cells_.sequences = r_.unified ? std::max(1.0, sequences) : 1;
    for (std::size_t i = 0; i < t.layers.size(); ++i) {
      std::string_view name;
      if constexpr (Tr::on) name = t.names[i];
      t.held[i] = formulas::held_tokens(cells_, t.kept[i], r_.workload.context_tokens, name, trace);
      scratch_.layer_cache[i] = Bytes{formulas::layer_bytes(t, i)};
    }
  }

  // ---- the layout ----

  // Over the prediction layers' rows only with speculation.
  std::span<const StoredGroup> loaded_groups() const {
    return {stored_.groups.data(), r_.speculative ? stored_.groups.size() : stored_.without_mtp};
  }

  // What one layer of each kind weighs and caches on the fullest device of a layout, and what lies beside the layers, on the ends. It is
  // the same for pipelines of all lengths.
  void weigh_layers(const Layout& l) {
    if (weighed_.tensor == l.tensor && weighed_.data == l.data && weighed_.expert == l.expert) return;
    weighed_ = l;
    for (std::size_t i = 0; i < scratch_.cache_shares.size(); ++i) scratch_.cache_shares[i] = cache_share(i, l);
    auto& layer = scratch_.layer_weights;
    auto& experts = scratch_.layer_experts;
    std::fill(layer.begin(), layer.end(), Bytes{});
    std::fill(experts.begin(), experts.end(), Bytes{});
    first_ = last_ = ends_ = towers_ = {};
    scratch_.group_shares.clear();
    for (const auto& g : loaded_groups()) {
      const double share = formulas::share_on_fullest(g.split, kv_heads(m_, g.kind), l);
      scratch_.group_shares.push_back(share);
      const auto bytes = g.bytes * share;
      const auto kind = static_cast<std::size_t>(g.kind);
      switch (g.place) {
        case Place::layers:
          layer[kind] += bytes / scratch_.cache.layers[kind];
          if (g.role == Role::experts) experts[kind] += bytes / scratch_.cache.layers[kind];
          break;
        case Place::first: (g.role == Role::vision ? towers_ : first_) += bytes; break;
        case Place::last: last_ += bytes; break;
        case Place::ends: ends_ += bytes; break;
      }
    }
    for (std::size_t i = 0; i < layer.size(); ++i) layer[i] += beside_weights_in(static_cast<std::int16_t>(i), l);
  }

  // What an engine makes of the weights when it has loaded them, on every device: tables of positions, once for each sort of layer,
  double position_width() const {
    if (p_[Constant::position_tables] <= 0 || m_.spec.positions > 0) return 0;
    double width = 0;
    const auto of = [](const LayerKind& k) {
      const auto& x = k.mixer;
      const auto wide = x.kind == MixerKind::attention ? x.attention.head_dim : x.kind == MixerKind::mla ? x.mla.rope_dim : x.kind == MixerKind::compressed ? x.compressed.head_dim : 0;
      return std::pair{wide, x.kind == MixerKind::attention && x.attention.window > 0};
    };
    const auto& kinds = m_.spec.kinds;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      bool before = false;
      for (std::size_t j = 0; j < i; ++j) before = before || of(kinds[j]) == of(kinds[i]);
      if (!before) width += static_cast<double>(of(kinds[i]).first);
    }
    return width;
  }
  double position_rows() const { return static_cast<double>(m_.spec.context * m_.spec.position_stretch); }
  // A draft model is spread like the model itself.
  Bytes draft_weights(const Layout& l) const { return r_.draft.bytes / static_cast<double>(l.tensor * l.pipeline); }
  Bytes position_tables() const { return Bytes{2 * position_rows() * position_width()}; }

  // and of an MLA layer matrices that let queries meet latents.
  double latent_bits(std::int16_t kind) const {
    if (r_.weights.bits > 0) return r_.weights.bits;
    for (const auto& s : stored_.rows) {
      const auto& row = m_.rows[s.row];
      if (row.kind == kind && !row.mtp && row.linear && row.role == Role::attention) return formats_.encodings[s.encoding].bits;
    }
    return 16;
  }
  double latent_width(std::int16_t kind, const Layout& l) const {      // bytes on one device, of one layer
    const auto& x = m_.spec.kinds[static_cast<std::size_t>(kind)].mixer;
    if (x.kind != MixerKind::mla || !r_.latent) return 0;
    const bool products = p_[Constant::latent_products] > 0;
    const double copies = p_[Constant::latent_copies];
    if (!products && copies <= 0) return 0;
    const auto of = [](std::int64_t n) { return static_cast<double>(n); };
    const auto& a = x.mla;
    const double bits = latent_bits(kind);
    const double heads = of(a.heads) / of(l.tensor), input = of(a.q_lora_rank > 0 ? a.q_lora_rank : m_.spec.hidden), rank = of(a.kv_lora_rank);
    if (products) return (bits < 16 ? 1 : 2) * heads * (input * (rank + of(a.rope_dim)) + rank * of(m_.spec.hidden));
    return copies > 1 || bits < 16 ? 2 * heads * rank * of(a.nope_dim + a.value_dim) : 0;
  }
  Bytes beside_weights_in(std::int16_t kind, const Layout& l) const { return (r_.adapters > 0 ? adapters_in(kind, l) : Bytes{}) + Bytes{latent_width(kind, l)}; }

  // LoRA adapters beside the attention and dense matrices of one layer of a kind: what one device holds of both factors, per rank. The
  // factor on the side along which a matrix is not split is copied.
  double adapter_width(std::int16_t kind, const Layout& l) const {
    double width = 0;
    for (const auto& row : m_.rows) {
      if (!row.linear || row.kind != kind || row.mtp || row.role == Role::experts || row.role == Role::router) continue;
      const bool out = row.cls == TensorClass::attention_output || row.cls == TensorClass::ffn_down;
      const auto whole = static_cast<double>(out ? row.rows : row.columns), split = static_cast<double>(out ? row.columns : row.rows);
      width += static_cast<double>(row.per_layer) * (whole + split / static_cast<double>(l.tensor));
    }
    return width;
  }
  Bytes adapters_in(std::int16_t kind, const Layout& l) const { return Bytes{2 * r_.adapters * r_.adapter_rank * adapter_width(kind, l)}; }

  double cache_share(std::size_t kind, const Layout& l) const {
    const auto& c = scratch_.shapes[kind];
    return (c.replicated ? 1.0 : formulas::heads_share(c.kv_heads, l.tensor)) / r_.context_parallel;
  }
  double cache_copies(std::size_t kind, const Layout& l) const {
    const auto& c = scratch_.shapes[kind];
    return (c.replicated ? static_cast<double>(l.tensor) : formulas::heads_copies(c.kv_heads, l.tensor)) / r_.context_parallel;
  }

  // Cards of a list hold a stage each.
  bool by_card(const Layout& l) const { return !r_.cards.empty() && l.tensor == 1 && l.pipeline == static_cast<std::int64_t>(r_.cards.size()); }
  bool by_memory(const Layout& l) const { return buffers_ || (by_card(l) && r_.engine.layer_split); }

  // What the devices before a stage take of the model: shares of the memory, if not given.
  double share_before(const Layout& l, std::int64_t stage) const {
    double before = static_cast<double>(stage) / static_cast<double>(l.pipeline);
    if (static_cast<std::int64_t>(r_.tensor_split.size()) == l.pipeline && l.pipeline > 1) {
      double all = 0, part = 0;
      for (std::size_t i = 0; i < r_.tensor_split.size(); ++i) {
        all += r_.tensor_split[i];
        if (static_cast<std::int64_t>(i) < stage) part += r_.tensor_split[i];
      }
      before = part / all;
    } else if (by_card(l)) {
      double all = 0, part = 0;
      for (std::size_t i = 0; i < r_.cards.size(); ++i) {
        const double room = std::max(1.0, room_on(static_cast<std::int64_t>(i), l).value);
        all += room;
        if (static_cast<std::int64_t>(i) < stage) part += room;
      }
      before = part / all;
    }
    return before;
  }
  // llama.cpp's -sm row: every matrix lies on all devices, by rows; cache and results of passes are the first one's. Norms, less than a
  // thousandth of the weights, are counted with the matrices.
  bool by_rows(const Layout& l) const { return r_.by_rows && l.pipeline > 1; }
  double row_share(const Layout& l, std::int64_t stage) const { return by_rows(l) ? share_before(l, stage + 1) - share_before(l, stage) : 1; }
  StageLayers offloaded_layers() const { return {std::min(on_host_, m_.spec.layers()), m_.spec.layers()}; }

  LeftOver left_over() const { return static_cast<LeftOver>(p_[Constant::left_over_layers]); }

  // The layers [first, end) lie on a stage, layers before the first stage on the host.
  std::int64_t begins(const Layout& l, std::int64_t stage) const {
    const auto units = buffers_ ? offloaded_ : m_.spec.layers();
    const double before = by_rows(l) ? (stage > 0 ? 1 : 0) : share_before(l, stage);
    const auto first = on_host_ + static_cast<std::int64_t>(std::ceil(before * static_cast<double>(units) - 1e-9));
    return std::min(first, m_.spec.layers());
  }
  StageLayers layers_on(const Layout& l, std::int64_t stage) const {
    if (!by_memory(l)) return stage_layers(m_.spec.layers(), l.pipeline, stage, left_over());
    return {begins(l, stage), begins(l, stage + 1)};
  }
  // Of one kind on a stage, which has `layers`. Prediction layers lie with the last ones, a draft model is spread like the model itself.
  double cached_layers(std::size_t i, const Layout& l, std::int64_t stage, const StageLayers& layers) const {
    const auto& c = scratch_.shapes[i];
    if (cache_on_host()) return 0;
    if (i < scratch_.cache.own) return static_cast<double>(m_.layers_of(c.kind, layers.first, layers.end));
    if (by_rows(l)) return stage == 0 ? static_cast<double>(c.layers) : 0;
    if (drafts_itself()) return stage == l.pipeline - 1 ? static_cast<double>(c.layers) : 0;
    return static_cast<double>(c.layers) / static_cast<double>(l.pipeline);
  }
  bool head_on_device() const { return !buffers_ || offloaded_ > 0; }
  bool makes_logits(const Layout& l, std::int64_t stage) const { return stage == (by_rows(l) ? 0 : l.pipeline - 1); }

  // Of a kind's layers on a stage, those whose experts stay on the host.
  double moved(std::size_t kind, const StageLayers& s) const {
    const auto end = std::min(s.end, static_cast<std::int64_t>(r_.cpu_moe));
    return buffers_ && end > s.first ? static_cast<double>(m_.layers_of(kind, s.first, end)) : 0;
  }

  // Calls f(stage, weights, cache of one sequence) for the pipeline stages, on the fullest device of each, as long as it wants more.
  template <class F>
  void each_stage(const Layout& l, F f) {
    weigh_layers(l);
    const auto kinds = scratch_.layer_weights.size();
    const auto last = l.pipeline - 1;
    const auto everywhere = position_tables() + draft_weights(l);
    for (std::int64_t stage = 0; stage <= last; ++stage) {
      // Of layers of one kind no stage between the first and the last holds more than one of these two.
      if (kinds == 1 && !by_memory(l)) {
        if (stage == 1 && last > 1 && left_over() == LeftOver::before_last) stage = last - 1;
        else if (stage == 2) stage = last;
      }
      const auto layers = layers_on(l, stage), weighed = by_rows(l) ? offloaded_layers() : layers;
      const double rows = row_share(l, stage);
      Bytes weights, sequence;
      for (std::size_t i = 0; i < kinds; ++i) {
        const auto here = static_cast<double>(m_.layers_of(i, weighed.first, weighed.end));
        weights += rows * here * scratch_.layer_weights[i];
        if (r_.cpu_moe > 0) weights = weights - rows * moved(i, weighed) * scratch_.layer_experts[i];
      }
      for (std::size_t i = 0; i < scratch_.shapes.size(); ++i) sequence += cached_layers(i, l, stage, layers) * scratch_.cache_shares[i] * scratch_.layer_cache[i];
      weights += everywhere;
      if (stage == 0) weights += buffers_ ? towers_ : first_ + towers_;
      if ((stage == last || by_rows(l)) && head_on_device()) weights += rows * last_;
      if (buffers_ ? (stage == last || by_rows(l)) && head_on_device() : stage == 0 || stage == last) weights += rows * ends_;
      if (!f(stage, weights, sequence)) return;
    }
  }

  // ---- one device ----

  Bytes capacity_of(std::int64_t stage, const Layout& l) const { return by_card(l) ? r_.cards[static_cast<std::size_t>(stage)].memory : r_.device->memory; }
  // What a program is told; the ideal engine takes all.
  Bytes visible_on(std::int64_t stage, const Layout& l) const {
    if (p_.rule == EngineRule::ideal) return capacity_of(stage, l);
    return by_card(l) ? r_.cards[static_cast<std::size_t>(stage)].visible : r_.device->visible;
  }
  double usable_fraction(std::int64_t stage, const Layout& l) const {
    return by_card(l) ? r_.cards[static_cast<std::size_t>(stage)].usable_fraction : r_.device->usable_fraction;
  }
  Bytes room_on(std::int64_t stage, const Layout& l) const { return visible_on(stage, l) * usable_fraction(stage, l) - reserved() - Bytes{p_[Constant::context_bytes]}; }
  Bytes reserved() const { return Bytes{r_.reserved_bytes.value}; }

  template <class Tr>
  formulas::RuntimeParts runtime_parts(const Layout& l, Tr& trace) const {
    if (p_.rule == EngineRule::ideal) return {};
    return formulas::engine_runtime(m_, p_, static_cast<double>(l.tensor * l.data), r_.device ? r_.device->link.value : 0, !r_.eager,
                                    r_.max_sequences > 0 ? r_.max_sequences : 256, trace);
  }
  Bytes runtime_on(const Layout& l) const {
    const auto p = runtime_parts(l, quiet_);
    return p.context + p.libraries + p.graphs + reserved();
  }

  Given<double> pass_tokens() const {
    const auto& w = r_.workload;
    const double uncached = std::max(1.0, w.prompt_tokens.value - w.cached_prefix_tokens.value);
    return uncached < r_.chunk_tokens.value ? Given<double>{uncached, w.prompt_tokens.from}
                                            : Given<double>{r_.chunk_tokens.value, r_.chunk_tokens.from};
  }

  bool sees() const { return r_.towers && std::any_of(m_.spec.towers.begin(), m_.spec.towers.end(), [](const Tower& t) { return !t.encoder; }); }

  // What a sequence adds to the activations, where a whole batch of prompts is read in one pass.
  bool batched_prompts() const { return p_.rule == EngineRule::dynamic && p_[Constant::whole_prompts_to] > 0; }

  // What encoders work in, on the stage that holds them. Engines with a profiling run try as many images as a pass takes.
  template <class Tr>
  Bytes encoders_on(std::int64_t stage, double tensor, double tokens, double sequences, Tr& trace) const {
    if (stage != 0 || !r_.towers) return {};
    const bool profiled = p_.rule == EngineRule::budget, one = buffers_;
    Bytes most;
    for (const auto& t : m_.spec.towers) {
      if (t.sight.patches <= 0) continue;
      const double inputs = static_cast<double>(std::max<std::int64_t>(1, t.sight.inputs));
      const double images = profiled ? std::max(1.0, std::floor(tokens / inputs)) : one ? 1 : r_.images * (batched_prompts() ? sequences : 1);
      if (images > 0) most = max(most, formulas::encoder_activations(t.sight, images, p_[Constant::media_patches], one ? 4 : 2, one ? 1 : tensor, r_.flash || !one, trace));
    }
    return most;
  }

  template <class Tr>
  Bytes activations_on(const Layout& l, double sequences, std::int64_t stage, Tr& trace) const {
    const bool head = makes_logits(l, stage);
    const auto tensor = static_cast<double>(l.tensor);
    if (p_.rule == EngineRule::ideal) return formulas::activation_peak(m_, pass_tokens(), sequences, tensor, trace);
    formulas::PassShape s;
    s.heads = heads_;
    s.tensor = tensor;
    s.flash = r_.flash;
    s.sequences = r_.max_sequences > 0 ? r_.max_sequences : sequences;
    auto tokens = pass_tokens();
    const double context = r_.workload.context_tokens.value;
    if (p_.rule == EngineRule::buffers) {
      const double n = r_.unified ? std::max(1.0, sequences) : 1;
      s.prompt = std::ceil(n * context / cells_.multiple) * cells_.multiple;
      s.tokens = std::min(r_.chunk_tokens.value, s.prompt);
      s.sequences = sequences;
      Bytes expert;
      if (r_.cpu_moe > 0 || on_host_ > 0)
        for (const auto b : scratch_.layer_experts) expert = max(expert, b / 3);
      // Devices work side by side, each with copies of the inputs, only when nothing of the model lies on the host.
      const double stages = on_host_ > 0 || r_.cpu_moe > 0 || by_rows(l) ? 1 : static_cast<double>(l.pipeline);
      return formulas::compute_buffer(m_, p_, s, stages, expert, drafting_buffers(s, context, head), encoders_on(stage, 1, 0, 1, trace), head, r_.chunk_tokens.from, trace);
    }
    if (p_.rule == EngineRule::budget || p_.rule == EngineRule::free_share) tokens = r_.chunk_tokens;
    s.media = p_.rule == EngineRule::budget && sees();
    if (sees() && m_.spec.position_stretch > 1 && tokens.value < p_[Constant::media_tokens]) tokens = {p_[Constant::media_tokens], From::catalog};
    s.prompt = batched_prompts() ? tokens.value : std::max(tokens.value, std::min(context, r_.workload.prompt_tokens.value));
    if (p_.rule == EngineRule::budget) s.prompt = std::min(tokens.value, std::max(context, 1.0));
    s.tokens = batched_prompts() ? tokens.value * sequences : tokens.value;
    return formulas::engine_activations(m_, p_, s, head, encoders_on(stage, tensor, tokens.value, sequences, trace), tokens.from, trace);
  }

  // llama.cpp drafts in contexts of their own: one for each slot with a draft model, one for all with prediction layers.
  Bytes drafting_buffers(formulas::PassShape s, double context, bool head) const {
    if (!r_.speculative || (drafts_itself() && m_.spec.mtp_layers == 0)) return {};
    const double contexts = r_.draft.model ? s.sequences : 1;
    s.heads = static_cast<double>(drafter().spec.most_heads());
    s.prompt = std::ceil(context / cells_.multiple) * cells_.multiple;
    s.tokens = std::min(r_.chunk_tokens.value, s.prompt);
    s.sequences = 1;
    return contexts * formulas::compute_buffer(drafter(), p_, s, 1, {}, {}, {}, head, r_.chunk_tokens.from, quiet_);
  }

  double memory_share(const Layout& l) const {
    if (r_.memory_share > 0) return r_.memory_share;
    const auto devices = static_cast<double>(l.tensor * l.pipeline);
    if (p_[Constant::kept_bytes] > 0) {
      const double memory = r_.device->visible.value;
      const double kept = p_[Constant::kept_bytes] + p_[Constant::kept_bytes_per_pass_token] * r_.chunk_tokens.value + p_[Constant::kept_bytes_per_device] * devices;
      return std::max(0.1, (memory - kept) / memory);
    }
    double share = p_[Constant::memory_share];
    for (const auto& [from, constant] : {std::pair{2.0, Constant::memory_share_2}, {4.0, Constant::memory_share_4}, {8.0, Constant::memory_share_8}})
      if (devices >= from && p_[constant] > 0) share = p_[constant];
    return share;
  }

  bool has_budget() const { return p_.rule == EngineRule::budget || p_.rule == EngineRule::static_share || p_.rule == EngineRule::free_share; }
  // What the engine uses beside its share.
  Bytes outside(const Layout& l, Bytes weights, Bytes activations) const {
    const auto p = runtime_parts(l, quiet_);
    switch (p_.rule) {
      case EngineRule::budget:
        return reserved() + (p_[Constant::context_in_budget] > 0 ? Bytes{} : p.context) + (p_[Constant::graphs_in_budget] > 0 ? Bytes{} : p.graphs);
      case EngineRule::static_share: return activations + p.graphs;
      case EngineRule::free_share: return (1 - memory_share(l)) * (weights + activations + runtime_on(l));
      default: return {};
    }
  }
  Bytes usable_on(std::int64_t stage, const Layout& l, Bytes weights, Bytes activations) const {
    const auto all = visible_on(stage, l) * usable_fraction(stage, l);
    return has_budget() ? min(all, memory_share(l) * visible_on(stage, l) + outside(l, weights, activations)) : all;
  }

  // ---- the fullest device ----

  struct Fullest {
    std::int64_t stage = 0;
    Bytes weights, activations;
    Bytes headroom;                                    // without a device: the more is held, the less
  };
  // `any_short`: the first stage that lacks room will do.
  Fullest fullest_stage(const Layout& l, double sequences, bool any_short = false) {
    if (r_.unified) hold(sequences, quiet_);
    const auto runtime = runtime_on(l);
    Fullest most;
    bool any = false, inner_known = false;
    Bytes activations;
    each_stage(l, [&](std::int64_t stage, Bytes weights, Bytes sequence) {
      // Between the first and the last stage all are alike.
      const bool inner = stage > 0 && stage < l.pipeline - 1;
      if (!inner || !inner_known) activations = activations_on(l, sequences, stage, quiet_);
      inner_known = inner_known || inner;
      const auto room = r_.device ? usable_on(stage, l, weights, activations) : Bytes{};
      const auto headroom = room - weights - sequences * sequence - activations - runtime;
      if (!any || headroom < most.headroom) most = {stage, weights, activations, headroom};
      any = true;
      return !any_short || headroom.value >= 0;
    });
    return most;
  }

  // The part of what lies beside the layers that the fullest device holds.
  double on_fullest(Place place, Role role) const {
    const bool first = fullest_ == 0, last = fullest_ == e_.layout.pipeline - 1;
    if (buffers_ && role == Role::vision) return first;
    if (buffers_) return place != Place::first && (last || by_rows(e_.layout)) && head_on_device() ? row_share(e_.layout, fullest_) : 0;
    return place == Place::first ? first : place == Place::last ? last : first || last;
  }
  // How many devices of a replica's pipeline hold what lies beside the layers.
  double holders(Place place, Role role) const {
    if (buffers_ && role == Role::vision) return 1;
    if (buffers_) return place != Place::first && head_on_device() ? 1 : 0;
    return place == Place::ends && e_.layout.pipeline > 1 ? 2 : 1;
  }

  // One pass over the tensors in the layout: what the fullest device holds, what all hold, what the host holds, and what a pass reads.
  void place(double sequences) {
    const auto& l = e_.layout;
    const auto fullest = fullest_stage(l, sequences);
    fullest_ = fullest.stage;
    activations_ = fullest.activations;
    const auto layers = layers_on(l, fullest_);
    const auto devices = offloaded_layers(), weighed = by_rows(l) ? devices : layers;
    const double rows = row_share(l, fullest_);
    auto& t = scratch_.cache;
    for (std::size_t i = 0; i < t.layers.size(); ++i) {
      t.here[i] = cached_layers(i, l, fullest_, layers);
      t.share[i] = scratch_.cache_shares[i];
      t.copies[i] = cache_copies(i, l);
    }
    auto& roles = e_.device.weights_by_role;
    roles = {};
    e_.total.weights = e_.host.weights = {};
    reads_ = {};
    scratch_.tables.clear();
    auto group_share = scratch_.group_shares.begin();
    for (const auto& g : loaded_groups()) {
      const double share = *group_share++;
      const auto kind = static_cast<std::size_t>(g.kind);
      double part, all, host;                          // of the group: on the fullest device, on all devices of a replica, on the host
      if (g.place == Place::layers) {
        const bool experts = g.role == Role::experts && r_.cpu_moe > 0;
        part = rows * (static_cast<double>(m_.layers_of(kind, weighed.first, weighed.end)) - (experts ? moved(kind, weighed) : 0)) / t.layers[kind];
        all = buffers_ ? (static_cast<double>(m_.layers_of(kind, devices.first, devices.end)) - (experts ? moved(kind, devices) : 0)) / t.layers[kind] : 1;
        host = 1 - all;
      } else {
        part = on_fullest(g.place, g.role);
        all = holders(g.place, g.role);
        host = buffers_ && (all == 0 || g.place == Place::ends) ? 1 : 0;
      }
      roles[static_cast<std::size_t>(g.role)] += g.bytes * (part * share);
      e_.total.weights += g.bytes * (all * formulas::copies(g.split, kv_heads(m_, g.kind), l));
      if (buffers_) e_.host.weights += g.bytes * host;
      switch (g.read) {
        case Read::whole:
          reads_.whole += g.bytes * share;
          reads_.narrow += g.narrow * share;
          if (all == 0 || g.place == Place::layers) reads_.on_host += g.bytes * (host * share);
          break;
        case Read::experts:
          reads_.experts += g.bytes * share;
          reads_.narrow_experts += g.narrow * share;
          reads_.experts_on_host += g.bytes * (host * share);
          break;
        case Read::table: scratch_.tables.push_back({g.bytes * share, g.table_rows}); break;
        case Read::never: break;
      }
    }
    auto& d = e_.device;
    d.adapters = {};
    d.engine_weights = position_tables() + draft_weights(l);
    Bytes adapters, made;                              // of a replica's pipeline
    for (std::size_t i = 0; i < t.layers.size() && i < m_.spec.kinds.size(); ++i) {
      const auto kind = static_cast<std::int16_t>(i);
      const auto each = r_.adapters > 0 ? adapters_in(kind, l) : Bytes{};
      const Bytes latent{latent_width(kind, l)};
      const double all = buffers_ ? static_cast<double>(m_.layers_of(i, devices.first, devices.end)) : t.layers[i];
      const double here = rows * static_cast<double>(m_.layers_of(i, weighed.first, weighed.end));
      d.adapters += here * each;
      d.engine_weights += here * latent;
      adapters += all * each;
      made += all * latent;
    }
    const auto replicas = static_cast<double>(l.tensor * l.data);
    adapters_ = replicas * adapters;
    engine_weights_ = replicas * (made + static_cast<double>(l.pipeline) * (position_tables() + draft_weights(l)));
    e_.total.weights += adapters_ + engine_weights_;
    e_.device.weights = formulas::sum_of_roles(FormulaId::device_weights, FormulaId::device_role_weights, roles, quiet_) + d.adapters + d.engine_weights;
  }

  const Request& r_;
  const Inventory& m_;
  const Formats& formats_;
  const Stored& stored_;
  Scratch& scratch_;
  T& trace_;
  mutable NoTrace quiet_;
  Estimate& e_;
  const EngineProfile& p_;
  formulas::Cells cells_;
  double heads_ = 0;
  bool buffers_ = false;                               // a part may lie on the host
  std::int64_t offloaded_ = 0, on_host_ = 0;           // layers, output layer included; layers that stay on the host
  // in the layout
  Layout weighed_{0, 0, 0, 0};                         // whose layers were weighed last
  std::int64_t fullest_ = 0;                           // pipeline stage
  Bytes first_, last_, ends_, towers_;                 // beside the layers, on the stages that hold them
  Reads reads_;
  Bytes activations_, adapters_, engine_weights_;      // on the fullest device; LoRA adapters and what the engine made of the weights, on all
};

}  // namespace weighbridge
