// Money and energy, from list price and power of the devices. Figures that are not known stay 0 (null in the answer).
// Source: definitions of our own; prices and powers carry theirs in the catalogue.
#pragma once

#include "weighbridge/estimate.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge::formulas {

template <class T>
Cost cost(const Device& d, From from, double devices, const Device* pool, double pool_devices, TokensPerSecond output, T& trace) {
  Cost c;
  if (d.price_per_hour.value > 0 && !(pool && pool->price_per_hour.value <= 0)) {
    const Dollars beside = pool ? pool_devices * pool->price_per_hour : Dollars{};
    c.usd_per_hour = trace.step(FormulaId::usd_per_hour, devices * d.price_per_hour + beside,
                                {{"devices", devices, From::user}, {"price", d.price_per_hour, from}, {"pool", beside, From::catalog}});
    if (output.value > 0)
      c.usd_per_million_output_tokens =
          trace.step(FormulaId::usd_per_million_output_tokens, c.usd_per_hour.value / 3600 / output.value * 1e6,
                     {{"usd_per_hour", c.usd_per_hour, FormulaId::usd_per_hour}, {"output_tokens_per_s", output, FormulaId::output_tokens_per_s}});
  }
  if (d.power.value > 0 && !(pool && pool->power.value <= 0)) {
    const Watts beside = pool ? pool_devices * pool->power : Watts{};
    c.watts = trace.step(FormulaId::watts, devices * d.power + beside, {{"devices", devices, From::user}, {"power", d.power, from}, {"pool", beside, From::catalog}});
    if (output.value > 0)
      c.joules_per_output_token = trace.step(FormulaId::joules_per_output_token, c.watts / output,
                                             {{"watts", c.watts, FormulaId::watts}, {"output_tokens_per_s", output, FormulaId::output_tokens_per_s}});
  }
  return c;
}

}  // namespace weighbridge::formulas
