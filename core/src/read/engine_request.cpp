// An engine and its version out of a request, and what the engine itself would say to the rest of it.
#include <algorithm>
#include <cmath>

#include "read/request_reader.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

// Where nothing was released as that version, the release before it; of a line that is over the last release is known.
std::string_view version_before(const CatalogEngine& engine, double version, bool whole) {
  const auto line = [](double v) { return std::floor(v / 1000); };
  const auto major = [](double v) { return std::floor(v / 1e6); };
  std::string_view before;
  for (const auto& release : engine.releases) {
    const double end = version_number(release).value_or(0);
    if (line(end) == line(version)) return whole && version > end ? std::string_view(release) : std::string_view();
    if (end > version) return before;
    before = release;
  }
  const bool over = !before.empty() && major(version) < major(version_number(engine.versions[1]).value_or(0));
  return over ? before : std::string_view();
}

// The version as a number: the newest when none is given, the nearest known one, with a warning, when there is no such version. "0.7" is the
// last patch of it, "0.7.0" is what it says.
double known_version(Reader& r, const CatalogEngine& engine, std::string_view given) {
  constexpr double kPatches = 999;                       // "0.11" covers its patches
  if (engine.versions.size() != 2) return 0;
  const double first = version_number(engine.versions[0]).value_or(0), last = version_number(engine.versions[1]).value_or(0) + kPatches;
  if (given.empty()) return version_number(engine.unstated).value_or(last);
  auto version = version_number(given);
  std::string_view taken = engine.versions[!version || *version > last ? 1 : 0];
  const bool whole = std::count(given.begin(), given.end(), '.') >= 2;         // a build ("b5921") is one number
  if (version && *version >= first && *version <= last) taken = version_before(engine, *version, whole);
  if (version && taken.empty()) return !whole && given.find('.') != std::string_view::npos ? *version + kPatches : *version;
  r.problems().add(Code::unknown_engine_version, "/engine/version", {{"version", given}, {"taken", taken}});
  return taken == engine.versions[1] ? last : version_number(taken).value_or(first);
}

}  // namespace

EngineChoice read_engine(Reader& r) {
  EngineChoice out;
  const auto* value = r.valid("/engine");
  if (!value) {
    if (!r.has("/engine")) r.assume_text("/engine", "ideal", "default");
    return out;
  }
  std::string name;
  std::string_view path = "/engine";
  if (value->is_string()) {
    name = as_text(*value);
  } else {
    path = "/engine/name";
    if (!r.has(path)) { r.missing("/engine", "name"); return out; }
    name = text_of(*value, "name");
    out.version = text_of(*value, "version");
    if (!value_at(*value, "/name")->is_string()) return out;
  }
  const auto* engine = r.catalog().find_engine(name);
  if (!engine) {
    std::vector<std::string> known;
    for (const auto& e : r.catalog().engines()) known.push_back(e.id);
    r.unknown(Code::unknown_engine, path, name, known);
    return out;
  }
  out.id = engine->id;
  out.layer_split = engine->layer_split;
  out.ranges = engine->ranges;
  if (!engine->profile) r.problems().add(Code::engine_as_ideal, path, {{"engine", engine->name}});
  out.profile = profile_at(engine->rule, engine->constants, known_version(r, *engine, out.version));
  return out;
}

namespace {

bool has_budget(EngineRule rule) { return rule == EngineRule::budget || rule == EngineRule::static_share || rule == EngineRule::free_share; }

// Block formats of GGUF belong to llama.cpp and kin, which have no fp8; the others keep 16 bits, 8-bit floats or whole numbers.
bool keeps(EngineRule rule, const KvFormat& format) {
  const bool gguf = format.id[0] == 'q' || format.id.compare(0, 2, "iq") == 0;
  if (rule == EngineRule::ideal) return true;
  return rule == EngineRule::buffers ? gguf || format.bits >= 16 : !gguf;
}

}  // namespace

// A cache format that the engine does not have has no effect: it keeps its own 16 bits.
void check_kv_cache(Reader& r, Request& out, std::string_view engine) {
  const auto* standard = r.catalog().formats().find_kv("bf16");
  const auto check = [&](const KvFormat*& format, std::string_view path) {
    if (!format || keeps(out.engine.profile.rule, *format)) return;
    r.problems().add(Code::option_without_effect, r.has(path) ? path : "/kv_cache", {{"option", format->id}, {"engine", engine}});
    format = standard;
  };
  const bool one = out.k_format == out.v_format;
  check(out.k_format, "/kv_cache/k");
  if (one) out.v_format = out.k_format;
  else check(out.v_format, "/kv_cache/v");
}

// Beyond the model's own context: the answer is given, and the warning says what the engine itself would do.
void warn_of_context(Reader& r, const Request& out) {
  const double context = out.workload.context_tokens.value, limit = static_cast<double>(out.model->spec.context);
  const auto rule = out.engine.profile.rule;
  const bool refuses = has_budget(rule);
  if (rule == EngineRule::ideal) r.problems().add(Code::context_beyond_model, "/workload/context_tokens", {{"context", context}, {"limit", limit}});
  else r.problems().add(Code::context_beyond_model, "/workload/context_tokens",
                        {{"context", context}, {"limit", limit}, {refuses ? "refuses" : out.engine.id == "ollama" ? "cuts" : "runs", out.engine.id}});
}

namespace {

// Which engines know an option.
struct OptionOf {
  std::string_view name;
  std::string_view rules;              // "i b s f d l": as in EngineRule
};
constexpr OptionOf kOptionsOf[] = {
    {"gpu_memory_utilization", "b"}, {"mem_fraction_static", "s"}, {"max_num_batched_tokens", "ibf"}, {"chunked_prefill_size", "is"},
    {"max_num_seqs", "b"}, {"max_batch_size", "f"}, {"block_size", "b"}, {"enforce_eager", "b"}, {"decode_context_parallel", "bs"},
    {"mla", "bsl"}, {"enable_dp_attention", "ibsf"}, {"images_per_prompt", "bsl"}, {"kv_unified", "l"}, {"swa_full", "l"},
    {"lora_adapters", "bsfdl"}, {"n_gpu_layers", "l"}, {"n_cpu_moe", "l"}, {"no_kv_offload", "l"}, {"tensor_split", "l"}, {"n_batch", "l"}, {"n_ubatch", "l"}, {"flash_attention", "bsfdl"}, {"speculative", "ibsfdl"}, {"backend", "l"}, {"split_mode", "l"}, {"power_limit_w", "ibsfdl"},
};
constexpr char rule_letter(EngineRule rule) { return "ibsfdl"[static_cast<std::size_t>(rule)]; }

}  // namespace

void warn_of_options(Reader& r, const Request& out, std::string_view engine) {
  const auto* options = r.valid("/options");
  if (!options) return;
  for (auto at = options->begin(); at != options->end(); ++at) {
    const auto& key = at.key();
    const auto path = pointer("/options", key);
    if (at.value().is_null() || field_at(estimate_fields(), path).path != path) continue;              // the latter is already a problem
    const auto known = std::find_if(std::begin(kOptionsOf), std::end(kOptionsOf), [&](const OptionOf& o) { return o.name == key; });
    if (known != std::end(kOptionsOf) && known->rules.find(rule_letter(out.engine.profile.rule)) != std::string_view::npos) continue;
    const bool stranger = known != std::end(kOptionsOf) && out.engine.profile.rule != EngineRule::ideal;
    r.problems().add(Code::option_without_effect, path, {{"option", key}, {"engine", engine}, {"refuses", stranger ? engine : std::string_view()}});
  }
  if (const auto path = "/options/n_cpu_moe"; out.cpu_moe > 0 && out.model && out.model->experts == 0)
    r.problems().add(Code::option_without_effect, path, {{"option", "n_cpu_moe"}, {"model", out.model->spec.name}});
}

namespace {

// Key-value heads that are neither split nor copied evenly over a tensor group; 0: all are.
std::int64_t divided_heads(const Inventory& m, std::int64_t tensor) {
  for (const auto& c : m.caches) {
    if (c.replicated || c.k_elements <= 0 || c.layers == 0 || c.kv_heads <= 0) continue;
    if (c.kv_heads >= tensor ? c.kv_heads % tensor != 0 : tensor % c.kv_heads != 0) return c.kv_heads;
  }
  return 0;
}

}  // namespace

// What the engine itself would not start with; the answer is given as if it did.
void warn_of_refusals(Reader& r, const Request& out) {
  const auto* engine = r.catalog().find_engine(out.engine.id);
  const auto refuses = [&](std::string_view path, Named why, Named more = {"", std::string_view()}) { r.problems().add(Code::engine_refuses, path, {{"engine", engine->name}, why, more}); };
  if (const auto* f = out.weights.format; f && out.weights.from == From::user)
    for (const auto& prefix : engine->unread)
      if (prefix == "gguf" ? f->rule == FormatRule::gguf : prefix == "!gguf" ? f->rule != FormatRule::gguf && f->bits_per_weight < 16 : f->id.compare(0, prefix.size(), prefix) == 0) refuses("/weights", {"format", f->name});
  if (out.device && std::find(engine->unrun.begin(), engine->unrun.end(), out.device->device_class) != engine->unrun.end()) refuses("/device", {"device", out.device->name});
  const auto rule = out.engine.profile.rule;
  if (rule == EngineRule::buffers && !out.flash && out.v_format && out.v_format->bits < 16) refuses("/options/flash_attention", {"v_format", out.v_format->id});
  if (rule == EngineRule::budget) {
    const auto block = static_cast<std::int64_t>(out.cell_tokens);
    if (block > 256 || (block & (block - 1)) != 0 || block == 2 || block == 4) refuses("/options/block_size", {"block", out.cell_tokens}, {"accepted", "1, 8, 16, 32, 64, 128, 256"});
    if (out.chunk_tokens.value < out.max_sequences && r.has("/options/max_num_seqs"))
      refuses("/options/max_num_seqs", {"tokens", out.chunk_tokens.value}, {"sequences", out.max_sequences});
  }
  if (const auto n = out.model ? divided_heads(*out.model, out.layout.tensor) : 0; n > 0 && out.layout_given && has_budget(rule))
    refuses("/parallel/tensor", {"kv_heads", static_cast<double>(n)}, {"tensor", static_cast<double>(out.layout.tensor)});
  if (out.model && out.draft.model && (rule == EngineRule::budget || rule == EngineRule::static_share))
    if (const auto own = out.model->spec.vocabulary, drafted = out.draft.model->spec.vocabulary; drafted != own)
      refuses("/options/speculative/draft_model", {"draft", static_cast<double>(drafted)}, {"own", static_cast<double>(own)});
}

}  // namespace weighbridge
