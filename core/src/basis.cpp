#include "basis.hpp"

namespace weighbridge {

namespace {

// Peaks enter a step as rates: each is as sure as the figures of the device that have this rate.
Kind kind_of_peaks(const Device& device, const std::vector<double>& rates) {
  auto kind = Kind::exact;
  for (const double rate : rates)
    for (std::size_t a = 0; a < 6; ++a)
      if (rate > 0 && device.peak[a].value == rate) kind = weakest(kind, device.peak_kind[a]);
  return kind;
}

Kind kind_of_input(const Trace::StepInput& input, Kind model, const Device* device) {
  if (input.from == From::assumed) return Kind::assumed;
  if (input.from == From::model) return model;
  if (!device || input.from == From::user) return Kind::exact;
  // Shares of a peak come from fits; figures of the device are as sure as the catalogue says.
  if (input.name == "efficiency") return Kind::fitted;
  if (input.name == "capacity" || input.name == "visible" || input.name == "usable" || input.name == "usable_fraction") return device->memory_kind;
  if (input.name == "bandwidth" || input.name == "link_bandwidth") return device->bandwidth_kind;
  if (input.name == "peak") return input.is_vector ? kind_of_peaks(*device, input.vector) : kind_of_peaks(*device, {input.value});
  return Kind::exact;
}

}  // namespace

Basis::Basis(const Trace& trace, Kind model, const Device* device) {
  for (const auto& step : trace.steps()) {
    auto kind = formula(step.id).kind;
    for (const auto& input : step.inputs) {
      if (input.from != From::step) {
        kind = weakest(kind, kind_of_input(input, model, device));
      } else if (const auto found = kinds_.find({input.step, input.of}); found != kinds_.end()) {
        kind = weakest(kind, found->second);
      }
    }
    const auto [at, is_new] = kinds_.emplace(std::pair(step.id, step.of), kind);
    if (!is_new) at->second = weakest(at->second, kind);
  }
}

Kind Basis::of(const AnswerField& field, Kind otherwise) const {
  const auto find = [&](FormulaId id, std::string_view of) { return kinds_.find({id, std::string(of)}); };
  for (const auto id : field.steps)
    if (const auto found = find(id, field.of); found != kinds_.end()) return found->second;
  if (const auto found = find(field.article, field.article_of); found != kinds_.end()) return found->second;
  return otherwise;
}

}  // namespace weighbridge
