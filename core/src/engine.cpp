#include "weighbridge/engine.hpp"

namespace weighbridge {

namespace {

constexpr std::string_view kRules[] = {"ideal", "budget", "static_share", "free_share", "dynamic", "buffers"};

constexpr std::string_view kNames[] = {
    "memory_share", "memory_share_2", "memory_share_4", "memory_share_8", "kept_bytes", "kept_bytes_per_pass_token",
    "kept_bytes_per_device", "context_bytes", "context_in_budget", "libraries_bytes", "libraries_bytes_2", "libraries_bytes_4",
    "libraries_bytes_8", "libraries_bytes_slow", "graph_bytes", "graph_bytes_per_layer", "graph_bytes_per_moe_layer", "pieces_to", "graphs_to", "graph_step", "graphs_in_budget", "pass_tokens",
    "pass_tokens_large", "large_memory_bytes", "whole_prompts_to", "max_sequences", "max_sequences_large", "sampler_copies",
    "hidden_copies", "score_copies", "expert_buffers", "media_tokens", "media_patches", "prompt_logit_bytes", "every_logit", "feed_forward_rows", "feed_forward_hidden", "mask_bytes", "pipeline_copies", "left_over_layers", "cell_tokens", "windows_mixed",
    "windows_all", "window_pass", "window_least_tokens", "equal_groups", "state_ratio", "latent", "state_bits",
    "position_tables", "latent_products", "latent_copies", "towers_always", "head_elements",
};
static_assert(std::size(kNames) == kConstants, "one name per constant, in its order");

}  // namespace

std::optional<EngineRule> find_engine_rule(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kRules); ++i)
    if (kRules[i] == name) return static_cast<EngineRule>(i);
  return std::nullopt;
}

std::optional<MeasuredPart> find_measured_part(std::string_view name) {
  constexpr std::string_view names[] = {"activations", "libraries", "graphs", "total", "pool", "context"};
  for (std::size_t i = 0; i < std::size(names); ++i)
    if (names[i] == name) return static_cast<MeasuredPart>(i);
  return std::nullopt;
}

std::string_view constant_name(Constant constant) { return kNames[static_cast<std::size_t>(constant)]; }

std::optional<Constant> find_constant(std::string_view name) {
  for (std::size_t i = 0; i < kConstants; ++i)
    if (kNames[i] == name) return static_cast<Constant>(i);
  return std::nullopt;
}

std::optional<double> version_number(std::string_view version) {
  if (!version.empty() && (version[0] == 'v' || version[0] == 'b')) version.remove_prefix(1);
  double number = 0, part = 0;
  int parts = 1, digits = 0;
  for (const char c : version) {
    if (c >= '0' && c <= '9') {
      part = part * 10 + (c - '0');
      if (++digits > 6) return std::nullopt;
    } else if (c == '.' && digits > 0 && parts < 3) {
      number = number * 1000 + part;
      part = digits = 0;
      ++parts;
    } else {
      break;                       // ".post1", "rc2", "+cu128"
    }
  }
  if (digits == 0 && parts == 1) return std::nullopt;
  for (number = number * 1000 + part; parts < 3; ++parts) number *= 1000;
  return number;
}

EngineProfile profile_at(EngineRule rule, const std::vector<EngineConstant>& rows, double version) {
  EngineProfile profile;
  profile.rule = rule;
  std::array<double, kConstants> since;
  since.fill(-1);
  for (const auto& row : rows) {
    const auto i = static_cast<std::size_t>(row.id);
    if (row.since > version || row.since < since[i]) continue;
    since[i] = row.since;
    profile.values[i] = row.value;
  }
  return profile;
}

}  // namespace weighbridge
