import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { clusterFolder, commandsOf, connect, freePort, greeter, type Running, startDhow } from "../fixture.ts";
import { footprint } from "../footprint.ts";

const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/" });
  return [ingress("shop", { routes: { "/": api } })];
});
`;

describe("kill -9", () => {
  let folder: ReturnType<typeof clusterFolder>;
  let port: number;
  let running: Running;

  before(async () => {
    port = await freePort();
    folder = clusterFolder({ "system.ts": description, "api/src/main.ts": greeter("hello") });
    running = startDhow(folder.path, "up", "--port", String(port));
    await running.said(/export KUBECONFIG=/);
  });
  after(async () => {
    await running[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();

  async function pods(): Promise<readonly Pod[]> {
    using cluster = connect(folder.path);
    return (await cluster.client.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace: "shop" })).items;
  }

  const containersOf = (list: readonly Pod[]) =>
    list
      .flatMap((pod) => pod.status?.containerStatuses ?? [])
      .map((status) => [status.containerID, status.restartCount]);

  /** The process of the host's that runs this program. */
  function pidOf(program: string): number {
    const found = [...footprint(folder.path).processes.keys()].filter((pid) =>
      commandsOf(pid).some((word) => word.endsWith(program)),
    );
    assert.ok(found.length > 0, program);
    return found.at(-1) ?? 0;
  }

  test("of the control plane: it is started again, and no pod notices", async () => {
    const before = containersOf(await pods());
    assert.equal(before.length, 2);
    process.kill(pidOf("control-plane/main.ts"), "SIGKILL");
    assert.match(await ask(), /^hello from api-/, "traffic goes on without it");
    await running.said(/the control plane ended with SIGKILL and is started again/);
    assert.deepEqual(containersOf(await eventually(pods)), before);
    // The kubelets and the controllers have found it again.
    using cluster = connect(folder.path);
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "api" };
    await cluster.client.patch(deployment, "merge", { spec: { replicas: 3 } });
    await eventually(async () => (await pods()).filter((pod) => pod.status?.phase === "Running").length === 3);
    await cluster.client.patch(deployment, "merge", { spec: { replicas: 2 } });
    await eventually(async () => (await pods()).length === 2);
  });

  // What kubectl does when a real API server is killed and started again was seen beside it: the same.
  const skip = spawnSync("kubectl", ["version", "--client"]).status === 0 ? false : "kubectl is not on PATH";
  test("of the control plane: kubectl's watches end, its waits go on", { skip }, async () => {
    using cluster = connect(folder.path);
    const env = { ...process.env, KUBECONFIG: `${folder.path}/.dhow/kubeconfig`, HOME: folder.path };
    const kubectl = (...words: string[]) => {
      const child = spawn("kubectl", [...words, "-v=6"], { env, stdio: ["ignore", "pipe", "pipe"] });
      const said = { text: "", requests: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => (said.text += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (said.requests += text));
      return { said, code: new Promise<number | null>((resolve) => child.once("close", resolve)) };
    };
    const configMap = (name: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "shop" },
    });
    const ref = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name });
    for (const name of ["kept", "gone"]) await cluster.client.create(configMap(name));
    const watching = kubectl("get", "configmap", "kept", "--watch", "--output=name");
    const condition = kubectl("wait", "--for=jsonpath={.data.n}=2", "configmap/kept", "--timeout=60s");
    const deletion = kubectl("wait", "--for=delete", "configmap/gone", "--timeout=60s");
    const watches = [watching, condition, deletion];
    await eventually(() => watches.every(({ said }) => /watch=true.*200 OK/.test(said.requests)));
    await eventually(() => watching.said.text !== "");
    process.kill(pidOf("control-plane/main.ts"), "SIGKILL");
    assert.equal(await watching.code, 0, watching.said.requests);
    assert.equal(watching.said.text, "configmap/kept\n");
    await eventually(() => cluster.client.patch(ref("kept"), "merge", { data: { n: "2" } }));
    await cluster.client.delete(ref("gone"));
    assert.equal(await condition.code, 0, condition.said.requests);
    assert.equal(condition.said.text, "configmap/kept condition met\n");
    assert.equal(await deletion.code, 0, deletion.said.requests);
    assert.equal(deletion.said.text, "configmap/gone condition met\n");
  });

  test("of the agent: it is started again, and the pods run again", async () => {
    const before = await pods();
    process.kill(pidOf("agent/main.ts"), "SIGKILL");
    await running.said(
      /the agent ended with SIGKILL and is started again|the agent ended with \d+ and is started again/,
    );
    await eventually(async () => (await ask()).startsWith("hello from api-"));
    await eventually(async () => {
      const now = await pods();
      return (
        now.length === 2 &&
        now.every((pod) => pod.status?.conditions?.some((each) => each.type === "Ready" && each.status === "True"))
      );
    });
    const now = await pods();
    assert.deepEqual(
      now.map((pod) => pod.metadata.name).sort(byName),
      before.map((pod) => pod.metadata.name).sort(byName),
      "the same pods",
    );
    assert.ok(now.every((pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1));
  });
});

function byName(a = "", b = ""): number {
  return a.localeCompare(b);
}
