// How fast: passes over the tensors, and from their times what a reader feels under load. Part of the one calculation that
// estimator.hpp describes, bare or traced like it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

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
};

// Key-value heads that a tensor of such layers is made of.
inline std::int64_t kv_heads(const Inventory& m, std::int16_t kind) { return kind < 0 ? 1 : m.caches[static_cast<std::size_t>(kind)].kv_heads; }

struct Work {                                          // of one pass, on each device of one replica
  double tokens = 0, logit_rows = 0;
  Flops linear_flops, attention_flops;                 // all devices of the replica
  Bytes weight_bytes, kv_bytes;                        // on the fullest device, all pipeline stages together
};

struct Effort {                                        // efficiencies
  double compute = 1, bandwidth = 1, link = 1;
};

template <class T>
class Pacer {
 public:
  Pacer(const Request& r, const Formats& f, const Stored& s, const Scratch& scratch, const Reads& reads, double concurrency, T& trace, Estimate& out)
      : r_(r), m_(*r.model), formats_(f), stored_(s), scratch_(scratch), reads_(reads), concurrency_(concurrency), trace_(trace), e_(out) {}

  void run() {
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

 private:
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
    w.weight_bytes = reads_.whole + reads_.experts * distinct_share;
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
  const Scratch& scratch_;
  const Reads& reads_;
  const double concurrency_;
  T& trace_;
  mutable NoTrace quiet_;
  Estimate& e_;
  std::array<FlopsPerSecond, kPrecisions> peaks_{};
  Seconds token_at_peak_, logit_at_peak_;              // linear layers of one token, and its logits, on one device
};

}  // namespace weighbridge
