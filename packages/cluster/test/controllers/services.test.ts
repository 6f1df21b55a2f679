import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole, Endpoints, EndpointSlice, Pod, Service } from "@dhow/kube";
import { deployment, holds, startWorld } from "./world.ts";

const service = (name: string, spec: object) => ({ apiVersion: "v1", kind: "Service", metadata: { name }, spec });

test("slices and Endpoints follow the pods: ready, not ready, gone", async () => {
  const notReady = new Set<string>();
  await using world = await startWorld({
    outcome: (pod) => (notReady.has(pod.metadata.labels?.["app"] ?? "") ? "running" : "ready"),
  });
  notReady.add("sick");
  const ports = [{ name: "http", containerPort: 8080 }];
  const containers = [{ name: "c", image: "x", ports }];
  await world.apply(
    deployment("web", 2, {}, { containers }),
    deployment("sick", 1, {}, { containers }),
    service("web", { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] }),
    service("sick", { selector: { app: "sick" }, ports: [{ port: 80, targetPort: "http" }] }),
    service("sick-too", {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: { app: "sick" },
      ports: [{ port: 80, targetPort: 9000 }],
    }),
    service("empty", { selector: { app: "nobody" }, ports: [{ port: 80 }] }),
  );
  const slices = async (name: string) =>
    (await world.list<EndpointSlice>("discovery.k8s.io/v1", "EndpointSlice")).filter(
      ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name,
    );
  await holds(async () => {
    const [web, ...others] = await slices("web");
    assert.equal(others.length, 0);
    assert.deepEqual(web?.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
    assert.equal(web?.endpoints?.length, 2);
    assert.ok(web?.endpoints?.every(({ conditions, zone }) => conditions?.ready && zone?.startsWith("zone-")));
    assert.equal((await world.get<Endpoints>("v1", "Endpoints", "web")).subsets?.[0]?.addresses?.length, 2);
    const [sick] = await slices("sick");
    assert.deepEqual(sick?.endpoints?.[0]?.conditions, { ready: false, serving: false, terminating: false });
    assert.equal((await world.get<Endpoints>("v1", "Endpoints", "sick")).subsets?.[0]?.notReadyAddresses?.length, 1);
    const [published] = await slices("sick-too");
    assert.equal(published?.endpoints?.[0]?.conditions?.ready, true);
    assert.equal(published?.ports?.[0]?.port, 9000);
    assert.equal((await slices("empty")).length, 1, "an empty slice says that somebody looked");
  });
  await world.client.delete({ apiVersion: "v1", kind: "Service", namespace: "t", name: "web" });
  await holds(async () => {
    assert.equal((await slices("web")).length, 0);
    await assert.rejects(world.get("v1", "Endpoints", "web"), /not found/);
  });
});

test("a pod that is going stays in the slice, not ready, and leaves the Endpoints at once", async () => {
  await using world = await startWorld({ kubelet: false });
  await world.apply(service("web", { selector: { app: "web" }, ports: [{ port: 80 }] }));
  const containers = [{ name: "c", image: "x" }];
  await world.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", labels: { app: "web" } },
    spec: { nodeName: "n1", containers },
  });
  const ref = { apiVersion: "v1", kind: "Pod", namespace: "t", name: "p" };
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
  await world.client.patch(
    ref,
    "strategic",
    { status: { phase: "Running", podIP: "10.1.1.1", podIPs: [{ ip: "10.1.1.1" }], conditions } },
    { subresource: "status" },
  );
  const endpoint = async () =>
    (await world.list<EndpointSlice>("discovery.k8s.io/v1", "EndpointSlice"))[0]?.endpoints?.[0];
  await holds(async () => assert.equal((await endpoint())?.conditions?.ready, true));
  await world.client.delete(ref);
  await holds(async () => {
    assert.deepEqual((await endpoint())?.conditions, { ready: false, serving: true, terminating: true });
    assert.equal((await world.get<Endpoints>("v1", "Endpoints", "web")).subsets, undefined);
  });
});

test("a LoadBalancer gets the address that the option names", async () => {
  await using world = await startWorld({ loadBalancerAddress: () => "10.250.0.11" });
  await world.apply(service("edge", { type: "LoadBalancer", selector: { app: "x" }, ports: [{ port: 80 }] }));
  await holds(async () => {
    const { status } = await world.get<Service>("v1", "Service", "edge");
    assert.equal(status?.loadBalancer?.ingress?.[0]?.ip, "10.250.0.11");
  });
});

test("every namespace has its account and its CA, also after somebody deleted them", async () => {
  await using world = await startWorld({ rootCertificateAuthority: "-----BEGIN CERTIFICATE-----" });
  await holds(async () => assert.ok(await world.get("v1", "ConfigMap", "kube-root-ca.crt")));
  await world.client.delete({ apiVersion: "v1", kind: "ServiceAccount", namespace: "t", name: "default" });
  await world.client.delete({ apiVersion: "v1", kind: "ConfigMap", namespace: "t", name: "kube-root-ca.crt" });
  await holds(async () => {
    assert.ok(await world.get("v1", "ServiceAccount", "default"));
    const configMap = await world.get("v1", "ConfigMap", "kube-root-ca.crt");
    assert.deepEqual(configMap["data"], { "ca.crt": "-----BEGIN CERTIFICATE-----" });
  });
});

test("a namespace goes with everything in it, as soon as nothing holds it", async () => {
  await using world = await startWorld();
  await world.apply(deployment("web", 3), service("web", { selector: { app: "web" }, ports: [{ port: 80 }] }), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", finalizers: ["example.com/hold"] },
  });
  await holds(async () => assert.equal((await world.pods()).length, 3));
  await world.client.delete({ apiVersion: "v1", kind: "Namespace", name: "t" });
  const namespace = () => world.client.find({ apiVersion: "v1", kind: "Namespace", name: "t" });
  await holds(async () => {
    const { conditions } = ((await namespace())?.["status"] ?? { conditions: [] }) as {
      conditions: { type: string; status: string; message: string }[];
    };
    const held = conditions.find(({ type }) => type === "NamespaceFinalizersRemaining");
    assert.equal(
      held?.message,
      "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    );
    assert.equal((await world.pods()).length, 0);
  });
  const held = { apiVersion: "v1", kind: "ConfigMap", namespace: "t", name: "held" };
  await world.client.patch(held, "merge", { metadata: { finalizers: null } });
  await holds(async () => assert.equal(await namespace(), undefined));
});

test("what is owned goes in the background, before its owner, or stays, as asked", async () => {
  await using world = await startWorld();
  await world.apply(deployment("back", 1), deployment("fore", 1), deployment("orphan", 1));
  await holds(async () => assert.equal((await world.pods()).length, 3));
  const remove = (name: string, propagationPolicy: "Background" | "Foreground" | "Orphan") =>
    world.client.delete({ apiVersion: "apps/v1", kind: "Deployment", namespace: "t", name }, { propagationPolicy });
  await remove("back", "Background");
  await remove("fore", "Foreground");
  await remove("orphan", "Orphan");
  await holds(async () => {
    assert.deepEqual(
      (await world.list("apps/v1", "Deployment")).map(({ metadata }) => metadata.name),
      [],
    );
    const sets = await world.list("apps/v1", "ReplicaSet");
    assert.equal(sets.length, 1);
    assert.equal(sets[0]?.metadata.ownerReferences ?? "none", "none");
    const pods = await world.pods();
    assert.deepEqual(
      pods.map(({ metadata }) => metadata.labels?.["app"]),
      ["orphan"],
    );
  });
});

test("an object whose owner never was is collected; one that another owner holds is only let go", async () => {
  await using world = await startWorld();
  await world.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owner" } });
  const owner = await world.get("v1", "ConfigMap", "owner");
  const real = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid ?? "" };
  const absent = { apiVersion: "v1", kind: "ConfigMap", name: "nobody", uid: "00000000-0000-0000-0000-000000000000" };
  await world.apply(
    { apiVersion: "v1", kind: "Secret", metadata: { name: "lost", ownerReferences: [absent] } },
    { apiVersion: "v1", kind: "Secret", metadata: { name: "shared", ownerReferences: [absent, real] } },
  );
  await holds(async () => {
    await assert.rejects(world.get("v1", "Secret", "lost"), /not found/);
    const shared = await world.get<Pod>("v1", "Secret", "shared");
    assert.deepEqual(shared.metadata.ownerReferences, [real]);
  });
});

test("an aggregated role has the rules of the roles that it selects", async () => {
  await using world = await startWorld();
  const labels = { "rbac.authorization.k8s.io/aggregate-to-view": "true" };
  const rules = [{ apiGroups: ["example.com"], resources: ["boats"], verbs: ["get"] }];
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" };
  await world.client.create({ ...role, metadata: { name: "view-boats", labels }, rules });
  await holds(async () => {
    const view = await world.client.get<ClusterRole>({ ...role, name: "view" });
    assert.ok(view.rules?.some(({ apiGroups }) => apiGroups?.includes("example.com")));
    assert.ok((view.rules?.length ?? 0) > 5, "what it had is still there");
  });
});
