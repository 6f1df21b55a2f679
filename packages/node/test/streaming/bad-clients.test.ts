import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { rawExchange, rawRequest, temporaryFolder } from "@dhow/testkit";
import { oneNode, shell } from "../support/one-node.ts";

const upgrade = (to: string, more: readonly (readonly [string, string])[] = []) => [
  ["Connection", "Upgrade"] as const,
  ["Upgrade", to] as const,
  ...more,
];
const webSocket = upgrade("websocket", [
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ["Sec-WebSocket-Protocol", "v5.channel.k8s.io"],
]);
const spdy = upgrade("SPDY/3.1", [["X-Stream-Protocol-Version", "v4.channel.k8s.io"]]);

test("what is no request of a kubelet's is refused, and the kubelet goes on", async () => {
  using folder = temporaryFolder();
  await using node = await oneNode(folder.path);
  node.run("p", { containers: [shell("c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")] });
  await node.until("p", ({ status }) => status?.phase === "Running");
  const dial = async () => {
    const socket = connect(node.socketPath);
    await once(socket, "connect");
    return socket;
  };
  const ask = async (path: string, headers: readonly (readonly [string, string])[] = [], method = "GET") =>
    (await rawExchange(await dial(), rawRequest({ method, path, headers }), 2000)).status;

  assert.equal(await ask("/%zz"), 400);
  assert.equal(await ask("/exec/%zz/p/c", webSocket), 400);
  for (const path of [
    "//",
    "/constructor",
    "/__proto__",
    "/toString/valueOf",
    "/containerLogs",
    "/metrics/../pods/x/%2e%2e",
  ])
    assert.ok([200, 404].includes(await ask(path)), path);
  for (const path of ["/containerLogs/n/p/..%2f..%2fx", "/containerLogs/..%2f/p/c", "/containerLogs/n/p/__proto__"])
    assert.ok([400, 404].includes(await ask(path)), path);
  assert.equal(await ask("/exec/n/nobody/c?command=true", webSocket), 404);
  assert.equal(await ask("/exec/n/p/nothing?command=true", webSocket), 500);

  for (const headers of [webSocket, spdy]) {
    for (const path of [
      "/exec/n/p/c?command=cat&input=1&output=1",
      "/portForward/n/p?port=1",
      "/attach/n/p/c?output=1",
    ]) {
      for (const garbage of [
        randomBytes(4096),
        Buffer.alloc(4096, 0xff),
        Buffer.from([0x80, 3, 0, 1, 0xff, 0xff, 0xff, 0xff]),
        Buffer.from([0xff]),
      ]) {
        const method = headers === spdy ? "POST" : "GET";
        const socket = await dial();
        socket.on("error", () => undefined);
        socket.write(rawRequest({ method, path, headers: [...headers] }));
        await once(socket, "readable");
        socket.resume();
        // Half closed, then gone, in the middle of a frame.
        socket.end(garbage);
        await new Promise((resolve) => setTimeout(resolve, 10));
        socket.destroy();
      }
    }
  }
  assert.equal(await ask("/healthz"), 200);
  assert.equal(node.status("p")?.restartCount, 0);
});
