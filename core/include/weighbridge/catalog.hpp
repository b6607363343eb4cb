// The catalogue compiled into the library: models, devices, formats, engines, efficiencies and their sources.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weighbridge/formats.hpp"
#include "weighbridge/hardware.hpp"
#include "weighbridge/model.hpp"
#include "weighbridge/pace.hpp"
#include "weighbridge/request.hpp"

namespace weighbridge {

struct CatalogModel {
  std::string id, name, model_type;
  std::vector<std::string> aliases;
  std::size_t row = 0;
  double released = 0;                 // in years; 0: not known
};

struct CatalogDevice {
  Device device;
  std::vector<std::string> aliases;
  std::size_t row = 0;
};

struct CatalogEngine {
  std::string id, name;
  bool profile = false;
  bool layer_split = false;
  EngineRule rule = EngineRule::ideal;
  std::vector<std::string> versions;             // the first and the last that are known; empty: it has none
  std::vector<std::string> releases;             // the last ones of lines (0.8.x) that are over, ascending
  std::vector<std::string> small;                // devices that never count as large, by the beginning of their ids
  std::vector<std::string> unread, unrun;        // weight formats that it does not read, by the beginning of their ids, "gguf" or "!gguf"; classes of devices that it does not run on
  std::string unstated;                          // the version that stands for a request without one; empty: the last
  std::vector<EngineConstant> constants;
  Ranges ranges;
};

class Catalog {
 public:
  explicit Catalog(std::string_view packed);
  Catalog(const Catalog&) = delete;              // pointers to its entries are handed out
  Catalog& operator=(const Catalog&) = delete;

  const nlohmann::json& json() const { return json_; }
  const Formats& formats() const { return formats_; }
  const std::vector<CatalogModel>& models() const { return models_; }
  const std::vector<CatalogDevice>& devices() const { return devices_; }
  const std::vector<CatalogEngine>& engines() const { return engines_; }

  // The rows as their files have them, in base units; a model's without its config.
  nlohmann::json device_row(std::size_t i, bool whole = true) const;      // `whole`: with its basis
  nlohmann::json model_row(std::size_t i, bool whole = true) const;
  nlohmann::json model_config(const CatalogModel& model) const;
  // When the first model of such an architecture came out, in years; 0: none is known.
  double first_release(std::string_view model_type) const;

  // By id, its last part, name or alias, in any spelling of these (case, spaces and hyphens do not matter; a device's maker
  // and product line may be left out); nullptr when there is none.
  const CatalogModel* find_model(std::string_view id) const;
  const CatalogDevice* find_device(std::string_view id) const;
  const CatalogEngine* find_engine(std::string_view id) const;

  const PaceTable& paces() const { return paces_; }
  // The catalogue's device whose peaks and memory are nearest to these figures: a device given in the request reaches what that one
  // does. Bandwidth does not choose, so that more of it never makes an estimate slower. nullptr when the catalogue is empty.
  const Device* nearest_device(const Device& figures) const;

 private:
  const nlohmann::json& table(std::string_view key) const;

  nlohmann::json json_;
  Formats formats_;
  PaceTable paces_;
  std::vector<CatalogModel> models_;
  std::vector<CatalogDevice> devices_;
  std::vector<CatalogEngine> engines_;
  std::vector<std::pair<std::string, std::size_t>> model_names_, device_names_;      // by key, sorted
  std::vector<std::string> prefixes_;            // makers and product lines
};

// The catalogue of this build, read on first use.
const Catalog& catalog();

}  // namespace weighbridge
