// The network is lost while the page stands there: what comes later does not come, the page says so, and the same again brings it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { hashOf, kPatience, visits } from "./support.mjs";

const here = visits();
const kSaid = { en: /could not be fetched[^]*once you are online/, zh: /未能下载[^]*联网后/ };
const drop = (page) => page.evaluate(() => {
  const data = new DataTransfer();
  data.items.add(new File(['{"model_type":"llama"}'], "config.json"));
  window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
});

for (const [what, language, files, act, came] of [
  ["another language", "en", /\/zh-[^/]*\.js/, (page) => page.getByRole("button", { name: "中文" }).click(), () => document.documentElement.lang === "zh-CN"],
  ["the work behind a number", "zh", /\/work-[^/]*\.js/, (page) => page.locator("button.number").first().click(), () => document.querySelector("dialog[open] math")],
  ["another view", "zh", /\/models-[^/]*\.js/, (page) => page.click('nav.views a[href*="v=models"]'), () => document.querySelector("main.models table")],
  ["what reads files", "en", /\/files-[^/]*\.js/, drop, () => /hidden_size/.test(document.querySelector("#f-model-error")?.innerText ?? "")],
  ["what copies", "en", /\/share-[^/]*\.js/, (page) => page.getByRole("button", { name: "CSV", exact: true }).click(), () => document.querySelector(".given")],
  ["the whole calculator", "zh", /\/weighbridge-[^/]*\.lzma/, (page) => page.locator("nav.views a").nth(1).click(), () => document.querySelector("main.train .verdict svg")],
])
  test(what, async () => {
    const context = await here.browser.newContext({ locale: language === "zh" ? "zh-CN" : "en-US", serviceWorkers: "block" });
    context.setDefaultTimeout(kPatience);
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    try {
      await page.route(files, (route) => route.abort("internetdisconnected"));
      await page.goto(here.server.url + hashOf({ m: "Qwen/QwQ-32B", w: "fp8", d: "h100-sxm-80gb" }));
      await page.waitForSelector(".below .number");
      await page.locator("#f-workload-prompt_tokens").fill("777");
      await page.waitForFunction(() => location.hash.includes("p=777"));
      await act(page);
      await page.waitForFunction((source) => new RegExp(source).test([...document.querySelectorAll(".notice, #f-model-error")].map((e) => e.innerText).join(" ")), kSaid[language].source);
      assert.match(page.url(), /m=Qwen\/QwQ-32B.*w=fp8.*p=777/, "what was chosen stays");
      await page.unroute(files);
      await act(page);
      await page.waitForFunction(came);
      await page.waitForFunction(() => document.querySelectorAll(".notice").length === 0);
      assert.deepEqual(errors, []);
    } finally {
      await context.close();
    }
  });
