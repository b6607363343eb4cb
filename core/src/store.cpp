// Every row of an inventory as a format stores it.
#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "gguf_rules.hpp"
#include "weighbridge/tensors.hpp"

namespace weighbridge {
namespace {

// Layers of one row by encoding, in the order in which the encodings first appear. The widest mixture uses three.
class Tally {
 public:
  void add(EncodingId encoding, std::int64_t layers = 1) {
    for (std::size_t i = 0; i < used_; ++i)
      if (entries_[i].encoding == encoding) {
        entries_[i].layers += layers;
        return;
      }
    if (used_ < entries_.size()) entries_[used_++] = {encoding, layers};
    else entries_.back().layers += layers;
  }

  void write(std::size_t index, const TensorRow& row, const Formats& formats, std::vector<StoredRow>& out) const {
    for (std::size_t i = 0; i < used_; ++i) {
      out.push_back(stored_row(index, row, entries_[i].encoding, entries_[i].layers, formats));
    }
  }

 private:
  struct Entry {
    EncodingId encoding = 0;
    std::int64_t layers = 0;
  };
  std::array<Entry, 8> entries_{};
  std::size_t used_ = 0;
};

// Calls f(i) for every layer i that carries `row`, row.layers times in all. MTP layers come after the last one.
template <class F>
void each_layer(const ModelSpec& spec, const TensorRow& row, F f) {
  std::int64_t left = row.layers;
  if (row.kind < 0 || row.mtp) {
    for (std::int64_t i = row.mtp ? spec.layers() : 0; left > 0; --left, ++i) f(i);
    return;
  }
  for (std::size_t i = 0; i < spec.layer_kind.size() && left > 0; ++i)
    if (spec.layer_kind[i] == row.kind) {
      f(static_cast<std::int64_t>(i));
      --left;
    }
}

EncodingId sixteen_bits(const Encoding& beside, const Formats& formats) {
  return formats.encoding(beside.arithmetic == Arithmetic::fp16 ? "f16" : "bf16");
}

bool is_experts(const TensorRow& row) { return row.role == Role::experts && row.linear; }

// What formats that quantise tables as well take: any matrix whose rows are whole groups.
bool is_grouped_matrix(const TensorRow& row, const Encoding& e) {
  const bool matrix = row.linear || row.tied_head || row.cls == TensorClass::token_embedding ||
                      row.cls == TensorClass::output || row.cls == TensorClass::router;
  return matrix && e.group > 0 && row.columns % e.group == 0;
}

// Quantisers leave towers alone, but for bitsandbytes: it takes every linear layer that a model loads.
bool quantises_towers(std::string_view format) { return format == "nf4" || format == "nf4-dq" || format == "bnb-int8"; }

bool takes_format(const WeightFormat& format, const Encoding& e, const Inventory& inventory, const TensorRow& row) {
  if (row.role == Role::vision && format.rule != FormatRule::uniform && !quantises_towers(format.id)) return false;
  switch (format.rule) {
    case FormatRule::uniform: return true;
    case FormatRule::linear_only: return row.linear;
    case FormatRule::experts_only: return inventory.experts > 0 ? is_experts(row) : row.linear;
    case FormatRule::matrices: return is_grouped_matrix(row, e);
    case FormatRule::gguf: return false;       // has rules of its own
  }
  return false;
}

std::string_view next_part(std::string_view& name) {
  const auto dot = name.find('.');
  const auto part = name.substr(0, dot);
  name = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  return part;
}

bool is_number(std::string_view part) {
  for (const char c : part)
    if (c < '0' || c > '9') return false;
  return !part.empty();
}

constexpr std::int64_t kEveryLayer = -1, kNoLayer = -2;

// Whether the parts of `module` stand one after another in `name` (from its beginning or later): kEveryLayer, the one
// layer that the module names, or kNoLayer. "*" and "{}" stand for any part. A single expert is no row of its own.
// Checkpoints number prediction layers after the last one ("layers.61"); rows call them "mtp".
std::int64_t layers_named(std::string_view module, std::string_view name) {
  for (std::string_view from = name; !from.empty(); next_part(from)) {
    std::string_view m = module, n = from, before;
    std::int64_t layer = kEveryLayer;
    bool equal = true;
    while (equal && !m.empty()) {
      const auto a = next_part(m), b = next_part(n);
      auto rest = m;
      if (b == "{}" && (before == "layers" || before == "mtp") && is_number(a)) std::from_chars(a.data(), a.data() + a.size(), layer);
      else equal = !b.empty() && (a == b || a == "*" || a == "{}" || (a == "layers" && b == "mtp" && is_number(next_part(rest))));
      before = b;
    }
    if (equal) return layer;
  }
  return kNoLayer;
}

// Config files write modules from the root of the checkpoint ("model.layers.0.mlp.gate"); names here start at "layers".
std::string_view without_root(std::string_view module) {
  for (const std::string_view root : {"language_model.", "model.", "language_model."})
    if (module.substr(0, root.size()) == root) module.remove_prefix(root.size());
  return module;
}

}  // namespace

StoredRow stored_row(std::size_t index, const TensorRow& row, EncodingId encoding, std::int64_t layers, const Formats& formats) {
  const auto& e = formats.encodings[encoding];
  const auto beside = scale_bytes(e, row.rows, row.columns);
  return {static_cast<std::uint16_t>(index), encoding, layers, static_cast<double>(layers * row.per_layer) * (payload_bytes(e, row.rows, row.columns) + beside), beside};
}

void store(const Inventory& inventory, const WeightFormat& format, const Formats& formats, std::vector<StoredRow>& out) {
  // Asking for the format that the checkpoint is published in means the checkpoint, to its last scale.
  const auto& published = inventory.spec.published;
  const bool known = published.quantised || !inventory.stored.empty();
  if (known && published.format == format.id) return store_published(inventory, formats, out);

  out.clear();
  const auto& e = formats.encodings[format.encoding];
  const auto rest = sixteen_bits(e, formats);
  const auto mixture = format.rule == FormatRule::gguf ? gguf::mixture(inventory, format, formats) : gguf::Mixture{};
  for (std::size_t i = 0; i < inventory.rows.size(); ++i) {
    const auto& row = inventory.rows[i];
    Tally tally;
    if (format.rule == FormatRule::gguf && row.role != Role::vision) {
      if (row.mtp && !gguf::keeps_prediction_layers(inventory.spec.architecture)) continue;
      std::string_view type;
      EncodingId encoding = rest;
      each_layer(inventory.spec, row, [&](std::int64_t layer) {
        if (const auto here = gguf::block_type(mixture, row, layer); here != type) {
          type = here;
          encoding = gguf::encoding(mixture, row, type);
        }
        tally.add(encoding);
      });
    } else {
      tally.add(takes_format(format, e, inventory, row) ? format.encoding : rest, row.layers);
    }
    tally.write(i, row, formats, out);
  }
}

void store_published(const Inventory& inventory, const Formats& formats, std::vector<StoredRow>& out) {
  out = inventory.stored;
  if (!out.empty()) return;
  const auto& published = inventory.spec.published;
  if (!published.quantised) {
    const auto* format = formats.find_weight(published.format);
    const auto encoding = format != nullptr && format->rule == FormatRule::uniform ? format->encoding : formats.encoding("bf16");
    for (std::size_t i = 0; i < inventory.rows.size(); ++i) {
      Tally tally;
      tally.add(encoding, inventory.rows[i].layers);
      tally.write(i, inventory.rows[i], formats, out);
    }
    return;
  }
  for (std::size_t i = 0; i < inventory.rows.size(); ++i) {
    const auto& row = inventory.rows[i];
    const bool candidate = row.role == Role::vision && !published.towers ? false : published.experts_only ? is_experts(row)
                           : published.matrices   ? is_grouped_matrix(row, formats.encodings[published.linear])
                                                  : row.linear;
    Tally tally;
    // What is no linear layer can still be quantised by name (a head).
    const bool nameable = candidate || (row.cls == TensorClass::output && !published.parts.empty());
    // Score corrections are kept in 32 bits by all who train with them (DeepSeek V3, GLM 4.5 and 5, Kimi K2).
    const bool wide = row.role == Role::router && (inventory.spec.wide_routers || row.name.rfind("correction_bias") != std::string::npos);
    auto whole = candidate && !published.named_only ? published.linear : wide ? formats.encoding("f32") : published.rest;
    std::vector<std::pair<std::int64_t, EncodingId>> exceptions;       // layers of this row that are stored otherwise
    bool decided = !nameable;
    const auto named = [&](const std::string& module, EncodingId encoding) {
      if (decided) return;
      const auto layer = layers_named(without_root(module), row.name);
      if (layer == kEveryLayer) whole = encoding, decided = true;
      else if (layer != kNoLayer) exceptions.emplace_back(layer, encoding);
    };
    for (const auto& module : published.unquantised) named(module, published.rest);
    for (const auto& part : published.parts) named(part.module, part.encoding);
    if (exceptions.empty()) {
      tally.add(whole, row.layers);
    } else {
      each_layer(inventory.spec, row, [&](std::int64_t layer) {
        const auto at = std::find_if(exceptions.begin(), exceptions.end(), [&](const auto& x) { return x.first == layer; });
        tally.add(at == exceptions.end() ? whole : at->second);
      });
    }
    tally.write(i, row, formats, out);
    const double bits = row.cls == TensorClass::output ? published.head_bits : candidate ? published.bits : 0;
    if (bits <= 0) continue;
    auto& s = out.back();
    s.bytes = Bytes{static_cast<double>(row.elements()) * bits / 8};
    s.beside = s.bytes / static_cast<double>(s.layers * row.per_layer) - payload_bytes(formats.encodings[s.encoding], row.rows, row.columns);
  }
}

void store_average(const Inventory& inventory, double bits_per_weight, const Formats& formats, std::vector<StoredRow>& out) {
  out.clear();
  const auto encoding = formats.encoding("bf16");
  for (std::size_t i = 0; i < inventory.rows.size(); ++i) {
    const auto& row = inventory.rows[i];
    out.push_back({static_cast<std::uint16_t>(i), encoding, row.layers,
                   Bytes{static_cast<double>(row.elements()) * bits_per_weight / 8}, {}});
  }
}

}  // namespace weighbridge
