// How fast: what must hold for every model, layout and load, and the one case that the project names.
#include <cmath>
#include <string>

#include "api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;

namespace {

const char* const kSpeeds[] = {
    "speed.prefill.seconds", "speed.prefill.tokens_per_s", "speed.decode.seconds_per_step", "speed.decode.tokens_per_s", "speed.ttft_s",
    "speed.tpot_s",          "speed.latency_s",            "speed.output_tokens_per_s",     "speed.tokens_per_s_per_user",
};

const json kLayouts[] = {json{{"tensor", 1}}, json{{"tensor", 8}}, json{{"tensor", 2}, {"pipeline", 4}}, json{{"pipeline", 8}},
                         json{{"tensor", 2}, {"data", 4}}, json{{"tensor", 4}, {"data", 2}, {"expert", 8}}};
const json kWorkloads[] = {json{{"concurrency", 1}},
                           json{{"concurrency", 37}, {"prompt_tokens", 3000}, {"output_tokens", 700}},
                           json{{"concurrency", 20000}, {"prompt_tokens", 5000}},
                           json{{"concurrency", 20000}, {"mode", "static_batch"}},
                           json{{"concurrency", 20000}, {"mode", "offline"}},
                           json{{"concurrency", "max"}, {"output_tokens", 1}},
                           json{{"requests_per_s", 0.5}, {"output_tokens", 100}},
                           json{{"requests_per_s", 5000}},
                           json{{"cached_prefix_tokens", 900}, {"concurrency", 5}}};
const char* const kModels[] = {"meta-llama/Llama-3.1-8B", "google/gemma-3-27b-it", "openai/gpt-oss-120b", "deepseek-ai/DeepSeek-R1"};

template <class Check>
void each_answer(Check check) {
  for (const char* model : kModels)
    for (const auto& layout : kLayouts)
      for (const auto& workload : kWorkloads) {
        const json request{{"model", model}, {"device", "h200-sxm-141gb"}, {"parallel", layout}, {"workload", workload}};
        const auto answer = estimate(request);
        if (!is_true(answer, "/ok")) continue;                 // experts spread over a dense model
        INFO(written(request));
        check(request, answer);
      }
}

}  // namespace

TEST_CASE("every speed lies inside its interval") {
  std::size_t intervals = 0;
  each_answer([&](const json&, const json& answer) {
    for (const char* path : kSpeeds) {
      INFO(path);
      const auto& interval = at(answer, std::string("/intervals/") + path);
      const double value = number(answer, from_dotted(path));
      if (!interval.is_array()) continue;
      ++intervals;
      CHECK(number(interval, "/0") <= value);
      CHECK(value <= number(interval, "/1"));
    }
    // The wait belongs to both ends.
    if (number(answer, "/load/queue_s") > 0) CHECK(number(at(answer, "/intervals/speed.ttft_s"), "/0") > number(at(answer, "/intervals/speed.prefill.seconds"), "/0"));
  });
  CHECK(intervals > 1000);
}

TEST_CASE("no step is faster than its bytes and its products allow") {
  each_answer([&](const json& request, const json& answer) {
    const auto& device = at(request, "/parallel");
    const auto member = [&](const char* name) { return device.contains(name) ? number(device, std::string("/") + name) : 1.0; };
    const double devices = member("tensor") * member("pipeline") * member("data");
    const double seconds = number(answer, "/speed/decode/seconds_per_step"), running = number(answer, "/load/concurrency");
    CHECK(seconds >= number(answer, "/speed/decode/bytes_per_step") / (devices * 4.8e12) * (1 - 1e-9));
    CHECK(number(answer, "/speed/decode/tokens_per_s") <= running / seconds * (1 + 1e-9));
    // Each sequence is multiplied with every active parameter once, whatever the layout.
    CHECK(number(answer, "/speed/decode/flops_per_step") >= 1.9 * running * number(answer, "/model/active_parameters"));
    CHECK(number(answer, "/speed/output_tokens_per_s") <= number(answer, "/speed/decode/tokens_per_s") * (1 + 1e-9) + running / number(answer, "/speed/latency_s"));
  });
}

TEST_CASE("FLOP of a step are those of its sequences, whatever the layout") {
  const auto flops = [](const json& layout) {
    return number(estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h200-sxm-141gb"}, {"parallel", layout}, {"workload", {{"concurrency", 9}}}}),
                  "/speed/decode/flops_per_step");
  };
  const double alone = flops({{"tensor", 1}});
  for (const auto& layout : {json{{"tensor", 8}}, json{{"pipeline", 4}}, json{{"data", 8}}, json{{"tensor", 2}, {"pipeline", 2}, {"data", 2}}})
    CHECK(same(flops(layout), alone, 1e-12));
}

TEST_CASE("no load reads more prompts than a deployment that does nothing else") {
  for (const double output : {1.0, 2.0, 10.0, 200.0})
    for (const char* engine : {"ideal", "vllm", "tensorrt-llm"}) {
      const json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", engine}, {"device", "h100-sxm-80gb"}, {"devices", 1},
                         {"workload", {{"prompt_tokens", 2000}, {"output_tokens", output}, {"concurrency", 64}}}};
      const auto answer = estimate(request);
      INFO(written(request));
      CHECK(number(answer, "/speed/output_tokens_per_s") / output * 2000 < 1.3 * number(answer, "/speed/prefill/tokens_per_s"));
    }
}

TEST_CASE("an open loop that is too fast is not stable, and a slow one is served as it comes") {
  const auto at_rate = [](double rate) {
    return estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"workload", {{"requests_per_s", rate}, {"output_tokens", 200}}}});
  };
  double before = 0, waited = 0;
  for (const double rate : {0.1, 1.0, 5.0, 10.0}) {
    const auto answer = at_rate(rate);
    INFO(rate);
    CHECK(is_true(answer, "/load/stable"));
    CHECK(number(answer, "/load/utilisation") > before);
    CHECK(number(answer, "/load/utilisation") <= 1);
    CHECK(number(answer, "/load/queue_s") > waited);
    CHECK(number(answer, "/load/queue_s") < number(answer, "/speed/ttft_s"));
    waited = number(answer, "/load/queue_s");
    // Memory holds what is in flight at that rate.
    const auto closed = estimate({{"model", "meta-llama/Llama-3.1-8B"}, {"device", "h100-sxm-80gb"}, {"workload", {{"concurrency", number(answer, "/load/concurrency")}, {"output_tokens", 200}}}});
    CHECK(number(answer, "/memory/total/kv_cache") == number(closed, "/memory/total/kv_cache"));
    CHECK(number(answer, "/speed/output_tokens_per_s") >= rate * 200 * (1 - 1e-9));
    before = number(answer, "/load/utilisation");
  }
  const auto flooded = at_rate(1e5);
  CHECK_FALSE(is_true(flooded, "/load/stable"));
  CHECK(number(flooded, "/load/utilisation") > 1);
  CHECK(flooded.at(json::json_pointer("/load/queue_s")).is_null());
}

TEST_CASE("as many sequences as fit do fit on every pipeline stage, and one more does not") {
  for (const char* model : kModels)
    for (const auto& layout : kLayouts) {
      json request{{"model", model}, {"device", "h200-sxm-141gb"}, {"parallel", layout}, {"weights", "int4"}, {"workload", {{"concurrency", "max"}}}};
      const auto answer = estimate(request);
      if (!is_true(answer, "/ok") || number(answer, "/capacity/max_concurrency") < 1) continue;
      const double most = number(answer, "/load/concurrency");
      INFO(written(request) << " " << most);
      CHECK(is_true(answer, "/memory/per_device/fits"));
      CHECK(number(answer, "/capacity/max_concurrency") == most);
      CHECK(number(answer, "/load/queue_s") == 0);
      request["workload"]["concurrency"] = most + 1;
      CHECK_FALSE(is_true(estimate(request), "/memory/per_device/fits"));
      request["workload"]["concurrency"] = 1;
      CHECK(number(estimate(request), "/capacity/max_concurrency") == most);
    }
}

TEST_CASE("DeepSeek-R1 in fp8 fits eight H200 and decodes at 40 to 100 % of the bandwidth roofline") {
  const auto answer = estimate({{"model", "deepseek-ai/DeepSeek-R1"}, {"weights", "fp8"}, {"device", "h200-sxm-141gb"}, {"devices", 8}});
  REQUIRE(is_true(answer, "/ok"));
  CHECK(is_true(answer, "/memory/per_device/fits"));
  const double roofline = number(answer, "/speed/decode/bytes_per_step") / 8 / 4.8e12;
  const double reached = roofline / number(answer, "/speed/decode/seconds_per_step");
  INFO(reached);
  CHECK(reached >= 0.4);
  CHECK(reached <= 1);
}

namespace {

const char* const kEngines[] = {"ideal", "vllm", "sglang", "tensorrt-llm", "llama.cpp", "mlx", "exllamav2", "transformers"};

json own_device(double bandwidth, double link) {
  return {{"memory_bytes", 400e9}, {"bandwidth", bandwidth}, {"flops", {{"bf16", 400e12}, {"fp32", 50e12}}}, {"link_bandwidth", link}, {"class", "datacenter"}};
}

double speed_of(const json& request, const char* figure) {
  const auto answer = estimate(request);
  INFO(written(request));
  REQUIRE(is_true(answer, "/ok"));
  return number(answer, std::string("/speed/") + figure);
}

}  // namespace

TEST_CASE("more bandwidth is never slower, and a longer context never faster") {
  for (const char* engine : kEngines)
    for (const char* model : kModels)
      for (const double concurrency : {1.0, 16.0}) {
        json request{{"model", model}, {"engine", engine}, {"devices", 1}, {"workload", {{"concurrency", concurrency}, {"output_tokens", 100}}}};
        double before = 1e300;
        for (const double bandwidth : {1e12, 1.1e12, 1.5e12, 2e12, 3e12}) {
          request["device"] = own_device(bandwidth, 100e9);
          request["device"]["class"] = "workstation";
          const double now = speed_of(request, "decode/seconds_per_step");
          CHECK(now <= before);
          before = now;
        }
        request["device"] = "h200-sxm-141gb";
        request["weights"] = "int4";
        before = 0;
        for (const double prompt : {100.0, 1000.0, 4000.0, 8000.0}) {
          request["workload"]["prompt_tokens"] = prompt;
          const double now = speed_of(request, "tpot_s");
          CHECK(now >= before);
          before = now;
        }
      }
}

TEST_CASE("under load too, more bandwidth and a shorter prompt are never slower") {
  const char* const figures[] = {"/speed/ttft_s", "/speed/tpot_s", "/speed/latency_s", "/speed/prefill/seconds"};
  for (const char* engine : kEngines)
    for (const char* model : {"meta-llama/Llama-3.1-8B", "openai/gpt-oss-120b"})
      for (const char* mode : {"closed_loop", "static_batch"})
        for (const double output : {1.0, 16.0, 256.0}) {
          json request{{"model", model}, {"engine", engine}, {"devices", 1}, {"workload", {{"concurrency", 16}, {"output_tokens", output}, {"mode", mode}}}};
          const auto slower = [&](const char* path, std::initializer_list<double> values) {
            double before[4] = {};
            for (const double value : values) {
              request[json::json_pointer(path)] = value;
              const auto answer = estimate(request);
              INFO(written(request));
              REQUIRE(is_true(answer, "/ok"));
              for (std::size_t i = 0; i < 4; ++i) {
                CHECK(number(answer, figures[i]) >= before[i] * (1 - 1e-9));
                before[i] = number(answer, figures[i]);
              }
            }
          };
          request["device"] = own_device(3e12, 100e9);
          request["device"]["memory_bytes"] = 4e12;
          slower("/workload/prompt_tokens", {1, 500, 4096, 4097, 8192, 8193, 20000});
          slower("/device/bandwidth", {8e12, 4e12, 2e12, 1.01e12, 1e12});
        }
}

TEST_CASE("a second device on a link of almost no bandwidth never helps one stream") {
  for (const char* engine : {"vllm", "sglang", "tensorrt-llm", "ideal"}) {
    json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", engine}, {"device", own_device(2e12, 1e6)}, {"devices", 1}};
    const double alone = speed_of(request, "decode/seconds_per_step");
    request["devices"] = 2;
    request["parallel"] = {{"tensor", 2}};
    CHECK(speed_of(request, "decode/seconds_per_step") > alone);
  }
}

TEST_CASE("layers split over several cards never make one stream faster") {
  for (const char* engine : {"llama.cpp", "exllamav2"}) {
    json request{{"model", "meta-llama/Llama-3.1-70B"}, {"weights", "Q4_K_M"}, {"engine", engine}, {"device", "a100-pcie-80gb"}, {"devices", 1}, {"workload", {{"prompt_tokens", 4096}}}};
    const double step = speed_of(request, "decode/seconds_per_step"), prompt = speed_of(request, "prefill/seconds");
    request["devices"] = 4;
    CHECK(speed_of(request, "decode/seconds_per_step") >= step * (1 - 1e-12));
    CHECK(speed_of(request, "prefill/seconds") < prompt);              // its passes follow each other through the cards
  }
}

TEST_CASE("a card given by its figures is as fast as the catalogue's") {
  const auto description = parsed(weighbridge::api::describe());
  std::size_t compared = 0;
  for (const auto& d : at(description, "/devices")) {
    for (const char* id : {"h100-sxm-80gb", "rtx-4090", "a100-sxm-80gb", "b200-sxm-180gb", "rtx-6000-ada", "apple-m2-ultra-76c", "mi300x", "gb10-dgx-spark"}) {
      if (text(d, "/id") != id) continue;
      json own{{"memory_bytes", at(d, "/memory_bytes")}, {"bandwidth", at(d, "/bandwidth")}, {"flops", at(d, "/flops")}, {"class", at(d, "/class")}};
      if (d.contains("link_bandwidth")) own["link_bandwidth"] = d["link_bandwidth"];
      if (d.contains("unified")) own["unified"] = d["unified"];
      json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", "vllm"}, {"device", id}, {"devices", 1}, {"weights", "fp16"}};
      const double listed = speed_of(request, "tpot_s");
      request["device"] = own;
      INFO(id);
      CHECK(same(speed_of(request, "tpot_s"), listed, 1e-9));
      ++compared;
    }
  }
  CHECK(compared == 8);
}

TEST_CASE("speculation writes more tokens a step and helps where enough of them are kept") {
  json request{{"model", "meta-llama/Llama-3.1-70B"}, {"weights", "fp8"}, {"engine", "vllm"}, {"device", "h200-sxm-141gb"}, {"devices", 1}};
  const double plain = speed_of(request, "tpot_s");
  request["options"] = {{"speculative", {{"draft_model", "meta-llama/Llama-3.2-1B"}, {"tokens", 3}, {"acceptance", 0.8}}}};
  CHECK(speed_of(request, "tpot_s") < plain);
  CHECK(speed_of(request, "decode/seconds_per_step") > plain);
  request["options"]["speculative"]["acceptance"] = 0;
  CHECK(speed_of(request, "tpot_s") > plain);
  request["options"]["speculative"]["draft_model"] = "nobody/nothing";
  CHECK_FALSE(is_true(estimate(request), "/ok"));
}

TEST_CASE("what lies in system memory is read at its pace") {
  json request{{"model", "Qwen/Qwen3-30B-A3B"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 1}};
  double before = speed_of(request, "decode/seconds_per_step");
  for (const int layers : {8, 24, 48}) {
    request["options"] = {{"n_cpu_moe", layers}};
    const double now = speed_of(request, "decode/seconds_per_step");
    CHECK(now > before);
    before = now;
  }
  request["host"] = {{"bandwidth", 400e9}};
  CHECK(speed_of(request, "decode/seconds_per_step") < before);
}

TEST_CASE("llama.cpp multiplies quantised weights in INT8 on NVIDIA boards since June 2024") {
  const auto rate = [](const char* device, const char* weights, const char* version) {
    return speed_of({{"model", "meta-llama/Llama-2-7b-hf"}, {"weights", weights}, {"engine", {{"name", "llama.cpp"}, {"version", version}}}, {"device", device}, {"devices", 1},
                     {"workload", {{"prompt_tokens", 512}, {"output_tokens", 1}}}},
                    "prefill/tokens_per_s");
  };
  // What its scoreboard has (ggml-org/llama.cpp, discussion 15013): a data-centre board's dense peak says little of these kernels.
  const std::pair<const char*, double> measured[] = {{"rtx-4090", 14771}, {"rtx-3090", 5175}, {"a100-sxm-80gb", 5286}, {"h100-sxm-80gb", 11263}};
  for (const auto& [device, tokens_per_s] : measured) {
    INFO(device << " " << rate(device, "Q4_0", "2025-09"));
    CHECK(std::fabs(rate(device, "Q4_0", "2025-09") / tokens_per_s - 1) < 0.3);
  }
  CHECK(rate("rtx-4090", "Q4_0", "2025-09") > 1.2 * rate("rtx-4090", "Q4_0", "b2824"));
  CHECK(rate("rtx-4090", "fp16", "2025-09") < 1.2 * rate("rtx-4090", "fp16", "b2824"));
  CHECK(rate("a100-sxm-80gb", "Q4_0", "2025-09") < rate("a100-sxm-80gb", "fp16", "2025-09"));
}

TEST_CASE("llama.cpp multiplies long passes by 16-bit copies where it has no kernels of its own for them") {
  const auto copies = [](const char* device, const char* weights, const char* version, int prompt_tokens) {
    const auto answer = estimate({{"model", "meta-llama/Llama-2-7b-hf"}, {"weights", weights}, {"engine", {{"name", "llama.cpp"}, {"version", version}}}, {"device", device}, {"devices", 1},
                                  {"workload", {{"prompt_tokens", prompt_tokens}}}, {"explain", true}});
    for (const auto& step : answer["steps"])
      if (step.value("of", "") == "prefill unfolded") return step["inputs"][0]["value"].get<double>();
    return 0.0;
  };
  const double matrices = 6'738'415'616 - 32'000.0 * 4096;                          // all but the table of tokens, which is looked up
  CHECK(copies("rtx-4090", "Q4_0", "b2824", 512) == Approx(4 * matrices).epsilon(0.001));
  CHECK(copies("rtx-4090", "Q4_0", "b2824", 1024) == Approx(8 * matrices).epsilon(0.001));    // two passes
  CHECK(copies("rtx-4090", "Q4_0", "b2824", 63) == 0);
  CHECK(copies("rtx-4090", "fp16", "b2824", 512) == 0);
  CHECK(copies("rtx-4090", "Q4_0", "2025-09", 512) == 0);
  CHECK(copies("rx-7900-xtx", "Q4_0", "2025-09", 512) > 0);
  CHECK(copies("rx-6800-xt", "Q4_0", "2025-09", 512) == 0);
}

TEST_CASE("a power limit slows arithmetic and not memory, and counts in the energy") {
  json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", "llama.cpp"}, {"device", "rtx-4090"}, {"devices", 1}};
  const auto free = estimate(request);
  request["options"] = {{"power_limit_w", 225}};
  const auto limited = estimate(request);
  CHECK(number(limited, "/speed/prefill/seconds") > number(free, "/speed/prefill/seconds"));
  CHECK(number(limited, "/speed/decode/seconds_per_step") < number(free, "/speed/decode/seconds_per_step") * 1.1);
  CHECK(number(limited, "/cost/watts") == 225);
}

TEST_CASE("a lower power limit costs prompts what boards were measured to lose") {
  // Rates of prompts against those at the board's own limit: six RTX 3090 (llmgarage.ai, "power limit tokens per second benchmark"), one
  // (noonghunna/club-3090, issue 104).
  const auto seconds = [](double watts) {
    json request{{"model", "Qwen/Qwen3-14B"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-3090"}, {"devices", 1}, {"workload", {{"prompt_tokens", 16000}}}};
    request["options"] = {{"power_limit_w", watts}};
    return speed_of(request, "prefill/seconds");
  };
  const double own = seconds(350);
  const double measured[][2] = {{300, 9326.0 / 9893}, {250, 8436.0 / 9893}, {180, 1317.85 / 1750.7}};
  for (const auto& [watts, rate] : measured) {
    INFO(watts << " " << own / seconds(watts));
    CHECK(std::fabs(own / seconds(watts) / rate - 1) < 0.1);
  }
}

TEST_CASE("a higher power limit speeds up prompts by less than it adds, and counts in the energy") {
  json request{{"model", "Qwen/Qwen3-14B"}, {"weights", "Q4_K_M"}, {"engine", "llama.cpp"}, {"device", "rtx-3090"}, {"devices", 1}};
  const auto own = estimate(request);
  request["options"] = {{"power_limit_w", 420}};
  const auto raised = estimate(request);
  const double faster = number(own, "/speed/prefill/seconds") / number(raised, "/speed/prefill/seconds");
  CHECK(faster > 1);
  CHECK(faster < 1.2);
  CHECK(number(raised, "/cost/watts") == 420);
  request["options"] = {{"power_limit_w", 1e6}};           // no share of a peak above 1
  CHECK(number(own, "/speed/prefill/seconds") / speed_of(request, "prefill/seconds") < 2);
}

TEST_CASE("ranges widen where engines, or a class of devices, were not measured") {
  const auto reach = [](const json& request) {
    const auto answer = estimate(request);
    INFO(written(request));
    REQUIRE(is_true(answer, "/ok"));
    return number(answer, "/intervals/speed.tpot_s/1") / number(answer, "/speed/tpot_s");
  };
  json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", "llama.cpp"}, {"devices", 1}, {"device", "rtx-4090"}};
  const double measured = reach(request);
  request["device"] = "b200-sxm-180gb";                    // servers were measured there, llama.cpp was not
  const double elsewhere = reach(request);
  request["device"] = "xeon-spr-8ch-amx";                  // nobody measured these
  const double nowhere = reach(request);
  CHECK(elsewhere > measured);
  CHECK(nowhere > elsewhere);
  const auto answer = estimate(request);
  CHECK(at(answer, "/basis/speed.tpot_s") == "assumed");
}

TEST_CASE("several devices without a known link share an assumed one, and the answer says so") {
  auto device = own_device(2e12, 1);
  device.erase("link_bandwidth");
  json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", "vllm"}, {"device", device}, {"devices", 2}};
  bool said = false;
  const auto answer = estimate(request);
  for (const auto& a : at(answer, "/assumptions")) said = said || a["path"] == "/device/link_bandwidth";
  CHECK(said);
  const double assumed = speed_of(request, "prefill/seconds");
  request["device"]["link_bandwidth"] = 450e9;
  CHECK(speed_of(request, "prefill/seconds") < assumed);
}

TEST_CASE("of two boards with the same peaks the one that may draw more reads prompts faster") {
  const json like_an_h100{{"memory_bytes", 85e9}, {"bandwidth", 3.35e12}, {"class", "datacenter"},
                          {"flops", {{"bf16", 989.5e12}, {"fp16", 989.5e12}, {"fp32", 67e12}, {"fp8", 1979e12}, {"int8", 1979e12}}}};
  json request{{"model", "meta-llama/Llama-3.1-8B"}, {"engine", "vllm"}, {"device", like_an_h100}, {"devices", 1}};
  double before = 1e300;
  for (const double watts : {150.0, 300.0, 600.0}) {
    request["device"]["power_w"] = watts;
    const double now = speed_of(request, "prefill/seconds");
    CHECK(now < before);
    before = now;
  }
}

TEST_CASE("an engine of unknown version is newer than its model, by its release or its config's") {
  json request{{"model", "meta-llama/Llama-2-70b-hf"}, {"engine", "vllm"}, {"weights", "fp8"}, {"device", "h200-sxm-141gb"}, {"devices", 1}};
  const double unknown = speed_of(request, "decode/seconds_per_step");
  json config{{"model_type", "llama"}, {"torch_dtype", "float16"}, {"vocab_size", 32000}, {"hidden_size", 8192}, {"intermediate_size", 28672},
              {"num_hidden_layers", 80}, {"num_attention_heads", 64}, {"num_key_value_heads", 8}, {"max_position_embeddings", 4096}, {"tie_word_embeddings", false}};
  request["model"] = {{"config", config}};
  CHECK(same(speed_of(request, "decode/seconds_per_step"), unknown, 1e-9));
  request["model"]["config"]["transformers_version"] = "4.31.0";
  CHECK(same(speed_of(request, "decode/seconds_per_step"), unknown, 1e-9));
  request["model"]["config"]["transformers_version"] = "4.55.0";
  CHECK(speed_of(request, "decode/seconds_per_step") < unknown);
  request["engine"] = {{"name", "vllm"}, {"version", "0.4.0"}};        // a version that is given counts
  CHECK(speed_of(request, "decode/seconds_per_step") > unknown);
}

TEST_CASE("a pool for prompts takes them off the devices that answer") {
  json request{{"model", "Qwen/QwQ-32B"}, {"engine", "vllm"}, {"device", "h100-sxm-80gb"}, {"devices", 2}, {"workload", {{"concurrency", 32}, {"prompt_tokens", 4000}, {"output_tokens", 500}}}};
  const auto together = estimate(request);
  request["prefill_pool"] = {{"device", "h200-sxm-141gb"}, {"devices", 2}};
  const auto apart = estimate(request);
  REQUIRE(is_true(apart, "/ok"));
  CHECK(number(apart, "/speed/tpot_s") < number(together, "/speed/tpot_s"));
  CHECK(number(apart, "/cost/usd_per_hour") > number(together, "/cost/usd_per_hour"));
  CHECK(number(apart, "/speed/ttft_s") > number(apart, "/speed/prefill/seconds"));
  request["prefill_pool"]["device"] = "no-such-card";
  const auto wrong = estimate(request);
  CHECK_FALSE(is_true(wrong, "/ok"));
  CHECK(text(at(wrong, "/problems/0"), "/path") == "/prefill_pool/device");
}
