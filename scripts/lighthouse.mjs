// The measurements behind scripts/lighthouse.sh. Prints medians; they are also left in build/lighthouse.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import lighthouse, { desktopConfig } from "lighthouse";
import { chromium } from "playwright-core";

import { browserPath, kFlags, root } from "../tests/web/support.mjs";
import { serve } from "./static_server.mjs";

const kRuns = Number(process.argv[2] ?? 5);
const kWanted = { mobile: { performance: 95, accessibility: 98, "best-practices": 98, seo: 98 }, desktop: { performance: 98, accessibility: 98, "best-practices": 98, seo: 98 } };
const kTimes = { "first-contentful-paint": "FCP", "largest-contentful-paint": "LCP", "total-blocking-time": "TBT", "cumulative-layout-shift": "CLS" };

const kPort = 9200 + (process.pid % 700);      // of the browser, for Lighthouse

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const server = await serve({ root: join(root, "dist/site") });
const result = {};
try {
  for (const [form, wanted] of Object.entries(kWanted)) {
    const runs = [];
    for (let run = 0; run < kRuns; ++run) {
      const chrome = await chromium.launch({ executablePath: browserPath(), args: [...kFlags, `--remote-debugging-port=${kPort}`] });
      try {
        const { lhr } = await lighthouse(server.url, { port: kPort, logLevel: "error", onlyCategories: Object.keys(wanted) }, form === "desktop" ? desktopConfig : undefined);
        runs.push(lhr);
      } finally {
        await chrome.close();
      }
    }
    const scores = Object.fromEntries(Object.keys(wanted).map((name) => [name, Math.round(median(runs.map((lhr) => lhr.categories[name].score ?? 0)) * 100)]));
    const times = Object.fromEntries(Object.entries(kTimes).map(([id, name]) => [name, median(runs.map((lhr) => lhr.audits[id].numericValue ?? NaN))]));
    // What a score other than full comes from, as the last run says it.
    const faults = Object.values(runs.at(-1).categories).filter((c) => c.id !== "performance").flatMap((c) => c.auditRefs.filter((ref) => ref.weight > 0 && (runs.at(-1).audits[ref.id].score ?? 1) < 1).map((ref) => `${c.id}: ${ref.id}`));
    result[form] = { scores, times, faults };
    console.log(`${form}, median of ${kRuns}:`);
    for (const [name, score] of Object.entries(scores)) console.log(`  ${name.padEnd(16)} ${String(score).padStart(3)}   wanted at least ${wanted[name]}`);
    console.log(`  ${Object.entries(times).map(([name, value]) => (name === "CLS" ? `CLS ${value.toFixed(3)}` : `${name} ${Math.round(value)} ms`)).join(", ")}`);
    for (const fault of faults) console.log(`  ${fault}`);
  }
} finally {
  await server.close();
}
mkdirSync(join(root, "build"), { recursive: true });
writeFileSync(join(root, "build/lighthouse.json"), `${JSON.stringify(result, null, 1)}\n`);
