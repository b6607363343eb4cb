#include "weighbridge/estimate.hpp"

#include <algorithm>
#include <array>

#include "placement.hpp"

namespace weighbridge {

std::string_view bound_name(Bound bound) {
  switch (bound) {
    case Bound::compute: return "compute";
    case Bound::bandwidth: return "bandwidth";
    case Bound::interconnect: return "interconnect";
    case Bound::overhead: return "overhead";
  }
  return "bandwidth";
}

namespace {

StoredGroup group_of(const TensorRow& row) {
  using Read = StoredGroup::Read;
  StoredGroup g;
  g.role = row.role;
  g.split = row.split;
  g.kind = row.kind;
  g.place = place_of(row);
  if (row.mtp || row.use == Use::never) g.read = Read::never;
  else if (row.use == Use::routed) g.read = Read::experts;
  else if (row.use == Use::lookup && !row.tied_head) g.read = Read::table;
  if (g.read == Read::table) g.table_rows = static_cast<double>(row.rows);
  return g;
}

constexpr double kHalf = 15.5;             // below it a weight is stored narrower than 16 bits

// Bits that an operand of a product has, with some room for what blocks add to a stored weight.
constexpr double width_of(Arithmetic a) {
  switch (a) {
    case Arithmetic::fp32: return 31;
    case Arithmetic::fp16: case Arithmetic::bf16: return kHalf;
    case Arithmetic::fp8: case Arithmetic::int8: return 7.5;
    case Arithmetic::fp4: return 3.5;
  }
  return 0;
}

void add_up(const Inventory& m, const Formats& formats, double average_bits, Stored& out) {
  out.groups.clear();
  out.without_mtp = 0;
  out.by_role = {};
  out.loaded = out.mtp = {};
  out.product_count = 0;
  std::array<double, kPrecisions> by_precision{};
  out.fp32_matrices = false;
  const double used_share = m.experts > 0 ? static_cast<double>(m.experts_used) / static_cast<double>(m.experts) : 1;
  for (const auto& s : out.rows) {
    const auto& row = m.rows[s.row];
    auto group = group_of(row);
    const auto begin = out.groups.begin() + static_cast<std::ptrdiff_t>(row.mtp ? out.without_mtp : 0);
    auto at = std::find_if(begin, out.groups.end(), [&](const StoredGroup& g) { return g.alike(group); });
    if (at == out.groups.end()) at = out.groups.insert(at, group);
    at->bytes += s.bytes;
    const auto& encoding = formats.encodings[s.encoding];
    const double bits = average_bits > 0 ? average_bits : encoding.bits;
    const double count = static_cast<double>(s.layers * row.per_layer * row.rows * row.columns);
    if (bits < kHalf) at->narrow += count;
    if (!row.mtp) out.without_mtp = out.groups.size();             // the inventory lists the prediction layers last
    out.by_role[static_cast<std::size_t>(row.role)] += s.bytes;
    (row.mtp ? out.mtp : out.loaded) += s.bytes;

    const auto arithmetic = encoding.arithmetic;
    if (row.linear && arithmetic == Arithmetic::fp32) out.fp32_matrices = true;
    if (group.read == StoredGroup::Read::never || group.read == StoredGroup::Read::table) continue;
    const bool head = row.use == Use::last || row.tied_head;
    const bool routed = row.use == Use::routed;
    Product p{arithmetic, bits < kHalf, bits < width_of(arithmetic), routed, head, 2 * count * (routed ? used_share : 1)};
    by_precision[static_cast<std::size_t>(arithmetic)] += p.flops;
    const auto end = out.products.begin() + static_cast<std::ptrdiff_t>(out.product_count);
    const auto like = std::find_if(out.products.begin(), end, [&](const Product& q) {
      return q.arithmetic == p.arithmetic && q.narrow == p.narrow && q.packed == p.packed && q.routed == p.routed && q.head == p.head;
    });
    if (like != end) like->flops += p.flops;
    else if (out.product_count < kProducts) out.products[out.product_count++] = p;
  }
  std::size_t largest = 0;
  for (std::size_t a = 1; a < kPrecisions; ++a)
    if (by_precision[a] > by_precision[largest]) largest = a;
  out.arithmetic = static_cast<Arithmetic>(largest);
}

}  // namespace

void store(const Request& request, const Formats& formats, Stored& out) {
  const auto& m = *request.model;
  if (request.weights.bits > 0) store_average(m, request.weights.bits, formats, out.rows);
  else if (request.weights.format) store(m, *request.weights.format, formats, out.rows);
  else store_published(m, formats, out.rows);
  if (!request.towers) std::erase_if(out.rows, [&](const StoredRow& s) { return m.rows[s.row].role == Role::vision; });
  add_up(m, formats, request.weights.bits, out);
}

}  // namespace weighbridge
