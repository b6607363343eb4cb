// sweep(): one request along one axis, as columns.
#include <algorithm>
#include <limits>

#include "answer_fields.hpp"
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
json figures(std::string_view call, const json& request, Problems& problems) {
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

// Sets the member at `path`, making objects on the way: {"devices": 2} becomes {"devices": {"count": …}}.
void put(json& request, std::string_view path, const json& value) {
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
    if (!at->is_object()) *at = json::object();
    at = &(*at)[token];
  }
  *at = value;
}

// A misspelt output would be a column without a single value.
void check_outputs(const json& outputs, std::span<const AnswerField> fields, Problems& problems) {
  std::vector<std::string> known;
  for (const auto& f : fields)
    if (f.type == AnswerType::number || f.type == AnswerType::integer || f.type == AnswerType::boolean) known.emplace_back(f.path);
  for (std::size_t i = 0; i < outputs.size() && i < kMostOutputs; ++i) {
    if (!outputs[i].is_string()) continue;                                     // already a problem
    const std::string output(as_text(outputs[i]));
    if (std::find(known.begin(), known.end(), output) != known.end()) continue;
    Params params{{"value", output}};
    if (auto near = nearest(output, known); !near.empty()) params.emplace_back("nearest", std::move(near));
    problems.add(Code::unknown_value, pointer("/outputs", std::to_string(i)), std::move(params));
  }
}

// Where a problem of one row lies in the request of the sweep.
std::string path_in_sweep(const Axis& axis, const std::string& path, std::size_t row) {
  const bool varied = path.compare(0, axis.path.size(), axis.path) == 0 && (path.size() == axis.path.size() || path[axis.path.size()] == '/');
  return varied ? "/vary/values/" + std::to_string(row) + path.substr(axis.path.size()) : "/request" + path;
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
    check_outputs(*outputs, axis.call == "train" ? train_answer() : estimate_answer(), problems);
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
  bool answered = rows == 0;
  Problems refused;                                    // what stands against the first row
  for (std::size_t i = 0; i < rows; ++i) {
    put(axis->request, axis->path, axis->values[i]);
    Problems of_row;
    const auto answer = figures(axis->call, axis->request, of_row);
    if (answer.is_null()) {
      if (!answered && refused.empty())
        for (const auto& p : of_row.list()) refused.add(p.code, path_in_sweep(*axis, p.path, i), p.params);
      continue;
    }
    answered = true;
    for (std::size_t column = 0; column < axis->outputs.size(); ++column) {
      const auto* value = at_dotted(answer, axis->outputs[column]);
      if (!value) continue;
      auto& cell = out.values[column * rows + i];
      if (value->is_number()) cell = value->get<double>();
      else if (value->is_boolean()) cell = value->get<bool>() ? 1 : 0;
    }
  }
  // No row at all: the request itself is wrong, and says so as in the call that is varied.
  if (!answered && refused.has_errors()) return {weighbridge::text(refusal(refused)), {}};
  out.json = weighbridge::text(json{{"ok", true}, {"columns", axis->outputs}, {"length", rows}, {"problems", json::array()}});
  return out;
}

}  // namespace weighbridge::api
