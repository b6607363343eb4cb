#include <cmath>
#include <set>

#include "support/catch.hpp"
#include "weighbridge/tensors.hpp"

using namespace weighbridge;

namespace {

ModelSpec decoder(std::int64_t layers, std::int64_t hidden, std::int64_t heads, std::int64_t kv_heads, std::int64_t head_dim,
                  std::int64_t width, std::int64_t vocabulary) {
  ModelSpec s;
  s.vocabulary = vocabulary;
  s.hidden = hidden;
  LayerKind k;
  auto& a = k.mixer.attention;
  a.heads = heads;
  a.kv_heads = kv_heads;
  a.head_dim = a.value_dim = head_dim;
  k.feed_forward.width = width;
  s.kinds = {k};
  s.layer_kind.assign(static_cast<std::size_t>(layers), 0);
  return s;
}

ModelSpec llama_8b() { return decoder(32, 4096, 32, 8, 128, 14336, 128256); }

// DeepSeek-V3, sizes from its config.json.
ModelSpec deepseek_v3() {
  ModelSpec s;
  s.vocabulary = 129280;
  s.hidden = 7168;
  LayerKind dense;
  dense.mixer.kind = MixerKind::mla;
  dense.mixer.mla = {128, 1536, 512, 128, 64, 128, false};
  dense.feed_forward.width = 18432;
  auto moe = dense;
  moe.feed_forward = {};
  moe.feed_forward.experts = 256;
  moe.feed_forward.experts_used = 8;
  moe.feed_forward.expert_width = 2048;
  moe.feed_forward.shared_width = 2048;
  moe.feed_forward.router_correction = true;
  s.kinds = {dense, moe};
  s.layer_kind.assign(61, 1);
  s.layer_kind[0] = s.layer_kind[1] = s.layer_kind[2] = 0;
  s.mtp_layers = 1;
  s.mtp_kind = 1;
  s.mtp_copies_tables = true;
  return s;
}

const TensorRow* find(const Inventory& m, const std::string& name) {
  for (const auto& row : m.rows)
    if (row.name == name) return &row;
  return nullptr;
}

std::int64_t total(const Inventory& m, Role role) {
  std::int64_t sum = 0;
  for (const auto& row : m.rows)
    if (row.role == role) sum += row.elements();
  return sum;
}

}  // namespace

TEST_CASE("the parameter count is the sum of the rows") {
  for (const auto& spec : {llama_8b(), deepseek_v3()}) {
    const auto m = inventory(spec);
    std::int64_t sum = 0, drafts = 0;
    for (const auto& row : m.rows) {
      sum += row.elements();
      if (row.mtp) drafts += row.elements();
    }
    CHECK(m.parameters == sum);
    CHECK(m.mtp_parameters == drafts);
  }
}

TEST_CASE("grouped-query attention narrows keys and values only") {
  const auto m = inventory(llama_8b());
  CHECK(m.parameters == 8'030'261'248);                  // Hugging Face Hub, meta-llama/Llama-3.1-8B
  const auto *q = find(m, "layers.{}.self_attn.q_proj.weight"), *k = find(m, "layers.{}.self_attn.k_proj.weight");
  REQUIRE(q);
  REQUIRE(k);
  CHECK(q->rows == 4096);
  CHECK(k->rows == 1024);
  CHECK(k->columns == 4096);
  CHECK(q->split == Split::even);
  CHECK(k->split == Split::kv_heads);
  CHECK(q->layers == 32);
  CHECK(m.caches.size() == 1);
  CHECK(m.caches[0].k_elements == 1024);
  CHECK(m.caches[0].kv_heads == 8);
  CHECK(m.caches[0].decode_flops_per_pair == 4 * 32 * 128);
}

TEST_CASE("the input table is not active, a head is, a tied table counts once and is both") {
  const std::int64_t table = 128256LL * 4096;
  const auto apart = inventory(llama_8b());
  CHECK(apart.active_parameters == apart.parameters - table);

  auto spec = llama_8b();
  spec.tied = true;
  const auto tied = inventory(spec);
  CHECK(tied.parameters == apart.parameters - table);
  CHECK(tied.active_parameters == apart.active_parameters);
  REQUIRE(find(tied, "embed_tokens.weight"));
  CHECK(find(tied, "embed_tokens.weight")->tied_head);
  CHECK(!find(tied, "lm_head.weight"));
}

TEST_CASE("a mixture uses some experts, and only those count as active") {
  auto spec = decoder(32, 4096, 32, 8, 128, 0, 32000);   // Mixtral 8x7B
  auto& f = spec.kinds[0].feed_forward;
  f.experts = 8;
  f.experts_used = 2;
  f.expert_width = 14336;
  const auto m = inventory(spec);
  CHECK(m.parameters == 46'702'792'704);                 // Hugging Face Hub, mistralai/Mixtral-8x7B-v0.1
  const std::int64_t one_expert = 3LL * 4096 * 14336;
  CHECK(m.active_parameters == m.parameters - 32000LL * 4096 - 32 * 6 * one_expert);
  CHECK(m.experts == 8);
  CHECK(m.experts_used == 2);
  const auto* up = find(m, "layers.{}.mlp.experts.{}.up_proj.weight");
  REQUIRE(up);
  CHECK(up->per_layer == 8);
  CHECK(up->use == Use::routed);
  CHECK(up->split == Split::experts);
  CHECK(up->linear);
  const auto* router = find(m, "layers.{}.mlp.router.weight");
  REQUIRE(router);
  CHECK(router->elements() == 32 * 8 * 4096);
  CHECK(router->split == Split::replicated);
  CHECK(!router->linear);
}

TEST_CASE("DeepSeek-V3: 671 billion and one more layer that drafts") {
  const auto m = inventory(deepseek_v3());
  CHECK(m.parameters - m.mtp_parameters == 671'026'419'200);       // the model without its draft layer
  // DeepSeek-V3 README: "671B of the Main Model weights and 14B of the Multi-Token Prediction (MTP) Module weights".
  CHECK(std::abs(static_cast<double>(m.mtp_parameters) - 14e9) < 0.6e9);
  // The same: "37B activated for each token", which counts the input table.
  CHECK(std::abs(static_cast<double>(m.active_parameters) + 129280.0 * 7168 - 37e9) < 0.6e9);
  CHECK(m.rows.size() <= 60);
  for (const auto& row : m.rows)
    if (row.mtp) CHECK(row.use == Use::never);

  REQUIRE(m.caches.size() == 2);
  CHECK(m.caches[0].layers == 3);
  CHECK(m.caches[1].layers == 58);
  for (const auto& c : m.caches) {
    CHECK(c.k_elements == 512 + 64);
    CHECK(c.v_elements == 0);
    CHECK(c.replicated);
    CHECK(c.decode_flops_per_pair == 2.0 * 128 * (2 * 512 + 64));
    CHECK(c.prefill_flops_per_pair == 2.0 * 128 * (128 + 64 + 128));
  }
  // 576 elements per token and layer, 2 bytes each.
  CHECK((m.caches[0].layers + m.caches[1].layers) * 576 * 2 == 70'272);
}

TEST_CASE("GPT-2: positions, biases everywhere, one fused matrix") {
  auto spec = decoder(12, 768, 12, 12, 64, 3072, 50257);
  spec.positions = 1024;
  spec.tied = true;
  spec.final_norm_bias = true;
  auto& k = spec.kinds[0];
  auto& a = k.mixer.attention;
  a.q_bias = a.k_bias = a.v_bias = a.o_bias = a.fused_qkv = true;
  k.feed_forward.gated = false;
  k.feed_forward.bias = true;
  k.norm_bias = true;
  const auto m = inventory(spec);
  CHECK(m.parameters == 124'439'808);                    // Hugging Face Hub, openai-community/gpt2
  REQUIRE(find(m, "layers.{}.self_attn.qkv_proj.weight"));
  CHECK(find(m, "layers.{}.self_attn.qkv_proj.weight")->rows == 3 * 768);
  CHECK(total(m, Role::embedding) == (50257 + 1024) * 768);
  // Positions are looked up; the table is multiplied because it is the head as well.
  CHECK(m.active_parameters == m.parameters - 1024 * 768);
}

TEST_CASE("a fused matrix of grouped queries keeps its rows apart by how they are split") {
  auto spec = llama_8b();
  spec.kinds[0].mixer.attention.fused_qkv = true;
  const auto m = inventory(spec);
  CHECK(m.parameters == 8'030'261'248);
  const auto *q = find(m, "layers.{}.self_attn.qkv_proj.weight[q]"), *kv = find(m, "layers.{}.self_attn.qkv_proj.weight[kv]");
  REQUIRE(q);
  REQUIRE(kv);
  CHECK(q->cls == TensorClass::attention_qkv);
  CHECK(kv->cls == TensorClass::attention_qkv);
  CHECK(kv->split == Split::kv_heads);
  CHECK(q->rows + kv->rows == 4096 + 2 * 1024);
}

TEST_CASE("windowed and full layers have a cache of their own") {
  auto spec = llama_8b();
  auto local = spec.kinds[0];
  local.mixer.attention.window = 1024;
  spec.kinds.push_back(local);
  for (std::size_t i = 0; i < spec.layer_kind.size(); ++i) spec.layer_kind[i] = i % 4 == 3 ? 0 : 1;
  const auto m = inventory(spec);
  CHECK(m.parameters == 8'030'261'248);
  REQUIRE(m.caches.size() == 2);
  CHECK(m.caches[0].layers == 8);
  CHECK(m.caches[0].window == 0);
  CHECK(m.caches[1].layers == 24);
  CHECK(m.caches[1].window == 1024);
}

TEST_CASE("a layer may lack a half, and a kind may have no layer") {
  auto spec = llama_8b();
  auto headless = spec.kinds[0];
  headless.mixer.kind = MixerKind::none;
  headless.norms = 1;
  spec.kinds.push_back(headless);
  spec.kinds.push_back(headless);
  spec.layer_kind[5] = 1;
  const auto m = inventory(spec);
  const std::int64_t attention = 2LL * 4096 * 4096 + 2LL * 1024 * 4096;
  CHECK(m.parameters == 8'030'261'248 - attention - 4096);
  REQUIRE(m.caches.size() == 3);
  CHECK(m.caches[1].k_elements == 0);
  CHECK(m.caches[2].layers == 0);
}

TEST_CASE("narrow tables have projections, biases have no place among the matrices") {
  auto spec = decoder(24, 1024, 16, 16, 64, 4096, 50272);            // OPT 350M
  spec.embedding_width = 512;
  spec.positions = 2050;
  spec.tied = true;
  spec.final_norm = false;
  auto& k = spec.kinds[0];
  auto& a = k.mixer.attention;
  a.q_bias = a.k_bias = a.v_bias = a.o_bias = true;
  k.feed_forward.gated = false;
  k.feed_forward.bias = k.norm_bias = true;
  const auto m = inventory(spec);
  CHECK(m.parameters == 331'196'416);                    // Hugging Face Hub, facebook/opt-350m
  for (const auto& row : m.rows) {
    INFO(row.name);
    CHECK((!row.linear || row.rows > 1));
    CHECK((row.cls != TensorClass::bias || row.rows == 1));
    CHECK(row.elements() > 0);
  }
}

TEST_CASE("every role has its name") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kRoles; ++i) names.insert(role_name(static_cast<Role>(i)));
  CHECK(names == std::set<std::string_view>{"embedding", "attention", "mlp", "experts", "router", "norm", "lm_head", "vision", "other"});
}
