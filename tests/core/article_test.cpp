// The article that started the project, number for number: `"method": "article"`, `"estimate_method": "article"`.
//
// Test cases are filed under the article's own sections. Its two parts are "简单计算LLM推理和训练所需资源" (what a model takes
// in memory) and "LLM 输出速度计算公式" (how fast it answers). All expectations are its own figures, or its formulas worked by
// hand; 1 GB is 10^9 bytes throughout, as in the article.
#include <cmath>

#include "core/api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;

namespace {

constexpr double kGB = 1e9;

json article(json request) {
  request["method"] = "article";
  auto answer = estimate(request);
  INFO(written(request));
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  return answer;
}

json article_train(json request) {
  request["estimate_method"] = "article";
  auto answer = train(request);
  INFO(written(request));
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  return answer;
}

json parameters(double count) { return {{"manual", {{"parameters", count}}}}; }

// A 32B model with the shape that the worked lines below use.
json shaped() { return {{"manual", {{"parameters", 32e9}, {"layers", 64}, {"hidden_size", 5120}, {"heads", 40}}}}; }

double total_weights(double count, const char* format) {
  return number(article({{"model", parameters(count)}, {"weights", format}}), "/memory/total/weights");
}

}  // namespace

// --------------------------------------------------------------------------------------------------------- part 1: memory

TEST_CASE("article, memory, quick estimate: 1B parameters at 2 bytes are 2 GB") {
  const auto answer = article({{"model", parameters(1e9)}, {"weights", "bf16"}});
  CHECK(number(answer, "/memory/total/weights") == 2 * kGB);
  CHECK(number(answer, "/memory/total/total") == 2 * kGB);
}

TEST_CASE("article, memory, quick estimate: 32B parameters at 2 bytes are 64 GB") {
  const auto answer = article({{"model", parameters(32e9)}, {"weights", "fp16"}});
  CHECK(number(answer, "/memory/total/weights") == 64 * kGB);
  CHECK(number(answer, "/memory/total/total") == 64 * kGB);
}

TEST_CASE("article, memory, bytes per parameter: FP32 4, FP16 and BF16 2, INT8 and FP8 1, INT4 0.5") {
  CHECK(total_weights(1e9, "fp32") == 4 * kGB);
  CHECK(total_weights(1e9, "fp16") == 2 * kGB);
  CHECK(total_weights(1e9, "bf16") == 2 * kGB);
  CHECK(total_weights(1e9, "int8") == 1 * kGB);
  CHECK(total_weights(1e9, "fp8") == 1 * kGB);
  CHECK(total_weights(1e9, "int4") == 0.5 * kGB);
}

TEST_CASE("article, memory, quantisation: 32B takes 128 GB as FP32, 64 GB as FP16 and 32 GB as INT8") {
  CHECK(total_weights(32e9, "fp32") == 128 * kGB);
  CHECK(total_weights(32e9, "fp16") == 64 * kGB);
  CHECK(total_weights(32e9, "int8") == 32 * kGB);
}

TEST_CASE("article, memory, bytes per parameter: a real model's INT8 and INT4 are flat too, with no scales") {
  // The detailed method gives int8 and int4 their group scales and leaves embeddings at 16 bits; the article does not.
  const auto eight = article({{"model", "Qwen/QwQ-32B"}, {"weights", "int8"}});
  const auto four = article({{"model", "Qwen/QwQ-32B"}, {"weights", "int4"}});
  const double count = number(eight, "/model/parameters");
  CHECK(count == 32763876352.0);
  CHECK(number(eight, "/memory/total/weights") == count);
  CHECK(number(four, "/memory/total/weights") == count / 2);
  const auto detailed = estimate({{"model", "Qwen/QwQ-32B"}, {"weights", "int8"}});
  CHECK(number(detailed, "/memory/total/weights") > count);
}

TEST_CASE("article, memory, DeepSeek-R1: 685B at BF16 are 1,370 GB, 17.125 H100s of 80 GB, so 18 cards") {
  const auto answer = article({{"model", parameters(685e9)}, {"weights", "bf16"}, {"device", "h100-sxm-80gb"}});
  CHECK(number(answer, "/memory/total/weights") == 1370 * kGB);
  CHECK(number(answer, "/memory/total/total") == 1370 * kGB);
  CHECK(number(answer, "/memory/per_device/capacity") == 80 * kGB);        // the marketed size, not what the driver reports
  CHECK(number(answer, "/memory/total/total") / number(answer, "/memory/per_device/capacity") == 17.125);
  CHECK(number(answer, "/capacity/devices_needed") == 18);
}

TEST_CASE("article, memory, cards: exactly full cards are enough, one byte more takes another") {
  const auto needed = [](double count) {
    return number(article({{"model", parameters(count)}, {"weights", "int8"}, {"device", "h100-sxm-80gb"}}), "/capacity/devices_needed");
  };
  CHECK(needed(80e9) == 1);
  CHECK(needed(80e9 + 1) == 2);
  CHECK(needed(160e9) == 2);
}

TEST_CASE("article, memory, inference: with parameters alone the cache and the activations are 0, and a note says so") {
  const auto answer = article({{"model", parameters(32e9)}, {"weights", "bf16"}});
  CHECK(number(answer, "/memory/total/kv_cache") == 0);
  CHECK(number(answer, "/memory/total/activations") == 0);
  CHECK(number(answer, "/memory/total/runtime") == 0);
  CHECK(has_problem(answer, "article_part_unknown"));
  for (const auto& problem : at(answer, "/problems")) CHECK(text(problem, "/severity") != "error");
}

TEST_CASE("article, memory, KV cache: 2 x batch x sequence x layers x hidden size x bytes") {
  const auto cache = [](const char* format, int context) {
    return number(article({{"model", shaped()}, {"weights", "bf16"}, {"kv_cache", format}, {"workload", {{"context_tokens", context}}}}),
                  "/memory/total/kv_cache");
  };
  CHECK(cache("bf16", 1000) == 2.0 * 1000 * 64 * 5120 * 2);      // 1,310,720,000
  CHECK(cache("fp16", 1000) == 1310720000.0);
  CHECK(cache("fp32", 1000) == 2621440000.0);
  CHECK(cache("fp8", 1000) == 655360000.0);
  CHECK(cache("bf16", 4000) == 4 * 1310720000.0);
}

TEST_CASE("article, memory, KV cache: full multi-head attention, whatever the number of key-value heads") {
  auto grouped = shaped();
  grouped["manual"]["kv_heads"] = 8;
  const json workload = {{"context_tokens", 1000}};
  const auto answer = article({{"model", grouped}, {"kv_cache", "bf16"}, {"workload", workload}});
  CHECK(number(answer, "/memory/total/kv_cache") == 1310720000.0);

  // QwQ-32B has 64 layers, hidden size 5120 and 8 of 40 heads for keys and values.
  const auto real = article({{"model", "Qwen/QwQ-32B"}, {"kv_cache", "bf16"}, {"workload", workload}});
  CHECK(number(real, "/memory/total/kv_cache") == 1310720000.0);
  const auto detailed = estimate({{"model", "Qwen/QwQ-32B"}, {"kv_cache", "bf16"}, {"workload", workload}});
  CHECK(number(detailed, "/memory/total/kv_cache") == 1310720000.0 / 5);       // what the detailed method corrects
}

TEST_CASE("article, memory, activations: sequence x hidden x (34 + 5 x sequence x heads / hidden), once") {
  const auto activations = [](const json& model, int context) {
    return number(article({{"model", model}, {"workload", {{"context_tokens", context}}}}), "/memory/total/activations");
  };
  // 1000 x 5120 x (34 + 5 x 1000 x 40 / 5120) = 1000 x (174,080 + 200,000)
  CHECK(same(activations(shaped(), 1000), 374080000.0));
  CHECK(same(activations(shaped(), 2000), 2000.0 * (34 * 5120 + 5.0 * 2000 * 40)));
  auto deep = shaped();
  deep["manual"]["layers"] = 128;
  CHECK(activations(deep, 1000) == activations(shaped(), 1000));                // not once per layer
  CHECK(same(activations("Qwen/QwQ-32B", 1000), 374080000.0));
}

TEST_CASE("article, memory, inference: the total is model size + KV cache + activations") {
  const auto answer = article({{"model", shaped()}, {"weights", "fp16"}, {"kv_cache", "fp16"}, {"workload", {{"context_tokens", 1000}}}});
  CHECK(number(answer, "/memory/total/weights") == 64 * kGB);
  CHECK(same(number(answer, "/memory/total/total"), 64 * kGB + 1310720000.0 + 374080000.0));
  CHECK(number(answer, "/memory/total/runtime") == 0);
}

TEST_CASE("article, memory, inference: without a context of its own the sequence is prompt and output") {
  const auto answer = article({{"model", shaped()}, {"kv_cache", "bf16"}, {"workload", {{"prompt_tokens", 800}, {"output_tokens", 200}}}});
  CHECK(number(answer, "/memory/total/kv_cache") == 1310720000.0);
}

TEST_CASE("article, memory, concurrent calls: everything times the number of calls, the weights too") {
  const auto with = [](int calls) {
    return article({{"model", shaped()}, {"weights", "bf16"}, {"kv_cache", "bf16"}, {"device", "h100-sxm-80gb"},
                    {"workload", {{"context_tokens", 1000}, {"concurrency", calls}}}});
  };
  const auto one = with(1), three = with(3);
  for (const char* part : {"weights", "kv_cache", "activations", "total"}) {
    INFO(part);
    CHECK(same(number(three, std::string("/memory/total/") + part), 3 * number(one, std::string("/memory/total/") + part)));
  }
  CHECK(number(one, "/capacity/devices_needed") == 1);
  CHECK(number(three, "/capacity/devices_needed") == 3);                       // ceil(197.05 / 80)
}

TEST_CASE("article, memory: the cache and the activations are far smaller than the weights for a short context only") {
  const auto share = [](int context) {
    const auto answer = article({{"model", "Qwen/QwQ-32B"}, {"workload", {{"context_tokens", context}}}});
    return 1 - number(answer, "/memory/total/weights") / number(answer, "/memory/total/total");
  };
  CHECK(share(1000) < 0.03);
  CHECK(share(32768) > 0.5);
}

// ------------------------------------------------------------------------------------------------ part 1: memory, training

TEST_CASE("article, training, per parameter: Adam 8 bytes, gradients 4 bytes") {
  const auto answer = article_train({{"model", parameters(1e9)}, {"precision", "fp32"}});
  CHECK(number(answer, "/memory/per_device/optimizer") == 8 * kGB);
  CHECK(number(answer, "/memory/per_device/gradients") == 4 * kGB);
  CHECK(number(answer, "/memory/per_device/weights") == 4 * kGB);
  CHECK(number(answer, "/memory/per_device/total") == 16 * kGB);
}

TEST_CASE("article, training, total: model + KV cache + activations + (optimizer + gradients) x trainable parameters") {
  const auto answer = article_train({{"model", shaped()}, {"precision", "fp32"}, {"sequence_tokens", 1000}});
  const double cache = number(answer, "/memory/per_device/kv_cache"), activations = number(answer, "/memory/per_device/activations");
  CHECK(same(activations, 374080000.0));
  CHECK(cache > 0);
  CHECK(std::fmod(cache, 2.0 * 1000 * 64 * 5120) == 0);                        // x bytes of one element
  CHECK(same(number(answer, "/memory/per_device/total"), 128 * kGB + cache + activations + 12 * 32 * kGB));
}

TEST_CASE("article, training, range: 12 to 20 bytes for each parameter beside the model") {
  const auto answer = article_train({{"model", parameters(32e9)}, {"precision", "fp32"}});
  CHECK(at(answer, "/article/additional_bytes_per_parameter") == json::array({12, 20}));
  CHECK(number(answer, "/article/range_bytes/0") == 128 * kGB + 12 * 32 * kGB);
  CHECK(number(answer, "/article/range_bytes/1") == 128 * kGB + 20 * 32 * kGB);
}

TEST_CASE("article, training, quick estimate: 4 to 6 times inference") {
  const auto answer = article_train({{"model", parameters(32e9)}, {"precision", "fp32"}});
  CHECK(number(answer, "/article/factor_range_bytes/0") == 4 * 128 * kGB);
  CHECK(number(answer, "/article/factor_range_bytes/1") == 6 * 128 * kGB);
  // The article's chain of approximations holds for 4-byte weights: both ranges are then the same.
  CHECK(number(answer, "/article/factor_range_bytes/0") == number(answer, "/article/range_bytes/0"));
  CHECK(number(answer, "/article/factor_range_bytes/1") == number(answer, "/article/range_bytes/1"));
}

TEST_CASE("article, training, quick estimate: for 2-byte weights the two ranges do not agree") {
  const auto answer = article_train({{"model", parameters(685e9)}, {"precision", "bf16"}});
  CHECK(number(answer, "/memory/per_device/weights") == 1370 * kGB);
  CHECK(number(answer, "/article/factor_range_bytes/0") == 4 * 1370 * kGB);
  CHECK(number(answer, "/article/factor_range_bytes/1") == 6 * 1370 * kGB);
  CHECK(number(answer, "/article/range_bytes/0") == 1370 * kGB + 12 * 685 * kGB);
  CHECK(number(answer, "/article/range_bytes/1") == 1370 * kGB + 20 * 685 * kGB);
}

// ---------------------------------------------------------------------------------------------------------- part 2: speed

namespace {

json example(int prompt = 1000, int output = 200) {
  return {{"model", parameters(32e9)}, {"weights", "bf16"}, {"device", "a100-sxm-80gb"}, {"devices", 10}, {"efficiency", {{"compute", 0.462}}},
          {"workload", {{"prompt_tokens", prompt}, {"output_tokens", output}}}};
}

}  // namespace

TEST_CASE("article, speed, FLOPs: 2 x parameters x prompt tokens, 6.4 x 10^13 for 32B and 1,000 tokens") {
  CHECK(number(article(example()), "/speed/prefill/flops") == 6.4e13);
  CHECK(number(article(example(2000)), "/speed/prefill/flops") == 12.8e13);
}

TEST_CASE("article, speed, seconds per token: 10 A100s at 312 TFLOPS and 46.2 % take 0.0444 s") {
  const auto answer = article(example());
  const double seconds = 6.4e13 / (10 * 312e12 * 0.462);
  CHECK(std::round(seconds * 1e4) == 444);                                     // 0.0444, as the article prints it
  CHECK(same(number(answer, "/speed/ttft_s"), seconds));
  CHECK(same(number(answer, "/speed/tpot_s"), seconds));
  CHECK(same(number(answer, "/speed/prefill/seconds"), seconds));
}

TEST_CASE("article, speed, tokens per second: 22.5225 for one user") {
  const auto answer = article(example());
  CHECK(same(number(answer, "/speed/tokens_per_s_per_user"), 22.5225, 1e-14));
  CHECK(same(number(answer, "/speed/tokens_per_s_per_user"), 1 / number(answer, "/speed/tpot_s")));
}

TEST_CASE("article, speed, utilisation: 46.2 % unless the request says otherwise") {
  auto request = example();
  request.erase("efficiency");
  CHECK(same(number(article(request), "/speed/tokens_per_s_per_user"), 22.5225, 1e-14));
  request["efficiency"] = {{"compute", 0.231}};
  CHECK(same(number(article(request), "/speed/tokens_per_s_per_user"), 22.5225 / 2, 1e-14));
}

TEST_CASE("article, speed, seconds per token: cards and FLOPS divide it") {
  auto request = example();
  request["devices"] = 20;
  CHECK(same(number(article(request), "/speed/tpot_s"), 6.4e13 / (20 * 312e12 * 0.462)));
  request["device"] = {{"memory_bytes", 80e9}, {"bandwidth", 2e12}, {"flops", {{"bf16", 156e12}}}};
  CHECK(same(number(article(request), "/speed/tpot_s"), 6.4e13 / (20 * 156e12 * 0.462)));
}

TEST_CASE("article, speed, FLOPS: the peak of the weights' own format") {
  auto request = example();
  request["device"] = "h100-sxm-80gb";
  request["devices"] = 1;
  const double sixteen = number(article(request), "/speed/tpot_s");
  request["weights"] = "fp8";
  const double eight = number(article(request), "/speed/tpot_s");
  CHECK(same(sixteen, 6.4e13 / (989.5e12 * 0.462)));
  CHECK(same(eight, 6.4e13 / (1979e12 * 0.462)));
}

TEST_CASE("article, speed, latency: TTFT + TPOT x all generated tokens") {
  const auto answer = article(example(1000, 200));
  const double seconds = 6.4e13 / (10 * 312e12 * 0.462);
  CHECK(same(number(answer, "/speed/latency_s"), seconds * 201));
}

TEST_CASE("article, speed, tokens per second: generated tokens / latency") {
  const auto answer = article(example(1000, 200));
  const double seconds = 6.4e13 / (10 * 312e12 * 0.462);
  CHECK(same(number(answer, "/speed/output_tokens_per_s"), 200 / (seconds * 201)));
}

TEST_CASE("article, both parts: a device without a name of its own is given by its figures") {
  const json device = {{"memory_bytes", 80e9}, {"bandwidth", 3.35e12}, {"flops", {{"bf16", 989.5e12}}}};
  const auto answer = article({{"model", parameters(685e9)}, {"weights", "bf16"}, {"device", device}});
  CHECK(number(answer, "/capacity/devices_needed") == 18);
}

TEST_CASE("article: the answer carries its work, formula by formula") {
  auto request = example();
  request["explain"] = true;
  const auto answer = article(request);
  const auto& steps = at(answer, "/steps");
  REQUIRE(steps.is_array());
  REQUIRE(!steps.empty());
  const auto described = parsed(weighbridge::api::describe());
  for (const auto& step : steps) {
    const auto id = text(step, "/id");
    INFO(id);
    bool found = false;
    for (const auto& formula : at(described, "/formulas"))
      if (text(formula, "/id") == id) {
        found = true;
        CHECK(text(formula, "/method") == "article");
      }
    CHECK(found);
  }
}
