// readModel(): files -> the `model` of a request.
#include <algorithm>
#include <cmath>

#include "json.hpp"
#include "read/checkpoint.hpp"
#include "read/gguf_config.hpp"
#include "read/header_model.hpp"
#include "read/json_text.hpp"
#include "read/quantization.hpp"
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
// Which layers a quantiser left out; the files say it too.
constexpr std::string_view kModuleLists[] = {"ignore", "ignored_layers", "modules_to_not_convert", "exclude_modules", "llm_int8_skip_modules"};

template <std::size_t N>
void erase(json& object, const std::string_view (&keys)[N], int depth) {
  if (!object.is_object()) return;
  for (const auto key : keys) object.erase(std::string(key));
  if (depth > 0)
    for (auto& value : object) erase(value, keys, depth - 1);
}

// Absent members say as much as null and false.
void erase_empty(json& value) {
  if (!value.is_structured()) return;
  for (auto at = value.begin(); at != value.end();) {
    erase_empty(*at);
    if (value.is_object() && (at->is_null() || *at == false)) at = value.erase(at);
    else ++at;
  }
}

// Files of a repository that are no part of the model's size.
constexpr std::string_view kBeside[] = {"generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                                        "vocab.json", "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json", "chat_template.json",
                                        "chat_template.jinja", "merges.txt", "readme.md", "license", "license.txt", "tokenizer.model", ".gitattributes"};

std::string name_of(const json& config, const std::string& file) {
  auto name = text_of(config, "_name_or_path");
  if (name.find('/') != name.rfind('/') || name.rfind('/', 0) == 0) name = name.substr(name.rfind('/') + 1);     // a path of somebody's machine
  if (!name.empty()) return name;
  const auto type = text_of(config, "model_type");
  return type.empty() ? file : type;
}

// "Llama-3.1-8B-Q4_K_M-00001-of-00002.gguf" -> what comes before the ending.
std::string_view stem(std::string_view file) {
  file = file.substr(0, file.rfind('.'));
  constexpr std::string_view kInner = ".model.safetensors";              // "Llama-2-7b.model.safetensors.index"
  return ends_with(file, std::string(kInner) + ".index") ? file.substr(0, file.size() - kInner.size() - 6) : file;
}

// "model-00001-of-00004.safetensors": 4; 1 when the name says nothing.
std::size_t parts_of(std::string_view file) {
  const auto at = file.rfind("-of-");
  std::size_t n = 0;
  for (auto i = at + 4; at != std::string_view::npos && i < file.size() && i < at + 10 && file[i] >= '0' && file[i] <= '9'; ++i)
    n = 10 * n + static_cast<std::size_t>(file[i] - '0');
  return std::max<std::size_t>(n, 1);
}

// One call: the files sorted by what they are, then made into one model.
class Files {
 public:
  explicit Files(const std::vector<File>& files) : files_(files) {
    gguf_.reserve(files.size());
    headers_.reserve(files.size());
  }

  std::string read() {
    if (files_.empty()) problems_.add(Code::missing_field, "", {{"name", "files"}});
    for (std::size_t i = 0; i < files_.size(); ++i) sort(i);
    if (problems_.has_errors()) return refusal(problems_);
    const auto& formats = catalog().formats();
    const bool safetensors = !headers_.empty() || index_;
    if (!gguf_.empty() && safetensors)
      problems_.add(Code::conflicting_fields, gguf_at_.path, {{"a", "a GGUF file"}, {"b", "safetensors files"}});
    if (quantization_ && !config_) unsupported(quantization_at_, "it says how weights are packed and nothing else; give the model's config.json too");
    if (config_) read_config_file(formats);
    if (problems_.has_errors()) return refusal(problems_);

    if (!gguf_.empty()) return of_gguf(formats);
    if (config_) return of_config(formats);
    if (!headers_.empty()) return of_headers(formats);
    if (index_) return of_index();
    problems_.add(Code::unsupported_file, beside_.path, {{"name", beside_.name}, {"why", "it says nothing of a model's size; give its config.json"}});
    return refusal(problems_);
  }

 private:
  struct Place {
    std::string name, path;
  };

  void unsupported(const Place& at, std::string_view why) { problems_.add(Code::unsupported_file, at.path, {{"name", at.name}, {"why", why}}); }

  void sort(std::size_t i) {
    const auto& file = files_[i];
    const Place at{file.name, pointer("", std::to_string(i))};
    const auto name = lower(file.name);
    const auto first = [&](Place& place) { if (place.path.empty()) place = at; };
    if (ends_with(name, ".gguf") || file.content.rfind("GGUF", 0) == 0) {
      if (auto header = read_gguf(file.content, file.size, file.name, at.path, catalog().formats(), problems_)) gguf_.push_back(std::move(*header));
      return first(gguf_at_);
    }
    if (ends_with(name, ".safetensors")) {
      if (auto header = read_safetensors(file.content, file.size, file.name, at.path, problems_)) headers_.push_back(std::move(*header));
      return first(headers_at_);
    }
    if (ends_with(name, ".index.json")) {
      if (index_) return unsupported(at, "a checkpoint has one index");
      if (auto index = read_checkpoint_index(file.content, file.size, file.name, at.path, problems_)) index_ = std::move(*index);
      return first(index_at_);
    }
    const auto slash = name.find_last_of("/\\");
    const auto base = std::string_view(name).substr(slash == std::string::npos ? 0 : slash + 1);
    if (std::find(std::begin(kBeside), std::end(kBeside), base) != std::end(kBeside)) {
      first(beside_);
      if (files_.size() > 1) problems_.add(Code::file_not_needed, at.path, {{"name", file.name}});
      return;
    }
    if (file.size > static_cast<std::int64_t>(kLongestText)) {
      problems_.add(Code::too_large, at.path, {{"bytes", static_cast<double>(file.size)}, {"limit", static_cast<double>(kLongestText)}});
      return;
    }
    if (file.size > static_cast<std::int64_t>(file.content.size())) {
      problems_.add(Code::needs_more_bytes, at.path, {{"name", file.name}, {"bytes", static_cast<double>(file.size)}});
      return;
    }
    auto tree = parse_json(file.content, at.path, problems_, true);
    if (!tree) return;
    const bool quantization = base == "hf_quant_config.json";
    auto& kept = quantization ? quantization_ : config_;
    if (kept) return unsupported(at, quantization ? "a model has one hf_quant_config.json" : "one config.json describes one model");
    kept = std::move(tree);
    first(quantization ? quantization_at_ : config_at_);
  }

  // The config as the request will carry it, read.
  void read_config_file(const Formats& formats) {
    auto& config = *config_;
    if (quantization_ && config.is_object() && config.find("quantization_config") == config.end()) {
      const auto* inner = member(*quantization_, "quantization");
      config["quantization_config"] = inner && inner->is_object() ? *inner : *quantization_;
    }
    name_ = name_of(config, config_at_.name);
    const auto size = [&] { return json_text(config).size() + name_.size() + 64; };
    if (size() > kLargestModel) erase(config, kNeverRead, 1);
    if (size() > kLargestModel) compact_modules(config);
    if (size() > kLargestModel)
      if (const auto blocks = config.find("block_configs"); blocks != config.end()) erase_empty(*blocks);
    if (size() > kLargestModel - 4096 && !headers_.empty()) erase(config, kModuleLists, 2);
    if (const auto bytes = size(); bytes > kLargestModel)
      problems_.add(Code::too_large, config_at_.path, {{"bytes", static_cast<double>(bytes)}, {"limit", static_cast<double>(kLargestModel)}});
    if (auto spec = read_config(config, name_, config_at_.path, formats, problems_)) by_config_ = inventory(std::move(*spec));
  }

  template <class Write>
  std::string answer(Write write) {
    if (problems_.has_errors()) return refusal(problems_);
    JsonWriter w;
    w.begin_object().member("ok", true).key("model").begin_object();
    write(w);
    w.end_object();
    write_problems(w, problems_);
    return w.end_object().take();
  }

  // Whether all parts of the checkpoint are here; when not, the index may do.
  bool whole() {
    std::size_t parts = index_ ? index_->files : parts_of(headers_at_.name);
    if (headers_.size() >= parts) return true;
    if (!index_) unsupported(headers_at_, "it is one of " + std::to_string(parts) + " parts, and " + std::to_string(headers_.size()) + " were given; the model.safetensors.index.json will do in place of the others");
    return false;
  }

  std::string of_config(const Formats& formats) {
    StoredParts stored;
    if (!headers_.empty() && whole()) {
      const auto facts = facts_of(headers_);
      compare(facts, *by_config_, headers_at_.name, headers_at_.path, problems_);
      if (index_ && index_->total_size > 0 && index_->total_size != facts.bytes)
        problems_.add(Code::files_disagree, index_at_.path, {{"name", index_at_.name}, {"what", "total_size"}, {"file", index_->total_size}, {"config", facts.bytes}});
      stored = stored_parts(headers_, *by_config_, formats);
    } else if (index_) {
      const auto facts = facts_of(*index_);
      compare(facts, *by_config_, index_at_.name, index_at_.path, problems_);
      stored = stored_parts(facts.bytes, facts, *by_config_, formats);
    }
    return with_config(stored, formats);
  }

  std::string of_inventory(const std::vector<GgufHeader>& parts, const Place& at, std::string_view name, const std::vector<std::string>& assumed, const Formats& formats) {
    auto model = model_of_gguf(parts, name, at.path, formats, problems_);
    if (!model) return refusal(problems_);
    model->spec.assumed = assumed;
    if (!assumed.empty()) problems_.add(Code::assumed_from_tensors, at.path, {{"what", assumed}});
    if (by_config_) compare(*model, *by_config_, at.name, at.path, problems_);
    JsonWriter header;
    write_header_model(header, *model, formats);
    const auto text = header.take();
    if (text.size() > kLargestModel - 256)
      problems_.add(Code::too_large, at.path, {{"bytes", static_cast<double>(text.size())}, {"limit", static_cast<double>(kLargestModel)}});
    return answer([&](JsonWriter& w) { w.key("header").raw(text).member("name", model->spec.name); });
  }

  std::string of_gguf(const Formats& formats) {
    auto config = config_of_gguf(gguf_);
    if (!config || !is_whole_gguf(gguf_, gguf_at_.name, gguf_at_.path, problems_)) {
      if (problems_.has_errors()) return refusal(problems_);
      return of_inventory(gguf_, gguf_at_, stem(gguf_at_.name), {}, formats);
    }
    name_ = stem(gguf_at_.name);
    auto spec = read_config(*config, name_, gguf_at_.path, formats, problems_);
    if (!spec) return refusal(problems_);
    const auto model = inventory(std::move(*spec));
    if (by_config_) compare(model, *by_config_, gguf_at_.name, gguf_at_.path, problems_);
    std::string format;
    for (const auto& part : gguf_)
      if (format.empty()) format = file_type_of(part);
    const auto stored = stored_parts(gguf_, model, format, formats);
    config_ = std::move(*config);
    return with_config(stored, formats);
  }

  // Weights beside a config that says all else.
  std::string with_config(const StoredParts& stored, const Formats& formats) {
    return answer([&](JsonWriter& w) {
      w.key("config").value(*config_);
      w.member("name", name_);
      if (!stored.parts.empty()) {
        w.key("stored");
        write_stored(w, stored, formats);
      }
    });
  }

  std::string of_headers(const Formats& formats) {
    if (!whole()) return index_ ? of_index() : refusal(problems_);
    std::vector<std::string> assumed;
    std::vector<GgufHeader> one;
    if (auto header = as_gguf(headers_, headers_at_.name, headers_at_.path, formats, assumed, problems_)) one.push_back(std::move(*header));
    if (one.empty()) return refusal(problems_);
    return of_inventory(one, headers_at_, stem(headers_at_.name), assumed, formats);
  }

  // Bytes and names alone: a model by hand.
  std::string of_index() {
    const auto facts = facts_of(*index_);
    if (facts.packed) unsupported(index_at_, "its weights are packed, and how stands in the model's config.json; give that too");
    else if (facts.bytes < 2) unsupported(index_at_, "it has no total_size; give the model's config.json too");
    if (problems_.has_errors()) return refusal(problems_);
    // Some count a tied table twice here: bytes are the better witness where both say 16 bits.
    const double bits = index_->total_parameters > 0 ? 8 * facts.bytes / index_->total_parameters : 16;
    const double parameters = bits > 17 ? index_->total_parameters : std::floor(facts.bytes / 2);
    std::vector<std::string> assumed{"16 bits a weight", "a shape like that of models of this size"};
    const auto used = usual_experts(facts.experts);
    if (facts.experts > 0) assumed.push_back(std::to_string(used) + " of " + std::to_string(facts.experts) + " experts a token");
    problems_.add(Code::assumed_from_tensors, index_at_.path, {{"what", assumed}});
    return answer([&](JsonWriter& w) {
      w.key("manual").begin_object().member("parameters", parameters);
      if (facts.layers > 0) w.member("layers", static_cast<double>(std::min<std::int64_t>(facts.layers, 4096)));
      constexpr double kBesideExperts = 0.05;            // what attention and tables take of such models
      const double share = static_cast<double>(used) / static_cast<double>(std::max<std::int64_t>(1, facts.experts));
      if (facts.experts > used) w.member("active_parameters", std::floor(parameters * (kBesideExperts + (1 - kBesideExperts) * share)));
      w.end_object().member("name", stem(index_at_.name));
    });
  }

  const std::vector<File>& files_;
  Problems problems_;
  std::vector<GgufHeader> gguf_;
  std::vector<Checkpoint> headers_;
  std::optional<Checkpoint> index_;
  std::optional<json> config_, quantization_;
  std::optional<Inventory> by_config_;
  std::string name_;
  Place gguf_at_, headers_at_, index_at_, config_at_, quantization_at_, beside_;
};

}  // namespace

std::string read_model(const std::vector<File>& files) { return Files(files).read(); }

}  // namespace weighbridge::api
