// The engine of the Serve view: which one is taken, its options, what it holds; and the curves.
import assert from "node:assert/strict";
import { test } from "node:test";

import { hashOf, visits } from "./support.mjs";

const here = visits(".below .number");
const { visit } = here;
const exact = async (page, path) => {
  await page.locator(`button.number[data-path="${path}"]`).first().click();
  const text = await page.locator("dialog[open] .result small").innerText();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  return Number(/-?[\d.]+(e[+-]?\d+)?/i.exec(text.replace(/[,\s]/g, ""))?.[0]);
};

for (const [what, request, engine] of [
  ["a model as it is published", { m: "Qwen/QwQ-32B", d: "h100-sxm-80gb" }, "vLLM"], ["a GGUF format", { m: "Qwen/QwQ-32B", w: "Q4_K_M", d: "rtx-4090" }, "llama.cpp"], ["an Apple chip", { m: "Qwen/Qwen3-8B", d: "apple-m1-7c" }, "MLX"],
])
  for (const language of ["en", "zh"])
    test(`the usual engine is taken and said, and a choice counts: ${what}, ${language}`, () =>
      visit(hashOf(request), async (page) => {
        const select = page.locator("#f-engine");
        assert.match(await select.evaluate((s) => s.selectedOptions[0].textContent), new RegExp(`${engine.replace(".", "\\.")}.*(usual here|常用)`));
        assert.doesNotMatch(await page.evaluate(() => location.hash), /e=/);
        await select.selectOption("ideal");
        await page.waitForFunction(() => location.hash.includes("e=ideal"));
        assert.equal(await page.locator('tr[data-part="runtime"] .number').first().innerText().then((t) => /^0/.test(t)), true, "an ideal engine wastes nothing");
      }, { language }));

test("an engine's options are those that it heeds; a share has a slider that counts at once", () =>
  visit(hashOf({ m: "Qwen/QwQ-32B", w: "fp8", d: "h100-sxm-80gb", n: 1 }), async (page) => {
    await page.locator("details.options summary").click();
    assert.equal(await page.locator("#f-options-gpu_memory_utilization").count(), 1);
    assert.equal(await page.locator("#f-options-n_gpu_layers").count(), 0);
    assert.match(await page.locator(".assumptions div", { hasText: "gpu_memory_utilization" }).innerText(), /0\.9/, "the share taken is shown as it is");
    const before = await exact(page, "memory.per_device.usable");
    await page.locator('.slider input[type="range"]').first().fill("0.6");
    await page.waitForFunction(() => location.hash.includes("gpu_memory_utilization=0.6"));
    assert.ok(Math.abs((await exact(page, "memory.per_device.usable")) / before - 0.6 / 0.9) < 0.05);
    await page.locator("#f-engine").selectOption("llama.cpp");
    await page.waitForSelector("#f-options-n_gpu_layers");
  }));

test("layers that stay off the card lie in system memory; a desktop's share is taken away", () =>
  visit(hashOf({ m: "Qwen/QwQ-32B", w: "Q4_K_M", d: "rtx-4090", n: 1 }), async (page) => {
    const whole = await exact(page, "memory.per_device.weights");
    await page.locator("details.options summary").click();
    await page.locator('.slider input[aria-label="n_gpu_layers"]').fill("20");
    await page.waitForFunction(() => location.hash.includes("n_gpu_layers=20"));
    assert.ok((await exact(page, "memory.per_device.weights")) < whole / 2);
    assert.ok((await exact(page, "memory.host.weights")) > whole / 3);
    const total = await exact(page, "memory.per_device.total");
    await page.locator("#f-reserved_bytes").fill("1.5 GB");
    await page.waitForFunction(() => location.hash.includes("reserved_bytes=1500000000"));
    assert.equal((await exact(page, "memory.per_device.total")) - total, 1.5e9);
  }));

test("what is needed for the cache stands beside what the engine holds for it", () =>
  visit(hashOf({ m: "meta-llama/Llama-3.1-8B", w: "bf16", d: "h100-sxm-80gb", e: "vllm" }), async (page) => {
    const row = page.locator("table.memory tr", { hasText: "Held for the KV cache" });
    assert.equal(await row.count(), 1);
    assert.ok((await exact(page, "capacity.kv_pool")) > (await exact(page, "memory.per_device.kv_cache")));
    assert.match(await page.locator("table.memory").innerText(), /exact[\s\S]*fitted/);
    await page.locator("#f-engine").selectOption("llama.cpp");
    await row.waitFor({ state: "detached" });
  }));

test("different cards share one model", () =>
  visit(hashOf({ m: "Qwen/QwQ-32B", w: "Q4_K_M", d: "rtx-4090", e: "llama.cpp" }), async (page) => {
    await page.getByRole("button", { name: "Add another card" }).click();
    await page.locator("#f-device-1").fill("rtx 3090 ti");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /RTX 4090 \+ .*3090/.test(document.querySelector(".verdict").innerText));
    await page.locator("button.remove").first().click();
    await page.waitForFunction(() => /3090/.test(document.querySelector(".verdict").innerText) && !/4090/.test(document.querySelector(".verdict").innerText));
  }));

for (const language of ["en", "zh"])
  test(`curves: memory, throughput against the reader's speed, decode speed with its range, roofline, each with a table: ${language}`, () =>
    visit(hashOf({ m: "Qwen/QwQ-32B", w: "bf16", d: "h100-sxm-80gb" }), async (page) => {
      await page.locator("wb-curves").scrollIntoViewIfNeeded();
      for (const id of ["memory-concurrency", "memory-context", "throughput-latency", "decode-context", "roofline"]) {
        const figure = page.locator(`figure[data-curve="${id}"]`);
        await figure.waitFor();
        const rows = await figure.locator("tbody tr").count();
        assert.ok(rows > 5, id);
        assert.ok((await figure.locator("svg polyline, svg polygon").count()) > 0, id);
      }
      assert.equal(await page.locator('figure[data-curve="decode-context"] .band').count(), 1);
      assert.equal(await page.locator('figure[data-curve="roofline"] .dot').count(), 2);
      // The knee stands in the picture, in its table and in words, with what it means and why there are no percentiles.
      const [word, power, percentiles] = language === "en" ? ["knee", /Throughput ÷ latency is greatest/, /Percentiles are not offered/] : ["拐点", /“吞吐 ÷ 延迟”最大/, /不提供分位数/];
      const load = page.locator('figure[data-curve="throughput-latency"]');
      assert.equal(await load.locator("circle.dot.line-1 + text").textContent(), word);
      const count = (await load.locator("tbody th", { hasText: word }).textContent()).replace(/[^\d]/g, "");
      const notes = await load.locator(".note").allTextContents();
      assert.ok(notes[0].replaceAll(",", "").includes(` ${count} `), `${notes[0]}: ${count}`);
      assert.match(notes[0], power);
      assert.match(notes[1], percentiles);
      // The article's speed stands beside, as the article's method itself gives it.
      const other = await page.locator(".other").innerText();
      await page.locator(".other button.link").click();
      await page.waitForFunction(() => location.hash.includes("method=article"));
      const theirs = await page.locator('button.number[data-path="speed.tokens_per_s_per_user"]').first().innerText();
      assert.ok(other.includes(theirs.trim()), `${theirs} in: ${other}`);
      await page.goBack();
      await page.waitForFunction(() => !location.hash.includes("method=article"));
      // Under the roof, and the table says so.
      const table = await page.locator('figure[data-curve="roofline"] tbody tr').evaluateAll((rows) => rows.map((r) => [...r.cells].map((c) => c.textContent)));
      assert.ok(table.every((row) => row.length === 4));
    }, { language }));
