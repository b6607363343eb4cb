// The installed page: after one visit it needs no network, and it says when there is a new version.
import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { join } from "node:path";

import puppeteer from "puppeteer-core";

import { browserPath, hashOf, host, kFlags, kPatience, launch, site, temporaryFolder } from "./support.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const kPrefix = "/docs/tools/weighbridge/";
const kLlama = hashOf({ m: "meta-llama/Llama-3.1-8B", w: "Q4_K_M", d: "rtx-4090" });
const installed = (page) => page.evaluate(() => navigator.serviceWorker.ready.then((r) => r.active.state === "activated" || new Promise((done) => r.active.addEventListener("statechange", () => done(true)))));

test("after one visit everything works without a network, under any path", async () => {
  const server = await host({ prefix: kPrefix });
  const context = await browser.newContext({ locale: "en-US" });
  context.setDefaultTimeout(kPatience);
  const page = await context.newPage();
  try {
    await page.goto(server.url + kLlama);
    await page.waitForSelector("#answer .verdict");
    await installed(page);
    await server.close();                                      // the network is gone for good
    const errors = [];
    page.on("pageerror", (e) => errors.push(String(e)));
    await page.goto("about:blank");
    await page.goto(server.url + kLlama);
    await page.waitForFunction(() => /Fits on 1 × GeForce RTX 4090/.test(document.querySelector("#answer .verdict")?.innerText ?? ""));
    await page.locator("button.number").first().click();       // the work behind a number comes later than the page
    await page.waitForSelector("dialog[open] math");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "中文" }).click();
    await page.waitForFunction(() => document.documentElement.lang === "zh-CN");
    for (const [view, drawn] of [["train", "main.train .verdict svg"], ["compare", "main.compare .page > h2"], ["card", "main.card table.list tr"], ["models", "main.models tbody tr"], ["devices", "main.devices tbody tr"], ["formulas", ".entry math"], ["accuracy", "table.errors"]]) {
      await page.click(`nav.views a[href*="v=${view}"]`);
      await page.waitForSelector(drawn);
    }
    const names = await page.evaluate(async () => (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map((r) => new URL(r.url).pathname)))).flat());
    const kept = new Set(names.map((name) => name.slice(kPrefix.length)));
    const { readdir } = await import("node:fs/promises");
    for (const file of await readdir(join(site, "assets"))) assert.ok(kept.has(`assets/${file}`), `${file} is kept`);
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    await server.close().catch(() => {});
  }
});

test("it can be installed: a manifest with a name, icons of their size, and a scope of its own", async () => {
  const server = await host({ prefix: kPrefix });
  const context = await browser.newContext();
  const page = await context.newPage();
  try {
    await page.goto(server.url);
    const manifest = await page.evaluate(async () => {
      const link = document.querySelector("link[rel=manifest]");
      const text = await (await fetch(link.href)).json();
      const icons = await Promise.all(text.icons.map(async ({ src, sizes }) => {
        const image = new Image();
        image.src = new URL(src, link.href).href;
        await image.decode();
        return `${image.naturalWidth}x${image.naturalHeight}` === sizes;
      }));
      return { ...text, start: new URL(text.start_url, link.href).pathname, icons };
    });
    assert.equal(manifest.name, "Weighbridge");
    assert.equal(manifest.start, kPrefix);
    assert.deepEqual(manifest.icons, [true, true, true]);
    const session = await context.newCDPSession(page);
    await installed(page);
    const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
    assert.deepEqual(installabilityErrors.filter((e) => !["in-incognito", "no-acceptable-icon"].includes(e.errorId)), []);
  } finally {
    await context.close();
    await server.close();
  }
});

test("a new version is told of and taken on a click; nothing that was chosen is lost", () =>
  temporaryFolder(async (folder) => {
    await cp(site, folder, { recursive: true });
    const server = await host({ root: folder });
    // A debugger that is attached to a service worker holds it back: of twelve new versions that were taken, one never was. This one stays away from it.
    const free = await puppeteer.launch({
      executablePath: browserPath(), args: [...kFlags, "--lang=zh-CN", "--accept-lang=zh-CN"], targetFilter: (target) => target.type() !== "service_worker",
    });
    const answered = () => document.querySelector("#answer .verdict");
    const answeredAnew = () => document.querySelector("title[data-next]") && document.querySelector("#answer .verdict");
    const told = () => document.querySelector(".version button");
    const press = () => document.querySelector(".version button").click();
    const open = async () => {
      const page = await free.newPage();
      page.setDefaultTimeout(kPatience);
      await page.goto(server.url + kLlama);
      return page;
    };
    const nextIsThere = () => document.querySelector("title[data-next]") !== null;
    try {
      const page = await open();
      await page.waitForFunction(answered);
      await installed(page);
      const html = join(folder, "index.html");
      await writeFile(html, (await readFile(html, "utf8")).replace("<title>", "<title data-next>"));
      const worker = join(folder, "sw.js");
      await writeFile(worker, (await readFile(worker, "utf8")).replace(/("index\.html",\s*"?revision"?:\s*"|url:"index\.html",revision:")[0-9a-f]+/, "$1next"));
      await page.reload();
      await page.waitForFunction(told);
      const second = await open();
      await second.waitForFunction(told);
      assert.match(await page.evaluate(() => document.querySelector(".version").innerText), /有新版本/, "in the reader's language");
      assert.equal(await page.evaluate(nextIsThere), false, "not before it is wanted");
      await page.evaluate(press);
      await page.waitForFunction(answeredAnew);
      assert.equal(new URL(page.url()).hash, kLlama);
      assert.equal(await page.evaluate(told), null);
      // Another tab was told too; the new version is there by now, and it follows on its own click.
      assert.equal(await second.evaluate(nextIsThere), false);
      await second.evaluate(press);
      await second.waitForFunction(answeredAnew);
      assert.equal(new URL(second.url()).hash, kLlama);
    } finally {
      await free.close();
      await server.close();
    }
  }));
