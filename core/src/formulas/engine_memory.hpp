// What engines take beside the weights and the plain cache: cells and blocks, activation peaks, compute buffers, libraries, graphs.
//
// Sources: the engines' own documentation and code, and logs that others published (data/engines.json names one for each constant).
// Constants come from the profile; here is only what is done with them.
#pragma once

#include <cmath>

#include "weighbridge/engine.hpp"
#include "weighbridge/hardware.hpp"
#include "weighbridge/tensors.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge::formulas {

// How a cache is rounded: `sequences` share a stream whose cells are a multiple of `multiple`; a window's stream holds `extra` tokens more.
struct Cells {
  double sequences = 1, multiple = 1, extra = 0, least_window = 0;
};

// Tokens that a layer holds for each sequence; window 0: all.
template <class T>
double held_tokens(const Cells& c, double window, const Given<double>& context, std::string_view of, T& trace) {
  const double n = c.sequences, m = c.multiple;
  const double all = std::ceil(n * context.value / m) * m;
  if (window <= 0) window = context.value;
  else if (window < c.least_window) window = c.least_window;
  const double kept = std::ceil((n * window + c.extra) / m) * m;
  return trace.step(FormulaId::held_tokens, (all < kept ? all : kept) / n,
                    {{"sequences_together", n, From::user}, {"context_tokens", context}, {"multiple", m, From::catalog},
                     {"window_tokens", window, From::model}, {"extra_tokens", c.extra, From::catalog}}, of);
}

// Piecewise linear over 1, 2, 4 and 8 devices.
constexpr double over_devices(double devices, double one, double two, double four, double eight) {
  if (devices <= 2) return one + (two - one) * (devices > 1 ? devices - 1 : 0);
  if (devices <= 4) return two + (four - two) * (devices - 2) / 2;
  return four + (eight - four) * ((devices < 8 ? devices : 8) - 4) / 4;
}

struct PassShape {                                     // of one pass
  double tokens = 1;                                   // on each device
  double prompt = 1;                                   // of one sequence in the pass: what scores are square in, or the cells they look at
  double sequences = 1;                                // whose logits are wanted at once
  double heads = 0;
  double tensor = 1;
  bool flash = true;
  bool media = false;                                  // what an encoder made of pictures or sound lies beside the pass
};

// What vLLM's experts work in: the wider of their two inner rows and their outputs, and the narrower row, for each expert of a token.
// One buffer serves all layers and is never given back (vllm/v1/worker/workspace.py).
template <class T>
Bytes expert_buffers(const Inventory& m, const EngineProfile& p, const PassShape& s, From tokens_from, T& trace) {
  double width = 0;
  for (const auto& kind : m.spec.kinds)
    if (const auto& f = kind.feed_forward; f.experts > 0) width = std::max(width, static_cast<double>(f.expert_width));
  width = p[Constant::expert_buffers] > 0 ? width / s.tensor : 0;
  const double used = width > 0 ? static_cast<double>(m.experts_used) : 0, hidden = static_cast<double>(m.spec.hidden);
  return trace.step(FormulaId::expert_buffers, Bytes{2 * s.tokens * used * (std::max(2 * width, hidden) + width)},
                    {{"tokens", s.tokens, tokens_from}, {"experts_used", used, From::model}, {"width", width, From::model}, {"hidden_size", hidden, From::model}});
}

// An encoder's widest point, one layer at a time. `images`: that it works on at once.
template <class T>
Bytes encoder_activations(const Sight& sight, double images, double most_patches, double bytes, double tensor, bool flash, T& trace) {
  const auto of = [](std::int64_t n) { return static_cast<double>(n); };
  const double each = most_patches > 0 ? std::min(most_patches, of(sight.patches)) : of(sight.patches), patches = images * each;
  const double scores = flash ? 0 : of(sight.heads);
  return trace.step(FormulaId::encoder_activations,
                    Bytes{bytes * patches * (2 * of(sight.width) + of(sight.layer) / tensor + of(sight.pixels)) + 4 * scores * patches * patches},
                    {{"bytes", bytes, From::format}, {"patches", patches, From::model}, {"width", of(sight.width), From::model}, {"layer_width", of(sight.layer), From::model},
                     {"tensor", tensor, From::user}, {"pixels", of(sight.pixels), From::model}, {"score_heads", scores, From::model}});
}

inline Input encoder_input(Bytes encoder) {
  return encoder.value > 0 ? Input("encoder", encoder, FormulaId::encoder_activations) : Input("encoder", encoder, From::model);
}

// Profiling run of vLLM, and the like of SGLang, TensorRT-LLM, Transformers and ExLlamaV2: the widest of attention, feed-forward
// and sampling.
template <class T>
Bytes engine_activations(const Inventory& m, const EngineProfile& p, const PassShape& s, bool head, Bytes encoder, From tokens_from, T& trace) {
  const auto hidden = static_cast<double>(m.spec.hidden), vocabulary = static_cast<double>(m.spec.vocabulary);
  const auto attention = trace.step(FormulaId::attention_activations, Bytes{2 * s.tokens * (2 * hidden + m.widths.mixer / s.tensor)},
                                    {{"tokens", s.tokens, tokens_from}, {"hidden_size", hidden, From::model},
                                     {"mixer_width", m.widths.mixer, From::model}, {"tensor", s.tensor, From::user}});
  const auto feed_forward = trace.step(FormulaId::feed_forward_activations, Bytes{2 * s.tokens * (2 * hidden + m.widths.feed_forward / s.tensor)},
                                       {{"tokens", s.tokens, tokens_from}, {"hidden_size", hidden, From::model},
                                        {"feed_forward_width", m.widths.feed_forward, From::model}, {"tensor", s.tensor, From::user}});
  const double score_copies = s.flash ? 0 : p[Constant::score_copies];
  const auto scores = trace.step(FormulaId::score_activations, Bytes{score_copies * s.heads / s.tensor * s.tokens * s.prompt * 4},
                                 {{"copies", score_copies, From::catalog}, {"heads", s.heads, From::model}, {"tensor", s.tensor, From::user},
                                  {"tokens", s.tokens, tokens_from}, {"context", s.prompt, tokens_from}});
  const double copies = p[Constant::hidden_copies] + s.media;
  const auto states = trace.step(FormulaId::hidden_activations, Bytes{copies * s.tokens * hidden * 2},
                                 {{"copies", copies, From::catalog}, {"tokens", s.tokens, tokens_from}, {"hidden_size", hidden, From::model},
                                  {"bytes", 2.0, From::format}});
  const double sampler = !head ? 0 : p[Constant::sampler_copies] > 1 ? p[Constant::sampler_copies] : 1;
  const double prompt_logits = head ? p[Constant::prompt_logit_bytes] : 0;
  const auto logits = trace.step(FormulaId::sampler_activations,
                                 Bytes{sampler * s.sequences * vocabulary * 4 + prompt_logits * s.tokens * vocabulary},
                                 {{"copies", sampler, From::catalog}, {"sequences", s.sequences, From::user}, {"vocab_size", vocabulary, From::model},
                                  {"prompt_logit_bytes", prompt_logits, From::catalog}, {"tokens", s.tokens, tokens_from}});
  const auto experts = expert_buffers(m, p, s, tokens_from, trace);
  // Where nothing is sampled in one large batch, the hidden states of the pass lie beside the feed-forward.
  const bool beside = p.rule == EngineRule::dynamic;
  const auto under = beside || p.rule == EngineRule::budget ? states : Bytes{}, over = beside ? Bytes{} : states;
  const auto peak = max(max(max(attention + scores, feed_forward + under), logits + over + experts), encoder);
  return trace.step(FormulaId::engine_activations, peak,
                    {{"attention", attention, FormulaId::attention_activations}, {"scores", scores, FormulaId::score_activations},
                     {"feed_forward", feed_forward, FormulaId::feed_forward_activations},
                     {"hidden_beside_feed_forward", under, From::model}, {"logits", logits, FormulaId::sampler_activations},
                     {"hidden_beside_logits", over, From::model}, {"experts", experts, FormulaId::expert_buffers}, encoder_input(encoder)});
}

// llama.cpp's compute buffer on one device: rows in fp32 of a micro-batch, reused by every layer. `expert_matrix`: of experts in system
// memory, one tensor at a time is copied over. `drafting`: buffers of the contexts that draft. `encoder`: what images are read in, a
// context of its own. `head`: the device makes the logits.
template <class T>
Bytes compute_buffer(const Inventory& m, const EngineProfile& p, const PassShape& s, double stages, Bytes expert_matrix, Bytes drafting, Bytes encoder, bool head,
                     From tokens_from, T& trace) {
  const auto hidden = static_cast<double>(m.spec.hidden), vocabulary = static_cast<double>(m.spec.vocabulary);
  const double mask_bytes = s.flash ? p[Constant::mask_bytes] : 4;
  const auto mask = trace.step(FormulaId::mask_buffer, Bytes{mask_bytes * s.tokens * s.prompt},
                               {{"bytes", mask_bytes, s.flash ? From::catalog : From::format}, {"tokens", s.tokens, tokens_from}, {"cells", s.prompt, From::user}});
  const double score_copies = s.flash ? 0 : p[Constant::score_copies], rows = p[Constant::hidden_copies];
  const auto attention = trace.step(FormulaId::attention_buffer,
                                    mask + Bytes{4 * s.tokens * (rows * hidden + score_copies * s.heads * s.prompt)},
                                    {{"mask", mask, FormulaId::mask_buffer}, {"tokens", s.tokens, tokens_from}, {"rows", rows, From::catalog},
                                     {"hidden_size", hidden, From::model}, {"score_copies", score_copies, From::catalog},
                                     {"heads", s.heads, From::model}, {"cells", s.prompt, From::user}});
  const double third = m.widths.feed_forward / 3, of_width = p[Constant::feed_forward_rows], beside = p[Constant::feed_forward_hidden];
  const double spread = m.experts > 0 ? static_cast<double>(m.experts_used) * hidden : 0;          // every expert's output
  const auto feed_forward = trace.step(FormulaId::feed_forward_buffer, mask + expert_matrix + Bytes{4 * s.tokens * (third + std::max((of_width - 1) * third, spread) + beside * hidden)},
                                       {{"mask", mask, FormulaId::mask_buffer}, {"expert_matrix", expert_matrix, From::model},
                                        {"tokens", s.tokens, tokens_from}, {"width", third, From::model}, {"rows", of_width, From::catalog}, {"outputs", spread, From::model},
                                        {"beside", beside, From::catalog}, {"hidden_size", hidden, From::model}});
  const double logit_rows = !head ? 0 : p[Constant::every_logit] > 0 ? s.tokens : s.sequences;
  const auto logits = trace.step(FormulaId::logits_buffer, Bytes{4 * (logit_rows * vocabulary + s.tokens * hidden)},
                                 {{"logit_rows", logit_rows, From::user}, {"vocab_size", vocabulary, From::model},
                                  {"tokens", s.tokens, tokens_from}, {"hidden_size", hidden, From::model}});
  const double copies = stages > 1 ? p[Constant::pipeline_copies] - 1 : 0;
  const auto inputs = trace.step(FormulaId::pipeline_buffer, copies * Bytes{4 * s.tokens * (s.prompt + hidden)},
                                 {{"copies", copies, From::catalog}, {"tokens", s.tokens, tokens_from}, {"cells", s.prompt, From::user},
                                  {"hidden_size", hidden, From::model}});
  return trace.step(FormulaId::compute_buffer, max(max(attention, feed_forward), logits) + inputs + drafting + encoder,
                    {{"attention", attention, FormulaId::attention_buffer}, {"feed_forward", feed_forward, FormulaId::feed_forward_buffer},
                     {"logits", logits, FormulaId::logits_buffer}, {"inputs", inputs, FormulaId::pipeline_buffer},
                     {"drafting", drafting, From::model}, encoder_input(encoder)});
}

// Beside weights, cache and activations, on each device.
struct RuntimeParts {
  Bytes context, libraries, graphs;
};

constexpr double kFastLink = 50e9;                     // bytes/s, one way: NVLink and its like, and no PCIe

// Batch sizes that are recorded: 1, 2, 4, then every eighth up to 256, every `step`-th from there.
inline double recorded_sizes(double most, double step) {
  double sizes = (most >= 1) + (most >= 2) + (most >= 4) + std::floor(std::min(most, 256.0) / 8);
  if (most > 256 && step > 0) sizes += std::floor((most - 256) / step);
  return sizes;
}

// `sequences`: most of a pass; sizes in pieces serve prompts too, and reach twice as far.
template <class T>
RuntimeParts engine_runtime(const Inventory& m, const EngineProfile& p, double tensor, double link, bool graphs, double sequences, T& trace) {
  const auto of = [&](Constant c) { return p[c]; };
  const auto layers = static_cast<double>(m.spec.layers());
  const bool slow = tensor > 1 && link < kFastLink && of(Constant::libraries_bytes_slow) > 0;
  const double libraries = slow ? std::max(of(Constant::libraries_bytes), of(Constant::libraries_bytes_slow))
                                : over_devices(tensor, of(Constant::libraries_bytes), of(Constant::libraries_bytes_2),
                                               of(Constant::libraries_bytes_4), of(Constant::libraries_bytes_8));
  const double moe = of(Constant::graph_bytes_per_moe_layer);
  const double each = !graphs ? 0 : m.experts > 0 && moe > 0 ? moe : of(Constant::graph_bytes_per_layer);
  const double fixed = graphs ? of(Constant::graph_bytes) : 0, step = of(Constant::graph_step);
  const double pieces = recorded_sizes(std::min(2 * sequences, of(Constant::pieces_to)), step), whole = recorded_sizes(std::min(sequences, of(Constant::graphs_to)), step);
  const double sizes = pieces + whole > 0 ? pieces + whole : 1;
  RuntimeParts out;
  out.context = trace.step(FormulaId::engine_context, Bytes{of(Constant::context_bytes)}, {{"context_bytes", of(Constant::context_bytes), From::catalog}});
  out.libraries = trace.step(FormulaId::engine_libraries, Bytes{libraries}, {{"libraries_bytes", libraries, From::catalog}});
  out.graphs = trace.step(FormulaId::engine_graphs, Bytes{fixed + layers * sizes * each},
                          {{"graph_bytes", fixed, From::catalog}, {"layers", layers, From::model}, {"sizes", sizes, From::user},
                           {"graph_bytes_per_layer", each, From::catalog}});
  return out;
}

}  // namespace weighbridge::formulas
