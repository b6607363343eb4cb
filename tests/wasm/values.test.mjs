// A request is a JavaScript value, and some of those have no JSON: each is named with its place, and nothing is ever thrown.
import assert from "node:assert/strict";
import test from "node:test";

import { found, load } from "./support.mjs";

const wb = await load();
const model = "meta-llama/Llama-3.1-8B";
const good = { model, device: "rtx-4090", weights: "Q4_K_M" };
const expected = JSON.stringify(wb.estimate(good));
const nextGoodRequestWorks = () => assert.equal(JSON.stringify(wb.estimate(good)), expected);

/** Every call refuses it, and only for this. */
function refused(value, ...problems) {
  for (const call of ["estimate", "train", "plan"]) {
    const answer = wb[call](value);
    assert.equal(answer.ok, false, call);
    for (const problem of problems) assert.ok(found(answer).includes(problem), `${call}: ${found(answer)} lacks ${problem}`);
    for (const p of answer.problems) assert.ok(p.message && !/[{}[\]]/.test(p.message.replace(/".*?"/g, "")), p.message);
  }
  assert.deepEqual(found(wb.estimate(value)), [...problems].sort());
  nextGoodRequestWorks();
}

test("numbers that are none", () => {
  refused({ model, workload: { prompt_tokens: NaN, output_tokens: Infinity, concurrency: -Infinity } },
    "/workload/prompt_tokens not_finite", "/workload/output_tokens not_finite", "/workload/concurrency not_finite");
  assert.match(wb.estimate({ model, reserved_bytes: NaN }).problems[0].message, /NaN/);
  refused({ model, device: ["rtx-4090", NaN] }, "/device/1 not_finite");
});

test("values that JSON has no form for", () => {
  refused({ model, devices: 2n }, "/devices not_json_value");
  refused({ model, devices: () => 2 }, "/devices not_json_value");
  refused({ model, devices: Symbol("two") }, "/devices not_json_value");
  refused({ model, workload: new Map([["prompt_tokens", 1]]) }, "/workload not_json_value");
  refused({ model, options: new Set() }, "/options not_json_value");
  refused({ model, device: Promise.resolve("rtx-4090") }, "/device not_json_value");
  refused({ model, weights: /bf16/ }, "/weights not_json_value");
  refused({ model, "a/b~c": 1n }, "/a~1b~0c not_json_value");
});

test("several at once, beside the core's own problems", () => {
  assert.deepEqual(found(wb.estimate({ model: "no/such", devices: 2n, workload: { prompt_tokens: NaN, output_tokens: -1 }, wieghts: 1 })),
    ["/devices not_json_value", "/model unknown_model", "/wieghts unknown_field", "/workload/output_tokens out_of_range", "/workload/prompt_tokens not_finite"]);
});

test("cycles", () => {
  const request = { model };
  request.workload = { inner: request };
  const answer = wb.estimate(request);
  assert.equal(answer.ok, false);
  assert.ok(found(answer).includes("/workload/inner cycle"));
  const list = [];
  list.push(list);
  assert.ok(found(wb.estimate({ model, device: list })).includes("/device/0 cycle"));
  const shared = { prompt_tokens: 100 };
  assert.equal(wb.estimate({ model, workload: shared, host: null, efficiency: undefined }).ok, true);
  nextGoodRequestWorks();
});

test("texts with half a character", () => {
  refused({ model: "a\ud800b" }, "/model broken_text");
  assert.ok(found(wb.estimate({ model, "x\udc00": 1 })).some((p) => p.endsWith("broken_text")));
  const answer = wb.estimate('{"model":"a\ud800"}');
  assert.deepEqual(found(answer), [" broken_text"]);
  assert.equal(answer.problems[0].params.position, 11, "in bytes");
  assert.equal(wb.estimate({ model: { name: "😀", manual: { parameters: 7e9 } } }).ok, true, "a whole pair is a character");
});

test("foreign code that throws", () => {
  const boom = () => {
    throw new Error("boom");
  };
  refused({ model, get devices() { return boom(); } }, "/devices not_json_value");
  refused({ model, devices: { toJSON: boom } }, "/devices not_json_value");
  refused(new Proxy({}, { ownKeys: boom }), " not_json_value");
  refused({ model, workload: new Proxy({}, { ownKeys: boom }) }, "/workload not_json_value");
  refused({ toJSON: boom }, " not_json_value");
  for (const thrown of [undefined, null, "text", { toString: boom }]) {
    refused({ model, get devices() { throw thrown; } }, "/devices not_json_value");
  }
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  refused({ model, options: revoked.proxy }, "/options not_json_value");
});

test("what is no object at all", () => {
  for (const value of [undefined, null, true, 1, [], "[]", "null", "1"]) {
    const answer = wb.estimate(value);
    assert.equal(answer.ok, false, String(value));
    assert.deepEqual(found(answer).filter((p) => !p.endsWith("missing_field")), [" wrong_type"], String(value));
  }
  assert.deepEqual(found(wb.estimate("")), [" not_json"]);
  assert.deepEqual(found(wb.estimate("{\u0000}")), [" not_json"]);
  assert.deepEqual(found(wb.estimate(5n)), [" not_json_value"]);
  assert.equal(wb.estimate().ok, false);
});

test("objects that are values: dates, boxes, classes, typed arrays, null prototypes", () => {
  class Request {
    model = model;
    devices = new Number(2);
    weights = new String("bf16");
    device = "rtx-4090";
    explain = new Boolean(false);
    nothing = undefined;
  }
  const plain = wb.estimate({ model, devices: 2, weights: "bf16", device: "rtx-4090", explain: false });
  assert.deepEqual(wb.estimate(new Request()), plain);
  assert.deepEqual(wb.estimate(Object.assign(Object.create(null), { ...new Request() })), plain);
  assert.deepEqual(found(wb.estimate({ model, device: new Date(0) })), ["/device unknown_device"]);
  assert.equal(wb.plan({ model, counts: Int32Array.of(1, 2) }).problems.length, 1, "typed arrays are lists");
});

test("inside a config NaN and Infinity stand for nothing, as Python writes them", () => {
  const config = { model_type: "llama", hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, intermediate_size: 14336, vocab_size: 128256 };
  const answer = wb.estimate({ model: { config: { ...config, initializer_range: NaN, limits: { low: -Infinity, list: [Infinity] } } } });
  assert.equal(answer.ok, true, JSON.stringify(answer.problems));
  assert.equal(answer.model.parameters, 8_030_261_248);
  assert.deepEqual(found(wb.estimate({ model: { config: { ...config, hidden_size: NaN } } })), ["/model/config/hidden_size config_missing_key"]);
  assert.deepEqual(found(wb.estimate({ model: { config, name: NaN } })), ["/model/name not_finite"]);
  assert.deepEqual(found(wb.estimate({ model: { config: { ...config, other: 1n } } })), ["/model/config/other not_json_value"]);
  const swept = wb.sweep({ request: { model: { config: { ...config, x: NaN } } }, vary: { path: "/model/config/num_hidden_layers", values: [16, 32] }, outputs: ["model.parameters"] });
  assert.equal(swept.ok, true, JSON.stringify(swept.problems));
  assert.equal(swept.columns["model.parameters"][1], 8_030_261_248);
});

test("deep nesting, in text and in objects", () => {
  for (const depth of [100, 10_000]) {
    assert.deepEqual(found(wb.estimate("[".repeat(depth) + "]".repeat(depth))), [" too_deep"]);
    let value = {};
    for (let i = 0; i < depth; ++i) value = { model: value };
    assert.deepEqual(found(wb.estimate(value)), [" too_deep"]);
  }
  nextGoodRequestWorks();
});

test("50 MB are refused by their size", () => {
  const text = `{"model":"${"a".repeat(50_000_000)}"}`;
  for (const call of ["estimate", "train", "plan", "sweep"]) assert.deepEqual(found(wb[call](text)), [" too_large"], call);
  for (const value of [{ model: text }, { model, list: new Array(50_000_000).fill(1) }, { model, bytes: new Uint8Array(50_000_000) }]) {
    assert.deepEqual(found(wb.estimate(value)), [" too_large"]);
  }
  assert.deepEqual(found(wb.readModel([{ name: "config.json", text }])), ["/0 too_large"]);
  nextGoodRequestWorks();
});

test("a text of four million bytes is read, whatever its characters", () => {
  const padded = (size) => JSON.stringify(good) + " ".repeat(size - JSON.stringify(good).length);
  assert.equal(wb.estimate(padded(4_000_000)).ok, true);
  assert.deepEqual(found(wb.estimate(padded(4_000_001))), [" too_large"]);
  const answer = wb.estimate(`{"model":"${"€".repeat(1_500_000)}"}`);         // fewer characters, more bytes
  assert.deepEqual(found(answer), [" too_large"]);
});

test("sweeps refuse like the other calls", () => {
  const base = { request: { model }, vary: { path: "/devices", values: [1] }, outputs: ["model.parameters"] };
  assert.deepEqual(found(wb.sweep({ ...base, vary: { path: "/devices", values: [1n, NaN] } })), ["/vary/values/0 not_json_value", "/vary/values/1 not_finite"]);
  assert.deepEqual(found(wb.sweep({ ...base, outputs: ["model.paramters"] })), ["/outputs/0 unknown_value"]);
  assert.equal(wb.sweep(null).ok, false);
  assert.equal(wb.sweep().ok, false);
});

test("readModel refuses what is no list of files", () => {
  const of = (files) => found(wb.readModel(files));
  assert.deepEqual(of(), [" wrong_type"]);
  assert.deepEqual(of("config.json"), [" wrong_type"]);
  assert.deepEqual(of([]), [" missing_field"]);
  assert.deepEqual(of([null, 5]), ["/0 wrong_type", "/1 wrong_type"]);
  assert.deepEqual(of([{}]), ["/0/bytes missing_field", "/0/name missing_field"]);
  assert.deepEqual(of([{ name: 5, text: 5, sizes: 1 }]), ["/0/name wrong_type", "/0/sizes unknown_field", "/0/text wrong_type"]);
  assert.deepEqual(of([{ name: "a", text: "{}", bytes: new Uint8Array() }]), ["/0 conflicting_fields"]);
  assert.deepEqual(of([{ name: "a", bytes: [1, 2] }]), ["/0/bytes wrong_type"]);
  for (const [size, code] of [[NaN, "not_finite"], [-1, "out_of_range"], [1.5, "wrong_type"], ["5", "wrong_type"], [1, "out_of_range"]]) {
    assert.deepEqual(of([{ name: "a", text: "{}", size }]), [`/0/size ${code}`], String(size));
  }
  assert.deepEqual(of([{ name: "\ud800", text: "\ud800" }]), ["/0/name broken_text", "/0/text broken_text"]);
  assert.equal(wb.readModel([{ get name() { throw 1; } }]).ok, false);
  assert.equal(wb.readModel(new Proxy([], { get() { throw 1; } })).ok, false);
  assert.deepEqual(of([{ name: "config.json", bytes: Uint8Array.of(0xff, 0xfe) }]), ["/0 broken_text"]);
  nextGoodRequestWorks();
});
