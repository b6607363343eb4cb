// Both languages are complete: every text of the page, and every problem, formula, field and choice of the core.
import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { build } from "esbuild";

import { root, temporaryFolder } from "./support.mjs";

const { en, zh, more, wb } = await temporaryFolder(async (folder) => {
  await build({ stdin: { contents: "export { en } from './en.js'; export { zh } from './zh.js'; export { zhWork } from './zh-work.js'; export { enMore } from './en-more.js'; export { zhMore } from './zh-more.js';", resolveDir: join(root, "web/src/lang") },
                bundle: true, format: "esm", outfile: join(folder, "texts.mjs"), logLevel: "silent", plugins: [{ name: "ts", setup: (b) => b.onResolve({ filter: /^\.\/.*\.js$/ }, (a) => ({ path: join(a.resolveDir, a.path.replace(/\.js$/, ".ts")) })) }] });
  const texts = await import(pathToFileURL(join(folder, "texts.mjs")).href);
  const { load } = await import(pathToFileURL(join(root, "dist/npm/index.js")).href);
  return { more: [texts.enMore, texts.zhMore], en: texts.en, zh: { ...texts.zh, ...texts.zhWork }, wb: await load() };
});
const d = wb.describe();

const paths = (value, path = "") => (typeof value === "object" && value !== null ? Object.entries(value).flatMap(([k, v]) => paths(v, `${path}/${k}`)) : [path]);
const at = (value, path) => path.split("/").slice(1).reduce((v, k) => v?.[k], value);
const holes = (text) => [...String(text).matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();

test("every English text has a Chinese one with the same placeholders", () => {
  for (const [from, to] of [[en, zh], more]) {
    const missing = paths(from).filter((p) => typeof at(to, p) !== typeof at(from, p));
    assert.deepEqual(missing, []);
    const other = paths(from).filter((p) => typeof at(from, p) === "string" && holes(at(from, p)) !== holes(at(to, p)) && !p.startsWith("/problemTexts"));
    assert.deepEqual(other, []);
  }
});

test("Chinese has a text for each problem, formula and request field of the core", () => {
  assert.deepEqual(d.problems.filter((p) => !zh.problemTexts[p.code]).map((p) => p.code), []);
  assert.deepEqual(d.formulas.filter((f) => !zh.formulas[f.id]).map((f) => f.id), []);
  const fields = d.fields.estimate.filter((f) => !["config", "object"].includes(f.type) && !f.path.startsWith("/prefill_pool/parallel"));
  assert.deepEqual(fields.filter((f) => !zh.fields[f.path] && !zh.fields[f.path.replace("/prefill_pool", "")]).map((f) => f.path), []);
  assert.deepEqual(d.answers.estimate.filter((f) => f.step && !zh.fields[f.path] && !zh.figures[f.path] && !zh.formulas[[f.step].flat()[0]]).map((f) => f.path), []);
});

test("Chinese has a name for whatever stands in a formula, and a label for each field but the engines' own options", () => {
  const names = d.formulas.flatMap((f) => [f.id, ...(f.text.match(/[a-z_][a-z0-9_]*(?![a-z0-9_(])/gi) ?? [])]).filter((n) => !["sum", "min", "max", "ceil", "floor", "sqrt"].includes(n));
  assert.deepEqual([...new Set(names)].filter((n) => !zh.names[n]), []);
  for (const texts of [en, zh]) {
    const fields = d.fields.estimate.filter((f) => !["config", "object", "array"].includes(f.type) && !/^\/(options|method|explain)/.test(f.path) && !f.path.startsWith("/prefill_pool/parallel"));
    assert.deepEqual(fields.filter((f) => !texts.labels[f.path]).map((f) => f.path), []);
    assert.deepEqual([...new Set(d.weight_formats.map((f) => f.group).filter(Boolean))].filter((g) => texts === zh && !zh.weightGroups[g]), []);
  }
  const units = new Set([...d.formulas, ...d.answers.estimate, ...d.fields.estimate].map((row) => row.unit).filter(Boolean));
  const universal = ["FLOP", "FLOP/s", "OP/s"];
  assert.deepEqual([...units].filter((u) => !zh.unit[u] && !universal.includes(u)), []);
});

test("training has a label for each field in both languages, and its summaries, figures and units in Chinese", () => {
  const [enMore, zhMore] = more;
  const fields = d.fields.train.filter((f) => !["config", "object", "array"].includes(f.type) && !["/explain", "/estimate_method"].includes(f.path));
  for (const [texts, names] of [[en, enMore.names], [zh, zhMore.names]]) assert.deepEqual(fields.filter((f) => !texts.labels[f.path] && !names.labels[f.path]).map((f) => f.path), []);
  assert.deepEqual(fields.filter((f) => !zh.fields[f.path] && !zhMore.names.fields[f.path]).map((f) => f.path), []);
  const figures = d.answers.train.filter((f) => f.type === "number" && f.step);
  assert.deepEqual(figures.filter((f) => ![zh.figures, zhMore.names.figures, zh.parts, zhMore.names.parts].some((t) => t[f.path] ?? t[f.path.split(".").pop()])).map((f) => f.path), []);
  assert.deepEqual([...new Set([...d.fields.train, ...d.answers.train].map((row) => row.unit).filter(Boolean))].filter((u) => !zh.unit[u] && !["FLOP", "FLOP/s", "OP/s"].includes(u)), []);
});

test("a problem's Chinese text uses only params that the core gives", () => {
  for (const { code, summary } of d.problems)
    for (const name of holes(zh.problemTexts[code]).split(",").filter(Boolean)) assert.ok(summary.includes(`{${name}}`), `${code}: {${name}}`);
});
