// sweep(): one request along one axis, as columns.
#include <limits>

#include "json.hpp"
#include "read/fields.hpp"
#include "read/json_text.hpp"
#include "weighbridge/api.hpp"
#include "weighbridge/catalog.hpp"
#include "write_json.hpp"

namespace weighbridge::api {

namespace {

using nlohmann::json;

constexpr std::size_t kMostValues = 10'000, kMostOutputs = 100;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Axis {
  json request;
  bool training = false;
  std::string path;
  const json* values = nullptr;
  std::vector<const AnswerField*> outputs;

  std::span<const AnswerField> answer() const { return training ? train_answer() : estimate_answer(); }
};

void check_length(const json& list, std::string_view path, std::size_t most, std::string_view unit, Problems& problems) {
  if (list.size() > most)
    problems.add(Code::out_of_range, path, {{"value", static_cast<double>(list.size())}, {"max", static_cast<double>(most)}, {"unit", unit}});
}

// The table's row of that path; a problem with the nearest one when there is none.
template <class Row>
const Row* find_row(std::span<const Row> rows, std::string_view path, const std::string& place, Problems& problems) {
  std::vector<std::string> known;
  for (const auto& row : rows) {
    if (row.path == path) return &row;
    known.emplace_back(row.path);
  }
  problems.add(Code::unknown_value, place, {{"value", path}, {"nearest", nearest(path, known)}});
  return nullptr;
}

std::optional<Axis> read_axis(const json& sweep, Problems& problems) {
  check_fields(sweep, sweep_fields(), problems);
  if (!sweep.is_object()) return std::nullopt;
  Axis axis;
  const auto required = [&](std::string_view path, std::string_view parent, std::string_view name) {
    const auto* value = value_at(sweep, path);
    if (!value) problems.add(Code::missing_field, parent, {{"name", name}});
    return value && is_valid(*value, field_at(sweep_fields(), path)) ? value : nullptr;
  };
  if (const auto* call = value_at(sweep, "/call")) axis.training = as_text(*call) == "train";
  if (const auto* request = required("/request", "", "request")) axis.request = *request;
  if (const auto* path = required("/vary/path", "/vary", "path")) {
    axis.path = as_text(*path);
    if (axis.path.rfind("/model/config/", 0) != 0) find_row(axis.training ? train_fields() : estimate_fields(), axis.path, "/vary/path", problems);
  }
  if ((axis.values = required("/vary/values", "/vary", "values"))) check_length(*axis.values, "/vary/values", kMostValues, "values", problems);
  if (const auto* outputs = required("/outputs", "", "outputs")) {
    check_length(*outputs, "/outputs", kMostOutputs, "paths", problems);
    for (std::size_t i = 0; i < outputs->size() && i < kMostOutputs; ++i)
      axis.outputs.push_back(find_row(axis.answer(), as_text((*outputs)[i]), pointer("/outputs", std::to_string(i)), problems));
  }
  if (problems.has_errors()) return std::nullopt;
  return axis;
}

// The figures of one answer, without trace, basis and advice. False when the request is refused.
template <class Take>
bool answer(const Axis& axis, Problems& problems, Take take) {
  const auto& formats = catalog().formats();
  Trace trace;
  if (axis.training) {
    const auto read = read_train_request(axis.request, catalog(), problems);
    if (!read) return false;
    if (!read->article) {
      const auto trained = training(*read, catalog());
      take(Answered{.model = read->model.get(), .training_request = &*read, .trained = &trained});
      return true;
    }
    const auto training = article_training(*read, trace, problems);
    take(Answered{.model = read->model.get(), .training_request = &*read, .training = &training});
    return true;
  }
  const auto read = read_request(axis.request, catalog(), problems);
  if (!read) return false;
  Stored stored;
  if (read->method == Method::detailed) store(*read, formats, stored);
  const auto e = read->method == Method::article ? article_estimate(*read, formats, trace, problems) : estimate(*read, formats, stored);
  take(Answered{.model = read->model.get(), .request = &*read, .estimate = &e});
  return true;
}

// Where a problem of one row lies in the request of the sweep.
std::string path_in_sweep(const Axis& axis, std::string_view path, std::size_t row) {
  const auto size = axis.path.size();
  const bool varied = path.substr(0, size) == axis.path && (path.size() == size || path[size] == '/');
  return varied ? "/vary/values/" + std::to_string(row) + std::string(path.substr(size)) : "/request" + std::string(path);
}

}  // namespace

Sweep sweep(std::string_view request) {
  Problems problems;
  const auto asked = parse_json(request, "", problems);
  auto axis = asked ? read_axis(*asked, problems) : std::nullopt;
  if (!axis) return {refusal(problems), {}};
  const auto rows = axis->values->size();
  Sweep out;
  out.values.assign(rows * axis->outputs.size(), kNone);
  bool answered = rows == 0;
  for (std::size_t i = 0; i < rows; ++i) {
    Problems of_row;
    set_at(axis->request, axis->path, (*axis->values)[i]);
    const bool good = answer(*axis, of_row, [&](const Answered& a) {
      for (std::size_t column = 0; column < axis->outputs.size(); ++column)
        out.values[column * rows + i] = answer_number(axis->answer(), *axis->outputs[column], a);
    });
    answered = answered || good;
    if (answered || !problems.empty()) continue;
    for (auto problem : of_row.list()) {                         // what stands against the first row
      problem.path = path_in_sweep(*axis, problem.path, i);
      problems.add(problem);
    }
  }
  // No row at all: the request itself is wrong, and says so as in the call that is varied.
  if (!answered && problems.has_errors()) return {refusal(problems), {}};
  JsonWriter w;
  w.begin_object().member("ok", true).key("columns").begin_array();
  for (const auto* output : axis->outputs) w.text(output->path);
  w.end_array().member("length", static_cast<double>(rows)).key("problems").begin_array().end_array();
  out.json = w.end_object().take();
  return out;
}

}  // namespace weighbridge::api
