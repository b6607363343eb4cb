#include "advice.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formulas/traffic.hpp"
#include "json.hpp"
#include "read/fields.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

// From more bits to fewer: the formats that people take when they go down.
constexpr std::string_view kGguf[] = {"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"};
constexpr std::string_view kOthers[] = {"fp8", "awq-int4"};
constexpr double kHarmless = 4;        // bits per weight; fewer cost quality that readers notice

// What a change costs is the share that it loses of what was asked for: sequences, context, speed by our own answer, what the money
// buys, or quality. Rounding noise has four times the power with each bit less, which is how perplexity grows: Llama 3 8B loses 0.04 % in
// Q8_0, 0.9 % in Q5_K_M, 2.8 % in Q4_K_M, 10.5 % in Q3_K_M (llama.cpp, tools/quantize/README.md).
constexpr double kLossAt5Bits = 0.024;
double quality_loss(double bits) {
  const double whole = std::floor(bits), part = bits - whole;
  const double above = kLossAt5Bits * (whole < 5 ? formulas::power(4, 5 - whole) : 1 / formulas::power(4, whole - 5));
  return std::min(1.0, above * (1 - part * 3 / 4));    // between two whole numbers, on the line
}
double lost(double now, double then) { return now > 0 ? std::max(0.0, 1 - then / now) : 0; }

class Adviser {
 public:
  Adviser(JsonWriter& w, const json& request, const Request& read, const Estimate& e, const Catalog& catalog)
      : w_(w), request_(request), read_(read), e_(e), catalog_(catalog) {}

  void run() {
    smaller_cache();
    const bool enough = smaller_weights(kHarmless, 64);
    experts_on_host();
    layers_on_host();
    fewer_sequences();
    shorter_context();
    more_devices();
    if (!enough) smaller_weights(0, kHarmless);
    std::stable_sort(offers_.begin(), offers_.end(), [](const Offer& a, const Offer& b) { return a.cost < b.cost; });
    for (const auto& o : offers_) {
      w_.begin_object().member("change", o.change).member("path", o.path).key("value").value(o.value).key("request").value(o.request);
      w_.member("headroom", o.headroom).member("cost", o.cost).end_object();
    }
  }

 private:
  // The largest format between these bits that fits.
  bool smaller_weights(double least, double below) {
    const bool gguf = read_.weights.format && read_.weights.format->rule == FormatRule::gguf;
    const double now = 8 * e_.weight_bytes.value / static_cast<double>(read_.model->parameters);
    const auto ladder = gguf ? std::span<const std::string_view>(kGguf) : std::span<const std::string_view>(kOthers);
    for (const auto id : ladder) {
      const auto* format = catalog_.formats().find_weight(id);
      if (!format || format->bits_per_weight >= std::min(now, below) || format->bits_per_weight < least) continue;
      if (offer("/weights", format->id, "weights in " + format->name, [&](const Estimate& e) {
            return quality_loss(8 * e.weight_bytes.value / static_cast<double>(read_.model->parameters)) - quality_loss(now);
          })) return true;
    }
    return false;
  }

  bool buffers() const { return read_.engine.profile.rule == EngineRule::buffers; }

  void smaller_cache() {
    if (e_.device.kv_cache.value <= 0 || read_.k_format->bits <= 9) return;
    const auto* format = catalog_.formats().find_kv(buffers() ? "q8_0" : "fp8");
    if (format) offer("/kv_cache", format->id, "KV cache in " + format->id, [&](const Estimate&) { return quality_loss(format->bits) - quality_loss(read_.k_format->bits); });
  }

  // Memory of the host costs speed, experts there least of all. Of the numbers from `least` on, the first that fits; all later ones do too.
  void offer_first(std::string_view path, std::int64_t least, std::int64_t most, std::int64_t sign, std::string_view before, std::string_view behind) {
    const auto value = [&](std::int64_t n) { return sign > 0 ? n : most - n; };
    std::int64_t low = least, high = most + 1;
    while (low < high) {
      const auto middle = (low + high) / 2;
      if (fits(path, value(middle))) high = middle; else low = middle + 1;
    }
    if (low <= most)
      offer(path, value(low), std::string(before) + std::to_string(value(low)) + std::string(behind),
            [&](const Estimate& e) { return lost(e.speed.tpot.value, e_.speed.tpot.value); });
  }
  void experts_on_host() {
    if (buffers() && read_.model->experts > 0)
      offer_first("/options/n_cpu_moe", static_cast<std::int64_t>(read_.cpu_moe) + 1, read_.model->spec.layers(), 1, "experts of ", " layers in system memory");
  }
  void layers_on_host() {
    const auto units = read_.model->spec.layers() + 1;
    const auto now = read_.gpu_layers < 0 ? units : std::min(read_.gpu_layers, units);
    if (buffers()) offer_first("/options/n_gpu_layers", units - now + 1, units, -1, "", " layers on the devices, the others in system memory");
  }

  void fewer_sequences() {
    const double most = e_.capacity.max_concurrency;
    if (most < 1 || most >= e_.concurrency || read_.workload.requests_per_s > 0) return;
    offer("/workload/concurrency", static_cast<std::int64_t>(most), "at most " + std::to_string(static_cast<std::int64_t>(most)) + " sequences at once",
          [&](const Estimate&) { return lost(e_.concurrency, most); });
  }

  void shorter_context() {
    const double most = e_.capacity.max_context_tokens;
    const auto& w = read_.workload;
    // A context that does not hold the prompt and its answer would be another request, not a smaller one.
    if (most < w.prompt_tokens.value + w.output_tokens.value || most >= w.context_tokens.value) return;
    offer("/workload/context_tokens", static_cast<std::int64_t>(most), "a context of " + std::to_string(static_cast<std::int64_t>(most)) + " tokens",
          [&](const Estimate&) { return lost(w.context_tokens.value, most); });
  }

  void more_devices() {
    const auto needed = e_.capacity.devices_needed;
    if (needed <= 0 || needed == e_.layout.devices()) return;
    offer("/devices", needed, std::to_string(needed) + " devices",
          [&](const Estimate&) { return lost(static_cast<double>(needed), static_cast<double>(e_.layout.devices())); });
  }

  struct Changed {
    json request;
    std::optional<Estimate> estimate;                  // when it fits
  };
  Changed changed(std::string_view path, const json& value) const {
    Changed out{request_, std::nullopt};
    out.request.erase("explain");
    if (path == "/devices") out.request.erase("parallel");
    set_at(out.request, path, value);
    Problems ignored;
    const auto read = read_request(out.request, catalog_, ignored);
    if (!read || !read->device) return out;
    Stored stored;
    store(*read, catalog_.formats(), stored);
    const auto e = estimate(*read, catalog_.formats(), stored);
    const bool host = read->host_bytes <= 0 || e.host.total().value <= read->host_bytes;
    if (e.device.fits && host) out.estimate = e;
    return out;
  }
  bool fits(std::string_view path, const json& value) const { return changed(path, value).estimate.has_value(); }

  struct Offer {
    std::string change, path;
    json value, request;
    double headroom, cost;
  };
  template <class Cost>
  bool offer(std::string_view path, const json& value, std::string change, Cost cost) {
    auto to = changed(path, value);
    if (!to.estimate) return false;
    const auto& e = *to.estimate;
    offers_.push_back({std::move(change), std::string(path), value, std::move(to.request), e.device.headroom.value, std::max(0.0, cost(e))});
    return true;
  }

  std::vector<Offer> offers_;
  JsonWriter& w_;
  const json& request_;
  const Request& read_;
  const Estimate& e_;
  const Catalog& catalog_;
};

}  // namespace

void write_advice(JsonWriter& w, const json& request, const Request& read, const Estimate& e, const Catalog& catalog) {
  w.key("advice").begin_array();
  if (e.has_device && !e.device.fits && read.method != Method::article) Adviser(w, request, read, e, catalog).run();
  w.end_array();
}

}  // namespace weighbridge
