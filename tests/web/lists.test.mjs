// The lists of models and devices.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { hashMatches, kPhone, open, root, visits } from "./support.mjs";

const here = visits("table.list");
const { visit } = here;
const rowsIn = (folder) => readdirSync(join(root, "core/data", folder)).flatMap((file) => JSON.parse(readFileSync(join(root, "core/data", folder, file), "utf8"))).flatMap((rows) => rows.devices ?? rows);
const column = (page, n) => page.locator(`table.list tbody tr > :nth-child(${n})`).allInnerTexts();
const number = (text) => Number(text.replace(/[^\d.]/g, ""));

for (const language of ["en", "zh"])
  test(`every model stands there, with the counted and the published total: ${language}`, () =>
    visit("#v=models", async (page) => {
      const rows = rowsIn("models");
      assert.equal(await page.locator("table.list tbody tr").count(), rows.length);
      const totals = new Map(rows.map((row) => [row.id, row.published_parameters]));
      const published = rows.map((row) => row.published_parameters ?? totals.get(row.published_as)).filter(Boolean);
      assert.ok(published.length > 250);
      const shown = (await column(page, 5)).map(number).filter(Boolean).sort((a, b) => a - b);
      assert.deepEqual(shown, published.sort((a, b) => a - b));
      assert.equal(await page.locator("table.list .muted[title]").count(), rows.length - published.length, "a reason where there is none");
      assert.equal(await page.locator("table.list a[href^='https://']").count() >= rows.length, true, "each with a source");
    }, { language }));

test("a column sorts, and again the other way; a search and a family narrow; a name opens the model with the device kept", () =>
  visit("#v=models&d=rtx-4090", async (page) => {
    const counted = page.locator("table.list thead th").nth(3);
    await counted.getByRole("button").click();
    assert.equal(await counted.getAttribute("aria-sort"), "descending");
    const down = (await column(page, 4)).map(number);
    assert.deepEqual(down, [...down].sort((a, b) => b - a));
    await counted.getByRole("button").click();
    const up = (await column(page, 4)).map(number);
    assert.deepEqual(up, [...up].sort((a, b) => a - b));
    await page.getByLabel("Find").fill("llama 3.1 8b");
    await page.waitForFunction(() => document.querySelectorAll("table.list tbody tr").length < 10);
    await page.getByRole("button", { name: "Llama 3.1 8B", exact: true }).click();
    await page.waitForFunction(() => /Llama 3\.1 8B/.test(document.querySelector(".what")?.innerText ?? "") && /4090/.test(document.querySelector(".verdict").innerText));
    await page.goBack();
    await page.waitForSelector("table.list");
  }));

test("every device stands there, with its sources; nothing is wider than a phone", () =>
  visit("#v=devices&m=Qwen/QwQ-32B", async (page) => {
    const rows = rowsIn("devices");
    assert.equal(await page.locator("table.list tbody tr").count(), rows.length);
    assert.equal((await page.locator("table.list details.sources summary").allInnerTexts()).filter((n) => parseInt(n, 10) > 0).length, rows.length);
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= room);
    await page.getByLabel("Maker").selectOption("Apple");
    await page.waitForFunction(() => [...document.querySelectorAll("table.list tbody tr > :nth-child(2)")].every((c) => c.innerText === "Apple"));
    await page.locator("table.list tbody th button").first().click();
    await page.waitForSelector("#answer .verdict");
    await hashMatches(page, /d=/);
  }, { viewport: kPhone }));

test("lists are loaded when they are asked for, and not before", async () => {
  const { page, context } = await open(here.browser, here.server.url);
  await page.waitForSelector(".below .number");
  const asked = await page.evaluate(() => performance.getEntriesByType("resource").map((e) => e.name));
  assert.deepEqual(asked.filter((url) => /\/(models|devices|table|hub|files|en-more|zh)-/.test(url)), []);
  await context.close();
});
