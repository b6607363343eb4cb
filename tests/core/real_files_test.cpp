// Files that others published, in the folder that WEIGHBRIDGE_FILES names: too large, and not ours, to lie here.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "api_json.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;
namespace api = weighbridge::api;

namespace {

bool ends(const std::string& text, const std::string& end) { return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0; }

}  // namespace

TEST_CASE("published headers and indexes are read, or refused for what they are") {
  const char* folder = std::getenv("WEIGHBRIDGE_FILES");
  if (!folder) {
    std::puts("SKIPPED: WEIGHBRIDGE_FILES names no folder, so no published file is read");
    return;
  }
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (!entry.is_regular_file() || (!ends(name, ".gguf") && !ends(name, ".safetensors") && !ends(name, ".index.json"))) continue;
    ++seen;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(in), {});
    const auto size = static_cast<std::int64_t>(content.size());
    const auto answer = parsed(api::read_model({{name, content, size}}));
    const auto why = text(answer, "/problems/0/message");
    INFO(name << ": " << written(answer).substr(0, 600));
    if (ends(name, ".index.json")) {
      const auto index = parsed(content);
      if (!is_true(answer, "/ok")) {
        CHECK(why.find("packed") != std::string::npos);
        CHECK(content.find("scales") != std::string::npos);
        continue;
      }
      CHECK(number(estimate({{"model", at(answer, "/model")}}), "/model/weight_bytes") == number(index, "/metadata/total_size"));
    } else if (!is_true(answer, "/ok")) {
      // A vocabulary, a single layer, a voice: whole files, and no language model.
      CHECK(why.find("no whole language model") != std::string::npos);
    }
    // From its beginning on, it asks until it has what it said here.
    for (std::int64_t given = 100; given < size;) {
      const auto part = parsed(api::read_model({{name, content.substr(0, static_cast<std::size_t>(given)), size}}));
      if (text(part, "/problems/0/code") != "needs_more_bytes") {
        CHECK(written(part) == written(answer));
        break;
      }
      const auto next = number(part, "/problems/0/params/bytes");
      REQUIRE(next > static_cast<double>(given));
      given = static_cast<std::int64_t>(next);
    }
  }
  CHECK(seen > 0);
}
