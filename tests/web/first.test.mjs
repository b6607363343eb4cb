// The answer that stands in the page before its scripts have run: the same as the calculator's, and never the answer to something else.
import assert from "node:assert/strict";
import { test } from "node:test";

import { hashOf, kDesktop, kPhone, open, visits } from "./support.mjs";

const here = visits();
const read = () => ({
  answer: document.querySelector("#answer").innerText.replace(/\s+/g, " "), bar: [...document.querySelectorAll("#answer svg.stack :is(rect, line)")].map((r) => ["x", "width", "x1"].map((a) => r.getAttribute(a))),
  fields: [...document.querySelectorAll("form.request input, form.request select")].filter((f) => f.type !== "file").map((f) => [f.id, f.tagName === "SELECT" ? f.selectedOptions[0].textContent.trim() : f.value || f.placeholder]),
  head: document.querySelector("weigh-page > header").innerText.replace(/\s+/g, " "), hidden: getComputedStyle(document.querySelector("#answer")).visibility,
});
// The page as it is without its module: what stands there until the calculator has come.
const still = async (url, { viewport = kDesktop, locale = "en-US", storage } = {}) => {
  const context = await here.browser.newContext({ viewport, locale });
  const page = await context.newPage();
  if (storage) await page.addInitScript((text) => localStorage.setItem("weighbridge", text), storage);
  await page.route(/\/assets\/.*\.js$/, (route) => route.abort());
  await page.goto(url);
  const seen = await page.evaluate(read);
  const lang = await page.evaluate(() => document.documentElement.lang);
  await context.close();
  return { ...seen, lang };
};

for (const viewport of [kDesktop, kPhone])
  test(`it is what the calculator says: ${viewport.width} px`, async () => {
    const { page, context, errors } = await open(here.browser, here.server.url, { viewport });
    const live = await page.evaluate(read);
    await context.close();
    const { lang: _, ...first } = await still(here.server.url, { viewport });
    assert.ok(first.fields.length > 10 && first.bar.length > 5);
    live.fields = live.fields.filter(([id]) => first.fields.some(([other]) => other === id)); // those of the engine's options come later
    assert.deepEqual(first, live);
    assert.match(first.answer, /Fits on .* to spare/);
    assert.deepEqual(errors, []);
  });

test("where something else was asked for, or in another language or unit, nothing wrong is shown", async () => {
  assert.equal((await still(here.server.url)).hidden, "visible");
  assert.equal((await still(here.server.url + hashOf({ m: "meta-llama/Llama-3.1-8B", d: "rtx-4090" }))).hidden, "hidden");
  const chinese = await still(here.server.url, { locale: "zh-CN" });
  assert.deepEqual([chinese.hidden, chinese.lang], ["hidden", "zh-CN"]);
  assert.equal((await still(here.server.url, { storage: '{"unit":"GB"}' })).hidden, "hidden");
});

test("without JavaScript the answer and a word about it stand there", async () => {
  const context = await here.browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(here.server.url);
  assert.match(await page.locator("#answer .verdict").innerText(), /Fits on/);
  assert.match(await page.locator("noscript").innerText(), /needs JavaScript/);
  await context.close();
});

test("what is changed is answered by the first core alone; the whole one comes when more is asked, and may come late", async () => {
  const { page, context, errors } = await open(here.browser, here.server.url);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  const cores = () => asked.filter((url) => url.endsWith(".lzma")).map((url) => url.replace(/.*\/|-[^-]*$/g, ""));
  const before = await page.locator("#answer .verdict").innerText();
  await page.fill("#f-workload-concurrency", "7");
  await page.waitForFunction((text) => document.querySelector("#answer .verdict").innerText !== text, before);
  assert.deepEqual(cores(), []);
  let lost = true;
  await page.route(/\/weighbridge-[^/]*\.lzma$/, (route) => (lost ? route.abort() : route.continue()));
  await page.click('nav.views a[href*="v=train"]');
  await page.waitForSelector(".notice");
  lost = false;
  await page.click('nav.views a[href*="v=train"]');
  await page.waitForSelector("main.train .verdict");
  assert.deepEqual([...new Set(cores())], ["weighbridge"]);
  assert.match(page.url(), /v=train/);
  assert.ok(errors.every((text) => /ERR_FAILED|not loaded/.test(text)), errors.join("\n"));
  await context.close();
});
