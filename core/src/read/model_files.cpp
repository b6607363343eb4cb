// readModel(): files -> the `model` of a request.
#include <algorithm>

#include "json.hpp"
#include "read/header_model.hpp"
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

// "Llama-3.1-8B-Q4_K_M-00001-of-00002.gguf" -> what comes before the ending.
std::string_view stem(std::string_view file) { return file.substr(0, file.rfind('.')); }

std::string read_gguf_model(const std::vector<GgufHeader>& parts, const std::string& file, const std::string& path, Problems& problems) {
  const auto model = model_of_gguf(parts, stem(file), path, catalog().formats(), problems);
  if (!model) return refusal(problems);
  JsonWriter w;
  w.begin_object().member("ok", true).key("model").begin_object().key("header");
  write_header_model(w, *model, catalog().formats());
  w.member("name", model->spec.name).end_object();
  write_problems(w, problems);
  return w.end_object().take();
}

}  // namespace

std::string read_model(const std::vector<File>& files) {
  Problems problems;
  json model;
  std::vector<GgufHeader> gguf;
  std::string gguf_path, gguf_name;
  if (files.empty()) problems.add(Code::missing_field, "", {{"name", "files"}});
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& file = files[i];
    const auto path = pointer("", std::to_string(i));
    const auto name = lower(file.name);
    const auto unsupported = [&](const char* why) { problems.add(Code::unsupported_file, path, {{"name", file.name}, {"why", why}}); };
    if (ends_with(name, ".gguf") || file.content.rfind("GGUF", 0) == 0) {
      if (auto header = read_gguf(file.content, file.size, file.name, path, problems)) gguf.push_back(std::move(*header));
      if (gguf_path.empty()) gguf_path = path, gguf_name = file.name;
      continue;
    }
    if (ends_with(name, ".safetensors")) {
      unsupported("headers of safetensors files are not read yet; give the model's config.json");
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
  if (!gguf_path.empty() && !model.is_null())
    problems.add(Code::conflicting_fields, gguf_path, {{"a", "a GGUF file"}, {"b", "a config.json"}});
  if (!gguf_path.empty() && !problems.has_errors()) return read_gguf_model(gguf, gguf_name, gguf_path, problems);
  if (problems.has_errors()) return refusal(problems);
  JsonWriter w;
  w.begin_object().member("ok", true).key("model").value(model);
  write_problems(w, problems);
  return w.end_object().take();
}

}  // namespace weighbridge::api
