#include "support/expression.hpp"

#include "support/catch.hpp"

using namespace weighbridge_test;

namespace {

double value(std::string_view text, const Names& names = {}) {
  const auto result = evaluate(text, names);
  INFO(text << ": " << result.error);
  CHECK(result.ok());
  return result.value;
}

bool refused(std::string_view text, const Names& names = {}) { return !evaluate(text, names).ok(); }

}  // namespace

TEST_CASE("formula texts are read with the usual precedence") {
  CHECK(value("1 + 2 * 3") == 7);
  CHECK(value("(1 + 2) * 3") == 9);
  CHECK(value("2 ^ 3 ^ 2") == 512);
  CHECK(value("2 * 3 ^ 2") == 18);
  CHECK(value("-2 ^ 2") == -4);
  CHECK(value("8 / 4 / 2") == 1);
  CHECK(value("8 - 4 - 2") == 2);
  CHECK(value("1 - (1 - 0.5) ^ 3") == 0.875);
  CHECK(value("1000000 * 0.5") == 500000);
}

TEST_CASE("functions of scalars") {
  CHECK(value("min(3, 2, 5)") == 2);
  CHECK(value("max(3, 2, 5)") == 5);
  CHECK(value("ceil(2.1) + floor(2.9)") == 5);
  CHECK(value("sqrt(2 + 7)") == 3);
  CHECK(value("max(0, min(4, 7) - 1)") == 3);
}

TEST_CASE("names stand for what is given") {
  CHECK(value("2 * parameters * tokens_2", {{"parameters", 3}, {"tokens_2", 5}}) == 30);
  CHECK(refused("parameters", {{"parameter", 3}}));
  CHECK(names_in("sum(layers * min(window, context)) + layers / 2") == std::vector<std::string>{"layers", "window", "context"});
}

TEST_CASE("vectors are elementwise inside sum and nowhere else") {
  const Names names{{"a", std::vector<double>{1, 2, 3}}, {"b", std::vector<double>{4, 5, 6}}, {"c", 2}, {"short", std::vector<double>{1}}};
  CHECK(value("sum(a * b)", names) == 32);
  CHECK(value("sum(a * b + c)", names) == 38);
  CHECK(value("c * sum(a * min(b, 5)) / 2", names) == 29);
  CHECK(value("sum(a) + sum(b)", names) == 21);
  CHECK(refused("a", names));
  CHECK(refused("c * a", names));
  CHECK(refused("sum(a * short)", names));
  CHECK(refused("sum(c)", names));
  CHECK(refused("sum(a * sum(b))", names));
}

TEST_CASE("what is no formula is refused") {
  for (const char* text : {"", "1 +", "(1", "1)", "1 2", "min(1)", "sum()", "abs(1)", "1 ** 2", "min 1, 2", "1..2", "#"}) {
    INFO(text);
    CHECK(refused(text));
  }
}
