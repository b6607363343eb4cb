// A model that was read from a header alone, as a request carries it.
#include <algorithm>

#include "json.hpp"
#include "read/config_reader.hpp"
#include "read/gguf_names.hpp"
#include "read/header_model.hpp"
#include "read/json_text.hpp"
#include "read/json_walk.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

void write_kind(JsonWriter& w, const LayerKind& kind) {
  w.begin_object();
  const auto put = [&](std::string_view key, std::int64_t n) {
    if (n != 0) w.member(key, static_cast<double>(n));
  };
  if (kind.mixer.kind == MixerKind::mla) {
    const auto& a = kind.mixer.mla;
    put("heads", a.heads), put("q_lora_rank", a.q_lora_rank), put("kv_lora_rank", a.kv_lora_rank);
    put("nope", a.nope_dim), put("rope", a.rope_dim), put("value", a.value_dim);
  } else if (kind.mixer.kind == MixerKind::attention) {
    const auto& a = kind.mixer.attention;
    put("heads", a.heads), put("kv_heads", a.kv_heads), put("key", a.head_dim), put("value", a.value_dim), put("window", a.window);
  }
  const auto& f = kind.feed_forward;
  put("width", f.width), put("experts", f.experts), put("experts_used", f.experts_used), put("expert_width", f.expert_width);
  put("shared_width", f.shared_width), put("gated", f.gated ? 1 : 0);
  w.end_object();
}

// Reads whole numbers; the first that is none is a problem, and nothing is read after it.
class Numbers {
 public:
  Numbers(std::string_view path, Problems& problems) : path_(path), problems_(problems) {}

  bool ok() const { return ok_; }
  std::int64_t of(const json* value, std::int64_t least, std::int64_t most) {
    std::int64_t out = least;
    if (!value || !whole_number(*value, least, most, out)) fail();
    return out;
  }
  std::int64_t optional(const json& object, std::string_view key, std::int64_t most) {
    const auto* value = member(object, key);
    return value ? of(value, 0, most) : 0;
  }
  void fail() {
    if (ok_) problems_.add(Code::unsupported_file, path_, {{"name", "model"}, {"why", "it is not what readModel returns"}});
    ok_ = false;
  }

 private:
  std::string path_;
  Problems& problems_;
  bool ok_ = true;
};

LayerKind read_kind(const json& object, Numbers& n) {
  LayerKind kind;
  kind.norms = 0;
  const auto get = [&](std::string_view key, std::int64_t most = kMostCountHere) { return n.optional(object, key, most); };
  const auto heads = get("heads");
  if (heads == 0) {
    kind.mixer.kind = MixerKind::none;
  } else if (const auto latent = get("kv_lora_rank"); latent > 0) {
    kind.mixer.kind = MixerKind::mla;
    kind.mixer.mla = {heads, get("q_lora_rank"), latent, get("nope"), get("rope"), get("value"), false};
  } else {
    auto& a = kind.mixer.attention;
    a.heads = heads;
    a.kv_heads = get("kv_heads");
    a.head_dim = get("key");
    a.value_dim = get("value");
    a.window = get("window", kMostDimension);
    if (a.kv_heads < 1 || a.kv_heads > heads || a.head_dim < 1 || a.value_dim < 1) n.fail();
  }
  auto& f = kind.feed_forward;
  f.width = get("width", kMostDimension);
  f.experts = get("experts");
  f.experts_used = get("experts_used");
  f.expert_width = get("expert_width", kMostDimension);
  f.shared_width = get("shared_width", kMostDimension);
  f.gated = get("gated", 1) != 0;
  if (f.experts_used > f.experts || (f.experts > 0 && f.experts_used < 1)) n.fail();
  return kind;
}

}  // namespace

// {"architecture", "format", "context", "vocabulary", "hidden", "mtp": layers, "layers": [kind, …],  "kinds": […],
//  "tensors": [[name, kind, rows, columns, per_layer, [encoding, layers, …]], …]}
void write_header_model(JsonWriter& w, const Inventory& m, const Formats& formats) {
  const auto& spec = m.spec;
  w.begin_object().member("architecture", spec.architecture).member("format", spec.published.format);
  w.member("context", static_cast<double>(spec.context)).member("vocabulary", static_cast<double>(spec.vocabulary));
  w.member("hidden", static_cast<double>(spec.hidden)).member("mtp", static_cast<double>(spec.mtp_layers)).member("mtp_kind", static_cast<double>(spec.mtp_kind));
  if (!spec.assumed.empty()) {
    w.key("assumed").begin_array();
    for (const auto& what : spec.assumed) w.text(what);
    w.end_array();
  }
  w.key("layers").begin_array();
  for (const auto kind : spec.layer_kind) w.number(kind);
  w.end_array().key("kinds").begin_array();
  for (const auto& kind : spec.kinds) write_kind(w, kind);
  w.end_array().key("tensors").begin_array();
  for (std::size_t i = 0; i < m.rows.size(); ++i) {
    const auto& row = m.rows[i];
    w.begin_array().text(row.name).number(row.kind).number(static_cast<double>(row.rows)).number(static_cast<double>(row.columns));
    w.number(static_cast<double>(row.per_layer)).begin_array();
    for (const auto& s : m.stored)
      if (s.row == i) w.text(formats.encodings[s.encoding].id).number(static_cast<double>(s.layers));
    w.end_array().end_array();
  }
  w.end_array().end_object();
}

std::optional<Inventory> read_header_model(const json& header, std::string_view name, std::string_view path, const Formats& formats, Problems& problems) {
  Numbers n(path, problems);
  Inventory m;
  auto& spec = m.spec;
  spec.id = spec.name = name;
  spec.architecture = text_of(header, "architecture");
  spec.published.format = text_of(header, "format");
  spec.context = n.optional(header, "context", kMostDimension);
  spec.vocabulary = n.of(member(header, "vocabulary"), 1, kMostDimension);
  spec.hidden = n.of(member(header, "hidden"), 1, kMostCountHere);
  spec.mtp_layers = n.optional(header, "mtp", kMostLayersHere);
  if (const auto* assumed = member(header, "assumed"); assumed && assumed->is_array() && assumed->size() <= 16)
    for (const auto& what : *assumed) spec.assumed.emplace_back(as_text(what));
  const auto list = [&](std::string_view key, std::size_t most) -> const json& {
    static const json kEmpty = json::array();
    const auto* value = member(header, key);
    if (value && value->is_array() && !value->empty() && value->size() <= most) return *value;
    n.fail();
    return kEmpty;
  };
  for (const auto& kind : list("kinds", kMostKindsHere)) spec.kinds.push_back(read_kind(kind, n));
  const auto kinds = static_cast<std::int64_t>(spec.kinds.size());
  if (!n.ok()) return std::nullopt;
  for (const auto& kind : list("layers", kMostLayersHere)) spec.layer_kind.push_back(static_cast<std::uint8_t>(n.of(&kind, 0, kinds - 1)));
  spec.mtp_kind = static_cast<std::uint8_t>(n.optional(header, "mtp_kind", kinds - 1));
  double elements = 0;
  bool head = false;
  for (const auto& t : list("tensors", kMostRowsHere)) {
    if (!t.is_array() || t.size() != 6 || !t[0].is_string() || !t[5].is_array() || t[5].size() % 2 != 0) n.fail();
    if (!n.ok()) return std::nullopt;
    TensorRow row;
    row.name = as_text(t[0]);
    row.kind = static_cast<std::int16_t>(n.of(&t[1], -1, kinds - 1));
    row.rows = n.of(&t[2], 1, kMostDimension);
    row.columns = n.of(&t[3], 1, kMostDimension);
    row.per_layer = n.of(&t[4], 1, kMostDimension);
    row.mtp = row.name.rfind("mtp.", 0) == 0;
    auto part = std::string_view(row.name);
    for (const std::string_view prefix : {"blk.{}.", "mtp.{}."})
      if (part.substr(0, prefix.size()) == prefix) part.remove_prefix(prefix.size());
    const auto parts = split_name(part);
    classify(row, parts.part, parts.weight, row.rows == 1);
    head = head || row.cls == TensorClass::output;
    if (row.mtp) row.use = Use::never;
    if (row.use == Use::routed && (row.kind < 0 || spec.kinds[static_cast<std::size_t>(row.kind)].feed_forward.experts < 1)) n.fail();
    row.layers = 0;
    std::vector<std::pair<EncodingId, std::int64_t>> stored;
    for (std::size_t i = 0; i + 1 < t[5].size(); i += 2) {
      const auto encoding = formats.encoding(as_text(t[5][i]));
      if (formats.encodings[encoding].id != as_text(t[5][i])) n.fail();
      stored.emplace_back(encoding, n.of(&t[5][i + 1], 1, kMostLayersHere));
      row.layers += stored.back().second;
    }
    if (row.layers < 1) n.fail();
    elements += static_cast<double>(row.layers) * static_cast<double>(row.per_layer) * static_cast<double>(row.rows) * static_cast<double>(row.columns);
    if (elements > 9007199254740992.0) n.fail();
    if (!n.ok()) return std::nullopt;
    for (const auto& [encoding, layers] : stored) m.stored.push_back(stored_row(m.rows.size(), row, encoding, layers, formats));
    m.rows.push_back(std::move(row));
  }
  spec.tied = !head;
  for (auto& row : m.rows)
    if (row.cls == TensorClass::token_embedding && !row.mtp) row.tied_head = spec.tied;
  make_caches(m);
  if (!n.ok()) return std::nullopt;
  count(m);
  measure(m);
  return m;
}

}  // namespace weighbridge
