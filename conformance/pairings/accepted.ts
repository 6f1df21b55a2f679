import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Deployment, KubeClient, KubeObject } from "@dhow/kube";
import { compile } from "@dhow/manifests";
import type { Kubectl } from "../kubectl/kubectl.ts";
import { loadBookMeUp } from "./bookmeup.ts";

const environments = ["development", "staging", "production"];
const level = "pod-security.kubernetes.io/enforce";

/** What Dhow renders, sent to an API server that checks everything and keeps nothing. */
export function acceptedEverywhere(where: () => { client: KubeClient; kubectl: Kubectl }): void {
  describe("given what Dhow renders", () => {
    for (const environment of environments) {
      it(`accepts every object of ${environment} without a warning, and its pods at the restricted level`, async () => {
        const { client, kubectl } = where();
        const { system } = await loadBookMeUp(environment);
        const objects = compile(system);
        const [namespace, ...others] = objects;
        assert.equal(namespace?.kind, "Namespace");
        assert.equal(namespace.metadata.labels?.[level], "restricted");
        // What others are put into has to be there; a dry run leaves nothing behind that it could be put into.
        const places = objects.filter(({ kind }) => kind === "Namespace" || kind === "ServiceAccount");
        for (const place of places) await client.apply(place, { fieldManager: "dhow", force: true });
        const accepted = await dryRun(kubectl, others);
        assert.equal(accepted, others.length);
        const pods = others.filter(({ kind }) => kind === "Deployment").map((each) => podOf(each as Deployment));
        assert.equal(await dryRun(kubectl, pods), pods.length);
      });
    }
  });
}

/** How many objects the server would have taken. Fails where it says anything else. */
async function dryRun(kubectl: Kubectl, items: readonly KubeObject[]): Promise<number> {
  const list = { apiVersion: "v1", kind: "List", items };
  const words = ["--namespace", items[0]?.metadata.namespace ?? ""];
  const { code, stdout, stderr } = await kubectl.fed(list)
    .answer`apply --server-side --force-conflicts --dry-run=server ${words} -f -`;
  assert.equal(stderr, "");
  assert.equal(code, 0);
  return stdout.match(/ serverside-applied \(server dry run\)$/gm)?.length ?? 0;
}

function podOf({ metadata, spec }: Deployment): KubeObject {
  const { template } = spec ?? {};
  const { name, namespace } = metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: template?.metadata?.labels },
    spec: template?.spec,
  };
}
