// What an estimate's numbers mean, stated as relations that hold whatever the figures are: sums, limits that are tight, what
// grows and what does not. The figures themselves are checked against publications elsewhere.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "api_json.hpp"
#include "support/catch.hpp"
#include "support/golden_cases.hpp"

using namespace weighbridge_test;

namespace {

json good(const json& request) {
  auto answer = estimate(request);
  INFO(written(request) << " " << written(at(answer, "/problems")));
  REQUIRE(is_true(answer, "/ok"));
  return answer;
}

json with(json request, const char* pointer, json value) {
  request[json::json_pointer(pointer)] = std::move(value);
  return request;
}

bool fits(const json& request) { return is_true(good(request), "/memory/per_device/fits"); }

// Many models, devices, formats, layouts and workloads, in no other order than this one.
std::vector<json> many_requests() {
  std::vector<json> out;
  const char* const models[] = {"meta-llama/Llama-3.1-8B", "Qwen/QwQ-32B", "google/gemma-3-27b-it", "deepseek-ai/DeepSeek-R1", "mistralai/Mixtral-8x7B-v0.1",
                                "openai/gpt-oss-20b", "mistralai/Mistral-7B-v0.1", "openai-community/gpt2"};
  const json weights[] = {nullptr, "fp8", "Q4_K_M", {{"bits_per_weight", 3.5}}};
  const json parallels[] = {nullptr, {{"tensor", 2}}, {{"pipeline", 3}}, {{"tensor", 2}, {"pipeline", 2}, {"data", 2}}};
  std::size_t i = 0;
  for (const char* model : models)
    for (const auto& w : weights)
      for (const auto& p : parallels) {
        ++i;
        out.push_back({{"model", model}, {"weights", w}, {"parallel", std::string_view(model) == "openai-community/gpt2" ? json() : p}, {"device", i % 3 ? "h100-sxm-80gb" : "rtx-4090"},
                       {"kv_cache", i % 2 ? json("fp8") : json()}, {"reserved_bytes", i % 5 ? 0 : 1e9},
                       {"workload", {{"prompt_tokens", 100 + 37 * i}, {"output_tokens", 64}, {"concurrency", 1 + i % 33}}}});
      }
  return out;
}

json llama(json workload = json::object()) {
  return {{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}, {"devices", 1}, {"workload", std::move(workload)}};
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------------ memory

TEST_CASE("a total is the sum of its parts, and headroom is what is left") {
  for (const auto& request : many_requests()) {
    const auto answer = good(request);
    INFO(written(request));
    for (const std::string part : {"/memory/per_device/", "/memory/total/"}) {
      double sum = 0;
      for (const char* name : {"weights", "kv_cache", "activations", "runtime"}) {
        const double bytes = number(answer, part + name);
        CHECK(bytes >= 0);
        sum += bytes;
      }
      CHECK(same(number(answer, part + "total"), sum));
    }
    double roles = 0;
    for (const auto& [name, bytes] : at(answer, "/memory/detail/weights").items()) roles += bytes.is_number() ? bytes.get<double>() : std::nan("");
    CHECK(same(roles, number(answer, "/memory/per_device/weights"), 1e-9));
    double runtime = 0;
    for (const auto& [name, bytes] : at(answer, "/memory/detail/runtime").items()) runtime += bytes.is_number() ? bytes.get<double>() : std::nan("");
    CHECK(same(runtime, number(answer, "/memory/per_device/runtime")));
    const double headroom = number(answer, "/memory/per_device/usable") - number(answer, "/memory/per_device/total");
    CHECK(std::abs(number(answer, "/memory/per_device/headroom") - headroom) <= 1);
    CHECK(is_true(answer, "/memory/per_device/fits") == (number(answer, "/memory/per_device/headroom") >= 0));
    CHECK(number(answer, "/memory/per_device/usable") <= number(answer, "/memory/per_device/capacity"));
  }
}

TEST_CASE("no device holds less than its share of the whole") {
  for (const auto& request : many_requests()) {
    const auto answer = good(request);
    INFO(written(request));
    double devices = 1;
    const auto& parallel = at(request, "/parallel");
    if (parallel.is_object()) for (const auto& [axis, degree] : parallel.items()) devices *= degree.get<double>();
    else for (const auto& a : at(answer, "/assumptions")) if (text(a, "/path") == "/devices") devices = number(a, "/value");
    CHECK(number(answer, "/memory/per_device/total") * devices >= number(answer, "/memory/total/total") * (1 - 1e-9));
    CHECK(number(answer, "/memory/total/weights") >= 0.8 * number(answer, "/model/weight_bytes"));       // prediction layers may stay out
  }
}

TEST_CASE("what something else has taken is runtime, byte for byte") {
  const auto plain = good(llama()), reserved = good(with(llama(), "/reserved_bytes", 2e9));
  CHECK(number(reserved, "/memory/per_device/runtime") - number(plain, "/memory/per_device/runtime") == 2e9);
  CHECK(number(plain, "/memory/per_device/headroom") - number(reserved, "/memory/per_device/headroom") == 2e9);
  CHECK(number(reserved, "/memory/detail/runtime/reserved") == 2e9);
}

TEST_CASE("the cache of a model without windows is tokens times bytes per token") {
  const auto answer = good(llama({{"prompt_tokens", 1000}, {"output_tokens", 200}, {"concurrency", 3}}));
  CHECK(number(answer, "/model/kv_bytes_per_token") == 2 * 32 * 8 * 128 * 2);
  CHECK(number(answer, "/memory/per_device/kv_cache") == 3 * 1200 * 131072.0);
  CHECK(number(good(llama({{"prompt_tokens", 1000}, {"output_tokens", 200}, {"context_tokens", 5000}})), "/memory/per_device/kv_cache") == 5000 * 131072.0);
  CHECK(number(good(with(llama(), "/kv_cache", "fp8")), "/model/kv_bytes_per_token") == 65536);
  CHECK(number(good(with(llama(), "/kv_cache", {{"k", "q8_0"}, {"v", "q4_0"}})), "/model/kv_bytes_per_token") == 32 * 8 * 128 * (8.5 + 4.5) / 8);
}

TEST_CASE("key-value heads are split over devices until each has one, and then copied") {
  for (const int tensor : {1, 2, 4, 8, 16, 32}) {
    const auto answer = good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"devices", {{"count", tensor}, {"per_node", tensor}}},
                              {"parallel", {{"tensor", tensor}}}, {"workload", {{"concurrency", 4}}}});
    INFO(tensor);
    const double whole = 4 * 1280 * 131072.0, held = whole / std::min(tensor, 8);
    CHECK(same(number(answer, "/memory/per_device/kv_cache"), held));
    CHECK(same(number(answer, "/memory/total/kv_cache"), held * tensor));
    CHECK(same(number(answer, "/capacity/kv_bytes_per_token"), 131072.0 / std::min(tensor, 8)));
    CHECK(has_problem(answer, "kv_heads_replicated") == (tensor > 8));
  }
}

TEST_CASE("the latent of MLA is the same on every device that shares a layer") {
  for (const int tensor : {1, 2, 4, 8}) {
    const auto answer = good({{"model", "deepseek-ai/DeepSeek-V2-Lite"}, {"device", "h100-sxm-80gb"}, {"parallel", {{"tensor", tensor}}}});
    INFO(tensor);
    CHECK(number(answer, "/model/kv_bytes_per_token") == 27 * (512 + 64) * 2);
    CHECK(number(answer, "/memory/per_device/kv_cache") == 1280 * 31104.0);
    CHECK(number(answer, "/memory/total/kv_cache") == tensor * 1280 * 31104.0);
  }
}

TEST_CASE("pipeline stages share the layers, replicas hold all of them") {
  const auto kv = [](json parallel) { return number(good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"parallel", std::move(parallel)},
                                                          {"workload", {{"concurrency", 6}}}}), "/memory/per_device/kv_cache"); };
  const double one = kv(nullptr);
  CHECK(same(kv({{"pipeline", 4}}), one / 4));
  CHECK(same(kv({{"data", 2}}), one / 2));               // 3 of the 6 sequences each
  CHECK(same(kv({{"data", 4}}), one / 3));               // 2 of them on the fullest
  const auto weights = [](json parallel) { return number(good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"parallel", std::move(parallel)}}), "/memory/total/weights"); };
  CHECK(same(weights({{"data", 3}}), 3 * weights(nullptr)));
  CHECK(same(weights({{"pipeline", 2}}), weights(nullptr)));
}

TEST_CASE("a layer with a window keeps its window and no more") {
  // Gemma 3 27B: 10 of 62 layers see everything, the others 1024 tokens; 16 heads of 128, two numbers, 16 bits.
  const double layer = 2 * 16 * 128 * 2;
  const auto kv = [&](double context) {
    return number(good({{"model", "google/gemma-3-27b-it"}, {"device", "h100-sxm-80gb"}, {"workload", {{"context_tokens", context}}}}), "/memory/total/kv_cache");
  };
  CHECK(kv(1000) == 62 * layer * 1000);
  CHECK(kv(1024) == 62 * layer * 1024);
  CHECK(kv(1025) == layer * (62 * 1024 + 10));
  CHECK(kv(100'000) == layer * (52 * 1024 + 10 * 100'000.0));
  const auto model = good({{"model", "google/gemma-3-27b-it"}});
  CHECK(number(model, "/model/kv_bytes_per_token") == 10 * layer);
  CHECK(number(model, "/model/window_bytes_per_sequence") == 52 * layer * 1024);
  // Mistral 7B v0.1 has a window in every layer: the cache stops growing.
  const auto mistral = [](double context) {
    return number(good({{"model", "mistralai/Mistral-7B-v0.1"}, {"device", "rtx-4090"}, {"workload", {{"context_tokens", context}}}}), "/memory/total/kv_cache");
  };
  CHECK(mistral(4096) == mistral(30'000));
  CHECK(mistral(2048) == mistral(4096) / 2);
}

TEST_CASE("without a device there is the model and what it takes in all, and nothing that needs a device") {
  const auto answer = good({{"model", "meta-llama/Llama-3.1-8B"}});
  CHECK(number(answer, "/memory/total/weights") == 2 * 8'030'261'248.0);
  CHECK(number(answer, "/memory/total/kv_cache") == 1280 * 131072.0);
  for (const char* path : {"/memory/per_device", "/capacity", "/speed"}) {
    INFO(path);
    CHECK(at(answer, path).is_null());
  }
  CHECK(at(answer, "/advice") == json::array());
  CHECK(number(good({{"model", "meta-llama/Llama-3.1-8B"}, {"weights", "Q4_K_M"}}), "/model/weight_bytes") < 5e9);
}

// ---------------------------------------------------------------------------------------------------------------- capacity

TEST_CASE("the devices needed fit, and one fewer does not") {
  struct Case { const char* model; json weights; const char* device; };
  const Case cases[] = {{"meta-llama/Llama-3.1-70B", "bf16", "rtx-4090"}, {"meta-llama/Llama-3.1-70B", "bf16", "h100-sxm-80gb"}, {"deepseek-ai/DeepSeek-R1", nullptr, "h200-sxm-141gb"},
                        {"Qwen/QwQ-32B", "fp32", "a100-sxm-40gb"}, {"mistralai/Mixtral-8x7B-v0.1", "Q4_K_M", "rtx-3060-12gb"}, {"meta-llama/Llama-3.1-8B", "bf16", "rtx-4090"}};
  for (const auto& c : cases) {
    const json request{{"model", c.model}, {"weights", c.weights}, {"device", c.device}, {"workload", {{"concurrency", 16}}}};
    INFO(written(request));
    const auto answer = good(request);
    const int needed = static_cast<int>(number(answer, "/capacity/devices_needed"));
    CHECK(is_true(answer, "/memory/per_device/fits"));                     // without `devices` that many are taken
    CHECK(fits(with(request, "/devices", needed)));
    if (needed > 1) CHECK_FALSE(fits(with(request, "/devices", needed - 1)));
    // However many are given, as many are needed.
    for (const int n : {1, 2, 8}) CHECK(number(good(with(request, "/devices", n)), "/capacity/devices_needed") == needed);
  }
}

TEST_CASE("a model that no number of devices holds has no devices needed") {
  const auto answer = good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", {{"memory_bytes", 1e6}, {"bandwidth", 1e9}, {"flops", {{"bf16", 1e12}}}}}});
  CHECK(at(answer, "/capacity/devices_needed").is_null());
  CHECK_FALSE(is_true(answer, "/memory/per_device/fits"));
  const auto taken = good(with(llama(), "/reserved_bytes", 100e9));
  CHECK(at(taken, "/capacity/devices_needed").is_null());
}

TEST_CASE("the largest context and the largest concurrency fit, and one more does not") {
  int tight = 0;
  for (auto request : many_requests()) {
    const auto answer = good(request);
    INFO(written(request));
    request["devices"] = nullptr;
    if (!at(request, "/parallel").is_object())
      for (const auto& a : at(answer, "/assumptions")) if (text(a, "/path") == "/devices") request["devices"] = at(a, "/value");
    const double most = number(answer, "/capacity/max_concurrency"), longest = number(answer, "/capacity/max_context_tokens");
    const double data = number(request, "/parallel/data") > 1 ? number(request, "/parallel/data") : 1;
    const double context = number(request, "/workload/prompt_tokens") + 64;
    // Limits of one stage are limits of all only while one stage stays the fullest.
    if (at(request, "/parallel/pipeline").is_number()) continue;
    if (most >= 1 && most < 1e6) {
      CHECK(fits(with(request, "/workload/concurrency", most)));
      if (most + data <= 1e6) CHECK_FALSE(fits(with(request, "/workload/concurrency", most + data)));
      ++tight;
    }
    if (longest >= 1) {
      CHECK(fits(with(request, "/workload/context_tokens", longest)));
      if (longest < number(answer, "/model/context_tokens")) {
        CHECK_FALSE(fits(with(request, "/workload/context_tokens", longest + 1)));
        ++tight;
      }
      CHECK(longest <= number(answer, "/model/context_tokens"));
    }
    CHECK(is_true(answer, "/memory/per_device/fits") == (most >= number(request, "/workload/concurrency") && longest >= std::min(context, longest)));
  }
  CHECK(tight > 60);
}

TEST_CASE("the pool is what weights, activations and runtime leave, and holds that many tokens") {
  const auto answer = good(llama({{"concurrency", 4}}));
  const double pool = number(answer, "/memory/per_device/usable") - number(answer, "/memory/per_device/weights") - number(answer, "/memory/per_device/activations") -
                      number(answer, "/memory/per_device/runtime");
  CHECK(same(number(answer, "/capacity/kv_pool"), pool));
  CHECK(number(answer, "/capacity/kv_tokens") == std::floor(pool / 131072));
  for (const auto& request : many_requests()) {
    const auto other = good(request);
    INFO(written(request));
    const double tokens = number(other, "/capacity/kv_tokens"), bytes = number(other, "/capacity/kv_bytes_per_token"), room = number(other, "/capacity/kv_pool");
    CHECK(tokens * bytes <= room * (1 + 1e-9));
    if (tokens > 0) CHECK((tokens + 1) * bytes > room * (1 - 1e-9));
  }
}

TEST_CASE("as many sequences as fit are those that fit") {
  const auto most = good(llama({{"prompt_tokens", 2000}, {"output_tokens", 200}, {"concurrency", "max"}}));
  const double n = number(most, "/load/concurrency");
  CHECK(n == number(most, "/capacity/max_concurrency"));
  CHECK(is_true(most, "/memory/per_device/fits"));
  CHECK(number(most, "/memory/per_device/kv_cache") == n * 2200 * 131072);
  bool said = false;
  for (const auto& a : at(most, "/assumptions")) said = said || (text(a, "/path") == "/workload/concurrency" && number(a, "/value") == n);
  CHECK(said);
  const auto same_by_number = good(llama({{"prompt_tokens", 2000}, {"output_tokens", 200}, {"concurrency", n}}));
  for (const char* part : {"/memory", "/capacity", "/speed", "/cost"}) CHECK(at(most, part) == at(same_by_number, part));
  // Where nothing fits it is one sequence, and the answer says that it does not fit.
  const auto none = good(with(with(llama({{"concurrency", "max"}}), "/model", "meta-llama/Llama-3.1-70B"), "/devices", 1));
  CHECK(number(none, "/capacity/max_concurrency") == 0);
  CHECK_FALSE(is_true(none, "/memory/per_device/fits"));
}

// ------------------------------------------------------------------------------------------------------------------- speed

TEST_CASE("latency, throughput and a reader's speed follow from TTFT and TPOT") {
  for (const auto& request : many_requests()) {
    const auto answer = good(request);
    INFO(written(request));
    const double ttft = number(answer, "/speed/ttft_s"), tpot = number(answer, "/speed/tpot_s"), latency = number(answer, "/speed/latency_s");
    CHECK(same(latency, ttft + tpot * 63, 1e-9));
    CHECK(same(number(answer, "/speed/tokens_per_s_per_user"), 1 / tpot));
    CHECK(ttft > 0);
    CHECK(tpot >= number(answer, "/speed/decode/seconds_per_step") * (1 - 1e-12));
    if (number(answer, "/load/queue_s") == 0) {
      CHECK(same(number(answer, "/speed/output_tokens_per_s"), number(answer, "/load/concurrency") * 64 / latency, 1e-9));
      CHECK(number(answer, "/load/concurrency") == number(request, "/workload/concurrency"));
    }
    CHECK(same(number(answer, "/speed/decode/tokens_per_s") * number(answer, "/speed/decode/seconds_per_step"), number(answer, "/load/concurrency"), 1e-9));
    for (const auto& [path, interval] : at(answer, "/intervals").items()) {
      INFO(path);
      const double value = number(answer, from_dotted(path));
      CHECK(number(interval, "/0") <= value * (1 + 1e-12));
      CHECK(value <= number(interval, "/1") * (1 + 1e-12));
      CHECK(text(at(answer, "/basis"), "/" + path) != "exact");
    }
  }
}

TEST_CASE("nothing reads faster than the bandwidth or computes faster than the peak") {
  for (const auto& request : many_requests()) {
    if (at(request, "/parallel").is_object()) continue;
    const auto answer = good(with(request, "/devices", 1));
    INFO(written(request));
    const bool h100 = text(request, "/device") == "h100-sxm-80gb";
    const double bandwidth = h100 ? 3.36e12 : 1.009e12;
    CHECK(number(answer, "/speed/decode/bytes_per_step") / number(answer, "/speed/decode/seconds_per_step") <= bandwidth);
    CHECK(number(answer, "/speed/prefill/flops") / number(answer, "/speed/prefill/seconds") <= (h100 ? 1979e12 : 661e12));
  }
}

TEST_CASE("efficiencies of one's own replace the fitted ones") {
  const auto at_efficiency = [](double share) {
    return good({{"model", "Qwen/QwQ-32B"}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"efficiency", {{"compute", share}, {"bandwidth", share}}}});
  };
  const auto whole = at_efficiency(1), half = at_efficiency(0.5);
  for (const char* path : {"/speed/ttft_s", "/speed/tpot_s", "/speed/latency_s"}) CHECK(same(number(half, path), 2 * number(whole, path), 1e-9));
  // The roofline of the device: 65.5 GB less the input table, and the cache, over its bandwidth.
  CHECK(same(number(whole, "/speed/decode/bytes_per_step") / number(whole, "/speed/decode/seconds_per_step"), 3.35e12, 0.01));
}

TEST_CASE("a cached prefix is not computed again, but attended to") {
  const auto at_prefix = [](double cached) { return good(llama({{"prompt_tokens", 8000}, {"output_tokens", 100}, {"cached_prefix_tokens", cached}})); };
  const auto cold = at_prefix(0), warm = at_prefix(7000), all = at_prefix(8000);
  CHECK(number(warm, "/speed/ttft_s") < 0.3 * number(cold, "/speed/ttft_s"));
  CHECK(number(warm, "/speed/prefill/flops") > number(good(llama({{"prompt_tokens", 1000}, {"output_tokens", 100}})), "/speed/prefill/flops"));
  CHECK(number(warm, "/memory/per_device/kv_cache") == number(cold, "/memory/per_device/kv_cache"));
  CHECK(number(warm, "/speed/decode/seconds_per_step") == number(cold, "/speed/decode/seconds_per_step"));
  CHECK(is_true(all, "/ok"));
}

TEST_CASE("more sequences: each waits longer, all together go faster") {
  double tpot = 0, rate = 0;
  for (const int n : {1, 2, 4, 8, 16}) {
    const auto answer = good(with(llama({{"concurrency", n}}), "/device", "h100-sxm-80gb"));
    CHECK(number(answer, "/speed/tpot_s") >= tpot);
    CHECK(number(answer, "/speed/output_tokens_per_s") > rate);
    tpot = number(answer, "/speed/tpot_s");
    rate = number(answer, "/speed/output_tokens_per_s");
  }
}

TEST_CASE("more sequences than fit wait, and the answer says how many and how long") {
  const auto answer = good(llama({{"prompt_tokens", 4000}, {"output_tokens", 500}, {"concurrency", 64}}));
  const double most = number(answer, "/capacity/max_concurrency");
  REQUIRE(most < 64);
  CHECK(has_problem(answer, "concurrency_beyond_capacity"));
  CHECK_FALSE(is_true(answer, "/memory/per_device/fits"));
  CHECK(number(answer, "/memory/per_device/kv_cache") == 64 * 4500 * 131072.0);          // the need, not what fits
  CHECK(number(answer, "/load/concurrency") == most);
  CHECK(number(answer, "/load/queue_s") > 0);
  const auto running = good(llama({{"prompt_tokens", 4000}, {"output_tokens", 500}, {"concurrency", most}}));
  CHECK(same(number(answer, "/speed/ttft_s"), number(running, "/speed/ttft_s") + number(answer, "/load/queue_s")));
  CHECK(number(answer, "/speed/tpot_s") == number(running, "/speed/tpot_s"));
  CHECK(number(answer, "/speed/output_tokens_per_s") == number(running, "/speed/output_tokens_per_s"));
}

TEST_CASE("an open loop settles at the smallest concurrency that keeps up") {
  const auto open = [](double rate) {
    return good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"workload", {{"prompt_tokens", 1000}, {"output_tokens", 200}, {"requests_per_s", rate}}}});
  };
  double before = 0;
  for (const double rate : {0.01, 0.5, 2.0, 8.0}) {
    const auto answer = open(rate);
    INFO(rate);
    CHECK(is_true(answer, "/load/stable"));
    const double n = number(answer, "/load/concurrency"), utilisation = number(answer, "/load/utilisation");
    CHECK(n >= before);
    CHECK(utilisation > 0);
    CHECK(utilisation <= 1);
    CHECK(number(answer, "/speed/output_tokens_per_s") / 200 >= rate * (1 - 1e-9));
    if (n > 1) {
      const auto fewer = good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"workload", {{"prompt_tokens", 1000}, {"output_tokens", 200}, {"concurrency", n - 1}}}});
      CHECK(number(fewer, "/speed/output_tokens_per_s") / 200 < rate);
    }
    before = n;
  }
  const auto flood = open(1e5);
  CHECK(at(flood, "/load/stable") == false);
  CHECK(number(flood, "/load/utilisation") > 1);
  CHECK(number(flood, "/load/concurrency") == number(flood, "/capacity/max_concurrency"));
}

TEST_CASE("a static batch reads all prompts first, as many in a pass as it has room for; an offline queue leaves the wait out") {
  const auto mode = [](const char* name, double n) {
    return good(with(llama({{"prompt_tokens", 4000}, {"output_tokens", 500}, {"concurrency", n}}), "/workload/mode", name));
  };
  const auto alone = good(llama({{"prompt_tokens", 4000}, {"output_tokens", 500}}));
  const auto batch = mode("static_batch", 8), loop = mode("closed_loop", 8);
  CHECK(number(batch, "/speed/ttft_s") < 8 * number(alone, "/speed/ttft_s"));
  CHECK(number(batch, "/speed/ttft_s") > 7 * number(alone, "/speed/ttft_s"));
  const auto short_alone = good(llama({{"prompt_tokens", 100}, {"output_tokens", 500}}));
  const auto short_batch = good(with(llama({{"prompt_tokens", 100}, {"output_tokens", 500}, {"concurrency", 64}}), "/workload/mode", "static_batch"));
  CHECK(number(short_batch, "/speed/ttft_s") < 40 * number(short_alone, "/speed/ttft_s"));
  CHECK(number(batch, "/speed/tpot_s") == number(batch, "/speed/decode/seconds_per_step"));
  CHECK(number(loop, "/speed/tpot_s") > number(batch, "/speed/tpot_s"));
  const auto offline = mode("offline", 64), queued = mode("closed_loop", 64);
  CHECK(number(offline, "/speed/ttft_s") < number(queued, "/speed/ttft_s"));
  CHECK(number(offline, "/speed/output_tokens_per_s") == number(queued, "/speed/output_tokens_per_s"));
}

TEST_CASE("weights that do not fit have a speed as if they did, with a warning") {
  const auto answer = good({{"model", "meta-llama/Llama-3.1-70B"}, {"device", "rtx-4090"}, {"devices", 1}});
  CHECK(has_problem(answer, "weights_do_not_fit"));
  CHECK(number(answer, "/speed/tpot_s") > 0.1);
}

TEST_CASE("a device without a figure that speed needs has memory and no speed") {
  const auto answer = good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", {{"memory_bytes", 24e9}}}, {"devices", 1}});
  CHECK(number(answer, "/memory/per_device/usable") == 24e9);
  CHECK(at(answer, "/speed").is_null());
  CHECK(has_problem(answer, "speed_figure_missing"));
  CHECK(at(answer, "/problems").size() == 2);              // both figures are named
}

TEST_CASE("price and power are of all devices, and null where they are not known") {
  const auto rented = good(with(with(llama(), "/devices", 2), "/price_usd_per_hour", 0.5));
  CHECK(number(rented, "/cost/usd_per_hour") == 1);
  CHECK(same(number(rented, "/cost/usd_per_million_output_tokens"), 1e6 / number(rented, "/speed/output_tokens_per_s") / 3600));
  CHECK(same(number(rented, "/cost/joules_per_output_token"), number(rented, "/cost/watts") / number(rented, "/speed/output_tokens_per_s")));
  const auto own = good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", {{"memory_bytes", 24e9}, {"bandwidth", 1e12}, {"flops", {{"bf16", 1e14}}}}}});
  for (const char* name : {"usd_per_hour", "usd_per_million_output_tokens", "watts", "joules_per_output_token"}) CHECK(at(own, std::string("/cost/") + name).is_null());
}

// ------------------------------------------------------------------------------------------- assumptions, warnings, advice

TEST_CASE("each default that was taken is listed, and none that was given") {
  const auto listed = [](const json& answer) {
    std::vector<std::string> paths;
    for (const auto& a : at(answer, "/assumptions")) paths.push_back(text(a, "/path"));
    return paths;
  };
  const auto has = [](const std::vector<std::string>& paths, const char* path) { return std::find(paths.begin(), paths.end(), path) != paths.end(); };
  const auto bare = listed(good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}}));
  const char* const all[] = {"/weights", "/kv_cache", "/engine", "/devices", "/parallel", "/reserved_bytes", "/workload/prompt_tokens", "/workload/output_tokens",
                             "/workload/concurrency", "/workload/context_tokens", "/workload/mode"};
  for (const char* path : all) {
    INFO(path);
    CHECK(has(bare, path));
  }
  const auto given = listed(good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}, {"weights", "bf16"}, {"kv_cache", "bf16"}, {"engine", "ideal"}, {"devices", 1},
                                  {"parallel", {{"tensor", 1}}}, {"reserved_bytes", 0},
                                  {"workload", {{"prompt_tokens", 1024}, {"output_tokens", 256}, {"concurrency", 1}, {"context_tokens", 1280}, {"mode", "closed_loop"}}}}));
  for (const char* path : all) {
    INFO(path);
    CHECK_FALSE(has(given, path));
  }
}

TEST_CASE("what has no effect is a warning, and the answer is as without it") {
  const auto plain = good(llama());
  for (const auto& [path, value] : std::vector<std::pair<const char*, json>>{
           {"/options/gpu_memory_utilization", 0.5}, {"/options/n_gpu_layers", 10}, {"/options/block_size", 32}}) {
    INFO(path);
    const auto answer = good(with(llama(), path, value));
    CHECK(has_problem(answer, "option_without_effect"));
    for (const char* part : {"/memory", "/capacity", "/speed", "/cost"}) CHECK(at(answer, part) == at(plain, part));
  }
  for (const char* engine : {"transformers", "vllm", "sglang", "tensorrt-llm", "llama.cpp", "ollama", "mlx", "exllamav2"}) {
    INFO(engine);
    CHECK(is_true(good(with(llama(), "/engine", engine)), "/ok"));
  }
  CHECK(has_problem(good({{"model", "meta-llama/Llama-3.1-8B"}, {"workload", {{"context_tokens", 200'000}}}}), "context_beyond_model"));
}

TEST_CASE("advice is a request that can be sent as it is, fits, and leaves what it says") {
  int seen = 0;
  std::vector<json> requests{{{"model", "meta-llama/Llama-3.1-70B"}, {"device", "rtx-4090"}, {"devices", 1}, {"explain", true}},
                             {{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}, {"devices", 1}, {"workload", {{"prompt_tokens", 4000}, {"output_tokens", 500}, {"concurrency", 64}}}},
                             {{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-3060-12gb"}, {"devices", 1}},
                             {{"model", "Qwen/QwQ-32B"}, {"weights", "Q8_0"}, {"device", "rtx-4090"}, {"devices", 1}, {"engine", "llama.cpp"}},
                             {{"model", "deepseek-ai/DeepSeek-R1"}, {"device", "h100-sxm-80gb"}, {"parallel", {{"tensor", 8}}}},
                             {{"model", "google/gemma-3-27b-it"}, {"device", "rtx-4090"}, {"devices", 2}, {"workload", {{"context_tokens", 100'000}, {"concurrency", 4}}}}};
  for (auto& request : many_requests()) requests.push_back(std::move(request));
  for (const auto& request : requests) {
    const auto answer = good(request);
    INFO(written(request));
    if (is_true(answer, "/memory/per_device/fits")) {
      CHECK(at(answer, "/advice") == json::array());
      continue;
    }
    for (const auto& advice : at(answer, "/advice")) {
      INFO(written(advice));
      CHECK_FALSE(text(advice, "/change").empty());
      const auto after = good(at(advice, "/request"));
      CHECK(is_true(after, "/memory/per_device/fits"));
      CHECK(same(number(after, "/memory/per_device/headroom"), number(advice, "/headroom"), 1e-9));
      CHECK_FALSE(at(advice, "/request").contains("explain"));
      ++seen;
    }
  }
  CHECK(seen >= 12);
  // The smallest single changes: the cache before the weights, fewer bits only as far as needed.
  const auto one = good(requests[2]);
  REQUIRE(at(one, "/advice").size() >= 2);
  CHECK(text(one, "/advice/0/request/weights") == "fp8");
}

TEST_CASE("one request has one answer, byte for byte") {
  for (const auto& c : golden_cases()) {
    if (c.call != "estimate") continue;
    const auto request = written(c.request);
    INFO(c.name);
    const bool same_bytes = weighbridge::api::estimate(request) == weighbridge::api::estimate(request);
    CHECK(same_bytes);
  }
  // The order of keys and the way in which a number is written mean nothing.
  const bool same_bytes = weighbridge::api::estimate(R"({"device":"rtx-4090","devices":2,"model":"meta-llama/Llama-3.1-8B"})") ==
                          weighbridge::api::estimate(R"( {"model":"meta-llama/Llama-3.1-8B", "devices":2.0 ,"device":"rtx-4090"})");
  CHECK(same_bytes);
}

TEST_CASE("names are found in any case and by their aliases") {
  const auto a = good({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}, {"weights", "bf16"}});
  const auto b = good({{"model", "META-LLAMA/llama-3.1-8b"}, {"device", "RTX-4090"}, {"weights", "bfloat16"}});
  for (const char* part : {"/model", "/memory", "/speed"}) CHECK(at(a, part) == at(b, part));
}

TEST_CASE("advice never offers a context that does not hold the prompt and the answer") {
  json request{{"model", "meta-llama/Llama-3.1-8B"}, {"device", "rtx-4090"}, {"devices", 1},
               {"workload", {{"prompt_tokens", 120000}, {"concurrency", 4}}}};
  const auto offered = [&] {
    const auto answer = estimate(request);
    REQUIRE_FALSE(is_true(answer, "/memory/per_device/fits"));
    for (const auto& item : at(answer, "/advice"))
      if (text(item, "/path") == "/workload/context_tokens") return true;
    return false;
  };
  CHECK_FALSE(offered());
  request["workload"] = {{"prompt_tokens", 1000}, {"output_tokens", 200}, {"context_tokens", 120000}, {"concurrency", 4}};
  CHECK(offered());
}
