import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { httpTransport, type KubeObject, KubeClient, loadKubeconfig } from "@dhow/kube";
import { bootstrapPolicy } from "../src/bootstrap/policy.ts";
import { policyText } from "./policy-facts.ts";

const kubeconfig = process.env["DHOW_REAL_KUBECONFIG"];

test("every binding is to a role that is there", () => {
  const all = bootstrapPolicy().map(({ object }) => object);
  const roles = new Set(
    all
      .filter(({ kind }) => kind.endsWith("Role"))
      .map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ""}/${metadata.name}`),
  );
  for (const object of all) {
    const reference = object["roleRef"] as { kind: string; name: string } | undefined;
    if (!reference) continue;
    const namespace = reference.kind === "Role" ? (object.metadata.namespace ?? "") : "";
    assert.ok(
      roles.has(`${reference.kind}/${namespace}/${reference.name}`),
      `${object.metadata.name} → ${reference.name}`,
    );
  }
});

test(
  "roles and bindings are those of a stock API server",
  { skip: kubeconfig ? false : "DHOW_REAL_KUBECONFIG is not set" },
  async (context) => {
    const transport = httpTransport(loadKubeconfig(kubeconfig ?? ""));
    context.after(() => transport.close());
    const client = new KubeClient(transport);
    const apiVersion = "rbac.authorization.k8s.io/v1";
    const labelSelector = "kubernetes.io/bootstrapping=rbac-defaults";
    const real: Record<string, KubeObject[]> = {};
    for (const kind of ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]) {
      real[kind] = (await client.list({ apiVersion, kind }, { labelSelector })).items;
    }
    if (process.env["UPDATE_GOLDEN"] === "1") {
      writeFileSync(fileURLToPath(new URL("../src/bootstrap/policy.json", import.meta.url)), policyText(real));
      return;
    }
    for (const [kind, objects] of Object.entries(real)) {
      const ours = bootstrapPolicy()
        .map(({ object }) => object)
        .filter((object) => object.kind === kind);
      assert.deepEqual(ours.map(facts).sort(byName), objects.map(facts).sort(byName));
    }
  },
);

interface Facts {
  readonly name: string;
  readonly facts: unknown;
}

function facts(object: KubeObject): Facts {
  const {
    aggregationRule,
    metadata,
    roleRef,
    rules = [],
    subjects = [],
  } = object as KubeObject & { rules?: unknown[]; subjects?: unknown[] };
  const { annotations, labels, name, namespace } = metadata;
  // In which order an aggregated role has its rules is no matter, nor in which a rule has its fields.
  const sorted = aggregationRule
    ? (rules as object[])
        .map((rule) => JSON.stringify(rule, ["verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"]))
        .sort()
    : rules;
  return {
    name: `${namespace}/${name}`,
    facts: { aggregationRule, annotations, labels, roleRef, rules: sorted, subjects },
  };
}

function byName(a: Facts, b: Facts): number {
  return a.name < b.name ? -1 : 1;
}
