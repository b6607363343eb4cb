// Models from the Hugging Face Hub, on a click, against a server that speaks its protocol.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";

import { hubServer } from "./hub_server.mjs";
import { kConfig, kGgufBytes, llamaTensors, safetensors, tinyGguf } from "../support/model_files.mjs";
import { beginAnew, hashMatches, host, kPatience, launch, open, reads, site } from "./support.mjs";
import { createServer } from "node:http";

const kTiny = { ...kConfig, hidden_size: 256, intermediate_size: 512, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, vocab_size: 1000 };
const tiny = llamaTensors(kTiny);
const kTinyBytes = safetensors(tiny).data;
const whole = ({ bytes, size }) => Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
const shards = [tiny.slice(0, 8), tiny.slice(8)].map(safetensors);
const index = { metadata: { total_size: kTinyBytes }, weight_map: Object.fromEntries(tiny.map(([n], i) => [n, `model-0000${i < 8 ? 1 : 2}-of-00002.safetensors`])) };
const long = Buffer.concat([tinyGguf({ padding: 3 << 20 }), Buffer.alloc(24 << 20)]);      // a header that is longer than what is asked for first

const kRepositories = {
  "acme/one-file": { files: { "config.json": JSON.stringify(kTiny), "model.safetensors": whole(safetensors(tiny)) }, redirect: true },
  "acme/shards": { files: { "config.json": JSON.stringify(kTiny), "model.safetensors.index.json": JSON.stringify(index), "model-00001-of-00002.safetensors": whole(shards[0]), "model-00002-of-00002.safetensors": whole(shards[1]) }, redirect: true },
  "acme/config-only": { files: { "config.json": JSON.stringify(kTiny).replace("}", ',"time_step_limit":[0.0,Infinity]}') } },
  "acme/some-GGUF": { files: { "README.md": "x", "tiny-Q8_0.gguf": long, "tiny-Q4_K_M.gguf": long, "mmproj-F16.gguf": "x" }, redirect: true },
  "acme/one-GGUF": { files: { "tiny-Q8_0.gguf": long }, redirect: true },
  "acme/split-GGUF": { files: { "tiny-00001-of-00002.gguf": tinyGguf({ part: 0, parts: 2 }), "tiny-00002-of-00002.gguf": tinyGguf({ part: 1, parts: 2 }) } },
  "acme/no-range": { files: { "tiny-Q8_0.gguf": long }, noRange: true, drip: 5 },
  "acme/cut": { files: { "tiny-Q8_0.gguf": long }, cut: true }, "acme/dripping": { files: { "tiny-Q8_0.gguf": long }, drip: 150 },
  "acme/adapter": { files: { "adapter_config.json": JSON.stringify({ peft_type: "LORA", base_model_name_or_path: "meta-llama/Llama-3.1-8B", r: 16 }), "adapter_model.safetensors": "x" } },
  "acme/gated": { files: {}, gated: 401 }, "acme/asked": { files: {}, gated: 403 }, "acme/private": { files: {}, private: true },
  "acme/pictures": { files: { "model_index.json": "{}" }, task: "text-to-image" },
  "acme/clip": { files: { "config.json": JSON.stringify({ model_type: "clip" }) } },
  "acme/broken": { files: { "config.json": "<html>" } },
  "acme/slow": { files: {}, hang: true }, "acme/down": { files: {}, status: 503 },
};

let browser, hub, server;
before(async () => {
  hub = await hubServer(kRepositories);
  browser = await launch();
  // The site as built, with this hub in place of the real one: in its head, and in its policy.
  const page = (await readFile(join(site, "index.html"), "utf8"))
    .replace(/https:\/\/huggingface\.co https:\/\/\*\.huggingface\.co https:\/\/\*\.hf\.co/, `${hub.url} ${hub.storage}`)
    .replace('content="https://huggingface.co"', `content="${hub.url}" data-timeout="${kPatience}"`);
  assert.ok(page.includes(`content="${hub.url}"`) && page.includes(` ${hub.url} ${hub.storage};`), "the page says which hub it asks");
  const plain = await host({ headers: {} });
  const front = createServer(async (request, response) => {
    if (new URL(request.url, "http://x/").pathname === "/") return response.writeHead(200, { "content-type": "text/html" }).end(page);
    const from = await fetch(new URL(request.url, plain.url));
    response.writeHead(from.status, { "content-type": from.headers.get("content-type") ?? "" }).end(Buffer.from(await from.arrayBuffer()));
  });
  await new Promise((done) => front.listen(0, "127.0.0.1", done));
  server = { url: `http://127.0.0.1:${front.address().port}/`, close: async () => { front.close(); front.closeAllConnections?.(); await plain.close(); } };
});
after(async () => {
  await browser?.close();
  await server?.close();
  await hub?.close();
});

// Tests of one language and address share a page, which begins anew.
const idle = new Map();
const visit = async (use, { language = "en", url = server.url } = {}) => {
  const kind = `${language} ${url}`, hash = "#m=Qwen/QwQ-32B&d=rtx-4090";
  const kept = idle.get(kind);
  idle.delete(kind);
  const opened = kept ?? (await open(browser, url + hash, { language }));
  const { page, context, errors } = opened;
  if (kept) await beginAnew(page, hash);
  await page.waitForSelector(".below .number");
  hub.asked.length = errors.length = 0;
  let good = false;
  try {
    await use(page, context);
    assert.deepEqual(errors.filter((text) => !/^Failed to load resource|Content Security Policy/.test(text)), []);
    good = true;
  } finally {
    await page.unrouteAll();
    if (good) idle.set(kind, opened);
    else await context.close();
  }
};
const type = async (page, text) => {
  await page.locator("#f-model").fill(text);
  await page.waitForSelector(".popup li.aside");
};
const fetchIt = async (page, text) => {
  await type(page, text);
  await page.locator(".popup li.aside").click();
};
const shown = (page, name) => page.waitForFunction((n) => document.querySelector(".what").innerText.includes(n), name);
const weight = async (page) => {
  await page.locator('button.number[data-path="model.weight_bytes"]').first().click();
  const text = await page.locator("dialog[open] .result small").innerText();
  await page.keyboard.press("Escape");
  return Number(text.replace(/[^\d]/g, ""));
};

describe("what is fetched", () => {
  test("nothing without a click", () =>
    visit(async (page) => {
      await type(page, "acme/one-file");
      await page.keyboard.press("Enter");
      await page.locator("#f-model-error").waitFor();
      assert.deepEqual(hub.asked, []);
      await page.getByRole("button", { name: "Fetch the config and headers of acme/one-file" }).click();
      await shown(page, "acme/one-file");
      assert.ok(hub.asked.length > 0);
    }));

  for (const [what, text] of [["an id", "acme/one-file"], ["an address", " https://huggingface.co/acme/one-file "], ["a file's address", "https://huggingface.co/acme/one-file/blob/main/README.md?x=1#y"]])
    test(`${what}: config.json and the beginning of its weights, and no more than that`, () =>
      visit(async (page) => {
        await fetchIt(page, text);
        await shown(page, "acme/one-file");
        assert.equal(await weight(page), kTinyBytes);
        assert.ok(hub.asked.some((a) => a.path.startsWith("storage:") && /^bytes=0-/.test(a.range)), "over a redirect, by range");
        await hashMatches(page, /z=/);
      }));

  test("an index and its shards", () =>
    visit(async (page) => {
      await fetchIt(page, "acme/shards");
      await shown(page, "acme/shards");
      assert.equal(await weight(page), kTinyBytes);
      assert.equal(hub.asked.filter((a) => a.path.startsWith("storage:")).length, 2);
    }));

  test("a config.json alone, with Python's Infinity in it", () =>
    visit(async (page) => {
      await fetchIt(page, "acme/config-only");
      await shown(page, "acme/config-only");
      assert.equal(await weight(page), kTinyBytes);
    }));

  test("of several GGUF files the reader chooses one; its header grows by ranges until it is whole", () =>
    visit(async (page) => {
      await fetchIt(page, "acme/some-GGUF");
      await page.waitForSelector(".choices button");
      assert.deepEqual(await page.locator(".choices button").allInnerTexts(), ["tiny-Q8_0.gguf", "tiny-Q4_K_M.gguf"]);
      await page.locator(".choices button").first().click();
      await shown(page, "tiny-Q8_0");
      assert.equal(await weight(page), kGgufBytes);
      const parts = hub.asked.filter((a) => a.path.startsWith("storage:"));
      assert.ok(parts.length >= 2, "more than once");
      assert.ok(parts.reduce((sum, a) => sum + a.sent, 0) < 8 << 20, "and far from the whole file");
      assert.ok(parts.slice(1).every((a) => !a.range.startsWith("bytes=0-")), "without what is there already");
    }));

  test("org/name:Q8_0 chooses by itself, and so does a repository of one file", () =>
    visit(async (page) => {
      await fetchIt(page, "acme/some-GGUF:q8_0");
      await shown(page, "tiny-Q8_0");
      await fetchIt(page, "acme/one-GGUF");
      await shown(page, "tiny-Q8_0");
    }));

  test("all parts of a split GGUF file", () =>
    visit(async (page) => {
      await fetchIt(page, "acme/split-GGUF");
      await page.waitForFunction(() => location.hash.includes("z="));
      assert.equal(await weight(page), kGgufBytes);
    }));

  test("a server that ignores ranges is broken off early", () =>
    visit(async (page) => {
      await fetchIt(page, "acme/no-range");
      await shown(page, "tiny-Q8_0");
      assert.equal(await weight(page), kGgufBytes);
      const most = Math.max(...hub.asked.filter((a) => a.path.endsWith(".gguf")).map((a) => a.sent));
      assert.ok(most < long.length / 2, `${most} of ${long.length} bytes were sent`);
    }));
});

describe("what stands in the way is said, and the page goes on", () => {
  const kCases = [
    ["acme/gated", /restricted/, /需要授权/], ["acme/asked", /restricted/, /需要授权/], ["acme/private", /has no repository|does not exist/, /没有仓库/], ["acme/never-there", /has no repository/, /没有仓库/],
    ["acme/pictures", /no language model.*text-to-image/, /没有能称重的语言模型/], ["acme/clip", /clip/, /clip/], ["acme/broken", /JSON/, /JSON/], ["acme/slow", /did not answer in time/, /没有及时回应/], ["acme/down", /503/, /503/],
    ["https://huggingface.co/acme/one-file/tree/v9", /no revision v9/, /没有版本 v9/], ["https://huggingface.co/acme/one-GGUF/blob/main/none.gguf", /no file none\.gguf/, /没有文件 none\.gguf/],
  ];
  for (const language of ["en", "zh"])
    test(`each in its own words: ${language}`, () =>
      visit(async (page) => {
        const before = await page.locator(".verdict span").first().innerText();
        const said = new Set();
        for (const [text, en, zh] of kCases) {
          hub.asked.length = 0;
          await page.evaluate((ms) => { document.querySelector("meta[name=weighbridge-hub]").dataset.timeout = ms; }, text === "acme/slow" ? 600 : kPatience);
          await fetchIt(page, text);
          while (hub.asked.length === 0) await page.waitForTimeout(10); // the message before may be the same: this one's fetch has begun
          const why = language === "en" ? en : zh;
          await page.waitForFunction(([source]) => !document.querySelector(".busy") && new RegExp(source).test(document.querySelector("#f-model-error")?.innerText ?? ""), [why.source]);
          said.add((await page.locator("#f-model-error").innerText()).replaceAll(text, ""));
          assert.equal(await page.locator(".verdict span").first().innerText(), before);
        }
        assert.ok(said.size >= kCases.length - 2, "each its own");
      }, { language }));

  test("offline it says so, asks nothing, and everything else works; online again it fetches", () =>
    visit(async (page, context) => {
      await fetchIt(page, "acme/gated"); // the scripts for fetching are there
      await page.locator("#f-model-error").waitFor();
      await context.setOffline(true);
      hub.asked.length = 0;
      await fetchIt(page, "acme/one-file");
      await reads(page, "#f-model-error", /You are offline/);
      assert.deepEqual(hub.asked, []);
      await page.locator("#f-device").fill("h100 sxm5 80");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => /H100/.test(document.querySelector(".verdict").innerText));
      await context.setOffline(false);
      await fetchIt(page, "acme/one-file");
      await shown(page, "acme/one-file");
    }));

  test("a connection that breaks in the middle of a file says so, and so does going offline then; the same again works", () =>
    visit(async (page, context) => {
      const before = await page.locator(".verdict span").first().innerText();
      await fetchIt(page, "acme/cut");
      await page.waitForFunction(() => !document.querySelector(".busy") && /broke off/.test(document.querySelector("#f-model-error")?.innerText ?? ""));
      await fetchIt(page, "acme/dripping");
      await page.waitForFunction(() => /tiny-Q8_0/.test(document.querySelector(".busy")?.innerText ?? ""));
      await context.setOffline(true);
      await reads(page, "#f-model-error", /You are offline/);
      assert.equal(await page.locator(".verdict span").first().innerText(), before);
      await context.setOffline(false);
      await fetchIt(page, "acme/one-GGUF");
      await shown(page, "tiny-Q8_0");
    }));

  test("it can be stopped, and another model that is chosen stops it", () =>
    visit(async (page) => {
      await fetchIt(page, "acme/slow");
      await page.locator(".busy").waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.waitForFunction(() => !document.querySelector(".busy"));
      await fetchIt(page, "acme/slow");
      await page.locator(".busy").waitFor();
      await page.locator("#f-model").fill("llama 3.1 8b");
      await page.keyboard.press("Enter");
      await shown(page, "Llama 3.1 8B");
      while (hub.asked.some((request) => !request.left)) await page.waitForTimeout(10);
      assert.equal(await page.locator(".busy, #f-model-error").count(), 0);
    }));

  test("a site whose policy forbids it says that", async () => {
    const strict = await host();     // its header allows only itself
    await visit(async (page) => {
      await fetchIt(page, "acme/one-file");
      await reads(page, "#f-model-error", /rules of this site/);
    }, { url: strict.url });
    await strict.close();
  });

  test("the built page asks the Hub itself, and its policy allows that and nothing else", async () => {
    const html = await readFile(join(site, "index.html"), "utf8");
    assert.match(html, /<meta name="weighbridge-hub" content="https:\/\/huggingface\.co"/);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)[1].replaceAll("&#39;", "'");
    assert.equal(/connect-src ([^;]*)/.exec(policy)[1], "'self' https://huggingface.co https://*.huggingface.co https://*.hf.co");
    const plain = await host({ headers: {} });
    await visit(async (page) => {
      const urls = [];
      await page.route("https://huggingface.co/**", (route) => { urls.push(route.request().url()); return route.fulfill({ status: 200, headers: { "access-control-allow-origin": "*" }, body: JSON.stringify(kTiny) }); });
      await page.route(/index\.json|model\.safetensors/, (route) => route.fulfill({ status: 404, headers: { "access-control-allow-origin": "*" } }));
      await fetchIt(page, "somebody/a-model");
      await shown(page, "somebody/a-model");
      assert.deepEqual(urls, ["https://huggingface.co/somebody/a-model/resolve/main/config.json"]);
      const blocked = await page.evaluate(() => fetch("https://example.org/").then(() => false, () => true));
      assert.ok(blocked, "no other host");
    }, { url: plain.url });
    await plain.close();
  });
});
