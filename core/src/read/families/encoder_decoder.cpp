// Decoders that attend to more than their own sequence: T5 and Whisper to an encoder, Llama 3.2 Vision to images.
// Source: T5 (arXiv 1910.10683), Whisper (arXiv 2212.04356), the reference implementations in https://github.com/huggingface/transformers.
#include <algorithm>
#include <array>

#include "read/blocks.hpp"
#include "read/families/families.hpp"

namespace weighbridge {

namespace {

Attention plain_attention(std::int64_t heads, std::int64_t dim) {
  Attention a;
  a.heads = a.kv_heads = heads;
  a.head_dim = a.value_dim = dim;
  return a;
}

// The encoder's parts: matrices of all layers and, in one row, their norms and biases.
Tower encoder(std::int64_t layers, std::int64_t width, std::int64_t attention, std::int64_t ffn, bool gated, std::int64_t small) {
  Tower t;
  t.name = "encoder";
  t.encoder = true;
  t.parts = {{"layers.{}.qkv_proj.weight", 3 * attention, width, layers, true},
             {"layers.{}.o_proj.weight", width, attention, layers, true},
             {gated ? "layers.{}.gate_up_proj.weight" : "layers.{}.up_proj.weight", (gated ? 2 : 1) * ffn, width, layers, true},
             {"layers.{}.down_proj.weight", width, ffn, layers, true},
             {"layers.{}.norms_and_biases", 1, small, layers, false}};
  return t;
}

// The prompt goes through the encoder, and each of the decoder's layers keeps one key and value for each of its tokens; each
// token of the answer adds one to the decoder's own. Both are equally wide, so that one cache holds prompt and answer.
void read_t5(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto layers = r.count({"num_layers"}, "the number of layers", kMostLayers);
  const auto decoders = r.count_or({"num_decoder_layers"}, layers, kMostLayers);
  const auto heads = r.count({"num_heads"}, "the number of attention heads", kMostHeads);
  const auto dim = r.count_or({"d_kv"}, std::max<std::int64_t>(1, spec.hidden / heads), kMostHeadDim);
  LayerKind kind;
  kind.mixer.attention = plain_attention(heads, dim);
  kind.cross = kind.mixer.attention;
  kind.crosses = true;
  kind.norms = 3;
  auto& f = kind.feed_forward;
  f.width = r.count({"d_ff"}, "the width of the feed-forward");
  f.gated = r.text("feed_forward_proj", "relu").rfind("gated", 0) == 0;
  all_layers(spec, kind, decoders);
  auto t = encoder(layers, spec.hidden, heads * dim, f.width, f.gated, 2 * spec.hidden);
  t.parts.push_back({"norm.weight", 1, spec.hidden, 1, false});
  t.parts.push_back({"relative_positions.weight", r.count_or({"relative_attention_num_buckets"}, 32, 65536), heads, 2, false});
  spec.towers.push_back(std::move(t));
}

// Thirty seconds of sound are 1,500 states of the encoder, whatever they hold; keys have no bias.
void read_whisper(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, true);
  const auto d = spec.hidden;
  const auto source = r.count_or({"max_source_positions"}, 1500);
  spec.positions = spec.context = r.count_or({"max_target_positions"}, 448);
  const auto heads = r.count({"decoder_attention_heads"}, "the number of attention heads", kMostHeads);
  if (!r.failed() && d % heads != 0) r.contradiction("d_model", "decoder_attention_heads", "the one does not divide the other");
  LayerKind kind;
  auto& a = kind.mixer.attention = plain_attention(heads, std::max<std::int64_t>(1, d / heads));
  a.q_bias = a.v_bias = a.o_bias = true;
  kind.cross = a;
  kind.crosses = true;
  kind.source_tokens = source;
  kind.norms = 3;
  kind.norm_bias = true;
  auto& f = kind.feed_forward;
  f.width = r.count({"decoder_ffn_dim"}, "the width of the feed-forward", kMostHidden);
  f.gated = false;
  f.bias = true;
  spec.final_norm_bias = true;
  all_layers(spec, kind, r.count({"decoder_layers"}, "the number of layers", kMostLayers));
  const auto ffn = r.count_or({"encoder_ffn_dim"}, f.width, kMostHidden);
  auto t = encoder(r.count({"encoder_layers"}, "the number of the encoder's layers", kMostLayers), d, d, ffn, false, 4 * d + 3 * d + ffn + d);
  t.parts.push_back({"conv1.weight", d, 3 * r.count_or({"num_mel_bins"}, 80, 1024), 1, false});
  t.parts.push_back({"conv2.weight", d, 3 * d, 1, false});
  t.parts.push_back({"positions.weight", source, d, 1, false});
  t.parts.push_back({"norms_and_biases", 1, 4 * d, 1, false});
  spec.towers.push_back(std::move(t));
}

// Layers named in cross_attention_layers attend to the image in place of the text, behind two gates.
void read_mllama(ConfigReader& r, ModelSpec& spec) {
  read_sizes(r, spec, false, 128256);
  const auto layers = read_layers(r);
  const auto own = read_layer(r, spec, {});
  auto cross = own;
  cross.mixer = Mixer{};
  cross.mixer.kind = MixerKind::none;
  cross.crosses = true;
  cross.cross = own.mixer.attention;
  cross.cross.qk_norm = QkNorm::per_head;
  cross.scalars = 2;
  std::int64_t image = 560, patch = 14, tiles = 4;
  if (const auto* vision = entry(r.top(), "vision_config"); vision && vision->is_object()) {
    const auto get = [&](std::string_view key, std::int64_t most, std::int64_t& out) {
      if (const auto* value = entry(*vision, key)) whole_number(*value, 1, most, out);
    };
    get("image_size", 65536, image);
    get("patch_size", 1024, patch);
    get("max_num_tiles", 64, tiles);
  }
  cross.source_tokens = tiles * ((image / patch) * (image / patch) + 1);
  const auto crossed = r.numbers("cross_attention_layers", layers - 1);
  for (std::int64_t i = 0; i < layers; ++i)
    add_layer(spec, std::find(crossed.begin(), crossed.end(), i) != crossed.end() ? cross : own);
}

constexpr std::array kFamilies{
    Family{"t5", read_t5}, Family{"mt5", read_t5}, Family{"whisper", read_whisper},
    Family{"mllama", read_mllama}, Family{"mllama_text_model", read_mllama},
};

}  // namespace

ReadFamily find_encoder_decoder(std::string_view model_type) { return find_in(kFamilies, model_type); }

}  // namespace weighbridge
