#!/usr/bin/env node
// Regenerates the answers of tests/golden/cases from the native core and says which numbers changed.
//
//   node scripts/golden.mjs             every case
//   node scripts/golden.mjs NAME…       these cases
//   node scripts/golden.mjs --check     writes nothing; fails when an answer differs
//
// The core is asked through build/dev/tests/weighbridge_cli (or WEIGHBRIDGE_CLI), which is built first.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "tests/golden/cases");
const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const check = process.argv.includes("--check");

/** The leaves of `value` by their JSON Pointer. */
function leaves(value, path = "", out = new Map()) {
  const entries = value !== null && typeof value === "object" ? Object.entries(value) : [];
  if (entries.length === 0) out.set(path, value);
  for (const [key, inner] of entries) leaves(inner, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, out);
  return out;
}

function differences(before, after) {
  const a = leaves(before), b = leaves(after), lines = [];
  const word = (map, path) => (map.has(path) ? JSON.stringify(map.get(path)) : "(none)");
  const percent = (x, y) => (typeof x === "number" && typeof y === "number" && x !== 0 ? `  (${y >= x ? "+" : ""}${((100 * (y - x)) / Math.abs(x)).toPrecision(3)} %)` : "");
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    if (word(a, path) !== word(b, path)) lines.push(`  ${path}: ${word(a, path)} -> ${word(b, path)}${percent(a.get(path), b.get(path))}`);
  }
  return lines;
}

let cli = process.env.WEIGHBRIDGE_CLI;
if (!cli) {
  if (!existsSync(join(root, "build/dev/build.ninja"))) execFileSync("cmake", ["--preset", "dev"], { cwd: root, stdio: ["ignore", 2, 2] });
  execFileSync("cmake", ["--build", "build/dev", "--target", "weighbridge_cli"], { cwd: root, stdio: ["ignore", 2, 2] });
  cli = join(root, "build/dev/tests/weighbridge_cli");
}

const files = readdirSync(folder).filter((file) => file.endsWith(".json")).sort();
const unknown = names.filter((name) => !files.includes(`${name}.json`));
if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(", ")} in tests/golden/cases.`);
  process.exit(2);
}
const cases = files
  .map((file) => ({ file: join(folder, file), ...JSON.parse(readFileSync(join(folder, file), "utf8")) }))
  .filter(({ name }) => names.length === 0 || names.includes(name));

const input = cases.map(({ call, request }) => `${JSON.stringify({ call, request })}\n`).join("");
const answers = execFileSync(cli, { input, encoding: "utf8", maxBuffer: 1 << 30 }).split("\n");

let changed = 0;
cases.forEach(({ file, name, call, request, answer: before }, i) => {
  const answer = JSON.parse(answers[i]);
  if (JSON.stringify(answer) === JSON.stringify(before)) return;
  ++changed;
  console.log(before === null ? `${name}: new` : [`${name}:`, ...differences(before, answer)].join("\n"));
  if (!check) writeFileSync(file, `${JSON.stringify({ name, call, request, answer }, null, 2)}\n`);
});
console.log(`${cases.length} cases, ${changed} ${check ? "differ" : "changed"}`);
if (check && changed > 0) process.exit(1);
