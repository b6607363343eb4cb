#include "read/quantization.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace weighbridge {

namespace {

constexpr std::size_t kMostModules = 20'000;
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
    if (bits == 4 && group == 32) return {"mxfp4", "mxfp4"};
    if (bits == 4) return {"nvfp4", "nvfp4"};
    return {};
  }
  if (bits == 8) return group > 0 ? grouped("int8", "int8", group) : Scheme{"w8a8-int8", "int8-row"};
  if (bits == 4 && group > 0) return grouped("int4", "int4", group);
  return {};
}

// Several groups may differ (8 bits for attention, 4 for experts): the narrowest holds most weights.
Scheme from_groups(ConfigReader& r, const nlohmann::json& q) {
  const auto* groups = entry(q, "config_groups");
  if (!groups || !groups->is_object()) return {};
  Scheme best;
  std::int64_t least = 0;
  std::set<std::string> seen;
  for (const auto& group : *groups) {
    const auto* weights = entry(group, "weights");
    if (!weights) continue;
    auto scheme = from_numbers(*weights);
    const auto bits = number_in(*weights, "num_bits", 0);
    seen.insert(scheme.encoding);
    if (best.encoding.empty() || bits < least) {
      best = std::move(scheme);
      least = bits;
    }
  }
  if (seen.size() > 1) r.ignored("quantization_config", "its groups differ, and all linear layers are counted in the narrowest");
  return best;
}

Scheme scheme_of(ConfigReader& r, const nlohmann::json& q) {
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
  if (method == "gptq") return bits == 8 ? grouped("gptq-int8", "gptq-int8", group) : bits == 4 ? grouped("gptq-int4", "gptq-int4", group) : Scheme{};
  if (method == "bitsandbytes" || flag_in(q, "load_in_4bit") || flag_in(q, "load_in_8bit")) {
    if (flag_in(q, "load_in_8bit")) return {"bnb-int8", "bnb-int8"};
    return flag_in(q, "bnb_4bit_use_double_quant") ? Scheme{"nf4-dq", "nf4-b64-dq"} : Scheme{"nf4", "nf4-b64"};
  }
  if (auto scheme = from_groups(r, q); !scheme.encoding.empty()) return scheme;
  if (algorithm == "fp8") return {"fp8", "fp8-tensor"};
  if (algorithm == "nvfp4") return {"nvfp4", "nvfp4"};
  if (algorithm == "w4a16_awq") return grouped("awq-int4", "awq-int4", group > 0 ? group : 128);
  // MLX writes two numbers and no method.
  if (method.empty() && group > 0 && (bits == 4 || bits == 8)) {
    const auto name = "mlx-" + std::to_string(bits) + "bit";
    auto scheme = grouped(name, name, group);
    scheme.matrices = true;
    return scheme;
  }
  return {};
}

const std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"shared_expert", "shared_experts"}, {"block_sparse_moe", "mlp"}, {"feed_forward", "mlp"}, {"w1", "gate_proj"},
    {"w2", "down_proj"}, {"w3", "up_proj"}, {"fc1", "up_proj"}, {"fc2", "down_proj"}, {"attn", "self_attn"}, {"ffn", "mlp"}};

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
  for (const std::string_view part : {"vision", "visual", "audio", "multi_modal", "mm_projector", "embed", "norm", "lm_head", "router", "bias", "indexer"})
    if (module.find(part) != std::string_view::npos) return true;
  const auto last = module.substr(module.rfind('.') + 1);
  return last == "gate" || last == "head" || last == "shared_expert_gate";
}

std::vector<std::string> unquantised(const nlohmann::json& q, std::int64_t layers) {
  std::map<std::string, std::set<std::int64_t>> numbered;        // with {} for the layer
  std::set<std::string> plain;
  for (const auto key : {"modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules", "llm_int8_skip_modules"}) {
    const auto* list = entry(q, key);
    if (!list || !list->is_array() || list->size() > kMostModules) continue;
    for (const auto& item : *list) {
      const auto* text = item.get_ptr<const std::string*>();
      if (!text || text->size() > 200) continue;
      std::vector<std::string> modules;
      expand(dotted(*text), modules);
      for (const auto& module : modules) {
        if (module.empty() || says_nothing(module)) continue;
        std::string name, general;
        std::int64_t layer = -1;
        for (std::size_t from = 0; from <= module.size();) {
          const auto to = std::min(module.find('.', from), module.size());
          std::string part = module.substr(from, to - from);
          for (const auto& [theirs, ours] : kOtherNames)
            if (part == theirs) part = ours;
          const bool number = !part.empty() && part.size() < 6 && part.find_first_not_of("0123456789") == std::string::npos;
          if (number && layer < 0) layer = std::stoi(part);
          const char* dot = name.empty() ? "" : ".";
          name += dot + part;
          general += dot + (number ? std::string("{}") : part);
          from = to + 1;
        }
        if (layer >= 0) numbered[general].insert(layer);
        else plain.insert(name);
      }
    }
  }
  for (const auto& [general, named] : numbered) {
    const auto hole = general.find("{}");
    if (static_cast<std::int64_t>(named.size()) >= layers) plain.insert(general);
    else
      for (const auto layer : named) plain.insert(general.substr(0, hole) + std::to_string(layer) + general.substr(hole + 2));
  }
  return {plain.begin(), plain.end()};
}

bool known(const Formats& formats, std::string_view encoding) {
  return std::any_of(formats.encodings.begin(), formats.encodings.end(), [&](const Encoding& e) { return e.id == encoding; });
}

}  // namespace

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
  const auto scheme = scheme_of(r, *q);
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
  return p;
}

}  // namespace weighbridge
