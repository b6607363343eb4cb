#include "weighbridge/read_config.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "read/blocks.hpp"
#include "read/config_reader.hpp"
#include "read/families/families.hpp"
#include "read/quantization.hpp"
#include "read/speech.hpp"
#include "read/towers.hpp"
#include "weighbridge/tensors.hpp"

namespace weighbridge {

namespace {

using nlohmann::json;

// Multimodal configs describe their language model in an object of its own.
struct Language {
  const json* object = nullptr;
  std::string path;
};

std::string text_in(const json& object, std::string_view key) {
  const auto* value = entry(object, key);
  const auto* text = value ? value->get_ptr<const std::string*>() : nullptr;
  return text ? *text : std::string();
}

// What transformers takes for the language model of a LLaVA-like config whose text_config says little more than its type.
struct Usual {
  std::string_view model_type;
  std::int64_t hidden, width, layers, heads, kv_heads, vocabulary, context;
};
constexpr Usual kUsual[] = {{"llama", 4096, 11008, 32, 32, 32, 32000, 2048}, {"mistral", 4096, 14336, 32, 32, 8, 32000, 131072},
                            {"qwen2", 4096, 22016, 32, 32, 32, 151936, 32768}};

bool fill_in(const json& text, json& out) {
  for (const auto& u : kUsual) {
    if (text_in(text, "model_type") != u.model_type) continue;
    out = text;
    const std::pair<const char*, std::int64_t> sizes[] = {{"hidden_size", u.hidden}, {"intermediate_size", u.width}, {"num_hidden_layers", u.layers}, {"num_attention_heads", u.heads},
                                                          {"num_key_value_heads", u.kv_heads}, {"vocab_size", u.vocabulary}, {"max_position_embeddings", u.context}};
    for (const auto& [key, size] : sizes)
      if (!entry(out, key)) out[key] = size;
    return true;
  }
  return false;
}

Language language_part(const json& config, std::string_view path) {
  const auto* thinker = entry(config, "thinker_config");
  if (thinker) return language_part(*thinker, pointer(path, "thinker_config"));
  for (const auto key : {"text_config", "llm_config", "language_config"}) {
    const auto* inner = entry(config, key);
    if (inner && entry(*inner, "hidden_size")) return {inner, pointer(path, key)};
  }
  return {&config, std::string(path)};
}


// "Gemma4ForConditionalGeneration" -> "gemma4": files without a model_type name a class.
std::string type_of_class(const json& config) {
  const auto* list = entry(config, "architectures");
  if (!list || !list->is_array() || list->empty()) return {};
  const auto* name = list->front().get_ptr<const std::string*>();
  if (!name) return {};
  std::string out;
  for (const char c : name->substr(0, std::min(name->find("For"), name->find("LMHead")))) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && !out.empty() && out.back() != '_') out += '_';
    out += capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out.substr(0, 64);
}

// A file without a model_type.
std::string type_of_keys(const json& config) {
  const auto* mixer = entry(config, "ssm_cfg");
  return mixer && mixer->is_object() ? "mamba_ssm" : type_of_class(config);
}

// Classifiers and reward models have another head than the language model's that is counted.
void warn_of_other_heads(ConfigReader& r) {
  const auto* list = r.find_anywhere("architectures");
  if (!list || !list->is_array() || list->empty()) return;
  const auto* name = list->front().get_ptr<const std::string*>();
  if (!name) return;
  for (const std::string_view head : {"ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "RewardModel"})
    if (name->find(head) != std::string::npos) r.ignored("architectures", "the head of a language model is counted in place of its own");
}

// Every count is exact up to 2^53; no real model comes near.
constexpr double kMostParameters = 9007199254740992.0;

double bound_on_parameters(const ModelSpec& spec) {
  const auto product = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); };
  double widest = 0;
  for (const auto& kind : spec.kinds) {
    const auto& a = kind.mixer.attention;
    const auto& m = kind.mixer.mla;
    const auto& f = kind.feed_forward;
    const double heads = product(a.heads + a.kv_heads, a.head_dim + a.value_dim);
    const auto& c = kind.mixer.recurrent;
    const auto& x = kind.mixer.indexer;
    const auto& d = kind.mixer.compressed;
    const double state = 4 * (product(c.heads, c.value_dim) + product(c.key_heads, c.key_dim)) + static_cast<double>(c.rank + c.key_dim + c.kernel + c.vectors) + product(x.heads + 1, x.dim + 1) +
                         product(kind.hyper + 2, (kind.hyper + 2) * (kind.hyper + 2)) + 8 * static_cast<double>(d.head_dim + d.q_lora_rank) + product(d.o_groups, d.o_lora_rank);
    const double latent = product(m.heads, m.nope_dim + m.rope_dim + m.value_dim);
    const double ranks = static_cast<double>(m.q_lora_rank + m.kv_lora_rank + m.rope_dim);
    const double widths = 3 * static_cast<double>(f.width + f.shared_width) + static_cast<double>(f.experts) * (3 * static_cast<double>(f.expert_width) + 2);
    const auto hidden = static_cast<double>(spec.hidden);
    const double inner = product(c.heads, c.value_dim) * static_cast<double>(2 * c.rank + c.key_dim + c.kernel + 4);
    const double cross = product(kind.cross.heads + kind.cross.kv_heads, kind.cross.head_dim + kind.cross.value_dim) +
                         2 * static_cast<double>(kind.per_layer_input + kind.laurel_rank + kind.scalars);
    const double compressed = product(d.heads, d.head_dim) * static_cast<double>(d.q_lora_rank + d.o_lora_rank) + product(x.heads, x.dim) * static_cast<double>(m.q_lora_rank + d.q_lora_rank) +
                              8 * product(d.ratio, d.head_dim + x.dim);
    widest = std::max(widest, compressed + (cross + heads + latent + ranks + widths + state + 8) * (2 * hidden + 2) + latent * (ranks + hidden) + inner + hidden * hidden);
  }
  const double tables = (static_cast<double>(spec.vocabulary) + static_cast<double>(spec.positions)) * static_cast<double>(spec.hidden);
  const double per_layer = spec.kinds.empty() ? 0 : product(spec.kinds[0].per_layer_input, spec.layers()) * static_cast<double>(spec.per_layer_vocabulary + spec.hidden);
  double towers = 0;
  for (const auto& t : spec.towers)
    for (const auto& p : t.parts) towers += product(p.rows, p.columns) * static_cast<double>(p.count);
  return towers + widest * static_cast<double>(spec.layers() + spec.mtp_layers + 1) + 6 * tables + per_layer + 2 * product(spec.altup_inputs + 1, spec.hidden) * static_cast<double>(spec.hidden);
}

}  // namespace

std::optional<ModelSpec> read_config(const json& config, std::string_view name, std::string_view path, const Formats& formats, Problems& problems) {
  if (!config.is_object()) {
    problems.add(Code::wrong_type, std::string(path), {{"expected", "an object"}, {"found", config.type_name()}});
    return std::nullopt;
  }
  Problems found;
  auto language = language_part(config, path);
  json filled;
  if (const auto* text = entry(config, "text_config"); language.object == &config && text && !entry(config, "hidden_size") && fill_in(*text, filled))
    language = {&filled, pointer(path, "text_config")};
  ConfigReader r(*language.object, language.path, config, std::string(path), found);
  ModelSpec spec;
  spec.id = spec.name = name;

  // A text_config that does not say what it is, is what the whole says it is.
  const auto own = text_in(*language.object, "model_type"), whole = text_in(config, "model_type");
  spec.architecture = own.empty() ? whole : own;
  if (spec.architecture.empty()) spec.architecture = type_of_keys(config);
  auto read = find_family(spec.architecture);
  // Copies have types of their own; the class is what is run.
  for (const auto& type : {own, whole, type_of_class(config)})
    if (!read && unsupported_part(own).empty()) read = find_family(type);
  std::vector<std::string> missing;
  const auto known_part = read ? std::string_view() : unsupported_part(unsupported_part(own).empty() ? whole : own);
  const bool knows_signs = read && (read == find_hybrid(own) || read == find_hybrid(whole) || read == find_hybrid(spec.architecture));
  if (known_part.empty() && !knows_signs) look_for_signs(r, read != nullptr);
  if (!r.unsupported_parts().empty()) {
    // What is missing is said below; to read the rest would only find faults that follow from it.
  } else if (read) {
    read(r, spec);
  } else if (!known_part.empty()) {
    missing.emplace_back(known_part);
  } else {
    read_generic(r, spec);
    if (!r.failed())
      found.add(Code::unknown_architecture, pointer(path, "model_type"), {{"model_type", spec.architecture}});
  }
  missing.insert(missing.end(), r.unsupported_parts().begin(), r.unsupported_parts().end());
  if (!missing.empty())
    found.add(Code::unsupported_model, std::string(path), {{"model_type", spec.architecture}, {"missing", missing}});

  spec.published = read_published(r, formats, spec.layers());
  if (missing.empty()) {
    const auto* thinker = entry(config, "thinker_config");
    ConfigReader holder(thinker ? *thinker : config, thinker ? pointer(path, "thinker_config") : std::string(path), config, std::string(path), found);
    read_towers(holder, spec);
    ConfigReader whole_reader(config, std::string(path), config, std::string(path), found);
    read_voice(whole_reader, spec);
    warn_of_other_heads(r);
  }
  if (!found.has_errors() && spec.kinds.size() > kMostKinds) r.contradiction("layer_types", "num_hidden_layers", "more than 255 different layers");
  if (!found.has_errors() && bound_on_parameters(spec) > kMostParameters)
    found.add(Code::config_contradiction, std::string(path),
              {{"a", "hidden_size"}, {"b", "the other sizes"}, {"why", "together they make more than 2^53 parameters"}});
  // Arguments are read in another order by another compiler; problems come in one order.
  std::vector<Problem> sorted;
  for (const auto& problem : found.list())
    sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), problem, [](const Problem& x, const Problem& y) { return x.path < y.path; }), problem);
  for (const auto& problem : sorted) problems.add(problem);
  if (found.has_errors()) return std::nullopt;
  return spec;
}

}  // namespace weighbridge
