#include "advice.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "json.hpp"
#include "read/fields.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

// From more bits to fewer: the formats that people take when they go down.
constexpr std::string_view kGguf[] = {"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"};
constexpr std::string_view kOthers[] = {"fp8", "awq-int4"};
constexpr double kHarmless = 4;        // bits per weight; fewer cost quality that readers notice

// Bits go before company and context, as in the article: a larger model in fewer bits beats a smaller one.
class Adviser {
 public:
  Adviser(JsonWriter& w, const json& request, const Request& read, const Estimate& e, const Catalog& catalog)
      : w_(w), request_(request), read_(read), e_(e), catalog_(catalog) {}

  void run() {
    smaller_cache();
    const bool enough = smaller_weights(kHarmless, 64);
    fewer_sequences();
    shorter_context();
    more_devices();
    if (!enough) smaller_weights(0, kHarmless);
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
      if (offer("/weights", format->id, "weights in " + format->name)) return true;
    }
    return false;
  }

  void smaller_cache() {
    if (e_.device.kv_cache.value <= 0 || read_.k_format->bits <= 8) return;
    const auto* format = catalog_.formats().find_kv("fp8");
    if (format) offer("/kv_cache", format->id, "KV cache in " + format->id);
  }

  void fewer_sequences() {
    const double most = e_.capacity.max_concurrency;
    if (most < 1 || most >= e_.concurrency || read_.workload.requests_per_s > 0) return;
    offer("/workload/concurrency", static_cast<std::int64_t>(most), "at most " + std::to_string(static_cast<std::int64_t>(most)) + " sequences at once");
  }

  void shorter_context() {
    const double most = e_.capacity.max_context_tokens;
    const auto& w = read_.workload;
    // A context that does not hold the prompt and its answer would be another request, not a smaller one.
    if (most < w.prompt_tokens.value + w.output_tokens.value || most >= w.context_tokens.value) return;
    offer("/workload/context_tokens", static_cast<std::int64_t>(most), "a context of " + std::to_string(static_cast<std::int64_t>(most)) + " tokens");
  }

  void more_devices() {
    const auto needed = e_.capacity.devices_needed;
    if (needed <= 0 || needed == e_.layout.devices()) return;
    offer("/devices", needed, std::to_string(needed) + " devices");
  }

  bool offer(std::string_view path, const json& value, const std::string& change) {
    auto asked = request_;
    asked.erase("explain");
    if (path == "/devices") asked.erase("parallel");
    set_at(asked, path, value);
    Problems ignored;
    const auto read = read_request(asked, catalog_, ignored);
    if (!read || !read->device) return false;
    Stored stored;
    store(*read, catalog_.formats(), stored);
    const auto e = estimate(*read, catalog_.formats(), stored);
    if (!e.device.fits) return false;
    w_.begin_object().member("change", change).member("path", path).key("value").value(value).key("request").value(asked);
    w_.member("headroom", e.device.headroom.value).end_object();
    return true;
  }

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
