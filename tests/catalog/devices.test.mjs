// The devices, sources and efficiencies that ship: complete, consistent with each other, and right where the figures
// are well known. Run with `node --test tests/catalog/*.test.mjs`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { kPrefixes, nameKey, ownNames } from "../../scripts/catalog_text.mjs";
import { packCatalog } from "../../scripts/pack_catalog.mjs";

const { catalog, errors } = packCatalog();
const devices = new Map(catalog.devices.map((device) => [device.id, device]));
const key = (name) => nameKey(name, kPrefixes);
const find = (name) => catalog.devices.find((d) => [...ownNames(d), ...d.aliases].some((own) => key(own) === key(name)));
const kGiB = 2 ** 30;
const kMiB = 2 ** 20;

test("the catalogue packs without an error", () => assert.deepEqual(errors, []));

test("there are as many devices as were collected, of every kind", () => {
  assert.ok(catalog.devices.length >= 269, `${catalog.devices.length} devices`);
  const count = (key, value) => catalog.devices.filter((d) => d[key] === value).length;
  for (const [vendor, least] of [["NVIDIA", 130], ["AMD", 40], ["Apple", 39], ["Intel", 15], ["Google", 6], ["Huawei", 6], ["AWS", 4]]) {
    assert.ok(count("vendor", vendor) >= least, `${count("vendor", vendor)} of ${vendor}`);
  }
  for (const kind of ["consumer", "workstation", "datacenter", "apple", "edge", "cpu", "tpu", "npu"]) assert.ok(count("class", kind) > 3, kind);
});

test("every device has a memory, a bandwidth and a name, in base units", () => {
  for (const d of catalog.devices) {
    assert.ok(Number.isSafeInteger(d.memory_bytes) && d.memory_bytes > 200e6, `${d.id}: ${d.memory_bytes} bytes`);
    assert.ok(Number.isSafeInteger(d.marketed_bytes), d.id);
    assert.ok(d.bandwidth >= 50e9, `${d.id}: ${d.bandwidth} bytes/s`);
    assert.ok(d.name && d.vendor && d.architecture && d.memory_kind, d.id);
  }
});

test("every figure says where it is from", () => {
  const sources = new Set(catalog.sources.map((s) => s.id));
  const figures = ["memory_bytes", "marketed_bytes", "memory_options_bytes", "visible_bytes", "usable_fraction", "bandwidth", "link_bandwidth",
    "per_node", "power_w", "price", "fp16_fp16acc"];
  for (const d of catalog.devices) {
    const present = [...figures.filter((f) => d[f] !== undefined), ...Object.keys(d.flops).map((f) => `flops.${f}`)];
    assert.deepEqual(Object.keys(d.basis).sort(), present.sort(), d.id);
    for (const [figure, [kind, ...rest]] of Object.entries(d.basis)) {
      assert.ok(rest.length > 0, `${d.id} ${figure}`);
      if (kind === "sourced") rest.forEach((id) => assert.ok(sources.has(id), `${d.id} ${figure}: ${id}`));
      else assert.ok(["derived", "assumed"].includes(kind), `${d.id} ${figure}: ${kind}`);
    }
  }
});

test("what is derived starts with its arithmetic, so that the pack step computes it again", () => {
  for (const d of catalog.devices) {
    for (const [figure, [kind, text]] of Object.entries(d.basis)) if (kind === "derived") assert.match(text, /^\d/, `${d.id} ${figure}`);
  }
});

test("every device can be timed in 16 bits, except where no rate is published", () => {
  const silent = catalog.devices.filter((d) => !(d.flops.bf16 ?? d.flops.fp16 ?? d.flops.fp32)).map((d) => d.id);
  assert.deepEqual(silent.sort(), ["apple-m6-12c", "metax-c550", "mi308x", "mtt-s5000", "snapdragon-x-elite", "tenstorrent-n300", "tenstorrent-p150"]);
});

test("well-known figures are the dense ones, and memory is what the driver reports", () => {
  const check = (id, memory, bandwidth, flops) => {
    const d = devices.get(id);
    assert.equal(d.memory_bytes, memory, id);
    assert.equal(d.bandwidth, bandwidth, id);
    for (const [precision, value] of Object.entries(flops)) assert.ok(Math.abs(d.flops[precision] / value - 1) < 0.005, `${id} ${precision}: ${d.flops[precision]}`);
  };
  check("h100-sxm-80gb", 81559 * kMiB, 3350e9, { bf16: 989.4e12, fp8: 1978.9e12, int8: 1978.9e12 });
  check("h200-sxm-141gb", 143771 * kMiB, 4800e9, { bf16: 989.4e12 });
  check("a100-sxm-80gb", 81920 * kMiB, 2039e9, { bf16: 312e12, int8: 624e12 });
  check("rtx-4090", 24564 * kMiB, 1008e9, { fp16: 165.2e12, fp8: 330.3e12 });
  check("rtx-3090", 24576 * kMiB, 936.2e9, { fp16: 71e12 });
  check("l40s", 46068 * kMiB, 864e9, { bf16: 362e12, fp8: 733e12 });
  check("t4", 15360 * kMiB, 320e9, { fp16: 65e12 });
  check("b200-sxm-180gb", 183359 * kMiB, 7700e9, { bf16: 2250e12, fp4: 9000e12 });
  check("mi300x", 196592 * kMiB, 5300e9, { bf16: 1307.4e12, fp8: 2614.9e12 });
  check("apple-m3-max-40c", 128 * kGiB, 400e9, {});
  assert.equal(devices.get("h100-sxm-80gb").marketed_bytes, 80e9);
  assert.equal(devices.get("a100-sxm-80gb").flops.fp8, undefined);
});

test("links are one way", () => {
  const rates = { "a100-sxm-80gb": 300e9, "h100-sxm-80gb": 450e9, "h800-sxm-80gb": 200e9, "b200-sxm-180gb": 900e9, "mi300x": 448e9, "tpu-v6e": 400e9 };
  for (const [id, rate] of Object.entries(rates)) assert.equal(devices.get(id).link_bandwidth, rate, id);
  assert.equal(devices.get("rtx-4090").link, "PCIe 4.0 x16");
  assert.ok(Math.abs(devices.get("rtx-4090").link_bandwidth - 31.5e9) < 0.1e9);
  // PCIe never passes 128 GB/s one way (generation 6, 16 lanes).
  for (const d of catalog.devices) if (d.link?.startsWith("PCIe")) assert.ok(d.link_bandwidth < 128e9, d.id);
});

test("unified memory has the share that a GPU may take, and its other sizes", () => {
  for (const d of catalog.devices.filter((x) => x.class === "apple")) {
    assert.equal(d.unified, true, d.id);
    assert.ok(d.usable_fraction >= 0.6 && d.usable_fraction < 1, `${d.id}: ${d.usable_fraction}`);
  }
  assert.deepEqual(devices.get("apple-m3-max-40c").memory_options_bytes, [48 * kGiB, 64 * kGiB, 128 * kGiB]);
  assert.equal(devices.get("apple-m1-pro-16c").usable_fraction, 0.667);
  assert.equal(devices.get("apple-m3-max-40c").usable_fraction, 0.75);
});

test("the names that people type lead to a device", () => {
  const wanted = {
    "H100": "h100-sxm-80gb", "h200": "h200-sxm-141gb", "A100": "a100-sxm-80gb", "a100-40gb": "a100-sxm-40gb", "RTX 4090": "rtx-4090", "4090": "rtx-4090",
    "rtx 4070 ti super": "rtx-4070-ti-super", "3060": "rtx-3060-12gb", "B200": "b200-sxm-180gb", "M3 Max": "apple-m3-max-40c", "m1": "apple-m1-8c",
    "Strix Halo": "ryzen-ai-max-395", "DGX Spark": "gb10-dgx-spark", "rtx pro 6000": "rtx-pro-6000-blackwell-ws", "7900 xtx": "rx-7900-xtx", "a6000": "rtx-a6000",
  };
  for (const [name, id] of Object.entries(wanted)) assert.equal(find(name)?.id, id, name);
});

test("prices carry a provider and a date, and are of an hour of one device", () => {
  const priced = catalog.devices.filter((d) => d.price);
  assert.ok(priced.length >= 15);
  for (const { id, price } of priced) {
    assert.match(price.date, /^20\d\d(-\d\d(-\d\d)?)?$/, id);
    assert.ok(price.provider && price.usd_per_hour > 0.1 && price.usd_per_hour < 20, id);
  }
});

test("the sources that formulas and formats name are there", () => {
  const sources = new Map(catalog.sources.map((s) => [s.id, s]));
  for (const id of ["article", "transformer-inference-arithmetic", "roofline-paper", "gqa-paper", "mla-paper", "activation-recompute-paper", "megatron-paper",
    "scaling-laws-paper", "mistral-paper", "moe-mixtral-paper", "nccl-tests-performance", "little-law", "pollaczek-khinchine", "ggml", "ocp-mx-spec", "bitsandbytes", "awq-paper",
    "gptq-paper", "llama-cpp-quantize", "transformers-docs", "weighbridge", "speed-measurements"]) {
    assert.ok(sources.get(id)?.title, id);
  }
});

test("efficiencies: few constants, measured where it matters, and every device finds a class", () => {
  const { classes, constants, spreads } = catalog.efficiency;
  const file = JSON.parse(readFileSync(new URL("../../core/data/efficiency.json", import.meta.url), "utf8"));
  const kind = { ids: "id", vendors: "vendor", architectures: "architecture", memory_kinds: "memory_kind" };
  const of = (device) => classes.find((c) => Object.entries(c.applies).every(([key, list]) => list.some((x) => device[kind[key]]?.startsWith(x))));
  for (const device of catalog.devices) assert.ok(of(device), device.id);
  for (const id of ["h100-sxm-80gb", "h200-sxm-141gb", "rtx-4090"]) {
    const [value, , , measurements] = of(devices.get(id)).bandwidth;
    assert.ok(value >= 0.4 && value <= 1 && measurements > 10, id);
  }
  assert.notEqual(of(devices.get("h100-sxm-80gb")), of(devices.get("a100-sxm-80gb")));
  assert.notEqual(of(devices.get("rtx-4090")), of(devices.get("rx-7900-xtx")));
  assert.equal(of(devices.get("xeon-spr-8ch-amx")), classes.at(-1));
  assert.equal(new Set(spreads.map(([kind]) => kind)).size, 8);
  assert.equal(spreads.filter(([, engines]) => engines === "*").length, 8);
  assert.equal(Object.keys(constants).length, file.constants.length);
  // At most one free constant for 15 measurements; those that other sources say are not free.
  const fitted = file.classes.filter((c) => c.bandwidth.measurements > 0);
  const free = file.constants.filter((c) => c.source === "speed-measurements").length + fitted.length + new Set(fitted.map((c) => c.compute_of ?? c.class)).size;
  const measurements = readFileSync(new URL("../measurements/inference_speed.jsonl", import.meta.url), "utf8").trim().split("\n");
  assert.ok(free * 15 <= measurements.length, `${free} constants`);
});

test("engines and optimizers are those of the interface, and every engine has a profile", () => {
  assert.deepEqual(catalog.engines.map((e) => e.id), ["ideal", "transformers", "vllm", "sglang", "tensorrt-llm", "llama.cpp", "ollama", "mlx", "exllamav2"]);
  assert.ok(catalog.engines.every((e) => e.profile));
  assert.deepEqual(catalog.engines.filter((e) => e.layer_split).map((e) => e.id), ["llama.cpp", "ollama", "exllamav2"]);
  assert.deepEqual(catalog.optimizers.map((o) => o.id), ["adamw", "adamw-8bit", "paged-adamw-8bit", "adamw-bf16", "sgd", "sgd-momentum", "adafactor", "lion", "muon", "galore"]);
});
