// GGUF headers, written by the specification.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge_test {

constexpr std::uint32_t kF32 = 0, kF16 = 1, kQ4K = 12, kQ6K = 14, kQ8 = 8;

// Writes a header, little endian unless told.
class GgufWriter {
 public:
  explicit GgufWriter(bool big = false, std::uint32_t version = 3) : big_(big) {
    text_ = "GGUF";
    put(version);
  }
  template <class T>
  GgufWriter& put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    if (big_) std::reverse(raw, raw + sizeof(T));
    text_.append(raw, sizeof(T));
    return *this;
  }
  GgufWriter& counts(std::uint64_t tensors, std::uint64_t keys) { return put(tensors).put(keys); }
  GgufWriter& string(std::string_view s) {
    put(static_cast<std::uint64_t>(s.size()));
    text_ += s;
    return *this;
  }
  GgufWriter& number(std::string_view key, std::uint32_t value) { return string(key).put(std::uint32_t{4}).put(value); }
  GgufWriter& word(std::string_view key, std::string_view value) { return string(key).put(std::uint32_t{8}).string(value); }
  GgufWriter& numbers(std::string_view key, const std::vector<std::int64_t>& values) {
    string(key).put(std::uint32_t{9}).put(std::uint32_t{5}).put(static_cast<std::uint64_t>(values.size()));
    for (const auto v : values) put(static_cast<std::int32_t>(v));
    return *this;
  }
  GgufWriter& words(std::string_view key, std::uint64_t count, std::string_view each) {
    string(key).put(std::uint32_t{9}).put(std::uint32_t{8}).put(count);
    for (std::uint64_t i = 0; i < count; ++i) string(each);
    return *this;
  }
  GgufWriter& tensor(std::string_view name, std::vector<std::uint64_t> dims, std::uint32_t type) {
    string(name).put(static_cast<std::uint32_t>(dims.size()));
    for (const auto d : dims) put(d);
    return place(dims, type);
  }
  GgufWriter& place(const std::vector<std::uint64_t>& dims, std::uint32_t type) {
    constexpr std::uint64_t kAlign = 32;
    put(type).put(next_);
    std::uint64_t bytes = type == 0 ? 4 : type == 1 ? 2 : type == 12 ? 144 : type == 14 ? 210 : type == 8 ? 34 : 1;
    const std::uint64_t block = type == 12 || type == 14 ? 256 : type == 8 ? 32 : 1;
    for (const auto d : dims) bytes *= d;
    next_ = (next_ + bytes / block + kAlign - 1) / kAlign * kAlign;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  bool big_;
  std::uint64_t next_ = 0;             // where the next tensor begins
  std::string text_;
};

}  // namespace weighbridge_test
