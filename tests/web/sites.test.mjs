// <weigh-bridge> in pages as documentation tools make them: plain HTML, MkDocs Material, Docusaurus, VitePress, Sphinx.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { buildSite, kSites } from "./sites/build.mjs";
import { answered, host, kPatience, kStrict, launch, temporaryFolder } from "./support.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const verdict = (page) => page.locator("weigh-bridge [part=verdict]").innerText();
const says = (page, words) => page.waitForFunction((w) => document.querySelector("weigh-bridge")?.shadowRoot?.querySelector("[part=verdict]")?.textContent.includes(w), words);

for (const name of kSites)
  describe(name, () => {
    const visit = (use, { hash = "", ...context } = {}) =>
      temporaryFolder(async (folder) => {
        const html = await buildSite(name, folder);
        assert.match(html, /<weigh-bridge [^>]*model="meta-llama\/Llama-3.1-8B"[^>]*>\s*About 4.9 GB of weights/, "the page's text is in the HTML");
        const server = await host({ root: folder, headers: { "content-security-policy": `${kStrict}; connect-src 'self'` } });
        const opened = await browser.newContext({ locale: "en-US", ...context });
        opened.setDefaultTimeout(kPatience);
        const page = await opened.newPage();
        const said = [];
        page.on("console", (m) => ["error", "warning"].includes(m.type()) && said.push(m.text()));
        page.on("pageerror", (e) => said.push(String(e)));
        try {
          await page.goto(server.url + hash);
          await use(page);
          assert.deepEqual(said, [], "the console is quiet");
        } finally {
          await opened.close();
          await server.close();
        }
      });

    test("the element answers, looks as it should among the theme's styles, and follows its colour scheme", () =>
      visit(async (page) => {
        await answered(page);
        await says(page, "Fits on 1 × GeForce RTX 4090");
        const look = await page.locator("weigh-bridge").evaluate((e) => {
          const of = (s) => e.shadowRoot.querySelector(s);
          const box = (s) => of(s).getBoundingClientRect();
          const style = getComputedStyle(of(".ticket"));
          return { size: style.fontSize, around: getComputedStyle(e.parentElement).fontSize, spacing: style.letterSpacing, label: box("span.label.kv_cache").left, rect: box(".part.kv_cache rect").left, bar: box("svg").height, scheme: getComputedStyle(of(".ticket")).colorScheme };
        });
        assert.equal(look.size, look.around, "text of the size around it");
        assert.ok(Math.abs(look.label - look.rect) < 2 && look.bar === 56, JSON.stringify(look));
        const background = () => page.locator("weigh-bridge").evaluate((e) => getComputedStyle(e.shadowRoot.querySelector(".ticket")).backgroundColor);
        const light = await background();
        await page.locator("#theme").click();
        await page.waitForFunction((was) => getComputedStyle(document.querySelector("weigh-bridge").shadowRoot.querySelector(".ticket")).backgroundColor !== was, light);
        const [r] = /\d+/.exec(await background());
        assert.ok(Number(r) < 80, "a dark ground");
      }));

    test("another page and back again", () =>
      visit(async (page) => {
        await says(page, "RTX 4090");
        await page.getByRole("link", { name: "Second", exact: true }).click();
        await says(page, "H100");
        assert.match(await verdict(page), /Fits on 1 × H100/);
        assert.equal(await page.locator("weigh-bridge").count(), 1);
        await page.goBack();
        await says(page, "RTX 4090");
      }));

    test("without JavaScript the page's own text stands there", () =>
      visit(async (page) => assert.ok(await page.getByText("About 4.9 GB of weights").isVisible()), { javaScriptEnabled: false }));

    if (["docusaurus", "vitepress"].includes(name)) {
      test("the framework finds its markup as it left it, also when the element was there first; it changes attributes and hears of answers", () =>
        visit(async (page) => {
          await answered(page);
          await page.waitForTimeout(500);                  // until the framework has come too
          await page.locator("#device").click();
          await says(page, "H100");
          await page.waitForFunction(() => document.querySelector("#heard").textContent === "heard an answer");
        }, { hash: "#late" }));
    }
  });
