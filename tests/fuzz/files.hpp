// Any bytes as files: what readModel makes of them goes into requests, and is small.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "invariants.hpp"

namespace weighbridge_fuzz {

inline weighbridge::api::File file_of(std::string name, std::string content, std::int64_t more = 0) {
  const auto size = static_cast<std::int64_t>(content.size()) + more;
  return {std::move(name), std::move(content), size};
}

inline void check_files(const std::vector<weighbridge::api::File>& files) {
  const auto answer = weighbridge::api::read_model(files);
  const auto read = check_answer(answer);
  if (find(read, "ok")->get<bool>()) {
    const auto* model = find(read, "model");
    if (!model) violated("a file that was read is a model", answer);
    const auto text = model->dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 32 * 1024) violated("a model has at most 32 KB", answer);
    // A device brings the search for advice, which takes most of the time: for some inputs only.
    check_estimate(weighbridge::api::estimate(R"({"model":)" + text + (text.size() % 8 == 0 ? R"(,"device":"h100-sxm-80gb"})" : "}")));
  }
  if (answer.size() % 16 == 0) check_next_request();
}

constexpr const char* kSmallConfig = R"({"model_type":"llama","hidden_size":256,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,)"
                                     R"("intermediate_size":512,"vocab_size":1000,"torch_dtype":"bfloat16"})";

}  // namespace weighbridge_fuzz
