import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { clusterFolder, connect, freePort, greeter, type Running, startDhow, write } from "./fixture.ts";

const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/" });
  const web = service("web", { source: "web", port: 3000, health: "/", replicas: 1 });
  const shelf = service("shelf", { source: "shelf", port: 3000, health: "/" });
  const gated = service("gated", { source: "gated", port: 3000, health: "/", adjust: (objects) => [...objects.map(behindGate), gate] });
  return [ingress("shop", { routes: { "/": web, "/api": api, "/shelf": shelf, "/gated": gated } })];
});

/** A pod starts when its init container finds the entry "open" in the ConfigMap. */
const gate = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "gate", namespace: "shop" }, data: { open: "yes" } };

function behindGate(object) {
  if (object.kind !== "Deployment") return object;
  const { spec } = object.spec.template;
  spec.volumes = [...(spec.volumes ?? []), { name: "gate", configMap: { name: "gate" } }];
  spec.initContainers = [{
    ...spec.containers[0], name: "wait", image: "busybox:1.37", ports: [], env: [],
    livenessProbe: undefined, readinessProbe: undefined, startupProbe: undefined, lifecycle: undefined,
    command: ["sh", "-c", "until [ -e /gate/open ]; do sleep 0.05; done"],
    volumeMounts: [{ name: "gate", mountPath: "/gate" }],
  }];
  return object;
}
`;

/** A package of the workspace, and a service that depends on it. */
const words = {
  "package.json": '{ "type": "module", "version": "1.2.0", "workspaces": ["*"] }',
  "words/package.json": '{ "name": "@shop/words", "version": "1.0.0", "type": "module", "exports": "./index.ts" }',
  "words/index.ts": 'export const shared = "shared-one";\n',
  "shelf/package.json": '{ "name": "@shop/shelf", "type": "module", "dependencies": { "@shop/words": "1.0.0" } }',
  "shelf/src/main.ts": `import { shared } from "@shop/words";\n${greeter("${shared}")}`,
};

interface Answered {
  readonly status: number;
  readonly text: string;
}

describe("edits", () => {
  let folder: ReturnType<typeof clusterFolder>;
  let port: number;
  let running: Running;

  before(async () => {
    port = await freePort();
    folder = clusterFolder({
      "system.ts": description,
      "api/src/main.ts": greeter("one"),
      "web/src/main.ts": greeter("web"),
      "gated/src/main.ts": greeter("one"),
      ...words,
    });
    mkdirSync(join(folder.path, "shelf/node_modules/@shop"), { recursive: true });
    symlinkSync("../../../words", join(folder.path, "shelf/node_modules/@shop/words"));
    running = startDhow(folder.path, "up", "--port", String(port));
    await running.said(/export KUBECONFIG=/);
  });
  after(async () => {
    await running[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const ask = async (path = "/api") => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };

  /** The runs of a service's containers, by pod, and how often they are said to have been restarted. */
  async function runs(name: string): Promise<{ ids: Map<string, string>; restarts: number[] }> {
    using cluster = connect(folder.path);
    const ref = { apiVersion: "v1", kind: "Pod", namespace: "shop" };
    const { items } = await cluster.client.list<Pod>(ref, { labelSelector: `app=${name}` });
    const status = (pod: Pod) => pod.status?.containerStatuses?.[0];
    return {
      ids: new Map(items.map((pod) => [pod.metadata.name ?? "", status(pod)?.containerID ?? ""])),
      restarts: items.map((pod) => status(pod)?.restartCount ?? -1),
    };
  }

  const restarted = (name: string) => running.output.match(new RegExp(`${name} +\\S+: restarted in`, "g"))?.length ?? 0;

  /** Asks a service all the while until `done`; gives what was answered meanwhile. */
  async function underLoad(path: string, change: (answers: readonly Answered[]) => Promise<void>): Promise<Answered[]> {
    const answers: Answered[] = [];
    const end = new AbortController();
    const load = Array.from({ length: 4 }, async () => {
      while (!end.signal.aborted) {
        answers.push(await ask(path).catch((error: unknown) => ({ status: 0, text: String(error) })));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    });
    try {
      await change(answers);
    } finally {
      end.abort();
      await Promise.all(load);
    }
    return answers;
  }

  const onlySays = (answers: readonly Answered[], word: string) =>
    answers.slice(-50).length === 50 && answers.slice(-50).every(({ text }) => text.startsWith(word));
  const failures = (answers: readonly Answered[]) => answers.filter(({ status }) => status !== 200);

  /** Edits api, and asks all the while until only the new code answers. */
  function editUnderLoad(word: string): Promise<Answered[]> {
    return underLoad("/api", async (answers) => {
      const before = restarted("api");
      write(folder.path, "api/src/main.ts", greeter(word));
      await eventually(() => onlySays(answers, word) && restarted("api") > before);
    });
  }

  test("new code answers, only the service that was touched restarts, and no request fails meanwhile", async () => {
    const before = { api: await runs("api"), web: await runs("web") };
    const answers = await editUnderLoad("two");
    assert.deepEqual(failures(answers), []);
    assert.ok(answers.every(({ text }) => /^(one|two) from api-/.test(text)));
    const after = { api: await runs("api"), web: await runs("web") };
    assert.deepEqual([...after.api.ids.keys()], [...before.api.ids.keys()], "the same pods");
    for (const [pod, id] of after.api.ids) assert.notEqual(id, before.api.ids.get(pod));
    assert.deepEqual(after.api.restarts, [0, 0], "an edit is no crash");
    assert.deepEqual(after.web, before.web);
    await running.said(/api +api\/src\/main.ts: restarted in \d+ ms/);
  });

  test("a syntax error is shown with its place, the old code goes on, and what mends it counts", async () => {
    const before = await runs("api");
    write(folder.path, "api/src/main.ts", `${greeter("three")}\nconst broken = ;\n`);
    await running.said(/syntax error[^]*api\/src\/main\.ts:7:16/);
    assert.match((await ask()).text, /^two from api-/);
    assert.deepEqual(await runs("api"), before);
    assert.deepEqual(failures(await editUnderLoad("four")), []);
  });

  test("an edit of a shared package restarts those that depend on it, and nobody else; what is wrong in it is said once", async () => {
    const before = { api: await runs("api"), web: await runs("web"), shelf: await runs("shelf") };
    const answers = await underLoad("/shelf", async (said) => {
      write(folder.path, "words/index.ts", 'export const shared = "shared-two";\n');
      await eventually(() => onlySays(said, "shared-two") && restarted("shelf") === 1);
    });
    assert.deepEqual(failures(answers), []);
    assert.deepEqual({ api: await runs("api"), web: await runs("web") }, { api: before.api, web: before.web });
    assert.deepEqual((await runs("shelf")).restarts, [0, 0]);
    write(folder.path, "words/index.ts", "export const shared = ;\n");
    await running.said(/syntax error[^]*words\/index\.ts:1:23/);
    assert.match((await ask("/shelf")).text, /^shared-two from shelf-/);
    assert.equal(running.output.match(/words\/index\.ts:1:23/g)?.length, 1);
    write(folder.path, "words/index.ts", 'export const shared = "shared-three";\n');
    await eventually(async () => (await ask("/shelf")).text.startsWith("shared-three"));
    await eventually(() => restarted("shelf") === 2);
  });

  test("edits that come while pods restart: all run the newest code in the end, and one always serves", async () => {
    const answers = await underLoad("/api", async (said) => {
      for (const word of ["five", "six", "seven"]) {
        write(folder.path, "api/src/main.ts", greeter(word));
        await eventually(() => said.at(-1)?.text.startsWith(word), 30_000, 1);
      }
      // The first pod runs it, and the second has the old code when the files cease to be readable.
      write(folder.path, "api/src/main.ts", greeter("eight"));
      await eventually(() => said.at(-1)?.text.startsWith("eight"), 30_000, 1);
      write(folder.path, "api/src/main.ts", `${greeter("broken")}\nconst broken = ;\n`);
      await running.said(/syntax error[^]*api\/src\/main\.ts:7:16[^]*syntax error[^]*api\/src\/main\.ts:7:16/);
      write(folder.path, "api/src/main.ts", greeter("nine"));
      await eventually(() => onlySays(said, "nine"));
    });
    assert.deepEqual(failures(answers), []);
    assert.ok(answers.every(({ text }) => !text.startsWith("broken")));
    assert.deepEqual((await runs("api")).restarts, [0, 0]);
    write(folder.path, "api/src/main.ts", greeter("four"));
    await eventually(async () =>
      (await Promise.all([ask(), ask(), ask()])).every(({ text }) => text.startsWith("four")),
    );
  });

  test("the last pod that serves keeps the old code while its sibling waits for its init container", async () => {
    using cluster = connect(folder.path);
    const gate = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "gate" };
    const pod = { apiVersion: "v1", kind: "Pod", namespace: "shop" };
    const first = [...(await runs("gated")).ids.keys()];
    await cluster.client.patch(gate, "merge", { data: { open: null, closed: "yes" } });
    await cluster.client.delete({ ...pod, name: first[0] ?? "" });
    const fresh = await eventually(async () =>
      [...(await runs("gated")).ids.keys()].find((name) => !first.includes(name)),
    );
    const initialized = async (wanted: string) =>
      (await cluster.client.get<Pod>({ ...pod, name: fresh })).status?.conditions?.some(
        ({ type, status }) => type === "Initialized" && status === wanted,
      );
    await eventually(() => initialized("False"));
    const answers = await underLoad("/gated", async (said) => {
      write(folder.path, "gated/src/main.ts", greeter("two"));
      await running.said(/gated +gated-\S+ keeps the old code until gated-\S+ is ready/);
      assert.ok(said.every(({ text }) => text.startsWith("one from ")));
      await cluster.client.patch(gate, "merge", { data: { open: "yes", closed: null } });
      await eventually(() => onlySays(said, "two") && restarted("gated") === 1);
    });
    assert.deepEqual(failures(answers), []);
    assert.equal(await initialized("True"), true);
    assert.deepEqual((await runs("gated")).restarts, [0, 0]);
  });

  test("a program that ends at once after an edit is shown with its place and its last words, until it is mended", async () => {
    write(folder.path, "web/src/main.ts", '// A mistake.\nthrow new Error("no shelf is set");\n');
    await running.said(/web +✗ exits with 1, \w+[^]*web\/src\/main\.ts:2:7[^]*no shelf is set/);
    assert.match((await ask()).text, /^four from api-/, "the others go on");
    write(folder.path, "web/src/main.ts", greeter("mended"));
    await eventually(async () => (await ask("/")).text.startsWith("mended from web-"));
  });

  test("a new file and one that is removed count, too", async () => {
    write(folder.path, "api/src/word.ts", 'export const word = "five";\n');
    write(folder.path, "api/src/main.ts", `import { word } from "./word.ts";\n${greeter("${word}")}`);
    await eventually(async () => (await ask()).text.startsWith("five from api-"));
    write(folder.path, "api/src/main.ts", greeter("six"));
    rmSync(join(folder.path, "api/src/word.ts"));
    await eventually(async () => (await ask()).text.startsWith("six from api-"));
  });
});
