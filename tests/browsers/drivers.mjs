// Two further browsers behind one small face: go to an address, run a function in the page, wait for one, type and click.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";

import { kPatience } from "../web/support.mjs";


const find = (...paths) => paths.find((path) => path && existsSync(path));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** What both have in common, over run(): waiting, clicking by what is written, typing. */
function face(name, { goto, run, type, close, troubles }) {
  const until = async (fn, ...given) => {
    for (const end = Date.now() + kPatience; ; await pause(50)) {
      const found = await run(fn, ...given).catch((error) => (/navigat|context|destroyed|not available|discarded/i.test(String(error)) ? false : Promise.reject(error)));
      if (found) return found;
      if (Date.now() > end) throw new Error(`${name} waited in vain for ${fn} with ${JSON.stringify(given)}; it shows: ${await run(() => document.body.innerText.slice(0, 600))}`);
    }
  };
  const press = async (selector, text) => {
    await until((s, t) => [...document.querySelectorAll(s)].some((e) => t == null || e.textContent.trim() === t), selector, text);
    await run((s, t) => [...document.querySelectorAll(s)].find((e) => t == null || e.textContent.trim() === t).click(), selector, text);
  };
  return { name, goto, run, until, press, type, close, troubles };
}

export function firefoxPath() {
  return find(process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox");
}

export async function firefox() {
  const { default: puppeteer } = await import("puppeteer-core");
  const browser = await puppeteer.launch({
    browser: "firefox", executablePath: firefoxPath(), headless: true,
    extraPrefsFirefox: { "intl.accept_languages": "en-US, en", "browser.shell.checkDefaultBrowser": false, "app.update.enabled": false, "toolkit.telemetry.enabled": false },
  });
  const page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  return face("Firefox", {
    troubles,
    goto: (url) => page.goto(url),
    run: (fn, ...given) => page.evaluate(fn, ...given),
    type: async (selector, text, key) => {
      await page.click(selector, { count: 3 });
      await page.keyboard.type(text);
      if (key) await page.keyboard.press(key);
    },
    close: () => browser.close(),
  });
}

export function webkitPaths() {
  const browser = find(process.env.WEBKIT_MINIBROWSER, "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser", "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser");
  const driver = find(process.env.WEBKIT_DRIVER, "/usr/bin/WebKitWebDriver");
  const display = process.env.DISPLAY || find("/usr/bin/Xvfb");
  return browser && driver && display ? { browser, driver } : undefined;
}

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

export async function webkit() {
  const { Builder, By, Capabilities, Key } = await import("selenium-webdriver");
  const paths = webkitPaths();
  const own = [];                                   // what was started here, to be ended here
  const env = { ...process.env, LANG: "C.UTF-8", LANGUAGE: "en_US", LIBGL_ALWAYS_SOFTWARE: "1", WEBKIT_DISABLE_COMPOSITING_MODE: "1" };
  if (process.getuid?.() === 0) env.WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS = "1";    // its sandbox does not work as root
  if (!env.DISPLAY) {
    const screen = spawn("/usr/bin/Xvfb", ["-displayfd", "3", "-screen", "0", "1440x900x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
    own.push(screen);
    env.DISPLAY = `:${await new Promise((done, failed) => (screen.stdio[3].once("data", (text) => done(String(text).trim())), screen.once("exit", () => failed(new Error("Xvfb did not start")))))}`;
  }
  const port = await freePort();
  own.push(spawn(paths.driver, [`--port=${port}`, "--host=127.0.0.1"], { stdio: "ignore", env }));
  const end = () => own.reverse().forEach((process) => process.kill());
  try {
    for (const end = Date.now() + kPatience; ; await pause(100)) {
      if (await fetch(`http://127.0.0.1:${port}/status`).then((r) => r.ok, () => false)) break;
      if (Date.now() > end) throw new Error("WebKitWebDriver did not start");
    }
    const wanted = new Capabilities({ browserName: "MiniBrowser", "webkitgtk:browserOptions": { binary: paths.browser, args: ["--automation"] } });
    const browser = await new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(wanted).build();
    return face("WebKitGTK", {
      troubles: [],                                 // WebDriver does not tell of the console
      goto: (url) => browser.get(url),
      run: (fn, ...given) => browser.executeScript(`return (${fn}).apply(null, arguments)`, ...given),
      type: async (selector, text, key) => {
        const field = await browser.findElement(By.css(selector));
        await field.click();
        await browser.executeScript("arguments[0].select()", field);
        await field.sendKeys(text, ...(key ? [Key[key.toUpperCase()]] : []));
      },
      close: () => browser.quit().finally(end),
    });
  } catch (error) {
    end();
    throw error;
  }
}
