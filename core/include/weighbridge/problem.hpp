// What can be wrong with an input, said so that its author can mend it.
//
// Readers never stop at the first problem: they collect all of them in Problems. The English text of a problem is made
// from one table (problem.cpp) by its code and params; other languages use the same code and params.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weighbridge {

enum class Severity { error, warning, note };

// Closed list. Names are public (describe().problems); the table in problem.cpp has one row for each, in this order.
enum class Code {
  // errors in the text itself
  not_json, too_large, too_deep, broken_text, duplicate_key, not_finite, not_json_value, cycle,
  // errors in the request
  wrong_type, unknown_field, missing_field, out_of_range, unknown_value, unknown_model, unknown_device,
  unknown_weight_format, unknown_kv_format, unknown_engine, does_not_divide, devices_mismatch, conflicting_fields,
  missing_figure, not_available, unknown_lora_target, framework_forbids,
  // errors in a model or a file
  config_missing_key, config_bad_value, config_contradiction, unsupported_model, unsupported_file, different_models, needs_more_bytes,
  // this is ours, not the caller's
  internal_error,
  // warnings: the answer is given
  context_beyond_model, option_without_effect, unknown_engine_version, engine_as_ideal, concurrency_beyond_capacity, rate_beyond_capacity,
  weights_do_not_fit, unknown_architecture, config_key_ignored, format_without_hardware, speed_figure_missing,
  mixed_devices, files_disagree, model_taken_for, engine_refuses, experts_drop_tokens,
  // notes
  article_part_unknown, assumed_shape, kv_heads_replicated, assumed_from_tensors, file_not_needed,
  kCount
};

using Param = std::variant<double, std::string, std::vector<std::string>>;
using Params = std::vector<std::pair<std::string_view, Param>>;   // names are string literals

// A param on its way into a Problem: refers to the caller's value, so that the many places that report stay small. One that
// says nothing (an empty text, a limit that is not finite) is dropped, unless it is the value itself.
struct Named {
  std::string_view name;
  double number = 0;
  std::string_view text = {};
  const std::vector<std::string>* list = nullptr;
  bool is_number = false;

  constexpr Named(std::string_view n, double v) : name(n), number(v), is_number(true) {}
  constexpr Named(std::string_view n, std::string_view v) : name(n), text(v) {}
  constexpr Named(std::string_view n, const char* v) : name(n), text(v) {}
  Named(std::string_view n, const std::string& v) : name(n), text(v) {}
  Named(std::string_view n, const std::vector<std::string>& v) : name(n), list(&v) {}
};

struct Problem {
  Code code;
  std::string path;                                             // JSON Pointer into the request
  Params params;
};

std::string_view code_name(Code code);
Severity severity(Code code);
std::string_view summary(Code code);                            // the text with its placeholders, for describe()
std::string message(const Problem& problem);                    // the text with its params put in
std::string_view severity_name(Severity severity);

class Problems {
 public:
  void add(Code code, std::string_view path, std::initializer_list<Named> params = {});
  void add(const Problem& problem);              // found by another list
  bool has_errors() const { return errors_ > 0; }
  bool empty() const { return list_.empty(); }
  const std::vector<Problem>& list() const { return list_; }

 private:
  std::vector<Problem> list_;
  int errors_ = 0;
};

// The candidate nearest to `word` by edit distance (case, '-', '_', '.', '/' and spaces are near to nothing);
// empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// Appends one reference token to a JSON Pointer, escaped as RFC 6901 says.
std::string pointer(std::string_view base, std::string_view token);

}  // namespace weighbridge
