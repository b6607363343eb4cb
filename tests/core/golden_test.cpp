// Requests with the answers that they had when somebody last looked at them. A changed number is news: regenerate with
// scripts/golden.mjs, read the difference, and say in the commit why it changed.
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/golden_cases.hpp"

using namespace weighbridge_test;
using nlohmann::json;

namespace {

// The first difference between two values, as "path: expected … got …"; empty when they are equal. Numbers may differ
// in their last digits, since compilers order sums differently.
std::string difference(const json& expected, const json& got, const std::string& path) {
  const auto unlike = [&] { return path + ": expected " + written_compact(expected).substr(0, 200) + ", got " + written_compact(got).substr(0, 200); };
  if (expected.is_number() && got.is_number()) {
    const double a = expected.get<double>(), b = got.get<double>();
    return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)) ? std::string{} : unlike();
  }
  if (expected.type() != got.type()) return unlike();
  if (expected.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      if (!got.contains(key)) return path + "/" + key + ": missing";
      const auto found = difference(value, got[key], path + "/" + key);
      if (!found.empty()) return found;
    }
    for (const auto& [key, value] : got.items())
      if (!expected.contains(key)) return path + "/" + key + ": not expected";
    return {};
  }
  if (expected.is_array()) {
    if (expected.size() != got.size()) return unlike();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto found = difference(expected[i], got[i], path + "/" + std::to_string(i));
      if (!found.empty()) return found;
    }
    return {};
  }
  return expected == got ? std::string{} : unlike();
}

}  // namespace

TEST_CASE("answers are those of the golden cases") {
  const auto cases = golden_cases();
  REQUIRE(cases.size() >= 40);
  std::set<std::string> names;
  for (const auto& c : cases) {
    INFO(c.file);
    CHECK(c.file == c.name + ".json");
    CHECK(names.insert(c.name).second);
    REQUIRE(c.answer.is_object());
    CHECK(difference(c.answer, answer_of(c.call, c.request), "") == "");
  }
}

TEST_CASE("a difference between two answers is found and named") {
  const auto a = json::parse(R"({"x":[1,{"y":2}],"z":null})", nullptr, false);
  const auto with = [&](const char* text) { return difference(a, json::parse(text, nullptr, false), ""); };
  CHECK(with(R"({"x":[1,{"y":2}],"z":null})").empty());
  CHECK(with(R"({"x":[1.0000000000001,{"y":2}],"z":null})").empty());
  CHECK(with(R"({"x":[1,{"y":2.001}],"z":null})") == "/x/1/y: expected 2, got 2.001");
  CHECK(with(R"({"x":[1,{"y":2}]})") == "/z: missing");
  CHECK(with(R"({"x":[1,{"y":2}],"z":null,"w":1})") == "/w: not expected");
  CHECK(with(R"({"x":[1],"z":null})") != "");
  CHECK(with(R"({"x":[1,{"y":"2"}],"z":null})") != "");
}
