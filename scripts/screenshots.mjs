#!/usr/bin/env node
// The README's pictures, from dist/site as it is: node scripts/screenshots.mjs
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { hashOf, host, kDesktop, kPhone, launch, open, root } from "../tests/web/support.mjs";

const pictures = [
  ["screenshot.png", { language: "en", viewport: kDesktop, theme: "light" }, { m: "Qwen/QwQ-32B", w: "bf16", d: "h100-sxm-80gb" }],
  ["screenshot-zh-phone.png", { language: "zh", viewport: kPhone, theme: "dark" }, { m: "meta-llama/Llama-3.1-8B", w: "Q4_K_M", d: "rtx-4090", x: "32768", c: "4" }],
];
const docs = join(root, "docs");
mkdirSync(docs, { recursive: true });
const [browser, server] = await Promise.all([launch(), host()]);
for (const [name, view, request] of pictures) {
  const { page, context } = await open(browser, server.url + hashOf(request), view);
  await page.waitForSelector(".below .number");
  await page.screenshot({ path: join(docs, name) });
  await context.close();
  console.log(`docs/${name}`);
}
await browser.close();
await server.close();
