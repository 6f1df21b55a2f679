import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, EndpointSlice, HorizontalPodAutoscaler, KubeObject, Pod, Service } from "@dhow/kube";
import { groupResource, resourceByKind, resourceByName } from "@dhow/kube";

test("the interfaces of built-in kinds are assignable to KubeObject", () => {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: { containers: [{ name: "c", image: "nginx", ports: [{ containerPort: 80, protocol: "TCP" }] }] },
  };
  const objects: KubeObject[] = [pod];
  const kinds = (one: Pod | Deployment | Service | EndpointSlice | HorizontalPodAutoscaler): KubeObject => one;
  assert.equal(kinds(pod), objects[0]);
});

test("resources are found by kind and by name", () => {
  const deployments = resourceByKind("apps/v1", "Deployment");
  assert.ok(deployments);
  assert.equal(groupResource(deployments), "deployments.apps");
  assert.equal(resourceByName("apps", "v1", "deployments"), deployments);
  assert.deepEqual(deployments.shortNames, ["deploy"]);
  assert.equal(resourceByName("", "v1", "pods")?.namespaced, true);
  assert.equal(resourceByKind("v1", "PodList"), undefined);
});
