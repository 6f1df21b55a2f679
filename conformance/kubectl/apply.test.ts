import assert from "node:assert/strict";
import type { ConfigMap, Deployment } from "@dhow/kube";
import { idle, kubectlFacts, shell } from "../fact.ts";

const map = (data: Record<string, string>, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", ...metadata },
  data,
});

const deployment = (containers: object[], more: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", labels: { app: "web" } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers, ...more } },
  },
});

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

kubectlFacts("apply", (fact) => {
  fact("says created, unchanged and configured", async (t) => {
    assert.equal(await t.kubectl.fed(map({ a: "1" })).run`apply -f -`, "configmap/settings created\n");
    assert.equal(await t.kubectl.fed(map({ a: "1" })).run`apply -f -`, "configmap/settings unchanged\n");
    assert.equal(await t.kubectl.fed(map({ a: "2" })).run`apply -f -`, "configmap/settings configured\n");
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "settings")).data, { a: "2" });
  });

  fact("keeps what others added, and removes what was applied before and is no longer", async (t) => {
    await t.kubectl.fed(map({ a: "1", b: "2" })).run`apply -f -`;
    await t.kubectl.run`patch cm settings --type=merge -p ${'{"data":{"mine":"3"}}'}`;
    await t.kubectl.fed(map({ a: "1" })).run`apply -f -`;
    const found = await t.get<ConfigMap>("v1", "ConfigMap", "settings");
    assert.deepEqual(found.data, { a: "1", mine: "3" });
    assert.deepEqual(JSON.parse(found.metadata.annotations?.[lastApplied] ?? "").data, { a: "1" });
  });

  fact("merges containers by name, and environment variables by theirs", async (t) => {
    const main = {
      ...shell(idle),
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    };
    await t.kubectl.fed(deployment([main])).run`apply -f -`;
    await t.kubectl.run`set env deployment/web C=3`;
    await t.kubectl.fed(
      deployment([
        { ...main, env: [{ name: "B", value: "4" }] },
        { ...shell(idle), name: "side" },
      ]),
    ).run`apply -f -`;
    const found = await t.get<Deployment>("apps/v1", "Deployment", "web");
    const containers = found.spec?.template?.spec?.containers ?? [];
    assert.deepEqual(containers.map(({ name }) => name).sort(), ["main", "side"]);
    const env = containers.find(({ name }) => name === "main")?.env ?? [];
    assert.deepEqual(Object.fromEntries(env.map(({ name, value }) => [name, value])), { B: "4", C: "3" });
  });

  fact("applies every document of a file in turn", async (t) => {
    const documents = `---\n${JSON.stringify(map({ a: "1" }))}\n---\n${JSON.stringify({ ...map({}), metadata: { name: "other" } })}\n---\n`;
    assert.equal(
      await t.kubectl.fed(documents).run`apply -f -`,
      "configmap/settings created\nconfigmap/other created\n",
    );
  });

  fact("--dry-run=server changes nothing, and says so", async (t) => {
    assert.equal(
      await t.kubectl.fed(map({ a: "1" })).run`apply --dry-run=server -f -`,
      "configmap/settings created (server dry run)\n",
    );
    assert.match(await t.kubectl.refused`get cm settings`, /NotFound/);
  });

  fact("--prune with an apply set's labels deletes what is no longer in the file", async (t) => {
    const one = map({}, { labels: { set: "x" } });
    const two = { ...map({}), metadata: { name: "other", labels: { set: "x" } } };
    await t.kubectl.fed(`---\n${JSON.stringify(one)}\n---\n${JSON.stringify(two)}`).run`apply -f -`;
    const said = await t.kubectl.fed(one).run`apply -f - --prune -l set=x --prune-allowlist=core/v1/ConfigMap`;
    assert.match(said, /^configmap\/settings (un)?c\w+\nconfigmap\/other pruned\n$/);
  });

  fact("refuses a field that the kind does not have", async (t) => {
    const said = await t.kubectl.fed({ ...map({}), datas: { a: "1" } }).refused`apply -f -`;
    assert.match(said, /strict decoding error: unknown field "datas"/);
    const { stderr, code } = await t.kubectl.fed({ ...map({}), datas: { a: "1" } }).answer`apply --validate=warn -f -`;
    assert.equal(code, 0);
    assert.match(stderr, /^Warning: unknown field "datas"\n/);
  });

  fact("names every fault of an invalid object", async (t) => {
    const object = deployment([{ name: "Main", command: ["x"] }]);
    object.spec.selector.matchLabels.app = "other";
    const said = await t.kubectl.fed(object).refused`apply -f -`;
    assert.equal(
      said,
      `The Deployment "web" is invalid: 
* spec.template.metadata.labels: Invalid value: {"app":"web"}: \`selector\` does not match template \`labels\`
* spec.template.spec.containers[0].name: Invalid value: "Main": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
* spec.template.spec.containers[0].image: Required value`,
    );
  });

  fact("refuses to change what is immutable", async (t) => {
    await t.kubectl.fed(deployment([shell(idle)])).run`apply -f -`;
    const object = deployment([shell(idle)]);
    object.spec.selector.matchLabels.app = object.spec.template.metadata.labels.app = "other";
    assert.match(
      await t.kubectl.fed(object).refused`apply -f -`,
      /spec\.selector: Invalid value: .*: field is immutable$/,
    );
  });

  fact("edit-last-applied, view-last-applied and set-last-applied know what was applied", async (t) => {
    await t.kubectl.fed(map({ a: "1" })).run`apply -f -`;
    assert.match(await t.kubectl.run`apply view-last-applied cm/settings`, /^apiVersion: v1\ndata:\n {2}a: "1"\n/);
    await t.kubectl.fed(map({ a: "2" })).run`apply set-last-applied -f -`;
    assert.match(await t.kubectl.run`apply view-last-applied cm/settings`, /a: "2"/);
  });

  fact("changes a list that is atomic as a whole", async (t) => {
    const main = { ...shell("exit 0"), args: ["a", "b"] };
    await t.kubectl.fed(deployment([main])).run`apply -f -`;
    await t.kubectl.fed(deployment([{ ...main, args: ["b"] }])).run`apply -f -`;
    const found = await t.get<Deployment>("apps/v1", "Deployment", "web");
    assert.deepEqual(found.spec?.template?.spec?.containers?.[0]?.args, ["b"]);
  });
});

kubectlFacts("apply --server-side", (fact) => {
  fact("says serverside-applied, and a second time changes nothing", async (t) => {
    assert.equal(
      await t.kubectl.fed(map({ a: "1" })).run`apply --server-side -f -`,
      "configmap/settings serverside-applied\n",
    );
    const first = await t.get<ConfigMap>("v1", "ConfigMap", "settings");
    await t.kubectl.fed(map({ a: "1" })).run`apply --server-side -f -`;
    const second = await t.get<ConfigMap>("v1", "ConfigMap", "settings");
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  });

  fact("owns what it applied, under its own manager", async (t) => {
    await t.kubectl.fed(map({ a: "1" })).run`apply --server-side --field-manager=one -f -`;
    const found = await t.get<ConfigMap>("v1", "ConfigMap", "settings");
    const [entry] = found.metadata.managedFields ?? [];
    assert.deepEqual(
      [entry?.manager, entry?.operation, entry?.apiVersion, entry?.fieldsType, entry?.fieldsV1],
      ["one", "Apply", "v1", "FieldsV1", { "f:data": { "f:a": {} } }],
    );
  });

  fact("a field of another manager is a conflict, which names the manager and the field", async (t) => {
    await t.kubectl.fed(map({ a: "1", b: "1" })).run`apply --server-side --field-manager=one -f -`;
    const said = await t.kubectl.fed(map({ a: "2" })).refused`apply --server-side --field-manager=two -f -`;
    assert.match(said, /Apply failed with 1 conflict: conflict with "one": \.data\.a/);
    assert.match(said, /Please review the fields above--they currently have other managers\./);
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "settings")).data, { a: "1", b: "1" });
  });

  fact("--force-conflicts takes the field over, and its old owner then conflicts", async (t) => {
    await t.kubectl.fed(map({ a: "1", b: "1" })).run`apply --server-side --field-manager=one -f -`;
    await t.kubectl.fed(map({ a: "2" })).run`apply --server-side --field-manager=two --force-conflicts -f -`;
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "settings")).data, { a: "2", b: "1" });
    const said = await t.kubectl.fed(map({ a: "3", b: "1" })).refused`apply --server-side --field-manager=one -f -`;
    assert.match(said, /conflict with "two": \.data\.a/);
  });

  fact("the same value may be owned by two, and goes only when both have let go", async (t) => {
    await t.kubectl.fed(map({ a: "1" })).run`apply --server-side --field-manager=one -f -`;
    await t.kubectl.fed(map({ a: "1" })).run`apply --server-side --field-manager=two -f -`;
    await t.kubectl.fed(map({})).run`apply --server-side --field-manager=one -f -`;
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "settings")).data, { a: "1" });
    await t.kubectl.fed(map({})).run`apply --server-side --field-manager=two -f -`;
    assert.equal((await t.get<ConfigMap>("v1", "ConfigMap", "settings")).data, undefined);
  });

  fact(
    "what scale changed is a conflict for whoever applies replicas, and none for whoever leaves them out",
    async (t) => {
      const object = deployment([shell(idle)]);
      await t.kubectl.fed(object).run`apply --server-side -f -`;
      await t.kubectl.run`scale deployment web --replicas=1`;
      const said = await t.kubectl.fed(object).refused`apply --server-side -f -`;
      assert.match(
        said,
        /Apply failed with 1 conflict: conflict with "kubectl[^"]*" with subresource "scale" using apps\/v1: \.spec\.replicas/,
      );
      const { replicas: _, ...spec } = object.spec;
      await t.kubectl.fed({ ...object, spec }).run`apply --server-side -f -`;
      assert.equal((await t.get<Deployment>("apps/v1", "Deployment", "web")).spec?.replicas, 1);
    },
  );

  fact("client-side apply is migrated to server-side apply without a conflict", async (t) => {
    await t.kubectl.fed(map({ a: "1", b: "2" })).run`apply -f -`;
    await t.kubectl.fed(map({ a: "3" })).run`apply --server-side -f -`;
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "settings")).data, { a: "3" });
  });

  fact("--dry-run=server shows the outcome", async (t) => {
    const said = await t.kubectl.fed(map({ a: "1" }))
      .run`apply --server-side --dry-run=server -f - -o ${"jsonpath={.data.a}"}`;
    assert.equal(said, "1");
    assert.match(await t.kubectl.refused`get cm settings`, /NotFound/);
  });
});

kubectlFacts("diff", (fact) => {
  fact("is silent with 0 where nothing would change, and prints the change with 1", async (t) => {
    await t.kubectl.fed(map({ a: "1" })).run`apply -f -`;
    assert.deepEqual(await t.kubectl.fed(map({ a: "1" })).answer`diff -f -`, { code: 0, stdout: "", stderr: "" });
    const { code, stdout } = await t.kubectl.fed(map({ a: "2" })).answer`diff -f -`;
    assert.equal(code, 1);
    assert.match(stdout, /^-  a: "1"\n\+  a: "2"$/m);
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "settings")).data, { a: "1" });
  });

  fact("--server-side diffs as server-side apply would", async (t) => {
    await t.kubectl.fed(map({ a: "1" })).run`apply --server-side -f -`;
    const { code, stdout } = await t.kubectl.fed(map({ a: "2" })).answer`diff --server-side -f -`;
    assert.equal(code, 1);
    assert.match(stdout, /^\+  a: "2"$/m);
  });

  fact("of an object that is not there shows all of it", async (t) => {
    const { code, stdout } = await t.kubectl.fed(map({ a: "1" })).answer`diff -f -`;
    assert.equal(code, 1);
    assert.match(stdout, /^\+kind: ConfigMap$/m);
  });
});
