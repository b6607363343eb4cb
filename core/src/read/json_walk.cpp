#include "read/json_walk.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace weighbridge {

namespace {

bool is_digit(int c) { return c >= '0' && c <= '9'; }

// A whole number as long as the digits of a double and a power of five are: 32 bits each, the lowest first.
class Whole {
 public:
  void multiply(std::uint32_t by, std::uint64_t add = 0) {
    for (std::size_t i = 0; i < size_; ++i, add >>= 32U) {
      add += std::uint64_t{limbs_[i]} * by;
      limbs_[i] = static_cast<std::uint32_t>(add);
    }
    if (add > 0) limbs_[size_++] = static_cast<std::uint32_t>(add);
  }
  // What is left over.
  std::uint32_t divide(std::uint32_t by) {
    std::uint64_t left = 0;
    for (auto i = size_; i-- > 0; left %= by) {
      left = left << 32U | limbs_[i];
      limbs_[i] = static_cast<std::uint32_t>(left / by);
    }
    while (size_ > 0 && limbs_[size_ - 1] == 0) --size_;
    return static_cast<std::uint32_t>(left);
  }
  void shift_left(int bits) {
    multiply(std::uint32_t{1} << static_cast<unsigned>(bits % 32));
    const auto whole = static_cast<std::size_t>(bits / 32);
    std::copy_backward(limbs_, limbs_ + size_, limbs_ + size_ + whole);
    std::fill_n(limbs_, whole, 0);
    size_ += whole;
  }

  int bits() const {
    int n = static_cast<int>(size_) * 32;
    while (n > 0 && !bit(n - 1)) --n;
    return n;
  }
  bool bit(int at) const { return (limbs_[at / 32] >> static_cast<unsigned>(at % 32) & 1U) != 0; }
  bool any_below(int at) const {
    while (at > 0)
      if (bit(--at)) return true;
    return false;
  }
  // Without its lowest bits; at most 64 are left.
  std::uint64_t above(int lowest) const {
    std::uint64_t out = 0;
    for (int i = bits(); i-- > lowest;) out = out << 1U | static_cast<std::uint64_t>(bit(i));
    return out;
  }

 private:
  std::uint32_t limbs_[128] = {};                // 800 digits have 2,658 bits, and what 5^1130 is to divide 2,706
  std::size_t size_ = 0;
};

// In steps of the largest power of five that has 32 bits.
template <class Step>
void by_powers_of_five(int power, Step step) {
  for (; power >= 13; power -= 13) step(1'220'703'125);
  std::uint32_t rest = 1;
  for (; power > 0; --power) rest *= 5;
  step(rest);
}

double unsigned_double(std::string_view number) {
  constexpr int kMost = 800;                     // more digits than any double, or what lies halfway between two, has
  constexpr std::int64_t kFar = 10'000'000;
  Whole n;
  std::int64_t power = 0;                        // of ten, that the digits are times
  int digits = 0;
  bool fraction = false, more = false;           // something other than 0 follows the last digit that is kept
  for (std::size_t i = 0; i < number.size(); ++i) {
    const char c = number[i];
    if (c == '.') {
      fraction = true;
    } else if (is_digit(c)) {
      if (digits < kMost) {
        if (digits > 0 || c != '0') ++digits;
        if (digits > 0) n.multiply(10, static_cast<std::uint64_t>(c - '0'));
        power -= fraction;
      } else {
        more = more || c != '0';
        power += !fraction;
      }
    } else if (c == 'e' || c == 'E') {
      const bool minus = number[i + 1] == '-';
      std::int64_t exponent = 0;
      for (++i; i < number.size(); ++i)
        if (is_digit(number[i]) && exponent < kFar) exponent = exponent * 10 + (number[i] - '0');
      power += minus ? -exponent : exponent;
    }
  }
  if (digits == 0 || digits + power < -330) return 0;
  if (digits + power > 310) return std::numeric_limits<double>::infinity();
  const int ten = static_cast<int>(power);
  // Fewer than 16 digits and a power of ten below 10^23 are doubles, and one operation on two doubles rounds as it should.
  if (digits <= 15 && ten >= -22 && ten <= 22) {
    double scale = 1;
    for (int i = std::abs(ten); i > 0; --i) scale *= 10;
    const auto whole = static_cast<double>(n.above(0));
    return ten < 0 ? whole / scale : whole * scale;
  }
  // Times 2^two. A quotient gets at least 64 bits: 5^n has fewer than 7/3 n.
  int two = ten;
  if (ten >= 0) {
    by_powers_of_five(ten, [&](std::uint32_t five) { n.multiply(five); });
  } else {
    const int shift = std::max(0, 65 + (7 * -ten + 2) / 3 - n.bits());
    n.shift_left(shift);
    two -= shift;
    by_powers_of_five(-ten, [&](std::uint32_t five) { more = n.divide(five) != 0 || more; });
  }
  // 53 bits of it, ties to even; fewer where doubles end, at 2^-1074.
  const int bits = n.bits(), kept = std::min({53, bits, bits + two + 1074});
  if (kept < 0) return 0;
  const int left = bits - kept;
  auto out = n.above(left);
  if (left > 0 && n.bit(left - 1) && (more || (out & 1U) != 0 || n.any_below(left - 1))) ++out;
  return std::ldexp(static_cast<double>(out), two + left);
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
