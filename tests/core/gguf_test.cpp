// GGUF headers: what they say is read to the byte, and hostile ones are refused in bounded time.
//
// The files are written here, by the specification, since real ones are large.
#include <string>
#include <vector>

#include "api_json.hpp"
#include "gguf_file.hpp"
#include "support/catch.hpp"

using namespace weighbridge_test;
namespace api = weighbridge::api;

namespace {

using Writer = GgufWriter;

// A Llama of 2 layers, hidden 256, 4 heads and 2 KV heads of 64, feed-forward 512, vocabulary 1000, in mixed types.
std::string small_llama(bool big = false, std::uint32_t version = 3, std::uint64_t tokens = 10) {
  Writer w(big, version);
  w.counts(20, 9);
  w.word("general.architecture", "llama").number("general.file_type", 15);
  w.number("llama.block_count", 2).number("llama.context_length", 4096).number("llama.embedding_length", 256);
  w.number("llama.attention.head_count", 4).number("llama.attention.head_count_kv", 2).number("llama.feed_forward_length", 512);
  w.words("tokenizer.ggml.tokens", tokens, "token");
  w.tensor("token_embd.weight", {256, 1000}, kQ4K).tensor("output.weight", {256, 1000}, kQ6K).tensor("output_norm.weight", {256}, kF32);
  w.tensor("rope_freqs.weight", {32}, kF32);
  for (const char* layer : {"blk.0.", "blk.1."}) {
    const std::string l(layer);
    w.tensor(l + "attn_q.weight", {256, 256}, kQ4K).tensor(l + "attn_k.weight", {256, 128}, kQ4K);
    w.tensor(l + "attn_v.weight", {256, 128}, l == "blk.0." ? kQ6K : kQ4K).tensor(l + "attn_output.weight", {256, 256}, kQ4K);
    w.tensor(l + "ffn_gate.weight", {256, 512}, kQ4K).tensor(l + "ffn_up.weight", {256, 512}, kQ4K);
    w.tensor(l + "ffn_down.weight", {512, 256}, kQ6K).tensor(l + "attn_norm.weight", {256}, kF32);
  }
  return w.text();
}

api::File file(std::string content, std::int64_t size = -1) {
  const auto length = static_cast<std::int64_t>(content.size());
  return {"small.Q4_K_M.gguf", std::move(content), size < 0 ? length : size};
}
json read(std::vector<api::File> files) { return parsed(api::read_model(files)); }

json model_of(const std::string& content) {
  auto answer = read({file(content)});
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  return at(answer, "/model");
}

}  // namespace

TEST_CASE("a GGUF header gives every tensor to the byte") {
  const auto model = model_of(small_llama());
  const auto answer = estimate({{"model", model}, {"workload", {{"prompt_tokens", 100}, {"output_tokens", 28}}}});
  INFO(written(answer));
  REQUIRE(is_true(answer, "/ok"));
  const double q4 = 144.0 / 256, q6 = 210.0 / 256;
  const double tables = 256 * 1000 * (q4 + q6);
  const double layers = 2 * (256 * 256 * 2 + 256 * 128) * q4 + 256 * 128 * (q6 + q4) + 2 * 2 * 256 * 512 * q4 + 2 * 512 * 256 * q6;
  const double vectors = 4 * (256 + 32 + 2 * 256);
  CHECK(number(answer, "/model/weight_bytes") == tables + layers + vectors);
  CHECK(number(answer, "/model/parameters") == 2 * 256 * 1000 + 256 + 2 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 512 + 256));
  CHECK(number(answer, "/model/kv_bytes_per_token") == 2 * 2 * 2 * 64 * 2);
  CHECK(number(answer, "/model/context_tokens") == 4096);
  CHECK(text(answer, "/model/architecture") == "llama");
  CHECK(text(answer, "/model/name") == "small.Q4_K_M");
  for (const auto& a : at(answer, "/assumptions"))
    if (text(a, "/path") == "/weights") CHECK(text(a, "/value") == "Q4_K_M");
}

TEST_CASE("a GGUF header of a big-endian machine, and of version 2, says the same") {
  const auto model = model_of(small_llama());
  CHECK(model_of(small_llama(true)) == model);
  CHECK(model_of(small_llama(false, 2)) == model);
}

TEST_CASE("a model that was read goes into requests on a device, and in other formats") {
  const auto model = model_of(small_llama());
  for (const char* weights : {"bf16", "Q8_0", "fp8"}) {
    const auto answer = estimate({{"model", model}, {"weights", weights}, {"device", "rtx-4090"}, {"devices", 2}});
    INFO(written(answer));
    REQUIRE(is_true(answer, "/ok"));
    CHECK(is_true(answer, "/memory/per_device/fits"));
  }
  CHECK(written(model).size() < 4096);
}

TEST_CASE("the parts of a split GGUF file belong together") {
  const auto whole = small_llama();
  Writer first, second;
  first.counts(1, 6).word("general.architecture", "llama").number("llama.block_count", 1).number("llama.embedding_length", 256);
  first.number("llama.attention.head_count", 4).number("llama.attention.head_count_kv", 2).number("split.count", 2);
  first.tensor("token_embd.weight", {256, 1000}, kQ8);
  second.counts(2, 1).number("split.count", 2);
  second.tensor("blk.0.attn_q.weight", {256, 256}, kQ8).tensor("blk.0.ffn_down.weight", {512, 256}, kQ8);
  const auto both = read({file(second.text()), file(first.text())});
  INFO(written(both));
  REQUIRE(is_true(both, "/ok"));
  CHECK(number(estimate({{"model", at(both, "/model")}}), "/model/weight_bytes") == (256 * 1000 + 256 * 256 + 512 * 256) * 34.0 / 32);
  const auto one = read({file(first.text())});
  CHECK_FALSE(is_true(one, "/ok"));
  CHECK(text(one, "/problems/0/message").find("one of 2 parts, and 1 were given") != std::string::npos);
}

TEST_CASE("the beginning of a GGUF file asks for more, up to the whole header") {
  const auto content = small_llama(false, 3, 5000);
  const std::int64_t size = 5'000'000'000;
  std::size_t given = 24;
  for (int question = 0;; ++question) {
    REQUIRE(question < 30);
    const auto answer = read({file(content.substr(0, given), size)});
    if (is_true(answer, "/ok")) break;
    REQUIRE(text(answer, "/problems/0/code") == "needs_more_bytes");
    const auto next = static_cast<std::size_t>(number(answer, "/problems/0/params/bytes"));
    REQUIRE(next > given);
    given = next;
  }
  CHECK(given < 2 * content.size() + 64);
}

TEST_CASE("a GGUF header that is cut anywhere is refused and never read beyond its end") {
  const auto content = small_llama();
  for (std::size_t end = 0; end < content.size(); end += 7) {
    const auto answer = read({file(content.substr(0, end))});
    CHECK_FALSE(is_true(answer, "/ok"));
    CHECK(text(answer, "/problems/0/code") == "unsupported_file");
  }
}

TEST_CASE("headers of big-endian machines and of version 2 are refused when cut, too") {
  for (const auto& content : {small_llama(true), small_llama(false, 2)})
    for (std::size_t end = 0; end < content.size(); end += 11) CHECK(text(read({file(content.substr(0, end))}), "/problems/0/code") == "unsupported_file");
}

TEST_CASE("parts of a split file that do not belong together are refused") {
  const auto part = [](std::uint32_t number, std::uint32_t count, const char* tensor, bool whole = false) {
    Writer w;
    w.counts(1, whole ? 5 : 2);
    if (whole) w.word("general.architecture", "llama").number("llama.block_count", 1).number("llama.embedding_length", 64);
    w.number("split.no", number).number("split.count", count).tensor(tensor, {64, 64}, kF16);
    return file(w.text());
  };
  const auto why = [](const std::vector<api::File>& files) {
    const auto answer = read(files);
    CHECK_FALSE(is_true(answer, "/ok"));
    return text(answer, "/problems/0/message");
  };
  CHECK(why({part(0, 3, "token_embd.weight", true), part(1, 3, "blk.0.attn_qkv.weight")}).find("one of 3 parts, and 2 were given") != std::string::npos);
  CHECK(why({part(0, 4'294'967'295U, "token_embd.weight", true)}).find("one of 4294967295 parts") != std::string::npos);
  CHECK(why({part(0, 2, "token_embd.weight", true), part(0, 2, "token_embd.weight", true)}).find("two parts have the tensor") != std::string::npos);
  CHECK(!why({part(1, 1, "blk.0.attn_qkv.weight")}).empty());                    // the part with the metadata is not there
}

TEST_CASE("hostile GGUF headers are refused with a reason") {
  const auto why = [](const std::string& content) {
    const auto answer = read({file(content)});
    CHECK_FALSE(is_true(answer, "/ok"));
    return text(answer, "/problems/0/message");
  };
  CHECK(why("GGUX" + small_llama().substr(4)).find("does not begin with GGUF") != std::string::npos);
  CHECK(why(Writer(false, 0).counts(0, 0).text()).find("version is 0") != std::string::npos);
  CHECK(why(Writer(false, 99).counts(0, 0).text()).find("version is 99") != std::string::npos);
  CHECK(why(Writer().counts(std::uint64_t{1} << 63U, 0).text()).find("claims") != std::string::npos);
  CHECK(why(Writer().counts(0, std::uint64_t{1} << 63U).text()).find("claims") != std::string::npos);
  CHECK(why(Writer().counts(0, 1).put(~std::uint64_t{0}).text()).find("broken") != std::string::npos);
  // An array of 2^63 numbers, and arrays inside each other.
  CHECK(why(Writer().counts(0, 1).string("a").put(std::uint32_t{9}).put(std::uint32_t{4}).put(std::uint64_t{1} << 63U).text()).find("broken") != std::string::npos);
  Writer nested;
  nested.counts(0, 1).string("a").put(std::uint32_t{9});
  for (int i = 0; i < 1000; ++i) nested.put(std::uint32_t{9}).put(std::uint64_t{1});
  CHECK(why(nested.text()).find("broken") != std::string::npos);
  CHECK(why(Writer().counts(1, 0).tensor("x", {std::uint64_t{1} << 50U, std::uint64_t{1} << 50U}, kF32).text()).find("2^53") != std::string::npos);
  CHECK(why(Writer().counts(1, 0).tensor("x", {4}, 4).text()).find("unknown type 4") != std::string::npos);
  CHECK(why(Writer().counts(1, 0).tensor("x", {4}, 4000000000U).text()).find("unknown type") != std::string::npos);
  CHECK(why(Writer().counts(2, 0).tensor("x", {4}, kF32).tensor("x", {4}, kF32).text()).find("twice") != std::string::npos);
  CHECK(why(Writer().counts(0, 2).word("general.architecture", "llama").number("llama.block_count", 4'000'000'000).text()).find("block_count") != std::string::npos);
  CHECK(why(Writer(false, 1).counts(0, 0).text()).find("version is 1") != std::string::npos);
  CHECK(why(Writer().counts(0, 2).number("\xFF\n", 1).number("\xFF\n", 2).text()).find("the key \"??\" twice") != std::string::npos);
  CHECK(why(Writer().counts(0, 2).number("a", 1).number("a", 2).text()).find("the key \"a\" twice") != std::string::npos);
  CHECK(why(Writer().counts(1, 0).tensor("x", {0}, kF32).text()).find("no elements") != std::string::npos);
  CHECK(why(Writer().counts(1, 0).tensor("x", {100, 2}, kQ4K).text()).find("rows of 100, which are no whole blocks of q4_K") != std::string::npos);
  CHECK(why(Writer().counts(1, 0).tensor("", {4}, kF32).text()).find("broken") != std::string::npos);
  CHECK(why(Writer().counts(1, 0).string("x").put(std::uint32_t{1}).put(std::uint64_t{4}).put(kF32).put(~std::uint64_t{0}).text()).find("begins at byte 18446744073709551615") != std::string::npos);
  Writer overlapping;
  overlapping.counts(2, 0).tensor("x", {64}, kF32).string("y").put(std::uint32_t{1}).put(std::uint64_t{4}).put(kF32).put(std::uint64_t{32});
  CHECK(why(overlapping.text()).find("\"x\" and \"y\" overlap") != std::string::npos);
  const auto beyond = read({file(small_llama(), 5'000)});
  CHECK(text(beyond, "/problems/0/message").find("and the file has 5000 bytes") != std::string::npos);
  CHECK(why(Writer().counts(0, 0).text()).find("architecture") != std::string::npos);
  CHECK(why(Writer().counts(0, 1).word("general.architecture", "\xFF\xFE").text()).find("architecture") != std::string::npos);
  CHECK(why(Writer().counts(1, 3).word("general.architecture", "llama").number("llama.block_count", 1).number("llama.embedding_length", 8)
                .tensor("\xFF\n", {4}, kF32).text()).find("not plain text") != std::string::npos);
}

TEST_CASE("a projector of its own adds its tower to the language model") {
  Writer w;
  w.counts(4, 1).word("general.architecture", "clip");
  w.tensor("v.blk.0.attn_q.weight", {64, 64}, kF32).tensor("v.blk.1.attn_q.weight", {64, 64}, kF32);
  w.tensor("mm.0.weight", {64, 256}, kF32).tensor("v.position_embd.weight", {64, 10}, kF32);
  const auto both = read({{"mmproj.gguf", w.text(), static_cast<std::int64_t>(w.text().size())}, file(small_llama())});
  INFO(written(both));
  REQUIRE(is_true(both, "/ok"));
  const double tower = 4.0 * (2 * 64 * 64 + 64 * 256 + 64 * 10);
  const auto answer = estimate({{"model", at(both, "/model")}});
  CHECK(number(answer, "/memory/detail/weights/vision") == tower);
  CHECK(number(answer, "/model/weight_bytes") == number(estimate({{"model", model_of(small_llama())}}), "/model/weight_bytes") + tower);
  CHECK(number(answer, "/model/active_parameters") == number(estimate({{"model", model_of(small_llama())}}), "/model/active_parameters"));
  const auto alone = read({file(w.text())});
  CHECK(text(alone, "/problems/0/message").find("together with its language model") != std::string::npos);
  const auto twice = read({file(small_llama()), file(small_llama())});
  CHECK(text(twice, "/problems/0/message").find("there are 2 models") != std::string::npos);
}

TEST_CASE("a GGUF header and a config are compared") {
  const std::string config = R"({"model_type":"llama","hidden_size":256,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":512,"vocab_size":1000})";
  const auto with = [&](std::string text) { return read({file(small_llama()), {"config.json", text, static_cast<std::int64_t>(text.size())}}); };
  const auto same = with(config);
  INFO(written(same));
  REQUIRE(is_true(same, "/ok"));
  CHECK(at(same, "/model/header").is_object());
  auto other = config;
  other.replace(other.find("1000"), 4, "1001");
  CHECK(has_problem(with(other), "files_disagree"));
  other = config;
  other.replace(other.find("\"num_hidden_layers\":2"), 21, "\"num_hidden_layers\":3");
  CHECK_FALSE(is_true(with(other), "/ok"));
}

TEST_CASE("parts that no formula knows are named, not guessed") {
  Writer w;
  w.counts(2, 3).word("general.architecture", "plamo2").number("plamo2.block_count", 1).number("plamo2.embedding_length", 64);
  w.tensor("token_embd.weight", {64, 100}, kF32).tensor("blk.0.ssm_in.weight", {64, 256}, kF32);
  const auto answer = read({file(w.text())});
  CHECK_FALSE(is_true(answer, "/ok"));
  CHECK(text(answer, "/problems/0/code") == "unsupported_model");
}

TEST_CASE("a changed header in a request is refused, whatever was changed") {
  const auto model = model_of(small_llama());
  const json strange[] = {nullptr, -1, 1.5, 1e300, "x", json::array(), json::object(), true};
  int tried = 0;
  const auto try_all = [&](const json& changed) {
    const auto answer = estimate({{"model", changed}, {"device", "rtx-4090"}});
    REQUIRE(at(answer, "/ok").is_boolean());
    ++tried;
  };
  for (const auto& [key, value] : at(model, "/header").items())
    for (const auto& other : strange) {
      auto changed = model;
      changed["header"][key] = other;
      try_all(changed);
    }
  for (std::size_t i = 0; i < 6; ++i)
    for (const auto& other : strange) {
      auto changed = model;
      changed["header"]["tensors"][0][i] = other;
      try_all(changed);
    }
  CHECK(tried > 50);
}
