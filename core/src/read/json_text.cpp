#include "read/json_text.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace weighbridge {

namespace {

using nlohmann::json;

// Position of the first byte that is not UTF-8; npos when there is none.
std::size_t first_broken_byte(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = byte(i);
    if (lead < 0x80) { ++i; continue; }
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || i + more >= text.size()) return i;
    const auto second = byte(i + 1);
    const bool shortest = !(lead == 0xE0 && second < 0xA0) && !(lead == 0xF0 && second < 0x90);
    const bool in_range = !(lead == 0xED && second > 0x9F) && !(lead == 0xF4 && second > 0x8F);
    if (!shortest || !in_range) return i;
    for (std::size_t k = 1; k <= more; ++k)
      if ((byte(i + k) & 0xC0U) != 0x80U) return i;
    i += more + 1;
  }
  return std::string_view::npos;
}

// NaN, Infinity and -Infinity outside strings become null, padded so that positions stay.
std::string without_python_numbers(std::string_view text) {
  std::string out(text);
  bool quoted = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (quoted && out[i] == '\\') { ++i; continue; }
    if (out[i] == '"') { quoted = !quoted; continue; }
    if (quoted) continue;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
      if (out.compare(i, word.size(), word) != 0) continue;
      if (word == "NaN") out.replace(i, 3, "null");
      else out.replace(i, word.size(), std::string("null").append(word.size() - 4, ' '));
      break;
    }
  }
  return out;
}

// Builds nothing: it knows the place and tells what is wrong there.
class Checker : public nlohmann::json_sax<json> {
 public:
  Checker(std::string_view base, Problems& problems) : base_(base), problems_(problems) {}

  bool ok() const { return ok_; }

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return enter(true); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(false); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    auto& level = levels_.back();
    if (!level.keys.insert(name).second) {
      problems_.add(Code::duplicate_key, pointer(place(levels_.size() - 1), name), {{"key", name}});
      ok_ = false;
    }
    level.key = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    ok_ = false;
    // Numbers like 1e999 end in an error of their own kind.
    if (error.id == 406) {
      problems_.add(Code::not_finite, place(levels_.size()), {{"value", std::string("a number beyond 1.8e308")}});
      return false;
    }
    problems_.add(Code::not_json, base_, {{"position", static_cast<double>(position)}});
    return false;
  }

 private:
  struct Level {
    bool object = false;
    std::set<std::string> keys;
    std::string key;
    std::size_t index = 0;
  };

  std::string place(std::size_t depth) const {
    std::string path = base_;
    for (std::size_t i = 0; i < depth && i < levels_.size(); ++i)
      path = pointer(path, levels_[i].object ? levels_[i].key : std::to_string(levels_[i].index));
    return path;
  }
  bool value() {
    if (!levels_.empty()) ++levels_.back().index;
    return true;
  }
  bool enter(bool object) {
    if (levels_.size() >= kDeepest) {
      ok_ = false;
      problems_.add(Code::too_deep, base_, {{"limit", static_cast<double>(kDeepest)}});
      return false;
    }
    levels_.push_back({object, {}, {}, 0});
    return true;
  }
  bool leave() {
    levels_.pop_back();
    return value();
  }

  std::string base_;
  Problems& problems_;
  std::vector<Level> levels_;
  bool ok_ = true;
};

}  // namespace

std::optional<json> parse_json(std::string_view text, std::string_view base, Problems& problems, bool python_numbers) {
  if (text.size() > kLongestText) {
    problems.add(Code::too_large, std::string(base), {{"bytes", static_cast<double>(text.size())}, {"limit", static_cast<double>(kLongestText)}});
    return std::nullopt;
  }
  if (const auto position = first_broken_byte(text); position != std::string_view::npos) {
    problems.add(Code::broken_text, std::string(base), {{"position", static_cast<double>(position)}});
    return std::nullopt;
  }
  // The parser takes a zero byte for the end of the text; in JSON it has no place at all.
  if (const auto position = text.find('\0'); position != std::string_view::npos) {
    problems.add(Code::not_json, std::string(base), {{"position", static_cast<double>(position + 1)}});
    return std::nullopt;
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);      // a byte order mark, as some editors leave
  std::string cleaned;
  if (python_numbers) {
    cleaned = without_python_numbers(text);
    text = cleaned;
  }
  Checker checker(base, problems);
  json::sax_parse(text.begin(), text.end(), &checker);
  if (!checker.ok()) return std::nullopt;
  auto value = json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) {
    problems.add(Code::not_json, std::string(base));
    return std::nullopt;
  }
  return value;
}

}  // namespace weighbridge
