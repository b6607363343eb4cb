// What engines printed when they started, line by line, beside what the answer says. Every log is a public one; a tolerance is the log's
// own rounding where the number is counted, and what the part is known to within where it is estimated. ExLlamaV2, Transformers and MLX
// print no such lines: what a driver or an allocator showed stands for them. TensorRT-LLM prints none of activations and graphs.
#include <cmath>
#include <string>
#include <vector>

#include "api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;
using namespace weighbridge;

namespace {

constexpr const char* kPlanner = "https://github.com/llm-d-incubation/llm-d-planner/tree/main/accuracy/results/v0.19.0/logs";
constexpr double kGiB = 1073741824, kMiB = 1048576;

struct Line {
  const char* path;
  double printed, within;                              // within: as a share of what was printed
};
struct Log {
  const char* source;
  json request;
  std::vector<Line> lines;
};

const std::vector<Log>& logs() {
  static const std::vector<Log> all = {
      {"https://github.com/vllm-project/vllm/issues/10511",
       {{"model", "meta-llama/Meta-Llama-3-8B"}, {"weights", "bf16"}, {"engine", {{"name", "vllm"}, {"version", "0.6.5"}}}, {"device", "h100-sxm-80gb"}, {"devices", 1},
        {"workload", {{"context_tokens", 8192}}}, {"options", {{"gpu_memory_utilization", 0.9}, {"enforce_eager", true}}}},
       {{"/memory/per_device/weights", 14.96 * kGiB, 0.002}, {"/memory/detail/runtime/libraries", 1.79 * kGiB, 0.01},
        {"/memory/per_device/activations", 1.26 * kGiB, 0.02}, {"/capacity/kv_pool", 53.29 * kGiB, 0.002}}},
      {"https://github.com/llm-d-incubation/llm-d-planner/blob/main/docs/empirical-vllm-memory-results.md",
       {{"model", "meta-llama/Llama-3.1-70B-Instruct"}, {"weights", "fp8"}, {"engine", {{"name", "vllm"}, {"version", "0.11.0"}}}, {"device", "h100-sxm-80gb"}, {"devices", 2},
        {"workload", {{"context_tokens", 16000}}}, {"options", {{"gpu_memory_utilization", 0.9}, {"block_size", 128}}}},
       {{"/memory/per_device/weights", 33.88 * kGiB, 0.002}, {"/memory/per_device/activations", 4.84 * kGiB, 0.02},
        {"/memory/detail/runtime/libraries", 0.55 * kGiB, 0.01}, {"/capacity/kv_pool", 32.0 * kGiB, 0.01}}},
      {kPlanner,
       {{"model", "meta-llama/Llama-3.1-8B-Instruct"}, {"engine", {{"name", "vllm"}, {"version", "0.19.0"}}}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"workload", {{"context_tokens", 8192}}}, {"options", {{"gpu_memory_utilization", 0.95}}}},
       {{"/memory/per_device/weights", 14.99 * kGiB, 0.001}, {"/memory/per_device/activations", 1.89 * kGiB, 0.03}, {"/memory/detail/runtime/libraries", 0.25 * kGiB, 0.05},
        {"/memory/detail/runtime/graphs", 0.91 * kGiB, 0.05}, {"/capacity/kv_pool", 58.11 * kGiB, 0.003}, {"/capacity/kv_tokens", 476016, 0.005}}},
      {kPlanner,
       {{"model", "google/gemma-2-27b-it"}, {"engine", {{"name", "vllm"}, {"version", "0.19.0"}}}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"workload", {{"context_tokens", 8192}}}, {"options", {{"gpu_memory_utilization", 0.95}}}},
       {{"/memory/per_device/weights", 50.72 * kGiB, 0.001}, {"/memory/per_device/activations", 3.66 * kGiB, 0.03}, {"/memory/detail/runtime/libraries", 0.26 * kGiB, 0.05},
        {"/memory/detail/runtime/graphs", 1.23 * kGiB, 0.05}, {"/capacity/kv_pool", 20.59 * kGiB, 0.003}}},
      {kPlanner,
       {{"model", "Qwen/Qwen1.5-MoE-A2.7B-Chat"}, {"engine", {{"name", "vllm"}, {"version", "0.19.0"}}}, {"device", "h100-sxm-80gb"}, {"devices", 1}, {"workload", {{"context_tokens", 8192}}}, {"options", {{"gpu_memory_utilization", 0.95}}}},
       {{"/memory/per_device/weights", 26.67 * kGiB, 0.001}, {"/memory/per_device/activations", 2.47 * kGiB, 0.03}, {"/memory/detail/runtime/libraries", 0.25 * kGiB, 0.05},
        {"/memory/detail/runtime/graphs", 1.1 * kGiB, 0.05}, {"/capacity/kv_pool", 45.83 * kGiB, 0.003}}},
      {"https://github.com/vllm-project/vllm/issues/21348",
       {{"model", "Qwen/Qwen3-235B-A22B"}, {"weights", "fp8"}, {"kv_cache", "bf16"}, {"engine", "sglang"}, {"device", "h100-sxm-80gb"}, {"devices", 4},
        {"parallel", {{"tensor", 4}}}, {"options", {{"mem_fraction_static", 0.93}}}},
       {{"/capacity/kv_bytes_per_token", 48105, 0.001}, {"/capacity/kv_pool", 16.46 * kGiB, 0.05}, {"/capacity/kv_tokens", 367404, 0.05}}},
      {"https://github.com/NVIDIA/TensorRT-LLM/issues/1400",
       {{"model", "meta-llama/Llama-2-7b-hf"}, {"weights", "w8a8-int8"}, {"kv_cache", "fp16"}, {"engine", {{"name", "tensorrt-llm"}, {"version", "0.8"}}},
        {"device", "a100-sxm-80gb"}, {"devices", 1}, {"workload", {{"prompt_tokens", 3072}, {"output_tokens", 1024}}},
        {"options", {{"max_batch_size", 1}, {"max_num_batched_tokens", 4096}}}},
       {{"/memory/per_device/weights", 6683 * kMiB, 0.005}, {"/capacity/kv_bytes_per_token", 69524783104.0 / 132608, 0.001},
        {"/capacity/kv_pool", 69524783104.0, 0.01}, {"/capacity/kv_tokens", 132608, 0.01}}},
      {"https://github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference (A100_SXM_4_v3.ipynb)",
       {{"model", "meta-llama/Meta-Llama-3-8B"}, {"weights", "Q4_K_M"}, {"kv_cache", "fp16"}, {"engine", {{"name", "llama.cpp"}, {"version", "b2824"}}}, {"device", "a100-sxm-80gb"},
        {"devices", 4}, {"workload", {{"context_tokens", 8192}}}, {"options", {{"n_batch", 2048}, {"n_ubatch", 512}, {"flash_attention", false}}}},
       {{"/memory/per_device/weights", 1371065549.0, 0.02}, {"/memory/per_device/activations", 640.03 * kMiB, 0.02},
        {"/memory/total/kv_cache", 1024 * kMiB, 0.001}, {"/memory/host/weights", 281.81 * kMiB, 0.001}}},
      {"https://github.com/ollama/ollama/issues/15634",
       {{"model", "google/gemma-4-26B-A4B"}, {"weights", "Q4_K_M"}, {"kv_cache", "fp16"}, {"engine", {{"name", "ollama"}, {"version", "0.20"}}}, {"device", "rtx-3090"}, {"devices", 1},
        {"workload", {{"context_tokens", 32768}}}, {"options", {{"n_batch", 512}, {"flash_attention", true}}}},
       {{"/memory/per_device/weights", 17824114278.0, 0.006}, {"/memory/total/kv_cache", 25 * 37748736.0 + 5 * 134217728.0, 0}}},
      {"https://github.com/ml-explore/mlx-lm/pull/40",
       {{"model", "mistralai/Mistral-7B-Instruct-v0.3"}, {"weights", {{"bits_per_weight", 4.5}}}, {"kv_cache", "fp16"}, {"engine", "mlx"}, {"device", "apple-m2-ultra-76c"}, {"devices", 1},
        {"workload", {{"prompt_tokens", 33898}, {"output_tokens", 100}}}},
       {{"/memory/per_device/total", 9.111e9, 0.02}}},
      {"https://github.com/QwenLM/Qwen3/blob/main/docs/source/getting_started/speed_benchmark.md (a table; Transformers prints no log)",
       {{"model", "Qwen/Qwen3-8B"}, {"weights", "bf16"}, {"engine", {{"name", "transformers"}, {"version", "4.51.3"}}}, {"device", "h20-96gb"}, {"devices", 1},
        {"workload", {{"prompt_tokens", 1}, {"output_tokens", 2048}}}},
       {{"/memory/per_device/total", 16721641472.0, 0.04}}},
      {"https://github.com/oobabooga/textgen/pull/5645 (16-bit cache; llama-2-7b in 16 bits at its own 4,096 tokens)",
       {{"model", "meta-llama/Llama-2-7b-hf"}, {"weights", "fp16"}, {"kv_cache", "fp16"}, {"engine", "exllamav2"}, {"device", "rtx-3090"}, {"devices", 1},
        {"workload", {{"prompt_tokens", 512}, {"context_tokens", 4096}}}},
       {{"/memory/per_device/total", 15162 * kMiB, 0.02}}},
      {"https://github.com/oobabooga/textgen/pull/5645 (8-bit cache)",
       {{"model", "meta-llama/Llama-2-7b-hf"}, {"weights", "fp16"}, {"kv_cache", "fp8"}, {"engine", "exllamav2"}, {"device", "rtx-3090"}, {"devices", 1},
        {"workload", {{"prompt_tokens", 512}, {"context_tokens", 4096}}}},
       {{"/memory/per_device/total", 14202 * kMiB, 0.02}}},
  };
  return all;
}

}  // namespace

TEST_CASE("engines' start-up logs are reproduced line by line") {
  for (const auto& log : logs()) {
    const auto answer = parsed(api::estimate(written(log.request)));
    INFO(log.source << "\n" << written(answer));
    REQUIRE(is_true(answer, "/ok"));
    for (const auto& line : log.lines) {
      const double got = number(answer, line.path);
      INFO(line.path << " printed " << line.printed << ", answered " << got);
      CHECK(std::abs(got / line.printed - 1) <= line.within);
    }
  }
}

TEST_CASE("llama-server keeps logits for its slots alone from b9450 on, where the build is stated") {
  const auto buffer = [](const json& engine, int micro_batch) {
    return number(parsed(api::estimate(written(json{{"model", "Qwen/Qwen3.5-27B"}, {"weights", "Q4_K_M"}, {"engine", engine}, {"device", "rtx-5090"}, {"devices", 1}, {"workload", {{"context_tokens", 4096}}},
                                                    {"options", {{"n_ubatch", micro_batch}, {"n_batch", 4096}, {"flash_attention", true}}}}))), "/memory/per_device/activations");
  };
  const json newer{{"name", "llama.cpp"}, {"version", "b9600"}}, older{{"name", "llama.cpp"}, {"version", "b9400"}};
  // Of a model of this shape: 505 and 2,054 MiB with the logits of all tokens, 132 and 568 without (https://github.com/GenerelSchwerz/llama.cpp/pull/62).
  CHECK(std::abs(buffer(older, 512) / (505 * kMiB) - 1) < 0.05);
  CHECK(std::abs(buffer(older, 2048) / (2054 * kMiB) - 1) < 0.05);
  CHECK(std::abs(buffer(newer, 512) / (132 * kMiB) - 1) < 0.13);
  CHECK(std::abs(buffer(newer, 2048) / (568 * kMiB) - 1) < 0.13);
  CHECK(buffer("llama.cpp", 512) == buffer(older, 512));
}

TEST_CASE("SGLang: the context that a number of sequences may have is bounded by the cache's pool, not by that of the states") {
  const auto a = parsed(api::estimate(R"({"model":"Qwen/Qwen3-Next-80B-A3B-Instruct","engine":"sglang","device":"h200-sxm-141gb","devices":2,"workload":{"context_tokens":32768,"concurrency":72}})"));
  CHECK(number(a, "/capacity/max_concurrency") >= 72);
  CHECK(number(a, "/capacity/max_context_tokens") >= 32768);
}

TEST_CASE("what an image encoder works in is counted: in a buffer of its own with Ollama, or as the peak of vLLM's profiling run") {
  const auto activations = [](const json& request) { return number(parsed(api::estimate(written(request))), "/memory/per_device/activations"); };
  // projector.graph="1.0 GiB" beside memory.graph.full="519.5 MiB": 4,096 patches, scores of 16 heads (https://github.com/atineiatte/deep-research-at-home/issues/14).
  json gemma{{"model", "google/gemma-3-12b-it"}, {"weights", "Q4_K_M"}, {"engine", {{"name", "ollama"}, {"version", "0.6.5"}}}, {"device", "rtx-3060-12gb"}, {"devices", 1}, {"workload", {{"context_tokens", 8192}}}, {"options", {{"flash_attention", false}}}};
  json text = gemma;
  text["engine"] = {{"name", "llama.cpp"}, {"version", "b5000"}};       // without images
  CHECK(std::abs(activations(gemma) / (1519.5 * kMiB) - 1) < 0.1);
  CHECK(activations(text) < 600 * kMiB);
  text["options"]["images_per_prompt"] = 1;
  CHECK(activations(text) > 1300 * kMiB);
  // Compute graphs of Gemma 4 26B with flash attention: 244 and 324 MiB.
  const double graph = activations({{"model", "google/gemma-4-26B-A4B"}, {"weights", "Q4_K_M"}, {"engine", {{"name", "ollama"}, {"version", "0.20"}}}, {"device", "rtx-3090"}, {"devices", 1},
                                    {"workload", {{"context_tokens", 32768}}}, {"options", {{"n_batch", 512}, {"flash_attention", true}}}});
  CHECK(graph > 230 * kMiB);
  CHECK(graph < 340 * kMiB);
  // On a small card the largest image weighs more than the pass of text.
  json vision{{"model", "Qwen/Qwen3-VL-8B-Instruct"}, {"engine", {{"name", "vllm"}, {"version", "0.19"}}}, {"device", "rtx-4090"}, {"devices", 1}, {"workload", {{"context_tokens", 16384}}}};
  CHECK(activations(vision) == 2.0 * 65536 * (2 * 1152 + 2 * 4304 + 3 * 2 * 16 * 16));
  vision["devices"] = 2;
  vision["parallel"] = {{"pipeline", 2}};
  const auto stages = activations(vision);
  CHECK(stages <= 2.0 * 65536 * (2 * 1152 + 2 * 4304 + 1536));
}

TEST_CASE("what lies beside the model's own weights follows engine and version") {
  json request{{"model", "deepseek-ai/DeepSeek-V2-Lite"}, {"weights", "fp16"}, {"engine", {{"name", "vllm"}, {"version", "0.7.3"}}}, {"device", "a100-sxm-40gb"}, {"devices", 8}, {"parallel", {{"tensor", 8}}}};
  const auto beside = [&](const char* version) {
    request["engine"]["version"] = version;
    return number(parsed(api::estimate(written(request))), "/memory/detail/weights/engine");
  };
  // 27 layers, 2 of 16 heads: W_Q_UK and W_QR of 2048 x (512 + 64), W_UV_O of 512 x 2048; a table of 163,840 positions x 64.
  const double table = 2.0 * 163840 * 64, products = 27 * 2.0 * 2 * (2048.0 * (512 + 64) + 512.0 * 2048);
  CHECK(beside("0.7.3") == table + products);
  CHECK(beside("0.7") == table + products);            // covers its patches
  CHECK(beside("0.7.0") == table);                     // no latents yet
  CHECK(beside("0.11") == table);                      // views of 16-bit weights
  request["weights"] = "fp8";
  CHECK(beside("0.11") == table + 27 * 2.0 * 2 * 512 * (128 + 128));
  // Positions in time, height and width: four rows for each of 128,000.
  CHECK(number(parsed(api::estimate(written(json{{"model", "Qwen/Qwen2.5-VL-3B-Instruct"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 1}}))), "/memory/detail/weights/engine") == 2.0 * 4 * 128000 * 128);
  request["engine"] = {{"name", "tensorrt-llm"}};
  CHECK(number(parsed(api::estimate(written(request))), "/memory/detail/weights/engine") == 0);
}

TEST_CASE("a draft model weighs on every device, and -sm none leaves all on the first card") {
  json request{{"model", "meta-llama/Llama-3.3-70B-Instruct"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 4}, {"parallel", {{"tensor", 4}}}};
  const auto before = parsed(api::estimate(written(request)));
  request["options"] = {{"speculative", {{"draft_model", "meta-llama/Llama-3.2-1B-Instruct"}}}};
  const auto after = parsed(api::estimate(written(request)));
  CHECK(number(after, "/memory/per_device/weights") - number(before, "/memory/per_device/weights") == 2.0 * 1235814400 / 4);
  CHECK(number(after, "/capacity/kv_pool") < number(before, "/capacity/kv_pool"));

  json cards{{"model", "meta-llama/Llama-3.1-8B-Instruct"}, {"weights", "Q8_0"}, {"engine", "llama.cpp"}, {"device", {"rtx-4090", "rtx-3090"}}, {"options", {{"split_mode", "none"}}}};
  const auto none = parsed(api::estimate(written(cards)));
  cards["device"] = "rtx-4090";
  cards["devices"] = 1;
  cards.erase("options");
  const auto one = parsed(api::estimate(written(cards)));
  CHECK(number(none, "/memory/per_device/total") == number(one, "/memory/per_device/total"));
}
