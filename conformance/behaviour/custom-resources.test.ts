import assert from "node:assert/strict";
import { isStatusError, type KubeObject, type WatchEvent } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { type FactOptions, type FactStatement, kubectlFacts, type Trial } from "../fact.ts";

/** The group of a trial: definitions are of the whole cluster, and trials run beside each other. */
const groupOf = (t: Trial) => `${t.namespace}.example.com`;

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "integer", minimum: 1 },
        color: { type: "string", enum: ["red", "blue"], default: "red", description: "How the boat is painted." },
        seats: {
          type: "array",
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, taken: { type: "boolean" } },
          },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
        },
      },
      "x-kubernetes-validations": [{ rule: "self.color != 'blue' || self.size > 1", message: "blue boats are large" }],
    },
    status: {
      type: "object",
      properties: {
        conditions: {
          type: "array",
          items: { type: "object", properties: { type: { type: "string" }, status: { type: "string" } } },
        },
      },
    },
  },
};

async function define(t: Trial, scope: "Namespaced" | "Cluster" = "Namespaced"): Promise<string> {
  const group = groupOf(t);
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `boats.${group}` },
    spec: {
      group,
      scope,
      names: { plural: "boats", kind: "Boat", shortNames: ["bt"], categories: ["all"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Size", type: "integer", jsonPath: ".spec.size" },
            { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
        },
      ],
    },
  };
  await t.kubectl.fed(definition).run`apply -f -`;
  // A real server serves it a moment after it says so; before it says anything, there is no list of conditions for kubectl to wait on.
  await eventually(async () => (await t.kubectl.answer`get boats.${group}`).code === 0);
  await t.kubectl.run`wait --for=condition=Established --timeout=30s crd/boats.${group}`;
  return `boats.${group}`;
}

const boat = (t: Trial, name: string, spec: object, metadata: object = {}) => ({
  apiVersion: `${groupOf(t)}/v1`,
  kind: "Boat",
  metadata: { name, ...metadata },
  spec,
});

/** Definitions outlive the namespace of a trial. */
function withDefinition(
  fact: FactStatement,
  name: string,
  body: (t: Trial, boats: string) => Promise<void>,
  options: FactOptions = {},
): void {
  const tried = async (t: Trial) => {
    const boats = await define(t);
    try {
      await body(t, boats);
    } finally {
      await t.kubectl.answer`delete crd ${boats} --ignore-not-found`;
    }
  };
  fact(name, tried, options);
}

kubectlFacts("custom resources", (fact) => {
  withDefinition(fact, "are applied, printed by their columns, and known by their short name", async (t, boats) => {
    await t.kubectl.fed(boat(t, "one", { size: 3 })).run`apply -f -`;
    const status = { status: { conditions: [{ type: "Ready", status: "True" }] } };
    await t.kubectl.run`patch ${boats} one --subresource=status --type=merge -p ${JSON.stringify(status)}`;
    const [head, row] = (await t.kubectl.run`get ${boats}`).split("\n");
    assert.deepEqual(head?.split(/\s+/).filter(Boolean), ["NAME", "SIZE", "READY", "AGE"]);
    assert.deepEqual(row?.split(/\s+/).slice(0, 3), ["one", "3", "True"]);
    assert.equal(await t.kubectl.run`get bt.${groupOf(t)} -o name`, `boat.${groupOf(t)}/one\n`);
  });

  withDefinition(fact, "get their defaults, and are checked by their schema and its rules", async (t, boats) => {
    await t.kubectl.fed(boat(t, "one", { size: 3 })).run`create -f -`;
    assert.equal(await t.kubectl.run`get ${boats} one -o jsonpath={.spec.color}`, "red");
    assert.match(await t.kubectl.fed(boat(t, "two", { size: 0 })).refused`create -f -`, /greater than or equal to 1/);
    assert.match(
      await t.kubectl.fed(boat(t, "two", { size: 2, color: "green" })).refused`create -f -`,
      /"red", "blue"/,
    );
    assert.match(
      await t.kubectl.fed(boat(t, "two", { size: 1, color: "blue" })).refused`create -f -`,
      /blue boats are large/,
    );
    assert.match(
      await t.kubectl.fed(boat(t, "two", { size: 1, sails: 2 })).refused`create -f -`,
      /unknown field "spec\.sails"/,
    );
  });

  withDefinition(fact, "are explained by their schema", async (t, boats) => {
    const said = await eventually(async () => {
      const { code, stdout } = await t.kubectl.answer`explain ${boats}.spec.color`;
      return code === 0 ? stdout : undefined;
    });
    assert.match(said, /How the boat is painted\./);
    assert.match(said, /red/);
  });

  withDefinition(fact, "are merged by the keys of their lists in server-side apply", async (t, boats) => {
    const one = boat(t, "one", { size: 1, seats: [{ name: "bow" }] });
    const two = { ...boat(t, "one", { size: 1, seats: [{ name: "stern", taken: true }] }) };
    await t.kubectl.fed(one).run`apply --server-side --field-manager=a -f -`;
    await t.kubectl.fed(two).run`apply --server-side --field-manager=b -f -`;
    assert.equal(await t.kubectl.run`get ${boats} one -o jsonpath={.spec.seats[*].name}`, "bow stern");
  });

  withDefinition(fact, "are edited", async (t, boats) => {
    await t.kubectl.fed(boat(t, "one", { size: 12 })).run`create -f -`;
    await t.kubectl.with({ EDITOR: "sed -i 's/size: 12/size: 5/'" }).run`edit ${boats} one`;
    assert.equal(await t.kubectl.run`get ${boats} one -o jsonpath={.spec.size}`, "5");
  });

  withDefinition(fact, "are watched", async (t, boats) => {
    await using watching = t.kubectl.start`get ${boats} -w -o name`;
    await t.kubectl.fed(boat(t, "one", { size: 1 })).run`create -f -`;
    await eventually(() => watching.stdout.includes("/one") || undefined);
  });

  withDefinition(
    fact,
    "are not watched from a version of before there was such a kind: it is Expired",
    async (t) => {
      const all = { apiVersion: `${groupOf(t)}/v1`, kind: "Boat", namespace: t.namespace };
      const watching = t.client.watch(all, { resourceVersion: "1", timeoutSeconds: 5 });
      const first = await watching.next().then(
        ({ value }) => (value as WatchEvent | undefined)?.object,
        (error: unknown) => (isStatusError(error) ? error.status : error),
      );
      // It is told by the first event of the watch, or before there is any.
      const { code, reason } = (first ?? {}) as { code?: number; reason?: string };
      assert.deepEqual([code, reason], [410, "Expired"]);
    },
    { onlyReal: "an embedded cluster that is young remembers everything since its first version" },
  );

  withDefinition(fact, "own others, which go with them", async (t, boats) => {
    await t.kubectl.fed(boat(t, "one", { size: 1 })).run`create -f -`;
    const uid = await t.kubectl.run`get ${boats} one -o jsonpath={.metadata.uid}`;
    const ownerReferences = [{ apiVersion: `${groupOf(t)}/v1`, kind: "Boat", name: "one", uid }];
    await t.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cargo", ownerReferences } });
    await t.kubectl.run`delete ${boats} one`;
    // The collector asks every half a minute which kinds there are.
    const cargo = { apiVersion: "v1", kind: "ConfigMap", namespace: t.namespace, name: "cargo" };
    await eventually(async () => (await t.client.find(cargo)) === undefined, 60_000);
  });

  withDefinition(fact, "may be read by whom a role lets, and by nobody else", async (t, boats) => {
    const as = `--as=system:serviceaccount:${t.namespace}:default`;
    assert.match(await t.kubectl.refused`get ${boats} ${as}`, /cannot list resource "boats" in API group/);
    await t.kubectl.run`create role sailor --verb=get,list --resource=${boats}`;
    await t.kubectl.run`create rolebinding sailor --role=sailor --serviceaccount=${t.namespace}:default`;
    await eventually(async () => (await t.kubectl.answer`get ${boats} ${as}`).code === 0 || undefined);
  });

  withDefinition(fact, "go with their definition, once nobody holds them back", async (t, boats) => {
    await t.kubectl.fed(boat(t, "free", { size: 1 })).run`create -f -`;
    await t.kubectl.fed(boat(t, "held", { size: 1 }, { finalizers: ["example.com/hold"] })).run`create -f -`;
    await t.kubectl.run`delete crd ${boats} --wait=false`;
    await eventually(async () => (await t.kubectl.answer`get ${boats} free`).code !== 0 || undefined);
    const definition = await t.kubectl.json<KubeObject>`get crd ${boats} -o json`;
    assert.deepEqual(definition.metadata.finalizers, ["customresourcecleanup.apiextensions.k8s.io"]);
    await t.kubectl.run`patch ${boats} held --type=merge -p ${'{"metadata":{"finalizers":null}}'}`;
    await eventually(async () => (await t.kubectl.answer`get crd ${boats}`).code !== 0 || undefined, 30_000);
  });

  withDefinition(fact, "go with their namespace", async (t, boats) => {
    await t.kubectl.run`create namespace ${t.namespace}-x`;
    const there = { ...boat(t, "one", { size: 1 }), metadata: { name: "one", namespace: `${t.namespace}-x` } };
    await t.client.create(there);
    await t.kubectl.run`delete namespace ${t.namespace}-x --timeout=60s`;
    assert.match(await t.kubectl.refused`get ${boats} one -n ${t.namespace}-x`, /not found/);
  });
});
