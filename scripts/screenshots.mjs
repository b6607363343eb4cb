#!/usr/bin/env node
// The pictures of the README, taken from dist/site: docs/screenshot.png and docs/screenshot-zh-phone.png.
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { hashOf, host, kDesktop, kPhone, launch, open, root } from "../tests/web/support.mjs";

const kLargest = 300_000;
const kPictures = [
  { file: "screenshot.png", hash: hashOf({ m: "Qwen/QwQ-32B", w: "bf16", d: "h100-sxm-80gb", p: 2048, o: 512, c: 24 }), viewport: kDesktop, language: "en", theme: "light" },
  { file: "screenshot-zh-phone.png", hash: hashOf({ m: "meta-llama/Llama-3.1-8B", w: "Q4_K_M", d: "rtx-4090", p: 8192, c: 4 }), viewport: kPhone, language: "zh", theme: "dark", scale: 2 },
];

const folder = join(root, "docs");
await mkdir(folder, { recursive: true });
const [browser, server] = await Promise.all([launch(), host()]);
try {
  for (const { file, hash, ...options } of kPictures) {
    const { page, context, errors } = await open(browser, server.url + hash, options);
    await page.waitForSelector(".below .number");
    if (errors.length > 0) throw new Error(`${file}: ${errors.join("; ")}`);
    const path = join(folder, file);
    await page.screenshot({ path });
    await context.close();
    const { size } = await stat(path);
    if (size > kLargest) throw new Error(`${file} has ${size} bytes, and at most ${kLargest} are wanted`);
    console.log(`docs/${file}: ${size} bytes`);
  }
} finally {
  await browser.close();
  await server.close();
}
