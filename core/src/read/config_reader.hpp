// Reading one config.json: every value is asked for by all the names it is known by, and every problem is kept.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/problem.hpp"

namespace weighbridge {

// Beyond these, a number in a config is a mistake (or an attack), and products of two still fit 64 bits.
constexpr std::int64_t kMostCount = 10'000'000;
constexpr std::int64_t kMostHidden = 1'000'000;
constexpr std::int64_t kMostHeads = 16'384;
constexpr std::int64_t kMostHeadDim = 65'536;
constexpr std::int64_t kMostLayers = 4'096;
constexpr std::int64_t kMostExperts = 65'536;
constexpr std::int64_t kMostContext = 1'000'000'000'000;

class ConfigReader {
 public:
  using Keys = std::initializer_list<std::string_view>;

  // `language` is the object that describes the language model: the config itself, or its text_config.
  ConfigReader(const nlohmann::json& language, std::string path, const nlohmann::json& top, std::string top_path, Problems& problems)
      : language_(language), path_(std::move(path)), top_(top), top_path_(std::move(top_path)), problems_(problems) {}

  // A key that is null counts as absent everywhere.
  const nlohmann::json* find(Keys keys) const;
  bool has(std::string_view key) const { return find({key}) != nullptr; }
  // In the language part first, then at the top: what multimodal configs say once for all parts.
  const nlohmann::json* find_anywhere(std::string_view key) const;

  // A whole number from 1 to `most`, or a list of one number again and again (a problem otherwise, and 1 returned so that reading goes on).
  std::int64_t count(Keys keys, std::string_view gives, std::int64_t most = kMostCount);          // required
  std::int64_t count_or(Keys keys, std::int64_t otherwise, std::int64_t most = kMostCount);       // optional
  std::int64_t zero_or_more(Keys keys, std::int64_t otherwise, std::int64_t most = kMostCount);   // optional, may be 0
  bool flag(Keys keys, bool otherwise);
  bool flag_anywhere(std::string_view key, bool otherwise);
  std::string text(std::string_view key, std::string_view otherwise = {});
  // One entry per layer; empty when the key is absent. A wrong length or entry is a problem.
  std::vector<std::string> texts_per_layer(std::string_view key, std::int64_t layers);
  std::vector<std::int64_t> numbers_per_layer(std::string_view key, std::int64_t layers, std::int64_t most = kMostCount);
  // A list of layer numbers.
  std::vector<std::int64_t> numbers(std::string_view key, std::int64_t most);
  // The same reader inside a nested object (DBRX, MPT); reads an empty object when there is none.
  ConfigReader inside(std::string_view key);

  void missing(Keys keys, std::string_view gives);
  void bad(std::string_view key, const nlohmann::json& value, std::string accepted);
  void contradiction(std::string_view a, std::string_view b, std::string why);
  void ignored(std::string_view key, std::string why);
  void unsupported(std::string part);                    // what the reader would have to know
  const std::vector<std::string>& unsupported_parts() const { return unsupported_; }
  bool failed() const { return failed_; }

  const nlohmann::json& language() const { return language_; }
  const nlohmann::json& top() const { return top_; }
  const std::string& top_path() const { return top_path_; }

 private:
  std::int64_t whole(std::string_view key, const nlohmann::json& value, std::int64_t least, std::int64_t most);
  std::string path_of(std::string_view key) const;
  void report(Code code, const std::string& path, std::initializer_list<Named> params);

  const nlohmann::json& language_;
  std::string path_;
  const nlohmann::json& top_;
  std::string top_path_;
  Problems& problems_;
  std::set<std::string> reported_;                       // a key read twice is reported once
  std::vector<std::string> unsupported_;
  bool failed_ = false;
};

// A short text of any JSON value, for messages.
std::string described(const nlohmann::json& value);

// The named entry of an object, unless it is null or the object is none.
const nlohmann::json* entry(const nlohmann::json& object, std::string_view key);

// Reads a whole number out of any JSON number; false when it is none or beyond the limits.
bool whole_number(const nlohmann::json& value, std::int64_t least, std::int64_t most, std::int64_t& out);

}  // namespace weighbridge
