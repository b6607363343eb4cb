// How fast: passes over the tensors, and from their times what a reader feels under load. Part of the one calculation that
// estimator.hpp describes, bare or traced like it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "formulas/communication.hpp"
#include "formulas/compute.hpp"
#include "formulas/cost.hpp"
#include "formulas/latency.hpp"
#include "formulas/traffic.hpp"
#include "formulas/weights.hpp"
#include "scratch.hpp"
#include "weighbridge/estimate.hpp"

namespace weighbridge {

struct Reads {                                         // of a pass on the fullest device, all pipeline stages together
  Bytes whole, experts;                                // what every pass reads, and all routed experts
  Bytes on_host, experts_on_host;                      // the parts of these that lie in system memory
  double narrow = 0, narrow_experts = 0;               // elements of these that are stored in less than 16 bits
};

// Key-value heads that a tensor of such layers is made of.
inline std::int64_t kv_heads(const Inventory& m, std::int16_t kind) { return kind < 0 ? 1 : m.caches[static_cast<std::size_t>(kind)].kv_heads; }

struct Work {                                          // of the passes over a prompt, or of one step
  double tokens = 0, logit_rows = 0, passes = 1;
  double distinct = 0;                                 // experts that a pass touches
  bool prompt = false;
  Flops linear_flops, attention_flops;                 // all devices of the replica
  Bytes weight_bytes, kv_bytes;                        // on the fullest device, all pipeline stages together
  Bytes kv_again;                                      // of the caches for each query head of a key-value head beside the first
  double scores = 0;                                   // attention scores on that device
};

constexpr double kUsualJoules = 1.2e-12;               // power limit over 16-bit peak of a board that says no limit: the middle of the catalogue's

template <class T>
class Pacer {
 public:
  Pacer(const Request& r, const Formats& f, const Stored& s, Scratch& scratch, const Reads& reads, double concurrency, T& trace, Estimate& out)
      : r_(r), m_(*r.model), formats_(f), stored_(s), scratch_(scratch), reads_(reads), concurrency_(concurrency), trace_(trace), e_(out) {}

  void run() {
    if (!can_time()) return;
    e_.has_speed = true;
    prepare();
    const auto& w = r_.workload;
    auto& load = e_.load;
    const double capacity = e_.capacity.max_concurrency;
    prefill(e_.speed, trace_);
    load.concurrency = concurrency_;
    if (w.requests_per_s > 0) load.concurrency = settled_concurrency(e_.speed, capacity >= 1 ? std::min(capacity, 65536.0) : 1);
    else if (capacity >= 1) load.concurrency = std::min(concurrency_, capacity);
    decode(e_.speed, load.concurrency, trace_);
    load.queue = wait(e_.speed, trace_);
    if (w.requests_per_s <= 0) {
      load.utilisation = capacity > 0 ? std::min(1.0, load.concurrency / capacity) : 1;
    }
    spread();
    e_.arithmetic = stored_.arithmetic;
    e_.arithmetic_used = peak(*r_.device, e_.arithmetic).arithmetic;
    const auto* pool = pooled() ? r_.prefill_pool.get() : nullptr;
    e_.cost = formulas::cost(*r_.device, r_.device_from, static_cast<double>(e_.layout.devices()), pool ? &*pool->device : nullptr,
                             pool ? static_cast<double>(pool->devices.value) : 0, e_.speed.output_tokens_per_s, trace_);
  }

 private:
  // ---- one pass ----

  // Linear layers of a pass of `tokens` tokens, of which `logit_rows` go through the head; `routed` tokens meet in the experts.
  template <class Tr>
  Work linear(double tokens, double logit_rows, double routed, double passes, std::string_view of, FormulaId bytes_id, Tr& trace) const {
    Work w;
    w.tokens = tokens;
    w.logit_rows = logit_rows;
    w.passes = passes;
    double distinct_share = 1;
    if (m_.experts > 0) {
      const auto experts = static_cast<double>(m_.experts);
      distinct_share = formulas::distinct_experts(experts, static_cast<double>(m_.experts_used), routed, of, trace) / experts;
      w.distinct = distinct_share * experts;
    }
    for (const auto& p : products()) w.linear_flops += Flops{p.flops * (p.head ? logit_rows : tokens)};
    w.weight_bytes = reads_.whole + reads_.experts * distinct_share;
    for (const auto& table : scratch_.tables) w.weight_bytes += table.bytes * std::min(1.0, tokens / table.rows);
    w.weight_bytes *= passes;
    if constexpr (Tr::on) show_linear(w, distinct_share, passes, of, bytes_id, trace);
    return w;
  }

  std::span<const Product> products() const { return {stored_.products.data(), stored_.product_count}; }

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
      share.push_back(formulas::share_on_fullest(row.split, kv_heads(m_, row.kind), e_.layout));
      used.push_back(formulas::touched(row, w.tokens, distinct_share));
      elements.push_back(static_cast<double>(row.rows * row.columns));
      bits.push_back(r_.weights.bits > 0 ? r_.weights.bits : e.bits);
      scales.push_back(s.beside.value);
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

  template <class V>
  std::vector<V> own(const std::vector<V>& all) const { return formulas::own_part(scratch_.cache, all); }

  double new_tokens() const {
    return std::max(0.0, r_.workload.prompt_tokens.value - r_.workload.cached_prefix_tokens.value);
  }

  // FLOP of a prompt token against one that it sees: llama.cpp attends to MLA's latents in both phases.
  double prompt_flops_per_pair(std::size_t kind) const {
    const auto& c = m_.caches[kind];
    return pace_.latent_prompts ? std::max(c.prefill_flops_per_pair, c.decode_flops_per_pair) : c.prefill_flops_per_pair;
  }
  // Query heads that share a key-value head; one where all heads read a latent as one.
  double query_heads(std::size_t i) const {
    const auto& c = m_.caches[i];
    return c.replicated || c.kv_heads < 1 ? 1 : std::max(1.0, c.scores_per_pair / static_cast<double>(c.kv_heads));
  }
  // Of the attention that a cache belongs to; a state has no scores.
  double heads(std::size_t i) const { return m_.caches[i].scores_per_pair / static_cast<double>(e_.layout.tensor); }

  // The passes over one prompt, or the pass over some together.
  template <class Tr>
  Work prefill_work(double prompts, Tr& trace) const {
    const auto& load = r_.workload;
    const double cached = load.cached_prefix_tokens.value, tokens = new_tokens();
    const double passes = prompts > 1 ? 1 : std::max(1.0, std::ceil(tokens / r_.chunk_tokens.value));
    Work w = linear(prompts * tokens, prompts, prompts > 1 ? std::floor(prompts * tokens) : std::min(tokens, r_.chunk_tokens.value), passes, "prefill", FormulaId::prefill_weight_bytes, trace);
    w.prompt = true;
    const auto& t = scratch_.cache;
    const double depth = cached + tokens * (passes + 1) / (2 * passes);          // of the last token of a pass, on the mean
    std::vector<double> all_pairs;                     // only with a trace
    for (std::size_t i = 0; i < m_.caches.size(); ++i) {
      std::string_view name;
      if constexpr (Tr::on) name = t.names[i];
      const double pairs = formulas::attention_pairs(tokens, cached, t.reads[i], name, trace);
      if constexpr (Tr::on) all_pairs.push_back(pairs);
      w.attention_flops += Flops{prompts * t.layers[i] * (prompt_flops_per_pair(i) * pairs + t.token_flops[i] * tokens)};
      w.kv_bytes += Bytes{prompts * t.layers[i] * t.share[i] * t.bytes_per_token[i] * formulas::reach(t.window[i], depth)};
      w.scores += prompts * t.layers[i] * heads(i) * tokens * formulas::reach(t.reads[i], depth);
    }
    w.kv_bytes *= passes;
    if constexpr (Tr::on) {
      std::vector<double> per_pair;
      for (std::size_t i = 0; i < m_.caches.size(); ++i) per_pair.push_back(prompt_flops_per_pair(i));
      trace.step(FormulaId::prefill_attention_flops, w.attention_flops,
                 {{"layers", own(t.layers), From::model}, {"flops_per_pair", per_pair, From::model}, {"pairs", all_pairs, From::model},
                  {"token_flops", own(t.token_flops), From::model}, {"tokens", tokens, load.prompt_tokens.from}});
      trace.name_rows(own(t.names));
      trace.step(FormulaId::prefill_kv_bytes, w.kv_bytes,
                 {{"passes", passes, From::user}, {"layers", own(t.layers), From::model}, {"share", own(t.share), From::model},
                  {"bytes_per_token", own(t.bytes_per_token), From::model}, {"window_tokens", formulas::shown_windows(own(t.window), depth), From::model},
                  {"cached_tokens", cached, load.cached_prefix_tokens.from}, {"tokens", tokens, load.prompt_tokens.from}});
      trace.name_rows(own(t.names));
    }
    return w;
  }

  double mean_context() const { return r_.workload.prompt_tokens.value + r_.workload.output_tokens.value / 2; }

  template <class Tr>
  Work decode_work(double batch, Tr& trace) const {
    const double meeting = e_.layout.expert > 1 ? batch * static_cast<double>(e_.layout.data) : batch;
    const double checked = 1 + r_.draft.tokens.value;                            // tokens of each sequence that a pass sees
    Work w = linear(batch * checked, batch * checked, meeting * checked, 1, "decode", FormulaId::decode_weight_bytes, trace);
    const auto& t = scratch_.cache;
    const double context = mean_context();
    for (std::size_t i = 0; i < m_.caches.size(); ++i) {
      const double seen = formulas::reach(t.reads[i], context);
      w.attention_flops += Flops{batch * checked * t.layers[i] * (m_.caches[i].decode_flops_per_pair * seen + t.token_flops[i])};
      w.scores += batch * t.layers[i] * heads(i) * seen;
      w.kv_bytes += Bytes{batch * t.layers[i] * t.share[i] * (t.bytes_per_token[i] * seen + 2 * t.state[i])};
      w.kv_again += Bytes{batch * t.layers[i] * t.share[i] * t.bytes_per_token[i] * seen * (query_heads(i) - 1)};
    }
    if constexpr (Tr::on) {
      std::vector<double> per_pair;
      for (const auto& c : m_.caches) per_pair.push_back(c.decode_flops_per_pair);
      trace.step(FormulaId::decode_attention_flops, w.attention_flops,
                 {{"batch", batch * checked, From::user}, {"layers", own(t.layers), From::model}, {"flops_per_pair", per_pair, From::model},
                  {"token_flops", own(t.token_flops), From::model}, {"mean_context", context, From::user}, {"window_tokens", formulas::shown_windows(own(t.reads), context), From::model}});
      trace.name_rows(own(t.names));
      trace.step(FormulaId::decode_kv_bytes, w.kv_bytes,
                 {{"batch", batch, From::user}, {"layers", own(t.layers), From::model}, {"share", own(t.share), From::model},
                  {"bytes_per_token", own(t.bytes_per_token), From::model}, {"mean_context", context, From::user},
                  {"window_tokens", formulas::shown_windows(own(t.reads), context), From::model}, {"state_bytes", own(t.state), From::model}});
      trace.name_rows(own(t.names));
    }
    return w;
  }

  struct Timed {
    Seconds seconds;
    Bound bound = Bound::bandwidth;
    double host = 0;                                   // part of these that the processor reads for
  };

  bool in_int8(const Product& p) const { return pace_.int8_products > 0 && p.narrow; }

  // What a product runs at: that of the INT8 units as far as the vector lanes keep up with them; the device's peak in its precision, or,
  // where weights are unpacked first, that of 16 bits.
  ProductRate rate(const Product& p) const {
    const auto own = weighbridge::peak(*r_.device, p.arithmetic);
    if (in_int8(p)) {
      const auto int8 = r_.device->peak[static_cast<std::size_t>(Arithmetic::int8)];
      return {int8, std::min(1.0, pace_.int8_products * (vector_peak_ / int8)), true};
    }
    const bool unpacks = p.packed || (p.narrow && (pace_.own_kernels || own.arithmetic != p.arithmetic));
    const bool half = unpacks || p.arithmetic == Arithmetic::fp16 || (p.arithmetic == Arithmetic::bf16 && !pace_.bf16_on_vectors);
    return {half ? half_peak_ : pace_.bf16_on_vectors && p.arithmetic == Arithmetic::bf16 ? weighbridge::min(half_peak_, vector_peak_) : own.rate, pace_.compute * (unpacks ? pace_.packed : 1) * (p.routed && !tiled(p) ? pace_.experts : 1), unpacks};
  }

  // llama.cpp multiplies quantised experts by tiles.
  bool tiled(const Product& p) const { return p.routed && p.narrow && pace_.expert_tile > 0; }

  // Tokens that a product pays for beside its own: tiles of the matrix units that are not full. Engines of one user multiply a matrix by one
  // vector without these units.
  double padding(const Product& p, const Work& w) const {
    if (pace_.own_kernels && w.tokens <= w.passes && !p.routed) return 0;
    if (p.head) return pace_.tile;
    if (!p.routed) return pace_.tile * w.passes;
    const auto used = static_cast<double>(m_.experts_used);
    double columns = pace_.expert_padding;             // of each expert that a pass touches
    if (tiled(p)) {
      // As wide as the pass, up to the widest: an expert's last tile is half empty on the mean, and it has one at least.
      const double tokens = w.tokens / w.passes, tile = std::min(pace_.expert_tile, 8 * std::ceil(tokens / 8));
      columns = tokens > 1 ? pace_.tile_cost * std::max(tile - tokens * used / w.distinct, tile / 2) : 0;
    }
    return columns * w.distinct * w.passes / used;
  }

  // Who said what share of a peak is reached: the request, measurements, or nobody that measured such devices.
  From from(double given) const { return given > 0 ? From::user : pace_.measured ? From::catalog : From::assumed; }

  template <class Tr>
  Timed time(const Work& w, std::string_view of, Tr& trace) const {
    const auto& d = *r_.device;
    const auto& l = e_.layout;
    const auto tensor = static_cast<double>(l.tensor), stages = static_cast<double>(l.pipeline);
    Seconds linear;
    bool unpacks = false;
    auto rate = scratch_.rates.begin();
    for (const auto& p : products()) {
      const auto& at = *rate++;
      unpacks = unpacks || at.unpacks;
      linear += Flops{p.flops * ((p.head ? w.logit_rows : w.tokens) + padding(p, w))} / (at.peak * at.efficiency);
    }
    linear = linear / tensor;
    const Seconds attention = w.attention_flops / (half_peak_ * pace_.attention) / tensor;
    const double narrow_experts = m_.experts > 0 ? reads_.narrow_experts * w.distinct / static_cast<double>(m_.experts) : 0;
    const double narrow = unpacks ? w.passes * (reads_.narrow + narrow_experts) : 0;
    const Seconds unpack = Flops{narrow * pace_.unpack} / vector_peak_;
    // What lies in system memory is read by the processor for a step, and fetched over the link for the many tokens of a prompt.
    const double distinct_share = m_.experts > 0 ? w.distinct / static_cast<double>(m_.experts) : 1;
    const Bytes host_weights = w.passes * (reads_.on_host + distinct_share * reads_.experts_on_host), host_cache = r_.cache_on_host ? w.kv_bytes : Bytes{};
    const Bytes host_bytes = host_weights + host_cache, device_cache = w.kv_bytes - host_cache;
    const bool fetched = w.tokens / w.passes >= pace_.fetch_tokens && !d.unified;
    const BytesPerSecond host_rate = fetched ? d.link : r_.host_bandwidth > 0 ? BytesPerSecond{r_.host_bandwidth} : d.unified ? d.bandwidth : pace_.host_bandwidth;
    const double host_share = fetched ? pace_.link : pace_.host_share[0];
    const Seconds host = host_bytes / (host_rate * host_share);
    const Bytes device_bytes = w.weight_bytes - host_weights;
    const Seconds weights = device_bytes / (d.bandwidth * pace_.bandwidth), cache = device_cache / (d.bandwidth * pace_.cache);
    const Seconds scores = Bytes{w.scores * pace_.score_bytes} / (d.bandwidth * pace_.bandwidth);
    const Seconds rereads = Bytes{pace_.rereads * w.kv_again.value} / (d.bandwidth * pace_.cache);
    const auto layers = static_cast<double>(m_.spec.layers()), moe_layers = static_cast<double>(m_.moe_layers), hidden = static_cast<double>(m_.spec.hidden);
    const Bytes states{w.tokens * hidden * 2 * (layers + moe_layers * static_cast<double>(m_.experts_used)) * pace_.hidden_moves};
    const Seconds moves = states / (d.bandwidth * pace_.bandwidth);
    // Written once and read once.
    const bool unfolds = unpacks && pace_.unfold_tokens > 0 && w.tokens / w.passes >= pace_.unfold_tokens;
    const Bytes copied{unfolds ? 4 * w.passes * (reads_.narrow + (pace_.unfold_experts ? narrow_experts : 0)) : 0};
    const Seconds unfolded = copied / (d.bandwidth * pace_.bandwidth);
    const Seconds memory = weights + unfolded + cache + rereads + scores + moves, compute = linear + attention + unpack;
    const Seconds work = max(memory, compute) + pace_.exposed * min(memory, compute);
    const double alone = every_expert_ ? static_cast<double>(m_.experts) : looped_ && w.tokens / w.passes >= pace_.loop_tokens ? w.distinct : 0;
    const Seconds moe_layer = pace_.moe_layer + alone * pace_.expert + (w.tokens > w.passes ? pace_.moe_tokens : Seconds{}) + (w.prompt ? pace_.moe_prompt : Seconds{});
    const Seconds launch = w.passes * (pace_.host + layers * pace_.layer + moe_layers * moe_layer) + w.logit_rows * pace_.sequence;
    const formulas::Link link{d.link, pace_.link, pace_.reduce};
    const auto reduce = formulas::all_reduce(layers, tensor, w.tokens, w.passes, hidden, link, r_.device_from, of, trace);
    const auto pipe = formulas::pipeline_transfer(stages, w.tokens, hidden, link, r_.device_from, of, trace);
    const auto exchange = formulas::expert_exchange(moe_layers, static_cast<double>(m_.experts_used), l, w.tokens, hidden, link, r_.device_from, of, trace);
    // The passes over a long prompt follow each other through the stages of a pipeline.
    const double flight = std::min(w.passes, pace_.in_flight);
    const double gain = stages > 1 && flight > 1 ? pace_.stages * (flight * stages / (flight + stages - 1) - 1) : 0;
    Timed out;
    out.seconds = (work + launch) / (1 + gain) + host + reduce + pipe + exchange;
    if (!fetched && host.value > 0) out.host = host / out.seconds;
    if constexpr (Tr::on) {
      const From share_from = from(r_.bandwidth_efficiency);
      show_compute(w, linear, attention, of, trace);
      const bool decode = of == "decode", joined = of == "prompts";
      const auto name = [&](std::string_view part) { return std::string(of) + " " + std::string(part); };
      const auto moved = [&](std::string_view part, const Input& bytes, double efficiency, Seconds seconds) {
        trace.step(FormulaId::bandwidth_seconds, seconds, {bytes, {"bandwidth", d.bandwidth, r_.device_from}, {"efficiency", efficiency, share_from}}, name(part));
      };
      const auto bytes_id = decode ? FormulaId::decode_weight_bytes : FormulaId::prefill_weight_bytes;
      moved("weights", joined || host_bytes.value > 0 ? Input("bytes", device_bytes, From::model) : Input("bytes", w.weight_bytes, bytes_id), pace_.bandwidth, weights);
      if (host.value > 0)
        trace.step(FormulaId::bandwidth_seconds, host,
                   {{"bytes", host_bytes, From::model}, {"bandwidth", host_rate, fetched ? r_.device_from : r_.host_bandwidth > 0 ? From::user : From::assumed},
                    {"efficiency", host_share, fetched ? From::catalog : From::assumed}}, name("host"));
      moved("cache", joined || host_cache.value > 0 ? Input("bytes", device_cache, From::model) : Input("bytes", w.kv_bytes, decode ? FormulaId::decode_kv_bytes : FormulaId::prefill_kv_bytes), pace_.cache, cache);
      if (rereads.value > 0) moved("rereads", {"bytes", pace_.rereads * w.kv_again, From::model}, pace_.cache, rereads);
      trace.step(FormulaId::hidden_bytes, states,
                 {{"tokens", w.tokens, From::user}, {"hidden_size", hidden, From::model}, {"layers", layers, From::model}, {"moe_layers", moe_layers, From::model},
                  {"experts_used", static_cast<double>(m_.experts_used), From::model}, {"moves", pace_.hidden_moves, From::catalog}}, of);
      moved("states", {"bytes", states, FormulaId::hidden_bytes, of}, pace_.bandwidth, moves);
      if (unfolded.value > 0) moved("unfolded", {"bytes", copied, From::model}, pace_.bandwidth, unfolded);
      if (scores.value > 0) moved("scores", {"bytes", w.scores * pace_.score_bytes, From::model}, pace_.bandwidth, scores);
      if (unpack.value > 0)
        trace.step(FormulaId::unpack_seconds, unpack, {{"elements", narrow, From::model}, {"operations", pace_.unpack, From::catalog}, {"rate", vector_peak_, r_.device_from}}, of);
      const auto of_step = [&](std::string_view what, Seconds s, FormulaId id, const std::string& instance) { return s.value > 0 ? Input(what, s, id, instance) : Input(what, s, From::model); };
      const std::string lin = name("linear"), att = name("attention"), wei = name("weights"), cac = name("cache"), sco = name("scores"), aga = name("rereads"), sta = name("states"), unf = name("unfolded"), whole(of);
      trace.step(FormulaId::work_seconds, work,
                 {{"weights", weights, FormulaId::bandwidth_seconds, wei}, of_step("unfolded", unfolded, FormulaId::bandwidth_seconds, unf), {"cache", cache, FormulaId::bandwidth_seconds, cac}, of_step("rereads", rereads, FormulaId::bandwidth_seconds, aga),
                  of_step("scores", scores, FormulaId::bandwidth_seconds, sco), of_step("states", moves, FormulaId::bandwidth_seconds, sta),
                  {"linear", linear, FormulaId::compute_seconds, lin}, {"attention", attention, FormulaId::compute_seconds, att}, of_step("unpack", unpack, FormulaId::unpack_seconds, whole),
                  {"exposed", pace_.exposed, From::catalog}}, of);
      trace.step(FormulaId::launch_seconds, launch,
                 {{"passes", w.passes, From::user}, {"host", pace_.host, From::catalog}, {"layers", layers, From::model}, {"layer", pace_.layer, From::catalog},
                  {"moe_layers", moe_layers, From::model}, {"moe_layer", moe_layer, From::catalog}, {"sequences", w.logit_rows, From::user},
                  {"sequence", pace_.sequence, From::catalog}}, of);
      trace.step(FormulaId::pass_seconds, out.seconds,
                 {{"work", work, FormulaId::work_seconds, of}, {"launch", launch, FormulaId::launch_seconds, of}, {"gain", gain, From::catalog},
                  of_step("host", host, FormulaId::bandwidth_seconds, name("host")),
                  of_step("all_reduce", reduce, FormulaId::all_reduce_seconds, whole), of_step("pipeline", pipe, FormulaId::pipeline_seconds, whole),
                  of_step("expert_exchange", exchange, FormulaId::expert_exchange_seconds, whole)}, of);
    }
    const Seconds links = reduce + pipe + exchange, moved_bytes = memory + host, most = max(max(moved_bytes, compute), max(launch, links));
    out.bound = most == moved_bytes ? Bound::bandwidth : most == compute ? Bound::compute : most == launch ? Bound::overhead : Bound::interconnect;
    return out;
  }

  void show_compute(const Work& w, Seconds linear, Seconds attention, std::string_view of, Trace& trace) const {
    const auto tensor = static_cast<double>(e_.layout.tensor);
    std::vector<double> flops, tokens, padded, peaks, efficiency;
    std::vector<std::string> names;
    for (const auto& p : products()) {
      const auto at = rate(p);
      flops.push_back(p.flops);
      tokens.push_back(p.head ? w.logit_rows : w.tokens);
      padded.push_back(padding(p, w));
      peaks.push_back(at.peak.value);
      efficiency.push_back(at.efficiency);
      names.push_back(std::string(p.head ? "head, " : p.routed ? "experts, " : "dense, ") + std::string(p.narrow ? "stored narrow, " : "") + std::string(arithmetic_name(p.arithmetic)) +
                      (in_int8(p) ? ", in INT8" : at.unpacks ? ", unpacked" : ""));
    }
    const auto show = [&](std::string_view part, Seconds seconds) {
      trace.step(FormulaId::compute_seconds, seconds,
                 {{"flops", flops, From::model}, {"tokens", tokens, From::user}, {"padding", padded, From::catalog}, {"peak", peaks, r_.device_from},
                  {"efficiency", efficiency, from(r_.compute_efficiency)}, {"tensor", tensor, From::user}}, std::string(of) + std::string(part));
      trace.name_rows(names);
    };
    show(" linear", linear);
    flops = {w.attention_flops.value};
    tokens = {1};
    padded = {0};
    peaks = {half_peak_.value};
    efficiency = {pace_.attention};
    names = {latent_ ? "attention to latents" : "attention"};
    show(" attention", attention);
  }

  // ---- speed ----

  bool can_time() const {
    const auto& d = *r_.device;
    if (d.bandwidth.value <= 0 || peak(d, Arithmetic::bf16).rate.value <= 0) return false;
    return d.peak[static_cast<std::size_t>(Arithmetic::fp32)].value > 0 || !stored_.fp32_matrices;
  }

  void prepare() {
    const auto& d = *r_.device;
    if (r_.paces) pace_ = r_.paces->pace(r_.pace, d, e_.layout.tensor);
    latent_ = std::any_of(m_.caches.begin(), m_.caches.end(), [](const auto& c) { return c.decode_flops_per_pair > c.prefill_flops_per_pair; });
    // By the experts' matrices: the biases beside narrow ones are wide.
    const Product* experts = nullptr;
    for (const auto& p : products())
      if (p.routed && (experts == nullptr || p.flops > experts->flops)) experts = &p;
    looped_ = experts != nullptr && !experts->narrow && !pace_.packed_experts_apart;
    every_expert_ = pace_.every_expert || (pace_.packed_experts_apart && experts != nullptr && experts->packed);
    if (r_.compute_efficiency > 0) {
      pace_.compute = r_.compute_efficiency;
      pace_.packed = pace_.experts = 1;
      pace_.int8_products = 0;
      pace_.attention = pace_.compute;
    }
    if (r_.bandwidth_efficiency > 0) pace_.bandwidth = pace_.cache = r_.bandwidth_efficiency;
    half_peak_ = weighbridge::max(peak(d, Arithmetic::bf16).rate, peak(d, Arithmetic::fp16).rate);
    // Their own kernels accumulate in 16 bits or multiply in INT8, which consumer cards do twice as fast as what the peak counts.
    if (pace_.own_kernels) half_peak_ = weighbridge::max(half_peak_, d.peak[static_cast<std::size_t>(Arithmetic::int8)] / 2);
    vector_peak_ = peak(d, Arithmetic::fp32).rate;
    // A FLOP takes its time at the peak and, beside that, its energy's share of what the board may draw.
    const double watts = pace_.watts > 0 ? pace_.watts : half_peak_.value * kUsualJoules;
    if (r_.compute_efficiency <= 0) {
      double energy = pace_.joules * half_peak_.value / watts;
      if (pace_.lowered_watts > 0) {
        const double each = 1 / pace_.lowered_watts - 1 / watts, lowered = pace_.lowered_joules * each * half_peak_.value;
        energy += lowered;
        pace_.attention /= 1 + lowered;
        pace_.int8_products /= 1 + pace_.lowered_int8_joules * each * pace_.int8_products * vector_peak_.value;
      }
      pace_.compute = 1 / (1 / pace_.compute + energy);
    }
    scratch_.rates.clear();
    for (const auto& p : products()) scratch_.rates.push_back(rate(p));
  }

  double in_replica(double concurrency) const { return std::ceil(concurrency / static_cast<double>(e_.layout.data)); }

  // Sequences that one decode pass advances together: pipeline stages work on micro-batches side by side.
  double micro_batch(double concurrency) const {
    return std::max(1.0, std::ceil(in_replica(concurrency) / static_cast<double>(e_.layout.pipeline)));
  }

  template <class Tr>
  void prefill(Speed& s, Tr& trace) const {
    if (pooled()) return;                              // the pool that reads prompts was timed already
    const auto& w = r_.workload;
    const Work prompt = prefill_work(1, trace);
    const auto timed = time(prompt, "prefill", trace);
    s.prefill.flops = trace.step(FormulaId::prefill_flops, prompt.linear_flops + prompt.attention_flops,
                                 {{"linear", prompt.linear_flops, FormulaId::linear_flops, "prefill"},
                                  {"attention", prompt.attention_flops, FormulaId::prefill_attention_flops}});
    s.prefill.bytes = static_cast<double>(e_.layout.tensor) * (prompt.weight_bytes + prompt.kv_bytes);
    s.prefill.seconds = timed.seconds;
    s.prefill.bound = timed.bound;
    host_prompt_ = timed.host;
    if (timed.seconds.value > 0)
      s.prefill.tokens_per_s = trace.step(FormulaId::prefill_tokens_per_s, Tokens{prompt.tokens} / timed.seconds,
                                          {{"tokens", prompt.tokens, w.prompt_tokens.from}, {"seconds", timed.seconds, FormulaId::pass_seconds, "prefill"}});
  }

  // A steady step at a concurrency, and with the prefill's time what readers feel.
  template <class Tr>
  void decode(Speed& s, double concurrency, Tr& trace) const {
    const auto& w = r_.workload;
    const auto& l = e_.layout;
    const auto tensor = static_cast<double>(l.tensor);
    const double batch = micro_batch(concurrency);
    const Work token = decode_work(batch, trace);
    auto timed = time(token, "decode", trace);
    host_step_ = timed.host;
    const double accepted = speculate(timed, trace);
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
    s.decode.tokens_per_s = trace.step(FormulaId::decode_tokens_per_s, Tokens{concurrency * accepted} / timed.seconds,
                                       {{"concurrency", concurrency, w.concurrency.from}, accepted_input(accepted), {"seconds", timed.seconds, step_id(), "decode"}});
    auto load = load_of(concurrency);
    load.accepted = accepted;
    load.step = step_id();
    read_together(s, load, trace);
    formulas::under_load(s, load, w, trace);
  }

  bool pooled() const { return r_.prefill_pool != nullptr && e_.speed.prefill.seconds.value > 0; }

  // Bytes of a prompt's cache over the link, from the pool that reads prompts to the one that answers.
  Seconds handover() const {
    if (r_.device->link.value <= 0) return {};
    Bytes cache;
    const auto& t = scratch_.cache;
    for (std::size_t i = 0; i < t.own; ++i)
      cache += Bytes{t.layers[i] * (t.bytes_per_token[i] * formulas::reach(t.window[i], r_.workload.prompt_tokens.value) + t.state[i])};
    return cache / (r_.device->link * pace_.link) / static_cast<double>(e_.layout.tensor);
  }

  // ---- speculation ----

  bool speculates() const { return r_.draft.tokens.value > 0; }
  FormulaId step_id() const { return speculates() ? FormulaId::speculative_step : FormulaId::pass_seconds; }
  Input accepted_input(double accepted) const { return speculates() ? Input("accepted", accepted, FormulaId::accepted_tokens) : Input("accepted", accepted, From::catalog); }

  // Adds the passes that draft to a step, and says how many tokens it writes for each sequence.
  template <class Tr>
  double speculate(Timed& timed, Tr& trace) const {
    if (!speculates()) return 1;
    const auto& draft = r_.draft;
    const double chance = std::min(draft.acceptance.value, 0.999);
    const double accepted = trace.step(FormulaId::accepted_tokens, (1 - formulas::power(chance, draft.tokens.value + 1)) / (1 - chance),
                                       {{"acceptance", chance, draft.acceptance.from}, {"drafted", draft.tokens}});
    const Bytes bytes = (draft.model ? draft.bytes : stored_.mtp) / static_cast<double>(e_.layout.tensor);
    const double layers = static_cast<double>(draft.model ? draft.model->spec.layers() : m_.spec.mtp_layers);
    const BytesPerSecond rate = r_.device->bandwidth;
    const Seconds one = bytes / (rate * pace_.bandwidth) + pace_.host + layers * pace_.layer;
    const Seconds drafting = trace.step(FormulaId::draft_seconds, draft.tokens.value * one,
                                        {{"drafted", draft.tokens}, {"bytes", bytes, From::model}, {"bandwidth", rate, r_.device_from},
                                         {"efficiency", pace_.bandwidth, r_.bandwidth_efficiency > 0 ? From::user : From::catalog}, {"host", pace_.host, From::catalog},
                                         {"layers", layers, From::model}, {"layer", pace_.layer, From::catalog}});
    timed.seconds = trace.step(FormulaId::speculative_step, timed.seconds + drafting,
                               {{"pass", timed.seconds, FormulaId::pass_seconds, "decode"}, {"draft", drafting, FormulaId::draft_seconds}}, "decode");
    return accepted;
  }

 public:
  // The concurrency that memory must hold, before the rest is known: what an open loop settles at.
  double settled(double most) {
    if (!can_time()) return 1;
    prepare();
    prefill(e_.speed, quiet_);
    return settled_concurrency(e_.speed, most >= 1 ? std::min(most, 65536.0) : 1);
  }

 private:
  // What an open loop settles at: the fewest sequences in flight whose throughput keeps up.
  double settled_concurrency(Speed& s, double most) {
    const auto& w = r_.workload;
    const auto rate = [&](double concurrency) {
      auto timed = time(decode_work(micro_batch(concurrency), quiet_), "decode", quiet_);
      auto load = load_of(concurrency);
      load.accepted = speculate(timed, quiet_);
      read_together(s, load, quiet_);
      s.decode.seconds = timed.seconds;
      formulas::under_load(s, load, w, quiet_);
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

  // In a closed loop what is more than fits waits for its turn, in an open one the prompts that came before are read first.
  template <class Tr>
  Seconds wait(Speed& s, Tr& trace) const {
    const auto& w = r_.workload;
    const double running = e_.load.concurrency;
    const bool open = w.requests_per_s > 0;
    if (open ? !e_.load.stable : running >= concurrency_ || w.mode == Mode::offline) return {};
    const double places = static_cast<double>(pooled() ? r_.prefill_pool->layout_given ? r_.prefill_pool->layout.data : 1 : e_.layout.data);
    const auto queue = open ? formulas::open_queue(s.prefill.seconds, w.requests_per_s / places, pooled() ? FormulaId::kCount : FormulaId::pass_seconds, w, trace)
                            : formulas::queue(s, concurrency_, running, w, trace);
    s.ttft = trace.step(FormulaId::queued_ttft, s.ttft + queue,
                        {{"ttft", s.ttft, w.mode == Mode::static_batch ? FormulaId::static_ttft : pooled() ? FormulaId::pooled_ttft : FormulaId::ttft},
                         {"queue", queue, open ? FormulaId::open_queue : FormulaId::queue}});
    s.latency = trace.step(FormulaId::queued_latency, s.latency + queue,
                           {{"latency", s.latency, FormulaId::latency}, {"queue", queue, open ? FormulaId::open_queue : FormulaId::queue}});
    return queue;
  }

  // Prompts that a pass reads together: all that start at once, those that come during a step, and of a closed loop whose answers are alike
  // and end together a share of the sequences; as many as a pass has room for. Parts of prompts count, so that a longer prompt is never faster.
  double together(double in_replica) const {
    const auto& w = r_.workload;
    const double room = pace_.every_expert ? in_replica : std::max(1.0, r_.chunk_tokens.value / std::max(1.0, new_tokens()));
    if (w.mode == Mode::static_batch) return std::min(room, in_replica);
    const double alike = w.requests_per_s > 0 ? 0 : pace_.prompt_queue * (std::min(in_replica, room) - 1);
    return std::min(room, std::max({1.0, (in_replica - 1) / w.output_tokens.value, 1 + alike}));
  }

  template <class Tr>
  void read_together(const Speed& s, formulas::LoadTerms& load, Tr& trace) const {
    load.reading = load.together > 1 ? time(prefill_work(load.together, quiet_), "prompts", trace).seconds : s.prefill.seconds;
  }

  formulas::LoadTerms load_of(double concurrency) const {
    formulas::LoadTerms t;
    t.concurrency = concurrency;
    t.in_replica = in_replica(concurrency);
    t.pipeline = static_cast<double>(e_.layout.pipeline);
    t.floor = pace_.floor;
    const double others = t.in_replica - 1;
    if (!pooled()) t.together = together(t.in_replica);
    t.running = others > 0 && pace_.floor.value > 0 ? 0.5 : 0;
    if (pooled()) {
      t.pools = static_cast<double>(r_.prefill_pool->layout_given ? r_.prefill_pool->layout.data : 1);
      t.floor += handover();
    }
    return t;
  }

  // The ends of what held 80 % of comparable measurements that were left out of the fit.
  void spread() {
    const auto of = [&](SpreadOf what) { return r_.paces ? r_.paces->spread(what, r_.pace.kind, *r_.device) : Spread{1, 1}; };
    const bool moe = m_.experts > 0, alone = e_.load.concurrency <= 1;
    const auto with_host = [&](Spread s, double part) {
      const auto& [share, least, most] = pace_.host_share;
      return Spread{s.low * (1 - part * (1 - share / most)), s.high * (1 + part * (share / least - 1))};
    };
    const auto prompt = with_host(of(moe ? SpreadOf::prefill_moe : SpreadOf::prefill), host_prompt_);
    const auto steps = with_host(of(alone ? moe ? SpreadOf::single_moe : SpreadOf::single : moe ? SpreadOf::batched_moe : SpreadOf::batched), host_step_);
    const auto first = with_host(of(alone ? SpreadOf::ttft : SpreadOf::ttft_loaded), host_prompt_);
    e_.slow = scaled(prompt.high, steps.high, first.high);
    e_.fast = scaled(prompt.low, steps.low, first.low);
  }
  Speed scaled(double prompt, double steps, double first) const {
    Speed s = e_.speed;
    s.prefill.seconds = s.prefill.seconds * prompt;
    s.prefill.tokens_per_s = s.prefill.tokens_per_s / prompt;
    s.decode.seconds = s.decode.seconds * steps;
    s.decode.tokens_per_s = s.decode.tokens_per_s / steps;
    // No first token comes before its prompt: what TTFT has beside it is stretched apart, where that bound is the later one.
    s.ttft = weighbridge::max(s.ttft * first, s.prefill.seconds + first * (e_.speed.ttft - e_.speed.prefill.seconds));
    s.tpot = s.tpot * steps;
    s.latency = s.latency * steps;
    s.output_tokens_per_s = s.output_tokens_per_s / steps;
    s.tokens_per_s_per_user = s.tokens_per_s_per_user / steps;
    return s;
  }

  const Request& r_;
  const Inventory& m_;
  const Formats& formats_;
  const Stored& stored_;
  Scratch& scratch_;
  const Reads& reads_;
  const double concurrency_;
  T& trace_;
  mutable NoTrace quiet_;
  Estimate& e_;
  Pace pace_;
  bool latent_ = false;                                // attention over latents (MLA)
  bool looped_ = false;                                // experts that are not quantised
  bool every_expert_ = false;                          // a kernel is launched for each expert, touched or not
  mutable double host_prompt_ = 0, host_step_ = 0;     // parts of a prompt's and of a step's time that the processor reads for
  FlopsPerSecond half_peak_, vector_peak_;             // products in 16 bits; unpacking
};

}  // namespace weighbridge
