#include "weighbridge/api.hpp"

#include <cmath>

#include "advice.hpp"
#include "json.hpp"
#include "read/fields.hpp"
#include "read/json_text.hpp"
#include "weighbridge/article.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/estimate.hpp"
#include "write_json.hpp"

namespace weighbridge::api {

namespace {

constexpr std::string_view kPerDevice = "memory.per_device.";

void warn_of_results(const Request& r, const Estimate& e, Problems& problems) {
  if (!e.has_device || r.method == Method::article) return;
  const auto& device = *r.device;
  if (!e.has_speed) {
    const bool slow = device.bandwidth.value <= 0, idle = peak(device, Arithmetic::bf16).rate.value <= 0;
    const auto missing = [&](std::string_view figure) { problems.add(Code::speed_figure_missing, "/device", {{"figure", figure}, {"device", device.name}}); };
    if (slow) missing("memory bandwidth");
    if (idle) missing("16-bit peak");
    if (!slow && !idle) missing("fp32 peak");
  }
  if (e.has_speed && e.capacity.max_concurrency < 1 && e.device.weights > e.device.usable)
    problems.add(Code::weights_do_not_fit, "/device");
  else if (e.capacity.max_concurrency >= 1 && e.concurrency > e.capacity.max_concurrency)
    problems.add(Code::concurrency_beyond_capacity, "/workload/concurrency", {{"concurrency", e.concurrency}, {"capacity", e.capacity.max_concurrency}});
  if (e.has_speed && r.workload.requests_per_s > 0 && !e.load.stable)
    problems.add(Code::rate_beyond_capacity, "/workload/requests_per_s", {{"rate", r.workload.requests_per_s}, {"most", std::floor(r.workload.requests_per_s / e.load.utilisation * 100) / 100}});
  const bool narrow = e.arithmetic == Arithmetic::fp8 || e.arithmetic == Arithmetic::fp4 || e.arithmetic == Arithmetic::int8;
  // Weights in bf16 on boards before it; a device of one's own may just not have the figure.
  const bool older = e.arithmetic == Arithmetic::bf16 && e.arithmetic_used == Arithmetic::fp16 && r.device_from != From::user && e.weight_bytes.value > 1.9 * static_cast<double>(r.model->parameters);
  if (e.has_speed && (narrow || older) && e.arithmetic != e.arithmetic_used)
    problems.add(Code::format_without_hardware, "/weights",
                 {{"device", device.name}, {"format", arithmetic_name(e.arithmetic)}, {"instead", arithmetic_name(e.arithmetic_used)}});
}

// What the answer chose itself.
void assume_choices(const Request& r, const Estimate& e, std::vector<Assumption>& assumptions) {
  if (!e.has_device) return;
  if (r.devices.from == From::standard || r.devices.value == 0)
    assumptions.push_back({"/devices", std::to_string(e.layout.devices()), "default", {}});
  if (!r.layout_given && r.method != Method::article)
    assumptions.push_back({"/parallel", layout_text(e.layout), "default", {}});
  if (e.has_speed && r.device->link_assumed && e.layout.devices() > 1 && r.method != Method::article)
    assumptions.push_back({"/device/link_bandwidth", number_text(r.device->link.value), "estimated", {}});
  // Price and power of the catalogue, with where and when the price was seen.
  const auto* listed = r.device_from != From::user ? catalog().find_device(r.device->id) : nullptr;
  if (listed && e.has_speed && r.method != Method::article) {
    if (r.device->price_per_hour.value > 0 && r.device->price_per_hour.value == listed->device.price_per_hour.value) {
      const auto row = catalog().device_row(static_cast<std::size_t>(listed - catalog().devices().data()), false);
      const auto* price = member(row, "price");
      assumptions.push_back({"/price_usd_per_hour", number_text(r.device->price_per_hour.value), "catalog",
                             price ? std::string(text_of(*price, "provider")) + ", " + std::string(text_of(*price, "date")) : std::string()});
    }
    if (r.device->power.value > 0 && r.device->rated_power.value <= 0) assumptions.push_back({"/options/power_limit_w", number_text(r.device->power.value), "catalog", {}});
  }
  if (r.workload.concurrency_max) assumptions.push_back({"/workload/concurrency", number_text(e.concurrency), "estimated", {}});
}

void warn_of_training(const TrainRequest& r, const Training& t, Problems& problems) {
  if (!r.device) return;
  if (!t.has_speed)
    problems.add(Code::speed_figure_missing, "/device", {{"figure", r.device->bandwidth.value <= 0 ? "memory bandwidth" : "16-bit peak"}, {"device", r.device->name}});
  else if ((t.arithmetic == Arithmetic::fp8 && t.arithmetic_used != t.arithmetic) || (t.arithmetic == Arithmetic::bf16 && t.arithmetic_used == Arithmetic::fp16 && catalog().find_device(r.device->id)))
    problems.add(Code::format_without_hardware, "/precision",
                 {{"device", r.device->name}, {"format", arithmetic_name(t.arithmetic)}, {"instead", arithmetic_name(t.arithmetic_used)}});
}

template <class Parts>
std::string write_training(const TrainRequest& r, const Answered& answered, const Trace& trace, const Problems& problems, Parts timeline_and_advice) {
  JsonWriter w;
  w.begin_object().member("ok", true);
  write_figures(w, train_answer(), answered);
  timeline_and_advice(w);
  write_assumptions(w, r.assumptions);
  write_basis(w, train_answer(), answered, trace);
  write_intervals(w, answered);
  write_problems(w, problems);
  if (r.explain) write_steps(w, trace);
  return w.end_object().take();
}

std::string train_article(const TrainRequest& r, Problems& problems) {
  Trace trace;
  const auto training = article_training(r, trace, problems);
  const Answered answered{.model = r.model.get(), .training_request = &r, .training = &training};
  return write_training(r, answered, trace, problems, [&](JsonWriter& w) {
    // The article knows one moment, at which everything is held.
    w.key("timeline").begin_array().begin_object().member("moment", "step");
    for (const auto& f : train_answer())
      if (f.path.substr(0, kPerDevice.size()) == kPerDevice && !f.nullable) w.member(f.path.substr(kPerDevice.size()), f.value(answered));
    w.end_object().end_array();
    w.key("advice").begin_array().end_array();
  });
}

std::string train_detailed(const nlohmann::json& asked, const TrainRequest& r, Problems& problems) {
  Trace trace;
  const auto training = weighbridge::training(r, catalog(), trace);
  warn_of_training(r, training, problems);
  const Answered answered{.model = r.model.get(), .training_request = &r, .trained = &training};
  return write_training(r, answered, trace, problems, [&](JsonWriter& w) {
    w.key("timeline").begin_array();
    for (std::size_t i = 0; i < kMoments; ++i) {
      const auto& p = training.timeline[i];
      w.begin_object().member("moment", moment_name(static_cast<Moment>(i))).member("weights", p.weights.value).member("gradients", p.gradients.value);
      w.member("optimizer", p.optimizer.value).member("activations", p.activations.value).member("logits", p.logits.value);
      w.member("runtime", p.runtime.value).member("total", p.total().value).end_object();
    }
    w.end_array();
    write_train_advice(w, asked, r, training, catalog());
  });
}

}  // namespace

std::string version() { return WEIGHBRIDGE_VERSION; }

std::string estimate(std::string_view request) {
  Problems problems;
  const auto asked = parse_json(request, "", problems);
  if (!asked) return refusal(problems);
  auto read = read_request(*asked, catalog(), problems);
  if (!read) return refusal(problems);
  const auto& formats = catalog().formats();
  Trace trace;
  Estimate e;
  if (read->method == Method::article) {
    e = article_estimate(*read, formats, trace, problems);
  } else {
    Stored stored;
    store(*read, formats, stored);
    e = weighbridge::estimate(*read, formats, stored, trace);
  }
  warn_of_results(*read, e, problems);
  assume_choices(*read, e, read->assumptions);

  const Answered answered{.model = read->model.get(), .request = &*read, .estimate = &e};
  JsonWriter w;
  w.begin_object().member("ok", true);
  write_figures(w, estimate_answer(), answered);
  write_advice(w, *asked, *read, e, catalog());
  write_assumptions(w, read->assumptions);
  write_basis(w, estimate_answer(), answered, trace);
  write_intervals(w, answered);
  write_problems(w, problems);
  if (read->explain) write_steps(w, trace);
  return w.end_object().take();
}

std::string train(std::string_view request) {
  Problems problems;
  const auto asked = parse_json(request, "", problems);
  if (!asked) return refusal(problems);
  const auto read = read_train_request(*asked, catalog(), problems);
  if (!read) return refusal(problems);
  return read->article ? train_article(*read, problems) : train_detailed(*asked, *read, problems);
}

std::string plan(std::string_view request) {
  Problems problems;
  if (const auto asked = parse_json(request, "", problems)) {
    check_fields(*asked, plan_fields(), problems);
    problems.add(Code::not_available, "", {{"call", "plan"}});
  }
  return refusal(problems);
}

}  // namespace weighbridge::api
