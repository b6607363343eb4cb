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
#include "weighbridge/request.hpp"

namespace weighbridge {

struct CatalogModel {
  std::string id, name;
  std::vector<std::string> aliases;
  const nlohmann::json* entry = nullptr;         // the packed row, with its "config"
};

struct CatalogDevice {
  Device device;
  std::vector<std::string> aliases;
  const nlohmann::json* entry = nullptr;
};

struct CatalogEngine {
  std::string id, name;
  bool profile = false;
  bool layer_split = false;
};

class Catalog {
 public:
  explicit Catalog(std::string_view packed);
  Catalog(const Catalog&) = delete;              // entries point into it
  Catalog& operator=(const Catalog&) = delete;

  const nlohmann::json& json() const { return json_; }
  const Formats& formats() const { return formats_; }
  const std::vector<CatalogModel>& models() const { return models_; }
  const std::vector<CatalogDevice>& devices() const { return devices_; }
  const std::vector<CatalogEngine>& engines() const { return engines_; }

  // By id or alias, case-insensitive; nullptr when there is none.
  const CatalogModel* find_model(std::string_view id) const;
  const CatalogDevice* find_device(std::string_view id) const;
  const CatalogEngine* find_engine(std::string_view id) const;

  // Fills in the efficiencies that a device of this class and memory reaches.
  void set_efficiency(Device& device, std::string_view memory_kind, std::string_view vendor) const;

 private:
  nlohmann::json json_;
  Formats formats_;
  std::vector<CatalogModel> models_;
  std::vector<CatalogDevice> devices_;
  std::vector<CatalogEngine> engines_;
  std::vector<std::pair<std::string, std::size_t>> model_names_, device_names_;      // lower case, sorted
};

// The catalogue of this build, read on first use.
const Catalog& catalog();

}  // namespace weighbridge
