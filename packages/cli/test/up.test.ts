import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "@dhow/testkit";
import { clusterFolder, connect, dhow, freePort, greeter, type Running, startDhow } from "./fixture.ts";
import { controlGroups, type Footprint, footprint, groupsLeft, leftovers } from "./footprint.ts";

const description = (nodePort: number) => `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/", nodePort: ${nodePort} });
  return [ingress("shop", { routes: { "/": api } })];
});
`;

const note = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "note" };

describe("up in the foreground", () => {
  let folder: ReturnType<typeof clusterFolder>;
  let port: number;
  let nodePort: number;
  let running: Running;

  before(async () => {
    port = await freePort();
    nodePort = 30_000 + ((port * 7) % 2_700);
    folder = clusterFolder({ "system.ts": description(nodePort), "api/src/main.ts": greeter("hello") });
  });
  after(() => folder[Symbol.dispose]());

  async function up(...words: string[]): Promise<Footprint> {
    running = startDhow(folder.path, "up", "--port", String(port), ...words);
    await running.said(/export KUBECONFIG=/);
    return footprint(folder.path, { ports: [nodePort] });
  }

  async function assertNothingLeft(before: Footprint, groups: readonly string[]): Promise<void> {
    assert.deepEqual(leftovers(before), []);
    assert.deepEqual(groupsLeft(groups), []);
  }

  test("says what happens in plain lines, gives every address, and serves through them; Ctrl-C ends everything", async () => {
    const seen = await up();
    const lines = running.output.split("\n");
    assert.equal(lines[0], "shop · development · embedded cluster 1.36, 2 nodes");
    assert.ok(
      lines.some((line) => /^ {2}api +● ready +\d+\.\d s +2\/2$/.test(line)),
      running.output,
    );
    assert.match(running.output, new RegExp(`^ {2}shop +http://127.0.0.1:${port}/$`, "m"));
    assert.match(running.output, new RegExp(`^ {2}api +http://127.0.0.1:${nodePort}/$`, "m"));
    assert.match(running.output, new RegExp(`^ {2}kubectl +export KUBECONFIG=${folder.path}/.dhow/kubeconfig$`, "m"));
    // No terminal: no colours, no moving about.
    assert.ok(!running.output.includes("\u001B"));
    for (const each of [port, nodePort]) {
      const answer = await fetch(`http://127.0.0.1:${each}/`);
      assert.match(await answer.text(), /^hello from api-/);
    }
    using cluster = connect(folder.path);
    await cluster.client.create({ ...note, metadata: { name: "note", namespace: "shop" }, data: { said: "remember" } });
    const groups = controlGroups(seen);
    assert.ok(seen.processes.size >= 6, "host, control plane, agent and two pods at the least");

    assert.equal(await running.interrupt(), 0);
    assert.match(running.output, /shop +stopped; data stays\n$/);
    await assertNothingLeft(seen, groups);
  });

  test("the next up has the data of before; SIGTERM ends everything, too", async () => {
    const seen = await up();
    using cluster = connect(folder.path);
    const found = await cluster.client.get({ ...note });
    assert.deepEqual((found as { data?: unknown }).data, { said: "remember" });
    const groups = controlGroups(seen);
    running.process.kill("SIGTERM");
    assert.equal(await running.ended, 0);
    await assertNothingLeft(seen, groups);
  });

  test("--reset forgets; when it is killed with kill -9, everything it started ends by itself", async () => {
    const seen = await up("--reset");
    using cluster = connect(folder.path);
    assert.equal(await cluster.client.find({ ...note }), undefined);
    const groups = controlGroups(seen);
    running.process.kill("SIGKILL");
    await eventually(async () => {
      await assertNothingLeft(seen, groups);
      return true;
    }, 10_000);
    assert.match(dhow(folder.path, "status").stderr, /no cluster runs/);
  });

  test("an up right after a kill -9, while what was killed is still ending, has the data of before", async () => {
    await up();
    const found = async () => {
      using cluster = connect(folder.path);
      return cluster.client.find({ ...note });
    };
    using cluster = connect(folder.path);
    await cluster.client.create({ ...note, metadata: { name: "note", namespace: "shop" } });
    for (let round = 0; round < 3; round++) {
      running.process.kill("SIGKILL");
      await running.ended;
      await up();
      assert.ok(await found());
      assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /^hello from api-/);
    }
    const seen = footprint(folder.path, { ports: [nodePort] });
    assert.equal(await running.interrupt(), 0);
    await assertNothingLeft(seen, controlGroups(seen));
  });
});
