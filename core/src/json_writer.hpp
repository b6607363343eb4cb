// JSON text, written from left to right: answers have some thousand values, and none of them needs to be a tree first.
//
// nlohmann_json reads; its writer and its trees of initializer lists made a third of the module, so answers are written here.
// Texts must be UTF-8: everything that comes in was checked (read/json_text.hpp).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace weighbridge {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  // Whole numbers up to 2^53 without a fraction; what is not finite is null.
  JsonWriter& number(double value);
  JsonWriter& text(std::string_view value);
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& value(const nlohmann::json& tree);
  JsonWriter& raw(std::string_view json);        // a whole value, already JSON

  JsonWriter& member(std::string_view name, double v) { return key(name).number(v); }
  JsonWriter& member(std::string_view name, std::string_view v) { return key(name).text(v); }
  JsonWriter& member(std::string_view name, const char* v) { return key(name).text(v); }
  JsonWriter& member(std::string_view name, bool v) { return key(name).boolean(v); }

  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void comma();

  std::string out_;
  bool first_ = true;                            // nothing written yet in the innermost array or object
};

std::string number_text(double value);           // as JsonWriter::number writes it
std::string json_text(const nlohmann::json& tree);

}  // namespace weighbridge
