#include "write_json.hpp"

#include <algorithm>
#include <string>

#include "answer_fields.hpp"
#include "basis.hpp"
#include "json.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

// A count or rate that is 0 only because nothing is known.
json known(double value) { return value > 0 ? number(value) : json(nullptr); }

json param_json(const Param& param) {
  if (const auto* value = std::get_if<double>(&param)) {
    if (*value - *value == 0) return number(*value);
    return *value > 0 ? "Infinity" : *value < 0 ? "-Infinity" : "NaN";
  }
  if (const auto* word = std::get_if<std::string>(&param)) return *word;
  return std::get<std::vector<std::string>>(param);
}

json write_model(const Inventory& m, Bytes weight_bytes, BytesPerToken kv, Bytes windows, Bytes state) {
  return {{"id", m.spec.id}, {"name", m.spec.name}, {"architecture", m.spec.architecture},
          {"parameters", m.parameters}, {"active_parameters", m.active_parameters}, {"mtp_parameters", m.mtp_parameters},
          {"layers", m.spec.layers()}, {"context_tokens", known(static_cast<double>(m.spec.context))},
          {"weight_bytes", number(weight_bytes.value)}, {"kv_bytes_per_token", number(kv.value)},
          {"window_bytes_per_sequence", number(windows.value)}, {"state_bytes_per_sequence", number(state.value)}};
}

json write_per_device(const DeviceMemory& d) {
  return {{"weights", number(d.weights.value)}, {"kv_cache", number(d.kv_cache.value)}, {"activations", number(d.activations.value)},
          {"runtime", number(d.runtime.value)}, {"total", number(d.total.value)}, {"capacity", number(d.capacity.value)},
          {"usable", number(d.usable.value)}, {"headroom", number(d.headroom.value)}, {"fits", d.fits}};
}

json write_memory(const Request& r, const Estimate& e) {
  json roles = json::object();
  for (std::size_t i = 0; i < kRoles; ++i) roles[std::string(role_name(static_cast<Role>(i)))] = number(e.device.weights_by_role[i].value);
  const auto& t = e.total;
  return {{"per_device", e.has_device ? write_per_device(e.device) : json(nullptr)},
          {"total", {{"weights", number(t.weights.value)}, {"kv_cache", number(t.kv_cache.value)}, {"activations", number(t.activations.value)},
                     {"runtime", number(t.runtime.value)}, {"total", number(t.total.value)}}},
          // The ideal engine leaves nothing in system memory.
          {"host", {{"weights", 0}, {"kv_cache", 0}, {"total", 0}, {"capacity", known(r.host_bytes)}, {"fits", true}}},
          {"detail", {{"weights", std::move(roles)},
                      {"runtime", {{"context", 0}, {"libraries", 0}, {"graphs", 0}, {"reserved", number(e.device.reserved.value)}}}}}};
}

json write_capacity(const Capacity& c) {
  return {{"kv_pool", number(c.kv_pool.value)}, {"kv_bytes_per_token", number(c.kv_bytes_per_token.value)}, {"kv_tokens", number(c.kv_tokens)},
          {"max_context_tokens", number(c.max_context_tokens)}, {"max_concurrency", number(c.max_concurrency)},
          {"devices_needed", known(static_cast<double>(c.devices_needed))}};
}

json write_speed(const Speed& s) {
  return {{"prefill", {{"flops", number(s.prefill.flops.value)}, {"seconds", number(s.prefill.seconds.value)},
                       {"tokens_per_s", known(s.prefill.tokens_per_s.value)}, {"bound", bound_name(s.prefill.bound)}}},
          {"decode", {{"bytes_per_step", number(s.decode.bytes.value)}, {"flops_per_step", number(s.decode.flops.value)},
                      {"seconds_per_step", number(s.decode.seconds.value)}, {"tokens_per_s", number(s.decode.tokens_per_s.value)},
                      {"bound", bound_name(s.decode.bound)}}},
          {"ttft_s", number(s.ttft.value)}, {"tpot_s", number(s.tpot.value)}, {"latency_s", number(s.latency.value)},
          {"output_tokens_per_s", number(s.output_tokens_per_s.value)}, {"tokens_per_s_per_user", number(s.tokens_per_s_per_user.value)}};
}

json write_load(const Load& l) {
  return {{"concurrency", number(l.concurrency)}, {"utilisation", number(l.utilisation)}, {"stable", l.stable}, {"queue_s", number(l.queue.value)}};
}

json write_cost(const Cost& c) {
  return {{"usd_per_hour", known(c.usd_per_hour.value)}, {"usd_per_million_output_tokens", known(c.usd_per_million_output_tokens)},
          {"watts", known(c.watts.value)}, {"joules_per_output_token", known(c.joules_per_output_token.value)}};
}

// Every number of the table that this answer has, with its kind.
json write_basis(std::span<const AnswerField> fields, const json& answer, const Basis& basis, Kind model, const Device* device, bool article) {
  json out = json::object();
  for (const auto& field : fields) {
    const auto* value = at_dotted(answer, field.path);
    if (!value || !value->is_number()) continue;
    const bool of_model = field.path.substr(0, 6) == "model.";
    // Searches and loads rest on everything that they search through.
    Kind otherwise = of_model || article ? model : field.path.substr(0, 9) == "capacity." || field.path.substr(0, 5) == "load." ? weakest(Kind::model, model) : Kind::exact;
    if (field.path == "memory.per_device.capacity" && device) otherwise = device->memory_kind;
    out[std::string(field.path)] = kind_name(basis.of(field, otherwise));
  }
  return out;
}

}  // namespace

const json* at_dotted(const json& answer, std::string_view path) {
  const json* at = &answer;
  while (at && !path.empty()) {
    const auto end = std::min(path.find('.'), path.size());
    at = member(*at, path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return at;
}

json write_problems(const Problems& problems) {
  json out = json::array();
  for (const auto& p : problems.list()) {
    json params = json::object();
    for (const auto& [name, param] : p.params) params[std::string(name)] = param_json(param);
    out.push_back({{"severity", severity_name(severity(p.code))}, {"code", code_name(p.code)}, {"path", p.path},
                   {"message", message(p)}, {"params", std::move(params)}});
  }
  return out;
}

json refusal(const Problems& problems) {
  json errors = json::array();
  for (auto& p : write_problems(problems)) errors.push_back(std::move(p));
  return {{"ok", false}, {"problems", std::move(errors)}};
}

json write_steps(const Trace& trace) {
  json out = json::array();
  for (const auto& s : trace.steps()) {
    json inputs = json::array();
    for (const auto& i : s.inputs) {
      json input{{"name", i.name}, {"from", from_name(i.from)}};
      if (i.is_vector) {
        json values = json::array();
        for (const double v : i.vector) values.push_back(number(v));
        input["value"] = std::move(values);
      } else {
        input["value"] = number(i.value);
      }
      if (i.from == From::step) {
        input["step"] = formula(i.step).name;
        if (!i.of.empty()) input["of"] = i.of;
      }
      inputs.push_back(std::move(input));
    }
    json step{{"id", formula(s.id).name}, {"value", number(s.value)}, {"inputs", std::move(inputs)}};
    if (!s.of.empty()) step["of"] = s.of;
    if (!s.rows.empty()) step["rows"] = s.rows;
    out.push_back(std::move(step));
  }
  return out;
}

json write_layout(const Layout& l) { return {{"tensor", l.tensor}, {"pipeline", l.pipeline}, {"data", l.data}, {"expert", l.expert}}; }

json write_estimate(const Request& r, const Estimate& e) {
  return {{"model", write_model(*r.model, e.weight_bytes, e.kv_bytes_per_token, e.window_bytes_per_sequence, e.state_bytes_per_sequence)},
          {"memory", write_memory(r, e)},
          {"capacity", e.has_device ? write_capacity(e.capacity) : json(nullptr)},
          {"speed", e.has_speed ? write_speed(e.speed) : json(nullptr)},
          {"load", e.has_speed ? write_load(e.load) : json(nullptr)},
          {"cost", e.has_speed ? write_cost(e.cost) : json(nullptr)}};
}

json write_intervals(const Estimate& e) {
  json out = json::object();
  if (!e.has_speed) return out;
  const auto put = [&](const char* path, auto of) {
    const double a = of(e.slow), b = of(e.fast), value = of(e.speed);
    if (!(a - a == 0) || !(b - b == 0) || (a == value && b == value)) return;
    out[path] = {number(std::min({a, b, value})), number(std::max({a, b, value}))};
  };
  put("speed.prefill.seconds", [](const Speed& s) { return s.prefill.seconds.value; });
  put("speed.prefill.tokens_per_s", [](const Speed& s) { return s.prefill.tokens_per_s.value; });
  put("speed.decode.seconds_per_step", [](const Speed& s) { return s.decode.seconds.value; });
  put("speed.decode.tokens_per_s", [](const Speed& s) { return s.decode.tokens_per_s.value; });
  put("speed.ttft_s", [](const Speed& s) { return s.ttft.value; });
  put("speed.tpot_s", [](const Speed& s) { return s.tpot.value; });
  put("speed.latency_s", [](const Speed& s) { return s.latency.value; });
  put("speed.output_tokens_per_s", [](const Speed& s) { return s.output_tokens_per_s.value; });
  put("speed.tokens_per_s_per_user", [](const Speed& s) { return s.tokens_per_s_per_user.value; });
  return out;
}

json write_estimate_basis(const Request& r, const json& answer, const Trace& trace) {
  const auto* device = r.device ? &*r.device : nullptr;
  return write_basis(estimate_answer(), answer, Basis(trace, r.model_kind, device), r.model_kind, device, r.method == Method::article);
}

json write_assumptions(const std::vector<Assumption>& assumptions) {
  json out = json::array();
  for (const auto& a : assumptions) {
    json row{{"path", a.path}, {"value", json::parse(a.value, nullptr, false)}, {"from", a.from}};
    if (!a.source.empty()) row["source"] = a.source;
    out.push_back(std::move(row));
  }
  return out;
}

json write_training(const TrainRequest& r, const ArticleTraining& t) {
  const auto devices = static_cast<double>(r.devices.value);
  const auto each = [&](Bytes b) { return number(b.value / devices); };
  auto model = write_model(*r.model, t.weights, {}, {}, {});
  for (const auto* key : {"kv_bytes_per_token", "window_bytes_per_sequence", "state_bytes_per_sequence"}) model.erase(key);
  model["trainable_parameters"] = number(r.trainable_parameters);
  json memory{{"weights", each(t.weights)}, {"gradients", each(t.gradients)}, {"optimizer", each(t.optimizer)}, {"activations", each(t.activations)},
              {"logits", 0}, {"kv_cache", each(t.kv_cache)}, {"runtime", 0}, {"total", each(t.total)},
              {"capacity", nullptr}, {"usable", nullptr}, {"headroom", nullptr}, {"fits", nullptr}};
  if (r.device) {
    const double capacity = r.device->marketed.value, headroom = capacity - t.total.value / devices;
    memory["capacity"] = memory["usable"] = number(capacity);
    memory["headroom"] = number(headroom);
    memory["fits"] = headroom >= 0;
  }
  json moment{{"moment", "step"}, {"weights", each(t.weights)}, {"gradients", each(t.gradients)}, {"optimizer", each(t.optimizer)},
              {"activations", each(t.activations)}, {"logits", 0}, {"runtime", 0}, {"kv_cache", each(t.kv_cache)}, {"total", each(t.total)}};
  return {{"model", std::move(model)},
          {"memory", {{"per_device", std::move(memory)}, {"host", {{"total", 0}}}}},
          {"timeline", json::array({std::move(moment)})},
          {"speed", nullptr},
          {"article", {{"additional_bytes_per_parameter", {12, 20}},
                       {"range_bytes", {number(t.range_low.value), number(t.range_high.value)}},
                       {"factor_range_bytes", {number(t.factor_low.value), number(t.factor_high.value)}}}}};
}

json write_training_basis(const TrainRequest& r, const json& answer, const Trace& trace) {
  const auto* device = r.device ? &*r.device : nullptr;
  return write_basis(train_answer(), answer, Basis(trace, r.model_kind, device), r.model_kind, device, true);
}

}  // namespace weighbridge
