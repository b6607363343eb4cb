#!/usr/bin/env node
// Pictures of the gallery of <weigh-bridge> for people to look at: build/gallery/*.png, in both themes, on a desktop, on a phone, and on paper.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { answered, host, kDesktop, kPhone, launch, root } from "../tests/web/support.mjs";

const folder = join(root, "build/gallery");
await mkdir(folder, { recursive: true });
const [browser, server] = await Promise.all([launch(), host({ root: join(root, "dist/embed"), headers: {} })]);
try {
  for (const [name, viewport, colorScheme, media] of [["desktop-light", kDesktop, "light", "screen"], ["phone-dark", kPhone, "dark", "screen"], ["paper", kDesktop, "light", "print"]]) {
    const context = await browser.newContext({ viewport, colorScheme, locale: "en-US" });
    const page = await context.newPage();
    await page.goto(server.url);
    for (const one of await page.locator("weigh-bridge, iframe").all()) await one.scrollIntoViewIfNeeded();
    await answered(page, 10);
    await page.frameLocator("iframe").locator("[part=verdict]").waitFor();
    await page.emulateMedia({ media });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    await context.close();
    console.log(`build/gallery/${name}.png`);
  }
} finally {
  await browser.close();
  await server.close();
}
