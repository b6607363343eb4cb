// The model of a request: by name, by its config.json, by the header of its files, or by its figures.
#include <map>

#include "json.hpp"
#include "read/checkpoint.hpp"
#include "read/header_model.hpp"
#include "read/manual.hpp"
#include "read/model_name.hpp"
#include "read/request_reader.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"

namespace weighbridge {

namespace {


std::optional<ModelChoice> read_manual(Reader& r) {
  ManualSizes s;
  s.parameters = r.figure("/model/manual/parameters");
  s.active_parameters = r.figure("/model/manual/active_parameters");
  s.layers = r.count("/model/manual/layers");
  s.hidden = r.count("/model/manual/hidden_size");
  s.heads = r.count("/model/manual/heads");
  s.kv_heads = r.count("/model/manual/kv_heads");
  s.head_dim = r.count("/model/manual/head_dim");
  s.vocabulary = r.count("/model/manual/vocab_size");
  s.feed_forward = r.count("/model/manual/intermediate_size");
  if (s.parameters < 1) {
    if (!r.has("/model/manual/parameters")) r.missing("/model/manual", "parameters");
    return std::nullopt;
  }
  if (s.active_parameters > s.parameters)
    r.problems().add(Code::out_of_range, "/model/manual/active_parameters", {{"value", s.active_parameters}, {"max", s.parameters}});
  if (s.heads > 0 && s.kv_heads > s.heads)
    r.problems().add(Code::out_of_range, "/model/manual/kv_heads",
                     {{"value", static_cast<double>(s.kv_heads)}, {"max", static_cast<double>(s.heads)}});
  const auto name = r.valid("/model/name");
  auto made = manual_model(s, name ? std::string(as_text(*name)) : std::string(), r.catalog());
  ModelChoice out;
  out.manual = true;
  out.layers_known = s.layers > 0;
  out.hidden_known = s.hidden > 0;
  out.heads_known = s.heads > 0;
  out.model_kind = made.like.empty() ? Kind::model : Kind::assumed;
  if (!made.like.empty()) {
    const auto& spec = made.inventory.spec;
    const auto& a = spec.kinds.front().mixer.attention;
    const auto note = [&](std::string_view key, std::int64_t given, std::int64_t taken) {
      if (given == 0) r.assume(std::string("/model/manual/") + std::string(key), std::to_string(taken), "estimated", made.like);
    };
    note("layers", s.layers, spec.layers());
    note("hidden_size", s.hidden, spec.hidden);
    note("heads", s.heads, a.heads);
    note("kv_heads", s.kv_heads, a.kv_heads);
    note("head_dim", s.head_dim, a.head_dim);
    note("vocab_size", s.vocabulary, spec.vocabulary);
    note("intermediate_size", s.feed_forward, spec.kinds.front().feed_forward.width);
    r.problems().add(Code::assumed_shape, "/model/manual", {{"parameters", s.parameters}, {"like", made.like}});
  }
  out.model = std::make_shared<const Inventory>(std::move(made.inventory));
  return out;
}

}  // namespace

const CatalogReading& catalog_model(const CatalogModel& entry, const Catalog& catalog) {
  static thread_local std::map<const CatalogModel*, CatalogReading> readings;
  auto& reading = readings[&entry];
  if (!reading.inventory) {
    reading.problems = {};
    auto spec = read_config(catalog.model_config(entry), entry.id, "/model", catalog.formats(), reading.problems);
    if (spec) {
      spec->name = entry.name;
      reading.inventory = std::make_shared<const Inventory>(inventory(std::move(*spec)));
    }
  }
  return reading;
}

NamedModel find_named_model(Reader& r, std::string_view path, std::string_view name) {
  if (const auto* entry = r.catalog().find_model(name)) return {entry};
  const auto named = recognise(r.catalog(), name);
  if (named.model) {
    r.problems().add(Code::model_taken_for, path, {{"value", name}, {"model", named.model->id}, {"format", named.format ? named.format->id : std::string()}, {"container", named.container}});
    return named;
  }
  std::vector<std::string> known;
  for (const auto& m : r.catalog().models()) {
    known.push_back(m.id);
    known.insert(known.end(), m.aliases.begin(), m.aliases.end());
  }
  r.unknown(Code::unknown_model, path, name, known);
  return {};
}

std::optional<ModelChoice> read_model(Reader& r) {
  const auto* model = value_at(r.request(), "/model");
  if (!model) {
    r.missing("", "model");
    return std::nullopt;
  }
  std::optional<ModelSpec> spec;
  double released = 0;
  if (model->is_string()) {
    const auto named = find_named_model(r, "/model", as_text(*model));
    if (!named.model) return std::nullopt;
    const auto& known = catalog_model(*named.model, r.catalog());
    for (const auto& problem : known.problems.list()) r.problems().add(problem);
    if (!known.inventory) return std::nullopt;
    ModelChoice out;
    out.model = known.inventory;
    out.named_format = named.format;
    out.released = named.model->released;
    return out;
  } else if (model->is_object()) {
    const auto* config = value_at(*model, "/config");
    const auto* manual = value_at(*model, "/manual");
    const auto* header = r.valid("/model/header");
    if (config && manual) r.conflict("/model", "config", "manual");
    if (header && (config || manual)) r.conflict("/model", "header", config ? "config" : "manual");
    if (!config && r.has("/model/stored")) r.conflict("/model", "stored", header ? "header" : "manual");
    if (!config && !manual && !header) {
      r.missing("/model", "config");
      return std::nullopt;
    }
    if (manual) return manual->is_object() ? read_manual(r) : std::nullopt;
    const auto* name = r.valid("/model/name");
    if (header) {
      auto read = read_header_model(*header, name ? as_text(*name) : "model", "/model/header", r.catalog().formats(), r.problems());
      if (!read) return std::nullopt;
      if (!read->spec.assumed.empty()) r.problems().add(Code::assumed_from_tensors, "/model/header", {{"what", read->spec.assumed}});
      ModelChoice out;
      out.model = std::make_shared<const Inventory>(std::move(*read));
      return out;
    }
    std::string shown_name = name ? std::string(as_text(*name)) : text_of(*config, "_name_or_path");
    if (shown_name.empty()) shown_name = text_of(*config, "model_type");
    released = std::max(r.catalog().paces().date_of("transformers", text_of(*config, "transformers_version")), r.catalog().first_release(text_of(*config, "model_type")));
    if (config->is_object()) spec = read_config(*config, shown_name, "/model/config", r.catalog().formats(), r.problems());
  }
  if (!spec) return std::nullopt;
  auto made = inventory(std::move(*spec));
  if (const auto* stored = r.valid("/model/stored")) {
    const auto parts = read_stored(*stored, "/model/stored", made, r.catalog().formats(), r.problems());
    if (!parts) return std::nullopt;
    apply(*parts, r.catalog().formats(), made);
  }
  ModelChoice out;
  out.model = std::make_shared<const Inventory>(std::move(made));
  out.released = released;
  return out;
}

}  // namespace weighbridge
