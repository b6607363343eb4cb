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
    out.nvme_rate = number_of(*c, "nvme_rate");
    out.nvme_buffer = number_of(*c, "nvme_buffer");
    out.host_rate = number_of(*c, "host_rate");
    out.host_link = number_of(*c, "host_link");
    out.dequantise = number_of(*c, "dequantise");
    out.direct_link = number_of(*c, "direct_link");
    out.direct_network = number_of(*c, "direct_network");
    out.compiled_slack = number_of(*c, "compiled_slack");
    out.exchange_launch = number_of(*c, "exchange_launch");
    out.expert_launch = number_of(*c, "expert_launch");
    out.scale_8bit = number_of(*c, "scale_8bit");
    out.largest_bucket = number_of(*c, "largest_bucket");
  }
  if (const auto* intervals = member(data, "intervals"); intervals && intervals->is_array())
    for (const auto& row : *intervals) {
      const auto experts = member(row, "experts") ? static_cast<int>(flag(row, "experts")) : -1;
      out.intervals.push_back({text_of(row, "part"), static_cast<int>(number_of(row, "frame", -1)), experts, number_of(row, "low", 1), number_of(row, "high", 1)});
    }
  return out;
}

}  // namespace

const TrainClass& TrainingData::of(const Device& device) const {
  for (const auto& c : classes)
    if (c.name == device.training_class) return c;
  return classes.back();
}

TrainInterval TrainingData::interval(std::string_view part, Framework frame, bool experts) const {
  TrainInterval best;
  int most = -1;
  for (const auto& i : intervals) {
    if (i.part != part || (i.frame >= 0 && i.frame != static_cast<int>(frame)) || (i.experts >= 0 && i.experts != static_cast<int>(experts))) continue;
    const int said = 2 * (i.frame >= 0) + (i.experts >= 0);
    if (said > most) {
      most = said;
      best = i;
    }
  }
  return best;
}

const TrainingData& training_data(const Catalog& catalog) {
  static const TrainingData data = [&] {
    const auto* found = member(catalog.json(), "training");
    return read(found ? *found : nlohmann::json::object());
  }();
  return data;
}

}  // namespace weighbridge
