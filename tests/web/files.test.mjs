// Model files that are dropped, opened or pasted: of every kind, several at once, folders, and what is none.
import assert from "node:assert/strict";
import { truncate, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { join } from "node:path";

import { gguf, kConfig, kF32, kGgufBytes, llamaTensors, safetensors, tinyGguf } from "../support/model_files.mjs";
import { reads, temporaryFolder, visits } from "./support.mjs";

const kSmall = { ...kConfig, hidden_size: 256, intermediate_size: 512, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, vocab_size: 1000, _name_or_path: "somebody/small" };
const tensors = llamaTensors(kSmall);

const here = visits(".below .number");
const visit = (use, options) => here.visit("#m=Qwen/QwQ-32B&d=rtx-4090", use, options);
/** Opens files as a reader does: [name, content, size of the whole file]. Larger ones are sparse. */
const choose = (page, files) =>
  temporaryFolder(async (folder) => {
    const paths = [];
    for (const [name, content, size] of files) {
      paths.push(join(folder, name));
      await writeFile(paths.at(-1), content);
      if (size) await truncate(paths.at(-1), size);
    }
    await page.locator('input[type="file"]').setInputFiles(paths);
    await page.waitForFunction(() => document.querySelector('input[type="file"]').value === "");
  });
const weight = async (page) => {
  await page.locator('button.number[data-path="model.weight_bytes"]').first().click();
  const text = await page.locator("dialog[open] .result small").innerText();
  await page.keyboard.press("Escape");
  return Number(text.replace(/[^\d]/g, ""));
};
const error = (page, pattern) => reads(page, "#f-model-error", pattern);

describe("files that belong together", () => {
  const { bytes, size, data } = safetensors(tensors);
  const config = ["config.json", JSON.stringify(kSmall)];
  const halves = [tensors.slice(0, 8), tensors.slice(8)].map(safetensors);
  const index = ["model.safetensors.index.json", JSON.stringify({ metadata: { total_size: data }, weight_map: Object.fromEntries(tensors.map(([n], i) => [n, `model-0000${i < 8 ? 1 : 2}-of-00002.safetensors`])) })];
  for (const [what, files] of [
    ["config.json and its safetensors file", [config, ["model.safetensors", bytes, size]]],
    ["config.json, index and shards, among files that say nothing", [config, index, ...halves.map((h, i) => [`model-0000${i + 1}-of-00002.safetensors`, h.bytes, h.size]), ["tokenizer.json", "{}"], ["README.md", "#"]]],
    ["config.json and its index", [config, index]],
  ])
    test(`${what}`, () => visit(async (page) => {
      await choose(page, files);
      await page.waitForFunction(() => /somebody\/small/.test(document.querySelector(".what").innerText));
      assert.equal(await weight(page), data);
    }));

  test("both parts of a GGUF file", () => visit(async (page) => {
    await choose(page, [["tiny-00001-of-00002.gguf", tinyGguf({ part: 0, parts: 2 })], ["tiny-00002-of-00002.gguf", tinyGguf({ part: 1, parts: 2 })]]);
    await page.waitForFunction(() => location.hash.includes("z="));
    assert.equal(await weight(page), kGgufBytes);
  }));

  test("a file of 100 GB whose header is longer than the first read", () => visit(async (page) => {
    await page.evaluate(() => {
      const slice = Blob.prototype.slice;
      window.read = 0;
      Blob.prototype.slice = function (from, to, ...rest) { window.read += (to ?? this.size) - (from ?? 0); return slice.call(this, from, to, ...rest); };
    });
    await choose(page, [["huge-Q8_0.gguf", tinyGguf({ padding: 3 << 20 }), 100e9]]);
    await page.waitForFunction(() => /huge-Q8_0/.test(document.querySelector(".what").innerText));
    assert.equal(await weight(page), kGgufBytes);
    const read = await page.evaluate(() => window.read);
    assert.ok(read > 3 << 20 && read < 16 << 20, `${read} bytes were read`);
  }));
});

// The bytes behind a number of the page, as its dialog shows them.
const bytesOf = async (page, path) => {
  await page.locator(`button.number[data-path="${path}"]`).first().click();
  const text = await page.locator("dialog[open] .result small").innerText();
  await page.keyboard.press("Escape");
  return Number(text.replace(/[^\d]/g, ""));
};

describe("each kind of file gives its weight by part, in both languages", () => {
  const { hidden_size: h, intermediate_size: f, num_hidden_layers: layers, vocab_size: v } = kSmall;
  const k = (h / kSmall.num_attention_heads) * kSmall.num_key_value_heads;
  const sixteen = { embedding: 2 * v * h, attention: 2 * layers * (2 * h * h + 2 * k * h), mlp: 2 * layers * 3 * h * f, norm: 2 * (2 * layers + 1) * h, lm_head: 2 * v * h };
  const { bytes, size, data } = safetensors(tensors);
  const config = ["config.json", JSON.stringify(kSmall)];
  const index = ["model.safetensors.index.json", JSON.stringify({ metadata: { total_size: data }, weight_map: Object.fromEntries(tensors.map(([n], i) => [n, `model-0000${i < 8 ? 1 : 2}-of-00002.safetensors`])) })];
  const quantised = { embedding: (256 * 1000 * 34) / 32, attention: (256 * 256 * 34) / 32, mlp: (512 * 256 * 34) / 32 };
  const projector = gguf({ "general.architecture": "clip" }, [["v.blk.0.attn_q.weight", [64, 64], kF32], ["mm.0.weight", [64, 256], kF32]]);
  const kinds = {
    "config.json": [[config], sixteen], "config.json and its index": [[config, index], sixteen], "a safetensors file alone": [[["model.safetensors", bytes, size]], sixteen],
    "config.json and its safetensors file": [[config, ["model.safetensors", bytes, size]], sixteen],
    "config.json, index and shards": [[config, index, ...[tensors.slice(0, 8), tensors.slice(8)].map(safetensors).map((half, i) => [`model-0000${i + 1}-of-00002.safetensors`, half.bytes, half.size])], sixteen],
    "a GGUF file": [[["tiny-Q8_0.gguf", tinyGguf()]], quantised],
    "a GGUF file in two parts": [[0, 1].map((part) => [`tiny-0000${part + 1}-of-00002.gguf`, tinyGguf({ part, parts: 2 })]), quantised],
    "a GGUF file and its projector": [[["tiny-Q8_0.gguf", tinyGguf()], ["mmproj.gguf", projector.bytes, projector.size]], { ...quantised, vision: (64 * 64 + 64 * 256) * 4 }],
  };
  for (const language of ["en", "zh"])
    for (const [what, [files, parts]] of Object.entries(kinds))
      test(`${what}, ${language}`, () => visit(async (page) => {
        await choose(page, files);
        await page.waitForFunction(() => /z=/.test(location.hash) && !/QwQ/.test(document.querySelector(".what").innerText));
        const more = page.locator('tr[data-part="weights"] .expand');
        if ((await more.getAttribute("aria-expanded")) !== "true") await more.click();
        const shown = {};
        for (const row of await page.locator("tr.role:has(button[data-path^='memory.detail.weights.'])").all()) {
          const path = await row.locator("button.number").first().getAttribute("data-path");
          shown[path.split(".").at(-1)] = await bytesOf(page, path);
          assert.equal(/[\u4e00-\u9fff]/.test(await row.locator("th").innerText()), language === "zh");
        }
        assert.deepEqual(shown, parts);
      }, { language }));
});

describe("files that disagree are read, and what they disagree on is said in both languages", () => {
  const { bytes, size } = safetensors(tensors);
  const kFiles = { "a GGUF file": [["tiny-Q8_0.gguf", tinyGguf()], 1], "a safetensors file": [["model.safetensors", bytes, size], kSmall.num_hidden_layers] };
  const says = (page, words, yes = true) => page.waitForFunction(([words, yes]) => document.body.innerText.includes(words) === yes, [words, yes]);
  for (const [language, disagrees, different] of [["en", "disagree on vocabulary", "of different models"], ["zh", "不一致", "不是同一个模型"]])
    for (const [what, [file, layers]] of Object.entries(kFiles)) {
      const config = (more) => ["config.json", JSON.stringify({ ...kSmall, num_hidden_layers: layers, ...more })];
      test(`${what} and a config with another vocabulary, ${language}`, () => visit(async (page) => {
        await choose(page, [file, config({ vocab_size: 1500 })]);
        await says(page, disagrees);
        assert.match(await page.evaluate(() => document.body.innerText), /1,?000[^\n]*1,?500/, "both figures are named");
        await choose(page, [config()]);
        await says(page, disagrees, false);
      }, { language }));
      test(`${what} and the config of another model, ${language}: the config is taken`, () => visit(async (page) => {
        await choose(page, [file, config({ num_hidden_layers: layers + 2 })]);
        await says(page, different);
        await page.waitForFunction(() => /somebody\/small/.test(document.querySelector(".what").innerText));
      }, { language }));
    }
});

describe("what is no model is said, in both languages, and the page goes on", () => {
  for (const language of ["en", "zh"])
    test(language, () => visit(async (page) => {
      const no = language === "en" ? /cannot be read as a model/ : /不能当作模型读取/;
      for (const name of ["cat.png", "pytorch_model.bin", "notes.pdf"]) {
        await choose(page, [[name, "\u0089PNG"]]);
        await error(page, no);
        await error(page, new RegExp(name.replace(".", "\\.")));
      }
      await choose(page, [["a.txt", "x"], ["b.txt", "y"]]);
      await error(page, /a\.txt/);
      await error(page, no);
      await choose(page, [["config.json", "{}", 100e9]]);
      await error(page, language === "en" ? /too large for the page/ : /太大/);
      await choose(page, [["config.json", JSON.stringify(kSmall)]]);
      await page.waitForFunction(() => /somebody\/small/.test(document.querySelector(".what").innerText) && !document.querySelector("#f-model-error"));
    }, { language }));

  // A drop's entries are the browser's own; here they are stood in for, as the page sees them.
  const dropFolder = (page, names, config) => page.evaluate(([names, config]) => {
    const files = names.map((name) => ({ isFile: true, isDirectory: false, name, file: (done) => done(new File([config], name)) }));
    const entry = { isFile: false, isDirectory: true, name: "snapshot", createReader: () => ({ readEntries: (done) => done(files.splice(0, 2)) }) };
    const transfer = { types: ["Files"], files: [new File([], "snapshot")], items: [{ kind: "file", webkitGetAsEntry: () => entry }] };
    const event = new DragEvent("drop", { bubbles: true, cancelable: true });
    Object.defineProperty(event, "dataTransfer", { value: transfer });
    window.dispatchEvent(event);
  }, [names, config]);

  test("a folder is looked into; without a model in it, it says so", () => visit(async (page) => {
    await dropFolder(page, ["a.txt", "b.txt", "c.txt"], "x");
    await error(page, /The folder snapshot holds no config\.json/);
    await dropFolder(page, ["tokenizer.json", "README.md", "config.json"], JSON.stringify(kSmall));
    await page.waitForFunction(() => /somebody\/small/.test(document.querySelector(".what").innerText));
  }));

  test("pasted: an id that the catalogue knows is taken, another is offered for fetching", () => visit(async (page) => {
    const paste = (text) => page.evaluate((t) => {
      const data = new DataTransfer();
      data.setData("text", t);
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
    }, text);
    await paste("https://huggingface.co/meta-llama/Llama-3.1-8B");
    await page.waitForFunction(() => /Llama 3\.1 8B/.test(document.querySelector(".what").innerText));
    await paste("somebody/else");
    await page.getByRole("button", { name: "Fetch the config and headers of somebody/else" }).waitFor();
  }));
});
