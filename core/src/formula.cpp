#include "weighbridge/formula.hpp"

#include <array>

namespace weighbridge {

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::exact: return "exact";
    case Kind::model: return "model";
    case Kind::fitted: return "fitted";
    case Kind::assumed: return "assumed";
  }
  return "assumed";
}

namespace {

using Id = FormulaId;
constexpr Kind kExact = Kind::exact, kModel = Kind::model, kFitted = Kind::fitted;

constexpr std::string_view kOurs = "weighbridge", kArticle = "article";
constexpr std::string_view kSumOfRoles = "embedding + attention + mlp + experts + router + norm + lm_head + vision + other";
constexpr std::string_view kSumOfParts = "weights + kv_cache + activations + runtime";
constexpr std::string_view kRowBytes = "sum(count * share * (elements * bits / 8 + scale_bytes))";

constexpr std::array<Formula, static_cast<std::size_t>(Id::kCount)> kFormulas{{
    // weights
    {Id::role_weights, "role_weights", kRowBytes, "bytes", kExact, kOurs, "weights",
     "weights of one role: every tensor in its stored format, scales included", false},
    {Id::model_weights, "model_weights", kSumOfRoles, "bytes", kExact, kOurs, "weights", "all stored tensors of the model", false},
    {Id::device_role_weights, "device_role_weights", kRowBytes, "bytes", kExact, "megatron-paper", "section 3",
     "weights of one role on the fullest device: matrices are split by tensor parallelism, norms and routers are copied", false},
    {Id::device_weights, "device_weights", kSumOfRoles, "bytes", kExact, kOurs, "weights", "weights on the fullest device", false},
    {Id::total_weights, "total_weights", "sum(count * copies * (elements * bits / 8 + scale_bytes))", "bytes", kExact, kOurs,
     "weights", "weights on all devices together, copies included", false},
    // KV cache and state
    {Id::layer_kv_bytes_per_token, "layer_kv_bytes_per_token", "(k_elements * k_bits + v_elements * v_bits) / 8", "bytes/token",
     kExact, "gqa-paper", "section 2", "what one layer keeps for one token: keys and values of its KV heads, or the MLA latent", false},
    {Id::kv_bytes_per_token, "kv_bytes_per_token", "sum(layers * bytes_per_token)", "bytes/token", kExact, "gqa-paper", "section 2",
     "growth of the KV cache per token of one sequence, once all windows are full", false},
    {Id::window_bytes_per_sequence, "window_bytes_per_sequence", "sum(layers * bytes_per_token * window_tokens)", "bytes", kExact,
     "mistral-paper", "section 2", "what the layers with a sliding window keep per sequence when their windows are full", false},
    {Id::state_bytes_per_sequence, "state_bytes_per_sequence", "sum(layers * state_bytes)", "bytes", kExact, kOurs, "state",
     "constant state of recurrent layers per sequence", false},
    {Id::held_tokens, "held_tokens",
     "min(ceil(sequences_together * context_tokens / multiple) * multiple, ceil((sequences_together * window_tokens + extra_tokens) / multiple) * multiple) / sequences_together",
     "tokens", kExact, kOurs, "engines", "tokens that a layer's cache holds per sequence: whole blocks or cells, and of a window no more than the engine keeps", false},
    {Id::device_kv_bytes_per_token, "device_kv_bytes_per_token", "sum(layers * share * padding * bytes_per_token)", "bytes/token", kExact,
     "megatron-paper", "section 3",
     "growth of the KV cache per token on the fullest device; KV heads are copied when there are fewer than devices", false},
    {Id::device_kv_bytes_per_sequence, "device_kv_bytes_per_sequence",
     "sum(layers * share * padding * (bytes_per_token * held_tokens + state_bytes))", "bytes", kExact, "mistral-paper",
     "section 2", "one sequence of the asked context on the fullest device", false},
    {Id::device_kv_cache, "device_kv_cache", "sequences * bytes_per_sequence", "bytes", kExact, kOurs, "KV cache",
     "KV cache of all sequences on the fullest device", false},
    {Id::total_kv_cache, "total_kv_cache",
     "concurrency * sum(layers * copies * padding * (bytes_per_token * held_tokens + state_bytes))", "bytes", kExact,
     kOurs, "KV cache", "KV cache on all devices together, copies included", false},
    // activations
    {Id::attention_activations, "attention_activations", "2 * tokens * (2 * hidden_size + mixer_width / tensor)", "bytes", kModel,
     "activation-recompute-paper", "figure 2",
     "16-bit tensors alive at the widest point of attention: residual, its normed copy, queries, keys, values, output", false},
    {Id::feed_forward_activations, "feed_forward_activations", "2 * tokens * (2 * hidden_size + feed_forward_width / tensor)",
     "bytes", kModel, "activation-recompute-paper", "figure 2",
     "16-bit tensors alive at the widest point of the feed-forward: residual, its normed copy, gate, up and their product", false},
    {Id::logits_activations, "logits_activations", "4 * sequences * vocab_size", "bytes", kModel, kOurs, "activations",
     "32-bit logits of the last token of each sequence", false},
    {Id::activations, "activations", "max(attention, feed_forward, logits)", "bytes", kModel, kOurs, "activations",
     "activation peak of one pass: layers reuse the same memory, so the widest point counts", false},
    {Id::total_activations, "total_activations", "devices * activations", "bytes", kModel, kOurs, "activations",
     "activation peaks of all devices together", false},
    {Id::score_activations, "score_activations", "copies * heads / tensor * tokens * context * 4", "bytes", kFitted, "gfx906-logs", "profiling",
     "score matrices in 32 bits, where attention runs without flash kernels", false},
    {Id::hidden_activations, "hidden_activations", "copies * tokens * hidden_size * bytes", "bytes", kFitted, "vllm-logs", "activation peak",
     "hidden states of the whole pass that stay alive", false},
    {Id::sampler_activations, "sampler_activations", "copies * sequences * vocab_size * 4 + prompt_logit_bytes * tokens * vocab_size", "bytes", kFitted,
     "vllm-logs", "activation peak", "32-bit logits of a full batch with what sampling makes of them; where an engine keeps them, logits of the whole prompt", false},
    {Id::engine_activations, "engine_activations",
     "max(max(attention + scores, feed_forward + hidden_beside_feed_forward), logits + hidden_beside_logits)", "bytes", kFitted, "vllm-logs", "activation peak",
     "activation peak of the engine's largest pass: the widest of attention, feed-forward and sampling", false},
    {Id::mask_buffer, "mask_buffer", "bytes * tokens * cells", "bytes", kModel, "llama-cpp-code", "llama-graph.cpp", "attention mask of a micro-batch over all cells", false},
    {Id::attention_buffer, "attention_buffer", "mask + 4 * tokens * (rows * hidden_size + score_copies * heads * cells)", "bytes", kFitted, "llama-cpp-logs",
     "compute buffer", "32-bit rows alive in attention, and the scores without flash attention", false},
    {Id::feed_forward_buffer, "feed_forward_buffer", "mask + expert_matrix + 4 * tokens * (width + max(width, outputs))", "bytes", kFitted, "llama-cpp-logs",
     "compute buffer", "32-bit rows alive in the feed-forward; of experts in system memory one matrix at a time is copied over", false},
    {Id::logits_buffer, "logits_buffer", "4 * (logit_rows * vocab_size + tokens * hidden_size)", "bytes", kFitted, "llama-cpp-logs", "compute buffer",
     "32-bit logits of a micro-batch and the rows that they are made of", false},
    {Id::pipeline_buffer, "pipeline_buffer", "copies * 4 * tokens * (cells + hidden_size)", "bytes", kFitted, "llama-cpp-logs", "compute buffer",
     "further copies of the inputs, so that devices work side by side", false},
    {Id::compute_buffer, "compute_buffer", "max(max(attention, feed_forward), logits) + inputs", "bytes", kFitted, "llama-cpp-logs", "compute buffer",
     "compute buffer of the fullest device: layers reuse it, so the widest point counts", false},
    // memory
    {Id::engine_context, "engine_context", "context_bytes", "bytes", kFitted, "cuda-context-logs", "driver context", "what the driver takes for one process", false},
    {Id::engine_libraries, "engine_libraries", "libraries_bytes", "bytes", kFitted, "vllm-logs", "non-torch memory",
     "what communication, matrix and attention libraries take, by the number of devices and their link", false},
    {Id::engine_graphs, "engine_graphs", "layers * graph_bytes_per_layer", "bytes", kFitted, "vllm-logs", "graph capturing", "recorded graphs of decode steps", false},
    {Id::runtime, "runtime", "context + libraries + graphs + reserved_bytes", "bytes", kExact, kOurs, "engines",
     "what driver, libraries and graphs take, and what something else takes on each device", false},
    {Id::device_total, "device_total", kSumOfParts, "bytes", kExact, kOurs, "memory", "all parts on the fullest device", false},
    {Id::total_runtime, "total_runtime", "devices * runtime", "bytes", kExact, kOurs, "memory", "the same on all devices", false},
    {Id::total_memory, "total_memory", kSumOfParts, "bytes", kExact, kOurs, "memory", "all parts on all devices", false},
    {Id::usable_memory, "usable_memory", "visible * usable_fraction", "bytes", kExact, kOurs, "memory",
     "what a program may take of what the driver reports", false},
    {Id::budget, "budget", "min(visible * usable_fraction, memory_share * visible + outside)", "bytes", kExact, "vllm-docs", "gpu_memory_utilization",
     "the share that the engine takes of what the driver reports, and what lies outside of that share", false},
    {Id::headroom, "headroom", "usable - total", "bytes", kExact, kOurs, "memory", "what is left on the fullest device; negative: short", false},
    {Id::host_weights, "host_weights", "sum(count * (elements * bits / 8 + scale_bytes))", "bytes", kExact, kOurs, "engines",
     "weights that stay in system memory: the input table, layers and experts that are not offloaded", false},
    {Id::host_kv_cache, "host_kv_cache", "concurrency * sum(layers * (bytes_per_token * held_tokens + state_bytes))", "bytes", kExact, kOurs, "engines",
     "cache of the layers that stay in system memory", false},
    // capacity
    {Id::kv_pool, "kv_pool", "max(0, usable - weights - activations - runtime)", "bytes", kExact, kOurs, "capacity",
     "what is left for the KV cache on the fullest device", false},
    {Id::room, "room", "max(0, usable - weights - runtime)", "bytes", kExact, kOurs, "capacity",
     "what sequences and activations share on the fullest device", false},
    {Id::kv_tokens, "kv_tokens", "floor(kv_pool / (bytes_per_token * multiple)) * multiple", "tokens", kExact, kOurs, "capacity", "tokens that the pool holds", false},
    {Id::windowed_kv_tokens, "windowed_kv_tokens", "floor(kv_pool / bytes_per_sequence * context_tokens)", "tokens", kExact, kOurs,
     "capacity", "tokens that the pool holds in sequences of the asked context", false},
    {Id::windowed_kv_bytes_per_token, "windowed_kv_bytes_per_token", "kv_pool / kv_tokens", "bytes/token", kExact, kOurs, "capacity",
     "bytes per token of the pool at the asked context", false},
    {Id::max_concurrency, "max_concurrency",
     "data * max(0, min(floor((room - pass_activations) / bytes_per_sequence), floor(room / (bytes_per_sequence + logits_per_sequence))))",
     "sequences", kModel, kOurs, "capacity", "whole sequences of the asked context that fit at once", false},
    {Id::max_context_tokens, "max_context_tokens",
     "min(model_context, floor(max(0, floor((kv_pool / sequences - full_bytes) / growing_bytes_per_token / multiple)) * multiple))", "tokens", kExact, kOurs,
     "capacity", "largest context at the asked concurrency, at most the model's own", false},
    // compute
    {Id::growing_pairs, "growing_pairs", "min(tokens, max(0, reach - cached_tokens))", "tokens", kExact, kOurs, "compute",
     "new tokens that still see everything before them", false},
    {Id::attention_pairs, "attention_pairs",
     "growing * cached_tokens + growing * (growing + 1) / 2 + (tokens - growing) * reach", "pairs", kExact, kOurs, "compute",
     "pairs of a new token and a token that it attends to, in one layer", false},
    {Id::linear_flops, "linear_flops", "2 * sum(count * elements * used * tokens)", "FLOP", kExact, "scaling-laws-paper", "section 2.1",
     "two FLOP per weight and token; of the experts only those that a token uses, of the head only the tokens whose logits are wanted", false},
    {Id::prefill_attention_flops, "prefill_attention_flops", "sum(layers * flops_per_pair * pairs)", "FLOP", kExact,
     "scaling-laws-paper", "section 2.1", "scores and weighted values of the prompt", false},
    {Id::prefill_flops, "prefill_flops", "linear + attention", "FLOP", kExact, "scaling-laws-paper", "section 2.1",
     "FLOP of the uncached prompt tokens of one request", false},
    {Id::decode_attention_flops, "decode_attention_flops", "batch * sum(layers * flops_per_pair * min(mean_context, window_tokens))",
     "FLOP", kExact, "scaling-laws-paper", "section 2.1", "scores and weighted values of one new token per sequence", false},
    {Id::decode_flops, "decode_flops", "concurrency / batch * (linear + attention)", "FLOP", kExact, "scaling-laws-paper", "section 2.1",
     "FLOP of one step of all sequences", false},
    // traffic
    {Id::distinct_experts, "distinct_experts", "experts * (1 - (1 - experts_used / experts) ^ tokens)", "experts", kModel,
     "moe-mixtral-paper", "section 2", "experts that a batch of tokens touches when each token picks evenly", false},
    {Id::prefill_weight_bytes, "prefill_weight_bytes", "passes * sum(count * share * used * (elements * bits / 8 + scale_bytes))",
     "bytes", kModel, "transformer-inference-arithmetic", "capacity and latency",
     "weights that the passes over the prompt read on the fullest device", false},
    {Id::decode_weight_bytes, "decode_weight_bytes", "passes * sum(count * share * used * (elements * bits / 8 + scale_bytes))",
     "bytes", kModel, "transformer-inference-arithmetic", "capacity and latency", "weights that one step reads on the fullest device", false},
    {Id::prefill_kv_bytes, "prefill_kv_bytes",
     "passes * sum(layers * share * bytes_per_token * min(window_tokens, cached_tokens + tokens))", "bytes", kModel,
     "transformer-inference-arithmetic", "KV cache", "KV cache that the passes over the prompt read and write on a device", false},
    {Id::decode_kv_bytes, "decode_kv_bytes",
     "batch * sum(layers * (share * bytes_per_token * min(mean_context, window_tokens) + 2 * state_bytes))", "bytes", kModel,
     "transformer-inference-arithmetic", "KV cache", "KV cache that one step reads on a device, at the mean context of a request", false},
    {Id::decode_bytes, "decode_bytes", "tensor * (micro_batches * weight_bytes + concurrency / batch * kv_bytes)", "bytes", kModel,
     "transformer-inference-arithmetic", "capacity and latency", "bytes that one step of all sequences moves, all devices together", false},
    // time
    {Id::compute_seconds, "compute_seconds", "sum(flops / peak) / (tensor * efficiency)", "s", kModel, "roofline-paper", "section 3",
     "time of the arithmetic, at the share of the dense peak that programs reach", false},
    {Id::bandwidth_seconds, "bandwidth_seconds", "bytes / (bandwidth * efficiency)", "s", kModel, "roofline-paper", "section 3",
     "time of the memory traffic, at the share of the bandwidth that programs reach", false},
    {Id::group_seconds, "group_seconds", "max(compute, bandwidth)", "s", kModel, "roofline-paper", "section 3",
     "arithmetic and traffic overlap: the slower one counts", false},
    {Id::all_reduce_seconds, "all_reduce_seconds",
     "2 * layers * 2 * (tensor - 1) / tensor * tokens * hidden_size * 2 / (link_bandwidth * efficiency)", "s", kModel,
     "nccl-tests-performance", "bus bandwidth", "two ring all-reduces of the 16-bit hidden states per layer", false},
    {Id::pipeline_seconds, "pipeline_seconds", "(pipeline - 1) * tokens * hidden_size * 2 / (link_bandwidth * efficiency)", "s",
     kModel, kOurs, "communication", "16-bit hidden states handed from stage to stage", false},
    {Id::expert_exchange_seconds, "expert_exchange_seconds",
     "2 * moe_layers * tokens / tensor * experts_used * hidden_size * 2 * (expert - 1) / expert / (link_bandwidth * efficiency)", "s",
     kModel, kOurs, "communication", "hidden states sent to their experts and back", false},
    {Id::pass_seconds, "pass_seconds", "linear + attention + all_reduce + pipeline + expert_exchange", "s", kModel, kOurs, "time",
     "one pass: matrix products, attention and what the links add", false},
    {Id::prefill_tokens_per_s, "prefill_tokens_per_s", "tokens / seconds", "tokens/s", kModel, kOurs, "time", "prompt tokens read per second", false},
    {Id::decode_tokens_per_s, "decode_tokens_per_s", "concurrency / seconds", "tokens/s", kModel, kOurs, "time",
     "tokens written per second, all sequences together, without prompts of others", false},
    // latency and load
    {Id::ttft, "ttft", "prefill", "s", kModel, kOurs, "latency", "time to first token: the prompt is read at once when a place is free", false},
    {Id::static_ttft, "static_ttft", "prefill * (1 + (sequences - 1) / pipeline)", "s", kModel, kOurs, "latency",
     "time to first token of the last when all requests of a replica start together; pipeline stages read different prompts side by side", false},
    {Id::tpot, "tpot", "step + others * prefill / (pipeline * output_tokens)", "s", kModel, "little-law", "conservation of work",
     "time per output token: a step, and the prompts of the others that start while this answer is written, of which each pipeline stage does its part", false},
    {Id::latency, "latency", "ttft + (output_tokens - 1) * tpot", "s", kModel, kOurs, "latency", "from the request to its last token", false},
    {Id::output_tokens_per_s, "output_tokens_per_s", "concurrency * output_tokens / latency", "tokens/s", kModel, "little-law", "L = lambda W",
     "output tokens per second of the whole deployment", false},
    {Id::tokens_per_s_per_user, "tokens_per_s_per_user", "1 / tpot", "tokens/s", kModel, kOurs, "latency", "what one reader sees", false},
    {Id::queue, "queue", "(concurrency / running - 1) * latency", "s", kModel, "little-law", "L = lambda W",
     "how long a request waits when more are in flight than fit", false},
    {Id::queued_ttft, "queued_ttft", "ttft + queue", "s", kModel, kOurs, "latency", "time to first token, waiting included", false},
    {Id::queued_latency, "queued_latency", "latency + queue", "s", kModel, kOurs, "latency", "latency, waiting included", false},
    // cost
    {Id::usd_per_hour, "usd_per_hour", "devices * price", "USD/h", kExact, kOurs, "cost", "rent of all devices", false},
    {Id::usd_per_million_output_tokens, "usd_per_million_output_tokens", "usd_per_hour / 3600 / output_tokens_per_s * 1000000", "USD",
     kModel, kOurs, "cost", "rent while a million output tokens are written", false},
    {Id::watts, "watts", "devices * power", "W", kExact, kOurs, "cost", "power limit of all devices", false},
    {Id::joules_per_output_token, "joules_per_output_token", "watts / output_tokens_per_s", "J/token", kModel, kOurs, "cost",
     "energy per output token at the power limit", false},
    // the article's method, inference
    {Id::article_weights, "article_weights", "parameters * bytes_per_parameter", "bytes", kModel, kArticle, "memory",
     "model size: parameters times bytes per parameter", true},
    {Id::article_kv_cache, "article_kv_cache", "2 * batch * sequence * layers * hidden_size * bytes", "bytes", kModel, kArticle, "memory",
     "KV cache of full multi-head attention", true},
    {Id::article_activations, "article_activations", "batch * sequence * hidden_size * (34 + 5 * sequence * heads / hidden_size)", "bytes",
     kModel, kArticle, "memory", "activations: the published formula of one training layer, used once", true},
    {Id::article_calls, "article_calls", "calls * one_call", "bytes", kModel, kArticle, "memory", "a copy of everything for each concurrent call", true},
    {Id::article_total, "article_total", "weights + kv_cache + activations", "bytes", kModel, kArticle, "memory", "memory for inference", true},
    {Id::article_devices_needed, "article_devices_needed", "ceil(total / capacity)", "devices", kModel, kArticle, "memory",
     "devices of the marketed size that hold it", true},
    {Id::article_flops, "article_flops", "2 * parameters * prompt_tokens", "FLOP", kModel, kArticle, "speed", "FLOP for a prompt", true},
    {Id::article_seconds_per_token, "article_seconds_per_token", "flops / (devices * peak * utilisation)", "s", kModel, kArticle, "speed",
     "seconds per token without a KV cache", true},
    {Id::article_tokens_per_s_per_user, "article_tokens_per_s_per_user", "1 / tpot", "tokens/s", kModel, kArticle, "speed", "tokens per second", true},
    {Id::article_latency, "article_latency", "ttft + tpot * output_tokens", "s", kModel, kArticle, "speed",
     "latency; the article multiplies by all generated tokens", true},
    {Id::article_output_tokens_per_s, "article_output_tokens_per_s", "output_tokens / latency", "tokens/s", kModel, kArticle, "speed",
     "TPS: generated tokens over latency", true},
    // the article's method, training
    {Id::article_optimizer, "article_optimizer", "8 * trainable_parameters", "bytes", kModel, kArticle, "memory, training", "two Adam states of 4 bytes", true},
    {Id::article_gradients, "article_gradients", "4 * trainable_parameters", "bytes", kModel, kArticle, "memory, training", "gradients of 4 bytes", true},
    {Id::article_training_total, "article_training_total", "weights + kv_cache + activations + optimizer + gradients", "bytes", kModel, kArticle,
     "memory, training", "memory for training", true},
    {Id::article_range_low, "article_range_low", "model + 12 * trainable_parameters", "bytes", kModel, kArticle, "memory, training",
     "least: 12 bytes beyond the weights per trainable parameter", true},
    {Id::article_range_high, "article_range_high", "model + 20 * trainable_parameters", "bytes", kModel, kArticle, "memory, training",
     "most: 20 bytes beyond the weights per trainable parameter", true},
    {Id::article_factor_low, "article_factor_low", "4 * inference", "bytes", kModel, kArticle, "memory, training", "least: 4 times inference", true},
    {Id::article_factor_high, "article_factor_high", "6 * inference", "bytes", kModel, kArticle, "memory, training", "most: 6 times inference", true},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kFormulas.size(); ++i)
    if (kFormulas[i].id != static_cast<Id>(i)) return false;
  return true;
}
static_assert(in_order(), "one row per FormulaId, in its order");

}  // namespace

std::span<const Formula> formula_table() { return kFormulas; }
const Formula& formula(FormulaId id) { return kFormulas[static_cast<std::size_t>(id)]; }

}  // namespace weighbridge
