// Advice for training: what practitioners try, in their order.
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "advice.hpp"
#include "json.hpp"
#include "read/fields.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

class TrainAdviser {
 public:
  TrainAdviser(JsonWriter& w, const json& request, const TrainRequest& read, const Catalog& catalog) : w_(w), request_(request), r_(read), catalog_(catalog) {
    request_.erase("explain");
    tried_.reserve(16);
  }

  void run() {
    smaller_micro_batch();
    if (r_.framework == Framework::fsdp && r_.layout.no_sync && r_.accumulation.value > 1) change("/parallel/no_sync", false, "gradients scattered after every micro-batch");
    if (r_.checkpointing != Checkpointing::full || r_.every > 1) change("/activation_checkpointing", "full", "full activation checkpointing");
    if (r_.loss == Loss::full) change("/loss", "fused", "a fused loss that never holds all logits");
    if (r_.optimizer == Optimizer::adamw && r_.method == TrainMethod::full) change("/optimizer", "adamw-8bit", "AdamW with 8-bit states");
    const auto& l = r_.layout;
    if (r_.method == TrainMethod::full || r_.method == TrainMethod::freeze) change("/method", "lora", "LoRA");
    if (r_.method != TrainMethod::qlora && r_.framework != Framework::megatron) change("/method", "qlora", "QLoRA: LoRA on a base in 4 bits");
    if (l.replicas() > 1 && l.zero_stage < 3 && (l.pipeline == 1 || r_.framework != Framework::deepspeed)) change("/parallel/zero_stage", 3, "states sharded over the replicas (ZeRO-3)");
    if (l.offload == Offload::none) change("/parallel/offload", "optimizer", "optimizer states in system memory");
    if (l.offload != Offload::all) change("/parallel/offload", "optimizer+parameters", "optimizer states and weights in system memory");
    more_devices();
    if (offered_ == 0) together();
  }

 private:
  // The largest micro-batch that fits, with more of them, so that the step stays the same.
  void smaller_micro_batch() {
    const double batch = r_.micro_batch.value;
    for (double n = std::floor(batch / 2); n >= 1; n = std::floor(n / 2)) {
      auto asked = request_;
      const auto micro = static_cast<std::int64_t>(n);
      set_at(asked, "/micro_batch", micro);
      if (!asked.contains("global_batch")) set_at(asked, "/gradient_accumulation", static_cast<std::int64_t>(std::ceil(r_.accumulation.value * batch / n)));
      if (offer(asked, "micro-batches of " + std::to_string(micro))) return;
      if (n > 1) continue;
      tried_.push_back({"micro-batches of 1", {{"/micro_batch", micro}}});
      if (const auto* more = asked.contains("global_batch") ? nullptr : member(asked, "gradient_accumulation")) tried_.back().set.emplace_back("/gradient_accumulation", *more);
    }
  }

  void more_devices() {
    const auto& l = r_.layout;
    const bool sharded = l.zero_stage >= 3;
    for (std::int64_t n = 2; n <= 64; n *= 2) {
      auto asked = request_;
      set_at(asked, "/devices", r_.devices.value * n);
      set_at(asked, "/parallel/data", l.data * n);
      if (!sharded) set_at(asked, "/parallel/zero_stage", l.pipeline > 1 ? 1 : 3);
      asked.erase("global_batch");
      if (offer(asked, std::to_string(r_.devices.value * n) + " devices, states sharded over them")) return;
    }
  }

  struct Change {
    std::string what;
    std::vector<std::pair<std::string, json>> set;
  };
  void change(std::string_view path, const json& value, std::string_view what) {
    tried_.push_back({std::string(what), {{std::string(path), value}}});
    offer(made({&tried_.back()}), std::string(what));
  }
  json made(const std::vector<const Change*>& changes) const {
    auto asked = request_;
    for (const auto* c : changes)
      for (const auto& [path, value] : c->set) set_at(asked, path, value);
    return asked;
  }

  // Where no change is enough alone: one more after the other, in the order of practice, until it fits; then without those that turn out
  // not to be needed. A stronger change of the same field (QLoRA for LoRA) takes the place of the weaker.
  void together() {
    std::vector<const Change*> some;
    bool enough = false;
    for (const auto& c : tried_) {
      std::erase_if(some, [&](const Change* weaker) { return weaker->set[0].first == c.set[0].first; });
      some.push_back(&c);
      enough = headroom(made(some)) >= 0;
      if (enough) break;
    }
    if (!enough) return;
    for (std::size_t i = 0; i + 1 < some.size();) {
      auto fewer = some;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (headroom(made(fewer)) >= 0) some = fewer; else ++i;
    }
    std::string what;
    for (const auto* c : some) what += (what.empty() ? "" : ", ") + c->what;
    offer(made(some), some.size() > 1 ? "all of these together: " + what : what);
  }

  double headroom(const json& asked) const {
    Problems ignored;
    const auto read = read_train_request(asked, catalog_, ignored);
    return read && read->device ? (read->device->memory * read->device->usable_fraction - training(*read, catalog_).at_peak().total()).value : -1;
  }
  bool offer(const json& asked, const std::string& what) {
    const double room = headroom(asked);
    if (room < 0) return false;
    ++offered_;
    w_.begin_object().member("change", what).key("request").value(asked);
    w_.member("headroom", room).end_object();
    return true;
  }

  JsonWriter& w_;
  json request_;
  std::vector<Change> tried_;
  const TrainRequest& r_;
  const Catalog& catalog_;
  int offered_ = 0;
};

}  // namespace

void write_train_advice(JsonWriter& w, const json& request, const TrainRequest& read, const Training& training, const Catalog& catalog) {
  w.key("advice").begin_array();
  const auto& d = read.device;
  if (d && d->memory * d->usable_fraction < training.at_peak().total()) TrainAdviser(w, request, read, catalog).run();
  w.end_array();
}

}  // namespace weighbridge
