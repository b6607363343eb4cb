// readModel(): files -> the `model` of a request.
#include <algorithm>

#include "json.hpp"
#include "read/json_text.hpp"
#include "weighbridge/api.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"
#include "write_json.hpp"

namespace weighbridge::api {

namespace {

using nlohmann::json;

constexpr std::size_t kLargestModel = 32 * 1024;       // bytes of JSON that a request carries for its model

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// What no reader asks for and what makes some configs large.
constexpr std::string_view kNeverRead[] = {"id2label", "label2id", "task_specific_params", "auto_map", "transformers_version", "bos_token_id",
                                           "eos_token_id", "pad_token_id", "decoder_start_token_id", "tokenizer_class", "rope_scaling"};

void trim(json& config) {
  for (const auto key : kNeverRead) config.erase(std::string(key));
  for (auto& value : config)
    if (value.is_object()) for (const auto inner : kNeverRead) value.erase(std::string(inner));
}

std::string name_of(const json& config, const std::string& file) {
  auto name = text_of(config, "_name_or_path");
  if (name.find('/') != name.rfind('/') || name.rfind('/', 0) == 0) name = name.substr(name.rfind('/') + 1);     // a path of somebody's machine
  if (!name.empty()) return name;
  const auto type = text_of(config, "model_type");
  return type.empty() ? file : type;
}

}  // namespace

std::string read_model(const std::vector<File>& files) {
  Problems problems;
  json model;
  if (files.empty()) problems.add(Code::missing_field, "", {{"name", "files"}});
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& file = files[i];
    const auto path = pointer("", std::to_string(i));
    const auto name = lower(file.name);
    const auto unsupported = [&](const char* why) { problems.add(Code::unsupported_file, path, {{"name", file.name}, {"why", why}}); };
    if (ends_with(name, ".gguf") || ends_with(name, ".safetensors") || file.content.rfind("GGUF", 0) == 0) {
      unsupported("headers of GGUF and safetensors files are not read yet; give the model's config.json");
      continue;
    }
    if (ends_with(name, ".index.json")) {
      unsupported("an index of safetensors files is not read yet; give the model's config.json");
      continue;
    }
    if (file.size > static_cast<std::int64_t>(file.content.size()) && static_cast<std::size_t>(file.size) <= kLongestText) {
      problems.add(Code::needs_more_bytes, path, {{"name", file.name}, {"bytes", static_cast<double>(file.size)}});
      continue;
    }
    if (file.size > static_cast<std::int64_t>(kLongestText)) {
      problems.add(Code::too_large, path, {{"bytes", static_cast<double>(file.size)}, {"limit", static_cast<double>(kLongestText)}});
      continue;
    }
    const auto config = parse_json(file.content, path, problems, true);
    if (!config) continue;
    if (!model.is_null()) {
      unsupported("one config.json describes one model");
      continue;
    }
    const auto shown = name_of(*config, file.name);
    const auto spec = read_config(*config, shown, path, catalog().formats(), problems);
    if (!spec) continue;
    model["config"] = *config;
    model["name"] = shown;
    if (json_text(model).size() > kLargestModel) trim(model["config"]);
    if (const auto size = json_text(model).size(); size > kLargestModel)
      problems.add(Code::too_large, path, {{"bytes", static_cast<double>(size)}, {"limit", static_cast<double>(kLargestModel)}});
  }
  if (problems.has_errors()) return refusal(problems);
  JsonWriter w;
  w.begin_object().member("ok", true).key("model").value(model);
  write_problems(w, problems);
  return w.end_object().take();
}

}  // namespace weighbridge::api
