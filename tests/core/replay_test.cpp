// The work that an answer shows is the work that was done: every step is computed again from its formula's own text and
// the inputs that it lists.
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api_json.hpp"
#include "support/catch.hpp"
#include "support/expression.hpp"
#include "support/golden_cases.hpp"

using namespace weighbridge_test;

namespace {

constexpr double kTolerance = 1e-12;

struct Claim {                       // "this answer number is that step"
  std::string path, step, of;
};

struct Face {
  std::map<std::string, std::string> text;                       // formula id to its text
  std::map<std::string, std::vector<Claim>> claims;              // by call
};

Face face() {
  Face out;
  const auto description = parsed(weighbridge::api::describe());
  for (const auto& f : at(description, "/formulas")) out.text[text(f, "/id")] = text(f, "/text");
  for (const char* call : {"estimate", "train"})
    for (const auto& a : at(description, std::string("/answers/") + call))
      if (const auto step = text(a, "/step"); !step.empty())
        out.claims[call].push_back({from_dotted(text(a, "/path")), step, text(a, "/of")});
  return out;
}

std::string label(const json& step) { return text(step, "/id") + "|" + text(step, "/of"); }

// What a whole run found.
struct Report {
  std::vector<std::string> faults;
  std::set<std::string> used;        // formula ids
  std::set<std::string> claimed;     // answer paths whose number was compared with its step
  std::size_t steps = 0, answers = 0;

  void fault(std::string what) {
    if (faults.size() < 20) faults.push_back(std::move(what));
  }
};

Value value_of(const json& v) {
  if (!v.is_array()) return v.is_number() ? v.get<double>() : std::nan("");
  std::vector<double> out;
  for (const auto& x : v) out.push_back(x.is_number() ? x.get<double>() : std::nan(""));
  return out;
}

const std::set<std::string> kOrigins{"user", "catalog", "default", "assumed", "model", "device", "format", "step"};

void replay_step(const Face& face, const json& step, const std::map<std::string, double>& earlier, const std::string& where, Report& report) {
  const auto id = text(step, "/id");
  const auto formula = face.text.find(id);
  const auto here = where + " " + label(step);
  if (formula == face.text.end()) return report.fault(here + ": no such formula");
  report.used.insert(id);

  Names names;
  const auto& inputs = at(step, "/inputs");
  for (const auto& input : inputs) {
    const auto name = text(input, "/name");
    const auto value = value_of(at(input, "/value"));
    if (!names.emplace(name, value).second) report.fault(here + ": input " + name + " twice");
    const auto from = text(input, "/from");
    if (kOrigins.count(from) == 0) report.fault(here + ": input " + name + " from '" + from + "'");
    if (from == "step") {
      const auto source = text(input, "/step") + "|" + text(input, "/of");
      const auto found = earlier.find(source);
      if (found == earlier.end()) report.fault(here + ": input " + name + " is of no earlier step " + source);
      else if (value.is_vector || !same(found->second, value.scalar, kTolerance))
        report.fault(here + ": input " + name + " is not the value of step " + source);
    }
    if (value.is_vector && at(step, "/rows").size() != value.vector.size())
      report.fault(here + ": " + std::to_string(value.vector.size()) + " values in " + name + " for " + std::to_string(at(step, "/rows").size()) + " rows");
  }

  const auto wanted = names_in(formula->second);
  if (wanted.size() != names.size()) report.fault(here + ": inputs are not the names of '" + formula->second + "'");
  const auto again = evaluate(formula->second, names);
  if (!again.ok()) return report.fault(here + ": " + again.error + " in '" + formula->second + "'");
  if (!same(again.value, number(step, "/value"), kTolerance))
    report.fault(here + ": '" + formula->second + "' gives " + std::to_string(again.value) + ", shown " + std::to_string(number(step, "/value")));
}

void replay(const Face& face, const std::string& call, json request, const std::string& where, Report& report) {
  request["explain"] = true;
  const auto answer = call == "train" ? train(request) : estimate(request);
  if (!is_true(answer, "/ok")) return;
  ++report.answers;
  std::map<std::string, double> values;
  for (const auto& step : at(answer, "/steps")) {
    ++report.steps;
    replay_step(face, step, values, where, report);
    const auto name = label(step);
    const auto [known, is_new] = values.emplace(name, number(step, "/value"));
    if (!is_new && !same(known->second, number(step, "/value"), kTolerance)) report.fault(where + " " + name + ": two steps of that name differ");
  }
  const auto claims = face.claims.find(call);
  if (claims == face.claims.end()) return;
  for (const auto& claim : claims->second) {
    const auto& shown = at(answer, claim.path);
    const auto step = values.find(claim.step + "|" + claim.of);
    if (!shown.is_number() || step == values.end()) continue;
    report.claimed.insert(call + claim.path);
    if (!same(shown.get<double>(), step->second, kTolerance))
      report.fault(where + " " + claim.path + " is " + std::to_string(shown.get<double>()) + ", its step " + claim.step + " " + std::to_string(step->second));
  }
}

void check_faults(const Report& report) {
  for (const auto& fault : report.faults) {
    UNSCOPED_INFO(fault << '\n');
  }
  CHECK(report.faults.empty());
}

// Families, shapes of attention and feed-forward, and published formats that differ.
const char* const kModels[] = {
    "meta-llama/Llama-3.1-8B", "Qwen/QwQ-32B", "Qwen/Qwen2.5-0.5B", "google/gemma-2-9b-it", "google/gemma-3-27b-it",
    "mistralai/Mistral-7B-v0.1", "mistralai/Mixtral-8x7B-v0.1", "Qwen/Qwen3-30B-A3B", "openai/gpt-oss-20b", "openai/gpt-oss-120b",
    "deepseek-ai/DeepSeek-V2-Lite", "deepseek-ai/DeepSeek-R1", "moonshotai/Kimi-K2-Instruct", "openai-community/gpt2",
    "bigcode/starcoder2-7b", "microsoft/phi-2",
};

}  // namespace

TEST_CASE("every step of the golden cases follows from its formula's text") {
  const auto known = face();
  REQUIRE(known.text.size() > 20);
  Report report;
  for (const auto& c : golden_cases())
    if ((c.call == "estimate" || c.call == "train") && c.request.is_object()) replay(known, c.call, c.request, c.file, report);
  REQUIRE(report.answers > 20);
  check_faults(report);

  // A formula that no golden case shows is a formula that nobody has looked at.
  std::string unused;
  for (const auto& [id, formula] : known.text)
    if (report.used.count(id) == 0) unused += id + " ";
  INFO("in no golden case: " << unused);
  CHECK(unused.empty());
}

TEST_CASE("every step of many layouts, formats and workloads follows from its formula's text") {
  const auto known = face();
  Report report;
  const json devices[] = {nullptr, "h100-sxm-80gb", "rtx-4090",
                          json{{"memory_bytes", 64e9}, {"bandwidth", 400e9}, {"flops", {{"fp16", 30e12}}}, {"unified", true}}};
  const json layouts[] = {nullptr, json{{"tensor", 1}}, json{{"tensor", 2}}, json{{"tensor", 8}}, json{{"tensor", 2}, {"pipeline", 2}},
                          json{{"pipeline", 4}}, json{{"data", 2}}, json{{"tensor", 4}, {"data", 2}, {"expert", 4}}};
  const json formats[] = {nullptr, "bf16", "fp8", "int4", "Q4_K_M", json{{"bits_per_weight", 3.5}}};
  const json workloads[] = {
      nullptr,
      json{{"prompt_tokens", 30000}, {"output_tokens", 1000}, {"concurrency", 64}},
      json{{"prompt_tokens", 1000}, {"cached_prefix_tokens", 900}, {"concurrency", 9}, {"context_tokens", 5000}},
      json{{"prompt_tokens", 1}, {"output_tokens", 1}, {"concurrency", "max"}},
      json{{"prompt_tokens", 2000}, {"concurrency", 3000}, {"mode", "static_batch"}},
      json{{"prompt_tokens", 2000}, {"concurrency", 8}, {"mode", "offline"}},
  };
  const char* const engines[] = {"vllm", "llama.cpp", "sglang", "ollama", "transformers", "tensorrt-llm", "mlx", "exllamav2"};
  // Every model meets every device; the other axes turn with each step, so that the run stays short and no pair of axes
  // moves together.
  std::size_t turn = 0;
  for (const char* model : kModels) {
    for (const auto& device : devices) {
      for (int round = 0; round < 8; ++round, ++turn) {
        json request{{"model", model}};
        if (!device.is_null()) request["device"] = device;
        const auto& layout = layouts[turn % std::size(layouts)];
        const auto& format = formats[(turn / 3) % std::size(formats)];
        const auto& workload = workloads[(turn / 5) % std::size(workloads)];
        if (!layout.is_null() && !device.is_null()) request["parallel"] = layout;
        if (!format.is_null()) request["weights"] = format;
        if (!workload.is_null()) request["workload"] = workload;
        if (turn % 7 == 3) request["kv_cache"] = "fp8";
        if (turn % 7 == 5) request["kv_cache"] = json{{"k", "q8_0"}, {"v", "q4_0"}};
        if (turn % 11 == 4) request["reserved_bytes"] = 2e9;
        if (turn % 13 == 6) request["price_usd_per_hour"] = 2.5;
        if (turn % 5 == 2) request["method"] = "article";
        else if (turn % 5 > 2) request["engine"] = engines[(turn / 2) % std::size(engines)];
        if (turn % 17 == 4) request["options"] = {{"n_gpu_layers", 7}, {"n_cpu_moe", 20}, {"kv_unified", true}, {"flash_attention", false}, {"mla", false}};
        if (turn % 17 == 9) request["options"] = {{"split_mode", "row"}, {"n_cpu_moe", 3}, {"lora_adapters", {{"count", 2}}}};
        replay(known, "estimate", request, written(request), report);
      }
    }
  }
  REQUIRE(report.answers > 200);
  REQUIRE(report.steps > 5000);
  check_faults(report);
  CHECK(report.claimed.size() > 20);
}

TEST_CASE("every model of the catalogue shows work that follows from its formulas") {
  const auto known = face();
  Report report;
  const auto description = parsed(weighbridge::api::describe());
  for (const auto& model : at(description, "/models"))
    replay(known, "estimate", json{{"model", text(model, "/id")}, {"device", "h200-sxm-141gb"}}, text(model, "/id"), report);
  REQUIRE(report.answers >= 40);
  check_faults(report);
}
