#include "read/json_walk.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weighbridge {

namespace {

bool is_digit(int c) { return c >= '0' && c <= '9'; }

// A decimal number 0.d1 d2 d3 … x 10^point that can be halved and doubled without loss.
class Decimal {
 public:
  explicit Decimal(std::string_view number) {
    std::int64_t shift = 0;
    bool fraction = false;
    for (std::size_t i = 0; i < number.size(); ++i) {
      const char c = number[i];
      if (c == '.') {
        fraction = true;
      } else if (is_digit(c)) {
        if (!digits_.empty() || c != '0') {
          if (!fraction) ++shift;
          put(c - '0');
        } else if (fraction) {
          --shift;
        }
      } else if (c == 'e' || c == 'E') {
        const bool minus = number[i + 1] == '-';
        std::int64_t exponent = 0;
        for (++i; i < number.size(); ++i)
          if (is_digit(number[i]) && exponent < kFar) exponent = exponent * 10 + (number[i] - '0');
        shift += minus ? -exponent : exponent;
      }
    }
    point_ = static_cast<int>(std::clamp<std::int64_t>(shift, -kFar, kFar));
    trim();
  }

  bool zero() const { return digits_.empty(); }
  int point() const { return point_; }
  int first() const { return digits_[0]; }

  // Fewer than 16 digits and a power of ten below 10^23 are doubles, and one operation on two doubles rounds as it should.
  bool quick(double& out) const {
    const auto power = point_ - static_cast<int>(digits_.size());
    if (digits_.size() > 15 || power < -22 || power > 22) return false;
    double scale = 1;
    for (int i = power < 0 ? -power : power; i > 0; --i) scale *= 10;
    const auto whole = static_cast<double>(whole_part(static_cast<int>(digits_.size())));
    out = power < 0 ? whole / scale : whole * scale;
    return true;
  }

  void divide(int bits) {                        // by 2^bits, at most 2^59
    const auto before = std::move(digits_);
    digits_.clear();
    std::uint64_t left = 0;
    for (std::size_t i = 0; i < before.size() || (left != 0 && digits_.size() < kMost); ++i) {
      left = left * 10 + (i < before.size() ? static_cast<std::uint64_t>(before[i]) : 0);
      const auto digit = static_cast<int>(left >> static_cast<unsigned>(bits));
      left -= static_cast<std::uint64_t>(digit) << static_cast<unsigned>(bits);
      if (digit == 0 && digits_.empty()) --point_;
      else put(digit);
    }
    more_ = more_ || left != 0;
    trim();
  }

  void multiply(int bits) {                      // by 2^bits, at most 2^59
    std::uint64_t carry = 0;
    for (std::size_t i = digits_.size(); i-- > 0;) {
      carry += static_cast<std::uint64_t>(digits_[i]) << static_cast<unsigned>(bits);
      digits_[i] = static_cast<char>(carry % 10);
      carry /= 10;
    }
    for (; carry > 0; carry /= 10, ++point_) digits_.insert(digits_.begin(), static_cast<char>(carry % 10));
    trim();
  }

  // The number as a whole one, rounded to even.
  std::uint64_t rounded() const {
    const auto whole = whole_part(point_);
    const auto next = static_cast<std::size_t>(std::max(point_, 0));
    if (point_ < 0 || next >= digits_.size() || digits_[next] < 5) return whole;
    const bool half = digits_[next] == 5 && next + 1 == digits_.size() && !more_;
    return whole + (half ? whole & 1U : 1U);
  }

 private:
  static constexpr std::size_t kMost = 800;      // more digits than any double has
  static constexpr std::int64_t kFar = 10'000'000;

  void put(int digit) {
    if (digits_.size() < kMost) digits_ += static_cast<char>(digit);
    else more_ = more_ || digit != 0;
  }
  void trim() {
    while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  }
  std::uint64_t whole_part(int count) const {
    std::uint64_t whole = 0;
    for (int i = 0; i < count; ++i) whole = whole * 10 + (static_cast<std::size_t>(i) < digits_.size() ? static_cast<std::uint64_t>(digits_[static_cast<std::size_t>(i)]) : 0);
    return whole;
  }

  std::string digits_;                           // values 0 … 9, none of them 0 at the ends
  int point_ = 0;
  bool more_ = false;                            // something other than 0 follows the last digit that is kept
};

double unsigned_double(std::string_view number) {
  Decimal d(number);
  if (d.zero() || d.point() < -330) return 0;
  if (d.point() > 310) return std::numeric_limits<double>::infinity();
  if (double quick = 0; d.quick(quick)) return quick;
  // Halved and doubled into [1/2, 1).
  int exponent = 0;
  while (d.point() > 0) {
    const int bits = d.point() > 17 ? 56 : d.point() > 1 ? 3 : 1;
    d.divide(bits);
    exponent += bits;
  }
  while (d.point() < 0 || d.first() < 5) {
    const int bits = d.point() < -17 ? 56 : d.point() < 0 ? 3 : 1;
    d.multiply(bits);
    exponent -= bits;
  }
  // Then 53 bits of it; fewer where doubles end, at 2^-1074.
  const int bits = std::min(53, exponent + 1074);
  if (bits < 0) return 0;
  d.multiply(bits);
  return std::ldexp(static_cast<double>(d.rounded()), exponent - bits);
}

class Walk {
 public:
  Walk(std::string_view text, JsonEvents& events) : text_(text), events_(events) {}

  bool run() {
    std::string open;                            // '{' and '[', the innermost last
    bool value_next = true;
    next();
    for (;;) {
      if (value_next) {
        if (token_ == '{') {
          if (!events_.start_object()) return false;
          if (next() != '}') {
            if (!member()) return false;
            open += '{';
            continue;
          }
          if (!events_.end_object()) return false;
        } else if (token_ == '[') {
          if (!events_.start_array()) return false;
          if (next() != ']') {
            open += '[';
            continue;
          }
          if (!events_.end_array()) return false;
        } else if (!value()) {
          return false;
        }
      }
      value_next = true;
      if (open.empty()) return next() == kEnd || fail();
      const bool object = open.back() == '{';
      next();
      if (token_ == ',') {
        next();
        if (object && !member()) return false;
      } else if (token_ == (object ? '}' : ']')) {
        if (!(object ? events_.end_object() : events_.end_array())) return false;
        open.pop_back();
        value_next = false;
      } else {
        return fail();
      }
    }
  }

 private:
  // Tokens are the marks themselves, the first letters of words, and these.
  static constexpr int kEnd = 0, kBroken = 1, kText = '"', kNumber = '0';

  bool fail() {
    events_.error(at_, false);
    return false;
  }

  int get() {
    const int c = at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1;
    ++at_;
    return c;
  }

  // A name and its colon, of which the name is read; then the value's first token.
  bool member() {
    if (token_ != kText) return fail();
    if (!events_.key(string_)) return false;
    if (next() != ':') return fail();
    next();
    return true;
  }

  bool value() {
    switch (token_) {
      case kText: return events_.string(string_);
      case kNumber: return number();
      case 't': return events_.boolean(true);
      case 'f': return events_.boolean(false);
      case 'n': return events_.null();
      default: return fail();
    }
  }

  bool number() {
    const auto number = text_.substr(begin_, at_ - begin_);
    const bool minus = number[0] == '-';
    std::uint64_t whole = 0;
    bool fits = true;
    for (const char c : number.substr(minus ? 1 : 0)) {
      const auto digit = static_cast<std::uint64_t>(c - '0');
      fits = fits && is_digit(c) && whole <= (std::numeric_limits<std::uint64_t>::max() - digit) / 10;
      whole = whole * 10 + digit;
    }
    constexpr auto kLowest = std::uint64_t{1} << 63U;
    if (fits && !minus) return events_.number_unsigned(whole);
    if (fits && whole <= kLowest) return events_.number_integer(static_cast<std::int64_t>(0 - whole));
    const auto value = nearest_double(number);
    if (value - value == 0) return events_.number_float(value);
    events_.error(at_, true);
    return false;
  }

  int next() { return token_ = scan(); }

  int scan() {
    int c = get();
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') c = get();
    switch (c) {
      case '{': case '}': case '[': case ']': case ':': case ',': return c;
      case 't': return word("rue") ? c : kBroken;
      case 'f': return word("alse") ? c : kBroken;
      case 'n': return word("ull") ? c : kBroken;
      case '"': return scan_string() ? kText : kBroken;
      case -1: case 0: return kEnd;
      default: break;
    }
    begin_ = at_ - 1;
    return scan_number(c) ? kNumber : kBroken;
  }

  bool word(std::string_view rest) {
    for (const char c : rest)
      if (get() != c) return false;
    return true;
  }

  // From its first character on; the one behind its last is given back.
  bool scan_number(int c) {
    if (c == '-') c = get();
    if (!is_digit(c)) return false;
    const bool zero = c == '0';
    c = get();
    if (!zero) c = past_digits(c);
    if (c == '.') {
      if (!is_digit(c = get())) return false;
      c = past_digits(c);
    }
    if (c == 'e' || c == 'E') {
      c = get();
      if (c == '+' || c == '-') c = get();
      if (!is_digit(c)) return false;
      past_digits(c);
    }
    --at_;
    return true;
  }
  int past_digits(int c) {
    while (is_digit(c)) c = get();
    return c;
  }

  bool scan_string() {
    string_.clear();
    for (;;) {
      // What has no meaning of its own is copied at once.
      const auto from = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' && static_cast<unsigned char>(text_[at_]) >= 0x20) ++at_;
      string_ += text_.substr(from, at_ - from);
      const int c = get();
      if (c == '"') return true;
      if (c != '\\' || !escape()) return false;
    }
  }

  bool escape() {
    constexpr std::string_view kMarks = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    const int c = get();
    if (c == 'u') return code_point();
    const auto at = c < 0 ? std::string_view::npos : kMarks.find(static_cast<char>(c));
    if (at == std::string_view::npos) return false;
    string_ += kMeant[at];
    return true;
  }

  int four_digits() {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
      const int c = get(), letter = c | 0x20;
      if (!is_digit(c) && !(letter >= 'a' && letter <= 'f')) return -1;
      value = value * 16 + (is_digit(c) ? c - '0' : letter - 'a' + 10);
    }
    return value;
  }

  bool code_point() {
    int code = four_digits();
    if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF)) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
      if (get() != '\\' || get() != 'u') return false;
      const int low = four_digits();
      if (low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    const auto put = [&](int first, int shift) {
      string_ += static_cast<char>(first | (code >> shift));
      for (shift -= 6; shift >= 0; shift -= 6) string_ += static_cast<char>(0x80 | ((code >> shift) & 0x3F));
    };
    if (code < 0x80) put(0, 0);
    else if (code < 0x800) put(0xC0, 6);
    else if (code < 0x10000) put(0xE0, 12);
    else put(0xF0, 18);
    return true;
  }

  std::string_view text_;
  JsonEvents& events_;
  std::string string_;                           // of the last text or name
  std::size_t at_ = 0;                           // how much is read; the end counts as one more
  std::size_t begin_ = 0;                        // of the last number
  int token_ = kEnd;
};

}  // namespace

double nearest_double(std::string_view number) { return number[0] == '-' ? -unsigned_double(number.substr(1)) : unsigned_double(number); }

bool walk_json(std::string_view text, JsonEvents& events) { return Walk(text, events).run(); }

}  // namespace weighbridge
