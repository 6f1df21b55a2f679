import assert from "node:assert/strict";
import { test } from "node:test";
import type { Namespace, NetworkPolicy, NetworkPolicySpec } from "@dhow/kube";
import { allows, type PolicyPod, policyRules, type Protocol } from "../../src/network/policy-rules.ts";
import { policyTable } from "../../src/network/policy-table.ts";

const pod = (namespace: string, app: string, address: string, ports: PolicyPod["ports"] = []): PolicyPod => ({
  namespace,
  labels: { app },
  address,
  ports,
});
const web = pod("shop", "web", "10.244.1.2");
const database = pod("shop", "db", "10.244.1.3", [{ name: "sql", protocol: "tcp", port: 5432 }]);
const other = pod("shop", "db", "10.244.2.3", [{ name: "sql", protocol: "tcp", port: 6543 }]);
const foreign = pod("mall", "web", "10.244.2.2");
const dns = { ...pod("kube-system", "dns", "10.96.0.10"), neverIsolated: true };
const pods = [web, database, other, foreign, dns];

const namespaces = ["shop", "mall", "kube-system"].map((name): Namespace => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
}));

function policy(spec: NetworkPolicySpec, namespace = "shop"): NetworkPolicy {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "policy", namespace }, spec };
}

function may(
  policies: readonly NetworkPolicy[],
  from: PolicyPod,
  to: PolicyPod,
  port: number,
  protocol: Protocol = "tcp",
): boolean {
  return allows(policyRules(policies, pods, namespaces), from.address, to.address, protocol, port);
}

const database_ = { matchLabels: { app: "db" } };

test("without a policy everything is allowed; with one, only what a rule names", () => {
  assert.ok(may([], foreign, database, 5432));
  const policies = [
    policy({ podSelector: database_, ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }] }),
  ];
  assert.ok(may(policies, web, database, 5432));
  assert.ok(!may(policies, foreign, database, 5432), "a pod selector alone means the policy's own namespace");
  assert.ok(!may(policies, other, database, 5432));
  assert.ok(may(policies, database, database, 5432), "a pod always reaches itself");
  assert.ok(may(policies, database, web, 80), "egress is free where only ingress is spoken of");
});

test("an empty selector is all pods, no rules is nobody, an empty rule is everybody", () => {
  assert.ok(!may([policy({ podSelector: {} })], web, database, 5432));
  assert.ok(may([policy({ podSelector: {}, ingress: [{}] })], foreign, database, 5432));
  assert.ok(may([policy({ podSelector: {} }, "mall")], web, database, 5432));
});

test("policies add up", () => {
  const denyAll = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  const into = policy({ podSelector: database_, ingress: [{ from: [{ podSelector: {} }] }] });
  const outOf = policy({
    podSelector: { matchLabels: { app: "web" } },
    policyTypes: ["Egress"],
    egress: [{ to: [{ podSelector: {} }] }],
  });
  assert.ok(!may([denyAll, into], web, database, 5432));
  assert.ok(!may([denyAll, outOf], web, database, 5432));
  assert.ok(may([denyAll, into, outOf], web, database, 5432));
});

test("namespaces are selected by label, alone and together with pods", () => {
  const mall = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "mall" } } };
  assert.ok(may([policy({ podSelector: database_, ingress: [{ from: [mall] }] })], foreign, database, 1));
  const both = { ...mall, podSelector: { matchLabels: { app: "api" } } };
  assert.ok(!may([policy({ podSelector: database_, ingress: [{ from: [both] }] })], foreign, database, 1));
});

test("ports: numbers, ranges, protocols, and names that are another number in each pod", () => {
  const ports = (list: NonNullable<NonNullable<NetworkPolicySpec["ingress"]>[number]["ports"]>) => [
    policy({ podSelector: database_, ingress: [{ ports: list }] }),
  ];
  assert.ok(may(ports([{ port: 5432 }]), web, database, 5432));
  assert.ok(!may(ports([{ port: 5432 }]), web, database, 5433));
  assert.ok(!may(ports([{ port: 5432 }]), web, database, 5432, "udp"));
  assert.ok(may(ports([{ port: 5000, endPort: 6000 }]), web, database, 6000));
  assert.ok(!may(ports([{ port: 5000, endPort: 6000 }]), web, database, 6001));
  assert.ok(may(ports([{ protocol: "UDP" }]), web, database, 9, "udp"));
  assert.ok(may(ports([{ port: "sql" }]), web, database, 5432));
  assert.ok(!may(ports([{ port: "sql" }]), web, other, 5432));
  assert.ok(may(ports([{ port: "sql" }]), web, other, 6543));
  assert.ok(!may(ports([{ port: "unknown" }]), web, database, 5432));
});

test("address blocks have exceptions", () => {
  const from = [{ ipBlock: { cidr: "10.244.0.0/16", except: ["10.244.2.0/24"] } }];
  const policies = [policy({ podSelector: database_, ingress: [{ from }] })];
  assert.ok(may(policies, web, database, 1));
  assert.ok(!may(policies, foreign, database, 1));
});

test("the cluster's DNS is allowed as in any other cluster, and refused as any pod", () => {
  const to = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }];
  const onlyDns = policy({
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [{ to, ports: [{ port: 53, protocol: "UDP" }] }],
  });
  assert.ok(may([onlyDns], web, dns, 53, "udp"));
  assert.ok(!may([onlyDns], web, dns, 53));
  assert.ok(!may([policy({ podSelector: {}, policyTypes: ["Egress"] })], web, dns, 53, "udp"));
  assert.ok(may([policy({ podSelector: {} }, "kube-system")], web, dns, 53, "udp"), "no policy isolates it");
});

test("a rule that allows nobody has no line in the kernel's table", () => {
  const options = { nodeAddresses: ["10.250.0.11"], serviceCidr: "10.96.0.0/16", ownAddresses: [] };
  const unmatched = policy({
    podSelector: database_,
    ingress: [{ from: [{ podSelector: { matchLabels: { app: "none" } } }] }],
  });
  const rules = policyRules([unmatched], pods, namespaces);
  assert.deepEqual(rules.ingress, []);
  assert.deepEqual(rules.isolatedIngress, [database.address, other.address]);
  assert.ok(!policyTable(rules, options).includes("in0_pods"));
});
