#include "write_json.hpp"

#include <algorithm>

#include "basis.hpp"

namespace weighbridge {

namespace {

void write_param(JsonWriter& w, const Param& param) {
  if (const auto* value = std::get_if<double>(&param)) {
    if (*value - *value == 0) w.number(*value);
    else w.text(*value > 0 ? "Infinity" : *value < 0 ? "-Infinity" : "NaN");
  } else if (const auto* word = std::get_if<std::string>(&param)) {
    w.text(*word);
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&param)) {
    w.begin_array();
    for (const auto& item : *list) w.text(item);
    w.end_array();
  }
}

std::vector<std::string_view> parts_of(std::string_view dotted) {
  std::vector<std::string_view> parts;
  while (!dotted.empty()) {
    const auto end = std::min(dotted.find('.'), dotted.size());
    parts.push_back(dotted.substr(0, end));
    dotted.remove_prefix(std::min(end + 1, dotted.size()));
  }
  return parts;
}

void write_value(JsonWriter& w, const AnswerField& f, const Answered& a) {
  if (f.text) {
    w.text(f.text(a));
    return;
  }
  const double value = f.value(a);
  if (f.second) {
    w.begin_array().number(value).number(f.second(a)).end_array();
  } else if (f.type == AnswerType::boolean && value - value == 0) {
    w.boolean(value != 0);
  } else {
    w.number(value);
  }
}

}  // namespace

std::string refusal(const Problems& problems) {
  JsonWriter w;
  w.begin_object().member("ok", false);
  write_problems(w, problems);
  return w.end_object().take();
}

void write_problems(JsonWriter& w, const Problems& problems) {
  w.key("problems").begin_array();
  for (const auto& p : problems.list()) {
    w.begin_object().member("severity", severity_name(severity(p.code))).member("code", code_name(p.code));
    w.member("path", p.path).member("message", message(p)).key("params").begin_object();
    for (const auto& [name, param] : p.params) write_param(w.key(name), param);
    w.end_object().end_object();
  }
  w.end_array();
}

void write_steps(JsonWriter& w, const Trace& trace) {
  w.key("steps").begin_array();
  for (const auto& s : trace.steps()) {
    w.begin_object().member("id", formula(s.id).name);
    if (!s.of.empty()) w.member("of", s.of);
    w.member("value", s.value).key("inputs").begin_array();
    for (const auto& i : s.inputs) {
      w.begin_object().member("name", i.name).key("value");
      if (i.is_vector) {
        w.begin_array();
        for (const double v : i.vector) w.number(v);
        w.end_array();
      } else {
        w.number(i.value);
      }
      w.member("from", from_name(i.from));
      if (i.from == From::step) {
        w.member("step", formula(i.step).name);
        if (!i.of.empty()) w.member("of", i.of);
      }
      w.end_object();
    }
    w.end_array();
    if (!s.rows.empty()) {
      w.key("rows").begin_array();
      for (const auto& row : s.rows) w.text(row);
      w.end_array();
    }
    w.end_object();
  }
  w.end_array();
}

void write_figures(JsonWriter& w, std::span<const AnswerField> fields, const Answered& answered) {
  std::vector<std::string_view> open;
  std::string_view absent;
  for (const auto& f : fields) {
    if (!absent.empty() && f.path.substr(0, absent.size()) == absent && f.path.size() > absent.size() && f.path[absent.size()] == '.') continue;
    const bool is_object = f.type == AnswerType::object;
    if (is_object && f.value(answered) != 0) continue;           // its members open it
    const auto parts = parts_of(f.path);
    std::size_t same = 0;
    while (same < open.size() && same + 1 < parts.size() && open[same] == parts[same]) ++same;
    for (; open.size() > same; open.pop_back()) w.end_object();
    for (; open.size() + 1 < parts.size(); open.push_back(parts[open.size()])) w.key(parts[open.size()]).begin_object();
    w.key(parts.back());
    if (is_object) {
      absent = f.path;
      w.null();
    } else {
      write_value(w, f, answered);
    }
  }
  for (; !open.empty(); open.pop_back()) w.end_object();
}

void write_basis(JsonWriter& w, std::span<const AnswerField> fields, const Answered& answered, const Trace& trace) {
  const bool serving = answered.request != nullptr;
  const auto model = serving ? answered.request->model_kind : answered.training_request->model_kind;
  const auto& of_request = serving ? answered.request->device : answered.training_request->device;
  const auto* device = of_request ? &*of_request : nullptr;
  const bool article = serving ? answered.request->method == Method::article : answered.training_request->article;
  const Basis basis(trace, model, device);
  w.key("basis").begin_object();
  for (const auto& f : fields) {
    const double value = answer_number(fields, f, answered);
    if (f.type == AnswerType::boolean || !(value - value == 0)) continue;
    const auto starts = [&](std::string_view with) { return f.path.substr(0, with.size()) == with; };
    // A number without a step of its own is a figure of the model or the device, or is found by search over all the others.
    auto otherwise = Kind::exact;
    if (starts("model.") || article) otherwise = model;
    else if (starts("capacity.") || starts("load.")) otherwise = weakest(Kind::model, model);
    else if (!serving) otherwise = weakest(Kind::model, model);
    if (f.path == "memory.per_device.capacity" && device) otherwise = device->memory_kind;
    w.member(f.path, kind_name(basis.of(f, otherwise)));
  }
  w.end_object();
}

// The range around a figure of the memory, where measurements gave one; equal ends: none.
Range range_of(std::string_view path, double value, const Estimate& e, const Ranges& ranges) {
  const auto factors = [&](MeasuredPart part) { return ranges[static_cast<std::size_t>(part)]; };
  const auto ends = [&](MeasuredPart part) { return Range{value * factors(part).low, value * factors(part).high}; };
  const auto is = [&](std::string_view end) { return path.size() >= end.size() && path.substr(path.size() - end.size()) == end; };
  if (is(".activations")) return ends(MeasuredPart::activations);
  if (is("runtime.libraries")) return ends(MeasuredPart::libraries);
  if (is("runtime.graphs")) return ends(MeasuredPart::graphs);
  if (is("runtime.context")) return ends(MeasuredPart::context);
  if (is(".total.total") || is("per_device.total")) return ends(MeasuredPart::total);
  if (is("capacity.kv_pool") || is("capacity.kv_tokens")) return ends(MeasuredPart::pool);
  const auto& d = e.device;
  if (is(".runtime") && d.runtime.value > 0) {
    const auto l = factors(MeasuredPart::libraries), g = factors(MeasuredPart::graphs), c = factors(MeasuredPart::context);
    const double devices = value / d.runtime.value;
    return {value + devices * ((l.low - 1) * d.libraries + (g.low - 1) * d.graphs + (c.low - 1) * d.context).value,
            value + devices * ((l.high - 1) * d.libraries + (g.high - 1) * d.graphs + (c.high - 1) * d.context).value};
  }
  if (is("per_device.headroom")) {
    const auto t = factors(MeasuredPart::total);
    return {value - (t.high - 1) * d.total.value, value - (t.low - 1) * d.total.value};
  }
  return {};
}

void write_memory_intervals(JsonWriter& w, const Answered& answered) {
  for (const auto& f : estimate_answer()) {
    if (f.path.substr(0, 6) == "speed.") break;
    const double value = answer_number(estimate_answer(), f, answered);
    if (value - value != 0) continue;
    const auto range = range_of(f.path, value, *answered.estimate, answered.request->engine.ranges);
    if (range.low < range.high) w.key(f.path).begin_array().number(range.low).number(range.high).end_array();
  }
}

namespace {

// Times scale with the step, rates against it; memory as a whole.
void write_training_intervals(JsonWriter& w, const Answered& answered) {
  const auto& t = *answered.trained;
  for (const auto& f : train_answer()) {
    const bool total = f.path == "memory.per_device.total", speed = f.path.substr(0, 6) == "speed." && f.path != "speed.flops_per_token";
    if (!total && !speed) continue;
    const double x = answer_number(train_answer(), f, answered);
    if (!(x - x == 0)) continue;
    const bool rate = f.path == "speed.mfu" || f.path == "speed.tflops_per_device" || f.path.substr(0, 18) == "speed.tokens_per_s";
    const double low = total ? t.memory_low : rate ? t.speed_low : 1 / t.speed_high, high = total ? t.memory_high : rate ? t.speed_high : 1 / t.speed_low;
    w.key(f.path).begin_array().number(x * low).number(x * high).end_array();
  }
}

}  // namespace

void write_intervals(JsonWriter& w, const Answered& answered) {
  w.key("intervals").begin_object();
  if (answered.estimate && answered.request && answered.request->method != Method::article) write_memory_intervals(w, answered);
  if (answered.estimate && answered.estimate->has_speed) {
    auto slow = *answered.estimate, fast = *answered.estimate;
    slow.speed = answered.estimate->slow;
    fast.speed = answered.estimate->fast;
    const auto at = [&](const AnswerField& f, const Estimate& e) {
      auto other = answered;
      other.estimate = &e;
      return answer_number(estimate_answer(), f, other);
    };
    for (const auto& f : estimate_answer()) {
      if (f.path.substr(0, 6) != "speed.") continue;
      const double a = at(f, slow), b = at(f, fast);
      if (a != b && a - a == 0 && b - b == 0) w.key(f.path).begin_array().number(std::min(a, b)).number(std::max(a, b)).end_array();
    }
  }
  if (answered.trained) write_training_intervals(w, answered);
  w.end_object();
}

void write_assumptions(JsonWriter& w, const std::vector<Assumption>& assumptions) {
  w.key("assumptions").begin_array();
  for (const auto& a : assumptions) {
    w.begin_object().member("path", a.path).key("value").raw(a.value).member("from", a.from);
    if (!a.source.empty()) w.member("source", a.source);
    w.end_object();
  }
  w.end_array();
}

std::string layout_text(const Layout& l) {
  JsonWriter w;
  w.begin_object().member("tensor", static_cast<double>(l.tensor)).member("pipeline", static_cast<double>(l.pipeline));
  return w.member("data", static_cast<double>(l.data)).member("expert", static_cast<double>(l.expert)).end_object().take();
}

}  // namespace weighbridge
