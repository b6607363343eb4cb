#include "bench/bench_core.hpp"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "weighbridge/catalog.hpp"
#include "weighbridge/layout.hpp"

namespace weighbridge_bench {

using namespace weighbridge;

namespace {

// Of every kind that the inventory knows: grouped-query and full attention, windows on every second or sixth layer, experts with and
// without dense layers beside them, latent attention, tied and untied heads.
constexpr const char* kModels[] = {
    "meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-70B", "Qwen/QwQ-32B",          "google/gemma-3-27b-it",
    "openai/gpt-oss-120b",     "Qwen/Qwen3-30B-A3B",       "deepseek-ai/DeepSeek-R1", "microsoft/phi-2",
};
constexpr const char* kFormats[] = {"bf16", "fp8", "int8", "int4", "awq-int4", "nf4", "mxfp4", "Q8_0", "Q4_K_M", "IQ4_XS"};
constexpr const char* kKvFormats[] = {"bf16", "fp8", "q8_0"};

[[noreturn]] void missing(const char* what) {
  std::fprintf(stderr, "the catalogue has no %s\n", what);
  std::exit(1);
}

// Left to the core (the fewest devices that fit, or a number of them in the default layout), and given in full.
std::vector<Layout> layouts_of(const Inventory& model) {
  std::vector<Layout> out;
  for (const auto tensor : tensor_degrees(model, 8))
    for (const std::int64_t pipeline : {1, 2, 4})
      for (const std::int64_t data : {1, 2}) {
        out.push_back({tensor, pipeline, data, 1});
        const auto expert = tensor * data;
        if (expert > 1 && model.experts > 0 && model.experts % expert == 0) out.push_back({tensor, pipeline, data, expert});
      }
  return out;
}

// Every figure of an answer, scaled to like sizes, so that none can be left out.
double figures(const Estimate& e) {
  const auto pass = [](const PassTime& p) {
    return p.flops.value * 1e-12 + p.bytes.value * 1e-9 + p.seconds.value + p.tokens_per_s.value + static_cast<double>(p.bound);
  };
  double sum = (e.weight_bytes + e.total.total + e.device.total + e.device.headroom).value * 1e-9;
  for (const auto role : e.device.weights_by_role) sum += role.value * 1e-9;
  sum += e.kv_bytes_per_token.value * 1e-6 + (e.window_bytes_per_sequence + e.state_bytes_per_sequence).value * 1e-9;
  sum += e.capacity.kv_pool.value * 1e-9 + e.capacity.kv_bytes_per_token.value * 1e-6 + e.capacity.kv_tokens * 1e-6;
  sum += e.capacity.max_context_tokens * 1e-6 + e.capacity.max_concurrency * 1e-6 + static_cast<double>(e.capacity.devices_needed);
  for (const auto* s : {&e.speed, &e.slow, &e.fast}) {
    sum += pass(s->prefill) + pass(s->decode) + (s->ttft + s->tpot + s->latency).value;
    sum += (s->output_tokens_per_s + s->tokens_per_s_per_user).value;
  }
  sum += e.load.concurrency + e.load.utilisation + (e.load.stable ? 1 : 0) + e.load.queue.value;
  sum += e.cost.usd_per_hour.value + e.cost.usd_per_million_output_tokens + e.cost.watts.value + e.cost.joules_per_output_token.value;
  return sum;
}

}  // namespace

Loop::Loop() {
  const auto& known = catalog();
  for (const auto& d : known.devices()) {
    Problems problems;
    auto request = read_request(nlohmann::json{{"model", kModels[0]}, {"device", d.device.id}}, known, problems);
    if (!request) missing(d.device.id.c_str());
    devices_.push_back(std::move(*request->device));
  }
  for (const auto* id : kFormats) {
    formats_.push_back(known.formats().find_weight(id));
    if (!formats_.back()) missing(id);
  }
  for (const auto* id : kKvFormats) {
    kv_formats_.push_back(known.formats().find_kv(id));
    if (!kv_formats_.back()) missing(id);
  }
  for (const auto* id : kModels) {
    Problems problems;
    auto request = read_request(nlohmann::json{{"model", id}, {"device", devices_.front().id}}, known, problems);
    if (!request) missing(id);
    Model model;
    model.request = std::move(*request);
    for (const auto* format : formats_) {
      model.request.weights = {format, 0, From::user};
      store(model.request, known.formats(), model.stored.emplace_back());
    }
    model.layouts = layouts_of(*model.request.model);
    models_.push_back(std::move(model));
  }
}

std::size_t Loop::layouts() const {
  std::size_t n = 0;
  for (const auto& m : models_) n += m.layouts.size();
  return n;
}

// splitmix64 (Steele, Lea and Flood 2014): the same numbers natively and in wasm.
std::uint32_t Loop::draw(std::size_t end) {
  auto z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return static_cast<std::uint32_t>(((z ^ (z >> 31)) >> 32) * end >> 32);
}

void Loop::vary(Model& model) {
  auto& r = model.request;
  r.device = devices_[draw(devices_.size())];
  r.k_format = r.v_format = kv_formats_[draw(kv_formats_.size())];
  // Half of the layouts are chosen by the core: the fewest devices that fit, or 1 to 8 of them.
  r.layout_given = draw(2) == 0;
  if (r.layout_given) {
    r.layout = model.layouts[draw(model.layouts.size())];
    r.devices.value = r.layout.devices();
  } else {
    r.devices.value = static_cast<std::int64_t>(draw(2) == 0 ? 0 : draw(8) + 1);
  }
  auto& w = r.workload;
  w.prompt_tokens.value = static_cast<double>(1 + draw(draw(4) == 0 ? 32768 : 4096));
  w.output_tokens.value = static_cast<double>(1 + draw(2048));
  w.context_tokens.value = w.prompt_tokens.value + w.output_tokens.value;
  w.cached_prefix_tokens.value = draw(4) == 0 ? static_cast<double>(draw(static_cast<std::size_t>(w.prompt_tokens.value))) : 0;
  w.concurrency.value = static_cast<double>(1 + draw(draw(2) == 0 ? 16 : 256));
  w.mode = static_cast<Mode>(draw(3));
  const auto load = draw(8);                           // one in eight as many as fit, one in eight an open loop
  w.concurrency_max = load == 0;
  w.requests_per_s = load == 1 ? static_cast<double>(1 + draw(1000)) / 100 : 0;
}

double Loop::run(std::int64_t count, bool store_each) {
  const auto& formats = catalog().formats();
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    auto& model = models_[static_cast<std::size_t>(done_++) % models_.size()];
    const auto format = draw(formats_.size());
    vary(model);
    model.request.weights.format = formats_[format];
    if (store_each) store(model.request, formats, stored_now_);
    const auto e = estimate(model.request, formats, store_each ? stored_now_ : model.stored[format]);
    fitting_ += e.device.fits;
    sum += figures(e);
  }
  return sum;
}

}  // namespace weighbridge_bench
