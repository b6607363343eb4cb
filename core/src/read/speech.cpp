// Source: the reference implementations in https://github.com/huggingface/transformers, each checked against a published total.
#include "read/speech.hpp"

#include <array>
#include <cmath>

namespace weighbridge {

namespace {

constexpr std::int64_t kMostBins = 1'024;

// Whisper's encoder (arXiv 2212.04356) but for its positions; keys have no bias.
std::int64_t whisper(ConfigReader& v, TowerBuilder& t) {
  const auto d = v.count_or({"d_model", "hidden_size"}, 1280, kMostHidden), mels = v.count_or({"num_mel_bins"}, 128, kMostBins);
  t.table("conv1.weight", d, 3 * mels);
  t.table("conv2.weight", d, 3 * d);
  Layers l{.layers = v.count_or({"encoder_layers", "num_hidden_layers"}, 32, kMostLayers), .width = d, .ffn = v.count_or({"encoder_ffn_dim", "intermediate_size"}, 4 * d, kMostHidden)};
  l.more = -d;
  t.layers(l);
  t.vectors(4 * d);
  return d;
}
void whisper_positions(ConfigReader& v, std::int64_t d, TowerBuilder& t) { t.table("positions.weight", v.count_or({"max_source_positions"}, 1500), d); }

void qwen2_audio(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto d = whisper(v, t);
  whisper_positions(v, d, t);
  t.linear("projector", v.count_or({"output_dim"}, spec.hidden, kMostHidden), d, true);
}

// Positions are computed; two marks say where sound begins and ends.
void qwen2_5_omni(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto d = whisper(v, t), out = v.count_or({"output_dim"}, spec.hidden, kMostHidden);
  t.table("marks.weight", 2, out);
  t.linear("projector", out, d, true);
}

// Four frames side by side are one input.
void voxtral(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto d = whisper(v, t);
  whisper_positions(v, d, t);
  t.matrix("projector.1.weight", spec.hidden, v.count_or({"intermediate_size"}, 4 * d, kMostHidden));
  t.matrix("projector.2.weight", spec.hidden, spec.hidden);
}

std::int64_t halved(std::int64_t n, std::int64_t times) {
  for (; times > 0; --times) n = (n + 1) / 2;
  return n;
}

// Qwen3-Omni's encoder (AuT, arXiv 2509.17765): three convolutions over time and pitch, then layers with a bias everywhere.
void qwen3_omni(ConfigReader&, ConfigReader& v, const ModelSpec& spec, TowerBuilder& t) {
  const auto d = v.count_or({"d_model"}, 1280, kMostHidden), c = v.count_or({"downsample_hidden_size"}, 480, kMostHidden);
  const auto out = v.count_or({"output_dim"}, spec.hidden, kMostHidden);
  t.table("conv.0.weight", c, 9);
  t.table("conv.{}.weight", c, 9 * c, 2);
  t.vectors(3 * c + 2 * d);
  t.matrix("conv_out.weight", d, c * halved(v.count_or({"num_mel_bins"}, 128, kMostBins), 3));
  t.layers({.layers = v.count_or({"encoder_layers"}, 32, kMostLayers), .width = d, .ffn = v.count_or({"encoder_ffn_dim"}, 5120, kMostHidden)});
  t.linear("projector.1", d, d, true);
  t.linear("projector.2", out, d, true);
}

// ------------------------------------------------------------------------------------------------------------------ voices

// Layers of a decoder that is not the model's own: no inventory of a language model is made of it.
struct Voice {
  std::int64_t hidden, layers, heads, kv_heads, head_dim, width;
};
Voice read_decoder_sizes(ConfigReader& r, const Voice& otherwise) {
  Voice o;
  o.hidden = r.count_or({"hidden_size"}, otherwise.hidden, kMostHidden);
  o.layers = r.count_or({"num_hidden_layers"}, otherwise.layers, kMostLayers);
  o.heads = r.count_or({"num_attention_heads"}, otherwise.heads, kMostHeads);
  o.kv_heads = r.count_or({"num_key_value_heads"}, otherwise.kv_heads, kMostHeads);
  o.head_dim = r.count_or({"head_dim"}, otherwise.head_dim, kMostHeadDim);
  o.width = r.count_or({"intermediate_size"}, otherwise.width);
  return o;
}
// `small`: elements in vectors of a layer beside its two norms; width 0: no feed-forward.
void decoder_layers(const Voice& o, std::int64_t small, const std::string& name, TowerBuilder& t) {
  t.matrix(name + "qkv_proj.weight", (o.heads + 2 * o.kv_heads) * o.head_dim, o.hidden, o.layers);
  t.matrix(name + "o_proj.weight", o.hidden, o.heads * o.head_dim, o.layers);
  t.matrix(name + "gate_up_proj.weight", 2 * o.width, o.hidden, o.layers);
  t.matrix(name + "down_proj.weight", o.hidden, o.width, o.layers);
  t.table(name + "norms_and_biases", 1, 2 * o.hidden + small, o.layers);
}

// Qwen2.5-Omni (arXiv 2503.20215): a Qwen2 whose table is as wide as the thinker.
void talker_2_5(ConfigReader& r, TowerBuilder& t) {
  const auto o = read_decoder_sizes(r, {896, 24, 12, 4, 128, 18944});
  const auto codes = r.count_or({"vocab_size"}, 8448), wide = r.count_or({"embedding_size"}, 3584, kMostHidden);
  t.linear("thinker_to_talker", o.hidden, wide, true);
  t.table("embed_tokens.weight", codes, wide);
  decoder_layers(o, (o.heads + 2 * o.kv_heads) * o.head_dim, "layers.{}.", t);
  t.vectors(o.hidden);
  t.table("codec_head.weight", codes, o.hidden);
}

// Qwen3-Omni: a mixture of experts makes the first code of a frame, a small decoder the others.
void talker_3(ConfigReader& r, TowerBuilder& t) {
  auto text = r.inside("text_config"), predictor = r.inside("code_predictor_config");
  auto o = read_decoder_sizes(text, {1024, 20, 16, 2, 128, 2048});
  const auto thinker = r.count_or({"thinker_hidden_size"}, 2048, kMostHidden), codes = text.count_or({"vocab_size"}, 3072);
  const auto experts = text.count_or({"num_experts"}, 128, kMostExperts), width = text.count_or({"moe_intermediate_size"}, 384), shared = text.count_or({"shared_expert_intermediate_size"}, 768);
  t.matrix("projections.1.weight", o.width, thinker, 2);
  t.matrix("projections.2.weight", o.hidden, o.width, 2);
  t.vectors(2 * (o.width + o.hidden) + o.hidden);
  t.table("codec_embedding_and_head.weight", codes, o.hidden, 2);
  o.width = 0;
  decoder_layers(o, 2 * o.head_dim, "layers.{}.", t);
  t.table("layers.{}.router_and_gate.weight", experts + 1, o.hidden, o.layers);
  t.matrix("layers.{}.experts.gate_up_proj.weight", 2 * width, o.hidden, experts * o.layers);
  t.matrix("layers.{}.experts.down_proj.weight", o.hidden, width, experts * o.layers);
  t.matrix("layers.{}.shared_expert.gate_up_proj.weight", 2 * shared, o.hidden, o.layers);
  t.matrix("layers.{}.shared_expert.down_proj.weight", o.hidden, shared, o.layers);
  const auto p = read_decoder_sizes(predictor, {1024, 5, 16, 8, 128, 3072});
  decoder_layers(p, 2 * p.head_dim, "predictor.layers.{}.", t);
  t.vectors(p.hidden);
  t.table("predictor.embeddings_and_heads.weight", predictor.count_or({"vocab_size"}, 2048), p.hidden, 2 * (predictor.count_or({"num_code_groups"}, 16, 1024) - 1));
}

// Codes to a wave: a small decoder, then convolutions that make each frame longer.
void code2wav(ConfigReader& r, TowerBuilder& t) {
  const auto o = read_decoder_sizes(r, {1024, 8, 16, 16, 64, 3072});
  const auto h = o.hidden;
  t.table("code_embedding.weight", r.count_or({"codebook_size"}, 2048) * r.count_or({"num_quantizers"}, 16, 1024), h);
  decoder_layers(o, 2 * h, "layers.{}.", t);
  t.vectors(h);
  auto rates = r.numbers("upsampling_ratios", 1024);
  if (rates.empty()) rates = {2, 2};
  for (const auto rate : rates) {
    t.table("upsample.conv.weight", h, rate * h);
    t.table("upsample.depthwise.weight", h, 7);
    t.matrix("upsample.up.weight", 4 * h, h);
    t.matrix("upsample.down.weight", h, 4 * h);
    t.vectors(10 * h);
  }
  rates = r.numbers("upsample_rates", 1024);
  if (rates.empty()) rates = {8, 5, 4, 3};
  auto in = r.count_or({"decoder_dim"}, 1536, kMostHidden);
  t.table("decoder.in.weight", in, 7 * h);
  t.vectors(in);
  for (const auto rate : rates) {
    const auto out = in / 2;
    t.table("decoder.up.weight", out, 2 * rate * in);
    t.table("decoder.units.{}.weight", out, 8 * out, 3);
    t.vectors(2 * in + out + 18 * out);
    in = out;
  }
  t.table("decoder.out.weight", 1, 7 * in);
  t.vectors(2 * in + 1);
}

struct Row {
  std::string_view model_type;
  ReadTower read;
};
constexpr std::array kAudio{Row{"qwen2_5_omni", qwen2_5_omni}, Row{"qwen2_5_omni_thinker", qwen2_5_omni}, Row{"qwen2_audio", qwen2_audio},
                            Row{"qwen3_omni_moe", qwen3_omni}, Row{"qwen3_omni_moe_thinker", qwen3_omni}, Row{"voxtral", voxtral}};

}  // namespace

ReadTower find_audio(std::string_view model_type) {
  for (const auto& row : kAudio)
    if (row.model_type == model_type) return row.read;
  return nullptr;
}

void read_voice(ConfigReader& top, ModelSpec& spec) {
  if (!top.has("talker_config") || !top.flag({"enable_audio_output"}, true)) return;
  auto r = top.inside("talker_config");
  const bool third = top.has("code2wav_config") || r.has("code_predictor_config");
  TowerBuilder talker("talker"), wave("wave");
  if (third) {
    auto w = top.inside("code2wav_config");
    talker_3(r, talker);
    code2wav(w, wave);
  } else {
    talker_2_5(r, talker);
    // A diffusion transformer and a vocoder whose shapes are in code: what is left of the published totals of both sizes, 7B and 3B
    // (n_parameters in https://github.com/embeddings-benchmark/mteb, mteb/models/model_implementations/qwen_omni_models.py).
    wave.table("token2wav", 1, 449051296);
  }
  spec.towers.push_back(talker.take());
  spec.towers.push_back(wave.take());
}

}  // namespace weighbridge
