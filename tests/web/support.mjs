// A browser, a server and a page for the browser tests.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { serve } from "../../scripts/static_server.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const site = join(root, "dist/site");

// What a strict documentation host sends.
export const kPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'";

// The least that <weigh-bridge> needs of its page, which has style sheets of its own but none inline.
export const kStrict = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/** How long a test waits for what has to come, in ms: a machine that does much else at once is slow, and not wrong. */
export const kPatience = 60_000;

/** Waits until this many elements of a page have drawn a good answer. */
export const answered = (page, count = 1) =>
  page.waitForFunction((n) => [...document.querySelectorAll("weigh-bridge")].filter((e) => e.answer?.ok && e.shadowRoot.querySelector("[part=verdict], [part=bar]")).length >= n, count);

export function browserPath() {
  const path = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));
  if (!path) throw new Error("No Chromium was found: run scripts/setup.sh, or set CHROMIUM to its program.");
  return path;
}

export const kFlags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const launch = () => chromium.launch({ executablePath: browserPath(), args: kFlags });

/** serve() of dist/site under a strict policy. */
export const host = (options = {}) => serve({ root: site, headers: { "content-security-policy": kPolicy }, ...options });

export const kDesktop = { width: 1440, height: 900 };
export const kPhone = { width: 390, height: 844 };

/** A reader's first move, for which the page waits where its first answer is the one that was asked for. */
export const wake = (page) => page.mouse.move(4, 4);

/** A page that has answered; `errors` collects whatever its console complains of. */
export async function open(browser, url, { language = "en", viewport = kDesktop, theme = "light", scale = 1 } = {}) {
  const context = await browser.newContext({ viewport, locale: language === "zh" ? "zh-CN" : "en-US", colorScheme: theme, deviceScaleFactor: scale, acceptDownloads: false });
  context.setDefaultTimeout(kPatience);
  const page = await context.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url);
  await wake(page);
  await page.waitForSelector("weigh-page[ready] #answer");
  return { page, context, errors };
}

/** The page begins anew in place: its component with the calculator that is there already, nothing kept, and this fragment. */
export const beginAnew = (page, hash) =>
  page.evaluate(async (to) => {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));     // what the last test set going has come to rest
    localStorage.clear();
    const before = document.querySelector("weigh-page");
    const next = document.createElement("weigh-page");
    next.append("…");                                                               // a shell, which goes when there is an answer
    for (const left of document.querySelectorAll("body > aside")) left.remove();
    before.replaceWith(next);
    history.replaceState(null, "", to || location.pathname);
    scrollTo(0, 0);
    await next.start(before.client, before.bringWhole);
  }, hash);

/**
 * A browser and a server for the tests of one file. visit() uses a page of them, once `ready` stands there, and its console has stayed quiet.
 * Tests of one language and size share a page, each with a new component in it; `fresh` asks for one that has just been loaded.
 */
export function visits(ready = []) {
  const here = {};
  const idle = new Map();
  before(async () => {
    [here.browser, here.server] = await Promise.all([launch(), host()]);
  });
  after(async () => {
    await here.browser?.close();
    await here.server?.close();
  });
  const take = async (hash, options, kind) => {
    const kept = idle.get(kind);
    idle.delete(kind);
    if (!kept) return open(here.browser, here.server.url + hash, options);
    const { page, errors } = kept;
    errors.length = 0;
    page.removeAllListeners("request");
    await page.unrouteAll();
    await page.emulateMedia({ media: null, colorScheme: options.theme ?? "light", reducedMotion: null, forcedColors: null });
    await page.setViewportSize(options.viewport ?? kDesktop);
    await beginAnew(page, hash);
    return kept;
  };
  here.visit = async (hash, use, { ready: own = ready, fresh = false, ...options } = {}) => {
    const kind = JSON.stringify(options);
    const opened = fresh ? await open(here.browser, here.server.url + hash, options) : await take(hash, options, kind);
    const { page, context, errors } = opened;
    let good = false;
    try {
      for (const selector of [own].flat()) await page.waitForSelector(selector);
      await use(page, context);
      assert.deepEqual(errors, [], "the console is quiet");
      good = page.url().startsWith(here.server.url);
    } finally {
      if (good && !fresh && !idle.has(kind)) idle.set(kind, opened);
      else await context.close();
    }
  };
  return here;
}

export const hashOf = (request) => `#${Object.entries(request).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join("&")}`;

/** Waits until what stands there under a selector reads so: an element may still hold the words of what was before. */
export const reads = (page, selector, pattern) =>
  page.waitForFunction(([s, source, flags]) => new RegExp(source, flags).test(document.querySelector(s)?.innerText ?? ""), [selector, pattern.source, pattern.flags]);

/** Waits until the address holds it: it is written a moment after what is shown. */
export const hashMatches = (page, pattern) => page.waitForFunction(([source]) => new RegExp(source).test(location.hash), [pattern.source]);

export async function temporaryFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), "weighbridge-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
