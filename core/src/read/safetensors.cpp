#include "read/safetensors.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "read/json_walk.hpp"

namespace weighbridge {

namespace {

constexpr Dtype kDtypes[] = {{"BF16", 16}, {"F16", 16}, {"F32", 32}, {"F64", 64}, {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F4", 4},
                             {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"I8", 8}, {"U8", 8}, {"BOOL", 8}, {"I16", 16}, {"U16", 16}, {"I32", 32}, {"U32", 32},
                             {"I64", 64}, {"U64", 64}, {"C64", 64}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}};

static_assert(std::size(kDtypes) <= kMostDtypes);

constexpr std::int64_t kMostBytes = std::int64_t{1} << 53;
constexpr int kDeepestHere = 4, kMostFaults = 8, kMostDimensions = 32;
constexpr std::size_t kMostFiles = 20'000;

// What both kinds of text share: depth, faults, and the list of names.
class Walker : public JsonEvents {
 public:
  Walker(std::string_view file, std::string_view path, std::size_t offset, Problems& problems) : file_(file), path_(path), offset_(offset), problems_(problems) {}

  Checkpoint out;
  bool faulty() const { return faults_ > 0; }
  bool fault(const std::string& why) {
    problems_.add(Code::unsupported_file, path_, {{"name", file_}, {"why", why}});
    return ++faults_ < kMostFaults;
  }

  bool null() override { return strange("null"); }
  bool boolean(bool) override { return strange("true or false"); }
  bool number_integer(std::int64_t v) override { return number(static_cast<double>(v), v); }
  bool number_unsigned(std::uint64_t v) override {
    return number(static_cast<double>(v), v > static_cast<std::uint64_t>(kMostBytes) ? kMostBytes + 1 : static_cast<std::int64_t>(v));
  }
  bool number_float(double v) override { return number(v, v < 0 ? -1 : kMostBytes + 1); }
  bool start_object() override { return enter(true); }
  bool end_object() override { return leave(true); }
  bool start_array() override { return enter(false); }
  bool end_array() override { return leave(false); }
  void error(std::size_t position, bool overflow) override {
    if (overflow) {
      fault("it has a number beyond 1.8e308");
      return;
    }
    ++faults_;
    problems_.add(Code::not_json, path_, {{"position", static_cast<double>(position + offset_)}});
  }

  // Names in order, each once.
  void sort_by_name() {
    auto& t = out.tensors;
    std::sort(t.begin(), t.end(), [this](const auto& a, const auto& b) { return out.name(a) < out.name(b); });
    for (std::size_t i = 1; i < t.size(); ++i)
      if (out.name(t[i - 1]) == out.name(t[i]) && !fault("it has the tensor " + quoted_name(out.name(t[i])) + " twice")) return;
  }

 protected:
  virtual bool number(double value, std::int64_t whole) = 0;      // whole: below 0 or above kMostBytes when it is no usable count
  virtual bool strange(const char* what) = 0;
  virtual bool opened(bool object) { return object || strange("a list"); }
  virtual bool closed(bool) { return true; }

  void keep(std::string_view name, CheckpointTensor t) {
    t.name_at = static_cast<std::uint32_t>(out.names.size());
    t.name_length = static_cast<std::uint32_t>(name.size());
    out.names += name;
    out.tensors.push_back(t);
  }

  ~Walker() = default;

  int depth_ = 0;

 private:
  bool enter(bool object) {
    if (depth_ == 0 && !object) return fault("its header is no JSON object"), false;
    if (depth_ >= kDeepestHere) {
      ++faults_;
      problems_.add(Code::too_deep, path_, {{"limit", static_cast<double>(kDeepestHere)}});
      return false;
    }
    ++depth_;
    return opened(object);
  }
  bool leave(bool object) {
    const bool goes_on = closed(object);
    --depth_;
    return goes_on;
  }

  std::string_view file_, path_;
  std::size_t offset_;
  Problems& problems_;
  int faults_ = 0;
};

// {"__metadata__": {texts}, NAME: {"dtype", "shape", "data_offsets"}, …}
class HeaderWalker final : public Walker {
 public:
  using Walker::Walker;

  bool key(std::string& name) override {
    if (depth_ == 1) {
      name_ = name;
      metadata_ = name == "__metadata__";
      if (metadata_ && metadata_seen_++ > 0) return fault("it has __metadata__ twice");
      t_ = {};
      seen_ = 0;
      faulty_tensor_ = offsets_ = 0;
      field_ = nothing;
    } else if (depth_ == 2 && !metadata_) {
      field_ = name == "dtype" ? dtype : name == "shape" ? shape : name == "data_offsets" ? offsets : nothing;
      if (field_ == nothing) return true;
      if ((seen_ & field_) != 0) return wrong("has " + std::string(name) + " twice");
      seen_ |= field_;
    }
    return true;
  }
  bool string(std::string& value) override {
    if (metadata_ && depth_ == 2) return true;
    if (depth_ != 2) return strange("a text");
    if (field_ == nothing) return true;
    if (field_ != dtype) return strange("a text");
    for (std::size_t i = 0; i < std::size(kDtypes); ++i)
      if (kDtypes[i].name == value) return t_.dtype = static_cast<std::uint8_t>(i), true;
    return wrong("has the unknown dtype " + quoted_name(value));
  }

 protected:
  bool number(double, std::int64_t whole) override {
    if (depth_ == 2 && field_ == nothing && !metadata_) return true;
    if (depth_ != 3 || (field_ != shape && field_ != offsets)) return strange("a number");
    const char* what = field_ == shape ? "shape" : "data_offsets";
    if (whole < 0) return wrong(std::string("has a negative number in its ") + what);
    if (whole > kMostBytes) return wrong(std::string("has a number in its ") + what + " that is no whole number up to 2^53");
    if (field_ == shape) {
      // The last number is the fastest dimension; what is more than four goes into the slowest.
      const double rest = static_cast<double>(t_.dims[3]) * static_cast<double>(t_.dims[2]);
      if (++t_.rank > kMostDimensions || rest > static_cast<double>(kMostBytes)) return wrong("has more than 2^53 elements");
      t_.dims = {whole, t_.dims[0], t_.dims[1], t_.dims[2] * t_.dims[3]};
      return true;
    }
    if (offsets_ < 2) (offsets_ == 0 ? t_.begin : t_.end) = whole;
    ++offsets_;
    return true;
  }
  bool strange(const char* what) override {
    if (depth_ < 1) return fault("its header is no JSON object"), false;
    if (depth_ == 2 && field_ == nothing && !metadata_) return true;
    return wrong(std::string("has ") + what + " where none belongs");
  }
  bool opened(bool object) override {
    if (depth_ == 1) return true;
    if (depth_ == 2) return object || strange("a list");
    return (!object && !metadata_ && (depth_ > 3 ? field_ == nothing : field_ != dtype)) || strange(object ? "an object" : "a list");
  }
  bool closed(bool object) override {
    if (depth_ != 2 || !object || metadata_ || faulty_tensor_ != 0) return true;
    if (seen_ != (dtype | shape | offsets)) return wrong("lacks its dtype, shape or data_offsets");
    if (offsets_ != 2) return wrong("has " + std::to_string(offsets_) + " data_offsets in place of two");
    double elements = 1;
    for (const auto n : t_.dims) elements *= static_cast<double>(n);
    if (elements > static_cast<double>(kMostBytes)) return wrong("has more than 2^53 elements");
    if (t_.end < t_.begin) return wrong("ends before it begins");
    const double bits = elements * kDtypes[t_.dtype].bits;
    if (bits != 8 * static_cast<double>(t_.bytes()))
      return wrong("has " + std::to_string(t_.bytes()) + " bytes, and its shape in " + std::string(kDtypes[t_.dtype].name) + " makes " +
                   std::to_string(static_cast<std::int64_t>(bits / 8)));
    keep(name_, t_);
    return true;
  }

 private:
  enum Member : unsigned { nothing = 0, dtype = 1, shape = 2, offsets = 4 };

  bool wrong(const std::string& why) {
    if (faulty_tensor_++ > 0) return true;               // one fault a tensor
    return fault("tensor " + quoted_name(name_) + " " + why);
  }

  std::string name_;
  CheckpointTensor t_;
  unsigned seen_ = 0;
  Member field_ = nothing;
  int offsets_ = 0, metadata_seen_ = 0, faulty_tensor_ = 0;
  bool metadata_ = false;
};

// {"metadata": {"total_size", "total_parameters"}, "weight_map": {NAME: FILE, …}}
class IndexWalker final : public Walker {
 public:
  using Walker::Walker;

  bool has_map = false;
  std::set<std::string> files;

  bool key(std::string& name) override {
    if (depth_ == 1) part_ = name == "metadata" ? metadata : name == "weight_map" ? map : nothing;
    if (depth_ == 1 && part_ == map && std::exchange(has_map, true)) return fault("it has weight_map twice"), false;
    if (depth_ == 2) name_ = name;
    return true;
  }
  bool string(std::string& value) override {
    if (depth_ < 1) return strange("a text");
    if (part_ != map) return true;
    if (depth_ != 2) return strange("a text");
    if (files.size() >= kMostFiles) return fault("it names more than " + std::to_string(kMostFiles) + " files"), false;
    files.insert(value);
    keep(name_, {});
    return true;
  }

 protected:
  bool number(double value, std::int64_t) override {
    if (part_ == map) return strange("a number");
    if (part_ != metadata || depth_ != 2) return depth_ > 0 || strange("a number");
    auto* into = name_ == "total_size" ? &out.total_size : name_ == "total_parameters" ? &out.total_parameters : nullptr;
    if (!into) return true;
    if (value < 0 || value > static_cast<double>(kMostBytes)) return fault("its " + name_ + " is no number of bytes or weights up to 2^53");
    *into = value;
    return true;
  }
  bool strange(const char* what) override {
    if (depth_ < 1) return fault("it is no JSON object"), false;
    return part_ != map || fault("its weight_map has " + std::string(what) + " where the name of a file belongs");
  }
  bool opened(bool object) override { return depth_ == 1 || (depth_ == 2 && object) || strange(object ? "an object" : "a list"); }

 private:
  enum Part : std::uint8_t { nothing, metadata, map };
  Part part_ = nothing;
  std::string name_;
};

// Broken UTF-8 and zero bytes, which the parser would take for the end.
bool is_text(std::string_view text, std::size_t offset, std::string_view path, Problems& problems) {
  const auto broken = first_broken_byte(text), zero = text.find('\0');
  if (broken != std::string_view::npos) problems.add(Code::broken_text, path, {{"position", static_cast<double>(broken + offset)}});
  else if (zero != std::string_view::npos) problems.add(Code::not_json, path, {{"position", static_cast<double>(zero + offset)}});
  return broken == std::string_view::npos && zero == std::string_view::npos;
}

std::string bytes_text(std::int64_t n) { return std::to_string(n) + " bytes"; }

// Every byte of the buffer belongs to one tensor.
void check_layout(Walker& w, std::int64_t data, std::int64_t size, bool whole) {
  auto& t = w.out.tensors;
  std::sort(t.begin(), t.end(), [](const auto& a, const auto& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::int64_t end = 0;
  const CheckpointTensor* before = nullptr;
  for (const auto& one : t) {
    const auto name = quoted_name(w.out.name(one));
    if (one.begin > end && !w.fault("bytes " + std::to_string(end) + " to " + std::to_string(one.begin) + " before tensor " + name + " belong to none")) return;
    if (one.begin < end && before && !w.fault("tensors " + quoted_name(w.out.name(*before)) + " and " + name + " overlap")) return;
    end = std::max(end, one.end);
    before = &one;
  }
  // A header cut out of its file is a header all the same.
  if (w.faulty() || (whole && size == data) || end == size - data) return;
  w.fault("its tensors have " + bytes_text(end) + ", and behind its header there are " + std::to_string(size - data));
}

}  // namespace

std::uint8_t dtype_count() { return static_cast<std::uint8_t>(std::size(kDtypes)); }
const Dtype& dtype_at(std::uint8_t index) { return kDtypes[index]; }

std::optional<Checkpoint> read_safetensors(std::string_view content, std::int64_t size, std::string_view file, std::string_view path, Problems& problems) {
  constexpr std::int64_t kLength = 8, kFirst = 64 * 1024;
  const auto given = static_cast<std::int64_t>(content.size());
  const auto refuse = [&](const std::string& why) {
    problems.add(Code::unsupported_file, path, {{"name", file}, {"why", why}});
    return std::nullopt;
  };
  const auto more = [&](std::int64_t bytes) {
    problems.add(Code::needs_more_bytes, path, {{"name", file}, {"bytes", static_cast<double>(bytes)}});
    return std::nullopt;
  };
  if (size < kLength + 2) return refuse("it has " + bytes_text(size) + ", too few for a safetensors header");
  if (given < kLength) return more(std::min(size, kFirst));
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8U | static_cast<unsigned char>(content[static_cast<std::size_t>(i)]);
  if (length > static_cast<std::uint64_t>(size - kLength))
    return refuse("its header claims " + std::to_string(length) + " bytes, and the file has " + std::to_string(size));
  if (length > static_cast<std::uint64_t>(kMostHeaderBytes - kLength)) {
    problems.add(Code::too_large, path, {{"bytes", static_cast<double>(length)}, {"limit", static_cast<double>(kMostHeaderBytes)}});
    return std::nullopt;
  }
  if (given > kLength && content[kLength] != '{') return refuse("its header does not begin with {");
  const auto data = kLength + static_cast<std::int64_t>(length);
  if (given < data) return more(data);

  const auto text = content.substr(kLength, length);
  if (!is_text(text, kLength, path, problems)) return std::nullopt;
  HeaderWalker w(file, path, kLength, problems);
  const bool whole = walk_json(text, w);
  if (!whole && !w.faulty()) w.fault("its header cannot be read");
  if (whole) check_layout(w, data, size, given == size);
  w.sort_by_name();
  if (w.faulty()) return std::nullopt;
  return std::move(w.out);
}

std::optional<Checkpoint> read_checkpoint_index(std::string_view content, std::int64_t size, std::string_view file, std::string_view path, Problems& problems) {
  if (size > kMostHeaderBytes) {
    problems.add(Code::too_large, path, {{"bytes", static_cast<double>(size)}, {"limit", static_cast<double>(kMostHeaderBytes)}});
    return std::nullopt;
  }
  if (size > static_cast<std::int64_t>(content.size())) {
    problems.add(Code::needs_more_bytes, path, {{"name", file}, {"bytes", static_cast<double>(size)}});
    return std::nullopt;
  }
  if (!is_text(content, 0, path, problems)) return std::nullopt;
  IndexWalker w(file, path, 0, problems);
  const bool whole = walk_json(content, w);
  if (!whole && !w.faulty()) w.fault("it cannot be read");
  if (whole && !w.has_map) w.fault("it has no weight_map");
  w.sort_by_name();
  if (w.faulty()) return std::nullopt;
  w.out.index = true;
  w.out.files = w.files.size();
  return std::move(w.out);
}

}  // namespace weighbridge
