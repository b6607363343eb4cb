// TypeScript types of requests and answers, from describe(): its fields and answers are the one list of what there is.
//
//   import { types } from "./generate_types.mjs";   types(describe()) -> text of types.d.ts

// Field types of describe() whose value has several forms.
const kForms = {
  integer: "number", number: "number", boolean: "boolean", string: "string", enum: "string", array: "readonly unknown[] | Float64Array",
  strings: "readonly string[]", integers: "readonly number[]", object: "object", config: "Record<string, unknown>", request: "EstimateRequest | TrainRequest",
  model: "ModelId", models: "ModelId", device: "DeviceId | readonly DeviceId[]", device_list: "readonly DeviceId[] | \"all\"", devices: "number",
  weight_format: "WeightFormatId", weight_formats: "readonly WeightFormatId[] | \"all\"", kv_format: "KvFormatId", kv_formats: "readonly KvFormatId[]",
  engine: "EngineId", concurrency: "number | \"max\"", checkpointing: "string", targets: "string | readonly string[]", optimizer: "string",
};
const kIdentifier = /^[A-Za-z_$][\w$]*$/;
const key = (name) => (kIdentifier.test(name) ? name : JSON.stringify(name));
const words = (ids) => [...new Set(ids)].map((id) => JSON.stringify(id)).join(" | ") || "string";
const oneLine = (text) => String(text).replace(/\s+/g, " ").replace(/\*\//g, "* /").trim();

// Paths become a tree; a node may be a value in itself (a catalogue id) and an object (figures of one's own).
function tree(rows, separator) {
  const root = { members: new Map() };
  for (const row of rows) {
    let node = root;
    for (const part of row.path.split(separator).filter((p) => p !== "")) {
      if (!node.members.has(part)) node.members.set(part, { members: new Map() });
      node = node.members.get(part);
    }
    node.row = row;
  }
  return root;
}

function comment(row, indent) {
  if (!row) return "";
  const parts = [];
  if (row.summary) parts.push(oneLine(row.summary));
  if (row.unit) parts.push(`In ${row.unit}.`);
  if (row.min !== undefined) parts.push(`At least ${row.min}.`);
  if (row.max !== undefined) parts.push(`At most ${row.max}.`);
  if (row.default !== undefined) parts.push(`Default: ${JSON.stringify(row.default)}.`);
  return parts.length > 0 ? `${indent}/** ${parts.join(" ")} */\n` : "";
}

function requestType(node, indent) {
  const forms = [];
  const row = node.row;
  if (row) {
    if (row.enum?.length) forms.push(words(row.enum));
    else if (!(node.members.size > 0 && ["object", "config", "request"].includes(row.type))) {
      if (!(row.type in kForms)) throw new Error(`${row.path} has the type ${row.type}, for which there is no TypeScript type`);
      forms.push(kForms[row.type]);
    }
    if (row.type === "model" || row.type === "models") forms.push("ReadModel");
    if (row.type === "models") forms.push("readonly (ModelId | ReadModel)[]");
  }
  if (node.members.size > 0) forms.push(objectType(node, indent, requestType, true));
  return forms.join(" | ");
}

function answerType(node, indent) {
  const row = node.row;
  if (node.members.size > 0) {
    const element = node.members.size === 1 ? node.members.get("*") ?? node.members.get("[]") : undefined;
    const type = element ? `(${answerType(element, indent)})[]` : objectType(node, indent, answerType, false);
    return row?.nullable ? `${type} | null` : type;
  }
  if (!row) return "unknown";
  const type = row.enum?.length ? words(row.enum) : { integer: "number", number: "number", boolean: "boolean", string: "string", enum: "string", array: "unknown[]", object: "Record<string, unknown>" }[row.type] ?? "unknown";
  return row.nullable ? `${type} | null` : type;
}

function objectType(node, indent, type, optional) {
  const inner = `${indent}  `;
  const lines = [...node.members].map(([name, member]) => {
    // Some answers are null as a whole: without a device there is no speed.
    const mark = optional || member.row?.optional ? "?" : "";
    return `${comment(member.row, inner)}${inner}${key(name)}${mark}: ${type(member, inner)};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

const required = { EstimateRequest: ["model"], TrainRequest: ["model"], PlanRequest: ["model"], SweepRequest: ["request", "vary", "outputs"] };

export function types(described) {
  const ids = (list) => words((list ?? []).map((row) => row.id));
  const out = [];
  out.push(`// Generated from describe() of weighbridge ${described.version}. Numbers are in base units: bytes, seconds, tokens, FLOP.\n`);
  out.push("import type { GoodAnswer } from './index.js';\n");
  out.push("// An id is also accepted in any case and by its aliases, hence the open string.\ntype Open<T extends string> = T | (string & {});\n");
  out.push(`export type ModelId = Open<${ids(described.models)}>;`);
  out.push(`export type DeviceId = Open<${ids(described.devices)}>;`);
  out.push(`export type WeightFormatId = Open<${ids(described.weight_formats)}>;`);
  out.push(`export type KvFormatId = Open<${ids(described.kv_formats)}>;`);
  out.push(`export type EngineId = Open<${ids(described.engines)}>;`);
  out.push(`export type ProblemCode = ${words((described.problems ?? []).map((row) => row.code))};\n`);
  out.push("/** What readModel returned; it goes into requests as it is. */\nexport interface ReadModel { readonly [member: string]: unknown }\n");
  for (const [call, rows] of Object.entries(described.fields ?? {})) {
    const name = `${call[0].toUpperCase()}${call.slice(1)}Request`;
    let text = objectType(tree(rows, "/"), "", requestType, true);
    for (const field of required[name] ?? []) text = text.replace(new RegExp(`^(  ${field})\\?:`, "m"), "$1:");
    out.push(`export interface ${name} ${text}\n`);
  }
  const common = ["ok", "problems", "assumptions", "basis", "intervals", "advice", "steps"];
  for (const [call, rows] of Object.entries(described.answers ?? {})) {
    const own = rows.filter((row) => !common.includes(row.path.split(".")[0].replace(/\[\]$/, "")));
    out.push(`export interface ${call[0].toUpperCase()}${call.slice(1)}Answer extends GoodAnswer ${objectType(tree(own, "."), "", answerType, false)}\n`);
  }
  for (const call of ["Estimate", "Train"]) if (!(described.answers ?? {})[call.toLowerCase()]) out.push(`export interface ${call}Answer extends GoodAnswer { [member: string]: any }\n`);
  return `${out.join("\n")}\n`;
}
