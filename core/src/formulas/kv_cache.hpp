// KV cache and recurrent state: what each layer keeps per token and per sequence.
//
// Sources: grouped-query attention, Ainslie et al. 2023 (keys and values of kv_heads heads only); multi-head latent
// attention, DeepSeek-V2 2024, section 2.1 (one latent per token, the same for every head); sliding windows, Mistral 7B
// 2023, section 2 (a layer keeps at most its window); indexer keys, DeepSeek-V3.2-Exp 2025, section 2 (one 8-bit key per token).
#pragma once

#include <string>
#include <vector>

#include "weights.hpp"

namespace weighbridge::formulas {

// Per kind of layer. Scratch that a caller keeps, so that the planner's loop allocates nothing.
struct CacheTerms {
  std::size_t own = 0;                         // so many are the model's; the others are what drafts for it
  std::vector<double> layers, bytes_per_token, window, state;
  std::vector<double> reads;                   // tokens that attention reads at most: the window's, or those that an indexer picks; 0: all
  std::vector<double> token_flops;             // of a recurrent state
  std::vector<double> kept;                    // windows for which the engine keeps less; 0: it keeps every token
  std::vector<double> held, padding;           // tokens that it keeps per sequence; layers that it fills a group up to, as a factor
  std::vector<double> here, share, copies;     // in a layout: layers and share on the fullest device, copies on all
  std::vector<std::string> names;              // only with a trace
};

template <class T>
BytesPerToken layer_kv_bytes_per_token(const CacheShape& c, double k_bits, double v_bits, From from, std::string_view of,
                                       T& trace) {
  return trace.step(FormulaId::layer_kv_bytes_per_token, BytesPerToken{(c.k_elements * k_bits + c.v_elements * v_bits) / 8 + c.fixed_bytes},
                    {{"k_elements", c.k_elements, From::model}, {"v_elements", c.v_elements, From::model},
                     {"k_bits", k_bits, from}, {"v_bits", v_bits, from}, {"fixed_bytes", c.fixed_bytes, From::model}}, of);
}

// Engines that keep all of it in one width say so; else the state lies as the model's makers run it and the convolution in 16 bits.
template <class T>
Bytes layer_state_bytes(const CacheShape& c, double engine_bits, std::string_view of, T& trace) {
  if (c.state_elements + c.conv_elements <= 0) return {};
  const From from = engine_bits > 0 ? From::catalog : From::model;
  const double state_bits = engine_bits > 0 ? engine_bits : c.state_bits, conv_bits = engine_bits > 0 ? engine_bits : 16;
  return trace.step(FormulaId::layer_state_bytes, Bytes{(c.state_elements * state_bits + c.conv_elements * conv_bits) / 8},
                    {{"state_elements", c.state_elements, From::model}, {"conv_elements", c.conv_elements, From::model},
                     {"state_bits", state_bits, from}, {"conv_bits", conv_bits, from}}, of);
}

// Of one entry for each kind of layer, those of the model itself.
template <class V>
std::vector<V> own_part(const CacheTerms& t, const std::vector<V>& all) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(t.own)};
}

struct SequenceBytes {
  BytesPerToken growing;                       // per token once every window is full
  Bytes windows;                               // all windows full
  Bytes state;
};

// Of the whole model, per sequence.
template <class T>
SequenceBytes per_sequence(const CacheTerms& t, T& trace) {
  SequenceBytes out;
  for (std::size_t i = 0; i < t.own; ++i) {
    const auto bytes = t.layers[i] * t.bytes_per_token[i];
    if (t.window[i] == 0) out.growing += BytesPerToken{bytes};
    else out.windows += Bytes{bytes * t.window[i]};
    out.state += Bytes{t.layers[i] * t.state[i]};
  }
  if constexpr (T::on) {
    std::vector<double> g_layers, g_bytes, w_layers, w_bytes, w_window;
    std::vector<std::string> g_names, w_names;
    for (std::size_t i = 0; i < t.own; ++i) {
      if (t.window[i] == 0) {
        g_layers.push_back(t.layers[i]); g_bytes.push_back(t.bytes_per_token[i]); g_names.push_back(t.names[i]);
      } else {
        w_layers.push_back(t.layers[i]); w_bytes.push_back(t.bytes_per_token[i]); w_window.push_back(t.window[i]);
        w_names.push_back(t.names[i]);
      }
    }
    if (g_layers.empty()) { g_layers = {0}; g_bytes = {0}; g_names = {"-"}; }
    trace.step(FormulaId::kv_bytes_per_token, out.growing,
               {{"layers", g_layers, From::model}, {"bytes_per_token", g_bytes, From::model}});
    trace.name_rows(g_names);
    if (!w_layers.empty()) {
      trace.step(FormulaId::window_bytes_per_sequence, out.windows,
                 {{"layers", w_layers, From::model}, {"bytes_per_token", w_bytes, From::model},
                  {"window_tokens", w_window, From::model}});
      trace.name_rows(w_names);
    }
    if (out.state.value > 0) {
      trace.step(FormulaId::state_bytes_per_sequence, out.state,
                 {{"layers", own_part(t, t.layers), From::model}, {"state_bytes", own_part(t, t.state), From::model}});
      trace.name_rows(own_part(t, t.names));
    }
  }
  return out;
}

// min(context, window), with 0 meaning no window.
constexpr double reach(double window, double tokens) { return window > 0 && window < tokens ? window : tokens; }

// What one layer of a kind keeps of a sequence.
inline double layer_bytes(const CacheTerms& t, std::size_t kind) {
  return t.padding[kind] * (t.bytes_per_token[kind] * t.held[kind] + t.state[kind]);
}

// Windows as a formula takes them: min(window, tokens) must be the tokens where there is no window.
inline std::vector<double> shown_windows(std::vector<double> window, double tokens) {
  for (auto& w : window) if (w == 0) w = tokens;
  return window;
}

// One sequence on the fullest device.
template <class T>
Bytes device_sequence_bytes(const CacheTerms& t, T& trace) {
  Bytes bytes;
  for (std::size_t i = 0; i < t.layers.size(); ++i) bytes += Bytes{t.here[i] * t.share[i] * layer_bytes(t, i)};
  if constexpr (T::on) {
    trace.step(FormulaId::device_kv_bytes_per_sequence, bytes,
               {{"layers", t.here, From::model}, {"share", t.share, From::model}, {"padding", t.padding, From::catalog},
                {"bytes_per_token", t.bytes_per_token, From::model}, {"held_tokens", t.held, From::model}, {"state_bytes", t.state, From::model}});
    trace.name_rows(t.names);
  }
  return bytes;
}

// All sequences on all devices, of `layers` of each kind.
template <class T>
Bytes total_kv_cache(const CacheTerms& t, const std::vector<double>& layers, double concurrency, From concurrency_from, T& trace) {
  Bytes each;
  for (std::size_t i = 0; i < t.layers.size(); ++i) each += Bytes{layers[i] * t.copies[i] * layer_bytes(t, i)};
  const Bytes bytes = concurrency * each;
  if constexpr (T::on) {
    trace.step(FormulaId::total_kv_cache, bytes,
               {{"concurrency", concurrency, concurrency_from}, {"layers", layers, From::model}, {"copies", t.copies, From::model},
                {"padding", t.padding, From::catalog}, {"bytes_per_token", t.bytes_per_token, From::model},
                {"held_tokens", t.held, From::model}, {"state_bytes", t.state, From::model}});
    trace.name_rows(t.names);
  }
  return bytes;
}

// Per token on the fullest device, windows left out.
template <class T>
BytesPerToken device_kv_bytes_per_token(const CacheTerms& t, T& trace) {
  BytesPerToken bytes;
  for (std::size_t i = 0; i < t.layers.size(); ++i)
    if (t.kept[i] == 0) bytes += BytesPerToken{t.here[i] * t.share[i] * t.padding[i] * t.bytes_per_token[i]};
  if constexpr (T::on) {
    std::vector<double> layers, share, padding, per_token;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < t.layers.size(); ++i) {
      if (t.kept[i] != 0) continue;
      layers.push_back(t.here[i]); share.push_back(t.share[i]); padding.push_back(t.padding[i]); per_token.push_back(t.bytes_per_token[i]);
      names.push_back(t.names[i]);
    }
    if (layers.empty()) { layers = {0}; share = {0}; padding = {1}; per_token = {0}; names = {"-"}; }
    trace.step(FormulaId::device_kv_bytes_per_token, bytes,
               {{"layers", layers, From::model}, {"share", share, From::model}, {"padding", padding, From::catalog}, {"bytes_per_token", per_token, From::model}});
    trace.name_rows(names);
  }
  return bytes;
}

}  // namespace weighbridge::formulas
