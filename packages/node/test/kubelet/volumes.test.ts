import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Pod } from "@dhow/kube";
import { temporaryFolder } from "@dhow/testkit";
import type { ObjectReader } from "../../src/kubelet/environment/environment.ts";
import { containerEnvironment } from "../../src/kubelet/environment/environment.ts";
import { writeAtomically } from "../../src/kubelet/volumes/atomic-writer.ts";
import { inside } from "../../src/kubelet/volumes/claims.ts";
import { projectedFiles, projectionsOf } from "../../src/kubelet/volumes/projection.ts";

const facts = {
  podIP: "10.244.1.2",
  hostIP: "10.250.0.11",
  nodeName: "one",
  allocatable: { cpu: "8", memory: "16Gi" },
};

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "n", uid: "u", labels: { b: "2", a: 'q"' } },
  spec: {
    serviceAccountName: "default",
    containers: [{ name: "c", image: "i", resources: { limits: { memory: "64Mi", cpu: "250m" } } }],
  },
};

const objects: ObjectReader = {
  configMap: async (_namespace, name) =>
    name === "map" ? { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data: { x: "1", y: "2" } } : undefined,
  secret: async (_namespace, name) =>
    name === "secret" ? { apiVersion: "v1", kind: "Secret", metadata: {}, data: { key: btoa("hidden") } } : undefined,
};

const file = (text: string, mode = 0o644) => ({ data: Buffer.from(text), mode });

test("files change together, by one symbolic link; equal content changes nothing", () => {
  using folder = temporaryFolder();
  const target = join(folder.path, "v");
  assert.equal(
    writeAtomically(
      target,
      new Map([
        ["a", file("1", 0o400)],
        ["d/b", file("2")],
      ]),
    ),
    true,
  );
  const first = readlinkSync(join(target, "..data"));
  assert.equal(readFileSync(join(target, "d/b"), "utf8"), "2");
  assert.equal(statSync(join(target, "a")).mode & 0o777, 0o400);
  assert.ok(lstatSync(join(target, "a")).isSymbolicLink());
  assert.equal(
    writeAtomically(
      target,
      new Map([
        ["a", file("1", 0o400)],
        ["d/b", file("2")],
      ]),
    ),
    false,
  );
  assert.equal(
    writeAtomically(
      target,
      new Map([
        ["a", file("3")],
        ["c", file("4")],
      ]),
    ),
    true,
  );
  assert.notEqual(readlinkSync(join(target, "..data")), first);
  assert.deepEqual(
    readdirSync(target)
      .filter((name) => !name.startsWith(".."))
      .sort(),
    ["a", "c"],
  );
  assert.equal(readFileSync(join(target, "a"), "utf8"), "3");
  assert.equal(readdirSync(target).filter((name) => name.startsWith("..2")).length, 1);
});

test("a projected volume: chosen keys, modes, a token, and what the pod knows of itself", async () => {
  const volume = {
    name: "v",
    projected: {
      defaultMode: 0o440,
      sources: [
        { configMap: { name: "map", items: [{ key: "x", path: "sub/x", mode: 0o400 }] } },
        { secret: { name: "secret" } },
        { secret: { name: "none", optional: true } },
        { serviceAccountToken: { path: "token", audience: "me" } },
        {
          downwardAPI: {
            items: [
              { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
              { path: "memory", resourceFieldRef: { containerName: "c", resource: "limits.memory", divisor: "1Mi" } },
            ],
          },
        },
      ],
    },
  };
  const projections = projectionsOf(volume);
  assert.ok(projections);
  const tokens = { token: async (_pod: Pod, audience: string | undefined) => `token for ${audience}` };
  const files = await projectedFiles(projections.sources, projections.defaultMode, { pod, facts, objects, tokens });
  const shown = Object.fromEntries(
    [...files].map(([path, { data, mode }]) => [path, `${mode.toString(8)} ${Buffer.from(data).toString()}`]),
  );
  assert.deepEqual(shown, {
    "sub/x": "400 1",
    key: "440 hidden",
    token: "440 token for me",
    labels: '440 a="q\\""\nb="2"',
    memory: "440 64",
  });
});

test("what is missing is said as a kubelet says it", async () => {
  const tokens = { token: async () => "" };
  const missing = projectedFiles([{ configMap: { name: "none" } }], 0o644, { pod, facts, objects, tokens });
  await assert.rejects(missing, { message: 'configmap "none" not found' });
  const key = projectedFiles([{ configMap: { name: "map", items: [{ key: "z", path: "z" }] } }], 0o644, {
    pod,
    facts,
    objects,
    tokens,
  });
  await assert.rejects(key, { message: "references non-existent config key: z" });
});

test("a PersistentVolume's path stays under the folder of volumes", () => {
  assert.equal(inside("/state/volumes", "/pvc-1"), "/state/volumes/pvc-1");
  assert.equal(inside("/state/volumes", "/state/volumes/pvc-1"), "/state/volumes/pvc-1");
  assert.equal(inside("/state/volumes", "../../etc"), "/state/volumes/etc");
  assert.equal(inside("/state/volumes", "/state/volumes/../../etc"), "/state/volumes/etc");
});

test("the environment: services, sources, fields, resources, and references to what came before", async () => {
  const service = (namespace: string, name: string, ip: string, ports: { name?: string; port: number }[]) => ({
    apiVersion: "v1" as const,
    kind: "Service" as const,
    metadata: { namespace, name },
    spec: { clusterIP: ip, ports },
  });
  const services = [
    service("default", "kubernetes", "10.96.0.1", [{ name: "https", port: 443 }]),
    service("n", "db-one", "10.96.0.9", [{ port: 5432 }]),
    service("n", "headless", "None", [{ port: 1 }]),
    service("other", "hidden", "10.96.0.8", [{ port: 1 }]),
  ];
  const container = {
    ...pod.spec.containers[0],
    name: "c",
    envFrom: [{ prefix: "M_", configMapRef: { name: "map" } }],
    env: [
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "KEY", valueFrom: { secretKeyRef: { name: "secret", key: "key" } } },
      { name: "NONE", valueFrom: { secretKeyRef: { name: "none", key: "key", optional: true } } },
      { name: "URL", value: "http://$(DB_ONE_SERVICE_HOST):$(DB_ONE_SERVICE_PORT)/$(M_X)$(LATER)?$(M_x)" },
      { name: "LATER", value: "x" },
    ],
  };
  const environment = await containerEnvironment({ pod, container, facts, services, objects });
  assert.equal(environment["URL"], "http://10.96.0.9:5432/$(M_X)$(LATER)?1");
  assert.deepEqual(
    [environment["IP"], environment["CPU"], environment["KEY"], environment["M_y"]],
    ["10.244.1.2", "1", "hidden", "2"],
  );
  assert.equal("NONE" in environment, false);
  assert.equal(environment["DB_ONE_PORT_5432_TCP"], "tcp://10.96.0.9:5432");
  assert.equal(environment["KUBERNETES_SERVICE_PORT_HTTPS"], "443");
  assert.equal(
    Object.keys(environment).some((name) => /HEADLESS|HIDDEN/.test(name)),
    false,
  );
  const without = { ...pod, spec: { ...pod.spec, enableServiceLinks: false } };
  const few = await containerEnvironment({ pod: without, container: { name: "c" }, facts, services, objects });
  assert.equal(few["KUBERNETES_SERVICE_HOST"], "10.96.0.1");
  assert.equal("DB_ONE_SERVICE_HOST" in few, false);
  const bad = containerEnvironment({
    pod,
    container: { name: "c", env: [{ name: "A", valueFrom: { secretKeyRef: { name: "nosuch", key: "x" } } }] },
    facts,
    services,
    objects,
  });
  await assert.rejects(bad, { message: 'secret "nosuch" not found' });
});
