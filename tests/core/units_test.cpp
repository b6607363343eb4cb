#include "weighbridge/units.hpp"

#include <type_traits>

#include "support/catch.hpp"

using namespace weighbridge;
using namespace weighbridge::literals;

// What the type system promises, checked where it is made: at compile time.
static_assert(std::is_same_v<decltype(Bytes{} / BytesPerSecond{}), Seconds>);
static_assert(std::is_same_v<decltype(Flops{} / FlopsPerSecond{}), Seconds>);
static_assert(std::is_same_v<decltype(Bytes{} / Bytes{}), double>);
static_assert(std::is_same_v<decltype(BytesPerToken{} * Tokens{}), Bytes>);
static_assert(std::is_same_v<decltype(FlopsPerToken{} * Tokens{}), Flops>);
static_assert(std::is_same_v<decltype(Tokens{} / Seconds{}), TokensPerSecond>);
static_assert(std::is_same_v<decltype(1.0 / SecondsPerToken{}), TokensPerSecond>);
static_assert(std::is_same_v<decltype(Watts{} * Seconds{}), Joules>);
static_assert(std::is_same_v<decltype(DollarsPerSecond{} / TokensPerSecond{}), DollarsPerToken>);
static_assert(std::is_same_v<decltype(2.0 * Bytes{}), Bytes>);
static_assert(!std::is_convertible_v<double, Bytes>);
static_assert(!std::is_convertible_v<Bytes, double>);
static_assert(!std::is_convertible_v<Bytes, Flops>);
static_assert(sizeof(Bytes) == sizeof(double));
static_assert(std::is_trivially_copyable_v<Bytes>);

TEST_CASE("GB is 10^9 and GiB is 2^30") {
  CHECK((80_GB).value == 80e9);
  CHECK((80_GiB).value == 80.0 * 1024 * 1024 * 1024);
  CHECK((1_GiB - 1_GB).value == 73741824);
  CHECK((1.5_GB).value == 1.5e9);
  CHECK((1024_MiB) == 1_GiB);
}

TEST_CASE("bytes over bandwidth is a time") {
  const Seconds t = 64_GB / 3200_GB_per_s;
  CHECK(t.value == 0.02);
  CHECK((8_tokens / t).value == 400);
  CHECK((2_TFLOPS * 3.0_s).value == 6e12);
}

TEST_CASE("quantities add, scale and compare as their numbers do") {
  Bytes sum = 1_GB;
  sum += 2_GB;
  sum -= 500_B;
  CHECK(sum.value == 3e9 - 500);
  sum *= 2;
  CHECK(sum == Bytes{6e9 - 1000});
  CHECK(1_GB < 1_GiB);
  CHECK(1_GiB > 1_GB);
  CHECK(1_GB <= 1_GB);
  CHECK(1_GB >= 1_GB);
  CHECK(max(1_GB, 1_GiB) == 1_GiB);
  CHECK(min(1_GB, 1_GiB) == 1_GB);
  CHECK((3_GB / 2).value == 1.5e9);
  CHECK(3_GB / 1_GB == 3.0);
}

TEST_CASE("counts stay exact up to 2^53") {
  const auto most = Bytes{9007199254740992.0};
  CHECK(most - 1_B == Bytes{9007199254740991.0});
  CHECK_FALSE(most - 1_B == most);
}
