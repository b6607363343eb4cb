// The table of formulas: what each says, in which unit, how sure it is and where it is from.
//
// A formula's arithmetic stands in src/formulas/; its text stands here, and a test recomputes every step that an answer
// shows from this text and the recorded inputs, so the two cannot drift apart.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weighbridge {

// The weakest kind on a number's path is the number's basis. Order matters: stronger first.
enum class Kind : std::uint8_t { exact, model, fitted, assumed };
std::string_view kind_name(Kind kind);
constexpr Kind weakest(Kind a, Kind b) { return a < b ? b : a; }

enum class FormulaId : std::uint8_t {
  // weights
  role_weights, model_weights, device_role_weights, adapter_weights, engine_weights, device_weights, total_weights,
  // KV cache and state
  layer_kv_bytes_per_token, kv_bytes_per_token, window_bytes_per_sequence, layer_state_bytes, state_bytes_per_sequence,
  held_tokens, device_kv_bytes_per_token, device_kv_bytes_per_sequence, device_kv_cache, total_kv_cache,
  // activations
  attention_activations, feed_forward_activations, logits_activations, activations, total_activations,
  score_activations, hidden_activations, sampler_activations, expert_buffers, encoder_activations, engine_activations,
  mask_buffer, attention_buffer, feed_forward_buffer, logits_buffer, pipeline_buffer, compute_buffer,
  // memory
  engine_context, engine_libraries, engine_graphs, runtime, device_total, total_runtime, total_memory, usable_memory,
  budget, headroom, host_weights, host_kv_cache,
  // capacity
  kv_pool, room, kv_tokens, windowed_kv_tokens, windowed_kv_bytes_per_token, max_concurrency, max_context_tokens,
  // compute
  growing_pairs, attention_pairs, linear_flops, prefill_attention_flops, prefill_flops, decode_attention_flops,
  decode_flops,
  // traffic
  distinct_experts, prefill_weight_bytes, decode_weight_bytes, prefill_kv_bytes, decode_kv_bytes, decode_bytes,
  // time
  compute_seconds, bandwidth_seconds, hidden_bytes, unpack_seconds, work_seconds, launch_seconds, all_reduce_seconds, pipeline_seconds, expert_exchange_seconds,
  pass_seconds, accepted_tokens, draft_seconds, speculative_step, prefill_tokens_per_s, decode_tokens_per_s,
  // latency and load
  ttft, static_ttft, pooled_ttft, tpot, latency, output_tokens_per_s, tokens_per_s_per_user, queue, open_queue, queued_ttft,
  queued_latency,
  // cost
  usd_per_hour, usd_per_million_output_tokens, watts, joules_per_output_token,
  // training: states
  train_parameters, train_state_values, train_state_bytes, train_frozen_weights, train_weights, train_gradients, train_optimizer,
  // training: activations
  train_layer_activations, train_in_flight, train_in_flight_interleaved, train_kept_activations, train_working_set, train_logits,
  // training: the fullest device
  train_buffers, train_part, train_runtime, train_total, train_host,
  // training: time
  train_flops_per_token, train_linear_seconds, train_expert_seconds, train_attention_seconds, train_memory_seconds, train_unpack_seconds, train_exchange_seconds, train_host_seconds,
  train_busy_seconds, train_launch_seconds, train_micro_batch_seconds, train_overlapped, train_pipeline_seconds, train_optimizer_seconds,
  train_step_seconds, train_tokens_per_s, train_tokens_per_device, train_flops_per_device, train_mfu, train_total_seconds,
  train_device_hours, train_cost, train_energy,
  // the article's method, inference
  article_weights, article_kv_cache, article_activations, article_calls, article_total, article_devices_needed,
  article_flops, article_seconds_per_token, article_tokens_per_s_per_user, article_latency, article_output_tokens_per_s,
  // the article's method, training
  article_optimizer, article_gradients, article_training_total, article_range_low, article_range_high,
  article_factor_low, article_factor_high,
  kCount
};

struct Formula {
  FormulaId id;
  std::string_view name;         // the id in describe() and in steps
  std::string_view text;         // + - * / ^ ( ), numbers, names, min max ceil floor sum sqrt; vectors only inside sum()
  std::string_view unit;
  Kind kind;
  std::string_view source;       // id in sources.json
  std::string_view locator;      // section, equation or page of the source
  std::string_view summary;
  bool article;                  // belongs to the article's method
};

std::span<const Formula> formula_table();
const Formula& formula(FormulaId id);

}  // namespace weighbridge
