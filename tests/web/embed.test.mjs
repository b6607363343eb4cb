// <weigh-bridge> in somebody else's page, under a strict policy.
import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { documented, manifest } from "../../scripts/element_docs.mjs";
import { answered, host, kDesktop, kPatience, kPhone, kStrict, launch, root, temporaryFolder } from "./support.mjs";

const document = (body, { lang = "en", script = '<script type="module" src="weigh-bridge.js"></script>' } = {}) =>
  `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><title>Somebody's page</title><link rel="icon" href="data:,">
${script}</head><body><h1>Docs</h1>${body}</body></html>`;

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const embedded = (html, use, { javaScriptEnabled = true, policy = kStrict, context: more = {}, files = {}, ...options } = {}) =>
  temporaryFolder(async (folder) => {
    await copyFile(join(root, "dist/embed/weigh-bridge.js"), join(folder, "weigh-bridge.js"));
    await writeFile(join(folder, "index.html"), document(html, options));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const server = await host({ root: folder, headers: { "content-security-policy": policy } });
    const context = await browser.newContext({ locale: "en-US", javaScriptEnabled, ...more });
    context.setDefaultTimeout(kPatience);
    const page = await context.newPage();
    const errors = [], requests = [];
    page.on("pageerror", (e) => errors.push(String(e)));
    page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
    page.on("request", (r) => /^https?:/.test(r.url()) && requests.push(r.url().replace(server.url, "")));
    try {
      await page.goto(server.url);
      await use(page, { errors, requests, server });
    } finally {
      await context.close();
      await server.close();
    }
  });

const textOf = (page, selector = "weigh-bridge") => page.locator(selector).first().evaluate((e) => e.shadowRoot.textContent);
const kLlama = 'model="meta-llama/Llama-3.1-8B" weights="Q4_K_M" device="rtx-4090"';

test("attributes are weighed, a changed attribute is weighed again, and nothing leaks into the page", () =>
  embedded(`<weigh-bridge id="one" ${kLlama}>About 5 GB.</weigh-bridge>`, async (page, { errors, requests }) => {
    await answered(page);
    const before = await page.locator("#one").evaluate((e) => e.cloneNode(true).outerHTML);
    assert.match(await textOf(page), /Fits on 1 × GeForce RTX 4090/);
    assert.equal(before, `<weigh-bridge id="one" ${kLlama}>About 5 GB.</weigh-bridge>`, "no attribute is written on the tag");
    await page.locator("#one").evaluate((e) => e.setAttribute("device", "h100-sxm-80gb"));
    await page.waitForFunction(() => /H100/.test(document.querySelector("#one").shadowRoot.textContent));
    assert.equal(await page.evaluate(() => document.querySelectorAll("head style, head link[rel=stylesheet]").length + document.adoptedStyleSheets.length), 0);
    assert.equal(await page.locator("h1").evaluate((e) => getComputedStyle(e).fontFamily === getComputedStyle(document.body).fontFamily), true);
    assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ["", 0, 0]);
    assert.deepEqual(requests, ["", "weigh-bridge.js"]);
    assert.deepEqual(errors, []);
  }));

test("under a policy without inline styles the picture is drawn as it should", () =>
  embedded(`<weigh-bridge ${kLlama}>a</weigh-bridge>`, async (page, { errors }) => {
    await answered(page);
    const [label, rect] = await page.locator("weigh-bridge").evaluate((e) => ["span.label.kv_cache", ".part.kv_cache rect"].map((s) => e.shadowRoot.querySelector(s).getBoundingClientRect().left));
    assert.ok(label > 100 && Math.abs(label - rect) < 2, `${label} ${rect}`);
    assert.deepEqual(errors, []);
  }, { policy: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; img-src data:" }));

test("several elements share one core, and the language is that of the nearest lang", () =>
  embedded(`<weigh-bridge model="Qwen/QwQ-32B" device="h100-sxm-80gb">a</weigh-bridge><div lang="zh"><weigh-bridge model="Qwen/QwQ-32B" device="h100-sxm-80gb">b</weigh-bridge></div>`, async (page, { errors }) => {
    await answered(page, 2);
    const texts = await page.locator("weigh-bridge").evaluateAll((all) => all.map((e) => e.shadowRoot.textContent));
    assert.match(texts[0], /Fits on/);
    assert.match(texts[1], /放得下/);
    assert.equal(await page.evaluate(() => globalThis.compiled), 1, "modules compiled");
    assert.deepEqual(errors, []);
  }, {
    script: '<script src="count.js"></script><script type="module" src="weigh-bridge.js"></script>',
    files: { "count.js": "globalThis.compiled = 0; const compile = WebAssembly.compile; WebAssembly.compile = (...given) => (++compiled, compile.apply(WebAssembly, given)); const streaming = WebAssembly.compileStreaming; WebAssembly.compileStreaming = (...given) => (++compiled, streaming.apply(WebAssembly, given));" },
  }));

test("two copies of the script do no harm", () =>
  embedded(`<weigh-bridge ${kLlama}>a</weigh-bridge>`, async (page, { errors }) => {
    await answered(page);
    await page.waitForTimeout(200);
    assert.equal(await page.evaluate(() => globalThis.compiled), 1);
    assert.deepEqual(errors, []);
  }, {
    script: '<script src="count.js"></script><script type="module" src="weigh-bridge.js"></script><script type="module" src="weigh-bridge.js?again"></script>',
    files: { "count.js": "globalThis.compiled = 0; const compile = WebAssembly.compile; WebAssembly.compile = (...given) => (++compiled, compile.apply(WebAssembly, given));" },
  }));

test("it starts near the viewport, and not before", () =>
  embedded(`<div style="height:9000px"></div><p class="far"></p><weigh-bridge ${kLlama}>far away</weigh-bridge>`, async (page) => {
    await page.waitForFunction(() => customElements.get("weigh-bridge"));
    await page.waitForTimeout(300);
    assert.equal(await page.locator("weigh-bridge").evaluate((e) => e.answer), undefined);
    await page.locator("weigh-bridge").scrollIntoViewIfNeeded();
    await answered(page);
  }, { policy: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'unsafe-inline'" }));

test("request and answer are properties, set before the script came or after; change tells of each new answer", () =>
  embedded(`<weigh-bridge>later</weigh-bridge><script type="module" src="use.js"></script>`, async (page, { errors }) => {
    await answered(page);
    const state = () => page.locator("weigh-bridge").evaluate((e) => ({ request: e.request, total: e.answer.memory.total.total, heard: globalThis.heard }));
    const first = await state();
    assert.deepEqual(first.request, { model: { manual: { parameters: 8e9 } }, workload: { prompt_tokens: 100 } });
    assert.deepEqual(first.heard, [first.total]);
    await page.locator("weigh-bridge").evaluate((e) => { e.device = "rtx-4090"; e.concurrency = 4; e.kvCache = "fp8"; });
    await page.waitForFunction(() => globalThis.heard.length === 2);
    const second = await state();
    assert.deepEqual(second.request, { model: { manual: { parameters: 8e9 } }, workload: { prompt_tokens: 100, concurrency: 4 }, device: "rtx-4090", kv_cache: "fp8" });
    assert.equal(await page.locator("weigh-bridge").getAttribute("kv-cache"), "fp8");
    await page.locator("weigh-bridge").evaluate((e) => { e.device = null; });
    await page.waitForFunction(() => globalThis.heard.length === 3 && !document.querySelector("weigh-bridge").hasAttribute("device"));
    assert.deepEqual(errors, []);
  }, {
    script: '<script src="early.js" defer></script><script type="module" src="weigh-bridge.js"></script>',
    files: {
      "early.js": `globalThis.heard = []; const e = document.querySelector("weigh-bridge"); e.request = { model: { manual: { parameters: 8e9 } }, workload: { prompt_tokens: 100 } };
        document.addEventListener("change", (event) => heard.push(event.detail.answer.memory.total.total));`,
      "use.js": "",
    },
  }));

test("a reader changes what controls name; what is wrong is said and the last good answer stays", () =>
  embedded(`<weigh-bridge controls="model device concurrency weights" ${kLlama}>a</weigh-bridge>`, async (page, { errors }) => {
    await answered(page);
    assert.equal(await page.locator("weigh-bridge [part=control]").count(), 4);
    await page.getByLabel("Concurrency").fill("32");
    await page.waitForFunction(() => document.querySelector("weigh-bridge").request.workload?.concurrency === 32);
    assert.equal(await page.locator("weigh-bridge").getAttribute("concurrency"), "32");
    await page.getByLabel("Weights", { exact: true }).selectOption("bf16");
    await page.waitForFunction(() => document.querySelector("weigh-bridge").request.weights === "bf16");
    const good = await page.locator("weigh-bridge [part=verdict]").innerText();
    await page.getByLabel("Concurrency").fill("-3");
    await page.locator("weigh-bridge [part=problem]").waitFor();
    assert.equal(await page.locator("weigh-bridge [part=verdict]").innerText(), good);
    assert.equal(await page.getByLabel("Concurrency").getAttribute("aria-invalid"), "true");
    assert.equal(await page.getByLabel("Concurrency").inputValue(), "-3", "nothing typed is lost");
    await page.getByLabel("Concurrency").fill("");
    await page.waitForFunction(() => !document.querySelector("weigh-bridge").hasAttribute("concurrency"));
    await page.getByLabel("Device", { exact: true }).fill("h100-sxm-80gb");
    await page.getByLabel("Device", { exact: true }).press("Enter");
    await page.getByLabel("Device", { exact: true }).blur();
    await page.waitForFunction(() => /H100/.test(document.querySelector("weigh-bridge").shadowRoot.querySelector("[part=verdict]").textContent));
    await page.locator("weigh-bridge").evaluate((e) => { e.readonly = true; });
    await page.waitForFunction(() => document.querySelector("weigh-bridge").shadowRoot.querySelectorAll("input, select").length === 0);
    assert.equal(await page.locator("weigh-bridge [part=setting]").count(), 4);
    assert.deepEqual(errors, []);
  }));

test("web/api.json says what the element has, and docs/element.md says what web/api.json does", () =>
  embedded(`<weigh-bridge page="../site/" controls ${kLlama}><b slot="heading">h</b>a<b slot="note">n</b></weigh-bridge><weigh-bridge view="table" controls readonly ${kLlama}>b</weigh-bridge><weigh-bridge controls device="no-such-device" ${kLlama.replace(/device.*/, "")}>c</weigh-bridge>`, async (page) => {
    const api = manifest();
    await answered(page, 2);
    const found = await page.evaluate(() => {
      const WeighBridge = customElements.get("weigh-bridge");
      const all = [...document.querySelectorAll("weigh-bridge")];
      const css = WeighBridge.styles.map((s) => s.cssText).join("\n");
      const unique = (list) => [...new Set(list)].sort();
      return {
        attributes: unique(WeighBridge.observedAttributes),
        parts: unique(all.flatMap((e) => [...e.shadowRoot.querySelectorAll("[part]")].map((p) => p.getAttribute("part")))),
        slots: unique(all.flatMap((e) => [...e.shadowRoot.querySelectorAll("slot")].map((s) => s.name)).concat("")),
        properties: unique([...css.matchAll(/var\((--weighbridge-[a-z-]+)/g)].map((m) => m[1])),
        accessors: unique(Object.entries(Object.getOwnPropertyDescriptors(WeighBridge.prototype)).filter(([, d]) => d.get && d.enumerable).map(([name]) => name)),
      };
    });
    const names = (list) => list.map((one) => one.name).sort();
    assert.deepEqual(found.attributes, names(api.attributes));
    assert.deepEqual(found.parts, names(api.cssParts));
    assert.deepEqual(found.slots, names(api.slots));
    assert.deepEqual(found.properties, names(api.cssProperties));
    assert.deepEqual(found.accessors, api.attributes.map((a) => a.fieldName).filter(Boolean).sort());
    for (const { name } of api.members) assert.ok(await page.evaluate((n) => n in document.querySelector("weigh-bridge"), name), name);
    assert.equal(documented(), await readFile(join(root, "docs/element.md"), "utf8"), "run node scripts/element_docs.mjs");
  }, { policy: kStrict }));

test("its core, which only estimates, answers as the whole one does", async () => {
  const { load } = await import(pathToFileURL(join(root, "dist/npm/index.js")).href);
  const whole = await load();
  const requests = [
    { model: "Qwen/QwQ-32B", weights: "bf16", device: "h100-sxm-80gb" }, { model: "deepseek-ai/DeepSeek-R1", device: "h200-sxm-141gb", devices: 8, engine: "vllm", workload: { concurrency: "max" } },
    { model: "meta-llama/Llama-3.1-8B", weights: "Q4_K_M", device: "rtx-4090", engine: "llama.cpp" }, { model: { manual: { parameters: 7e9 } } }, { modle: "x", workload: { concurrency: -1 } },
  ];
  await embedded("<weigh-bridge></weigh-bridge>", async (page) => {
    for (const request of requests) {
      const answer = await page.locator("weigh-bridge").evaluate((e, r) => new Promise((done) => {
        e.addEventListener("change", () => done(e.answer), { once: true });
        e.request = r;
      }), request);
      assert.deepEqual(answer, whole.estimate(request));
    }
  });
});

test("custom properties and parts take the page's styles", () =>
  embedded(`<weigh-bridge ${kLlama}>a</weigh-bridge>`, async (page) => {
    await answered(page);
    const style = (selector, name) => page.locator("weigh-bridge").evaluate((e, [s, n]) => getComputedStyle(e.shadowRoot.querySelector(s))[n], [selector, name]);
    assert.equal(await style(".ticket", "backgroundColor"), "rgb(1, 2, 3)");
    assert.equal(await style(".part.weights rect", "fill"), "rgb(4, 5, 6)");
    assert.equal(await style("[part=verdict]", "fontStyle"), "italic");
    assert.equal(await style(".ticket", "fontSize"), "23px");
  }, {
    script: '<link rel="stylesheet" href="own.css"><script type="module" src="weigh-bridge.js"></script>',
    files: { "own.css": "body { font-size: 23px } weigh-bridge { --weighbridge-background: rgb(1 2 3); --weighbridge-weights: rgb(4 5 6) } weigh-bridge::part(verdict) { font-style: italic }" },
  }));

test("on paper: tags that were never near the viewport are there, light, without controls that nobody can use", () =>
  embedded(`<weigh-bridge ${kLlama}>near</weigh-bridge><div class="gap"></div><weigh-bridge theme="dark" model="Qwen/QwQ-32B" device="rtx-4090">far</weigh-bridge>`, async (page) => {
    await answered(page, 1);
    assert.equal(await page.locator("weigh-bridge").nth(1).evaluate((e) => e.answer), undefined);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.match(await page.locator("weigh-bridge").nth(1).evaluate((e) => e.shadowRoot.textContent), /Fits on|Short by/);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assert.equal(await page.locator("weigh-bridge").nth(1).evaluate((e) => getComputedStyle(e).colorScheme), "light");
  }, { script: '<link rel="stylesheet" href="own.css"><script type="module" src="weigh-bridge.js"></script>', files: { "own.css": ".gap { height: 9000px }" } }));

test("the text inside stays when there is no answer, when there is no script, and when WebAssembly is forbidden", async () => {
  const inner = '<weigh-bridge model="no/such-model-at-all" device="rtx-4090"><b slot="heading">Above.</b>About 5 GB of weights.</weigh-bridge>';
  const stands = async (page) => {
    assert.ok(await page.getByText("About 5 GB of weights.").isVisible());
    assert.ok(await page.getByText("Above.").isVisible());
  };
  await embedded(inner, async (page) => {
    await page.waitForFunction(() => document.querySelector("weigh-bridge").answer?.ok === false);
    await stands(page);
    await page.locator("weigh-bridge").evaluate((e) => e.setAttribute("model", "Qwen/QwQ-32B"));
    await answered(page);
  });
  await embedded(inner, stands, { javaScriptEnabled: false });
  await embedded(`${inner}<div lang="zh"><weigh-bridge id="empty" model="Qwen/QwQ-32B"></weigh-bridge></div>`, async (page) => {
    await page.waitForFunction(() => document.querySelector("#empty").shadowRoot?.querySelector("[part=problem]"));
    assert.match(await textOf(page, "#empty"), /WebAssembly.*wasm-unsafe-eval/, "an empty tag says why, in its language");
    assert.match(await textOf(page, "#empty"), /安全策略/);
    await stands(page);
  }, { policy: "default-src 'none'; script-src 'self'" });
});

test("a link of the page is only ever a link", () =>
  embedded(`<weigh-bridge page="javascript:alert(1)" ${kLlama}>a</weigh-bridge><weigh-bridge page="/site/" ${kLlama}>b</weigh-bridge>`, async (page) => {
    await answered(page, 2);
    await page.waitForFunction(() => document.querySelectorAll("weigh-bridge")[1].shadowRoot.querySelector("a"));
    assert.equal(await page.locator("weigh-bridge").first().locator("a").count(), 0);
    assert.equal(await page.locator("weigh-bridge").nth(1).locator("a").getAttribute("href"), "/site/#m=meta-llama/Llama-3.1-8B&w=Q4_K_M&d=rtx-4090");
  }));

test("the gallery shows every kind, in both themes and on a phone, and axe finds nothing in it", async () => {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const server = await host({ root: join(root, "dist/embed"), headers: { "content-security-policy": `${kStrict}; frame-src 'self'` } });
  try {
    for (const [viewport, colorScheme] of [[kDesktop, "light"], [kPhone, "dark"]]) {
      const context = await browser.newContext({ viewport, colorScheme, locale: "en-US" });
      const page = await context.newPage();
      const errors = [];
      page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
      await page.goto(server.url);
      for (const one of await page.locator("weigh-bridge, iframe").all()) await one.scrollIntoViewIfNeeded();
      await answered(page, 10);
      const text = (section) => page.locator(`#${section} weigh-bridge`).evaluate((e) => e.shadowRoot.textContent);
      assert.match(await text("a-model-and-a-card"), /Fits on 1 × H100/);
      assert.match(await text("too-small-in-gb-with-a-link-to-the-whole-page"), /Short by [\d.]+\sGB/);
      assert.match(await text("in-the-middle-of-a-sentence"), /^\s*Fits on 1 × GeForce RTX 4090 with [\d.]+\sGiB to spare\s*$/);
      assert.match(await text("chinese-dark"), /放得下/);
      assert.match(await text("without-a-device"), /Needs \d+\sGiB in all/);
      assert.ok(await page.getByText("About 5 GB of weights.", { exact: true }).isVisible());
      const frame = page.frameLocator("iframe");
      await frame.locator("weigh-bridge [part=verdict]").waitFor();
      await page.waitForFunction(() => /^\d+px$/.test(document.querySelector("iframe").style.height));
      const [inside, outside] = [await frame.locator("body").evaluate((b) => Math.ceil(b.getBoundingClientRect().height)), await page.locator("iframe").evaluate((f) => f.getBoundingClientRect().height)];
      assert.equal(outside, inside);
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= room, `${wide} px of content in ${room}`);
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => (await axe.run()).violations.map((v) => `${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`));
      assert.deepEqual(violations, []);
      assert.deepEqual(errors, []);
      await context.close();
    }
  } finally {
    await server.close();
  }
});

test("the code that the gallery shows is the code that it runs", async () => {
  const html = await readFile(join(root, "web/embed/index.html"), "utf8");
  const plain = (text) => text.replace(/\s+/g, " ").trim();
  const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const sections = [...html.matchAll(/<code>((?:(?!<code>)[\s\S])*?)<\/code><\/pre>\s*<div class="live">([\s\S]*?)<\/div>\s*<\/section>/g)];
  assert.ok(sections.length >= 10);
  for (const [, code, live] of sections) assert.equal(plain(unescaped(code)), plain(live));
});

test("an iframe's link may be broken, of another version, or lead elsewhere", async () => {
  const server = await host({ root: join(root, "dist/embed"), headers: { "content-security-policy": kStrict } });
  const context = await browser.newContext({ locale: "zh-CN" });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (e) => errors.push(String(e)));
  try {
    for (const [hash, seen] of [["#%%%", /链接已损坏/], ["#m=Qwen/QwQ-32B&d=rtx-4090&newer_field=1", /newer_field/], ["#", /链接已损坏/], [`#m=${"x".repeat(1 << 20)}`, /./], ["#m=Qwen/QwQ-32B&lang=en&view=nonsense&page=https%3A%2F%2Fexample.org%2F", /^(?!.*example)[^]*Needs/]]) {
      await page.goto("about:blank");
      await page.goto(`${server.url}embed.html${hash}`);
      await page.waitForFunction((source) => { const e = document.querySelector("weigh-bridge"); return e.answer !== undefined && new RegExp(source).test(e.shadowRoot.textContent + e.textContent); }, seen.source);
      assert.equal(await page.locator("weigh-bridge a").count(), 0);
    }
    assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    await server.close();
  }
});
