// What the forward pass keeps for the backward pass, tensor by tensor.
//
// Sources: Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models" (arXiv 2205.05198), sections 4
// and 5: a block of LayerNorm, softmax attention and a plain 4h feed-forward keeps 34 + 5 a s / h bytes per element of the hidden
// state, which the tensors below add up to; Dao 2023, "FlashAttention-2" (arXiv 2307.08691): one log-sum-exp per head and token.
#pragma once

#include <algorithm>

#include "weighbridge/trace.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge::formulas {

struct Saved {                               // of one token in one layer
  std::string_view name;
  double elements = 0;                       // per token
  double bytes = 2;
  double split = 1;                          // over so many devices
};

// How a run keeps its activations.
struct Keeping {
  double bytes = 2;                          // of one element
  double residual_bytes = 2;                 // of one between layers
  double input_bytes = 2;                    // of an element that is only an input of a matrix product
  double tensor = 1;
  bool sequence = false;                     // norms and residuals are split too
  bool fused_norms = true;                   // kernels that keep no fp32 copy
  bool fused_product = true;                 // silu(gate) is computed again
  bool compiled = false;                     // norms' outputs are computed again as well
  bool dropout = false;                      // the GPT block of the paper
  bool probabilities = false;                // attention keeps its scores (eager, not recomputed)
  double sequence_tokens = 0;
  bool trains_all = true;                    // inputs of matrix products are needed for the weights' gradients
  double adapter_bytes = 0;                  // per element of an adapter's input: its own copy and the dropout mask
  const TrainRequest* request = nullptr;     // whose adapters
};

// Outputs of all linear layers of a kind that are not feed-forward, and of the low-rank and gate vectors among them.
inline double mixer_outputs(const Inventory& m, std::int16_t kind) {
  double sum = 0;
  for (const auto& row : m.rows)
    if (row.kind == kind && !row.mtp && row.linear && row.role != Role::mlp && row.role != Role::experts) sum += static_cast<double>(row.rows * row.per_layer);
  return sum;
}

// A recurrent mixer keeps what its input matrices give, its output before the output matrix and, unless the kernel computes it again
// (mamba_ssm's scans do), the convolved queries, keys and values; gated delta rules one 64 x 64 matrix per chunk and head beside
// (flash-linear-attention keeps q, k, v, gates and that matrix).
template <class Put>
void each_saved_by_recurrence(const Inventory& m, std::size_t index, const Keeping& k, Put put) {
  const auto& mixer = m.spec.kinds[index].mixer;
  const auto& r = mixer.recurrent;
  using K = RecurrentKind;
  if (r.kind == K::none) return;
  const double inner = static_cast<double>(r.heads * std::max<std::int64_t>(1, r.value_dim)), keys = static_cast<double>(r.key_heads * r.key_dim);
  const auto h = static_cast<double>(m.spec.hidden);
  double projected = mixer_outputs(m, static_cast<std::int16_t>(index)) - h;
  if (mixer.kind == MixerKind::attention) {                      // attention beside it has counted its own
    const auto& a = mixer.attention;
    projected -= static_cast<double>(a.heads * a.head_dim + a.kv_heads * (a.head_dim + a.value_dim)) + h;
  }
  const bool delta = r.kind == K::gated_delta || r.kind == K::kda;
  put("recurrence inputs", std::max(projected, inner), k.bytes, k.tensor);
  if (delta) put("convolved", 2 * keys + inner, k.bytes, k.tensor);
  if (delta) put("chunk matrices", 64 * static_cast<double>(r.heads), k.bytes, k.tensor);
  put("recurrence output", inner, k.bytes, k.tensor);
  if (r.norm && k.trains_all) put("recurrence output, normed", inner, k.input_bytes, k.tensor);
}

// Calls add(Saved) for every tensor that a layer of `kind` keeps when nothing is computed again.
template <class Add>
void each_saved(const Inventory& m, std::size_t index, const Keeping& k, Add add) {
  const auto& kind = m.spec.kinds[index];
  const auto& f = kind.feed_forward;
  const auto h = static_cast<double>(m.spec.hidden);
  const double t = k.tensor, norm_split = k.sequence ? t : 1;
  const auto put = [&](std::string_view name, double elements, double bytes, double split) {
    if (elements > 0) add(Saved{name, elements, bytes, split});
  };
  const auto norms = kind.norms > 0 ? static_cast<double>(kind.norms) : 2.0;      // norms without weights are norms
  const double fed = norms < 2 ? norms : 2;                      // norms whose output goes into matrix products
  put("norm inputs", norms * h, k.residual_bytes, norm_split);
  if (k.trains_all && !k.compiled) put("norm outputs", fed * h, k.input_bytes, norm_split);
  if (!k.fused_norms) put("norms in fp32", norms * h, 4 + 2 * k.bytes - k.residual_bytes, norm_split);

  double heads = 0;
  if (kind.mixer.kind == MixerKind::attention) {
    const auto& a = kind.mixer.attention;
    const auto q = static_cast<double>(a.heads * a.head_dim), out = static_cast<double>(a.heads * a.value_dim);
    const auto kv = static_cast<double>(a.kv_heads * (a.head_dim + a.value_dim));
    heads = static_cast<double>(a.heads);
    put("queries", q, k.bytes, t);
    put("keys and values", kv, k.bytes, t < static_cast<double>(a.kv_heads) ? t : static_cast<double>(a.kv_heads));
    put("attention output", out, k.bytes, t);
    if (k.trains_all && k.input_bytes != k.bytes) put("attention output as an input", out, k.input_bytes, t);
    if (a.qk_norm != QkNorm::none) put("query and key norms", q + kv / 2, k.fused_norms ? k.bytes : 4 + 2 * k.bytes, t);
  } else if (kind.mixer.kind == MixerKind::mla) {
    const auto& a = kind.mixer.mla;
    heads = static_cast<double>(a.heads);
    put("latents", static_cast<double>(2 * (a.q_lora_rank + a.kv_lora_rank) + a.rope_dim), k.bytes, norm_split);
    put("queries", heads * static_cast<double>(a.nope_dim + a.rope_dim), k.bytes, t);
    put("keys and values", heads * static_cast<double>(a.nope_dim + a.rope_dim + a.value_dim), k.bytes, t);
    put("attention output", heads * static_cast<double>(a.value_dim), k.bytes, t);
    if (k.trains_all && k.input_bytes != k.bytes) put("attention output as an input", heads * static_cast<double>(a.value_dim), k.input_bytes, t);
  } else if (kind.mixer.recurrent.kind == RecurrentKind::none) {
    put("mixer", mixer_outputs(m, static_cast<std::int16_t>(index)), k.bytes, t);
  }
  each_saved_by_recurrence(m, index, k, put);
  if (k.probabilities) put("attention scores", heads * k.sequence_tokens, k.dropout ? 2 * k.bytes + 1 : k.fused_norms ? k.bytes : 4 + k.bytes, t);
  else if (heads > 0 && !k.dropout) put("log-sum-exp", heads, 4, t);
  if (k.dropout) put("dropout masks", 2 * h, 1, norm_split);

  // gate, up, act(gate) and their product, which is the input of the last matrix; without a gate: before and after the activation
  const double inner = f.gated ? (k.fused_product || k.compiled ? 2 : 3) : 1;
  const double last = k.trains_all ? 1 : 0;
  const auto width = static_cast<double>(f.width);
  const auto fed_forward = [&](std::string_view name, double elements, double split) {
    put(name, inner * elements, k.bytes, split);
    put(last > 0 && k.input_bytes != k.bytes ? std::string_view("inputs of last matrices") : name, last * elements, k.input_bytes, split);
  };
  fed_forward("feed-forward", width, t);
  if (f.experts > 0) {
    const double used = static_cast<double>(f.experts_used) * (k.request ? k.request->expert_slots() : 1);
    put("router", static_cast<double>(f.experts), 4, norm_split);
    const auto wide = static_cast<double>(f.expert_hidden > 0 ? f.expert_hidden : m.spec.hidden);
    put("what experts return", used * wide, k.bytes, norm_split);
    if (k.trains_all) put("tokens sent to experts", used * wide, k.input_bytes, norm_split);
    fed_forward("experts", used * static_cast<double>(f.expert_width), k.request && k.request->layout.expert > 1 ? (k.sequence ? t : 1) : t);
    fed_forward("shared experts", static_cast<double>(f.shared_width), t);
  }
  if (k.adapter_bytes <= 0 || !k.request) return;
  double inputs = 0, ranks = 0;
  for (const auto& a : k.request->adapters) {
    if (a.kind != static_cast<std::int16_t>(index)) continue;
    const double times = a.routed ? static_cast<double>(f.experts_used) * k.request->expert_slots() : static_cast<double>(a.per_layer);
    inputs += times * static_cast<double>(a.inputs);
    ranks += times * (k.request->rank + (k.request->dora ? static_cast<double>(a.outputs) : 0.0));
  }
  put("inputs of adapters", inputs, k.adapter_bytes, t);
  put("adapters", ranks, k.bytes, 1);
}

// What torchtitan's selective recomputation by operator keeps: the layer's input, attention's output and every second matrix product.
template <class Add>
void each_kept_by_operator(const Inventory& m, std::size_t index, const Keeping& k, Add add) {
  const auto h = static_cast<double>(m.spec.hidden);
  add(Saved{"layer input", h, k.bytes, k.sequence ? k.tensor : 1});
  double outputs = 0, attention = 0;
  const auto& f = m.spec.kinds[index].feed_forward;
  each_saved(m, index, k, [&](const Saved& s) {
    if (s.name == "queries" || s.name == "keys and values") outputs += s.elements;
    if (s.name == "attention output") attention = s.elements;
  });
  const double used = static_cast<double>(f.width + f.shared_width) + (k.request ? k.request->expert_slots() : 1) * static_cast<double>(f.experts_used * f.expert_width);
  outputs += 2 * h + (f.gated ? 2 : 1) * used;
  add(Saved{"attention output", attention, k.bytes, k.tensor});
  add(Saved{"every second matrix product", outputs / 2, k.bytes, k.tensor});
}

// Bytes of one layer, shown under `of`.
template <class T>
Bytes layer_activations(const std::vector<Saved>& saved, double tokens, From from, std::string_view of, T& trace) {
  double sum = 0;
  for (const auto& s : saved) sum += s.elements * s.bytes / s.split;
  const Bytes value{tokens * sum};
  if constexpr (T::on) {
    std::vector<double> elements, bytes, split;
    std::vector<std::string> rows;
    for (const auto& s : saved) {
      elements.push_back(s.elements);
      bytes.push_back(s.bytes);
      split.push_back(s.split);
      rows.emplace_back(s.name);
    }
    trace.step(FormulaId::train_layer_activations, value,
               {{"tokens", tokens, from}, {"elements", elements, From::model}, {"bytes", bytes, From::format}, {"split", split, From::user}}, of);
    trace.name_rows(std::move(rows));
  }
  return value;
}

}  // namespace weighbridge::formulas
