// The package's types fit its calls, and refuse what the calls refuse.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";

import { npm, root } from "./support.mjs";

/** What tsc says to this program; empty when nothing is wrong. */
function compiled(source, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), "weighbridge-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(npm, join(folder, "node_modules/weighbridge"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "use.ts"), source);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
      compilerOptions: { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"], types: [], noEmit: true, ...options },
      files: ["use.ts"],
    }));
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8" });
    return "";
  } catch (error) {
    return error.stdout ?? String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const use = `
import { load, type EstimateRequest, type Problem, type Weighbridge } from "weighbridge";
const wb: Weighbridge = await load();
const request: EstimateRequest = {
  model: "Qwen/QwQ-32B", weights: "bf16", kv_cache: { k: "q8_0", v: "q4_0" }, engine: { name: "vllm", version: "0.11" }, device: "h100-sxm-80gb",
  devices: { count: 16, per_node: 8 }, parallel: { tensor: 8, pipeline: 2 }, reserved_bytes: 0, host: { memory_bytes: 64e9 }, price_usd_per_hour: 2.5,
  workload: { prompt_tokens: 1000, output_tokens: 200, concurrency: "max", mode: "closed_loop" }, options: { gpu_memory_utilization: 0.9 },
  efficiency: { compute: 0.4 }, method: "detailed", explain: true,
};
const answer = wb.estimate(request);
if (answer.ok) {
  const bytes: number = answer.memory.total.total;
  const fits: boolean | undefined = answer.memory.per_device?.fits;
  const seconds: number | undefined = answer.speed?.tpot_s;
  const again: EstimateRequest | undefined = answer.advice?.[0]?.request;
  for (const step of answer.steps ?? []) { const id: string = step.id; void id; }
  void [bytes, fits, seconds, again];
} else {
  const problems: Problem[] = answer.problems;
  for (const { severity, code, path, message } of problems) void [severity, code, path, message];
}
wb.estimate({ model: { manual: { parameters: 7e9 } }, device: { memory_bytes: 24e9, bandwidth: 1e12, flops: { bf16: 1e14 } } });
wb.estimate({ model: { config: { model_type: "llama" }, name: "ours" }, device: ["rtx-4090", "rtx-3090"], weights: { bits_per_weight: 4.5 } });
wb.estimate(JSON.stringify(request));
const read = wb.readModel([{ name: "config.json", text: "{}" }, { name: "model.gguf", bytes: new Uint8Array(8), size: 1e9 }]);
if (read.ok) wb.estimate({ model: read.model });
const sweep = wb.sweep({ call: "estimate", request, vary: { path: "/devices", values: [1, 2] }, outputs: ["speed.tpot_s"] });
if (sweep.ok) { const column: Float64Array | undefined = sweep.columns["speed.tpot_s"]; void column; }
wb.train({ model: "meta-llama/Llama-3.1-8B", method: "lora", lora: { rank: 16, targets: "all-linear" }, estimate_method: "article" });
wb.plan({ model: ["Qwen/QwQ-32B"], devices: "all", counts: [1, 2], limits: { ttft_s: 1 }, sort: "cost" });
const models: string[] = wb.describe().models.map((m) => m.id);
void models;
export {};
`;

test("a program that uses every call compiles", () => {
  assert.equal(compiled(use), "");
  assert.equal(compiled(use, { module: "nodenext", moduleResolution: "nodenext", skipLibCheck: false }), "", "as Node resolves modules");
});

test("misspelt fields and wrong values do not compile", () => {
  const start = 'import { load } from "weighbridge";\nconst wb = await load();\n';
  const wrong = {
    "a misspelt field": 'wb.estimate({ model: "Qwen/QwQ-32B", wieghts: "bf16" });',
    "a misspelt member": 'wb.estimate({ model: "Qwen/QwQ-32B", workload: { promt_tokens: 5 } });',
    "no model": "wb.estimate({});",
    "a text for a number": 'wb.estimate({ model: "Qwen/QwQ-32B", workload: { prompt_tokens: "5" } });',
    "an unknown choice": 'wb.estimate({ model: "Qwen/QwQ-32B", workload: { mode: "loop" } });',
    "an answer that was not checked": 'wb.estimate({ model: "Qwen/QwQ-32B" }).memory.total.total;',
    "speed that may be null": 'const a = wb.estimate({ model: "Qwen/QwQ-32B" }); if (a.ok) a.speed.tpot_s.toFixed();',
    "a misspelt figure": 'const a = wb.estimate({ model: "Qwen/QwQ-32B" }); if (a.ok) a.memory.total.wieghts;',
    "a call that does not exist": "wb.estimat({});",
    "a misspelt field of training": 'wb.train({ model: "Qwen/QwQ-32B", optimiser: "adamw" });',
  };
  for (const [name, line] of Object.entries(wrong)) assert.match(compiled(start + line), /use\.ts\(3,\d+\): error TS/, name);
  assert.equal(compiled(`${start}wb.estimate({ model: "Qwen/QwQ-32B" });`), "", "the frame itself is right");
});

const element = `
import { WeighBridge, type WeighBridgeAttributes, type WeighBridgeChange } from "weighbridge/element";
const one = document.querySelector("weigh-bridge")!;
const same: WeighBridge = one;
one.request = { model: { manual: { parameters: 8e9 } }, workload: { prompt_tokens: 100 } };
one.devices = 2;
one.controls = true;
const device: string | null = one.device;
one.addEventListener("change", (event: WeighBridgeChange) => {
  const { answer } = event.detail;
  if (answer.ok) { const headroom: number | undefined = answer.memory.per_device?.headroom; void headroom; }
});
one.addEventListener("click", (event) => event.clientX);
if (one.answer?.ok) { const bytes: number = one.answer.memory.total.total; void bytes; }
const attributes: WeighBridgeAttributes = { model: "Qwen/QwQ-32B", "kv-cache": "fp8", view: "bar", devices: 2 };
void [same, device, attributes];
`;

test("the element's request, answer and event are typed", () => {
  assert.equal(compiled(element, { lib: ["es2022", "dom", "dom.iterable"] }), "");
  assert.match(compiled(`import "weighbridge/element"; document.querySelector("weigh-bridge")!.request = { modle: "x" };`), /modle/);
  assert.match(compiled(`import type { WeighBridgeAttributes } from "weighbridge/element"; export const a: WeighBridgeAttributes = { view: "pie" };`), /pie/);
});
