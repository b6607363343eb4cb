# Flags shared by everything that is compiled, native and wasm.

include(CheckCXXCompilerFlag)

add_library(weighbridge_options INTERFACE)
# The same answer everywhere: no fused multiply-add where one machine has it and another does not.
target_compile_options(weighbridge_options INTERFACE -ffp-contract=off)

if(WEIGHBRIDGE_SANITIZE AND NOT EMSCRIPTEN)
  # A finding ends the program, so that no test passes over it.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(weighbridge_options INTERFACE ${sanitizers})
  target_link_options(weighbridge_options INTERFACE ${sanitizers})
endif()

add_library(weighbridge_warnings INTERFACE)
target_compile_options(weighbridge_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                      -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual)
if(WEIGHBRIDGE_WERROR)
  target_compile_options(weighbridge_warnings INTERFACE -Werror)
endif()

# nlohmann_json, header only. A missing key must not end in an exception anywhere: every user of the core sees the same
# macro, or the one-definition rule is broken.
add_library(weighbridge_json INTERFACE)
if(EMSCRIPTEN)
  # emcc must not see the host's other headers: it gets a folder that holds only a link to these.
  find_path(WEIGHBRIDGE_JSON_DIR nlohmann/json.hpp PATHS /usr/include /usr/local/include /opt/homebrew/include
            NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  if(NOT WEIGHBRIDGE_JSON_DIR)
    message(FATAL_ERROR "nlohmann/json.hpp is missing: install nlohmann-json3-dev, or set WEIGHBRIDGE_JSON_DIR to the folder that holds nlohmann/.")
  endif()
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/only-json")
  file(CREATE_LINK "${WEIGHBRIDGE_JSON_DIR}/nlohmann" "${CMAKE_BINARY_DIR}/only-json/nlohmann" SYMBOLIC)
  target_include_directories(weighbridge_json SYSTEM INTERFACE "${CMAKE_BINARY_DIR}/only-json")
else()
  find_package(nlohmann_json 3.10 REQUIRED)
  target_link_libraries(weighbridge_json INTERFACE nlohmann_json::nlohmann_json)
endif()
target_compile_definitions(weighbridge_json INTERFACE JSON_NOEXCEPTION JSON_USE_IMPLICIT_CONVERSIONS=1)
