// A model as a file's header describes it: every tensor read, not derived; beside it what the metadata says of attention.
//
// In requests it is the `model` that readModel returned: {"header": {…}, "name"}, compact (tensors grouped by name and kind of
// layer). Texts of GGUF tensors are mapped to roles by their names, so that every formula works on it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "json_writer.hpp"
#include "read/gguf.hpp"
#include "read/gguf_names.hpp"
#include "weighbridge/tensors.hpp"

namespace weighbridge {

// The parts of one model (one header, or the headers of a split file in any order). All problems go to `problems` at `path`.
std::optional<Inventory> model_of_gguf(const std::vector<GgufHeader>& parts, std::string_view name, std::string_view path,
                                       const Formats& formats, Problems& problems);

// Whether the parts are those of one language model, at most one projector beside it; else a problem.
bool is_whole_gguf(const std::vector<GgufHeader>& parts, std::string_view name, std::string_view path, Problems& problems);

// Weight format that a file says it has; empty when it does not say.
std::string file_type_of(const GgufHeader& header);

void write_header_model(JsonWriter& w, const Inventory& model, const Formats& formats);

// Whatever stands in a request: hostile until read.
std::optional<Inventory> read_header_model(const nlohmann::json& header, std::string_view name, std::string_view path, const Formats& formats,
                                           Problems& problems);

}  // namespace weighbridge
