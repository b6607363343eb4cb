// What one estimate needs again and again, kept by the caller's thread so that the planner's loop does not allocate.
#pragma once

#include <vector>

#include "formulas/kv_cache.hpp"

namespace weighbridge {

struct ProductRate {
  FlopsPerSecond peak;
  double efficiency;
  bool unpacks;
};

struct Scratch {
  formulas::CacheTerms cache;
  std::vector<double> group_shares;                    // in one layout, of each stored group on the fullest device
  std::vector<CacheShape> shapes;                      // of each kind, as the engine keeps it
  std::vector<Bytes> layer_weights, layer_cache;       // on the fullest device, of one layer of a kind; the cache of one sequence, whole
  std::vector<Bytes> layer_experts;                    // of these weights, the experts
  std::vector<double> cache_shares;                    // of a layer's cache, on the fullest device
  struct Table {
    Bytes bytes;
    double rows;
  };
  std::vector<Table> tables;
  std::vector<ProductRate> rates;                      // of the products, one by one
  std::vector<char> full_windows;
  std::vector<double> on_devices;                      // layers of each kind that are not on the host
};

}  // namespace weighbridge
