// The pack step: what it refuses, and how it writes. Run with `node --test tests/catalog/*.test.mjs`.
// Each refusal starts from a small catalogue that is accepted and breaks one thing in it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { compactCatalog, deviceId, expandCatalog, markName, modelName, nameKey } from "../../scripts/catalog_text.mjs";
import { cppLiterals, derivedValue, duplicateKeys, packCatalog, toCpp } from "../../scripts/pack_catalog.mjs";

const kScript = fileURLToPath(new URL("../../scripts/pack_catalog.mjs", import.meta.url));
const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function smallCatalogue() {
  const share = () => ({ value: 0.7, low: 0.5, high: 0.9, measurements: 12, source: "table" });
  const card = (id, aliases) => ({
    id, name: id, aliases, class: "datacenter", architecture: "Test", release_year: 2024, memory_kind: "HBM3",
    memory: { value: 81559, unit: "MiB", source: "table" },
    marketed: { value: 80, unit: "GB", source: ["table", "log"] },
    visible: { value: 81090, unit: "MiB", source: "log" },
    bandwidth: { value: 3.35, unit: "TB/s", source: "table", choice: "the table; the log rounds" },
    flops: {
      fp32: { value: 67, unit: "TFLOP/s", derived: "132 SM x 1983 MHz x 256 FLOP per clock" },
      bf16: { value: 989.5, unit: "TFLOP/s", source: "table" },
      fp8: { value: 1979, unit: "TFLOP/s", source: "table" },
      int8: { value: 1979, unit: "TOP/s", assumed: "as FP8" },
    },
    link: { name: "PCIe 5.0 x16", bandwidth: { value: 63.02, unit: "GB/s", derived: "32 GT/s x 16 lanes x 128 / 130 / 8" } },
    per_node: { value: 8, unit: "devices", assumed: "usual" },
    power: { value: 0.7, unit: "kW", source: "table" },
    price: { value: 2.95, unit: "USD/h", provider: "somebody", date: "2026-05-20", source: "table" },
  });
  return {
    "sources.json": [{ id: "table", title: "A table", url: "https://example.org/t", date: "2026-01" }, { id: "log", title: "A log" }],
    "devices/one.json": { vendor: "NVIDIA", devices: [card("one", ["first"]), card("two", [])] },
    "models/tiny.json": [
      { id: "org/tiny", name: "Tiny", aliases: ["tiny:1b"], family: "llama", organization: "org", release: "2024-07",
        source: "https://huggingface.co/org/tiny", published_parameters: 1234567, published_source: "table", config: { model_type: "llama" } },
      { id: "org/less", name: "Less", family: "llama", organization: "org", source: "table", config: { model_type: "llama" } },
    ],
    "formats.json": {
      encodings: [{ id: "bf16", bits: 16, source: "table" }, { id: "int4-g128", bits: 4, group: 128, bytes_per_group: 2, arithmetic: "bf16", source: "table" }],
      weight_formats: [{ id: "bf16", name: "BF16", aliases: ["bfloat16"], group: "float", rule: "uniform", encoding: "bf16", bits_per_weight: 16, article_bytes: 2, source: "table" }],
      kv_formats: [{ id: "bf16", aliases: ["fp16"], bits: 16, source: "table" }],
    },
    "engines.json": [{ id: "ideal", name: "Ideal", profile: true, layer_split: false, rule: "ideal" }],
    "intervals.json": [{ engine: "*", part: "total", low: 0.9, high: 1.1, measurements: 9 }],
    "optimizers.json": [{ id: "adamw", name: "AdamW" }],
    "efficiency.json": {
      classes: [
        { class: "hbm", memory: "hbm", launch: "cuda", applies: { memory_kinds: ["HBM3"] }, compute: share(), bandwidth: share(), link: share() },
        { class: "rest", memory: "gddr", launch: "cuda", applies: {}, compute: share(), bandwidth: share(), link: share() },
      ],
      constants: [{ name: "link_pcie", unit: "share", meaning: "of the link", ...share() }],
      versions: [{ engine: "ideal", version: 1, date: 2025.5 }],
      spreads: [{ of: "single", engines: "*", low: 0.8, high: 1.2, measurements: 10 }],
      unmeasured_widens: { engines: 1.1, class: 1.5 },
    },
  };
}

// Writes a catalogue; a text stands in a file as it is.
function write(files) {
  const folder = mkdtempSync(join(tmpdir(), "catalogue-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

const device = (files) => files["devices/one.json"].devices[0];

test("the small catalogue is accepted and comes out in base units", () => {
  const { catalog, errors } = packCatalog(write(smallCatalogue()), "1.2.3");
  assert.deepEqual(errors, []);
  assert.equal(catalog.version, "1.2.3");
  const [one] = catalog.devices;
  assert.deepEqual(one, {
    id: "one", name: "one", aliases: ["first"], vendor: "NVIDIA", class: "datacenter", architecture: "Test", memory_kind: "HBM3", unified: false,
    release_year: 2024, memory_bytes: 81559 * 2 ** 20, marketed_bytes: 80e9, visible_bytes: 81090 * 2 ** 20, bandwidth: 3350000000000, per_node: 8, power_w: 700,
    flops: { fp32: 67e12, bf16: 989.5e12, fp8: 1979e12, int8: 1979e12 },
    link: "PCIe 5.0 x16", link_bandwidth: 63.02e9, price: { usd_per_hour: 2.95, provider: "somebody", date: "2026-05-20" },
    basis: {
      memory_bytes: ["sourced", "table"], marketed_bytes: ["sourced", "table", "log"], visible_bytes: ["sourced", "log"], bandwidth: ["sourced", "table"],
      per_node: ["assumed", "usual"], power_w: ["sourced", "table"], "flops.fp32": ["derived", "132 SM x 1983 MHz x 256 FLOP per clock"],
      "flops.bf16": ["sourced", "table"], "flops.fp8": ["sourced", "table"], "flops.int8": ["assumed", "as FP8"],
      link_bandwidth: ["derived", "32 GT/s x 16 lanes x 128 / 130 / 8"], price: ["sourced", "table"],
    },
  });
});

test("models and formats may be missing, as long as nothing needs them", () => {
  const files = smallCatalogue();
  delete files["models/tiny.json"];
  delete files["formats.json"];
  const { catalog, errors } = packCatalog(write(files));
  assert.deepEqual(errors, []);
  assert.deepEqual(catalog.models, []);
  assert.deepEqual(catalog.formats, { encodings: [], weight_formats: [], kv_formats: [] });
});

// [what is wrong, how to break the catalogue, the path and words that the error must have]
const refusals = [
  ["unknown key of a device", (f) => (device(f).colour = "green"), "/devices/0/colour: unknown key"],
  ["unknown key of a figure", (f) => (device(f).bandwidth.sparse = true), "/devices/0/bandwidth/sparse: unknown key"],
  ["unknown precision", (f) => (device(f).flops.fp64 = { value: 1, unit: "TFLOP/s", source: "table" }), "/devices/0/flops/fp64: unknown key"],
  ["unknown key of a source", (f) => (f["sources.json"][0].author = "x"), "/0/author: unknown key"],
  ["unknown key of a model", (f) => (f["models/tiny.json"][0].licence = "x"), "/0/licence: unknown key"],
  ["unknown key of an encoding", (f) => (f["formats.json"].encodings[0].bit = 4), "/encodings/0/bit: unknown key"],
  ["unknown key of an engine", (f) => (f["engines.json"][0].fast = true), "/0/fast: unknown key"],
  ["unknown key of an efficiency", (f) => (f["efficiency.json"].classes[0].compute.mean = 1), "/classes/0/compute/mean: unknown key"],
  ["missing key", (f) => delete device(f).memory_kind, '"memory_kind" is missing'],
  ["missing bandwidth", (f) => delete device(f).bandwidth, '"bandwidth" is missing'],
  ["unknown unit", (f) => (device(f).bandwidth.unit = "GBps"), '/devices/0/bandwidth/unit: unknown unit "GBps"'],
  ["unit of another dimension", (f) => (device(f).memory.unit = "GB/s"), '/devices/0/memory/unit: unknown unit "GB/s"'],
  ["no provenance", (f) => delete device(f).bandwidth.source, "/devices/0/bandwidth: nothing says where this is from"],
  ["two provenances", (f) => (device(f).bandwidth.assumed = "so"), "/devices/0/bandwidth: has source and assumed"],
  ["empty provenance", (f) => (device(f).bandwidth.source = []), "/devices/0/bandwidth/source: names no source"],
  ["empty derivation", (f) => (device(f).flops.fp32.derived = " "), "/devices/0/flops/fp32/derived: must be a non-empty text"],
  ["derivation that gives another value", (f) => (device(f).flops.fp32.value = 60), "/devices/0/flops/fp32/derived: \"132 SM x 1983 MHz"],
  ["derivation that cannot be computed", (f) => (device(f).flops.fp32.derived = "132 cubits x 3"), "/devices/0/flops/fp32/derived: cannot be computed"],
  ["unknown source", (f) => (device(f).bandwidth.source = "rumour"), '/devices/0/bandwidth/source: unknown source "rumour"'],
  ["unknown source in a list", (f) => (device(f).marketed.source = ["table", "rumour"]), '/devices/0/marketed/source/1: unknown source "rumour"'],
  ["source named twice", (f) => (device(f).marketed.source = ["table", "table"]), "/devices/0/marketed/source: names a source twice"],
  ["unknown source of a model", (f) => (f["models/tiny.json"][0].source = "rumour"), '/0/source: unknown source "rumour"'],
  ["unknown source of a format", (f) => (f["formats.json"].kv_formats[0].source = "rumour"), '/kv_formats/0/source: unknown source "rumour"'],
  ["unknown source of an efficiency", (f) => (f["efficiency.json"].classes[0].compute.source = "rumour"), '/classes/0/compute/source: unknown source "rumour"'],
  ["source address that is none", (f) => (f["sources.json"][0].url = "example.org"), "/0/url: must be an http(s) address"],
  ["source date that is none", (f) => (f["sources.json"][0].date = "May 2026"), "/0/date: must be YYYY"],
  ["duplicate source", (f) => (f["sources.json"][1].id = "table"), '/1/id: source id "table"'],
  ["duplicate device", (f) => (f["devices/one.json"].devices[1].id = "one"), '/devices/1/id: device "one"'],
  ["duplicate device over two files", (f) => (f["devices/two.json"] = { vendor: "X", devices: [{ ...device(f), aliases: [] }] }), 'two.json: /devices/0/id: device "one" of one is already'],
  ["alias of two devices, in another case", (f) => f["devices/one.json"].devices[1].aliases.push("FIRST"), '/devices/1/aliases/0: device "FIRST" of two is already a name of one'],
  ["alias that is another device's id", (f) => f["devices/one.json"].devices[1].aliases.push("one"), '/devices/1/aliases/0: device "one" of two is already a name of one'],
  ["alias listed twice", (f) => device(f).aliases.push("First"), '/devices/0/aliases/1: device "First" of one is already listed there'],
  ["duplicate model", (f) => (f["models/tiny.json"][1].id = "Org/Tiny"), '/1/id: model "Org/Tiny"'],
  ["alias of two models", (f) => (f["models/tiny.json"][1].aliases = ["Tiny"]), '/1/aliases/0: model "Tiny" of org/less is already a name of org/tiny'],
  ["duplicate format alias", (f) => f["formats.json"].weight_formats[0].aliases.push("BF16"), '/weight_formats/0/aliases/1: weight format "BF16"'],
  ["duplicate optimizer", (f) => f["optimizers.json"].push({ id: "adamw", name: "again" }), '/1/id: optimizer "adamw"'],
  ["key twice in one object", (f) => (f["optimizers.json"] = '[{"id": "adamw", "name": "a", "name": "b"}]'), "/0/name: the key stands twice"],
  ["device id that is no id", (f) => (device(f).id = "H100 SXM"), "/devices/0/id: must be of small letters"],
  ["negative figure", (f) => (device(f).bandwidth.value = -1), "/devices/0/bandwidth/value: -1 TB/s: must be above 0"],
  ["zero", (f) => (device(f).power.value = 0), "/devices/0/power/value: 0 kW: must be above 0"],
  ["text for a number", (f) => (device(f).bandwidth.value = "3350"), "/devices/0/bandwidth/value: must be a number"],
  ["more than 10 TB of memory", (f) => (device(f).memory = { value: 11, unit: "TB", source: "table" }), "/devices/0/memory/value: 11 TB: more than any device has"],
  ["more than 100 TB/s", (f) => (device(f).bandwidth.value = 3350), "/devices/0/bandwidth/value: 3350 TB/s: more than any device has"],
  ["more FLOP/s than there are", (f) => (device(f).flops.fp32 = { value: 67000, unit: "PFLOP/s", source: "table" }), "/devices/0/flops/fp32/value: 67000 PFLOP/s"],
  ["memory that is not the marketed one", (f) => (device(f).memory.value = 40960), "/devices/0/memory: 42949672960 bytes do not go with the marketed 80000000000"],
  ["more visible than there is", (f) => (device(f).visible.value = 82000), "/devices/0/visible: must be a little less than the memory"],
  ["half a byte", (f) => (device(f).memory = { value: 80000000000.5, unit: "B", source: "table" }), "/devices/0/memory/value: 80000000000.5 B is not a whole number"],
  ["usable fraction above 1", (f) => Object.assign(device(f), { unified: true, usable_fraction: { value: 1.2, unit: "fraction", source: "table" } }), "/devices/0/usable_fraction/value: 1.2 fraction"],
  ["usable fraction without unified memory", (f) => (device(f).usable_fraction = { value: 0.7, unit: "fraction", source: "table" }), "/devices/0/usable_fraction: only unified memory"],
  ["memory that is not among its options", (f) => (device(f).memory_options = { value: [16, 32], unit: "GiB", source: "table" }), "/devices/0/memory_options: must hold the memory of this row"],
  ["FP8 with sparsity", (f) => (device(f).flops.fp8.value = 3958), "/devices/0/flops/fp8: more than 2 times the 16-bit rate: a figure with sparsity?"],
  ["INT8 with sparsity", (f) => (device(f).flops.int8.value = 7916), "/devices/0/flops/int8: more than 4 times"],
  ["BF16 with sparsity beside a dense FP16", (f) => (device(f).flops.fp16 = { value: 494.7, unit: "TFLOP/s", source: "table" }), "/devices/0/flops/bf16: more than 1 times fp16"],
  ["FP4 with sparsity", (f) => (device(f).flops.fp4 = { value: 9000, unit: "TFLOP/s", source: "table" }), "/devices/0/flops/fp4: more than 4 times fp8"],
  ["price without a date", (f) => delete device(f).price.date, "/devices/0/price/date: must be a non-empty text"],
  ["price without a provider", (f) => delete device(f).price.provider, "/devices/0/price/provider: must be a non-empty text"],
  ["unknown class", (f) => (device(f).class = "gaming"), '/devices/0/class: "gaming" is not one of'],
  ["model without a config", (f) => (f["models/tiny.json"][0].config = {}), "/0/config: must be an object with keys"],
  ["model id that is none", (f) => (f["models/tiny.json"][0].id = "tiny"), "/0/id: must be a Hugging Face id"],
  ["published parameters without a source", (f) => delete f["models/tiny.json"][0].published_source, '"published_parameters" needs "published_source"'],
  ["a difference from nothing", (f) => { delete f["models/tiny.json"][0].published_parameters; f["models/tiny.json"][0].published_differs = "why"; }, '"published_differs" needs "published_parameters"'],
  ["a total of a model that is not there", (f) => { const row = f["models/tiny.json"][0]; delete row.published_parameters; delete row.published_source; row.published_as = "org/none"; }, "no model org/none with a published total"],
  ["a total of its own and of another", (f) => (f["models/tiny.json"][0].published_as = "org/tiny"), '"published_parameters" and "published_as" exclude each other'],
  ["half a parameter", (f) => (f["models/tiny.json"][0].published_parameters = 1e9 + 0.5), "/0/published_parameters: 1000000000.5 is not an integer"],
  ["format of an encoding that is not there", (f) => (f["formats.json"].weight_formats[0].encoding = "q4_K"), '/weight_formats/0/encoding: there is no encoding "q4_K"'],
  ["unknown rule", (f) => (f["formats.json"].weight_formats[0].rule = "some"), '/weight_formats/0/rule: "some" is not one of'],
  ["unknown arithmetic", (f) => (f["formats.json"].encodings[1].arithmetic = "int4"), '/encodings/1/arithmetic: "int4" is not one of'],
  ["bytes per group without a group", (f) => delete f["formats.json"].encodings[1].group, "/encodings/1/bytes_per_group: needs a group"],
  ["unknown rule of an engine", (f) => (f["engines.json"][0].rule = "magic"), "/0/rule: must be one of"],
  ["constants out of order", (f) => (f["engines.json"][0].constants = [{ id: "a", since: "0.10", value: 1, unit: "share", source: "https://a.b/c" }, { id: "a", since: "0.9", value: 2, unit: "share", source: "https://a.b/c" }]), "/0/constants/1: rows of one constant must be in the order of their versions"],
  ["a constant outside of its range", (f) => (f["engines.json"][0].constants = [{ id: "a", value: 3, unit: "GiB", low: 1, high: 2, source: "https://a.b/c" }]), "/0/constants/0: low <= value <= high does not hold"],
  ["a range that does not hold its own prediction", (f) => (f["intervals.json"][0].low = 1.05), "/0/low: 1.05 is above 1"],
  ["a range of an unknown part", (f) => (f["intervals.json"][0].part = "all"), "/0/part: must be one of"],
  ["no ideal engine", (f) => (f["engines.json"][0].id = "perfect"), 'there must be an engine "ideal"'],
  ["efficiency above 1", (f) => Object.assign(f["efficiency.json"].classes[0].bandwidth, { value: 1.1, high: 1.2 }), "/classes/0/bandwidth/value: 1.1 is above 1"],
  ["efficiency of 0", (f) => (f["efficiency.json"].classes[0].bandwidth.low = 0), "/classes/0/bandwidth/low: must be above 0"],
  ["efficiency outside its range", (f) => (f["efficiency.json"].classes[0].bandwidth.low = 0.8), "/classes/0/bandwidth: low <= value <= high does not hold"],
  ["efficiency of a memory that no device has", (f) => (f["efficiency.json"].classes[0].applies.memory_kinds = ["HBM9"]), '/classes/0/applies/memory_kinds/0: no device has "HBM9"'],
  ["last efficiency class that leaves some out", (f) => f["efficiency.json"].classes.pop(), "/classes/0/applies: the last class, and only it"],
  ["efficiency class that takes all before the end", (f) => (f["efficiency.json"].classes[0].applies = {}), "/classes/0/applies: the last class, and only it"],
  ["missing file", (f) => delete f["engines.json"], "engines.json: /: the file is missing"],
  ["not JSON", (f) => (f["engines.json"] = "[{]"), "engines.json: /: not JSON"],
  ["no devices at all", (f) => delete f["devices/one.json"], "devices: no device file"],
];

for (const [what, damage, expected] of refusals) {
  test(`refused: ${what}`, () => {
    const files = smallCatalogue();
    damage(files);
    const { errors } = packCatalog(write(files));
    assert.ok(errors.some((error) => error.includes(expected)), `expected "${expected}" in:\n${errors.join("\n") || "(no error)"}`);
  });
}

test("all errors are printed, each with its file and path, nothing is written, and the exit code is 1", () => {
  const files = smallCatalogue();
  device(files).bandwidth.unit = "GBps";
  files["engines.json"][0].profile = "yes";
  files["models/tiny.json"][0].config = 3;
  const folder = write(files);
  const out = join(folder, "out.cpp");
  const run = spawnSync(process.execPath, [kScript, "--data", folder, "--out", out], { encoding: "utf8" });
  assert.equal(run.status, 1);
  const lines = run.stderr.trim().split("\n");
  assert.match(lines[0], /devices\/one\.json: \/devices\/0\/bandwidth\/unit: unknown unit/);
  assert.match(lines[1], /models\/tiny\.json: \/0\/config: must be an object/);
  assert.match(lines[2], /engines\.json: \/0\/profile: must be true or false/);
  assert.match(lines[3], /^3 errors/);
  assert.equal(existsSync(out), false);
});

test("both outputs hold the same text, and are left alone when nothing changed", () => {
  const folder = write(smallCatalogue());
  const [out, json] = [join(folder, "deep/out.cpp"), join(folder, "out.json")];
  const pack = () => execFileSync(process.execPath, [kScript, "--data", folder, "--out", out, "--json", json]);
  pack();
  const text = readFileSync(json, "utf8");
  assert.equal(readFileSync(out, "utf8"), toCpp(text));
  assert.deepEqual(expandCatalog(JSON.parse(text)).devices.map((d) => d.id), ["one", "two"]);
  utimesSync(out, 1000, 1000);
  pack();
  assert.equal(statSync(out).mtimeMs, 1000_000);
  writeFileSync(join(folder, "optimizers.json"), JSON.stringify([{ id: "sgd", name: "SGD" }]));
  pack();
  assert.notEqual(statSync(out).mtimeMs, 1000_000);
});

test("an unknown argument is an error", () => {
  assert.equal(spawnSync(process.execPath, [kScript, "--force", "1"]).status, 2);
  assert.equal(spawnSync(process.execPath, [kScript, "--out"]).status, 2);
});

// Reads literals as a C++ compiler does, byte by byte, with octal escapes of up to three digits.
function readLiterals(source) {
  const bytes = [];
  for (const [, literal] of source.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
    for (let i = 0; i < literal.length; ++i) {
      if (literal[i] !== "\\") bytes.push(literal.charCodeAt(i));
      else {
        const octal = /^[0-7]{1,3}/.exec(literal.slice(i + 1));
        bytes.push(octal ? parseInt(octal[0], 8) : literal.charCodeAt(i + 1));
        i += octal ? octal[0].length : 1;
      }
    }
  }
  return Buffer.from(bytes).toString("utf8");
}

test("C++ literals survive quotes, backslashes, trigraphs, digits after escapes and other alphabets", () => {
  const text = '{"a":"\\"\\\\n ??= ??/ \u00e97 简单 \u{1f600}1\t\u007f","b":[1,2]}';
  const source = cppLiterals(text, 7);
  assert.equal(readLiterals(source), text);
  assert.doesNotMatch(source, /\?\?/);
  assert.doesNotMatch(source, /\\x/);
  assert.match(source, /^[\x20-\x7e\n]*$/);
  assert.equal(readLiterals(cppLiterals("")), "");
  const long = "x".repeat(100_000);
  for (const line of cppLiterals(long).split("\n")) assert.ok(line.length < 16_000);
});

test("derivations are computed from left to right, with their units", () => {
  assert.equal(derivedValue("24 GiB x 0.5: half of it"), 12 * 2 ** 30);
  assert.equal(derivedValue("24 GiB - 16 MiB"), 24 * 2 ** 30 - 16 * 2 ** 20);
  assert.equal(derivedValue("2 SM x 1000 MHz x 512 FLOP per clock"), 1.024e12);
  assert.equal(derivedValue("200 Gbit/s / 8"), 25e9);
  assert.equal(derivedValue("as the other board"), undefined);
  assert.ok(Number.isNaN(derivedValue("3 apples x 2")));
});

test("repeated keys are found at any depth, and equal keys of different objects are not", () => {
  assert.deepEqual(duplicateKeys('{"a":{"b":1,"c":[{"d":1},{"d":2,"d":3}]},"b":"a","e":[1,{"a":1}]}'), ["/a/c/1/d"]);
  assert.deepEqual(duplicateKeys('{"a":"{\\"a\\":1,","x":[[],["a","a"]]}'), []);
});

// What the packed text leaves out: figures that only the tests compare with.
const shown = ({ models, ...rest }) => ({ ...rest, models: models.map(({ published_parameters, published_source, published_differs, published_as, ...row }) => row) });

test("the packed text gives back every row, in little space", () => {
  for (const { catalog } of [packCatalog(), packCatalog(write(smallCatalogue()))]) {
    const text = JSON.stringify(compactCatalog(catalog));
    assert.deepEqual(expandCatalog(JSON.parse(text)), shown(catalog));
  }
  const { catalog } = packCatalog();
  const bytes = gzipSync(JSON.stringify(compactCatalog(catalog)), { level: 9 }).length;
  assert.ok(bytes < 45_000, `${bytes} bytes`);
});

test("names and ids give each other", () => {
  for (const [name, id, marked] of [["GeForce RTX 4090", "rtx-4090", "[GeForce ]RTX 4090"], ["H100 SXM5 80GB", "h100-sxm-80gb", "H100 SXM[5] 80GB"],
    ["Arc A770 16GB", "arc-a770-16gb", "Arc A770 16GB"]]) {
    assert.equal(markName(name, id), marked);
    assert.equal(deviceId(marked), id);
  }
  assert.equal(markName("Desktop CPU", "something-else"), undefined);
  assert.equal(modelName("meta-llama/Llama-2-7b-chat-hf"), "Llama 2 7B Chat");
  assert.equal(modelName("mistralai/Mixtral-8x7B-v0.1"), "Mixtral 8x7B V0.1");
  assert.equal(nameKey("OPT-1.3B") === nameKey("opt-13b"), false);
  assert.equal(nameKey("NVIDIA GeForce RTX 4090", ["nvidia", "geforce", "rtx"]), nameKey("4090", ["rtx"]));
});
