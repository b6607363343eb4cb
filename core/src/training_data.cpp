#include "training_data.hpp"

#include "json.hpp"

namespace weighbridge {

namespace {

bool flag(const nlohmann::json& row, std::string_view key) {
  const auto* f = member(row, key);
  return f && f->is_boolean() && f->get<bool>();
}

TrainingData read(const nlohmann::json& data) {
  TrainingData out;
  if (const auto* frames = member(data, "frames"); frames && frames->is_array())
    for (std::size_t i = 0; i < out.frames.size() && i < frames->size(); ++i) {
      const auto& row = (*frames)[i];
      out.frames[i] = {number_of(row, "context"), number_of(row, "collectives"), number_of(row, "slack"),
                       {number_of(row, "full_logits"), number_of(row, "chunked_logits"), number_of(row, "fused_logits")},
                       number_of(row, "launch"), flag(row, "fused_norms"), flag(row, "fused_product"), flag(row, "buckets")};
    }
  if (const auto* classes = member(data, "classes"); classes && classes->is_array())
    for (const auto& row : *classes)
      out.classes.push_back({text_of(row, "class"), number_of(row, "linear"), number_of(row, "linear8"), number_of(row, "attention"), number_of(row, "attention_fused"),
                             number_of(row, "memory"), number_of(row, "network")});
  if (out.classes.empty()) out.classes.emplace_back();
  if (const auto* c = member(data, "common")) {
    out.overlap = number_of(*c, "overlap");
    out.tensor_exposed = number_of(*c, "tensor_exposed");
    out.host_rate = number_of(*c, "host_rate");
    out.dequantise = number_of(*c, "dequantise");
    out.scale_8bit = number_of(*c, "scale_8bit");
    out.galore_rank = number_of(*c, "galore_rank");
    out.largest_bucket = number_of(*c, "largest_bucket");
  }
  const auto interval = [&](std::string_view key, double& low, double& high) {
    const auto* all = member(data, "intervals");
    const auto* row = all ? member(*all, key) : nullptr;
    if (!row) return;
    low = number_of(*row, "low", 1);
    high = number_of(*row, "high", 1);
  };
  interval("memory", out.memory_low, out.memory_high);
  interval("speed", out.speed_low, out.speed_high);
  return out;
}

}  // namespace

const TrainClass& TrainingData::of(const Device& device) const {
  for (const auto& c : classes)
    if (c.name == device.training_class) return c;
  return classes.back();
}

const TrainingData& training_data(const Catalog& catalog) {
  static const TrainingData data = [&] {
    const auto* found = member(catalog.json(), "training");
    return read(found ? *found : nlohmann::json::object());
  }();
  return data;
}

}  // namespace weighbridge
