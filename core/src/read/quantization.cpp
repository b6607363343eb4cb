#include "read/quantization.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "json_writer.hpp"
#include "read/json_text.hpp"

namespace weighbridge {

namespace {

constexpr std::size_t kMostModules = 200'000;       // names and layers that they stand for
constexpr std::string_view kWeightDtypes = "bfloat16, float16 or float32";

struct Dtype {
  std::string_view name, format, encoding;
};
constexpr std::array kDtypes{Dtype{"bfloat16", "bf16", "bf16"}, Dtype{"float16", "fp16", "f16"}, Dtype{"half", "fp16", "f16"},
                             Dtype{"float32", "fp32", "f32"},   Dtype{"float", "fp32", "f32"}};

// One way to store linear layers: the weight format it belongs to and the exact encoding.
struct Scheme {
  std::string format, encoding;
  bool experts_only = false, matrices = false;
};

std::string text_in(const nlohmann::json& object, std::string_view key) {
  const auto* value = entry(object, key);
  const auto* text = value ? value->get_ptr<const std::string*>() : nullptr;
  return text ? *text : std::string();
}
std::int64_t number_in(const nlohmann::json& object, std::string_view key, std::int64_t otherwise) {
  const auto* value = entry(object, key);
  std::int64_t out = otherwise;
  if (value) whole_number(*value, -1, kMostCount, out);
  return out;
}
bool flag_in(const nlohmann::json& object, std::string_view key) {
  const auto* value = entry(object, key);
  const auto* flag = value ? value->get_ptr<const bool*>() : nullptr;
  return flag && *flag;
}

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Scheme grouped(std::string format, const std::string& encoding, std::int64_t group) {
  return {std::move(format), encoding + "-g" + std::to_string(group)};
}

// compressed-tensors and ModelOpt describe the weights of a group of layers by their numbers.
Scheme from_numbers(const nlohmann::json& weights) {
  const auto bits = number_in(weights, "num_bits", 0), group = number_in(weights, "group_size", 0);
  const auto strategy = text_in(weights, "strategy");
  if (text_in(weights, "type") == "float") {
    if (bits == 8 && strategy == "block") return {"fp8", "fp8-tile128"};
    if (bits == 8 && strategy == "channel") return {"fp8", "fp8-row"};
    if (bits == 8) return {"fp8", "fp8-tensor"};
    if (bits == 8 && group == 32) return {"fp8", "mxfp8"};
    if (bits == 4 && group == 32) return {"mxfp4", "mxfp4"};
    if (bits == 4) return {"nvfp4", "nvfp4"};
    return {};
  }
  if (bits == 8) return group > 0 ? grouped("int8", "int8", group) : Scheme{"w8a8-int8", "int8-row"};
  if (bits != 4) return {};
  const auto* symmetric = entry(weights, "symmetric");
  const bool zeros = symmetric && symmetric->is_boolean() && !*symmetric->get_ptr<const bool*>();
  if (group > 0) return grouped("int4", zeros ? "awq-int4" : "int4", group);
  return {"int4", "int4-row"};
}

// "NVFP4", "FP8", "W4A16_AWQ", …: how ModelOpt names what it did to a module.
Scheme from_algorithm(const std::string& algorithm, std::int64_t group) {
  if (algorithm == "fp8") return {"fp8", "fp8-tensor"};
  if (algorithm == "fp8_pb_wo" || algorithm == "fp8_block_scales") return {"fp8", "fp8-tile128"};
  if (algorithm == "fp8_pc_pt") return {"fp8", "fp8-row"};
  if (algorithm == "mxfp8") return {"fp8", "mxfp8"};
  if (algorithm == "nvfp4" || algorithm == "nvfp4_awq" || algorithm == "w4a16_nvfp4") return {"nvfp4", "nvfp4"};
  if (algorithm == "mxfp4" || algorithm == "w4a16_mxfp4") return {"mxfp4", "mxfp4"};
  if (algorithm == "w4a16_awq" || algorithm == "w4a8_awq") return grouped("awq-int4", "awq-int4", group > 0 ? group : 128);
  if (algorithm == "int8_sq" || algorithm == "w8a8_sq_per_channel") return {"w8a8-int8", "int8-row"};
  return {};
}

// Without targets, or with the class of all linear layers.
bool names_all_linear(const nlohmann::json& group) {
  const auto* targets = entry(group, "targets");
  if (!targets || !targets->is_array() || targets->empty()) return true;
  for (const auto& target : *targets)
    if (target == "Linear") return true;
  return false;
}

// The group whose layers are all linear ones, or the narrowest: it holds most weights. Others are named by their modules.
Scheme from_groups(const nlohmann::json& q) {
  const auto* groups = entry(q, "config_groups");
  if (!groups || !groups->is_object()) return {};
  Scheme best;
  std::int64_t least = 0;
  for (const auto& group : *groups) {
    const auto* weights = entry(group, "weights");
    if (!weights) continue;
    auto scheme = from_numbers(*weights);
    auto bits = number_in(*weights, "num_bits", 0);
    if (names_all_linear(group)) bits = -1;
    if (best.encoding.empty() || bits < least) {
      best = std::move(scheme);
      least = bits;
    }
  }
  return best;
}

// MLX writes two numbers and no method; newer files a mode.
Scheme from_mlx(const nlohmann::json& q) {
  const auto bits = number_in(q, "bits", 0), group = number_in(q, "group_size", 0);
  const auto mode = text_in(q, "mode");
  Scheme scheme;
  if (mode == "mxfp4" || mode == "nvfp4" || mode == "mxfp8") scheme = {mode == "mxfp8" ? "fp8" : mode, mode};
  else if (group > 0 && bits >= 2 && bits <= 8) scheme = grouped("mlx-" + std::to_string(bits) + "bit", "mlx-" + std::to_string(bits) + "bit", group);
  scheme.matrices = true;
  return scheme;
}

Scheme scheme_of(const nlohmann::json& q) {
  const auto method = lower(text_in(q, "quant_method"));
  const auto algorithm = lower(text_in(q, "quant_algo"));
  const auto bits = number_in(q, "bits", 0), group = number_in(q, "group_size", 0);
  if (method == "fp8") {
    if (entry(q, "weight_block_size") || (!q.contains("weight_block_size") && text_in(q, "activation_scheme") != "static")) return {"fp8", "fp8-tile128"};
    return {"fp8", "fp8-tensor"};
  }
  if (method == "fbgemm_fp8") return {"fp8", "fp8-row"};
  if (method == "mxfp4") return {"mxfp4", "mxfp4", true};
  if (method == "awq") return bits == 4 || bits == 0 ? grouped("awq-int4", "awq-int4", group > 0 ? group : 128) : Scheme{};
  if (method == "gptq") {
    if (bits != 4 && bits != 8) return {};
    const auto name = "gptq-int" + std::to_string(bits);
    return group > 0 ? grouped(name, name, group) : Scheme{name, name + "-row"};
  }
  if (method == "bitsandbytes" || flag_in(q, "load_in_4bit") || flag_in(q, "load_in_8bit")) {
    if (flag_in(q, "load_in_8bit")) return {"bnb-int8", "bnb-int8"};
    return flag_in(q, "bnb_4bit_use_double_quant") ? Scheme{"nf4-dq", "nf4-b64-dq"} : Scheme{"nf4", "nf4-b64"};
  }
  if (method == "bitnet") return {"TQ2_0", "ternary-2bit"};          // three values in two bits, one scale a matrix
  if (method == "exl2" || method == "exl3") return {"int4", "int4-g128"};
  if (auto scheme = from_groups(q); !scheme.encoding.empty()) return scheme;
  if (auto scheme = from_algorithm(algorithm, group); !scheme.encoding.empty()) return scheme;
  if (algorithm == "mixed_precision") return {"fp8", "fp8-tensor"};
  if (method.empty()) return from_mlx(q);
  return {};
}

const std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"shared_expert", "shared_experts"}, {"block_sparse_moe", "mlp"}, {"feed_forward", "mlp"}, {"w1", "gate_proj"},
    {"w2", "down_proj"}, {"w3", "up_proj"}, {"fc1", "up_proj"}, {"fc2", "down_proj"}, {"attn", "self_attn"}, {"ffn", "mlp"},
    {"indexers_proj", "indexer.weights_proj"}};              // ".weight" was cut out of the middle

// A module name, glob or simple expression as a dotted name in which layers are numbers; empty when it cannot be one.
std::string dotted(std::string text) {
  std::string out;
  if (text.rfind("re:", 0) == 0) {
    for (std::size_t i = 3; i < text.size(); ++i) {
      const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
      if (c == '\\' && next != '\0') out += text[++i];
      else if (c == '.' && next == '*') out += text[++i];
      else if (c != '^' && c != '$') out += c;
    }
  } else {
    out = std::move(text);
  }
  while (!out.empty() && (out.front() == '*' || out.front() == '.')) out.erase(0, 1);
  while (!out.empty() && (out.back() == '*' || out.back() == '.')) out.pop_back();
  return out;
}

// "mlp.(gate|up)_proj" means two names.
void expand(const std::string& text, std::vector<std::string>& out) {
  const auto open = text.find('('), close = text.find(')');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    if (text.find_first_of("()|[]+?") == std::string::npos) out.push_back(text);
    return;
  }
  for (std::size_t from = open + 1; from <= close;) {
    const auto to = std::min(text.find('|', from), close);
    auto one = text.substr(0, open) + text.substr(from, to - from) + text.substr(close + 1);
    if (one.find('(') == std::string::npos) out.push_back(std::move(one));
    from = to + 1;
  }
}

// Towers and what is never quantised say nothing of the language model's linear layers.
bool says_nothing(std::string_view module) {
  for (const std::string_view part : {"vision", "visual", "audio", "multi_modal", "mm_projector", "embed", "norm", "lm_head", "router", "bias"})
    if (module.find(part) != std::string_view::npos) return true;
  const auto last = module.substr(module.rfind('.') + 1);
  return last == "gate" || last == "head" || last == "shared_expert_gate";
}

bool known(const Formats& formats, std::string_view encoding) {
  return std::any_of(formats.encodings.begin(), formats.encodings.end(), [&](const Encoding& e) { return e.id == encoding; });
}

bool is_layer(std::string_view part) { return !part.empty() && part.size() < 6 && part.find_first_not_of("0123456789") == std::string_view::npos; }

// Of what is_layer takes. Not std::stoi, which brings printf along for the errors that it could throw.
int layer_number(std::string_view part) {
  int out = 0;
  for (const char c : part) out = out * 10 + (c - '0');
  return out;
}

// The layers that one part of a name stands for: "7", or "{0-2,7}" as compact_modules writes it. Empty: it is no such part.
std::set<std::int64_t> layers_named(std::string_view part, std::size_t most) {
  std::set<std::int64_t> out;
  if (is_layer(part)) out.insert(layer_number(part));
  if (part.size() < 3 || part.front() != '{' || part.back() != '}') return out;
  part = part.substr(1, part.size() - 2);
  while (!part.empty()) {
    const auto one = part.substr(0, part.find(','));
    part.remove_prefix(std::min(part.size(), one.size() + 1));
    const auto dash = one.find('-');
    const auto from = one.substr(0, dash), to = dash == std::string_view::npos ? from : one.substr(dash + 1);
    if (!is_layer(from) || !is_layer(to)) return {};
    for (int i = layer_number(from), end = layer_number(to); i <= end && out.size() < most; ++i) out.insert(i);
  }
  return out;
}

// Names of modules, gathered: those that say the same of every layer become one.
class Modules {
 public:
  void add(const std::string& text, bool quiet) {
    if (text.size() > 2'000 || ++given_ > kMostModules) return;
    std::vector<std::string> modules;
    expand(dotted(text), modules);
    for (const auto& module : modules) {
      if (module.empty() || (quiet && says_nothing(module))) continue;
      std::string name, general;
      std::set<std::int64_t> named;
      for (std::size_t from = 0; from <= module.size();) {
        const auto to = std::min(module.find('.', from), module.size());
        std::string part = module.substr(from, to - from);
        for (const auto& [theirs, ours] : kOtherNames)
          if (part == theirs) part = ours;
        auto layers = named.empty() ? layers_named(part, kMostModules - given_) : std::set<std::int64_t>();
        const bool first = !layers.empty(), number = first || is_layer(part);
        if (first) given_ += layers.size() - 1, named = std::move(layers);
        const char* dot = name.empty() ? "" : ".";
        name += dot + (number && !first ? std::string("{}") : part);         // single experts are no rows of their own
        general += dot + (first ? std::string("{layer}") : number ? std::string("{}") : part);
        from = to + 1;
      }
      if (named.empty()) plain_.insert(name);
      else numbered_[general].insert(named.begin(), named.end());
    }
  }
  std::vector<std::string> take(std::int64_t layers) {
    constexpr std::string_view kHole = "{layer}";
    for (const auto& numbered : numbered_) {               // no structured binding: clang 14 does not capture one
      const auto& general = numbered.first;
      const auto& named = numbered.second;
      const auto hole = general.find(kHole);
      const auto with = [&](const std::string& what) { return general.substr(0, hole) + what + general.substr(hole + kHole.size()); };
      const bool all = static_cast<std::int64_t>(named.size()) >= layers;
      if (all) plain_.insert(with("{}"));
      for (const auto layer : named)                       // those beyond the last are prediction layers
        if (!all || layer >= layers) plain_.insert(with(std::to_string(layer)));
    }
    return {plain_.begin(), plain_.end()};
  }

 private:
  std::map<std::string, std::set<std::int64_t>> numbered_;
  std::set<std::string> plain_;
  std::size_t given_ = 0;
};

std::vector<std::string> unquantised(const nlohmann::json& q, std::int64_t layers) {
  Modules modules;
  for (const auto key : {"modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules", "llm_int8_skip_modules"}) {
    const auto* list = entry(q, key);
    if (!list || !list->is_array() || list->size() > kMostModules) continue;
    for (const auto& item : *list)
      if (const auto* text = item.get_ptr<const std::string*>()) modules.add(*text, true);
  }
  // MLX: {"model.layers.0.mlp.gate": false}
  for (auto at = q.begin(); at != q.end(); ++at)
    if (at.value() == false && at.key().find('.') != std::string::npos) modules.add(at.key(), false);
  return modules.take(layers);
}

// Modules that are stored in another way than `main`: groups with targets of their own, layers listed one by one.
void other_parts(const nlohmann::json& q, const Scheme& main, const Formats& formats, std::int64_t layers, Published& p) {
  std::map<std::string, Modules> by_encoding;
  const auto* groups = entry(q, "config_groups");
  const auto* listed = entry(q, "quantized_layers");
  bool all_named = false;
  if (listed && listed->is_object() && !listed->empty()) {
    all_named = true;
    for (auto at = listed->begin(); at != listed->end(); ++at) {
      const auto scheme = from_algorithm(lower(text_in(at.value(), "quant_algo")), number_in(at.value(), "group_size", 0));
      if (!scheme.encoding.empty()) by_encoding[scheme.encoding].add(at.key(), false);
    }
  } else if (groups && groups->is_object()) {
    all_named = !groups->empty();
    for (const auto& group : *groups) {
      const auto* weights = entry(group, "weights");
      if (!weights) continue;
      if (names_all_linear(group)) {
        all_named = false;
        continue;
      }
      const auto scheme = from_numbers(*weights);
      if (scheme.encoding.empty()) continue;
      for (const auto& target : group["targets"])
        if (const auto* text = target.get_ptr<const std::string*>()) by_encoding[scheme.encoding].add(*text, false);
    }
  }
  if (main.matrices) {
    for (auto at = q.begin(); at != q.end(); ++at)
      if (const auto scheme = at.value().is_object() ? from_mlx(at.value()) : Scheme{}; !scheme.encoding.empty()) by_encoding[scheme.encoding].add(at.key(), false);
  }
  for (auto& [encoding, modules] : by_encoding) {
    if (!known(formats, encoding)) continue;
    for (auto& module : modules.take(layers)) p.parts.push_back({std::move(module), formats.encoding(encoding)});
  }
  p.named_only = all_named && !p.parts.empty();
}


}  // namespace

namespace {

// "layers.3.mlp" -> "layers.{layer}.mlp" and 3; experts and the like lose their numbers. -1: it names no layer.
std::int64_t generalise(const std::string& name, std::string& general) {
  std::int64_t layer = -1;
  for (std::size_t from = 0; from <= name.size();) {
    const auto to = std::min(name.find('.', from), name.size());
    const auto part = std::string_view(name).substr(from, to - from);
    if (from > 0) general += '.';
    if (!is_layer(part)) general += part;
    else if (layer >= 0) general += "{}";
    else general += "{layer}", layer = layer_number(part);
    from = to + 1;
  }
  return layer;
}

std::string ranges(const std::set<std::int64_t>& layers) {
  std::string out;
  for (auto at = layers.begin(); at != layers.end();) {
    const auto first = *at;
    auto last = first;
    for (++at; at != layers.end() && *at == last + 1; ++at) ++last;
    out += (out.empty() ? "" : ",") + std::to_string(first) + (last > first ? "-" + std::to_string(last) : std::string());
  }
  return "{" + out + "}";
}

// Names of modules, by what they are but for the layer and by what is said of them; a name for each group that stands for all of
// its layers.
class Groups {
 public:
  void add(const std::string& name, const nlohmann::json& value) {
    std::string general;
    const auto layer = name.rfind("re:", 0) == 0 ? -1 : generalise(name, general);
    auto& layers = groups_[(layer < 0 ? name : general) + '\n' + json_text(value)];
    if (layer >= 0) layers.insert(layer);
  }
  template <class Put>
  void take(Put put) const {
    for (const auto& [key, layers] : groups_) {
      const auto end = key.rfind('\n');
      auto name = key.substr(0, end);
      if (!layers.empty()) name.replace(name.find("{layer}"), 7, ranges(layers));
      put(name, parse_trusted(std::string_view(key).substr(end + 1)));
    }
  }

 private:
  std::map<std::string, std::set<std::int64_t>> groups_;
};

void compact(nlohmann::json& q, int depth) {
  Groups groups;
  if (q.is_array()) {
    for (const auto& item : q) {
      const auto* text = item.get_ptr<const std::string*>();
      if (!text) return;
      groups.add(*text, nullptr);
    }
    q = nlohmann::json::array();
    groups.take([&](const std::string& name, const nlohmann::json&) { q.push_back(name); });
  } else if (q.is_object()) {
    auto rest = nlohmann::json::object();
    for (auto at = q.begin(); at != q.end(); ++at) {
      if (at.key().find('.') != std::string::npos) groups.add(at.key(), at.value());
      else if (depth > 0) compact(rest[at.key()] = at.value(), depth - 1);
      else rest[at.key()] = at.value();
    }
    groups.take([&](const std::string& name, const nlohmann::json& value) { rest[name] = value; });
    q = std::move(rest);
  }
}

}  // namespace

void compact_modules(nlohmann::json& config, int depth) {
  if (!config.is_object()) return;
  for (auto at = config.begin(); at != config.end(); ++at) {
    const auto& key = at.key();
    if (key == "quantization_config" || key == "quantization" || key == "compression_config") compact(at.value(), 3);
    else if (depth > 0) compact_modules(at.value(), depth - 1);
  }
}

Published read_published(ConfigReader& r, const Formats& formats, std::int64_t layers) {
  Published p;
  auto dtype = std::string("bfloat16");
  p.assumed = true;
  for (const auto key : {"torch_dtype", "dtype"}) {
    const auto* value = r.find_anywhere(key);
    if (!value) continue;
    const auto* given = value->get_ptr<const std::string*>();
    if (!given) {
      r.bad(key, *value, std::string(kWeightDtypes));
      continue;
    }
    auto name = given->rfind("torch.", 0) == 0 ? given->substr(6) : *given;
    const bool is_known = std::any_of(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return d.name == name; });
    if (is_known) {
      dtype = std::move(name);
      p.assumed = false;
    } else {
      r.ignored(key, "it is " + described(*value) + ", and 16 bits are taken");
    }
    break;
  }
  for (const auto& d : kDtypes) {
    if (d.name != dtype) continue;
    p.format = d.format;
    p.rest = formats.encoding(d.encoding);
  }

  const nlohmann::json* q = nullptr;
  std::string_view name;
  for (const auto key : {"quantization_config", "quantization", "compression_config"}) {
    if ((q = r.find_anywhere(key))) {
      name = key;
      break;
    }
  }
  if (!q) return p;
  if (!q->is_object()) {
    r.bad(name, *q, "an object");
    return p;
  }
  const auto scheme = scheme_of(*q);
  if (scheme.encoding.empty() || !known(formats, scheme.encoding)) {
    r.ignored(name, "this way of quantising is not known, and 16 bits are taken; name the format in the request");
    p.assumed = true;
    return p;
  }
  p.format = scheme.format;
  p.quantised = true;
  p.assumed = false;
  p.linear = formats.encoding(scheme.encoding);
  p.experts_only = scheme.experts_only;
  p.matrices = scheme.matrices;
  p.unquantised = unquantised(*q, layers);
  other_parts(*q, scheme, formats, layers, p);
  const auto method = lower(text_in(*q, "quant_method"));
  if (method == "exl2" || method == "exl3") {
    const auto bits = [&](std::string_view key, double otherwise) {
      const auto* value = entry(*q, key);
      const double given = value && value->is_number() ? value->get<double>() : otherwise;
      return given >= 1 && given <= 16 ? given : otherwise;
    };
    p.bits = bits("bits", 4);
    p.head_bits = bits("head_bits", 6);
  }
  // bitsandbytes takes every linear layer that it is not told to skip, those of towers too.
  const auto* skipped = entry(*q, "llm_int8_skip_modules");
  const auto skips = [&](std::string_view part) {
    if (!skipped || !skipped->is_array()) return false;
    for (const auto& item : *skipped)
      if (const auto* text = item.get_ptr<const std::string*>(); text && text->find(part) != std::string::npos) return true;
    return false;
  };
  p.towers = (method == "bitsandbytes" || flag_in(*q, "load_in_4bit") || flag_in(*q, "load_in_8bit")) && !skips("vision") && !skips("visual");
  return p;
}

}  // namespace weighbridge
