// What reading the headers of files costs: time, and memory beside the bytes that were given.
//
//   weighbridge_headers            a table
//   weighbridge_headers --check    fails when a header takes more than four times its bytes
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/api.hpp"

namespace {

std::size_t held = 0, most = 0;
constexpr std::size_t kBefore = 16;                    // the size of each piece stands before it

void* counted(std::size_t size) {
  auto* memory = static_cast<char*>(std::malloc(size + kBefore));
  if (!memory) std::abort();
  std::memcpy(memory, &size, sizeof(size));
  held += size;
  most = std::max(most, held);
  return memory + kBefore;
}
void released(void* memory) {
  if (!memory) return;
  auto* start = static_cast<char*>(memory) - kBefore;
  std::size_t size = 0;
  std::memcpy(&size, start, sizeof(size));
  held -= size;
  std::free(start);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { released(memory); }
void operator delete[](void* memory) noexcept { released(memory); }
void operator delete(void* memory, std::size_t) noexcept { released(memory); }
void operator delete[](void* memory, std::size_t) noexcept { released(memory); }

namespace {

namespace api = weighbridge::api;

template <class T>
void put(std::string& out, T value) { out.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

// `layers` layers of `each` tensors, and `tokens` tokens of 40 bytes.
std::string gguf(int layers, int each, int tokens) {
  std::string out = "GGUF";
  put(out, std::uint32_t{3});
  put(out, static_cast<std::uint64_t>(layers * each + 1));
  put(out, std::uint64_t{6});
  const auto number = [&](std::string_view key, std::uint32_t value) {
    put_text(out, key);
    put(out, std::uint32_t{4});
    put(out, value);
  };
  put_text(out, "general.architecture");
  put(out, std::uint32_t{8});
  put_text(out, "llama");
  number("llama.block_count", static_cast<std::uint32_t>(layers));
  number("llama.embedding_length", 64);
  number("llama.attention.head_count", 2);
  number("llama.attention.head_count_kv", 2);
  put_text(out, "tokenizer.ggml.tokens");
  put(out, std::uint32_t{9});
  put(out, std::uint32_t{8});
  put(out, static_cast<std::uint64_t>(tokens));
  for (int i = 0; i < tokens; ++i) put_text(out, std::string(40, 'x'));
  std::uint64_t offset = 0;
  const auto tensor = [&](std::string_view name) {
    put_text(out, name);
    put(out, std::uint32_t{2});
    put(out, std::uint64_t{64});
    put(out, std::uint64_t{64});
    put(out, std::uint32_t{1});
    put(out, offset);
    offset += 64 * 64 * 2;
  };
  tensor("token_embd.weight");
  const char* const names[] = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down", "attn_norm", "ffn_norm"};
  for (int layer = 0; layer < layers; ++layer)
    for (int i = 0; i < each; ++i) {
      const auto prefix = "blk." + std::to_string(layer) + ".";
      tensor(i < 9 ? prefix + names[i] + ".weight" : prefix + "other_" + std::to_string(i) + ".weight");
    }
  return out;
}

constexpr const char* kExpert[] = {"gate_proj", "up_proj", "down_proj"};
std::string expert_name(int layer, int expert, int which) {
  return "model.layers." + std::to_string(layer) + ".mlp.experts." + std::to_string(expert) + "." + kExpert[which] + ".weight";
}

std::string safetensors(int layers, int experts) {
  std::string text = "{\"__metadata__\":{\"format\":\"pt\"}";
  std::int64_t at = 0;
  const auto tensor = [&](const std::string& name) {
    text += ",\"" + name + "\":{\"dtype\":\"BF16\",\"shape\":[64,64],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + 8192) + "]}";
    at += 8192;
  };
  tensor("model.embed_tokens.weight");
  for (int layer = 0; layer < layers; ++layer) {
    for (const char* name : {"q", "k", "v", "o"}) tensor("model.layers." + std::to_string(layer) + ".self_attn." + name + "_proj.weight");
    for (int e = 0; e < experts; ++e)
      for (int i = 0; i < 3; ++i) tensor(expert_name(layer, e, i));
  }
  text += "}";
  std::string out;
  put(out, static_cast<std::uint64_t>(text.size()));
  return out + text;
}

std::string index_of(int layers, int experts) {
  std::string text = "{\"metadata\":{\"total_size\":1000000000},\"weight_map\":{\"model.embed_tokens.weight\":\"a\"";
  for (int layer = 0; layer < layers; ++layer)
    for (int e = 0; e < experts; ++e)
      for (int i = 0; i < 3; ++i) text += ",\"" + expert_name(layer, e, i) + "\":\"model-00001-of-00100.safetensors\"";
  return text + "}}";
}

struct Row {
  const char* what;
  std::string name, content;
  bool good;
};

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc > 1 && std::string_view(argv[1]) == "--check";
  std::vector<Row> rows;
  rows.push_back({"GGUF, 1,000 tensors, 10 MB of tokenizer", "a.gguf", gguf(111, 9, 210'000), true});
  rows.push_back({"GGUF, 36,000 tensors and no tokenizer", "a.gguf", gguf(4000, 9, 0), true});
  rows.push_back({"GGUF, 150,000 tensors of 150,000 names", "a.gguf", gguf(1, 150'000, 0), false});
  rows.push_back({"safetensors, 48,000 tensors of experts", "a.safetensors", safetensors(61, 262), true});
  rows.push_back({"index of 48,000 tensors", "a.safetensors.index.json", index_of(61, 262), true});
  rows.push_back({"safetensors, two million brackets", "a.safetensors", [] {
                    std::string out;
                    put(out, std::uint64_t{2'000'000});
                    return out + "{" + std::string(1'999'999, '[');
                  }(), false});
  int failed = 0;
  for (auto& row : rows) {
    std::vector<double> times;
    double peak = 0;
    bool good = true;
    const std::vector<api::File> files{{row.name, row.content, static_cast<std::int64_t>(row.content.size())}};
    for (int run = 0; run < (check ? 1 : 9); ++run) {
      const auto before = most = held;
      const auto start = std::chrono::steady_clock::now();
      const auto answer = api::read_model(files);
      times.push_back(1e3 * std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      peak = static_cast<double>(most - before);
      good = answer.rfind("{\"ok\":true", 0) == 0;
      if (good != row.good) std::fprintf(stderr, "%s: %.300s\n", row.what, answer.c_str());
    }
    std::sort(times.begin(), times.end());
    const double share = peak / static_cast<double>(row.content.size());
    if (!check) std::printf("  %-45s %6.2f MB  %7.2f ms  memory %.2f of its bytes\n", row.what, 1e-6 * static_cast<double>(row.content.size()), times[times.size() / 2], share);
    if (share > 4 || good != row.good) {
      std::fprintf(stderr, "%s: %.2f times its bytes\n", row.what, share);
      ++failed;
    }
  }
  return failed > 0 ? 1 : 0;
}
