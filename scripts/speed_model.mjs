// The pass model of core/src/speed.hpp over what the core says of each measurement (bytes, FLOP, layers, passes), for fitting: the same
// arithmetic, with the constants as arguments. fit_speed.mjs --check holds it against the core.

const kinds = { vllm: "vllm", sglang: "sglang", "tensorrt-llm": "tensorrt", "llama.cpp": "local", ollama: "local", mlx: "mlx", exllamav2: "exllama", transformers: "eager" };

/** INT8 operations of a vector lane for each of its fp32 operations: four-element dot products, with a rounding's margin. */
const kDotProduct = 4.1;

/** The generation from which llama.cpp multiplies on NVIDIA's INT8 matrix units, as in core/src/pace.cpp. */
const kInt8Products = 0.08;

/** The number of a step's input. */
const input = (step, name) => step.inputs.find((i) => i.name === name)?.value;

export function classOf(device, classes) {
  const key = { ids: "id", vendors: "vendor", architectures: "architecture", memory_kinds: "memory_kind" };
  return classes.findIndex((c) => Object.entries(c.applies).every(([k, list]) => list.some((x) => device[key[k]]?.startsWith(x))));
}

/** When a version came out, in years; null: not known. PaceTable::date_of() in JavaScript. */
function dateOf(engine, version, versions) {
  const numbers = /\d+(?:[.-]\d+)*/.exec(version ?? "")?.[0].split(/[.-]/).map(Number);
  if (!numbers) return null;
  if (numbers[0] >= 2020 && numbers[0] < 2100 && numbers.length > 1) return numbers[0] + (numbers[1] - 1) / 12;
  const wanted = numbers[0] * 100 + (numbers[1] ?? 0);
  let before = null;
  for (const v of versions.filter((x) => x.engine === engine)) {
    if (v.version >= wanted) return before && v.version > before.version ? before.date + ((v.date - before.date) * (wanted - before.version)) / (v.version - before.version) : v.date;
    before = v;
  }
  return before?.date ?? null;
}

/** How new a build is (0: early 2024 or before, 1: late 2025, up to 1.4), or at least is (of an unknown version, by its model's release). */
export function generation(engine, version, released, versions) {
  const of = (date, most) => Math.max(0, Math.min(most, (date - 2024.3) / (2025.6 - 2024.3)));
  const date = dateOf(engine, version, versions), model = dateOf("", released, versions);
  return date === null ? { at_least: model === null ? 0 : of(model + 0.5, 1) } : { known: of(date, 1.4) };
}

/** Prompt tokens of one pass. */
function passTokens(request, answer) {
  const names = ["max_num_batched_tokens", "chunked_prefill_size", "n_ubatch"];
  const given = names.map((n) => request.options?.[n]).find((x) => x > 0) ?? Number(answer.assumptions.find((a) => names.includes(a.path.split("/").pop()))?.value);
  return given > 0 ? given : 0;
}

/** How often a step reads the cache again for each query head of a key-value head beside the first: serving engines of early 2024, llama.cpp with Metal without flash attention. */
const rereads = (f, p) => f.server ? p.kv_rereads * Math.max(0, 1 - 2 * (f.generation.known ?? Math.max(p.unknown_version, f.generation.at_least)))
  : f.kind === "local" && !f.flash && f.cls.launch === "metal" ? p.kv_rereads_plain : 0;

/** What the model needs of one measurement, from the core's explained answer. */
export function features(row, answer, device, released, efficiency, current) {
  const find = (id, of) => answer.steps.find((s) => s.id === id && (s.of ?? "") === (of ?? ""));
  const engine = typeof row.request.engine === "string" ? { name: row.request.engine } : row.request.engine;
  const options = row.request.options ?? {}, load = row.request.workload;
  const index = classOf(device, efficiency.classes), cls = efficiency.classes[index];
  const decodeBytes = find("decode_weight_bytes"), used = input(find("linear_flops", "decode"), "used");
  const column = (name) => input(decodeBytes, name);
  const reads = { perToken: 0, whole: 0, experts: 0, narrow: 0, narrowExperts: 0 };
  column("count").forEach((count, i) => {
    const elements = count * column("share")[i] * column("elements")[i];
    const bytes = count * column("share")[i] * ((column("elements")[i] * column("bits")[i]) / 8 + column("scale_bytes")[i]);
    const routed = used[i] < 1, table = input(find("linear_flops", "decode"), "tokens")[i] === 0;
    const narrow = column("bits")[i] < 15.5 && !table ? elements : 0;
    if (routed) { reads.experts += bytes; reads.narrowExperts += narrow; }
    else if (table && column("used")[i] < 1) { reads.perToken += (bytes * column("used")[i]) / input(find("hidden_bytes", "decode"), "tokens"); reads.whole += bytes * column("used")[i]; }
    else { reads.whole += bytes * (table ? column("used")[i] : 1); reads.narrow += narrow; }
  });
  const linear = find("compute_seconds", "decode linear");
  const products = linear.rows.map((name, i) => ({
    flops: input(linear, "flops")[i], peak: input(linear, "peak")[i], routed: name.startsWith("experts"), head: name.startsWith("head"), unpacks: /(unpacked|INT8)$/.test(name), narrow: name.includes("narrow"), half: /bf16|fp16/.test(name),
  }));
  const experts = find("distinct_experts", "decode");
  const routed = products.filter((x) => x.routed).sort((a, b) => b.flops - a.flops)[0];
  const pass = (of) => {
    const launch = find("launch_seconds", of), attention = find("compute_seconds", `${of} attention`), scores = find("bandwidth_seconds", `${of} scores`);
    const reduce = find("all_reduce_seconds", of), pipe = find("pipeline_seconds", of), exchange = find("expert_exchange_seconds", of);
    const distinct = find("distinct_experts", of)?.value ?? 0;
    return {
      passes: input(launch, "passes"), sequences: input(launch, "sequences"), tokens: Math.max(...input(find("compute_seconds", `${of} linear`), "tokens")),
      weights: input(find("bandwidth_seconds", `${of} weights`), "bytes"), cache: input(find("bandwidth_seconds", `${of} cache`), "bytes"),
      scores: scores ? input(scores, "bytes") / current.score_bytes : 0, attention: input(attention, "flops")[0], latent: attention.rows[0] !== "attention", distinct,
      payload: reduce ? (2 * input(reduce, "layers") * 2 * (input(reduce, "tensor") - 1)) / input(reduce, "tensor") * input(reduce, "tokens") * input(reduce, "hidden_size") * 2 : 0,
      other: (pipe ? pipe.value * input(pipe, "efficiency") : 0) + (exchange ? exchange.value * input(exchange, "efficiency") : 0),
    };
  };
  const launch = find("launch_seconds", "decode");
  const layout = row.request.parallel ?? answer.assumptions.find((a) => a.path === "/parallel")?.value ?? {};
  const flops = device.flops, half = input(find("compute_seconds", "decode attention"), "peak")[0];
  const kind = kinds[engine.name];
  const tpot = find("tpot"), again = find("bandwidth_seconds", "decode rereads"), age = generation(engine.name, engine.version, released, efficiency.versions);
  const how = { kind, cls, server: ["vllm", "sglang", "tensorrt"].includes(kind), generation: age, flash: options.flash_attention ?? true };
  return {
    row, index, ...how, own: ["local", "mlx", "exllama"].includes(kind), watts: device.power_w ?? 0, vulkan: options.backend === "vulkan", looped: routed !== undefined && !routed.narrow, packedExperts: routed?.unpacks && routed.half,
    again: again ? input(again, "bytes") / rereads(how, current) : 0, reads, products, half, vector: flops.fp32 ?? half, int8: flops.int8 ?? 0, amdUnfolds: (cls.unfolds ?? []).some((x) => device.architecture?.startsWith(x)), vectors: flops.int8 > 0 && flops.int8 <= kDotProduct * flops.fp32,
    hidden: input(find("hidden_bytes", "decode"), "hidden_size"),
    bandwidth: device.bandwidth, link: device.link_bandwidth ?? (device.unified ? 1.25e9 : 31.51e9), used: experts ? input(experts, "experts_used") : 1, experts: experts ? input(experts, "experts") : 0,
    layers: input(launch, "layers"), moeLayers: input(launch, "moe_layers"), tensor: layout.tensor ?? 1, stages: layout.pipeline ?? 1,
    prefill: pass("prefill"), decode: pass("decode"),
    concurrency: answer.load.concurrency, others: input(tpot, "others"), output: load.output_tokens ?? 256,
    mode: load.mode ?? "closed_loop", open: load.requests_per_s > 0, arrivals: (load.requests_per_s ?? 0) / (layout.data ?? 1), newTokens: (load.prompt_tokens ?? 1024) - (load.cached_prefix_tokens ?? 0),
    inReplica: Math.ceil(answer.load.concurrency / (layout.data ?? 1)), chunk: passTokens(row.request, answer), cached: load.cached_prefix_tokens ?? 0, queue: load.requests_per_s > 0 ? 0 : answer.load.queue_s ?? 0,
    core: row.figure.split(".").reduce((v, k) => v?.[k], answer.speed),
  };
}

/** The name of the figure of a class's compute: classes may share one. */
export const computeOf = (cls, index) => `compute/${cls.compute_of ?? index}`;

/** The pass over `n` prompts together, from that over one. */
function together(f, w, n) {
  if (n <= 1) return w;
  const distinct = f.experts > 0 ? f.experts * (1 - (1 - f.used / f.experts) ** Math.floor(n * w.tokens)) : 0;
  return { ...w, tokens: n * w.tokens, sequences: n * w.sequences, distinct, weights: w.weights + (n - 1) * w.tokens * f.reads.perToken + (f.experts > 0 ? (f.reads.experts * (distinct - w.distinct)) / f.experts : 0),
    cache: n * w.cache, scores: n * w.scores, attention: n * w.attention, payload: n * w.payload, other: n * w.other };
}

export function seconds(f, w, p, prompt) {
  const now = f.generation.known ?? (f.kind === "local" ? 1 : Math.max(p.unknown_version, f.generation.at_least));
  const aged = (old, recent, most) => old + Math.min(now, most) * (recent - old);
  const local = f.kind === "local", hbm = f.cls.memory === "hbm", launch = f.cls.launch, amd = launch === "hip" || launch === "cdna";
  const bandwidth = f.bandwidth * p[`bandwidth/${f.index}`] * (local && hbm ? p.local_hbm_bandwidth : 1);
  const joules = !f.cls.power_limited ? 0 : f.own ? p.joules_local : p.joules_server;
  const compute = 1 / (1 / (p[computeOf(f.cls, f.index)] * (f.vulkan ? p.vulkan_compute : 1)) + (joules * f.half) / (f.watts || 1.2e-12 * f.half));
  const packed = local ? p.packed_local : f.server ? p.packed_server : 1;
  // Quantised experts of llama.cpp: columns of a tile, which is as wide as the pass up to its most.
  const perPass = w.tokens / w.passes, most = launch === "metal" || !local || f.vulkan ? 0 : f.vectors ? p.expert_tile_vector : p.expert_tile;
  const tile = Math.min(most, 8 * Math.ceil(perPass / 8));
  const nvidia = launch === "cuda" || launch === "blackwell";
  const int8 = local && nvidia && f.int8 > 0 && !f.vectors && !f.vulkan && now >= kInt8Products;
  let linear = 0, unpacks = false;
  for (const x of f.products) {
    const tiled = x.routed && x.narrow && tile > 0;
    const columns = tiled ? (perPass > 1 ? p.tile_cost * Math.max(tile - (perPass * f.used) / w.distinct, tile / 2) : 0) : f.own ? p.expert_padding : p.expert_padding_server;
    const padding = f.own && perPass <= 1 && !x.routed ? 0 : x.head ? p.tile_tokens : x.routed ? (columns * w.distinct * w.passes) / f.used : p.tile_tokens * w.passes;
    const rate = int8 && x.narrow ? p.int8_products * (f.cls.issue_lanes ?? 1) * f.vector
      : x.peak * compute * (x.unpacks ? packed : 1) * (x.routed && !tiled ? (f.own ? p.expert_compute : p.expert_compute_server) : 1);
    linear += (x.flops * ((x.head ? w.sequences : w.tokens) + padding)) / rate;
    unpacks ||= x.unpacks;
  }
  const narrow = unpacks ? w.passes * (f.reads.narrow + (f.experts > 0 ? (f.reads.narrowExperts * w.distinct) / f.experts : 0)) : 0;
  const oldNvidia = nvidia && !f.vectors && now < kInt8Products;
  const unfolded = local && !f.vulkan && perPass >= p.unfold_tokens && unpacks ? 4 * (oldNvidia ? narrow : f.amdUnfolds ? w.passes * f.reads.narrow : 0) : 0;
  const operations = local ? p.unpack_local : f.server ? p.unpack_server : f.kind === "eager" ? p.unpack_eager : p.unpack_mlx;
  const attention = w.attention / (f.half * (f.own && amd ? p.attention_amd : f.own && !f.flash ? p.attention_plain : p.attention_flash) * (local && f.vectors && nvidia ? p.attention_old : 1));
  const arithmetic = (linear + attention) / f.tensor + (narrow * operations) / f.vector;
  const moved = w.tokens * f.hidden * 2 * (f.layers + f.moeLayers * f.used) * p.hidden_moves;
  const memory = (w.weights + unfolded + w.scores * p.score_bytes + moved) / bandwidth + (w.cache + (prompt ? 0 : f.again * rereads(f, p))) / (f.bandwidth * p.cache);
  const work = Math.max(memory, arithmetic) + p.exposed * Math.min(memory, arithmetic);
  const layer = f.server ? aged(p.layer_server_old, p.layer_server, 1.4) * (f.kind === "tensorrt" ? p.layer_tensorrt : f.kind === "sglang" ? p.layer_sglang : 1) *
      (launch === "blackwell" ? p.layer_blackwell : launch === "cdna" ? p.layer_cdna : 1)
    : local ? (launch === "metal" ? p.layer_metal : amd ? p.layer_hip : aged(p.layer_local_old, p.layer_local, 1.4)) : p[`layer_${f.kind}`];
  const oneByOne = local && launch !== "metal" && !f.vulkan && w.tokens / w.passes >= p.loop_tokens && f.looped;
  const apart = f.packedExperts && ((f.kind === "vllm" && now < 0.6) || (f.kind === "sglang" && now < 1));
  const host = f.server ? p.host_server : 0;
  const sequence = f.kind === "vllm" ? aged(p.sequence_vllm_old, p.sequence_server, 1) : f.server ? p.sequence_server : 0;
  const launches = w.passes * (host + f.layers * layer + f.moeLayers * ((f.own ? p.moe_layer_local : p.moe_layer_server) + (f.kind === "eager" ? f.experts * p.expert_launch : apart ? f.experts * p.expert_kernels : oneByOne ? w.distinct * p.expert_launch : 0) + (perPass > 1 && most > 0 && !amd ? p.moe_tokens : 0) + (prompt && (f.kind === "sglang" || f.kind === "tensorrt") ? p.moe_prompt : 0))) + w.sequences * sequence;
  const pcie = f.link < 1e11;
  const latency = (pcie ? p.reduce_pcie : launch === "cdna" ? p.reduce_xgmi : f.link < 4e11 ? p.reduce_nvlink3 : p.reduce_nvlink4) *
    (1 + (p.reduce_growth * (f.tensor - 2)) / 6);
  const links = (f.tensor > 1 && f.link > 0 ? w.payload / (f.link * p.link) + w.passes * 2 * f.layers * latency : 0) + w.other / p.link;
  const flight = local ? Math.min(w.passes, 4) : w.passes;
  const gain = prompt && f.stages > 1 && flight > 1 ? (local ? p.pipeline_local : 1) * ((flight * f.stages) / (flight + f.stages - 1) - 1) : 0;
  return (work + launches) / (1 + gain) + links;
}

/** The figure that was measured, as the model has it. */
export function predict(f, p) {
  const prefill = seconds(f, f.prefill, p, true);
  if (f.row.figure === "prefill.seconds") return prefill;
  if (f.row.figure === "prefill.tokens_per_s") return f.newTokens / prefill;
  const step = seconds(f, f.decode, p, false);
  if (f.row.figure === "decode.tokens_per_s") return f.concurrency / step;
  const others = f.inReplica - 1, fixed = f.mode === "static_batch", room = f.kind === "eager" ? f.inReplica : Math.max(1, f.chunk / Math.max(1, f.newTokens));
  // Prompts that one pass takes together: all that start at once, those that come during a step, a share of those that are answered together.
  const floor = f.server ? (f.kind === "sglang" ? p.floor_sglang : p.floor_server) : 0;
  const alike = f.server && !f.open ? (f.kind === "vllm" ? p.prompt_queue_vllm : p.prompt_queue) : 0;
  const count = fixed ? Math.min(room, f.inReplica) : Math.min(room, Math.max(1, others / f.output, 1 + alike * (Math.min(f.inReplica, room) - 1)));
  const reading = count > 1 ? seconds(f, together(f, f.prefill, count), p, true) : prefill;
  const tpot = step + (fixed ? 0 : (others * reading) / (count * f.stages * f.output));
  const ttft = fixed ? (reading / count) * (1 + others / f.stages)
    : reading + (others > 0 && floor > 0 ? 0.5 : 0) * step + floor + (others * reading) / (count * f.stages * f.output);
  const latency = ttft + (f.output - 1) * tpot, busy = f.arrivals * prefill;
  const queue = f.open && busy < 1 ? (busy * prefill) / (2 * (1 - busy)) : f.queue;
  switch (f.row.figure) {
    case "tpot_s": return tpot;
    case "tokens_per_s_per_user": return 1 / tpot;
    case "ttft_s": return ttft + queue;
    case "latency_s": return latency + queue;
    default: return (f.concurrency * f.output) / latency;
  }
}
