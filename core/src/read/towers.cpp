// Source: the reference implementations in https://github.com/huggingface/transformers, each checked against a published total.
#include "read/towers.hpp"

#include <algorithm>
#include <array>

#include "read/speech.hpp"

namespace weighbridge {

namespace {

// The sizes of an encoder under all their names; `otherwise` are the values of a family's own defaults.
struct Sizes {
  std::int64_t width = 0, ffn = 0, layers = 0, patch = 0, image = 0, heads = 0;
  std::int64_t patches() const { return (image / patch) * (image / patch); }
};
std::int64_t first_or(ConfigReader& r, ConfigReader::Keys keys, std::int64_t otherwise, std::int64_t most) {
  for (const auto key : keys) {
    const auto* value = r.find({key});
    if (value && value->is_array() && !value->empty()) {               // [height, width]
      std::int64_t out = otherwise;
      if (whole_number(value->front(), 1, most, out)) return out;
    }
  }
  return r.count_or(keys, otherwise, most);
}
Sizes read_sizes(ConfigReader& v, const Sizes& otherwise) {
  Sizes s;
  s.width = v.count_or({"hidden_size", "embed_dim", "vt_hidden_size", "width"}, otherwise.width, kMostHidden);
  s.ffn = v.count_or({"intermediate_size", "vt_intermediate_size"}, otherwise.ffn, kMostHidden);
  s.layers = v.count_or({"num_hidden_layers", "depth", "vt_num_hidden_layers"}, otherwise.layers, kMostLayers);
  s.patch = first_or(v, {"patch_size", "spatial_patch_size"}, otherwise.patch, kMostPatch);
  s.image = first_or(v, {"image_size"}, otherwise.image, kMostPixels);
  s.heads = v.count_or({"num_attention_heads", "num_heads", "vt_num_attention_heads"}, otherwise.heads, kMostHeads);
  return s;
}
std::int64_t colours(ConfigReader& v) { return v.count_or({"num_channels", "in_channels", "in_chans"}, 3, 64); }

// ------------------------------------------------------------------------------------------------ encoders that many share

// CLIP (arXiv 2103.00020): a class token, a norm before the layers and one after.
Sizes clip(ConfigReader& v, TowerBuilder& t) {
  const auto s = read_sizes(v, {1024, 4096, 24, 14, 336, 16});
  t.table("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", s.patches() + 1, s.width);
  t.vectors(5 * s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn});
  t.image(s.heads, colours(v) * s.patch * s.patch, s.patches());
  return s;
}

// SigLIP (arXiv 2303.15343): no class token, a norm after the layers.
Sizes siglip(ConfigReader& v, TowerBuilder& t, std::int64_t image = 224) {
  const auto s = read_sizes(v, {1152, 4304, 27, 14, image, 16});
  t.table("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", s.patches(), s.width);
  t.vectors(3 * s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn});
  t.image(s.heads, colours(v) * s.patch * s.patch, s.patches());
  return s;
}

// Pixtral (arXiv 2410.07073): rotary positions, RMS norms, gated feed-forward, no biases.
Sizes pixtral(ConfigReader& v, TowerBuilder& t) {
  const auto s = read_sizes(v, {1024, 4096, 24, 16, 1024, 16});
  const auto head = v.count_or({"head_dim"}, std::max<std::int64_t>(1, s.width / s.heads), kMostHeadDim);
  t.table("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.vectors(s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn, .attention = s.heads * head, .gated = true,
            .qkv_bias = false, .out_bias = false, .mlp_bias = false, .norm_bias = false});
  t.image(s.heads, colours(v) * s.patch * s.patch, s.patches());
  return s;
}

Sizes encoder(ConfigReader& v, TowerBuilder& t) {
  const auto type = v.text("model_type");
  if (type.find("siglip") != std::string::npos) return siglip(v, t);
  if (type == "pixtral") return pixtral(v, t);
  if (type.empty() || type.find("clip") != std::string::npos) return clip(v, t);
  v.ignored("model_type", "this encoder is not known and not counted");
  return {};
}

// --------------------------------------------------------------------------------------------------------------- families

// Four neighbouring patches (merge x merge) become one input of the language model.
void merger(TowerBuilder& t, std::int64_t norm, std::int64_t in, std::int64_t out, std::int64_t count = 1) {
  t.matrix("merger.0.weight", in, in, count);
  t.matrix("merger.2.weight", out, in, count);
  t.vectors(count * (norm + in + out));
}
std::int64_t merged(ConfigReader& v, std::int64_t width) {
  const auto merge = v.count_or({"spatial_merge_size"}, 2, kMostMerge);
  return width * merge * merge;
}
std::int64_t patch_elements(ConfigReader& v, const Sizes& s) {
  return colours(v) * v.count_or({"temporal_patch_size"}, 2, 64) * s.patch * s.patch;
}
// Qwen's processors take images of up to 16,384 inputs (max_pixels 12,845,056 of 28 x 28, or 16,777,216 of 32 x 32).
void qwen_image(ConfigReader& v, const Sizes& s, TowerBuilder& t) {
  const auto merge = v.count_or({"spatial_merge_size"}, 2, kMostMerge);
  t.image(s.heads, patch_elements(v, s), 16384 * merge * merge, 1, merge * merge);
}

void qwen2_vl(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  auto s = read_sizes(v, {1280, 0, 32, 14, 0, 16});
  s.width = v.count_or({"embed_dim"}, 1280, kMostHidden);              // hidden_size is the language model's
  const auto* ratio = v.find({"mlp_ratio"});
  std::int64_t times = 4;
  if (ratio && !whole_number(*ratio, 1, 64, times)) v.bad("mlp_ratio", *ratio, "a whole number from 1 to 64");
  const auto out = v.count_or({"hidden_size"}, spec.hidden, kMostHidden);
  t.table("patch_embed.weight", s.width, patch_elements(v, s));
  t.layers({.layers = s.layers, .width = s.width, .ffn = times * s.width});
  qwen_image(v, s, t);
  merger(t, 2 * s.width, merged(v, s.width), out);
}

void qwen2_5_vl(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1280, 3420, 32, 14, 0, 16});
  t.table("patch_embed.weight", s.width, patch_elements(v, s));
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn, .gated = true, .norm_bias = false});
  qwen_image(v, s, t);
  merger(t, s.width, merged(v, s.width), v.count_or({"out_hidden_size"}, spec.hidden, kMostHidden));
}

// Qwen3-VL and 3.5: learned positions; layers named in deepstack_visual_indexes have a merger of their own.
void qwen3_vl(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1152, 4304, 27, 16, 0, 16});
  const auto out = v.count_or({"out_hidden_size"}, spec.hidden, kMostHidden);
  t.table("patch_embed.weight", s.width, patch_elements(v, s));
  t.vectors(s.width);
  t.table("positions.weight", v.count_or({"num_position_embeddings"}, 2304), s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn});
  qwen_image(v, s, t);
  const auto in = merged(v, s.width);
  merger(t, 2 * s.width, in, out);
  const auto deep = static_cast<std::int64_t>(v.numbers("deepstack_visual_indexes", kMostLayers).size());
  if (deep > 0) merger(t, 2 * in, in, out, deep);
}

void gemma3(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = siglip(v, t);
  t.tiles(1, std::max<std::int64_t>(1, s.patches() / 256));            // mm_tokens_per_image
  t.matrix("projector.weight", spec.hidden, s.width);
  t.vectors(s.width);
}

// Gemma 4: factored positions, RMS norms around both halves and on the heads; the language model's inputs by one matrix.
void gemma4(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1152, 4304, 27, 16, 0, 16});
  const auto head = v.count_or({"head_dim"}, std::max<std::int64_t>(1, s.width / s.heads), kMostHeadDim);
  t.matrix("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", 2 * v.count_or({"position_embedding_size"}, 10240), s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn, .attention = s.heads * head, .gated = true,
            .qkv_bias = false, .out_bias = false, .mlp_bias = false, .norms = 4, .norm_bias = false, .more = 2 * head});
  const auto pool = v.count_or({"pooling_kernel_size"}, 3, 64);
  t.image(s.heads, colours(v) * s.patch * s.patch, 280 * pool * pool, 1, pool * pool);       // max_soft_tokens of its processor
  if (v.flag({"standardize"}, false)) t.vectors(2 * s.width);
  t.matrix("projector.weight", spec.hidden, s.width);
}

// Conformer layers (arXiv 2005.08100) after two convolutions, as Gemma 3n and 4 have them: two feed-forwards, attention with
// relative positions, a light convolution.
void conformer(ConfigReader& v, std::int64_t d, std::int64_t layers, std::int64_t heads, std::int64_t kernel, TowerBuilder& t) {
  const auto channels = v.numbers("subsampling_conv_channels", kMostPixels), others = v.numbers("sscp_conv_channel_size", kMostPixels);
  const auto& c = channels.size() == 2 ? channels : others;
  const std::int64_t first = c.size() == 2 ? c[0] : 128, second = c.size() == 2 ? c[1] : 32;
  t.table("subsample.0.weight", first, 9);
  t.table("subsample.1.weight", second, 9 * first);
  t.vectors(first + second);
  t.matrix("input.weight", d, first / 4 * second);
  t.matrix("layers.{}.feed_forward.up_proj.weight", 4 * d, d, 2 * layers);
  t.matrix("layers.{}.feed_forward.down_proj.weight", d, 4 * d, 2 * layers);
  t.matrix("layers.{}.attention.weight", 5 * d, d, layers);
  t.matrix("layers.{}.convolution.weight", 3 * d, d, layers);
  t.table("layers.{}.norms_and_scales", 1, (9 + kernel) * d + d / heads, layers);
}

void gemma4_audio(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto d = v.count_or({"hidden_size"}, 1024, kMostHidden), out = v.count_or({"output_proj_dims"}, 1536, kMostHidden);
  conformer(v, d, v.count_or({"num_hidden_layers"}, 12, kMostLayers), v.count_or({"num_attention_heads"}, 8, kMostHeads), v.count_or({"conv_kernel_size"}, 5, 64), t);
  t.linear("output", out, d, true);
  t.matrix("projector.weight", spec.hidden, out);
}

// Gemma 4 12B has no encoder: large patches of pixels, and pieces of sound, go straight into the language model.
void gemma4_unified(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto side = v.count_or({"patch_size"}, 16, kMostPatch) * v.count_or({"pooling_kernel_size"}, 3, 64);
  const auto width = v.count_or({"mm_embed_dim"}, spec.hidden, kMostHidden);
  t.vectors(2 * 3 * side * side + 4 * width);
  t.linear("patch_embed", width, 3 * side * side, true);
  t.table("positions.weight", 2 * v.count_or({"mm_posemb_size"}, 1120), width);
  t.matrix("projector.weight", spec.hidden, width);
}
void gemma4_unified_audio(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  t.matrix("projector.weight", spec.hidden, v.count_or({"audio_embed_dim", "hidden_size"}, 640, kMostHidden));
}

// Gemma 3n's encoders end in an embedder: a small table of marks, two norms, one matrix.
void embedder(std::int64_t width, std::int64_t hidden, TowerBuilder& t) {
  t.table("marks.weight", 128, width);
  t.vectors(2 * width);
  t.matrix("projector.weight", hidden, width);
}
void gemma3n_audio(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto d = v.count_or({"hidden_size"}, 1536, kMostHidden);
  conformer(v, d, v.count_or({"conf_num_hidden_layers"}, 12, kMostLayers), v.count_or({"conf_num_attention_heads"}, 8, kMostHeads), v.count_or({"conf_conv_kernel_size"}, 5, 64), t);
  embedder(d, spec.hidden, t);
}
// MobileNet-V5 has its shape in code; its total is the published one of mobilenetv5_300m in https://github.com/huggingface/pytorch-image-models.
void gemma3n_vision(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  t.table("mobilenet_v5", 1, 294126912);
  embedder(v.count_or({"hidden_size"}, 2048, kMostHidden), spec.hidden, t);
}

void llama4(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1408, 5632, 34, 14, 336, 16});
  t.matrix("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", s.patches() + 1, s.width);
  t.vectors(5 * s.width);                                              // class token, norms before and after
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn});
  t.image(s.heads, colours(v) * s.patch * s.patch, s.patches() + 1, 17, 4);              // max_patches 16, and the whole
  const auto in = v.count_or({"projector_input_dim"}, 4096, kMostHidden), out = v.count_or({"projector_output_dim"}, 4096, kMostHidden);
  t.matrix("adapter.fc1.weight", in, s.ffn);
  t.matrix("adapter.fc2.weight", out, in);
  t.matrix("projector.weight", spec.hidden, v.count_or({"vision_output_dim"}, out, kMostHidden));
}

// Llama 3.2 Vision: tiles with positions of their own, gated layers over the whole image, features of several layers side by side.
void mllama(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1280, 5120, 32, 14, 448, 16});
  const auto global = v.count_or({"num_global_layers"}, 8, kMostLayers);
  const auto tiles = v.count_or({"max_num_tiles"}, 4, 64);
  std::int64_t shapes = 8;
  if (const auto* list = v.find({"supported_aspect_ratios"}); list && list->is_array() && !list->empty() && list->size() < 1000) shapes = static_cast<std::int64_t>(list->size());
  const auto features = static_cast<std::int64_t>(v.numbers("intermediate_layers_indices", kMostLayers).size());
  t.table("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", s.patches() + 1, s.width);
  t.table("tile_positions.weight", shapes + 1, tiles * (s.patches() + 1) * s.width);
  t.table("tiles_before_and_after.weight", shapes + 1, tiles * s.width, 2);
  t.vectors(5 * s.width + 3);                                          // class token, two norms, three gates
  Layers l{.layers = s.layers, .width = s.width, .ffn = s.ffn, .qkv_bias = false, .out_bias = false};
  t.layers(l);
  t.image(s.heads, colours(v) * s.patch * s.patch, s.patches() + 1, tiles);
  l.layers = global;
  l.more = 2;
  t.layers(l, "global_layers.{}.");
  t.table("more_embeddings.weight", 8, spec.hidden);                   // of marks for images; the head has none
  t.linear("projector", spec.hidden, v.count_or({"vision_output_dim"}, (features > 0 ? features + 1 : 6) * s.width, kMostHidden), true);
}

void mistral3(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = encoder(v, t);
  const auto merge = whole.count_or({"spatial_merge_size"}, 2, kMostMerge);
  const bool bias = whole.flag({"multimodal_projector_bias"}, false);
  t.tiles(1, merge * merge);
  t.vectors(s.width);
  t.matrix("patch_merger.weight", s.width, s.width * merge * merge);
  t.linear("projector.1", spec.hidden, s.width, bias);
  t.linear("projector.2", spec.hidden, spec.hidden, bias);
}

void llava(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = encoder(v, t);
  const bool bias = whole.flag({"multimodal_projector_bias"}, true);
  t.linear("projector.1", spec.hidden, s.width, bias);
  t.linear("projector.2", spec.hidden, spec.hidden, bias);
}
// LLaVA-NeXT adds one vector that ends a line of patches.
void llava_next(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  llava(whole, v, spec, t);
  t.tiles(whole.text("model_type") == "llava_onevision" ? 10 : 5, 1);  // image_grid_pinpoints, and the whole
  t.vectors(spec.hidden);
}

void paligemma(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = siglip(v, t);
  t.linear("projector", v.count_or({"projection_dim"}, spec.hidden, kMostHidden), s.width, true);
}

void idefics3(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = siglip(v, t);
  const auto scale = whole.count_or({"scale_factor"}, 2, kMostMerge);
  t.tiles(17, scale * scale);                                          // four by four, and the whole
  t.matrix("projector.weight", spec.hidden, s.width * scale * scale);
}

// InternVL (arXiv 2404.16821): InternViT with a scale on each half of a layer, then two matrices on four patches side by side.
void internvl(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1024, 4096, 24, 14, 448, 16});
  const bool rms = v.text("norm_type", "layer_norm") == "rms_norm";
  const bool bias = v.flag({"qkv_bias", "attention_bias"}, true), norm = v.flag({"qk_normalization", "use_qk_norm"}, false);
  t.table("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", s.patches() + 1, s.width);
  t.vectors(2 * s.width);                                              // class token, bias of the patches
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn, .qkv_bias = bias, .norm_bias = !rms, .more = (norm ? 4 : 2) * s.width});
  t.vectors(8 * s.width);
  t.image(s.heads, colours(v) * s.patch * s.patch, s.patches() + 1, 13, 4);              // max_dynamic_patch 12, and the whole
  t.linear("projector.1", spec.hidden, 4 * s.width, true);
  t.linear("projector.2", spec.hidden, spec.hidden, true);
}

// MoonViT (Kimi-VL, arXiv 2504.07491; K2.5).
void kimi(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1152, 4304, 27, 14, 0, 16});
  const auto rows = v.count_or({"init_pos_emb_height"}, 64, kMostPatch), columns = v.count_or({"init_pos_emb_width"}, 64, kMostPatch);
  std::int64_t merge = 4;
  if (const auto kernel = v.numbers("merge_kernel_size", kMostMerge); kernel.size() == 2) merge = kernel[0] * kernel[1];
  t.table("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", rows * columns, s.width);
  t.vectors(3 * s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn});
  t.image(s.heads, colours(v) * s.patch * s.patch, whole.text("model_type") == "kimi_k25" ? 16384 : 4096, 1, merge);       // in_patch_limit
  t.vectors(2 * s.width);
  t.linear("projector.1", merge * s.width, merge * s.width, true);
  t.linear("projector.2", spec.hidden, merge * s.width, true);
}

// MoonViT as Kimi K3 has it: heads together wider than the layer, RMS norms, hardly a bias, a norm after the projector.
void kimi_k3(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1024, 4096, 27, 14, 0, 12});
  const bool rms = v.text("norm_type", "rmsnorm") == "rmsnorm", attention = v.flag({"attn_bias"}, false), linear = v.flag({"linear_bias"}, false);
  const auto out = v.count_or({"text_hidden_size"}, spec.hidden, kMostHidden);
  auto in = v.count_or({"mm_hidden_size"}, s.width, kMostHidden) * 4;
  if (const auto kernel = v.numbers("merge_kernel_size", kMostMerge); kernel.size() == 2) in = in / 4 * kernel[0] * kernel[1];
  t.table("patch_embed.weight", s.width, colours(v) * s.patch * s.patch);
  t.table("positions.weight", v.count_or({"init_pos_emb_height"}, 64, kMostPatch) * v.count_or({"init_pos_emb_width"}, 64, kMostPatch), s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn, .attention = v.count_or({"qkv_hidden_size"}, s.width, kMostHidden), .qkv_bias = attention,
            .out_bias = attention, .mlp_bias = linear, .norm_bias = !rms});
  t.vectors((v.flag({"patch_embed_proj_bias"}, false) ? s.width : 0) + (rms ? 1 : 2) * s.width + out);
  t.matrix("projector.1.weight", in, in);
  t.matrix("projector.2.weight", out, in);
}

// MiniMax-M3: CLIP's layers with rotary positions and patches of two frames; each patch is projected, then four of them are merged.
void minimax_m3(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1280, 5120, 32, 14, 0, 16});
  auto compression = v.inside("img_token_compression_config");
  const auto merge = compression.count_or({"spatial_merge_size"}, v.count_or({"spatial_merge_size"}, 2, kMostMerge), kMostMerge);
  const auto frames = compression.count_or({"temporal_patch_size"}, v.count_or({"temporal_patch_size"}, 2, 64), 64);
  const auto between = whole.count_or({"projector_hidden_size"}, spec.hidden, kMostHidden);
  t.table("patch_embed.weight", s.width, colours(v) * frames * s.patch * s.patch);
  t.vectors(2 * s.width);
  t.layers({.layers = s.layers, .width = s.width, .ffn = s.ffn});
  t.linear("projector.1", between, s.width, true);
  t.linear("projector.2", spec.hidden, between, true);
  t.linear("merger.1", between, merge * merge * spec.hidden, true);
  t.linear("merger.2", spec.hidden, between, true);
}

// GLM-4.1V to 4.6V: the feed-forward is as wide as the language model, the merger has the width of the config.
void glm4v(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = read_sizes(v, {1536, 13696, 24, 14, 336, 12});
  const auto out = v.count_or({"out_hidden_size"}, spec.hidden, kMostHidden);
  const auto merge = v.count_or({"spatial_merge_size"}, 2, kMostMerge);
  const bool bias = v.flag({"attention_bias"}, false);
  t.table("patch_embed.weight", s.width, patch_elements(v, s));
  t.table("positions.weight", s.patches(), s.width);
  t.vectors(3 * s.width);                                              // bias of the patches, norms before and after
  t.layers({.layers = s.layers, .width = s.width, .ffn = out, .gated = true, .qkv_bias = bias, .out_bias = false, .mlp_bias = false, .norm_bias = false});
  t.table("downsample.weight", out, s.width * merge * merge);
  t.matrix("merger.proj.weight", out, out);
  t.matrix("merger.gate_up_proj.weight", 2 * s.ffn, out);
  t.matrix("merger.down_proj.weight", out, s.ffn);
  t.vectors(3 * out);
}

// Molmo (arXiv 2409.17146) has its tower in code: 23 layers of CLIP ViT-L/14 at 336, features of two of them side by side.
void molmo(ConfigReader&, ConfigReader&, const ModelSpec& spec, TowerBuilder& t) {
  constexpr std::int64_t kWidth = 1024;
  t.table("patch_embed.weight", kWidth, 3 * 14 * 14);
  t.table("positions.weight", 24 * 24 + 1, kWidth);
  t.vectors(3 * kWidth + 4 * kWidth);                                  // class token, norm before, padding
  t.layers({.layers = 23, .width = kWidth, .ffn = 4 * kWidth});
  t.matrix("pooling.qkv_proj.weight", 3 * kWidth, 2 * kWidth);
  t.matrix("pooling.o_proj.weight", kWidth, kWidth);
  t.vectors(4 * kWidth);
  const auto ffn = spec.kinds.empty() ? 0 : spec.kinds[0].feed_forward.width;
  t.matrix("projector.gate_up_proj.weight", 2 * ffn, kWidth);
  t.matrix("projector.down_proj.weight", spec.hidden, ffn);
  t.table("more_embeddings.weight", 128, spec.hidden);
}

// Phi-3 and 3.5 Vision: CLIP ViT-L/14 at 336, four patches side by side, separators of lines and images.
void phi3_v(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = clip(v, t);
  t.tiles(17, 4);                                                      // num_crops 16, and the whole
  t.linear("projector.1", spec.hidden, 4 * s.width, true);
  t.linear("projector.2", spec.hidden, spec.hidden, true);
  t.vectors(2 * 4 * s.width);
}

// MiniCPM-V and -o (arXiv 2408.01800): SigLIP, and queries that gather its features by one layer of attention.
void minicpmv(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = siglip(v, t);
  const auto h = spec.hidden;
  t.table("resampler.query", whole.count_or({"query_num"}, 64, kMostPatch), h);
  t.matrix("resampler.kv_proj.weight", h, s.width);
  t.matrix("resampler.qkvo_proj.weight", 4 * h, h);
  t.table("resampler.proj", h, h);
  t.vectors(10 * h);
}

// Phi-4-multimodal (arXiv 2503.01743): SigLIP with its pooling head, a conformer for sound, and in each layer of the language
// model low-rank adapters for images and for sound. The config gives the sizes of the conformer and the ranks.
void phi4mm(ConfigReader& whole, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto s = siglip(v, t, 448);
  const auto w = s.width, h = spec.hidden;
  t.matrix("head.attention.weight", 4 * w, w);
  t.matrix("head.up_proj.weight", s.ffn, w);
  t.matrix("head.down_proj.weight", w, s.ffn);
  t.vectors(8 * w + s.ffn + 2 * w);
  t.linear("projector.1", h, w, true);
  t.linear("projector.2", h, h, true);

  auto processor = whole.inside("audio_processor");
  auto a = processor.inside("config");
  auto nemo = a.inside("nemo_conv_settings"), bias = a.inside("relative_attention_bias_args");
  const auto d = a.count_or({"attention_dim"}, 1024, kMostHidden), f = a.count_or({"linear_units"}, 1536, kMostHidden), n = a.count_or({"num_blocks"}, 24, kMostLayers);
  const auto c = nemo.count_or({"conv_channels"}, 1024, kMostHidden), bins = a.count_or({"input_size"}, 80, kMostPatch), kernel = a.count_or({"kernel_size"}, 3, 64);
  auto height = bins;
  t.table("audio.conv.0.weight", c, 9);
  t.vectors(c + 2 * bins + d);
  for (auto left = a.count_or({"time_reduction"}, 8, 64); left > 1; left /= 2) {
    height = (height + 1) / 2;
    if (left < 4) continue;
    t.table("audio.conv.depthwise.weight", c, 9);
    t.table("audio.conv.pointwise.weight", c, c);
    t.vectors(2 * c);
  }
  t.matrix("audio.out.weight", d, c * height);
  t.table("audio.relative_positions", 2 * bias.count_or({"t5_bias_max_distance"}, 500, kMostPixels), a.count_or({"attention_heads"}, 16, kMostHeads));
  t.matrix("audio.layers.{}.feed_forward.gate_up_proj.weight", 2 * f, d, 2 * n);
  t.matrix("audio.layers.{}.feed_forward.down_proj.weight", d, f, 2 * n);
  t.matrix("audio.layers.{}.attention.weight", 4 * d, d, n);
  t.table("audio.layers.{}.convolution.weight", 4 * d, d, n);
  t.table("audio.layers.{}.norms_and_biases", 1, 2 * (3 * d + 2 * f) + (4 + 2 + 8 + kernel + 3) * d, n);
  t.matrix("audio.projector.1.weight", h, d, 2);
  t.matrix("audio.projector.2.weight", h, h, 2);
  t.vectors(4 * h);

  for (const auto key : {"vision_lora", "speech_lora"}) {
    auto lora = whole.inside(key);
    const auto rank = lora.zero_or_more({"r"}, 0, kMostHidden);
    const auto layers = spec.layers();
    if (layers == 0) return;
    const auto& k = spec.kinds[spec.layer_kind[0]];
    const auto q = k.mixer.attention.heads * k.mixer.attention.head_dim, kv = 2 * k.mixer.attention.kv_heads * k.mixer.attention.head_dim;
    const auto name = std::string(key) + ".layers.{}.";
    t.table(name + "down", rank, 3 * h + q + k.feed_forward.width - h, layers);
    t.table(name + "up", q + kv + 2 * h + 2 * k.feed_forward.width, rank, layers);
  }
}

// DeepSeek-OCR (arXiv 2510.18234): SAM ViT-B, whose features are compressed and go through CLIP ViT-L/14.
void deepseek_ocr(ConfigReader&, ConfigReader&, const ModelSpec& spec, TowerBuilder& t) {
  constexpr std::int64_t kSam = 768, kNeck = 256, kClip = 1024;
  t.table("sam.patch_embed.weight", kSam, 3 * 16 * 16);
  t.table("sam.positions.weight", 64 * 64, kSam);
  t.layers({.layers = 12, .width = kSam, .ffn = 4 * kSam}, "sam.layers.{}.");
  t.table("sam.relative_positions", 2 * (8 * 27 + 4 * 127), 64);       // in windows of 14 on eight layers, global on four
  t.table("sam.neck.0.weight", kNeck, kSam);
  t.table("sam.neck.2.weight", kNeck, 9 * kNeck);
  t.table("sam.downsample.0.weight", 2 * kNeck, 9 * kNeck);
  t.table("sam.downsample.1.weight", kClip, 9 * 2 * kNeck);
  t.vectors(kSam + 4 * kNeck);
  t.table("patch_embed.weight", kClip, 3 * 14 * 14);
  t.table("positions.weight", 16 * 16 + 1, kClip);
  t.vectors(3 * kClip);
  t.layers({.layers = 24, .width = kClip, .ffn = 4 * kClip});
  t.linear("projector", spec.hidden, 2 * kClip, true);
  t.vectors(2 * spec.hidden);
}

struct Row {
  std::string_view model_type;
  ReadTower read;
};
constexpr std::array kVision{
    Row{"qwen2_vl", qwen2_vl},       Row{"qwen2_5_vl", qwen2_5_vl},   Row{"qwen2_5_omni", qwen2_5_vl}, Row{"qwen2_5_omni_thinker", qwen2_5_vl},
    Row{"qwen3_vl", qwen3_vl},       Row{"qwen3_vl_moe", qwen3_vl},   Row{"qwen3_5", qwen3_vl},        Row{"qwen3_5_moe", qwen3_vl},
    Row{"qwen3_8", qwen3_vl},        Row{"qwen3_8_moe", qwen3_vl},
    Row{"qwen3_omni_moe", qwen3_vl}, Row{"qwen3_omni_moe_thinker", qwen3_vl},
    Row{"gemma3", gemma3},           Row{"gemma4", gemma4}, Row{"gemma3n", gemma3n_vision}, Row{"gemma4_unified", gemma4_unified},          Row{"llama4", llama4},           Row{"mllama", mllama},
    Row{"mistral3", mistral3},       Row{"ministral3", mistral3},     Row{"llava", llava},             Row{"llava_next", llava_next},   Row{"llava_onevision", llava_next},
    Row{"paligemma", paligemma},     Row{"idefics3", idefics3},       Row{"smolvlm", idefics3},        Row{"internvl_chat", internvl},
    Row{"internvl", internvl},       Row{"kimi_vl", kimi},            Row{"kimi_k25", kimi}, Row{"kimi_k3", kimi_k3}, Row{"minimax_m3_vl", minimax_m3},           Row{"glm4v", glm4v},
    Row{"glm4v_moe", glm4v},         Row{"glm46v", glm4v},            Row{"DeepseekOCR", deepseek_ocr}, Row{"minicpmv", minicpmv}, Row{"minicpmo", minicpmv},
};
constexpr std::array kAudio{Row{"gemma4", gemma4_audio}, Row{"gemma3n", gemma3n_audio}, Row{"gemma4_unified", gemma4_unified_audio}};
constexpr std::array kInCode{Row{"molmo", molmo}, Row{"phi3_v", phi3_v}, Row{"phi4mm", phi4mm}};

template <class Table>
ReadTower find(const Table& table, std::string_view type) {
  for (const auto& row : table)
    if (row.model_type == type) return row.read;
  return nullptr;
}

void add_tower(ConfigReader& whole, ConfigReader& v, ReadTower read, const char* name, ModelSpec& spec) {
  TowerBuilder t(name);
  read(whole, v, spec, t);
  spec.towers.push_back(t.take());
}

constexpr std::string_view kElsewhere[] = {"audio_config", "vit_config", "visual", "img_processor", "siglip_config", "mm_vision_tower",
                                           "vision_tower", "audio_encoder_config", "vision_backbone", "projector_config", "speech_config", "tts_config"};

}  // namespace

void read_towers(ConfigReader& whole, ModelSpec& spec) {
  auto type = whole.text("model_type");
  if (type.empty()) type = spec.architecture;
  const auto* vision = whole.find({"vision_config"});
  // MRotaryEmbedding of vLLM and SGLang: four times as many, since long videos pass the context.
  for (const std::string_view mrope : {"qwen2_vl", "qwen2_5_vl", "qwen2_5_omni", "qwen3_vl"})
    if (type.compare(0, mrope.size(), mrope) == 0) spec.position_stretch = 4;
  if (const auto read = find(kInCode, type)) {
    auto v = whole.inside("vision_config");
    return add_tower(whole, v, read, "vision", spec);
  }
  bool counted = false;
  if (vision && vision->is_object()) {
    auto v = whole.inside("vision_config");
    if (const auto read = find(kVision, type)) {
      add_tower(whole, v, read, "vision", spec);
      counted = true;
    } else {
      whole.ignored("vision_config", "this tower is not known, and only the language model is counted");
    }
  }
  if (const auto* audio = whole.find({"audio_config"}); audio && audio->is_object()) {
    auto read = find_audio(type);
    if (!read) read = find(kAudio, type);
    if (read) {
      auto v = whole.inside("audio_config");
      return add_tower(whole, v, read, "audio", spec);
    }
  }
  for (const auto key : kElsewhere)
    if (whole.find({key}) && !(counted && key == "projector_config")) whole.ignored(key, "this tower is not known and not counted");
}

}  // namespace weighbridge
