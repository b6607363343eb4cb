#include "answer_fields.hpp"

namespace weighbridge {

std::string_view answer_type_name(AnswerType type) {
  switch (type) {
    case AnswerType::text: return "string";
    case AnswerType::number: return "number";
    case AnswerType::integer: return "integer";
    case AnswerType::boolean: return "boolean";
    case AnswerType::choice: return "enum";
    case AnswerType::object: return "object";
    case AnswerType::list: return "array";
  }
  return "object";
}

namespace {

using T = AnswerType;
using Id = FormulaId;

#define WEIGHBRIDGE_MODEL_ANSWER                                                                                                   \
  {.path = "model.id", .type = T::text, .summary = "catalogue id, or the name that was given"},                                   \
  {.path = "model.name", .type = T::text, .summary = "name for people"},                                                          \
  {.path = "model.architecture", .type = T::text, .summary = "model_type of its config"},                                         \
  {.path = "model.parameters", .type = T::integer, .unit = "parameters", .summary = "weights as published: tied tables once, scales not"}, \
  {.path = "model.active_parameters", .type = T::integer, .unit = "parameters", .summary = "weights that one token uses"},         \
  {.path = "model.mtp_parameters", .type = T::integer, .unit = "parameters", .summary = "of these, multi-token prediction layers"}, \
  {.path = "model.layers", .type = T::integer, .summary = "transformer layers"},                                                  \
  {.path = "model.context_tokens", .type = T::integer, .unit = "tokens", .summary = "context that the model was made for", .nullable = true}, \
  {.path = "model.weight_bytes", .unit = "bytes", .summary = "all stored tensors in this format, scales included",                \
   .steps = {Id::model_weights, Id::kCount}, .article = Id::article_weights}

constexpr AnswerField kEstimate[] = {
    WEIGHBRIDGE_MODEL_ANSWER,
    {.path = "model.kv_bytes_per_token", .unit = "bytes/token", .summary = "growth of the cache per token once all windows are full",
     .steps = {Id::kv_bytes_per_token, Id::kCount}},
    {.path = "model.window_bytes_per_sequence", .unit = "bytes", .summary = "what full windows hold per sequence",
     .steps = {Id::window_bytes_per_sequence, Id::kCount}},
    {.path = "model.state_bytes_per_sequence", .unit = "bytes", .summary = "recurrent state per sequence",
     .steps = {Id::state_bytes_per_sequence, Id::kCount}},
    {.path = "memory.per_device", .type = T::object, .summary = "the fullest device; null without a device", .nullable = true},
    {.path = "memory.per_device.weights", .unit = "bytes", .summary = "weights on the fullest device", .steps = {Id::device_weights, Id::kCount}},
    {.path = "memory.per_device.kv_cache", .unit = "bytes", .summary = "cache of the sequences in flight", .steps = {Id::device_kv_cache, Id::kCount}},
    {.path = "memory.per_device.activations", .unit = "bytes", .summary = "activation peak of one pass", .steps = {Id::activations, Id::kCount}},
    {.path = "memory.per_device.runtime", .unit = "bytes", .summary = "what the engine, the driver and others take", .steps = {Id::runtime, Id::kCount}},
    {.path = "memory.per_device.total", .unit = "bytes", .summary = "sum of the parts", .steps = {Id::device_total, Id::kCount}},
    {.path = "memory.per_device.capacity", .unit = "bytes", .summary = "memory as the driver reports it"},
    {.path = "memory.per_device.usable", .unit = "bytes", .summary = "what the engine may take", .steps = {Id::usable_memory, Id::kCount}},
    {.path = "memory.per_device.headroom", .unit = "bytes", .summary = "what is left; negative: short", .steps = {Id::headroom, Id::kCount}},
    {.path = "memory.per_device.fits", .type = T::boolean, .summary = "headroom is not negative"},
    {.path = "memory.total.weights", .unit = "bytes", .summary = "weights on all devices", .steps = {Id::total_weights, Id::kCount},
     .article = Id::article_calls, .article_of = "weights"},
    {.path = "memory.total.kv_cache", .unit = "bytes", .summary = "cache on all devices", .steps = {Id::total_kv_cache, Id::kCount},
     .article = Id::article_calls, .article_of = "kv_cache"},
    {.path = "memory.total.activations", .unit = "bytes", .summary = "activation peaks of all devices", .steps = {Id::total_activations, Id::kCount},
     .article = Id::article_calls, .article_of = "activations"},
    {.path = "memory.total.runtime", .unit = "bytes", .summary = "runtime on all devices", .steps = {Id::total_runtime, Id::kCount}},
    {.path = "memory.total.total", .unit = "bytes", .summary = "sum of the parts on all devices", .steps = {Id::total_memory, Id::kCount},
     .article = Id::article_total},
    {.path = "memory.host.weights", .unit = "bytes", .summary = "weights in system memory"},
    {.path = "memory.host.kv_cache", .unit = "bytes", .summary = "cache in system memory"},
    {.path = "memory.host.total", .unit = "bytes", .summary = "sum of both"},
    {.path = "memory.host.capacity", .unit = "bytes", .summary = "system memory", .nullable = true},
    {.path = "memory.host.fits", .type = T::boolean, .summary = "it fits into system memory"},
#define WEIGHBRIDGE_ROLE(name, words)                                                                                              \
  {.path = "memory.detail.weights." name, .unit = "bytes", .summary = words, .steps = {Id::device_role_weights, Id::kCount}, .of = name}
    WEIGHBRIDGE_ROLE("embedding", "input table on the fullest device"),
    WEIGHBRIDGE_ROLE("attention", "attention matrices on the fullest device"),
    WEIGHBRIDGE_ROLE("mlp", "dense feed-forward on the fullest device"),
    WEIGHBRIDGE_ROLE("experts", "experts on the fullest device"),
    WEIGHBRIDGE_ROLE("router", "routers on the fullest device"),
    WEIGHBRIDGE_ROLE("norm", "norms on the fullest device"),
    WEIGHBRIDGE_ROLE("lm_head", "output head on the fullest device"),
    WEIGHBRIDGE_ROLE("vision", "towers on the fullest device"),
    WEIGHBRIDGE_ROLE("other", "all else on the fullest device"),
#undef WEIGHBRIDGE_ROLE
    {.path = "memory.detail.runtime.context", .unit = "bytes", .summary = "driver context"},
    {.path = "memory.detail.runtime.libraries", .unit = "bytes", .summary = "communication and matrix libraries"},
    {.path = "memory.detail.runtime.graphs", .unit = "bytes", .summary = "recorded graphs"},
    {.path = "memory.detail.runtime.reserved", .unit = "bytes", .summary = "reserved_bytes", .steps = {Id::runtime, Id::kCount}},
    {.path = "capacity", .type = T::object, .summary = "what one replica can hold; null without a device", .nullable = true},
    {.path = "capacity.kv_pool", .unit = "bytes", .summary = "what a device has for the cache", .nullable = true, .steps = {Id::kv_pool, Id::kCount}},
    {.path = "capacity.kv_bytes_per_token", .unit = "bytes/token", .summary = "per device, as allocated", .nullable = true,
     .steps = {Id::device_kv_bytes_per_token, Id::windowed_kv_bytes_per_token}},
    {.path = "capacity.kv_tokens", .type = T::integer, .unit = "tokens", .summary = "tokens that the pool holds", .nullable = true,
     .steps = {Id::kv_tokens, Id::windowed_kv_tokens}},
    {.path = "capacity.max_context_tokens", .type = T::integer, .unit = "tokens", .summary = "largest context at this concurrency", .nullable = true,
     .steps = {Id::max_context_tokens, Id::kCount}},
    {.path = "capacity.max_concurrency", .type = T::integer, .unit = "sequences", .summary = "most sequences of this context", .nullable = true,
     .steps = {Id::max_concurrency, Id::kCount}},
    {.path = "capacity.devices_needed", .type = T::integer, .unit = "devices", .summary = "fewest devices that fit; null when no number does",
     .nullable = true, .article = Id::article_devices_needed},
    {.path = "speed", .type = T::object, .summary = "null without a device or without its figures", .nullable = true},
    {.path = "speed.prefill.flops", .unit = "FLOP", .summary = "of one request's uncached prompt", .steps = {Id::prefill_flops, Id::kCount},
     .article = Id::article_flops},
    {.path = "speed.prefill.seconds", .unit = "s", .summary = "one prompt on an idle deployment", .steps = {Id::pass_seconds, Id::kCount}, .of = "prefill",
     .article = Id::article_seconds_per_token},
    {.path = "speed.prefill.tokens_per_s", .unit = "tokens/s", .summary = "prompt tokens read per second", .nullable = true,
     .steps = {Id::prefill_tokens_per_s, Id::kCount}},
    {.path = "speed.prefill.bound", .type = T::choice, .summary = "what holds it back", .choices = "compute bandwidth interconnect overhead"},
    {.path = "speed.decode.bytes_per_step", .unit = "bytes", .summary = "moved by one step of all sequences", .nullable = true,
     .steps = {Id::decode_bytes, Id::kCount}},
    {.path = "speed.decode.flops_per_step", .unit = "FLOP", .summary = "of one step of all sequences", .steps = {Id::decode_flops, Id::kCount},
     .article = Id::article_flops},
    {.path = "speed.decode.seconds_per_step", .unit = "s", .summary = "one step at the mean context", .steps = {Id::pass_seconds, Id::kCount},
     .of = "decode", .article = Id::article_seconds_per_token},
    {.path = "speed.decode.tokens_per_s", .unit = "tokens/s", .summary = "all sequences together, without prompts of others",
     .steps = {Id::decode_tokens_per_s, Id::kCount}, .article = Id::article_tokens_per_s_per_user},
    {.path = "speed.decode.bound", .type = T::choice, .summary = "what holds it back", .choices = "compute bandwidth interconnect overhead"},
    {.path = "speed.ttft_s", .unit = "s", .summary = "time to first token", .steps = {Id::queued_ttft, Id::ttft}, .article = Id::article_seconds_per_token},
    {.path = "speed.tpot_s", .unit = "s", .summary = "time per output token after the first", .steps = {Id::tpot, Id::kCount},
     .article = Id::article_seconds_per_token},
    {.path = "speed.latency_s", .unit = "s", .summary = "from the request to its last token", .steps = {Id::queued_latency, Id::latency},
     .article = Id::article_latency},
    {.path = "speed.output_tokens_per_s", .unit = "tokens/s", .summary = "of the whole deployment", .steps = {Id::output_tokens_per_s, Id::kCount},
     .article = Id::article_output_tokens_per_s},
    {.path = "speed.tokens_per_s_per_user", .unit = "tokens/s", .summary = "what one reader sees", .steps = {Id::tokens_per_s_per_user, Id::kCount},
     .article = Id::article_tokens_per_s_per_user},
    {.path = "load", .type = T::object, .summary = "what the deployment settles at; null without speed", .nullable = true},
    {.path = "load.concurrency", .unit = "sequences", .summary = "sequences being served"},
    {.path = "load.utilisation", .summary = "share of what it could serve", .nullable = true},
    {.path = "load.stable", .type = T::boolean, .summary = "arrivals are kept up with"},
    {.path = "load.queue_s", .unit = "s", .summary = "wait before a request starts", .nullable = true, .steps = {Id::queue, Id::kCount}},
    {.path = "cost", .type = T::object, .summary = "null without speed", .nullable = true},
    {.path = "cost.usd_per_hour", .unit = "USD/h", .summary = "rent of all devices", .nullable = true, .steps = {Id::usd_per_hour, Id::kCount}},
    {.path = "cost.usd_per_million_output_tokens", .unit = "USD", .summary = "rent while a million tokens are written", .nullable = true,
     .steps = {Id::usd_per_million_output_tokens, Id::kCount}},
    {.path = "cost.watts", .unit = "W", .summary = "power limit of all devices", .nullable = true, .steps = {Id::watts, Id::kCount}},
    {.path = "cost.joules_per_output_token", .unit = "J/token", .summary = "energy at the power limit", .nullable = true,
     .steps = {Id::joules_per_output_token, Id::kCount}},
};

constexpr AnswerField kTrain[] = {
    WEIGHBRIDGE_MODEL_ANSWER,
    {.path = "model.trainable_parameters", .type = T::integer, .unit = "parameters", .summary = "weights that are trained"},
    {.path = "memory.per_device.weights", .unit = "bytes", .summary = "weights", .article = Id::article_weights},
    {.path = "memory.per_device.gradients", .unit = "bytes", .summary = "gradients", .article = Id::article_gradients},
    {.path = "memory.per_device.optimizer", .unit = "bytes", .summary = "optimizer states", .article = Id::article_optimizer},
    {.path = "memory.per_device.activations", .unit = "bytes", .summary = "activations", .article = Id::article_activations},
    {.path = "memory.per_device.logits", .unit = "bytes", .summary = "logits and loss"},
    {.path = "memory.per_device.kv_cache", .unit = "bytes", .summary = "KV cache: the article's method alone counts one", .article = Id::article_kv_cache},
    {.path = "memory.per_device.runtime", .unit = "bytes", .summary = "what the frame and the driver take"},
    {.path = "memory.per_device.total", .unit = "bytes", .summary = "sum of the parts", .article = Id::article_training_total},
    {.path = "memory.per_device.capacity", .unit = "bytes", .summary = "memory of the device", .nullable = true},
    {.path = "memory.per_device.usable", .unit = "bytes", .summary = "what may be taken of it", .nullable = true},
    {.path = "memory.per_device.headroom", .unit = "bytes", .summary = "what is left; negative: short", .nullable = true},
    {.path = "memory.per_device.fits", .type = T::boolean, .summary = "headroom is not negative", .nullable = true},
    {.path = "memory.host.total", .unit = "bytes", .summary = "what lies in system memory"},
    {.path = "speed", .type = T::object, .summary = "null in the article's method", .nullable = true},
    {.path = "article.additional_bytes_per_parameter", .type = T::list, .unit = "bytes", .summary = "least and most beyond the weights"},
    {.path = "article.range_bytes", .type = T::list, .unit = "bytes", .summary = "model + (12 ... 20 bytes) x trainable parameters"},
    {.path = "article.factor_range_bytes", .type = T::list, .unit = "bytes", .summary = "4 to 6 times inference"},
};

}  // namespace

std::span<const AnswerField> estimate_answer() { return kEstimate; }
std::span<const AnswerField> train_answer() { return kTrain; }

}  // namespace weighbridge
