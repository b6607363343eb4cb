#include "read/gguf.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "read/json_walk.hpp"
#include "read/safetensors.hpp"

namespace weighbridge {

namespace {

// ggml's type numbers (ggml.h); 4, 5, 31 to 33 and 36 to 38 are no longer in use.
constexpr std::string_view kTypes[] = {
    "f32", "f16", "q4_0", "q4_1", "", "", "q5_0", "q5_1", "q8_0", "q8_1", "q2_K", "q3_K", "q4_K", "q5_K", "q6_K", "q8_K",
    "iq2_xxs", "iq2_xs", "iq3_xxs", "iq1_s", "iq4_nl", "iq3_s", "iq2_s", "iq4_xs", "i8", "i16", "i32", "i64", "f64", "iq1_m", "bf16",
    "", "", "", "tq1_0", "tq2_0", "", "", "", "mxfp4", "gguf-nvfp4", "q1_0", "q2_0"};

enum ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

constexpr std::uint64_t kMostKeys = 65'536, kMostTensors = 200'000, kLongestName = 65'535;
constexpr std::int64_t kMostElements = std::int64_t{1} << 53;
constexpr int kDeepestArray = 4;

// Reads forward and never beyond the end; after the first failure it stays at zero.
class Scanner {
 public:
  explicit Scanner(std::string_view content) : content_(content) {}

  bool swapped = false;

  std::uint64_t position() const { return at_; }
  std::uint64_t left() const { return content_.size() - at_; }
  std::uint64_t missing_up_to() const { return missing_; }          // 0: nothing was missing
  bool broken() const { return broken_; }
  void fail() { broken_ = true; }
  bool ok() const { return !broken_ && missing_ == 0; }

  std::string_view bytes(std::uint64_t count) {
    if (!ok()) return {};
    if (count > left()) {
      // No header is larger than this; a length beyond it is not a length.
      constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32U;
      if (count > kMostBytes) broken_ = true;
      else missing_ = at_ + count;
      return {};
    }
    const auto out = content_.substr(at_, count);
    at_ += count;
    return out;
  }
  template <class T>
  T value() {
    auto raw = bytes(sizeof(T));
    char copy[sizeof(T)] = {};
    if (raw.size() != sizeof(T)) return T{};
    std::copy(raw.begin(), raw.end(), copy);
    if (swapped) std::reverse(copy, copy + sizeof(T));
    T out;
    std::memcpy(&out, copy, sizeof(T));
    return out;
  }
  std::string_view string() { return bytes(value<std::uint64_t>()); }

 private:
  std::string_view content_;
  std::uint64_t at_ = 0, missing_ = 0;
  bool broken_ = false;
};

int size_of(std::uint32_t type) {
  constexpr int kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < std::size(kSizes) ? kSizes[type] : 0;
}

double scalar(Scanner& s, std::uint32_t type) {
  switch (type) {
    case u8: case boolean: return s.value<std::uint8_t>();
    case i8: return s.value<std::int8_t>();
    case u16: return s.value<std::uint16_t>();
    case i16: return s.value<std::int16_t>();
    case u32: return s.value<std::uint32_t>();
    case i32: return s.value<std::int32_t>();
    case f32: return static_cast<double>(s.value<float>());
    case u64: return static_cast<double>(s.value<std::uint64_t>());
    case i64: return static_cast<double>(s.value<std::int64_t>());
    case f64: return s.value<double>();
    default: s.fail(); return 0;
  }
}

void read_value(Scanner& s, std::uint32_t type, GgufValue& out, int depth) {
  if (type == text) {
    out.text = s.string();
  } else if (type != array) {
    out.number = scalar(s, type);
  } else {
    const auto element = s.value<std::uint32_t>();
    const auto count = s.value<std::uint64_t>();
    if (!s.ok()) return;
    if (const auto size = static_cast<std::uint64_t>(size_of(element)); size > 0) {
      if (count > (std::uint64_t{1} << 40U)) return s.fail();
      out.length = count;
      out.element = static_cast<std::uint8_t>(element);
      out.swapped = s.swapped;
      out.text = s.bytes(count * size);
      return;
    }
    if ((element != text && element != array) || depth >= kDeepestArray) return s.fail();
    for (std::uint64_t i = 0; i < count && s.ok(); ++i) {
      if (element == text) {
        s.string();
      } else {
        GgufValue skipped;
        read_value(s, element, skipped, depth + 1);
      }
    }
    out.length = count;
  }
}

}  // namespace

double GgufValue::item(std::uint64_t i) const {
  const auto size = static_cast<std::uint64_t>(size_of(element));
  if (i >= length || size == 0 || text.size() / size <= i) return 0;
  Scanner s(text.substr(i * size, size));
  s.swapped = swapped;
  return scalar(s, element);
}

const GgufValue* GgufHeader::find(std::string_view key) const {
  const auto at = values.find(key);
  return at == values.end() ? nullptr : &at->second;
}

std::optional<GgufHeader> read_gguf(std::string_view content, std::int64_t size, std::string_view name, std::string_view path, const Formats& formats,
                                    Problems& problems) {
  Scanner s(content);
  const auto refuse = [&](const std::string& why) {
    problems.add(Code::unsupported_file, path, {{"name", name}, {"why", why}});
    return std::nullopt;
  };
  const auto stopped = [&]() -> std::optional<GgufHeader> {
    const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0));
    const bool more = whole > content.size() && s.missing_up_to() <= whole;
    if (s.broken() || !more) return refuse("its header is broken at byte " + std::to_string(s.position()));
    constexpr auto kMost = static_cast<std::uint64_t>(kMostHeaderBytes);
    if (content.size() >= kMost || s.missing_up_to() > kMost)
      return refuse("its header has more than " + std::to_string(kMost) + " bytes (at byte " + std::to_string(s.position()) + ")");
    // Twice as much each time: a header of 20 MB is there after a few questions.
    const auto next = std::min<std::uint64_t>(std::min(whole, kMost), std::max<std::uint64_t>(s.missing_up_to(), 2 * content.size()));
    problems.add(Code::needs_more_bytes, path, {{"name", name}, {"bytes", static_cast<double>(next)}});
    return std::nullopt;
  };

  const auto magic = s.bytes(4);
  if (s.ok() && magic != "GGUF") return refuse("it does not begin with GGUF");
  auto version = s.value<std::uint32_t>();
  if (s.ok() && (version & 0xFFFFU) == 0) {              // written on a big-endian machine
    s.swapped = true;
    version = (version >> 24U) | ((version >> 8U) & 0xFF00U);
  }
  if (s.ok() && version != 2 && version != 3) return refuse("its GGUF version is " + std::to_string(version) + "; 2 and 3 are read");
  const auto tensors = s.value<std::uint64_t>(), keys = s.value<std::uint64_t>();
  if (s.ok() && (tensors > kMostTensors || keys > kMostKeys)) return refuse("it claims " + std::to_string(tensors) + " tensors and " + std::to_string(keys) + " keys");

  GgufHeader header;
  for (std::uint64_t i = 0; i < keys && s.ok(); ++i) {
    const auto key = s.string();
    if (key.size() > kLongestName) s.fail();
    const auto type = s.value<std::uint32_t>();
    GgufValue value;
    read_value(s, type, value, 0);
    if (!s.ok()) break;
    if (!header.values.emplace(key, value).second) return refuse("it has the key " + quoted_name(key) + " twice");
  }
  std::array<std::int16_t, std::size(kTypes)> known;     // encodings by type number
  for (std::size_t i = 0; i < known.size(); ++i) known[i] = static_cast<std::int16_t>(kTypes[i].empty() ? -1 : formats.encoding(kTypes[i]));
  constexpr std::uint64_t kLeastEntry = 8 + 1 + 4 + 8 + 4 + 8;
  if (s.ok()) header.tensors.reserve(static_cast<std::size_t>(std::min(tensors, s.left() / kLeastEntry)));
  for (std::uint64_t i = 0; i < tensors && s.ok(); ++i) {
    GgufTensor t;
    t.name = s.string();
    t.dimensions = static_cast<int>(s.value<std::uint32_t>());
    if (t.name.empty() || t.name.size() > kLongestName || t.dimensions < 1 || t.dimensions > 4) s.fail();
    double elements = 1;
    for (int d = 0; d < t.dimensions && s.ok(); ++d) {
      const auto n = s.value<std::uint64_t>();
      if (n > static_cast<std::uint64_t>(kMostElements)) s.fail();
      t.dims[static_cast<std::size_t>(d)] = static_cast<std::int64_t>(n);
      elements *= static_cast<double>(n);
    }
    const auto type = s.value<std::uint32_t>();
    const auto offset = s.value<std::uint64_t>();
    if (!s.ok()) break;
    if (elements < 1 || elements > static_cast<double>(kMostElements)) return refuse("tensor " + quoted_name(t.name) + " claims " + (elements < 1 ? "no elements" : "more than 2^53 elements"));
    if (type >= known.size() || known[type] < 0) return refuse("tensor " + quoted_name(t.name) + " has the unknown type " + std::to_string(type));
    t.encoding = static_cast<EncodingId>(known[type]);
    if (const auto& e = formats.encodings[t.encoding]; t.dims[0] % e.block != 0 || (e.group > 0 && t.dims[0] % e.group != 0))
      return refuse("tensor " + quoted_name(t.name) + " has rows of " + std::to_string(t.dims[0]) + ", which are no whole blocks of " + e.id);
    if (offset > static_cast<std::uint64_t>(kMostElements)) return refuse("tensor " + quoted_name(t.name) + " begins at byte " + std::to_string(offset) + " of the data");
    t.offset = static_cast<std::int64_t>(offset);
    header.tensors.push_back(t);
  }
  if (!s.ok()) return stopped();

  // Every tensor has bytes of its own, inside the file; a header cut out of its file is a header all the same.
  auto& list = header.tensors;
  std::sort(list.begin(), list.end(), [](const GgufTensor& a, const GgufTensor& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < list.size(); ++i)
    if (list[i].name == list[i - 1].name) return refuse("it has the tensor " + quoted_name(list[i].name) + " twice");
  std::sort(list.begin(), list.end(), [](const GgufTensor& a, const GgufTensor& b) { return a.offset < b.offset; });
  double end = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& t = list[i];
    if (static_cast<double>(t.offset) < end) return refuse("tensors " + quoted_name(list[i - 1].name) + " and " + quoted_name(t.name) + " overlap");
    const auto& e = formats.encodings[t.encoding];
    end = static_cast<double>(t.offset) + (payload_bytes(e, t.dims[1] * t.dims[2] * t.dims[3], t.dims[0]) + scale_bytes(e, t.dims[1] * t.dims[2] * t.dims[3], t.dims[0])).value;
  }
  const auto* alignment = header.find("general.alignment");
  const double align = alignment && alignment->number >= 1 && alignment->number <= 1e6 ? alignment->number : 32;
  const double data = std::ceil(static_cast<double>(s.position()) / align) * align;
  if (static_cast<double>(size) > data && data + end > static_cast<double>(size))
    return refuse("its tensors end at byte " + std::to_string(static_cast<std::int64_t>(data + end)) + ", and the file has " + std::to_string(size) + " bytes");
  return header;
}

}  // namespace weighbridge
