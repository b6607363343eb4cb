// Sizes of GGUF files predicted from a config and a type name, against those that were published, in GB as printed (10^9 bytes,
// two decimals). The files hold a tokenizer too, which no prediction knows: a few megabytes.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;

namespace {

struct Size {
  const char* type;
  double gb;
};
struct Files {
  const char* model;
  std::vector<Size> sizes;
};

// huggingface.co/bartowski: gemma-2-9b-it-GGUF, gemma-2-27b-it-GGUF, TheDrummer_Valkyrie-49B-v2-GGUF (the shapes of Nemotron Super),
// DeepSeek-Coder-V2-Instruct-GGUF, Rombos-Coder-V2.5-Qwen-14b-GGUF, Qwen_Qwen3-30B-A3B-GGUF, zai-org_GLM-4.7-Flash-GGUF (without its
// prediction layer, as llama.cpp's conversion leaves it out; its smaller files keep attention in Q8_0 by hand), LLaMA3-iterative-DPO-final-GGUF. gpt-oss: ggml-org/gpt-oss-20b-GGUF and
// gpt-oss-120b-GGUF, 11.27 and 59.02 GiB.
const Files kPublished[] = {
    {"google/gemma-2-9b-it",
     {{"Q8_0", 9.83}, {"Q6_K", 7.59}, {"Q5_K_M", 6.65}, {"Q5_K_S", 6.48}, {"Q4_K_M", 5.76}, {"Q4_K_S", 5.48}, {"IQ4_XS", 5.18}, {"Q3_K_L", 5.13},
      {"Q3_K_M", 4.76}, {"IQ3_M", 4.49}, {"Q3_K_S", 4.34}, {"IQ3_XS", 4.14}, {"Q2_K", 3.81}, {"IQ3_XXS", 3.80}, {"IQ2_M", 3.43}}},
    {"google/gemma-2-27b-it", {{"Q8_0", 28.93}}},
    {"nvidia/Llama-3_3-Nemotron-Super-49B-v1",
     {{"bf16", 99.74}, {"Q8_0", 52.99}, {"Q6_K", 40.92}, {"Q5_K_M", 35.39}, {"Q5_K_S", 34.43}, {"Q4_1", 31.38}, {"Q4_K_M", 30.22}, {"Q4_K_S", 28.63},
      {"Q4_0", 28.46}, {"IQ4_NL", 28.38}, {"IQ4_XS", 26.87}, {"Q3_K_L", 26.27}, {"Q3_K_M", 24.31}, {"IQ3_M", 22.66}, {"Q3_K_S", 21.96}, {"IQ3_XS", 20.91},
      {"IQ3_XXS", 19.52}, {"Q2_K", 18.74}, {"IQ2_M", 17.16}, {"IQ2_S", 15.85}, {"IQ2_XS", 15.08}, {"IQ2_XXS", 13.66}}},
    {"deepseek-ai/DeepSeek-V2", {{"Q4_K_M", 142.45}, {"Q3_K_M", 112.7}}},
    {"Qwen/Qwen2.5-14B", {{"Q5_K_M", 10.51}, {"Q5_K_S", 10.27}, {"Q4_K_M", 8.99}, {"Q4_K_S", 8.57}, {"Q4_0", 8.54}}},
    {"Qwen/Qwen3-30B-A3B", {{"bf16", 61.10}, {"Q8_0", 32.48}, {"Q6_K", 25.10}, {"Q5_K_M", 21.74}, {"Q5_K_S", 21.10}}},
    {"zai-org/GLM-4.7-Flash", {{"Q8_0", 31.84}}},
    {"meta-llama/Meta-Llama-3-8B-Instruct",
     {{"Q8_0", 8.54}, {"Q6_K", 6.59}, {"Q5_K_M", 5.73}, {"Q5_K_S", 5.59}, {"Q4_K_M", 4.92}, {"Q4_K_S", 4.69}, {"IQ4_NL", 4.67}, {"IQ4_XS", 4.44}}},
    {"openai/gpt-oss-20b", {{"MXFP4_MOE", 11.27 * 1.073741824}}},
    {"openai/gpt-oss-120b", {{"MXFP4_MOE", 59.02 * 1.073741824}}},
};

}  // namespace

TEST_CASE("sizes of GGUF files are predicted from a config and a type") {
  std::vector<double> errors;
  for (const auto& files : kPublished)
    for (const auto& size : files.sizes) {
      const auto answer = estimate({{"model", files.model}, {"weights", size.type}});
      INFO(files.model << " " << size.type << " " << number(answer, "/model/weight_bytes"));
      REQUIRE(is_true(answer, "/ok"));
      errors.push_back(std::abs(number(answer, "/model/weight_bytes") / (size.gb * 1e9) - 1));
      CHECK(errors.back() <= 0.006);
    }
  std::sort(errors.begin(), errors.end());
  CHECK(errors[errors.size() / 2] <= 0.001);
}
