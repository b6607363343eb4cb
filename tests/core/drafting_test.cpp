// What drafts for speculation and keeps of it: a model of its own, or the model's prediction layers.
#include <cmath>

#include "api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;

namespace {

constexpr double kMiB = 1048576;

double beside(json request, std::string_view path, const json& speculative) {
  const double before = number(estimate(request), path);
  request["options"]["speculative"] = speculative;
  return number(estimate(request), path) - before;
}

const json kDrafted{{"draft_model", "meta-llama/Llama-3.2-1B-Instruct"}, {"tokens", 3}};
constexpr double kDraftToken = 16 * 8 * 64 * 2 * 2;    // layers, heads, their width, keys and values, bytes

}  // namespace

TEST_CASE("a draft model's cache comes out of the same pool, split over the same devices") {
  const json vllm{{"model", "meta-llama/Llama-3.3-70B-Instruct"}, {"weights", "fp8"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 4}, {"parallel", {{"tensor", 4}}}};
  CHECK(beside(vllm, "/capacity/kv_bytes_per_token", kDrafted) == kDraftToken / 4);
  CHECK(beside(vllm, "/memory/total/kv_cache", kDrafted) == 1280 * kDraftToken);
  CHECK(beside(vllm, "/model/kv_bytes_per_token", kDrafted) == 0);
  CHECK(beside(vllm, "/capacity/kv_tokens", kDrafted) < 0);
  auto narrow = vllm;
  narrow["kv_cache"] = "fp8";
  CHECK(beside(narrow, "/capacity/kv_bytes_per_token", kDrafted) == kDraftToken / 8);
}

TEST_CASE("llama.cpp drafts in a context of its own for each slot, its cache in 16 bits") {
  json slots{{"model", "meta-llama/Llama-3.3-70B-Instruct"}, {"weights", "Q4_K_M"}, {"kv_cache", "q8_0"}, {"engine", "llama.cpp"}, {"device", "h100-sxm-80gb"}, {"devices", 1},
             {"workload", {{"context_tokens", 8192}, {"concurrency", 1}}}};
  const double one = beside(slots, "/memory/per_device/activations", kDrafted);
  CHECK(beside(slots, "/memory/per_device/kv_cache", kDrafted) == 8192 * kDraftToken);
  CHECK(one > 512 * 128256 * 4.0);                     // logits of a micro-batch
  slots["workload"]["concurrency"] = 3;
  CHECK(beside(slots, "/memory/per_device/activations", kDrafted) == 3 * one);
  CHECK(beside(slots, "/memory/per_device/kv_cache", kDrafted) == 3 * 8192 * kDraftToken);
}

// A log of llama-server on a Ryzen AI Max+ 395 that is kept in a public repository: Qwen3.5 27B in Q8_0 with its prediction layer
// drafting six tokens, 262,144 cells in f16.
TEST_CASE("prediction layers have a cache and a compute buffer, and states are kept for each checked token") {
  const auto answer = estimate({{"model", "Qwen/Qwen3.5-27B"}, {"weights", "Q8_0"}, {"kv_cache", "fp16"}, {"engine", "llama.cpp"}, {"device", "ryzen-ai-max-395"}, {"devices", 1},
                                {"workload", {{"context_tokens", 262144}}}, {"options", {{"speculative", {{"tokens", 6}}}}}});
  const auto near = [&](std::string_view path, double mib) { return std::abs(number(answer, path) / kMiB - mib) < 0.03; };
  CHECK(near("/memory/per_device/weights", 26402.70));
  CHECK(near("/memory/host/weights", 1288.28));
  CHECK(near("/memory/per_device/kv_cache", 16384 + 1024 + 1047.38));
}

TEST_CASE("what drafts lies on the stages that draft, and the parts are shown") {
  json request{{"model", "deepseek-ai/DeepSeek-V3"}, {"engine", "sglang"}, {"device", "h200-sxm-141gb"}, {"devices", 16}, {"parallel", {{"tensor", 8}, {"pipeline", 2}}},
               {"options", {{"speculative", {{"tokens", 1}}}}}, {"explain", true}};
  const auto answer = estimate(request);
  CHECK(number(answer, "/memory/total/kv_cache") == 1280 * 8 * 62.0 * 576 * 2);      // a latent for each of 61 layers and the one that drafts, on every device of a stage
  bool shown = false;
  for (const auto& step : at(answer, "/steps"))
    if (text(step, "/id") == "device_kv_bytes_per_sequence")
      for (const auto& row : at(step, "/rows")) shown = shown || row == "draft";
  CHECK(shown);
}
