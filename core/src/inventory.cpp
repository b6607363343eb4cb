#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "weighbridge/tensors.hpp"

namespace weighbridge {

namespace {

// Names are those of the Llama family, whatever a family calls its own tensors: one name for one job.
class Builder {
 public:
  explicit Builder(Inventory& out) : out_(out), s_(out.spec) {}

  void build() {
    tables();
    for (std::size_t kind = 0; kind < s_.kinds.size(); ++kind) {
      const auto n = std::count(s_.layer_kind.begin(), s_.layer_kind.end(), static_cast<std::uint8_t>(kind));
      if (n > 0) layer(static_cast<std::int16_t>(kind), n, "layers.{}.", false);
    }
    for (const auto& tower : s_.towers) add_tower(tower);
    make_caches(out_);
    if (s_.mtp_layers > 0 && s_.mtp_kind < s_.kinds.size()) prediction_layers();
    count(out_);
    measure(out_);
  }

 private:
  TensorRow& add(std::string name, Role role, TensorClass cls, std::int64_t rows, std::int64_t columns) {
    TensorRow r;
    r.name = prefix_ + std::move(name);
    r.role = role;
    r.cls = cls;
    r.rows = rows;
    r.columns = columns;
    r.kind = kind_;
    r.layers = layers_;
    r.mtp = mtp_;
    if (mtp_) r.use = Use::never;
    out_.rows.push_back(std::move(r));
    return out_.rows.back();
  }
  TensorRow& matrix(std::string name, Role role, TensorClass cls, std::int64_t rows, std::int64_t columns) {
    auto& r = add(std::move(name), role, cls, rows, columns);
    r.linear = true;
    return r;
  }
  TensorRow& copied(std::string name, Role role, TensorClass cls, std::int64_t rows, std::int64_t columns) {
    auto& r = add(std::move(name), role, cls, rows, columns);
    r.split = Split::replicated;
    return r;
  }
  void norm(std::string name, std::int64_t width, std::int64_t per_layer, bool bias) {
    if (per_layer <= 0) return;
    copied(name + ".weight", Role::norm, TensorClass::norm, 1, width).per_layer = per_layer;
    if (bias) copied(name + ".bias", Role::norm, TensorClass::bias, 1, width).per_layer = per_layer;
  }
  void use(TensorRow& r, Use u) {
    if (!mtp_) r.use = u;
  }

  void tables() {
    const auto width = s_.embedding_width > 0 ? s_.embedding_width : s_.hidden;
    auto& table = add("embed_tokens.weight", Role::embedding, TensorClass::token_embedding, s_.vocabulary, width);
    table.use = Use::lookup;
    table.tied_head = s_.tied && s_.has_head;
    if (s_.positions > 0)
      copied("embed_positions.weight", Role::embedding, TensorClass::position, s_.positions, s_.hidden).use = Use::lookup;
    if (s_.embedding_norm) norm("embed_layernorm", s_.hidden, 1, true);
    if (width != s_.hidden) {
      matrix("project_in.weight", Role::other, TensorClass::other, s_.hidden, width);
      matrix("project_out.weight", Role::other, TensorClass::other, width, s_.hidden);
    }
    if (s_.per_layer_vocabulary > 0 && !s_.kinds.empty() && s_.kinds[0].per_layer_input > 0) {
      const auto all = s_.kinds[0].per_layer_input * s_.layers();
      add("embed_tokens_per_layer.weight", Role::embedding, TensorClass::other, s_.per_layer_vocabulary, all).use = Use::lookup;
      matrix("per_layer_model_projection.weight", Role::other, TensorClass::position, all, s_.hidden);
      norm("per_layer_projection_norm", s_.kinds[0].per_layer_input, 1, false);
    }
    if (s_.altup_inputs > 1) matrix("altup_projections.{}.weight", Role::other, TensorClass::position, s_.hidden, s_.hidden).per_layer = 2 * (s_.altup_inputs - 1);
    if (s_.hyper > 0) hyper_connections(s_.hyper, 1, s_.hyper, 1);
    if (s_.final_norm) norm("norm", s_.hidden, 1, s_.final_norm_bias);
    if (s_.final_residual) norm("output_residual", s_.hidden, 2, false);
    if (s_.has_head && !s_.tied)
      add("lm_head.weight", Role::lm_head, TensorClass::output, s_.vocabulary, width).use = Use::last;
    if (s_.has_head && s_.head_bias) add("lm_head.bias", Role::lm_head, TensorClass::bias, 1, s_.vocabulary).use = Use::last;
  }

  void layer(std::int16_t kind, std::int64_t layers, std::string prefix, bool mtp) {
    kind_ = kind;
    layers_ = layers;
    prefix_ = std::move(prefix);
    mtp_ = mtp;
    const auto& k = s_.kinds[static_cast<std::size_t>(kind)];
    if (k.mixer.kind == MixerKind::attention) attention(k.mixer.attention, "self_attn.");
    if (k.mixer.kind == MixerKind::mla) latent_attention(k.mixer.mla);
    if (k.mixer.kind == MixerKind::linear) matrix("self_attn.linear.weight", Role::attention, TensorClass::attention_other, s_.hidden, s_.hidden);
    if (k.mixer.kind == MixerKind::compressed) compressed_attention(k.mixer);
    else if (k.mixer.indexer.heads > 0) indexer(k.mixer.indexer, k.mixer.mla.q_lora_rank);
    if (k.mixer.recurrent.kind != RecurrentKind::none) recurrent(k.mixer.recurrent);
    if (k.feed_forward.square) matrix("mlp.square.weight", Role::mlp, TensorClass::other, s_.hidden, s_.hidden);
    if (k.feed_forward.width > 0) dense(k.feed_forward);
    if (k.feed_forward.experts > 0) experts(k.feed_forward);
    if (k.hyper > 0) hyper_connections(k.hyper, 2, k.hyper * (k.hyper + 2), 3);
    norm("layernorm", s_.hidden, k.norms, k.norm_bias);
    if (k.crosses) attention(k.cross, "cross_attn.");
    beside(k);
  }

  // What some families add to each layer beside mixer and feed-forward.
  void beside(const LayerKind& k) {
    const auto h = s_.hidden, n = s_.altup_inputs;
    if (k.per_layer_input > 0) {
      matrix("per_layer_input_gate.weight", Role::other, TensorClass::other, k.per_layer_input, h);
      matrix("per_layer_projection.weight", Role::other, TensorClass::other, h, k.per_layer_input);
      norm("post_per_layer_input_norm", h, 1, false);
    }
    if (k.laurel_rank > 0) {
      matrix("laurel.linear_left.weight", Role::other, TensorClass::position, k.laurel_rank, h);
      matrix("laurel.linear_right.weight", Role::other, TensorClass::position, h, k.laurel_rank);
      norm("laurel.post_laurel_norm", h, 1, false);
    }
    if (n > 0) {
      copied("altup.coefficients", Role::other, TensorClass::position, n, n * (n + 1));
      copied("altup.modality_router.weight", Role::other, TensorClass::position, n, h);
      norm("altup.router_norm_and_scale", h, 2, false);
    }
    if (k.scalars > 0) copied("scalars", Role::other, TensorClass::bias, 1, k.scalars);
  }

  void attention(const Attention& a, const std::string& at) {
    const auto output = a.heads * a.value_dim;
    const auto q = a.heads * a.head_dim + (a.gate == OutputGate::elements ? output : 0), k = a.kv_heads * a.head_dim, v = a.kv_heads * a.value_dim;
    if (a.fused_qkv && a.heads == a.kv_heads) {
      matrix(at + "qkv_proj.weight", Role::attention, TensorClass::attention_qkv, q + k + v, s_.hidden);
    } else if (a.fused_qkv) {
      // One stored matrix; its key and value rows are laid out by other rules than its query rows.
      matrix(at + "qkv_proj.weight[q]", Role::attention, TensorClass::attention_qkv, q, s_.hidden);
      matrix(at + "qkv_proj.weight[kv]", Role::attention, TensorClass::attention_qkv, k + v, s_.hidden).split = Split::kv_heads;
    } else {
      matrix(at + "q_proj.weight", Role::attention, TensorClass::attention_q, q, s_.hidden);
      const auto keys = [&](const char* name, TensorClass cls, std::int64_t rows) {
        auto& r = matrix(at + name, Role::attention, cls, rows, s_.hidden);
        r.split = Split::kv_heads;
        if (a.shares_cache) r.use = Use::never;
      };
      if (!a.no_keys) keys("k_proj.weight", TensorClass::attention_k, k);
      if (!a.no_keys && !a.key_is_value) keys("v_proj.weight", TensorClass::attention_v, v);
    }
    matrix(at + "o_proj.weight", Role::attention, TensorClass::attention_output, s_.hidden, output);
    if (a.gate == OutputGate::heads) matrix(at + "g_proj.weight", Role::attention, TensorClass::attention_other, a.heads, s_.hidden);
    if (a.q_bias) add(at + "q_proj.bias", Role::attention, TensorClass::bias, 1, q);
    if (a.k_bias) add(at + "k_proj.bias", Role::attention, TensorClass::bias, 1, k).split = Split::kv_heads;
    if (a.v_bias) add(at + "v_proj.bias", Role::attention, TensorClass::bias, 1, v).split = Split::kv_heads;
    if (a.o_bias) copied(at + "o_proj.bias", Role::attention, TensorClass::bias, 1, s_.hidden);
    if (a.qk_norm == QkNorm::per_head) {
      norm(at + "q_norm", a.head_dim, 1, false);
      norm(at + "k_norm", a.head_dim, 1, false);
    } else if (a.qk_norm == QkNorm::full_width) {
      norm(at + "q_norm", a.heads * a.head_dim, 1, false);
      norm(at + "k_norm", k, 1, false);
    }
    if (a.sinks) add(at + "sinks", Role::attention, TensorClass::other, 1, a.heads);
  }

  void latent_attention(const Mla& a) {
    const auto qk = a.nope_dim + a.rope_dim;
    const auto latent = a.kv_lora_rank + a.rope_dim;
    const auto down = [&](const char* name, std::int64_t rows) {
      matrix(std::string(name) + ".weight", Role::attention, TensorClass::attention_other, rows, s_.hidden).split = Split::replicated;
      if (a.bias) copied(std::string(name) + ".bias", Role::attention, TensorClass::bias, 1, rows);
    };
    if (a.q_lora_rank > 0) {
      down("self_attn.q_a_proj", a.q_lora_rank);
      norm("self_attn.q_a_layernorm", a.q_lora_rank, 1, false);
      matrix("self_attn.q_b_proj.weight", Role::attention, TensorClass::attention_q, a.heads * qk, a.q_lora_rank);
    } else {
      matrix("self_attn.q_proj.weight", Role::attention, TensorClass::attention_q, a.heads * qk, s_.hidden);
    }
    down("self_attn.kv_a_proj_with_mqa", latent);
    norm("self_attn.kv_a_layernorm", a.kv_lora_rank, 1, false);
    matrix("self_attn.kv_b_proj.weight", Role::attention, TensorClass::attention_other, a.heads * (a.nope_dim + a.value_dim), a.kv_lora_rank);
    matrix("self_attn.o_proj.weight", Role::attention, TensorClass::attention_output, s_.hidden, a.heads * a.value_dim);
    if (a.bias) copied("self_attn.o_proj.bias", Role::attention, TensorClass::bias, 1, s_.hidden);
    if (a.gate != OutputGate::none)
      matrix("self_attn.g_proj.weight", Role::attention, TensorClass::attention_other, a.heads * (a.gate == OutputGate::elements ? a.value_dim : 1), s_.hidden);
  }

  // One key for all index heads; engines hold the whole of it on each device.
  void indexer(const Indexer& x, std::int64_t latent) {
    const auto put = [&](const char* name, std::int64_t rows, std::int64_t columns) {
      matrix(std::string("self_attn.indexer.") + name + ".weight", Role::attention, TensorClass::attention_other, rows, columns).split = Split::replicated;
    };
    put("q_proj", x.heads * x.dim, x.weighted && latent > 0 ? latent : s_.hidden);
    put("k_proj", x.dim, s_.hidden);
    if (x.weighted) put("weights_proj", x.heads, s_.hidden);
    else norm("self_attn.indexer.q_norm", x.dim, 1, false);
    norm("self_attn.indexer.k_norm", x.dim, 1, x.weighted);
  }

  // Averages of tokens: values and their weights, weights by position, a norm.
  void compressor(const std::string& name, std::int64_t ratio, std::int64_t halves, std::int64_t dim) {
    matrix(name + "kv_gate_proj.weight", Role::attention, TensorClass::attention_other, 2 * halves * dim, s_.hidden).split = Split::replicated;
    copied(name + "position", Role::attention, TensorClass::recurrence, ratio, halves * dim);
    norm(name + "norm", dim, 1, false);
  }

  void compressed_attention(const Mixer& m) {
    const auto& a = m.compressed;
    const auto& x = m.indexer;
    const auto shared = [&](const char* name, std::int64_t rows, std::int64_t columns) {
      matrix(std::string("self_attn.") + name + ".weight", Role::attention, TensorClass::attention_other, rows, columns).split = Split::replicated;
    };
    shared("q_a_proj", a.q_lora_rank, s_.hidden);
    norm("self_attn.q_a_layernorm", a.q_lora_rank, 1, false);
    matrix("self_attn.q_b_proj.weight", Role::attention, TensorClass::attention_q, a.heads * a.head_dim, a.q_lora_rank);
    shared("kv_proj", a.head_dim, s_.hidden);
    norm("self_attn.kv_layernorm", a.head_dim, 1, false);
    matrix("self_attn.o_a_proj.weight", Role::attention, TensorClass::attention_other, a.o_groups * a.o_lora_rank, a.heads / a.o_groups * a.head_dim);
    matrix("self_attn.o_b_proj.weight", Role::attention, TensorClass::attention_output, s_.hidden, a.o_groups * a.o_lora_rank);
    add("self_attn.sinks", Role::attention, TensorClass::other, 1, a.heads);
    if (a.ratio > 0) compressor("self_attn.compressor.", a.ratio, a.halves(), a.head_dim);
    if (x.heads == 0) return;
    shared("indexer.q_proj", x.heads * x.dim, a.q_lora_rank);
    shared("indexer.weights_proj", x.heads, s_.hidden);
    compressor("self_attn.indexer.compressor.", a.ratio, a.halves(), x.dim);
  }

  // What mixes the streams of the residual: a matrix over all of them, a base, a few scales. It stays as it is in every format.
  void hyper_connections(std::int64_t streams, std::int64_t per_layer, std::int64_t rows, std::int64_t scales) {
    copied("hyper_connection.weight", Role::other, TensorClass::recurrence, rows, streams * s_.hidden).per_layer = per_layer;
    copied("hyper_connection.base_scale", Role::other, TensorClass::recurrence, 1, rows + scales).per_layer = per_layer;
  }

  // ---- mixers with a state ----

  void small(const char* name, std::int64_t rows, std::int64_t columns = 1) {
    add(prefix_of_state_ + name, Role::attention, TensorClass::recurrence, columns == 1 ? 1 : rows, columns == 1 ? rows : columns);
  }
  void in(const char* name, std::int64_t rows, std::int64_t columns, bool bias = false, TensorClass cls = TensorClass::attention_other) {
    matrix(prefix_of_state_ + name + ".weight", Role::attention, cls, rows, columns);
    if (bias) add(prefix_of_state_ + name + ".bias", Role::attention, TensorClass::bias, 1, rows);
  }
  void out(std::int64_t columns, bool bias = false) {
    matrix(prefix_of_state_ + "out_proj.weight", Role::attention, TensorClass::attention_output, s_.hidden, columns);
    if (bias) copied(prefix_of_state_ + "out_proj.bias", Role::attention, TensorClass::bias, 1, s_.hidden);
  }
  void convolution(std::int64_t channels, const Recurrent& r) {
    small("conv1d.weight", channels, r.kernel);
    if (r.conv_bias) add(prefix_of_state_ + "conv1d.bias", Role::attention, TensorClass::bias, 1, channels);
  }

  void recurrent(const Recurrent& r) {
    using Kind = RecurrentKind;
    prefix_of_state_ = r.kind == Kind::mamba || r.kind == Kind::mamba2 ? "mamba." : r.kind == Kind::short_convolution ? "conv." : "linear_attn.";
    const auto h = s_.hidden;
    const auto values = r.heads * r.value_dim, keys = r.key_heads * r.key_dim;
    switch (r.kind) {
      case Kind::none: break;
      case Kind::mamba:
        in("in_proj", 2 * values, h, r.bias);
        convolution(values, r);
        in("x_proj", r.rank + 2 * r.key_dim, values);
        in("dt_proj", values, r.rank, true);
        small("A_log", values, r.key_dim);
        small("D", values);
        if (r.inner_norms) {
          norm(prefix_of_state_ + "dt_layernorm", r.rank, 1, false);
          norm(prefix_of_state_ + "bc_layernorm", r.key_dim, 2, false);
        }
        out(values, r.bias);
        break;
      case Kind::mamba2:
        in("in_proj", 2 * values + 2 * keys + r.heads, h, r.bias);
        convolution(values + 2 * keys, r);
        small("A_log_D_dt_bias", 3 * r.heads);
        if (r.norm) norm(prefix_of_state_ + "norm", values, 1, false);
        out(values, r.bias);
        break;
      case Kind::gated_delta:
        in("in_proj_qkv", 2 * keys + values, h, false, TensorClass::attention_qkv);
        in("in_proj_z", values, h);
        in("in_proj_ba", 2 * r.heads, h);
        convolution(2 * keys + values, r);
        small("A_log_dt_bias", 2 * r.heads);
        norm(prefix_of_state_ + "norm", r.value_dim, 1, false);
        out(values);
        break;
      case Kind::kda:
        in("qkv_proj", 2 * keys + values, h, false, TensorClass::attention_qkv);
        convolution(2 * keys + values, r);
        if (r.whole_decay) {
          in("f_proj", keys, h);
        } else {
          in("f_a_proj", r.key_dim, h);
          in("f_b_proj", keys, r.key_dim);
        }
        in("b_proj", r.heads, h);
        small("A_log", r.heads);
        small("dt_bias", keys);
        if (r.rank > 0) {
          in("g_a_proj", r.rank, h);
          in("g_b_proj", values, r.rank);
        } else {
          in("g_proj", values, h);
        }
        norm(prefix_of_state_ + "norm", r.value_dim, 1, false);
        out(values);
        break;
      case Kind::lightning:
        in("qkv_proj", 2 * keys + values, h, false, TensorClass::attention_qkv);
        in("output_gate", values, h);
        norm(prefix_of_state_ + "norm", values, 1, false);
        out(values);
        break;
      case Kind::localized_filter:
        in("conv1", h / 2, r.kernel * h, r.conv_bias);
        in("conv2", h, r.kernel * (h / 2), r.conv_bias);
        norm(prefix_of_state_ + "norm", h, 1, false);
        break;
      case Kind::short_convolution:
        in("in_proj", 3 * h, h, r.bias);
        convolution(h, r);
        out(h, r.bias);
        break;
      case Kind::rwkv4: case Kind::rwkv: case Kind::rwkv7:
        // Receptance, key, value and gate, and what mixes a token with the one before it.
        for (const auto* name : {"receptance", "key", "value"}) in(name, values, h);
        if (r.kind == Kind::rwkv) in("gate", values, h);
        if (r.rank > 0) {
          in("low_rank_in", r.rank, h);
          in("low_rank_out", h, r.rank);
        }
        small("vectors", r.vectors * h);
        if (r.kind != Kind::rwkv4) norm(prefix_of_state_ + "ln_x", values, 1, true);
        out(values);
        break;
    }
  }

  // The matrices of one gated or plain feed-forward; experts are `per_layer` of them.
  struct Mlp {
    std::string name;
    Role role = Role::mlp;
    std::int64_t width = 0, per_layer = 1, hidden = 0;
    bool gated = true, fused = false, bias = false, down_bias = false;
    Split split = Split::even;
    Use use = Use::always;
  };

  void mlp(const Mlp& m) {
    const auto place = [&](TensorRow& r) {
      r.per_layer = m.per_layer;
      if (r.split == Split::even) r.split = m.split;
      use(r, m.use);
    };
    const auto hidden = m.hidden > 0 ? m.hidden : s_.hidden;
    const auto in = [&](const char* name, TensorClass cls, std::int64_t rows) {
      place(matrix(m.name + name + ".weight", m.role, cls, rows, hidden));
      if (m.bias) place(add(m.name + name + ".bias", m.role, TensorClass::bias, 1, rows));
    };
    if (m.gated && m.fused) {
      in("gate_up_proj", TensorClass::ffn_gate_up, 2 * m.width);
    } else {
      if (m.gated) in("gate_proj", TensorClass::ffn_gate, m.width);
      in("up_proj", TensorClass::ffn_up, m.width);
    }
    place(matrix(m.name + "down_proj.weight", m.role, TensorClass::ffn_down, hidden, m.width));
    if (!m.bias && !m.down_bias) return;
    auto& bias = add(m.name + "down_proj.bias", m.role, TensorClass::bias, 1, hidden);
    if (m.split == Split::even) bias.split = Split::replicated;
    place(bias);
  }

  void dense(const FeedForward& f) {
    Mlp m;
    m.name = "mlp.";
    m.width = f.width;
    m.gated = f.gated;
    m.fused = f.fused_gate_up;
    m.bias = f.bias;
    m.down_bias = f.down_bias;
    mlp(m);
    if (f.inner_norm) norm("mlp.inner_norm", f.width, 1, false);
  }

  void experts(const FeedForward& f) {
    const auto choices = f.experts + f.null_experts;
    copied("mlp.router.weight", Role::router, TensorClass::router, choices, s_.hidden);
    if (f.router_bias) copied("mlp.router.bias", Role::router, TensorClass::bias, 1, choices);
    if (f.router_scales) copied("mlp.router.scales", Role::router, TensorClass::bias, 1, s_.hidden + f.experts);
    if (f.router_correction) copied("mlp.router.correction_bias", Role::router, TensorClass::bias, 1, choices);
    Mlp m;
    m.name = f.width > 0 ? "experts.{}." : "mlp.experts.{}.";
    m.role = Role::experts;
    m.width = f.expert_width;
    m.per_layer = f.experts;
    m.gated = f.gated;
    m.fused = f.fused_gate_up;
    m.bias = f.expert_bias;
    m.split = Split::experts;
    m.use = Use::routed;
    m.hidden = f.expert_hidden;
    mlp(m);
    if (f.expert_hidden > 0) {
      matrix("mlp.latent_in.weight", Role::mlp, TensorClass::other, f.expert_hidden, s_.hidden).split = Split::replicated;
      matrix("mlp.latent_out.weight", Role::mlp, TensorClass::other, s_.hidden, f.expert_hidden).split = Split::replicated;
      if (f.latent_norm) norm("mlp.latent_norm", f.expert_hidden, 1, false);
    }
    if (f.shared_width > 0) {
      Mlp shared;
      shared.name = "mlp.shared_experts.";
      shared.width = f.shared_width;
      shared.gated = f.gated;
      mlp(shared);
      if (f.shared_gate) copied("mlp.shared_expert_gate.weight", Role::router, TensorClass::router, 1, s_.hidden);
    }
  }

  // A token of text passes no tower, but engines load it. Whatever is no matrix of a linear layer lies whole on each device.
  void add_tower(const Tower& tower) {
    prefix_ = tower.name + ".";
    kind_ = -1;
    layers_ = 1;
    mtp_ = false;
    for (const auto& part : tower.parts) {
      auto& r = add(part.name, tower.encoder ? Role::other : Role::vision, TensorClass::other, part.rows, part.columns);
      r.per_layer = part.count;
      r.linear = part.linear;
      r.use = Use::never;
      if (!part.linear) r.split = Split::replicated;
    }
  }

  // One more layer that drafts the token after next; engines load it only for speculative decoding.
  void prediction_layers() {
    layer(static_cast<std::int16_t>(s_.mtp_kind), s_.mtp_layers, "mtp.{}.", true);
    add("eh_proj.weight", Role::other, TensorClass::other, s_.hidden, 2 * s_.hidden);
    norm("layernorm_of_inputs_and_head", s_.hidden, 3, false);
    if (!s_.mtp_copies_tables) return;
    add("embed_tokens.weight", Role::embedding, TensorClass::token_embedding, s_.vocabulary, s_.hidden);
    add("lm_head.weight", Role::lm_head, TensorClass::output, s_.vocabulary, s_.hidden);
  }

  Inventory& out_;
  const ModelSpec& s_;
  std::string prefix_, prefix_of_state_;
  std::int16_t kind_ = -1;
  std::int64_t layers_ = 1;
  bool mtp_ = false;
};

}  // namespace

std::string_view role_name(Role role) {
  switch (role) {
    case Role::embedding: return "embedding";
    case Role::attention: return "attention";
    case Role::mlp: return "mlp";
    case Role::experts: return "experts";
    case Role::router: return "router";
    case Role::norm: return "norm";
    case Role::lm_head: return "lm_head";
    case Role::vision: return "vision";
    case Role::other: case Role::kCount: break;
  }
  return "other";
}

void count(Inventory& m) {
  for (const auto& kind : m.spec.kinds) {
    m.experts = std::max(m.experts, kind.feed_forward.experts);
    m.experts_used = std::max(m.experts_used, kind.feed_forward.experts_used);
  }
  for (const auto& r : m.rows) {
    if (r.cls == TensorClass::position && r.use == Use::never) continue;       // rotary factors in a file are no parameters
    const auto elements = r.elements();
    m.parameters += elements;
    if (r.mtp) m.mtp_parameters += elements;
    switch (r.use) {
      case Use::always: case Use::last: m.active_parameters += elements; break;
      case Use::lookup: if (r.tied_head) m.active_parameters += elements; break;
      case Use::routed: {
        const auto& f = m.spec.kinds[static_cast<std::size_t>(r.kind)].feed_forward;
        m.active_parameters += elements / f.experts * f.experts_used;
        break;
      }
      case Use::never: break;
    }
  }
}

Inventory inventory(ModelSpec spec) {
  Inventory out;
  out.spec = std::move(spec);
  Builder(out).build();
  return out;
}

}  // namespace weighbridge
