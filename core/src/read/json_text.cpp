#include "read/json_text.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "read/json_walk.hpp"

namespace weighbridge {

using nlohmann::json;

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

std::string quoted_name(std::string_view name) {
  constexpr std::size_t kLongest = 120;
  auto shown = name.substr(0, kLongest);
  while (!shown.empty() && shown.size() < name.size() && (static_cast<unsigned char>(name[shown.size()]) & 0xC0U) == 0x80U) shown.remove_suffix(1);
  const bool text = first_broken_byte(shown) == std::string_view::npos;
  std::string out = "\"";
  for (const char c : shown) out += static_cast<unsigned char>(c) < 0x20 || (!text && static_cast<unsigned char>(c) > 0x7E) ? '?' : c;
  return out + (shown.size() < name.size() ? "…\"" : "\"");
}

namespace {

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

// Builds the value and knows its place, so that what is wrong is told with its path.
class Builder final : public JsonEvents {
 public:
  Builder(std::string_view base, Problems& problems) : base_(base), problems_(problems) {}

  bool ok() const { return ok_; }
  json take() { return std::move(root_); }

  bool null() override { return put(json()); }
  bool boolean(bool v) override { return put(json(v)); }
  bool number_integer(std::int64_t v) override { return put(json(v)); }
  bool number_unsigned(std::uint64_t v) override { return put(json(v)); }
  bool number_float(double v) override { return put(json(v)); }
  bool string(std::string& v) override { return put(json(std::move(v))); }
  bool start_object() override { return enter(json(json::value_t::object)); }
  bool end_object() override { return leave(); }
  bool start_array() override { return enter(json(json::value_t::array)); }
  bool end_array() override { return leave(); }

  bool key(std::string& name) override {
    auto& object = *open_.back();
    if (object.find(name) != object.end())                       // the rest can be read, and its problems told too
      problems_.add(Code::duplicate_key, pointer(place(open_.size() - 1), name), {{"key", name}});
    if (keys_.size() < open_.size()) keys_.resize(open_.size());
    keys_[open_.size() - 1] = std::move(name);
    return true;
  }

  void error(std::size_t position, bool overflow) override {
    ok_ = false;
    if (overflow) problems_.add(Code::not_finite, place(open_.size()), {{"value", "a number beyond 1.8e308"}});
    else problems_.add(Code::not_json, base_, {{"position", static_cast<double>(position)}});
  }

 private:
  // Path of what stands, or comes next, in the innermost of the first `depth` open values.
  std::string place(std::size_t depth) const {
    std::string path = base_;
    for (std::size_t i = 0; i < depth; ++i) {
      const bool next = i + 1 == open_.size();                   // of the innermost array: the element after those that are whole
      path = pointer(path, open_[i]->is_object() ? keys_[i] : std::to_string(open_[i]->size() - (next ? 0 : 1)));
    }
    return path;
  }

  json* add(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    auto& parent = *open_.back();
    if (parent.is_object()) return &(parent[keys_[open_.size() - 1]] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool put(json value) {
    add(std::move(value));
    return true;
  }
  bool enter(json empty) {
    if (open_.size() >= kDeepest) {
      ok_ = false;
      problems_.add(Code::too_deep, base_, {{"limit", static_cast<double>(kDeepest)}});
      return false;
    }
    open_.push_back(add(std::move(empty)));
    return true;
  }
  bool leave() {
    open_.pop_back();
    return true;
  }

  std::string base_;
  Problems& problems_;
  json root_;
  std::vector<json*> open_;                      // from the root to the innermost; a parent does not move while it is open
  std::vector<std::string> keys_;                // of the member being read, for each open object
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
  Builder builder(base, problems);
  walk_json(text, builder);
  if (!builder.ok()) return std::nullopt;
  return builder.take();
}

bool is_utf8(std::string_view text) { return first_broken_byte(text) == std::string_view::npos; }

json parse_trusted(std::string_view text) {
  Problems none;
  Builder builder("", none);
  walk_json(text, builder);
  return builder.take();
}

}  // namespace weighbridge
