// Advice for training: what practitioners try, in their order.
#include <cmath>
#include <string>
#include <string_view>

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
    all_ = request_;
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
    if (offered_ == 0) offer(all_, "all of these together: " + together_);
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
      if (n == 1) keep(asked, "micro-batches of 1");
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

  void change(std::string_view path, const json& value, std::string_view what) {
    auto asked = request_;
    set_at(asked, path, value);
    offer(asked, std::string(what));
    // LoRA and QLoRA exclude each other; the stronger one stands at the end.
    set_at(all_, path, value);
    together_ += (together_.empty() ? "" : ", ") + std::string(what);
  }
  void keep(const json& asked, std::string_view what) {
    for (const auto* key : {"micro_batch", "gradient_accumulation"})
      if (const auto* value = member(asked, key)) all_[key] = *value;
    together_ += (together_.empty() ? "" : ", ") + std::string(what);
  }

  bool offer(const json& asked, const std::string& what) {
    Problems ignored;
    const auto read = read_train_request(asked, catalog_, ignored);
    if (!read || !read->device) return false;
    const auto t = training(*read, catalog_);
    const auto headroom = read->device->memory * read->device->usable_fraction - t.at_peak().total();
    if (headroom.value < 0) return false;
    ++offered_;
    w_.begin_object().member("change", what).key("request").value(asked);
    w_.member("headroom", headroom.value).end_object();
    return true;
  }

  JsonWriter& w_;
  json request_, all_;
  std::string together_;
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
