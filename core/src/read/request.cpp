#include "weighbridge/request.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json.hpp"
#include "json_writer.hpp"
#include "read/request_reader.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/layout.hpp"

namespace weighbridge {

using nlohmann::json;

namespace {

// ---- formats ----

template <class List>
std::vector<std::string> format_names(const List& formats) {
  std::vector<std::string> names;
  for (const auto& f : formats) {
    names.push_back(f.id);
    names.insert(names.end(), f.aliases.begin(), f.aliases.end());
  }
  return names;
}

}  // namespace

WeightChoice read_weights(Reader& r, std::string_view path, const ModelChoice& of) {
  const auto* model = of.model.get();
  WeightChoice out;
  const auto* value = r.valid(path);
  const auto& formats = r.catalog().formats();
  if (value && value->is_string()) {
    out.from = From::user;
    out.format = formats.find_weight(as_text(*value));
    if (!out.format) r.unknown(Code::unknown_weight_format, path, as_text(*value), format_names(formats.weights));
  } else if (value) {
    out.from = From::user;
    const auto bits_path = std::string(path) + "/bits_per_weight";
    out.bits = r.figure(bits_path);
    if (!r.has(bits_path)) r.missing(path, "bits_per_weight");
  } else if (!r.has(path) && of.named_format) {
    out.format = of.named_format;
    out.from = From::assumed;
    r.assume_text(path, out.format->id, "estimated");
  } else if (!r.has(path) && model) {
    const auto& published = model->spec.published;
    const bool known = !published.format.empty() && !published.assumed;
    r.assume_text(path, published.format.empty() ? "bf16" : published.format, known ? "catalog" : "default");
    if (published.format.empty() && !published.quantised && model->stored.empty()) out.format = formats.find_weight("bf16");
  }
  return out;
}

namespace {

const KvFormat* read_kv(Reader& r, std::string_view path, const json& value) {
  const auto& formats = r.catalog().formats();
  if (!value.is_string()) return nullptr;              // already a problem
  const auto* format = formats.find_kv(as_text(value));
  if (!format) r.unknown(Code::unknown_kv_format, path, as_text(value), format_names(formats.kv));
  return format;
}

void read_kv_cache(Reader& r, Request& out) {
  const auto* standard = r.catalog().formats().find_kv("bf16");
  out.k_format = out.v_format = standard;
  const auto* value = r.valid("/kv_cache");
  if (!value) {
    if (!r.has("/kv_cache")) r.assume_text("/kv_cache", "bf16", "default");
    return;
  }
  out.kv_from = From::user;
  if (value->is_string()) {
    out.k_format = out.v_format = read_kv(r, "/kv_cache", *value);
    return;
  }
  if (const auto* k = value_at(*value, "/k")) out.k_format = read_kv(r, "/kv_cache/k", *k);
  else r.assume_text("/kv_cache/k", "bf16", "default");
  if (const auto* v = value_at(*value, "/v")) out.v_format = read_kv(r, "/kv_cache/v", *v);
  else r.assume_text("/kv_cache/v", "bf16", "default");
}

// ---- engine and device ----

const Device* find_device(Reader& r, std::string_view path, std::string_view id) {
  if (const auto* found = r.catalog().find_device(id)) return &found->device;
  std::vector<std::string> known;
  for (const auto& d : r.catalog().devices()) {
    known.push_back(d.device.id);
    known.insert(known.end(), d.aliases.begin(), d.aliases.end());
  }
  r.unknown(Code::unknown_device, path, id, known);
  return nullptr;
}

Device read_custom_device(Reader& r) {
  Device d;
  d.custom = true;
  const auto* name = r.valid("/device/name");
  d.id = d.name = name ? std::string(as_text(*name)) : std::string("custom");
  d.memory = d.marketed = d.visible = Bytes{r.figure("/device/memory_bytes")};
  if (!r.has("/device/memory_bytes")) r.missing("/device", "memory_bytes");
  d.bandwidth = BytesPerSecond{r.figure("/device/bandwidth")};
  constexpr std::string_view peaks[6] = {"/device/flops/fp32", "/device/flops/fp16", "/device/flops/bf16",
                                         "/device/flops/fp8", "/device/flops/fp4", "/device/flops/int8"};
  for (std::size_t a = 0; a < 6; ++a) d.peak[a] = FlopsPerSecond{r.figure(peaks[a])};
  d.link = BytesPerSecond{r.figure("/device/link_bandwidth")};
  d.per_node = r.count("/device/per_node");
  d.power = Watts{r.figure("/device/power_w")};
  d.price_per_hour = Dollars{r.figure("/device/price_usd_per_hour")};
  d.unified = r.flag("/device/unified");
  if (const auto* c = r.valid("/device/class")) d.device_class = as_text(*c);
  if (const auto* like = r.catalog().nearest_device(d)) {
    d.pace_class = like->pace_class;
    d.link_share = like->link_share;
    d.unfolds = like->unfolds;
    d.training_class = like->training_class;
    if (d.device_class.empty()) d.device_class = like->device_class;
    if (const auto theirs = peak(*like, Arithmetic::bf16).rate; d.power.value <= 0 && theirs.value > 0)
      d.rated_power = like->power * (peak(d, Arithmetic::bf16).rate / theirs);
    r.assume_text("/device/class", like->name, "estimated");
  }
  return d;
}

// Mixed cards run in step: what each can do is bounded by the weakest.
Device weakest_of(const std::vector<const Device*>& devices) {
  Device d = *devices.front();
  for (const auto* other : devices) {
    d.usable_fraction = std::min(d.usable_fraction, other->usable_fraction);
    d.memory = min(d.memory, other->memory);
    d.visible = min(d.visible, other->visible);
    d.marketed = min(d.marketed, other->marketed);
    d.bandwidth = min(d.bandwidth, other->bandwidth);
    for (std::size_t a = 0; a < 6; ++a) {
      if (other->peak[a] < d.peak[a]) d.peak[a] = other->peak[a];
      d.peak_kind[a] = weakest(d.peak_kind[a], other->peak_kind[a]);
    }
    d.link = min(d.link, other->link);
    d.power = max(d.power, other->power);
    d.price_per_hour = max(d.price_per_hour, other->price_per_hour);
    d.memory_kind = weakest(d.memory_kind, other->memory_kind);
    d.bandwidth_kind = weakest(d.bandwidth_kind, other->bandwidth_kind);
  }
  return d;
}

}  // namespace

// `first_only`: the engine takes the first of a list alone.
DeviceChoice read_device(Reader& r, bool layer_split, bool first_only) {
  DeviceChoice out;
  const auto* value = r.valid("/device");
  if (!value) return out;
  if (value->is_string()) {
    if (const auto* found = find_device(r, "/device", as_text(*value))) out.device = *found;
  } else if (value->is_object()) {
    out.device = read_custom_device(r);
    out.from = From::user;
  } else {
    std::vector<const Device*> devices;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < value->size(); ++i) {
      const auto* found = find_device(r, pointer("/device", std::to_string(i)), as_text((*value)[i]));
      if (!found) continue;
      devices.push_back(found);
      names.push_back(found->name);
    }
    if (devices.size() != value->size()) return out;
    if (first_only) devices.resize(1), names.resize(1);
    out.device = weakest_of(devices);
    out.listed = static_cast<std::int64_t>(devices.size());
    const bool mixed = std::any_of(devices.begin(), devices.end(), [&](const Device* d) { return d->id != devices.front()->id; });
    if (mixed && layer_split)
      for (const auto* d : devices) out.cards.push_back({d->memory, d->visible, d->usable_fraction});
    else if (mixed) r.problems().add(Code::mixed_devices, "/device", {{"devices", names}});
  }
  if (out.device && r.valid("/price_usd_per_hour")) out.device->price_per_hour = Dollars{r.figure("/price_usd_per_hour")};
  return out;
}

DeviceCount read_count(Reader& r) {
  DeviceCount out;
  const auto* value = r.valid("/devices");
  if (!value) return out;
  if (value->is_number()) {
    out.devices = {static_cast<std::int64_t>(value->get<double>()), From::user};
    return out;
  }
  if (!r.has("/devices/count")) r.missing("/devices", "count");
  if (const auto n = r.count("/devices/count"); n > 0) out.devices = {n, From::user};
  out.per_node = r.count("/devices/per_node");
  return out;
}

namespace {

// ---- layout ----

void check_layout(Reader& r, const Inventory& m, const Layout& l, std::int64_t devices) {
  auto& problems = r.problems();
  if (devices > 0 && l.devices() != devices)
    problems.add(Code::devices_mismatch, "/parallel",
                 {{"devices", static_cast<double>(devices)}, {"tensor", static_cast<double>(l.tensor)},
                  {"pipeline", static_cast<double>(l.pipeline)}, {"data", static_cast<double>(l.data)},
                  {"product", static_cast<double>(l.devices())}});
  const auto words = [](const std::vector<std::int64_t>& numbers) {
    std::vector<std::string> out;
    for (const auto n : numbers) out.push_back(std::to_string(n));
    return out;
  };
  const auto degrees = tensor_degrees(m, 65536);
  if (std::find(degrees.begin(), degrees.end(), l.tensor) == degrees.end()) {
    const auto heads = m.spec.most_heads();
    problems.add(Code::does_not_divide, "/parallel/tensor",
                 {{"what", "attention heads"}, {"count", static_cast<double>(heads > 0 ? heads : m.heads_divisor)}, {"axis", "tensor"},
                  {"value", static_cast<double>(l.tensor)}, {"accepted", words(degrees)}});
  }
  const auto layers = m.spec.layers();
  if (l.pipeline > layers)
    problems.add(Code::out_of_range, "/parallel/pipeline",
                 {{"value", static_cast<double>(l.pipeline)}, {"max", static_cast<double>(layers)}, {"unit", "layers"}});
  const auto spread = l.tensor * l.data;
  if (l.expert > 1) {
    std::vector<std::int64_t> accepted;
    for (std::int64_t n = 1; n <= spread && n <= std::max<std::int64_t>(1, m.experts); ++n)
      if (spread % n == 0 && m.experts % n == 0) accepted.push_back(n);
    if (std::find(accepted.begin(), accepted.end(), l.expert) == accepted.end()) {
      const bool experts = m.experts == 0 || m.experts % l.expert != 0;
      problems.add(Code::does_not_divide, "/parallel/expert",
                   {{"what", experts ? "experts" : "devices of tensor x data"},
                    {"count", static_cast<double>(experts ? m.experts : spread)}, {"axis", "expert"},
                    {"value", static_cast<double>(l.expert)}, {"accepted", words(accepted)}});
    }
  }
}

void note_replicas(Reader& r, const Inventory& m, const Layout& l) {
  for (const auto& cache : m.caches) {
    const auto heads = cache.replicated ? 1 : cache.kv_heads;          // a latent serves all heads as one
    if (cache.k_elements <= 0 || heads <= 0 || l.tensor <= heads) continue;
    r.problems().add(Code::kv_heads_replicated, "/parallel/tensor", {{"kv_heads", static_cast<double>(heads)}, {"tensor", static_cast<double>(l.tensor)}});
    return;
  }
}

void read_layout(Reader& r, Request& out) {
  const auto* value = r.valid("/parallel");
  if (!value || !out.model) return;
  const auto absent = [&](std::string_view path) { return !r.has(path); };
  auto& l = out.layout;
  l.tensor = r.count("/parallel/tensor", 1);
  l.pipeline = r.count("/parallel/pipeline", 1);
  l.data = r.count("/parallel/data", 1);
  l.expert = r.count("/parallel/expert", 1);
  auto devices = out.devices.value;
  if (absent("/parallel/data") && devices > 0 && devices % (l.tensor * l.pipeline) == 0) l.data = devices / (l.tensor * l.pipeline);
  check_layout(r, *out.model, l, devices);
  if (r.flag("/options/enable_dp_attention") && l.tensor > 1) {
    if (out.model->experts > 0) l.expert = l.tensor * l.data;
    l.data *= l.tensor;
    l.tensor = 1;
    if (out.model->experts > 0 && out.model->experts % l.expert != 0) l.expert = 1;
  }
  out.layout_given = true;
  if (devices == 0) out.devices = {l.devices(), From::user};
  note_replicas(r, *out.model, l);
}

// Several devices whose link nobody gave: boards share a PCIe 4.0 x16 slot's rate one way, computers with unified memory a 10 Gbit/s network.
void assume_link(Device& d) {
  if (d.link.value > 0) return;
  d.link = BytesPerSecond{d.unified ? 1.25e9 : 31.51e9};
  d.link_assumed = true;
}

// ---- workload and options ----

Workload read_workload(Reader& r) {
  Workload w;
  w.prompt_tokens = r.number("/workload/prompt_tokens");
  w.output_tokens = r.number("/workload/output_tokens");
  w.cached_prefix_tokens = r.number("/workload/cached_prefix_tokens");
  if (w.cached_prefix_tokens.value > w.prompt_tokens.value)
    r.problems().add(Code::out_of_range, "/workload/cached_prefix_tokens",
                     {{"value", w.cached_prefix_tokens.value}, {"max", w.prompt_tokens.value}, {"unit", "tokens"}});
  if (const auto* context = r.valid("/workload/context_tokens")) {
    w.context_tokens = {context->get<double>(), From::user};
  } else {
    w.context_tokens = {w.prompt_tokens.value + w.output_tokens.value, From::standard};
    if (!r.has("/workload/context_tokens")) r.assume("/workload/context_tokens", number_text(w.context_tokens.value), "default");
  }
  const auto mode = r.words("/workload/mode");
  w.mode = mode == "static_batch" ? Mode::static_batch : mode == "offline" ? Mode::offline : Mode::closed_loop;
  w.requests_per_s = r.figure("/workload/requests_per_s");
  if (r.has("/workload/requests_per_s") && r.has("/workload/concurrency")) r.conflict("/workload/requests_per_s", "requests_per_s", "concurrency");
  const auto* concurrency = r.valid("/workload/concurrency");
  if (concurrency && concurrency->is_string()) {
    w.concurrency_max = true;
    w.concurrency = {1, From::user};
  } else {
    w.concurrency = r.number("/workload/concurrency", w.requests_per_s <= 0);
  }
  return w;
}

// Shares of the layers for each device, llama.cpp's -ts.
void read_tensor_split(Reader& r, Request& out) {
  const auto* split = r.valid("/options/tensor_split");
  if (!split) return;
  double sum = 0;
  for (const auto& share : *split) {
    out.tensor_split.push_back(share.get<double>());
    sum += out.tensor_split.back();
  }
  if (sum <= 0) r.problems().add(Code::out_of_range, "/options/tensor_split", {{"value", sum}, {"above", 0.0}});
  const auto devices = out.layout_given ? out.layout.pipeline : out.devices.value;
  if (devices > 0 && static_cast<std::int64_t>(split->size()) != devices)
    r.problems().add(Code::devices_mismatch, "/options/tensor_split", {{"devices", static_cast<double>(devices)}, {"product", static_cast<double>(split->size())}});
}

// Tokens in one pass: as given, or the engine's own for this device and context.
Given<double> read_pass_tokens(Reader& r, const Request& out, bool large) {
  const auto& p = out.engine.profile;
  const auto given = [&](std::string_view path) -> std::optional<double> {
    const auto* value = r.valid(path);
    return value ? std::optional(value->get<double>()) : std::nullopt;
  };
  std::string_view path = "/options/max_num_batched_tokens";
  if (p.rule == EngineRule::ideal) {
    if (const auto chunk = given("/options/chunked_prefill_size"); chunk && !r.has(path)) return {*chunk, From::user};
    return r.number(path);
  }
  if (p.rule == EngineRule::static_share) path = "/options/chunked_prefill_size";
  if (p.rule == EngineRule::buffers) path = "/options/n_ubatch";
  if (const auto tokens = given(path)) return {std::min(*tokens, given("/options/n_batch").value_or(*tokens)), From::user};
  const double context = out.workload.context_tokens.value;
  double tokens = large && p[Constant::pass_tokens_large] > 0 ? p[Constant::pass_tokens_large] : p[Constant::pass_tokens];
  if (p.rule == EngineRule::dynamic && p[Constant::whole_prompts_to] > 0) return {std::max(1.0, out.workload.prompt_tokens.value), out.workload.prompt_tokens.from};
  if (context <= p[Constant::whole_prompts_to]) tokens = std::max(context, 2048.0);
  tokens = std::max(1.0, std::min(tokens, given("/options/n_batch").value_or(tokens)));
  if (!r.has(path) && p.rule != EngineRule::dynamic) r.assume(path, number_text(tokens), "default");
  return {tokens, From::standard};
}

// In the model's own format, towers and prediction layers left out; llama.cpp leaves its input table on the host.
Bytes draft_bytes(const Inventory& draft, const Request& of, const Formats& formats) {
  std::vector<StoredRow> rows;
  if (of.weights.bits > 0) store_average(draft, of.weights.bits, formats, rows);
  else if (of.weights.format) store(draft, *of.weights.format, formats, rows);
  else store_published(draft, formats, rows);
  Bytes bytes;
  for (const auto& s : rows) {
    const auto& row = draft.rows[s.row];
    const bool on_host = of.engine.profile.rule == EngineRule::buffers && row.use == Use::lookup && !row.tied_head;
    if (!row.mtp && row.role != Role::vision && !on_host) bytes += s.bytes;
  }
  return bytes;
}

// How tokens are drafted: by a model of the catalogue, or by the prediction layers of the model itself.
void read_draft(Reader& r, Request& out) {
  if (!out.speculative || !out.model) return;
  auto& d = out.draft;
  const auto own = static_cast<double>(std::max<std::int64_t>(1, out.model->spec.mtp_layers));
  const auto or_default = [&](std::string_view path, double otherwise) -> Given<double> {
    if (r.valid(path)) return {r.figure(path), From::user};
    r.assume(path, number_text(otherwise), "default");
    return {otherwise, From::standard};
  };
  const auto* name = r.valid("/options/speculative/draft_model");
  d.tokens = or_default("/options/speculative/tokens", name ? 3 : own);
  d.acceptance = or_default("/options/speculative/acceptance", 0.7);
  if (!name) return;
  const auto named = find_named_model(r, "/options/speculative/draft_model", as_text(*name));
  if (!named.model) return;
  d.model = catalog_model(*named.model, r.catalog()).inventory;
  if (d.model) d.bytes = draft_bytes(*d.model, out, r.catalog().formats());
}

// The same request on the pool that reads prompts. What is wrong there is a problem of this request.
void read_pool(Reader& r, const json& request, const Catalog& catalog, Request& out) {
  const auto* pool = r.valid("/prefill_pool");
  if (!pool || !pool->is_object()) return;
  auto other = request;
  for (const char* key : {"prefill_pool", "parallel", "explain"}) other.erase(key);
  for (const char* key : {"device", "devices", "parallel"})
    if (const auto at = pool->find(key); at != pool->end() && !at->is_null()) other[key] = *at;
  if (const auto load = other.find("workload"); load != other.end() && load->is_object()) {
    load->erase("requests_per_s");
    (*load)["concurrency"] = 1;
  }
  Problems found;
  auto read = read_request(other, catalog, found);
  for (auto problem : found.list()) {
    const bool of_pool = problem.path.compare(0, 7, "/device") == 0 || problem.path.compare(0, 9, "/parallel") == 0;
    if (!of_pool || severity(problem.code) != Severity::error) continue;
    problem.path = "/prefill_pool" + problem.path;
    r.problems().add(std::move(problem));
  }
  if (read && read->devices.value == 0) read->devices = {std::max<std::int64_t>(1, out.devices.value), From::standard};
  if (read && read->device) out.prefill_pool = std::make_shared<const Request>(std::move(*read));
}

// A lower power limit spreads the energy of products over more time, a higher one over less; memory keeps its own clock.
void limit_power(Reader& r, Request& out) {
  const Watts limit{r.figure("/options/power_limit_w")};
  if (limit.value <= 0 || !out.device) return;
  auto& d = *out.device;
  d.rated_power = max(d.power, d.rated_power);
  d.power = limit;
}

void read_options(Reader& r, Request& out) {
  const auto& p = out.engine.profile;
  const auto* engine = r.catalog().find_engine(out.engine.id);
  const auto figure = [&](std::string_view path, double otherwise) { return r.valid(path) ? r.figure(path) : otherwise; };
  const auto flag = [&](std::string_view path, bool otherwise) { return r.valid(path) ? r.flag(path) : otherwise; };
  bool large = out.device && p[Constant::large_memory_bytes] > 0 && out.device->visible.value >= p[Constant::large_memory_bytes];
  for (const auto& prefix : engine->small) large = large && out.device->id.compare(0, prefix.size(), prefix) != 0;
  out.chunk_tokens = read_pass_tokens(r, out, large);
  out.speculative = r.valid("/options/speculative") != nullptr;
  // GGUF files hold the language model alone; the projector's file is loaded with it when there are images. Ollama's models carry it,
  // and it is loaded with every model that has one.
  const bool gguf = p[Constant::towers_always] <= 0 && (out.engine.id == "llama.cpp" || (out.weights.format && out.weights.format->rule == FormatRule::gguf));
  out.images = r.figure("/options/images_per_prompt");
  out.towers = !gguf || out.images >= 1;
  const double sequences = large && p[Constant::max_sequences_large] > 0 ? p[Constant::max_sequences_large] : p[Constant::max_sequences];
  switch (p.rule) {
    case EngineRule::budget:
      out.memory_share = figure("/options/gpu_memory_utilization", 0);
      out.max_sequences = figure("/options/max_num_seqs", std::min(sequences, out.chunk_tokens.value));
      out.cell_tokens = figure("/options/block_size", p[Constant::cell_tokens]);
      if (!r.has("/options/gpu_memory_utilization")) r.assume("/options/gpu_memory_utilization", number_text(p[Constant::memory_share]), "default");
      if (!r.has("/options/max_num_seqs")) r.assume("/options/max_num_seqs", number_text(out.max_sequences), "default");
      break;
    case EngineRule::static_share: out.memory_share = figure("/options/mem_fraction_static", 0); break;
    case EngineRule::free_share: out.max_sequences = figure("/options/max_batch_size", sequences); break;
    default: break;
  }
  if (p.rule != EngineRule::budget && p.rule != EngineRule::ideal) out.cell_tokens = p[Constant::cell_tokens];
  out.latent = p[Constant::latent] > 0;
  if (p.rule == EngineRule::ideal) return;
  out.eager = flag("/options/enforce_eager", false);
  out.flash = flag("/options/flash_attention", true);
  out.latent = flag("/options/mla", out.latent);
  if (p.rule == EngineRule::budget || p.rule == EngineRule::static_share) out.context_parallel = std::max(1.0, figure("/options/decode_context_parallel", 1));
  if (const auto tensor = static_cast<double>(out.layout.tensor); out.layout_given && std::fmod(tensor, out.context_parallel) != 0)
    r.problems().add(Code::does_not_divide, "/options/decode_context_parallel",
                     {{"count", tensor}, {"what", "devices of a tensor group"}, {"axis", "decode_context_parallel"}, {"value", out.context_parallel}});
  out.adapters = figure("/options/lora_adapters/count", r.valid("/options/lora_adapters") ? 1 : 0);
  out.adapter_rank = figure("/options/lora_adapters/rank", 16);
  if (p.rule == EngineRule::buffers) {
    out.unified = flag("/options/kv_unified", false);
    out.full_windows = flag("/options/swa_full", false);
    out.gpu_layers = r.count("/options/n_gpu_layers", -1);
    out.cpu_moe = figure("/options/n_cpu_moe", 0);
    out.cache_on_host = flag("/options/no_kv_offload", false);
    if (const auto* split = r.valid("/options/split_mode")) out.by_rows = as_text(*split) == "row";
    read_tensor_split(r, out);
  }
}

// MXFP4 in a GGUF file is the mixture that llama-quantize calls MXFP4_MOE: experts in MXFP4, all else in Q8_0 instead of 16 bits.
void take_gguf_format(Reader& r, const Formats& formats, Request& out) {
  if (!out.model || out.model->experts == 0 || !out.model->stored.empty() || !(out.engine.id == "llama.cpp" || out.engine.id == "ollama")) return;
  const auto& published = out.model->spec.published;
  const bool wanted = out.weights.format ? out.weights.format->id == "mxfp4" : out.weights.bits <= 0 && published.experts_only && published.format == "mxfp4";
  if (!wanted) return;
  out.weights.format = formats.find_weight("MXFP4_MOE");
  for (auto& assumed : r.assumptions)
    if (assumed.path == "/weights") assumed.value = "\"MXFP4_MOE\"";
}

}  // namespace

std::optional<Request> read_request(const json& request, const Catalog& catalog, Problems& problems) {
  check_fields(request, estimate_fields(), problems);
  if (!request.is_object()) return std::nullopt;
  Reader r(request, estimate_fields(), catalog, problems);
  Request out;
  out.method = r.words("/method", false) == "article" ? Method::article : Method::detailed;
  out.explain = r.flag("/explain");
  if (auto model = read_model(r)) static_cast<ModelChoice&>(out) = std::move(*model);
  out.weights = read_weights(r, "/weights", out);
  if (out.model && out.weights.from == From::standard && out.model->spec.published.assumed)
    out.model_kind = weakest(out.model_kind, Kind::assumed);
  read_kv_cache(r, out);
  out.engine = read_engine(r);
  take_gguf_format(r, catalog.formats(), out);
  // llama.cpp's -sm none: the whole model on one device, whatever else is there.
  const auto* split = r.valid("/options/split_mode");
  const bool first_only = out.engine.profile.rule == EngineRule::buffers && split && as_text(*split) == "none";
  auto device = read_device(r, out.engine.layer_split, first_only);
  out.device = std::move(device.device);
  out.device_from = device.from;
  out.cards = std::move(device.cards);
  const auto count = read_count(r);
  out.devices = count.devices;
  out.per_node = count.per_node;
  if (first_only) {
    out.devices = {1, From::user};
  } else if (device.listed > 0) {
    if (out.devices.value == 0) out.devices = {device.listed, From::user};
    else if (out.devices.value != device.listed && device.listed > 1)
      problems.add(Code::devices_mismatch, "/devices", {{"devices", static_cast<double>(out.devices.value)},
                                                        {"product", static_cast<double>(device.listed)}});
  }
  out.reserved_bytes = r.number("/reserved_bytes");
  out.host_bytes = r.figure("/host/memory_bytes");
  out.host_bandwidth = r.figure("/host/bandwidth");
  read_layout(r, out);
  if (out.device) assume_link(*out.device);
  out.workload = read_workload(r);
  read_options(r, out);
  read_draft(r, out);
  limit_power(r, out);
  out.paces = &catalog.paces();
  out.pace = out.paces->engine(out.engine.id, out.engine.version, out.released);
  out.pace.flash_attention = out.flash;
  if (const auto* backend = r.valid("/options/backend")) out.pace.vulkan = as_text(*backend) == "vulkan";
  warn_of_options(r, out, out.engine.id);
  check_kv_cache(r, out, out.engine.id);
  warn_of_refusals(r, out);
  out.compute_efficiency = r.figure("/efficiency/compute");
  out.bandwidth_efficiency = r.figure("/efficiency/bandwidth");
  read_pool(r, request, catalog, out);
  if (out.model && out.model->spec.context > 0 && out.workload.context_tokens.value > static_cast<double>(out.model->spec.context))
    warn_of_context(r, out);
  if (problems.has_errors()) return std::nullopt;
  out.assumptions = std::move(r.assumptions);
  return out;
}

}  // namespace weighbridge
