// The commands that README.md begins with, as they stand there, in the repository itself.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, dirname, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "@dhow/testkit";
import { readPage } from "./docs/markdown.ts";

process.chdir(new URL("..", import.meta.url).pathname);
const page = readPage("README.md");
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` };

/** The command of README.md that begins so, without installing anew. */
function shown(beginning: string): string {
  const found = page.commands.map(({ text }) => text.replace("npm install && ", ""));
  const command = found.find((text) => text.startsWith(beginning));
  assert.ok(command, `README.md shows no ${beginning}`);
  return command;
}

const runsAlready = spawnSync("npx", ["dhow", "kubeconfig", "systems/bookmeup"], { env: environment }).status === 0;
const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;

const options = { timeout: 180_000, skip: runsAlready && "systems/bookmeup runs already" };

describe("README.md, from its first command to its last", options, () => {
  let running: ChildProcess | undefined;
  let said = "";

  function run(script: string): string {
    const { status, stdout, stderr } = spawnSync("bash", ["-euc", script], {
      env: environment,
      encoding: "utf8",
      timeout: 60_000,
    });
    assert.equal(status, 0, `${script}: ${stdout}${stderr}`);
    return stdout;
  }

  before(async () => {
    const port = await freePort();
    running = spawn("bash", ["-c", `exec ${shown("npx dhow up")} --port ${port}`], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [running.stdout, running.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  });

  after(() => {
    spawnSync("npx", ["dhow", "down", "systems/bookmeup"], { env: environment, timeout: 60_000 });
    running?.kill("SIGKILL");
  });

  test("up runs the system and prints its addresses, and its page is there", async () => {
    const kubeconfig = await eventually(() => /export KUBECONFIG=(\S+)/.exec(said)?.[1], 90_000).catch(() => {
      assert.fail(`up did not say that it is ready:\n${said}`);
    });
    assert.equal(kubeconfig, resolve("systems/bookmeup/.dhow/kubeconfig"));
    const url = /^ {2}bookmeup +(http:\S+)$/m.exec(said)?.[1] ?? "";
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /<title>BookMeUp/);
  });

  test("kubectl reaches it, and restarts a service", { skip: !hasKubectl && "there is no kubectl" }, () => {
    const environmentLine = shown("export KUBECONFIG=");
    const pods = run(`${environmentLine}\n${shown("kubectl get pods")}`);
    assert.match(pods, /^NAME +READY +STATUS/);
    assert.match(pods, /^auth-service-\S+ +1\/1 +Running/m);
    const restarted = run(`${environmentLine}\n${shown("kubectl rollout restart")}`);
    assert.match(restarted, /deployment.apps\/auth-service restarted/);
    run(`${environmentLine}\nkubectl rollout status deployment/auth-service --timeout=45s`);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
