// The public face: JSON in, JSON out. Every call is pure, never throws and never aborts for bad input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge::api {

std::string version();                                   // semver of the package
std::string describe();                                  // fields, limits, formulas, sources, catalogue

std::string estimate(std::string_view request);          // inference: memory and speed
std::string train(std::string_view request);             // training and fine-tuning
std::string plan(std::string_view request);              // inverse search

// One request along one axis. `json`: {"ok":true,"columns":[paths],"length":n,…}; `values`: the columns one after another,
// NaN where there is no answer.
struct Sweep {
  std::string json;
  std::vector<double> values;
};
Sweep sweep(std::string_view request);

struct File {
  std::string name;
  std::string content;
  std::int64_t size = 0;                                 // of the whole file, when content is only its beginning
};
std::string read_model(const std::vector<File>& files);  // {"ok":true,"model":…}: the model goes into requests as it is

}  // namespace weighbridge::api
