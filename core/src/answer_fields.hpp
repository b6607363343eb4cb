// Every figure of every answer: path, type, unit, meaning, where it is taken from, and the step that shows its work. One table
// writes the answers, drives sweeps, and makes describe(), the TypeScript types, each number's basis and the words of the page.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "weighbridge/article.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/formula.hpp"

namespace weighbridge {

// What an answer is written from.
struct Answered {
  const Inventory* model = nullptr;
  const Request* request = nullptr;            // estimate
  const Estimate* estimate = nullptr;
  const TrainRequest* training_request = nullptr;
  const ArticleTraining* training = nullptr;   // train, the article's method
  const Training* trained = nullptr;           // train, the detailed one
};

enum class AnswerType : std::uint8_t { text, number, integer, boolean, choice, object, list };
std::string_view answer_type_name(AnswerType type);

struct AnswerField {
  std::string_view path;                       // dotted
  AnswerType type = AnswerType::number;
  std::string_view unit = {};
  std::string_view summary = {};
  bool nullable = false;                       // of the member itself; a parent that is null takes it along
  double (*value)(const Answered&) = nullptr;  // numbers (NaN: null), booleans and objects (1 or 0: null), the low end of a list
  double (*second)(const Answered&) = nullptr; // the high end of a list
  std::string_view (*text)(const Answered&) = nullptr;
  FormulaId steps[3] = {FormulaId::kCount, FormulaId::kCount, FormulaId::kCount};      // the first that the answer has
  std::string_view of = {};                    // which instance
  FormulaId article = FormulaId::kCount;       // the same in the article's method
  std::string_view article_of = {};
  std::string_view choices = {};               // "a b c"
};

std::span<const AnswerField> estimate_answer();
std::span<const AnswerField> train_answer();

// A number, or 1 and 0 for true and false. NaN when the answer has none: it is null, or an object around it is.
double answer_number(std::span<const AnswerField> fields, const AnswerField& field, const Answered& answered);

}  // namespace weighbridge
