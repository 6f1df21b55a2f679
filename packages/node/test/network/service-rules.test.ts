import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { EndpointSlice, Service, ServiceSpec } from "@dhow/kube";
import { golden } from "@dhow/testkit";
import { serviceRules } from "../../src/network/service-rules.ts";
import { changeServiceTable, emptyServiceTable, serviceTable } from "../../src/network/service-table.ts";

const options = {
  nodes: [
    { name: "one", address: "10.250.0.11", podCidr: "10.244.1.0/24" },
    { name: "two", address: "10.250.0.12", podCidr: "10.244.2.0/24" },
  ],
  ownAddresses: new Set(["10.96.0.1"]),
};

function service(name: string, spec: ServiceSpec, status?: Service["status"]): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop" },
    spec,
    ...(status ? { status } : {}),
  };
}

interface Place {
  readonly address: string;
  readonly node?: string;
  readonly ready?: boolean;
  readonly terminating?: boolean;
}

function slice(name: string, places: readonly Place[], port = 3000): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    addressType: "IPv4",
    metadata: { name, namespace: "shop", labels: { "kubernetes.io/service-name": name } },
    endpoints: places.map(({ address, node, ready = true, terminating = false }) => ({
      addresses: [address],
      conditions: { ready, serving: true, terminating },
      ...(node ? { nodeName: node } : {}),
    })),
    ports: [{ name: "http", port }],
  };
}

const ports = [{ name: "http", port: 80 }];
const cluster = (name: string, clusterIP: string, more: ServiceSpec = {}) =>
  service(name, { clusterIP, ports, ...more });

test("every kind of Service, as rules and as one transaction", () => {
  const services = [
    cluster("plain", "10.96.1.1"),
    cluster("door", "10.96.1.2", { type: "NodePort", ports: [{ name: "http", port: 80, nodePort: 30_080 }] }),
    cluster("local", "10.96.1.3", {
      type: "NodePort",
      externalTrafficPolicy: "Local",
      ports: [{ name: "http", port: 80, nodePort: 30_081 }],
    }),
    service(
      "balancer",
      { type: "LoadBalancer", clusterIP: "10.96.1.4", ports, externalIPs: ["203.0.113.9"] },
      { loadBalancer: { ingress: [{ ip: "203.0.113.5" }, { hostname: "by.name" }] } },
    ),
    cluster("sticky", "10.96.1.5", { sessionAffinity: "ClientIP" }),
    cluster("empty", "10.96.1.6"),
    cluster("headless", "None"),
    cluster("own", "10.96.0.1"),
    service("external", { type: "ExternalName", externalName: "example.org" }),
  ];
  const two = [
    { address: "10.244.1.2", node: "one" },
    { address: "10.244.2.2", node: "two" },
  ];
  const slices = ["plain", "door", "balancer", "sticky"].map((name) => slice(name, two));
  const rules = serviceRules(services, [...slices, slice("local", two.slice(0, 1)), slice("headless", two)], options);
  const text = changeServiceTable(emptyServiceTable, serviceTable(rules), "10.250.0.11");
  golden(join(import.meta.dirname, "services.golden.txt"), `${JSON.stringify(rules, null, 2)}\n\n${text}`);
});

test("endpoints that are not ready get nothing, unless all others are on their way out", () => {
  const places = (list: readonly Place[]) =>
    serviceRules([cluster("web", "10.96.1.1")], [slice("web", list)], options)[0]?.backends;
  const ready = { address: "10.244.1.2" };
  const starting = { address: "10.244.1.3", ready: false };
  const ending = { address: "10.244.1.4", ready: false, terminating: true };
  assert.deepEqual(places([ready, starting, ending]), [{ address: "10.244.1.2", port: 3000 }]);
  assert.deepEqual(places([starting, ending]), [{ address: "10.244.1.4", port: 3000 }]);
  assert.deepEqual(places([starting]), []);
});

test("a change keeps what clients are bound to, and takes away what is not used any more", () => {
  const sticky = cluster("sticky", "10.96.1.5", { sessionAffinity: "ClientIP" });
  const table = (addresses: readonly string[]) =>
    serviceTable(
      serviceRules(
        [sticky],
        [
          slice(
            "sticky",
            addresses.map((address) => ({ address })),
          ),
        ],
        options,
      ),
    );
  const before = table(["10.244.1.2", "10.244.1.3"]);
  const text = changeServiceTable(before, table(["10.244.1.3", "10.244.1.4"]), "10.250.0.11");
  assert.equal(text.match(/^add set /gm)?.length, 1);
  assert.equal(text.match(/^delete set /gm)?.length, 1);
  assert.equal(text.match(/^flush set .*clients/gm), null);
});
