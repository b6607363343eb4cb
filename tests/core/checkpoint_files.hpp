// Small safetensors files and indexes, written by the format's description.
#pragma once

#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weighbridge/api.hpp"

namespace weighbridge_test {

struct FileTensor {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
};

inline int bits_of(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64" || dtype == "C64") return 64;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 32;
  if (dtype == "BF16" || dtype == "F16" || dtype == "I16" || dtype == "U16") return 16;
  if (dtype == "F4") return 4;
  return dtype.substr(0, 2) == "F6" ? 6 : 8;
}
inline std::int64_t bytes_of(const FileTensor& t) {
  std::int64_t elements = 1;
  for (const auto n : t.shape) elements *= n;
  return elements * bits_of(t.dtype) / 8;
}
inline double bytes_of(const std::vector<FileTensor>& tensors) {
  double sum = 0;
  for (const auto& t : tensors) sum += static_cast<double>(bytes_of(t));
  return sum;
}

// The length in front of any text.
inline std::string with_length(const std::string& header, std::uint64_t length) {
  std::string out;
  for (unsigned i = 0; i < 8; ++i) out += static_cast<char>(length >> (8 * i) & 0xFFU);
  return out + header;
}
inline std::string with_length(const std::string& header) { return with_length(header, header.size()); }

inline std::string entry(const FileTensor& t, std::int64_t begin, std::int64_t end) {
  std::string shape;
  for (const auto n : t.shape) shape += (shape.empty() ? "" : ",") + std::to_string(n);
  return "\"" + t.name + R"(":{"dtype":")" + t.dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

inline std::string header_of(const std::vector<FileTensor>& tensors) {
  std::string text = R"({"__metadata__":{"format":"pt"})";
  std::int64_t at = 0;
  for (const auto& t : tensors) {
    text += "," + entry(t, at, at + bytes_of(t));
    at += bytes_of(t);
  }
  return text + "}   ";                          // padded, as real ones are
}

// Its header only, of the size that the whole file has.
inline weighbridge::api::File safetensors(std::string name, const std::vector<FileTensor>& tensors) {
  auto content = with_length(header_of(tensors));
  const auto size = static_cast<std::int64_t>(content.size()) + static_cast<std::int64_t>(bytes_of(tensors));
  return {std::move(name), std::move(content), size};
}

inline weighbridge::api::File text_file(std::string name, std::string content) {
  const auto size = static_cast<std::int64_t>(content.size());
  return {std::move(name), std::move(content), size};
}

inline weighbridge::api::File index_of(const std::vector<FileTensor>& tensors, int files = 1, double total = -1) {
  std::string map;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    map += (map.empty() ? "\"" : ",\"") + tensors[i].name + "\":\"model-" + std::to_string(static_cast<int>(i) % files) + ".safetensors\"";
  const auto bytes = static_cast<std::int64_t>(total < 0 ? bytes_of(tensors) : total);
  return text_file("model.safetensors.index.json", R"({"metadata":{"total_size":)" + std::to_string(bytes) + R"(},"weight_map":{)" + map + "}}");
}

// A Llama of 2 layers, hidden 256, 4 heads and 2 KV heads of 64, feed-forward 512, vocabulary 1000.
constexpr const char* kSmallConfig = R"({"model_type":"llama","hidden_size":256,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,)"
                                     R"("intermediate_size":512,"vocab_size":1000,"max_position_embeddings":4096,"torch_dtype":"bfloat16"})";
constexpr std::int64_t kSmallParameters = 2 * 256 * 1000 + 256 + 2 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 512 + 2 * 256);

inline std::vector<FileTensor> small_checkpoint(const std::string& dtype = "BF16") {
  std::vector<FileTensor> out{{"lm_head.weight", dtype, {1000, 256}}, {"model.embed_tokens.weight", dtype, {1000, 256}}, {"model.norm.weight", dtype, {256}}};
  for (int i = 0; i < 2; ++i) {
    const auto l = "model.layers." + std::to_string(i) + ".";
    out.push_back({l + "self_attn.q_proj.weight", dtype, {256, 256}});
    out.push_back({l + "self_attn.k_proj.weight", dtype, {128, 256}});
    out.push_back({l + "self_attn.v_proj.weight", dtype, {128, 256}});
    out.push_back({l + "self_attn.o_proj.weight", dtype, {256, 256}});
    out.push_back({l + "mlp.gate_proj.weight", dtype, {512, 256}});
    out.push_back({l + "mlp.up_proj.weight", dtype, {512, 256}});
    out.push_back({l + "mlp.down_proj.weight", dtype, {256, 512}});
    out.push_back({l + "input_layernorm.weight", dtype, {256}});
    out.push_back({l + "post_attention_layernorm.weight", dtype, {256}});
  }
  return out;
}

}  // namespace weighbridge_test
