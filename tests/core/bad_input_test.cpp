// Whatever comes in, an answer comes out: ok is false, every problem is named with its place and a way out, and the next good
// request is answered as if nothing had happened.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api_json.hpp"
#include "checkpoint_files.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;
namespace api = weighbridge::api;

namespace {

using Found = std::multiset<std::pair<std::string, std::string>>;       // path, code

// The errors of an answer that refuses. Checks on the way that the answer is well formed.
Found errors(const json& answer) {
  CHECK(at(answer, "/ok") == false);
  Found out;
  for (const auto& problem : at(answer, "/problems")) {
    CHECK(!text(problem, "/message").empty());
    CHECK(at(problem, "/params").is_object());
    if (text(problem, "/severity") == "error") out.emplace(text(problem, "/path"), text(problem, "/code"));
  }
  return out;
}

Found errors_of(std::string_view request) { return errors(parsed(api::estimate(request))); }

// The one problem with this path.
json problem_at(const json& answer, std::string_view path) {
  for (const auto& problem : at(answer, "/problems"))
    if (text(problem, "/path") == path) return problem;
  return nullptr;
}
std::string message_at(const json& answer, std::string_view path) { return text(problem_at(answer, path), "/message"); }
std::string nearest_at(const json& answer, std::string_view path) { return text(problem_at(answer, path), "/params/nearest"); }

const char* const kGood = R"({"model":"meta-llama/Llama-3.1-8B","device":"rtx-4090","weights":"Q4_K_M"})";
bool next_good_request_works() {
  static const std::string first = api::estimate(kGood);
  const auto now = api::estimate(kGood);
  return now == first && is_true(parsed(now), "/ok");
}

json llama() {
  return {{"model_type", "llama"}, {"hidden_size", 4096}, {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"num_key_value_heads", 8},
          {"intermediate_size", 14336}, {"vocab_size", 128256}, {"max_position_embeddings", 131072}, {"torch_dtype", "bfloat16"}};
}
json with(json object, const char* key, json value) {
  object[key] = std::move(value);
  return object;
}
json of_config(const json& config) { return estimate({{"model", {{"config", config}}}}); }

std::string nested(std::size_t levels, char open, char close) { return std::string(levels, open) + std::string(levels, close); }

// The calls that take a text.
std::vector<std::pair<std::string, std::string (*)(std::string_view)>> text_calls() {
  return {{"estimate", api::estimate}, {"train", api::train}, {"plan", api::plan},
          {"sweep", [](std::string_view request) { return api::sweep(request).json; }}};
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------- the text

TEST_CASE("a text that is not JSON is refused with the place, by every call") {
  const char* const texts[] = {"", " ", "{", "[1,", "{\"model\":}", "{'model':'a'}", "{\"model\":\"a\",}", "{} {}", "nul", "\"open", "{\"a\":1 \"b\":2}",
                               "<html>", "\x01", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":\"\n\"}", "\"\\ud800\"", "\"\\x\""};
  for (const auto& [name, call] : text_calls())
    for (const auto* t : texts) {
      INFO(name << ": " << t);
      CHECK(errors(parsed(call(t))) == Found{{"", "not_json"}});
    }
  CHECK(number(parsed(api::estimate("{\"model\":}")), "/problems/0/params/position") == 10);
  CHECK(next_good_request_works());
}

TEST_CASE("zero bytes inside a text are no end of it") {
  CHECK(errors_of(std::string_view("{}\0", 3)) == Found{{"", "not_json"}});
  CHECK(errors_of(std::string_view("\0", 1)) == Found{{"", "not_json"}});
}

TEST_CASE("a byte order mark before a good request does no harm") {
  CHECK(is_true(parsed(api::estimate("\xEF\xBB\xBF" + std::string(kGood))), "/ok"));
}

TEST_CASE("JSON that is no object is refused by every call") {
  for (const auto& [name, call] : text_calls())
    for (const char* t : {"null", "true", "0", "1.5", "\"text\"", "[]", "[{}]"}) {
      INFO(name << ": " << t);
      const auto answer = parsed(call(t));
      const auto found = errors(answer);
      CHECK(found.count({"", "wrong_type"}) == 1);
      CHECK(message_at(answer, "").find("an object") != std::string::npos);
    }
  CHECK(next_good_request_works());
}

TEST_CASE("a text of 50 MB is refused by its size, before anything is parsed") {
  const std::string blanks(50'000'000, ' ');                          // not JSON either, but nobody looked
  const std::string large = R"({"model":")" + std::string(50'000'000, 'a') + "\"}";
  for (const auto& [name, call] : text_calls()) {
    INFO(name);
    for (const auto* t : {&blanks, &large}) {
      const auto answer = parsed(call(*t));
      CHECK(errors(answer) == Found{{"", "too_large"}});
      CHECK(number(answer, "/problems/0/params/bytes") == static_cast<double>(t->size()));
      CHECK(number(answer, "/problems/0/params/limit") == 4'000'000);
    }
  }
  const auto files = parsed(api::read_model({{"config.json", large, static_cast<std::int64_t>(large.size())}}));
  CHECK(errors(files) == Found{{"/0", "too_large"}});
  CHECK(next_good_request_works());
}

TEST_CASE("four million bytes are read, one more is not") {
  const auto padded = [](std::size_t size) { return kGood + std::string(size - std::string_view(kGood).size(), ' '); };
  CHECK(is_true(parsed(api::estimate(padded(4'000'000))), "/ok"));
  CHECK(errors_of(padded(4'000'001)) == Found{{"", "too_large"}});
}

TEST_CASE("deep nesting is refused and not followed") {
  for (const std::size_t levels : {65UL, 1000UL, 100'000UL, 499'000UL}) {
    INFO(levels);
    CHECK(errors_of(nested(levels, '[', ']')) == Found{{"", "too_deep"}});
    CHECK(errors_of(std::string(levels, '[')) == Found{{"", "too_deep"}});                        // never closed
  }
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += R"({"model":)";
  CHECK(errors_of(objects + "1" + std::string(1000, '}')) == Found{{"", "too_deep"}});
  const auto config = R"({"model":{"config":{"model_type":"llama","deep":)" + nested(60000, '[', ']') + "}}}";
  CHECK(errors_of(config) == Found{{"", "too_deep"}});
  CHECK(errors_of(nested(64, '[', ']')) == Found{{"", "wrong_type"}});                            // the deepest that is read
  CHECK(next_good_request_works());
}

TEST_CASE("broken UTF-8 is refused with the place of its first byte") {
  const std::pair<std::string, double> texts[] = {
      {"{\"model\":\"\xFF\"}", 10}, {"{\"model\":\"\xC3\"}", 10}, {"{\"model\":\"a\xE2\x82\"}", 11}, {"{\"\x80\":1}", 2},
      {"{\"model\":\"\xC0\x80\"}", 10},                  // longer than it need be
      {"{\"model\":\"\xED\xA0\x80\"}", 10},              // half a surrogate pair
      {"{\"model\":\"\xF4\x90\x80\x80\"}", 10},          // beyond the last character
      {"\xF0\x9F\x98", 0}};                              // cut at the end
  for (const auto& [t, position] : texts)
    for (const auto& [name, call] : text_calls()) {
      INFO(name << ": " << t);
      const auto answer = parsed(call(t));
      CHECK(errors(answer) == Found{{"", "broken_text"}});
      CHECK(number(answer, "/problems/0/params/position") == position);
    }
  CHECK(next_good_request_works());
}

TEST_CASE("an answer that quotes foreign text stays UTF-8 and short") {
  const std::string word = "ü" + std::string(5000, 'x') + "€";
  const auto answer = api::estimate(written({{"model", word}, {word, 1}, {"device", word}, {"weights", word}}));
  CHECK(!parsed(answer).is_discarded());
  CHECK(answer.size() < 20'000);
}

TEST_CASE("a key that stands twice in one object is named, wherever it is") {
  const auto found = errors_of(R"({"model":"a","model":"b","workload":{"prompt_tokens":1,"prompt_tokens":2},"device":{"flops":{"bf16":1,"bf16":1,"bf16":1}}})");
  for (const char* place : {"/model", "/workload/prompt_tokens"}) CHECK(found.count({place, "duplicate_key"}) == 1);
  CHECK(found.count({"/device/flops/bf16", "duplicate_key"}) == 2);
  CHECK(found.count({"/device", "missing_field"}) == 1);                         // and the rest is read all the same
  CHECK(errors_of(R"({"model":{"config":{"hidden_size":1,"hidden_size":2}}})").count({"/model/config/hidden_size", "duplicate_key"}) == 1);
  CHECK(errors_of(R"({"a/b~c":1,"a/b~c":1})") == Found{{"", "missing_field"}, {"/a~1b~0c", "duplicate_key"}, {"/a~1b~0c", "unknown_field"}});
  CHECK(errors_of(R"([{"a":1},{"a":1,"a":2}])").count({"/1/a", "duplicate_key"}) == 1);
}

TEST_CASE("a number beyond every double is named with its place") {
  CHECK(errors_of(R"({"model":"a","workload":{"prompt_tokens":1e999}})") == Found{{"/workload/prompt_tokens", "not_finite"}});
  CHECK(errors_of(R"({"device":{"flops":{"bf16":-1e400}}})") == Found{{"/device/flops/bf16", "not_finite"}});
  CHECK(errors_of(R"({"device":["h100",1e999]})") == Found{{"/device/1", "not_finite"}});
}

// ------------------------------------------------------------------------------------------------------------- the fields

TEST_CASE("every field refuses every type that it does not take, at its own place") {
  const auto description = parsed(api::describe());
  const json values[] = {true, -1, 1.5, "text", json::array(), json::array({1}), json::object({{"no such member", 1}})};
  for (const char* call : {"estimate", "train"}) {
    const auto ask = std::string_view(call) == "train" ? api::train : api::estimate;
    for (const auto& field : at(description, std::string("/fields/") + call)) {
      const auto path = text(field, "/path"), type = text(field, "/type");
      if (path.rfind("/model", 0) == 0) continue;                    // models have tests of their own
      for (const auto& value : values) {
        json request{{"model", "meta-llama/Llama-3.1-8B"}};
        request[json::json_pointer(path)] = value;
        const auto answer = parsed(ask(written(request)));
        INFO(call << " " << written(request) << " " << written(at(answer, "/problems")));
        const bool taken = (value.is_boolean() && type == "boolean") || (value == 1.5 && type == "number") || (value == "text" && type == "string") ||
                           (value.is_array() && type == "strings" && value.empty()) || (value.is_array() && type == "targets" && value.empty());
        if (taken || is_true(answer, "/ok")) continue;
        bool here = false;
        for (const auto& problem : at(answer, "/problems"))
          here = here || (text(problem, "/severity") == "error" && text(problem, "/path").rfind(path, 0) == 0) ||
                 text(problem, "/code") == "not_available";
        CHECK(here);
      }
      // What is out of place by its type alone is never taken for something else.
      for (const auto& [value, fine] : std::vector<std::pair<json, std::string>>{
               {true, "boolean"}, {json::array({json::array()}), "array"}}) {
        json request{{"model", "meta-llama/Llama-3.1-8B"}};
        request[json::json_pointer(path)] = value;
        if (type != fine) CHECK(at(parsed(ask(written(request))), "/ok") == false);
      }
    }
  }
}

TEST_CASE("numbers that are negative, zero, fractions, strings or far too large are refused at their place") {
  struct Case { const char* path; json value; const char* code; };
  const Case cases[] = {
      {"/workload/prompt_tokens", -1, "out_of_range"}, {"/workload/prompt_tokens", 0, "out_of_range"}, {"/workload/prompt_tokens", 1.5, "wrong_type"},
      {"/workload/prompt_tokens", 1e308, "out_of_range"}, {"/workload/prompt_tokens", "1000", "wrong_type"}, {"/workload/prompt_tokens", true, "wrong_type"},
      {"/workload/output_tokens", 0, "out_of_range"}, {"/workload/output_tokens", json::array({1}), "wrong_type"},
      {"/workload/concurrency", 0, "out_of_range"}, {"/workload/concurrency", -1, "out_of_range"}, {"/workload/concurrency", "most", "wrong_type"},
      {"/workload/concurrency", 1e308, "out_of_range"}, {"/workload/concurrency", 2.5, "wrong_type"},
      {"/workload/context_tokens", 0, "out_of_range"}, {"/workload/context_tokens", 9007199254740993.0, "out_of_range"},
      {"/workload/cached_prefix_tokens", -1, "out_of_range"}, {"/workload/cached_prefix_tokens", 1025, "out_of_range"},
      {"/workload/requests_per_s", 0, "out_of_range"}, {"/workload/requests_per_s", -2.5, "out_of_range"}, {"/workload/requests_per_s", 1e308, "out_of_range"},
      {"/workload/mode", "closed", "unknown_value"}, {"/workload/mode", 1, "wrong_type"},
      {"/devices", 0, "out_of_range"}, {"/devices", -8, "out_of_range"}, {"/devices", 1.5, "wrong_type"}, {"/devices", "8", "wrong_type"},
      {"/devices", 1e308, "out_of_range"}, {"/devices/count", 0, "out_of_range"}, {"/reserved_bytes", -1, "out_of_range"},
      {"/reserved_bytes", 1e308, "out_of_range"}, {"/reserved_bytes", "1 GB", "wrong_type"}, {"/price_usd_per_hour", -0.5, "out_of_range"},
      {"/efficiency/compute", 0, "out_of_range"}, {"/efficiency/compute", 1.2, "out_of_range"}, {"/efficiency/bandwidth", -1, "out_of_range"},
      {"/options/gpu_memory_utilization", 0, "out_of_range"}, {"/options/gpu_memory_utilization", 1.2, "out_of_range"},
      {"/options/max_num_batched_tokens", 0, "out_of_range"}, {"/options/enforce_eager", 1, "wrong_type"}, {"/options/backend", "cude", "unknown_value"},
      {"/parallel/tensor", 0, "out_of_range"}, {"/parallel/tensor", -2, "out_of_range"}, {"/parallel/data", 1e308, "out_of_range"},
      {"/parallel/expert", 0, "out_of_range"}, {"/parallel", 2, "wrong_type"}, {"/weights/bits_per_weight", 0, "out_of_range"},
      {"/weights/bits_per_weight", -4, "out_of_range"}, {"/weights/bits_per_weight", 1e308, "out_of_range"}, {"/weights/bits_per_weight", "4", "wrong_type"},
      {"/weights", 4, "wrong_type"}, {"/kv_cache", 8, "wrong_type"}, {"/engine", 1, "wrong_type"},
      {"/device", json::array(), "wrong_type"}, {"/device", json::array({"h100-sxm-80gb", 1}), "wrong_type"}, {"/device", 1, "wrong_type"},
      {"/host/memory_bytes", -1, "out_of_range"}, {"/method", "exact", "unknown_value"}, {"/explain", "yes", "wrong_type"}, {"/workload", 5, "wrong_type"}};
  for (const auto& c : cases) {
    json request{{"model", "meta-llama/Llama-3.1-8B"}};
    request[json::json_pointer(c.path)] = c.value;
    if (std::string_view(c.path) == "/devices/count" || std::string_view(c.path).rfind("/device", 0) != 0) request["device"] = "rtx-4090";
    if (std::string_view(c.path) == "/devices" || std::string_view(c.path) == "/devices/count") request["device"] = "rtx-4090";
    const auto answer = estimate(request);
    INFO(written(request) << " " << written(at(answer, "/problems")));
    CHECK(errors(answer) == Found{{c.path, c.code}});
  }
  CHECK(next_good_request_works());
}

TEST_CASE("a limit that is broken is said with its unit") {
  const auto answer = estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"efficiency", {{"compute", 1.2}}}, {"workload", {{"prompt_tokens", 0}}}});
  CHECK(message_at(answer, "/efficiency/compute") == "1.2 is out of range; it must be above 0; the most is 1.");
  CHECK(message_at(answer, "/workload/prompt_tokens") == "0 is out of range; the least is 1; the most is 1000000000 (in tokens).");
}

TEST_CASE("the figures of a device of one's own are checked one by one") {
  const auto figures = [](const char* path, const json& value) {
    json request{{"model", "meta-llama/Llama-3.1-8B"}, {"device", {{"memory_bytes", 80e9}, {"bandwidth", 3e12}, {"flops", {{"bf16", 1e15}}}}}};
    request[json::json_pointer(path)] = value;
    return errors(estimate(request));
  };
  for (const char* path : {"/device/memory_bytes", "/device/bandwidth", "/device/flops/bf16", "/device/flops/fp8", "/device/link_bandwidth", "/device/power_w"}) {
    INFO(path);
    for (const json& value : std::vector<json>{0, -1, 1e308}) CHECK(figures(path, value) == Found{{path, "out_of_range"}});
    CHECK(figures(path, "80 GB") == Found{{path, "wrong_type"}});
  }
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"device", {{"bandwidth", 3e12}}}})) == Found{{"/device", "missing_field"}});
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"device", json::object()}})) == Found{{"/device", "missing_field"}});
}

TEST_CASE("null is as if the field were not there") {
  const json plain{{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}};
  auto request = plain;
  for (const char* name : {"weights", "kv_cache", "engine", "devices", "host", "parallel", "workload", "options", "efficiency", "method", "explain", "prefill_pool"})
    request[name] = nullptr;
  CHECK(estimate(request) == estimate(plain));
  CHECK(errors(estimate({{"model", nullptr}})) == Found{{"", "missing_field"}});
}

TEST_CASE("unknown fields name the nearest, and are never ignored") {
  const auto answer = estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"wieghts", "bf16"}, {"Device", "rtx-4090"}, {"workload", {{"promt_tokens", 100}, {"zzzzzz", 1}}},
                                {"parallel", {{"tp", 8}, {"tensors", 8}}}, {"options", {{"gpu_memory_utilisation", 0.9}}}, {"kv_cache", {{"key", "fp8"}}}});
  CHECK(errors(answer) == Found{{"/wieghts", "unknown_field"}, {"/Device", "unknown_field"}, {"/workload/promt_tokens", "unknown_field"}, {"/workload/zzzzzz", "unknown_field"},
                                {"/parallel/tp", "unknown_field"}, {"/parallel/tensors", "unknown_field"}, {"/options/gpu_memory_utilisation", "unknown_field"},
                                {"/kv_cache/key", "unknown_field"}});
  CHECK(nearest_at(answer, "/wieghts") == "weights");
  CHECK(nearest_at(answer, "/Device") == "device");
  CHECK(nearest_at(answer, "/workload/promt_tokens") == "prompt_tokens");
  CHECK(nearest_at(answer, "/workload/zzzzzz").empty());
  CHECK(nearest_at(answer, "/parallel/tensors") == "tensor");
  CHECK(nearest_at(answer, "/options/gpu_memory_utilisation") == "gpu_memory_utilization");
  CHECK(message_at(answer, "/workload/promt_tokens").find("the nearest is \"prompt_tokens\"") != std::string::npos);
  CHECK(message_at(answer, "/workload/zzzzzz").find("concurrency") != std::string::npos);               // all that is known here
}

TEST_CASE("unknown models, devices, formats and engines name the nearest") {
  const auto answer = estimate({{"model", "meta-lama/Llama-3.1-8B"}, {"weights", "Q4_K_MM"}, {"kv_cache", "q8_1"}, {"engine", "vlm"}, {"device", "h100-sxm-80g"}});
  CHECK(errors(answer) == Found{{"/model", "unknown_model"}, {"/weights", "unknown_weight_format"}, {"/kv_cache", "unknown_kv_format"},
                                {"/engine", "unknown_engine"}, {"/device", "unknown_device"}});
  CHECK(nearest_at(answer, "/model") == "meta-llama/Llama-3.1-8B");
  CHECK(nearest_at(answer, "/weights") == "Q4_K_M");
  CHECK(nearest_at(answer, "/kv_cache") == "q8_0");
  CHECK(nearest_at(answer, "/engine") == "vllm");
  CHECK(nearest_at(answer, "/device") == "h100-sxm-80gb");
  for (const auto& problem : at(answer, "/problems")) CHECK(text(problem, "/message").find("the nearest is") != std::string::npos);

  const auto parts = estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"kv_cache", {{"k", "q9_0"}, {"v", "zzz"}}}, {"engine", {{"name", "lama.cpp"}}},
                               {"device", {"rtx-4090", "rtx-4099"}}});
  CHECK(errors(parts) == Found{{"/kv_cache/k", "unknown_kv_format"}, {"/kv_cache/v", "unknown_kv_format"}, {"/engine/name", "unknown_engine"}, {"/device/1", "unknown_device"}});
  CHECK(nearest_at(parts, "/engine/name") == "llama.cpp");
  CHECK(nearest_at(parts, "/kv_cache/v").empty());
  CHECK(!nearest_at(parts, "/device/1").empty());
}

TEST_CASE("an empty word and a very long one are unknown like any other") {
  for (const auto& word : {std::string(), std::string(" "), std::string(100'000, 'a'), std::string("\0", 1)}) {
    const auto found = errors(estimate({{"model", word}, {"device", word}, {"weights", word}, {"kv_cache", word}, {"engine", word}}));
    CHECK(found == Found{{"/model", "unknown_model"}, {"/device", "unknown_device"}, {"/weights", "unknown_weight_format"},
                         {"/kv_cache", "unknown_kv_format"}, {"/engine", "unknown_engine"}});
  }
}

TEST_CASE("a tensor degree that does not divide the heads lists those that do") {
  const auto answer = estimate({{"model", "Qwen/QwQ-32B"}, {"device", "h100-sxm-80gb"}, {"parallel", {{"tensor", 16}}}});
  CHECK(errors(answer) == Found{{"/parallel/tensor", "does_not_divide"}});
  CHECK(message_at(answer, "/parallel/tensor") == "40 attention heads cannot be split evenly over tensor = 16; use 1, 2, 4, 5, 8, 10, 20 or 40.");
  CHECK(at(problem_at(answer, "/parallel/tensor"), "/params/accepted") == json({"1", "2", "4", "5", "8", "10", "20", "40"}));
  for (const int n : {1, 2, 4, 5, 8, 10, 20, 40}) CHECK(is_true(estimate({{"model", "Qwen/QwQ-32B"}, {"device", "h100-sxm-80gb"}, {"parallel", {{"tensor", n}}}}), "/ok"));
  CHECK(errors(estimate({{"model", "deepseek-ai/DeepSeek-R1"}, {"parallel", {{"tensor", 3}}}})) == Found{{"/parallel/tensor", "does_not_divide"}});
}

TEST_CASE("layouts that cannot be are refused with what can") {
  const auto mixtral = [](json parallel, json devices = nullptr) {
    return estimate({{"model", "mistralai/Mixtral-8x7B-v0.1"}, {"device", "h100-sxm-80gb"}, {"devices", std::move(devices)}, {"parallel", std::move(parallel)}});
  };
  const auto split = mixtral({{"tensor", 1}, {"data", 6}, {"expert", 3}});
  CHECK(errors(split) == Found{{"/parallel/expert", "does_not_divide"}});
  CHECK(message_at(split, "/parallel/expert") == "8 experts cannot be split evenly over expert = 3; use 1 or 2.");
  CHECK(errors(mixtral({{"tensor", 2}, {"expert", 8}})) == Found{{"/parallel/expert", "does_not_divide"}});
  CHECK(errors(mixtral({{"tensor", 2}, {"pipeline", 2}, {"data", 2}}, 4)) == Found{{"/parallel", "devices_mismatch"}});
  CHECK(errors(mixtral({{"tensor", 4}}, 6)) == Found{{"/parallel", "devices_mismatch"}});
  CHECK(errors(mixtral({{"pipeline", 33}})) == Found{{"/parallel/pipeline", "out_of_range"}});
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"devices", 2}, {"parallel", {{"expert", 2}}}})) ==
        Found{{"/parallel/expert", "does_not_divide"}});
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"device", {"rtx-4090", "rtx-3090"}}, {"devices", 3}})) == Found{{"/devices", "devices_mismatch"}});
}

TEST_CASE("fields that exclude each other are refused") {
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"workload", {{"requests_per_s", 5}, {"concurrency", 2}}}})) ==
        Found{{"/workload/requests_per_s", "conflicting_fields"}});
  CHECK(errors(estimate({{"model", {{"config", llama()}, {"manual", {{"parameters", 7e9}}}}}})) == Found{{"/model", "conflicting_fields"}});
  CHECK(errors(estimate({{"model", json::object()}})) == Found{{"/model", "missing_field"}});
  CHECK(errors(estimate({{"model", {{"name", "ours"}}}})) == Found{{"/model", "missing_field"}});
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"weights", json::object()}})) == Found{{"/weights", "missing_field"}});
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"engine", json::object()}})) == Found{{"/engine", "missing_field"}});
  CHECK(errors(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"devices", json::object()}})) == Found{{"/devices", "missing_field"}});
}

TEST_CASE("sizes by hand are checked like any other field") {
  const auto manual = [](json sizes) { return errors(estimate({{"model", {{"manual", std::move(sizes)}}}})); };
  CHECK(manual(json::object()) == Found{{"/model/manual", "missing_field"}});
  CHECK(manual({{"parameters", 0}}) == Found{{"/model/manual/parameters", "out_of_range"}});
  CHECK(manual({{"parameters", -7e9}}) == Found{{"/model/manual/parameters", "out_of_range"}});
  CHECK(manual({{"parameters", 1e308}}) == Found{{"/model/manual/parameters", "out_of_range"}});
  CHECK(manual({{"parameters", "7B"}}) == Found{{"/model/manual/parameters", "wrong_type"}});
  CHECK(manual({{"parameters", 7e9}, {"layers", 0}, {"hidden_size", 1.5}, {"heads", -1}}) ==
        Found{{"/model/manual/layers", "out_of_range"}, {"/model/manual/hidden_size", "wrong_type"}, {"/model/manual/heads", "out_of_range"}});
  CHECK(manual({{"parameters", 7e9}, {"heads", 8}, {"kv_heads", 16}}) == Found{{"/model/manual/kv_heads", "out_of_range"}});
  CHECK(manual({{"parameters", 7e9}, {"active_parameters", 8e9}}) == Found{{"/model/manual/active_parameters", "out_of_range"}});
  CHECK(manual({{"parameters", 7e9}, {"paramters", 7e9}}) == Found{{"/model/manual/paramters", "unknown_field"}});
  CHECK(errors(estimate({{"model", {{"manual", 7e9}}}})) == Found{{"/model/manual", "wrong_type"}});
}

TEST_CASE("sizes by hand that together are no model still have an answer or a problem") {
  for (const json& sizes : std::vector<json>{{{"parameters", 1}},
                                             {{"parameters", 1e15}},
                                             {{"parameters", 1}, {"layers", 4096}, {"hidden_size", 1000000}, {"heads", 65536}},
                                             {{"parameters", 1e15}, {"layers", 1}, {"hidden_size", 1}, {"heads", 1}, {"vocab_size", 1}, {"intermediate_size", 1}},
                                             {{"parameters", 7e9}, {"active_parameters", 1}},
                                             {{"parameters", 7e9}, {"heads", 65536}, {"head_dim", 65536}}}) {
    for (const char* method : {"detailed", "article"}) {
      const auto answer = estimate({{"model", {{"manual", sizes}}}, {"device", "h100-sxm-80gb"}, {"method", method}});
      INFO(written(sizes) << written(at(answer, "/problems")));
      if (!is_true(answer, "/ok")) CHECK(!errors(answer).empty());
      else CHECK(number(answer, "/memory/total/total") > 0);
    }
  }
}

TEST_CASE("all problems are named at once, and none hides another") {
  const auto answer = estimate({{"model", "no/such-model"}, {"weigths", 1}, {"weights", "Q4_K_N"}, {"kv_cache", {{"k", "q8_1"}}}, {"engine", "vlm"},
                                {"device", {{"memory_bytes", -1}, {"flops", {{"bf15", 1}}}}}, {"devices", {{"count", 0}, {"per_nod", 8}}}, {"reserved_bytes", "much"},
                                {"parallel", {{"tensor", 0}}}, {"workload", {{"prompt_tokens", 0}, {"cached_prefix_tokens", -1}, {"mode", "loop"}}},
                                {"options", {{"block_size", 0}}}, {"efficiency", {{"compute", 2}}}, {"method", "exact"}, {"explain", 1}});
  CHECK(errors(answer) == Found{{"/model", "unknown_model"}, {"/weigths", "unknown_field"}, {"/weights", "unknown_weight_format"}, {"/kv_cache/k", "unknown_kv_format"},
                                {"/engine", "unknown_engine"}, {"/device/memory_bytes", "out_of_range"}, {"/device/flops/bf15", "unknown_field"},
                                {"/devices/count", "out_of_range"}, {"/devices/per_nod", "unknown_field"}, {"/reserved_bytes", "wrong_type"},
                                {"/parallel/tensor", "out_of_range"}, {"/workload/prompt_tokens", "out_of_range"}, {"/workload/cached_prefix_tokens", "out_of_range"},
                                {"/workload/mode", "unknown_value"}, {"/options/block_size", "out_of_range"}, {"/efficiency/compute", "out_of_range"},
                                {"/method", "unknown_value"}, {"/explain", "wrong_type"}});
  CHECK(next_good_request_works());
}

TEST_CASE("a hundred thousand unknown fields are an answer of bounded size") {
  std::string request = R"({"model":"meta-llama/Llama-3.1-8B")";
  for (int i = 0; i < 60'000; ++i) request += ",\"x" + std::to_string(i) + "\":0";
  const auto answer = api::estimate(request + "}");
  CHECK(at(parsed(answer), "/ok") == false);
  CHECK(answer.size() < 2'000'000);
  CHECK(next_good_request_works());
}

// -------------------------------------------------------------------------------------------------------------- the config

TEST_CASE("a config that lacks what is needed names all of it") {
  const auto answer = of_config({{"model_type", "llama"}});
  const auto found = errors(answer);
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "intermediate_size"}) {
    INFO(key);
    CHECK(found.count({std::string("/model/config/") + key, "config_missing_key"}) == 1);
  }
  CHECK(errors(of_config(with(llama(), "hidden_size", nullptr))) == Found{{"/model/config/hidden_size", "config_missing_key"}});
  CHECK(!errors(of_config(json::object())).empty());
  CHECK(errors(estimate({{"model", {{"config", "llama"}}}})) == Found{{"/model/config", "wrong_type"}});
  CHECK(errors(estimate({{"model", {{"config", json::array()}}}})) == Found{{"/model/config", "wrong_type"}});
}

TEST_CASE("absurd values of a config are named at their key") {
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size"})
    for (const json& value : std::vector<json>{-1, 0, 1.5, 1e308, "4096", true, json::object(), json::array(), json::array({1, 2}), 9007199254740993.0}) {
      const auto answer = of_config(with(llama(), key, value));
      INFO(key << " " << written(value) << " " << written(at(answer, "/problems")));
      CHECK(errors(answer).count({std::string("/model/config/") + key, "config_bad_value"}) == 1);
    }
  CHECK(next_good_request_works());
}

TEST_CASE("a config whose values contradict each other says which") {
  const auto answer = of_config(with(llama(), "num_key_value_heads", 7));
  const auto found = errors(answer);
  CHECK(found == Found{{"/model/config/num_key_value_heads", "config_contradiction"}});
  CHECK(errors(of_config(with(llama(), "num_key_value_heads", 64))).size() == 1);
}

TEST_CASE("a config with several mistakes names each of them") {
  auto config = llama();
  config["num_hidden_layers"] = nullptr;
  config["num_attention_heads"] = -32;
  config["hidden_size"] = "wide";
  const auto found = errors(of_config(config));
  CHECK(found.count({"/model/config/num_hidden_layers", "config_missing_key"}) == 1);
  CHECK(found.count({"/model/config/num_attention_heads", "config_bad_value"}) == 1);
  CHECK(found.count({"/model/config/hidden_size", "config_bad_value"}) == 1);
}

TEST_CASE("mistakes in the config and in the rest of the request come together") {
  const auto found = errors(estimate({{"model", {{"config", with(llama(), "hidden_size", -1)}}}, {"weights", "Q4_K_N"}, {"workload", {{"prompt_tokens", -1}}}}));
  CHECK(found == Found{{"/model/config/hidden_size", "config_bad_value"}, {"/weights", "unknown_weight_format"}, {"/workload/prompt_tokens", "out_of_range"}});
}

// ---------------------------------------------------------------------------------------------------------- the other calls

TEST_CASE("train refuses what it cannot read, all at once") {
  const auto answer = train({{"model", "no/such-model"}, {"estimate_method", "articel"}, {"precision", "fp17"}, {"lora", {{"rank", 0}, {"target", "x"}}},
                             {"gradient_accumulation", 2}, {"global_batch", 8}, {"micro_batch", -1}, {"sequence_tokens", "long"}, {"optimizer", "adam"},
                             {"parallel", {{"zero_stage", 4}}}, {"activation_checkpointing", "every"}, {"base_weights", "nf5"}, {"device", "h100-sxm-80g"}});
  CHECK(errors(answer) == Found{{"/model", "unknown_model"}, {"/estimate_method", "unknown_value"}, {"/precision", "unknown_value"}, {"/lora/rank", "out_of_range"},
                                {"/lora/target", "unknown_field"}, {"/global_batch", "conflicting_fields"}, {"/micro_batch", "out_of_range"},
                                {"/sequence_tokens", "wrong_type"}, {"/optimizer", "unknown_value"}, {"/parallel/zero_stage", "out_of_range"},
                                {"/activation_checkpointing", "unknown_value"}, {"/base_weights", "unknown_weight_format"}, {"/device", "unknown_device"}});
  CHECK(nearest_at(answer, "/optimizer") == "adamw");
  CHECK(errors(train(json::object())).count({"", "missing_field"}) == 1);
}

TEST_CASE("train refuses layouts and modules that cannot be, all at once, and says what can") {
  const auto answer = train({{"model", "meta-llama/Llama-3.1-8B"}, {"method", "lora"}, {"lora", {{"targets", {"q_proj", "c_attn"}}, {"train_also", {"embeddings"}}}},
                             {"framework", "deepspeed"}, {"devices", 12}, {"parallel", {{"data", 2}, {"tensor", 3}, {"pipeline", 2}, {"zero_stage", 3}, {"expert", 2}, {"shard_group", 5}}},
                             {"dataset_tokens", 0}, {"micro_batch", 0}});
  CHECK(errors(answer) == Found{{"/lora/targets/1", "unknown_lora_target"}, {"/lora/train_also/0", "unknown_value"}, {"/parallel/tensor", "does_not_divide"},
                                {"/parallel/zero_stage", "framework_forbids"}, {"/parallel/expert", "does_not_divide"}, {"/parallel/shard_group", "does_not_divide"},
                                {"/dataset_tokens", "out_of_range"}, {"/micro_batch", "out_of_range"}});
  CHECK(errors(train({{"model", "meta-llama/Llama-3.1-8B"}, {"devices", 8}, {"parallel", {{"data", 2}, {"tensor", 2}}}})) == Found{{"/parallel", "devices_mismatch"}});
  const auto uneven = train({{"model", "meta-llama/Llama-3.1-8B"}, {"method", "lora"}, {"lora", {{"targets", json::array()}}}, {"parallel", {{"data", 4}, {"context", 3}}}, {"global_batch", 6}});
  CHECK(errors(uneven) == Found{{"/lora/targets", "wrong_type"}, {"/parallel/context", "does_not_divide"}, {"/global_batch", "does_not_divide"}});
  CHECK(at(problem_at(uneven, "/global_batch"), "/params/accepted") == json({"4", "8"}));
  CHECK(at(problem_at(uneven, "/parallel/context"), "/params/accepted") == json({"1", "2"}));
  // A family's own names are those of its checkpoints.
  const auto unsplit = train({{"model", "openai-community/gpt2"}, {"method", "lora"}, {"lora", {{"targets", {"W_pack"}}}}});
  const auto message = text(unsplit, "/problems/0/message");
  CHECK(message.find("q_proj") != std::string::npos);
  CHECK(message.find("c_attn") != std::string::npos);
}

TEST_CASE("plan is not there yet, and names what else is wrong") {
  const auto answer = parsed(api::plan(R"({"model":"meta-llama/Llama-3.1-8B","devices":5,"sort":"price","limits":{"ttft":1,"tpot_s":-1}})"));
  CHECK(errors(answer) == Found{{"", "not_available"}, {"/devices", "wrong_type"}, {"/sort", "unknown_value"}, {"/limits/ttft", "unknown_field"},
                                {"/limits/tpot_s", "out_of_range"}});
  CHECK(nearest_at(answer, "/limits/ttft") == "ttft_s");
}

TEST_CASE("sweep refuses an axis that leads nowhere") {
  const auto sweep = [](const json& request) { return parsed(api::sweep(written(request)).json); };
  const json base{{"request", {{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}}}, {"vary", {{"path", "/devices"}, {"values", {1, 2}}}},
                  {"outputs", {"memory.per_device.total"}}};
  CHECK(is_true(sweep(base), "/ok"));
  const auto changed = [&](const char* path, const json& value) {
    auto request = base;
    request[json::json_pointer(path)] = value;
    return sweep(request);
  };
  CHECK(errors(sweep(json::object())) == Found{{"", "missing_field"}, {"", "missing_field"}, {"/vary", "missing_field"}, {"/vary", "missing_field"}});
  CHECK(errors(changed("/call", "plan")) == Found{{"/call", "unknown_value"}});
  const auto bad_path = changed("/vary/path", "/workload/contxt_tokens");
  CHECK(errors(bad_path) == Found{{"/vary/path", "unknown_value"}});
  CHECK(nearest_at(bad_path, "/vary/path") == "/workload/context_tokens");
  for (const char* path : {"", "devices", "/~", "/devices~2", "~", "/"}) {
    INFO(path);
    CHECK(errors(changed("/vary/path", path)) == Found{{"/vary/path", "unknown_value"}});
  }
  CHECK(errors(changed("/vary/path", 5)) == Found{{"/vary/path", "wrong_type"}});
  CHECK(errors(changed("/vary/values", 5)) == Found{{"/vary/values", "wrong_type"}});
  CHECK(errors(changed("/vary/values", std::vector<int>(10'001, 1))) == Found{{"/vary/values", "out_of_range"}});
  CHECK(errors(changed("/outputs", std::vector<std::string>(101, "speed.tpot_s"))) == Found{{"/outputs", "out_of_range"}});
  CHECK(errors(changed("/outputs", json::array({1}))) == Found{{"/outputs", "wrong_type"}});
  CHECK(errors(changed("/request", "text")) == Found{{"/request", "wrong_type"}});
  CHECK(errors(changed("/varry", 1)) == Found{{"/varry", "unknown_field"}});
}

TEST_CASE("an output path that the answer never has is a mistake, not a column without values") {
  const auto answer = parsed(api::sweep(R"({"request":{"model":"meta-llama/Llama-3.1-8B"},"vary":{"path":"/devices","values":[1]},"outputs":["memory.totl.weights"]})").json);
  CHECK(errors(answer) == Found{{"/outputs/0", "unknown_value"}});
  CHECK(nearest_at(answer, "/outputs/0") == "memory.total.weights");
}

TEST_CASE("a sweep without a single answer says why, at its place in the sweep") {
  const auto of = [](const char* request) { return errors(parsed(api::sweep(request).json)); };
  CHECK(of(R"({"request":{"model":"no/such-model","weights":"Q4_K_N"},"vary":{"path":"/devices","values":[1,2]},"outputs":["model.parameters"]})") ==
        Found{{"/request/model", "unknown_model"}, {"/request/weights", "unknown_weight_format"}});
  CHECK(of(R"({"request":{"model":"meta-llama/Llama-3.1-8B"},"vary":{"path":"/weights","values":["Q4_K_N",{"bits":4}]},"outputs":["model.parameters"]})") ==
        Found{{"/vary/values/0", "unknown_weight_format"}});
  CHECK(of(R"({"call":"train","request":{"model":"meta-llama/Llama-3.1-8B"},"vary":{"path":"/micro_batch","values":[0]},"outputs":["model.parameters"]})") ==
        Found{{"/vary/values/0", "out_of_range"}});
  CHECK(api::sweep(R"({"request":{"model":"no/such-model"},"vary":{"path":"/devices","values":[1,2]},"outputs":["model.parameters"]})").values.empty());
}

TEST_CASE("a sweep varies a member of what was given in short") {
  const auto sweep = api::sweep(R"({"request":{"model":"meta-llama/Llama-3.1-8B","device":"rtx-4090","devices":2},"vary":{"path":"/devices/count","values":[1,4]},
                                    "outputs":["memory.per_device.weights","memory.per_device.fits"]})");
  REQUIRE(sweep.values.size() == 4);
  CHECK(sweep.values[0] > 3.9 * sweep.values[1]);
  CHECK(sweep.values[2] == 1);                       // true and false are 1 and 0
}

TEST_CASE("one bad value of a sweep is one hole in its columns") {
  const auto sweep = api::sweep(R"({"request":{"model":"meta-llama/Llama-3.1-8B","device":"rtx-4090"},"outputs":["memory.per_device.total","speed.tpot_s"],
                                    "vary":{"path":"/workload/concurrency","values":[1,0,"many",null,{"a":1},2]}})");
  CHECK(is_true(parsed(sweep.json), "/ok"));
  REQUIRE(sweep.values.size() == 12);
  for (const std::size_t column : {0UL, 6UL}) {
    for (const std::size_t good : {0UL, 3UL, 5UL}) CHECK(sweep.values[column + good] > 0);             // null: the default
    for (const std::size_t bad : {1UL, 2UL, 4UL}) CHECK(sweep.values[column + bad] != sweep.values[column + bad]);
  }
}

TEST_CASE("files that are no model are refused one by one") {
  const auto read = [](const std::vector<api::File>& files) { return parsed(api::read_model(files)); };
  const auto file = [](std::string name, std::string content, std::int64_t more = 0) {
    const auto size = static_cast<std::int64_t>(content.size()) + more;
    return api::File{std::move(name), std::move(content), size};
  };
  CHECK(errors(read({})) == Found{{"", "missing_field"}});
  CHECK(errors(read({file("config.json", "")})) == Found{{"/0", "not_json"}});
  CHECK(errors(read({file("config.json", "[]")})) == Found{{"/0", "wrong_type"}});
  CHECK(errors(read({file("config.json", "{\"model_type\":\"\xFF\"}")})) == Found{{"/0", "broken_text"}});
  CHECK(errors(read({file("config.json", nested(100, '[', ']'))})) == Found{{"/0", "too_deep"}});
  CHECK(errors(read({file("config.json", R"({"hidden_size":1,"hidden_size":1})")})).count({"/0/hidden_size", "duplicate_key"}) == 1);
  CHECK(errors(read({file("config.json", written(with(llama(), "hidden_size", -1)))})) == Found{{"/0/hidden_size", "config_bad_value"}});
  const auto part = read({file("config.json", "{\"model_type\":", 1000)});
  CHECK(errors(part) == Found{{"/0", "needs_more_bytes"}});
  CHECK(text(part, "/problems/0/params/name") == "config.json");
  CHECK(number(part, "/problems/0/params/bytes") == 1014);
  CHECK(!errors(read({file("model.gguf", "not really")})).empty());
  CHECK(!errors(read({file("model.safetensors", std::string(8, '\xFF'))})).empty());
  CHECK(errors(read({file("config.json", "{"), file("config.json", "}")})) == Found{{"/0", "not_json"}, {"/1", "not_json"}});
  CHECK(next_good_request_works());
}

TEST_CASE("a config file as Python writes it is a model that goes into a request as it is") {
  auto config = written(llama());
  config.insert(config.size() - 1, R"(,"initializer_range":NaN,"some_limit":-Infinity,"other":[Infinity],"text":"NaN Infinity")");
  const auto read = parsed(api::read_model({{"config.json", config, static_cast<std::int64_t>(config.size())}}));
  REQUIRE(is_true(read, "/ok"));
  CHECK(text(read, "/model/config/text") == "NaN Infinity");
  const auto answer = estimate({{"model", at(read, "/model")}, {"device", "rtx-4090"}});
  CHECK(is_true(answer, "/ok"));
  CHECK(number(answer, "/model/parameters") == 8'030'261'248);
}

// ------------------------------------------------------------------------------------------------------------------- codes

TEST_CASE("each kind of problem can be met, and says more than its own template") {
  const char* const requests[] = {
      "{", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "\xFF", R"({"a":1,"a":2})", R"({"a":1e999})", R"({"model":5,"wieghts":1})", "{}",
      R"({"model":"no/such","weights":"Q4_K_N","kv_cache":"q8_1","engine":"vlm","device":"h100-sxm-80g","method":"exact","devices":0})",
      R"({"model":"Qwen/QwQ-32B","parallel":{"tensor":3},"workload":{"requests_per_s":5,"concurrency":2}})", R"({"model":"Qwen/QwQ-32B","parallel":{"tensor":4},"devices":6})",
      R"({"model":{"config":{"model_type":"llama","hidden_size":-1}}})",
      R"({"model":{"config":{"model_type":"llama","hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":7,"intermediate_size":9,"vocab_size":9}}})",
      R"({"model":{"config":{"model_type":"bart","is_encoder_decoder":true}}})",
      R"({"model":{"config":{"model_type":"brandnew","hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"intermediate_size":9,"vocab_size":9,"max_position_embeddings":4096,"vision_config":{}}},
          "engine":{"name":"vllm","version":"99"},"options":{"swa_full":true},"workload":{"context_tokens":100000000}})",
      R"({"model":"meta-llama/Llama-3.1-8B","device":"rtx-4090","devices":1,"workload":{"prompt_tokens":10000,"concurrency":1000}})",
      R"({"model":"meta-llama/Llama-3.1-8B","device":"rtx-4090","devices":1,"weights":"fp8","workload":{"requests_per_s":1000}})",
      R"({"model":"meta-llama/Llama-3.1-70B","device":["rtx-4090","rtx-3090"]})", R"({"model":"openai/gpt-oss-120b","device":"h100-sxm-80gb"})",
      R"({"model":"meta-llama/Llama-3.1-8B","device":{"memory_bytes":24e9}})", R"({"model":{"manual":{"parameters":7e9}},"method":"article"})",
      R"({"model":"meta-llama/Llama-3.1-8B","parallel":{"tensor":16}})", R"({"model":"unsloth/Llama-3.1-8B-GGUF"})",
      R"({"model":"meta-llama/Llama-3.1-8B","engine":"llama.cpp","weights":"awq-int4"})"};
  std::set<std::string> met;
  const auto meet = [&](const json& answer) {
    for (const auto& problem : at(answer, "/problems")) {
      met.insert(text(problem, "/code"));
      CHECK(text(problem, "/message").find_first_of("{[") == std::string::npos);
    }
  };
  for (const auto* request : requests) meet(parsed(api::estimate(request)));
  meet(train({{"model", "meta-llama/Llama-3.1-8B"}, {"method", "lora"}, {"lora", {{"targets", {"c_attn"}}}}, {"framework", "deepspeed"}, {"devices", 4}, {"parallel", {{"pipeline", 2}, {"zero_stage", 3}}}}));
  meet(train({{"model", "mistralai/Mixtral-8x7B-v0.1"}, {"capacity_factor", 0.5}}));
  meet(parsed(api::plan("{}")));
  meet(parsed(api::estimate(std::string(4'000'001, ' '))));
  meet(parsed(api::read_model({{"a.gguf", "", 0}, {"config.json", "{", 100}})));
  meet(parsed(api::read_model({text_file("config.json", kSmallConfig), index_of(small_checkpoint()), safetensors("a.safetensors", small_checkpoint()), text_file("merges.txt", "")})));
  meet(parsed(api::read_model({index_of(small_checkpoint())})));
  auto other_vocabulary = small_checkpoint();
  other_vocabulary[1].shape[0] = 1001;
  meet(parsed(api::read_model({text_file("config.json", kSmallConfig), safetensors("a.safetensors", other_vocabulary)})));
  auto other_width = small_checkpoint();
  for (auto& tensor : other_width)
    for (auto& side : tensor.shape) side *= 2;
  meet(parsed(api::read_model({text_file("config.json", kSmallConfig), safetensors("a.safetensors", other_width)})));
  const auto description = parsed(api::describe());
  const std::set<std::string> of_the_loader{"not_json_value", "cycle"}, nobody_yet{"internal_error", "missing_figure", "engine_as_ideal"};
  for (const auto& row : at(description, "/problems")) {
    const auto code = text(row, "/code");
    INFO(code);
    CHECK(met.count(code) + of_the_loader.count(code) + nobody_yet.count(code) == 1);
  }
}

// --------------------------------------------------------------------------------------------------------------- mutations

// Not random: the same walk every time.
TEST_CASE("a good request with any one byte changed or cut has an answer") {
  const std::string request = R"({"model":"Qwen/QwQ-32B","weights":{"bits_per_weight":4.5},"kv_cache":{"k":"q8_0","v":"q4_0"},"device":"h100-sxm-80gb","devices":{"count":2}})";
  std::map<std::string, int> codes;
  for (std::size_t i = 0; i < request.size(); ++i)
    for (const char c : {'"', '{', '\\', '\xFF', '9', ',', '\0'}) {
      auto broken = request;
      broken[i] = c;
      const auto answer = parsed(api::estimate(broken));
      INFO(broken);
      REQUIRE(answer.is_object());
      if (is_true(answer, "/ok")) continue;
      REQUIRE(!errors(answer).empty());
      for (const auto& [path, code] : errors(answer)) ++codes[code];
    }
  for (std::size_t size = 0; size < request.size(); ++size) CHECK(errors_of(std::string_view(request).substr(0, size)) == Found{{"", "not_json"}});
  for (const char* code : {"not_json", "broken_text", "unknown_field", "unknown_model", "unknown_device", "unknown_kv_format", "out_of_range"}) {
    INFO(code);
    CHECK(codes[code] > 0);
  }
  CHECK(codes["internal_error"] == 0);
  CHECK(next_good_request_works());
}

TEST_CASE("a version that was never released is said, and the one before it taken") {
  const auto taken = [](const char* engine, const char* version) {
    const auto answer = estimate({{"model", "meta-llama/Llama-3.1-8B-Instruct"}, {"engine", {{"name", engine}, {"version", version}}}});
    for (const auto& p : at(answer, "/problems"))
      if (text(p, "/code") == "unknown_engine_version") return text(p, "/params/taken");
    return std::string();
  };
  CHECK(taken("vllm", "0.8.5") == "");
  CHECK(taken("vllm", "v0.10.1.1") == "");
  CHECK(taken("vllm", "0.6.4.post1") == "");
  CHECK(taken("vllm", "0.8") == "");
  CHECK(taken("vllm", "0.8.77") == "0.8.5");
  CHECK(taken("vllm", "0.99") == "0.31");
  CHECK(taken("vllm", "soon") == "0.31");
  CHECK(taken("vllm", "0.1.0") == "0.2");
  CHECK(taken("transformers", "4.99.0") == "4.57.6");
  CHECK(taken("tensorrt-llm", "0.18.2") == "");
  CHECK(taken("tensorrt-llm", "0.40") == "0.21.0");
  CHECK(taken("llama.cpp", "b5921") == "");
  CHECK(taken("ollama", "0.5.99") == "0.5.13");
}

TEST_CASE("key-value heads that a tensor group can neither split nor copy evenly") {
  json request{{"model", "microsoft/phi-4"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 4}, {"parallel", {{"tensor", 4}}}};
  const auto refused = estimate(request);              // 10 of them
  CHECK(at(refused, "/ok") == true);
  CHECK(text(refused, "/problems/0/message").find("its 10 key-value heads") != std::string::npos);
  request["devices"] = 2;
  request["parallel"]["tensor"] = 2;
  CHECK(at(estimate(request), "/problems").empty());
}
