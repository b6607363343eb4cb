#include "weighbridge/trace.hpp"

namespace weighbridge {

std::string_view from_name(From from) {
  switch (from) {
    case From::user: return "user";
    case From::catalog: return "catalog";
    case From::standard: return "default";
    case From::assumed: return "assumed";
    case From::model: return "model";
    case From::device: return "device";
    case From::format: return "format";
    case From::step: return "step";
  }
  return "assumed";
}

void Trace::record(FormulaId id, double value, std::initializer_list<Input> inputs, std::string_view of) {
  Step& step = steps_.emplace_back();
  step.id = id;
  step.of = of;
  step.value = value;
  step.inputs.reserve(inputs.size());
  for (const Input& input : inputs) {
    const bool is_vector = input.vector != nullptr;
    step.inputs.push_back({input.name, input.value, input.from, input.step, std::string(input.of), is_vector,
                           is_vector ? *input.vector : std::vector<double>{}});
  }
}

}  // namespace weighbridge
