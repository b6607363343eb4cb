// Our reader of JSON text against nlohmann_json's, and of numbers against the library's strtod.
#include "read/json_walk.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "support/catch.hpp"

using nlohmann::json;

namespace {

// Every event as a line, so that two readers can be compared.
struct Ours final : weighbridge::JsonEvents {
  std::string seen;
  bool add(const std::string& what) { return seen += what + "\n", true; }
  bool null() override { return add("null"); }
  bool boolean(bool v) override { return add(v ? "true" : "false"); }
  bool number_integer(std::int64_t v) override { return add("i" + std::to_string(v)); }
  bool number_unsigned(std::uint64_t v) override { return add("u" + std::to_string(v)); }
  bool number_float(double v) override { return add("f" + json(v).dump()); }
  bool string(std::string& v) override { return add("s" + v); }
  bool start_object() override { return add("{"); }
  bool key(std::string& v) override { return add("k" + v); }
  bool end_object() override { return add("}"); }
  bool start_array() override { return add("["); }
  bool end_array() override { return add("]"); }
  void error(std::size_t position, bool overflow) override { add((overflow ? "overflow " : "error ") + std::to_string(position)); }
};

struct Theirs final : nlohmann::json_sax<json> {
  std::string seen;
  bool add(const std::string& what) { return seen += what + "\n", true; }
  bool null() override { return add("null"); }
  bool boolean(bool v) override { return add(v ? "true" : "false"); }
  bool number_integer(number_integer_t v) override { return add("i" + std::to_string(v)); }
  bool number_unsigned(number_unsigned_t v) override { return add("u" + std::to_string(v)); }
  bool number_float(number_float_t v, const string_t&) override { return add("f" + json(v).dump()); }
  bool string(string_t& v) override { return add("s" + v); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return add("{"); }
  bool key(string_t& v) override { return add("k" + v); }
  bool end_object() override { return add("}"); }
  bool start_array(std::size_t) override { return add("["); }
  bool end_array() override { return add("]"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    return add((e.id == 406 ? "overflow " : "error ") + std::to_string(position)), false;
  }
};

std::string ours(const std::string& text) {
  Ours o;
  const bool ok = weighbridge::walk_json(text, o);
  return o.seen + (ok ? "ok" : "stopped");
}
std::string theirs(const std::string& text) {
  Theirs t;
  const bool ok = json::sax_parse(text, &t);
  return t.seen + (ok ? "ok" : "stopped");
}

std::uint64_t next_random(std::uint64_t& state) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return state >> 33U;
}

std::uint64_t bits_of(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace

TEST_CASE("a JSON text is read as nlohmann_json reads it, mistakes and their places included") {
  for (const char* text : {"", " ", "1", "-", "-0", "-0.0", "01", "1.", "1.5e", "1e+", "1e5", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":}", "{\"a\"", "{", "[", "]", "}", "tru", "trux",
                           "nul", "false", "null x", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\n\"", "\"\\ud83d\\u0041\"", "\"\\ude00\"", "\"\\q\"", "\"\\", "\"abc",
                           "\"a\nb\"", "\"\\u00e9\\u20ac\\b\\f\\n\\r\\t\\/\\\\\\\"\"", "[[[[]]]]", "{\"a\":{\"b\":[{},[],null,true]}}", "[]]", "{}{}", "1e400", "[1,-1e999]", "[1e400", "18446744073709551615", "18446744073709551616",
                           "-9223372036854775808", "-9223372036854775809", "[0.1,1e-7,123456789012345678901234567890]", "// no", "'a'", "+1", ".5", "NaN", "{\"a\":1 \"b\"}", "{\"a\":1,\"a\":2}", "{1:2}", "[1}", "{\"a\":1]"})
    CHECK(ours(text) == theirs(text));
}

TEST_CASE("a JSON text with characters changed, left out or put twice is read as nlohmann_json reads it") {
  const std::string seed = R"({"model":{"config":{"a":[1,2.5e-3,-7,"x\u00e9\n",true,false,null],"b":{"c":[[],{}]}}},"n":123456789.125,"s":"\ud83d\ude00"})";
  constexpr char kMarks[] = "{}[],:\"\\0123456789.eE+-tfnul \n/ua";
  std::uint64_t state = 7;
  for (int round = 0; round < 20'000; ++round) {
    auto text = seed;
    for (auto changes = next_random(state) % 3 + 1; changes > 0 && !text.empty(); --changes) {
      const auto at = next_random(state) % text.size();
      const char mark = kMarks[next_random(state) % (sizeof kMarks - 1)];
      switch (next_random(state) % 4) {
        case 0: text[at] = mark; break;
        case 1: text.erase(at, 1); break;
        case 2: text.insert(at, 1, mark); break;
        default: text.resize(at + 1); break;
      }
    }
    if (const auto a = ours(text), b = theirs(text); a != b) {
      INFO(text);
      REQUIRE(a == b);
    }
  }
}

TEST_CASE("a decimal number is the nearest double, ties to even, as strtod has it") {
  const auto check = [](const std::string& text) {
    INFO(text);
    REQUIRE(bits_of(weighbridge::nearest_double(text)) == bits_of(std::strtod(text.c_str(), nullptr)));
  };
  for (const char* text : {"0", "0.0", "-0.0", "0e5", "1", "0.1", "123456789012345", "1234567890123456", "9007199254740993", "9007199254740992.5", "9007199254740993.0000000000000000000001", "1e22", "1e23", "8.98846567431158e307",
                           "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309", "1e400", "-1e400", "2.2250738585072014e-308", "2.2250738585072011e-308", "5e-324", "4.9e-324", "2.4703282292062327e-324",
                           "2.4703282292062328e-324", "2.5e-324", "1e-400", "1e99999999999999999999", "1e-99999999999999999999", "0.000000000000000000000000000000000000000000001e45", "123456789e-8", "6.02214076e23", "1.0000000000000002220446049250313080847263336181640625",
                           "1.00000000000000011102230246251565404236316680908203125", "1.00000000000000011102230246251565404236316680908203124", "1.00000000000000011102230246251565404236316680908203126"})
    check(text);
  // Exactly between two doubles, with hundreds of digits, and a little above.
  std::string half = "1.00000000000000011102230246251565404236316680908203125";
  check(half + std::string(2000, '0'));
  check(half + std::string(2000, '0') + "1");
  check(std::string(400, '9') + "e-300");
  check("0." + std::string(400, '0') + "12345e390");
  std::uint64_t state = 11;
  for (int round = 0; round < 20'000; ++round) {
    // Any bit pattern, printed with 17 digits and with fewer or more.
    const auto bits = (next_random(state) << 62U) ^ (next_random(state) << 31U) ^ next_random(state);
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!(value - value == 0)) continue;
    char text[64];
    std::snprintf(text, sizeof text, "%.*e", static_cast<int>(next_random(state) % 25), value);
    check(text);
    std::snprintf(text, sizeof text, "%llu.%llue%d", static_cast<unsigned long long>(next_random(state)), static_cast<unsigned long long>(next_random(state)), static_cast<int>(next_random(state) % 60) - 30);
    check(text);
  }
}
