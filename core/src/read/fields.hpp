// Every field of every request: path, type, unit, limits, default and what it means. One table drives the checks, describe(),
// the TypeScript types and the form of the page.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/problem.hpp"

namespace weighbridge {

enum class FieldType : std::uint8_t {
  model, models, weight_format, weight_formats, kv_format, kv_formats, engine, device, device_list, devices, concurrency,
  checkpointing, targets, integer, integers, number, boolean, text, texts, choice, object, list, config, call
};
std::string_view type_name(FieldType type);

struct Field {
  std::string_view path;                       // JSON Pointer into the request
  FieldType type;
  std::string_view summary;
  std::string_view unit = {};
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;                      // the minimum itself is not allowed
  std::string_view standard = {};              // default, as JSON; empty: none, or one that depends on other fields
  std::string_view choices = {};               // "a b c"
};

std::span<const Field> estimate_fields();
std::span<const Field> train_fields();
std::span<const Field> plan_fields();
std::span<const Field> sweep_fields();

std::vector<std::string> split_words(std::string_view words);

// Checks names, types and limits of everything in `request` that the table describes, and adds every problem. Fields whose
// type has several forms (model, device, formats) are only checked for unknown members here; their readers do the rest.
void check_fields(const nlohmann::json& request, std::span<const Field> fields, Problems& problems);

// The value at `path` when it is there, is not null and has the right type and range; nullptr otherwise.
const nlohmann::json* value_at(const nlohmann::json& request, std::string_view path);
// Sets the value there, making objects on the way: {"devices": 2} becomes {"devices": {"count": …}}.
void set_at(nlohmann::json& request, std::string_view path, const nlohmann::json& value);
bool is_valid(const nlohmann::json& value, const Field& field);
const Field& field_at(std::span<const Field> fields, std::string_view path);     // must exist

// "a number", "an object", … of what was found.
std::string_view found_name(const nlohmann::json& value);
// The value itself, shortened, for messages.
std::string shown(const nlohmann::json& value);

}  // namespace weighbridge
