// What readers load keeps to the committed budget.
import assert from "node:assert/strict";
import { test } from "node:test";

import { budget, kSlack, sizes } from "../../scripts/sizes.mjs";

const [now, agreed] = [sizes(), budget()];

test("every size has a budget", () => assert.deepEqual(Object.keys(agreed), Object.keys(now)));

for (const [name, bytes] of Object.entries(now))
  test(`${name}: no more than was agreed`, () =>
    assert.ok(bytes <= agreed[name] * (1 + kSlack), `${bytes} bytes, and ${agreed[name]} were agreed. Make it smaller, or run node scripts/sizes.mjs --write and commit the growth.`));

test("the single file has at most 700 KB", () => assert.ok(now["single file"] <= 700_000, `${now["single file"]} bytes`));
