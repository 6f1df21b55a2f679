import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startRawServer } from "../raw-server.ts";
import { type Answer, converse } from "./converse.ts";
import { differences } from "./differences.ts";
import { realServer } from "./real-server.ts";
import { requests } from "./requests.ts";

// What a Kubernetes 1.36 API server answered to each, over HTTP/1.1; RECORD_FROM=<kubeconfig> asks one again.
const file = new URL("./recorded.json", import.meta.url);

if (process.env["RECORD_FROM"]) {
  const answers = await converse(realServer(process.env["RECORD_FROM"]));
  const lines = Object.entries(answers).map(([why, answer]) => `${JSON.stringify(why)}: ${JSON.stringify(answer)}`);
  writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
}

const recorded = JSON.parse(readFileSync(file, "utf8")) as Record<string, Answer>;
let answers: Record<string, Answer> = {};
let server: Awaited<ReturnType<typeof startRawServer>>;

before(async () => {
  server = await startRawServer();
  answers = await converse(server);
});
after(() => server[Symbol.asyncDispose]());

for (const { why } of requests) {
  test(why, () => {
    assert.ok(recorded[why], "no answer is recorded");
    const difference = differences.get(why);
    if (!difference) return assert.deepEqual(answers[why], recorded[why]);
    if (difference.status !== undefined) return assert.equal(answers[why]?.status, difference.status);
    assert.notDeepEqual(answers[why], recorded[why], "there is no difference any more");
    assert.deepEqual(withoutWords(answers[why]), withoutWords(recorded[why]));
  });
}

test("every request has a name of its own", () => {
  assert.equal(new Set(requests.map(({ why }) => why)).size, requests.length);
});

test("nothing of what was asked for is left in the prototypes", () => {
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test("nothing was a fault of the server", () => {
  assert.deepEqual(server.reporter.reports, []);
});

function withoutWords(answer: Answer | undefined) {
  const { code, kind, reason } = (answer?.body ?? {}) as Record<string, unknown>;
  return { status: answer?.status, type: answer?.type, code, kind, reason };
}
