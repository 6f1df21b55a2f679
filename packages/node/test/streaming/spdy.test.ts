import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import * as fc from "fast-check";
import { SpdyConnection, type SpdyStream } from "../../src/streaming/spdy/connection.ts";
import { dictionary } from "../../src/streaming/spdy/dictionary.ts";
import { controlFrame, dataFrame, type Frame, FrameReader, FrameType } from "../../src/streaming/spdy/frames.ts";
import { HeaderDeflater, HeaderInflater } from "../../src/streaming/spdy/headers.ts";

function adler32(bytes: Buffer): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

test("the dictionary is the one whose sum every SPDY/3 connection begins with", () => {
  assert.equal(dictionary.length, 1423);
  assert.equal(adler32(dictionary), 0xe3c6a7c2);
});

test("frames are found again whatever the pieces", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          stream: fc.integer({ min: 0, max: 0x7fffffff }),
          flags: fc.integer({ min: 0, max: 255 }),
          data: fc.uint8Array({ maxLength: 50 }),
        }),
      ),
      fc.integer({ min: 1, max: 17 }),
      (sent, size) => {
        const bytes = Buffer.concat([
          ...sent.map(({ stream, flags, data }) => dataFrame(stream, flags, data)),
          controlFrame(FrameType.ping, 0, Buffer.alloc(4)),
        ]);
        const reader = new FrameReader();
        const got: Frame[] = [];
        for (let at = 0; at < bytes.length; at += size) got.push(...reader.push(bytes.subarray(at, at + size)));
        assert.equal(got.length, sent.length + 1);
        for (const [index, { stream, flags, data }] of sent.entries()) {
          const frame: Frame | undefined = got[index];
          assert.ok(frame?.kind === "data");
          assert.deepEqual([frame.stream, frame.flags, [...frame.payload]], [stream, flags, [...data]]);
        }
      },
    ),
  );
});

test("header blocks share one compression from the first to the last", async () => {
  const [deflater, inflater] = [new HeaderDeflater(), new HeaderInflater()];
  const blocks: Record<string, string>[] = [
    { streamtype: "error" },
    { streamtype: "data", port: "80", requestid: "0" },
    {},
    { streamtype: "data" },
  ];
  for (const headers of blocks) {
    assert.deepEqual(await inflater.decode(await deflater.encode(headers)), headers);
  }
  deflater.close();
  inflater.close();
});

test("streams carry bytes both ways and end each way by themselves", async () => {
  const [left, right] = duplexPair();
  const client = new SpdyConnection(left, { server: false });
  const server = new SpdyConnection(right, { server: true });
  const opened: SpdyStream[] = [];
  server.onStream = (stream) => {
    opened.push(stream);
    stream.pipe(stream);
  };
  const streams = await Promise.all(["a", "b"].map((name) => client.open({ streamtype: name })));
  const big = "x".repeat(300_000);
  for (const stream of streams) stream.end(`${stream.id}${big}`);
  assert.deepEqual(
    await Promise.all(streams.map((stream) => text(stream))),
    streams.map(({ id }) => `${id}${big}`),
  );
  assert.deepEqual(
    opened.map(({ headers }) => headers["streamtype"]),
    ["a", "b"],
  );
  client.close();
});

test("a ping of the other side is answered; a lost connection ends its streams", async () => {
  const [left, right] = duplexPair();
  const server = new SpdyConnection(right, { server: true });
  const closed = new Promise<void>((resolve) => (server.onClose = resolve));
  const ping = Buffer.from([0, 0, 0, 1]);
  const reader = new FrameReader();
  const answer = new Promise<unknown>((resolve) =>
    left.once("data", (bytes: Buffer) => resolve(reader.push(bytes)[0])),
  );
  left.write(controlFrame(FrameType.ping, 0, ping));
  assert.deepEqual(await answer, { kind: "control", type: FrameType.ping, flags: 0, payload: ping });
  left.end();
  await closed;
});
