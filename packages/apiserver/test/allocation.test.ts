import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod, Service } from "@dhow/kube";
import { type ApiServer, createApiServer } from "../src/server.ts";
import { textOf } from "./kinds/answers.ts";

let server: ApiServer;
const user = { name: "admin", groups: ["system:masters"] };

before(async () => {
  server = await createApiServer({ serviceCidr: "10.7.0.0/28", nodePortRange: [31000, 31003] });
  await send("POST", "/api/v1/namespaces/default/serviceaccounts", {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  });
});
after(() => server.close());

// eslint-disable-next-line typescript/no-unnecessary-type-parameters -- says what the caller expects to be answered
async function send<T>(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: T & { message?: string } }> {
  const response = await server.handle({
    method,
    path,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    connection: { remoteAddress: "127.0.0.1", user },
  });
  return { status: response.status, body: JSON.parse(await textOf(response)) as T & { message?: string } };
}

const services = "/api/v1/namespaces/default/services";
const service = (name: string, spec: object = {}) =>
  send<Service>("POST", services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });

describe("addresses and ports of services", () => {
  test("are given once, even to many at the same time, until there are none", async () => {
    // Of 16 addresses the first and the last are the network's own, and the kubernetes Service has the second.
    const answers = await Promise.all(Array.from({ length: 13 }, (_, index) => service(`s${index}`)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
    const addresses = answers.map(({ body }) => body.spec?.clusterIP);
    assert.equal(new Set(addresses).size, 13);
    assert.ok(!addresses.includes("10.7.0.1"));
    const full = await service("full");
    assert.equal(full.status, 500);
    assert.match(full.body.message ?? "", /range is full/);
    await send("DELETE", `${services}/s3`);
    const next = await service("next");
    assert.equal(next.body.spec?.clusterIP, addresses[3]);
    for (let index = 4; index < 13; index += 1) await send("DELETE", `${services}/s${index}`);
  });

  test("that are taken are refused", async () => {
    const { body } = await send<Service>("GET", `${services}/s0`);
    const answer = await service("thief", { clusterIP: body.spec?.clusterIP });
    assert.equal(answer.status, 422);
    assert.match(answer.body.message ?? "", /provided IP is already allocated/);
  });

  test("node ports stay with their service and are free after it", async () => {
    const made = await service("web", { type: "NodePort" });
    const port = made.body.spec?.ports?.[0]?.nodePort;
    assert.ok(port !== undefined && port >= 31000 && port <= 31003);
    const taken = await service("other", { type: "NodePort", ports: [{ port: 80, nodePort: port }] });
    assert.equal(taken.status, 422);
    const changed = await send<Service>("PUT", `${services}/web`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { type: "NodePort", ports: [{ port: 80, targetPort: 8080 }] },
    });
    assert.equal(changed.body.spec?.ports?.[0]?.nodePort, port);
    assert.equal(changed.body.spec?.clusterIP, made.body.spec?.clusterIP);
    await send("DELETE", `${services}/web`);
    assert.equal((await service("other", { type: "NodePort", ports: [{ port: 80, nodePort: port }] })).status, 201);
  });

  test("one port over two protocols has one node port", async () => {
    const ports = [
      { name: "tcp", port: 53, protocol: "TCP" },
      { name: "udp", port: 53, protocol: "UDP" },
    ];
    const { body } = await service("dns", { type: "NodePort", ports });
    const numbers = body.spec?.ports?.map(({ nodePort }) => nodePort);
    assert.equal(new Set(numbers).size, 1);
  });
});

test("a quota holds when many writers come at once", async () => {
  const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "q" }, spec: { hard: { pods: "5" } } };
  await send("POST", "/api/v1/namespaces/default/resourcequotas", quota);
  const pods = "/api/v1/namespaces/default/pods";
  const create = (index: number) =>
    send<Pod>("POST", pods, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `p${index}` },
      spec: { containers: [{ name: "c", image: "i:1" }] },
    });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => create(index)));
  const admitted = answers.flatMap(({ status }, index) => (status === 201 ? [index] : []));
  assert.equal(admitted.length, 5);
  assert.match(
    answers.find(({ status }) => status === 403)?.body.message ?? "",
    /exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5/,
  );
  await send("DELETE", `${pods}/p${admitted[0]}?gracePeriodSeconds=0`);
  assert.equal((await create(100)).status, 201);
  assert.equal((await create(101)).status, 403);
});
