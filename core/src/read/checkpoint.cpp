#include "read/checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "json.hpp"
#include "read/checkpoint_names.hpp"
#include "read/config_reader.hpp"
#include "read/header_model.hpp"
#include "read/json_walk.hpp"

namespace weighbridge {

namespace {

using nlohmann::json;
using R = Role;

}  // namespace

// ---------------------------------------------------------------------------------------------------- facts

namespace {

void add_facts(const Checkpoint& c, CheckpointFacts& f) {
  f.shapes = !c.index;
  for (const auto& t : c.tensors) {
    const auto n = tensor_name(c.name(t));
    f.packed = f.packed || n.beside || n.packed;
    f.bytes += static_cast<double>(t.bytes());
    if (!is_buffer(c.name(t)) && !c.index) f.elements += static_cast<double>(t.elements());
    if (n.tower) continue;
    f.layers = std::max(f.layers, n.layer + 1);
    f.experts = std::max(f.experts, n.expert + 1);
    if (n.role == R::lm_head) f.head_bytes += c.index ? 1 : static_cast<double>(t.bytes());
    const auto& kind = dtype_of(t);
    const bool plain = kind.name[0] == 'F' || kind.name[0] == 'B';
    if (c.index || !n.weight || n.packed || !plain) continue;
    if (n.gguf == "token_embd" && n.layer < 0) f.vocabulary = std::max(f.vocabulary, t.dims[1]), f.hidden = std::max(f.hidden, t.dims[0]);
    if (n.gguf == "attn_k" && n.layer >= 0) f.key_rows = std::max(f.key_rows, t.dims[1]);
  }
}

std::int64_t key_rows(const Inventory& m) {
  std::int64_t most = 0;
  for (const auto& kind : m.spec.kinds)
    if (kind.mixer.kind == MixerKind::attention) most = std::max(most, kind.mixer.attention.kv_heads * kind.mixer.attention.head_dim);
  return most;
}

class Comparison {
 public:
  Comparison(std::string_view file, std::string_view path, Problems& problems) : file_(file), path_(path), problems_(problems) {}

  void numbers(const char* what, double of_file, double of_config, bool must_be_equal) {
    if (of_file <= 0 || of_config <= 0 || of_file == of_config) return;
    if (must_be_equal)
      problems_.add(Code::different_models, path_, {{"name", file_}, {"what", what}, {"file", of_file}, {"config", of_config}});
    else
      problems_.add(Code::files_disagree, path_, {{"name", file_}, {"what", what}, {"file", of_file}, {"config", of_config}});
  }

 private:
  std::string_view file_, path_;
  Problems& problems_;
};

}  // namespace

CheckpointFacts facts_of(const std::vector<Checkpoint>& headers) {
  CheckpointFacts f;
  for (const auto& c : headers) add_facts(c, f);
  return f;
}
CheckpointFacts facts_of(const Checkpoint& index) {
  CheckpointFacts f;
  add_facts(index, f);
  f.bytes = index.total_size;
  return f;
}

std::int64_t usual_experts(std::int64_t experts) { return std::min<std::int64_t>(experts, experts <= 16 ? 2 : 8); }

void compare(const CheckpointFacts& f, const Inventory& m, std::string_view file, std::string_view path, Problems& problems) {
  Comparison c(file, path, problems);
  const auto& s = m.spec;
  const bool with_mtp = f.layers == s.layers() + s.mtp_layers;
  if (!with_mtp) c.numbers("layers", static_cast<double>(f.layers), static_cast<double>(s.layers()), true);
  const auto width = s.embedding_width > 0 ? s.embedding_width : s.hidden;
  c.numbers("columns in its embedding", static_cast<double>(f.hidden), static_cast<double>(width), true);
  c.numbers("vocabulary", static_cast<double>(f.vocabulary), static_cast<double>(s.vocabulary), false);
  c.numbers("key_rows", static_cast<double>(f.key_rows), static_cast<double>(key_rows(m)), false);
  if (f.experts > 0) c.numbers("number of experts", static_cast<double>(f.experts), static_cast<double>(m.experts), false);
  if (!f.shapes || f.packed) return;
  // A tied head that is stored all the same, and prediction layers that are left out, are no contradiction.
  const auto table = static_cast<double>(s.vocabulary * width);
  const auto all = static_cast<double>(m.parameters), mtp = static_cast<double>(m.mtp_parameters);
  for (const double other : {all, all - mtp, all + table, all - mtp + table})
    if (f.elements == other) return;
  c.numbers("parameters", f.elements, all, false);
}

void compare(const Inventory& header, const Inventory& m, std::string_view file, std::string_view path, Problems& problems) {
  Comparison c(file, path, problems);
  c.numbers("layers", static_cast<double>(header.spec.layers()), static_cast<double>(m.spec.layers()), true);
  c.numbers("hidden_size", static_cast<double>(header.spec.hidden), static_cast<double>(m.spec.hidden), true);
  c.numbers("vocabulary", static_cast<double>(header.spec.vocabulary), static_cast<double>(m.spec.vocabulary), false);
  c.numbers("key_rows", static_cast<double>(key_rows(header)), static_cast<double>(key_rows(m)), false);
  c.numbers("number of experts", static_cast<double>(header.experts), static_cast<double>(m.experts), false);
  // A GGUF file may leave out the prediction layers, and a tower is a file of its own.
  const auto text = [](const Inventory& i) {
    auto sum = i.parameters;
    for (const auto& r : i.rows)
      if (r.role == R::vision) sum -= r.elements();
    return sum;
  };
  const auto own = text(header), expected = text(m);
  if (own != expected && own != expected - m.mtp_parameters) c.numbers("parameters", static_cast<double>(header.parameters), static_cast<double>(m.parameters), false);
}

// ---------------------------------------------------------------------------------------------------- bytes by part

namespace {

// The stored rows that the config lets expect, by part.
std::int16_t part_kind(const TensorRow& row) { return row.mtp ? kMtpPart : row.kind; }

// What the files as a whole are packed in, by what stands beside the weights; empty: nothing.
struct Packing {
  std::string_view format, encoding;
};
Packing packing_of(const std::vector<Checkpoint>& headers) {
  bool index = false, absmax = false, nested = false, zeros = false, biases = false, tiles = false, packed = false;
  bool f8_scales = false, byte_scales = false, f8 = false, bytes = false, signed_bytes = false, rows = false;
  for (const auto& c : headers)
    for (const auto& t : c.tensors) {
      const auto n = tensor_name(c.name(t));
      const auto dtype = dtype_of(t).name;
      if (n.tower) continue;
      index = index || n.suffix == "g_idx";
      absmax = absmax || n.suffix == "absmax";
      nested = nested || n.suffix == "nested_absmax";
      zeros = zeros || n.suffix == "qzeros";
      biases = biases || n.suffix == "biases";
      packed = packed || n.suffix == "weight_packed";
      if (holds(n.suffix, "scale") && n.suffix != "input_scale") {
        f8_scales = f8_scales || dtype == "F8_E4M3";
        byte_scales = byte_scales || dtype == "U8" || dtype == "F8_E8M0";
        tiles = tiles || (t.dims[0] > 1 && t.dims[1] > 1);
        rows = rows || t.elements() > 1;
      }
      if (!n.weight) continue;
      f8 = f8 || dtype == "F8_E4M3" || dtype == "F8_E5M2";
      bytes = bytes || dtype == "U8" || dtype == "F4";
      signed_bytes = signed_bytes || dtype == "I8";
    }
  if (absmax) return nested ? Packing{"nf4-dq", "nf4-b64-dq"} : Packing{"nf4", "nf4-b64"};
  if (biases) return {"mlx-4bit", "mlx-4bit-g64"};
  if (index) return {"gptq-int4", "gptq-int4-g128"};
  if (zeros) return {"awq-int4", "awq-int4-g128"};
  if (bytes && f8_scales) return {"nvfp4", "nvfp4"};
  if ((bytes || signed_bytes) && byte_scales) return {"mxfp4", "mxfp4"};
  if (packed) return {"int4", "int4-g128"};
  if (signed_bytes) return {"w8a8-int8", "int8-row"};
  if (f8) return {"fp8", tiles ? "fp8-tile128" : rows ? "fp8-row" : "fp8-tensor"};
  return {};
}

// Bytes of one part, and of its weights by encoding.
struct Sum {
  Role role;
  std::int16_t kind;
  double bytes = 0;
  std::array<double, 256> by_encoding{};
  EncodingId main = 0;                 // of most weights
};
Sum& sum_of(std::vector<Sum>& sums, Role role, std::int16_t kind) {
  for (auto& sum : sums)
    if (sum.role == role && sum.kind == kind) return sum;
  sums.push_back({role, kind, 0, {}, 0});
  return sums.back();
}

double expected(const std::vector<StoredRow>& rows, const Inventory& m, Role role, std::int16_t kind) {
  double sum = 0;
  for (const auto& s : rows)
    if (m.rows[s.row].role == role && part_kind(m.rows[s.row]) == kind) sum += s.bytes.value;
  return sum;
}

// The bytes of files, part by part, and what they say against the config.
class Parts {
 public:
  Parts(const Inventory& m, const Formats& formats) : m_(m), formats_(formats) { store_published(m, formats, by_config_); }

  // `weight`: a matrix, which says what the part is encoded in.
  void add(Role role, std::int64_t layer, double bytes, EncodingId encoding, bool weight) {
    total_ += bytes;
    if (role == R::lm_head && m_.spec.tied) return spare(bytes);
    const auto kind = layer < 0 ? -1 : layer >= m_.spec.layers() ? kMtpPart : m_.spec.layer_kind[static_cast<std::size_t>(layer)];
    auto& sum = sum_of(sums_, role, static_cast<std::int16_t>(kind));
    sum.bytes += bytes;
    if (!weight) return;
    sum.by_encoding[encoding] += bytes;
    if (sum.by_encoding[encoding] > sum.by_encoding[sum.main]) sum.main = encoding;
  }
  void extra(double bytes) {
    total_ += bytes;
    spare(bytes);
  }

  // `exact`: the encodings are those of the weights; else weights lie packed in them, by `packing`.
  StoredParts result(bool exact, std::string_view packing, std::string_view format) {
    StoredParts out;
    double expected_total = 0;
    for (const auto& s : by_config_) expected_total += s.bytes.value;
    if (total_ == expected_total) return out;
    std::string_view widest;
    double most = 0, unnamed = 0;
    const bool quantised = m_.spec.published.quantised && !exact;
    for (const auto& sum : sums_) {
      const double weights = sum.by_encoding[sum.main];
      const std::string_view main = weights > 0 ? std::string_view(formats_.encodings[sum.main].id) : std::string_view();
      if (weights > most) most = weights, widest = main;
      const double by_the_config = expected(by_config_, m_, sum.role, sum.kind);
      if (by_the_config == 0) {
        unnamed += sum.bytes;
        continue;
      }
      if (by_the_config == sum.bytes && !exact) continue;
      StoredPart part{sum.role, sum.kind, 0, false, sum.bytes};
      const bool plain = exact || main == "bf16" || main == "f16" || main == "f32";
      if (weights > 0 && (plain || (!quantised && !packing.empty()))) {
        part.encoding = plain ? sum.main : formats_.encoding(packing);
        part.encoded = true;
      }
      out.parts.push_back(part);
    }
    // Parts of the config that no tensor was found for hold what is left over: names that are not known here.
    const auto found = sums_.size();
    double missing = 0;
    for (const auto& s : by_config_) {
      const auto& row = m_.rows[s.row];
      auto& sum = sum_of(sums_, row.role, part_kind(row));
      if (static_cast<std::size_t>(&sum - sums_.data()) < found) continue;
      sum.bytes += s.bytes.value;
      missing += s.bytes.value;
    }
    double extra = spare_ + unnamed;
    for (std::size_t i = found; i < sums_.size(); ++i) {
      const double share = std::floor(sums_[i].bytes / missing * unnamed);
      extra -= share;
      out.parts.push_back({sums_[i].role, sums_[i].kind, 0, false, share});
    }
    if (extra > 0) out.parts.push_back({R::other, kExtraPart, formats_.encoding("i8"), true, extra});
    if (!format.empty()) out.format = format;
    else if (!quantised) out.format = widest == "f16" ? "fp16" : widest == "f32" ? "fp32" : widest == "bf16" ? "bf16" : "";
    return out;
  }

 private:
  void spare(double bytes) { spare_ += bytes; }

  const Inventory& m_;
  const Formats& formats_;
  std::vector<StoredRow> by_config_;
  std::vector<Sum> sums_;
  double total_ = 0, spare_ = 0;
};

}  // namespace

StoredParts stored_parts(const std::vector<Checkpoint>& headers, const Inventory& m, const Formats& formats) {
  Parts parts(m, formats);
  std::array<EncodingId, kMostDtypes> encodings{};
  for (std::uint8_t i = 0; i < dtype_count(); ++i) encodings[i] = formats.encoding(encoding_of(dtype_at(i)));
  for (const auto& c : headers)
    for (const auto& t : c.tensors) {
      const auto name = c.name(t);
      const auto n = tensor_name(name);
      if (is_buffer(name)) parts.extra(static_cast<double>(t.bytes()));
      else parts.add(n.role, n.layer, static_cast<double>(t.bytes()), encodings[t.dtype], n.weight && t.dims[1] > 1);
    }
  const auto packing = packing_of(headers);
  return parts.result(false, packing.encoding, m.spec.published.quantised ? std::string_view() : packing.format);
}

StoredParts stored_parts(const std::vector<GgufHeader>& headers, const Inventory& m, std::string_view format, const Formats& formats) {
  Parts parts(m, formats);
  for (const auto& h : headers)
    for (const auto& t : h.tensors) {
      const auto place = place_of_tensor(t.name);
      const auto rows = t.dims[1] * t.dims[2] * t.dims[3];
      const auto& e = formats.encodings[t.encoding];
      const auto bytes = (payload_bytes(e, rows, t.dims[0]) + scale_bytes(e, rows, t.dims[0])).value;
      if (place.beside) parts.extra(bytes);
      else parts.add(place.role, place.layer, bytes, t.encoding, place.matrix && t.dimensions > 1);
    }
  return parts.result(true, {}, format);
}

StoredParts stored_parts(double total, const CheckpointFacts& facts, const Inventory& m, const Formats& formats) {
  StoredParts out;
  std::vector<StoredRow> by_config;
  store_published(m, formats, by_config);
  double sum = 0, mtp = 0;
  for (const auto& s : by_config) (m.rows[s.row].mtp ? mtp : sum) += s.bytes.value;
  const auto width = m.spec.embedding_width > 0 ? m.spec.embedding_width : m.spec.hidden;
  const double table = static_cast<double>(m.spec.vocabulary * width) * 2;
  double spare = facts.head_bytes > 0 && m.spec.tied ? table : 0;
  if (total <= 0 || total == sum + mtp) return out;
  if (facts.layers <= m.spec.layers() && mtp > 0) mtp = 0;             // the prediction layers were left out
  // Rotary tables and the like, which old checkpoints hold too.
  if (constexpr double kLittle = 1e-3; total > sum + mtp && total < (sum + mtp) * (1 + kLittle)) spare = total - sum - mtp;
  if (total - spare == sum + mtp && mtp == 0) {
    out.parts.push_back({R::other, kExtraPart, formats.encoding("i8"), true, spare});
    return out;
  }
  const double factor = (total - spare) / (sum + mtp);
  // Plain checkpoints are wider or narrower than the config says by a whole factor, all tensors alike.
  const bool wider = !m.spec.published.quantised && std::abs(factor - 2) < 0.002;
  double left = total - spare;
  std::vector<Sum> parts;
  for (const auto& s : by_config) sum_of(parts, m.rows[s.row].role, part_kind(m.rows[s.row])).bytes += s.bytes.value;
  for (const auto& part : parts) {
    const double share = part.kind == kMtpPart && mtp == 0 ? 0 : std::min(left, std::floor(part.bytes * factor));
    left -= share;
    out.parts.push_back({part.role, part.kind, formats.encoding("f32"), wider, share});
  }
  if (!out.parts.empty()) out.parts.back().bytes += left;
  if (spare > 0) out.parts.push_back({R::other, kExtraPart, formats.encoding("bf16"), true, spare});
  if (wider) out.format = "fp32";
  return out;
}

void apply(const StoredParts& parts, const Formats& formats, Inventory& m) {
  if (parts.parts.empty()) return;
  std::vector<StoredRow> rows;
  store_published(m, formats, rows);
  for (const auto& part : parts.parts) {
    if (part.kind == kExtraPart) {
      TensorRow extra;
      extra.name = "stored beside the model";
      extra.use = Use::never;
      extra.split = Split::replicated;
      extra.columns = std::max<std::int64_t>(1, static_cast<std::int64_t>(part.bytes / (formats.encodings[part.encoding].bits / 8)));
      // An inventory lists its prediction layers last.
      const auto at = std::find_if(rows.begin(), rows.end(), [&](const StoredRow& s) { return m.rows[s.row].mtp; });
      rows.insert(at, stored_row(m.rows.size(), extra, part.encoding, 1, formats));
      m.rows.push_back(std::move(extra));
      continue;
    }
    double sum = 0;
    for (auto& s : rows) {
      const auto& row = m.rows[s.row];
      if (row.role != part.role || part_kind(row) != part.kind) continue;
      if (part.encoded && (row.linear || row.rows > 1)) s = stored_row(s.row, row, part.encoding, s.layers, formats);
      sum += s.bytes.value;
    }
    for (auto& s : rows) {
      const auto& row = m.rows[s.row];
      if (sum <= 0 || row.role != part.role || part_kind(row) != part.kind) continue;
      s.bytes = s.bytes * (part.bytes / sum);
      s.beside = s.bytes / static_cast<double>(s.layers * row.per_layer) - payload_bytes(formats.encodings[s.encoding], row.rows, row.columns);
    }
  }
  m.stored = std::move(rows);
  if (!parts.format.empty()) m.spec.published.format = parts.format, m.spec.published.assumed = false;
}

// [[role, kind, encoding or "", bytes], …]
void write_stored(JsonWriter& w, const StoredParts& parts, const Formats& formats) {
  w.begin_object().member("format", parts.format).key("parts").begin_array();
  for (const auto& p : parts.parts)
    w.begin_array().text(role_name(p.role)).number(p.kind).text(p.encoded ? std::string_view(formats.encodings[p.encoding].id) : "").number(p.bytes).end_array();
  w.end_array().end_object();
}

std::optional<StoredParts> read_stored(const json& stored, std::string_view path, const Inventory& m, const Formats& formats, Problems& problems) {
  StoredParts out;
  const auto* list = member(stored, "parts");
  out.format = text_of(stored, "format");
  bool good = list && list->is_array() && list->size() <= 1024 && (out.format.empty() || formats.find_weight(out.format));
  for (std::size_t i = 0; good && i < list->size(); ++i) {
    const auto& item = (*list)[i];
    StoredPart p;
    std::int64_t kind = 0, bytes = 0;
    good = item.is_array() && item.size() == 4 && item[1].is_number() && whole_number(item[3], 0, std::int64_t{1} << 53, bytes);
    if (!good) break;
    const double number = item[1].get<double>();
    good = number >= kExtraPart && number < static_cast<double>(m.spec.kinds.size()) && number == std::floor(number);
    if (!good) break;
    kind = static_cast<std::int64_t>(number);
    for (p.role = Role::embedding; p.role != Role::kCount && role_name(p.role) != as_text(item[0]);) p.role = static_cast<Role>(static_cast<int>(p.role) + 1);
    const auto encoding = as_text(item[2]);
    p.kind = static_cast<std::int16_t>(kind);
    p.bytes = static_cast<double>(bytes);
    p.encoded = !encoding.empty();
    if (p.encoded) p.encoding = formats.encoding(encoding);
    good = p.role != Role::kCount && (!p.encoded || formats.encodings[p.encoding].id == encoding) && (p.encoded || p.kind != kExtraPart);
    out.parts.push_back(p);
  }
  if (good) return out;
  problems.add(Code::unsupported_file, path, {{"name", "model"}, {"why", "it is not what readModel returns"}});
  return std::nullopt;
}

// ---------------------------------------------------------------------------------------------------- without a config

std::optional<GgufHeader> as_gguf(const std::vector<Checkpoint>& headers, std::string_view file, std::string_view path, const Formats& formats,
                                  std::vector<std::string>& assumed, Problems& problems) {
  const auto refuse = [&](const std::string& why) {
    problems.add(Code::unsupported_file, path, {{"name", file}, {"why", why + "; give the model's config.json beside it"}});
    return std::nullopt;
  };
  constexpr std::string_view kRecurrent[] = {"mamba", "linear_attn", "A_log", "conv1d", "short_conv", ".conv.", "time_mix", "ssm", "rwkv", "temporal_block"};
  const auto facts = facts_of(headers);
  if (facts.layers < 1 || (facts.hidden < 1 && !facts.packed)) return refuse("it is no whole language model");
  std::map<std::string, GgufTensor> tensors;
  std::int64_t layers = 0, drafts = 0, q_rows = 0, k_rows = 0, v_rows = 0, qkv_rows = 0, head_dim = 0, latent = 0, latent_rows = 0, o_columns = 0, kvb_rows = 0, qb_rows = 0, q_rank = 0, experts = 0;
  std::int64_t hidden = 0;
  for (const auto& c : headers)
    for (const auto& t : c.tensors) {
      const auto name = c.name(t);
      const auto n = tensor_name(name);
      for (const auto word : kRecurrent)
        if (holds(name, word) && !n.tower) return refuse("it has recurrent layers, whose sizes tensors alone do not say");
      const auto dtype = dtype_of(t).name;
      const bool codes = n.packed || n.suffix == "absmax" || ((dtype == "U8" || dtype == "I32" || dtype == "U32") && n.weight && t.dims[1] > 1);
      if (codes && !n.tower) return refuse("its weights are packed, and how many bits each has stands in the config");
      if (n.layer >= kMostLayersHere) return refuse("it has a tensor of layer " + std::to_string(n.layer));
      std::string own = n.tower ? "v." : n.layer >= 0 ? "blk." + std::to_string(n.layer) + "." : "";
      auto dims = t.dims;
      if (n.tower) own += name;
      else if (!n.gguf.empty()) own += std::string(n.gguf) + (n.experts && n.role != R::router ? "_exps" : n.shared && n.role != R::router ? "_shexp" : "") + (n.gguf == "attn_sinks" || n.gguf == "exp_probs_b" ? "" : n.beside ? "." + std::string(n.suffix) : n.weight ? ".weight" : ".bias");
      else own += n.layer >= 0 ? std::string(n.module) + "." + std::string(n.suffix) : std::string(name);
      layers = std::max(layers, n.layer + 1);
      if (n.module == "eh_proj") ++drafts;
      auto& g = tensors.try_emplace(own).first->second;
      if (g.dimensions > 0 && !(n.experts && n.expert >= 0)) return refuse("two of its tensors mean the same: " + quoted_name(name));
      if (n.expert >= 0) {
        dims[2] = g.dimensions > 0 ? g.dims[2] + 1 : 1;
        experts = std::max(experts, dims[2]);
      } else if (n.experts && n.role != R::router) {
        experts = std::max(experts, t.dims[2]);
      }
      g.dims = dims;
      g.dimensions = n.expert >= 0 ? 3 : std::clamp<int>(t.rank, 1, 4);
      g.encoding = formats.encoding(encoding_of(dtype_of(t)));
      if (!n.weight || n.layer < 0) {
        if (n.gguf == "token_embd") hidden = t.dims[0];
        continue;
      }
      const auto at_least = [](std::int64_t& x, std::int64_t value) { x = std::max(x, value); };
      if (n.gguf == "attn_q") at_least(q_rows, t.dims[1]);
      if (n.gguf == "attn_k") at_least(k_rows, t.dims[1]);
      if (n.gguf == "attn_v") at_least(v_rows, t.dims[1]);
      if (n.gguf == "attn_qkv") at_least(qkv_rows, t.dims[1]);
      if (n.gguf == "attn_output") at_least(o_columns, t.dims[0]);
      if (n.gguf == "attn_kv_b") at_least(kvb_rows, t.dims[1]);
      if (n.gguf == "attn_q_b") at_least(qb_rows, t.dims[1]), at_least(q_rank, t.dims[0]);
      if (n.gguf == "attn_kv_a_mqa") at_least(latent_rows, t.dims[1]);
      if (n.gguf == "attn_kv_a_norm") at_least(latent, t.dims[0]);
      if (n.gguf == "attn_q_norm" && t.dims[1] == 1) at_least(head_dim, t.dims[0]);
    }
  if (hidden < 1 || layers < 1) return refuse("it is no whole language model");

  GgufHeader out;
  const auto put = [&](std::string_view key, std::int64_t value) { out.values[key].number = static_cast<double>(value); };
  const auto assume = [&](const char* what, std::int64_t value) { assumed.push_back(std::string(what) + " " + std::to_string(value)); };
  out.values["general.architecture"].text = "safetensors";
  put("safetensors.block_count", layers);
  put("safetensors.embedding_length", hidden);
  put("safetensors.nextn_predict_layers", drafts);
  if (latent > 0 && latent_rows > latent && kvb_rows > 0) {
    // Heads of DeepSeek's width; all that the cache holds is known.
    constexpr std::int64_t kValue = 128;
    const auto heads = std::max<std::int64_t>(1, o_columns / kValue), value = o_columns / heads;
    put("safetensors.attention.head_count", heads);
    put("safetensors.attention.kv_lora_rank", latent);
    put("safetensors.attention.q_lora_rank", q_rank);
    put("safetensors.rope.dimension_count", latent_rows - latent);
    put("safetensors.attention.key_length_mla", std::max(qb_rows, q_rows) / heads);
    put("safetensors.attention.value_length_mla", value);
    assume("value_head_dim", value);
  } else {
    if (qkv_rows > 0) {
      q_rows = o_columns > 0 ? o_columns : hidden;
      k_rows = v_rows = std::max<std::int64_t>(1, (qkv_rows - q_rows) / 2);
    }
    if (q_rows < 1 || k_rows < 1) return refuse("it has no attention layers of a known kind");
    const auto divides = [&](std::int64_t d) { return d > 0 && d <= q_rows && q_rows % d == 0 && k_rows % d == 0; };
    const bool known = divides(head_dim) && head_dim < k_rows + 1 && head_dim <= 1024;
    if (!known || head_dim == q_rows) {
      for (const std::int64_t d : {128, 64, 80, 96, 32, 16, 1}) {
        head_dim = d;
        if (divides(d)) break;
      }
      assume("head_dim", head_dim);
    }
    put("safetensors.attention.head_count", q_rows / head_dim);
    put("safetensors.attention.head_count_kv", k_rows / head_dim);
    put("safetensors.attention.key_length", head_dim);
    if (v_rows > 0 && v_rows != k_rows) put("safetensors.attention.value_length", std::max<std::int64_t>(1, v_rows / (k_rows / head_dim)));
  }
  if (experts > 0) {
    const auto used = usual_experts(experts);
    put("safetensors.expert_used_count", used);
    assume("experts_used", used);
  }
  out.owned.reserve(tensors.size());
  for (auto& [name, tensor] : tensors) {
    out.owned.push_back(name);
    tensor.name = out.owned.back();
    out.tensors.push_back(tensor);
  }
  return out;
}

}  // namespace weighbridge
