// How sure an answer's numbers are: the weakest kind on each number's path through the recorded steps.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "answer_fields.hpp"
#include "weighbridge/request.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge {

class Basis {
 public:
  Basis(const Trace& trace, Kind model, const Device* device);

  // Of the step behind an answer field; `otherwise` when the answer has no such step.
  Kind of(const AnswerField& field, Kind otherwise) const;

 private:
  std::map<std::pair<FormulaId, std::string>, Kind> kinds_;
};

}  // namespace weighbridge
