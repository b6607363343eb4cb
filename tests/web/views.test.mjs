// Card, compare, formulas, and what can be taken along.
import assert from "node:assert/strict";
import { test } from "node:test";

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { hashOf, root, visits } from "./support.mjs";

const here = visits();
const visit = (hash, ready, use, options) => here.visit(hash, use, { ...options, ready });
const encoded = encodeURIComponent;

test("what runs on a card: each that fits once, in a format that does fit, and a name opens it", () =>
  visit("#v=card&m=Qwen/QwQ-32B&d=rtx-4090", "table.list", async (page) => {
    await page.waitForFunction(() => /models fit/.test(document.body.innerText));
    const rows = await page.locator("table.list tbody tr").evaluateAll((all) => all.map((r) => [...r.cells].map((c) => c.textContent.trim())));
    assert.ok(rows.length > 100);
    assert.equal(new Set(rows.map((r) => r[0])).size, rows.length);
    assert.ok(rows.some((r) => r[0] === "Qwen3 32B" && /Q\d/.test(r[2])));
    assert.ok(rows.every((r) => /^[<\d]/.test(r[4]) && /tokens\/s$|–/.test(r[3])), "room is left everywhere, and it says how fast");
    await page.getByLabel("Find").fill("qwen3 32b");
    await page.getByRole("button", { name: "Qwen3 32B", exact: true }).click();
    await page.waitForSelector("section.ticket.fits");
    assert.match(await page.locator(".verdict").innerText(), /1 × GeForce RTX 4090/);
  }));

test("a guess that is none says so, and asks nobody", () =>
  visit("#v=card&m=Qwen/QwQ-32B", ".page", async (page) => {
    const asked = [];
    page.on("request", (r) => asked.push(r.url()));
    await page.getByRole("button", { name: "Guess my card from this browser" }).click();
    await page.waitForFunction(() => /no device of the catalogue/.test(document.body.innerText) || location.hash.includes("d="));
    assert.deepEqual(asked, []);
  }));

for (const language of ["en", "zh"])
  test(`set-ups stand side by side, the link holds them, and differences are marked: ${language}`, () =>
    visit(`#v=compare&m=Qwen/Qwen3-8B&d=rtx-4090&s=${encoded("m=Qwen/QwQ-32B&w=Q4_K_M&d=rtx-4090")}&s=${encoded("m=Qwen/QwQ-32B&w=bf16&d=h100-sxm-80gb")}`, "table.compare .bar", async (page) => {
      assert.equal(await page.locator("table.compare thead th").count(), 2);
      const row = (name) => page.locator("table.compare tbody tr", { has: page.locator(`th:has-text("${name}")`) }).first();
      assert.equal(await row(language === "en" ? "Model" : "模型").getAttribute("class"), "");
      assert.equal(await row(language === "en" ? "Device" : "设备").getAttribute("class"), "differs");
      await page.locator(".tasks button").first().click();
      await page.waitForFunction(() => document.querySelectorAll("table.compare thead th").length === 3);
      await page.waitForFunction(() => location.hash.split("s=").length === 4);
    }, { language }));

for (const language of ["en", "zh"])
  test(`all formulas stand there, drawn, with sources: ${language}`, () =>
    visit("#v=formulas&m=Qwen/QwQ-32B&d=h100-sxm-80gb", ".entry math", async (page) => {
      const [entries, drawn, bare] = await page.evaluate(() => [document.querySelectorAll(".entry").length, document.querySelectorAll(".entry .formula:not(.example) math").length, [...document.querySelectorAll(".entry")].filter((e) => !e.querySelector(".example math")).map((e) => e.id)]);
      assert.ok(entries > 80);
      assert.equal(drawn, entries);
      assert.deepEqual(bare, [], "each is worked once with numbers");
      await page.getByLabel(language === "en" ? "Find" : "查找").fill("kv_pool");
      await page.waitForFunction(() => document.querySelectorAll(".entry").length < 20);
    }, { language }));

for (const language of ["en", "zh"])
  test(`predictions stand against every published measurement, summed up by engine, with the misses first: ${language}`, () =>
    visit("#v=accuracy&m=Qwen/QwQ-32B&d=h100-sxm-80gb", "table.list.errors tbody tr", async (page) => {
      const folder = join(root, "tests/measurements");
      const rows = readdirSync(folder).filter((f) => f.endsWith(".jsonl")).flatMap((f) => readFileSync(join(folder, f), "utf8").split("\n").filter(Boolean)).map((text) => JSON.parse(text)).filter((row) => typeof row.value === "number" && row.request);
      await page.locator(".more-rows button").click();
      const shown = page.locator(".scroll.wide table.list tbody tr");
      assert.equal(await shown.count(), rows.length);
      const summed = await page.locator("table.errors").first().locator("tbody tr > :nth-child(3)").allInnerTexts();
      assert.equal(summed.reduce((sum, n) => sum + Number(n.replace(/,/g, "")), 0), rows.length);
      const byClass = await page.locator("table.errors").nth(1).locator("tbody tr").evaluateAll((all) => all.map((r) => [...r.cells].map((c) => c.textContent)));
      assert.ok(byClass.some((row) => /^NVIDIA /.test(row[0])) && byClass.some((row) => /^AMD |^Apple /.test(row[0])));
      const speeds = readFileSync(join(folder, "inference_speed.jsonl"), "utf8").split("\n").filter(Boolean).length;
      assert.equal(byClass.reduce((sum, row) => sum + Number(row[2].replace(/,/g, "")), 0), speeds);
      const errors = (await shown.locator(":nth-child(6)").allInnerTexts()).map((t) => Number(t.replace(/[^\d.]/g, ""))).filter((n) => !Number.isNaN(n));
      assert.ok(errors[0] >= errors[errors.length - 1]);
      assert.ok((await page.locator("figure.scatter circle").count()) > 20);
      await shown.first().getByRole("button").click();
      await page.waitForSelector("#f-model");
    }, { language }));

test("the answer as Markdown, CSV and JSON, and as the engine's command", () =>
  visit(hashOf({ m: "Qwen/QwQ-32B", w: "fp8", d: "h100-sxm-80gb", n: 2, x: 8192, "options.max_num_seqs": 64 }), ".take button", async (page) => {
    const given = async (name) => {
      await page.getByRole("button", { name, exact: true }).click();
      return page.locator(".given").innerText();
    };
    assert.match(await given("Copy as Markdown"), /\*\*QwQ 32B\*\*: Fits on 2 × H100[\s\S]*\| Weights \| [\d.]+ GiB/);
    await page.getByRole("button", { name: "CSV", exact: true }).click();
    await page.waitForFunction(() => document.querySelector(".given").innerText.startsWith("path,name"));
    assert.match(await page.locator(".given").innerText(), /memory\.per_device\.total,Total,\d+/);
    await page.getByRole("button", { name: "JSON", exact: true }).click();
    await page.waitForFunction(() => document.querySelector(".given").innerText.startsWith("{"));
    const { request, answer } = JSON.parse(await page.locator(".given").innerText());
    assert.deepEqual([request.devices, request.engine, answer.ok], [2, "vllm", true]);
    await page.getByRole("button", { name: "Command line", exact: true }).click();
    await page.waitForFunction(() => /vllm serve/.test(document.querySelector(".given").innerText));
    const command = await page.locator(".given").innerText();
    for (const part of ["vllm serve Qwen/QwQ-32B", "--tensor-parallel-size 2", "--max-model-len 8192", "--quantization fp8", "--max-num-seqs 64"]) assert.ok(command.includes(part), command);
    await page.locator("#f-weights").selectOption('"Q4_K_M"');
    await page.getByRole("button", { name: "Command line", exact: true }).click();
    await page.waitForFunction(() => /llama-server -m QwQ-32B-Q4_K_M\.gguf[\s\S]*-c 8192/.test(document.querySelector(".given")?.innerText ?? ""));
  }));
