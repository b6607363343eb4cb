#!/usr/bin/env node
// Packs core/data into the one JSON text that is compiled into the library, and refuses data that cannot be right.
//
//   node scripts/pack_catalog.mjs [--data DIR] [--out FILE.cpp] [--json FILE.json]
//
// The files under core/data carry each figure as printed, with its unit and where it is from; the packed text holds base
// units (bytes, bytes/s, FLOP/s, W) in the form of catalog_text.mjs. All errors are reported, each with file and path, and nothing is written then.
// Node >= 18, no dependencies. Files are replaced in one step, and only when their content changes, so that a build
// that runs this every time recompiles nothing.

import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { compactCatalog, kPrefixes, nameKey, ownNames } from "./catalog_text.mjs";

const kRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..");

// ---------------------------------------------------------------------------------------------------------------- units

// The only place where a printed unit becomes a base unit. GB is 10^9, GiB is 2^30.
export const kUnits = {
  bytes: { B: 1, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
  rate: { "B/s": 1, "GB/s": 1e9, "TB/s": 1e12, "Gbit/s": 1e9 / 8 },
  flops: { "FLOP/s": 1, "GFLOP/s": 1e9, "TFLOP/s": 1e12, "TOP/s": 1e12, "PFLOP/s": 1e15 },
  power: { W: 1, kW: 1e3 },
  fraction: { fraction: 1, "%": 0.01 },
  count: { devices: 1 },
  price: { "USD/h": 1 },
};

// No device beyond these: a figure that is has a wrong unit or is not what it claims to be.
// On-chip SRAM is a class of its own: it is small and passes 100 TB/s.
const kLimits = {
  memory: 10e12,
  bandwidth: 100e12,
  bandwidthOnChip: 100e15,
  link: 10e12,
  flops: 1e18,
  power: 100e3,
  price: 1000,
};

const kClasses = ["consumer", "workstation", "datacenter", "apple", "edge", "cpu", "tpu", "npu"];
const kIntervalParts = ["activations", "libraries", "graphs", "total", "pool", "context"];
const kEngineRules = ["ideal", "budget", "static_share", "free_share", "dynamic", "buffers"];
const versionOrder = (version) => String(version ?? "0").replace(/^[vb]/, "").split(".").map(Number).reduce((n, part, i) => n + part * 1000 ** (2 - i), 0);
const kEngineUnits = { GiB: 2 ** 30, MiB: 2 ** 20, bytes: 1, share: 1, tokens: 1, sequences: 1, copies: 1, elements: 1, patches: 1, bits: 1, flag: 1, rule: 1 };
const kArithmetic = ["fp32", "fp16", "bf16", "fp8", "fp4", "int8"];
// Designs whose dense FP8 rate is more than twice the 16-bit one.
const kWideFp8 = ["Rubin", "NeuronCore-v4"];
const kRules = ["uniform", "matrices", "linear_only", "experts_only", "gguf"];
const kGroups = ["float", "integer", "4-bit", "8-bit", "gguf"];

// ----------------------------------------------------------------------------------------------------------------- JSON

const isObject = (x) => typeof x === "object" && x !== null && !Array.isArray(x);
const isText = (x) => typeof x === "string" && x.trim() !== "";
const escapePointer = (key) => String(key).replace(/~/g, "~0").replace(/\//g, "~1");

// Keys that stand twice in one object. JSON.parse keeps the last of them without a word. `text` must be valid JSON.
export function duplicateKeys(text) {
  const found = [];
  const stack = [];
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let previous = "";
  for (const [token] of text.matchAll(tokens)) {
    const top = stack.at(-1);
    if (token === "{") stack.push({ keys: new Set(), key: "" });
    else if (token === "[") stack.push({ index: 0 });
    else if (token === "}" || token === "]") stack.pop();
    else if (token === "," && top.keys === undefined) ++top.index;
    else if (token[0] === '"' && top?.keys !== undefined && previous !== ":") {
      top.key = JSON.parse(token);
      if (top.keys.has(top.key)) found.push(stack.map((s) => "/" + escapePointer(s.keys ? s.key : s.index)).join(""));
      top.keys.add(top.key);
    }
    previous = token;
  }
  return found;
}

// ------------------------------------------------------------------------------------------------------------- checking

// Collects errors; a Check stands at one path of one file.
class Check {
  constructor(errors, file, path = "") {
    this.errors = errors;
    this.file = file;
    this.path = path;
  }
  at(...keys) {
    return new Check(this.errors, this.file, this.path + keys.map((k) => "/" + escapePointer(k)).join(""));
  }
  fail(message) {
    this.errors.push(`${this.file}: ${this.path || "/"}: ${message}`);
  }
  // An object with no other keys than these, and all of the required ones.
  object(value, required, optional = []) {
    if (!isObject(value)) {
      this.fail("must be an object");
      return false;
    }
    const allowed = [...required, ...optional];
    for (const key of Object.keys(value)) {
      if (!allowed.includes(key)) this.at(key).fail(`unknown key; known here: ${allowed.join(", ")}`);
    }
    for (const key of required) {
      if (value[key] === undefined) this.fail(`"${key}" is missing`);
    }
    return true;
  }
  array(value) {
    if (Array.isArray(value)) return value;
    this.fail("must be a list");
    return [];
  }
  text(value) {
    if (!isText(value)) this.fail("must be a non-empty text");
    return isText(value) ? value : "";
  }
  texts(value) {
    return this.array(value ?? []).filter((x, i) => {
      if (!isText(x)) this.at(i).fail("must be a non-empty text");
      return isText(x);
    });
  }
  number(value, min, max) {
    if (typeof value !== "number" || !Number.isFinite(value)) this.fail("must be a number");
    else if (value < min) this.fail(`${value} is below ${min}`);
    else if (value > max) this.fail(`${value} is above ${max}`);
    else return value;
    return undefined;
  }
  integer(value, min, max) {
    const n = this.number(value, min, max);
    if (n !== undefined && !Number.isSafeInteger(n)) this.fail(`${n} is not an integer`);
    return n;
  }
  boolean(value) {
    if (typeof value !== "boolean") this.fail("must be true or false");
    return value;
  }
  oneOf(value, list) {
    if (!list.includes(value)) this.fail(`${JSON.stringify(value)} is not one of ${list.join(", ")}`);
    return value;
  }
}

// Names that may be typed by a user must lead to one row only. `key` is what two spellings of a name share.
class Names {
  constructor(what, key = (name) => name.toLowerCase()) {
    this.what = what;
    this.key = key;
    this.owner = new Map();
  }
  add(check, name, id, listed = true) {
    const key = this.key(name);
    const owner = this.owner.get(key);
    if (key === "") check.fail(`${this.what} "${name}" of ${id} has no letter or digit of its own`);
    else if (owner === undefined) this.owner.set(key, id);
    else if (listed || owner !== id) {
      check.fail(`${this.what} "${name}" of ${id} is already ${owner === id ? "listed there, or follows from its id or name" : `a name of ${owner}`}`);
    }
  }
  addRow(check, id, aliases, name) {
    this.add(check.at("id"), id, id);
    if (name !== undefined) for (const own of ownNames({ id, name })) this.add(check.at("name"), own, id, false);
    aliases.forEach((alias, i) => this.add(check.at("aliases", i), alias, id));
  }
}

// 989.5 TFLOP/s is 989500000000000, not 989500000000000.1.
function toBase(value, factor) {
  const base = value * factor;
  return Number.isInteger(base) ? base : Number(base.toPrecision(15));
}

// The result of a derivation in base units: "24 GiB x 0.9995: as boards alike report", "128 SM x 2520 MHz x 512 FLOP per
// clock", "32 GT/s x 16 lanes x 128 / 130 / 8". Numbers with units, left to right; what follows a colon is explanation.
// undefined when the text is not arithmetic (it does not start with a number), NaN when it is and cannot be read.
const kDerivationUnits = {
  GiB: 2 ** 30, MiB: 2 ** 20, B: 1, "MT/s": 1e6, "GT/s": 1e9, "Gbit/s": 1e9, MHz: 1e6, "TFLOP/s": 1e12, "FLOP per clock": 1,
  bits: 1, lanes: 1, channels: 1, SM: 1, CU: 1, "Xe-cores": 1, cores: 1,
};

export function derivedValue(text) {
  if (!/^\d/.test(text)) return undefined;
  const terms = text.split(":")[0].split(/ ([x/-]) /);
  let result = 0;
  for (let i = 0; i < terms.length; i += 2) {
    const [, number, unit] = /^([\d.]+)(?: (.+))?$/.exec(terms[i].trim()) ?? [];
    const factor = unit === undefined ? 1 : kDerivationUnits[unit];
    const value = Number(number) * (factor ?? NaN);
    if (i === 0) result = value;
    else if (terms[i - 1] === "x") result *= value;
    else if (terms[i - 1] === "/") result /= value;
    else result -= value;
  }
  return result;
}

class Packer {
  constructor(dataDir, version) {
    this.dataDir = dataDir;
    this.version = version;
    this.errors = [];
    this.usedSources = new Set();
  }

  files(folder) {
    const dir = join(this.dataDir, folder);
    if (!existsSync(dir)) return [];
    return readdirSync(dir).filter((f) => f.endsWith(".json")).sort().map((f) => join(folder, f));
  }

  // The parsed file and a Check at its top; undefined when it is not there or not JSON.
  read(name, { optional = false } = {}) {
    const path = join(this.dataDir, name);
    const check = new Check(this.errors, relative(kRoot, path).startsWith("..") ? name : relative(kRoot, path));
    if (!existsSync(path)) {
      if (!optional) check.fail("the file is missing");
      return undefined;
    }
    const text = readFileSync(path, "utf8");
    let json;
    try {
      json = JSON.parse(text);
    } catch (error) {
      check.fail(`not JSON: ${error.message}`);
      return undefined;
    }
    for (const path of duplicateKeys(text)) new Check(this.errors, check.file, path).fail("the key stands twice in one object");
    return { json, check };
  }

  // ------------------------------------------------------------------------------------------------------------ sources

  sources() {
    this.sourceIds = new Set();
    const file = this.read("sources.json");
    if (!file) return [];
    const names = new Names("source id");
    return file.check.array(file.json).map((row, i) => {
      const check = file.check.at(i);
      if (!check.object(row, ["id", "title"], ["url", "date", "note"])) return {};
      const id = check.at("id").text(row.id);
      names.add(check.at("id"), id, id);
      this.sourceIds.add(id);
      check.at("title").text(row.title);
      if (row.url !== undefined && !/^https?:\/\/[^\s]+$/.test(row.url)) check.at("url").fail("must be an http(s) address");
      if (row.date !== undefined) this.date(check.at("date"), row.date);
      const { note, ...packed } = row;
      return packed;
    });
  }

  date(check, value) {
    if (!/^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/.test(value)) check.fail("must be YYYY, YYYY-MM or YYYY-MM-DD");
    return value;
  }

  // Ids of sources.json: one text or a list.
  sourceList(check, value) {
    const list = Array.isArray(value) ? value : [value];
    if (list.length === 0) check.fail("names no source");
    list.forEach((id, i) => {
      const at = Array.isArray(value) ? check.at(i) : check;
      if (!this.sourceIds.has(id)) at.fail(`unknown source ${JSON.stringify(id)}: add it to sources.json`);
      this.usedSources.add(id);
    });
    if (new Set(list).size !== list.length) check.fail("names a source twice");
    return list;
  }

  // A source of a row that has its own page (a model's config.json): an id of sources.json or an address.
  sourceOrAddress(check, value) {
    const list = Array.isArray(value) ? value : [value];
    list.forEach((x, i) => {
      if (!(typeof x === "string" && /^https:\/\/[^\s]+$/.test(x))) {
        this.sourceList(Array.isArray(value) ? check.at(i) : check, x);
      }
    });
    return value;
  }

  // ------------------------------------------------------------------------------------------------------------ figures

  // {"value", "unit", and exactly one of "source", "derived", "assumed"}: the value in base units and its basis.
  figure(check, figure, dimension, max, { min = 0, integer = false, list = false, extra = [] } = {}) {
    if (!check.object(figure, ["value", "unit"], ["source", "derived", "assumed", "choice", ...extra])) return undefined;
    const factor = kUnits[dimension][figure.unit];
    if (factor === undefined) {
      check.at("unit").fail(`unknown unit ${JSON.stringify(figure.unit)}; known: ${Object.keys(kUnits[dimension]).join(", ")}`);
    }
    const kinds = ["source", "derived", "assumed"].filter((k) => figure[k] !== undefined);
    if (kinds.length === 0) check.fail('nothing says where this is from: give "source", "derived" or "assumed"');
    if (kinds.length > 1) check.fail(`has ${kinds.join(" and ")}: give the one that the value rests on`);
    if (figure.choice !== undefined) check.at("choice").text(figure.choice);
    let basis;
    if (kinds[0] === "source") basis = ["sourced", ...this.sourceList(check.at("source"), figure.source)];
    else if (kinds[0]) basis = [kinds[0], check.at(kinds[0]).text(figure[kinds[0]])];

    const one = (value, at) => {
      if (typeof value !== "number" || !Number.isFinite(value)) return void at.fail("must be a number");
      const base = toBase(value, factor ?? 1);
      if (value <= min) return void at.fail(`${value} ${figure.unit}: must be above ${min}`);
      if (factor !== undefined && base > max) return void at.fail(`${value} ${figure.unit}: more than any device has`);
      if (integer && factor !== undefined && !Number.isSafeInteger(base)) return void at.fail(`${value} ${figure.unit} is not a whole number`);
      return base;
    };
    const value = list
      ? check.at("value").array(figure.value).map((v, i) => one(v, check.at("value", i)))
      : one(figure.value, check.at("value"));
    if (value === undefined || basis === undefined || factor === undefined) return undefined;
    if (basis[0] === "derived" && !list) {
      const derived = derivedValue(basis[1]);
      if (Number.isNaN(derived)) check.at("derived").fail(`cannot be computed: ${basis[1]}`);
      else if (derived !== undefined && Math.abs(derived / value - 1) > 0.02) {
        check.at("derived").fail(`"${basis[1]}" is ${derived}, not ${value}`);
      }
    }
    return { value, basis };
  }

  // ------------------------------------------------------------------------------------------------------------ devices

  devices() {
    const rows = [];
    const names = new Names("device", (name) => nameKey(name, kPrefixes));
    const files = this.files("devices");
    if (files.length === 0) this.errors.push("devices: no device file");
    for (const name of files) {
      const file = this.read(name);
      if (!file || !file.check.object(file.json, ["devices"], ["vendor"])) continue;
      const { vendor } = file.json;
      file.check.at("devices").array(file.json.devices).forEach((row, i) => {
        const device = this.device(file.check.at("devices", i), row, vendor, names);
        if (device) rows.push(device);
      });
    }
    return rows;
  }

  device(check, row, vendor, names) {
    const required = ["id", "name", "class", "architecture", "memory_kind", "memory", "marketed", "bandwidth"];
    const optional = ["aliases", "vendor", "release_year", "unified", "memory_options", "visible", "usable_fraction", "flops",
      "fp16_fp16acc", "link", "per_node", "power", "price", "note"];
    if (!check.object(row, required, optional)) return undefined;
    const id = check.at("id").text(row.id);
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) check.at("id").fail("must be of small letters, digits and single hyphens");
    const aliases = check.at("aliases").texts(row.aliases);
    names.addRow(check, id, aliases, row.name);
    const out = {
      id,
      name: check.at("name").text(row.name),
      aliases,
      vendor: check.at("vendor").text(row.vendor ?? vendor),
      class: check.at("class").oneOf(row.class, kClasses),
      architecture: check.at("architecture").text(row.architecture),
      memory_kind: check.at("memory_kind").text(row.memory_kind),
      unified: row.unified === undefined ? false : check.at("unified").boolean(row.unified),
    };
    if (row.release_year !== undefined) out.release_year = check.at("release_year").integer(row.release_year, 2010, 2030);
    if (row.note !== undefined) check.at("note").text(row.note);

    const basis = {};
    const take = (key, figure) => {
      if (figure === undefined) return undefined;
      out[key] = figure.value;
      basis[key] = figure.basis;
      return figure.value;
    };
    const read = (key, from, dimension, max, options) =>
      row[from] === undefined ? undefined : take(key, this.figure(check.at(from), row[from], dimension, max, options));

    const memory = read("memory_bytes", "memory", "bytes", kLimits.memory, { integer: true });
    const marketed = read("marketed_bytes", "marketed", "bytes", kLimits.memory, { integer: true });
    const options = read("memory_options_bytes", "memory_options", "bytes", kLimits.memory, { integer: true, list: true });
    const visible = read("visible_bytes", "visible", "bytes", kLimits.memory, { integer: true });
    const usable = read("usable_fraction", "usable_fraction", "fraction", 1);
    const onChip = row.memory_kind === "SRAM";
    read("bandwidth", "bandwidth", "rate", onChip ? kLimits.bandwidthOnChip : kLimits.bandwidth);
    read("per_node", "per_node", "count", 1e5, { integer: true });
    read("power_w", "power", "power", kLimits.power);
    // Between a drive maker's GB and a memory maker's GiB there are 7 %; firmware and ECC take up to another 7 %.
    if (memory !== undefined && marketed !== undefined && (memory < marketed * 0.93 || memory > marketed * 1.08)) {
      check.at("memory").fail(`${memory} bytes do not go with the marketed ${marketed}`);
    }
    if (visible !== undefined && memory !== undefined && (visible > memory || visible < memory * 0.9)) {
      check.at("visible").fail("must be a little less than the memory");
    }
    if (options && memory !== undefined && !options.includes(memory)) check.at("memory_options").fail("must hold the memory of this row");
    if (usable !== undefined && !out.unified) check.at("usable_fraction").fail("only unified memory has it");

    out.flops = {};
    if (row.flops !== undefined && check.at("flops").object(row.flops, [], kArithmetic)) {
      for (const key of kArithmetic) {
        if (row.flops[key] === undefined) continue;
        const figure = this.figure(check.at("flops", key), row.flops[key], "flops", kLimits.flops);
        if (!figure) continue;
        out.flops[key] = figure.value;
        basis[`flops.${key}`] = figure.basis;
      }
      this.checkDense(check.at("flops"), out.flops, out);
    }
    read("fp16_fp16acc", "fp16_fp16acc", "flops", kLimits.flops);

    if (row.link !== undefined && check.at("link").object(row.link, ["name"], ["bandwidth"])) {
      out.link = check.at("link", "name").text(row.link.name);
      if (row.link.bandwidth !== undefined) {
        take("link_bandwidth", this.figure(check.at("link", "bandwidth"), row.link.bandwidth, "rate", kLimits.link));
      }
    }
    if (row.price !== undefined) {
      const figure = this.figure(check.at("price"), row.price, "price", kLimits.price, { extra: ["provider", "date"] });
      const provider = check.at("price", "provider").text(row.price.provider);
      const date = check.at("price", "date").text(row.price.date);
      if (figure) {
        out.price = { usd_per_hour: figure.value, provider, date };
        basis.price = figure.basis;
      }
    }
    out.basis = basis;
    return out;
  }

  // Halving the bits doubles a dense rate; structured sparsity doubles it once more, and that is what vendors print.
  // The integer and 4-bit steps are wider on cards whose 16-bit rate with 32-bit accumulation is halved.
  checkDense(check, flops, device) {
    const half = flops.bf16 ?? flops.fp16;
    const most = (key, base, factor, of) => {
      if (flops[key] !== undefined && base !== undefined && flops[key] > base * factor * 1.05) {
        check.at(key).fail(`more than ${factor} times ${of}: a figure with sparsity? Give the dense one`);
      }
    };
    if (device.vendor === "NVIDIA") {
      most("bf16", flops.fp16, 1, "fp16");
      most("fp16", flops.bf16, 1, "bf16");
    }
    most("fp8", half, kWideFp8.includes(device.architecture) ? 5 : 2, "the 16-bit rate");
    most("int8", half, 4, "the 16-bit rate");
    most("fp4", flops.fp8, 4, "fp8");
  }

  // ------------------------------------------------------------------------------------------------------------- models

  models() {
    const rows = [], others = [];
    const names = new Names("model", (name) => nameKey(name));
    for (const name of this.files("models")) {
      const file = this.read(name);
      if (!file) continue;
      file.check.array(file.json).forEach((row, i) => {
        const check = file.check.at(i);
        const required = ["id", "name", "family", "organization", "source", "config"];
        const optional = ["aliases", "release", "published_parameters", "published_source", "published_differs", "published_as", "note"];
        if (!check.object(row, required, optional)) return;
        const id = check.at("id").text(row.id);
        if (!/^[\w.-]+\/[\w.-]+$/.test(id)) check.at("id").fail('must be a Hugging Face id, "organisation/name"');
        const aliases = check.at("aliases").texts(row.aliases);
        names.addRow(check, id, aliases, row.name);
        for (const key of ["name", "family", "organization"]) check.at(key).text(row[key]);
        if (row.release !== undefined) this.date(check.at("release"), row.release);
        if (row.source !== undefined) this.sourceOrAddress(check.at("source"), row.source);
        if (row.published_parameters !== undefined) {
          check.at("published_parameters").integer(row.published_parameters, 1e6, 1e14);
          if (row.published_source === undefined) check.fail('"published_parameters" needs "published_source"');
        }
        if (row.published_differs !== undefined && row.published_parameters === undefined) check.fail('"published_differs" needs "published_parameters"');
        if (row.published_differs !== undefined) check.at("published_differs").text(row.published_differs);
        if (row.published_source !== undefined) this.sourceOrAddress(check.at("published_source"), row.published_source);
        if (row.published_as !== undefined) {
          check.at("published_as").text(row.published_as);
          if (row.published_parameters !== undefined) check.fail('"published_parameters" and "published_as" exclude each other');
          others.push([check.at("published_as"), row.published_as]);
        }
        if (row.note !== undefined) check.at("note").text(row.note);
        if (!isObject(row.config) || Object.keys(row.config).length === 0) check.at("config").fail("must be an object with keys");
        rows.push({ ...row, aliases });
      });
    }
    for (const [check, id] of others)
      if (rows.find((row) => row.id === id)?.published_parameters === undefined) check.fail(`no model ${id} with a published total`);
    return rows;
  }

  // ------------------------------------------------------------------------------------------------------------ formats

  formats() {
    const empty = { encodings: [], weight_formats: [], kv_formats: [] };
    const file = this.read("formats.json", { optional: true });
    if (!file || !file.check.object(file.json, Object.keys(empty))) return empty;
    const { json, check } = file;
    const encodings = new Names("encoding");
    check.at("encodings").array(json.encodings).forEach((row, i) => {
      const at = check.at("encodings", i);
      const numbers = { block: [1, 1024], group: [0, 65536], bytes_per_group: [0, 64], bytes_per_row: [0, 64], bytes_per_column: [0, 64],
        tile: [0, 65536], bytes_per_tile: [0, 64], bytes_per_tensor: [0, 1024] };
      if (!at.object(row, ["id", "bits", "source"], ["arithmetic", ...Object.keys(numbers)])) return;
      encodings.addRow(at, at.at("id").text(row.id), []);
      at.at("bits").number(row.bits, 1, 64);
      for (const [key, [min, max]] of Object.entries(numbers)) {
        if (row[key] === undefined) continue;
        if (key.startsWith("bytes")) at.at(key).number(row[key], min, max);
        else at.at(key).integer(row[key], min, max);
      }
      if (row.arithmetic !== undefined) at.at("arithmetic").oneOf(row.arithmetic, kArithmetic);
      if (row.bytes_per_group > 0 && !(row.group > 0)) at.at("bytes_per_group").fail("needs a group");
      if (row.bytes_per_tile > 0 && !(row.tile > 0)) at.at("bytes_per_tile").fail("needs a tile");
      if (row.source !== undefined) this.sourceOrAddress(at.at("source"), row.source);
    });

    const weights = new Names("weight format");
    check.at("weight_formats").array(json.weight_formats).forEach((row, i) => {
      const at = check.at("weight_formats", i);
      if (!at.object(row, ["id", "name", "group", "rule", "encoding", "bits_per_weight", "source"], ["aliases", "article_bytes"])) return;
      weights.addRow(at, at.at("id").text(row.id), at.at("aliases").texts(row.aliases));
      at.at("name").text(row.name);
      at.at("group").oneOf(row.group, kGroups);
      at.at("rule").oneOf(row.rule, kRules);
      if (!encodings.owner.has(String(row.encoding).toLowerCase())) at.at("encoding").fail(`there is no encoding ${JSON.stringify(row.encoding)}`);
      at.at("bits_per_weight").number(row.bits_per_weight, 1, 64);
      if (row.article_bytes !== undefined) at.at("article_bytes").number(row.article_bytes, 0, 8);
      if (row.source !== undefined) this.sourceOrAddress(at.at("source"), row.source);
    });

    const kv = new Names("cache format");
    check.at("kv_formats").array(json.kv_formats).forEach((row, i) => {
      const at = check.at("kv_formats", i);
      if (!at.object(row, ["id", "bits", "source"], ["aliases"])) return;
      kv.addRow(at, at.at("id").text(row.id), at.at("aliases").texts(row.aliases));
      at.at("bits").number(row.bits, 1, 64);
      if (row.source !== undefined) this.sourceOrAddress(at.at("source"), row.source);
    });
    return json;
  }

  // ------------------------------------------------------------------------------------- engines, optimizers, efficiency

  engines() {
    const file = this.read("engines.json");
    if (!file) return [];
    const names = new Names("engine");
    file.check.array(file.json).forEach((row, i) => {
      const check = file.check.at(i);
      if (!check.object(row, ["id", "name", "profile", "layer_split", "rule"], ["aliases", "versions", "unstated", "releases", "small", "unread", "unrun", "constants"])) return;
      names.addRow(check, check.at("id").text(row.id), check.at("aliases").texts(row.aliases));
      check.at("name").text(row.name);
      check.at("profile").boolean(row.profile);
      check.at("layer_split").boolean(row.layer_split);
      if (!kEngineRules.includes(row.rule)) check.at("rule").fail(`must be one of ${kEngineRules.join(", ")}`);
      if (row.unstated !== undefined) check.at("unstated").text(row.unstated);
      for (const key of ["releases", "small", "unread", "unrun"]) if (row[key] !== undefined) check.at(key).texts(row[key]);
      if (row.versions !== undefined && check.at("versions").texts(row.versions).length !== 2) check.at("versions").fail("must be the first and the last known version");
      const releases = Array.isArray(row.releases) ? row.releases.map(versionOrder) : [];
      if (releases.some((at, k) => k > 0 && at <= releases[k - 1])) check.at("releases").fail("must ascend");
      if (row.constants !== undefined) this.constants(check.at("constants"), row.constants);
    });
    if (!names.owner.has("ideal")) file.check.fail('there must be an engine "ideal": it stands in for those without a profile');
    // Ranges and notes stay in the data: answers take theirs from intervals.json.
    const packed = ({ unit, note, low, high, ...rest }) => ({ ...rest, value: rest.value * kEngineUnits[unit] });
    return file.json.map((row) => (isObject(row) && Array.isArray(row.constants) ? { ...row, constants: row.constants.filter(isObject).map(packed) } : row));
  }

  // The constants of an engine's rules: of each a row per version that changed it, ascending.
  constants(check, list) {
    const last = new Map();
    check.array(list).forEach((row, i) => {
      const at = check.at(i);
      if (!at.object(row, ["id", "value", "unit", "source"], ["since", "low", "high", "note"])) return;
      at.at("id").text(row.id);
      at.at("value").number(row.value, 0, 1e12);
      if (!(row.unit in kEngineUnits)) at.at("unit").fail(`must be one of ${Object.keys(kEngineUnits).join(", ")}`);
      this.sourceOrAddress(at.at("source"), row.source);
      if (row.note !== undefined) at.at("note").text(row.note);
      if ((row.low === undefined) !== (row.high === undefined)) at.fail("low and high come together");
      if (row.low !== undefined && !(row.low <= row.value && row.value <= row.high)) at.fail("low <= value <= high does not hold");
      if (row.since !== undefined && !/^[vb]?\d+(\.\d+)*$/.test(at.at("since").text(row.since) ?? "")) at.at("since").fail("must be a version");
      if (last.has(row.id) && last.get(row.id) >= versionOrder(row.since)) at.fail("rows of one constant must be in the order of their versions");
      last.set(row.id, versionOrder(row.since));
    });
  }

  // Ranges that hold 80 % of the measurements, as factors of what is predicted; "*" where an engine has too few of its own.
  intervals(engines) {
    const file = this.read("intervals.json");
    if (!file) return [];
    const known = new Set(["*", ...engines.map((e) => e.id)]), seen = new Set();
    file.check.array(file.json).forEach((row, i) => {
      const check = file.check.at(i);
      if (!check.object(row, ["engine", "part", "low", "high", "measurements"])) return;
      if (!known.has(row.engine)) check.at("engine").fail(`there is no engine ${JSON.stringify(row.engine)}`);
      if (!kIntervalParts.includes(row.part)) check.at("part").fail(`must be one of ${kIntervalParts.join(", ")}`);
      check.at("low").number(row.low, 0, 1);
      check.at("high").number(row.high, 1, 1000);
      check.at("measurements").integer(row.measurements, 0, 1e6);
      if (seen.has(`${row.engine} ${row.part}`)) check.fail("this range stands twice");
      seen.add(`${row.engine} ${row.part}`);
    });
    return file.json;
  }

  optimizers() {
    const file = this.read("optimizers.json");
    if (!file) return [];
    const names = new Names("optimizer");
    file.check.array(file.json).forEach((row, i) => {
      const check = file.check.at(i);
      if (!check.object(row, ["id", "name"])) return;
      names.addRow(check, check.at("id").text(row.id), []);
      check.at("name").text(row.name);
    });
    return file.json;
  }

  // Fitted figures: value and range, how many measurements spoke, source. In the packed form figures are lists of value, low, high and
  // measurements, constants by name, spreads lists in their file's order, versions of engine, version and date, and what the file says to its readers is left out.
  efficiency(devices) {
    const file = this.read("efficiency.json");
    if (!file || !file.check.object(file.json, ["classes", "constants", "versions", "spreads", "unmeasured_widens"], ["driver"])) return {};
    const driver = file.json.driver;
    if (driver !== undefined && file.check.at("driver").object(driver, ["vendor", "kept_bytes", "kept_share", "source"], ["note"])) {
      file.check.at("driver", "kept_bytes").number(driver.kept_bytes, 0, 2 ** 32);
      file.check.at("driver", "kept_share").number(driver.kept_share, 0, 0.1);
      this.sourceList(file.check.at("driver", "source"), driver.source);
    }
    const figure = (check, row, most) => {
      if (!check.object(row, ["value", "low", "high", "measurements", "source"], ["note"])) return;
      const { value, low, high } = row;
      for (const [name, x] of Object.entries({ value, low, high })) {
        if (x !== undefined && check.at(name).number(x, 0, most) === 0) check.at(name).fail("must be above 0");
      }
      if (low > value || value > high) check.fail("low <= value <= high does not hold");
      if (row.measurements !== undefined) check.at("measurements").integer(row.measurements, 0, 1e6);
      if (row.note !== undefined) check.at("note").text(row.note);
      if (row.source !== undefined) this.sourceList(check.at("source"), row.source);
    };
    const groups = ["*", "own", "server", "eager"];
    const known = { ids: devices.map((d) => d.id), vendors: devices.map((d) => d.vendor), architectures: devices.map((d) => d.architecture), memory_kinds: devices.map((d) => d.memory_kind) };
    const names = new Names("efficiency class");
    const rows = (key) => file.check.at(key).array(file.json[key]).map((row, i) => ({ row, check: file.check.at(key, i) }));
    const classes = rows("classes");
    classes.forEach(({ row, check }, i) => {
      if (!check.object(row, ["class", "memory", "launch", "applies", "bandwidth", "compute", "link"], ["training", "compute_of", "power_limited", "issue_lanes", "unfolds", "engines"])) return;
      names.add(check.at("class"), check.at("class").text(row.class), row.class);
      check.at("memory").oneOf(row.memory, ["hbm", "gddr", "unified"]);
      check.at("launch").oneOf(row.launch, ["cuda", "blackwell", "hip", "cdna", "metal"]);
      if (check.at("applies").object(row.applies, [], Object.keys(known))) {
        for (const [key, list] of Object.entries(row.applies)) {
          if (!known[key]) continue;
          check.at("applies", key).texts(list).forEach((x, j) => {
            if (!known[key].some((name) => name?.startsWith(x))) check.at("applies", key, j).fail(`no device has ${JSON.stringify(x)}`);
          });
        }
        const open = Object.keys(row.applies).length === 0;
        if (open !== (i === classes.length - 1)) check.at("applies").fail("the last class, and only it, applies to all the rest");
      }
      if (row.unfolds !== undefined)
        check.at("unfolds").texts(row.unfolds).forEach((x, j) => { if (!known.architectures.some((name) => name?.startsWith(x))) check.at("unfolds", j).fail(`no device has ${JSON.stringify(x)}`); });
      if (row.issue_lanes !== undefined && row.issue_lanes !== 2) check.at("issue_lanes").fail("must be 2 or absent");
      if (row.power_limited !== undefined && row.power_limited !== true) check.at("power_limited").fail("must be true or absent");
      if (row.compute_of !== undefined) check.at("compute_of").text(row.compute_of);
      if (row.engines !== undefined) check.at("engines").array(row.engines).forEach((group, j) => check.at("engines", j).oneOf(group, groups.slice(1)));
      figure(check.at("bandwidth"), row.bandwidth, 1);
      figure(check.at("compute"), row.compute, 1);
      figure(check.at("link"), row.link, 1);
    });
    const constants = rows("constants");
    const of = new Names("constant");
    constants.forEach(({ row, check }) => {
      const { name, unit, meaning, ...rest } = isObject(row) ? row : {};
      if (!check.object(row, ["name", "unit", "meaning", "value", "low", "high", "measurements", "source"], ["note"])) return;
      of.add(check.at("name"), check.at("name").text(name), name);
      check.at("unit").text(unit);
      check.at("meaning").text(meaning);
      figure(check, rest, unit === "share" ? 1 : unit === "B/s" ? 1e12 : 1e3);
    });
    rows("versions").forEach(({ row, check }) => {
      if (!check.object(row, ["engine", "version", "date"])) return;
      check.at("engine").text(row.engine);
      check.at("version").number(row.version, 0, 1e9);
      check.at("date").number(row.date, 2020, 2100);
    });
    rows("spreads").forEach(({ row, check }) => {
      if (!check.object(row, ["of", "engines", "low", "high", "measurements"])) return;
      check.at("of").text(row.of);
      check.at("engines").oneOf(row.engines, groups);
      check.at("low").number(row.low, 0, 1);
      check.at("high").number(row.high, 1, 100);
      check.at("measurements").integer(row.measurements, 0, 1e6);
    });
    const wider = file.json.unmeasured_widens;
    if (file.check.at("unmeasured_widens").object(wider, ["engines", "class"]))
      for (const key of ["engines", "class"]) file.check.at("unmeasured_widens", key).number(wider[key], 1, 10);
    const list = ({ value, low, high, measurements }) => [value, low, high, measurements];
    return {
      classes: classes.filter(({ row }) => isObject(row) && isObject(row.bandwidth) && isObject(row.compute) && isObject(row.link)).map(({ row: { compute_of, ...row } }) => ({ ...row, bandwidth: list(row.bandwidth), compute: list(row.compute), link: list(row.link) })),
      constants: Object.fromEntries(constants.filter(({ row }) => isObject(row)).map(({ row }) => [row.name, list(row)])),
      versions: file.json.versions.filter(isObject).map(({ engine, version, date }) => [engine, version, date]),
      spreads: file.json.spreads.filter(isObject).map(({ of, engines, low, high, measurements }) => [of, engines, low, high, measurements]),
      unmeasured_widens: file.json.unmeasured_widens,
      ...(isObject(driver) ? { driver: (({ note, ...kept }) => kept)(driver) } : {}),
    };
  }

  // What training frames and hardware classes take and reach: every figure with its range and source.
  training(efficiency) {
    const file = this.read("training.json", { optional: true });
    if (!file) return {};
    const figure = (at, row, most = Infinity) => {
      if (!at.object(row, ["value", "low", "high", "source"], ["measurements", "note"])) return;
      for (const name of ["value", "low", "high"]) if (row[name] !== undefined) at.at(name).number(row[name], 0, most);
      if (row.low > row.value || row.value > row.high) at.fail("low <= value <= high does not hold");
      if (row.measurements !== undefined) at.at("measurements").integer(row.measurements, 0, 1e6);
      if (row.source !== undefined) this.sourceList(at.at("source"), row.source);
    };
    // The core needs the values; ranges, sources and notes stay in the file.
    const strip = (row) => Object.fromEntries(Object.entries(row).filter(([key]) => key !== "frame").map(([key, x]) => [key, isObject(x) ? x.value : x]));
    if (!file.check.object(file.json, ["frames", "classes", "common", "intervals"])) return {};
    const bytes = ["context", "collectives"], shares = ["slack"], logits = ["full_logits", "chunked_logits", "fused_logits"];
    file.json.frames.forEach((row, i) => {
      const check = file.check.at("frames", i);
      check.object(row, ["frame", ...bytes, ...shares, ...logits, "launch", "fused_norms", "fused_product", "buckets"]);
      for (const key of [...bytes, ...shares, ...logits, "launch"]) figure(check.at(key), row[key]);
      for (const key of ["fused_norms", "fused_product", "buckets"]) check.at(key).boolean(row[key]);
    });
    const frames = ["pytorch", "deepspeed", "megatron", "fsdp", "unsloth"];
    if (file.json.frames.map((f) => f.frame).join() !== frames.join()) file.check.at("frames").fail(`must be ${frames.join(", ")}, in this order`);
    const known = [...efficiency.classes.map((c) => c.training).filter(Boolean), "all others"];
    file.json.classes.forEach((row, i) => {
      const check = file.check.at("classes", i);
      check.object(row, ["class", "linear", "linear8", "attention", "attention_fused", "memory", "network"]);
      check.at("class").oneOf(row.class, known);
      for (const key of ["linear", "linear8", "memory"]) figure(check.at(key), row[key], 1);
      for (const key of ["attention", "attention_fused"]) figure(check.at(key), row[key], 2);
      figure(check.at("network"), row.network);
    });
    for (const [key, row] of Object.entries(file.json.common)) figure(file.check.at("common", key), row);
    file.json.intervals.forEach((row, i) => {
      const check = file.check.at("intervals", i);
      if (!check.object(row, ["part", "low", "high", "measurements", "source"], ["frame", "experts", "note"])) return;
      check.at("part").oneOf(row.part, ["memory", "speed"]);
      if (row.frame !== undefined) check.at("frame").oneOf(row.frame, frames);
      if (row.experts !== undefined) check.at("experts").boolean(row.experts);
      for (const key of ["low", "high"]) check.at(key).number(row[key], 0, 100);
      if (row.low > 1 || row.high < 1) check.fail("low <= 1 <= high does not hold");
      this.sourceList(check.at("source"), row.source);
    });
    return { frames: file.json.frames.map(strip), classes: file.json.classes.map(strip), common: strip(file.json.common),
      intervals: file.json.intervals.map(({ part, frame, experts, low, high }) => ({ part, ...(frame ? { frame: frames.indexOf(frame) } : {}), ...(experts === undefined ? {} : { experts }), low, high })) };
  }

  pack() {
    const sources = this.sources();
    const devices = this.devices();
    const models = this.models();
    const formats = this.formats();
    const engines = this.engines();
    const intervals = this.intervals(engines);
    const efficiency = this.efficiency(devices);
    const optimizers = this.optimizers();
    const training = this.training(efficiency);
    return { version: this.version, sources, devices, models, formats, engines, intervals, efficiency, optimizers, training };
  }
}

// ----------------------------------------------------------------------------------------------------------------- face

export function packageVersion(root = kRoot) {
  const path = join(root, "package.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).version ?? "0.1.0" : "0.1.0";
}

// { catalog, errors }: the catalogue is to be used only when there are no errors.
export function packCatalog(dataDir = join(kRoot, "core/data"), version = packageVersion()) {
  const packer = new Packer(resolve(dataDir), version);
  const catalog = packer.pack();
  return { catalog, errors: packer.errors };
}

// A C++ literal that holds these bytes. Octal escapes always have three digits, since a hexadecimal one would swallow
// digits that follow it, and a second question mark is escaped, since older modes read ??x as a trigraph.
export function cppLiterals(text, chunkBytes = 8000) {
  const bytes = Buffer.from(text, "utf8");
  const lines = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    let line = "";
    for (const byte of bytes.subarray(start, start + chunkBytes)) {
      const c = String.fromCharCode(byte);
      if (c === '"' || c === "\\") line += "\\" + c;
      else if (c === "?" && line.endsWith("?")) line += "\\?";
      else if (byte < 0x20 || byte > 0x7e) line += "\\" + byte.toString(8).padStart(3, "0");
      else line += c;
    }
    lines.push(`    "${line}"`);
  }
  return lines.length ? lines.join("\n") : '    ""';
}

export function toCpp(text) {
  return `// Generated by scripts/pack_catalog.mjs from core/data. Do not edit.
#include <cstddef>

#if defined(__clang__)
#pragma clang diagnostic ignored "-Woverlength-strings"
#endif

namespace weighbridge {

extern const char kCatalogText[];
extern const std::size_t kCatalogTextSize;

const char kCatalogText[] =
${cppLiterals(text)};
const std::size_t kCatalogTextSize = sizeof(kCatalogText) - 1;

}  // namespace weighbridge
`;
}

export function writeIfChanged(path, content) {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return false;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
  return true;
}

function main(args) {
  const options = {};
  for (let i = 0; i < args.length; ++i) {
    const name = args[i].slice(2);
    if (["--data", "--out", "--json"].includes(args[i]) && args[i + 1] !== undefined) options[name] = args[++i];
    else {
      console.error("usage: pack_catalog.mjs [--data DIR] [--out FILE.cpp] [--json FILE.json]");
      return 2;
    }
  }
  const { catalog, errors } = packCatalog(options.data);
  if (errors.length > 0) {
    for (const error of errors) console.error(error);
    console.error(`${errors.length} ${errors.length === 1 ? "error" : "errors"} in the catalogue; nothing written`);
    return 1;
  }
  const text = JSON.stringify(compactCatalog(catalog));
  if (options.json) writeIfChanged(options.json, text);
  if (options.out) writeIfChanged(options.out, toCpp(text));
  if (!options.json && !options.out) console.log(`${catalog.devices.length} devices, ${catalog.models.length} models, ${text.length} characters: no errors`);
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = main(process.argv.slice(2));
