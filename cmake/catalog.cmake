# core/data -> one JSON text -> generated/catalog_data.cpp. The pack step refuses data that cannot be right.

find_program(WEIGHBRIDGE_NODE NAMES node nodejs REQUIRED)
set(WEIGHBRIDGE_CATALOG_CPP "${CMAKE_BINARY_DIR}/generated/catalog_data.cpp")
file(GLOB_RECURSE catalog_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/core/data/*.json")
add_custom_command(
  OUTPUT "${WEIGHBRIDGE_CATALOG_CPP}"
  COMMAND "${WEIGHBRIDGE_NODE}" "${CMAKE_SOURCE_DIR}/scripts/pack_catalog.mjs" --out "${WEIGHBRIDGE_CATALOG_CPP}"
  # The script keeps a file whose content would not change; ninja needs its time to move on.
  COMMAND "${CMAKE_COMMAND}" -E touch "${WEIGHBRIDGE_CATALOG_CPP}"
  DEPENDS ${catalog_files} "${CMAKE_SOURCE_DIR}/scripts/pack_catalog.mjs" "${CMAKE_SOURCE_DIR}/scripts/catalog_text.mjs" "${CMAKE_SOURCE_DIR}/package.json"
  COMMENT "Packing the catalogue"
  VERBATIM)
