#!/usr/bin/env node
// The icons of the installed page, from web/icon.svg: web/icons/*.png.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { launch, root } from "../tests/web/support.mjs";

const svg = await readFile(join(root, "web/icon.svg"), "utf8");
await mkdir(join(root, "web/icons"), { recursive: true });
const browser = await launch();
// What may be cut to any shape has its ground up to the edges, and the sign in the middle.
const whole = svg.replace(' rx="5"', "").replace("<path", '<path transform="translate(12 12) scale(0.8) translate(-12 -12)"');
for (const [file, size, drawn] of [["192.png", 192, svg], ["512.png", 512, svg], ["maskable.png", 512, whole], ["apple-touch.png", 180, whole]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: 100vw; height: 100vh }</style>${drawn}`);
  await page.screenshot({ path: join(root, "web/icons", file), omitBackground: true });
  await page.close();
}
await browser.close();
