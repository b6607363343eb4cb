#include "weighbridge/api.hpp"

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

using nlohmann::json;

std::string refused(const Problems& problems) { return weighbridge::text(refusal(problems)); }

void warn_of_results(const Request& r, const Estimate& e, Problems& problems) {
  if (!e.has_device || r.method == Method::article) return;
  const auto& device = *r.device;
  if (!e.has_speed) {
    const auto* figure = device.bandwidth.value <= 0 ? "memory bandwidth" : peak(device, Arithmetic::bf16).rate.value <= 0 ? "16-bit peak" : "fp32 peak";
    problems.add(Code::speed_figure_missing, "/device", {{"figure", std::string(figure)}, {"device", device.name}});
  }
  if (e.has_speed && e.capacity.max_concurrency < 1 && e.device.weights > e.device.usable)
    problems.add(Code::weights_do_not_fit, "/device");
  else if (e.capacity.max_concurrency >= 1 && e.concurrency > e.capacity.max_concurrency)
    problems.add(Code::concurrency_beyond_capacity, "/workload/concurrency", {{"concurrency", e.concurrency}, {"capacity", e.capacity.max_concurrency}});
  const bool narrow = e.arithmetic == Arithmetic::fp8 || e.arithmetic == Arithmetic::fp4 || e.arithmetic == Arithmetic::int8;
  if (e.has_speed && narrow && e.arithmetic != e.arithmetic_used)
    problems.add(Code::format_without_hardware, "/weights",
                 {{"device", device.name}, {"format", std::string(arithmetic_name(e.arithmetic))}, {"instead", std::string(arithmetic_name(e.arithmetic_used))}});
}

// What the answer chose itself.
void assume_choices(const Request& r, const Estimate& e, std::vector<Assumption>& assumptions) {
  if (!e.has_device) return;
  if (r.devices.from == From::standard || r.devices.value == 0)
    assumptions.push_back({"/devices", std::to_string(e.layout.devices()), "default", {}});
  if (!r.layout_given && r.method != Method::article)
    assumptions.push_back({"/parallel", weighbridge::text(write_layout(e.layout)), "default", {}});
  if (r.workload.concurrency_max) assumptions.push_back({"/workload/concurrency", weighbridge::text(number(e.concurrency)), "estimated", {}});
}

}  // namespace

std::string version() { return WEIGHBRIDGE_VERSION; }

std::string estimate(std::string_view request) {
  Problems problems;
  const auto asked = parse_json(request, "", problems);
  if (!asked) return refused(problems);
  auto read = read_request(*asked, catalog(), problems);
  if (!read) return refused(problems);
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
  json answer = write_estimate(*read, e);
  answer["basis"] = write_estimate_basis(*read, answer, trace);
  answer["ok"] = true;
  answer["intervals"] = write_intervals(e);
  answer["advice"] = advice(*asked, *read, e, catalog());
  answer["assumptions"] = write_assumptions(read->assumptions);
  answer["problems"] = write_problems(problems);
  if (read->explain) answer["steps"] = write_steps(trace);
  return weighbridge::text(answer);
}

std::string train(std::string_view request) {
  Problems problems;
  const auto asked = parse_json(request, "", problems);
  if (!asked) return refused(problems);
  const auto read = read_train_request(*asked, catalog(), problems);
  if (!read) return refused(problems);
  Trace trace;
  const auto training = article_training(*read, trace, problems);
  json answer = write_training(*read, training);
  answer["basis"] = write_training_basis(*read, answer, trace);
  answer["ok"] = true;
  answer["intervals"] = json::object();
  answer["advice"] = json::array();
  answer["assumptions"] = write_assumptions(read->assumptions);
  answer["problems"] = write_problems(problems);
  if (read->explain) answer["steps"] = write_steps(trace);
  return weighbridge::text(answer);
}

std::string plan(std::string_view request) {
  Problems problems;
  if (const auto asked = parse_json(request, "", problems)) {
    check_fields(*asked, plan_fields(), problems);
    problems.add(Code::not_available, "", {{"call", std::string("plan")}});
  }
  return refused(problems);
}

}  // namespace weighbridge::api
