import assert from "node:assert/strict";
import { test } from "node:test";
import {
  deepFreeze,
  kindSchema,
  type KubeObject,
  type PodTemplate,
  strategicMergePatch,
  StatusError,
} from "@dhow/kube";
import { realNamespace, skip } from "../real-cluster.ts";

const base = {
  apiVersion: "v1",
  kind: "PodTemplate",
  metadata: { name: "pt", labels: { a: "1", b: "2" }, finalizers: ["a.b/c", "d.e/f"] },
  template: {
    spec: {
      containers: [
        {
          name: "web",
          image: "web:1",
          env: [
            { name: "A", value: "1" },
            { name: "B", value: "2" },
            { name: "C", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
          ],
          args: ["x", "y"],
          ports: [{ containerPort: 80, protocol: "TCP", name: "http" }],
          resources: { limits: { cpu: "1", memory: "1Gi" } },
        },
        { name: "side", image: "side:1" },
      ],
      initContainers: [{ name: "init", image: "init:1" }],
      volumes: [
        { name: "tmp", emptyDir: {} },
        { name: "conf", configMap: { name: "conf", defaultMode: 420 } },
      ],
      tolerations: [{ key: "k", operator: "Exists" }],
      nodeSelector: { disk: "ssd", zone: "a" },
      hostAliases: [{ ip: "127.0.0.1", hostnames: ["a", "b"] }],
    },
  },
};
deepFreeze(base);

const schema = kindSchema("v1", "PodTemplate");

// Each is a template's spec unless it has a metadata of its own.
const cases: [string, Record<string, unknown>][] = [
  ["nothing", {}],
  ["one field of one container", { containers: [{ name: "web", image: "web:2" }] }],
  ["a new container", { containers: [{ name: "new", image: "new:1", env: [{ name: "X", value: "1" }] }] }],
  ["a container goes", { containers: [{ name: "side", $patch: "delete" }] }],
  [
    "a container goes, another changes",
    {
      containers: [
        { name: "side", $patch: "delete" },
        { name: "web", image: "w" },
      ],
    },
  ],
  ["an absent container goes", { containers: [{ name: "none", $patch: "delete" }] }],
  ["containers replaced", { containers: [{ $patch: "replace" }, { name: "new", image: "new:1" }] }],
  [
    "env merged by name",
    {
      containers: [
        {
          name: "web",
          env: [
            { name: "B", value: "3" },
            { name: "D", value: "4" },
          ],
        },
      ],
    },
  ],
  [
    "env from value to valueFrom",
    {
      containers: [
        { name: "web", env: [{ name: "A", value: null, valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } }] },
      ],
    },
  ],
  ["env emptied", { containers: [{ name: "web", env: null }] }],
  ["env given empty", { containers: [{ name: "web", env: [] }] }],
  ["args replaced", { containers: [{ name: "web", args: ["z"] }] }],
  ["a port of another number", { containers: [{ name: "web", ports: [{ containerPort: 81 }] }] }],
  ["a port's name", { containers: [{ name: "web", ports: [{ containerPort: 80, name: "www" }] }] }],
  ["resources are a map", { containers: [{ name: "web", resources: { limits: { cpu: "2", memory: null } } }] }],
  ["a map replaced", { nodeSelector: { $patch: "replace", disk: "hdd" } }],
  ["a map's field goes", { nodeSelector: { zone: null, arch: "arm64" } }],
  ["a map emptied by directive", { nodeSelector: { $patch: "delete" } }],
  ["an atomic list", { tolerations: [{ key: "l", operator: "Exists" }] }],
  ["a list given null", { tolerations: null }],
  ["order only", { "$setElementOrder/containers": [{ name: "side" }, { name: "web" }] }],
  [
    "order and a new one",
    {
      "$setElementOrder/containers": [{ name: "new" }, { name: "side" }, { name: "web" }],
      containers: [{ name: "new", image: "n" }],
    },
  ],
  [
    "order with others of the server",
    { "$setElementOrder/containers": [{ name: "new" }, { name: "web" }], containers: [{ name: "new", image: "n" }] },
  ],
  [
    "order and a deletion",
    { "$setElementOrder/containers": [{ name: "web" }], containers: [{ name: "side", $patch: "delete" }] },
  ],
  [
    "order of env",
    {
      containers: [
        {
          name: "web",
          "$setElementOrder/env": [{ name: "C" }, { name: "A" }, { name: "B" }],
          env: [{ name: "B", value: "9" }],
        },
      ],
    },
  ],
  ["order of something absent", { "$setElementOrder/ephemeralContainers": [{ name: "x" }] }],
  [
    "order of a new list",
    {
      "$setElementOrder/imagePullSecrets": [{ name: "x" }, { name: "y" }],
      imagePullSecrets: [{ name: "x" }, { name: "y" }],
    },
  ],
  [
    "another volume source",
    { volumes: [{ name: "tmp", $retainKeys: ["name", "secret"], secret: { secretName: "s" } }] },
  ],
  ["another volume source, the old one null", { volumes: [{ name: "conf", configMap: null, emptyDir: {} }] }],
  [
    "host aliases",
    {
      hostAliases: [
        { ip: "127.0.0.1", hostnames: ["c"] },
        { ip: "10.0.0.1", hostnames: ["d"] },
      ],
    },
  ],
  [
    "a new object with a directive in it",
    {
      securityContext: {
        runAsUser: 5,
        sysctls: [
          { name: "kernel.x", value: "1" },
          { name: "kernel.y", $patch: "delete" },
        ],
      },
    },
  ],
  [
    "nulls in something new",
    { affinity: { nodeAffinity: null, podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: null } } },
  ],
  ["labels", { metadata: { labels: { a: null, c: "3" } } }],
  ["finalizers are a set", { metadata: { finalizers: ["x.y/z", "a.b/c"] } }],
  ["a finalizer goes", { metadata: { "$deleteFromPrimitiveList/finalizers": ["a.b/c"] } }],
  ["finalizers in order", { metadata: { "$setElementOrder/finalizers": ["d.e/f", "a.b/c"] } }],
  [
    "finalizers come, go and are ordered",
    {
      metadata: {
        finalizers: ["x.y/z"],
        "$deleteFromPrimitiveList/finalizers": ["a.b/c"],
        "$setElementOrder/finalizers": ["x.y/z", "d.e/f"],
      },
    },
  ],
];

const refused: [string, unknown, number, string][] = [
  ["no object", [], 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"],
  [
    "no merge key",
    { containers: [{ image: "x" }] },
    500,
    "map: map[image:x] does not contain declared merge key: name",
  ],
  [
    "an order that disagrees",
    { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "b", image: "x" }] },
    500,
    "The order in patch list:\n[map[image:x name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
  ],
  [
    "an order that is no list",
    { "$setElementOrder/containers": "x" },
    500,
    "expected a []interface {}, but received a string",
  ],
  ["an order of nothing", { $setElementOrder: [] }, 400, "invalid patch format of setElementOrder list"],
  ["an unknown directive", { $patch: "x" }, 500, "unknown patch type: x in map: map[$patch:x]"],
  [
    "an unknown directive in a list",
    { containers: [{ name: "web", $patch: "x" }] },
    500,
    "unknown patch type: x in map: map[$patch:x name:web]",
  ],
  [
    "a merge directive in a list",
    { containers: [{ name: "web", $patch: "merge" }] },
    500,
    "merging lists cannot yet be specified in the patch",
  ],
  [
    "a deletion without a key",
    { containers: [{ $patch: "delete" }] },
    500,
    "map: map[$patch:delete] does not contain declared merge key: name",
  ],
  ["retained keys that are no list", { $retainKeys: "x" }, 400, "invalid patch format of retainKeys"],
  [
    "a field that is not retained",
    { volumes: [{ name: "tmp", $retainKeys: ["name"], configMap: { name: "x" } }] },
    400,
    "invalid patch format of retainKeys",
  ],
];

function patchOf(fields: unknown): unknown {
  if (Array.isArray(fields)) return fields;
  return "metadata" in (fields as object) ? fields : { template: { spec: fields } };
}

function patched(fields: unknown): typeof base {
  return strategicMergePatch(base, patchOf(fields), schema);
}

test("lists come out in the order and with the items of the rules", () => {
  const names = (items: readonly { name: string }[]) => items.map((item) => item.name);
  const of = (title: string) => patched(cases.find(([name]) => name === title)?.[1]);
  assert.deepEqual(names(of("a new container").template.spec.containers), ["new", "web", "side"]);
  assert.deepEqual(names(of("a container goes").template.spec.containers), ["web"]);
  assert.deepEqual(names(of("containers replaced").template.spec.containers), ["new"]);
  assert.deepEqual(names(of("order only").template.spec.containers), ["side", "web"]);
  assert.deepEqual(names(of("order with others of the server").template.spec.containers), ["new", "web", "side"]);
  assert.deepEqual(names(of("order and a deletion").template.spec.containers), ["web"]);
  assert.deepEqual(of("args replaced").template.spec.containers[0]?.args, ["z"]);
  assert.deepEqual(of("another volume source").template.spec.volumes[0], { name: "tmp", secret: { secretName: "s" } });
  assert.deepEqual(of("an atomic list").template.spec.tolerations, [{ key: "l", operator: "Exists" }]);
  assert.deepEqual(of("finalizers come, go and are ordered").metadata.finalizers, ["x.y/z", "d.e/f"]);
  assert.deepEqual(of("a map replaced").template.spec.nodeSelector, { disk: "hdd" });
});

test("nothing given is altered", () => {
  for (const [, fields] of cases) {
    const before = JSON.stringify(fields);
    patched(fields);
    assert.equal(JSON.stringify(fields), before);
  }
});

for (const [title, fields, code, message] of refused) {
  test(`${title}: refused`, () => {
    assert.throws(
      () => patched(fields),
      (error) =>
        error instanceof StatusError && assert.deepEqual([error.code, error.message], [code, message]) === undefined,
    );
  });
}

test("a real API server makes of each patch what it makes of our result", { skip }, async () => {
  await using real = await realNamespace();
  const { client, namespace } = real;
  const stored: KubeObject = await client.create({ ...base, metadata: { ...base.metadata, namespace } });
  const ref = { apiVersion: "v1", kind: "PodTemplate", namespace, name: "pt" };
  const plain = ({ metadata, ...rest }: PodTemplate) => ({
    labels: metadata?.labels,
    finalizers: metadata?.finalizers,
    ...rest,
  });
  for (const [title, fields] of cases) {
    const theirs = await client.patch<PodTemplate & KubeObject>(ref, "strategic", patchOf(fields), { dryRun: "All" });
    const ours = strategicMergePatch(stored, patchOf(fields), schema);
    const accepted = await client.update(ours as PodTemplate & KubeObject, { dryRun: "All" });
    assert.deepEqual(plain(accepted), plain(theirs), title);
  }
  for (const [title, fields, code, message] of refused) {
    const answer = client.patch(ref, "strategic", patchOf(fields), { dryRun: "All" });
    await assert.rejects(answer, (error) => {
      assert.ok(error instanceof StatusError);
      assert.deepEqual([error.code, error.message], [code, message], title);
      return true;
    });
  }
  await client.patch(ref, "merge", { metadata: { finalizers: null } });
});
