import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { test } from "node:test";
import { readText } from "@dhow/kube";
import { type InProcess, startInProcess } from "../../in-process.ts";
import { startTestServer } from "../../start-test-server.ts";
import { standInKubelet } from "./stand-in-kubelet.ts";

const pods = "/api/v1/namespaces/default/pods";

async function createPod(server: Pick<InProcess, "call">, name: string, nodeName = "n"): Promise<void> {
  if (name === "p") {
    await server.call("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  }
  const containers = [
    { name: "web", image: "i", ports: [{ containerPort: 8080 }] },
    { name: "side", image: "i" },
  ];
  await server.call("POST", pods, { metadata: { name }, spec: { nodeName, containers } });
}

test("logs come from the kubelet, piece by piece", async () => {
  await using kubelet = await standInKubelet((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("one\n");
    response.end("two\n");
  });
  await using server = await startInProcess({ dialKubelet: kubelet.dial });
  await createPod(server, "p");
  const response = await server.raw("GET", `${pods}/p/log?container=web&follow=true&tailLines=3&unknown=1`);
  assert.equal(response.status, 200);
  assert.equal(await readText(response.body), "one\ntwo\n");
  assert.deepEqual(kubelet.requests, ["GET /containerLogs/default/p/web?follow=true&tailLines=3"]);
});

test("what is asked wrongly never reaches the kubelet", async () => {
  await using kubelet = await standInKubelet((_request, response) => response.end());
  await using server = await startInProcess({ dialKubelet: kubelet.dial });
  await createPod(server, "p");
  const answers = [
    [`${pods}/p/log`, 400, "a container name must be specified for pod p, choose one of: [web side]"],
    [`${pods}/p/log?container=no`, 400, "container no is not valid for pod p"],
    [`${pods}/none/log`, 404, 'pods "none" not found'],
    [`${pods}/p/exec?container=web&command=sh`, 400, "Upgrade request required"],
  ] as const;
  for (const [path, code, message] of answers) {
    const response = await server.raw("GET", path);
    const status = JSON.parse(await readText(response.body)) as { code: number; message: string };
    assert.deepEqual([status.code, status.message], [code, message]);
  }
  assert.deepEqual(kubelet.requests, []);
});

test("the kubelet's refusal is told, and so is a node that is not to be reached", async () => {
  await using kubelet = await standInKubelet((_request, response) => {
    response.writeHead(400);
    response.end('container "web" in pod "p" is waiting to start: ContainerCreating');
  });
  await using server = await startInProcess({ dialKubelet: kubelet.dial });
  await createPod(server, "p");
  await createPod(server, "q", "elsewhere");
  const refused = await server.raw("GET", `${pods}/p/log?container=web`);
  assert.equal(refused.status, 400);
  assert.match(await readText(refused.body), /waiting to start: ContainerCreating/);
  const unreachable = await server.raw("GET", `${pods}/q/log?container=web`);
  assert.equal(unreachable.status, 500);
  assert.match(await readText(unreachable.body), /error dialing backend: no node elsewhere/);
});

test("proxies reach nodes, and ports of pods through the kubelet", async () => {
  await using kubelet = await standInKubelet((request, response) => response.end(`node: ${request.url}`));
  await using server = await startInProcess({ dialKubelet: kubelet.dial });
  await createPod(server, "p");
  await server.call("POST", "/api/v1/nodes", { metadata: { name: "n" } });
  const node = await server.raw("GET", "/api/v1/nodes/n/proxy/healthz?x=1");
  assert.equal(await readText(node.body), "node: /healthz?x=1");
  const named = await server.raw("GET", `${pods}/p:9000/proxy/a/b`);
  assert.equal(await readText(named.body), "port 9000: GET /a/b HTTP/1.1");
  const first = await server.raw("GET", `${pods}/p/proxy/`);
  assert.equal(await readText(first.body), "port 8080: GET / HTTP/1.1");
});

test("metrics are what the kubelets measured", async () => {
  const summary = {
    node: { cpu: { usageNanoCores: 1500 }, memory: { workingSetBytes: 2048 } },
    pods: [
      {
        podRef: { name: "p", namespace: "default" },
        containers: [{ name: "web", cpu: { usageNanoCores: 7 }, memory: { workingSetBytes: 1025 } }],
      },
    ],
  };
  await using kubelet = await standInKubelet((_request, response) => response.end(JSON.stringify(summary)));
  await using server = await startInProcess({ dialKubelet: kubelet.dial });
  await createPod(server, "p");
  await server.call("POST", "/api/v1/nodes", { metadata: { name: "n" } });
  await server.call("POST", "/api/v1/nodes", { metadata: { name: "unreachable" } });
  await server.call("PATCH", `${pods}/p/status`, { status: { phase: "Running" } }, "application/merge-patch+json");
  const nodes = await server.call<{ items: { usage: object }[] }>("GET", "/apis/metrics.k8s.io/v1beta1/nodes");
  assert.deepEqual(
    nodes.items.map(({ usage }) => usage),
    [{ cpu: "1500n", memory: "2Ki" }],
  );
  const used = await server.call<{ items: { containers: object[] }[] }>(
    "GET",
    "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods",
  );
  assert.deepEqual(used.items[0]?.containers, [{ name: "web", usage: { cpu: "7n", memory: "2Ki" } }]);
});

async function readUntil(socket: TLSSocket, end: string): Promise<string> {
  let text = "";
  while (!text.includes(end)) {
    const [piece] = (await once(socket, "data")) as [Buffer];
    text += piece.toString();
  }
  return text;
}

test("exec is a pipe to the kubelet, without the caller's credentials", async () => {
  await using kubelet = await standInKubelet((_request, response) => response.end());
  await using server = await startTestServer({ dialKubelet: kubelet.dial });
  const connection = { remoteAddress: "127.0.0.1", user: { name: "admin", groups: ["system:masters"] } };
  const call = async (method: string, path: string, body?: unknown) =>
    void (await server.api.handle({ method, path, headers: {}, body: JSON.stringify(body), connection }));
  await createPod({ call } as Pick<InProcess, "call">, "p");
  const { port } = new URL(server.url);
  const socket = connect({ host: "127.0.0.1", port: Number(port), ca: server.certificate });
  await once(socket, "secureConnect");
  socket.write(
    `POST ${pods}/p/exec?container=web&command=sh&command=-c&stdin=true&stdout=true&tty=false HTTP/1.1\r\nhost: x\r\n` +
      `authorization: Bearer ${server.token}\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n`,
  );
  const start = await readUntil(socket, "authorization: none\n");
  assert.match(start, /^HTTP\/1\.1 101 /);
  socket.write("echo");
  assert.equal(await readUntil(socket, "echo"), "echo");
  socket.destroy();
  assert.deepEqual(kubelet.requests, ["POST /exec/default/p/web?input=1&output=1&command=sh&command=-c"]);
});
