// Any static host: with the headers of the examples, under a path, with wrong types, without compression; and what is said when something is missing.
import assert from "node:assert/strict";
import { cp, readFile, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { join } from "node:path";

import { serve } from "../../scripts/static_server.mjs";
import { answered, hashOf, kPatience, launch, root, site, temporaryFolder } from "./support.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const kRequest = hashOf({ m: "meta-llama/Llama-3.1-8B", w: "Q4_K_M", d: "rtx-4090" });

async function visit(options, use, { language = "en-US", init, hash = kRequest, at = "", block, javaScriptEnabled = true } = {}) {
  const server = await serve({ root: site, ...options });
  const context = await browser.newContext({ locale: language, serviceWorkers: "block", javaScriptEnabled });
  context.setDefaultTimeout(kPatience);
  const page = await context.newPage();
  const errors = [];
  page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
  page.on("pageerror", (e) => errors.push(String(e)));
  try {
    if (init) await page.addInitScript(init);
    if (block) await page.route(block, (route) => route.abort("internetdisconnected"));
    await page.goto(server.url + at + hash);
    await use(page, errors, server);
  } finally {
    await context.close();
    await server.close();
  }
}

const works = async (page, errors) => {
  await page.waitForFunction(() => /Fits on 1 × GeForce RTX 4090/.test(document.querySelector("#answer .verdict")?.innerText ?? ""));
  await page.locator("button.number").first().click();
  await page.waitForSelector("dialog[open] math");
  assert.deepEqual(errors, []);
};

/** The rules of a _headers file, as Netlify and Cloudflare Pages apply them: all that match. */
function headersOf(text) {
  const rules = [];
  for (const line of text.split("\n")) {
    if (/^\//.test(line)) rules.push([line.trim(), {}]);
    const header = /^\s+([\w-]+):\s*(.+)$/.exec(line);
    if (header) rules.at(-1)[1][header[1].toLowerCase()] = header[2].trim();
  }
  return (path) => Object.assign({}, ...rules.filter(([pattern]) => `/${path}`.startsWith(pattern.replace(/\*$/, ""))).map(([, headers]) => headers));
}

test("with the headers for Netlify and Cloudflare Pages the site and the gallery work", async () => {
  const headers = headersOf(await readFile(join(root, "docs/hosting/_headers"), "utf8"));
  assert.match(headers("assets/x.js")["cache-control"], /immutable/);
  assert.equal(headers("sw.js")["cache-control"], undefined);
  await visit({ headers }, works);
  await visit({ headers, root: join(root, "dist/embed") }, async (page, errors) => {
    await answered(page, 3);
    assert.deepEqual(errors, []);
  }, { hash: "" });
});

test("the policies of the examples are the same, and hold the page's own", async () => {
  const plain = (policy) => policy.split(";").map((part) => part.trim()).filter(Boolean).sort();
  const headers = headersOf(await readFile(join(root, "docs/hosting/_headers"), "utf8"))("index.html")["content-security-policy"];
  const nginx = /Content-Security-Policy "([^"]+)"/.exec(await readFile(join(root, "docs/hosting/nginx.conf"), "utf8"))[1];
  const own = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(await readFile(join(site, "index.html"), "utf8"))[1].replaceAll("&#39;", "'");
  assert.deepEqual(plain(nginx), plain(headers));
  assert.deepEqual(plain(headers).filter((part) => !part.startsWith("frame-src")), plain(own));
});

for (const [what, options] of [
  ["under a path", { prefix: "/docs/tools/weighbridge/" }],
  ["with .lzma under a type that nobody knows", { types: { ".lzma": "application/x-unknown" } }],
  ["with .lzma as text, and no compression", { types: { ".lzma": "text/plain" }, gzip: false }],
  ["with everything cached for a day", { headers: { "cache-control": "public, max-age=86400" } }],
]) test(`the site works ${what}`, () => visit(options, works));

test("what never changes may be kept for ever, and nothing else", async () => {
  const server = await serve({ root: site });
  try {
    const index = await fetch(server.url);
    assert.equal(index.headers.get("cache-control"), "no-cache");
    assert.equal((await fetch(`${server.url}sw.js`)).headers.get("cache-control"), "no-cache");
    const asset = /assets\/[^"]+\.js/.exec(await index.text())[0];
    assert.match((await fetch(server.url + asset)).headers.get("cache-control"), /immutable/);
  } finally {
    await server.close();
  }
});

const kFailures = [
  ["WebAssembly is forbidden by policy", { options: { headers: { "content-security-policy": "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'" } } }, { "en-US": /forbids WebAssembly/, "zh-CN": /禁止 WebAssembly/ }],
  ["the browser has no WebAssembly", { init: "delete globalThis.WebAssembly" }, { "en-US": /forbids WebAssembly/, "zh-CN": /禁止 WebAssembly/ }],
  ["the network is lost in the middle", { block: /\.lzma$/ }, { "en-US": /could not be fetched/, "zh-CN": /无法下载计算核心/ }],
];
for (const [what, { options = {}, ...more }, said] of kFailures)
  test(`when ${what}, the page says so in the reader's language and keeps the address`, async () => {
    for (const [language, words] of Object.entries(said))
      await visit(options, async (page) => {
        const failure = page.locator("[role=alert]");
        await failure.waitFor();
        assert.match(await failure.innerText(), words);
        assert.equal(new URL(page.url()).hash, kRequest);
        if (!more.block) return;
        await page.unroute(more.block);
        await page.reload();
        await page.waitForSelector("#answer .verdict svg");
      }, { language, ...more });
  });

test("when the module is missing on the host, the page says that it could not be fetched", () =>
  temporaryFolder(async (folder) => {
    await cp(site, folder, { recursive: true });
    for (const name of await import("node:fs").then(({ readdirSync }) => readdirSync(join(folder, "assets")))) if (name.endsWith(".lzma")) await rm(join(folder, "assets", name));
    await visit({ root: folder }, async (page) => {
      await page.locator("[role=alert]").waitFor();
      assert.match(await page.locator("[role=alert]").innerText(), /could not be fetched/);
    });
  }));

test("when the scripts never come, the shell says so after a while, and without JavaScript it says why", async () => {
  await visit({}, async (page) => {
    assert.equal(await page.locator(".late").evaluate((e) => getComputedStyle(e).visibility), "hidden");
    await page.waitForFunction(() => getComputedStyle(document.querySelector(".late")).visibility === "visible");
  }, { block: /\.js$/ });
  await visit({}, async (page) => {
    assert.match(await page.locator("body").innerText(), /needs JavaScript and WebAssembly/);
    assert.equal(await page.locator(".late").isVisible(), false);
  }, { javaScriptEnabled: false });
});

test("with storage blocked everything works but the memory of settings", () =>
  visit({}, async (page, errors) => {
    await works(page, errors);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "中文" }).click();
    await page.waitForFunction(() => document.documentElement.lang === "zh-CN");
    assert.deepEqual(errors, []);
  }, { init: "for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) Object.defineProperty(globalThis, name, { get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });" }));

const kLinks = [
  ["junk", "#%%%=%%&&&=\u0000<script>alert(1)</script>"], ["a megabyte of one name", `#m=${"x".repeat(1 << 20)}`], ["a megabyte of pieces", `#${"a=1&".repeat(200_000)}m=x`],
  ["another version's request", "#m=Qwen/QwQ-32B&d=rtx-4090&workload.newer_field=3"], ["a prototype's name", "#__proto__.x=1&constructor.y=2&m=Qwen/QwQ-32B"],
  ["a packed bomb", "#z=AAAAAAAAAAAAAAAA"], ["deep nesting", `#${"a.".repeat(5000)}b=1`],
];
for (const [what, hash] of kLinks)
  test(`a link with ${what} gives the page, and says in the reader's language what is wrong`, async () => {
    for (const [language, words] of [["en-US", /[a-z]{4}/], ["zh-CN", /[\u4e00-\u9fff]{3}/]])
      await visit({}, async (page, errors) => {
        await page.waitForSelector("#answer .verdict");
        assert.match((await page.locator("main .notice, main .error").allInnerTexts()).join(" "), words);
        assert.equal(await page.evaluate(() => ({}).x), undefined);
        assert.deepEqual(errors, []);
      }, { hash, language });
  });
