// How many estimates one core makes in a second.
//
//   weighbridge_bench            a table
//   weighbridge_bench --json     the same as JSON
//   weighbridge_bench --check    a short run that fails when the loop allocates memory
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <vector>

#include "bench/bench_core.hpp"

namespace {

std::int64_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using weighbridge_bench::Loop;

constexpr int kRuns = 15;
constexpr std::int64_t kWarmUp = 20000, kEstimates = 60000;

struct Rate {
  double median = 0, low = 0, high = 0;                // estimates per second
  double checksum = 0;
  std::int64_t allocations = 0;
};

Rate measure(bool store_each, int runs, std::int64_t estimates) {
  using clock = std::chrono::steady_clock;
  Loop loop;
  Rate rate;
  rate.checksum = loop.run(kWarmUp, store_each);
  std::vector<double> rates(static_cast<std::size_t>(runs));
  const auto before = allocations;
  for (auto& r : rates) {
    const auto start = clock::now();
    rate.checksum += loop.run(estimates, store_each);
    r = static_cast<double>(estimates) / std::chrono::duration<double>(clock::now() - start).count();
  }
  rate.allocations = allocations - before;
  std::sort(rates.begin(), rates.end());
  rate.median = rates[rates.size() / 2];
  rate.low = rates.front();
  rate.high = rates.back();
  return rate;
}

void print_json(const char* name, const Rate& r, const char* after) {
  std::printf("  \"%s\": {\"per_second\": %.0f, \"low\": %.0f, \"high\": %.0f, \"checksum\": %.17g, \"allocations\": %lld}%s\n", name,
              r.median, r.low, r.high, r.checksum, static_cast<long long>(r.allocations), after);
}

void print_row(const char* what, const Rate& r) {
  std::printf("  %-58s %9.0f   (%.0f to %.0f)   checksum %.9g\n", what, r.median, r.low, r.high, r.checksum);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc > 1 ? argv[1] : "";
  if (option == "--check") {
    for (const bool store_each : {false, true}) {
      const auto r = measure(store_each, 1, 2000);
      if (r.allocations == 0) continue;
      std::fprintf(stderr, "%lld allocations in 2000 estimates%s\n", static_cast<long long>(r.allocations), store_each ? " with store()" : "");
      return 1;
    }
    return 0;
  }
  const auto reused = measure(false, kRuns, kEstimates), stored = measure(true, kRuns, kEstimates / 4);
  if (option == "--json") {
    std::printf("{\n");
    print_json("estimate", reused, ",");
    print_json("store_and_estimate", stored, "");
    std::printf("}\n");
    return 0;
  }
  const Loop loop;
  std::printf("Estimates per second on one core: detailed method, no explanation; %zu models with their inventories built once, %zu devices,\n"
              "%zu weight formats, 3 cache formats, %zu given layouts and the default ones, workloads drawn anew. Median of %d runs.\n",
              loop.models(), loop.devices(), loop.formats(), loop.layouts(), kRuns);
  print_row("stored tensors built once per model and format, as a planner does", reused);
  print_row("store() before every estimate", stored);
  std::printf("  allocations in the loops: %lld\n", static_cast<long long>(reused.allocations + stored.allocations));
  return 0;
}
