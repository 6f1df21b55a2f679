import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { eventually, temporaryFolder } from "@dhow/testkit";
import { createWebSocketStream, WebSocket } from "ws";
import { SpdyConnection } from "../../src/streaming/spdy/connection.ts";
import { oneNode, shell } from "../support/one-node.ts";

type Node = Awaited<ReturnType<typeof oneNode>>;

async function nodeWith(folder: string, script: string, more: object = {}): Promise<Node> {
  const node = await oneNode(folder);
  node.run("p", { containers: [shell("c", script, more)] });
  await node.until("p", ({ status }) => status?.phase === "Running");
  return node;
}

const forever = "trap 'exit 0' TERM; while :; do sleep 0.05; done";

function ask(node: Node, path: string, method = "GET"): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: node.socketPath, path, method }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** An exec over a WebSocket: what came on each channel, and how it closed. */
async function webSocketExec(
  node: Node,
  query: string,
  protocol: string,
  input: (socket: WebSocket) => void = () => undefined,
) {
  const socket = new WebSocket(`ws+unix://${node.socketPath}:/exec/n/p/c?${query}`, [protocol]);
  const channels: Record<number, string> = {};
  socket.on("message", (data: Buffer) => {
    const bytes = protocol.includes("base64")
      ? Buffer.concat([Buffer.from([Number(data.toString()[0])]), Buffer.from(data.toString().slice(1), "base64")])
      : data;
    channels[bytes[0] ?? 0] = (channels[bytes[0] ?? 0] ?? "") + bytes.subarray(1).toString();
  });
  socket.on("open", () => input(socket));
  const [code] = (await once(socket, "close")) as [number];
  return { channels, code };
}

/** Upgrades a request to SPDY/3.1, as client-go does. */
async function spdy(node: Node, path: string, protocol: string): Promise<SpdyConnection> {
  const sent = request({
    socketPath: node.socketPath,
    path,
    method: "POST",
    headers: {
      connection: "Upgrade",
      upgrade: "SPDY/3.1",
      "x-stream-protocol-version": `v5.channel.k8s.io, ${protocol}`,
    },
  });
  sent.end();
  const [response, socket] = (await once(sent, "upgrade")) as [{ headers: Record<string, string> }, Duplex];
  assert.equal(response.headers["x-stream-protocol-version"], protocol);
  return new SpdyConnection(socket, { server: false });
}

test("logs: of now, of the run before, followed to the end, and why there are none", async () => {
  using folder = temporaryFolder();
  await using node = await nodeWith(folder.path, "echo one; echo two >&2; sleep 0.3; echo three; exit 1");
  const followed = await ask(node, "/containerLogs/n/p/c?follow=true");
  assert.deepEqual(followed.body.split("\n").slice(0, 3).sort(), ["one", "three", "two"]);
  await eventually(() => node.status("p")?.restartCount === 1);
  assert.match(
    (await ask(node, "/containerLogs/n/p/c?previous=true&tailLines=1&timestamps=true")).body,
    /^\d{4}-.*Z three\n$/,
  );
  assert.equal((await ask(node, "/containerLogs/n/p/none")).body, "container none is not valid for pod p\n");
  assert.deepEqual(await ask(node, "/containerLogs/n/none/c"), { status: 404, body: 'pod "none" not found\n' });
  node.run("q", { containers: [{ name: "c", image: "shop/none" }] });
  await node.until("q", ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "ErrImagePull");
  assert.deepEqual(await ask(node, "/containerLogs/n/q/c"), {
    status: 400,
    body: 'container "c" in pod "q" is waiting to start: image can\'t be pulled\n',
  });
});

test("exec over a WebSocket: both outputs, the input and its end, the exit code", async () => {
  using folder = temporaryFolder();
  await using node = await nodeWith(folder.path, forever);
  const plain = await webSocketExec(
    node,
    "command=sh&command=-c&command=echo+out;echo+err>%262;exit+7&output=1&error=1",
    "v4.channel.k8s.io",
  );
  assert.deepEqual([plain.channels[1], plain.channels[2], plain.code], ["out\n", "err\n", 1000]);
  assert.deepEqual(JSON.parse(plain.channels[3] ?? ""), {
    metadata: {},
    status: "Failure",
    reason: "NonZeroExitCode",
    message: "command terminated with non-zero exit code: exit code 7",
    details: { causes: [{ reason: "ExitCode", message: "7" }] },
  });
  const echoed = await webSocketExec(node, "command=cat&stdin=true&stdout=true", "v5.channel.k8s.io", (socket) => {
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from("x".repeat(200_000))]));
    socket.send(Buffer.from([255, 0]));
  });
  assert.equal(echoed.channels[1]?.length, 200_000);
  assert.deepEqual(JSON.parse(echoed.channels[3] ?? ""), { metadata: {}, status: "Success" });
  const base64 = await webSocketExec(node, "command=echo&command=hi&output=1", "v4.base64.channel.k8s.io");
  assert.equal(base64.channels[1], "hi\n");
  const missing = await webSocketExec(node, "command=/no/such&output=1", "v5.channel.k8s.io");
  assert.match(missing.channels[3] ?? "", /error executing command in container/);
});

test("exec over SPDY/3.1", async () => {
  using folder = temporaryFolder();
  await using node = await nodeWith(folder.path, forever);
  const connection = await spdy(
    node,
    "/exec/n/p/c?command=sh&command=-c&command=cat;exit+3&input=1&output=1&error=1",
    "v4.channel.k8s.io",
  );
  const streams = Object.fromEntries(
    await Promise.all(
      ["error", "stdin", "stdout", "stderr"].map(
        async (streamtype) => [streamtype, await connection.open({ streamtype })] as const,
      ),
    ),
  );
  streams["stdin"]?.end("through and back");
  assert.equal(await text(streams["stdout"]!), "through and back");
  assert.equal(JSON.parse(await text(streams["error"]!)).details.causes[0].message, "3");
  connection.close();
});

test("attach joins a running program, and hears its end", async () => {
  using folder = temporaryFolder();
  await using node = await nodeWith(folder.path, "read line; echo got $line", { stdin: true, stdinOnce: true });
  const socket = new WebSocket(`ws+unix://${node.socketPath}:/attach/n/p/c?input=1&output=1`, ["v5.channel.k8s.io"]);
  const messages: string[] = [];
  socket.on("message", (data: Buffer) => messages.push(`${data[0]} ${data.subarray(1).toString()}`));
  socket.on("open", () => socket.send(Buffer.concat([Buffer.from([0]), Buffer.from("word\n")])));
  await once(socket, "close");
  assert.deepEqual(messages, ["1 got word\n", '3 {"metadata":{},"status":"Success"}']);
});

test("port-forward over SPDY, over SPDY in a WebSocket, and over channels", async () => {
  using folder = temporaryFolder();
  await using node = await nodeWith(folder.path, forever);
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    socket.on("error", () => undefined).pipe(socket),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const through = async (connection: SpdyConnection, to: number, requestid: string) => {
    const error = await connection.open({ streamtype: "error", port: String(to), requestid });
    error.end();
    const data = await connection.open({ streamtype: "data", port: String(to), requestid });
    data.end("there and back");
    return [await text(data), await text(error)];
  };
  const direct = await spdy(node, "/portForward/n/p", "portforward.k8s.io");
  assert.deepEqual(await through(direct, port, "0"), ["there and back", ""]);
  assert.deepEqual(await through(direct, port, "1"), ["there and back", ""]);
  const [, problem] = await through(direct, 1, "2");
  assert.match(problem ?? "", /^error forwarding port 1 to pod p, uid : .*connection refused$/);
  direct.close();

  // `ws` refuses to offer a name with a slash: the header is set by hand, as kubectl's would be.
  const socket = new WebSocket(`ws+unix://${node.socketPath}:/portForward/n/p`, {
    headers: { "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io" },
    finishRequest: (sent) => sent.end(),
  });
  let answered: string | undefined;
  socket.on("upgrade", (response) => {
    answered = response.headers["sec-websocket-protocol"];
    delete response.headers["sec-websocket-protocol"];
  });
  const tunnel = new SpdyConnection(createWebSocketStream(socket), { server: false });
  assert.deepEqual(await through(tunnel, port, "0"), ["there and back", ""]);
  assert.equal(answered, "SPDY/3.1+portforward.k8s.io");
  tunnel.close();

  const channels = new WebSocket(`ws+unix://${node.socketPath}:/portForward/n/p?ports=${port}`, ["v4.channel.k8s.io"]);
  const got: Buffer[] = [];
  channels.on("message", (data: Buffer) => {
    if (data[0] === 0) got.push(data.subarray(1));
  });
  await once(channels, "open");
  channels.send(Buffer.concat([Buffer.from([0]), Buffer.from("ping")]));
  await eventually(() => got.length === 2);
  assert.deepEqual([got[0]?.readUInt16LE(0), got[1]?.toString()], [port, "ping"]);
  channels.close();
  server.close();
});

test("a restart ends the program, waits for it, and starts it anew without back-off; not ready meanwhile", async () => {
  using folder = temporaryFolder();
  await using node = await nodeWith(
    folder.path,
    "trap 'sleep 0.2; exit 0' TERM; echo begin; while :; do sleep 0.05; done",
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(await ask(node, "/restart/n/p/c", "POST"), { status: 200, body: "ok" });
  await eventually(() => node.status("p")?.lastState?.terminated && node.status("p")?.ready);
  assert.equal(node.status("p")?.restartCount, 0, "it did not end by itself");
  assert.equal(node.status("p")?.lastState?.terminated?.reason, "Completed");
  await node.until(
    "p",
    ({ status }) => status?.containerStatuses?.[0]?.state?.running !== undefined && !status.containerStatuses[0].ready,
  );
  assert.equal((await ask(node, "/restart/n/p/c")).status, 405);
});

test("health, pods and usage", async () => {
  using folder = temporaryFolder();
  await using node = await nodeWith(folder.path, forever);
  assert.deepEqual(await ask(node, "/healthz"), { status: 200, body: "ok" });
  assert.equal(JSON.parse((await ask(node, "/pods")).body).items[0].metadata.name, "p");
  const metrics = (await ask(node, "/metrics/resource")).body;
  assert.match(metrics, /^container_cpu_usage_seconds_total\{container="c",namespace="n",pod="p"\} 2 \d+$/m);
  assert.match(metrics, /^pod_memory_working_set_bytes\{namespace="n",pod="p"\} 1048576 \d+$/m);
  const summary = JSON.parse((await ask(node, "/stats/summary")).body);
  const [pod] = summary.pods;
  assert.equal(pod.containers[0].memory.workingSetBytes, 1_048_576);
  assert.ok(summary.node.memory.workingSetBytes > pod.memory.workingSetBytes + 10_000_000, "the agent is of the node");
  assert.ok(summary.node.cpu.usageCoreNanoSeconds > pod.cpu.usageCoreNanoSeconds);
  assert.ok(summary.node.cpu.usageNanoCores >= 0);
  assert.ok(Date.parse(summary.node.startTime) <= Date.now());
  const used = (text: string) => Number(/^node_cpu_usage_seconds_total (\S+) /m.exec(text)?.[1]);
  assert.ok(used(metrics) > 2, metrics);
  node.delete("p", 0);
  await eventually(async () => !(await ask(node, "/metrics/resource")).body.includes('pod="p"'));
  const without = (await ask(node, "/metrics/resource")).body;
  assert.ok(used(without) >= used(metrics), "what has ended was used all the same");
  assert.match((await ask(node, "/metrics")).body, /kubelet_running_containers\{node="one"\} 0/);
  assert.equal((await ask(node, "/nothing")).status, 404);
});
