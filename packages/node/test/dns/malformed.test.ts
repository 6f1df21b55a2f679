import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { test } from "node:test";
import { nat, oneof, sample, tuple, uint8Array } from "fast-check";
import { HeldCollection, RecordingReporter } from "@dhow/testkit";
import { startDns } from "../../src/dns/server.ts";

/** A query for `web.`, which the server refuses or answers; the bytes are then altered. */
const query = Buffer.from("00010100000100000000000003776562000001000100", "hex");

const packets = oneof(
  uint8Array({ maxLength: 600 }),
  tuple(nat(query.length - 1), uint8Array({ maxLength: 40 })).map(([at, bytes]) =>
    Buffer.concat([query.subarray(0, at), bytes, query.subarray(at + bytes.length)]),
  ),
  // Names that point at themselves (RFC 1035, 4.1.4), and counts of records that are not there.
  nat(255).map((low) => Buffer.concat([query.subarray(0, 12), Buffer.from([0xc0, low, 0, 1, 0, 1])])),
  uint8Array({ minLength: 8, maxLength: 8 }).map((counts) =>
    Buffer.concat([query.subarray(0, 4), counts, query.subarray(12)]),
  ),
);

test("packets that are no questions neither end nor stop the server", async () => {
  const stopped = new AbortController();
  const none = () => new HeldCollection<never>();
  const objects = { services: none(), endpointSlices: none(), namespaces: none() };
  const reporter = new RecordingReporter();
  const port = 20_000 + (process.pid % 20_000);
  const options = {
    address: "127.0.0.1",
    port,
    clusterDomain: "cluster.local",
    objects,
    reporter,
    signal: stopped.signal,
  };
  await startDns(options);
  const socket = createSocket("udp4");
  try {
    for (const packet of sample(packets, { numRuns: 2000, seed: 1036 })) {
      await new Promise<void>((resolve) => socket.send(packet, port, "127.0.0.1", () => resolve()));
    }
    for (const packet of sample(packets, { numRuns: 50, seed: 1037 })) {
      const connection = connect(port, "127.0.0.1");
      connection.on("error", () => undefined).end(packet);
      await new Promise((resolve) => connection.on("close", resolve).resume());
    }
    const resolver = new Resolver({ timeout: 5000 });
    resolver.setServers([`127.0.0.1:${port}`]);
    await assert.rejects(resolver.resolve4("nothing.default.svc.cluster.local"), { code: "ENOTFOUND" });
  } finally {
    socket.close();
    stopped.abort();
  }
});
