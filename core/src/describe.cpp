// describe(): what there is, from the tables that everything else is driven by.
#include "answer_fields.hpp"
#include "json.hpp"
#include "json_writer.hpp"
#include "read/fields.hpp"
#include "weighbridge/api.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/problem.hpp"
#include "weighbridge/read_config.hpp"

namespace weighbridge::api {

namespace {

using nlohmann::json;

void words(JsonWriter& w, std::string_view key, std::string_view list) {
  w.key(key).begin_array();
  for (const auto& word : split_words(list)) w.text(word);
  w.end_array();
}

void optional(JsonWriter& w, std::string_view key, std::string_view value) {
  if (!value.empty()) w.member(key, value);
}

void describe_fields(JsonWriter& w, std::string_view call, std::span<const Field> fields) {
  w.key(call).begin_array();
  for (const auto& f : fields) {
    w.begin_object().member("path", f.path).member("type", type_name(f.type)).member("summary", f.summary);
    optional(w, "unit", f.unit);
    if (f.min - f.min == 0) w.member(f.above_min ? "above" : "min", f.min);
    if (f.max - f.max == 0) w.member("max", f.max);
    if (!f.standard.empty()) w.key("default").raw(f.standard);
    if (!f.choices.empty()) words(w, "enum", f.choices);
    w.end_object();
  }
  w.end_array();
}

void describe_answer(JsonWriter& w, std::string_view call, std::span<const AnswerField> fields) {
  w.key(call).begin_array();
  for (const auto& f : fields) {
    w.begin_object().member("path", f.path).member("type", answer_type_name(f.type)).member("summary", f.summary).member("nullable", f.nullable);
    optional(w, "unit", f.unit);
    if (!f.choices.empty()) words(w, "enum", f.choices);
    if (f.steps[1] != FormulaId::kCount) {
      w.key("step").begin_array();
      for (const auto id : f.steps) if (id != FormulaId::kCount) w.text(formula(id).name);
      w.end_array();
    }
    else if (f.steps[0] != FormulaId::kCount) w.member("step", formula(f.steps[0]).name);
    optional(w, "of", f.of);
    if (f.article != FormulaId::kCount) w.member("article_step", formula(f.article).name);
    optional(w, "article_of", f.article_of);
    w.end_object();
  }
  w.end_array();
}

void describe_formulas(JsonWriter& w) {
  w.key("formulas").begin_array();
  for (const auto& f : formula_table()) {
    w.begin_object().member("id", f.name).member("text", f.text).member("unit", f.unit).member("kind", kind_name(f.kind));
    w.member("source", f.source).member("locator", f.locator).member("summary", f.summary).member("method", f.article ? "article" : "detailed").end_object();
  }
  w.end_array();
}

void describe_problems(JsonWriter& w) {
  w.key("problems").begin_array();
  for (int i = 0; i < static_cast<int>(Code::kCount); ++i) {
    const auto code = static_cast<Code>(i);
    w.begin_object().member("code", code_name(code)).member("severity", severity_name(severity(code))).member("summary", summary(code)).end_object();
  }
  w.end_array();
}

void describe_model(JsonWriter& w, const CatalogModel& m, const Catalog& catalog) {
  w.begin_object();
  const auto row = catalog.model_row(m.row);
  for (auto at = row.begin(); at != row.end(); ++at) w.key(at.key()).value(at.value());
  Problems ignored;
  if (auto spec = read_config(catalog.model_config(m), m.id, "", catalog.formats(), ignored)) {
    const auto inv = inventory(std::move(*spec));
    w.member("parameters", static_cast<double>(inv.parameters)).member("active_parameters", static_cast<double>(inv.active_parameters));
    w.member("layers", static_cast<double>(inv.spec.layers()));
    if (inv.spec.context > 0) w.member("context_tokens", static_cast<double>(inv.spec.context));
    optional(w, "published_format", inv.spec.published.format);
  }
  w.end_object();
}

void aliases(JsonWriter& w, const std::vector<std::string>& list) {
  w.key("aliases").begin_array();
  for (const auto& alias : list) w.text(alias);
  w.end_array();
}

}  // namespace

std::string describe() {
  const auto& c = catalog();
  JsonWriter w;
  w.begin_object().member("version", version());
  w.key("fields").begin_object();
  describe_fields(w, "estimate", estimate_fields());
  describe_fields(w, "train", train_fields());
  describe_fields(w, "plan", plan_fields());
  describe_fields(w, "sweep", sweep_fields());
  w.end_object().key("answers").begin_object();
  describe_answer(w, "estimate", estimate_answer());
  describe_answer(w, "train", train_answer());
  w.end_object();
  describe_formulas(w);
  describe_problems(w);
  w.key("models").begin_array();
  for (const auto& m : c.models()) describe_model(w, m, c);
  w.end_array().key("weight_formats").begin_array();
  for (const auto& f : c.formats().weights) {
    w.begin_object().member("id", f.id).member("name", f.name).member("group", f.group).member("bits_per_weight", f.bits_per_weight).member("source", f.source);
    aliases(w, f.aliases);
    w.end_object();
  }
  w.end_array().key("kv_formats").begin_array();
  for (const auto& f : c.formats().kv) {
    w.begin_object().member("id", f.id).member("bits_per_element", f.bits).member("source", f.source);
    aliases(w, f.aliases);
    w.end_object();
  }
  w.end_array().key("devices").begin_array();
  for (const auto& d : c.devices()) w.value(c.device_row(d.row));
  w.end_array();
  for (const auto* part : {"engines", "optimizers", "efficiency", "sources"})
    if (const auto* value = member(c.json(), part)) w.key(part).value(*value);
  return w.end_object().take();
}

}  // namespace weighbridge::api
