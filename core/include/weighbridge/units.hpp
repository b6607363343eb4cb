// Quantities that carry their unit in the type.
//
// A Quantity is a double with integer exponents of the base units of this field. Adding bytes to seconds does not
// compile; Bytes / BytesPerSecond is Seconds. Counts stay exact up to 2^53. At -O2 a Quantity costs what a double costs.
#pragma once

#include <cstdint>

namespace weighbridge {

template <int Byte, int Flop, int Second, int Token, int Joule = 0, int Dollar = 0>
struct Quantity {
  double value = 0;

  constexpr Quantity() = default;
  constexpr explicit Quantity(double v) : value(v) {}

  constexpr Quantity& operator+=(Quantity o) { value += o.value; return *this; }
  constexpr Quantity& operator-=(Quantity o) { value -= o.value; return *this; }
  constexpr Quantity& operator*=(double f) { value *= f; return *this; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity{a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity{a.value - b.value}; }
  friend constexpr Quantity operator*(double f, Quantity q) { return Quantity{f * q.value}; }
  friend constexpr Quantity operator*(Quantity q, double f) { return Quantity{q.value * f}; }
  friend constexpr Quantity operator/(Quantity q, double f) { return Quantity{q.value / f}; }
  friend constexpr bool operator==(Quantity a, Quantity b) { return a.value == b.value; }
  friend constexpr bool operator<(Quantity a, Quantity b) { return a.value < b.value; }
  friend constexpr bool operator>(Quantity a, Quantity b) { return a.value > b.value; }
  friend constexpr bool operator<=(Quantity a, Quantity b) { return a.value <= b.value; }
  friend constexpr bool operator>=(Quantity a, Quantity b) { return a.value >= b.value; }
};

// A quantity without units is a plain double again, so that ratios need no cast.
template <int B, int F, int S, int T, int J, int D>
struct QuantityOf { using type = Quantity<B, F, S, T, J, D>; };
template <>
struct QuantityOf<0, 0, 0, 0, 0, 0> { using type = double; };

template <int B1, int F1, int S1, int T1, int J1, int D1, int B2, int F2, int S2, int T2, int J2, int D2>
constexpr auto operator*(Quantity<B1, F1, S1, T1, J1, D1> a, Quantity<B2, F2, S2, T2, J2, D2> b) {
  return typename QuantityOf<B1 + B2, F1 + F2, S1 + S2, T1 + T2, J1 + J2, D1 + D2>::type{a.value * b.value};
}
template <int B1, int F1, int S1, int T1, int J1, int D1, int B2, int F2, int S2, int T2, int J2, int D2>
constexpr auto operator/(Quantity<B1, F1, S1, T1, J1, D1> a, Quantity<B2, F2, S2, T2, J2, D2> b) {
  return typename QuantityOf<B1 - B2, F1 - F2, S1 - S2, T1 - T2, J1 - J2, D1 - D2>::type{a.value / b.value};
}
template <int B, int F, int S, int T, int J, int D>
constexpr auto operator/(double a, Quantity<B, F, S, T, J, D> b) {
  return Quantity<-B, -F, -S, -T, -J, -D>{a / b.value};
}

using Bytes = Quantity<1, 0, 0, 0>;
using Flops = Quantity<0, 1, 0, 0>;
using Seconds = Quantity<0, 0, 1, 0>;
using Tokens = Quantity<0, 0, 0, 1>;
using BytesPerSecond = Quantity<1, 0, -1, 0>;
using FlopsPerSecond = Quantity<0, 1, -1, 0>;
using BytesPerToken = Quantity<1, 0, 0, -1>;
using FlopsPerToken = Quantity<0, 1, 0, -1>;
using SecondsPerToken = Quantity<0, 0, 1, -1>;
using TokensPerSecond = Quantity<0, 0, -1, 1>;
using PerSecond = Quantity<0, 0, -1, 0>;
using Joules = Quantity<0, 0, 0, 0, 1>;
using Watts = Quantity<0, 0, -1, 0, 1>;
using JoulesPerToken = Quantity<0, 0, 0, -1, 1>;
using Dollars = Quantity<0, 0, 0, 0, 0, 1>;
using DollarsPerSecond = Quantity<0, 0, -1, 0, 0, 1>;
using DollarsPerToken = Quantity<0, 0, 0, -1, 0, 1>;

template <int B, int F, int S, int T, int J, int D>
constexpr auto min(Quantity<B, F, S, T, J, D> a, Quantity<B, F, S, T, J, D> b) { return b < a ? b : a; }
template <int B, int F, int S, int T, int J, int D>
constexpr auto max(Quantity<B, F, S, T, J, D> a, Quantity<B, F, S, T, J, D> b) { return a < b ? b : a; }

namespace literals {
// "GB" is 10^9 and "GiB" is 2^30, always.
constexpr Bytes operator""_B(unsigned long long n) { return Bytes{static_cast<double>(n)}; }
constexpr Bytes operator""_GB(unsigned long long n) { return Bytes{static_cast<double>(n) * 1e9}; }
constexpr Bytes operator""_GB(long double n) { return Bytes{static_cast<double>(n) * 1e9}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return Bytes{static_cast<double>(n) * 1048576.0}; }
constexpr Bytes operator""_GiB(unsigned long long n) { return Bytes{static_cast<double>(n) * 1073741824.0}; }
constexpr BytesPerSecond operator""_GB_per_s(unsigned long long n) { return BytesPerSecond{static_cast<double>(n) * 1e9}; }
constexpr FlopsPerSecond operator""_TFLOPS(unsigned long long n) { return FlopsPerSecond{static_cast<double>(n) * 1e12}; }
constexpr Seconds operator""_s(long double n) { return Seconds{static_cast<double>(n)}; }
constexpr Tokens operator""_tokens(unsigned long long n) { return Tokens{static_cast<double>(n)}; }
}  // namespace literals

}  // namespace weighbridge
