// The page stands there with its first answer before its scripts have come, and fetches them when its reader turns to it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { hashOf, kPatience, kPhone, visits } from "./support.mjs";

const here = visits();

/** A page that nobody has touched; `asked` collects the files that it fetches. */
async function untouched(use, { hash = "", init, ...options } = {}) {
  const context = await here.browser.newContext({ locale: "en-US", serviceWorkers: "block", ...options });
  context.setDefaultTimeout(kPatience);
  const page = await context.newPage();
  const asked = [], errors = [];
  page.on("request", (request) => asked.push(request.url().replace(here.server.url, "").replace(/#.*|-[^-]*(?=\.\w+$)/g, "")));
  page.on("pageerror", (error) => errors.push(String(error)));
  try {
    if (init) await page.addInitScript(init);
    await page.goto(here.server.url + hash);
    await use(page, asked);
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
  }
}

const ready = (page) => page.waitForSelector("weigh-page[ready]");

// What a page puts off for seconds is put off until seconds() here: how fast this machine is does not count.
const kPutOff = () => {
  const putOff = [], soon = globalThis.setTimeout;
  globalThis.setTimeout = (act, ms, ...given) => (ms >= 3000 ? putOff.push(act) : soon(act, ms, ...given));
  globalThis.seconds = () => putOff.forEach((act) => act());
};

test("nothing that computes is fetched until then; a reader who only reads has it after some seconds", () =>
  untouched(async (page, asked) => {
    await page.waitForTimeout(500);
    assert.equal(await page.locator("weigh-page[ready]").count(), 0);
    assert.deepEqual(asked.filter((file) => /\.(lzma|js)$/.test(file)).sort(), ["assets/index.js", "start.js"]);
    assert.match(await page.locator("#answer .verdict").innerText(), /Fits on/);
    await page.evaluate(() => globalThis.seconds());
    await ready(page);
    assert.ok(asked.some((file) => file.endsWith(".lzma")));
  }, { init: kPutOff }));

test("a link, and a reader of another language, have it at once", async () => {
  for (const options of [{ hash: hashOf({ m: "Qwen/Qwen3-32B", d: "rtx-4090" }) }, { locale: "zh-CN" }])
    await untouched(ready, { init: kPutOff, ...options });
});

test("what was tapped first is done once it can be", () =>
  untouched(async (page) => {
    await page.getByRole("button", { name: /Change the set-up/ }).tap();
    await page.waitForSelector("form.request[data-adjusting]");
    assert.ok(await page.locator("#f-workload-prompt_tokens").isVisible());
  }, { viewport: kPhone, hasTouch: true, isMobile: true }));

test("by keyboard the focus stays where it was", () =>
  untouched(async (page) => {
    await page.keyboard.press("Tab");
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
    assert.equal(await focused(), "Skip to the answer");
    await ready(page);
    await page.waitForFunction(() => document.activeElement !== document.body);
    assert.equal(await focused(), "Skip to the answer");
  }));

test("a key that presses a button before its script has come is not lost", () =>
  untouched(async (page) => {
    await page.route(/\/app-[^/]*\.js$/, async (route) => (await new Promise((done) => setTimeout(done, 400)), route.continue()));
    const button = page.getByRole("button", { name: "中文" });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.documentElement.lang === "zh-CN");
    await page.waitForFunction(() => /放得下/.test(document.querySelector("#answer .verdict").innerText));
  }));

test("an example that was clicked first is what is answered", () =>
  untouched(async (page) => {
    await page.locator("nav.examples a", { hasText: "Llama 3.1 8B" }).click();
    await page.waitForFunction(() => /RTX 4090/.test(document.querySelector("#answer .verdict").innerText));
    await ready(page);
  }));

test("a field that was clicked first takes what is typed once it can", () =>
  untouched(async (page) => {
    await page.locator("#f-workload-concurrency").click();
    await ready(page);
    await page.waitForFunction(() => document.activeElement.id === "f-workload-concurrency");
    const before = await page.locator("#answer .verdict").innerText();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("9");
    await page.waitForFunction((text) => document.querySelector("#answer .verdict").innerText !== text, before);
  }));
