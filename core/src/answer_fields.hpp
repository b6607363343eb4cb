// Every figure of every answer: path, type, unit, meaning, and the step that shows its work. One table makes describe(), the
// TypeScript types, each number's basis and the words of the page.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "weighbridge/formula.hpp"

namespace weighbridge {

enum class AnswerType : std::uint8_t { text, number, integer, boolean, choice, object, list };
std::string_view answer_type_name(AnswerType type);

struct AnswerField {
  std::string_view path;                       // dotted; "x[].y" is a member of each element
  AnswerType type = AnswerType::number;
  std::string_view unit = {};
  std::string_view summary = {};
  bool nullable = false;                       // of the member itself; a parent that is null takes it along
  FormulaId steps[2] = {FormulaId::kCount, FormulaId::kCount};      // the first that the answer has
  std::string_view of = {};                    // which instance
  FormulaId article = FormulaId::kCount;       // the same in the article's method
  std::string_view article_of = {};
  std::string_view choices = {};               // "a b c"
};

std::span<const AnswerField> estimate_answer();
std::span<const AnswerField> train_answer();

}  // namespace weighbridge
