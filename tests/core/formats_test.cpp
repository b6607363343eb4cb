#include "weighbridge/formats.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "read/formats_json.hpp"
#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"

using namespace weighbridge;

namespace {

const Formats& shipped() { return catalog().formats(); }

const Encoding& encoding(std::string_view id) {
  const auto& e = shipped().encodings[shipped().encoding(id)];
  INFO("encoding " << id);
  REQUIRE(e.id == id);
  return e;
}

double total_bits(const Encoding& e, std::int64_t rows, std::int64_t columns) {
  const auto bytes = payload_bytes(e, rows, columns) + scale_bytes(e, rows, columns);
  return bytes.value * 8 / static_cast<double>(rows * columns);
}

}  // namespace

TEST_CASE("GGUF block types take the bytes of ggml's block structures") {
  struct Block { const char* id; int weights, bytes; };
  // ggml-common.h: elements and sizeof of each block structure.
  const Block blocks[] = {
      {"f32", 1, 4},       {"f16", 1, 2},       {"bf16", 1, 2},      {"f64", 1, 8},       {"q4_0", 32, 18},
      {"q4_1", 32, 20},    {"q5_0", 32, 22},    {"q5_1", 32, 24},    {"q8_0", 32, 34},    {"q8_1", 32, 36},
      {"q2_K", 256, 84},   {"q3_K", 256, 110},  {"q4_K", 256, 144},  {"q5_K", 256, 176},  {"q6_K", 256, 210},
      {"q8_K", 256, 292},  {"iq2_xxs", 256, 66},{"iq2_xs", 256, 74}, {"iq3_xxs", 256, 98},{"iq1_s", 256, 50},
      {"iq4_nl", 32, 18},  {"iq3_s", 256, 110}, {"iq2_s", 256, 82},  {"iq4_xs", 256, 136},{"iq1_m", 256, 56},
      {"tq1_0", 256, 54},  {"tq2_0", 256, 66},  {"mxfp4", 32, 17},   {"gguf-nvfp4", 64, 36},
      {"q1_0", 128, 18},   {"q2_0", 64, 18},    {"i8", 1, 1},        {"i16", 1, 2},       {"i32", 1, 4},
      {"i64", 1, 8},
  };
  for (const auto& b : blocks) {
    INFO(b.id);
    const auto& e = encoding(b.id);
    const auto bytes = payload_bytes(e, 3, 512) + scale_bytes(e, 3, 512);
    CHECK(bytes.value == 3.0 * 512 / b.weights * b.bytes);
  }
}

TEST_CASE("formats of other quantisers take their published bits") {
  CHECK(total_bits(encoding("awq-int4-g128"), 4096, 4096) == 4.15625);
  CHECK(total_bits(encoding("gptq-int4-g128"), 4096, 4096) == 4.15625 + 32.0 / 4096);   // one int32 per input column
  CHECK(total_bits(encoding("nf4-b64"), 4096, 4096) == 4.5);
  CHECK(total_bits(encoding("nf4-b64-dq"), 4096, 4096) == 4 + 8.0 / 64 + 32.0 / (64 * 256));
  CHECK(total_bits(encoding("mlx-4bit-g64"), 4096, 4096) == 4.5);
  CHECK(total_bits(encoding("mlx-4bit-g32"), 4096, 4096) == 5.0);
  CHECK(total_bits(encoding("mlx-4bit-g128"), 4096, 4096) == 4.25);
  CHECK(total_bits(encoding("mxfp4"), 2880, 2880) == 4.25);
  CHECK(total_bits(encoding("int4-g32"), 7168, 2048) == 4.5);
  CHECK(scale_bytes(encoding("nvfp4"), 16, 64).value == 16 * 64 / 16 + 4);
  CHECK(scale_bytes(encoding("bnb-int8"), 100, 64).value == 400);
}

TEST_CASE("scales of a row, a group or a tile that is not whole are rounded up") {
  // 576 x 7168 in tiles of 128 x 128: 4.5 tiles down count as 5.
  CHECK(scale_bytes(encoding("fp8-tile128"), 576, 7168).value == 5 * 56 * 4);
  CHECK(payload_bytes(encoding("fp8-tile128"), 576, 7168).value == 576 * 7168);
  CHECK(scale_bytes(encoding("int4-g128"), 10, 129).value == 10 * 2 * 2);
  CHECK(scale_bytes(encoding("bf16"), 10, 129).value == 0);
}

TEST_CASE("a weight format's nominal bits are those of its encoding") {
  for (const auto& f : shipped().weights) {
    INFO(f.id);
    const auto& e = shipped().encodings[f.encoding];
    const double per_group = e.group > 0 ? 8 * e.bytes_per_group / e.group : 0;
    CHECK(f.bits_per_weight == e.bits + per_group);
    CHECK(f.article_bytes > 0);
    CHECK_FALSE(f.source.empty());
    CHECK_FALSE(f.name.empty());
  }
}

TEST_CASE("the article's bytes per parameter") {
  const auto article = [](const char* id) {
    const auto* f = shipped().find_weight(id);
    return f == nullptr ? 0.0 : f->article_bytes;
  };
  CHECK(article("fp32") == 4);
  CHECK(article("fp16") == 2);
  CHECK(article("bf16") == 2);
  CHECK(article("fp8") == 1);
  CHECK(article("int8") == 1);
  CHECK(article("int4") == 0.5);
}

TEST_CASE("formats are found by id and alias, in any case, and never by two names' owner") {
  const auto id_of = [](const char* word) {
    const auto* f = shipped().find_weight(word);
    return f == nullptr ? std::string{} : f->id;
  };
  CHECK(id_of("BF16") == "bf16");
  CHECK(id_of("half") == "fp16");
  CHECK(id_of("F16") == "fp16");
  CHECK(id_of("float32") == "fp32");
  CHECK(id_of("q4_k_m") == "Q4_K_M");
  CHECK(id_of("Q4_K") == "Q4_K_M");
  CHECK(id_of("iq4_xs") == "IQ4_XS");
  CHECK(id_of("q4_k_x").empty());
  CHECK(id_of("").empty());
  CHECK(shipped().find_kv("float16") == shipped().find_kv("FP16"));
  CHECK(shipped().find_kv("q9_0") == nullptr);

  const auto lower = [](std::string s) {
    for (auto& c : s)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return s;
  };
  std::set<std::string> seen;
  for (const auto& f : shipped().weights) {
    CHECK(seen.insert(lower(f.id)).second);
    for (const auto& a : f.aliases) CHECK(seen.insert(lower(a)).second);
  }
  seen.clear();
  for (const auto& f : shipped().kv) {
    CHECK(seen.insert(lower(f.id)).second);
    for (const auto& a : f.aliases) CHECK(seen.insert(lower(a)).second);
  }
  seen.clear();
  for (const auto& e : shipped().encodings) CHECK(seen.insert(e.id).second);
  CHECK(shipped().encodings.size() < 256);
}

TEST_CASE("every format that the contract names exists") {
  for (const char* id : {"fp32", "fp16", "bf16", "fp8", "int8", "int4", "nf4", "awq-int4", "gptq-int4", "w8a8-int8", "mxfp4",
                         "nvfp4", "bnb-int8", "float32", "float16", "bfloat16", "f16", "half", "Q4_K_M", "Q8_0", "IQ4_XS"}) {
    INFO(id);
    CHECK(shipped().find_weight(id) != nullptr);
  }
  for (const char* id : {"fp32", "fp16", "bf16", "fp8", "int8", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"}) {
    INFO(id);
    CHECK(shipped().find_kv(id) != nullptr);
  }
}

TEST_CASE("one element of a cache takes its format's bits, scales included") {
  const auto bits = [](const char* id) {
    const auto* f = shipped().find_kv(id);
    return f == nullptr ? 0.0 : f->bits;
  };
  CHECK(bits("bf16") == 16);
  CHECK(bits("fp8") == 8);
  CHECK(bits("q8_0") == 8.5);
  CHECK(bits("q5_1") == 6);
  CHECK(bits("q4_0") == 4.5);
}

TEST_CASE("names of arithmetics and rules lead back to them") {
  for (const auto a : {Arithmetic::fp32, Arithmetic::fp16, Arithmetic::bf16, Arithmetic::fp8, Arithmetic::fp4, Arithmetic::int8})
    CHECK(find_arithmetic(arithmetic_name(a)) == a);
  CHECK_FALSE(find_arithmetic("fp12").has_value());
  CHECK(find_format_rule("linear_only") == FormatRule::linear_only);
  CHECK_FALSE(find_format_rule("").has_value());
}

TEST_CASE("formats of an unexpected shape are read as far as they go") {
  const auto read = [](const char* text) { return read_formats(nlohmann::json::parse(text, nullptr, false)); };
  CHECK(read("null").encodings.empty());
  CHECK(read("[1,2]").weights.empty());
  CHECK(read("not json").kv.empty());
  const auto formats = read(R"({"encodings": [7, {"id": "x", "bits": "4", "block": -3, "arithmetic": "none"}], "weight_formats": {},
                               "kv_formats": [{"id": 1, "aliases": [1, "a"], "bits": 8}]})");
  REQUIRE(formats.encodings.size() == 2);
  CHECK(formats.encodings[1].bits == 16);
  CHECK(formats.encodings[1].block == 1);
  REQUIRE(formats.kv.size() == 1);
  CHECK(formats.kv[0].aliases == std::vector<std::string>{"a"});
  CHECK(formats.kv[0].bits == 8);
}
