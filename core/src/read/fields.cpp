#include "read/fields.hpp"

#include <algorithm>
#include <cmath>

#include "json.hpp"
#include "json_writer.hpp"

namespace weighbridge {

using nlohmann::json;

std::string_view type_name(FieldType type) {
  switch (type) {
    case FieldType::model: return "model";
    case FieldType::models: return "models";
    case FieldType::weight_format: return "weight_format";
    case FieldType::weight_formats: return "weight_formats";
    case FieldType::kv_format: return "kv_format";
    case FieldType::kv_formats: return "kv_formats";
    case FieldType::engine: return "engine";
    case FieldType::device: return "device";
    case FieldType::device_list: return "device_list";
    case FieldType::devices: return "devices";
    case FieldType::concurrency: return "concurrency";
    case FieldType::checkpointing: return "checkpointing";
    case FieldType::targets: return "targets";
    case FieldType::integer: return "integer";
    case FieldType::integers: return "integers";
    case FieldType::number: return "number";
    case FieldType::boolean: return "boolean";
    case FieldType::text: return "string";
    case FieldType::texts: return "strings";
    case FieldType::choice: return "enum";
    case FieldType::object: return "object";
    case FieldType::list: return "array";
    case FieldType::config: return "config";
    case FieldType::call: return "request";
  }
  return "object";
}

namespace {

using T = FieldType;
constexpr double kMostTokens = 1e9, kMostDevices = 65536, kMostBytes = 1e15, kMostParameters = 1e15;

#define WEIGHBRIDGE_MODEL_FIELDS                                                                                                   \
  {.path = "/model", .type = T::model, .summary = "catalogue id, a config.json, a manual shape, or what readModel returned"},      \
  {.path = "/model/config", .type = T::config, .summary = "a Hugging Face config.json, verbatim"},                                \
  {.path = "/model/header", .type = T::config, .summary = "what readModel made of a file's header"},                              \
  {.path = "/model/stored", .type = T::config, .summary = "bytes of the model's files where they differ from what its config says (from readModel)"}, \
  {.path = "/model/name", .type = T::text, .summary = "name of that model"},                                                      \
  {.path = "/model/manual", .type = T::object, .summary = "sizes by hand; what is missing is assumed from models of that size"},  \
  {.path = "/model/manual/parameters", .type = T::number, .summary = "all weights", .unit = "parameters", .min = 1, .max = kMostParameters}, \
  {.path = "/model/manual/layers", .type = T::integer, .summary = "transformer layers", .min = 1, .max = 4096},                   \
  {.path = "/model/manual/hidden_size", .type = T::integer, .summary = "width of the residual stream", .min = 1, .max = 1e6},     \
  {.path = "/model/manual/heads", .type = T::integer, .summary = "query heads", .min = 1, .max = 65536},                          \
  {.path = "/model/manual/kv_heads", .type = T::integer, .summary = "key-value heads", .min = 1, .max = 65536},                   \
  {.path = "/model/manual/head_dim", .type = T::integer, .summary = "width of one head", .min = 1, .max = 65536},                 \
  {.path = "/model/manual/vocab_size", .type = T::integer, .summary = "entries of the vocabulary", .min = 1, .max = 1e7},         \
  {.path = "/model/manual/intermediate_size", .type = T::integer, .summary = "width of the feed-forward", .min = 1, .max = 1e7},  \
  {.path = "/model/manual/active_parameters", .type = T::number, .summary = "weights that one token uses (MoE)",                  \
   .unit = "parameters", .min = 1, .max = kMostParameters}

#define WEIGHBRIDGE_DEVICE_FIELDS                                                                                                  \
  {.path = "/device", .type = T::device, .summary = "catalogue id, a list of ids for mixed cards, or figures of your own"},        \
  {.path = "/device/name", .type = T::text, .summary = "name of the device"},                                                     \
  {.path = "/device/memory_bytes", .type = T::number, .summary = "memory as the driver reports it", .unit = "bytes",              \
   .min = 0, .max = kMostBytes, .above_min = true},                                                                               \
  {.path = "/device/bandwidth", .type = T::number, .summary = "memory bandwidth", .unit = "bytes/s", .min = 0, .max = 1e18, .above_min = true}, \
  {.path = "/device/flops", .type = T::object, .summary = "dense peaks by precision"},                                            \
  {.path = "/device/flops/fp32", .type = T::number, .summary = "dense fp32 peak", .unit = "FLOP/s", .min = 0, .max = 1e21, .above_min = true}, \
  {.path = "/device/flops/fp16", .type = T::number, .summary = "dense fp16 peak", .unit = "FLOP/s", .min = 0, .max = 1e21, .above_min = true}, \
  {.path = "/device/flops/bf16", .type = T::number, .summary = "dense bf16 peak", .unit = "FLOP/s", .min = 0, .max = 1e21, .above_min = true}, \
  {.path = "/device/flops/fp8", .type = T::number, .summary = "dense fp8 peak", .unit = "FLOP/s", .min = 0, .max = 1e21, .above_min = true}, \
  {.path = "/device/flops/fp4", .type = T::number, .summary = "dense fp4 peak", .unit = "FLOP/s", .min = 0, .max = 1e21, .above_min = true}, \
  {.path = "/device/flops/int8", .type = T::number, .summary = "dense int8 peak", .unit = "OP/s", .min = 0, .max = 1e21, .above_min = true}, \
  {.path = "/device/link_bandwidth", .type = T::number, .summary = "to the other devices of a node, one way", .unit = "bytes/s",  \
   .min = 0, .max = 1e18, .above_min = true},                                                                                     \
  {.path = "/device/per_node", .type = T::integer, .summary = "devices that the link joins", .min = 1, .max = kMostDevices},      \
  {.path = "/device/power_w", .type = T::number, .summary = "power limit", .unit = "W", .min = 0, .max = 1e6, .above_min = true}, \
  {.path = "/device/price_usd_per_hour", .type = T::number, .summary = "price of one device", .unit = "USD/h", .min = 0, .max = 1e6}, \
  {.path = "/device/unified", .type = T::boolean, .summary = "memory is shared with the processor"},                              \
  {.path = "/device/class", .type = T::text, .summary = "device class whose efficiencies are taken"},                             \
  {.path = "/devices", .type = T::devices, .summary = "how many; default: the fewest that fit", .unit = "devices", .min = 1, .max = kMostDevices}, \
  {.path = "/devices/count", .type = T::integer, .summary = "how many", .unit = "devices", .min = 1, .max = kMostDevices},        \
  {.path = "/devices/per_node", .type = T::integer, .summary = "how many in one node", .unit = "devices", .min = 1, .max = kMostDevices}

#define WEIGHBRIDGE_PARALLEL_FIELDS(prefix)                                                                                        \
  {.path = prefix "/parallel", .type = T::object, .summary = "layout; devices = tensor x pipeline x data"},                        \
  {.path = prefix "/parallel/tensor", .type = T::integer, .summary = "tensor parallel degree", .min = 1, .max = kMostDevices},     \
  {.path = prefix "/parallel/pipeline", .type = T::integer, .summary = "pipeline stages", .min = 1, .max = kMostDevices},          \
  {.path = prefix "/parallel/data", .type = T::integer, .summary = "replicas", .min = 1, .max = kMostDevices},                     \
  {.path = prefix "/parallel/expert", .type = T::integer, .summary = "groups that the experts are spread over", .min = 1, .max = kMostDevices}

#define WEIGHBRIDGE_WORKLOAD_FIELDS                                                                                                \
  {.path = "/workload", .type = T::object, .summary = "what is asked of the model"},                                               \
  {.path = "/workload/prompt_tokens", .type = T::integer, .summary = "tokens of a prompt", .unit = "tokens", .min = 1,            \
   .max = kMostTokens, .standard = "1024"},                                                                                       \
  {.path = "/workload/output_tokens", .type = T::integer, .summary = "tokens of an answer", .unit = "tokens", .min = 1,           \
   .max = kMostTokens, .standard = "256"},                                                                                        \
  {.path = "/workload/concurrency", .type = T::concurrency, .summary = "sequences in flight in the whole deployment, or \"max\"", \
   .unit = "sequences", .min = 1, .max = 1e6, .standard = "1"},                                                                   \
  {.path = "/workload/context_tokens", .type = T::integer, .summary = "what the cache must hold per sequence; default: prompt + output", \
   .unit = "tokens", .min = 1, .max = kMostTokens},                                                                               \
  {.path = "/workload/cached_prefix_tokens", .type = T::integer, .summary = "part of the prompt that is already in the cache",    \
   .unit = "tokens", .min = 0, .max = kMostTokens, .standard = "0"},                                                              \
  {.path = "/workload/mode", .type = T::choice, .summary = "how requests arrive", .standard = "\"closed_loop\"",                  \
   .choices = "closed_loop static_batch offline"},                                                                                \
  {.path = "/workload/requests_per_s", .type = T::number, .summary = "open loop: arrivals, in place of concurrency",              \
   .unit = "requests/s", .min = 0, .max = 1e6, .above_min = true}

constexpr Field kEstimate[] = {
    WEIGHBRIDGE_MODEL_FIELDS,
    {.path = "/weights", .type = T::weight_format, .summary = "format of the weights; default: as published"},
    {.path = "/weights/bits_per_weight", .type = T::number, .summary = "average over all stored tensors", .unit = "bits",
     .min = 0, .max = 64, .above_min = true},
    {.path = "/kv_cache", .type = T::kv_format, .summary = "format of the KV cache; default: 16 bits", .standard = "\"bf16\""},
    {.path = "/kv_cache/k", .type = T::kv_format, .summary = "format of the keys"},
    {.path = "/kv_cache/v", .type = T::kv_format, .summary = "format of the values"},
    {.path = "/engine", .type = T::engine, .summary = "whose rules hold", .standard = "\"ideal\""},
    {.path = "/engine/name", .type = T::text, .summary = "engine"},
    {.path = "/engine/version", .type = T::text, .summary = "its version"},
    WEIGHBRIDGE_DEVICE_FIELDS,
    {.path = "/reserved_bytes", .type = T::number, .summary = "taken on each device by something else", .unit = "bytes", .min = 0,
     .max = kMostBytes, .standard = "0"},
    {.path = "/host", .type = T::object, .summary = "system memory, for offload"},
    {.path = "/host/memory_bytes", .type = T::number, .summary = "its size", .unit = "bytes", .min = 0, .max = kMostBytes},
    {.path = "/host/bandwidth", .type = T::number, .summary = "its bandwidth", .unit = "bytes/s", .min = 0, .max = 1e18, .above_min = true},
    {.path = "/price_usd_per_hour", .type = T::number, .summary = "per device; replaces the catalogue's", .unit = "USD/h", .min = 0, .max = 1e6},
    WEIGHBRIDGE_PARALLEL_FIELDS(""),
    {.path = "/prefill_pool", .type = T::object, .summary = "prefill on a pool of its own"},
    {.path = "/prefill_pool/device", .type = T::text, .summary = "its device"},
    {.path = "/prefill_pool/devices", .type = T::integer, .summary = "how many", .min = 1, .max = kMostDevices},
    WEIGHBRIDGE_PARALLEL_FIELDS("/prefill_pool"),
    WEIGHBRIDGE_WORKLOAD_FIELDS,
    {.path = "/options", .type = T::object, .summary = "engine settings under the engines' own names"},
    {.path = "/options/gpu_memory_utilization", .type = T::number, .summary = "share of the memory that the engine may take", .min = 0, .max = 1, .above_min = true},
    {.path = "/options/max_num_batched_tokens", .type = T::integer, .summary = "tokens in one pass", .unit = "tokens", .min = 1, .max = 1e7, .standard = "8192"},
    {.path = "/options/max_num_seqs", .type = T::integer, .summary = "sequences in one pass", .min = 1, .max = 1e6},
    {.path = "/options/block_size", .type = T::integer, .summary = "tokens of a cache block", .min = 1, .max = 65536},
    {.path = "/options/enforce_eager", .type = T::boolean, .summary = "no CUDA graphs"},
    {.path = "/options/mem_fraction_static", .type = T::number, .summary = "share for weights and cache", .min = 0, .max = 1, .above_min = true},
    {.path = "/options/chunked_prefill_size", .type = T::integer, .summary = "prompt tokens in one pass", .unit = "tokens", .min = 1, .max = 1e7},
    {.path = "/options/max_batch_size", .type = T::integer, .summary = "sequences in one pass", .min = 1, .max = 1e6},
    {.path = "/options/decode_context_parallel", .type = T::integer, .summary = "devices that share one sequence's cache", .min = 1, .max = kMostDevices},
    {.path = "/options/mla", .type = T::boolean, .summary = "cache the latent, not keys and values"},
    {.path = "/options/enable_dp_attention", .type = T::boolean, .summary = "attention data parallel over the tensor group, experts over all devices"},
    {.path = "/options/lora_adapters", .type = T::object, .summary = "adapters served beside the model"},
    {.path = "/options/lora_adapters/count", .type = T::integer, .summary = "how many", .min = 0, .max = 1e6},
    {.path = "/options/lora_adapters/rank", .type = T::integer, .summary = "their rank", .min = 1, .max = 65536},
    {.path = "/options/images_per_prompt", .type = T::integer, .summary = "images in a prompt", .min = 0, .max = 1e4},
    {.path = "/options/backend", .type = T::choice, .summary = "compute backend", .choices = "cuda hip vulkan metal sycl cpu"},
    {.path = "/options/power_limit_w", .type = T::number, .summary = "power limit of each device", .unit = "W", .min = 0, .max = 1e6, .above_min = true},
    {.path = "/options/split_mode", .type = T::choice, .summary = "how llama.cpp splits over devices", .choices = "none layer row"},
    {.path = "/options/tensor_split", .type = T::integers, .summary = "shares of the layers for each device; default: by their memory", .min = 0, .max = 1e6},
    {.path = "/options/n_batch", .type = T::integer, .summary = "logical batch", .min = 1, .max = 1e7},
    {.path = "/options/kv_unified", .type = T::boolean, .summary = "one cache for all slots"},
    {.path = "/options/swa_full", .type = T::boolean, .summary = "full-size cache for window layers"},
    {.path = "/options/n_gpu_layers", .type = T::integer, .summary = "layers on the GPU, output layer included", .min = 0, .max = 1e6},
    {.path = "/options/n_ubatch", .type = T::integer, .summary = "physical batch", .min = 1, .max = 1e7},
    {.path = "/options/flash_attention", .type = T::boolean, .summary = "attention without score matrices"},
    {.path = "/options/n_cpu_moe", .type = T::integer, .summary = "layers whose experts stay in system memory", .min = 0, .max = 1e6},
    {.path = "/options/no_kv_offload", .type = T::boolean, .summary = "the cache stays in system memory"},
    {.path = "/options/speculative", .type = T::object, .summary = "speculative decoding; MTP layers are loaded too"},
    {.path = "/options/speculative/draft_model", .type = T::text, .summary = "draft model"},
    {.path = "/options/speculative/tokens", .type = T::integer, .summary = "tokens drafted at once", .min = 1, .max = 64},
    {.path = "/options/speculative/acceptance", .type = T::number, .summary = "share of drafted tokens that are kept", .min = 0, .max = 1},
    {.path = "/efficiency", .type = T::object, .summary = "replaces the fitted efficiencies"},
    {.path = "/efficiency/compute", .type = T::number, .summary = "share of the dense peak", .min = 0, .max = 1, .above_min = true},
    {.path = "/efficiency/bandwidth", .type = T::number, .summary = "share of the bandwidth", .min = 0, .max = 1, .above_min = true},
    {.path = "/method", .type = T::choice, .summary = "detailed, or the article's simple formulas", .standard = "\"detailed\"", .choices = "detailed article"},
    {.path = "/explain", .type = T::boolean, .summary = "leave the steps in the answer", .standard = "false"},
};

constexpr Field kTrain[] = {
    WEIGHBRIDGE_MODEL_FIELDS,
    {.path = "/method", .type = T::choice, .summary = "what is trained", .standard = "\"full\"", .choices = "full lora qlora freeze"},
    {.path = "/lora", .type = T::object, .summary = "adapters"},
    {.path = "/lora/rank", .type = T::integer, .summary = "their rank", .min = 1, .max = 65536, .standard = "16"},
    {.path = "/lora/targets", .type = T::targets, .summary = "modules by name, or \"all-linear\""},
    {.path = "/lora/dora", .type = T::boolean, .summary = "magnitude and direction apart", .standard = "false"},
    {.path = "/lora/train_also", .type = T::texts, .summary = "modules trained in full beside the adapters"},
    {.path = "/precision", .type = T::choice, .summary = "number regime", .standard = "\"bf16-mixed\"", .choices = "fp32 bf16 fp16-mixed bf16-mixed fp8-mixed"},
    {.path = "/base_weights", .type = T::weight_format, .summary = "qlora: format of the frozen base"},
    {.path = "/base_weights/bits_per_weight", .type = T::number, .summary = "average over all stored tensors", .unit = "bits",
     .min = 0, .max = 64, .above_min = true},
    {.path = "/double_quantization", .type = T::boolean, .summary = "qlora: quantised scales"},
    {.path = "/optimizer", .type = T::choice, .summary = "optimizer", .standard = "\"adamw\"",
     .choices = "adamw adamw-8bit paged-adamw-8bit adamw-bf16 sgd sgd-momentum adafactor lion muon galore"},
    {.path = "/galore_rank", .type = T::integer, .summary = "galore: rank that gradients are projected to", .min = 1, .max = 65536, .standard = "128"},
    {.path = "/trained_layers", .type = T::integer, .summary = "freeze: how many of the last layers are trained", .min = 1, .max = 4096, .standard = "2"},
    {.path = "/activation_checkpointing", .type = T::checkpointing, .summary = "which activations are computed again", .standard = "\"none\"",
     .choices = "none selective selective-op full"},
    {.path = "/activation_checkpointing/every", .type = T::integer, .summary = "every k-th layer", .min = 1, .max = 4096},
    {.path = "/activation_offload", .type = T::boolean, .summary = "activations in system memory", .standard = "false"},
    {.path = "/optimizer_in_backward", .type = T::boolean, .summary = "each weight is updated as soon as its gradient is there", .standard = "false"},
    {.path = "/compile", .type = T::boolean, .summary = "compiled graph", .standard = "false"},
    {.path = "/attention", .type = T::choice, .summary = "attention kernel", .standard = "\"flash\"", .choices = "flash eager"},
    {.path = "/capacity_factor", .type = T::number, .summary = "experts take so many times their even share of tokens, and drop the rest", .min = 0, .max = 1024, .above_min = true},
    {.path = "/loss", .type = T::choice, .summary = "how logits and loss are computed", .standard = "\"full\"", .choices = "full chunked fused"},
    WEIGHBRIDGE_PARALLEL_FIELDS(""),
    {.path = "/parallel/sequence", .type = T::boolean, .summary = "sequence parallelism beside tensor parallelism"},
    {.path = "/parallel/no_sync", .type = T::boolean, .summary = "FSDP: gradients stay whole until the last micro-batch"},
    {.path = "/parallel/virtual_pipeline", .type = T::integer, .summary = "chunks per stage", .min = 1, .max = 4096},
    {.path = "/parallel/context", .type = T::integer, .summary = "context parallel degree", .min = 1, .max = kMostDevices},
    {.path = "/parallel/zero_stage", .type = T::integer, .summary = "ZeRO stage", .min = 0, .max = 3},
    {.path = "/parallel/shard_group", .type = T::integer, .summary = "devices of a sharding group", .min = 1, .max = kMostDevices},
    {.path = "/parallel/offload", .type = T::choice, .summary = "what lies in system memory", .choices = "none optimizer optimizer+parameters"},
    {.path = "/parallel/offload_to", .type = T::choice, .summary = "where it lies: system memory, or on NVMe behind buffers there", .choices = "memory nvme"},
    {.path = "/micro_batch", .type = T::integer, .summary = "sequences per device and pass", .unit = "sequences", .min = 1, .max = 1e6, .standard = "1"},
    {.path = "/gradient_accumulation", .type = T::integer, .summary = "passes per step", .min = 1, .max = 1e6, .standard = "1"},
    {.path = "/global_batch", .type = T::integer, .summary = "sequences per step, in place of gradient_accumulation", .min = 1, .max = 1e9},
    {.path = "/sequence_tokens", .type = T::integer, .summary = "tokens of a sequence", .unit = "tokens", .min = 1, .max = kMostTokens, .standard = "4096"},
    {.path = "/dataset_tokens", .type = T::number, .summary = "tokens of the whole run", .unit = "tokens", .min = 1, .max = 1e18},
    {.path = "/framework", .type = T::choice, .summary = "whose overheads hold", .standard = "\"pytorch\"", .choices = "pytorch deepspeed megatron fsdp unsloth"},
    WEIGHBRIDGE_DEVICE_FIELDS,
    {.path = "/efficiency", .type = T::object, .summary = "replaces the fitted efficiencies"},
    {.path = "/efficiency/compute", .type = T::number, .summary = "share of the dense peak", .min = 0, .max = 1, .above_min = true},
    {.path = "/price_usd_per_hour", .type = T::number, .summary = "per device; replaces the catalogue's", .unit = "USD/h", .min = 0, .max = 1e6},
    {.path = "/estimate_method", .type = T::choice, .summary = "detailed, or the article's simple formulas", .standard = "\"detailed\"", .choices = "detailed article"},
    {.path = "/explain", .type = T::boolean, .summary = "leave the steps in the answer", .standard = "false"},
};

constexpr Field kPlan[] = {
    {.path = "/model", .type = T::models, .summary = "one model or several"},
    {.path = "/devices", .type = T::device_list, .summary = "catalogue ids, or \"all\""},
    {.path = "/counts", .type = T::integers, .summary = "how many of them"},
    {.path = "/weights", .type = T::weight_formats, .summary = "weight formats, or \"all\""},
    {.path = "/kv_cache", .type = T::kv_formats, .summary = "KV cache formats"},
    {.path = "/engine", .type = T::engine, .summary = "whose rules hold", .standard = "\"ideal\""},
    WEIGHBRIDGE_WORKLOAD_FIELDS,
    {.path = "/limits", .type = T::object, .summary = "what a row must keep"},
    {.path = "/limits/ttft_s", .type = T::number, .summary = "time to first token", .unit = "s", .min = 0, .max = 1e9, .above_min = true},
    {.path = "/limits/tpot_s", .type = T::number, .summary = "time per output token", .unit = "s", .min = 0, .max = 1e9, .above_min = true},
    {.path = "/limits/latency_s", .type = T::number, .summary = "latency", .unit = "s", .min = 0, .max = 1e9, .above_min = true},
    {.path = "/limits/usd_per_hour", .type = T::number, .summary = "price", .unit = "USD/h", .min = 0, .max = 1e9},
    {.path = "/limits/min_headroom", .type = T::number, .summary = "bytes to spare", .unit = "bytes", .min = 0, .max = kMostBytes},
    {.path = "/limits/min_bits_per_weight", .type = T::number, .summary = "bits per weight", .unit = "bits", .min = 0, .max = 64},
    {.path = "/limits/min_context_tokens", .type = T::integer, .summary = "context", .unit = "tokens", .min = 1, .max = kMostTokens},
    {.path = "/sort", .type = T::choice, .summary = "order of the rows", .choices = "cost speed devices quality usd_per_million_tokens"},
    {.path = "/top", .type = T::integer, .summary = "how many rows", .min = 1, .max = 10000},
    {.path = "/pareto", .type = T::texts, .summary = "figures of the Pareto front"},
};

constexpr Field kSweep[] = {
    {.path = "/call", .type = T::choice, .summary = "which call is made", .standard = "\"estimate\"", .choices = "estimate train"},
    {.path = "/request", .type = T::call, .summary = "the request that is varied"},
    {.path = "/vary", .type = T::object, .summary = "what is varied"},
    {.path = "/vary/path", .type = T::text, .summary = "JSON Pointer into the request"},
    {.path = "/vary/values", .type = T::list, .summary = "its values, at most 10000"},
    {.path = "/outputs", .type = T::texts, .summary = "dotted paths into the answer"},
};

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }
std::string_view parent(std::string_view path) { return path.substr(0, path.rfind('/')); }

const Field* find(std::span<const Field> fields, std::string_view path) {
  for (const auto& f : fields) if (f.path == path) return &f;
  return nullptr;
}

std::string_view expected(const Field& f) {
  switch (f.type) {
    case T::boolean: return "true or false";
    case T::integer: return "a whole number";
    case T::number: return "a number";
    case T::text: return "a string";
    case T::choice: return "a string";
    case T::object: case T::config: case T::call: return "an object";
    case T::concurrency: return "a whole number or \"max\"";
    case T::devices: return "a whole number or an object";
    case T::texts: return "a list of strings";
    case T::integers: return "a list of whole numbers";
    case T::list: return "a list";
    case T::model: return "a model id or an object";
    case T::device: return "a device id, a list of ids or an object";
    case T::engine: case T::weight_format: case T::kv_format: case T::checkpointing: return "a string or an object";
    case T::targets: case T::device_list: case T::weight_formats: return "a string or a list of strings";
    case T::kv_formats: return "a list of strings";
    case T::models: return "a model or a list of models";
  }
  return "an object";
}

bool all_strings(const json& v) {
  return v.is_array() && std::all_of(v.begin(), v.end(), [](const json& item) { return item.is_string(); });
}
bool whole(double x) { return x - x == 0 && std::floor(x) == x; }
bool all_whole(const json& v) {
  return v.is_array() && std::all_of(v.begin(), v.end(), [](const json& item) { return item.is_number() && whole(item.get<double>()); });
}

bool right_type(const json& v, const Field& f) {
  switch (f.type) {
    case T::boolean: return v.is_boolean();
    case T::integer: return v.is_number() && whole(v.get<double>());
    case T::number: return v.is_number();
    case T::text: case T::choice: return v.is_string();
    case T::object: case T::config: case T::call: return v.is_object();
    case T::concurrency: return (v.is_number() && whole(v.get<double>())) || as_text(v) == "max";
    case T::devices: return v.is_object() || (v.is_number() && whole(v.get<double>()));
    case T::texts: return all_strings(v);
    case T::integers: return all_whole(v);
    case T::list: return v.is_array();
    case T::model: case T::engine: case T::weight_format: case T::kv_format: case T::checkpointing: return v.is_string() || v.is_object();
    case T::device: return v.is_string() || v.is_object() || (all_strings(v) && !v.empty());
    case T::targets: case T::device_list: case T::weight_formats: return v.is_string() || all_strings(v);
    case T::kv_formats: return all_strings(v);
    case T::models: return v.is_string() || v.is_object() || v.is_array();
  }
  return false;
}

bool in_range(double x, const Field& f) { return (f.above_min ? x > f.min : x >= f.min) && x <= f.max; }

bool is_choice(const json& v, const Field& f) {
  const auto words = split_words(f.choices);
  return std::find(words.begin(), words.end(), as_text(v)) != words.end();
}

void check_value(const json& v, const Field& f, const std::string& path, Problems& problems) {
  if (!right_type(v, f)) {
    problems.add(Code::wrong_type, path, {{"expected", expected(f)}, {"found", found_name(v)}});
  } else if (v.is_number() && !in_range(v.get<double>(), f)) {
    constexpr double kNone = std::numeric_limits<double>::infinity();
    problems.add(Code::out_of_range, path, {{"value", shown(v)}, {"min", f.above_min ? kNone : f.min}, {"above", f.above_min ? f.min : kNone},
                                            {"max", f.max}, {"unit", f.unit}});
  } else if (v.is_string() && !f.choices.empty() && !is_choice(v, f)) {
    const auto words = split_words(f.choices);
    problems.add(Code::unknown_value, path, {{"value", shown(v)}, {"nearest", nearest(as_text(v), words)}, {"accepted", words}});
  }
}

void check_object(const json& object, std::string_view prefix, std::span<const Field> fields, Problems& problems) {
  for (auto at = object.begin(); at != object.end(); ++at) {
    const auto path = pointer(prefix, at.key());
    const auto* field = find(fields, path);
    if (!field) {
      std::vector<std::string> accepted;
      for (const auto& f : fields)
        if (parent(f.path) == prefix) accepted.emplace_back(last_part(f.path));
      problems.add(Code::unknown_field, path, {{"name", at.key()}, {"nearest", nearest(at.key(), accepted)}, {"accepted", accepted}});
      continue;
    }
    const auto& value = at.value();
    if (value.is_null()) continue;                     // as if it were not there
    check_value(value, *field, path, problems);
    if (value.is_object() && field->type != T::config && field->type != T::call) check_object(value, path, fields, problems);
  }
}

}  // namespace

std::span<const Field> estimate_fields() { return kEstimate; }
std::span<const Field> train_fields() { return kTrain; }
std::span<const Field> plan_fields() { return kPlan; }
std::span<const Field> sweep_fields() { return kSweep; }

std::vector<std::string> split_words(std::string_view words) {
  std::vector<std::string> out;
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    out.emplace_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out;
}

void check_fields(const json& request, std::span<const Field> fields, Problems& problems) {
  if (!request.is_object()) {
    problems.add(Code::wrong_type, "", {{"expected", "an object"}, {"found", found_name(request)}});
    return;
  }
  check_object(request, "", fields, problems);
}

const json* value_at(const json& request, std::string_view path) {
  const json* at = &request;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    at = member(*at, path.substr(0, end));
    if (!at || at->is_null()) return nullptr;
    path.remove_prefix(end);
  }
  return at;
}

void set_at(json& request, std::string_view path, const json& value) {
  json* at = &request;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    if (!at->is_object()) *at = json::object();
    at = &(*at)[std::string(path.substr(0, end))];
    path.remove_prefix(end);
  }
  *at = value;
}

bool is_valid(const json& value, const Field& field) {
  return right_type(value, field) && !(value.is_number() && !in_range(value.get<double>(), field)) &&
         !(value.is_string() && !field.choices.empty() && !is_choice(value, field));
}

const Field& field_at(std::span<const Field> fields, std::string_view path) {
  const auto* field = find(fields, path);
  return field ? *field : fields.front();
}

std::string_view found_name(const json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "true or false";
  if (value.is_number_float()) return "a fraction";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  return value.is_array() ? "a list" : "an object";
}

std::string shown(const json& value) {
  auto s = value.is_string() ? std::string(as_text(value)) : json_text(value);
  if (s.size() > 80) {
    s.resize(80);
    while (!s.empty() && (static_cast<unsigned char>(s.back()) & 0xC0) == 0x80) s.pop_back();     // no broken UTF-8
    if (!s.empty() && static_cast<unsigned char>(s.back()) >= 0xC0) s.pop_back();
    s += "…";
  }
  return s;
}

}  // namespace weighbridge
