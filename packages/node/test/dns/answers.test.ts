import assert from "node:assert/strict";
import { test } from "node:test";
import { Resolver } from "node:dns/promises";
import { silent } from "@dhow/base";
import type { EndpointSlice, Namespace, Service, ServiceSpec } from "@dhow/kube";
import { HeldCollection } from "@dhow/testkit";
import { startDns } from "../../src/dns/server.ts";

function cluster() {
  const objects = {
    services: new HeldCollection<Service>(),
    endpointSlices: new HeldCollection<EndpointSlice>(),
    namespaces: new HeldCollection<Namespace>(),
  };
  for (const name of ["shop", "empty"])
    objects.namespaces.put({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const service = (name: string, spec: ServiceSpec) =>
    objects.services.put({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" }, spec });
  service("web", {
    clusterIP: "10.96.1.1",
    ports: [
      { name: "http", port: 80 },
      { name: "dns", port: 53, protocol: "UDP" },
    ],
  });
  service("db", { clusterIP: "None", ports: [{ name: "sql", port: 5432 }] });
  service("far", { type: "ExternalName", externalName: "far.example.org" });
  objects.endpointSlices.put({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    addressType: "IPv4",
    metadata: { name: "db-1", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
    endpoints: [
      { addresses: ["10.244.1.2"], hostname: "db-0", conditions: { ready: true } },
      { addresses: ["10.244.2.2"], conditions: { ready: true } },
      { addresses: ["10.244.2.3"], conditions: { ready: false } },
    ],
    ports: [{ name: "sql", port: 5432 }],
  });
  return objects;
}

async function withDns(use: (resolver: Resolver) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const options = { clusterDomain: "cluster.local", objects: cluster(), reporter: silent, signal: stop.signal };
  // The port of UDP and that of TCP are one, so the system cannot choose it for both.
  for (let port = 20_000 + (process.pid % 20_000); ; port += 1) {
    try {
      await startDns({ ...options, address: "127.0.0.1", port });
    } catch {
      continue;
    }
    const resolver = new Resolver({ tries: 1, timeout: 2000 });
    resolver.setServers([`127.0.0.1:${port}`]);
    try {
      await use(resolver);
    } finally {
      stop.abort();
    }
    return;
  }
}

const zone = "shop.svc.cluster.local";

test("names of Services, of pods behind headless ones, and of pods by address", async () => {
  await withDns(async (resolver) => {
    assert.deepEqual(await resolver.resolve4(`web.${zone}`), ["10.96.1.1"]);
    assert.deepEqual(await resolver.resolve4(`WEB.Shop.svc.cluster.LOCAL`), ["10.96.1.1"]);
    assert.deepEqual((await resolver.resolve4(`db.${zone}`)).sort(), ["10.244.1.2", "10.244.2.2"]);
    assert.deepEqual(await resolver.resolve4(`db-0.db.${zone}`), ["10.244.1.2"]);
    assert.deepEqual(await resolver.resolve4(`10-244-2-2.db.${zone}`), ["10.244.2.2"]);
    assert.deepEqual(await resolver.resolve4("10-244-9-9.shop.pod.cluster.local"), ["10.244.9.9"]);
    assert.deepEqual(await resolver.resolveCname(`far.${zone}`), ["far.example.org"]);
  });
});

test("ports and addresses backwards", async () => {
  await withDns(async (resolver) => {
    const srv = (name: string, port: number) => `${name} ${port}`;
    const ask = async (name: string) =>
      (await resolver.resolveSrv(name)).map((found) => srv(found.name, found.port)).sort();
    assert.deepEqual(await ask(`_http._tcp.web.${zone}`), [srv(`web.${zone}`, 80)]);
    const pods = await ask(`_sql._tcp.db.${zone}`);
    assert.deepEqual(pods, [srv(`10-244-2-2.db.${zone}`, 5432), srv(`db-0.db.${zone}`, 5432)]);
    await assert.rejects(resolver.resolveSrv(`_http._udp.web.${zone}`), { code: "ENOTFOUND" });
    assert.deepEqual(await resolver.reverse("10.96.1.1"), [`web.${zone}`]);
    assert.deepEqual(await resolver.reverse("10.244.1.2"), [`db-0.db.${zone}`]);
  });
});

test("a name without the type that is asked for is empty, and what is not there does not exist", async () => {
  await withDns(async (resolver) => {
    await assert.rejects(resolver.resolve6(`web.${zone}`), { code: "ENODATA" });
    await assert.rejects(resolver.resolve4("empty.svc.cluster.local"), { code: "ENODATA" });
    for (const name of [
      `nothing.${zone}`,
      `x.web.${zone}`,
      "web.nowhere.svc.cluster.local",
      "web.shop.cluster.local",
      `example.org.${zone}`,
      "example.org",
    ]) {
      await assert.rejects(resolver.resolve4(name), { code: "ENOTFOUND" }, name);
    }
  });
});
