// Names of catalogue models as others write them: copies, quantised files, variants.
#include <string>

#include "core/api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;

namespace {

struct Expected {
  const char* name;
  const char* model;
  const char* format;        // under assumptions; "": none that the name speaks of
};

constexpr Expected kRecognised[] = {
    {"unsloth/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct", ""},
    {"bartowski/Meta-Llama-3.1-8B-Instruct-GGUF", "meta-llama/Llama-3.1-8B-Instruct", ""},
    {"unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", "meta-llama/Llama-3.1-8B-Instruct", "nf4"},
    {"unsloth/Qwen3-8B-GGUF:Q4_K_M", "Qwen/Qwen3-8B", "Q4_K_M"},
    {"Qwen3-32B-IQ4_XS.gguf", "Qwen/Qwen3-32B", "IQ4_XS"},
    {"unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL", "Qwen/Qwen3-8B", ""},
    {"llama3.1:8b-instruct-q8_0", "meta-llama/Llama-3.1-8B-Instruct", "Q8_0"},
    {"neuralmagic/Mistral-7B-Instruct-v0.3-FP8", "mistralai/Mistral-7B-Instruct-v0.3", "fp8"},
    {"nvidia/Llama-3.3-70B-Instruct-FP4", "meta-llama/Llama-3.3-70B-Instruct", "nvfp4"},
    {"hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", "meta-llama/Llama-3.1-70B-Instruct", "awq-int4"},
    {"TheBloke/Llama-2-7B-Chat-GPTQ", "meta-llama/Llama-2-7b-chat-hf", "gptq-int4"},
    {"RedHatAI/Qwen2.5-72B-Instruct-quantized.w8a8", "Qwen/Qwen2.5-72B-Instruct", "w8a8-int8"},
    {"mlx-community/Qwen3-8B-4bit", "Qwen/Qwen3-8B", "mlx-4bit"},
    {"Qwen/Qwen3-8B-Base", "Qwen/Qwen3-8B", ""},
    {"Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "Qwen/Qwen3-235B-A22B-FP8", ""},
    {"nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4", "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "nvfp4"},
};

}  // namespace

TEST_CASE("a copy, a quantised file and a variant are computed as the catalogue's model, and said to be") {
  for (const auto& e : kRecognised) {
    INFO(e.name);
    const auto answer = estimate({{"model", e.name}});
    CHECK(text(answer, "/model/id") == e.model);
    CHECK(text(answer, "/problems/0/code") == "model_taken_for");
    CHECK(text(answer, "/problems/0/params/model") == e.model);
    CHECK(text(answer, "/problems/0/params/format") == e.format);
    std::string assumed;
    for (const auto& a : at(answer, "/assumptions"))
      if (text(a, "/path") == "/weights" && text(a, "/from") == "estimated") assumed = text(a, "/value");
    CHECK(assumed == e.format);
  }
}

TEST_CASE("what the name says of the format gives way to the request") {
  const auto named = estimate({{"model", "unsloth/Qwen3-8B-GGUF:Q4_K_M"}}), plain = estimate({{"model", "Qwen/Qwen3-8B"}, {"weights", "Q4_K_M"}});
  CHECK(number(named, "/model/weight_bytes") == number(plain, "/model/weight_bytes"));
  const auto other = estimate({{"model", "unsloth/Qwen3-8B-GGUF:Q4_K_M"}, {"weights", "bf16"}});
  CHECK(number(other, "/model/weight_bytes") == 2 * number(other, "/model/parameters"));
  CHECK(text(estimate({{"model", "bartowski/Qwen_Qwen3-8B-GGUF"}}), "/problems/0/code") == "unknown_model");
}

TEST_CASE("exact names of the catalogue are no warning, and typing errors stay errors") {
  for (const char* name : {"Qwen/Qwen3-8B", "qwen/qwen3-8b", "qwen3:8b", "Qwen2.5-7B-Instruct-AWQ"}) CHECK(at(estimate({{"model", name}}), "/problems").empty());
  for (const char* name : {"Qwen/Qwen3-8", "Qwen/Qwen3-88B", "foo/bar", "meta-lama/Llama-3.1-8B", "GGUF", "4bit", "instruct", "it", "-", "/", "", ":Q4_K_M", "Q4_K_M"}) {
    INFO(name);
    const auto answer = estimate({{"model", name}});
    CHECK(at(answer, "/ok") == false);
    CHECK(text(answer, "/problems/0/code") == "unknown_model");
  }
}

TEST_CASE("a draft model is recognised too, and so is a model that is trained") {
  const auto answer = estimate({{"model", "Qwen/Qwen3-32B"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"options", {{"speculative", {{"draft_model", "unsloth/Qwen3-0.6B"}}}}}});
  CHECK(text(answer, "/problems/0/path") == "/options/speculative/draft_model");
  CHECK(text(answer, "/problems/0/code") == "model_taken_for");
  const auto trained = train({{"model", "unsloth/Qwen3-8B-bnb-4bit"}, {"method", "qlora"}, {"device", "h100-sxm-80gb"}});
  CHECK(text(trained, "/model/id") == "Qwen/Qwen3-8B");
}
