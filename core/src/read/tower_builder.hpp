// The weights of a tower, put down one by one: what the readers of images (towers.cpp) and of sound (speech.cpp) share.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "weighbridge/model.hpp"

namespace weighbridge {

constexpr std::int64_t kMostPixels = 65'536;
constexpr std::int64_t kMostPatch = 1'024;
constexpr std::int64_t kMostMerge = 16;

// Layers of attention and feed-forward, as nearly all towers have them.
struct Layers {
  std::int64_t layers = 0, width = 0, ffn = 0;
  std::int64_t attention = 0;          // width of queries, keys and values; 0: width
  bool gated = false;
  bool qkv_bias = true, out_bias = true, mlp_bias = true;
  std::int64_t norms = 2;              // per layer, of `width`
  bool norm_bias = true;
  std::int64_t more = 0;               // other elements in vectors of a layer (gates, scales, norms of heads)
};

class TowerBuilder {
 public:
  explicit TowerBuilder(std::string name) { tower_.name = std::move(name); }

  void matrix(std::string name, std::int64_t rows, std::int64_t columns, std::int64_t count = 1) {
    if (rows > 0 && columns > 0 && count > 0) tower_.parts.push_back({std::move(name), rows, columns, count, true});
  }
  void linear(const char* name, std::int64_t rows, std::int64_t columns, bool bias) {
    matrix(std::string(name) + ".weight", rows, columns);
    if (bias) vectors_ += rows;
  }
  // Not a linear layer: convolutions, position tables.
  void table(std::string name, std::int64_t rows, std::int64_t columns, std::int64_t count = 1) {
    if (rows > 0 && columns > 0 && count > 0) tower_.parts.push_back({std::move(name), rows, columns, count, false});
  }
  void vectors(std::int64_t elements) { vectors_ += elements; }

  void layers(const Layers& l, const std::string& name = "layers.{}.") {
    const auto a = l.attention > 0 ? l.attention : l.width;
    matrix(name + "qkv_proj.weight", 3 * a, l.width, l.layers);
    matrix(name + "o_proj.weight", l.width, a, l.layers);
    matrix(name + (l.gated ? "gate_up_proj.weight" : "up_proj.weight"), (l.gated ? 2 : 1) * l.ffn, l.width, l.layers);
    matrix(name + "down_proj.weight", l.width, l.ffn, l.layers);
    const auto small = l.norms * l.width * (l.norm_bias ? 2 : 1) + l.more + (l.qkv_bias ? 3 * a : 0) + (l.out_bias ? l.width : 0) +
                       (l.mlp_bias ? (l.gated ? 2 : 1) * l.ffn + l.width : 0);
    table(name + "norms_and_biases", 1, small, l.layers);
    auto& s = tower_.sight;
    s.width = std::max(s.width, l.width);
    s.layer = std::max({s.layer, 4 * a, (l.gated ? 3 : 2) * l.ffn});
  }

  // Heads and numbers of a patch, patches of one tile, tiles of the largest image, and how many patches become one input.
  void image(std::int64_t heads, std::int64_t pixels, std::int64_t patches, std::int64_t tiles = 1, std::int64_t merged = 1) {
    auto& s = tower_.sight;
    s.heads = heads;
    s.pixels = pixels;
    s.patches = patches * tiles;
    s.inputs = s.patches / std::max<std::int64_t>(1, merged);
  }
  void tiles(std::int64_t count, std::int64_t merged) {
    const auto s = tower_.sight;
    image(s.heads, s.pixels, s.patches, count, merged);
  }

  Tower take() {
    table("norms_and_biases", 1, vectors_);
    return std::move(tower_);
  }

 private:
  Tower tower_;
  std::int64_t vectors_ = 0;
};

}  // namespace weighbridge
