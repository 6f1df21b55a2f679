import assert from "node:assert/strict";
import type { KubeObject } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, shell, shellPod, type Trial } from "../fact.ts";

const once = { spec: { restartPolicy: "Never" } };

/** A request as it is: status, headers and the whole text. */
async function ask(t: Trial, path: string, headers: Record<string, string> = {}) {
  const {
    status,
    headers: answered,
    body,
  } = await t.client.raw({ method: "GET", path: path.replace("{ns}", t.namespace), headers });
  const pieces: Buffer[] = [];
  if (typeof body === "string" || body instanceof Uint8Array) pieces.push(Buffer.from(body as string));
  else for await (const piece of body) pieces.push(Buffer.from(piece as Uint8Array));
  return { status, headers: answered, text: Buffer.concat(pieces).toString() };
}
const log = async (t: Trial, query: string, pod = "one") =>
  (await ask(t, `/api/v1/namespaces/{ns}/pods/${pod}/log?${query}`)).text;

facts("logs of the API", () => {
  fact("timestamps=true puts before each line when it was written", async (t) => {
    await t.create(shellPod("one", "echo a; sleep 2; echo b", once));
    await t.ended("one");
    const lines = (await log(t, "timestamps=true")).trim().split("\n");
    const parsed = lines.map((line) => /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) (.)$/.exec(line));
    assert.deepEqual(
      parsed.map((found) => found?.[2]),
      ["a", "b"],
    );
    const [first = 0, second = 0] = parsed.map((found) => Date.parse(found?.[1] ?? ""));
    // Stamped as it is read from the pipe, which on a busy machine is a while after it was written; at the end both would have one time.
    assert.ok(second - first >= 1000, lines.join());
  });

  fact("sinceTime leaves out what is older, to the second and beyond", async (t) => {
    await t.create(shellPod("one", "echo old; sleep 2.2; echo new", once));
    await t.ended("one");
    const [, newer = ""] = (await log(t, "timestamps=true")).trim().split("\n");
    const time = newer.split(" ")[0] ?? "";
    assert.equal(
      await log(t, `sinceTime=${encodeURIComponent(new Date(Date.parse(time) - 1000).toISOString())}`),
      "new\n",
    );
    assert.equal(await log(t, `sinceTime=${encodeURIComponent(new Date(Date.parse(time) + 5000).toISOString())}`), "");
  });

  fact("tailLines and limitBytes bound a log from its end and its beginning", async (t) => {
    await t.create(shellPod("one", "for i in 1 2 3 4 5; do echo line $i; done", once));
    await t.ended("one");
    assert.equal(await log(t, "tailLines=2"), "line 4\nline 5\n");
    assert.equal(await log(t, "tailLines=0"), "");
    assert.equal(await log(t, "limitBytes=8"), "line 1\nl");
    assert.equal(await log(t, "tailLines=100"), await log(t, ""));
  });

  fact("the streams of a log cannot be asked for apart", async (t) => {
    await t.create(shellPod("one", idle));
    const { status, text } = await ask(t, "/api/v1/namespaces/{ns}/pods/one/log?stream=Stdout");
    const { message } = JSON.parse(text) as { message: string };
    // Until PodLogsQuerySplitStreams is on.
    assert.deepEqual(
      [status, message],
      [422, 'PodLogOptions "one" is invalid: stream: Forbidden: may not be specified'],
    );
  });

  fact("options that cannot be are refused by field", async (t) => {
    await t.create(shellPod("one", idle));
    for (const [query, field] of [
      ["tailLines=-1", "tailLines"],
      ["limitBytes=0", "limitBytes"],
      ["sinceSeconds=0", "sinceSeconds"],
    ]) {
      const { status, text } = await ask(t, `/api/v1/namespaces/{ns}/pods/one/log?${query}`);
      assert.equal(status, 422, query);
      assert.match((JSON.parse(text) as { message: string }).message, new RegExp(`${field}: `), query);
    }
  });

  fact("previous gives the last run before this one, and says where there is none", async (t) => {
    await t.create(
      shellPod("one", "cat /data/n; echo x >> /data/n; [ $(wc -l < /data/n) -ge 2 ] && sleep 1000; exit 1", {
        container: { volumeMounts: [{ name: "data", mountPath: "/data" }] },
        spec: { volumes: [{ name: "data", emptyDir: {} }] },
      }),
    );
    await eventually(async () => {
      const status = (await t.pod("one")).status?.containerStatuses?.[0];
      return status?.restartCount === 1 && status.state?.running;
    }, 60_000);
    assert.equal(await log(t, ""), "x\n");
    assert.match(await log(t, "previous=true"), /No such file/);
    await t.create(shellPod("two", idle));
    await t.ready("two");
    assert.match(
      await log(t, "previous=true", "two"),
      /previous terminated container \\"main\\" in pod \\"two\\" not found/,
    );
  });

  fact("of several containers one is to be named", async (t) => {
    await t.create(
      shellPod("two", "", {
        spec: {
          restartPolicy: "Never",
          containers: [
            { ...shell("echo a"), name: "a" },
            { ...shell("echo b"), name: "b" },
          ],
        },
      }),
    );
    await t.ended("two");
    assert.match(await log(t, "", "two"), /a container name must be specified for pod two, choose one of: \[a b\]/);
    assert.equal(await log(t, "container=b", "two"), "b\n");
    assert.match(await log(t, "container=c", "two"), /container c is not valid for pod two/);
  });

  fact("a log is followed to the container's end", async (t) => {
    await t.create(shellPod("one", "for i in 1 2 3; do echo $i; sleep 0.5; done", once));
    await eventually(async () => (await t.pod("one")).status?.phase !== "Pending", 40_000);
    assert.equal(await log(t, "follow=true"), "1\n2\n3\n");
  });
});

facts("discovery and tables of the API", () => {
  const json = async (t: Trial, path: string, accept: string) => {
    const { status, text, headers } = await ask(t, path, { accept });
    return {
      status,
      body: JSON.parse(text) as KubeObject & Record<string, unknown>,
      type: headers["content-type"] ?? "",
    };
  };
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const partial = (kind: string) => `application/json;as=${kind};v=v1;g=meta.k8s.io`;

  fact("aggregated discovery tells all groups at once", async (t) => {
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const { body, type } = await json(t, "/apis", accept);
    assert.equal(body.kind, "APIGroupDiscoveryList");
    assert.match(type, /as=APIGroupDiscoveryList/);
    const apps = (
      body["items"] as {
        metadata: { name: string };
        versions: { version: string; resources: { resource: string; scope: string; verbs: string[] }[] }[];
      }[]
    ).find(({ metadata }) => metadata.name === "apps");
    const deployments = apps?.versions[0]?.resources.find(({ resource }) => resource === "deployments");
    assert.deepEqual([deployments?.scope, deployments?.verbs.includes("deletecollection")], ["Namespaced", true]);
  });

  fact("a group tells its versions, a version its resources with their subresources", async (t) => {
    const group = (await json(t, "/apis/apps", "application/json")).body as unknown as {
      preferredVersion: { groupVersion: string };
    };
    assert.equal(group.preferredVersion.groupVersion, "apps/v1");
    const { resources } = (await json(t, "/apis/apps/v1", "application/json")).body as unknown as {
      resources: { name: string; kind: string; group?: string }[];
    };
    const scale = resources.find(({ name }) => name === "deployments/scale");
    assert.deepEqual([scale?.kind, scale?.group], ["Scale", "autoscaling"]);
    assert.equal((await json(t, "/apis/none.example", "application/json").catch(() => ({ status: 404 }))).status, 404);
  });

  fact("a table has columns, and rows with the objects' metadata, all of it or none as is asked", async (t) => {
    await t.create(shellPod("one", idle, { labels: { app: "web" } }));
    const { body } = await json(t, "/api/v1/namespaces/{ns}/pods", table);
    const { columnDefinitions, rows } = body as unknown as {
      columnDefinitions: { name: string; type: string; priority: number }[];
      rows: { cells: unknown[]; object: KubeObject }[];
    };
    assert.deepEqual(
      columnDefinitions.slice(0, 3).map(({ name, type, priority }) => [name, type, priority]),
      [
        ["Name", "string", 0],
        ["Ready", "string", 0],
        ["Status", "string", 0],
      ],
    );
    assert.deepEqual(
      [rows[0]?.cells[0], rows[0]?.object.kind, rows[0]?.object.metadata.labels?.["app"]],
      ["one", "PartialObjectMetadata", "web"],
    );
    const bare = (await json(t, "/api/v1/namespaces/{ns}/pods?includeObject=None", table)).body as unknown as {
      rows: { object: unknown }[];
    };
    assert.equal(bare.rows[0]?.object ?? null, null);
    const whole = (await json(t, "/api/v1/namespaces/{ns}/pods?includeObject=Object", table)).body as unknown as {
      rows: { object: KubeObject }[];
    };
    assert.ok("spec" in (whole.rows[0]?.object ?? {}));
  });

  fact("metadata alone may be asked for, of one object and of many", async (t) => {
    await t.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "one" }, stringData: { word: "sesame" } });
    const one = (await json(t, "/api/v1/namespaces/{ns}/secrets/one", partial("PartialObjectMetadata"))).body;
    assert.deepEqual([one.kind, one.metadata.name, one["data"]], ["PartialObjectMetadata", "one", undefined]);
    const many = (await json(t, "/api/v1/namespaces/{ns}/secrets", partial("PartialObjectMetadataList"))).body;
    assert.equal(many.kind, "PartialObjectMetadataList");
    assert.doesNotMatch(JSON.stringify(many), /sesame|c2VzYW1l/);
  });

  fact(
    "protobuf is answered where it is asked for",
    async (t) => {
      const { status, text } = await ask(t, "/api/v1/namespaces/default", {
        accept: "application/vnd.kubernetes.protobuf",
      });
      assert.deepEqual([status, text.slice(0, 3)], [200, "k8s"]);
    },
    {
      onlyReal:
        "the embedded cluster reads protobuf and answers in JSON, which every client that asks for protobuf takes as well",
    },
  );

  fact(
    "YAML is answered as it is asked for, of several forms the first that is known; what nobody knows is not acceptable",
    async (t) => {
      const path = "/api/v1/namespaces/{ns}/configmaps/kube-root-ca.crt";
      await eventually(async () => (await ask(t, path)).status === 200);
      assert.match((await ask(t, path, { accept: "application/yaml" })).text, /^apiVersion: v1\n/);
      assert.equal((await ask(t, path, { accept: "text/html" })).status, 406);
      assert.match((await ask(t, path, { accept: "text/html, application/json" })).text, /^\{"kind":"ConfigMap"/);
    },
  );

  fact("health is told as a whole and check by check", async (t) => {
    assert.equal((await ask(t, "/livez")).text, "ok");
    assert.equal((await ask(t, "/readyz")).text, "ok");
    assert.match((await ask(t, "/readyz?verbose")).text, /^\[\+\]ping ok\n[\s\S]*readyz check passed\n$/);
    assert.equal((await ask(t, "/readyz/ping")).text, "ok");
  });

  fact("the version says which it is", async (t) => {
    const version = (await json(t, "/version", "application/json")).body as unknown as {
      major: string;
      minor: string;
      gitVersion: string;
    };
    assert.deepEqual([version.major, version.minor], ["1", "36"]);
    assert.match(version.gitVersion, /^v1\.36\./);
  });
});
