// Bytes of weights: a sum over the inventory, per role.
//
// Source: definitions of our own (sources.json "weighbridge"); how tensor parallelism lays matrices out follows
// Shoeybi et al., "Megatron-LM" (2019), section 3: matrices are split, norms and routers are copied.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "weighbridge/layout.hpp"
#include "weighbridge/tensors.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge::formulas {

using RoleBytes = std::array<Bytes, kRoles>;

// What part of a stored row some holder has: `layers` of its layers, and of each tensor a `share`.
struct Part {
  double layers = 0;
  double share = 0;
};

// Share of a whole that has `heads` indivisible parts, on the fullest of `tensor` devices: once every device has
// one head, more devices only copy.
inline double heads_share(std::int64_t heads, std::int64_t tensor) {
  const auto n = static_cast<double>(heads);
  return std::ceil(n / static_cast<double>(tensor)) / n;
}
inline double heads_copies(std::int64_t heads, std::int64_t tensor) {
  return tensor > heads ? static_cast<double>(tensor) / static_cast<double>(heads) : 1.0;
}

// Of a tensor laid out by `split`: its share on the fullest device, and how many whole copies the devices of one pipeline
// stage hold together.
inline double share_on_fullest(Split split, std::int64_t kv_heads, const Layout& l) {
  switch (split) {
    case Split::replicated: return 1.0;
    case Split::kv_heads: return heads_share(kv_heads, l.tensor);
    case Split::experts: return 1.0 / static_cast<double>(l.expert > 1 ? l.tensor * l.data : l.tensor);
    case Split::even: return 1.0 / static_cast<double>(l.tensor);
  }
  return 1.0;
}
inline double copies(Split split, std::int64_t kv_heads, const Layout& l) {
  const auto data = static_cast<double>(l.data);
  switch (split) {
    case Split::replicated: return static_cast<double>(l.tensor) * data;
    case Split::kv_heads: return heads_copies(kv_heads, l.tensor) * data;
    case Split::experts: return l.expert > 1 ? 1.0 : data;
    case Split::even: return data;
  }
  return data;
}

// Shows how `bytes` come about: one step per role that has any. `part(stored, row)` says what of each row counts.
template <class PartOf>
void show_roles(FormulaId id, const RoleBytes& bytes, const Inventory& m, const Formats& formats, double average_bits,
                const std::vector<StoredRow>& stored, PartOf part, Trace& trace) {
  for (std::size_t role = 0; role < kRoles; ++role) {
    std::vector<double> count, share, elements, bits, scales;
    std::vector<std::string> names;
    for (const auto& s : stored) {
      const auto& row = m.rows[s.row];
      const Part p = part(s, row);
      if (static_cast<std::size_t>(row.role) != role || p.layers == 0) continue;
      const auto& e = formats.encodings[s.encoding];
      count.push_back(p.layers * static_cast<double>(row.per_layer));
      share.push_back(p.share);
      elements.push_back(static_cast<double>(row.rows * row.columns));
      bits.push_back(average_bits > 0 ? average_bits : e.bits);
      scales.push_back(s.beside.value);
      names.push_back(average_bits > 0 ? row.name : row.name + " (" + e.id + ")");
    }
    if (count.empty()) continue;
    trace.step(id, bytes[role],
               {{"count", count, From::model}, {"share", share, From::model}, {"elements", elements, From::model},
                {"bits", bits, From::format}, {"scale_bytes", scales, From::format}},
               role_name(static_cast<Role>(role)));
    trace.name_rows(std::move(names));
  }
}

// `beside`: LoRA adapters and what the engine makes of the weights, for formulas that have them.
template <class T>
Bytes sum_of_roles(FormulaId id, FormulaId of, const RoleBytes& bytes, T& trace, std::initializer_list<Input> beside = {}) {
  Bytes total;
  for (const auto b : bytes) total += b;
  for (const auto& a : beside) total += Bytes{a.value};
  if constexpr (T::on) {
    const auto in = [&](Role role) {
      const auto b = bytes[static_cast<std::size_t>(role)];
      const auto name = role_name(role);
      return b.value == 0 ? Input(name, b, From::model) : Input(name, b, of, name);
    };
    const Input of_roles[] = {in(Role::embedding), in(Role::attention), in(Role::mlp), in(Role::experts), in(Role::router),
                              in(Role::norm), in(Role::lm_head), in(Role::vision), in(Role::other)};
    const auto& r = of_roles;
    if (beside.size() == 2) trace.step(id, total, {r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], beside.begin()[0], beside.begin()[1]});
    else trace.step(id, total, {r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8]});
  }
  return total;
}

}  // namespace weighbridge::formulas
