// The page in Chromium: what a reader does, and what stands there then.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { kConfig, tinyGguf } from "../support/model_files.mjs";
import { hashMatches, hashOf, host, kDesktop, kPhone, open, reads, root, visits } from "./support.mjs";

const here = visits();
const { visit } = here;

const verdictOf = (page) => page.locator(".verdict span").first().innerText();
// The exact figure behind a number: its work shows it unrounded, after "result".
const exact = async (page, path) => {
  await page.locator(`button.number[data-path="${path}"]`).first().click();
  const text = await page.locator("dialog[open] .result small").innerText();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  return Number(/-?[\d.]+(e[+-]?\d+)?/i.exec(text.replace(/[,\s]/g, ""))?.[0]);
};

const kExamples = [
  {
    name: "QwQ-32B in bf16 on H100s", hash: hashOf({ m: "Qwen/QwQ-32B", w: "bf16", d: "h100-sxm-80gb" }),
    check: async (page) => {
      const bytes = await exact(page, "memory.per_device.weights");
      assert.ok(bytes > 65e9 && bytes < 67e9, `${bytes} bytes of weights`);
    },
  },
  {
    name: "Llama-3.1-8B as Q4_K_M on an RTX 4090", hash: hashOf({ m: "meta-llama/Llama-3.1-8B", w: "Q4_K_M", d: "rtx-4090" }),
    check: async (page) => {
      const bytes = await exact(page, "model.weight_bytes");
      assert.ok(Math.abs(bytes / 4.9e9 - 1) < 0.02, `${bytes} bytes of weights`);
      assert.equal(await page.locator("#f-engine option:checked").evaluate((o) => /llama\.cpp/.test(o.textContent)), true, "in the engine that people use for it");
    },
  },
  {
    name: "DeepSeek-R1 in fp8 on 8 H200s", hash: hashOf({ m: "deepseek-ai/DeepSeek-R1", w: "fp8", d: "h200-sxm-141gb", n: 8 }),
    check: async (page) => {
      assert.equal(await page.locator("section.ticket.fits").count(), 1);
      const bytes = await exact(page, "speed.decode.bytes_per_step");
      const tpot = await exact(page, "speed.tpot_s");
      const share = bytes / 8 / 4.8e12 / tpot;
      assert.ok(share > 0.05 && share < 1, // one stream of a mixture of experts: published runs reach about a tenth
        `decoding reaches ${share} of the bandwidth roofline`);
    },
  },
];

describe("what the page was made for", () => {
  for (const { name, hash, check } of kExamples)
    for (const [size, viewport] of [["desktop", kDesktop], ["phone", kPhone]])
      for (const language of ["en", "zh"])
        test(`${name}: ${size}, ${language}`, () =>
          visit(hash, async (page) => {
            assert.match(await verdictOf(page), language === "en" ? /^Fits on \d+ × .* to spare/ : /放得下/);
            await check(page);
            const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
            assert.ok(wide <= room, `${wide} px of content in ${room}`);
            if (viewport === kDesktop) {
              const bottom = await page.locator(".headline").evaluate((e) => e.getBoundingClientRect().bottom);
              assert.ok(bottom <= 900, "the first answer needs no scrolling");
            }
            assert.equal(await page.evaluate(() => document.documentElement.lang), language === "en" ? "en" : "zh-CN");
          }, { language, viewport }));

  test("a model that is too large says by how much, and each advice fits when it is taken", () =>
    visit(hashOf({ m: "Qwen/QwQ-32B", w: "bf16", d: "rtx-4090", n: 1 }), async (page) => {
      assert.match(await verdictOf(page), /^Short by [\d.]+\sGiB/);
      const advice = page.locator(".advice button");
      await advice.first().click();
      await page.waitForSelector("section.ticket.fits");
      await hashMatches(page, /w=/);
    }));
});

describe("work behind numbers", () => {
  test("a number opens its formula in MathML, its inputs, unit and source; steps lead on; Escape closes and focus returns", () =>
    visit(kExamples[0].hash, async (page) => {
      const button = page.locator('button.number[data-path="speed.tpot_s"]').first();
      await button.focus();
      await page.keyboard.press("Enter");
      const dialog = page.locator("dialog[open]");
      await dialog.waitFor();
      assert.ok((await dialog.locator("math").count()) >= 2, "the formula in words and with its numbers");
      assert.ok((await dialog.locator("table.inputs tbody tr").count()) >= 3);
      assert.match(await dialog.locator("dl.about").innerText(), /Source/);
      const title = await dialog.locator("#work-title").innerText();
      await dialog.locator("table.inputs button.number").first().click();
      await page.waitForFunction((t) => document.querySelector("#work-title").innerText !== t, title);
      await dialog.locator("button.back").click();
      await page.waitForFunction((t) => document.querySelector("#work-title").innerText === t, title);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !document.querySelector("dialog[open]"));
      assert.equal(await page.evaluate(() => document.activeElement.dataset.path), "speed.tpot_s");
    }));

  test("every number of the page opens work or says where it is from", () =>
    visit(kExamples[2].hash, async (page) => {
      await page.waitForSelector(".below .number");
      const paths = await page.locator("button.number").evaluateAll((all) => [...new Set(all.map((b) => b.dataset.path))]);
      assert.ok(paths.length > 25);
      for (const path of paths) {
        await page.locator(`button.number[data-path="${path}"]`).first().click();
        await page.waitForSelector("dialog[open] .result");
        const shown = await page.locator("dialog[open]").evaluate((d) => d.querySelectorAll("math, p.muted, .summary").length);
        assert.ok(shown > 0, path);
        await page.keyboard.press("Escape");
        await page.waitForFunction(() => !document.querySelector("dialog[open]"));
      }
    }));

  test("the article's method is one click away: 22.5225 tokens/s on 10 A100s", () =>
    visit(`#model.manual.parameters=32000000000&w=bf16&d=a100-sxm-80gb&n=10&p=1000`, async (page) => {
      await page.getByRole("button", { name: "Article", exact: true }).click();
      await page.waitForFunction(() => location.hash.includes("method=article"));
      assert.equal(await exact(page, "speed.tokens_per_s_per_user"), 22.5225);
      await page.getByRole("button", { name: "Detailed", exact: true }).click();
      await page.waitForFunction(() => !location.hash.includes("method"));
    }));
});

describe("links and history", () => {
  test("the address holds the request; a copy of it reopens the same; Back goes back", () =>
    visit(kExamples[1].hash, async (page) => {
      const field = page.locator("#f-workload-context_tokens");
      await field.fill("65536");
      await page.waitForFunction(() => location.hash.includes("x=65536"));
      await page.locator("#f-workload-concurrency").fill("7");
      await page.waitForFunction(() => location.hash.includes("c=7"));
      const before = await verdictOf(page);
      const copy = await page.evaluate(() => location.href);
      const other = await open(here.browser, copy);
      assert.equal(await verdictOf(other.page), before);
      assert.equal(await other.page.locator("#f-workload-context_tokens").inputValue(), "65536");
      await other.context.close();
      await page.goBack();
      await page.waitForFunction(() => document.querySelector("#f-workload-concurrency").value === "");
      assert.equal(await field.inputValue(), "65536");
      await page.goBack();
      await page.waitForFunction(() => document.querySelector("#f-workload-context_tokens").value === "");
    }));

  for (const hash of ["#%%%", "#m=", "#z=abc", `#${"x".repeat(100_000)}`, "#m=Qwen/QwQ-32B&n=1e999", "#p=%FF"])
    test(`a broken link leaves a page that works: ${hash.slice(0, 20)}`, () =>
      visit(hash, async (page) => {
        await page.locator("#f-model").waitFor();
        await page.locator("nav.examples a").nth(1).click();
        await page.waitForFunction(() => /4090/.test(document.querySelector(".verdict").innerText));
      }));
});

describe("bad input", () => {
  test("stands at its field, the last good answer stays, and the next good one counts", () =>
    visit(kExamples[0].hash, async (page) => {
      const before = await verdictOf(page);
      const field = page.locator("#f-workload-prompt_tokens");
      for (const [wrong, why] of [["-5", /least is 1/], ["abc", /wrong type/], ["0", /least is 1/], ["1e308", /most is/], ["2.5", /whole number/]]) {
        await field.fill(wrong);
        await reads(page, "#f-workload-prompt_tokens-error", why);
        assert.equal(await field.getAttribute("aria-invalid"), "true");
        assert.equal(await verdictOf(page), before, "the last good answer stays");
        assert.equal(await page.locator("section.ticket[data-stale]").count(), 1, "and says that it is the last one");
        assert.equal(await field.inputValue(), wrong, "nothing typed is lost");
      }
      await field.fill("2,048");
      await page.waitForFunction(() => !document.querySelector("[data-stale]") && location.hash.includes("p=2048"));
    }));

  test("an unknown model names the nearest, and one click takes it", () =>
    visit(kExamples[0].hash, async (page) => {
      await page.locator("#f-model").fill("Qwen/QwQ-33Bx");
      await page.keyboard.press("Enter");
      await page.locator("#f-model-error button").click();
      await page.waitForFunction(() => !document.querySelector("#f-model-error"));
      assert.match(await verdictOf(page), /Fits on/);
    }));

  test("a layout that does not divide the heads says which do", () =>
    visit(`${kExamples[0].hash}&n=6&parallel.tensor=6`, async (page) => {
      assert.match(await page.locator(".error").first().innerText(), /40 attention heads cannot be split evenly over tensor = 6; use 1, 2, 4, 5, 8/);
    }));

  for (const [where, member, field] of [["details.options", "options.block_size=-1", "#f-options-block_size"], ["details.further", "parallel.tensor=-1", "#f-parallel-tensor"]])
    test(`wrong settings under ${where} open it and stand there`, () =>
      visit(`${kExamples[0].hash}&${member}`, async (page) => {
        assert.ok(await page.locator(where).evaluate((d) => d.open));
        assert.match(await page.locator(`${field}-error`).innerText(), /least is 1/);
      }));
});

describe("models of one's own", () => {
  const paste = (page, text) => page.evaluate((t) => {
    const data = new DataTransfer();
    data.setData("text", t);
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
  }, text);
  const drop = (page, name, parts) => page.evaluate(({ name, parts }) => {
    const data = new DataTransfer();
    data.items.add(new File(parts.map((p) => (Array.isArray(p) ? new Uint8Array(p) : p)), name));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, { name, parts });

  test("a config.json is pasted, Python's NaN and Infinity included, and travels in the link", () =>
    visit(kExamples[0].hash, async (page) => {
      await paste(page, JSON.stringify(kConfig).replace(/}$/, ',"time_step_limit":[0.0,Infinity],"x":NaN}'));
      await page.waitForFunction(() => /8\.0/.test(document.querySelector(".what").innerText));
      assert.match(await page.locator(".what").innerText(), /somebody\/my-llama/);
      await page.waitForFunction(() => /z=|config/.test(location.hash));
      const other = await open(here.browser, await page.evaluate(() => location.href));
      assert.equal(await verdictOf(other.page), await verdictOf(page));
      await other.context.close();
    }));

  test("a config.json is pasted into the model field itself, and what is no JSON is refused there", () =>
    visit(kExamples[0].hash, async (page) => {
      const into = (text) => page.locator("#f-model").evaluate((field, t) => {
        const data = new DataTransfer();
        data.setData("text", t);
        field.focus();
        field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      }, text);
      await into('{"model_type": "llama", ');
      await page.locator("#f-model-error").waitFor();
      await into(JSON.stringify(kConfig, null, 2));
      await page.waitForFunction(() => /my-llama/.test(document.querySelector(".what").innerText) && !document.querySelector("#f-model-error"));
    }));

  test("a config.json is dropped", () =>
    visit(kExamples[0].hash, async (page) => {
      await drop(page, "config.json", [JSON.stringify(kConfig)]);
      await page.waitForFunction(() => /my-llama/.test(document.querySelector(".what").innerText));
      assert.equal(await exact(page, "model.parameters"), 8030261248);
    }));

  test("a GGUF file is dropped, and only its beginning is read", () =>
    visit(kExamples[0].hash, async (page) => {
      const bytes = [...tinyGguf()];
      await page.evaluate(() => {
        const slice = Blob.prototype.slice;
        window.mostRead = 0;
        Blob.prototype.slice = function (from, to, ...rest) {
          window.mostRead = Math.max(window.mostRead, (to ?? this.size) - (from ?? 0));
          return slice.call(this, from, to, ...rest);
        };
      });
      await drop(page, "tiny-Q8_0.gguf", [bytes, " ".repeat(20 << 20)]);
      await page.waitForFunction(() => /tiny-Q8_0/.test(document.querySelector(".what").innerText));
      assert.equal(await exact(page, "model.weight_bytes"), (256 * 1000 + 256 * 256 + 512 * 256) * 34 / 32);
      assert.ok((await page.evaluate(() => window.mostRead)) <= 1 << 20);
    }));

  for (const [name, content, why] of [
    ["config.json", "{", /not JSON/], ["config.json", "[1,2]", /./], ["config.json", '{"model_type":"llama"}', /has no/], ["picture.png", "\u0089PNG", /not JSON|cannot be read/],
    ["model.gguf", "GGUF", /broken/], ["model.safetensors", "x", /cannot be read/],
  ])
    test(`nonsense is refused in words, and the page goes on: ${name} ${content.slice(0, 12)}`, () =>
      visit(kExamples[0].hash, async (page) => {
        const before = await verdictOf(page);
        await drop(page, name, [content]);
        await reads(page, "#f-model-error", why);
        assert.equal(await verdictOf(page), before);
        await page.locator("nav.examples a").nth(1).click();
        await page.waitForFunction(() => /4090/.test(document.querySelector(".verdict").innerText) && !document.querySelector("#f-model-error"));
      }));
});

describe("devices of one's own, and none", () => {
  test("an own device starts from the figures of the one that was chosen, and each of them counts", () =>
    visit(`${kExamples[1].hash}&e=ideal`, async (page) => {
      const memory = await exact(page, "memory.per_device.usable");
      await page.locator("#f-device").fill("no such card");
      await page.locator(".popup li.aside").first().click();
      await page.locator("#f-device-memory_bytes").waitFor();
      assert.equal(await exact(page, "memory.per_device.usable"), memory);
      await page.locator("#f-device-memory_bytes").fill("12e9");
      await page.waitForFunction(() => location.hash.includes("device.memory_bytes=12000000000"));
      assert.equal(await exact(page, "memory.per_device.usable"), 12e9);
      assert.equal(await page.locator("#f-device-memory_bytes").inputValue(), "1.2e10");
    }));

  test("without a device stands what the model needs, and no heading without figures", () =>
    visit("#m=Qwen/QwQ-32B", async (page) => {
      assert.match(await verdictOf(page), /^Needs [\d.]+\sGiB in all$/);
      await page.waitForSelector(".below .number");
      const bare = await page.locator("section h2, section h3").evaluateAll((all) => all.filter((h) => !h.classList.contains("verdict") && !h.parentElement.querySelector("table, dl > div, li, p, figure")).map((h) => h.innerText));
      assert.deepEqual(bare, []);
      assert.equal(await page.locator(".headline").count(), 0);
    }));
});

describe("keyboard, languages, themes", () => {
  test("a model and a device are chosen by keyboard alone", () =>
    visit(kExamples[0].hash, async (page) => {
      await page.locator("#f-model").focus();
      await page.keyboard.type("llama 3.1 8b");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => location.hash.includes("Llama-3.1-8B"));
      await page.keyboard.press("Tab");
      await page.locator("#f-device").focus();
      await page.keyboard.type("4090");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => location.hash.includes("d=rtx-4090"));
      assert.match(await verdictOf(page), /RTX 4090/);
    }));

  test("language, units and theme are switched and remembered", async () => {
    const { page, context, errors } = await open(here.browser, here.server.url + kExamples[0].hash);
    await page.getByRole("button", { name: "中文" }).click();
    await page.waitForFunction(() => document.documentElement.lang === "zh-CN");
    await page.getByRole("button", { name: "GB", exact: true }).click();
    await page.getByRole("button", { name: "深色" }).click();
    await page.reload();
    await page.waitForFunction(() => /GB/.test(document.querySelector(".verdict")?.innerText ?? ""));
    assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    assert.deepEqual(errors, []);
    await context.close();
  });

  test("choices that follow each other at once are all kept, though the page is left at once too", async () => {
    const { page, context } = await open(here.browser, here.server.url + kExamples[0].hash);
    await page.evaluate(() => {
      for (const name of ["中文", "GB", "Dark"]) [...document.querySelectorAll(".switch button")].find((b) => b.textContent.trim() === name).click();
      location.reload();
    });
    await page.waitForFunction(() => document.documentElement.lang === "zh-CN" && /GB/.test(document.querySelector("weigh-page[ready] .verdict")?.innerText ?? ""));
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await context.close();
  });

  test("curves come from the core, each with a table", () =>
    visit(kExamples[1].hash, async (page) => {
      await page.locator("wb-curves").scrollIntoViewIfNeeded();
      await page.waitForSelector("wb-curves figure svg");
      assert.ok((await page.locator("wb-curves table tbody tr").count()) > 10);
    }));
});

describe("where the page lies", () => {
  test("it works under a path of somebody's host", async () => {
    const under = await host({ prefix: "/docs/tools/weighbridge/" });
    const { page, context, errors } = await open(here.browser, under.url + kExamples[0].hash);
    assert.match(await verdictOf(page), /Fits on/);
    assert.deepEqual(errors, []);
    await context.close();
    await under.close();
  });

  for (const [language, hash, words] of [["zh-CN", "", /放得下/], ["en-US", "#m=Qwen/Qwen3-32B&d=rtx-4090", /^Fits on 4/], ["zh-CN", "#v=train&m=meta-llama/Llama-3.1-8B&d=rtx-4090&method=qlora", /RTX 4090/]])
    test(`one file starts from a disk, whatever its language and link: ${language} ${hash.slice(0, 9)}`, async () => {
      const context = await here.browser.newContext({ locale: language });
      const page = await context.newPage();
      await page.goto(pathToFileURL(join(root, "dist/weighbridge.html")).href + hash);
      await page.waitForSelector(".verdict svg");
      assert.match(await verdictOf(page), words);
      await context.close();
    });

  test("one file works from a disk, without any request", async () => {
    const context = await here.browser.newContext({ locale: "en-US" });
    const page = await context.newPage();
    const requests = [], errors = [];
    page.on("request", (r) => !/^(file|data|blob):/.test(r.url()) && requests.push(r.url()));
    page.on("pageerror", (e) => errors.push(String(e)));
    page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
    await page.goto(pathToFileURL(join(root, "dist/weighbridge.html")).href + kExamples[1].hash);
    await page.waitForSelector(".verdict span");
    assert.match(await verdictOf(page), /Fits on 1 × GeForce RTX 4090/);
    await page.locator("button.number").first().click();
    await page.waitForSelector("dialog[open] math");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "中文" }).click();
    await page.waitForFunction(() => document.documentElement.lang === "zh-CN");
    assert.deepEqual(requests, []);
    assert.deepEqual(errors, []);
    await context.close();
  });
});
