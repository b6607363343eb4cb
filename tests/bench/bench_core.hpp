// The loop that a planner runs: the detailed method without explanation, again and again, over models whose inventories are
// built once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "weighbridge/estimate.hpp"

namespace weighbridge_bench {

class Loop {
 public:
  Loop();

  // Runs `count` estimates, each of another model, device, weight format, layout and workload than the one before, and returns the
  // sum of their figures: whoever prints it has proof that every one was computed. Goes on where the last call stopped.
  // `store_each`: lays the model's tensors out in their format before every estimate, instead of once per model and format.
  double run(std::int64_t count, bool store_each);

  std::size_t models() const { return models_.size(); }
  std::size_t devices() const { return devices_.size(); }
  std::size_t formats() const { return formats_.size(); }
  std::size_t layouts() const;

  double fitting() const { return static_cast<double>(fitting_) / static_cast<double>(done_); }

 private:
  struct Model {
    weighbridge::Request request;
    std::vector<weighbridge::Stored> stored;           // by weight format
    std::vector<weighbridge::Layout> layouts;          // that this model can take
  };

  std::uint32_t draw(std::size_t end);                 // below `end`
  void vary(Model& model);

  std::vector<Model> models_;
  std::vector<weighbridge::Device> devices_;  // as requests name them
  std::vector<const weighbridge::WeightFormat*> formats_;
  std::vector<const weighbridge::KvFormat*> kv_formats_;
  weighbridge::Stored stored_now_;
  std::uint64_t state_ = 20240229;
  std::int64_t done_ = 0, fitting_ = 0;
};

}  // namespace weighbridge_bench
