// Answers as JSON: the shapes of the public face, from the table of their figures.
#pragma once

#include <string>
#include <vector>

#include "answer_fields.hpp"
#include "json_writer.hpp"
#include "weighbridge/problem.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge {

std::string refusal(const Problems& problems);                   // {"ok": false, "problems": […]}
void write_problems(JsonWriter& w, const Problems& problems);
void write_steps(JsonWriter& w, const Trace& trace);
void write_figures(JsonWriter& w, std::span<const AnswerField> fields, const Answered& answered);    // members of an open object
void write_basis(JsonWriter& w, std::span<const AnswerField> fields, const Answered& answered, const Trace& trace);
void write_intervals(JsonWriter& w, const Answered& answered);
void write_assumptions(JsonWriter& w, const std::vector<Assumption>& assumptions);
std::string layout_text(const Layout& layout);

}  // namespace weighbridge
