#include "weighbridge/catalog.hpp"

#include <algorithm>

#include "json.hpp"
#include "read/json_text.hpp"
#include "read/formats_json.hpp"

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

// The weakest word that the catalogue says of a figure.
Kind figure_kind(const json& row, std::string_view figure) {
  const auto* basis = member(row, "basis");
  const auto* words = basis ? member(*basis, figure) : nullptr;
  if (!words || !words->is_array() || words->empty()) return Kind::exact;
  const auto word = as_text(words->front());
  return word == "assumed" ? Kind::assumed : word == "derived" ? Kind::model : Kind::exact;
}

constexpr std::string_view kPeaks[6] = {"fp32", "fp16", "bf16", "fp8", "fp4", "int8"};     // in the order of Arithmetic

Device read_device(const json& row) {
  Device d;
  d.id = text_of(row, "id");
  d.name = text_of(row, "name");
  d.device_class = text_of(row, "class");
  d.memory = Bytes{number_of(row, "memory_bytes")};
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
  d.memory_kind = figure_kind(row, "memory_bytes");
  d.bandwidth_kind = figure_kind(row, "bandwidth");
  for (const auto name : {"flops.bf16", "flops.fp16"})
    d.peak_kind = weakest(d.peak_kind, figure_kind(row, name));
  return d;
}

Efficiency read_efficiency(const json& row, std::string_view key) {
  const auto* e = member(row, key);
  if (!e) return {};
  return {number_of(*e, "value", 1), number_of(*e, "low", 1), number_of(*e, "high", 1)};
}

bool allows(const json& applies, std::string_view key, std::string_view value) {
  const auto* list = member(applies, key);
  if (!list || !list->is_array()) return true;
  return std::any_of(list->begin(), list->end(), [&](const json& item) { return as_text(item) == value; });
}

std::string_view entry_id(const CatalogModel& m) { return m.id; }
std::string_view entry_id(const CatalogDevice& d) { return d.device.id; }

template <class Entries>
std::vector<std::pair<std::string, std::size_t>> name_index(const Entries& entries) {
  std::vector<std::pair<std::string, std::size_t>> names;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    names.emplace_back(lower(entry_id(entries[i])), i);
    for (const auto& alias : entries[i].aliases) names.emplace_back(lower(alias), i);
  }
  std::stable_sort(names.begin(), names.end());
  return names;
}

template <class Entries>
auto find_entry(const Entries& entries, const std::vector<std::pair<std::string, std::size_t>>& names, std::string_view id)
    -> decltype(entries.data()) {
  const auto wanted = lower(id);
  const auto at = std::lower_bound(names.begin(), names.end(), wanted, [](const auto& a, const auto& b) { return a.first < b; });
  return at != names.end() && at->first == wanted ? &entries[at->second] : nullptr;
}

}  // namespace

Catalog::Catalog(std::string_view packed) : json_(parse_trusted(packed)) {
  if (const auto* formats = member(json_, "formats")) formats_ = read_formats(*formats);
  const auto rows = [&](std::string_view key, auto&& add) {
    if (const auto* list = member(json_, key); list && list->is_array())
      for (const auto& row : *list) add(row);
  };
  rows("models", [&](const nlohmann::json& row) { models_.push_back({text_of(row, "id"), text_of(row, "name"), strings(row, "aliases"), &row}); });
  rows("devices", [&](const nlohmann::json& row) {
    CatalogDevice d{read_device(row), strings(row, "aliases"), &row};
    set_efficiency(d.device, text_of(row, "memory_kind"), text_of(row, "vendor"));
    devices_.push_back(std::move(d));
  });
  rows("engines", [&](const nlohmann::json& row) {
    const auto flag = [&](std::string_view key) { const auto* f = member(row, key); return f && f->is_boolean() && f->get<bool>(); };
    engines_.push_back({text_of(row, "id"), text_of(row, "name"), flag("profile"), flag("layer_split")});
  });
  model_names_ = name_index(models_);
  device_names_ = name_index(devices_);
}

const CatalogModel* Catalog::find_model(std::string_view id) const { return find_entry(models_, model_names_, id); }
const CatalogDevice* Catalog::find_device(std::string_view id) const { return find_entry(devices_, device_names_, id); }

const CatalogEngine* Catalog::find_engine(std::string_view id) const {
  const auto wanted = lower(id);
  const auto at = std::find_if(engines_.begin(), engines_.end(), [&](const auto& e) { return e.id == wanted; });
  return at == engines_.end() ? nullptr : &*at;
}

void Catalog::set_efficiency(Device& device, std::string_view memory_kind, std::string_view vendor) const {
  const auto* efficiency = member(json_, "efficiency");
  const auto* classes = efficiency ? member(*efficiency, "classes") : nullptr;
  if (!classes || !classes->is_array()) return;
  for (const auto& row : *classes) {
    const auto* applies = member(row, "applies");
    if (applies && !(allows(*applies, "memory_kinds", memory_kind) && allows(*applies, "vendors", vendor) &&
                     allows(*applies, "classes", device.device_class)))
      continue;
    device.compute = read_efficiency(row, "compute");
    device.bandwidth_share = read_efficiency(row, "bandwidth");
    device.link_share = read_efficiency(row, "link");
    if (const auto* bandwidth = member(row, "bandwidth")) device.efficiency_source = text_of(*bandwidth, "source");
    return;
  }
}

extern const char kCatalogText[];
extern const std::size_t kCatalogTextSize;

const Catalog& catalog() {
  static const Catalog instance{std::string_view(kCatalogText, kCatalogTextSize)};
  return instance;
}

}  // namespace weighbridge
