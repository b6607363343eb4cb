// Shapes of models whose layers are not all attention, as their config.json files have them, with the totals that others published.
#pragma once

namespace weighbridge::tests {

// source: hub       the safetensors total on the model's Hugging Face page; a vision tower of known size taken off where it says so
//         computed  by hand from the shapes: no exact figure is published
// kv_bytes_per_token: growth once windows are full, keys and values in 16 bits, index keys in 8
// state_bytes: matrix states in 32 bits and convolution inputs in 16, one sequence
inline constexpr const char kHybridModels[] = R"json([
{"id": "Qwen/Qwen3-Next-80B-A3B-Instruct", "parameters": 81324862720, "source": "hub", "mtp": 1650471424,
  "kv_bytes_per_token": 24576, "state_bytes": 77266944, "config": {"model_type": "qwen3_next", "vocab_size": 151936,
  "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 256,
  "intermediate_size": 5120, "tie_word_embeddings": false, "max_position_embeddings": 262144,
  "full_attention_interval": 4, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_num_key_heads": 16,
  "linear_num_value_heads": 32, "linear_value_head_dim": 128, "moe_intermediate_size": 512, "num_experts": 512,
  "num_experts_per_tok": 10, "shared_expert_intermediate_size": 512, "decoder_sparse_step": 1}},
{"id": "Qwen/Qwen3.5-9B", "parameters": 9197093888, "source": "hub, less the vision tower", "mtp": 243290624,
  "kv_bytes_per_token": 32768, "state_bytes": 51511296, "config": {"model_type": "qwen3_5_text", "vocab_size": 248320,
  "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 16, "num_key_value_heads": 4, "head_dim": 256,
  "intermediate_size": 12288, "max_position_embeddings": 262144, "full_attention_interval": 4,
  "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_num_key_heads": 16, "linear_num_value_heads": 32,
  "linear_value_head_dim": 128, "mtp_num_hidden_layers": 1, "mamba_ssm_dtype": "float32", "tie_word_embeddings":
  false}},
{"id": "Qwen/Qwen3.5-35B-A3B", "parameters": 35505251456, "source": "hub, less the vision tower", "mtp": 844640768,
  "kv_bytes_per_token": 20480, "state_bytes": 64389120, "config": {"model_type": "qwen3_5_moe_text", "vocab_size":
  248320, "hidden_size": 2048, "num_hidden_layers": 40, "num_attention_heads": 16, "num_key_value_heads": 2,
  "head_dim": 256, "max_position_embeddings": 262144, "full_attention_interval": 4, "linear_conv_kernel_dim": 4,
  "linear_key_head_dim": 128, "linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_value_head_dim": 128,
  "mtp_num_hidden_layers": 1, "moe_intermediate_size": 512, "num_experts": 256, "num_experts_per_tok": 8,
  "shared_expert_intermediate_size": 512, "tie_word_embeddings": false}},
{"id": "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "parameters": 31577937344, "source": "hub", "mtp": 0,
  "kv_bytes_per_token": 6144, "state_bytes": 49082368, "config": {"model_type": "nemotron_h", "vocab_size": 131072,
  "hidden_size": 2688, "num_hidden_layers": 52, "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128,
  "intermediate_size": 1856, "tie_word_embeddings": false, "max_position_embeddings": 262144,
  "hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME", "mamba_head_dim": 64,
  "mamba_num_heads": 64, "n_groups": 8, "ssm_state_size": 128, "conv_kernel": 4, "expand": 2, "moe_intermediate_size":
  1856, "moe_shared_expert_intermediate_size": 3712, "n_routed_experts": 128, "n_shared_experts": 1,
  "num_experts_per_tok": 6, "use_conv_bias": true}},
{"id": "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8", "parameters": 123611012096, "source": "hub", "mtp": 2942324736,
  "kv_bytes_per_token": 8192, "state_bytes": 170229760, "config": {"model_type": "nemotron_h", "vocab_size": 131072,
  "hidden_size": 4096, "num_hidden_layers": 88, "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128,
  "intermediate_size": 2688, "tie_word_embeddings": false, "max_position_embeddings": 262144,
  "hybrid_override_pattern":
  "MEMEMEM*EMEMEMEM*EMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEMEM*EMEMEMEM*EMEMEMEME",
  "mtp_hybrid_override_pattern": "*E", "mamba_head_dim": 64, "mamba_num_heads": 128, "n_groups": 8, "ssm_state_size":
  128, "conv_kernel": 4, "moe_intermediate_size": 2688, "moe_shared_expert_intermediate_size": 5376,
  "moe_latent_size": 1024, "n_routed_experts": 512, "n_shared_experts": 1, "num_experts_per_tok": 22,
  "num_nextn_predict_layers": 1}},
{"id": "nvidia/Nemotron-H-56B-Base-8K", "parameters": 56324350464, "source": "computed", "mtp": 0,
  "kv_bytes_per_token": 40960, "state_bytes": 912605184, "config": {"model_type": "nemotron_h", "vocab_size": 131072,
  "hidden_size": 8192, "num_hidden_layers": 118, "num_attention_heads": 64, "num_key_value_heads": 8,
  "attention_head_dim": 128, "intermediate_size": 32768, "tie_word_embeddings": false, "max_position_embeddings":
  8192, "hybrid_override_pattern":
  "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
  "mamba_head_dim": 64, "mamba_num_heads": 256, "n_groups": 8, "ssm_state_size": 256, "conv_kernel": 4}},
{"id": "tiiuae/Falcon-H1-0.5B-Instruct", "parameters": 521411104, "source": "hub", "mtp": 0, "kv_bytes_per_token":
  18432, "state_bytes": 28698624, "config": {"model_type": "falcon_h1", "vocab_size": 32784, "hidden_size": 1024,
  "num_hidden_layers": 36, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 64, "intermediate_size":
  2048, "tie_word_embeddings": false, "max_position_embeddings": 16384, "mamba_d_conv": 4, "mamba_d_head": 64,
  "mamba_d_state": 128, "mamba_n_groups": 1, "mamba_n_heads": 24, "mamba_rms_norm": false}},
{"id": "tiiuae/falcon-mamba-7b", "parameters": 7272665088, "source": "hub", "mtp": 0, "kv_bytes_per_token": 0,
  "state_bytes": 36700160, "config": {"model_type": "falcon_mamba", "vocab_size": 65024, "hidden_size": 4096,
  "num_hidden_layers": 64, "intermediate_size": 8192, "tie_word_embeddings": false, "state_size": 16, "conv_kernel":
  4, "time_step_rank": 256, "expand": 16, "use_conv_bias": true}},
{"id": "ai21labs/AI21-Jamba-1.5-Mini", "parameters": 51570323328, "source": "computed", "mtp": 0,
  "kv_bytes_per_token": 16384, "state_bytes": 16056320, "config": {"model_type": "jamba", "vocab_size": 65536,
  "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
  "intermediate_size": 14336, "tie_word_embeddings": false, "max_position_embeddings": 262144, "attn_layer_offset": 4,
  "attn_layer_period": 8, "expert_layer_offset": 1, "expert_layer_period": 2, "mamba_d_conv": 4, "mamba_d_state": 16,
  "mamba_dt_rank": 256, "mamba_expand": 2, "num_experts": 16, "num_experts_per_tok": 2}},
{"id": "LiquidAI/LFM2-1.2B", "parameters": 1170340608, "source": "hub", "mtp": 0, "kv_bytes_per_token": 12288,
  "state_bytes": 81920, "config": {"model_type": "lfm2", "vocab_size": 65536, "hidden_size": 2048,
  "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 128000,
  "full_attn_idxs": [2, 5, 8, 10, 12, 14], "block_ff_dim": 12288, "block_auto_adjust_ff_dim": true,
  "block_ffn_dim_multiplier": 1.0, "block_multiple_of": 256, "conv_L_cache": 3}},
{"id": "moonshotai/Kimi-Linear-48B-A3B-Instruct", "parameters": 49122681728, "source": "hub", "mtp": 0,
  "kv_bytes_per_token": 8064, "state_bytes": 43417600, "config": {"model_type": "kimi_linear", "vocab_size": 163840,
  "hidden_size": 2304, "num_hidden_layers": 27, "num_attention_heads": 32, "intermediate_size": 9216,
  "tie_word_embeddings": false, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim":
  128, "num_experts": 256, "num_experts_per_token": 8, "num_shared_experts": 1, "moe_intermediate_size": 1024,
  "first_k_dense_replace": 1, "linear_attn_config": {"full_attn_layers": [4, 8, 12, 16, 20, 24, 27], "kda_layers": [1,
  2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26], "head_dim": 128, "num_heads": 32,
  "short_conv_kernel_size": 4}}},
{"id": "zai-org/GLM-5", "parameters": 753864139008, "source": "hub", "mtp": 9952920576, "kv_bytes_per_token": 100152,
  "state_bytes": 0, "config": {"model_type": "glm_moe_dsa", "vocab_size": 154880, "hidden_size": 6144,
  "num_hidden_layers": 78, "num_attention_heads": 64, "num_key_value_heads": 64, "head_dim": 64, "intermediate_size":
  12288, "tie_word_embeddings": false, "max_position_embeddings": 202752, "q_lora_rank": 2048, "kv_lora_rank": 512,
  "qk_nope_head_dim": 192, "qk_rope_head_dim": 64, "v_head_dim": 256, "n_routed_experts": 256, "n_shared_experts": 1,
  "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "first_k_dense_replace": 3, "topk_method": "noaux_tc",
  "num_nextn_predict_layers": 1, "index_head_dim": 128, "index_n_heads": 32, "index_topk": 2048}},
{"id": "deepseek-ai/DeepSeek-V3.2", "parameters": 685355329792, "source": "hub, less the scales", "mtp": 13477385728,
  "kv_bytes_per_token": 78324, "state_bytes": 0, "config": {"model_type": "deepseek_v32", "vocab_size": 129280,
  "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128,
  "intermediate_size": 18432, "tie_word_embeddings": false, "max_position_embeddings": 163840, "q_lora_rank": 1536,
  "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 256,
  "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "first_k_dense_replace": 3,
  "topk_method": "noaux_tc", "num_nextn_predict_layers": 1, "index_head_dim": 128, "index_n_heads": 64, "index_topk":
  2048}},
{"id": "deepseek-ai/DeepSeek-V4-Flash", "parameters": 284332240471, "source": "computed", "mtp": 0,
  "kv_bytes_per_token": 6229, "state_bytes": 12206080, "config": {"model_type": "deepseek_v4", "vocab_size": 129280,
  "hidden_size": 4096, "num_hidden_layers": 43, "num_attention_heads": 64, "num_key_value_heads": 1, "head_dim": 512,
  "tie_word_embeddings": false, "max_position_embeddings": 1048576, "q_lora_rank": 1024, "o_groups": 8, "o_lora_rank":
  1024, "sliding_window": 128, "compress_ratios": [0, 0, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4,
  128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 0],
  "hc_mult": 4, "num_hash_layers": 3, "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 6,
  "moe_intermediate_size": 2048, "index_head_dim": 128, "index_n_heads": 64, "index_topk": 512}},
{"id": "MiniMaxAI/MiniMax-M3", "parameters": 426174572928, "source": "computed", "mtp": 0, "kv_bytes_per_token":
  137472, "state_bytes": 0, "config": {"model_type": "minimax_m3", "vocab_size": 200064, "hidden_size": 6144,
  "num_hidden_layers": 60, "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 128, "intermediate_size":
  3072, "tie_word_embeddings": false, "max_position_embeddings": 1048576, "dense_intermediate_size": 12288,
  "moe_intermediate_size": 3072, "moe_layer_freq": [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  "n_shared_experts": 1, "num_local_experts": 128, "num_experts_per_tok": 4, "shared_intermediate_size": 3072,
  "sparse_attention_config": {"sparse_attention_freq": [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1], "sparse_block_size": 128, "sparse_index_dim": 128, "sparse_num_index_heads": 4, "sparse_topk_blocks": 16,
  "use_sparse_attention": true}, "use_qk_norm": true, "use_routing_bias": true}}
])json";

}  // namespace weighbridge::tests
