#include "read/header_model.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "json.hpp"
#include "read/config_reader.hpp"
#include "read/families/families.hpp"
#include "read/json_text.hpp"
#include "read/json_walk.hpp"

namespace weighbridge {

namespace {

using nlohmann::json;

// Parts whose memory beside the weights no formula here knows yet.
struct Foreign {
  std::string_view begins;
  std::string_view part;
};
constexpr Foreign kForeign[] = {
    {"ssm_", "state-space or linear-attention layers"}, {"shortconv", "short-convolution layers"}, {"time_mix", "recurrent layers (RWKV)"},
    {"indexer", "a sparse attention indexer"}, {"enc.", "an encoder"},
    {"per_layer", "per-layer embeddings"}, {"altup", "per-layer embeddings"}, {"laurel", "per-layer embeddings"}, {"cross_attn", "cross-attention layers"},
};

// Numbers of a tower's layers are all one: "v.blk.{}.attn_q.weight".
std::string without_numbers(std::string_view name) {
  std::string out;
  for (std::string_view left = name; !left.empty();) {
    const auto part = left.substr(0, left.find('.'));
    const bool number = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    out += number ? std::string_view("{}") : part;
    left.remove_prefix(part.size());
    if (!left.empty()) out += '.', left.remove_prefix(1);
  }
  return out;
}

std::string_view foreign_part(std::string_view part) {
  for (const auto& f : kForeign)
    if (part.substr(0, f.begins.size()) == f.begins) return f.part;
  return {};
}

// Windows by architecture where the file gives no pattern: which of `period` layers are not windowed.
struct Pattern {
  std::string_view architecture;
  std::int64_t period, whole;                    // layer i attends to everything when i % period == whole
};
constexpr Pattern kPatterns[] = {{"gemma2", 2, 1}, {"gemma3", 6, 5}, {"gpt-oss", 2, 1}, {"cohere2", 4, 3}, {"olmo2", 4, 3}, {"exaone4", 4, 3}, {"exaone-moe", 4, 3},
                                 {"afmoe", 4, 3}, {"llama4", 4, 3}, {"smallthinker", 4, 0}, {"cohere2moe", 4, 0}};
constexpr std::int64_t kLlama4Chunk = 8192;          // which its files do not say

bool is_projector(const GgufHeader& part) {
  const auto* what = part.find("general.architecture");
  return what && what->text == "clip";
}

// "bert", "nomic-bert", "jina-bert-v2", "gemma-embedding", "t5encoder", …
bool is_encoder(std::string_view architecture) {
  for (const std::string_view part : {"bert", "embed", "encoder"})
    if (architecture.find(part) != std::string_view::npos && architecture != "pangu-embedded") return true;
  return false;
}

class GgufModel {
 public:
  GgufModel(const std::vector<GgufHeader>& parts, std::string_view name, std::string_view path, const Formats& formats, Problems& problems)
      : parts_(parts), name_(name), path_(path), formats_(formats), problems_(problems) {}

  std::optional<Inventory> read() {
    if (!is_whole_gguf(parts_, name_, path_, problems_)) return std::nullopt;
    for (const auto& part : parts_)
      if (!is_projector(part) && (!meta_ || part.values.size() > meta_->values.size())) meta_ = &part;
    architecture_ = words("general.architecture");
    if (architecture_.empty()) return refuse("it does not say what architecture it is of");
    if (const auto part = unsupported_in_files(architecture_); !part.empty()) {
      problems_.add(Code::unsupported_model, path_, {{"model_type", architecture_}, {"missing", std::vector<std::string>{std::string(part)}}});
      return std::nullopt;
    }
    if (is_encoder(architecture_)) return refuse("it is an encoder, which makes no text and keeps no cache");
    const auto layers = count_of("block_count");
    if (layers < 1 || layers > kMostLayersHere) return refuse("its " + architecture_ + ".block_count is missing, or no number from 1 to " + std::to_string(kMostLayersHere));
    layers_ = layers;

    auto& spec = model_.spec;
    spec.architecture = architecture_;
    spec.id = spec.name = name_;
    spec.hidden = count_of("embedding_length");
    spec.context = std::max<std::int64_t>(0, count_of("context_length"));
    if (spec.hidden < 1) return refuse("its metadata has no " + architecture_ + ".embedding_length");
    if (!group_tensors()) return std::nullopt;
    if (!read_layers()) return std::nullopt;
    make_rows();
    if (model_.rows.size() > kMostRowsHere) return refuse("it has more than " + std::to_string(kMostRowsHere) + " different tensors");
    spec.published.format = file_type_of(*meta_);
    count(model_);
    measure(model_);
    return std::move(model_);
  }

 private:
  std::nullopt_t refuse(const std::string& why) {
    problems_.add(Code::unsupported_file, path_, {{"name", name_}, {"why", why}});
    return std::nullopt;
  }

  // ---- metadata ----

  const GgufValue* value(std::string_view key) const { return meta_->find(key); }
  const GgufValue* own(std::string_view key) const { return meta_->find(architecture_ + "." + std::string(key)); }
  std::string words(std::string_view key) const {
    const auto* v = value(key);
    return v && is_utf8(v->text) && v->text.size() <= 200 ? std::string(v->text) : std::string();
  }
  double number(std::string_view key) const {
    const auto* v = value(key);
    return v ? v->number : 0;
  }
  static std::int64_t whole(double x, std::int64_t most) {
    return x >= 0 && x <= static_cast<double>(most) && x == std::floor(x) ? static_cast<std::int64_t>(x) : -1;
  }
  // Of a layer, where the file gives one number for each; -1 when it is no count.
  std::int64_t count_of(std::string_view key, std::int64_t layer = 0) const {
    const auto* v = own(key);
    if (!v) return 0;
    return whole(v->is_list() ? v->item(static_cast<std::uint64_t>(layer)) : v->number, kMostDimension);
  }

  // ---- tensors ----

  bool group_tensors() {
    by_layer_.resize(static_cast<std::size_t>(layers_));
    std::vector<std::string> foreign;
    for (const auto& part : parts_)
      for (const auto& t : part.tensors) {
        const bool plain = std::all_of(t.name.begin(), t.name.end(), [](char c) { return c > ' ' && c < 0x7F; });
        if (!plain) return refuse("it has a tensor whose name is not plain text"), false;
        const auto name = split_name(t.name);
        if (const auto what = foreign_part(name.part); !what.empty() && std::find(foreign.begin(), foreign.end(), what) == foreign.end())
          foreign.emplace_back(what);
        if (name.layer >= layers_) return refuse("tensor " + quoted_name(t.name) + " is of a layer that it does not have"), false;
        if (!foreign.empty()) continue;
        auto& place = name.layer < 0 ? once_ : by_layer_[static_cast<std::size_t>(name.layer)];
        if (!place.emplace(t.name.substr(name.layer < 0 ? 0 : t.name.find('.', 4) + 1), &t).second)
          return refuse("two parts have the tensor " + quoted_name(t.name)), false;
      }
    if (!foreign.empty()) {
      problems_.add(Code::unsupported_model, path_, {{"model_type", architecture_}, {"missing", foreign}});
      return false;
    }
    const auto table = once_.find("token_embd.weight");
    if (table == once_.end()) return refuse("it has no token_embd.weight, so it is no whole language model"), false;
    model_.spec.vocabulary = table->second->dims[1];
    model_.spec.tied = once_.find("output.weight") == once_.end();
    return true;
  }

  static const GgufTensor* find(const std::map<std::string_view, const GgufTensor*>& layer, std::string_view name) {
    const auto at = layer.find(name);
    return at == layer.end() ? nullptr : at->second;
  }

  bool windowed(std::int64_t layer) const {
    const auto* known = std::find_if(std::begin(kPatterns), std::end(kPatterns), [&](const Pattern& p) { return p.architecture == architecture_; });
    if (const auto* v = own("attention.sliding_window_pattern")) {
      if (v->is_list()) return v->length > 0 && v->item(static_cast<std::uint64_t>(layer) % v->length) != 0;
      const auto period = whole(v->number, kMostLayersHere);
      if (period > 0) return layer % period != (known != std::end(kPatterns) && known->whole == 0 ? 0 : period - 1);
    }
    return known == std::end(kPatterns) || layer % known->period != known->whole;
  }

  bool read_layers() {
    auto& spec = model_.spec;
    const auto drafts = std::clamp<std::int64_t>(count_of("nextn_predict_layers"), 0, layers_ - 1);
    for (std::int64_t i = 0; i < layers_; ++i) {
      const auto& tensors = by_layer_[static_cast<std::size_t>(i)];
      LayerKind kind;
      kind.norms = 0;                            // counted as rows of their own
      if (!read_mixer(i, tensors, kind.mixer)) return false;
      auto& f = kind.feed_forward;
      const auto* down = find(tensors, "ffn_down.weight");
      const auto* up = find(tensors, "ffn_up.weight");
      if (down) f.width = down->dims[0];
      f.gated = find(tensors, "ffn_gate.weight") || find(tensors, "ffn_gate_exps.weight") || find(tensors, "ffn_gate_up_exps.weight") ||
                (up && down && up->dims[1] == 2 * down->dims[0]);
      if (const auto* experts = find(tensors, "ffn_down_exps.weight")) {
        f.experts = experts->dims[2];
        f.expert_width = experts->dims[0];
        f.experts_used = count_of("expert_used_count");
        if (f.experts < 1 || f.experts > kMostCountHere || f.experts_used < 1 || f.experts_used > f.experts)
          return refuse("it has " + std::to_string(f.experts) + " experts, of which a token uses " + std::to_string(f.experts_used)), false;
      }
      if (const auto* shared = find(tensors, "ffn_down_shexp.weight")) f.shared_width = shared->dims[0];
      auto at = std::find(spec.kinds.begin(), spec.kinds.end(), kind);
      if (at == spec.kinds.end()) {
        if (spec.kinds.size() >= kMostKindsHere) return refuse("it has more than 255 different layers"), false;
        at = spec.kinds.insert(spec.kinds.end(), kind);
      }
      const auto index = static_cast<std::uint8_t>(at - spec.kinds.begin());
      kind_of_layer_.push_back(index);
      if (i < layers_ - drafts) spec.layer_kind.push_back(index);
    }
    spec.mtp_layers = drafts;
    if (drafts > 0) spec.mtp_kind = kind_of_layer_.back();
    return true;
  }

  bool read_mixer(std::int64_t layer, const std::map<std::string_view, const GgufTensor*>& tensors, Mixer& mixer) {
    const bool attends = find(tensors, "attn_q.weight") || find(tensors, "attn_qkv.weight") || find(tensors, "attn_q_a.weight") || find(tensors, "attn_kv_a_mqa.weight");
    if (!attends) {
      mixer.kind = MixerKind::none;
      return true;
    }
    const auto heads = count_of("attention.head_count", layer);
    if (heads < 1 || heads > kMostCountHere) return refuse("layer " + std::to_string(layer) + " has no count of attention heads"), false;
    const auto latent = count_of("attention.kv_lora_rank");
    if (latent > 0) {
      mixer.kind = MixerKind::mla;
      auto& a = mixer.mla;
      a.heads = heads;
      a.kv_lora_rank = latent;
      a.q_lora_rank = std::max<std::int64_t>(0, count_of("attention.q_lora_rank"));
      a.rope_dim = count_of("rope.dimension_count");
      const auto key = own("attention.key_length_mla") ? count_of("attention.key_length_mla") : count_of("attention.key_length");
      a.value_dim = own("attention.value_length_mla") ? count_of("attention.value_length_mla") : count_of("attention.value_length");
      a.nope_dim = key - a.rope_dim;
      if (a.rope_dim < 0 || a.nope_dim < 1 || a.value_dim < 1) return refuse("its latent attention has no usable widths"), false;
      return true;
    }
    auto& a = mixer.attention;
    a.heads = heads;
    a.kv_heads = own("attention.head_count_kv") ? count_of("attention.head_count_kv", layer) : heads;
    const auto key = count_of("attention.key_length"), val = count_of("attention.value_length");
    a.head_dim = key > 0 ? key : model_.spec.hidden / heads;
    a.value_dim = val > 0 ? val : a.head_dim;
    if (a.kv_heads < 1 || a.kv_heads > heads || a.head_dim < 1) return refuse("layer " + std::to_string(layer) + " has no usable attention heads"), false;
    a.fused_qkv = find(tensors, "attn_qkv.weight") != nullptr;
    a.shares_cache = a.no_keys = !a.fused_qkv && !find(tensors, "attn_k.weight");
    const auto window = own("attention.sliding_window") || architecture_ != "llama4" ? count_of("attention.sliding_window") : kLlama4Chunk;
    if (window > 0 && windowed(layer)) a.window = window;
    return true;
  }

  // ---- rows ----

  // Tensors of one name and shape in the layers of one kind are one row; encodings are counted apart.
  void add(std::string_view name, const GgufTensor& t, std::int16_t kind, bool mtp, std::string_view prefix) {
    if (model_.rows.size() > kMostRowsHere) return;      // refused below
    TensorRow row;
    row.name = std::string(prefix) + (kind < 0 && is_tower(name) ? without_numbers(name) : std::string(name));
    row.kind = kind;
    row.mtp = mtp;
    row.columns = t.dims[0];
    row.rows = t.dims[1];
    row.per_layer = t.dims[2] * t.dims[3];
    const auto parts = split_name(t.name);
    classify(row, parts.part, parts.weight, t.dimensions < 2);
    if (row.cls == TensorClass::bias && row.role == Role::experts) row.per_layer = row.rows, row.rows = 1;      // one vector an expert
    if (row.cls == TensorClass::token_embedding) row.tied_head = model_.spec.tied;
    if (mtp) row.use = Use::never;
    const auto encoding = t.encoding;
    for (std::size_t i = 0; i < model_.rows.size(); ++i) {
      auto& known = model_.rows[i];
      if (known.name != row.name || known.per_layer != row.per_layer || known.kind != kind || known.mtp != mtp || known.rows != row.rows || known.columns != row.columns) continue;
      ++known.layers;
      ++encodings_[i][encoding];
      return;
    }
    model_.rows.push_back(std::move(row));
    encodings_.push_back({{encoding, 1}});
  }

  void make_rows() {
    for (const auto& [name, tensor] : once_) add(name, *tensor, -1, false, "");
    for (std::int64_t i = 0; i < layers_; ++i) {
      const bool mtp = i >= model_.spec.layers();
      for (const auto& [name, tensor] : by_layer_[static_cast<std::size_t>(i)])
        add(name, *tensor, static_cast<std::int16_t>(kind_of_layer_[static_cast<std::size_t>(i)]), mtp, mtp ? "mtp.{}." : "blk.{}.");
    }
    for (std::size_t i = 0; i < model_.rows.size(); ++i)
      for (const auto& [encoding, layers] : encodings_[i]) model_.stored.push_back(stored_row(i, model_.rows[i], encoding, layers, formats_));
    make_caches(model_);
  }

  const std::vector<GgufHeader>& parts_;
  std::string name_;
  std::string path_;
  const Formats& formats_;
  Problems& problems_;
  const GgufHeader* meta_ = nullptr;
  std::string architecture_;
  std::int64_t layers_ = 0;
  std::map<std::string_view, const GgufTensor*> once_;
  std::vector<std::map<std::string_view, const GgufTensor*>> by_layer_;
  std::vector<std::uint8_t> kind_of_layer_;
  std::vector<std::map<EncodingId, std::int64_t>> encodings_;      // by row
  Inventory model_;
};

}  // namespace

std::string file_type_of(const GgufHeader& header) {
  constexpr std::string_view kTypes[] = {"fp32", "fp16", "Q4_0", "Q4_1", "", "", "", "Q8_0", "Q5_0", "Q5_1", "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L",
                                         "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S",
                                         "IQ4_NL", "IQ3_S", "IQ3_M", "IQ2_S", "IQ2_M", "IQ4_XS", "IQ1_M", "bf16", "", "", "", "TQ1_0", "TQ2_0", "MXFP4_MOE"};
  const auto* v = header.find("general.file_type");
  const bool known = v && v->number >= 0 && v->number < static_cast<double>(std::size(kTypes));
  return known ? std::string(kTypes[static_cast<std::size_t>(v->number)]) : std::string();
}

bool is_whole_gguf(const std::vector<GgufHeader>& parts, std::string_view name, std::string_view path, Problems& problems) {
  std::int64_t projectors = 0, models = 0;
  double split = 0;
  for (const auto& part : parts) {
    const auto* count = part.find("split.count");
    const auto* what = part.find("general.architecture");
    if (is_projector(part)) ++projectors;
    else if (count) split = std::max(split, count->number);
    else if (what && !what->text.empty()) ++models;
  }
  const auto given = static_cast<double>(parts.size()) - static_cast<double>(projectors);
  std::string why;
  if (given < 1) why = "it is a projector for images or sound; drop it together with its language model";
  else if (models > 1 || projectors > 1) why = "there are " + std::to_string(models + projectors) + " models; give the files of one, and at most one projector";
  else if (split > 1 && split != given) why = "it is one of " + number_text(split) + " parts, and " + number_text(given) + " were given";
  if (!why.empty()) problems.add(Code::unsupported_file, path, {{"name", name}, {"why", why}});
  return why.empty();
}

std::optional<Inventory> model_of_gguf(const std::vector<GgufHeader>& parts, std::string_view name, std::string_view path, const Formats& formats,
                                       Problems& problems) {
  return GgufModel(parts, name, path, formats, problems).read();
}

}  // namespace weighbridge
