#!/usr/bin/env node
// The reference of <weigh-bridge> in docs/element.md, from web/api.json (a custom-elements manifest).
//
//   node scripts/element_docs.mjs            writes it
//   node scripts/element_docs.mjs --check    says whether it is up to date
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const file = join(root, "docs/element.md");
const kBegin = "<!-- made from web/api.json by scripts/element_docs.mjs -->";
const kEnd = "<!-- /made -->";

export const manifest = () => JSON.parse(readFileSync(join(root, "web/api.json"), "utf8")).modules[0].declarations[0];

const cell = (text) => String(text ?? "").replaceAll("|", "\\|");
const code = (text) => (text === undefined || text === "" ? "" : `\`${cell(text)}\``);
const table = (title, heads, rows) => [`### ${title}`, "", `| ${heads.join(" | ")} |`, `|${heads.map(() => "---").join("|")}|`, ...rows.map((row) => `| ${row.join(" | ")} |`), ""];

export function reference(d = manifest()) {
  return [
    ...table("Attributes", ["Attribute", "Property", "Type", "Default", "What it says"],
      d.attributes.map((a) => [code(a.name), code(a.fieldName), code(a.type.text), code(a.default), cell(a.description)])),
    ...table("Properties", ["Property", "Type", "What it says"], d.members.map((m) => [code(m.name) + (m.readonly ? " (read only)" : ""), code(m.type.text), cell(m.description)])),
    ...table("Events", ["Event", "Type", "When"], d.events.map((e) => [code(e.name), code(e.type.text), cell(e.description)])),
    ...table("Slots", ["Slot", "What stands there"], d.slots.map((s) => [s.name === "" ? "(default)" : code(s.name), cell(s.description)])),
    ...table("Parts", ["`::part()`", "What it is"], d.cssParts.map((p) => [code(p.name), cell(p.description)])),
    ...table("Custom properties", ["Property", "Default", "What it sets"], d.cssProperties.map((p) => [code(p.name), code(p.default), cell(p.description)])),
  ].join("\n").trimEnd();
}

/** docs/element.md with the reference as it should be. */
export function documented(text = readFileSync(file, "utf8")) {
  const [from, to] = [text.indexOf(kBegin), text.indexOf(kEnd)];
  if (from < 0 || to < from) throw new Error(`docs/element.md has lost its marks ${kBegin} … ${kEnd}`);
  return `${text.slice(0, from + kBegin.length)}\n\n${reference()}\n\n${text.slice(to)}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = readFileSync(file, "utf8");
  if (process.argv.includes("--check")) {
    if (documented(text) !== text) {
      console.error("docs/element.md is behind web/api.json: run node scripts/element_docs.mjs");
      process.exit(1);
    }
  } else {
    writeFileSync(file, documented(text));
  }
}
