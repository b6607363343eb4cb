// A core that fails in every way in which one can: the call says so, and the next one has a fresh instance.
import assert from "node:assert/strict";
import test from "node:test";

import { clientOver, found } from "./support.mjs";

const wb = await clientOver("failing_core");

for (const failure of ["abort", "trap", "overflow", "memory", "garbage"]) {
  test(`the next call after ${failure} works`, () => {
    const fine = wb.estimate({});
    assert.equal(fine.ok, true);
    const failed = wb.estimate({ please: failure });
    assert.equal(failed.ok, false);
    assert.deepEqual(found(failed), [" internal_error"]);
    assert.match(failed.problems[0].message, /defect of Weighbridge/);
    const after = wb.estimate({});
    assert.equal(after.ok, true, JSON.stringify(after));
    assert.equal(after.calls, 1, "a fresh instance");
    assert.equal(wb.estimate({}).calls, 2);
  });

  test(`every call survives ${failure}`, () => {
    for (const ask of [() => wb.train({ please: failure }), () => wb.plan({ please: failure }), () => wb.sweep({ please: failure }), () => wb.readModel([{ name: "a", text: failure }])]) {
      assert.deepEqual(found(ask()), [" internal_error"]);
      assert.equal(wb.estimate({}).ok, true);
    }
  });
}

test("ten failures in a row, then an answer", () => {
  for (let i = 0; i < 10; ++i) assert.deepEqual(found(wb.estimate({ please: "abort" })), [" internal_error"]);
  assert.equal(wb.estimate({}).ok, true);
});

test("describe() and version live on", () => {
  wb.estimate({ please: "trap" });
  assert.equal(wb.version, "0.0.0");
  assert.equal(wb.describe().problems[0].code, "internal_error");
});
