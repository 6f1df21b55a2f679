import assert from "node:assert/strict";
import type { ConfigMap } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { idle, kubectlFacts, shellPod, type Trial } from "../fact.ts";

function configMap(name: string, labels: Record<string, string> = {}, data: Record<string, string> = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels }, data };
}

/** Three maps whose names, labels and values sort differently. */
async function threeMaps(t: Trial): Promise<void> {
  await t.create(
    configMap("one", { tier: "front", part: "a" }, { size: "3" }),
    configMap("two", { tier: "back", part: "a" }, { size: "1" }),
    configMap("three", { tier: "front" }, { size: "2" }),
  );
}

const lines = (text: string) => text.trim().split("\n");
const columns = (line: string | undefined) => (line ?? "").trim().split(/\s{2,}/);

kubectlFacts("get", (fact) => {
  fact("-o name prints kind and name", async (t) => {
    await threeMaps(t);
    const said = lines(await t.kubectl.run`get configmaps -o name`).filter((line) => !line.includes("kube-root-ca"));
    assert.deepEqual(said, ["configmap/one", "configmap/three", "configmap/two"]);
  });

  fact("every namespace gets the configmap kube-root-ca.crt", async (t) => {
    const said = await eventually(
      () => t.kubectl.run`get configmap kube-root-ca.crt -o ${"jsonpath={.data.ca\\.crt}"}`,
    );
    assert.match(said, /^-----BEGIN CERTIFICATE-----/);
  });

  fact("-l takes equality, sets and absence", async (t) => {
    await threeMaps(t);
    const named = async (selector: string) =>
      lines(await t.kubectl.run`get cm -o name -l ${selector}`).map((line) => line.split("/")[1]);
    assert.deepEqual(await named("tier=front"), ["one", "three"]);
    assert.deepEqual(await named("tier!=front,part"), ["two"]);
    assert.deepEqual(await named("tier in (front,back),!part"), ["three"]);
    assert.deepEqual(await named("tier notin (front),part=a"), ["two"]);
  });

  fact("--field-selector takes metadata.name, and refuses what a kind does not know", async (t) => {
    await threeMaps(t);
    assert.equal(await t.kubectl.run`get cm --field-selector metadata.name=two -o name`, "configmap/two\n");
    assert.equal(
      await t.kubectl.refused`get cm --field-selector data.size=1`,
      'Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "", field selector "data.size=1": "data.size" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });

  fact("--sort-by sorts by any field", async (t) => {
    await threeMaps(t);
    assert.equal(
      await t.kubectl.run`get cm -l tier --sort-by=.data.size -o name`,
      "configmap/two\nconfigmap/three\nconfigmap/one\n",
    );
  });

  fact("-o jsonpath, go-template and custom-columns pick fields", async (t) => {
    await threeMaps(t);
    const path = "{range .items[*]}{.metadata.name}={.data.size} {end}";
    assert.equal(await t.kubectl.run`get cm -l tier -o jsonpath=${path}`, "one=3 three=2 two=1 ");
    const template = "{{range .items}}{{.metadata.name}} {{end}}";
    assert.equal(await t.kubectl.run`get cm -l tier=front -o go-template=${template}`, "one three ");
    assert.equal(
      await t.kubectl.run`get cm -l tier -o custom-columns=NAME:.metadata.name,SIZE:.data.size,NONE:.data.none`,
      "NAME    SIZE   NONE\none     3      <none>\nthree   2      <none>\ntwo     1      <none>\n",
    );
  });

  fact("-o json and -o yaml print the object without managed fields", async (t) => {
    await t.create(configMap("one", { tier: "front" }, { text: "two\nlines\n" }));
    const object = await t.kubectl.json<ConfigMap>`get cm one -o json`;
    assert.deepEqual(object.data, { text: "two\nlines\n" });
    assert.equal(object.metadata.managedFields, undefined);
    const yaml = await t.kubectl.run`get cm one -o yaml`;
    assert.match(
      yaml,
      /^apiVersion: v1\ndata:\n {2}text: \|\n {4}two\n {4}lines\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "\d{4}-/,
    );
    assert.match(
      await t.kubectl.run`get cm one -o yaml --show-managed-fields`,
      /managedFields:\n {2}- apiVersion: v1\n/,
    );
  });

  fact("-A lists every namespace with a first column NAMESPACE", async (t) => {
    await t.create(configMap("everywhere", { of: t.namespace }));
    const [head, row] = lines(await t.kubectl.run`get cm -A -l of=${t.namespace}`);
    assert.deepEqual(columns(head), ["NAMESPACE", "NAME", "DATA", "AGE"]);
    assert.deepEqual(columns(row).slice(0, 3), [t.namespace, "everywhere", "0"]);
  });

  fact("-L shows labels as columns, --show-labels all of them, --no-headers none", async (t) => {
    await threeMaps(t);
    const [head, row] = lines(await t.kubectl.run`get cm one -L tier,none`);
    assert.deepEqual(columns(head), ["NAME", "DATA", "AGE", "TIER", "NONE"]);
    assert.equal(columns(row)[3], "front");
    assert.match(await t.kubectl.run`get cm one --show-labels --no-headers`, /^one +1 +\S+ +part=a,tier=front\n$/);
  });

  fact("several kinds are listed with their kinds before the names", async (t) => {
    await threeMaps(t);
    await t.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "hidden", labels: { tier: "front" } } });
    assert.equal(
      await t.kubectl.run`get configmaps,secrets -l tier=front --no-headers -o custom-columns=:kind,:.metadata.name`,
      "ConfigMap   one\nConfigMap   three\nSecret      hidden\n",
    );
    assert.match(
      await t.kubectl.run`get cm/one secret/hidden`,
      /^NAME +DATA +AGE\nconfigmap\/one +1[\s\S]*\nsecret\/hidden +Opaque +0/,
    );
  });

  fact("what is not there is said as NotFound, an unknown kind by kubectl itself", async (t) => {
    assert.equal(
      await t.kubectl.refused`get configmap none`,
      'Error from server (NotFound): configmaps "none" not found',
    );
    assert.equal(await t.kubectl.refused`get nothings`, `error: the server doesn't have a resource type "nothings"`);
    assert.equal(await t.kubectl.run`get configmap none --ignore-not-found`, "");
    const { stderr, code } = await t.kubectl.answer`get secrets`;
    assert.deepEqual([stderr, code], [`No resources found in ${t.namespace} namespace.\n`, 0]);
  });

  fact("-w shows changes as they come, in rows of the same table", async (t) => {
    await t.create(configMap("one"));
    await using watching = t.kubectl.start`get cm -w --field-selector metadata.name!=kube-root-ca.crt`;
    await eventually(() => watching.stdout.includes("one"));
    await t.create(configMap("two", {}, { a: "1", b: "2" }));
    await eventually(() => /^two +2 /m.test(watching.stdout));
    assert.deepEqual(columns(lines(watching.stdout)[0]), ["NAME", "DATA", "AGE"]);
    await t.kubectl.run`delete cm two`;
    await eventually(() => watching.stdout.match(/^two /gm)?.length === 2);
  });

  fact("-w --output-watch-events tells what happened", async (t) => {
    await using watching = t.kubectl.start`get cm -w --output-watch-events -l watched`;
    await eventually(async () => {
      await t.kubectl.answer`delete cm one`;
      await t.create(configMap("one", { watched: "yes" }));
      return /^ADDED +one/m.test(watching.stdout);
    });
    await t.kubectl.run`label cm one also=this`;
    await t.kubectl.run`delete cm one`;
    await eventually(() => /MODIFIED +one[\s\S]*DELETED +one/.test(watching.stdout));
  });

  fact("--raw gives the server's own answer", async (t) => {
    await t.create(configMap("one"));
    const path = `/api/v1/namespaces/${t.namespace}/configmaps/one`;
    assert.equal((await t.kubectl.json<ConfigMap>`get --raw ${path}`).kind, "ConfigMap");
    assert.equal(await t.kubectl.run`get --raw /readyz`, "ok");
  });

  fact("lists are read in chunks without losing anything", async (t) => {
    const names = Array.from({ length: 23 }, (_, index) => `map-${String(index).padStart(2, "0")}`);
    await Promise.all(names.map((name) => t.create(configMap(name, { many: "yes" }))));
    const said = await t.kubectl.run`get cm -l many --chunk-size=5 -o name`;
    assert.deepEqual(
      lines(said),
      names.map((name) => `configmap/${name}`),
    );
  });

  fact("pods have the columns of a real cluster", async (t) => {
    await t.create(shellPod("one", idle));
    await t.ready("one");
    const [head, row] = lines(await t.kubectl.run`get pods`);
    assert.deepEqual(columns(head), ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert.deepEqual(columns(row).slice(0, 4), ["one", "1/1", "Running", "0"]);
    const [wide] = lines(await t.kubectl.run`get pods -o wide`);
    assert.deepEqual(columns(wide).slice(5), ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]);
    assert.equal(await t.kubectl.run`get pods --field-selector status.phase=Running -o name`, "pod/one\n");
    assert.equal(await t.kubectl.run`get pods --field-selector status.phase=Pending -o name`, "");
    assert.match(await t.kubectl.run`get all`, /^NAME +READY +STATUS +RESTARTS +AGE\npod\/one +1\/1 +Running/);
  });

  fact("a subresource is asked for by --subresource", async (t) => {
    await t.kubectl.run`create deployment empty --image=busybox:1.37 --replicas=0`;
    assert.equal(
      await t.kubectl.run`get deployment empty --subresource=scale -o ${"jsonpath={.kind}/{.metadata.name}"}`,
      "Scale/empty",
    );
  });
});
