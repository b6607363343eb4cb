// What the readers of requests share: checked values, and the parts that `estimate` and `train` have in common.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json.hpp"
#include "json_writer.hpp"
#include "read/fields.hpp"
#include "read/model_name.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/request.hpp"

namespace weighbridge {

// Reads checked values out of one request; notes which defaults were taken.
class Reader {
 public:
  Reader(const nlohmann::json& request, std::span<const Field> fields, const Catalog& catalog, Problems& problems)
      : request_(request), fields_(fields), catalog_(catalog), problems_(problems) {}

  std::vector<Assumption> assumptions;

  const nlohmann::json* valid(std::string_view path) const {
    const auto* value = value_at(request_, path);
    return value && is_valid(*value, field_at(fields_, path)) ? value : nullptr;
  }
  bool has(std::string_view path) const { return value_at(request_, path) != nullptr; }

  // `value` is JSON text.
  void assume(std::string_view path, std::string value, std::string_view from, std::string source = {}) {
    assumptions.push_back({std::string(path), std::move(value), from, std::move(source)});
  }
  void assume_text(std::string_view path, std::string_view value, std::string_view from) {
    assume(path, JsonWriter().text(value).take(), from);
  }

  // A number with the table's default.
  Given<double> number(std::string_view path, bool note = true) {
    if (const auto* value = valid(path)) return {value->get<double>(), From::user};
    const auto standard = field_at(fields_, path).standard;
    if (standard.empty()) return {};
    if (note && !has(path)) assume(path, std::string(standard), "default");
    std::int64_t whole = 0;                                      // every default is one
    std::from_chars(standard.data(), standard.data() + standard.size(), whole);
    return {static_cast<double>(whole), From::standard};
  }
  std::int64_t count(std::string_view path, std::int64_t otherwise = 0) const {
    const auto* value = valid(path);
    return value && value->is_number() ? static_cast<std::int64_t>(value->get<double>()) : otherwise;
  }
  double figure(std::string_view path) const {
    const auto* value = valid(path);
    return value && value->is_number() ? value->get<double>() : 0;
  }
  bool flag(std::string_view path) const {
    const auto* value = valid(path);
    return value && value->is_boolean() && value->get<bool>();
  }
  std::string words(std::string_view path, bool note = true) {
    if (const auto* value = valid(path)) return std::string(as_text(*value));
    const auto standard = field_at(fields_, path).standard;      // a quoted word
    if (note && !has(path)) assume(path, std::string(standard), "default");
    return std::string(standard.substr(1, standard.size() - 2));
  }

  const nlohmann::json& request() const { return request_; }
  const Catalog& catalog() const { return catalog_; }
  Problems& problems() { return problems_; }

  void unknown(Code code, std::string_view path, std::string_view word, const std::vector<std::string>& known) {
    problems_.add(code, path, {{"value", word}, {"nearest", nearest(word, known)}});
  }
  void missing(std::string_view path, std::string_view name) {
    problems_.add(Code::missing_field, path, {{"name", name}});
  }
  void conflict(std::string_view path, std::string_view a, std::string_view b) {
    problems_.add(Code::conflicting_fields, path, {{"a", a}, {"b", b}});
  }

 private:
  const nlohmann::json& request_;
  std::span<const Field> fields_;
  const Catalog& catalog_;
  Problems& problems_;
};

std::optional<ModelChoice> read_model(Reader& r);

// A catalogue model, read on first use: many requests ask for the same one.
struct CatalogReading {
  std::shared_ptr<const Inventory> inventory;
  Problems problems;
};
const CatalogReading& catalog_model(const CatalogModel& entry, const Catalog& catalog);

// By a name of the catalogue or one that is recognised, which is a warning; no model, and a problem, for any other.
NamedModel find_named_model(Reader& r, std::string_view path, std::string_view name);

// `model`: whose format is assumed where none is given.
WeightChoice read_weights(Reader& r, std::string_view path, const ModelChoice& model);

EngineChoice read_engine(Reader& r);
// What the engine does not have, or itself would not start with, is a warning; the answer is given all the same.
void check_kv_cache(Reader& r, Request& out, std::string_view engine);
void warn_of_context(Reader& r, const Request& out);
void warn_of_options(Reader& r, const Request& out, std::string_view engine);
void warn_of_refusals(Reader& r, const Request& out);

struct DeviceChoice {
  std::optional<Device> device;
  From from = From::catalog;
  std::int64_t listed = 0;             // how many ids a list had
  std::vector<Card> cards;             // of a list, when engines that split whole layers can use each card in full
};
DeviceChoice read_device(Reader& r, bool layer_split, bool first_only = false);

struct DeviceCount {
  Given<std::int64_t> devices{0};
  std::int64_t per_node = 0;
};
DeviceCount read_count(Reader& r);

}  // namespace weighbridge
