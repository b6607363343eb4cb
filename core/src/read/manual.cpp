#include "read/manual.hpp"

#include <algorithm>
#include <initializer_list>
#include <cmath>

#include "json.hpp"
#include "weighbridge/read_config.hpp"

namespace weighbridge {

namespace {

struct Reference {
  std::string id;
  ManualSizes sizes;
  std::int64_t experts = 0, experts_used = 0;
  std::int64_t context = 0;
};

// Shapes of the catalogue's plain models (one kind of attention with full heads), read once.
const std::vector<Reference>& references(const Catalog& catalog) {
  static const std::vector<Reference> list = [&] {
    std::vector<Reference> out;
    for (const auto& entry : catalog.models()) {
      Problems ignored;
      auto spec = read_config(catalog.model_config(entry), entry.id, "/model", catalog.formats(), ignored);
      if (!spec || spec->kinds.empty()) continue;
      const auto inv = inventory(std::move(*spec));
      const auto plain = [](const LayerKind& k) { return k.mixer.kind == MixerKind::attention && k.mixer.recurrent.kind == RecurrentKind::none; };
      if (!std::all_of(inv.spec.kinds.begin(), inv.spec.kinds.end(), plain)) continue;
      const auto& kind = inv.spec.kinds.back();
      const auto& a = kind.mixer.attention;
      out.push_back({entry.id,
                     {static_cast<double>(inv.parameters), static_cast<double>(inv.active_parameters), inv.spec.layers(), inv.spec.hidden,
                      a.heads, a.kv_heads, a.head_dim, inv.spec.vocabulary, kind.feed_forward.width},
                     inv.experts, inv.experts_used, inv.spec.context});
    }
    return out;
  }();
  return list;
}

const Reference* nearest_reference(const Catalog& catalog, double parameters, bool experts) {
  const Reference* best = nullptr;
  double best_ratio = 0;
  for (const auto& r : references(catalog)) {
    if ((r.experts > 0) != experts) continue;
    const double ratio = r.sizes.parameters > parameters ? r.sizes.parameters / parameters : parameters / r.sizes.parameters;
    if (!best || ratio < best_ratio) { best = &r; best_ratio = ratio; }
  }
  return best;
}

TensorRow matrix(std::string name, Role role, Use use, TensorClass cls, std::int64_t rows, std::int64_t columns) {
  TensorRow row;
  row.name = std::move(name);
  row.role = role;
  row.use = use;
  row.cls = cls;
  row.rows = rows;
  row.columns = columns;
  return row;
}

// Whether the feed-forward has a gate, input and head are one table, and how many key-value heads there are: what comes nearest to the number of parameters.
struct Shape {
  bool gated = true;
  std::int64_t tables = 2;
  std::int64_t kv_heads = 0;
};
Shape nearest_shape(const ManualSizes& s, std::initializer_list<std::int64_t> kv_heads) {
  const auto of = [](std::int64_t n) { return static_cast<double>(n); };
  Shape best;
  double distance = -1;
  for (int i = 0; i < 4; ++i)
    for (const auto kv : kv_heads) {
      const bool gated = i < 2;
      const std::int64_t tables = 2 - i % 2;
      const double attention = 2 * of(s.hidden) * of(s.head_dim) * of(s.heads + kv);
      const double count = of(s.layers) * (attention + (gated ? 3 : 2) * of(s.hidden) * of(s.feed_forward)) + of(tables) * of(s.vocabulary) * of(s.hidden);
      const double off = count > s.parameters ? count - s.parameters : s.parameters - count;
      const bool holds = of(tables) * of(s.vocabulary) * of(s.hidden) <= s.parameters;
      if (holds && (distance < 0 || off < distance)) {
        distance = off;
        best = {gated, tables, kv};
      }
    }
  if (distance < 0) best.tables = 0;
  return best;
}

}  // namespace

ManualModel manual_model(const ManualSizes& given, const std::string& name, const Catalog& catalog) {
  ManualModel out;
  const bool moe = given.active_parameters > 0 && given.active_parameters < given.parameters;
  const auto* like = nearest_reference(catalog, given.parameters, moe);
  const auto take = [&](std::int64_t ManualSizes::*what, std::int64_t otherwise) {
    if (given.*what > 0) return given.*what;
    if (like) out.like = like->id;
    return like && like->sizes.*what > 0 ? like->sizes.*what : otherwise;
  };
  ManualSizes s = given;
  s.layers = take(&ManualSizes::layers, 32);
  if (s.hidden == 0 && s.heads > 0 && s.head_dim > 0) s.hidden = s.heads * s.head_dim;
  s.hidden = s.hidden > 0 ? s.hidden : take(&ManualSizes::hidden, 4096);
  if (s.heads > 0 && s.head_dim == 0 && given.hidden > 0) s.head_dim = std::max<std::int64_t>(1, s.hidden / s.heads);
  s.head_dim = s.head_dim > 0 ? s.head_dim : take(&ManualSizes::head_dim, 128);
  if (s.heads == 0 && given.hidden > 0) s.heads = std::max<std::int64_t>(1, s.hidden / s.head_dim);
  s.heads = s.heads > 0 ? s.heads : take(&ManualSizes::heads, 32);
  s.kv_heads = std::min(s.heads, take(&ManualSizes::kv_heads, s.heads));
  s.vocabulary = take(&ManualSizes::vocabulary, 32000);
  s.feed_forward = take(&ManualSizes::feed_forward, 4 * s.hidden);

  Inventory& inv = out.inventory;
  ModelSpec& spec = inv.spec;
  spec.id = spec.name = name.empty() ? "manual" : name;
  spec.architecture = "manual";
  spec.vocabulary = s.vocabulary;
  spec.hidden = s.hidden;
  LayerKind kind;
  kind.mixer.attention.heads = s.heads;
  kind.mixer.attention.kv_heads = s.kv_heads;
  kind.mixer.attention.head_dim = kind.mixer.attention.value_dim = s.head_dim;
  kind.feed_forward.width = s.feed_forward;
  spec.kinds.push_back(kind);
  spec.layer_kind.assign(static_cast<std::size_t>(s.layers), 0);

  inv.parameters = static_cast<std::int64_t>(given.parameters);
  const auto table = s.vocabulary * s.hidden;
  std::int64_t tables = 4 * table <= inv.parameters ? 2 : 0;   // a table and a head, and more than as much beside them
  if (!moe && given.layers > 0 && given.hidden > 0 && given.vocabulary > 0 && given.feed_forward > 0) {
    const auto shape = nearest_shape(s, {s.kv_heads, given.kv_heads > 0 ? s.kv_heads : s.heads});
    s.kv_heads = shape.kv_heads;
    spec.kinds[0].mixer.attention.kv_heads = shape.kv_heads;
    tables = shape.tables;
    spec.kinds[0].feed_forward.gated = shape.gated;
  }
  spec.tied = tables < 2;
  spec.has_head = tables > 0;
  auto rest = inv.parameters - tables * table;
  if (tables > 0) {
    inv.rows.push_back(matrix("embedding", Role::embedding, Use::lookup, TensorClass::token_embedding, s.vocabulary, s.hidden));
    inv.rows.back().tied_head = tables == 1;
  }
  if (tables == 2) {
    inv.rows.push_back(matrix("head", Role::lm_head, Use::last, TensorClass::output, s.vocabulary, s.hidden));
    inv.rows.back().linear = true;
  }
  inv.active_parameters = moe ? static_cast<std::int64_t>(given.active_parameters) : inv.parameters - (tables == 2 ? table : 0);

  // All that is left, over the layers; what does not fill whole rows is a vector that every token uses.
  const auto add_layers = [&](std::string row_name, Role role, Use use, std::int64_t elements, std::int64_t parts) {
    const auto rows = elements / (s.layers * parts * s.hidden);
    if (rows > 0) {
      auto row = matrix(std::move(row_name), role, use, TensorClass::ffn_up, rows, s.hidden);
      row.linear = true;
      row.kind = 0;
      row.layers = s.layers;
      row.per_layer = parts;
      if (use == Use::routed) row.split = Split::experts;
      inv.rows.push_back(row);
    }
    return elements - rows * s.layers * parts * s.hidden;
  };
  if (moe) {
    inv.experts = like && like->experts > 0 ? like->experts : 8;
    inv.experts_used = like && like->experts > 0 ? like->experts_used : 2;
    if (like) out.like = like->id;
    const double used = static_cast<double>(inv.experts_used) / static_cast<double>(inv.experts);
    const double active = std::max(0.0, static_cast<double>(inv.active_parameters - (tables > 0 ? table : 0)));
    const double routed = std::clamp((static_cast<double>(rest) - active) / (1 - used), 0.0, static_cast<double>(rest));
    auto& f = spec.kinds[0].feed_forward;
    f.experts = inv.experts;
    f.experts_used = inv.experts_used;
    const auto experts = static_cast<std::int64_t>(routed);
    rest = rest - experts + add_layers("experts", Role::experts, Use::routed, experts, inv.experts);
  }
  rest = add_layers("layers", Role::mlp, Use::always, rest, 1);
  if (rest > 0) inv.rows.push_back(matrix("rest", Role::other, Use::always, TensorClass::other, 1, rest));

  make_caches(inv);
  measure(inv);
  return out;
}

}  // namespace weighbridge
