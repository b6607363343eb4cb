#include "json_writer.hpp"

#include <nlohmann/json.hpp>

namespace weighbridge {

namespace {

void append_number(std::string& out, double value) {
  constexpr double kExact = 9007199254740992.0;
  char digits[64];
  char* end = digits;
  if (!(value - value == 0)) {
    out += "null";
    return;
  }
  const auto whole = value >= -kExact && value <= kExact ? static_cast<std::int64_t>(value) : 0;
  if (static_cast<double>(whole) == value) {
    auto left = whole < 0 ? -whole : whole;
    char* at = digits + sizeof digits;
    do *--at = static_cast<char>('0' + left % 10);
    while (left /= 10);
    if (whole < 0) *--at = '-';
    out.append(at, static_cast<std::size_t>(digits + sizeof digits - at));
    return;
  }
  // The shortest text that reads back as the same double, from the library's own (Grisu2).
  end = nlohmann::detail::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, static_cast<std::size_t>(end - digits));
}

// Few characters need an escape: what lies between them is copied at once.
void append_text(std::string& out, std::string_view value) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  const char* from = value.data();
  const char* const end = from + value.size();
  for (const char* at = from; at != end; ++at) {
    const char c = *at;
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(from, static_cast<std::size_t>(at - from));
    from = at + 1;
    out += '\\';
    if (c == '"' || c == '\\') out += c;
    else if (c == '\n') out += 'n';
    else ((out += "u00") += kHex[c >> 4]) += kHex[c & 15];
  }
  out.append(from, static_cast<std::size_t>(end - from)) += '"';
}

}  // namespace

void JsonWriter::comma() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  comma();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  comma();
  append_text(out_, name);
  out_ += ':';
  first_ = true;                                 // its value takes no comma
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  comma();
  append_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  comma();
  append_text(out_, value);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  comma();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::value(const nlohmann::json& tree) {
  if (tree.is_object()) {
    begin_object();
    for (auto at = tree.begin(); at != tree.end(); ++at) key(at.key()).value(at.value());
    return end_object();
  }
  if (tree.is_array()) {
    begin_array();
    for (const auto& item : tree) value(item);
    return end_array();
  }
  if (const auto* words = tree.get_ptr<const std::string*>()) return text(*words);
  if (tree.is_number()) return number(tree.get<double>());
  if (tree.is_boolean()) return boolean(tree.get<bool>());
  return null();
}

std::string number_text(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

std::string json_text(const nlohmann::json& tree) { return JsonWriter().value(tree).take(); }

}  // namespace weighbridge
