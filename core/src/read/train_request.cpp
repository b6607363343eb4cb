// What `train` asks for.
#include <algorithm>
#include <array>
#include <cmath>

#include "read/request_reader.hpp"
#include "weighbridge/layout.hpp"
#include "weighbridge/training.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

// Parts of a layer that adapters can stand beside, as bits.
constexpr unsigned kQ = 1, kK = 2, kV = 4, kO = 8, kGate = 16, kUp = 32, kDown = 64;

struct Module {
  std::string_view name;
  unsigned parts;
  std::string_view families = {};            // empty: every family
};
constexpr Module kModules[] = {
    {"q_proj", kQ}, {"k_proj", kK}, {"v_proj", kV}, {"o_proj", kO}, {"gate_proj", kGate}, {"up_proj", kUp}, {"down_proj", kDown},
    // the families' own names, as their checkpoints have them
    {"c_attn", kQ | kK | kV, "gpt2 qwen gpt_bigcode"}, {"c_proj", kO | kDown, "gpt2 qwen gpt_bigcode"}, {"c_fc", kUp, "gpt2 gpt_bigcode starcoder2"},
    {"c_proj", kDown, "starcoder2"}, {"w1", kUp, "qwen"}, {"w2", kGate, "qwen"},
    {"query_key_value", kQ | kK | kV, "gpt_neox stablelm_alpha bloom falcon chatglm"}, {"dense", kO, "gpt_neox stablelm_alpha bloom falcon chatglm phi"},
    {"dense_h_to_4h", kGate | kUp, "gpt_neox stablelm_alpha bloom falcon chatglm"}, {"dense_4h_to_h", kDown, "gpt_neox stablelm_alpha bloom falcon chatglm"},
    {"fc1", kUp, "phi opt"}, {"fc2", kDown, "phi opt"}, {"out_proj", kO, "opt mpt gptj codegen"}, {"fc_in", kUp, "gptj codegen"}, {"fc_out", kDown, "gptj codegen"},
    {"qkv_proj", kQ | kK | kV, "phi3 gptj codegen"}, {"gate_up_proj", kGate | kUp, "phi3 glm4 gpt_oss"}, {"W_pack", kQ | kK | kV, "baichuan"},
    {"Wqkv", kQ | kK | kV, "mpt"}, {"wqkv", kQ | kK | kV, "internlm2"}, {"wo", kO, "internlm2"}, {"w1", kGate, "internlm2 mixtral phimoe"},
    {"w3", kUp, "internlm2 mixtral phimoe"}, {"w2", kDown, "internlm2 mixtral phimoe"},
};
constexpr Module kWhole[] = {                // train_also: bits of their own
    {"embed_tokens", 1}, {"wte", 1}, {"word_embeddings", 1}, {"embed_in", 1}, {"tok_embeddings", 1},
    {"lm_head", 2}, {"embed_out", 2}, {"output_layer", 2}, {"norm", 4},
};

bool of_family(const Module& m, std::string_view family) {
  if (m.families.empty()) return true;
  const auto words = split_words(m.families);
  return std::find(words.begin(), words.end(), family) != words.end();
}

// "layers.{}.self_attn.q_proj.weight" to "q_proj".
std::string_view module_name(std::string_view row) {
  row = row.substr(0, row.rfind(".weight"));
  return row.substr(row.rfind('.') + 1);
}

struct Piece {                               // rows of a matrix that are one part
  unsigned part;
  TensorClass cls;
  std::int64_t outputs;
};

// A matrix as its parts; a fused one has several.
std::vector<Piece> pieces(const TensorRow& row, const LayerKind& kind) {
  const auto& a = kind.mixer.attention;
  const auto k = a.kv_heads * a.head_dim, v = a.kv_heads * a.value_dim;
  using C = TensorClass;
  switch (row.cls) {
    case C::attention_q: return {{kQ, C::attention_q, row.rows}};
    case C::attention_k: return {{kK, C::attention_k, row.rows}};
    case C::attention_v: return {{kV, C::attention_v, row.rows}};
    case C::attention_output: return {{kO, C::attention_output, row.rows}};
    case C::ffn_gate: return {{kGate, C::ffn_gate, row.rows}};
    case C::ffn_up: return {{kUp, C::ffn_up, row.rows}};
    case C::ffn_down: return {{kDown, C::ffn_down, row.rows}};
    case C::ffn_gate_up: return {{kGate, C::ffn_gate, row.rows / 2}, {kUp, C::ffn_up, row.rows - row.rows / 2}};
    case C::attention_qkv: {
      std::vector<Piece> out;
      if (row.rows != k + v) out.push_back({kQ, C::attention_q, row.rows > k + v && row.name.back() != ']' ? row.rows - k - v : row.rows});
      if (row.rows == k + v || row.name.back() != ']') {
        out.push_back({kK, C::attention_k, k});
        out.push_back({kV, C::attention_v, v});
      }
      return out;
    }
    default: return {{0, row.cls, row.rows}};
  }
}

// Beside which parts that the same module holds already has `part` its input matrix.
unsigned sharing_input(unsigned part) { return part == kK ? kQ : part == kV ? kQ | kK : part == kUp ? kGate : 0; }

class TrainReader {
 public:
  TrainReader(Reader& r, TrainRequest& out) : r_(r), out_(out) {}

  void run() {
    out_.article = r_.words("/estimate_method", false) == "article";
    out_.explain = r_.flag("/explain");
    if (auto model = read_model(r_)) static_cast<ModelChoice&>(out_) = std::move(*model);
    choices();
    numbers();
    device();
    base();
    if (out_.model) {
      capacity();
      what_is_trained();
      layout();
    }
    out_.compute_efficiency = r_.figure("/efficiency/compute");
  }

 private:
  // The position of the word among the field's choices.
  template <class E>
  E choice(std::string_view path, bool note) {
    const auto words = split_words(field_at(train_fields(), path).choices);
    const auto at = std::find(words.begin(), words.end(), r_.words(path, note));
    return static_cast<E>(at == words.end() ? 0 : at - words.begin());
  }

  void choices() {
    const bool note = !out_.article;           // the article knows nothing of the rest
    out_.method = choice<TrainMethod>("/method", true);
    out_.precision = choice<Precision>("/precision", true);
    out_.optimizer = choice<Optimizer>("/optimizer", note);
    if (out_.optimizer == Optimizer::galore && note) out_.galore_rank = r_.number("/galore_rank").value;
    else if (r_.has("/galore_rank")) r_.problems().add(Code::option_without_effect, "/galore_rank", {{"option", "galore_rank"}, {"needs", "optimizer galore"}});
    if (out_.method != TrainMethod::freeze && r_.has("/trained_layers"))
      r_.problems().add(Code::option_without_effect, "/trained_layers", {{"option", "trained_layers"}, {"needs", "method freeze"}});
    out_.framework = choice<Framework>("/framework", note);
    out_.loss = choice<Loss>("/loss", note);
    out_.eager_attention = r_.words("/attention", note) == "eager";
    const auto* checkpointing = r_.valid("/activation_checkpointing");
    if (checkpointing && checkpointing->is_object()) {
      out_.checkpointing = Checkpointing::full;
      out_.every = r_.count("/activation_checkpointing/every", 1);
      if (!r_.has("/activation_checkpointing/every")) r_.missing("/activation_checkpointing", "every");
    } else {
      out_.checkpointing = choice<Checkpointing>("/activation_checkpointing", note);
    }
    // Unsloth's own checkpointing sends what it keeps to system memory.
    out_.activation_offload = r_.flag("/activation_offload");
    if (out_.framework == Framework::unsloth && out_.checkpointing == Checkpointing::full && note && !r_.has("/activation_offload")) {
      out_.activation_offload = true;
      r_.assume("/activation_offload", "true", "default");
    }
    out_.optimizer_in_backward = r_.flag("/optimizer_in_backward");
    out_.compile = r_.flag("/compile");
  }

  void numbers() {
    out_.sequence_tokens = r_.number("/sequence_tokens");
    out_.micro_batch = r_.number("/micro_batch");
    if (r_.has("/gradient_accumulation") && r_.has("/global_batch")) r_.conflict("/global_batch", "gradient_accumulation", "global_batch");
    if (!r_.has("/global_batch")) out_.accumulation = r_.number("/gradient_accumulation", !out_.article);
    out_.dataset_tokens = r_.figure("/dataset_tokens");
    if (out_.optimizer_in_backward && out_.accumulation.value > 1) r_.conflict("/optimizer_in_backward", "optimizer_in_backward", "gradient_accumulation");
  }

  void device() {
    auto device = read_device(r_, false);
    out_.device = std::move(device.device);
    out_.device_from = device.from;
    const auto count = read_count(r_);
    out_.per_node = count.per_node;
    if (count.devices.value > 0) out_.devices = count.devices;
  }

  void base() {
    const auto given = read_weights(r_, "/base_weights", {});
    const auto& formats = r_.catalog().formats();
    out_.bytes_per_parameter = out_.precision == Precision::fp32 ? 4 : 2;
    out_.base = given;
    if (out_.method == TrainMethod::qlora && !given.format && given.bits <= 0 && !r_.has("/base_weights")) {
      r_.assume_text("/base_weights", "nf4", "default");
      out_.base.format = formats.find_weight("nf4");
    }
    if (given.format && given.format->article_bytes > 0) out_.bytes_per_parameter = given.format->article_bytes;
    else if (given.bits > 0) out_.bytes_per_parameter = given.bits / 8;
    const bool doubled = !r_.has("/double_quantization") || r_.flag("/double_quantization");
    if (out_.base.format && out_.base.format->id == "nf4" && doubled) {
      if (!r_.has("/double_quantization")) r_.assume("/double_quantization", "true", "default");
      if (const auto* smaller = formats.find_weight("nf4-dq")) out_.base.format = smaller;
    }
    if (out_.method == TrainMethod::full && r_.has("/base_weights"))
      r_.problems().add(Code::option_without_effect, "/base_weights", {{"option", "base_weights"}, {"needs", "method lora / qlora / freeze"}});
  }

  void capacity() {
    out_.capacity_factor = r_.figure("/capacity_factor");
    if (out_.capacity_factor <= 0) return;
    auto& problems = r_.problems();
    const double factor = out_.capacity_factor, dropped = 100 * (1 - out_.expert_tokens());
    if (out_.model->experts == 0) problems.add(Code::option_without_effect, "/capacity_factor", {{"option", "capacity_factor"}, {"engine", "models without experts"}});
    else if (dropped > 0) problems.add(Code::experts_drop_tokens, "/capacity_factor", {{"factor", factor}, {"least", dropped}});
    else problems.add(Code::experts_drop_tokens, "/capacity_factor", {{"factor", factor}});
  }

  void what_is_trained() {
    const auto& m = *out_.model;
    if (out_.method == TrainMethod::full) {
      out_.trainable_parameters = static_cast<double>(m.parameters);
      return;
    }
    if (out_.method == TrainMethod::freeze) {
      // The last layers, two when nothing is said (LLaMA-Factory's freeze_trainable_layers).
      out_.trained_layers = static_cast<std::int64_t>(r_.number("/trained_layers").value);
      above("/trained_layers", out_.trained_layers, m.spec.layers(), "layers");
      out_.trained_layers = std::min(out_.trained_layers, m.spec.layers());
    } else {
      adapters();
    }
    also();
    double sum = 0;
    for (const auto& a : out_.adapters)
      sum += static_cast<double>(a.tensors()) * (out_.rank * static_cast<double>(a.inputs + a.outputs) + (out_.dora ? static_cast<double>(a.outputs) : 0.0));
    for (const auto row : out_.train_also) sum += static_cast<double>(m.rows[row].elements());
    if (out_.trained_layers > 0) {
      const auto first = m.spec.layers() - out_.trained_layers;
      for (const auto& row : m.rows)
        if (row.kind >= 0 && !row.mtp)
          sum += static_cast<double>(row.elements() / row.layers * m.layers_of(static_cast<std::size_t>(row.kind), first, m.spec.layers()));
    }
    out_.trainable_parameters = sum;
  }

  void adapters() {
    out_.rank = r_.number("/lora/rank").value;
    out_.dora = r_.flag("/lora/dora");
    std::vector<std::string> targets{"q_proj", "v_proj"};
    const auto* given = r_.valid("/lora/targets");
    const bool all = given && as_text(*given) == "all-linear";
    if (given && given->is_array()) {
      targets.clear();
      for (const auto& item : *given) targets.emplace_back(as_text(item));
      if (targets.empty()) r_.problems().add(Code::wrong_type, "/lora/targets", {{"expected", "names of modules"}, {"found", "an empty list"}});
    } else if (given && !all) {
      targets = {std::string(as_text(*given))};
    }
    // A model by its sizes has no matrices of its own: those of its shape.
    const auto shaped = out_.manual ? inventory(out_.model->spec) : Inventory{};
    const auto& m = out_.manual ? shaped : *out_.model;

    std::vector<Target> wanted;
    if (!all) {
      std::vector<std::string> common, own;
      for (const auto& module : kModules) {
        if (!of_family(module, m.spec.architecture)) continue;
        (module.families.empty() ? common : own).emplace_back(module.name);
      }
      for (const auto& row : m.rows) {
        const std::string name(module_name(row.name));
        const auto in = [&](const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), name) != list.end(); };
        if (row.linear && row.kind >= 0 && !row.mtp && row.name.back() != ']' && !in(own)) own.push_back(name);
      }
      for (std::size_t i = 0; i < targets.size(); ++i) {
        unsigned parts = 0;
        for (const auto& module : kModules)
          if (module.name == targets[i] && of_family(module, m.spec.architecture)) parts |= module.parts;
        const bool known = parts != 0 || std::find(own.begin(), own.end(), targets[i]) != own.end();
        if (known) wanted.push_back({targets[i], parts});
        else r_.problems().add(Code::unknown_lora_target, given && given->is_array() ? pointer("/lora/targets", std::to_string(i)) : "/lora/targets",
                               {{"value", targets[i]}, {"common", common}, {"own", own}});
      }
    }
    beside(m, wanted, all);
    if (!out_.adapters.empty() && !r_.has("/lora/targets")) r_.assume("/lora/targets", "[\"q_proj\",\"v_proj\"]", "default");
    if (!out_.adapters.empty() || wanted.size() < targets.size()) return;
    // Names that this model has nothing for (a model without attention has no q_proj).
    if (!r_.has("/lora/targets")) {
      r_.assume("/lora/targets", "\"all-linear\"", "default");
      beside(m, wanted, true);
      return;
    }
    std::vector<std::string> own;
    for (const auto& row : m.rows) {
      const std::string name(module_name(row.name));
      if (row.linear && row.kind >= 0 && !row.mtp && row.name.back() != ']' && std::find(own.begin(), own.end(), name) == own.end()) own.push_back(name);
    }
    for (std::size_t i = 0; i < targets.size(); ++i)
      r_.problems().add(Code::unknown_lora_target, given && given->is_array() ? pointer("/lora/targets", std::to_string(i)) : "/lora/targets",
                        {{"value", targets[i]}, {"own", own}});
  }

  struct Target {
    std::string name;
    unsigned parts;
  };
  // Adapters beside every matrix that is wanted, or a part of which is.
  void beside(const Inventory& m, const std::vector<Target>& wanted, bool all) {
    for (const auto& row : m.rows) {
      if (!row.linear || row.kind < 0 || row.mtp) continue;
      const auto& kind = m.spec.kinds[static_cast<std::size_t>(row.kind)];
      Adapter a;
      a.name = row.name.substr(0, row.name.rfind(".weight"));
      a.part = row.cls;
      a.kind = row.kind;
      a.layers = row.layers;
      a.per_layer = row.per_layer;
      a.inputs = row.columns;
      a.outputs = row.rows;
      a.split = row.split;
      a.routed = row.use == Use::routed;
      const auto by_name = std::any_of(wanted.begin(), wanted.end(), [&](const Target& t) { return t.parts == 0 && t.name == module_name(row.name); });
      if (all || by_name) {
        out_.adapters.push_back(a);
        continue;
      }
      for (const auto& piece : pieces(row, kind)) {
        const auto t = std::find_if(wanted.begin(), wanted.end(), [&](const Target& x) { return (x.parts & piece.part) != 0; });
        if (t == wanted.end()) continue;
        a.part = piece.cls;
        a.outputs = piece.outputs;
        a.inputs = (t->parts & sharing_input(piece.part)) != 0 ? 0 : row.columns;
        out_.adapters.push_back(a);
      }
    }
  }

  void also() {
    const auto* list = r_.valid("/lora/train_also");
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto name = as_text((*list)[i]);
      const auto known = std::find_if(std::begin(kWhole), std::end(kWhole), [&](const Module& m) { return m.name == name; });
      if (known == std::end(kWhole)) {
        std::vector<std::string> accepted;
        for (const auto& m : kWhole) accepted.emplace_back(m.name);
        r_.problems().add(Code::unknown_value, pointer("/lora/train_also", std::to_string(i)),
                          {{"value", name}, {"nearest", nearest(name, accepted)}, {"accepted", accepted}});
        continue;
      }
      for (std::size_t row = 0; row < out_.model->rows.size(); ++row) {
        const auto& t = out_.model->rows[row];
        const bool wanted = known->parts == 1 ? t.cls == TensorClass::token_embedding : known->parts == 2 ? t.cls == TensorClass::output || t.tied_head : t.role == Role::norm;
        const auto id = static_cast<std::uint16_t>(row);
        if (wanted && !t.mtp && std::find(out_.train_also.begin(), out_.train_also.end(), id) == out_.train_also.end()) out_.train_also.push_back(id);
      }
    }
  }

  static std::vector<std::string> texts(const std::vector<std::int64_t>& numbers) {
    std::vector<std::string> out;
    for (const auto n : numbers) out.push_back(std::to_string(n));
    return out;
  }
  // The multiples of `step` below and above.
  static std::vector<std::int64_t> around(std::int64_t value, std::int64_t step) {
    const auto below = value / step * step;
    return below > 0 ? std::vector<std::int64_t>{below, below + step} : std::vector<std::int64_t>{step};
  }
  void does_not_divide(std::string_view path, std::string_view what, std::int64_t count, std::string_view axis, std::int64_t value,
                       const std::vector<std::int64_t>& accepted) {
    r_.problems().add(Code::does_not_divide, path, {{"what", what}, {"count", static_cast<double>(count)}, {"axis", axis},
                                                    {"value", static_cast<double>(value)}, {"accepted", texts(accepted)}});
  }
  void above(std::string_view path, std::int64_t value, std::int64_t most, std::string_view unit) {
    if (value > most) r_.problems().add(Code::out_of_range, path, {{"value", static_cast<double>(value)}, {"max", static_cast<double>(most)}, {"unit", unit}});
  }

  void layout() {
    const auto& m = *out_.model;
    auto& l = out_.layout;
    auto& problems = r_.problems();
    l.tensor = r_.count("/parallel/tensor", 1);
    l.pipeline = r_.count("/parallel/pipeline", 1);
    l.context = r_.count("/parallel/context", 1);
    l.virtual_pipeline = r_.count("/parallel/virtual_pipeline", 1);
    l.expert = r_.count("/parallel/expert", 1);
    l.sequence = r_.flag("/parallel/sequence");
    const bool fsdp = out_.framework == Framework::fsdp;
    l.zero_stage = static_cast<int>(r_.count("/parallel/zero_stage", fsdp ? 3 : 0));
    l.shard_group = r_.count("/parallel/shard_group");
    if (const auto* offload = r_.valid("/parallel/offload"))
      l.offload = as_text(*offload) == "optimizer" ? Offload::optimizer : as_text(*offload) == "none" ? Offload::none : Offload::all;
    // DeepSpeed alone swaps to NVMe (ZeRO-Infinity).
    const auto* to = r_.valid("/parallel/offload_to");
    if (to && as_text(*to) == "nvme") {
      l.nvme = l.offload != Offload::none && out_.framework == Framework::deepspeed;
      if (!l.nvme) problems.add(Code::option_without_effect, "/parallel/offload_to", {{"option", "offload_to"}, {"engine", l.offload == Offload::none ? "offload none" : "frameworks other than deepspeed"}});
    }
    const auto devices = out_.devices.value;
    const double product = static_cast<double>(l.tensor) * static_cast<double>(l.pipeline) * static_cast<double>(l.context) * static_cast<double>(r_.count("/parallel/data", 1));
    if (constexpr double kMostDevices = 65536; product > kMostDevices) {
      problems.add(Code::out_of_range, "/parallel", {{"value", product}, {"max", kMostDevices}, {"unit", "devices"}});
      l = {};
      return;
    }
    const auto rest = l.tensor * l.pipeline * l.context;
    const bool counted = out_.devices.from == From::user;
    l.data = r_.count("/parallel/data", counted && devices % rest == 0 ? devices / rest : 1);
    if (!counted) {
      out_.devices = {l.devices(), r_.has("/parallel") ? From::user : From::standard};
      if (!r_.has("/devices")) r_.assume("/devices", std::to_string(l.devices()), r_.has("/parallel") ? "estimated" : "default");
    } else if (l.devices() != devices) {
      problems.add(Code::devices_mismatch, "/parallel",
                   {{"devices", static_cast<double>(devices)}, {"tensor", static_cast<double>(l.tensor)}, {"pipeline", static_cast<double>(l.pipeline)},
                    {"data", static_cast<double>(l.data)}, {"context", static_cast<double>(l.context)}, {"product", static_cast<double>(l.devices())}});
    }
    if (out_.article) return;
    if (fsdp && !r_.has("/parallel/zero_stage")) r_.assume("/parallel/zero_stage", "3", "default");

    const auto degrees = tensor_degrees(m, 65536);
    if (out_.heads_known && std::find(degrees.begin(), degrees.end(), l.tensor) == degrees.end())
      does_not_divide("/parallel/tensor", "attention heads", m.heads_divisor, "tensor", l.tensor, degrees);
    const auto layers = m.spec.layers();
    above("/parallel/pipeline", l.pipeline, layers, "layers");
    // Embedding and loss may stand for a layer each.
    if (l.pipeline <= layers) above("/parallel/virtual_pipeline", l.virtual_pipeline, (layers + 2) / l.pipeline, "layers of a stage");
    if (l.expert > 1) {
      const auto spread = l.data * l.tensor * l.context;
      std::vector<std::int64_t> accepted;
      for (std::int64_t n = 1; n <= std::min(spread, std::max<std::int64_t>(1, m.experts)); ++n)
        if (spread % n == 0 && m.experts % n == 0) accepted.push_back(n);
      if (std::find(accepted.begin(), accepted.end(), l.expert) == accepted.end()) {
        const bool experts = m.experts == 0 || m.experts % l.expert != 0;
        does_not_divide("/parallel/expert", experts ? "experts" : "devices of data x tensor x context", experts ? m.experts : spread, "expert", l.expert, accepted);
      }
    }
    if (l.shard_group > 0 && l.replicas() % l.shard_group != 0) {
      std::vector<std::int64_t> accepted;
      for (std::int64_t n = 1; n <= l.replicas(); ++n)
        if (l.replicas() % n == 0) accepted.push_back(n);
      does_not_divide("/parallel/shard_group", "ranks of data x context", l.replicas(), "shard_group", l.shard_group, accepted);
    }
    const auto sequence = static_cast<std::int64_t>(out_.sequence_tokens.value);
    if (l.context > 1 && sequence % l.context != 0) {
      std::vector<std::int64_t> accepted;
      for (std::int64_t n = 1; n <= l.context; ++n)
        if (sequence % n == 0) accepted.push_back(n);
      does_not_divide("/parallel/context", "tokens", sequence, "context", l.context, accepted);
    }
    // DeepSpeed's pipeline engine refuses sharded gradients; Unsloth trains without a pipeline.
    if (out_.framework == Framework::deepspeed && l.zero_stage >= 2 && l.pipeline > 1)
      problems.add(Code::framework_forbids, "/parallel/zero_stage",
                   {{"framework", "DeepSpeed"}, {"a", "ZeRO stage " + std::to_string(l.zero_stage)}, {"b", "pipeline stages"}, {"instead", "zero_stage 0 or 1, or pipeline 1"}});
    if (out_.framework == Framework::unsloth && l.pipeline * l.tensor * l.context > 1)
      problems.add(Code::framework_forbids, "/parallel",
                   {{"framework", "Unsloth"}, {"a", "its own kernels"}, {"b", "a model split over devices"}, {"instead", "data alone"}});
    if (l.virtual_pipeline > 1 && l.pipeline == 1) problems.add(Code::option_without_effect, "/parallel/virtual_pipeline", {{"option", "virtual_pipeline"}, {"needs", "pipeline > 1"}});
    if (l.sequence && l.tensor == 1) problems.add(Code::option_without_effect, "/parallel/sequence", {{"option", "sequence"}, {"needs", "tensor > 1"}});
    if (const auto batch = r_.count("/global_batch"); batch > 0) {
      const auto step = static_cast<std::int64_t>(out_.micro_batch.value) * l.data;
      if (batch % step != 0) does_not_divide("/global_batch", "sequences", batch, "micro_batch x data", step, around(batch, step));
      else out_.accumulation = {static_cast<double>(batch / step), From::user};
    }
    if (out_.framework == Framework::megatron && l.pipeline > 1) dealt_by_megatron(m.spec.layers());
    // Accelerate and Lightning's Fabric leave gradients whole between micro-batches unless told not to.
    const bool sums = fsdp && l.zero_stage > 0 && out_.accumulation.value > 1;
    l.no_sync = r_.has("/parallel/no_sync") ? r_.flag("/parallel/no_sync") : sums;
    if (sums && !r_.has("/parallel/no_sync")) r_.assume("/parallel/no_sync", "true", "default");
    if (l.no_sync && (!fsdp || out_.accumulation.value <= 1))
      problems.add(Code::option_without_effect, "/parallel/no_sync", {{"option", "no_sync"}, {"needs", fsdp ? "gradient_accumulation > 1" : "framework fsdp"}});
    if (m.spec.context > 0 && out_.sequence_tokens.value > static_cast<double>(m.spec.context))
      problems.add(Code::context_beyond_model, "/sequence_tokens",
                   {{"context", out_.sequence_tokens.value}, {"limit", static_cast<double>(m.spec.context)}});
  }

  // Table and loss may count as a layer each (account_for_embedding_in_pipeline_split); chunks take turns in rounds of all stages.
  void dealt_by_megatron(std::int64_t layers) {
    const auto& l = out_.layout;
    const auto chunks = l.pipeline * l.virtual_pipeline;
    const auto refuses = [&](std::string_view path, Named a, Named b) { r_.problems().add(Code::engine_refuses, path, {{"engine", "Megatron"}, a, b}); };
    if (chunks <= layers && layers % chunks != 0 && (layers + 2) % chunks != 0)
      refuses("/parallel/pipeline", {"layers", static_cast<double>(layers)}, {"chunks", static_cast<double>(chunks)});
    const auto batches = static_cast<std::int64_t>(out_.accumulation.value);
    if (l.virtual_pipeline > 1 && batches % l.pipeline != 0)
      refuses("/gradient_accumulation", {"stages", static_cast<double>(l.pipeline)}, {"batches", static_cast<double>(batches)});
  }

  Reader& r_;
  TrainRequest& out_;
};

}  // namespace

std::optional<TrainRequest> read_train_request(const json& request, const Catalog& catalog, Problems& problems) {
  check_fields(request, train_fields(), problems);
  if (!request.is_object()) return std::nullopt;
  Reader r(request, train_fields(), catalog, problems);
  TrainRequest out;
  TrainReader(r, out).run();
  if (problems.has_errors()) return std::nullopt;
  out.assumptions = std::move(r.assumptions);
  return out;
}

}  // namespace weighbridge
