// Answers as JSON: the shapes of the public face, from the core's own structures.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "weighbridge/article.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/problem.hpp"
#include "weighbridge/request.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge {

nlohmann::json write_problems(const Problems& problems);
nlohmann::json refusal(const Problems& problems);                // {"ok": false, "problems": […]}
nlohmann::json write_steps(const Trace& trace);
nlohmann::json write_layout(const Layout& layout);

nlohmann::json write_estimate(const Request& request, const Estimate& e);     // model, memory, capacity, speed, load, cost
nlohmann::json write_intervals(const Estimate& e);
nlohmann::json write_estimate_basis(const Request& request, const nlohmann::json& answer, const Trace& trace);
nlohmann::json write_assumptions(const std::vector<Assumption>& assumptions);

nlohmann::json write_training(const TrainRequest& request, const ArticleTraining& t);
nlohmann::json write_training_basis(const TrainRequest& request, const nlohmann::json& answer, const Trace& trace);

// The member of an answer at a dotted path; nullptr when there is none.
const nlohmann::json* at_dotted(const nlohmann::json& answer, std::string_view path);

}  // namespace weighbridge
