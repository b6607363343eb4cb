// Safetensors headers and indexes: with a config to the byte, alone as far as they say, and hostile ones refused with a reason.
#include <string>
#include <vector>

#include "api_json.hpp"
#include "checkpoint_files.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;
namespace api = weighbridge::api;

namespace {

json read(const std::vector<api::File>& files) { return parsed(api::read_model(files)); }
api::File config(const std::string& text = kSmallConfig) { return text_file("config.json", text); }

// The model that the files make, asked for in a request.
json estimate_of(const std::vector<api::File>& files) {
  const auto answer = read(files);
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  CHECK(written(at(answer, "/model")).size() <= 32 * 1024);
  auto estimated = estimate({{"model", at(answer, "/model")}, {"device", "rtx-4090"}, {"explain", true}});
  INFO(written(estimated));
  REQUIRE(is_true(estimated, "/ok"));
  return estimated;
}

std::string why(const std::vector<api::File>& files) {
  const auto answer = read(files);
  INFO(written(answer));
  CHECK_FALSE(is_true(answer, "/ok"));
  return text(answer, "/problems/0/message");
}
std::string why(const std::string& header) { return why({text_file("model.safetensors", with_length(header))}); }
bool says(const std::string& message, const char* what) {
  INFO(message);
  CHECK(message.find(what) != std::string::npos);
  return true;
}

std::vector<FileTensor> quantised(const std::string& packed, std::int64_t per_byte, const std::string& scale, std::int64_t group) {
  std::vector<FileTensor> out;
  for (auto t : small_checkpoint()) {
    const bool linear = t.name.find("_proj.") != std::string::npos;
    if (linear) {
      out.push_back({t.name + "_scale", scale, {t.shape[0], group > 0 ? t.shape[1] / group : 1}});
      t.dtype = packed;
      t.shape[1] /= per_byte;
    }
    out.push_back(t);
  }
  return out;
}

}  // namespace

TEST_CASE("a header and its config agree, and the config is all that a request carries") {
  const auto tensors = small_checkpoint();
  const auto answer = read({safetensors("model.safetensors", tensors), config()});
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  CHECK(at(answer, "/problems").empty());
  CHECK(at(answer, "/model/stored").is_null());
  CHECK(number(estimate_of({config(), safetensors("model.safetensors", tensors)}), "/model/weight_bytes") == 2 * kSmallParameters);
}

TEST_CASE("with a config, a checkpoint weighs what its files hold, whatever the config says of types") {
  for (const char* dtype : {"BF16", "F16", "F32"}) {
    const auto tensors = small_checkpoint(dtype);
    const auto answer = estimate_of({safetensors("model.safetensors", tensors), config()});
    CHECK(number(answer, "/model/weight_bytes") == bytes_of(tensors));
    CHECK(number(answer, "/model/parameters") == kSmallParameters);
    CHECK(number(answer, "/memory/total/weights") == bytes_of(tensors));
  }
  struct Case {
    const char* packed;
    std::int64_t per_byte;
    const char* scale;
    std::int64_t group;
    const char* format;
  };
  for (const Case& c : {Case{"F8_E4M3", 1, "F32", 0, "fp8"}, Case{"U8", 2, "F8_E4M3", 16, "nvfp4"}, Case{"U8", 2, "U8", 32, "mxfp4"},
                        Case{"F4", 1, "F8_E8M0", 32, "mxfp4"}, Case{"I8", 1, "BF16", 0, "w8a8-int8"}}) {
    INFO(c.format);
    const auto tensors = quantised(c.packed, c.per_byte, c.scale, c.group);
    const auto answer = estimate_of({config(), safetensors("model.safetensors", tensors)});
    CHECK(number(answer, "/model/weight_bytes") == bytes_of(tensors));
    CHECK(number(answer, "/model/parameters") == kSmallParameters);
    double parts = 0;
    for (const auto& part : at(answer, "/memory/detail/weights")) parts += part.get<double>();
    CHECK(same(parts, bytes_of(tensors)));
    CHECK(number(answer, "/memory/detail/weights/embedding") == 2 * 256 * 1000);
    for (const auto& a : at(answer, "/assumptions"))
      if (text(a, "/path") == "/weights") CHECK(text(a, "/value") == c.format);
  }
}

TEST_CASE("layers that a quantiser left out are counted as they lie") {
  auto tensors = quantised("F8_E4M3", 1, "F32", 0);
  for (auto& t : tensors)
    if (t.name.find("layers.1.mlp.down_proj.weight") != std::string::npos && t.dtype == "F8_E4M3") t.dtype = "BF16";
  const auto quantised_config = std::string(kSmallConfig).insert(1, R"("quantization_config":{"quant_method":"fbgemm_fp8"},)");
  for (const auto& text : {std::string(kSmallConfig), quantised_config})
    CHECK(number(estimate_of({config(text), safetensors("model.safetensors", tensors)}), "/model/weight_bytes") == bytes_of(tensors));
}

TEST_CASE("what a checkpoint stores beside its model is counted and is no parameter") {
  const auto tied = std::string(kSmallConfig).insert(1, R"("tie_word_embeddings":true,)");
  auto tensors = small_checkpoint();
  tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {32}});
  const auto answer = estimate_of({config(tied), safetensors("model.safetensors", tensors)});
  CHECK(number(answer, "/model/weight_bytes") == bytes_of(tensors));
  CHECK(number(answer, "/model/parameters") == kSmallParameters - 256 * 1000);
  CHECK(number(answer, "/memory/detail/weights/other") == 2 * 256 * 1000 + 4 * 32);
}

TEST_CASE("shards come in any order, each with its header only") {
  const auto all = small_checkpoint();
  const std::vector<FileTensor> first(all.begin(), all.begin() + 8), second(all.begin() + 8, all.end());
  const auto a = safetensors("model-00001-of-00002.safetensors", first), b = safetensors("model-00002-of-00002.safetensors", second);
  CHECK(number(estimate_of({b, config(), a}), "/model/weight_bytes") == bytes_of(all));
  CHECK(number(estimate_of({a, b}), "/model/weight_bytes") == bytes_of(all));
  CHECK(number(estimate_of({index_of(all, 2), b, a, config()}), "/model/weight_bytes") == bytes_of(all));
  says(why({a, config()}), "one of 2 parts, and 1 were given");
  // The index knows what the missing parts hold.
  CHECK(number(estimate_of({a, config(), index_of(all, 2)}), "/model/weight_bytes") == bytes_of(all));
  const auto off = read({a, b, config(), index_of(all, 2, 12345)});
  CHECK(has_problem(off, "files_disagree"));
  says(why({a, a}), "two of its tensors mean the same");
}

TEST_CASE("an index and its config give everything, an index alone its bytes and its layers") {
  const auto tensors = small_checkpoint();
  CHECK(number(estimate_of({index_of(tensors), config()}), "/model/weight_bytes") == bytes_of(tensors));
  CHECK(number(estimate_of({index_of(tensors, 1, 2 * bytes_of(tensors)), config()}), "/model/weight_bytes") == 2 * bytes_of(tensors));
  CHECK(number(estimate_of({index_of(tensors, 1, bytes_of(tensors) + 64), config()}), "/memory/detail/weights/other") == 64);
  const auto alone = read({index_of(tensors)});
  REQUIRE(is_true(alone, "/ok"));
  CHECK(has_problem(alone, "assumed_from_tensors"));
  CHECK(number(alone, "/model/manual/layers") == 2);
  CHECK(number(estimate_of({index_of(tensors)}), "/model/weight_bytes") == bytes_of(tensors));
  auto packed = tensors;
  packed.push_back({"model.layers.0.mlp.up_proj.scales", "F16", {1}});
  says(why({index_of(packed)}), "packed");
  says(why({text_file("model.safetensors.index.json", R"({"metadata":{},"weight_map":{"a":"b"}})")}), "no total_size");
}

TEST_CASE("headers alone give the tensors, and what they do not say is assumed aloud") {
  const auto tensors = small_checkpoint();
  const auto answer = read({safetensors("tiny.safetensors", tensors)});
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  CHECK(has_problem(answer, "assumed_from_tensors"));
  CHECK(text(answer, "/model/header/assumed/0") == "head_dim 128");
  const auto estimated = estimate_of({safetensors("tiny.safetensors", tensors)});
  CHECK(has_problem(estimated, "assumed_from_tensors"));
  CHECK(number(estimated, "/model/parameters") == kSmallParameters);
  CHECK(number(estimated, "/model/layers") == 2);
  CHECK(number(estimated, "/model/weight_bytes") == bytes_of(tensors));
  CHECK(number(estimated, "/model/kv_bytes_per_token") == 2 * 2 * 128 * 2);          // however wide a head is
  CHECK(number(estimated, "/memory/detail/weights/attention") == 2.0 * 2 * (2 * 256 * 256 + 2 * 256 * 128));

  // A norm on each head says how wide it is.
  auto normed = tensors;
  for (const char* layer : {"0", "1"})
    for (const char* which : {"q", "k"}) normed.push_back({std::string("model.layers.") + layer + ".self_attn." + which + "_norm.weight", "BF16", {64}});
  CHECK(at(read({safetensors("tiny.safetensors", normed)}), "/model/header/assumed").is_null());

  const auto scaled = quantised("F8_E4M3", 1, "F32", 0);
  const auto eight = estimate_of({safetensors("tiny.safetensors", scaled)});
  CHECK(number(eight, "/model/weight_bytes") == bytes_of(scaled));
  CHECK(number(eight, "/model/parameters") == kSmallParameters);
  says(why({safetensors("tiny.safetensors", quantised("U8", 2, "F8_E4M3", 16))}), "packed");
}

TEST_CASE("experts in a header are one matrix of many") {
  std::vector<FileTensor> tensors{{"model.embed_tokens.weight", "BF16", {100, 64}}, {"lm_head.weight", "BF16", {100, 64}}, {"model.norm.weight", "BF16", {64}}};
  const std::string l = "model.layers.0.";
  for (const char* name : {"q", "k", "v", "o"}) tensors.push_back({l + "self_attn." + name + "_proj.weight", "BF16", {64, 64}});
  tensors.push_back({l + "block_sparse_moe.gate.weight", "BF16", {8, 64}});
  for (int e = 0; e < 8; ++e)
    for (const char* name : {"w1", "w2", "w3"})
      tensors.push_back({l + "block_sparse_moe.experts." + std::to_string(e) + "." + name + ".weight", "BF16", {name[1] == '2' ? 64 : 128, name[1] == '2' ? 128 : 64}});
  const auto answer = estimate_of({safetensors("model.safetensors", tensors)});
  CHECK(number(answer, "/model/weight_bytes") == bytes_of(tensors));
  CHECK(number(answer, "/memory/detail/weights/experts") == 2.0 * 8 * 3 * 64 * 128);
  CHECK(number(answer, "/memory/detail/weights/router") == 2.0 * 8 * 64);
  CHECK(number(answer, "/model/active_parameters") == 100 * 64 + 64 + 4 * 64 * 64 + 8 * 64 + 2 * 3 * 64 * 128);
}

TEST_CASE("files of different models are told apart, and small differences are named with both numbers") {
  const auto tensors = small_checkpoint();
  const auto with = [&](const char* key, int value) {
    auto c = parsed(kSmallConfig);
    c[key] = value;
    return config(written(c));
  };
  const auto header = safetensors("model.safetensors", tensors);
  const auto layers = read({header, with("num_hidden_layers", 3)}), width = read({header, with("hidden_size", 512)});
  CHECK(has_problem(layers, "different_models"));
  says(text(layers, "/problems/0/message"), "disagree on layers, 2 in the file and 3 in the config");
  says(text(width, "/problems/0/message"), "columns in its embedding, 256 in the file and 512 in the config");
  for (const char* key : {"vocab_size", "num_key_value_heads", "intermediate_size"}) {
    const auto answer = read({header, with(key, 4)});
    INFO(written(answer));
    CHECK(is_true(answer, "/ok"));
    CHECK(has_problem(answer, "files_disagree"));
  }
  const auto vocabulary = read({header, with("vocab_size", 1024)});
  CHECK(number(vocabulary, "/problems/0/params/file") == 1000);
  CHECK(number(vocabulary, "/problems/0/params/config") == 1024);
  CHECK(number(estimate_of({header, with("vocab_size", 1024)}), "/model/weight_bytes") == bytes_of(tensors));
}

TEST_CASE("how a checkpoint is packed may stand in hf_quant_config.json") {
  const auto tensors = quantised("F8_E4M3", 1, "F32", 0);
  const auto packing = text_file("hf_quant_config.json", R"({"producer":{"name":"modelopt"},"quantization":{"quant_algo":"FP8","exclude_modules":["lm_head"]}})");
  CHECK(number(estimate_of({packing, config(), safetensors("model.safetensors", tensors)}), "/model/weight_bytes") == bytes_of(tensors));
  const auto answer = read({config(), packing});
  CHECK(text(answer, "/model/config/quantization_config/quant_algo") == "FP8");
  says(why({packing}), "config.json");
}

TEST_CASE("other files of a repository are left out, and alone they are no model") {
  const auto extra = text_file("generation_config.json", "{}");
  const auto answer = read({extra, config(), text_file("tokenizer.json", "not looked into")});
  CHECK(is_true(answer, "/ok"));
  CHECK(has_problem(answer, "file_not_needed"));
  says(why({extra}), "says nothing of a model's size");
  says(why({safetensors("model.safetensors", small_checkpoint()), text_file("notes.json", R"({"a":1})")}), "hidden_size");
}

// ---------------------------------------------------------------------------------------------------------------- hostile

TEST_CASE("the beginning of a safetensors file asks for its whole header") {
  const auto whole = safetensors("model.safetensors", small_checkpoint());
  for (const std::size_t given : {0UL, 5UL, 8UL, 100UL}) {
    const auto answer = read({{whole.name, whole.content.substr(0, given), whole.size}});
    REQUIRE(text(answer, "/problems/0/code") == "needs_more_bytes");
    CHECK(text(answer, "/problems/0/params/name") == "model.safetensors");
    const auto next = number(answer, "/problems/0/params/bytes");
    CHECK(next > static_cast<double>(given));
    CHECK(next <= static_cast<double>(whole.size));
    if (given >= 8) CHECK(next == static_cast<double>(whole.content.size()));
  }
  const auto index = index_of(small_checkpoint());
  const auto part = read({{index.name, index.content.substr(0, 30), index.size}});
  CHECK(text(part, "/problems/0/code") == "needs_more_bytes");
  CHECK(number(part, "/problems/0/params/bytes") == static_cast<double>(index.size));
}

TEST_CASE("a safetensors header that is cut anywhere is refused") {
  const auto whole = safetensors("model.safetensors", small_checkpoint());
  for (std::size_t end = 0; end < whole.content.size(); end += 3) {
    const auto answer = read({text_file("model.safetensors", whole.content.substr(0, end))});
    CHECK_FALSE(is_true(answer, "/ok"));
  }
}

TEST_CASE("hostile safetensors headers are refused with a reason that names what and where") {
  const std::vector<FileTensor> one{{"x", "F32", {2, 3}}};
  const auto file = [](const std::string& content, std::int64_t size) { return std::vector<api::File>{{"model.safetensors", content, size}}; };
  const auto ready = header_of(one);
  says(why(file(with_length("{}", std::uint64_t{1} << 63U), 1000)), "claims 9223372036854775808 bytes");
  says(why(file(with_length("{}", 3), 10)), "claims 3 bytes, and the file has 10");
  CHECK(has_problem(read(file(with_length("{}", std::uint64_t{90} << 20U), std::int64_t{1} << 40)), "too_large"));
  says(why("[]"), "does not begin with {");
  says(why("{\"\xFF\":1}"), "UTF-8");
  CHECK(has_problem(read({text_file("model.safetensors", with_length(std::string("{\0}", 3)))}), "not_json"));
  CHECK(has_problem(read({text_file("model.safetensors", with_length("{\"a\":" + std::string(10'000, '[') + "}"))}), "too_deep"));
  says(why("{\"a\":1}"), "tensor \"a\" has a number where none belongs");
  says(why("{\"a\":null,\"b\":[1]}"), "tensor \"a\" has null");
  says(why("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}"), "lacks its dtype, shape or data_offsets");
  says(why("{\"a\":{\"dtype\":\"Q7\",\"shape\":[1],\"data_offsets\":[0,1]}}"), "unknown dtype \"Q7\"");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}"), "negative number in its shape");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,0]}}"), "negative number in its data_offsets");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]}}"), "no whole number");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,1]}}"), "no whole number");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[1e999],\"data_offsets\":[0,1]}}"), "1.8e308");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[9007199254740992,9007199254740992,9007199254740992],\"data_offsets\":[0,1]}}"), "2^53 elements");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}"), "3 data_offsets");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}"), "1 data_offsets");
  says(why("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,1]}}"), "ends before it begins");
  says(why("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,8]}}"), "has 8 bytes, and its shape in F32 makes 24");
  says(why("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"), "dtype twice");
  says(why("{" + entry(one[0], 0, 24) + "," + entry({"y", "U8", {8}}, 16, 24) + "}"), "tensors \"x\" and \"y\" overlap");
  says(why("{" + entry(one[0], 0, 24) + "," + entry({"y", "U8", {8}}, 32, 40) + "}"), "bytes 24 to 32 before tensor \"y\" belong to none");
  says(why("{" + entry(one[0], 0, 24) + "," + entry(one[0], 24, 48) + "}"), "tensor \"x\" twice");
  says(why(file(with_length(ready), static_cast<std::int64_t>(ready.size()) + 8 + 23)), "its tensors have 24 bytes, and behind its header there are 23");
  says(why(file(with_length(ready), static_cast<std::int64_t>(ready.size()) + 8 + 25)), "its tensors have 24 bytes, and behind its header there are 25");
  // All faults at once, but not thousands.
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) + "\":{}";
  CHECK(at(read({text_file("model.safetensors", with_length(many + "}"))}), "/problems").size() == 8);
}

TEST_CASE("hostile indexes are refused with a reason") {
  const auto bad = [](const std::string& content) { return why({text_file("model.safetensors.index.json", content)}); };
  says(bad("{}"), "no weight_map");
  says(bad("5"), "no JSON object");
  says(bad(R"({"weight_map":{"a":1}})"), "a number where the name of a file belongs");
  says(bad(R"({"weight_map":[]})"), "a list where the name of a file belongs");
  says(bad(R"({"weight_map":{"a":"f","a":"g"}})"), "tensor \"a\" twice");
  says(bad(R"({"weight_map":{},"weight_map":{}})"), "weight_map twice");
  says(bad(R"({"metadata":{"total_size":-5},"weight_map":{"a":"f"}})"), "total_size is no number of bytes");
  says(bad(R"({"metadata":{"total_size":1e300},"weight_map":{"a":"f"}})"), "total_size is no number of bytes");
  CHECK(has_problem(read({text_file("model.safetensors.index.json", std::string(100'000, '{'))}), "not_json"));
  CHECK(has_problem(read({text_file("x.index.json", "{\"weight_map\":\xFF}")}), "broken_text"));
  says(why({index_of(small_checkpoint()), index_of(small_checkpoint())}), "one index");
}

TEST_CASE("a header with any one byte changed has an answer") {
  const auto whole = safetensors("model.safetensors", small_checkpoint());
  int refused = 0;
  for (std::size_t i = 0; i < whole.content.size(); i += 2)
    for (const char c : {'"', '{', '9', '\xFF', '\0'}) {
      auto content = whole.content;
      content[i] = c;
      const auto answer = read({{whole.name, content, whole.size}});
      REQUIRE(at(answer, "/ok").is_boolean());
      if (!is_true(answer, "/ok")) ++refused;
      else REQUIRE(at(estimate({{"model", at(answer, "/model")}}), "/ok").is_boolean());
    }
  CHECK(refused > 1000);
}

TEST_CASE("changed bytes of files in a request are refused, whatever was changed") {
  const auto model = at(read({safetensors("model.safetensors", small_checkpoint("F32")), config()}), "/model");
  REQUIRE(at(model, "/stored/parts").is_array());
  int refused = 0;
  for (const auto& other : {json(nullptr), json(-1), json(1.5), json(1e300), json("x"), json::array(), json::object(), json(true), json(7)})
    for (std::size_t i = 0; i < 4; ++i) {
      auto changed = model;
      changed["stored"]["parts"][0][i] = other;
      const auto answer = estimate({{"model", changed}, {"device", "rtx-4090"}});
      REQUIRE(at(answer, "/ok").is_boolean());
      refused += is_true(answer, "/ok") ? 0 : 1;
    }
  CHECK(refused > 20);
  auto alone = model;
  alone.erase("config");
  CHECK_FALSE(is_true(estimate({{"model", alone}}), "/ok"));
}
