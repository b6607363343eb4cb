#include "weighbridge/tensors.hpp"

#include <cmath>
#include <map>
#include <string>

#include "support/catch.hpp"
#include "weighbridge/catalog.hpp"

using namespace weighbridge;

namespace {

const Formats& formats() { return catalog().formats(); }

struct Shape {
  std::int64_t layers, hidden, heads, kv_heads, head_dim, width, vocabulary;
  bool tied = false;
};

LayerKind attention_layer(const Shape& s) {
  LayerKind kind;
  kind.mixer.attention.heads = s.heads;
  kind.mixer.attention.kv_heads = s.kv_heads;
  kind.mixer.attention.head_dim = kind.mixer.attention.value_dim = s.head_dim;
  kind.feed_forward.width = s.width;
  return kind;
}

ModelSpec spec(const Shape& s) {
  ModelSpec m;
  m.vocabulary = s.vocabulary;
  m.hidden = s.hidden;
  m.tied = s.tied;
  m.kinds = {attention_layer(s)};
  m.layer_kind.assign(static_cast<std::size_t>(s.layers), 0);
  m.published.format = "bf16";
  return m;
}

constexpr Shape kLlama8b{32, 4096, 32, 8, 128, 14336, 128256};

ModelSpec mixtral() {
  auto m = spec({32, 4096, 32, 8, 128, 0, 32000});
  auto& f = m.kinds[0].feed_forward;
  f.experts = 8;
  f.experts_used = 2;
  f.expert_width = 14336;
  return m;
}

ModelSpec gpt_oss(std::int64_t layers, std::int64_t experts) {
  auto m = spec({layers, 2880, 64, 8, 64, 0, 201088});
  auto& a = m.kinds[0].mixer.attention;
  a.q_bias = a.k_bias = a.v_bias = a.o_bias = a.sinks = true;
  auto& f = m.kinds[0].feed_forward;
  f.experts = experts;
  f.experts_used = 4;
  f.expert_width = 2880;
  f.expert_bias = f.router_bias = true;
  m.published.format = "mxfp4";
  m.published.quantised = m.published.experts_only = true;
  m.published.linear = formats().encoding("mxfp4");
  m.published.rest = formats().encoding("bf16");
  return m;
}

// DeepSeek-V3 and R1: three dense layers, 58 with 256 experts, one layer for multi-token prediction.
ModelSpec deepseek_v3() {
  ModelSpec m;
  m.vocabulary = 129280;
  m.hidden = 7168;
  LayerKind dense;
  dense.mixer.kind = MixerKind::mla;
  dense.mixer.mla.heads = 128;
  dense.mixer.mla.q_lora_rank = 1536;
  dense.mixer.mla.kv_lora_rank = 512;
  dense.mixer.mla.nope_dim = 128;
  dense.mixer.mla.rope_dim = 64;
  dense.mixer.mla.value_dim = 128;
  auto moe = dense;
  dense.feed_forward.width = 18432;
  moe.feed_forward.experts = 256;
  moe.feed_forward.experts_used = 8;
  moe.feed_forward.expert_width = 2048;
  moe.feed_forward.router_correction = true;
  moe.feed_forward.shared_width = 2048;
  m.kinds = {dense, moe};
  m.layer_kind.assign(61, 1);
  m.layer_kind[0] = m.layer_kind[1] = m.layer_kind[2] = 0;
  m.published.format = "fp8";
  m.published.quantised = true;
  m.published.linear = formats().encoding("fp8-tile128");
  m.published.rest = formats().encoding("bf16");
  return m;
}

std::vector<StoredRow> stored(const Inventory& inventory, const char* format) {
  std::vector<StoredRow> out;
  const auto* f = formats().find_weight(format);
  INFO("format " << format);
  REQUIRE(f != nullptr);
  store(inventory, *f, formats(), out);
  return out;
}

std::vector<StoredRow> published(const Inventory& inventory) {
  std::vector<StoredRow> out;
  store_published(inventory, formats(), out);
  return out;
}

double bytes(const std::vector<StoredRow>& rows) {
  Bytes sum;
  for (const auto& r : rows) sum += r.bytes;
  return sum.value;
}

// Layers by encoding of the row whose name ends in `suffix`.
std::map<std::string, std::int64_t> encodings_of(const Inventory& inventory, const std::vector<StoredRow>& rows, const std::string& suffix) {
  std::map<std::string, std::int64_t> out;
  for (const auto& r : rows) {
    const auto& name = inventory.rows[r.row].name;
    if (name.size() >= suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0)
      out[formats().encodings[r.encoding].id] += r.layers;
  }
  return out;
}

using Layers = std::map<std::string, std::int64_t>;

}  // namespace

TEST_CASE("16-bit weights are two bytes per parameter, tied tables once") {
  const auto llama = inventory(spec(kLlama8b));
  CHECK(llama.parameters == 8030261248);
  CHECK(bytes(stored(llama, "bf16")) == 16060522496.0);
  CHECK(bytes(stored(llama, "fp32")) == 2 * 16060522496.0);
  CHECK(bytes(published(llama)) == 16060522496.0);

  auto tied = spec(kLlama8b);
  tied.tied = true;
  CHECK(bytes(stored(inventory(tied), "bf16")) == 16060522496.0 - 2.0 * 128256 * 4096);
}

TEST_CASE("GGUF mixtures of Llama-3.1-8B take the bits that llama.cpp publishes") {
  // llama.cpp, tools/quantize/README.md, table of bits per weight for Llama-3.1-8B; Q3_K_M, IQ4_XS and IQ4_NL by the
  // same rules with an importance matrix.
  const std::pair<const char*, double> table[] = {
      {"Q4_K_M", 4.8944}, {"Q4_K_S", 4.6672}, {"Q5_K_M", 5.7036},  {"Q5_K_S", 5.5704}, {"Q6_K", 6.5633},  {"Q8_0", 8.5008},
      {"Q2_K", 3.1593},   {"Q2_K_S", 2.9697}, {"Q3_K_S", 3.6429},  {"Q3_K_L", 4.2979}, {"IQ1_S", 2.0042}, {"IQ1_M", 2.1460},
      {"IQ2_XXS", 2.3824},{"IQ2_XS", 2.5882}, {"IQ2_S", 2.7403},   {"IQ2_M", 2.9294},  {"IQ3_XXS", 3.2548},{"IQ3_XS", 3.4977},
      {"IQ3_S", 3.6606},  {"IQ3_M", 3.7628},  {"Q3_K_M", 3.9960},  {"IQ4_XS", 4.4231}, {"IQ4_NL", 4.6526},
  };
  const auto llama = inventory(spec(kLlama8b));
  for (const auto& [format, bits] : table) {
    INFO(format);
    CHECK(bytes(stored(llama, format)) * 8 / static_cast<double>(llama.parameters) == Approx(bits).margin(0.00005 + 1e-9).epsilon(0));
  }
}

TEST_CASE("GGUF files of other models have the bytes that their loaders print") {
  const auto near = [](const Inventory& inventory, const char* format, double low, double high) {
    const auto total = bytes(stored(inventory, format));
    INFO(format << " " << total);
    CHECK(total >= low);
    CHECK(total <= high);
  };
  // llama.cpp prints GiB and MiB with two decimals: the ranges are what rounds to the printed figure.
  near(inventory(spec(kLlama8b)), "Q4_K_M", 4912368845, 4923106263);
  near(inventory(spec({80, 8192, 64, 8, 128, 28672, 32000})), "Q4_0", 38864085320, 38874822738);
  near(inventory(spec({80, 8192, 64, 8, 128, 28672, 32000})), "IQ4_XS", 36823975854, 36834713272);
  near(inventory(deepseek_v3()), "Q4_K_M", 404419489300, 404430226719);

  auto phi = spec({32, 3072, 32, 32, 96, 8192, 32064});
  phi.kinds[0].mixer.attention.fused_qkv = true;
  phi.kinds[0].feed_forward.fused_gate_up = true;
  near(inventory(phi), "Q4_K_M", 2392488673, 2392499159);
  near(inventory(phi), "Q4_0", 2175433441, 2175443927);

  auto qwen = spec({94, 4096, 64, 4, 128, 0, 151936});
  qwen.kinds[0].mixer.attention.qk_norm = QkNorm::per_head;
  qwen.kinds[0].feed_forward.experts = 128;
  qwen.kinds[0].feed_forward.experts_used = 8;
  qwen.kinds[0].feed_forward.expert_width = 1536;
  near(inventory(qwen), "Q8_0", 249933273760, 249934347502);
  near(inventory(qwen), "Q4_K_M", 142147848241, 142148921983);
}

TEST_CASE("a mixture promotes the layers that its rule names") {
  const auto llama = inventory(spec(kLlama8b));
  const auto q4 = stored(llama, "Q4_K_M");
  CHECK(encodings_of(llama, q4, "v_proj.weight") == Layers{{"q4_K", 16}, {"q6_K", 16}});
  CHECK(encodings_of(llama, q4, "down_proj.weight") == Layers{{"q4_K", 16}, {"q6_K", 16}});
  CHECK(encodings_of(llama, q4, "gate_proj.weight") == Layers{{"q4_K", 32}});
  CHECK(encodings_of(llama, q4, "lm_head.weight") == Layers{{"q6_K", 1}});
  CHECK(encodings_of(llama, q4, "embed_tokens.weight") == Layers{{"q4_K", 1}});
  const auto q3 = stored(llama, "Q3_K_M");
  CHECK(encodings_of(llama, q3, "v_proj.weight") == Layers{{"q4_K", 30}, {"q5_K", 2}});
  CHECK(encodings_of(llama, stored(llama, "Q4_K_S"), "v_proj.weight") == Layers{{"q4_K", 28}, {"q5_K", 4}});

  // The 80-layer class keeps its few values in five bits at least.
  const auto seventy = inventory(spec({80, 8192, 64, 8, 128, 28672, 128256}));
  CHECK(encodings_of(seventy, stored(seventy, "Q4_K_M"), "v_proj.weight") == Layers{{"q5_K", 40}, {"q6_K", 40}});

  // A tied table is stored as the head that it also is.
  auto tied = spec(kLlama8b);
  tied.tied = true;
  const auto tied_inventory = inventory(tied);
  CHECK(encodings_of(tied_inventory, stored(tied_inventory, "Q4_K_M"), "embed_tokens.weight") == Layers{{"q6_K", 1}});

  // Without shared keys Q2_K gives values less.
  const auto mha = inventory(spec({32, 4096, 32, 32, 128, 11008, 32000}));
  CHECK(encodings_of(mha, stored(mha, "Q2_K"), "v_proj.weight") == Layers{{"q3_K", 32}});
  CHECK(encodings_of(llama, stored(llama, "Q2_K"), "v_proj.weight") == Layers{{"q4_K", 32}});
}

TEST_CASE("a GGUF file has the prediction layers that the converter keeps") {
  auto with_drafts = spec(kLlama8b);
  with_drafts.mtp_layers = 1;
  for (const auto& [architecture, kept] : {std::pair{"deepseek_v3", false}, std::pair{"glm4_moe", true}}) {
    with_drafts.architecture = architecture;
    const auto model = inventory(with_drafts);
    REQUIRE(model.mtp_parameters > 0);
    for (const char* format : {"Q4_K_M", "Q8_0"})
      CHECK((bytes(stored(model, format)) == bytes(stored(inventory(spec(kLlama8b)), format))) != kept);
    CHECK(bytes(stored(model, "bf16")) == 2 * static_cast<double>(model.parameters));
  }
}

TEST_CASE("eight experts have rules of their own") {
  const auto m = inventory(mixtral());
  const auto rows = stored(m, "Q4_K_M");
  CHECK(encodings_of(m, rows, "k_proj.weight") == Layers{{"q8_0", 32}});
  CHECK(encodings_of(m, rows, "v_proj.weight") == Layers{{"q8_0", 32}});
  CHECK(encodings_of(m, rows, "o_proj.weight") == Layers{{"q5_K", 32}});
  CHECK(encodings_of(m, rows, "router.weight") == Layers{{"f32", 32}});
}

TEST_CASE("a row that is not whole blocks falls back to a type that it fills") {
  const auto qwen = inventory(spec({24, 896, 14, 2, 64, 4864, 151936, true}));
  const auto rows = stored(qwen, "Q4_K_M");
  CHECK(encodings_of(qwen, rows, "q_proj.weight") == Layers{{"q5_0", 24}});           // 896 is 28 x 32, not n x 256
  CHECK(encodings_of(qwen, rows, "embed_tokens.weight") == Layers{{"q8_0", 1}});
  CHECK(encodings_of(qwen, rows, "down_proj.weight") == Layers{{"q4_K", 12}, {"q6_K", 12}});
  const auto odd = inventory(spec({2, 100, 2, 2, 50, 256, 1000}));
  CHECK(encodings_of(odd, stored(odd, "Q4_K_M"), "q_proj.weight") == Layers{{"f16", 2}});
  for (const auto& f : formats().weights) {
    if (f.rule != FormatRule::gguf) continue;
    INFO(f.id);
    for (const auto& r : stored(qwen, f.id.c_str()))
      CHECK(qwen.rows[r.row].columns % formats().encodings[r.encoding].block == 0);
  }
}

TEST_CASE("weight-only formats leave tables, head, norms and routers in 16 bits") {
  const auto m = inventory(mixtral());
  const auto rows = stored(m, "int8");
  CHECK(encodings_of(m, rows, "embed_tokens.weight") == Layers{{"bf16", 1}});
  CHECK(encodings_of(m, rows, "lm_head.weight") == Layers{{"bf16", 1}});
  CHECK(encodings_of(m, rows, "router.weight") == Layers{{"bf16", 32}});
  CHECK(encodings_of(m, rows, "o_proj.weight") == Layers{{"int8-g128", 32}});
  const auto mlx = stored(m, "mlx-4bit");
  CHECK(encodings_of(m, mlx, "embed_tokens.weight") == Layers{{"mlx-4bit-g64", 1}});
  CHECK(encodings_of(m, mlx, "router.weight") == Layers{{"mlx-4bit-g64", 32}});
  CHECK(encodings_of(m, mlx, "norm.weight") == Layers{{"f16", 33}});

  // Experts only, as gpt-oss ships it; a dense model has nothing but its linear layers.
  CHECK(encodings_of(m, stored(m, "mxfp4"), "o_proj.weight") == Layers{{"bf16", 32}});
  CHECK(encodings_of(m, stored(m, "mxfp4"), "experts.{}.up_proj.weight") == Layers{{"mxfp4", 32}});
  const auto llama = inventory(spec(kLlama8b));
  CHECK(encodings_of(llama, stored(llama, "mxfp4"), "o_proj.weight") == Layers{{"mxfp4", 32}});
}

TEST_CASE("published checkpoints weigh what their files weigh") {
  // Qwen3-14B in MLX's 4 bits: total_size of its index.
  auto qwen14 = spec({40, 5120, 40, 8, 128, 17408, 151936});
  qwen14.kinds[0].mixer.attention.qk_norm = QkNorm::per_head;
  CHECK(bytes(stored(inventory(qwen14), "mlx-4bit")) == 8307783680.0);
  qwen14.published.format = "mlx-4bit";
  qwen14.published.quantised = qwen14.published.matrices = true;
  qwen14.published.linear = formats().encoding("mlx-4bit-g64");
  qwen14.published.rest = formats().encoding("bf16");
  CHECK(bytes(published(inventory(qwen14))) == 8307783680.0);

  // Qwen3-8B, FP8 with a scale per output row: 8.79 GiB to four digits by its headers.
  auto qwen8 = spec({36, 4096, 32, 8, 128, 12288, 151936});
  qwen8.kinds[0].mixer.attention.qk_norm = QkNorm::per_head;
  const auto fp8 = bytes(stored(inventory(qwen8), "fp8"));
  CHECK(fp8 >= 9438496018);
  CHECK(fp8 <= 9438508018);

  // gpt-oss: experts in MXFP4, all else in 16 bits.
  const auto small = bytes(published(inventory(gpt_oss(24, 32))));
  CHECK(small >= 13761262489);
  CHECK(small <= 13761274489);
  CHECK(bytes(published(inventory(gpt_oss(36, 128)))) == 65248815744.0);

  // Asking for the published format by name means the checkpoint.
  const auto deepseek = inventory(deepseek_v3());
  CHECK(bytes(stored(deepseek, "fp8")) == bytes(published(deepseek)));
  CHECK(encodings_of(deepseek, published(deepseek), "kv_b_proj.weight") == Layers{{"fp8-tile128", 61}});
}

TEST_CASE("modules that a checkpoint leaves alone stay in its other encoding") {
  auto m = mixtral();
  m.published.quantised = true;
  m.published.format = "awq-int4";
  m.published.linear = formats().encoding("awq-int4-g128");
  m.published.rest = formats().encoding("f16");
  const auto kept = [&](std::vector<std::string> modules, const char* suffix) {
    m.published.unquantised = std::move(modules);
    const auto i = inventory(m);
    return encodings_of(i, published(i), suffix);
  };
  CHECK(kept({}, "o_proj.weight") == Layers{{"awq-int4-g128", 32}});
  CHECK(kept({"lm_head", "gate"}, "experts.{}.gate_proj.weight") == Layers{{"awq-int4-g128", 32}});
  CHECK(kept({"self_attn"}, "o_proj.weight") == Layers{{"f16", 32}});
  CHECK(kept({"self_attn"}, "experts.{}.up_proj.weight") == Layers{{"awq-int4-g128", 32}});
  CHECK(kept({"model.layers.*.self_attn"}, "q_proj.weight") == Layers{{"f16", 32}});
  CHECK(kept({"model.layers.0.self_attn", "model.layers.31.self_attn.q_proj"}, "q_proj.weight") == Layers{{"f16", 2}, {"awq-int4-g128", 30}});
  CHECK(kept({"model.layers.0.self_attn.q_proj"}, "o_proj.weight") == Layers{{"awq-int4-g128", 32}});
  CHECK(kept({"model.layers.3.mlp.experts.5.up_proj"}, "up_proj.weight") == Layers{{"awq-int4-g128", 32}});
}

TEST_CASE("an average counts every element alike") {
  const auto llama = inventory(spec(kLlama8b));
  std::vector<StoredRow> rows;
  store_average(llama, 4.5, formats(), rows);
  CHECK(bytes(rows) == 8030261248.0 * 4.5 / 8);
}

TEST_CASE("stored layers add up to the row's, in every format") {
  for (const auto& m : {spec(kLlama8b), mixtral(), gpt_oss(24, 32), deepseek_v3()}) {
    const auto i = inventory(m);
    for (const auto& f : formats().weights) {
      INFO(f.id);
      std::vector<std::int64_t> layers(i.rows.size(), 0);
      double total = 0;
      for (const auto& r : stored(i, f.id.c_str())) {
        layers[r.row] += r.layers;
        total += r.bytes.value;
        CHECK(r.layers > 0);
      }
      for (std::size_t k = 0; k < i.rows.size(); ++k) CHECK(layers[k] == i.rows[k].layers);
      CHECK(total == std::floor(total));
      CHECK(total * 8 / static_cast<double>(i.parameters) < 33);
    }
  }
}
