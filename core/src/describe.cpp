// describe(): what there is, from the tables that everything else is driven by.
#include "answer_fields.hpp"
#include "json.hpp"
#include "read/fields.hpp"
#include "weighbridge/api.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/estimate.hpp"
#include "weighbridge/problem.hpp"
#include "weighbridge/read_config.hpp"

namespace weighbridge::api {

namespace {

using nlohmann::json;

json describe_fields(std::span<const Field> fields) {
  json out = json::array();
  for (const auto& f : fields) {
    json row{{"path", f.path}, {"type", type_name(f.type)}, {"summary", f.summary}};
    if (!f.unit.empty()) row["unit"] = f.unit;
    if (f.min - f.min == 0) row[f.above_min ? "above" : "min"] = number(f.min);
    if (f.max - f.max == 0) row["max"] = number(f.max);
    if (!f.standard.empty()) row["default"] = json::parse(f.standard, nullptr, false);
    if (!f.choices.empty()) row["enum"] = split_words(f.choices);
    out.push_back(std::move(row));
  }
  return out;
}

json describe_answer(std::span<const AnswerField> fields) {
  json out = json::array();
  for (const auto& f : fields) {
    json row{{"path", f.path}, {"type", answer_type_name(f.type)}, {"summary", f.summary}, {"nullable", f.nullable}};
    if (!f.unit.empty()) row["unit"] = f.unit;
    if (!f.choices.empty()) row["enum"] = split_words(f.choices);
    if (f.steps[1] != FormulaId::kCount) row["step"] = {formula(f.steps[0]).name, formula(f.steps[1]).name};
    else if (f.steps[0] != FormulaId::kCount) row["step"] = formula(f.steps[0]).name;
    if (!f.of.empty()) row["of"] = f.of;
    if (f.article != FormulaId::kCount) row["article_step"] = formula(f.article).name;
    if (!f.article_of.empty()) row["article_of"] = f.article_of;
    out.push_back(std::move(row));
  }
  return out;
}

json describe_formulas() {
  json out = json::array();
  for (const auto& f : formula_table()) {
    out.push_back({{"id", f.name}, {"text", f.text}, {"unit", f.unit}, {"kind", kind_name(f.kind)}, {"source", f.source},
                   {"locator", f.locator}, {"summary", f.summary}, {"method", f.article ? "article" : "detailed"}});
  }
  return out;
}

json describe_problems() {
  json out = json::array();
  for (int i = 0; i < static_cast<int>(Code::kCount); ++i) {
    const auto code = static_cast<Code>(i);
    out.push_back({{"code", code_name(code)}, {"severity", severity_name(severity(code))}, {"summary", summary(code)}});
  }
  return out;
}

json describe_models(const Catalog& catalog) {
  json out = json::array();
  for (const auto& m : catalog.models()) {
    json row = catalog.model_row(m.row);
    Problems ignored;
    if (auto spec = read_config(catalog.model_config(m), m.id, "", catalog.formats(), ignored)) {
      const auto published = spec->published.format;
      const auto inv = inventory(std::move(*spec));
      row["parameters"] = inv.parameters;
      row["active_parameters"] = inv.active_parameters;
      row["layers"] = inv.spec.layers();
      if (inv.spec.context > 0) row["context_tokens"] = inv.spec.context;
      if (!published.empty()) row["published_format"] = published;
    }
    out.push_back(std::move(row));
  }
  return out;
}

json describe_devices(const Catalog& catalog) {
  json out = json::array();
  for (const auto& d : catalog.devices()) out.push_back(catalog.device_row(d.row));
  return out;
}

json describe_kv_formats(const Formats& formats) {
  json out = json::array();
  for (const auto& f : formats.kv) out.push_back({{"id", f.id}, {"aliases", f.aliases}, {"bits_per_element", number(f.bits)}, {"source", f.source}});
  return out;
}

json describe_weight_formats(const Formats& formats) {
  json out = json::array();
  for (const auto& f : formats.weights)
    out.push_back({{"id", f.id}, {"name", f.name}, {"aliases", f.aliases}, {"group", f.group}, {"bits_per_weight", number(f.bits_per_weight)}, {"source", f.source}});
  return out;
}

}  // namespace

std::string describe() {
  const auto& c = catalog();
  const auto part = [&](std::string_view key) {
    const auto* value = member(c.json(), key);
    return value ? *value : json::array();
  };
  const json out{{"version", version()},
                 {"fields", {{"estimate", describe_fields(estimate_fields())}, {"train", describe_fields(train_fields())},
                             {"plan", describe_fields(plan_fields())}, {"sweep", describe_fields(sweep_fields())}}},
                 {"answers", {{"estimate", describe_answer(estimate_answer())}, {"train", describe_answer(train_answer())}}},
                 {"formulas", describe_formulas()},
                 {"problems", describe_problems()},
                 {"models", describe_models(c)},
                 {"devices", describe_devices(c)},
                 {"weight_formats", describe_weight_formats(c.formats())},
                 {"kv_formats", describe_kv_formats(c.formats())},
                 {"engines", part("engines")},
                 {"optimizers", part("optimizers")},
                 {"efficiency", part("efficiency")},
                 {"sources", part("sources")}};
  return weighbridge::text(out);
}

}  // namespace weighbridge::api
