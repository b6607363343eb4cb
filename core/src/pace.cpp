#include "weighbridge/pace.hpp"

#include <algorithm>

#include "json.hpp"

namespace weighbridge {

namespace {

using nlohmann::json;

constexpr std::string_view kConstants[] = {
#define WEIGHBRIDGE_PACE_NAME(name) #name,
    WEIGHBRIDGE_PACE_CONSTANTS(WEIGHBRIDGE_PACE_NAME)
#undef WEIGHBRIDGE_PACE_NAME
};
constexpr std::string_view kMemories[] = {"hbm", "gddr", "unified"};
constexpr std::string_view kLaunches[] = {"cuda", "blackwell", "hip", "cdna", "metal"};
constexpr std::string_view kSpreads[] = {"single", "single_moe", "batched", "batched_moe", "prefill", "prefill_moe", "ttft", "ttft_loaded"};
constexpr std::string_view kGroups[] = {"*", "own", "server", "eager"};

// Builds of these dates are the old and the new generation; between them, and for a while after, figures move evenly. An engine of
// unknown version is taken to be newer than the model it runs by the time that support for a model takes to spread.
constexpr double kOld = 2024.3, kNew = 2025.6, kNewest = 1.4, kSupported = 0.5;
// By this generation, the end of 2024, serving engines read a key-value head once for all its query heads.
constexpr double kGrouped = 0.5;
// From these generations on they multiply GPTQ's and AWQ's experts in one kernel: vLLM by the end of January 2025 (pull request 12185, which
// says that a kernel for each expert was launched before), SGLang after 0.4 (issues 6313 and 9574).
constexpr double kOneKernelVllm = 0.6, kOneKernelSglang = 1;
// INT8 operations of a vector lane for each of its fp32 operations: four-element dot products, with a rounding's margin.
constexpr double kDotProduct = 4.1;
// From this generation on, June 2024, llama.cpp multiplies quantised weights on NVIDIA's INT8 matrix units (pull requests 7676 and 7860). Its
// kernels scale every block of products in fp32, so that the vector lanes are what they wait for.
constexpr double kInt8Products = 0.08;
// Copies of a pass's inputs that llama.cpp keeps: so many passes can be in the stages of a pipeline (GGML_SCHED_MAX_COPIES).
constexpr double kSchedulerCopies = 4;

template <class Enum, std::size_t N>
Enum of_name(const std::string_view (&names)[N], std::string_view name) {
  const auto at = std::find(std::begin(names), std::end(names), name);
  return static_cast<Enum>(at == std::end(names) ? 0 : at - std::begin(names));
}

std::vector<std::string> texts(const json& row, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = member(row, key); list && list->is_array())
    for (const auto& item : *list) out.emplace_back(as_text(item));
  return out;
}

bool begins_with_one(std::string_view text, const std::vector<std::string>& beginnings) {
  return beginnings.empty() || std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& b) { return text.substr(0, b.size()) == b; });
}

// The value of a figure, which is a list of value, low, high and measurements.
double value_of(const json& row, std::string_view key, double otherwise = 1) {
  const auto* figure = member(row, key);
  return figure && figure->is_array() && !figure->empty() && figure->front().is_number() ? figure->front().get<double>() : otherwise;
}

// Up to four whole numbers of a version as one: "0.6.3" is 6.03, "b2824" is 2824, "2024-05" a date.
struct Parts {
  double number[3] = {0, 0, 0};
  int count = 0;
};
Parts parts_of(std::string_view text) {
  Parts out;
  bool inside = false;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      if (inside && ++out.count == 3) break;
      inside = false;
      if (c != '.' && c != '-' && out.count > 0) break;
      continue;
    }
    if (out.number[out.count] < 1e9) out.number[out.count] = out.number[out.count] * 10 + (c - '0');
    inside = true;
  }
  if (inside && out.count < 3) ++out.count;
  return out;
}

}  // namespace

void PaceTable::read(const json& efficiency) {
  const auto* constants = member(efficiency, "constants");
  for (std::size_t i = 0; constants && i < kPaceConstants; ++i) constants_[i] = value_of(*constants, kConstants[i], 0);
  if (const auto* share = constants ? member(*constants, "host_share") : nullptr; share && share->is_array() && share->size() >= host_share_.size())
    for (std::size_t i = 0; i < host_share_.size(); ++i) host_share_[i] = (*share)[i].is_number() ? (*share)[i].get<double>() : 1;
  if (const auto* rows = member(efficiency, "classes"); rows && rows->is_array() && !rows->empty()) {
    devices_.clear();
    applies_.clear();
    for (const auto& row : *rows) {
      DevicePace d;
      d.name = text_of(row, "class");
      d.training = text_of(row, "training");
      d.link = value_of(row, "link");
      d.bandwidth = value_of(row, "bandwidth");
      d.compute = value_of(row, "compute");
      d.memory = of_name<MemoryClass>(kMemories, text_of(row, "memory"));
      d.launch = of_name<LaunchClass>(kLaunches, text_of(row, "launch"));
      if (const auto* limited = member(row, "power_limited")) d.power_limited = limited->is_boolean() && limited->get<bool>();
      d.unfolds = texts(row, "unfolds");
      d.issue_lanes = number_of(row, "issue_lanes", 1);
      for (const auto& group : texts(row, "engines")) d.measured |= static_cast<std::uint8_t>(1 << static_cast<int>(of_name<EngineGroup>(kGroups, group)));
      devices_.push_back(std::move(d));
      const auto* applies = member(row, "applies");
      applies_.push_back(applies ? Applies{texts(*applies, "ids"), texts(*applies, "vendors"), texts(*applies, "architectures"), texts(*applies, "memory_kinds")}
                                 : Applies{});
    }
  }
  versions_.clear();
  if (const auto* rows = member(efficiency, "versions"); rows && rows->is_array())
    for (const auto& row : *rows) {
      if (row.is_array() && row.size() == 3 && row[1].is_number() && row[2].is_number())
        versions_.push_back({std::string(as_text(row[0])), row[1].get<double>(), row[2].get<double>()});
    }
  if (const auto* rows = member(efficiency, "spreads"); rows && rows->is_array())
    for (const auto& row : *rows)
      if (row.is_array() && row.size() >= 4 && row[2].is_number() && row[3].is_number())
        spreads_[static_cast<std::size_t>(of_name<SpreadOf>(kSpreads, as_text(row[0])))][static_cast<std::size_t>(of_name<EngineGroup>(kGroups, as_text(row[1])))] = {
            row[2].get<double>(), row[3].get<double>()};
  if (const auto* wider = member(efficiency, "unmeasured_widens")) {
    unmeasured_engines_ = number_of(*wider, "engines", 1);
    unmeasured_class_ = number_of(*wider, "class", 1);
  }
}

std::uint8_t PaceTable::device_class(std::string_view id, std::string_view vendor, std::string_view architecture, std::string_view memory_kind) const {
  for (std::size_t i = 0; i < applies_.size(); ++i) {
    const auto& a = applies_[i];
    if (begins_with_one(id, a.ids) && begins_with_one(vendor, a.vendors) && begins_with_one(architecture, a.architectures) &&
        begins_with_one(memory_kind, a.memory_kinds))
      return static_cast<std::uint8_t>(i);
  }
  return static_cast<std::uint8_t>(devices_.size() - 1);
}

double PaceTable::date_of(std::string_view id, std::string_view version) const {
  const auto parts = parts_of(version);
  if (parts.count == 0) return 0;
  if (parts.number[0] >= 2020 && parts.number[0] < 2100 && parts.count > 1) return parts.number[0] + (parts.number[1] - 1) / 12;
  const double wanted = parts.number[0] * 100 + (parts.count > 1 ? parts.number[1] : 0);
  double date = 0;
  const Version* before = nullptr;
  for (const auto& v : versions_) {
    if (v.engine != id) continue;
    if (v.version >= wanted)
      return before && v.version > before->version ? before->date + (v.date - before->date) * (wanted - before->version) / (v.version - before->version) : v.date;
    before = &v;
    date = v.date;
  }
  return date;
}

EnginePace PaceTable::engine(std::string_view id, std::string_view version, double released) const {
  EnginePace out;
  using enum EngineKind;
  if (id == "vllm") out.kind = vllm;
  else if (id == "sglang") out.kind = sglang;
  else if (id == "tensorrt-llm") out.kind = tensorrt;
  else if (id == "llama.cpp" || id == "ollama") out.kind = local;
  else if (id == "mlx") out.kind = mlx;
  else if (id == "exllamav2") out.kind = exllama;
  else if (id == "transformers") out.kind = eager;
  const auto generation = [](double date) { return (date - kOld) / (kNew - kOld); };
  if (const double date = date_of(id, version); date > 0) out.generation = std::clamp(generation(date), 0.0, kNewest);
  else if (released > 0) out.at_least = std::clamp(generation(released + kSupported), 0.0, 1.0);
  return out;
}

Pace PaceTable::pace(const EnginePace& engine, const Device& device, std::int64_t tensor) const {
  using C = PaceConstant;
  using K = EngineKind;
  const auto& t = *this;
  const auto& d = this->device(device.pace_class);
  const auto kind = engine.kind;
  const bool server = kind == K::ideal || kind == K::vllm || kind == K::sglang || kind == K::tensorrt;
  const bool own = !server && kind != K::eager;
  const bool hbm = d.memory == MemoryClass::hbm;
  const double generation = engine.generation >= 0 ? engine.generation : kind == K::local ? 1 : std::max(t[C::unknown_version], engine.at_least);
  const auto aged = [&](C old, C now, double most) { return t[old] + std::min(generation, most) * (t[now] - t[old]); };
  Pace p;
  p.measured = d.measured > 0;
  p.own_kernels = own;
  p.bandwidth = d.bandwidth * (kind == K::local && hbm ? t[C::local_hbm_bandwidth] : 1);
  const bool amd = d.launch == LaunchClass::hip || d.launch == LaunchClass::cdna;
  p.cache = t[C::cache];
  if (server && kind != K::ideal) p.rereads = t[C::kv_rereads] * std::max(0.0, 1 - generation / kGrouped);
  if (kind == K::local && !engine.flash_attention && d.launch == LaunchClass::metal) p.rereads = t[C::kv_rereads_plain];
  p.hidden_moves = t[C::hidden_moves];
  p.compute = d.compute * (engine.vulkan ? t[C::vulkan_compute] : 1);
  if (d.power_limited) p.joules = t[server || kind == K::eager ? C::joules_server : C::joules_local];
  p.watts = (device.rated_power.value > 0 ? device.rated_power : device.power).value;
  if (device.power.value > 0 && device.power.value < p.watts) {
    p.lowered_watts = device.power.value;
    p.lowered_int8_joules = t[C::joules_int8];
    p.lowered_joules = t[server || kind == K::eager ? C::joules_server : C::joules_local];
  } else {
    p.watts = std::max(p.watts, device.power.value);
  }
  p.bf16_on_vectors = engine.vulkan && amd;
  p.packed = kind == K::local ? t[C::packed_local] : server ? t[C::packed_server] : 1;
  p.experts = t[own ? C::expert_compute : C::expert_compute_server];
  p.attention = t[own && amd ? C::attention_amd : own && !engine.flash_attention ? C::attention_plain : C::attention_flash];
  p.latent_prompts = kind == K::local;
// llama.cpp's kernels: on boards without INT8 matrix units, and by tiles but with Metal and Vulkan.
  const double int8 = device.peak[static_cast<std::size_t>(Arithmetic::int8)].value;
  const bool vectors = int8 > 0 && int8 <= kDotProduct * device.peak[static_cast<std::size_t>(Arithmetic::fp32)].value;
  const bool nvidia = d.launch == LaunchClass::cuda || d.launch == LaunchClass::blackwell;
  if (kind == K::local && nvidia && int8 > 0 && !vectors && !engine.vulkan && generation >= kInt8Products) p.int8_products = t[C::int8_products] * d.issue_lanes;
  p.unfold_experts = nvidia && !vectors && generation < kInt8Products;
  if (kind == K::local && !engine.vulkan && (p.unfold_experts || device.unfolds)) p.unfold_tokens = t[C::unfold_tokens];
  if (kind == K::local && nvidia && vectors) p.attention *= t[C::attention_old];
  if (kind == K::local && (nvidia || amd) && !engine.vulkan) {
    p.expert_tile = t[vectors ? C::expert_tile_vector : C::expert_tile];
    p.tile_cost = t[C::tile_cost];
  }
  p.tile = t[C::tile_tokens];
  p.expert_padding = t[own ? C::expert_padding : C::expert_padding_server];
  p.unpack = kind == K::local ? t[C::unpack_local] : server ? t[C::unpack_server] : kind == K::eager ? t[C::unpack_eager] : t[C::unpack_mlx];
  p.score_bytes = engine.flash_attention ? 0 : t[C::score_bytes];
  p.exposed = t[C::exposed];
  if (kind == K::local) {
    p.stages = t[C::pipeline_local];
    p.in_flight = kSchedulerCopies;
  }
  if (server && kind != K::ideal) p.prompt_queue = t[kind == K::vllm ? C::prompt_queue_vllm : C::prompt_queue];
  const double link = device.link.value;
  const bool pcie = link < 1e11;
  p.link = t[C::link];
  p.host_share = host_share_;
  p.host_bandwidth = BytesPerSecond{t[C::host_bandwidth]};
  p.fetch_tokens = t[C::fetch_tokens];
  p.loop_tokens = t[C::loop_tokens];
  // The ideal engine is the roofline at what kernels are measured to reach: it launches, schedules and waits for nothing.
  if (kind == K::ideal) return p;
  double layer = 0;
  if (server) {
    layer = aged(C::layer_server_old, C::layer_server, kNewest) * (kind == K::tensorrt ? t[C::layer_tensorrt] : kind == K::sglang ? t[C::layer_sglang] : 1) *
            (d.launch == LaunchClass::blackwell ? t[C::layer_blackwell] : d.launch == LaunchClass::cdna ? t[C::layer_cdna] : 1);
    p.host = Seconds{t[C::host_server]};
    p.sequence = Seconds{kind == K::vllm ? aged(C::sequence_vllm_old, C::sequence_server, 1) : t[C::sequence_server]};
    p.floor = Seconds{t[kind == K::sglang ? C::floor_sglang : C::floor_server]};
  } else if (kind == K::local) {
    layer = d.launch == LaunchClass::metal ? t[C::layer_metal] : amd ? t[C::layer_hip] : aged(C::layer_local_old, C::layer_local, kNewest);
  } else {
    layer = t[kind == K::mlx ? C::layer_mlx : kind == K::exllama ? C::layer_exllama : C::layer_eager];
  }
  p.layer = Seconds{layer};
  p.every_expert = kind == K::eager;
  if (p.every_expert || (kind == K::local && d.launch != LaunchClass::metal && !engine.vulkan)) p.expert = Seconds{t[C::expert_launch]};
  if (p.expert_tile > 0 && nvidia) p.moe_tokens = Seconds{t[C::moe_tokens]};
  p.packed_experts_apart = (kind == K::vllm && generation < kOneKernelVllm) || (kind == K::sglang && generation < kOneKernelSglang);
  if (p.packed_experts_apart) p.expert = Seconds{t[C::expert_kernels]};
  if (kind == K::sglang || kind == K::tensorrt) p.moe_prompt = Seconds{t[C::moe_prompt]};
  p.moe_layer = Seconds{t[own ? C::moe_layer_local : C::moe_layer_server]};
  const auto reduce = pcie ? C::reduce_pcie : d.launch == LaunchClass::cdna ? C::reduce_xgmi : link < 4e11 ? C::reduce_nvlink3 : C::reduce_nvlink4;
  p.reduce = Seconds{t[reduce] * (1 + t[C::reduce_growth] * static_cast<double>(tensor - 2) / 6)};
  return p;
}

Spread PaceTable::spread(SpreadOf of, EngineKind engine, const Device& device) const {
  using K = EngineKind;
  const auto group = engine == K::eager ? EngineGroup::eager : engine == K::local || engine == K::mlx || engine == K::exllama ? EngineGroup::own : EngineGroup::server;
  const auto& spreads = spreads_[static_cast<std::size_t>(of)];
  const auto& own = spreads[static_cast<std::size_t>(group)];
  const auto measured = this->device(device.pace_class).measured;
  const bool known = own.high >= own.low;
  const double wider = ((measured >> static_cast<int>(group)) % 2 == 1 ? 1 : unmeasured_engines_) * (known ? 1 : unmeasured_engines_) * (measured > 0 ? 1 : unmeasured_class_);
  const auto& s = known ? own : spreads[0];
  return s.high < s.low ? Spread{1, 1} : Spread{s.low / wider, s.high * wider};
}

}  // namespace weighbridge
