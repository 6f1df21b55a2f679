import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { test } from "node:test";
import { RecordingReporter } from "@dhow/testkit";
import { Doors } from "../src/host/doors.ts";

/** Another program with a port. */
async function occupant(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end("somebody else")).listen(port, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

test("a port that another program has is refused, said once, and opened when that one has gone", async () => {
  const reporter = new RecordingReporter();
  const { server, port } = await occupant();
  const doors = new Doors(reporter);
  await doors.open(`${port}:30123`);
  await doors.open(`${port}:30123`);
  assert.deepEqual(doors.refused, [{ port, reason: `port ${port} is taken by node (process ${process.pid})` }]);
  assert.equal(doors.portOf(`${port}:30123`), 0);
  await doors.openRefused();
  assert.equal(doors.refused.length, 1);
  await new Promise((resolve) => server.close(resolve));
  await doors.openRefused();
  assert.deepEqual(doors.refused, []);
  assert.equal(doors.portOf(`${port}:30123`), port);
  assert.deepEqual(
    reporter.reports.map(({ kind, subject }) => [kind, subject]),
    [
      ["cluster.port-taken", String(port)],
      ["cluster.port-free", String(port)],
    ],
  );
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.destroy();
  doors.close();
});

test("a Service that goes away takes its refused port along", async () => {
  const { server, port } = await occupant();
  const doors = new Doors(new RecordingReporter());
  await doors.open(`${port}:30123`);
  doors.remove(`${port}:30123`);
  assert.deepEqual(doors.refused, []);
  server.close();
});
