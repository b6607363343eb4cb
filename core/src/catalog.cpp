#include "weighbridge/catalog.hpp"

#include <algorithm>

#include "json.hpp"
#include "json_writer.hpp"
#include "read/formats_json.hpp"
#include "read/json_text.hpp"

namespace weighbridge {

namespace {

using nlohmann::json;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::vector<std::string> strings(const json& row, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = member(row, key); list && list->is_array())
    for (const auto& item : *list)
      if (const auto* s = item.get_ptr<const std::string*>()) out.push_back(*s);
  return out;
}

constexpr std::string_view kPeaks[6] = {"fp32", "fp16", "bf16", "fp8", "fp4", "int8"};     // in the order of Arithmetic

Device read_device(const json& row) {
  Device d;
  d.id = text_of(row, "id");
  d.name = text_of(row, "name");
  d.device_class = text_of(row, "class");
  d.memory = Bytes{number_of(row, "memory_bytes")};
  d.visible = Bytes{number_of(row, "visible_bytes", d.memory.value)};
  d.marketed = Bytes{number_of(row, "marketed_bytes", d.memory.value)};
  d.usable_fraction = number_of(row, "usable_fraction", 1);
  d.bandwidth = BytesPerSecond{number_of(row, "bandwidth")};
  if (const auto* flops = member(row, "flops"))
    for (std::size_t a = 0; a < 6; ++a) d.peak[a] = FlopsPerSecond{number_of(*flops, kPeaks[a])};
  d.link = BytesPerSecond{number_of(row, "link_bandwidth")};
  d.per_node = static_cast<std::int64_t>(number_of(row, "per_node"));
  d.power = Watts{number_of(row, "power_w")};
  if (const auto* price = member(row, "price")) d.price_per_hour = Dollars{number_of(*price, "usd_per_hour")};
  if (const auto* unified = member(row, "unified"); unified && unified->is_boolean()) d.unified = unified->get<bool>();
  return d;
}

// What two spellings of one name share; scripts/catalog_text.mjs (nameKey) says why.
std::string name_key(std::string_view name, const std::vector<std::string>& prefixes) {
  std::string key;
  for (const char c : lower(name))
    if ((c >= 'a' && c <= 'z') || (c >= '.' && c <= ':')) key += c;          // '.' '/' digits ':'
  if (prefixes.empty()) return key;
  if (key.size() >= 3 && key.compare(key.size() - 3, 3, "gpu") == 0) key.resize(key.size() - 3);
  for (auto p = prefixes.begin(); p != prefixes.end();) {
    if (key.compare(0, p->size(), *p) == 0) { key.erase(0, p->size()); p = prefixes.begin(); }
    else ++p;
  }
  return key;
}

const std::string& entry_id(const CatalogModel& m) { return m.id; }
const std::string& entry_name(const CatalogModel& m) { return m.name; }
const std::string& entry_id(const CatalogDevice& d) { return d.device.id; }
const std::string& entry_name(const CatalogDevice& d) { return d.device.name; }

using NameIndex = std::vector<std::pair<std::string, std::size_t>>;

template <class Entries>
NameIndex name_index(const Entries& entries, const std::vector<std::string>& prefixes) {
  NameIndex names;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto add = [&](std::string_view name) { names.emplace_back(name_key(name, prefixes), i); };
    const std::string_view id = entry_id(entries[i]);
    add(id);
    add(id.substr(id.find('/') + 1));
    add(entry_name(entries[i]));
    for (const auto& alias : entries[i].aliases) add(alias);
  }
  // A heap sort is a quarter of the code of the others; no two rows are alike, so any order is the same.
  std::make_heap(names.begin(), names.end());
  std::sort_heap(names.begin(), names.end());
  return names;
}

template <class Entries>
auto find_entry(const Entries& entries, const NameIndex& names, const std::string& key) -> decltype(entries.data()) {
  const auto at = std::lower_bound(names.begin(), names.end(), key, [](const auto& a, const std::string& b) { return a.first < b; });
  return !key.empty() && at != names.end() && at->first == key ? &entries[at->second] : nullptr;
}

// "a||b|~" as a list: null where nothing stands between bars, ~ for the value before; whole numbers where there is a scale.
json unfolded(std::string_view text, const double* scale) {
  json list = json::array();
  for (;;) {
    const auto end = std::min(text.find('|'), text.size());
    const auto item = text.substr(0, end);
    if (item.empty()) {
      list.push_back(nullptr);
    } else if (item == "~" && !list.empty()) {
      list.push_back(json(list.back()));
    } else if (!scale) {
      list.push_back(item);
    } else {
      const bool as_it_stands = item[0] == '-';
      double value = 0;
      for (const char c : item.substr(as_it_stands ? 1 : 0)) value = value * 10 + (c - '0');
      list.push_back(json(as_it_stands ? value : value * *scale));
    }
    if (end == text.size()) return list;
    text.remove_prefix(end + 1);
  }
}

// Turns the texts of a table's columns into lists; scripts/catalog_text.mjs has the rules of the packed form.
void unfold(json& columns) {
  for (auto& column : columns) {
    if (column.is_string()) {
      column = unfolded(as_text(column), nullptr);
    } else if (column.is_object()) {
      const auto* of = member(column, "of");
      const double scale = number_of(column, "scale", 1);
      if (of && of->is_string()) column = unfolded(as_text(*of), &scale);
      else if (!of) unfold(column);
    }
  }
}

// The value of one row in a column; null where it has none.
json row_of(const json& columns, std::size_t i, std::string_view without = {});

json cell(const json& column, std::size_t i) {
  const auto* of = column.is_object() ? member(column, "of") : &column;
  if (!of) {
    auto row = row_of(column, i);
    return row.empty() ? json() : row;
  }
  if (i < of->size() && !(*of)[i].is_null()) return (*of)[i];
  const auto* otherwise = member(column, "or");
  return otherwise ? *otherwise : json();
}

json row_of(const json& columns, std::size_t i, std::string_view without) {
  json row = json::object();
  for (auto at = columns.begin(); at != columns.end(); ++at)
    if (at.key() == without) continue;
    else if (auto value = cell(*at, i); !value.is_null()) row[at.key()] = std::move(value);
  return row;
}

std::size_t rows_of(const json& table) { return static_cast<std::size_t>(number_of(table, "rows")); }

json table_row(const json& table, std::size_t i, std::string_view without = {}) {
  const auto* columns = member(table, "columns");
  return columns ? row_of(*columns, i, without) : json::object();
}

// How sure the catalogue is of a figure of a device.
Kind figure_kind(const json& devices, std::string_view figure, std::size_t i) {
  const auto* columns = member(devices, "columns");
  const auto* basis = columns ? member(*columns, "basis") : nullptr;
  const auto* column = basis ? member(*basis, figure) : nullptr;
  const auto* provenance = member(devices, "provenance");
  const auto at = column ? cell(*column, i) : json();
  if (!provenance || !at.is_number() || at.get<std::size_t>() >= provenance->size()) return Kind::exact;
  const auto words = as_text((*provenance)[at.get<std::size_t>()]).substr(0, 1);
  return words == "a" ? Kind::assumed : words == "d" ? Kind::model : Kind::exact;
}

json table_rows(const json& table) {
  json rows = json::array();
  for (std::size_t i = 0; i < rows_of(table); ++i) rows.push_back(table_row(table, i));
  return rows;
}

// "[GeForce ]RTX 4090": the name without brackets, and the id in small letters and hyphens without what they hold.
void read_marked_name(json& row) {
  std::string name, id;
  bool hyphen = false, inside = false;
  for (const char c : text_of(row, "name")) {
    if (c == '[' || c == ']') { inside = c == '['; continue; }
    name += c;
    if (inside) continue;
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((small >= 'a' && small <= 'z') || (small >= '0' && small <= '9')) {
      if (hyphen && !id.empty()) id += '-';
      id += small;
      hyphen = false;
    } else {
      hyphen = true;
    }
  }
  row["name"] = name;
  if (!row.contains("id")) row["id"] = id;
}

// The id's last part in words: sizes and first letters large, without "hf".
std::string name_of_id(std::string_view id) {
  std::string name;
  for (auto rest = id.substr(id.find('/') + 1); !rest.empty();) {
    const auto end = std::min(rest.find_first_of("-_"), rest.size());
    std::string word(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (word.empty() || word == "hf") continue;
    const auto large = [](char& c) { if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A'); };
    if (word[0] < '0' || word[0] > '9') large(word[0]);
    else if (word.find_first_not_of("0123456789.x") == word.size() - 1 && (word.back() == 'b' || word.back() == 'm')) large(word.back());
    if (!name.empty()) name += ' ';
    name += word;
  }
  return name;
}

}  // namespace

Catalog::Catalog(std::string_view packed) : json_(parse_trusted(packed)) {
  if (!json_.is_object()) json_ = nlohmann::json::object();
  const auto unfold_table = [](nlohmann::json& t) {
    if (const auto at = t.find("columns"); t.is_object() && at != t.end()) unfold(*at);
  };
  for (const auto key : {"sources", "devices", "models"})
    if (const auto at = json_.find(key); at != json_.end()) unfold_table(*at);
  if (const auto at = json_.find("formats"); at != json_.end())
    for (auto& t : *at) unfold_table(t);
  auto formats = nlohmann::json::object();
  if (const auto* tables = member(json_, "formats"))
    for (auto at = tables->begin(); at != tables->end(); ++at) formats[at.key()] = table_rows(*at);
  formats_ = read_formats(formats);
  json_["sources"] = table_rows(table("sources"));
  const auto& models = table("models");
  const auto* types = member(models, "columns");
  for (const auto key : {"config", "model_type"})
    if (types) types = member(*types, key);
  for (std::size_t i = 0; i < rows_of(models); ++i) {
    const auto row = model_row(i, false);
    const auto type = types ? cell(*types, i) : nlohmann::json();
    models_.push_back({text_of(row, "id"), text_of(row, "name"), std::string(as_text(type)), strings(row, "aliases"), i, paces_.date_of({}, text_of(row, "release"))});
  }
  if (const auto* efficiency = member(json_, "efficiency")) paces_.read(*efficiency);
  const auto& devices = table("devices");
  prefixes_ = strings(devices, "prefixes");
  for (std::size_t i = 0; i < rows_of(devices); ++i) {
    const auto row = device_row(i, false);
    CatalogDevice d{read_device(row), strings(row, "aliases"), i};
    d.device.memory_kind = figure_kind(devices, "memory_bytes", i);
    d.device.bandwidth_kind = figure_kind(devices, "bandwidth", i);
    for (std::size_t a = 0; a < 6; ++a) d.device.peak_kind[a] = figure_kind(devices, "flops." + std::string(kPeaks[a]), i);
    if (const auto* driver = member(table("efficiency"), "driver"); driver && !d.device.unified && text_of(row, "vendor") == text_of(*driver, "vendor") && d.device.visible == d.device.memory)
      d.device.visible = d.device.memory - Bytes{number_of(*driver, "kept_bytes")} - number_of(*driver, "kept_share") * d.device.memory;
    d.device.pace_class = paces_.device_class(d.device.id, text_of(row, "vendor"), text_of(row, "architecture"), text_of(row, "memory_kind"));
    const auto& pace = paces_.device(d.device.pace_class);
    d.device.link_share = pace.link;
    d.device.unfolds = std::any_of(pace.unfolds.begin(), pace.unfolds.end(), [&](const auto& beginning) { return text_of(row, "architecture").starts_with(beginning); });
    if (pace.memory != MemoryClass::gddr || d.device.device_class == "consumer") d.device.training_class = pace.training;
    devices_.push_back(std::move(d));
  }
  if (const auto* engines = member(json_, "engines"); engines && engines->is_array())
    for (const auto& row : *engines) {
      const auto flag = [&](std::string_view key) { const auto* f = member(row, key); return f && f->is_boolean() && f->get<bool>(); };
      CatalogEngine e{text_of(row, "id"), text_of(row, "name"), flag("profile"), flag("layer_split"), find_engine_rule(text_of(row, "rule")).value_or(EngineRule::ideal),
                      strings(row, "versions"), strings(row, "releases"), strings(row, "small"), strings(row, "unread"), strings(row, "unrun"), std::string(text_of(row, "unstated")), {}, {}};
      if (const auto* constants = member(row, "constants"); constants && constants->is_array())
        for (const auto& c : *constants)
          if (const auto id = find_constant(text_of(c, "id"))) e.constants.push_back({*id, version_number(text_of(c, "since")).value_or(0), number_of(c, "value")});
      // "*" stands first: an engine's own rows replace what holds for all.
      if (const auto* intervals = member(json_, "intervals"); intervals && intervals->is_array() && e.rule != EngineRule::ideal)
        for (const auto& i : *intervals)
          if (const auto part = find_measured_part(text_of(i, "part")); part && (text_of(i, "engine") == "*" || text_of(i, "engine") == e.id))
            e.ranges[static_cast<std::size_t>(*part)] = {number_of(i, "low", 1), number_of(i, "high", 1)};
      engines_.push_back(std::move(e));
    }
  model_names_ = name_index(models_, {});
  device_names_ = name_index(devices_, prefixes_);
}

const nlohmann::json& Catalog::table(std::string_view key) const {
  static const nlohmann::json none = nlohmann::json::object();
  const auto* found = member(json_, key);
  return found ? *found : none;
}

nlohmann::json Catalog::model_config(const CatalogModel& model) const {
  const auto* columns = member(table("models"), "columns");
  const auto* config = columns ? member(*columns, "config") : nullptr;
  return config ? row_of(*config, model.row) : nlohmann::json::object();
}

double Catalog::first_release(std::string_view model_type) const {
  double first = 0;
  for (const auto& m : models_)
    if (m.released > 0 && m.model_type == model_type && (first == 0 || m.released < first)) first = m.released;
  return first;
}

nlohmann::json Catalog::model_row(std::size_t i, bool whole) const {
  nlohmann::json row = nlohmann::json::object();
  if (const auto* columns = member(table("models"), "columns"))
    for (auto at = columns->begin(); at != columns->end(); ++at) {
      if (at.key() == "config" || !(whole || at.key() == "id" || at.key() == "name" || at.key() == "aliases" || at.key() == "release")) continue;
      if (auto value = cell(*at, i); !value.is_null()) row[at.key()] = std::move(value);
    }
  const auto id = text_of(row, "id");
  if (!row.contains("name")) row["name"] = name_of_id(id);
  if (whole && !row.contains("source")) row["source"] = "https://huggingface.co/" + id;
  return row;
}

nlohmann::json Catalog::device_row(std::size_t i, bool whole) const {
  const auto& devices = table("devices");
  nlohmann::json row = table_row(devices, i, whole ? "" : "basis");
  read_marked_name(row);
  if (!row.contains("flops")) row["flops"] = nlohmann::json::object();
  const auto units = number_text(number_of(row, "units")), clock = number_text(number_of(row, "clock"));
  const auto size = number_text(number_of(row, "marketed_bytes") / 1e9);
  row.erase("units");
  row.erase("clock");
  const auto* provenance = member(devices, "provenance");
  const auto& sources = table("sources");
  if (!provenance || !row.contains("basis")) return row;
  for (auto& figure : row["basis"]) {
    const auto at = figure.get<std::size_t>();
    if (at >= provenance->size()) continue;
    const auto& from = (*provenance)[at];
    nlohmann::json words = nlohmann::json::array();
    if (from.is_array()) {
      words.push_back("sourced");
      for (const auto& source : from) words.push_back(text_of(sources[source.get<std::size_t>()], "id"));
    } else {
      const auto pattern = as_text(from);
      words.push_back(pattern.substr(0, 1) == "d" ? "derived" : "assumed");
      std::string out;
      for (const char c : pattern.substr(1)) {
        if (c == '@') out += units;
        else if (c == '$') out += clock;
        else if (c == '#') out += size;
        else out += c;
      }
      words.push_back(out);
    }
    figure = std::move(words);
  }
  return row;
}

const CatalogModel* Catalog::find_model(std::string_view id) const { return find_entry(models_, model_names_, name_key(id, {})); }
const CatalogDevice* Catalog::find_device(std::string_view id) const { return find_entry(devices_, device_names_, name_key(id, prefixes_)); }

const CatalogEngine* Catalog::find_engine(std::string_view id) const {
  const auto wanted = lower(id);
  const auto at = std::find_if(engines_.begin(), engines_.end(), [&](const auto& e) { return e.id == wanted; });
  return at == engines_.end() ? nullptr : &*at;
}

const Device* Catalog::nearest_device(const Device& f) const {
  // How many times larger one is than the other, as a distance that needs no logarithm; unknown figures say nothing.
  const auto apart = [](double a, double b) { return a > 0 && b > 0 ? (a > b ? a / b : b / a) - 1 : 0; };
  const auto wide = [](const Device& d) { return peak(d, Arithmetic::bf16).rate.value; };
  const auto vector = [](const Device& d) { return d.peak[static_cast<std::size_t>(Arithmetic::fp32)].value; };
  const Device* best = nullptr;
  double least = 0;
  for (const auto& entry : devices_) {
    const auto& d = entry.device;
    double distance = apart(wide(f), wide(d)) + apart(vector(f), vector(d)) + apart(f.memory.value, d.memory.value) / 4;
    if (f.unified != d.unified) distance += 1;
    if (!f.device_class.empty() && f.device_class != d.device_class) distance += 1;
    for (const auto a : {Arithmetic::fp8, Arithmetic::fp4, Arithmetic::int8})
      if ((peak(f, a).arithmetic == a) != (peak(d, a).arithmetic == a)) distance += 0.1;
    if (!best || distance < least) { best = &d; least = distance; }
  }
  return best;
}

extern const char kCatalogText[];
extern const std::size_t kCatalogTextSize;

const Catalog& catalog() {
  static const Catalog instance{std::string_view(kCatalogText, kCatalogTextSize)};
  return instance;
}

}  // namespace weighbridge
