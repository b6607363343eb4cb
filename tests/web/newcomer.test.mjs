// What somebody who has never been here meets: the answer on the first screen, nothing that moves, links that hold the set-up, and pages that
// fit a zoom, a printer and a high-contrast theme.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { hashMatches, hashOf, kDesktop, kPhone, open, visits, wake } from "./support.mjs";

const here = visits();
const { visit } = here;
const kOn24 = hashOf({ m: "Qwen/Qwen3-32B", d: "rtx-4090" });
const choose = async (page, field, text) => {
  await page.locator(field).fill(text);
  await page.keyboard.press("Enter");
};

for (const [language, viewport, words] of [["zh", kPhone, { fits: /放得下/, speed: /生成速度 [\d.]+\s词元\/秒/, room: /余 [\d.]+\sGiB · [\d.]+\s词元\/秒/ }], ["en", kDesktop, { fits: /^Fits on/, speed: /writes [\d.]+\stokens\/s/, room: /[\d.]+\sGiB to spare · [\d.]+\stokens\/s/ }]])
  test(`does Qwen3-32B run on my 24 GB card, and how fast: two fields, and the answer on the first screen: ${language}, ${viewport.width} px`, () =>
    visit("", async (page) => {
      await choose(page, "#f-model", "Qwen3-32B");
      await choose(page, "#f-device", "4090 24 gb");
      await page.waitForSelector(".advice li small:not(:empty)");
      assert.match(await page.locator(".verdict span").first().innerText(), words.fits);
      assert.match(await page.locator(".pace").innerText(), words.speed);
      const ways = await page.locator(".advice li button").allInnerTexts();
      assert.ok(ways.length >= 2, "what it takes on one card");
      for (const way of ways) assert.match(way, words.room);
      for (const part of [".verdict", ".pace", ".advice", ".bar .stack"]) {
        const { top, bottom } = await page.locator(part).first().evaluate((e) => e.getBoundingClientRect());
        assert.ok(top >= 0 && bottom <= viewport.height, `${part} lies from ${top} to ${bottom}`);
      }
      await page.locator(".advice li button").first().click();
      await page.waitForFunction(() => /1 × GeForce RTX 4090/.test(document.querySelector(".verdict").innerText) && document.querySelector("section.ticket.fits"));
      await hashMatches(page, /w=Q\d.*n=1|n=1.*w=Q\d/);
    }, { language, viewport }));

for (const [what, hash, options] of [["the example, desktop", "", {}], ["the example, phone", "", { viewport: kPhone }], ["a link, phone, zh", kOn24, { viewport: kPhone, language: "zh" }], ["training", "#v=train&m=meta-llama/Llama-3.1-8B&d=rtx-4090", {}]])
  test(`nothing moves while the page comes up: ${what}`, async () => {
    const context = await here.browser.newContext({ viewport: options.viewport ?? kDesktop, locale: options.language === "zh" ? "zh-CN" : "en-US" });
    const page = await context.newPage();
    await page.addInitScript(() => {
      globalThis.moved = [];
      new PerformanceObserver((list) => list.getEntries().forEach((e) => globalThis.moved.push(`${e.value} ${e.sources.map((s) => s.node?.className?.baseVal ?? s.node?.className ?? s.node?.nodeName).join(" ")}`))).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(here.server.url + hash);
    await wake(page);
    await page.waitForSelector(".below .number");
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150))));
    assert.deepEqual(await page.evaluate(() => globalThis.moved), []);
    await context.close();
  });

test("the links to the views hold the whole set-up, so that they open beside it", () =>
  visit(hashOf({ m: "Qwen/Qwen3-32B", w: "Q4_K_M", d: "rtx-3090", n: 1, p: 2000 }), async (page) => {
    const links = await page.locator(".views a").evaluateAll((all) => Object.fromEntries(all.map((a) => [/v=(\w+)/.exec(a.hash)?.[1] ?? "serve", a.hash])));
    for (const [view, hash] of Object.entries(links)) assert.match(hash, /m=Qwen\/Qwen3-32B.*d=rtx-3090/, view);
    const other = await open(here.browser, here.server.url + links.devices);
    await other.page.waitForSelector("table.list");
    await other.page.getByRole("link", { name: "Serve" }).click();
    await other.page.waitForSelector("#f-workload-prompt_tokens");
    assert.equal(await other.page.locator("#f-workload-prompt_tokens").inputValue(), "2000");
    await other.context.close();
  }));

for (const [language, words] of [["en", /view called “planets”/], ["zh", /“planets”视图/]])
  test(`a link to a view that there is none of says so, and keeps the set-up: ${language}`, () =>
    visit("#v=planets&m=meta-llama/Llama-3.1-8B&d=rtx-4090", async (page) => {
      assert.match(await page.locator(".notice").innerText(), words);
      assert.match(await page.locator(".what").innerText(), /Llama 3\.1 8B/);
    }, { language }));

for (const viewport of [kDesktop, kPhone])
  test(`what is wrong is listed with the answer, and leads to its field: ${viewport.width} px`, () =>
    visit(hashOf({ m: "Qwen/QwQ-32B", d: "h100-sxm-80gb", p: -5, "parallel.tensor": -1 }), async (page) => {
      assert.equal(await page.locator(".wrongs li").count(), 2);
      for (const [name, field] of [["Prompt", "f-workload-prompt_tokens"], ["Tensor", "f-parallel-tensor"]]) {
        await page.locator(".wrongs button", { hasText: name }).click();
        await page.waitForFunction((id) => document.activeElement.id === id && document.activeElement.checkVisibility(), field);
      }
      await page.keyboard.press("Control+a");
      await page.keyboard.type("1");
      await page.locator("#f-workload-prompt_tokens").fill("100");
      await page.waitForSelector(".verdict svg");
      assert.equal(await page.locator(".wrongs").count(), 0);
    }, { viewport }));

test("the answer as a picture: SVG with its words and parts, PNG twice as sharp", async () => {
  const context = await here.browser.newContext({ acceptDownloads: true, locale: "zh-CN", viewport: kDesktop, colorScheme: "dark" });
  const page = await context.newPage();
  await page.goto(here.server.url + kOn24);
  await page.waitForSelector(".take button");
  const saved = async (name) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name, exact: true }).click()]);
    assert.match(download.suggestedFilename(), /^weighbridge-qwen3-32b\.(svg|png)$/);
    return readFile(await download.path());
  };
  const svg = (await saved("图片 SVG")).toString();
  const [wrong, words, width] = await page.evaluate((text) => {
    const drawn = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    return [drawn.querySelector("parsererror")?.textContent, drawn.textContent, drawn.getAttribute("width")];
  }, svg);
  assert.equal(wrong, undefined);
  for (const word of ["Qwen3 32B", "放得下", "词元/秒", "权重", "KV 缓存", "合计"]) assert.ok(words.includes(word), word);
  const png = await saved("图片 PNG");
  assert.equal(png.toString("latin1", 1, 4), "PNG");
  assert.equal(png.readUInt32BE(16), 2 * Number(width));
  await context.close();
});

const kViews = ["serve", "train", "compare", "models", "devices", "formulas", "card", "accuracy"];
const kSizes = [["at 200 % zoom", { width: 720, height: 450 }, "screen"], ["on a narrow phone", { width: 320, height: 640 }, "screen"], ["on paper", { width: 718, height: 1000 }, "print"]];

test("at 200 % zoom, on a narrow phone and on paper no view is wider than its page", async () => {
  const { page, context } = await open(here.browser, here.server.url + kOn24);
  for (const view of kViews) {
    await page.evaluate((v) => [...document.querySelectorAll(".views a")].find((a) => (/v=(\w+)/.exec(a.hash)?.[1] ?? "serve") === v).click(), view);
    await page.waitForSelector(view === "serve" || view === "train" ? "#answer .verdict svg" : ".page h2");
    for (const [what, viewport, media] of kSizes) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ media });
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= room, `${what}, ${view}: ${wide} px of content in ${room}`);
      if (media === "print") assert.equal(await page.locator("nav.views").isVisible(), false, "paper needs no links to other views");
    }
  }
  await context.close();
});

test("in forced colours the parts keep theirs, and with reduced motion nothing is animated", async () => {
  const { page, context } = await open(here.browser, here.server.url + kOn24);
  const fills = () => page.locator(".stack .part rect").evaluateAll((all) => all.map((r) => getComputedStyle(r).fill));
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  const forced = await fills();
  assert.equal(new Set(forced).size, forced.length, "told apart");
  assert.equal(await page.locator(".switch button[aria-pressed=true]").first().evaluate((b) => getComputedStyle(b).backgroundColor !== getComputedStyle(b.parentElement.querySelector("[aria-pressed=false]")).backgroundColor), true, "what is chosen shows");
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll("*")].filter((e) => { const { transitionDuration: t } = getComputedStyle(e); return t !== "0s"; }).map((e) => e.className)), []);
  await context.close();
});
