// What core/data/training.json says: what each frame adds to a step's memory, and what share of the hardware training reaches.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/catalog.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge {

struct TrainFrame {
  double context = 0, collectives = 0;       // bytes: driver context and kernels; buffers between devices
  double slack = 0;                          // share of what is allocated that the allocator holds beside it
  double logit_bytes[3] = {};                // per logit, by Loss
  double launch_seconds = 0;                 // per layer and pass: below this no layer goes
  bool fused_norms = false, fused_product = false, buckets = false;
};

struct TrainClass {
  std::string name;                          // of an efficiency class
  double linear = 0, linear8 = 0;            // share of the dense peak that matrix products reach, in 16 and in 8 bits
  double attention = 0, attention_fused = 0; // of the 16-bit peak, counting attention in full; by kernels made for this generation
  double memory = 0;                         // of the bandwidth, for all else
  double network = 0;                        // bytes/s per device and way between nodes
};

// The range that held 80 % of the measurements of runs like this one, around the value.
struct TrainInterval {
  std::string part;                          // memory or speed
  int frame = -1;                            // by Framework; -1: all
  int experts = -1;                          // 1: models with experts, 0: without; -1: both
  double low = 1, high = 1;
};

struct TrainingData {
  std::array<TrainFrame, 5> frames;          // by Framework
  std::vector<TrainClass> classes;           // the last one is for all others
  double overlap = 0;                        // share of hidden communication that still costs time
  double tensor_exposed = 1;                 // share of tensor-parallel exchanges that nothing hides
  double nvme_rate = 0;                      // bytes/s between a device's share of the drives and system memory
  double nvme_buffer = 0;                    // bytes of system memory per device and part that lies on NVMe
  double host_rate = 0;                      // bytes/s of optimizer states in a node's system memory
  double host_link = 0;                      // bytes/s between a device and system memory
  double dequantise = 0;                     // share of the bandwidth while weights are unpacked
  double direct_link = 0, direct_network = 0;    // bytes/s: devices linked so fast have such a network beyond their node
  double compiled_slack = 0;                 // at most, of compiled graphs
  double exchange_launch = 0;                // seconds for each exchange of a tensor-parallel group
  double expert_launch = 0;                  // seconds for each expert on a device and pass
  double scale_8bit = 0;                     // bytes of block scales per 8-bit state
  double largest_bucket = 0;                 // elements
  std::vector<TrainInterval> intervals;

  const TrainClass& of(const Device& device) const;
  // Of the row that says most about the run: frame and experts, the frame alone, neither.
  TrainInterval interval(std::string_view part, Framework frame, bool experts) const;
};
const TrainingData& training_data(const Catalog& catalog);

}  // namespace weighbridge
