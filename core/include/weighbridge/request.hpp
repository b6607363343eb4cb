// A checked request. Readers make it from JSON or return all problems; whoever holds one can compute without failing.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weighbridge/engine.hpp"
#include "weighbridge/formats.hpp"
#include "weighbridge/hardware.hpp"
#include "weighbridge/pace.hpp"
#include "weighbridge/problem.hpp"
#include "weighbridge/tensors.hpp"
#include "weighbridge/trace.hpp"

namespace weighbridge {

enum class Method : std::uint8_t { detailed, article };
enum class Mode : std::uint8_t { closed_loop, static_batch, offline };

// devices = tensor x pipeline x data; `expert` says over how many of tensor x data devices the experts are spread.
struct Layout {
  std::int64_t tensor = 1, pipeline = 1, data = 1, expert = 1;
  std::int64_t devices() const { return tensor * pipeline * data; }
};

struct Workload {
  Given<double> prompt_tokens{1024};
  Given<double> output_tokens{256};
  Given<double> concurrency{1};
  Given<double> context_tokens{1280};
  Given<double> cached_prefix_tokens{0};
  Mode mode = Mode::closed_loop;
  bool concurrency_max = false;              // as many sequences as fit
  double requests_per_s = 0;                 // > 0: open loop
};

struct Assumption {
  std::string path;                          // JSON Pointer into the request
  std::string value;                         // as JSON text
  std::string_view from;                     // default | catalog | estimated
  std::string source;
};

// What a model's weights are stored in: a named format, an average, or as the checkpoint was published.
struct WeightChoice {
  const WeightFormat* format = nullptr;      // nullptr and bits == 0: as published
  double bits = 0;                           // {"bits_per_weight": x}
  From from = From::standard;
};

struct EngineChoice {
  std::string id = "ideal";
  std::string version;
  bool layer_split = false;                  // splits whole layers over devices by default (llama.cpp and kin)
  EngineProfile profile;                     // at that version
  Ranges ranges;                             // of measurements around its estimates
};

struct Card {                                // of mixed ones
  Bytes memory, visible;
  double usable_fraction = 1;
};

// Speculative decoding: tokens are drafted, one pass of the model checks them all.
struct Draft {
  Given<double> tokens{0};                   // at once; 0: no speculation
  Given<double> acceptance{0};               // chance that a drafted token is kept
  std::shared_ptr<const Inventory> model;    // of its own; nullptr: the model's prediction layers draft, or no model does
  Bytes bytes;                               // weights of that model on the devices
};

// The model of a request.
struct ModelChoice {
  std::shared_ptr<const Inventory> model;
  bool manual = false;                       // {"manual": …}: the tensors are not known one by one
  bool layers_known = true, hidden_known = true, heads_known = true;     // false: assumed for a manual model
  Kind model_kind = Kind::exact;             // how sure the tensors are
  const WeightFormat* named_format = nullptr;          // that a recognised name speaks of
  double released = 0;                       // when the model was published, in years; 0: not known
};

struct Request : ModelChoice {
  Method method = Method::detailed;
  WeightChoice weights;
  const KvFormat* k_format = nullptr;
  const KvFormat* v_format = nullptr;
  From kv_from = From::standard;
  EngineChoice engine;
  std::optional<Device> device;
  From device_from = From::catalog;
  std::vector<Card> cards;                   // of a list of different devices; else empty
  Given<std::int64_t> devices{0};            // 0: the fewest that fit
  std::int64_t per_node = 0;                 // 0: the device's own, else 8
  bool layout_given = false;
  Layout layout;                             // meaningful when layout_given
  Given<double> reserved_bytes{0};
  double host_bytes = 0;                     // 0: not given
  Workload workload;
  Given<double> chunk_tokens{8192};          // prompt tokens in one pass
  double images = 0;                         // in a prompt
  bool towers = true;                        // false: a text-only GGUF file; the tower's is loaded for images alone
  bool speculative = false;                  // MTP layers are loaded too
  Draft draft;                               // with speculation
  double host_bandwidth = 0;                 // 0: not given
  std::shared_ptr<const Request> prefill_pool;         // the same request on the devices that read its prompts; nullptr: one pool for all
  // engine settings, given or the engine's own
  double memory_share = 0;                   // 0: the engine's own
  double max_sequences = 0;                  // in one pass; 0: those in flight
  double cell_tokens = 1;                    // blocks, cells, pages
  bool eager = false, flash = true, unified = false, full_windows = false, latent = true;
  bool by_rows = false;                      // matrices split over the devices by rows, cache on the first (llama.cpp's -sm row)
  std::int64_t gpu_layers = -1;              // output layer included; -1: all
  double cpu_moe = 0;                        // layers whose experts stay on the host
  bool cache_on_host = false;                // the whole cache stays there
  double context_parallel = 1;               // devices that share one sequence's cache
  const PaceTable* paces = nullptr;          // fitted figures; nullptr: every peak is reached and nothing else takes time
  EnginePace pace;
  std::vector<double> tensor_split;          // shares of the layers by device; empty: by memory
  double adapters = 0, adapter_rank = 16;    // LoRA adapters served beside the model
  double compute_efficiency = 0;             // > 0: replaces the fitted ones
  double bandwidth_efficiency = 0;
  bool explain = false;
  std::vector<Assumption> assumptions;
};

class Catalog;

// Reads a parsed request. Every problem found goes to `problems`; nothing is returned when one of them is an error.
std::optional<Request> read_request(const nlohmann::json& request, const Catalog& catalog, Problems& problems);

}  // namespace weighbridge
