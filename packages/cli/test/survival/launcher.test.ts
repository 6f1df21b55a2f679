import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { after, describe, test } from "node:test";
import { eventually } from "@dhow/testkit";
import { clusterFolder, command, dhow, freePort, greeter } from "../fixture.ts";
import { footprint, leftovers } from "../footprint.ts";

const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/", replicas: 1 });
  return [ingress("shop", { routes: { "/": api } })];
});
`;

/** A Node that does not run TypeScript, so that a process stands before that of `dhow up`. */
const oldNode = (process.env["PATH"] ?? "")
  .split(":")
  .map((folder) => `${folder}/node`)
  .find((path) => {
    const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
    return Number(/^v(\d+)/.exec(stdout ?? "")?.[1] ?? 99) < 24;
  });

describe("an older Node in front", { skip: oldNode ? false : "no Node older than 24 is on the PATH" }, () => {
  const folder = clusterFolder({ "system.ts": description, "api/src/main.ts": greeter("hello") });
  after(() => folder[Symbol.dispose]());

  /** Starts `dhow` as a person does who has that Node; the first process is the launcher. */
  async function start(...words: string[]) {
    const launcher = spawn(oldNode ?? "", [command, ...words], { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [launcher.stdout, launcher.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const ended = new Promise<number | null>((resolve) => launcher.once("exit", resolve));
    await eventually(() => /export KUBECONFIG=/.test(output) || launcher.exitCode !== null, 90_000);
    assert.match(output, /export KUBECONFIG=/);
    return { launcher, ended };
  }

  test("kill -9 of it ends what it started, in good order", async () => {
    const { launcher } = await start("up", "--port", String(await freePort()));
    const seen = footprint(folder.path);
    assert.ok(!seen.processes.has(launcher.pid ?? 0), "the host is another process");
    launcher.kill("SIGKILL");
    await eventually(() => leftovers(seen).length === 0 || undefined, 60_000).catch(() => undefined);
    assert.deepEqual(leftovers(seen), []);
    assert.deepEqual(readdirSync(seen.sockets), []);
  });

  test("what was detached stays when it has ended", async () => {
    const { ended } = await start("up", "--detach", "--port", String(await freePort()));
    assert.equal(await ended, 0);
    const { code, stderr } = dhow(folder.path, "status");
    assert.equal(code, 0, stderr);
    const seen = footprint(folder.path);
    assert.equal(dhow(folder.path, "down").code, 0);
    assert.deepEqual(leftovers(seen), []);
  });

  test("a command that goes on ends with it, too", async () => {
    const up = await start("up", "--port", String(await freePort()));
    const logs = spawn(oldNode ?? "", [command, "logs", "-f"], {
      cwd: folder.path,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await new Promise((resolve) => logs.stdout.once("data", resolve));
    const ended = new Promise((resolve) => logs.stdout.once("close", resolve));
    logs.kill("SIGKILL");
    // Its output closes when nobody holds it any more: the command has ended as well.
    await ended;
    up.launcher.kill("SIGTERM");
    assert.equal(await up.ended, 0);
  });
});
