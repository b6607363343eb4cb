// axe-core finds nothing in any main state of the page: by theme and size, with the languages in turn. What is folded on a phone is unfolded too.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import { hashOf, kDesktop, kPhone, open, visits } from "./support.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const here = visits();
const kQwq = { m: "Qwen/QwQ-32B", d: "h100-sxm-80gb" };
const kStates = {
  "it fits": hashOf(kQwq),
  "it does not fit": hashOf({ m: "Qwen/QwQ-32B", d: "rtx-4090", n: 1 }),
  "no device": hashOf({ m: "Qwen/QwQ-32B" }),
  "wrong input": hashOf({ ...kQwq, p: -1 }),
  "a device of one's own, more settings open": hashOf({ m: "Qwen/QwQ-32B", "device.memory_bytes": 24e9, "device.bandwidth": 1e12, "options.block_size": 16 }),
  "models": "#v=models", "devices": "#v=devices", "accuracy": "#v=accuracy&m=Qwen/QwQ-32B&d=rtx-4090", "formulas": "#v=formulas&m=Qwen/QwQ-32B&d=rtx-4090", "card": "#v=card&m=Qwen/QwQ-32B&d=rtx-4090",
  "train": "#v=train&m=meta-llama/Llama-3.1-8B&d=rtx-4090&method=qlora", "compare": `#v=compare&m=Qwen/QwQ-32B&d=rtx-4090&s=${encodeURIComponent("m=Qwen/QwQ-32B&w=Q4_K_M&d=rtx-4090")}&s=${encodeURIComponent("m=Qwen/QwQ-32B&d=rtx-4090&n=1")}`,
  "the article's method": hashOf({ ...kQwq, method: "article" }),
};
const kViews = [
  { viewport: kDesktop, theme: "light", language: "en" }, { viewport: kDesktop, theme: "dark", language: "zh" },
  { viewport: kPhone, theme: "light", language: "zh" }, { viewport: kPhone, theme: "dark", language: "en" },
];

// One page goes through all states, as a reader's does.
for (const view of kViews)
  test(`${view.viewport.width} px, ${view.theme}, ${view.language}`, async (t) => {
    const { page, context } = await open(here.browser, here.server.url + kStates["it fits"], view);
    await page.evaluate(axe);
    const look = async (what) => {
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      assert.deepEqual(violations.map((v) => `${what}: ${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`), []);
    };
    try {
      for (const [state, hash] of Object.entries(kStates))
        await t.test(state, async () => {
          await page.evaluate((to) => { location.hash = to; }, hash);
          const shown = /v=(\w+)/.exec(hash)?.[1];
          await page.waitForSelector(shown === "train" ? "main.train .verdict svg" : shown ? `main.${shown} .page > h2` : "main:not(.screen):not(.train) .verdict svg, main:not(.screen):not(.train) .wrongs");
          if (state === "accuracy") await page.waitForSelector("table.errors", { timeout: 60_000 });
          await look("page");
          if ((await page.locator("button.number").count()) > 0) {
            await page.locator("button.number").first().click();
            await page.waitForSelector("dialog[open] .result");
            await look("work");
            await page.keyboard.press("Escape");
            await page.waitForFunction(() => !document.querySelector("dialog[open]"));
          }
          if (state !== "it fits") return;
          await page.locator("#f-model").fill("llama");
          await page.waitForSelector("[role=listbox] [role=option]");
          await look("list");
          await page.keyboard.press("Escape");
          if (!(await page.locator(".cog").isVisible())) return;
          await page.locator(".cog").click();
          await page.locator(".folding").click();
          await look("unfolded");
        });
    } finally {
      await context.close();
    }
  });
