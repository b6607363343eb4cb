// Names under which a catalogue model is known elsewhere: copies by other owners, quantised files, variants that share its shape.
#pragma once

#include <string_view>

#include "weighbridge/catalog.hpp"

namespace weighbridge {

struct NamedModel {
  const CatalogModel* model = nullptr;       // nullptr: not recognised
  const WeightFormat* format = nullptr;      // that the name speaks of ("-AWQ", ":Q4_K_M")
  std::string_view container = {};           // files of this kind hold any format, and the name does not say which ("-GGUF")
};

// For names that Catalog::find_model does not know. Only words that change no shape may differ.
NamedModel recognise(const Catalog& catalog, std::string_view name);

}  // namespace weighbridge
