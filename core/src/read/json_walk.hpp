// JSON text that is looked through and not kept: headers of many megabytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weighbridge {

// What is told of a text, in its order. A call that returns false ends the walk. Names and texts may be taken away.
struct JsonEvents {
  virtual bool null() = 0;
  virtual bool boolean(bool value) = 0;
  virtual bool number_integer(std::int64_t value) = 0;           // below 0
  virtual bool number_unsigned(std::uint64_t value) = 0;
  virtual bool number_float(double value) = 0;                   // all others
  virtual bool string(std::string& value) = 0;
  virtual bool start_object() = 0;
  virtual bool key(std::string& name) = 0;
  virtual bool end_object() = 0;
  virtual bool start_array() = 0;
  virtual bool end_array() = 0;
  // `position`: how many bytes were read when it was found. `overflow`: of a number beyond the range of a double, else of the syntax.
  virtual void error(std::size_t position, bool overflow) = 0;

 protected:
  ~JsonEvents() = default;
};

// Tells `events` of a text that is UTF-8; false when it was ended or the text is no JSON. In place of nlohmann_json's own
// parser, which brings printf and arithmetic in 128 bits along: with it the module would be 20 KB larger.
bool walk_json(std::string_view text, JsonEvents& events);

// The double nearest to the digits of a JSON number (RFC 8259); infinite beyond their range.
double nearest_double(std::string_view number);

// Position of the first byte that is not UTF-8; npos when there is none.
std::size_t first_broken_byte(std::string_view text);

// A name out of a file, for messages: quoted, not too long, and text whatever bytes it has.
std::string quoted_name(std::string_view name);

}  // namespace weighbridge
