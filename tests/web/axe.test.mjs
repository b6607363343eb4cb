// axe-core finds nothing in any main state of the page: in both languages, themes and sizes. What is folded on a phone is unfolded too.
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
// Each language in both themes and both sizes.
const kLooks = {
  en: [{ viewport: kDesktop, theme: "light" }, { viewport: kPhone, theme: "dark" }],
  zh: [{ viewport: kDesktop, theme: "dark" }, { viewport: kPhone, theme: "light" }],
};
const kRules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// The rows of a long list are alike: all of them are looked at once, and those that a search leaves in every other look.
const kSearches = { models: "llama", devices: "rtx 40", formulas: "kv_pool", card: "llama" };

// One page goes through all states, as a reader's does.
for (const [language, looks] of Object.entries(kLooks))
  test(language, async (t) => {
    const { page, context } = await open(here.browser, here.server.url + kStates["it fits"], { ...looks[0], language });
    await page.evaluate(axe);
    let seen;
    const look = async (what) => {
      const violations = await page.evaluate(async ([runOnly, within]) => {
        const { violations } = await axe.run(within ?? document, { resultTypes: ["violations"], runOnly });
        return violations.map((v) => `${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`);
      }, [kRules, what === "work" ? "dialog[open]" : undefined]);
      assert.deepEqual(violations, [], `${what}, ${JSON.stringify(seen)}`);
    };
    try {
      for (const [state, hash] of Object.entries(kStates))
        await t.test(state, async () => {
          await page.evaluate((to) => { location.hash = to; }, hash);
          const shown = /v=(\w+)/.exec(hash)?.[1];
          await page.waitForSelector(shown === "train" ? "main.train .verdict svg" : shown ? `main.${shown} .page > h2` : "main:not(.screen):not(.train) .verdict svg, main:not(.screen):not(.train) .wrongs");
          if (state === "accuracy") await page.waitForSelector("table.errors");
          for (const one of looks) {
            seen = one;
            await page.setViewportSize(one.viewport);
            await page.emulateMedia({ colorScheme: one.theme });
            if (kSearches[state] && (language === "en") === (one === looks[1])) {
              const all = await page.locator("main :is(tbody tr, .entry)").count();
              await page.locator("main input[type=search]").fill(kSearches[state]);
              await page.waitForFunction((n) => document.querySelectorAll("main :is(tbody tr, .entry)").length < n, all);
            }
            await look("page");
            if ((await page.locator("button.number").count()) > 0) {
              await page.locator("button.number").first().click();
              await page.waitForSelector("dialog[open] .result");
              await look("work");
              await page.keyboard.press("Escape");
              await page.waitForFunction(() => !document.querySelector("dialog[open]"));
            }
            if (state !== "it fits") continue;
            await page.locator("#f-model").fill("llama");
            await page.waitForSelector("[role=listbox] [role=option]");
            await look("list");
            await page.keyboard.press("Escape");
            if (!(await page.locator(".cog").isVisible())) continue;
            await page.locator(".cog").click();
            await page.locator(".folding").click();
            await look("unfolded");
          }
        });
    } finally {
      await context.close();
    }
  });
