import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { clusterFolder, dhow, freePort, greeter, startDhow, userFolder } from "./fixture.ts";
import { footprint, leftovers } from "./footprint.ts";

const description = (nodePort: number) => `import { ingress, secret, service, system } from "dhow";

const keys = secret("keys", { TOKEN: "not so secret", OTHER: "other" });

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/", env: { TOKEN: keys.TOKEN } });
  const web = service("web", { source: "web", port: 3000, health: "/", replicas: 1, nodePort: ${nodePort}, env: { API: api.url } });
  return [ingress("shop", { routes: { "/": web, "/api": api } })];
});
`;

describe("up --detach", () => {
  let folder: ReturnType<typeof clusterFolder>;
  let port: number;
  let nodePort: number;

  before(async () => {
    port = await freePort();
    nodePort = 30_000 + ((port * 13) % 2_700);
    folder = clusterFolder({
      "system.ts": description(nodePort),
      "api/src/main.ts": greeter("api"),
      "web/src/main.ts": greeter("web"),
    });
    const { code, stdout, stderr } = dhow(folder.path, "up", "--detach", "--port", String(port));
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`shop +http://127.0.0.1:${port}/`));
  });
  after(() => folder[Symbol.dispose]());

  test("returns when everything is ready, and leaves it running", async () => {
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /^web from web-/);
    assert.match(await (await fetch(`http://127.0.0.1:${port}/api`)).text(), /^api from api-/);
    assert.match(await (await fetch(`http://127.0.0.1:${nodePort}/`)).text(), /^web from web-/);
  });

  test("status shows every workload and every address, for a person and for a script", () => {
    const person = dhow(folder.path, "status");
    assert.equal(person.code, 0);
    assert.match(person.stdout, /api +● ready +2\/2/);
    assert.match(person.stdout, /web +● ready +1\/1/);
    const { code, stdout } = dhow(folder.path, "status", "--json");
    assert.equal(code, 0);
    const { system, environment, namespace, workloads, addresses, kubeconfig } = JSON.parse(stdout);
    assert.deepEqual(
      { system, environment, namespace },
      { system: "shop", environment: "development", namespace: "shop" },
    );
    assert.deepEqual(workloads, [
      { name: "api", ready: 2, wanted: 2, complete: true },
      { name: "web", ready: 1, wanted: 1, complete: true },
    ]);
    assert.deepEqual(addresses, [
      { name: "shop", url: `http://127.0.0.1:${port}/` },
      { name: "web", url: `http://127.0.0.1:${nodePort}/` },
    ]);
    assert.ok(existsSync(kubeconfig));
  });

  test("kubeconfig prints the path; from elsewhere the system's folder is named", () => {
    using elsewhere = userFolder({});
    const { stdout } = dhow(elsewhere.path, "kubeconfig", folder.path);
    assert.equal(stdout, `${folder.path}/.dhow/kubeconfig\n`);
  });

  test("secret prints all entries, or the one that is asked for", () => {
    assert.equal(dhow(folder.path, "secret", "keys").stdout, "TOKEN=not so secret\nOTHER=other\n");
    assert.equal(dhow(folder.path, "secret", "keys", "TOKEN").stdout, "not so secret\n");
    assert.match(dhow(folder.path, "secret", "kees").stderr, /no Secret kees.*\n.*Instead: one of .*keys/);
    assert.match(dhow(folder.path, "secret", "keys", "NONE").stderr, /no entry NONE\n.*TOKEN, OTHER/);
  });

  test("logs prints what pods say, of all or of one, and goes on with -f", async () => {
    const all = dhow(folder.path, "logs").stdout;
    assert.equal(all.match(/^api-\S+ api listens$/gm)?.length, 2);
    assert.equal(all.match(/^web-\S+ web listens$/gm)?.length, 1);
    assert.equal(dhow(folder.path, "logs", "web").stdout, "web listens\n");
    assert.match(dhow(folder.path, "logs", "nobody").stderr, /called nobody\n.*one of api, web/);
    await using following = startDhow(folder.path, "logs", "-f", "web");
    await following.said(/web listens/);
    assert.equal(following.process.exitCode, null, "it waits for more");
    assert.notEqual(await following.interrupt(), 1);
  });

  test("a second up says that it runs already, and --reset is refused meanwhile", () => {
    for (const words of [[], ["--detach"]]) {
      const { code, stderr } = dhow(folder.path, "up", ...words);
      assert.equal(code, 1);
      assert.match(stderr, /shop runs already \(process \d+\), on port \d+\n.*Instead: dhow down/);
    }
    const reset = dhow(folder.path, "up", "--reset");
    assert.equal(reset.code, 1);
    assert.match(reset.stderr, /its data stays\n.*Instead: dhow down first/);
  });

  test("ports that are taken are said, by whom, and how to choose others", async () => {
    using other = clusterFolder({
      "system.ts": description(nodePort),
      "api/src/main.ts": greeter("api"),
      "web/src/main.ts": greeter("web"),
    });
    const refused = dhow(other.path, "up", "--port", String(port));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, new RegExp(`port ${port} is taken by .* \\(process \\d+\\)\n.*Instead: .*--port`));

    const free = await freePort();
    await using running = startDhow(other.path, "up", "--port", String(free));
    await running.said(
      new RegExp(
        `port ${nodePort} is taken by node \\(process \\d+\\)[^]*?Instead: end that program, or choose another`,
      ),
    );
    await running.said(/export KUBECONFIG/);
    assert.match(await (await fetch(`http://127.0.0.1:${free}/`)).text(), /^web from web-/, "all else works");
    await running.said(/web +not reached: port \d+ is taken by node/);
    const { addresses } = JSON.parse(dhow(other.path, "status", "--json").stdout);
    assert.deepEqual(
      addresses.map(({ name, problem = "" }: { name: string; problem?: string }) => [
        name,
        problem.replace(/\d+\)/, "…)"),
      ]),
      [
        ["shop", ""],
        ["web", `port ${nodePort} is taken by node (process …)`],
      ],
    );
    assert.match(dhow(other.path, "status").stdout, /web +not reached: port \d+ is taken by node/);
  });

  test("down ends everything", async () => {
    const seen = footprint(folder.path, { ports: [nodePort] });
    const { code, stdout } = dhow(folder.path, "down");
    assert.equal(code, 0);
    assert.equal(stdout, "shop is stopped; its data stays.\n");
    assert.deepEqual(leftovers(seen), []);
    assert.match(dhow(folder.path, "down").stderr, /no cluster runs/);
  });
});
