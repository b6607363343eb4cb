// Evaluates the texts of the formula table, so that a test can compute every shown step again from its own text.
//
// Grammar: + - * / ^ and parentheses, numbers, snake_case names, min max ceil floor sqrt sum. A name may stand for a
// vector only inside sum(), where everything is elementwise.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge_test {

struct Value {
  bool is_vector = false;
  double scalar = 0;
  std::vector<double> vector;

  Value() = default;
  Value(double number) : scalar(number) {}                                          // NOLINT: a number is a value
  Value(std::vector<double> numbers) : is_vector(true), vector(std::move(numbers)) {}    // NOLINT
};

using Names = std::map<std::string, Value, std::less<>>;

struct Evaluated {
  double value = 0;
  std::string error;                 // empty: `value` holds
  bool ok() const { return error.empty(); }
};

Evaluated evaluate(std::string_view text, const Names& names);

// Every name in `text` that is no function, once each, in order of appearance.
std::vector<std::string> names_in(std::string_view text);

}  // namespace weighbridge_test
