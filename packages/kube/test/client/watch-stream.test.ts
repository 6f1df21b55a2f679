import assert from "node:assert/strict";
import { test } from "node:test";
import { isStatusError } from "@dhow/kube";
import * as fc from "fast-check";
import { decodeWatch, LineSplitter } from "../../src/client/watch-stream.ts";

test("lines survive any cut of the bytes", () => {
  const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\n"));
  fc.assert(
    fc.property(fc.array(line), fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      const splitter = new LineSplitter();
      const seen: string[] = [];
      for (let at = 0; at < bytes.length;) {
        const size = cuts.next().value ?? 1;
        seen.push(...splitter.push(bytes.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(seen, lines);
    }),
  );
});

async function* pieces(...texts: string[]) {
  yield* texts;
}

test("an event cut off by the end of the stream is not an event", async () => {
  const events = [];
  const body = pieces('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n{"type":"MODI', 'FIED","object":');
  for await (const event of decodeWatch(body)) events.push(`${event.type} ${event.object.metadata.name}`);
  assert.deepEqual(events, ["ADDED a"]);
});

test("an ERROR event is thrown as its Status", async () => {
  const status = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version: 1 (5)" };
  const body = pieces(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
  await assert.rejects(decodeWatch(body).next(), (error) => isStatusError(error, "Expired") && error.code === 410);
});
