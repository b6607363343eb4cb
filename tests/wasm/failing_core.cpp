// A core that fails in every way in which a real one must not: the loader has to live on.
#include <cstdlib>
#include <string>
#include <vector>

#include "weighbridge/api.hpp"

namespace weighbridge::api {

namespace {

int calls = 0;

int deeper(int n) {
  volatile char room[4096] = {};
  room[n % 4096] = 1;
  return n == 0 ? 0 : deeper(n - 1) + room[n % 4096];
}

}  // namespace

std::string version() { return "0.0.0"; }
std::string describe() {
  return R"({"problems":[{"code":"internal_error","severity":"error","summary":"This is a defect of Weighbridge and not of the request[: {detail}]."}]})";
}

// "calls" in the answer counts since this instance was made, so that a fresh one is seen.
std::string estimate(std::string_view request) {
  ++calls;
  if (request.find("abort") != request.npos) std::abort();
  if (request.find("trap") != request.npos) __builtin_trap();
  if (request.find("overflow") != request.npos) return std::to_string(deeper(1 << 30));
  if (request.find("memory") != request.npos) {
    std::vector<std::string> hoard;
    for (;;) hoard.emplace_back(std::size_t{64} << 20U, 'x');
  }
  if (request.find("garbage") != request.npos) return "{\"ok\":tr";
  return R"({"ok":true,"calls":)" + std::to_string(calls) + R"(,"problems":[]})";
}

std::string train(std::string_view request) { return estimate(request); }
std::string plan(std::string_view request) { return estimate(request); }
Sweep sweep(std::string_view request) { return {estimate(request), {}}; }
std::string read_model(const std::vector<File>& files) { return estimate(files.empty() ? "" : files[0].content); }

}  // namespace weighbridge::api
