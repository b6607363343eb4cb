// What one estimate needs again and again, kept by the caller's thread so that the planner's loop does not allocate.
#pragma once

#include <array>
#include <vector>

#include "formulas/kv_cache.hpp"

namespace weighbridge {

inline constexpr std::size_t kSplits = 4;

struct Shares {                                        // of a tensor, by its split
  std::array<double, kSplits> on_fullest{}, copies{};
};

struct Scratch {
  formulas::CacheTerms cache;
  std::vector<Shares> shares;                          // in one layout, by kind of layer + 1
  std::vector<CacheShape> shapes;                      // of each kind, as the engine keeps it
  std::vector<Bytes> layer_weights, layer_cache;       // on the fullest device, of one layer of a kind; the cache of one sequence, whole
  std::vector<Bytes> layer_experts;                    // of these weights, the experts
  struct Table {
    Bytes bytes;
    double rows;
  };
  std::vector<Table> tables;
  std::vector<char> full_windows;
  std::vector<double> on_devices;                      // layers of each kind that are not on the host
};

}  // namespace weighbridge
