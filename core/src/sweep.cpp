// sweep(): one request along one axis, as columns.
#include <limits>

#include "json.hpp"
#include "read/fields.hpp"
#include "read/json_text.hpp"
#include "weighbridge/api.hpp"
#include "weighbridge/article.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/estimate.hpp"
#include "write_json.hpp"

namespace weighbridge::api {

namespace {

using nlohmann::json;

constexpr std::size_t kMostValues = 10'000, kMostOutputs = 100;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Only the numbers of an answer: no trace, no basis, no advice. Null when the request is refused.
json figures(std::string_view call, const json& request) {
  Problems problems;
  const auto& formats = catalog().formats();
  Trace trace;
  if (call == "train") {
    const auto read = read_train_request(request, catalog(), problems);
    return read ? write_training(*read, article_training(*read, trace, problems)) : json(nullptr);
  }
  const auto read = read_request(request, catalog(), problems);
  if (!read) return nullptr;
  if (read->method == Method::article) return write_estimate(*read, article_estimate(*read, formats, trace, problems));
  Stored stored;
  store(*read, formats, stored);
  return write_estimate(*read, weighbridge::estimate(*read, formats, stored));
}

struct Axis {
  json request;
  std::string call = "estimate";
  std::string path;
  std::vector<json> values;
  std::vector<std::string> outputs;
};

// A pointer that nlohmann_json can follow without an exception: it starts with '/', and every '~' is escaped.
bool is_pointer(std::string_view path) {
  if (path.empty() || path[0] != '/') return false;
  for (std::size_t i = 0; i < path.size(); ++i)
    if (path[i] == '~' && (i + 1 == path.size() || (path[i + 1] != '0' && path[i + 1] != '1'))) return false;
  return true;
}

// Sets the member at `path`, making objects on the way; false when something there is no object.
bool put(json& request, std::string_view path, const json& value) {
  json* at = &request;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    std::string token;
    for (std::size_t i = 0; i < end; ++i) {
      if (path[i] == '~' && i + 1 < end) token += path[++i] == '1' ? '/' : '~';
      else token += path[i];
    }
    path.remove_prefix(end);
    if (at->is_null()) *at = json::object();
    if (!at->is_object()) return false;
    at = &(*at)[token];
  }
  *at = value;
  return true;
}

std::optional<Axis> read_axis(const json& sweep, Problems& problems) {
  check_fields(sweep, sweep_fields(), problems);
  if (!sweep.is_object()) return std::nullopt;
  Axis axis;
  const auto missing = [&](std::string_view path, std::string_view name) { problems.add(Code::missing_field, std::string(path), {{"name", std::string(name)}}); };
  if (const auto* call = value_at(sweep, "/call")) axis.call = as_text(*call);
  const auto* request = value_at(sweep, "/request");
  if (!request) missing("", "request");
  else axis.request = *request;
  const auto* path = value_at(sweep, "/vary/path");
  if (!path) missing("/vary", "path");
  else if (path->is_string()) {
    axis.path = as_text(*path);
    const auto fields = axis.call == "train" ? train_fields() : estimate_fields();
    std::vector<std::string> known;
    bool found = false;
    for (const auto& f : fields) {
      known.emplace_back(f.path);
      found = found || f.path == axis.path;
    }
    if (!is_pointer(axis.path) || (!found && axis.path.rfind("/model/config/", 0) != 0)) {
      Params params{{"value", axis.path}};
      if (auto near = nearest(axis.path, known); !near.empty()) params.emplace_back("nearest", std::move(near));
      problems.add(Code::unknown_value, "/vary/path", std::move(params));
    }
  }
  const auto* values = value_at(sweep, "/vary/values");
  if (!values) missing("/vary", "values");
  else if (values->is_array()) {
    if (values->size() > kMostValues)
      problems.add(Code::out_of_range, "/vary/values", {{"value", static_cast<double>(values->size())}, {"max", static_cast<double>(kMostValues)}, {"unit", std::string("values")}});
    axis.values.assign(values->begin(), values->end());
  }
  const auto* outputs = value_at(sweep, "/outputs");
  if (!outputs) missing("", "outputs");
  else if (outputs->is_array()) {
    if (outputs->size() > kMostOutputs)
      problems.add(Code::out_of_range, "/outputs", {{"value", static_cast<double>(outputs->size())}, {"max", static_cast<double>(kMostOutputs)}, {"unit", std::string("paths")}});
    for (const auto& output : *outputs) axis.outputs.emplace_back(as_text(output));
  }
  if (problems.has_errors()) return std::nullopt;
  return axis;
}

}  // namespace

Sweep sweep(std::string_view request) {
  Problems problems;
  const auto asked = parse_json(request, "", problems);
  auto axis = asked ? read_axis(*asked, problems) : std::nullopt;
  if (!axis) return {weighbridge::text(refusal(problems)), {}};
  const auto rows = axis->values.size();
  Sweep out;
  out.values.assign(rows * axis->outputs.size(), kNone);
  for (std::size_t i = 0; i < rows; ++i) {
    if (!put(axis->request, axis->path, axis->values[i])) continue;
    const auto answer = figures(axis->call, axis->request);
    if (answer.is_null()) continue;
    for (std::size_t column = 0; column < axis->outputs.size(); ++column) {
      const auto* value = at_dotted(answer, axis->outputs[column]);
      if (value && value->is_number()) out.values[column * rows + i] = value->get<double>();
    }
  }
  out.json = weighbridge::text(json{{"ok", true}, {"columns", axis->outputs}, {"length", rows}, {"problems", json::array()}});
  return out;
}

}  // namespace weighbridge::api
