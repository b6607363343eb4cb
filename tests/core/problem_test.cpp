#include "weighbridge/problem.hpp"

#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace weighbridge;

namespace {

constexpr int kCodes = static_cast<int>(Code::kCount);

std::string said(Code code, Params params = {}) { return message(Problem{code, "", std::move(params)}); }

std::vector<std::string> list(std::initializer_list<const char*> words) { return {words.begin(), words.end()}; }

// Every {name} of a text.
std::set<std::string> placeholders(std::string_view text) {
  std::set<std::string> names;
  for (auto open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1))
    names.insert(std::string(text.substr(open + 1, text.find('}', open) - open - 1)));
  return names;
}

}  // namespace

TEST_CASE("every problem has a name of its own and a text") {
  std::set<std::string_view> names;
  for (int i = 0; i < kCodes; ++i) {
    const auto code = static_cast<Code>(i);
    INFO(i);
    CHECK(!code_name(code).empty());
    CHECK(names.insert(code_name(code)).second);
    CHECK(summary(code).size() > 10);
    CHECK(summary(code).back() == '.');
  }
  CHECK(code_name(Code::not_json) == "not_json");
  CHECK(code_name(Code::does_not_divide) == "does_not_divide");
  CHECK(code_name(Code::kv_heads_replicated) == "kv_heads_replicated");
}

TEST_CASE("errors stop an answer, warnings and notes do not") {
  CHECK(severity(Code::not_json) == Severity::error);
  CHECK(severity(Code::internal_error) == Severity::error);
  CHECK(severity(Code::context_beyond_model) == Severity::warning);
  CHECK(severity(Code::speed_figure_missing) == Severity::warning);
  CHECK(severity(Code::article_part_unknown) == Severity::note);
  CHECK(severity_name(Severity::error) == "error");
  CHECK(severity_name(Severity::warning) == "warning");
  CHECK(severity_name(Severity::note) == "note");
}

TEST_CASE("brackets of every text are closed and hold a placeholder") {
  for (int i = 0; i < kCodes; ++i) {
    const auto text = summary(static_cast<Code>(i));
    INFO(text);
    for (auto open = text.find('['); open != std::string_view::npos; open = text.find('[', open + 1)) {
      const auto close = text.find(']', open);
      REQUIRE(close != std::string_view::npos);
      CHECK(!placeholders(text.substr(open, close - open)).empty());
    }
  }
}

TEST_CASE("a message never shows its own template") {
  for (int i = 0; i < kCodes; ++i) {
    const auto code = static_cast<Code>(i);
    Params all;
    std::vector<std::string> names;
    for (const auto& name : placeholders(summary(code))) names.push_back(name);
    for (const auto& name : names) all.emplace_back(name, std::string("value of " + name));
    for (const auto& text : {said(code), said(code, all)}) {
      INFO(text);
      CHECK(text.find_first_of("{}[]") == std::string::npos);
      CHECK(text.find("  ") == std::string::npos);
      CHECK(text.back() == '.');
    }
    for (const auto& name : names) CHECK(said(code, all).find("value of " + name) != std::string::npos);
  }
}

TEST_CASE("a message says what, why and what to do") {
  CHECK(said(Code::does_not_divide, {{"what", std::string("attention heads")}, {"count", 40.0}, {"axis", std::string("tensor")},
                                     {"value", 16.0}, {"accepted", list({"1", "2", "4", "5", "8"})}}) ==
        "40 attention heads cannot be split evenly over tensor = 16; use 1, 2, 4, 5 or 8.");
  CHECK(said(Code::unknown_field, {{"name", std::string("promt")}, {"nearest", std::string("prompt_tokens")}}) ==
        "There is no field \"promt\" here; the nearest is \"prompt_tokens\".");
  CHECK(said(Code::unknown_field, {{"name", std::string("zzz")}, {"nearest", std::string()}}) == "There is no field \"zzz\" here.");
  CHECK(said(Code::devices_mismatch, {{"tensor", 4.0}, {"pipeline", 2.0}, {"data", 1.0}, {"product", 8.0}, {"devices", 6.0}}) ==
        "The layout does not match the number of devices: tensor 4 x pipeline 2 x data 1 is 8, but there are 6 devices.");
  CHECK(said(Code::config_missing_key, {{"keys", list({"num_hidden_layers", "n_layer"})}, {"why", std::string("the number of layers")}}) ==
        "The config has no num_hidden_layers or n_layer, which gives the number of layers.");
}

TEST_CASE("numbers in messages have no needless decimals") {
  const auto value = [](double v) { return said(Code::out_of_range, {{"value", v}}); };
  CHECK(value(3) == "3 is out of range.");
  CHECK(value(-12) == "-12 is out of range.");
  CHECK(value(0.5) == "0.5 is out of range.");
  CHECK(value(9007199254740992.0) == "9007199254740992 is out of range.");
  CHECK(value(1e308) == "1e+308 is out of range.");
  CHECK(value(0.0 / 0.0) == "NaN is out of range.");
  CHECK(value(-1e308 * 10) == "-Infinity is out of range.");
  CHECK(said(Code::out_of_range, {{"value", 1.2}, {"min", 0.0}, {"max", 1.0}}) == "1.2 is out of range; the least is 0; the most is 1.");
}

TEST_CASE("foreign text is cut between characters and never becomes a template") {
  const std::string accents(400, '\xC3');              // not even UTF-8
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "\xC3\xBC";
  CHECK(said(Code::unknown_engine, {{"value", accents}}).size() < 300);
  const auto text = said(Code::unknown_engine, {{"value", umlauts}});
  CHECK(text.size() < 300);
  CHECK(text.find("\xC3\xBC…\"") != std::string::npos);
  CHECK(said(Code::unknown_engine, {{"value", std::string("{value}[x]")}}) == "There is no engine \"{value}[x]\".");
}

TEST_CASE("odd params do no harm") {
  CHECK(said(Code::out_of_range, {{"value", list({})}}) == " is out of range.");
  CHECK(said(Code::unknown_engine, {{"value", std::string()}}) == "There is no engine \"\".");
  CHECK(said(Code::wrong_type, {{"expected", 7.0}, {"found", list({"a", "b", "c"})}}) == "This has the wrong type: expected 7, found a, b and c.");
}

TEST_CASE("problems are counted, kept in order, and capped") {
  Problems problems;
  CHECK(problems.empty());
  problems.add(Code::engine_as_ideal, "/engine", {{"engine", std::string("vllm")}});
  CHECK(!problems.has_errors());
  problems.add(Code::missing_field, "/model", {{"name", std::string("model")}});
  CHECK(problems.has_errors());
  REQUIRE(problems.list().size() == 2);
  CHECK(problems.list()[1].path == "/model");
  for (int i = 0; i < 100'000; ++i) problems.add(Code::unknown_field, "/x");
  CHECK(problems.list().size() <= 1000);

  Problems many_warnings;
  for (int i = 0; i < 100'000; ++i) many_warnings.add(Code::config_key_ignored, "/x");
  many_warnings.add(Code::missing_field, "/model");
  CHECK(many_warnings.has_errors());
}

TEST_CASE("a word that is nearly right names its neighbour") {
  const auto models = list({"Qwen/Qwen3-32B", "Qwen/QwQ-32B", "meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-70B", "deepseek-ai/DeepSeek-R1"});
  CHECK(nearest("Qwen/QwQ-32", models) == "Qwen/QwQ-32B");
  CHECK(nearest("qwen/qwq-32b", models) == "Qwen/QwQ-32B");
  CHECK(nearest("llama 3.1 8b", models) == "meta-llama/Llama-3.1-8B");
  CHECK(nearest("deepseek r1", models) == "deepseek-ai/DeepSeek-R1");
  CHECK(nearest("completely else", models).empty());

  const auto fields = list({"prompt_tokens", "output_tokens", "concurrency", "context_tokens"});
  CHECK(nearest("promt_tokens", fields) == "prompt_tokens");
  CHECK(nearest("promptTokens", fields) == "prompt_tokens");
  CHECK(nearest("outptu_tokens", fields) == "output_tokens");
  CHECK(nearest("zzz", fields).empty());

  const auto devices = list({"a100-sxm-80gb", "h100-sxm-80gb", "rtx-4090-24gb"});
  CHECK(nearest("4090", devices) == "rtx-4090-24gb");
  CHECK(nearest("H100", devices) == "h100-sxm-80gb");
  CHECK(nearest("RTX4090", devices) == "rtx-4090-24gb");

  CHECK(nearest("fp7", list({"fp8", "bf16"})) == "fp8");
  CHECK(nearest("", fields).empty());
  CHECK(nearest("---", fields).empty());
  CHECK(nearest(std::string(1'000'000, 'a'), fields).empty());
  CHECK(nearest("anything", {}).empty());
}

TEST_CASE("pointers are escaped as RFC 6901 says") {
  CHECK(pointer("", "model") == "/model");
  CHECK(pointer("/model/config", "a/b~c") == "/model/config/a~1b~0c");
  CHECK(pointer("/x", "") == "/x/");
}
