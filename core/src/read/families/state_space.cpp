// Models with state-space layers, alone or beside attention: Mamba 1 and 2, Falcon-Mamba, Nemotron-H to Nemotron 3, Falcon-H1,
// Jamba, Granite 4, Bamba. Source: the families' config.json files and reference implementations in transformers; Mamba
// (arXiv 2312.00752), Mamba-2 (arXiv 2405.21060), Jamba (arXiv 2403.19887), Nemotron-H (arXiv 2504.03624).
#include <algorithm>
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

// Many write "auto" where a size follows from others.
std::int64_t count_or_auto(ConfigReader& r, std::string_view key, std::int64_t otherwise, std::int64_t most = kMostHidden) {
  const auto* value = r.find({key});
  return value && value->is_string() && *value == "auto" ? otherwise : r.count_or({key}, otherwise, most);
}

std::int64_t state_bits(ConfigReader& r) {
  const auto* type = r.find({"mamba_ssm_cache_dtype", "mamba_ssm_dtype"});
  return type && type->is_string() && (*type == "bfloat16" || *type == "float16") ? 16 : 32;
}

Mixer only(const Recurrent& state) {
  Mixer m;
  m.kind = MixerKind::none;
  m.recurrent = state;
  return m;
}

// Every channel is a head of its own.
Recurrent mamba1(ConfigReader& r, std::int64_t channels, std::int64_t rank_otherwise) {
  Recurrent s;
  s.kind = RecurrentKind::mamba;
  s.heads = channels;
  s.value_dim = 1;
  s.key_dim = r.count_or({"state_size", "mamba_d_state"}, 16, kMostHeadDim);
  s.kernel = r.count_or({"conv_kernel", "mamba_d_conv"}, 4, 64);
  s.rank = count_or_auto(r, r.has("mamba_dt_rank") ? "mamba_dt_rank" : "time_step_rank", rank_otherwise);
  s.bias = r.flag({"use_bias", "mamba_proj_bias"}, false);
  s.conv_bias = r.flag({"use_conv_bias", "mamba_conv_bias"}, true);
  s.state_bits = state_bits(r);
  return s;
}

struct Mamba2Sizes {
  std::int64_t heads = 0, head_dim = 0, groups = 1, state = 128;
};

Recurrent mamba2(ConfigReader& r, const Mamba2Sizes& sizes) {
  Recurrent s;
  s.kind = RecurrentKind::mamba2;
  s.heads = sizes.heads;
  s.value_dim = sizes.head_dim;
  s.key_heads = sizes.groups;
  s.key_dim = sizes.state;
  s.kernel = r.count_or({"conv_kernel", "mamba_d_conv"}, 4, 64);
  s.bias = r.flag({"use_bias", "mamba_proj_bias"}, false);
  s.conv_bias = r.flag({"use_conv_bias", "mamba_conv_bias"}, true);
  s.norm = true;
  s.state_bits = state_bits(r);
  return s;
}

// The keys that Falcon-H1, Granite 4 and Bamba share. The width is what the heads make; expand is only another way to say it.
Recurrent mamba2_by_prefix(ConfigReader& r, const ModelSpec& spec, Mamba2Sizes otherwise) {
  Mamba2Sizes s;
  s.heads = r.count_or({"mamba_n_heads"}, otherwise.heads, kMostHeads);
  const auto width = r.count_or({"mamba_d_ssm"}, r.count_or({"mamba_expand"}, 2, 64) * spec.hidden, 64 * kMostHidden);
  s.head_dim = count_or_auto(r, "mamba_d_head", std::max<std::int64_t>(1, width / s.heads), kMostHeadDim);
  s.groups = r.count_or({"mamba_n_groups"}, otherwise.groups, kMostHeads);
  s.state = r.count_or({"mamba_d_state"}, otherwise.state, kMostHeadDim);
  return mamba2(r, s);
}

void read_mamba(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = read_layers(r);
  LayerKind k;
  k.norms = 1;
  const auto channels = r.count_or({"intermediate_size", "d_inner"}, r.count_or({"expand"}, 2, 64) * spec.hidden, kMostHidden);
  k.mixer = only(mamba1(r, channels, (spec.hidden + 15) / 16));
  all_layers(spec, k, layers);
}

void read_mamba2(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  LayerKind k;
  k.norms = 1;
  Mamba2Sizes s;
  s.heads = r.count({"num_heads"}, "the number of heads of the state", kMostHeads);
  s.head_dim = r.count_or({"head_dim"}, 64, kMostHeadDim);
  s.groups = r.count_or({"n_groups"}, 8, kMostHeads);
  s.state = r.count_or({"state_size"}, 128, kMostHeadDim);
  k.mixer = only(mamba2(r, s));
  all_layers(spec, k, layers);
}

// The first Mamba files: the mixer is an object of its own, and the vocabulary is rounded up.
void read_mamba_ssm(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  spec.tied = r.flag({"tie_embeddings"}, true);
  const auto multiple = r.count_or({"pad_vocab_size_multiple"}, 8, kMostHidden);
  spec.vocabulary = (spec.vocabulary + multiple - 1) / multiple * multiple;
  if (!r.numbers("attn_layer_idx", kMostLayers).empty()) r.unsupported("layers of attention among those with a state (attn_layer_idx)");
  if (r.zero_or_more({"d_intermediate"}, 0) > 0) r.unsupported("a feed-forward beside the state (d_intermediate)");
  auto mixer = r.inside("ssm_cfg");
  const auto width = mixer.count_or({"expand"}, 2, 64) * spec.hidden;
  LayerKind k;
  k.norms = 1;
  if (mixer.text("layer", "Mamba1") == "Mamba2") {
    Mamba2Sizes s;
    s.head_dim = mixer.count_or({"headdim"}, 64, kMostHeadDim);
    s.heads = std::max<std::int64_t>(1, width / s.head_dim);
    s.groups = mixer.count_or({"ngroups"}, 1, kMostHeads);
    s.state = mixer.count_or({"d_state"}, 128, kMostHeadDim);
    k.mixer = only(mamba2(mixer, s));
  } else {
    k.mixer = only(mamba1(mixer, width, (spec.hidden + 15) / 16));
    k.mixer.recurrent.key_dim = mixer.count_or({"d_state"}, 16, kMostHeadDim);
  }
  k.mixer.recurrent.kernel = mixer.count_or({"d_conv"}, 4, 64);
  all_layers(spec, k, read_layers(r));
}

// ---- Nemotron-H: a layer is one half of an ordinary one, written as a letter or a word ----

enum class Half : char { mamba = 'M', attention = '*', dense = '-', experts = 'E' };

// Layers by letter; empty (and a problem) when there is an unknown one.
std::string pattern(ConfigReader& r, std::string_view letters_key, std::string_view words_key) {
  std::string out;
  if (const auto* words = r.find({words_key})) {
    if (!words->is_array() || words->size() > static_cast<std::size_t>(kMostLayers)) return r.bad(words_key, *words, "a list of layer types"), out;
    for (const auto& word : *words) {
      if (word == "mamba") out += 'M';
      else if (word == "attention") out += '*';
      else if (word == "mlp") out += '-';
      else if (word == "moe") out += 'E';
      else return r.bad(words_key, word, "mamba, attention, mlp or moe in every place"), std::string();
    }
    return out;
  }
  out = r.text(letters_key);
  if (out.size() <= static_cast<std::size_t>(kMostLayers) && out.find_first_not_of("M*-E") == std::string::npos) return out;
  return r.bad(letters_key, *r.find({letters_key}), "the letters M, *, - and E"), std::string();
}

void read_nemotron_h(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = pattern(r, "hybrid_override_pattern", "layers_block_type");
  if (layers.empty()) {
    if (!r.failed()) r.missing({"hybrid_override_pattern", "layers_block_type"}, "which layers are which");
    return;
  }
  const auto count = r.count_or({"num_hidden_layers"}, static_cast<std::int64_t>(layers.size()), kMostLayers);
  if (count != static_cast<std::int64_t>(layers.size()))
    r.contradiction("num_hidden_layers", "hybrid_override_pattern", "the one says " + std::to_string(count) + " layers, the other " + std::to_string(layers.size()));
  const auto has = [&](Half half) { return layers.find(static_cast<char>(half)) != std::string::npos; };

  LayerKind mamba, attention, dense, experts;
  mamba.norms = attention.norms = dense.norms = experts.norms = 1;
  dense.mixer.kind = experts.mixer.kind = MixerKind::none;
  dense.feed_forward.gated = experts.feed_forward.gated = false;       // squared ReLU
  if (has(Half::mamba)) {
    // `expand` is wrong in these files: the width is what the heads make.
    Mamba2Sizes s;
    s.heads = r.count({"mamba_num_heads"}, "the number of heads of the state", kMostHeads);
    s.head_dim = r.count({"mamba_head_dim"}, "the width of a head of the state", kMostHeadDim);
    s.groups = r.count_or({"n_groups"}, 8, kMostHeads);
    s.state = r.count({"ssm_state_size"}, "the size of the state", kMostHeadDim);
    mamba.mixer = only(mamba2(r, s));
  }
  if (has(Half::attention)) attention.mixer.attention = read_attention(r, spec, {});
  if (has(Half::dense)) {
    dense.feed_forward.width = r.count({"intermediate_size"}, "the width of the feed-forward");
    dense.feed_forward.bias = r.flag({"mlp_bias"}, false);
  }
  if (has(Half::experts)) {
    const auto e = read_experts(r);
    experts = moe_layer(experts, e);
    auto& f = experts.feed_forward;
    f.expert_hidden = r.zero_or_more({"moe_latent_size"}, 0, kMostHidden);
    f.shared_width = r.zero_or_more({"n_shared_experts"}, 0, kMostExperts) *
                     r.count_or({"moe_shared_expert_intermediate_size"}, e.width);
  }
  for (const char letter : layers) {
    switch (static_cast<Half>(letter)) {
      case Half::mamba: add_layer(spec, mamba); break;
      case Half::attention: add_layer(spec, attention); break;
      case Half::dense: add_layer(spec, dense); break;
      case Half::experts: add_layer(spec, experts); break;
    }
  }
  // The layer that predicts the token after next is a pair of halves.
  spec.mtp_layers = r.zero_or_more({"num_nextn_predict_layers"}, 0, 16);
  if (spec.mtp_layers == 0 || r.failed()) return;
  const auto halves = pattern(r, "mtp_hybrid_override_pattern", "mtp_layers_block_type");
  if (halves != "*E" || !has(Half::attention) || !has(Half::experts)) {
    if (!r.failed()) r.unsupported("prediction layers other than attention and experts (mtp_hybrid_override_pattern)");
    return;
  }
  auto pair = experts;
  pair.mixer = attention.mixer;
  pair.norms = 2;
  set_mtp_kind(spec, pair);
}

// Attention and state space side by side in every layer, each on the same normed input.
void read_falcon_h1(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  auto both = read_layer(r, spec, {});
  both.mixer.recurrent = mamba2_by_prefix(r, spec, {128, 64, 1, 256});
  both.mixer.recurrent.norm = r.flag({"mamba_rms_norm"}, true);
  if (r.flag({"projectors_bias"}, false)) both.mixer.attention.o_bias = true;
  auto state = both;
  state.mixer = only(both.mixer.recurrent);
  if (!r.has("attn_layer_indices")) return all_layers(spec, both, layers);
  const auto with = r.numbers("attn_layer_indices", layers - 1);
  for (std::int64_t i = 0; i < layers; ++i) add_layer(spec, std::find(with.begin(), with.end(), i) == with.end() ? state : both);
}

void read_jamba(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto attention = read_layer(r, spec, {.bias_key = {}});
  auto state = attention;
  state.mixer = only(mamba1(r, r.count_or({"mamba_expand"}, 2, 64) * spec.hidden, (spec.hidden + 15) / 16));
  state.mixer.recurrent.inner_norms = true;
  const bool any = r.zero_or_more({"num_experts"}, 16, kMostExperts) > 1;
  const auto e = any ? read_experts(r) : Experts{};
  const auto attention_period = r.count_or({"attn_layer_period"}, 8, kMostLayers), attention_offset = r.zero_or_more({"attn_layer_offset"}, 4, kMostLayers);
  const auto expert_period = r.count_or({"expert_layer_period"}, 2, kMostLayers), expert_offset = r.zero_or_more({"expert_layer_offset"}, 1, kMostLayers);
  for (std::int64_t i = 0; i < layers; ++i) {
    const auto& layer = i % attention_period == attention_offset ? attention : state;
    add_layer(spec, any && i % expert_period == expert_offset ? moe_layer(layer, e) : layer);
  }
}

// Granite 4: a mixture and a dense part in every layer; the small models have the dense part alone.
void read_granite_hybrid(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = read_layers(r);
  LayerKind attention;
  attention.mixer.attention = read_attention(r, spec, {});
  const auto shared = r.zero_or_more({"shared_intermediate_size"}, 1024);
  if (r.zero_or_more({"num_local_experts"}, 8, kMostExperts) > 0) {
    attention = moe_layer(attention, read_experts(r));
    attention.feed_forward.shared_width = shared;
  } else {
    attention.feed_forward.width = shared;
  }
  auto state = attention;
  state.mixer = only(mamba2_by_prefix(r, spec, {128, 64, 1, 256}));
  const auto types = r.texts_per_layer("layer_types", layers);
  if (types.empty() && !r.failed()) r.missing({"layer_types"}, "which layers have attention and which a state");
  for (const auto& type : types) {
    if (type != "mamba" && type != "attention") return r.bad("layer_types", type, "mamba or attention in every place");
    add_layer(spec, type == "mamba" ? state : attention);
  }
}

void read_bamba(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false);
  const auto layers = read_layers(r);
  const auto attention = read_layer(r, spec, {});
  auto state = attention;
  state.mixer = only(mamba2_by_prefix(r, spec, {128, 64, 1, 256}));
  const auto with = r.numbers("attn_layer_indices", layers - 1);
  for (std::int64_t i = 0; i < layers; ++i) add_layer(spec, std::find(with.begin(), with.end(), i) == with.end() ? state : attention);
}

constexpr std::array kFamilies{
    Family{"mamba_ssm", read_mamba_ssm},
    Family{"mamba", read_mamba},           Family{"falcon_mamba", read_mamba}, Family{"mamba2", read_mamba2},
    Family{"nemotron_h", read_nemotron_h}, Family{"falcon_h1", read_falcon_h1}, Family{"jamba", read_jamba},
    Family{"granitemoehybrid", read_granite_hybrid},                           Family{"bamba", read_bamba},
};

}  // namespace

ReadFamily find_state_space(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
