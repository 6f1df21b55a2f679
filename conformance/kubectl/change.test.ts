import assert from "node:assert/strict";
import type { ConfigMap, Deployment } from "@dhow/kube";
import { kubectlFacts, type Trial } from "../fact.ts";

const map = (name: string, data: Record<string, string>, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});
const dataOf = async (t: Trial, name: string) => (await t.get<ConfigMap>("v1", "ConfigMap", name)).data;

async function emptyDeployment(t: Trial): Promise<void> {
  await t.kubectl.run`create deployment web --image=busybox:1.37 --replicas=0 -- sleep 1000`;
}
const containersOf = async (t: Trial) =>
  (await t.get<Deployment>("apps/v1", "Deployment", "web")).spec?.template?.spec?.containers ?? [];

kubectlFacts("edit", (fact) => {
  fact("sends back what the editor wrote", async (t) => {
    await t.create(map("one", { a: "before" }));
    const kubectl = t.kubectl.with({ EDITOR: "sed -i s/before/after/" });
    assert.equal(await kubectl.run`edit cm one`, "configmap/one edited\n");
    assert.deepEqual(await dataOf(t, "one"), { a: "after" });
  });

  fact("an editor that changes nothing cancels", async (t) => {
    await t.create(map("one", { a: "before" }));
    const { stderr, stdout } = await t.kubectl.with({ EDITOR: "true" }).answer`edit cm one`;
    assert.match(stderr + stdout, /Edit cancelled, no changes made/);
  });

  fact("a change that the server refuses is said, and kept in a file", async (t) => {
    await emptyDeployment(t);
    const { code, stderr } = await t.kubectl.with({
      EDITOR: "sed -i s/replicas:.0/replicas:.-1/",
      TMPDIR: t.target.home,
    }).answer`edit deployment web`;
    assert.notEqual(code, 0);
    assert.match(stderr, /^error: deployments\.apps "web" is invalid\nA copy of your changes has been stored to /);
  });

  fact("a list of objects is edited together", async (t) => {
    await t.create(
      map("one", { a: "before" }, { labels: { x: "y" } }),
      map("two", { a: "before" }, { labels: { x: "y" } }),
    );
    await t.kubectl.with({ EDITOR: "sed -i s/before/after/" }).run`edit cm one two`;
    assert.deepEqual([await dataOf(t, "one"), await dataOf(t, "two")], [{ a: "after" }, { a: "after" }]);
  });
});

kubectlFacts("patch", (fact) => {
  fact("strategic is the default, and merges containers by name", async (t) => {
    await emptyDeployment(t);
    const patch = {
      spec: {
        template: {
          spec: {
            containers: [
              { name: "busybox", image: "busybox:1.36" },
              { name: "side", image: "busybox:1.37" },
            ],
          },
        },
      },
    };
    assert.equal(
      await t.kubectl.run`patch deployment web -p ${JSON.stringify(patch)}`,
      "deployment.apps/web patched\n",
    );
    assert.deepEqual((await containersOf(t)).map(({ name, image }) => `${name} ${image}`).sort(), [
      "busybox busybox:1.36",
      "side busybox:1.37",
    ]);
    const removal = { spec: { template: { spec: { containers: [{ $patch: "delete", name: "side" }] } } } };
    await t.kubectl.run`patch deployment web -p ${JSON.stringify(removal)}`;
    assert.deepEqual(
      (await containersOf(t)).map(({ name }) => name),
      ["busybox"],
    );
  });

  fact("merge replaces a list as a whole and null removes a field", async (t) => {
    await emptyDeployment(t);
    const patch = {
      metadata: { labels: { app: null } },
      spec: { template: { spec: { containers: [{ name: "only", image: "busybox:1.37" }] } } },
    };
    await t.kubectl.run`patch deployment web --type=merge -p ${JSON.stringify(patch)}`;
    assert.deepEqual(
      (await containersOf(t)).map(({ name }) => name),
      ["only"],
    );
    assert.equal((await t.get("apps/v1", "Deployment", "web")).metadata.labels, undefined);
  });

  fact("json takes operations by path, and a failed test refuses all of them", async (t) => {
    await t.create(map("one", { a: "1", "b.c": "2" }));
    const operations = [
      { op: "replace", path: "/data/a", value: "3" },
      { op: "remove", path: "/data/b.c" },
      { op: "add", path: "/data/d", value: "4" },
    ];
    await t.kubectl.run`patch cm one --type=json -p ${JSON.stringify(operations)}`;
    assert.deepEqual(await dataOf(t, "one"), { a: "3", d: "4" });
    const failing = [
      { op: "remove", path: "/data/a" },
      { op: "test", path: "/data/d", value: "5" },
    ];
    assert.match(
      await t.kubectl.refused`patch cm one --type=json -p ${JSON.stringify(failing)}`,
      /^The request is invalid: the server rejected our request due to an error in our request$/,
    );
    assert.deepEqual(await dataOf(t, "one"), { a: "3", d: "4" });
  });

  fact("that changes nothing says so", async (t) => {
    await t.create(map("one", { a: "1" }));
    assert.equal(await t.kubectl.run`patch cm one -p ${'{"data":{"a":"1"}}'}`, "configmap/one patched (no change)\n");
  });

  fact("a subresource is patched alone", async (t) => {
    await emptyDeployment(t);
    await t.kubectl.run`patch deployment web --subresource=scale --type=merge -p ${'{"spec":{"replicas":0}}'}`;
    await t.kubectl
      .run`patch deployment web --subresource=status --type=merge -p ${'{"status":{"collisionCount":7},"spec":{"replicas":5}}'}`;
    assert.equal(await t.kubectl.run`get deployment web -o ${"jsonpath={.spec.replicas}"}`, "0");
  });

  fact("an unknown field is refused by name", async (t) => {
    await t.create(map("one", { a: "1" }));
    const { stderr } = await t.kubectl.answer`patch cm one --type=merge -p ${'{"date":{}}'}`;
    assert.match(stderr, /^Warning: unknown field "date"\n/);
  });
});

kubectlFacts("replace", (fact) => {
  fact("replaces an object as a whole", async (t) => {
    await t.create(map("one", { a: "1" }, { labels: { x: "y" } }));
    assert.equal(await t.kubectl.fed(map("one", { b: "2" })).run`replace -f -`, "configmap/one replaced\n");
    const found = await t.get<ConfigMap>("v1", "ConfigMap", "one");
    assert.deepEqual([found.data, found.metadata.labels], [{ b: "2" }, undefined]);
  });

  fact("with an old resourceVersion is a conflict", async (t) => {
    const first = await t.create(map("one", { a: "1" }));
    await t.kubectl.run`label cm one x=y`;
    assert.equal(
      await t.kubectl.fed(first).refused`replace -f -`,
      `Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again`,
    );
  });

  fact("--force deletes and creates anew", async (t) => {
    const first = await t.create(map("one", { a: "1" }));
    await t.kubectl.fed(map("one", { b: "2" })).run`replace --force -f -`;
    const second = await t.get<ConfigMap>("v1", "ConfigMap", "one");
    assert.notEqual(second.metadata.uid, first.metadata.uid);
  });

  fact("what is not there is refused", async (t) => {
    assert.match(await t.kubectl.fed(map("one", {})).refused`replace -f -`, /NotFound.*configmaps "one" not found/);
  });

  fact("an immutable configmap keeps its data", async (t) => {
    await t.create({ ...map("fixed", { a: "1" }), immutable: true });
    assert.match(
      await t.kubectl.fed({ ...map("fixed", { a: "2" }), immutable: true }).refused`replace -f -`,
      /data: Forbidden: field is immutable when `immutable` is set/,
    );
  });
});

kubectlFacts("label, annotate and set", (fact) => {
  fact("label adds, refuses to overwrite, overwrites and removes", async (t) => {
    await t.create(map("one", {}));
    const labels = async () => (await t.get("v1", "ConfigMap", "one")).metadata.labels;
    assert.equal(await t.kubectl.run`label cm one a=1 b=2`, "configmap/one labeled\n");
    assert.match(await t.kubectl.refused`label cm one a=3`, /'a' already has a value \(1\), and --overwrite is false/);
    await t.kubectl.run`label cm one a=3 --overwrite`;
    assert.equal(await t.kubectl.run`label cm one b-`, "configmap/one unlabeled\n");
    assert.deepEqual(await labels(), { a: "3" });
    assert.match(
      await t.kubectl.refused`label cm one a=${"no spaces"}`,
      /a valid label must be an empty string or consist of alphanumeric characters/,
    );
  });

  fact("label --all and -l reach many, --list shows", async (t) => {
    await t.create(map("one", {}, { labels: { x: "y" } }), map("two", {}, { labels: { x: "y" } }));
    await t.kubectl.run`label cm -l x=y seen=yes`;
    assert.equal(await t.kubectl.run`get cm -l seen=yes -o name`, "configmap/one\nconfigmap/two\n");
    assert.match(await t.kubectl.run`label cm one --list`, /seen=yes/);
  });

  fact("annotate takes any text", async (t) => {
    await t.create(map("one", {}));
    await t.kubectl.run`annotate cm one example.org/note=${"any text, even = and ünïcode"}`;
    assert.deepEqual((await t.get("v1", "ConfigMap", "one")).metadata.annotations, {
      "example.org/note": "any text, even = and ünïcode",
    });
    assert.equal(await t.kubectl.run`annotate cm one example.org/note-`, "configmap/one annotated\n");
  });

  fact("set image changes one container, or all with *", async (t) => {
    await emptyDeployment(t);
    assert.equal(
      await t.kubectl.run`set image deployment/web busybox=busybox:1.36`,
      "deployment.apps/web image updated\n",
    );
    assert.equal((await containersOf(t))[0]?.image, "busybox:1.36");
    await t.kubectl.run`set image deployment/web *=busybox:1.35`;
    assert.equal((await containersOf(t))[0]?.image, "busybox:1.35");
    assert.match(await t.kubectl.refused`set image deployment/web other=x:1`, /unable to find container named "other"/);
  });

  fact("set env adds, takes over from configmaps, lists and removes", async (t) => {
    await emptyDeployment(t);
    await t.kubectl.run`create configmap settings --from-literal=COLOUR=blue`;
    await t.kubectl.run`set env deployment/web A=1 B=2`;
    await t.kubectl.run`set env deployment/web --from=configmap/settings`;
    await t.kubectl.run`set env deployment/web B-`;
    assert.deepEqual((await containersOf(t))[0]?.env, [
      { name: "A", value: "1" },
      { name: "COLOUR", valueFrom: { configMapKeyRef: { key: "COLOUR", name: "settings" } } },
    ]);
    assert.match(await t.kubectl.run`set env deployment/web --list --resolve`, /A=1\nCOLOUR=blue\n/);
  });

  fact("set resources and set serviceaccount", async (t) => {
    await emptyDeployment(t);
    await t.kubectl.run`set resources deployment web --limits=cpu=200m,memory=64Mi --requests=cpu=100m`;
    assert.deepEqual((await containersOf(t))[0]?.resources, {
      limits: { cpu: "200m", memory: "64Mi" },
      requests: { cpu: "100m" },
    });
    await t.kubectl.run`set serviceaccount deployment web robot`;
    assert.equal(
      (await t.get<Deployment>("apps/v1", "Deployment", "web")).spec?.template?.spec?.serviceAccountName,
      "robot",
    );
  });

  fact("set selector and set subject", async (t) => {
    await t.kubectl.run`create service clusterip web --tcp=80`;
    await t.kubectl.run`set selector service web app=other`;
    assert.equal(await t.kubectl.run`get svc web -o ${"jsonpath={.spec.selector}"}`, '{"app":"other"}');
    await t.kubectl.run`create role reader --verb=get --resource=pods`;
    await t.kubectl.run`create rolebinding reads --role=reader --user=one`;
    await t.kubectl.run`set subject rolebinding reads --user=two`;
    assert.equal(await t.kubectl.run`get rolebinding reads -o ${"jsonpath={.subjects[*].name}"}`, "one two");
  });
});
