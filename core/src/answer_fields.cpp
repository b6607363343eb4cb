#include "answer_fields.hpp"

#include <array>
#include <limits>

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

// A figure of the answer `a`.
#define WEIGHBRIDGE_NUMBER(expression) [](const Answered& a) { (void)a; return static_cast<double>(expression); }
#define WEIGHBRIDGE_TEXT(expression) [](const Answered& a) { return std::string_view(expression); }

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

constexpr double count(std::int64_t n) { return static_cast<double>(n); }
// 0 stands for what is not known.
constexpr double known(double x) { return x > 0 ? x : kNone; }

// Of a training answer, on one device: the article's figure over all devices, or the detailed one.
double each(const Answered& a, Bytes ArticleTraining::*all) { return (a.training->*all).value / count(a.training_request->devices.value); }
double part(const Answered& a, Bytes TrainParts::*of, Bytes ArticleTraining::*all) { return a.trained ? (a.trained->at_peak().*of).value : all ? each(a, all) : 0; }
double train_total(const Answered& a) { return a.trained ? a.trained->at_peak().total().value : each(a, &ArticleTraining::total); }
double train_capacity(const Answered& a, bool usable) {
  const auto& d = a.training_request->device;
  if (!d) return kNone;
  return a.training ? d->marketed.value : d->memory.value * (usable ? d->usable_fraction : 1);
}
double timed(const Answered& a, double TrainSpeed::*of) { return a.trained ? a.trained->speed.*of : kNone; }
template <class Q>
double timed(const Answered& a, Q TrainSpeed::*of) { return a.trained ? (a.trained->speed.*of).value : kNone; }

constexpr AnswerField kModel[] = {
    {.path = "model.id", .type = T::text, .summary = "catalogue id, or the name that was given",
     .text = WEIGHBRIDGE_TEXT(a.model->spec.id)},
    {.path = "model.name", .type = T::text, .summary = "name for people", .text = WEIGHBRIDGE_TEXT(a.model->spec.name)},
    {.path = "model.architecture", .type = T::text, .summary = "model_type of its config",
     .text = WEIGHBRIDGE_TEXT(a.model->spec.architecture)},
    {.path = "model.parameters", .type = T::integer, .unit = "parameters", .summary = "weights as published: tied tables once, scales not",
     .value = WEIGHBRIDGE_NUMBER(count(a.model->parameters))},
    {.path = "model.active_parameters", .type = T::integer, .unit = "parameters", .summary = "weights that one token uses",
     .value = WEIGHBRIDGE_NUMBER(count(a.model->active_parameters))},
    {.path = "model.mtp_parameters", .type = T::integer, .unit = "parameters", .summary = "of these, multi-token prediction layers",
     .value = WEIGHBRIDGE_NUMBER(count(a.model->mtp_parameters))},
    {.path = "model.layers", .type = T::integer, .summary = "transformer layers",
     .value = WEIGHBRIDGE_NUMBER(count(a.model->spec.layers()))},
    {.path = "model.context_tokens", .type = T::integer, .unit = "tokens", .summary = "context that the model was made for", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(count(a.model->spec.context)))},
    {.path = "model.weight_bytes", .unit = "bytes", .summary = "all stored tensors in this format, scales included",
     .value = WEIGHBRIDGE_NUMBER(a.estimate ? a.estimate->weight_bytes.value : a.trained ? a.trained->weight_bytes.value : a.training->weights.value),
     .steps = {Id::model_weights, Id::kCount, Id::kCount}, .article = Id::article_weights},
};

constexpr AnswerField kEstimateOwn[] = {
    {.path = "model.kv_bytes_per_token", .unit = "bytes/token", .summary = "growth of the cache per token once all windows are full",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->kv_bytes_per_token.value), .steps = {Id::kv_bytes_per_token, Id::kCount, Id::kCount}},
    {.path = "model.window_bytes_per_sequence", .unit = "bytes", .summary = "what full windows hold per sequence",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->window_bytes_per_sequence.value), .steps = {Id::window_bytes_per_sequence, Id::kCount, Id::kCount}},
    {.path = "model.state_bytes_per_sequence", .unit = "bytes", .summary = "recurrent state per sequence",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->state_bytes_per_sequence.value), .steps = {Id::state_bytes_per_sequence, Id::kCount, Id::kCount}},
    {.path = "memory.per_device", .type = T::object, .summary = "the fullest device; null without a device", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->has_device)},
    {.path = "memory.per_device.weights", .unit = "bytes", .summary = "weights on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights.value), .steps = {Id::device_weights, Id::kCount, Id::kCount}},
    {.path = "memory.per_device.kv_cache", .unit = "bytes", .summary = "cache of the sequences in flight",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.kv_cache.value), .steps = {Id::device_kv_cache, Id::kCount, Id::kCount}},
    {.path = "memory.per_device.activations", .unit = "bytes", .summary = "activation peak of one pass",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.activations.value), .steps = {Id::activations, Id::engine_activations, Id::compute_buffer}},
    {.path = "memory.per_device.runtime", .unit = "bytes", .summary = "what the engine, the driver and others take",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.runtime.value), .steps = {Id::runtime, Id::kCount, Id::kCount}},
    {.path = "memory.per_device.total", .unit = "bytes", .summary = "sum of the parts",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.total.value), .steps = {Id::device_total, Id::kCount, Id::kCount}},
    {.path = "memory.per_device.capacity", .unit = "bytes", .summary = "memory as the driver reports it",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.capacity.value)},
    {.path = "memory.per_device.usable", .unit = "bytes", .summary = "what the engine may take",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.usable.value), .steps = {Id::usable_memory, Id::budget, Id::kCount}},
    {.path = "memory.per_device.headroom", .unit = "bytes", .summary = "what is left; negative: short",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.headroom.value), .steps = {Id::headroom, Id::kCount, Id::kCount}},
    {.path = "memory.per_device.fits", .type = T::boolean, .summary = "headroom is not negative",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.fits)},
    {.path = "memory.total.weights", .unit = "bytes", .summary = "weights on all devices",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->total.weights.value),
     .steps = {Id::total_weights, Id::kCount, Id::kCount}, .article = Id::article_calls, .article_of = "weights"},
    {.path = "memory.total.kv_cache", .unit = "bytes", .summary = "cache on all devices",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->total.kv_cache.value),
     .steps = {Id::total_kv_cache, Id::kCount, Id::kCount}, .article = Id::article_calls, .article_of = "kv_cache"},
    {.path = "memory.total.activations", .unit = "bytes", .summary = "activation peaks of all devices",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->total.activations.value),
     .steps = {Id::total_activations, Id::kCount, Id::kCount}, .article = Id::article_calls, .article_of = "activations"},
    {.path = "memory.total.runtime", .unit = "bytes", .summary = "runtime on all devices",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->total.runtime.value), .steps = {Id::total_runtime, Id::kCount, Id::kCount}},
    {.path = "memory.total.total", .unit = "bytes", .summary = "sum of the parts on all devices",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->total.total.value), .steps = {Id::total_memory, Id::kCount, Id::kCount}, .article = Id::article_total},
    {.path = "memory.host.weights", .unit = "bytes", .summary = "weights in system memory",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->host.weights.value), .steps = {Id::host_weights, Id::kCount, Id::kCount}},
    {.path = "memory.host.kv_cache", .unit = "bytes", .summary = "cache in system memory",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->host.kv_cache.value), .steps = {Id::host_kv_cache, Id::kCount, Id::kCount}},
    {.path = "memory.host.total", .unit = "bytes", .summary = "sum of both", .value = WEIGHBRIDGE_NUMBER(a.estimate->host.total().value)},
    {.path = "memory.host.capacity", .unit = "bytes", .summary = "system memory", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(a.request->host_bytes))},
    {.path = "memory.host.fits", .type = T::boolean, .summary = "it fits into system memory",
     .value = WEIGHBRIDGE_NUMBER(a.request->host_bytes <= 0 || a.estimate->host.total().value <= a.request->host_bytes)},
    {.path = "memory.detail.weights.embedding", .unit = "bytes", .summary = "input table on the fullest device", .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::embedding)].value), .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "embedding"},
    {.path = "memory.detail.weights.attention", .unit = "bytes", .summary = "attention matrices on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::attention)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "attention"},
    {.path = "memory.detail.weights.mlp", .unit = "bytes", .summary = "dense feed-forward on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::mlp)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "mlp"},
    {.path = "memory.detail.weights.experts", .unit = "bytes", .summary = "experts on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::experts)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "experts"},
    {.path = "memory.detail.weights.router", .unit = "bytes", .summary = "routers on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::router)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "router"},
    {.path = "memory.detail.weights.norm", .unit = "bytes", .summary = "norms on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::norm)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "norm"},
    {.path = "memory.detail.weights.lm_head", .unit = "bytes", .summary = "output head on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::lm_head)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "lm_head"},
    {.path = "memory.detail.weights.vision", .unit = "bytes", .summary = "towers on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::vision)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "vision"},
    {.path = "memory.detail.weights.other", .unit = "bytes", .summary = "all else on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.weights_by_role[std::size_t(Role::other)].value),
     .steps = {Id::device_role_weights, Id::kCount, Id::kCount}, .of = "other"},
    {.path = "memory.detail.weights.adapters", .unit = "bytes", .summary = "LoRA adapters on the fullest device",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.adapters.value), .steps = {Id::adapter_weights, Id::kCount, Id::kCount}},
    {.path = "memory.detail.weights.engine", .unit = "bytes", .summary = "beside the model's own weights: tables and products that the engine makes when it loads them, and a draft model",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.engine_weights.value), .steps = {Id::engine_weights, Id::kCount, Id::kCount}},
    {.path = "memory.detail.runtime.context", .unit = "bytes", .summary = "driver context",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.context.value), .steps = {Id::engine_context, Id::kCount, Id::kCount}},
    {.path = "memory.detail.runtime.libraries", .unit = "bytes", .summary = "communication and matrix libraries",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.libraries.value), .steps = {Id::engine_libraries, Id::kCount, Id::kCount}},
    {.path = "memory.detail.runtime.graphs", .unit = "bytes", .summary = "recorded graphs",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.graphs.value), .steps = {Id::engine_graphs, Id::kCount, Id::kCount}},
    {.path = "memory.detail.runtime.reserved", .unit = "bytes", .summary = "reserved_bytes",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->device.reserved.value)},
    {.path = "capacity", .type = T::object, .summary = "what one replica can hold; null without a device", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->has_device)},
    {.path = "capacity.kv_pool", .unit = "bytes", .summary = "what a device has for the cache", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->capacity.kv_pool.value), .steps = {Id::kv_pool, Id::kCount, Id::kCount}},
    {.path = "capacity.kv_bytes_per_token", .unit = "bytes/token", .summary = "per device, as allocated", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->capacity.kv_bytes_per_token.value),
     .steps = {Id::device_kv_bytes_per_token, Id::windowed_kv_bytes_per_token, Id::kCount}},
    {.path = "capacity.kv_tokens", .type = T::integer, .unit = "tokens", .summary = "tokens that the pool holds", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->capacity.kv_tokens), .steps = {Id::kv_tokens, Id::windowed_kv_tokens, Id::kCount}},
    {.path = "capacity.max_context_tokens", .type = T::integer, .unit = "tokens", .summary = "largest context at this concurrency", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->capacity.max_context_tokens), .steps = {Id::max_context_tokens, Id::kCount, Id::kCount}},
    {.path = "capacity.max_concurrency", .type = T::integer, .unit = "sequences", .summary = "most sequences of this context", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->capacity.max_concurrency), .steps = {Id::max_concurrency, Id::kCount, Id::kCount}},
    {.path = "capacity.devices_needed", .type = T::integer, .unit = "devices", .summary = "fewest devices that fit; null when no number does", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(count(a.estimate->capacity.devices_needed))), .article = Id::article_devices_needed},
    {.path = "speed", .type = T::object, .summary = "null without a device or without its figures", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->has_speed)},
    {.path = "speed.prefill.flops", .unit = "FLOP", .summary = "of one request's uncached prompt",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.prefill.flops.value),
     .steps = {Id::prefill_flops, Id::kCount, Id::kCount}, .article = Id::article_flops},
    {.path = "speed.prefill.seconds", .unit = "s", .summary = "one prompt on an idle deployment",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.prefill.seconds.value),
     .steps = {Id::pass_seconds, Id::kCount, Id::kCount}, .of = "prefill", .article = Id::article_seconds_per_token},
    {.path = "speed.prefill.tokens_per_s", .unit = "tokens/s", .summary = "prompt tokens read per second", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(a.estimate->speed.prefill.tokens_per_s.value)), .steps = {Id::prefill_tokens_per_s, Id::kCount, Id::kCount}},
    {.path = "speed.prefill.bound", .type = T::choice, .summary = "what holds it back",
     .text = WEIGHBRIDGE_TEXT(bound_name(a.estimate->speed.prefill.bound)), .choices = "compute bandwidth interconnect overhead"},
    {.path = "speed.decode.bytes_per_step", .unit = "bytes", .summary = "moved by one step of all sequences", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.decode.bytes.value), .steps = {Id::decode_bytes, Id::kCount, Id::kCount}},
    {.path = "speed.decode.flops_per_step", .unit = "FLOP", .summary = "of one step of all sequences",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.decode.flops.value),
     .steps = {Id::decode_flops, Id::kCount, Id::kCount}, .article = Id::article_flops},
    {.path = "speed.decode.seconds_per_step", .unit = "s", .summary = "one step at the mean context",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.decode.seconds.value),
     .steps = {Id::speculative_step, Id::pass_seconds, Id::kCount}, .of = "decode", .article = Id::article_seconds_per_token},
    {.path = "speed.decode.tokens_per_s", .unit = "tokens/s", .summary = "all sequences together, without prompts of others",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.decode.tokens_per_s.value),
     .steps = {Id::decode_tokens_per_s, Id::kCount, Id::kCount}, .article = Id::article_tokens_per_s_per_user},
    {.path = "speed.decode.bound", .type = T::choice, .summary = "what holds it back",
     .text = WEIGHBRIDGE_TEXT(bound_name(a.estimate->speed.decode.bound)), .choices = "compute bandwidth interconnect overhead"},
    {.path = "speed.ttft_s", .unit = "s", .summary = "time to first token",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.ttft.value),
     .steps = {Id::queued_ttft, Id::ttft, Id::pooled_ttft}, .article = Id::article_seconds_per_token},
    {.path = "speed.tpot_s", .unit = "s", .summary = "time per output token after the first",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.tpot.value), .steps = {Id::tpot, Id::kCount, Id::kCount}, .article = Id::article_seconds_per_token},
    {.path = "speed.latency_s", .unit = "s", .summary = "from the request to its last token",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.latency.value),
     .steps = {Id::queued_latency, Id::latency, Id::kCount}, .article = Id::article_latency},
    {.path = "speed.output_tokens_per_s", .unit = "tokens/s", .summary = "of the whole deployment",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.output_tokens_per_s.value),
     .steps = {Id::output_tokens_per_s, Id::kCount, Id::kCount}, .article = Id::article_output_tokens_per_s},
    {.path = "speed.tokens_per_s_per_user", .unit = "tokens/s", .summary = "what one reader sees",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->speed.tokens_per_s_per_user.value),
     .steps = {Id::tokens_per_s_per_user, Id::kCount, Id::kCount}, .article = Id::article_tokens_per_s_per_user},
    {.path = "load", .type = T::object, .summary = "what the deployment settles at, in means: percentiles would need to be told how the lengths of prompts and answers spread; null without speed", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->has_speed)},
    {.path = "load.concurrency", .unit = "sequences", .summary = "sequences being served",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->load.concurrency)},
    {.path = "load.utilisation", .summary = "share of what it could serve", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->load.utilisation)},
    {.path = "load.stable", .type = T::boolean, .summary = "arrivals are kept up with",
     .value = WEIGHBRIDGE_NUMBER(a.estimate->load.stable)},
    {.path = "load.queue_s", .unit = "s", .summary = "wait before a request starts", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->load.stable ? a.estimate->load.queue.value : kNone), .steps = {Id::queue, Id::kCount, Id::kCount}},
    {.path = "cost", .type = T::object, .summary = "null without speed", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.estimate->has_speed)},
    {.path = "cost.usd_per_hour", .unit = "USD/h", .summary = "rent of all devices", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(a.estimate->cost.usd_per_hour.value)), .steps = {Id::usd_per_hour, Id::kCount, Id::kCount}},
    {.path = "cost.usd_per_million_output_tokens", .unit = "USD", .summary = "rent while a million tokens are written", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(a.estimate->cost.usd_per_million_output_tokens)),
     .steps = {Id::usd_per_million_output_tokens, Id::kCount, Id::kCount}},
    {.path = "cost.watts", .unit = "W", .summary = "power limit of all devices", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(a.estimate->cost.watts.value)), .steps = {Id::watts, Id::kCount, Id::kCount}},
    {.path = "cost.joules_per_output_token", .unit = "J/token", .summary = "energy at the power limit", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(a.estimate->cost.joules_per_output_token.value)),
     .steps = {Id::joules_per_output_token, Id::kCount, Id::kCount}},
};

constexpr AnswerField kTrainOwn[] = {
    {.path = "model.trainable_parameters", .type = T::integer, .unit = "parameters", .summary = "weights that are trained",
     .value = WEIGHBRIDGE_NUMBER(a.training_request->trainable_parameters)},
    {.path = "memory.per_device.weights", .unit = "bytes", .summary = "weights at the peak",
     .value = WEIGHBRIDGE_NUMBER(part(a, &TrainParts::weights, &ArticleTraining::weights)), .steps = {Id::train_part, Id::kCount, Id::kCount}, .of = "weights", .article = Id::article_weights},
    {.path = "memory.per_device.gradients", .unit = "bytes", .summary = "gradients",
     .value = WEIGHBRIDGE_NUMBER(part(a, &TrainParts::gradients, &ArticleTraining::gradients)), .steps = {Id::train_part, Id::kCount, Id::kCount}, .of = "gradients", .article = Id::article_gradients},
    {.path = "memory.per_device.optimizer", .unit = "bytes", .summary = "optimizer states and master copies",
     .value = WEIGHBRIDGE_NUMBER(part(a, &TrainParts::optimizer, &ArticleTraining::optimizer)), .steps = {Id::train_part, Id::kCount, Id::kCount}, .of = "optimizer", .article = Id::article_optimizer},
    {.path = "memory.per_device.activations", .unit = "bytes", .summary = "what the forward pass keeps, and what one layer works with",
     .value = WEIGHBRIDGE_NUMBER(part(a, &TrainParts::activations, &ArticleTraining::activations)), .steps = {Id::train_part, Id::kCount, Id::kCount}, .of = "activations", .article = Id::article_activations},
    {.path = "memory.per_device.logits", .unit = "bytes", .summary = "logits and loss",
     .value = WEIGHBRIDGE_NUMBER(part(a, &TrainParts::logits, nullptr)), .steps = {Id::train_part, Id::kCount, Id::kCount}, .of = "logits"},
    {.path = "memory.per_device.kv_cache", .unit = "bytes", .summary = "KV cache: the article's method alone counts one",
     .value = WEIGHBRIDGE_NUMBER(a.training ? each(a, &ArticleTraining::kv_cache) : 0), .article = Id::article_kv_cache},
    {.path = "memory.per_device.runtime", .unit = "bytes", .summary = "driver context, buffers between devices, the allocator's slack",
     .value = WEIGHBRIDGE_NUMBER(part(a, &TrainParts::runtime, nullptr)), .steps = {Id::train_runtime, Id::kCount, Id::kCount}},
    {.path = "memory.per_device.total", .unit = "bytes", .summary = "sum of the parts: what the driver reports at the peak",
     .value = WEIGHBRIDGE_NUMBER(train_total(a)), .steps = {Id::train_total, Id::kCount, Id::kCount}, .article = Id::article_training_total},
    {.path = "memory.per_device.capacity", .unit = "bytes", .summary = "memory of the device", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(train_capacity(a, false))},
    {.path = "memory.per_device.usable", .unit = "bytes", .summary = "what may be taken of it", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(train_capacity(a, true))},
    {.path = "memory.per_device.headroom", .unit = "bytes", .summary = "what is left; negative: short", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(train_capacity(a, true) - train_total(a))},
    {.path = "memory.per_device.fits", .type = T::boolean, .summary = "headroom is not negative", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(!a.training_request->device ? kNone : train_capacity(a, true) >= train_total(a))},
    {.path = "memory.host.total", .unit = "bytes", .summary = "what lies in system memory, of all devices together",
     .value = WEIGHBRIDGE_NUMBER(a.trained ? a.trained->host.value : 0), .steps = {Id::train_host, Id::kCount, Id::kCount}},
    {.path = "speed", .type = T::object, .summary = "null in the article's method, and without a device", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.trained && a.trained->has_speed)},
    {.path = "speed.flops_per_token", .unit = "FLOP/token", .summary = "of the model: nothing computed again, attention in full",
     .value = WEIGHBRIDGE_NUMBER(timed(a, &TrainSpeed::flops_per_token)), .steps = {Id::train_flops_per_token, Id::kCount, Id::kCount}},
    {.path = "speed.step_seconds", .unit = "s", .summary = "one optimizer step",
     .value = WEIGHBRIDGE_NUMBER(timed(a, &TrainSpeed::step)), .steps = {Id::train_step_seconds, Id::kCount, Id::kCount}},
    {.path = "speed.tokens_per_s", .unit = "tokens/s", .summary = "of all devices",
     .value = WEIGHBRIDGE_NUMBER(timed(a, &TrainSpeed::tokens_per_s)), .steps = {Id::train_tokens_per_s, Id::kCount, Id::kCount}},
    {.path = "speed.tokens_per_s_per_device", .unit = "tokens/s", .summary = "of one device",
     .value = WEIGHBRIDGE_NUMBER(timed(a, &TrainSpeed::tokens_per_s_per_device)), .steps = {Id::train_tokens_per_device, Id::kCount, Id::kCount}},
    {.path = "speed.tflops_per_device", .unit = "FLOP/s", .summary = "model FLOP per second of one device",
     .value = WEIGHBRIDGE_NUMBER(timed(a, &TrainSpeed::flops_per_device)), .steps = {Id::train_flops_per_device, Id::kCount, Id::kCount}},
    {.path = "speed.mfu", .summary = "share of the dense peak of the precision that the matrix products run in",
     .value = WEIGHBRIDGE_NUMBER(timed(a, &TrainSpeed::mfu)), .steps = {Id::train_mfu, Id::kCount, Id::kCount}},
    {.path = "speed.total_seconds", .unit = "s", .summary = "the whole data set", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(timed(a, &TrainSpeed::total))), .steps = {Id::train_total_seconds, Id::kCount, Id::kCount}},
    {.path = "speed.device_hours", .unit = "h", .summary = "hours of all devices together", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(timed(a, &TrainSpeed::device_hours))), .steps = {Id::train_device_hours, Id::kCount, Id::kCount}},
    {.path = "speed.cost_usd", .unit = "USD", .summary = "rent of the whole run", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(timed(a, &TrainSpeed::cost))), .steps = {Id::train_cost, Id::kCount, Id::kCount}},
    {.path = "speed.joules", .unit = "J", .summary = "energy of the whole run at the power limit", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(known(timed(a, &TrainSpeed::energy))), .steps = {Id::train_energy, Id::kCount, Id::kCount}},
    {.path = "article", .type = T::object, .summary = "the article's ranges; null in the detailed method", .nullable = true,
     .value = WEIGHBRIDGE_NUMBER(a.training != nullptr)},
    {.path = "article.additional_bytes_per_parameter", .type = T::list, .unit = "bytes", .summary = "least and most beyond the weights",
     .value = WEIGHBRIDGE_NUMBER(12.0), .second = WEIGHBRIDGE_NUMBER(20.0)},
    {.path = "article.range_bytes", .type = T::list, .unit = "bytes", .summary = "model + (12 ... 20 bytes) x trainable parameters",
     .value = WEIGHBRIDGE_NUMBER(a.training->range_low.value), .second = WEIGHBRIDGE_NUMBER(a.training->range_high.value)},
    {.path = "article.factor_range_bytes", .type = T::list, .unit = "bytes", .summary = "4 to 6 times inference",
     .value = WEIGHBRIDGE_NUMBER(a.training->factor_low.value), .second = WEIGHBRIDGE_NUMBER(a.training->factor_high.value)},
};

#undef WEIGHBRIDGE_NUMBER
#undef WEIGHBRIDGE_TEXT

template <std::size_t A, std::size_t B>
constexpr std::array<AnswerField, A + B> joined(const AnswerField (&a)[A], const AnswerField (&b)[B]) {
  std::array<AnswerField, A + B> out{};
  for (std::size_t i = 0; i < A; ++i) out[i] = a[i];
  for (std::size_t i = 0; i < B; ++i) out[A + i] = b[i];
  return out;
}

constexpr auto kEstimate = joined(kModel, kEstimateOwn);
constexpr auto kTrain = joined(kModel, kTrainOwn);

// Whether the object at the beginning of `path` is there.
bool inside(std::string_view path, std::string_view object) {
  return path.size() > object.size() && path[object.size()] == '.' && path.substr(0, object.size()) == object;
}

}  // namespace

std::span<const AnswerField> estimate_answer() { return kEstimate; }
std::span<const AnswerField> train_answer() { return kTrain; }

double answer_number(std::span<const AnswerField> fields, const AnswerField& field, const Answered& answered) {
  const bool has_number = field.type == AnswerType::number || field.type == AnswerType::integer || field.type == AnswerType::boolean;
  if (!has_number) return kNone;
  for (const auto& f : fields)
    if (f.type == AnswerType::object && inside(field.path, f.path) && f.value(answered) == 0) return kNone;
  const double value = field.value(answered);
  return value - value == 0 ? value : kNone;
}

}  // namespace weighbridge
