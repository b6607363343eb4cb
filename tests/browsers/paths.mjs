// What a reader does most, in one browser: load, choose, drop a file, share a link, change the language, the file on a disk, the element, and no network.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { hashOf, host, kStrict, root } from "../web/support.mjs";

const kLlama = hashOf({ m: "meta-llama/Llama-3.1-8B", w: "Q4_K_M", d: "rtx-4090" });
const kConfig = {
  model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_size: 2048, intermediate_size: 8192, num_hidden_layers: 16, num_attention_heads: 32, num_key_value_heads: 8, vocab_size: 128256,
  max_position_embeddings: 8192, torch_dtype: "bfloat16", tie_word_embeddings: true, _name_or_path: "somebody/small-llama",
};

const shows = (source) => new RegExp(source).test(document.querySelector("#answer .verdict")?.innerText ?? "");
const drop = (text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], "config.json"));
  window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
};

/** `make` starts the browser; `missing` says what is not installed. */
export function mainPaths(name, make, missing) {
  if (missing) {
    console.error(`\n*** ${name} IS NOT TESTED HERE: ${missing}. scripts/setup.sh installs it on Debian. ***\n`);
    return test(`${name} is not tested here: ${missing}`, { skip: missing }, () => {});
  }

  describe(name, () => {
    let browser, server;
    before(async () => { [browser, server] = await Promise.all([make(), host({ prefix: "/docs/weighbridge/" })]); });
    after(async () => { await browser?.close(); await server?.close(); });
    const visit = async (url) => { await browser.goto("about:blank"); await browser.goto(url); };
    const quiet = () => assert.deepEqual(browser.troubles.splice(0), []);

    test("the page loads under a strict policy and answers a link; the work behind a number opens", async () => {
      await visit(server.url + kLlama);
      await browser.until(shows, "Fits on 1 × GeForce RTX 4090");
      await browser.press("button.number");
      await browser.until(() => document.querySelector("dialog[open] math") !== null);
      await browser.run(() => document.querySelector("dialog[open]").close());
      quiet();
    });

    test("a model is chosen from the list by keyboard, and the address follows; Back goes back", async () => {
      await browser.type("#f-model", "QwQ", "Enter");
      await browser.until(() => location.hash.includes("m=Qwen/QwQ-32B"));
      await browser.until(() => /QwQ/.test(document.querySelector("#answer .what").innerText));
      await browser.run(() => history.back());
      await browser.until(() => location.hash.includes("Llama-3.1-8B") && /Llama/.test(document.querySelector("#answer .what").innerText));
      quiet();
    });

    test("a file that is dropped is weighed, and the link that it makes opens the same", async () => {
      await browser.run(drop, JSON.stringify(kConfig));
      await browser.until(() => location.hash.includes("z=") && /small-llama/.test(document.querySelector("#answer .what").innerText));
      const [link, verdict] = await browser.run(() => [location.href, document.querySelector("#answer .verdict").innerText]);
      await visit(link);
      await browser.until((text) => document.querySelector("#answer .verdict")?.innerText === text, verdict);
      quiet();
    });

    test("the language changes at once and is remembered", async () => {
      await browser.press("button", "中文");
      await browser.until(() => document.documentElement.lang === "zh-CN" && /放得下/.test(document.querySelector("#answer .verdict").innerText));
      await visit(server.url + kLlama);
      await browser.until(() => document.documentElement.lang === "zh-CN" && /放得下/.test(document.querySelector("#answer .verdict")?.innerText ?? ""));
      await browser.press("button", "English");
      await browser.until(() => document.documentElement.lang === "en");
      quiet();
    });

    test("one file works from a disk", async () => {
      await visit(pathToFileURL(join(root, "dist/weighbridge.html")).href + kLlama);
      await browser.until(shows, "Fits on 1 × GeForce RTX 4090");
      await browser.press("button.number");
      await browser.until(() => document.querySelector("dialog[open] math") !== null);
      await browser.run(() => document.querySelector("dialog[open]").close());
      await browser.run(drop, JSON.stringify(kConfig));
      await browser.until(() => /small-llama/.test(document.querySelector("#answer .what").innerText));
      await browser.press("button", "中文");
      await browser.until(() => /放得下/.test(document.querySelector("#answer .verdict").innerText));
      await browser.press("button", "English");
      assert.equal(await browser.run(() => performance.getEntriesByType("resource").filter((e) => /^https?:/.test(e.name)).length), 0);
      quiet();
    });

    test("the element answers in somebody's page under a strict policy, takes a change, and its iframe has its height", async () => {
      const docs = await host({ root: join(root, "dist/embed"), headers: { "content-security-policy": `${kStrict}; frame-src 'self'` } });
      try {
        await visit(docs.url);
        await browser.until(() => /Fits on 1 × H100/.test(document.querySelector("weigh-bridge")?.shadowRoot?.querySelector("[part=verdict]")?.textContent ?? ""));
        const [label, rect] = await browser.run(() => ["span.label.weights", ".part.weights rect"].map((s) => document.querySelector("weigh-bridge").shadowRoot.querySelector(s).getBoundingClientRect().left));
        assert.ok(Math.abs(label - rect) < 2, `the picture is in order: ${label} ${rect}`);
        await browser.run(() => document.querySelector("weigh-bridge").setAttribute("device", "rtx-4090"));
        await browser.until(() => /RTX 4090/.test(document.querySelector("weigh-bridge").shadowRoot.querySelector("[part=verdict]").textContent));
        await browser.run(() => document.querySelector("iframe").scrollIntoView());
        await browser.until(() => /^\d+px$/.test(document.querySelector("iframe").style.height));
        quiet();
      } finally {
        await docs.close();
      }
    });

    test("after one visit the page needs no network", async () => {
      if (!(await browser.run(() => "serviceWorker" in navigator))) return;
      await visit(server.url + kLlama);
      await browser.until(shows, "Fits on 1 × GeForce RTX 4090");
      await browser.run(() => { navigator.serviceWorker.ready.then(() => { globalThis.kept = true; }); });
      await browser.until(() => globalThis.kept);
      browser.troubles.length = 0;
      await server.close();
      await browser.run(() => { globalThis.old = true; location.reload(); });
      await browser.until(() => globalThis.old === undefined && /Fits on 1 × GeForce RTX 4090/.test(document.querySelector("#answer .verdict")?.innerText ?? ""));
    });
  });
}
