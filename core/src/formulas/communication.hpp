// Time on the links between devices.
//
// Sources: a ring all-reduce moves 2 (n - 1) / n of its payload over each link (nccl-tests, "bus bandwidth"); tensor
// parallelism reduces once after the mixer and once after the feed-forward (Megatron-LM, section 3).
// Each all-reduce starts with a latency that was fitted; the ideal engine pays for bytes only.
#pragma once

#include "weighbridge/request.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge::formulas {

struct Link {
  BytesPerSecond rate;
  double efficiency = 1;
  Seconds latency;
};

template <class T>
Seconds all_reduce(double layers, double tensor, double tokens, double passes, double hidden, const Link& link, From link_from, std::string_view of, T& trace) {
  if (tensor <= 1 || link.rate.value <= 0) return {};
  const Bytes payload{2 * layers * 2 * (tensor - 1) / tensor * tokens * hidden * 2};
  return trace.step(FormulaId::all_reduce_seconds, payload / (link.rate * link.efficiency) + passes * 2 * layers * link.latency,
                    {{"layers", layers, From::model}, {"tensor", tensor, From::user}, {"tokens", tokens, From::user},
                     {"hidden_size", hidden, From::model}, {"link_bandwidth", link.rate, link_from},
                     {"efficiency", link.efficiency, From::catalog}, {"passes", passes, From::user}, {"latency", link.latency, From::catalog}}, of);
}

template <class T>
Seconds pipeline_transfer(double pipeline, double tokens, double hidden, const Link& link, From link_from, std::string_view of, T& trace) {
  if (pipeline <= 1 || link.rate.value <= 0) return {};
  const Bytes payload{(pipeline - 1) * tokens * hidden * 2};
  return trace.step(FormulaId::pipeline_seconds, payload / (link.rate * link.efficiency),
                    {{"pipeline", pipeline, From::user}, {"tokens", tokens, From::user},
                     {"hidden_size", hidden, From::model}, {"link_bandwidth", link.rate, link_from},
                     {"efficiency", link.efficiency, From::catalog}}, of);
}

template <class T>
Seconds expert_exchange(double moe_layers, double used, const Layout& l, double tokens, double hidden, const Link& link,
                        From link_from, std::string_view of, T& trace) {
  if (l.expert <= 1 || moe_layers == 0 || link.rate.value <= 0) return {};
  const auto expert = static_cast<double>(l.expert), tensor = static_cast<double>(l.tensor);
  const Bytes payload{2 * moe_layers * tokens / tensor * used * hidden * 2 * (expert - 1) / expert};
  return trace.step(FormulaId::expert_exchange_seconds, payload / (link.rate * link.efficiency),
                    {{"moe_layers", moe_layers, From::model}, {"tokens", tokens, From::user}, {"tensor", tensor, From::user},
                     {"experts_used", used, From::model}, {"hidden_size", hidden, From::model}, {"expert", expert, From::user},
                     {"link_bandwidth", link.rate, link_from}, {"efficiency", link.efficiency, From::catalog}}, of);
}

}  // namespace weighbridge::formulas
