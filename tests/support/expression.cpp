#include "support/expression.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace weighbridge_test {
namespace {

constexpr std::array<std::string_view, 6> kFunctions{"min", "max", "ceil", "floor", "sqrt", "sum"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_function(std::string_view word) { return std::find(kFunctions.begin(), kFunctions.end(), word) != kFunctions.end(); }

class Parser {
 public:
  Parser(std::string_view text, const Names& names) : text_(text), names_(names) {}

  Evaluated run() {
    const Value value = sum_of_terms();
    skip_spaces();
    if (error_.empty() && at_ < text_.size()) fail("unexpected '" + std::string(1, text_[at_]) + "'");
    return {value.scalar, error_};
  }

 private:
  void fail(std::string why) {
    if (error_.empty()) error_ = std::move(why) + " at " + std::to_string(at_);
    at_ = text_.size();
  }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool take(char c) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!take(c)) fail(std::string("expected '") + c + "'");
  }

  template <class F>
  Value apply(const Value& a, const Value& b, F f) {
    if (!a.is_vector && !b.is_vector) return f(a.scalar, b.scalar);
    if (a.is_vector && b.is_vector && a.vector.size() != b.vector.size()) {
      fail("vectors of different lengths");
      return {};
    }
    std::vector<double> out(a.is_vector ? a.vector.size() : b.vector.size());
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = f(a.is_vector ? a.vector[i] : a.scalar, b.is_vector ? b.vector[i] : b.scalar);
    return out;
  }

  Value sum_of_terms() {
    Value left = product();
    while (true) {
      if (take('+')) left = apply(left, product(), [](double a, double b) { return a + b; });
      else if (take('-')) left = apply(left, product(), [](double a, double b) { return a - b; });
      else return left;
    }
  }

  Value product() {
    Value left = sign();
    while (true) {
      if (take('*')) left = apply(left, sign(), [](double a, double b) { return a * b; });
      else if (take('/')) left = apply(left, sign(), [](double a, double b) { return a / b; });
      else return left;
    }
  }

  // -a ^ b is -(a ^ b), and a ^ b ^ c is a ^ (b ^ c), as in writing.
  Value sign() {
    if (take('-')) return apply(0.0, sign(), [](double a, double b) { return a - b; });
    Value base = operand();
    if (take('^')) return apply(base, sign(), [](double a, double b) { return std::pow(a, b); });
    return base;
  }

  Value operand() {
    if (++depth_ > 200) fail("too deep");
    Value out;
    if (take('(')) {
      out = sum_of_terms();
      expect(')');
    } else if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) {
      out = number();
    } else if (at_ < text_.size() && is_letter(text_[at_])) {
      out = name_or_call();
    } else {
      fail("expected a number, a name or '('");
    }
    --depth_;
    return out;
  }

  Value number() {
    const auto from = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    const std::string digits(text_.substr(from, at_ - from));
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (*end != '\0') fail("no number: " + digits);
    return value;
  }

  Value name_or_call() {
    const auto from = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const auto word = text_.substr(from, at_ - from);
    if (is_function(word)) return call(word);
    const auto found = names_.find(word);
    if (found == names_.end()) {
      fail("unknown name " + std::string(word));
      return {};
    }
    if (found->second.is_vector && !in_sum_) fail("vector " + std::string(word) + " outside sum()");
    return found->second;
  }

  Value call(std::string_view function) {
    expect('(');
    if (function == "sum") return sum();
    Value out = sum_of_terms();
    if (function == "min" || function == "max") {
      const bool least = function == "min";
      int arguments = 1;
      for (; take(','); ++arguments)
        out = apply(out, sum_of_terms(), [least](double a, double b) { return (b < a) == least ? b : a; });
      if (arguments < 2) fail(std::string(function) + " of one value");
    } else {
      out = apply(out, 0.0, [function](double a, double) {
        return function == "ceil" ? std::ceil(a) : function == "floor" ? std::floor(a) : std::sqrt(a);
      });
    }
    expect(')');
    return out;
  }

  Value sum() {
    if (in_sum_) fail("sum() inside sum()");
    in_sum_ = true;
    const Value inside = sum_of_terms();
    in_sum_ = false;
    expect(')');
    if (error_.empty() && !inside.is_vector) fail("sum() without a vector");
    double total = 0;
    for (const double v : inside.vector) total += v;
    return total;
  }

  std::string_view text_;
  const Names& names_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool in_sum_ = false;
  std::string error_;
};

}  // namespace

Evaluated evaluate(std::string_view text, const Names& names) { return Parser(text, names).run(); }

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_letter(text[i])) {
      ++i;
      continue;
    }
    const auto from = i;
    while (i < text.size() && (is_letter(text[i]) || is_digit(text[i]))) ++i;
    std::string word(text.substr(from, i - from));
    if (!is_function(word) && std::find(out.begin(), out.end(), word) == out.end()) out.push_back(std::move(word));
  }
  return out;
}

}  // namespace weighbridge_test
