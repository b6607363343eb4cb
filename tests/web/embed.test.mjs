// <weigh-bridge> in somebody else's page, under a strict policy.
import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { join } from "node:path";

import { host, kDesktop, kPhone, launch, root, temporaryFolder } from "./support.mjs";

const document = (body, lang = "en") => `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><title>Somebody's page</title><link rel="icon" href="data:,">
<script type="module" src="weigh-bridge.js"></script></head><body><h1>Docs</h1>${body}</body></html>`;

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const embedded = (html, use, { lang, javaScriptEnabled = true } = {}) =>
  temporaryFolder(async (folder) => {
    await copyFile(join(root, "dist/embed/weigh-bridge.js"), join(folder, "weigh-bridge.js"));
    await writeFile(join(folder, "index.html"), document(html, lang));
    const server = await host({ root: folder });
    const context = await browser.newContext({ locale: "en-US", javaScriptEnabled });
    context.setDefaultTimeout(8000);
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (e) => errors.push(String(e)));
    page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
    try {
      await page.goto(server.url);
      await use(page, errors);
    } finally {
      await context.close();
      await server.close();
    }
  });

test("attributes are weighed, a changed attribute is weighed again, and nothing leaks into the page", () =>
  embedded('<weigh-bridge id="one" model="meta-llama/Llama-3.1-8B" weights="Q4_K_M" device="rtx-4090">About 5 GB.</weigh-bridge>', async (page, errors) => {
    await page.waitForSelector("weigh-bridge[ready]");
    const text = () => page.locator("#one").evaluate((e) => e.shadowRoot.textContent);
    assert.match(await text(), /Fits on 1 × GeForce RTX 4090/);
    await page.locator("#one").evaluate((e) => e.setAttribute("device", "h100-sxm-80gb"));
    await page.waitForFunction(() => /H100/.test(document.querySelector("#one").shadowRoot.textContent));
    assert.equal(await page.evaluate(() => document.querySelectorAll("head style, head link[rel=stylesheet]").length), 0);
    assert.equal(await page.locator("h1").evaluate((e) => getComputedStyle(e).fontFamily === getComputedStyle(document.body).fontFamily), true);
    assert.deepEqual(errors, []);
  }));

test("several elements share one core; the language is that of the nearest lang", () =>
  embedded(`<weigh-bridge model="Qwen/QwQ-32B" device="h100-sxm-80gb">a</weigh-bridge><div lang="zh"><weigh-bridge model="Qwen/QwQ-32B" device="h100-sxm-80gb">b</weigh-bridge></div>`, async (page, errors) => {
    await page.waitForFunction(() => document.querySelectorAll("weigh-bridge[ready]").length === 2);
    const texts = await page.locator("weigh-bridge").evaluateAll((all) => all.map((e) => e.shadowRoot.textContent));
    assert.match(texts[0], /Fits on/);
    assert.match(texts[1], /放得下/);
    assert.deepEqual(errors, []);
  }));

test("the example beside the module shows every kind, in both themes, and axe finds nothing in it", async () => {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const server = await host({ root: join(root, "dist/embed") });
  try {
    for (const viewport of [kDesktop, kPhone])
      for (const colorScheme of ["light", "dark"]) {
        const context = await browser.newContext({ viewport, colorScheme, locale: "en-US" });
        const page = await context.newPage();
        const errors = [];
        page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
        await page.goto(server.url);
        for (const one of await page.locator("weigh-bridge").all()) await one.scrollIntoViewIfNeeded();
        await page.waitForFunction(() => document.querySelectorAll("weigh-bridge[ready]").length === 4);
        const texts = await page.locator("weigh-bridge").evaluateAll((all) => all.map((e) => e.shadowRoot.textContent));
        assert.match(texts[0], /Fits on 1 × H100/);
        assert.match(texts[1], /Short by [\d.]+\sGB/);
        assert.match(texts[2], /放得下/);
        assert.match(texts[3], /Needs \d+\sGiB in all/);
        assert.match(await page.locator("weigh-bridge").nth(1).locator("a").getAttribute("href"), /^\.\.\/site\/#m=Qwen\/QwQ-32B&w=bf16&d=rtx-4090&n=1$/);
        assert.ok(await page.getByText("About 5 GB of weights.").isVisible());
        const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= room, `${wide} px of content in ${room}`);
        await page.evaluate(axe);
        const violations = await page.evaluate(async () => (await axe.run("weigh-bridge")).violations.map((v) => `${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`));
        assert.deepEqual(violations, []);
        assert.deepEqual(errors, []);
        await context.close();
      }
  } finally {
    await server.close();
  }
});

test("the text inside stays when there is no answer, and when there is no script", async () => {
  const inner = '<weigh-bridge model="no/such-model-at-all" device="rtx-4090">About 5 GB of weights.</weigh-bridge>';
  await embedded(inner, async (page) => {
    await page.waitForFunction(() => document.querySelector("weigh-bridge").title !== "");
    assert.equal(await page.locator("weigh-bridge[ready]").count(), 0);
    assert.ok(await page.getByText("About 5 GB of weights.").isVisible());
    await page.locator("weigh-bridge").evaluate((e) => e.setAttribute("model", "Qwen/QwQ-32B"));
    await page.waitForSelector("weigh-bridge[ready]");
  });
  await embedded(inner, async (page) => assert.ok(await page.getByText("About 5 GB of weights.").isVisible()), { javaScriptEnabled: false });
});
