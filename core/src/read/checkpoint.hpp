// What the files of a checkpoint hold (safetensors headers, their index), beside what its config.json says.
//
// With a config, the config gives the shape and the files the bytes: `stored` lists the parts (role, kind of layer) that take other
// bytes than the config lets expect. Without one, the tensors' names and shapes give the inventory, as in a GGUF file.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json_writer.hpp"
#include "read/gguf.hpp"
#include "read/safetensors.hpp"
#include "weighbridge/tensors.hpp"

namespace weighbridge {

// All tensors of one part.
struct StoredPart {
  Role role = Role::other;
  std::int16_t kind = -1;              // index into ModelSpec::kinds; -1: outside the layers; kMtpPart: prediction layers; kExtraPart: not in the model
  EncodingId encoding = 0;
  bool encoded = false;                // the linear layers of the part are in `encoding`; else in what the config says
  double bytes = 0;
};
constexpr std::int16_t kMtpPart = -2, kExtraPart = -3;

struct StoredParts {
  std::string format;                  // weight format of the files; empty: as the config says
  std::vector<StoredPart> parts;
};

// What the names and shapes say of the model as a whole; 0: they do not say.
struct CheckpointFacts {
  std::int64_t layers = 0, hidden = 0, vocabulary = 0, key_rows = 0, experts = 0;
  double bytes = 0, elements = 0;      // of all tensors; elements as stored
  double head_bytes = 0;               // of an output matrix
  bool shapes = false;                 // headers, not only names
  bool packed = false;                 // some weights lie packed in integers, or beside scales
};
CheckpointFacts facts_of(const std::vector<Checkpoint>& headers);
CheckpointFacts facts_of(const Checkpoint& index);
// How many of its experts a token uses, in most models with that many.
std::int64_t usual_experts(std::int64_t experts);

// The files and the config are of one model: warnings where they disagree in detail, an error where they cannot belong together.
void compare(const CheckpointFacts& facts, const Inventory& model, std::string_view file, std::string_view path, Problems& problems);
// The same of another reading of the model (a GGUF header).
void compare(const Inventory& header, const Inventory& model, std::string_view file, std::string_view path, Problems& problems);

// The parts in which the files differ from what `model` (by its config) lets expect; empty when they agree to the byte.
StoredParts stored_parts(const std::vector<Checkpoint>& headers, const Inventory& model, const Formats& formats);
// The same of GGUF headers beside the config that their metadata make; `format` is the file type.
StoredParts stored_parts(const std::vector<GgufHeader>& headers, const Inventory& model, std::string_view format, const Formats& formats);
// Of the total alone.
StoredParts stored_parts(double total_bytes, const CheckpointFacts& facts, const Inventory& model, const Formats& formats);

// The model as the files store it.
void apply(const StoredParts& parts, const Formats& formats, Inventory& model);
void write_stored(JsonWriter& w, const StoredParts& parts, const Formats& formats);
std::optional<StoredParts> read_stored(const nlohmann::json& stored, std::string_view path, const Inventory& model, const Formats& formats, Problems& problems);

// Headers without a config, as if they were a GGUF header: the same names, and as metadata what shapes alone say. `assumed` gets
// what they do not say. Nothing when the weights are packed or the layers are of a kind whose sizes stand in the config only.
std::optional<GgufHeader> as_gguf(const std::vector<Checkpoint>& headers, std::string_view file, std::string_view path, const Formats& formats,
                                  std::vector<std::string>& assumed, Problems& problems);

}  // namespace weighbridge
