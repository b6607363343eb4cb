// Engine profiles: whose rules hold, at which version, and what they do to a request's memory.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "api_json.hpp"
#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/layout.hpp"

using namespace weighbridge_test;
using namespace weighbridge;

namespace {

constexpr double kGiB = 1073741824, kMiB = 1048576;
const char* const kEngines[] = {"ideal", "transformers", "vllm", "sglang", "tensorrt-llm", "llama.cpp", "ollama", "mlx", "exllamav2"};

json good(const json& request) {
  const auto answer = parsed(api::estimate(written(request)));
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  return answer;
}
double part(const json& answer, const char* name) { return number(answer, std::string("/memory/per_device/") + name); }
bool warned(const json& answer, std::string_view code) {
  for (const auto& p : at(answer, "/problems")) if (text(p, "/code") == code) return true;
  return false;
}


// "memory.total.total" as a JSON Pointer.
std::string pointer_of(std::string dotted) {
  std::replace(dotted.begin(), dotted.end(), '.', '/');
  return "/" + dotted;
}

}  // namespace

TEST_CASE("versions are ordered numbers, whatever letters stand before and behind them") {
  CHECK(version_number("0.9") < version_number("0.10"));
  CHECK(version_number("v0.11.0") == version_number("0.11"));
  CHECK(version_number("0.6.4.post1") == version_number("0.6.4"));
  CHECK(version_number("b2824") < version_number("b5921"));
  CHECK_FALSE(version_number("newest").has_value());
  CHECK_FALSE(version_number("").has_value());
  CHECK_FALSE(version_number("99999999").has_value());
}

TEST_CASE("every constant in the data is one that the rules know") {
  std::size_t rows = 0;
  for (const auto& engine : catalog().json()["engines"])
    if (engine.contains("constants"))
      for (const auto& row : engine["constants"]) {
        INFO(row.dump());
        CHECK(find_constant(row["id"].get<std::string>()).has_value());
        ++rows;
      }
  CHECK(rows > 100);
}

TEST_CASE("a version takes the latest row that is not newer") {
  const std::vector<EngineConstant> rows{{Constant::pass_tokens, 0, 1}, {Constant::pass_tokens, 5000, 2}, {Constant::latent, 7000, 0}};
  CHECK(profile_at(EngineRule::budget, rows, 4999)[Constant::pass_tokens] == 1);
  CHECK(profile_at(EngineRule::budget, rows, 5000)[Constant::pass_tokens] == 2);
  CHECK(profile_at(EngineRule::budget, rows, 6999)[Constant::latent] == 1);
  CHECK(profile_at(EngineRule::budget, rows, 7000)[Constant::latent] == 0);
}

TEST_CASE("an unknown version is a warning, and the nearest known one is taken") {
  const json base{{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"devices", 1}};
  auto at_version = [&](const char* version) { auto r = base; r["engine"] = {{"name", "vllm"}, {"version", version}}; return good(r); };
  CHECK(warned(at_version("99.1"), "unknown_engine_version"));
  CHECK(warned(at_version("nightly"), "unknown_engine_version"));
  CHECK_FALSE(warned(at_version("0.11.1"), "unknown_engine_version"));
  CHECK(part(at_version("99.1"), "activations") == part(at_version("0.31"), "activations"));
}

TEST_CASE("the parts sum to the totals with every engine") {
  for (const char* engine : kEngines)
    for (const char* model : {"meta-llama/Llama-3.1-8B", "google/gemma-3-27b-it", "deepseek-ai/DeepSeek-V2-Lite", "openai/gpt-oss-20b"})
      for (const int devices : {1, 2, 4}) {
        INFO(engine << " " << model << " " << devices);
        const auto a = good({{"model", model}, {"engine", engine}, {"device", "a100-sxm-80gb"}, {"devices", devices}, {"workload", {{"context_tokens", 9000}, {"concurrency", 3}}}});
        for (const std::string where : {"/memory/per_device", "/memory/total"}) {
          const double sum = number(a, where + "/weights") + number(a, where + "/kv_cache") + number(a, where + "/activations") + number(a, where + "/runtime");
          CHECK(number(a, where + "/total") == Approx(sum).epsilon(1e-12));
        }
        double runtime = 0;
        for (const char* name : {"context", "libraries", "graphs", "reserved"}) runtime += number(a, std::string("/memory/detail/runtime/") + name);
        CHECK(part(a, "runtime") == Approx(runtime).epsilon(1e-12));
        CHECK(part(a, "usable") <= part(a, "capacity"));
      }
}

TEST_CASE("more context never needs less, with every engine") {
  for (const char* engine : kEngines)
    for (const char* model : {"meta-llama/Llama-3.1-8B", "google/gemma-2-9b-it", "openai/gpt-oss-20b"}) {
      double before = 0;
      for (const int context : {1281, 2000, 4096, 5000, 8192, 20000, 131072}) {
        INFO(engine << " " << model << " " << context);
        const double now = part(good({{"model", model}, {"engine", engine}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"workload", {{"context_tokens", context}, {"concurrency", 2}}}}), "total");
        CHECK(now >= before);
        before = now;
      }
    }
}

TEST_CASE("no device of several holds more weights and cache than one device alone, and a better-compressed format never weighs more") {
  for (const char* engine : kEngines) {
    INFO(engine);
    const json one{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", engine}, {"device", "h100-sxm-80gb"}, {"devices", 1}};
    const auto alone = good(one);
    for (const int devices : {2, 4, 8}) {
      auto split = one;
      split["devices"] = devices;
      const auto a = good(split);
      CHECK(part(a, "weights") <= part(alone, "weights"));
      CHECK(part(a, "kv_cache") <= part(alone, "kv_cache"));
    }
    double before = 1e300;
    for (const char* format : {"fp32", "bf16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"}) {
      auto asked = one;
      asked["weights"] = format;
      const double now = part(good(asked), "weights");
      CHECK(now <= before);
      before = now;
    }
  }
}

TEST_CASE("llama.cpp: the input table stays on the host, the output layer counts as one of n_gpu_layers, and what is not offloaded lies on the host") {
  json request{{"model", "meta-llama/Meta-Llama-3-8B"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 1}, {"workload", {{"context_tokens", 8192}}}};
  const auto all = good(request);
  // Meta-Llama-3-8B, Q4_K_M: 281.81 MiB on the processor, 4403.49 MiB on the card (GPU-Benchmarks-on-LLM-Inference, 3070_v3.ipynb).
  CHECK(number(all, "/memory/host/weights") == Approx(281.81 * kMiB).epsilon(1e-4));
  CHECK(part(all, "weights") == Approx(4403.49 * kMiB).epsilon(1e-4));
  const double whole = part(all, "weights") + number(all, "/memory/host/weights");
  double before = part(all, "weights");
  for (const int layers : {33, 32, 20, 1, 0}) {
    request["options"] = {{"n_gpu_layers", layers}};
    const auto a = good(request);
    INFO(layers);
    CHECK(part(a, "weights") <= before);
    CHECK(part(a, "weights") + number(a, "/memory/host/weights") == Approx(whole).epsilon(1e-12));
    CHECK(part(a, "kv_cache") + number(a, "/memory/host/kv_cache") == Approx(part(all, "kv_cache")));
    before = part(a, "weights");
  }
  CHECK(before == 0);
}

TEST_CASE("llama.cpp: a tied table lies on the card as the head and on the host as the input table") {
  const auto a = good({{"model", "google/gemma-3-27b-it"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 1}});
  CHECK(number(a, "/memory/host/weights") > 1.0 * kGiB);
  CHECK(number(a, "/memory/detail/weights/embedding") == number(a, "/memory/host/weights"));
}

TEST_CASE("llama.cpp: window layers keep the window and a micro-batch in whole cells, for every slot or for all together") {
  // gemma-3-27b: 10 layers keep all, 52 a window of 1024; 8192 bytes per token and layer.
  const auto cache = [](json options, int context, int slots) {
    return number(good({{"model", "google/gemma-3-27b-it"}, {"engine", "llama.cpp"}, {"options", options}, {"workload", {{"context_tokens", context}, {"concurrency", slots}}}}), "/memory/total/kv_cache");
  };
  CHECK(cache(json::object(), 8192, 1) == 8192.0 * (10 * 8192 + 52 * 1536));
  CHECK(cache(json::object(), 8192, 4) == 4 * 8192.0 * (10 * 8192 + 52 * 1536));
  CHECK(cache({{"kv_unified", true}}, 8192, 4) == 8192.0 * (10 * 4 * 8192 + 52 * 4608));
  CHECK(cache({{"n_ubatch", 2048}}, 8192, 1) == 8192.0 * (10 * 8192 + 52 * 3072));
  CHECK(cache({{"swa_full", true}}, 8192, 1) == 8192.0 * 62 * 8192);
  CHECK(cache(json::object(), 8000, 1) == 8192.0 * (10 * 8192 + 52 * 1536));
}

TEST_CASE("llama.cpp: four equal cards get 9, 8, 8 and 7 of 32 layers, the last one the head") {
  const auto a = good({{"model", "meta-llama/Meta-Llama-3-8B"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "a100-sxm-80gb"}, {"devices", 4}});
  // 1307.55 MiB on the fullest (GPU-Benchmarks-on-LLM-Inference, A100_SXM_4_v3.ipynb); layers of a mixture differ, and are taken as equal.
  CHECK(part(a, "weights") == Approx(1307.55 * kMiB).epsilon(0.03));
}

// 61 layers over 8 stages: vllm-project/vllm pull 13839 and sgl-project/sglang pulls 6666, 13282 print them; 61 and 94 over 4: vllm pull 46217.
TEST_CASE("layers that cannot be dealt evenly over pipeline stages go where the engine puts them") {
  const auto dealt = [](std::int64_t layers, std::int64_t pipeline, LeftOver left_over) {
    std::vector<std::int64_t> out;
    for (std::int64_t s = 0; s < pipeline; ++s) {
      const auto stage = stage_layers(layers, pipeline, s, left_over);
      CHECK(stage.first == (s > 0 ? stage_layers(layers, pipeline, s - 1, left_over).end : 0));
      out.push_back(stage.end - stage.first);
    }
    return out;
  };
  using Layers = std::vector<std::int64_t>;
  CHECK(dealt(61, 8, LeftOver::last) == Layers{7, 7, 7, 7, 7, 7, 7, 12});
  CHECK(dealt(61, 8, LeftOver::before_last) == Layers{7, 7, 8, 8, 8, 8, 8, 7});
  CHECK(dealt(61, 8, LeftOver::first) == Layers{8, 8, 8, 8, 8, 7, 7, 7});
  CHECK(dealt(61, 4, LeftOver::before_last) == Layers{15, 15, 16, 15});
  CHECK(dealt(94, 4, LeftOver::before_last) == Layers{23, 24, 24, 23});
  CHECK(dealt(64, 4, LeftOver::before_last) == Layers{16, 16, 16, 16});
  CHECK(dealt(7, 1, LeftOver::before_last) == Layers{7});

  // QwQ-32B: 64 layers, an input table, a head apart, and its positions' sines and cosines on every device.
  constexpr double h = 5120, kv = 1024, f = 27648, vocabulary = 152064;
  constexpr double layer = 2 * (2 * h * h + 2 * h * kv + h + 2 * kv + 3 * h * f + 2 * h), norm = 2 * h, positions = 2.0 * 40960 * 128, first = 2 * vocabulary * h + positions, last = first + norm;
  const auto fullest = [&](const char* engine, const char* version, int stages) {
    return part(good({{"model", "Qwen/QwQ-32B"}, {"weights", "bf16"}, {"device", "h200-sxm-141gb"}, {"devices", stages}, {"engine", {{"name", engine}, {"version", version}}},
                      {"parallel", {{"pipeline", stages}}}}), "weights");
  };
  CHECK(fullest("vllm", "0.7.3", 3) - fullest("vllm", "0.8.5", 3) == Approx(layer));
  CHECK(fullest("vllm", "0.8.5", 3) == Approx(21 * layer + last));
  CHECK(fullest("sglang", "0.5.5", 3) == Approx(22 * layer + last));
  CHECK(fullest("sglang", "0.5.6", 3) == Approx(22 * layer + first));
  CHECK(fullest("sglang", "0.5.5", 60) == Approx(5 * layer + last));
  CHECK(fullest("sglang", "0.5.6", 60) == Approx(2 * layer + first));
  CHECK(fullest("vllm", "0.11", 60) == Approx(1 * layer + last));
}

TEST_CASE("a 4090 and a 3090 share the layers by their memory, and each keeps its own limit") {
  const json pair{{"model", "meta-llama/Llama-3.3-70B-Instruct"}, {"weights", "IQ4_XS"}, {"engine", "llama.cpp"}, {"device", {"rtx-4090", "rtx-3090"}}, {"workload", {{"context_tokens", 8192}}}};
  const auto a = good(pair);
  CHECK(is_true(a, "/memory/per_device/fits"));
  CHECK_FALSE(warned(a, "mixed_devices"));
  auto uneven = pair;
  uneven["device"] = {"rtx-4090", "rtx-3060-12gb"};
  const auto b = good(uneven);
  CHECK_FALSE(is_true(b, "/memory/per_device/fits"));
  // Engines that split every matrix take the weaker card's figures, and say so.
  auto split = pair;
  split["engine"] = "vllm";
  CHECK(warned(good(split), "mixed_devices"));
}

TEST_CASE("what a desktop takes is gone for the engine") {
  json request{{"model", "Qwen/Qwen2.5-32B"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 1}, {"workload", {{"context_tokens", 8192}}}};
  const auto without = good(request);
  request["reserved_bytes"] = 1.5e9;
  const auto with = good(request);
  CHECK(part(without, "headroom") - part(with, "headroom") == Approx(1.5e9));
  CHECK(number(without, "/capacity/kv_pool") - number(with, "/capacity/kv_pool") == Approx(1.5e9));
}

TEST_CASE("vLLM: the pool is the budget less weights, libraries and the activation peak") {
  // Llama-3-8B on an H100, version 0.6.5: 0.9 x 79.22 less 14.96, 1.79 and 1.26 GiB leaves 53.29 (vllm issue 10511).
  const auto a = good({{"model", "meta-llama/Meta-Llama-3-8B"}, {"weights", "bf16"}, {"engine", {{"name", "vllm"}, {"version", "0.6.5"}}}, {"device", "h100-sxm-80gb"}, {"devices", 1},
                       {"workload", {{"context_tokens", 8192}}}, {"options", {{"gpu_memory_utilization", 0.9}}}});
  CHECK(part(a, "weights") == Approx(14.96 * kGiB).epsilon(0.001));
  CHECK(part(a, "activations") == Approx(1.26 * kGiB).epsilon(0.03));
  CHECK(number(a, "/memory/detail/runtime/libraries") == Approx(1.79 * kGiB).epsilon(0.001));
  CHECK(number(a, "/capacity/kv_pool") == Approx(53.29 * kGiB).epsilon(0.003));
  CHECK(std::fmod(number(a, "/capacity/kv_tokens"), 16) == 0);
}

TEST_CASE("vLLM: before MLA every head kept keys and values, padded to 256") {
  const auto per_token = [](const char* version) {
    return number(good({{"model", "deepseek-ai/DeepSeek-V2-Lite"}, {"engine", {{"name", "vllm"}, {"version", version}}}, {"device", "h100-sxm-80gb"}, {"devices", 1}}), "/capacity/kv_bytes_per_token");
  };
  CHECK(per_token("0.6.4") == 27.0 * 16 * 512 * 2);
  CHECK(per_token("0.8") == 27.0 * 576 * 2);
}

TEST_CASE("vLLM: from 0.10 a window costs itself and a pass, before it the whole context") {
  const auto cache = [](const char* version) {
    return number(good({{"model", "openai/gpt-oss-20b"}, {"engine", {{"name", "vllm"}, {"version", version}}}, {"device", "h100-sxm-80gb"}, {"devices", 1},
                        {"options", {{"max_num_batched_tokens", 2048}}}, {"workload", {{"context_tokens", 32768}}}}), "/memory/per_device/kv_cache");
  };
  CHECK(cache("0.9") == 24.0 * 2048 * 32768);
  CHECK(cache("0.11") == 12.0 * 2048 * (32768 + 2176));        // 128 + 2047, in blocks of 16
}

TEST_CASE("SGLang: the pool is the static share less weights and what lies beside them") {
  const auto a = good({{"model", "Qwen/QwQ-32B"}, {"weights", "bf16"}, {"engine", {{"name", "sglang"}, {"version", "0.4.3"}}}, {"device", "l4"}, {"devices", 4}, {"parallel", {{"tensor", 4}}}});
  // 15.26 GiB of weights, a pool of 2.84 GiB, 65536 bytes per token (start-up lines of four L4).
  CHECK(part(a, "weights") == Approx(15.26 * kGiB).epsilon(0.002));
  CHECK(number(a, "/capacity/kv_bytes_per_token") == 65536);
  CHECK(number(a, "/capacity/kv_pool") == Approx(2.84 * kGiB).epsilon(0.2));
}

TEST_CASE("a range stands only around what is not exact, and holds the number itself") {
  std::size_t ranges = 0;
  for (const char* engine : kEngines) {
    const auto a = good({{"model", "meta-llama/Llama-3.1-8B"}, {"engine", engine}, {"device", "rtx-4090"}, {"devices", 1}, {"weights", "Q4_K_M"}});
    const auto& basis = at(a, "/basis");
    for (const auto& [path, range] : at(a, "/intervals").items()) {
      INFO(engine << " " << path);
      if (path.rfind("speed.", 0) == 0) continue;
      ++ranges;
      CHECK(basis[path] != "exact");
      const double value = number(a, pointer_of(path));
      CHECK(range[0].get<double>() <= value);
      CHECK(range[1].get<double>() >= value);
    }
  }
  CHECK(ranges > 40);
}

TEST_CASE("advice of an engine that offloads: experts to the host first, then layers, and each request fits as it stands") {
  const json request{{"model", "Qwen/Qwen3-30B-A3B"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-3060-12gb"}, {"devices", 1}, {"workload", {{"context_tokens", 32768}}}};
  const auto a = good(request);
  REQUIRE_FALSE(is_true(a, "/memory/per_device/fits"));
  std::vector<std::string> paths;
  for (const auto& advice : at(a, "/advice")) {
    paths.push_back(text(advice, "/path"));
    const auto then = good(at(advice, "/request"));
    CHECK(is_true(then, "/memory/per_device/fits"));
    CHECK(part(then, "headroom") == number(advice, "/headroom"));
  }
  const auto place = [&](const char* path) { return std::find(paths.begin(), paths.end(), path) - paths.begin(); };
  REQUIRE(place("/options/n_cpu_moe") < static_cast<std::ptrdiff_t>(paths.size()));
  CHECK(place("/options/n_cpu_moe") < place("/options/n_gpu_layers"));
  // One layer less on the host would not do.
  for (const auto& advice : at(a, "/advice"))
    if (text(advice, "/path") == "/options/n_cpu_moe") {
      auto fewer = at(advice, "/request");
      fewer["options"]["n_cpu_moe"] = static_cast<int>(number(advice, "/value")) - 1;
      CHECK_FALSE(is_true(good(fewer), "/memory/per_device/fits"));
    }
  auto small_host = request;
  small_host["host"] = {{"memory_bytes", 1e9}, {"bandwidth", 5e10}};
  const auto little = good(small_host);
  for (const auto& advice : at(little, "/advice")) CHECK(text(advice, "/path").find("n_") == std::string::npos);
}

TEST_CASE("LoRA adapters weigh two factors of their rank beside attention and dense matrices") {
  json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"options", {{"lora_adapters", {{"count", 1}, {"rank", 16}}}}}};
  // Rank 16 on all seven matrices of Llama 3.1 8B: 41,943,040 parameters, as PEFT prints them.
  const auto one = good(request);
  CHECK(number(one, "/memory/detail/weights/adapters") == 2.0 * 41943040);
  request["options"]["lora_adapters"] = {{"count", 4}, {"rank", 32}};
  CHECK(number(good(request), "/memory/detail/weights/adapters") == 8 * 2.0 * 41943040);
  request["options"]["lora_adapters"] = {{"count", 0}};
  CHECK(number(good(request), "/memory/detail/weights/adapters") == 0);
}

TEST_CASE("a cache format that an engine does not have has no effect, and is a warning") {
  const auto cache = [](const char* engine, const char* format) {
    return good({{"model", "meta-llama/Llama-3.1-8B"}, {"engine", engine}, {"kv_cache", format}, {"device", "h100-sxm-80gb"}, {"devices", 1}});
  };
  CHECK(warned(cache("vllm", "q8_0"), "option_without_effect"));
  CHECK(number(cache("vllm", "q8_0"), "/model/kv_bytes_per_token") == 131072);
  CHECK_FALSE(warned(cache("vllm", "fp8"), "option_without_effect"));
  CHECK(warned(cache("llama.cpp", "fp8"), "option_without_effect"));
  CHECK_FALSE(warned(cache("llama.cpp", "q8_0"), "option_without_effect"));
}

TEST_CASE("a context beyond the model's says what the engine would do; devices that do not share a cache evenly are an error") {
  const auto message = [](const char* engine) {
    const auto answer = good({{"model", "meta-llama/Llama-3.1-8B"}, {"engine", engine}, {"workload", {{"context_tokens", 200'000}}}});
    for (const auto& p : at(answer, "/problems"))
      if (text(p, "/code") == "context_beyond_model") return text(p, "/message");
    return std::string();
  };
  CHECK(message("vllm").find("refuses to start") != std::string::npos);
  CHECK(message("llama.cpp").find("runs it") != std::string::npos);
  CHECK(message("ollama").find("cuts it") != std::string::npos);
  CHECK(message("ideal").find("ideal") == std::string::npos);
  const auto shared = [](int n) {
    return parsed(api::estimate(written(json{{"model", "moonshotai/Kimi-K2-Instruct"}, {"engine", "vllm"}, {"device", "h200-sxm-141gb"}, {"devices", 8}, {"parallel", {{"tensor", 8}}}, {"options", {{"decode_context_parallel", n}}}})));
  };
  CHECK(number(shared(8), "/capacity/kv_bytes_per_token") == 61.0 * 576 * 2 / 8);
  CHECK_FALSE(is_true(shared(3), "/ok"));
}

TEST_CASE("what an engine itself would not start with is a warning that says so, beside the answer") {
  const auto message = [](json more) {
    json request{{"model", "Qwen/QwQ-32B"}, {"device", "h100-sxm-80gb"}, {"devices", 2}};
    request.update(more);
    const auto answer = good(request);
    for (const auto& p : at(answer, "/problems"))
      if (text(p, "/code") == "engine_refuses") return text(p, "/path") + " " + text(p, "/message");
    return std::string();
  };
  const auto says = [&](json more, const char* path, const char* words) {
    const auto found = message(more);
    INFO(found);
    CHECK(found.rfind(path, 0) == 0);
    CHECK(found.find(words) != std::string::npos);
  };
  says({{"engine", "llama.cpp"}, {"weights", "awq-int4"}}, "/weights ", "does not read weights in AWQ");
  says({{"engine", "exllamav2"}, {"weights", "Q4_K_M"}}, "/weights ", "Q4_K_M");
  says({{"engine", "tensorrt-llm"}, {"weights", "nf4"}}, "/weights ", "NF4");
  says({{"engine", "exllamav2"}, {"device", "apple-m2-ultra-76c"}}, "/device ", "does not run on");
  says({{"engine", "llama.cpp"}, {"weights", "Q4_K_M"}, {"kv_cache", "q8_0"}, {"options", {{"flash_attention", false}}}}, "/options/flash_attention ", "q8_0");
  says({{"engine", "vllm"}, {"options", {{"block_size", 7}}}}, "/options/block_size ", "not 7");
  says({{"engine", "vllm"}, {"options", {{"max_num_batched_tokens", 64}, {"max_num_seqs", 256}}}}, "/options/max_num_seqs ", "(64)");
  says({{"engine", "vllm"}, {"options", {{"speculative", {{"draft_model", "meta-llama/Llama-3.2-1B-Instruct"}}}}}}, "/options/speculative/draft_model ", "128256");
  CHECK(message({{"engine", "llama.cpp"}, {"weights", "Q4_K_M"}, {"kv_cache", "q8_0"}}).empty());
  CHECK(message({{"engine", "llama.cpp"}, {"weights", "bf16"}}).empty());
  CHECK(message({{"engine", "vllm"}, {"weights", "awq-int4"}, {"options", {{"block_size", 32}, {"max_num_batched_tokens", 64}}}}).empty());
  CHECK(message({{"engine", "vllm"}, {"options", {{"speculative", {{"draft_model", "Qwen/Qwen2.5-0.5B-Instruct"}}}}}}).empty() == false);      // 151,936 entries beside 152,064

  const auto stranger = good({{"model", "Qwen/QwQ-32B"}, {"engine", "vllm"}, {"options", {{"n_gpu_layers", 10}}}});
  CHECK(text(stranger, "/problems/0/message").find("vllm itself refuses") != std::string::npos);
  CHECK(warned(good({{"model", "Qwen/QwQ-32B"}, {"engine", "llama.cpp"}, {"weights", "Q4_K_M"}, {"options", {{"n_cpu_moe", 4}}}}), "option_without_effect"));
}

TEST_CASE("llama.cpp: rows of every matrix lie on all cards, cache and results on the first; nothing runs side by side when a part is on the host") {
  json request{{"model", "meta-llama/Llama-3.1-8B"}, {"weights", "Q8_0"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 2}, {"workload", {{"context_tokens", 8192}, {"concurrency", 2}}}};
  const auto layers = good(request);
  request["options"] = {{"split_mode", "row"}};
  const auto rows = good(request);
  CHECK(number(rows, "/memory/total/weights") == Approx(number(layers, "/memory/total/weights")).epsilon(1e-12));
  CHECK(part(rows, "weights") == Approx(number(rows, "/memory/total/weights") / 2).epsilon(1e-12));
  CHECK(part(rows, "kv_cache") == number(rows, "/memory/total/kv_cache"));
  request["options"]["tensor_split"] = {3, 1};
  CHECK(part(good(request), "weights") == Approx(0.75 * number(rows, "/memory/total/weights")).epsilon(1e-12));
  request["options"] = {{"n_gpu_layers", 20}};
  const auto some = good(request);
  request["devices"] = 1;
  CHECK(part(some, "activations") == part(good(request), "activations"));
}

TEST_CASE("towers lie on the first device of a pipeline, as their inputs do") {
  json request{{"model", "google/gemma-3-27b-it"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 2}, {"parallel", {{"pipeline", 2}}}};
  const auto a = good(request);
  // The last device, which samples, is the fuller one; the first holds the tower beside an equal half.
  CHECK(number(a, "/memory/detail/weights/vision") == 0);
  request["options"] = {{"max_num_seqs", 1}};
  CHECK(number(good(request), "/memory/detail/weights/vision") > 0);
  CHECK(number(a, "/capacity/devices_needed") == 1);
}

TEST_CASE("tensor_split gives each device its share of the layers") {
  json request{{"model", "meta-llama/Meta-Llama-3-8B"}, {"weights", "Q8_0"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 2}};
  const double even = part(good(request), "weights");
  request["options"] = {{"tensor_split", {3, 1}}};
  const auto uneven = good(request);
  CHECK(part(uneven, "weights") > 1.2 * even);
  CHECK(number(uneven, "/memory/total/weights") == number(good({{"model", "meta-llama/Meta-Llama-3-8B"}, {"weights", "Q8_0"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 2}}), "/memory/total/weights"));
  request["options"] = {{"tensor_split", {3, 1, 1}}};
  CHECK_FALSE(is_true(parsed(api::estimate(written(request))), "/ok"));
  request["options"] = {{"tensor_split", {0, 0}}};
  CHECK_FALSE(is_true(parsed(api::estimate(written(request))), "/ok"));
}

TEST_CASE("published figures of other engines") {
  // Transformers 4.38 kept the logits of a whole prompt: Qwen2-1.5B at 30,720 tokens peaked at 30.31 GiB, Qwen2.5-7B with 4.46 at 19.97
  // (Qwen's speed tables; allocator peaks, to which the driver's context comes).
  const auto table = [](const char* model, const char* version, int prompt) {
    const auto a = good({{"model", model}, {"weights", "bf16"}, {"engine", {{"name", "transformers"}, {"version", version}}}, {"device", "a100-sxm-80gb"}, {"devices", 1},
                         {"workload", {{"prompt_tokens", prompt}, {"output_tokens", 2048}}}});
    return (part(a, "total") - number(a, "/memory/detail/runtime/context")) / kGiB;
  };
  CHECK(table("Qwen/Qwen2.5-1.5B", "4.38.2", 30720) == Approx(30.31).epsilon(0.03));
  CHECK(table("Qwen/Qwen2.5-7B", "4.46.0", 30720) == Approx(19.97).epsilon(0.02));
  CHECK(table("Qwen/Qwen2.5-7B", "4.46.0", 1) == Approx(14.38).epsilon(0.01));
  // Ollama 0.5, qwen2.5-coder:32b on one card: 19,757 MiB at 2k, 21,683 at 8k (ollama issue 9988, nvidia-smi).
  const auto ollama = [](int context) {
    return part(good({{"model", "Qwen/Qwen2.5-32B"}, {"weights", "Q4_K_M"}, {"engine", {{"name", "ollama"}, {"version", "0.5.0"}}}, {"device", "a100-sxm-80gb"}, {"devices", 1},
                      {"workload", {{"context_tokens", context}}}, {"options", {{"flash_attention", false}}}}), "total") / kMiB;
  };
  CHECK(ollama(2048) == Approx(19757).epsilon(0.01));
  CHECK(ollama(8192) == Approx(21683).epsilon(0.01));
  // ExLlama, a 32B model at 4.0 bits per weight with 8,192 tokens of 16-bit cache: 18,665 MiB.
  CHECK(part(good({{"model", "Qwen/Qwen2.5-32B"}, {"weights", {{"bits_per_weight", 4}}}, {"kv_cache", "fp16"}, {"engine", "exllamav2"}, {"device", "rtx-3090"}, {"devices", 1},
                   {"workload", {{"context_tokens", 8192}}}}), "total") / kMiB == Approx(18665).epsilon(0.03));
}

TEST_CASE("advice is in the order of what it costs: the share that is lost of what was asked for") {
  const auto a = good({{"model", "meta-llama/Llama-3.1-8B-Instruct"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 1},
                       {"workload", {{"prompt_tokens", 8000}, {"context_tokens", 16384}, {"concurrency", 32}}}});
  double before = 0;
  int seen = 0;
  for (const auto& advice : at(a, "/advice")) {
    const double cost = number(advice, "/cost"), value = number(advice, "/value");
    CHECK(cost >= before);
    CHECK(cost <= 1);
    before = cost;
    const auto path = text(advice, "/path");
    if (path == "/workload/context_tokens") CHECK(cost == 1 - value / 16384);
    if (path == "/workload/concurrency") CHECK(cost == 1 - value / 32);
    if (path == "/devices") CHECK(cost == 1 - 1 / value);
    // In 8 bits a hundredth of what 4 bits and their scales cost.
    if (path == "/kv_cache") CHECK(cost < 0.001);
    if (path == "/weights") CHECK((cost > 0.001 && cost < 0.1));
    ++seen;
  }
  CHECK(seen == 5);
  const auto slower = good({{"model", "Qwen/Qwen3-30B-A3B"}, {"weights", "Q8_0"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 1}});
  for (const auto& advice : at(slower, "/advice"))
    if (text(advice, "/path") == "/options/n_cpu_moe") {
      const auto then = good(at(advice, "/request"));
      CHECK(number(advice, "/cost") == Approx(1 - number(slower, "/speed/tpot_s") / number(then, "/speed/tpot_s")));
    }
}

TEST_CASE("a cache in system memory takes nothing of the devices, is read at the host's rate and bounded by its memory") {
  json request{{"model", "meta-llama/Llama-3.1-8B-Instruct"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 1}, {"explain", true},
               {"host", {{"memory_bytes", 64e9}}}, {"workload", {{"context_tokens", 32768}}}};
  const auto there = good(request);
  request["options"] = {{"no_kv_offload", true}};
  const auto here = good(request);
  CHECK(part(here, "kv_cache") == 0);
  CHECK(number(here, "/memory/host/kv_cache") == part(there, "kv_cache"));
  CHECK(part(here, "weights") == part(there, "weights"));
  CHECK(number(here, "/speed/tpot_s") > number(there, "/speed/tpot_s"));
  CHECK(number(here, "/capacity/max_concurrency") == std::floor((64e9 - number(here, "/memory/host/weights")) / part(there, "kv_cache")));
  request["engine"] = "vllm";
  request["weights"] = "bf16";
  CHECK(warned(good(request), "option_without_effect"));
}

TEST_CASE("SGLang keeps states in a pool of their own, and as many sequences fit as the pool that is full first holds") {
  json request{{"model", "Qwen/Qwen3-Next-80B-A3B-Instruct"}, {"engine", "sglang"}, {"device", "h200-sxm-141gb"}, {"devices", 2}, {"explain", true}, {"workload", {{"concurrency", 8}, {"context_tokens", 32768}}}};
  const auto longer = good(request);
  CHECK(number(longer, "/capacity/max_concurrency") == std::floor(number(longer, "/capacity/kv_tokens") / 32768));
  request["workload"]["context_tokens"] = 2048;
  const auto shorter = good(request);
  CHECK(number(shorter, "/capacity/max_concurrency") < std::floor(number(shorter, "/capacity/kv_tokens") / 2048));
}
