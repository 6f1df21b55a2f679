import assert from "node:assert/strict";
import { test } from "node:test";
import { dhow } from "./fixture.ts";

for (const [words, wanted] of [
  [["logs", "--tail", "abc"], /'abc' is invalid. It is a whole number, 0 or more/],
  [["logs", "--tail", "-1"], /'-1' is invalid/],
  [["up", "--port", "70000"], /'70000' is invalid. A port is a whole number from 1 to 65535/],
  [["upp"], /unknown command 'upp'\n\(Did you mean up\?\)/],
  [["up", "nowhere"], /there is no folder .*nowhere\n *Instead: dhow <command> <folder of system\.ts>/],
  [["status"], /there is no system\.ts in /],
] as const) {
  test(`dhow ${words.join(" ")} says what is wrong`, () => {
    const { code, stderr } = dhow("/tmp", ...words);
    assert.equal(code, 1);
    assert.match(stderr, wanted);
  });
}
