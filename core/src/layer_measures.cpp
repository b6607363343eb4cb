// What a model's layers keep and hold, by kind: caches, states, widths.
#include <algorithm>
#include <numeric>

#include "weighbridge/tensors.hpp"

namespace weighbridge {

namespace {

// Elements of a recurrent mixer: what it makes of one token, and what it keeps.
struct Parts {
  double width = 0;                  // all projections of a token, and the output
  double state = 0, convolution = 0; // kept per sequence
  double products = 0;               // multiplications of the whole state by one token: decay, write, read
};

Parts parts(const Recurrent& r, std::int64_t hidden) {
  using Kind = RecurrentKind;
  const auto values = static_cast<double>(r.heads * r.value_dim), keys = static_cast<double>(r.key_heads * r.key_dim);
  const auto heads = static_cast<double>(r.heads), rank = static_cast<double>(r.rank), h = static_cast<double>(hidden);
  const auto back = static_cast<double>(std::max<std::int64_t>(0, r.kernel - 1));
  const double state = values * static_cast<double>(r.key_dim);
  switch (r.kind) {
    case Kind::none: break;
    case Kind::mamba: return {3 * values + rank + 2 * static_cast<double>(r.key_dim), state, values * back, 3};
    case Kind::mamba2: return {3 * values + 2 * keys + heads, state, (values + 2 * keys) * back, 3};
    // The delta rule also reads what the state holds under the new key before it writes.
    case Kind::gated_delta: return {2 * keys + 3 * values + 2 * heads, state, (2 * keys + values) * back, 4};
    case Kind::kda: return {3 * keys + 3 * values + heads, state, (2 * keys + values) * back, 4};
    case Kind::lightning: return {2 * keys + 3 * values, state, 0, 3};
    case Kind::localized_filter: return {2 * h, 0, 1.5 * h * back, 0};
    case Kind::short_convolution: return {4 * h, 0, h * back, 0};
    // The token before, once for each half of the layer, stands for the convolution.
    case Kind::rwkv4: return {4 * values, state, 2 * h, 3};
    case Kind::rwkv: return {6 * values, state, 2 * h, 3};
    case Kind::rwkv7: return {7 * values, state, 2 * h, 4};
  }
  return {};
}

// Tensor parallelism splits a state by heads; those that share keys (gated delta rule) stay together.
std::int64_t divisor(const Recurrent& r) {
  if (r.kind == RecurrentKind::none || r.kind == RecurrentKind::short_convolution || r.kind == RecurrentKind::localized_filter) return 0;
  return r.kind == RecurrentKind::gated_delta ? std::gcd(r.heads, r.key_heads) : r.heads;
}

}  // namespace

void measure(Inventory& m) {
  const auto& s = m.spec;
  const auto kinds = s.kinds.size();
  m.widths = {};
  m.heads_divisor = m.moe_layers = 0;
  for (std::size_t i = 0; i < kinds; ++i) {
    const auto& mixer = s.kinds[i].mixer;
    double width = 0;
    std::int64_t heads = 0;
    if (mixer.kind == MixerKind::attention) {
      const auto& a = mixer.attention;
      width = static_cast<double>((a.heads + a.kv_heads) * (a.head_dim + a.value_dim));
      heads = a.heads;
    } else if (mixer.kind == MixerKind::mla) {
      const auto& a = mixer.mla;
      width = static_cast<double>(a.heads * (2 * a.nope_dim + a.rope_dim + 2 * a.value_dim) + a.q_lora_rank + a.kv_lora_rank + a.rope_dim);
      heads = a.heads;
    }
    if (mixer.kind == MixerKind::compressed) {
      const auto& a = mixer.compressed;
      width = static_cast<double>(2 * a.heads * a.head_dim + a.q_lora_rank + a.head_dim + a.o_groups * a.o_lora_rank);
      heads = std::gcd(a.heads, a.o_groups);
    }
    width += parts(mixer.recurrent, s.hidden).width;
    heads = std::gcd(heads, divisor(mixer.recurrent));
    const auto& f = s.kinds[i].feed_forward;
    const std::int64_t moe = f.experts > 0 ? f.experts_used * f.expert_width + f.shared_width : 0;
    m.widths.mixer = std::max(m.widths.mixer, width);
    m.widths.feed_forward = std::max(m.widths.feed_forward, (f.gated ? 3.0 : 2.0) * static_cast<double>(std::max(f.width, moe)));
    m.heads_divisor = std::gcd(m.heads_divisor, heads);
    if (f.experts > 0) m.moe_layers += m.caches[i].layers;
  }
  m.layers_before.assign((s.layer_kind.size() + 1) * kinds, 0);
  for (std::size_t layer = 0; layer < s.layer_kind.size(); ++layer)
    for (std::size_t kind = 0; kind < kinds; ++kind)
      m.layers_before[(layer + 1) * kinds + kind] = m.layers_before[layer * kinds + kind] + (s.layer_kind[layer] == kind ? 1 : 0);
}

namespace {

// Attention's part of a layer; nothing where there is none.
CacheShape attention_cache(const Mixer& mixer) {
  CacheShape c;
  if (mixer.kind == MixerKind::attention) {
    const auto& a = mixer.attention;
    c.k_elements = static_cast<double>(a.kv_heads * a.head_dim);
    c.v_elements = static_cast<double>(a.kv_heads * a.value_dim);
    c.kv_heads = a.kv_heads;
    c.scores_per_pair = static_cast<double>(a.heads);
    c.window = a.window;
    // A query and a key are multiplied, then a weight and a value.
    c.prefill_flops_per_pair = 2 * static_cast<double>(a.heads * (a.head_dim + a.value_dim));
    c.decode_flops_per_pair = c.prefill_flops_per_pair;
    if (a.shares_cache) c.k_elements = c.v_elements = 0;
  } else if (mixer.kind == MixerKind::mla) {
    const auto& a = mixer.mla;
    c.k_elements = static_cast<double>(a.kv_lora_rank + a.rope_dim);
    c.scores_per_pair = static_cast<double>(a.heads);
    c.replicated = true;
    c.prefill_flops_per_pair = 2 * static_cast<double>(a.heads * (a.nope_dim + a.rope_dim + a.value_dim));
    // Decoding multiplies with the latent itself (DeepSeek-V2, arXiv 2405.04434, section 2.1.2: the up-projections are absorbed).
    c.decode_flops_per_pair = 2 * static_cast<double>(a.heads * (2 * a.kv_lora_rank + a.rope_dim));
  }
  if (mixer.kind == MixerKind::compressed) {
    const auto& a = mixer.compressed;
    c.k_elements = static_cast<double>(a.head_dim);
    c.replicated = true;
    c.window = a.window;
    c.prefill_flops_per_pair = c.decode_flops_per_pair = 4 * static_cast<double>(a.heads * a.head_dim);
    c.scores_per_pair = static_cast<double>(a.heads);
    return c;
  }
  c.attends = mixer.indexer.tokens;
  return c;
}

// Averages of `ratio` tokens, and what the next one is made from: values and weights of the tokens since, in 32 bits.
CacheShape averages(const CompressedAttention& a, double elements, std::int64_t heads, double flops_per_pair, std::int64_t attends) {
  const auto ratio = static_cast<double>(a.ratio), halves = static_cast<double>(a.halves());
  CacheShape c;
  c.k_elements = elements / ratio;
  c.replicated = true;
  c.prefill_flops_per_pair = c.decode_flops_per_pair = flops_per_pair / ratio;
  c.scores_per_pair = static_cast<double>(heads) / ratio;
  c.attends = attends * a.ratio;
  c.state_elements = 2 * halves * ratio * halves * elements;
  return c;
}

CacheShape state_cache(const Recurrent& r, std::int64_t hidden) {
  const auto p = parts(r, hidden);
  CacheShape c;
  c.state_elements = p.state;
  c.state_bits = static_cast<double>(r.state_bits);
  c.conv_elements = p.convolution;
  const auto heads = divisor(r);
  c.kv_heads = heads > 0 ? heads : hidden;       // convolutions alone are split by channels
  c.flops_per_token = 2 * p.products * p.state;
  return c;
}

// Keys and values of the tokens that a layer attends to beside its own sequence, made once in 16 bits.
CacheShape cross_cache(const Attention& a, std::int64_t tokens) {
  CacheShape c;
  c.state_elements = static_cast<double>(tokens) * static_cast<double>(a.kv_heads * (a.head_dim + a.value_dim));
  c.state_bits = 16;
  c.kv_heads = a.kv_heads;
  c.flops_per_token = 2 * static_cast<double>(tokens) * static_cast<double>(a.heads * (a.head_dim + a.value_dim));
  return c;
}

// An 8-bit key with one 32-bit scale, on each device whole (DeepSeek-V3.2's indexer); others keep it as they keep their keys.
CacheShape index_cache(const Indexer& x) {
  CacheShape c;
  if (x.weighted) c.fixed_bytes = static_cast<double>(x.dim) + 4;
  else c.k_elements = static_cast<double>(x.dim);
  c.replicated = true;
  c.prefill_flops_per_pair = c.decode_flops_per_pair = 2 * static_cast<double>(x.heads * x.dim);
  c.scores_per_pair = static_cast<double>(x.heads);
  return c;
}

}  // namespace

void make_caches(Inventory& m) {
  const auto& s = m.spec;
  m.caches.clear();
  std::vector<CacheShape> second;
  for (std::size_t kind = 0; kind < s.kinds.size(); ++kind) {
    const auto& mixer = s.kinds[kind].mixer;
    const auto layers = static_cast<std::int64_t>(std::count(s.layer_kind.begin(), s.layer_kind.end(), static_cast<std::uint8_t>(kind)));
    const auto of_kind = [&](CacheShape c) {
      c.kind = kind;
      c.layers = layers;
      return c;
    };
    const bool attends = mixer.kind == MixerKind::attention || mixer.kind == MixerKind::mla || mixer.kind == MixerKind::compressed;
    const bool recurs = mixer.recurrent.kind != RecurrentKind::none;
    m.caches.push_back(of_kind(recurs && !attends ? state_cache(mixer.recurrent, s.hidden) : attention_cache(mixer)));
    if (layers == 0) continue;
    if (recurs && attends) second.push_back(of_kind(state_cache(mixer.recurrent, s.hidden)));
    if (const auto& k = s.kinds[kind]; k.crosses && k.source_tokens > 0) second.push_back(of_kind(cross_cache(k.cross, k.source_tokens)));
    const auto& a = mixer.compressed;
    const auto& x = mixer.indexer;
    if (a.ratio > 0) second.push_back(of_kind(averages(a, static_cast<double>(a.head_dim), a.heads, 4 * static_cast<double>(a.heads * a.head_dim), x.tokens)));
    if (x.heads > 0 && a.ratio == 0) second.push_back(of_kind(index_cache(x)));
    if (x.heads > 0 && a.ratio > 0) {
      auto c = averages(a, static_cast<double>(x.dim), x.heads, 2 * static_cast<double>(x.heads * x.dim), 0);
      c.k_elements = 0;
      c.fixed_bytes = (static_cast<double>(x.dim) + 4) / static_cast<double>(a.ratio);
      second.push_back(of_kind(c));
    }
  }
  m.caches.insert(m.caches.end(), second.begin(), second.end());
}

}  // namespace weighbridge
