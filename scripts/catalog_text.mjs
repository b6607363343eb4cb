// The packed form of the catalogue: what the library carries. Every visitor downloads it, so it holds nothing twice and
// nothing that can be worked out. core/src/catalog.cpp reads it; expandCatalog is the same reading in JavaScript, for tests.
//
// A table is { rows: n, columns: { key: column } }. A column is
//   - a list with one value per row, null where a row has none (missing at the end: null too),
//   - { of: list, or? }: the same, with `or` where a row has none,
//   - a text "a||b|~": the texts of the rows, nothing between bars where a row has none, ~ for the one before,
//   - { of: text, scale }: whole numbers in units of `scale` (a negative one: its amount as it stands),
//   - any other object: columns of a nested object, which a row lacks when none of them has a value for it.
// Devices and models leave out what follows from their id or name; `basis` points into lists of provenance and sources.

const isObject = (x) => typeof x === "object" && x !== null && !Array.isArray(x);

// --------------------------------------------------------------------------------------------------------------- names

// Makers and product lines that people put before a device's name or leave out.
export const kPrefixes = ["nvidia", "geforce", "tesla", "gtx", "rtx", "amd", "radeon", "instinct", "rx", "intel", "arc", "apple", "google", "tpu", "aws",
  "huawei", "ascend"];

// What two spellings of one name share: small letters, digits, and the marks that tell names apart (1.3b and 13b; gemma:2b,
// which is another model than gemma-2b). Prefixes go, and "GPU" at the end.
export function nameKey(name, prefixes = []) {
  let key = name.toLowerCase().replace(/[^a-z0-9.:/]/g, "");
  if (prefixes.length === 0) return key;
  if (key.endsWith("gpu")) key = key.slice(0, -3);
  for (let found = true; found; ) {
    const prefix = prefixes.find((p) => key.startsWith(p));
    found = prefix !== undefined;
    if (found) key = key.slice(prefix.length);
  }
  return key;
}

// The names that lead to a row without being listed.
export const ownNames = (row) => [row.id, row.id.slice(row.id.indexOf("/") + 1), row.name];

// A device's id is its name in small letters with hyphens, without the parts in brackets: "[GeForce ]RTX 4090".
export function deviceId(marked) {
  let id = "";
  let hyphen = false;
  let inside = false;
  for (const c of marked.toLowerCase()) {
    if (c === "[" || c === "]") inside = c === "[";
    else if (inside) continue;
    else if (/[a-z0-9]/.test(c)) {
      id += (hyphen && id ? "-" : "") + c;
      hyphen = false;
    } else hyphen = true;
  }
  return id;
}

// The name with the fewest brackets that gives the id; undefined when there is none (or the name has brackets).
export function markName(name, id) {
  if (/[[\]]/.test(name)) return undefined;
  const known = new Map();
  // The rest of the name from `at`, when `done` characters of the id are there: [brackets, text], or undefined.
  const rest = (at, done, hyphen, inside) => {
    if (at === name.length) return done === id.length ? [0, inside ? "]" : ""] : undefined;
    const state = `${at} ${done} ${hyphen} ${inside}`;
    if (known.has(state)) return known.get(state);
    const c = name[at].toLowerCase();
    const plain = /[a-z0-9]/.test(c);
    const want = plain ? (hyphen && done > 0 ? "-" : "") + c : "";
    const options = [];
    const out = rest(at + 1, done, hyphen, true);
    if (out) options.push([out[0] + (inside ? 0 : 1), (inside ? "" : "[") + name[at] + out[1]]);
    const shown = id.startsWith(want, done) ? rest(at + 1, done + want.length, !plain, false) : undefined;
    if (shown) options.push([shown[0], (inside ? "]" : "") + name[at] + shown[1]]);
    const best = options.sort((a, b) => a[0] - b[0] || a[1].length - b[1].length)[0];
    known.set(state, best);
    return best;
  };
  return rest(0, 0, false, false)?.[1];
}

// A model's name when none is given: the id's last part in words, sizes and first letters large, without "hf".
export function modelName(id) {
  return id.slice(id.indexOf("/") + 1).split(/[-_]/).filter((word) => word !== "hf").map((word) => {
    const size = /^[\dx.]+[bm]$/.test(word) && /^\d/.test(word);
    return size ? word.slice(0, -1) + word.at(-1).toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1);
  }).join(" ");
}

const modelSource = (id) => `https://huggingface.co/${id}`;

// -------------------------------------------------------------------------------------------------------------- tables

const trimmed = (list) => list.slice(0, list.findLastIndex((x) => x !== null) + 1);

// A list as one text: shorter than a list, and quicker to read.
const fold = (list) => list.map((x, i) => (x === null ? "" : x === list[i - 1] ? "~" : String(x))).join("|").replace(/\|+$/, "");

function unfold(text) {
  const out = [];
  for (const x of text.split("|")) out.push(x === "" ? null : x === "~" ? out.at(-1) : x);
  return out;
}

const kScales = [1, 1e12, 2 ** 30, 1e10, 1e9, 1e8, 1e7, 2 ** 20, 1e6];

// Numbers in the unit that makes them shortest; one that is no whole multiple stands negative, as it is.
function scaledColumn(list) {
  const write = (scale) => list.map((x) => (x === null ? null : Number.isInteger(x / scale) ? x / scale : -x));
  const options = kScales.map((scale) => ({ of: fold(write(scale)), scale }));
  return options.reduce((best, x) => (x.of.length < best.of.length ? x : best));
}

function column(list) {
  const values = list.filter((x) => x !== null);
  if (values.some(isObject)) return columnsOf(list.map((x) => x ?? {}));
  if (values.every((x) => Number.isInteger(x) && x >= 0)) return scaledColumn(list);
  if (values.every((x) => typeof x === "string" && x !== "" && x !== "~" && !x.includes("|"))) return fold(list);
  return trimmed(list);
}

function columnsOf(rows) {
  const columns = {};
  for (const key of new Set(rows.flatMap((row) => Object.keys(row)))) columns[key] = column(rows.map((row) => row[key] ?? null));
  return columns;
}

const table = (rows, more = {}) => ({ rows: rows.length, columns: { ...columnsOf(rows), ...more } });

function cell(column, i) {
  if (typeof column === "string") return unfold(column)[i] ?? null;
  if (Array.isArray(column)) return column[i] ?? null;
  if (typeof column.of === "string") {
    const value = unfold(column.of)[i] ?? null;
    return value === null ? null : value < 0 ? -value : value * column.scale;
  }
  if (Array.isArray(column.of)) return column.of[i] ?? column.or ?? null;
  const row = rowOf(column, i);
  return Object.keys(row).length > 0 ? row : null;
}

function rowOf(columns, i) {
  const row = {};
  for (const [key, column] of Object.entries(columns)) {
    const value = cell(column, i);
    if (value !== null) row[key] = value;
  }
  return row;
}

// --------------------------------------------------------------------------------------------------------------- basis

// Derivations say "128 SM x 2520 MHz x 512 FLOP per clock" and "24 GiB x 0.995": the count, the clock and the size in a
// device's name are its own, so that many devices share one text: "@ SM x $ MHz x 512 FLOP per clock", "# GiB x 0.995".
function shareBasis(device) {
  const chip = {};
  const size = device.marketed_bytes / 1e9;
  const share = (text) =>
    text.replace(/\b(\d+) ([\w-]+) x (\d+) MHz\b/, (whole, count, unit, clock) => {
      chip.units ??= Number(count);
      chip.clock ??= Number(clock);
      return chip.units === Number(count) && chip.clock === Number(clock) ? `@ ${unit} x $ MHz` : whole;
    }).replace(/^(\d+) GiB\b/, (whole, count) => (Number(count) === size ? "# GiB" : whole));
  const basis = {};
  for (const [figure, [kind, ...words]] of Object.entries(device.basis)) {
    if (kind !== "sourced" && /[@#$]/.test(words[0])) throw new Error(`${device.id}: ${words[0]}: @, # and $ have a meaning of their own`);
    basis[figure] = kind === "sourced" ? words : kind[0] + share(words[0]);
  }
  return { basis, chip };
}

const fillIn = (text, units, clock, size) => text.replace(/[@$#]/g, (mark) => ({ "@": units, $: clock, "#": size })[mark]);

// --------------------------------------------------------------------------------------------------------------- whole

function compactDevices(devices, sources) {
  const shared = devices.map(shareBasis);
  const counts = new Map();
  for (const { basis } of shared) for (const words of Object.values(basis)) counts.set(JSON.stringify(words), (counts.get(JSON.stringify(words)) ?? 0) + 1);
  const order = [...counts].sort((a, b) => b[1] - a[1]).map(([words]) => words);
  const index = new Map(order.map((words, i) => [words, i]));
  const sourceIndex = new Map(sources.map((s, i) => [s.id, i]));
  const provenance = order.map((words) => JSON.parse(words)).map((words) => (Array.isArray(words) ? words.map((id) => sourceIndex.get(id)) : words));

  const rows = devices.map(({ id, name, aliases, flops, basis, unified, ...row }, i) => {
    const marked = markName(name, id);
    return {
      ...(marked === undefined ? { name, id } : { name: marked }),
      ...(aliases.length > 0 ? { aliases } : {}),
      ...(unified ? { unified } : {}),
      ...row,
      flops,
      ...shared[i].chip,
      basis: Object.fromEntries(Object.entries(shared[i].basis).map(([figure, words]) => [figure, index.get(JSON.stringify(words))])),
    };
  });
  const out = table(rows);
  for (const [key, value] of [["aliases", []], ["unified", false]]) out.columns[key] = { of: out.columns[key] ?? [], or: value };
  return { ...out, provenance, prefixes: kPrefixes };
}

function compactModels(models) {
  for (const { id, config } of models) {
    for (const [key, value] of Object.entries(config)) if (value === null) throw new Error(`${id}: /config/${key}: leave out what is null`);
  }
  const rows = models.map(({ name, aliases, source, published_parameters, published_source, published_differs, published_as, ...row }) => ({
    id: row.id,
    ...(name === modelName(row.id) ? {} : { name }),
    ...(aliases.length > 0 ? { aliases } : {}),
    ...(source === modelSource(row.id) ? {} : { source }),
    ...row,
  }));
  const out = table(rows);
  out.columns.aliases = { of: out.columns.aliases ?? [], or: [] };
  return out;
}

export function compactCatalog(catalog) {
  const formats = Object.fromEntries(Object.entries(catalog.formats).map(([key, rows]) => [key, table(rows)]));
  return { ...catalog, formats, sources: table(catalog.sources), devices: compactDevices(catalog.devices, catalog.sources), models: compactModels(catalog.models) };
}

export function expandCatalog(packed) {
  const rows = (t) => Array.from({ length: t.rows }, (_, i) => rowOf(t.columns, i));
  const sources = rows(packed.sources);
  const devices = rows(packed.devices).map(({ units, clock, basis, ...row }) => {
    const words = (x) => (Array.isArray(x) ? ["sourced", ...x.map((i) => sources[i].id)]
      : [x[0] === "d" ? "derived" : "assumed", fillIn(x.slice(1), units, clock, row.marketed_bytes / 1e9)]);
    return {
      flops: {},
      ...row,
      id: row.id ?? deviceId(row.name),
      name: row.name.replace(/[[\]]/g, ""),
      basis: Object.fromEntries(Object.entries(basis).map(([figure, i]) => [figure, words(packed.devices.provenance[i])])),
    };
  });
  const models = rows(packed.models).map((row) => ({ name: modelName(row.id), source: modelSource(row.id), ...row }));
  const formats = Object.fromEntries(Object.entries(packed.formats).map(([key, t]) => [key, rows(t)]));
  return { ...packed, formats, sources, devices, models };
}
