// What each architecture that people run is answered: read by a reader of its own, or refused for a reason that is true. Never by
// keys that only look familiar.
//
// Types of config.json: the decoders of Transformers' CONFIG_MAPPING_NAMES (https://github.com/huggingface/transformers,
// src/transformers/models/auto/auto_mappings.py), of vLLM's registry (https://github.com/vllm-project/vllm,
// vllm/model_executor/models/registry.py), and of checkpoints that bring their own code. Those of GGUF: LLM_ARCH_NAMES
// (https://github.com/ggml-org/llama.cpp, src/llama-arch.cpp).
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api_json.hpp"
#include "core/published_totals.hpp"
#include "gguf_file.hpp"
#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"
#include "weighbridge/read_config.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge_test;
using weighbridge::Code;
using nlohmann::json;

namespace {

constexpr const char* kRead[] = {
    "Emu3", "Keye", "PanguEmbedded", "RefinedWeb", "RefinedWebModel", "Yi", "afmoe", "apertus", "aquila", "arcee", "arctic", "aria_text", "axk1", "baichuan",
    "bailing_moe", "bailing_moe_v2", "bamba", "bitnet", "bloom", "chatglm", "codegen", "cohere", "cohere2", "cohere2_moe", "cwm", "dbrx", "deepseek", "deepseek_ocr2_text",
    "deepseek_v2", "deepseek_v3", "deepseek_v32", "deepseek_v4", "dots1", "dots_ocr", "emu3_text_model", "ernie4_5", "ernie4_5_moe", "exaone", "exaone4", "exaone4_5",
    "exaone4_5_text", "exaone_moe", "falcon", "falcon_h1", "falcon_mamba", "flex_olmo", "gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text", "gemma4",
    "gemma4_text", "gemma4_unified", "gemma4_unified_text", "glm", "glm4", "glm46v", "glm4_moe", "glm4_moe_lite", "glm4v", "glm4v_moe", "glm4v_moe_text", "glm4v_text",
    "glm_image_text", "glm_moe_dsa", "glm_ocr_text", "glmga", "gpt-sw3", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gpt_oss", "gptj", "granite", "granite_swa", "granitemoe",
    "granitemoe_swa", "granitemoehybrid", "granitemoeshared", "grok-1", "helium", "hunyuan", "hunyuan_v1_dense", "hunyuan_v1_moe", "hunyuan_vl_text", "hy_v3", "hyperclovax",
    "internlm", "internlm2", "internlm3", "iquestcoder", "jais", "jais2", "jamba", "kimi_k2", "kimi_k25", "kimi_k3", "kimi_linear", "laguna", "lfm2", "lfm2_moe", "llama",
    "llama4", "llama4_text", "longcat_flash", "mamba", "mamba2", "mellum", "mimo", "mimo_v2", "mimo_v2_flash", "minicpm", "minicpm3", "minicpmo", "minicpmv", "minimax",
    "minimax_m2", "minimax_m3", "minimax_m3_vl_text", "ministral", "ministral3", "mistral", "mistral3", "mistral4", "mixtral", "mllama", "mllama_text_model", "molmo", "mpt",
    "mt5", "muse_glimmer_text", "nanochat", "nemotron", "nemotron-nas", "nemotron_h", "olmo", "olmo2", "olmo3", "olmo_hybrid", "olmoe", "openai-gpt", "openelm", "opt", "orion",
    "paddleocr_vl_text", "pangu_ultra_moe", "phi", "phi-msft", "phi3", "phi3_v", "phi4_multimodal", "phi4mm", "phimoe", "plamo3", "qwen", "qwen2", "qwen2_5_omni_text",
    "qwen2_5_vl", "qwen2_5_vl_text", "qwen2_moe", "qwen2_vl", "qwen2_vl_text", "qwen3", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_moe", "qwen3_next",
    "qwen3_omni_moe_text", "qwen3_vl_moe_text", "qwen3_vl_text", "rwkv", "rwkv5", "rwkv6", "rwkv7", "sarvam_mla", "sarvam_moe", "seed_oss", "smallthinker", "smollm3", "solar_open",
    "stablelm", "stablelm_epoch", "starcoder2", "step3p5", "step3p7", "t5", "telechat", "telechat3", "vaultgemma", "whisper", "xverse", "youtu_llm", "yuan"};

constexpr const char* kRefused[] = {
    "albert", "arwkv7", "axk2", "baichuan_m1", "bailing_moe_linear", "bailing_moe_v2_5", "bark", "bart", "bert", "biogpt", "blt", "camembert", "chameleon", "clip", "codeshell",
    "cpmant", "csm", "ctrl", "deberta", "deberta-v2", "dia", "diffllama", "diffusion_gemma_text", "distilbert", "doge", "dream", "electra", "ernie4_5_moe_vl",
    "ernie4_5_vl_moe_text", "eurobert", "florence2", "fuyu", "gemma4_assistant", "gpt_neox_japanese", "gpt_refact", "grove_moe", "higgs_audio_v2", "hrm_text", "hubert", "hymba",
    "idefics", "inkling_text", "iquestloopcoder", "jetmoe", "kosmos-2", "kyutai_speech_to_text", "llada", "llada2_moe", "llada_moe", "longcat_flash_ngram", "longt5", "marian",
    "mbart", "minicpm_sala", "modernbert", "modernbert-decoder", "moonshine", "moshi", "motif", "mpnet", "musicgen", "muse_glimmer_assistant", "nomic_bert", "ouro", "pegasus",
    "persimmon", "phi4flash", "plamo", "plamo2", "recurrent_gemma", "reformer", "retnet", "rnd1", "roberta", "rwkv6qwen2", "sdar", "sdar_moe", "siglip", "step3_text",
    "step3_vl", "stripedhyena", "switch_transformers", "t5gemma", "t5gemma2", "umt5", "wav2vec2", "xglm", "xlm", "xlm-roberta", "xlnet", "xlstm", "zamba", "zamba2", "zaya"};

std::vector<weighbridge::Problem> problems_of(const json& config) {
  weighbridge::Problems problems;
  weighbridge::read_config(config, "test/model", "", weighbridge::catalog().formats(), problems);
  return problems.list();
}

bool has(const std::vector<weighbridge::Problem>& problems, Code code) {
  for (const auto& p : problems)
    if (p.code == code) return true;
  return false;
}

// Llama's keys, which any unknown type would be read by.
json keys_of_llama(const std::string& type) {
  for (const auto& model : json::parse(weighbridge::tests::kPublishedTotals, nullptr, false))
    if (model["id"] == "meta-llama/Llama-3.1-8B") {
      auto config = model["config"];
      config["model_type"] = type;
      config.erase("architectures");
      return config;
    }
  return nullptr;
}

// Of the architectures in files: those whose tensors tell everything, those that a config is made of first (each has a test of its
// own in gguf_families_test.cpp), and those refused.
constexpr const char* kTensors[] = {
    "afmoe", "apertus", "arcee", "arctic", "baichuan", "bailingmoe", "bailingmoe2", "bitnet", "bloom", "chameleon", "chatglm", "codeshell", "cogvlm", "cohere2", "cohere2moe", "command-r",
    "dbrx", "deci", "deepseek", "deepseek2", "deepseek2-ocr", "dots1", "ernie4_5", "ernie4_5-moe", "exaone", "exaone-moe", "exaone4", "falcon", "gemma", "gemma2", "gemma3",
    "glm4", "glm4moe", "gpt-oss", "gpt2", "gptj", "gptneox", "granite", "granitemoe", "grok", "hunyuan-dense", "hunyuan-moe", "hunyuan_vl", "hy_v3", "internlm2", "jais", "jais2",
    "laguna", "llama", "llama4", "maincoder", "mellum", "mimo2", "minicpm", "minicpm3", "minimax-m2", "mistral3", "mistral4", "mpt", "nemotron", "olmo", "olmo2", "olmoe",
    "openelm", "orion", "paddleocr", "pangu-embedded", "phi2", "phi3", "phimoe", "plamo", "plamo3", "plm", "qwen", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3vl",
    "qwen3vlmoe", "refact", "seed_oss", "smallthinker", "smollm3", "stablelm", "starcoder", "starcoder2", "step35", "talkie", "xverse"};
constexpr const char* kFilesRefused[] = {
    "arwkv7", "bert", "clip", "dflash", "dream", "eagle3", "eurobert", "gemma-embedding", "gemma4-assistant", "grovemoe", "jina-bert-v2", "jina-bert-v3", "llada",
    "llada-moe", "llama-embed", "modern-bert", "neo-bert", "nomic-bert", "nomic-bert-moe", "plamo2", "rnd1", "rwkv6qwen2", "t5encoder", "wavtokenizer-dec"};

json read_file(const std::string& architecture, const char* extra = nullptr, std::uint32_t window = 0) {
  GgufWriter w;
  const std::uint64_t tensors = 11 + (extra ? 1 : 0), keys = 6 + (window > 0 ? 1 : 0);
  w.counts(tensors, keys).word("general.architecture", architecture);
  for (const auto& [key, value] : std::vector<std::pair<const char*, std::uint32_t>>{
           {".block_count", 8}, {".embedding_length", 64}, {".attention.head_count", 4}, {".attention.head_count_kv", 2}, {".context_length", 4096}})
    w.number(architecture + key, value);
  if (window > 0) w.number(architecture + ".attention.sliding_window", window);
  w.tensor("token_embd.weight", {64, 100}, kF16).tensor("output.weight", {64, 100}, kF16).tensor("output_norm.weight", {64}, kF32);
  for (int i = 0; i < 8; ++i) w.tensor("blk." + std::to_string(i) + ".attn_qkv.weight", {64, 128}, kF16);
  if (extra) w.tensor(extra, {64, 64}, kF16);
  return parsed(weighbridge::api::read_model({{"model.gguf", w.text(), static_cast<std::int64_t>(w.text().size())}}));
}

}  // namespace

TEST_CASE("every decoder type has a reader of its own or is refused") {
  CHECK(std::size(kRead) > 180);
  for (const auto* type : kRead) {
    INFO(type);
    const auto problems = problems_of(keys_of_llama(type));
    CHECK(!has(problems, Code::unknown_architecture));
    CHECK(!has(problems, Code::unsupported_model));
  }
  for (const auto* type : kRefused) {
    INFO(type);
    CHECK(has(problems_of(keys_of_llama(type)), Code::unsupported_model));
  }
  CHECK(has(problems_of(keys_of_llama("a type of tomorrow")), Code::unknown_architecture));
}

TEST_CASE("every architecture of GGUF files is read by its tensors or refused") {
  for (const auto* architecture : kTensors) {
    INFO(architecture);
    const auto answer = read_file(architecture);
    INFO(written(answer));
    CHECK(is_true(answer, "/ok"));
  }
  for (const auto* architecture : kFilesRefused) {
    INFO(architecture);
    // Parts that only such files have give the recurrent ones away.
    const std::string_view name = architecture;
    const auto answer = read_file(architecture, name == "plamo2" ? "blk.0.ssm_in.weight" : name.find("rwkv") != std::string_view::npos ? "blk.0.time_mix_w1" : nullptr);
    CHECK(!is_true(answer, "/ok"));
    CHECK(text(answer, "/problems/0/code").substr(0, 12) == "unsupported_");
  }
}

TEST_CASE("which layers of a GGUF file have a window follows from the architecture where the file does not say") {
  const auto windows = [](const char* architecture) {
    const auto answer = estimate({{"model", at(read_file(architecture, nullptr, 256), "/model")}});
    REQUIRE(is_true(answer, "/ok"));
    return 8 - static_cast<int>(number(answer, "/model/kv_bytes_per_token") / (2 * 2 * 16 * 2));
  };
  // From llama.cpp's set_swa_pattern calls; the first layer of four is the global one in the last two.
  CHECK(windows("gemma2") == 4);
  CHECK(windows("gemma3") == 7);
  CHECK(windows("cohere2") == 6);
  CHECK(windows("smallthinker") == 6);
  CHECK(windows("cohere2moe") == 6);
}

TEST_CASE("a type of its own over a known class is read by the class") {
  auto config = keys_of_llama("my-own-llama");
  config["architectures"] = json::array({"LlamaForCausalLM"});
  CHECK(!has(problems_of(config), Code::unknown_architecture));
  config["architectures"] = json::array({"SomethingForMaskedLM"});
  CHECK(has(problems_of(config), Code::unsupported_model));
  config.erase("architectures");
  config["type_vocab_size"] = 2;                         // BERT and what came of it
  CHECK(has(problems_of(config), Code::unsupported_model));
}
