#include "weighbridge/article.hpp"

#include <cmath>
#include <limits>

#include "formulas/article.hpp"

namespace weighbridge {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kUtilisation = 0.462;       // the article's worked example
constexpr double kKvBytes16 = 2;

formulas::ArticleShape shape_of(const Inventory& m, bool layers_known, bool hidden_known, bool heads_known) {
  formulas::ArticleShape s;
  s.parameters = static_cast<double>(m.parameters);
  if (layers_known) s.layers = static_cast<double>(m.spec.layers());
  if (hidden_known) s.hidden = static_cast<double>(m.spec.hidden);
  if (heads_known) s.heads = static_cast<double>(m.spec.most_heads());
  return s;
}

void note_unknown(const formulas::ArticleShape& s, Problems& notes) {
  std::vector<std::string> kv, activations;
  if (s.layers == 0) kv.emplace_back("layers");
  if (s.hidden == 0) { kv.emplace_back("hidden_size"); activations.emplace_back("hidden_size"); }
  if (s.heads == 0) activations.emplace_back("heads");
  if (!kv.empty()) notes.add(Code::article_part_unknown, "/model/manual", {{"part", "KV cache"}, {"missing", kv}});
  if (!activations.empty())
    notes.add(Code::article_part_unknown, "/model/manual", {{"part", "activations"}, {"missing", activations}});
}

const WeightFormat* format_of(const Request& r, const Formats& formats) {
  if (r.weights.format || r.weights.bits > 0) return r.weights.format;
  return formats.find_weight(r.model->spec.published.format);
}

double bytes_per_parameter(const Request& r, const WeightFormat* format) {
  if (r.weights.bits > 0) return r.weights.bits / 8;
  if (!format) return 2;
  return format->article_bytes > 0 ? format->article_bytes : format->bits_per_weight / 8;
}

}  // namespace

Estimate article_estimate(const Request& r, const Formats& formats, Trace& trace, Problems& notes) {
  Estimate e;
  const auto s = shape_of(*r.model, r.layers_known, r.hidden_known, r.heads_known);
  note_unknown(s, notes);
  const Given<double> one{1, From::standard};
  const auto& sequence = r.workload.context_tokens;
  const auto* format = format_of(r, formats);
  const double calls = r.workload.concurrency.value;

  const auto weights = formulas::article_weights(s, bytes_per_parameter(r, format), trace);
  const double kv_bytes = (r.k_format->bits + r.v_format->bits) / 16;
  const auto kv = s.layers > 0 && s.hidden > 0
      ? formulas::article_kv_cache(s, one, sequence, kv_bytes, r.kv_from, trace) : Bytes{};
  const auto activations = s.hidden > 0 && s.heads > 0 ? formulas::article_activations(s, one, sequence, trace) : Bytes{};
  const auto for_all = [&](Bytes part, FormulaId from, std::string_view of) {
    const auto input = part.value > 0 ? Input("one_call", part, from) : Input("one_call", part, From::assumed);
    return trace.step(FormulaId::article_calls, calls * part, {{"calls", calls, r.workload.concurrency.from}, input}, of);
  };
  e.weight_bytes = weights;
  e.kv_bytes_per_token = BytesPerToken{2 * s.layers * s.hidden * kv_bytes};
  e.total.weights = for_all(weights, FormulaId::article_weights, "weights");
  e.total.kv_cache = for_all(kv, FormulaId::article_kv_cache, "kv_cache");
  e.total.activations = for_all(activations, FormulaId::article_activations, "activations");
  e.total.total = trace.step(FormulaId::article_total, e.total.weights + e.total.kv_cache + e.total.activations,
                             {{"weights", e.total.weights, FormulaId::article_calls, "weights"},
                              {"kv_cache", e.total.kv_cache, FormulaId::article_calls, "kv_cache"},
                              {"activations", e.total.activations, FormulaId::article_calls, "activations"}});
  e.concurrency = calls;
  e.load = {calls, kUnknown, true, Seconds{kUnknown}};
  e.layout.data = std::max<std::int64_t>(1, r.devices.value);
  if (!r.device) return e;

  e.has_device = true;
  const auto& d = *r.device;
  const double needed = trace.step(FormulaId::article_devices_needed, std::ceil(e.total.total / d.marketed),
                                   {{"total", e.total.total, FormulaId::article_total}, {"capacity", d.marketed, r.device_from}});
  const double devices = r.devices.value > 0 ? static_cast<double>(r.devices.value) : std::max(1.0, needed);
  e.layout = {};
  e.layout.data = static_cast<std::int64_t>(devices);
  auto& m = e.device;
  m.weights = e.total.weights / devices;
  m.kv_cache = e.total.kv_cache / devices;
  m.activations = e.total.activations / devices;
  m.total = m.weights + m.kv_cache + m.activations + m.runtime;
  m.capacity = m.usable = d.marketed;
  m.headroom = m.usable - m.total;
  m.fits = needed <= devices;
  auto& c = e.capacity;
  c.kv_pool = Bytes{kUnknown};
  c.kv_bytes_per_token = BytesPerToken{kUnknown};
  c.kv_tokens = c.max_context_tokens = c.max_concurrency = kUnknown;
  c.devices_needed = static_cast<std::int64_t>(std::min(needed, 9e15));

  const auto wanted = format ? formats.encodings[format->encoding].arithmetic : Arithmetic::bf16;
  const auto p = peak(d, wanted);
  e.arithmetic = wanted;
  e.arithmetic_used = p.arithmetic;
  if (p.rate.value <= 0) return e;
  e.has_speed = true;
  const double utilisation = r.compute_efficiency > 0 ? r.compute_efficiency : kUtilisation;
  const auto& w = r.workload;
  auto& speed = e.speed;
  const auto flops = trace.step(FormulaId::article_flops, Flops{2 * s.parameters * w.prompt_tokens.value},
                                {{"parameters", s.parameters, From::model}, {"prompt_tokens", w.prompt_tokens}});
  const auto seconds = trace.step(FormulaId::article_seconds_per_token, flops / (devices * p.rate * utilisation),
                                  {{"flops", flops, FormulaId::article_flops}, {"devices", devices, r.devices.from},
                                   {"peak", p.rate, r.device_from},
                                   {"utilisation", utilisation, r.compute_efficiency > 0 ? From::user : From::standard}});
  speed.prefill = {flops, Bytes{kUnknown}, seconds, Tokens{w.prompt_tokens.value} / seconds, Bound::compute};
  speed.ttft = speed.tpot = seconds;
  speed.tokens_per_s_per_user = trace.step(FormulaId::article_tokens_per_s_per_user, Tokens{1} / seconds,
                                           {{"tpot", seconds, FormulaId::article_seconds_per_token}});
  speed.decode = {flops, Bytes{kUnknown}, seconds, speed.tokens_per_s_per_user, Bound::compute};
  speed.latency = trace.step(FormulaId::article_latency, speed.ttft + w.output_tokens.value * speed.tpot,
                             {{"ttft", speed.ttft, FormulaId::article_seconds_per_token},
                              {"tpot", speed.tpot, FormulaId::article_seconds_per_token}, {"output_tokens", w.output_tokens}});
  speed.output_tokens_per_s = trace.step(FormulaId::article_output_tokens_per_s, Tokens{w.output_tokens.value} / speed.latency,
                                         {{"output_tokens", w.output_tokens}, {"latency", speed.latency, FormulaId::article_latency}});
  e.slow = e.fast = speed;
  return e;
}

ArticleTraining article_training(const TrainRequest& r, Trace& trace, Problems& notes) {
  ArticleTraining out;
  const auto s = shape_of(*r.model, r.layers_known, r.hidden_known, r.heads_known);
  note_unknown(s, notes);
  const double trained = r.trainable_parameters;
  out.weights = formulas::article_weights(s, r.bytes_per_parameter, trace);
  if (s.layers > 0 && s.hidden > 0)
    out.kv_cache = formulas::article_kv_cache(s, r.micro_batch, r.sequence_tokens, kKvBytes16, From::standard, trace);
  if (s.hidden > 0 && s.heads > 0) out.activations = formulas::article_activations(s, r.micro_batch, r.sequence_tokens, trace);
  out.optimizer = trace.step(FormulaId::article_optimizer, Bytes{8 * trained}, {{"trainable_parameters", trained, From::model}});
  out.gradients = trace.step(FormulaId::article_gradients, Bytes{4 * trained}, {{"trainable_parameters", trained, From::model}});
  const auto or_unknown = [](std::string_view name, Bytes part, FormulaId id) {
    return part.value > 0 ? Input(name, part, id) : Input(name, part, From::assumed);
  };
  const auto weights = Input("weights", out.weights, FormulaId::article_weights);
  const auto kv = or_unknown("kv_cache", out.kv_cache, FormulaId::article_kv_cache);
  const auto activations = or_unknown("activations", out.activations, FormulaId::article_activations);
  const auto inference = trace.step(FormulaId::article_total, out.weights + out.kv_cache + out.activations, {weights, kv, activations});
  out.total = trace.step(FormulaId::article_training_total, inference + out.optimizer + out.gradients,
                         {weights, kv, activations, Input("optimizer", out.optimizer, FormulaId::article_optimizer),
                          Input("gradients", out.gradients, FormulaId::article_gradients)});
  const auto range = [&](FormulaId id, double bytes) {
    return trace.step(id, out.weights + Bytes{bytes * trained},
                      {{"model", out.weights, FormulaId::article_weights}, {"trainable_parameters", trained, From::model}});
  };
  out.range_low = range(FormulaId::article_range_low, 12);
  out.range_high = range(FormulaId::article_range_high, 20);
  const auto factor = [&](FormulaId id, double n) { return trace.step(id, n * inference, {{"inference", inference, FormulaId::article_total}}); };
  out.factor_low = factor(FormulaId::article_factor_low, 4);
  out.factor_high = factor(FormulaId::article_factor_high, 6);
  return out;
}

}  // namespace weighbridge
