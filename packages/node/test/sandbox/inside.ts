// Runs in a world of its own and tells over IPC what containers did there; sandbox.test.ts says what they should have done.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLines } from "@dhow/testkit";
import type { ContainerProcess, Streams } from "../../src/sandbox/sandbox.ts";
import { container, pod as newPod, sandbox, shell, text, userNamespace } from "./tried.ts";

const folder = mkdtempSync(join(tmpdir(), "dhow-sandbox-"));
const pod = () =>
  newPod({
    hostname: "the-host",
    resolvConf: "nameserver 1.2.3.4\n",
    hosts: [{ ip: "9.9.9.9", hostnames: ["nine"] }],
    sysctls: { "net.ipv4.ip_local_port_range": "20000 30000" },
  });

async function ran(process_: Streams & Pick<ContainerProcess, "exited">) {
  const [out, error, exit] = await Promise.all([text(process_.stdout), text(process_.stderr), process_.exited]);
  return { out, error, ...exit };
}

/** An image of one static program is hard to come by: the host's own loader, shell and libraries make one. */
const layers = imageLayers();

function imageLayers(): string[] {
  const [base = "", top = ""] = ["base", "top"].map((name) => join(folder, "image", name));
  for (const path of [join(base, "etc"), join(base, "real"), join(top, "app")]) mkdirSync(path, { recursive: true });
  symlinkSync("real", join(base, "linked"));
  writeFileSync(join(base, "etc/layer"), "base");
  writeFileSync(join(top, "app/file"), "top");
  return [base, top];
}

async function waitFor(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What `env -0` says, in the order of names. */
function variablesOf({ out, ...rest }: Awaited<ReturnType<typeof ran>>) {
  return { ...rest, variables: out.split("\0").filter(Boolean).sort() };
}

const hostPrograms = ["/usr", "/lib", "/lib64", "/bin"].map((path) => ({ source: path, target: path, readOnly: true }));

const cases: Record<string, () => Promise<unknown>> = {
  "exit code": async () => ran(await (await pod()).start(container(shell("echo out; echo error >&2; exit 7")))),
  "missing program": async () =>
    (await pod()).start(container(["no-such-program"])).then(ran, ({ message }: Error) => ({ refused: message })),
  "own signal": async () => ran(await (await pod()).start(container(shell("kill -SEGV $$")))),
  "term without handler": async () => {
    const running = await (await pod()).start(container(["sleep", "60"]));
    running.kill("SIGTERM");
    const first = await Promise.race([
      running.exited,
      new Promise((resolve) => setTimeout(resolve, 200, "still runs")),
    ]);
    running.kill("SIGKILL");
    return { first, last: await running.exited };
  },
  "unshare killed": async () => {
    const running = await (await pod()).start(container(["sleep", "60"]));
    const parentOf = (pid: number) => Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    const held = [running.pid];
    while (parentOf(held[0] ?? 0) !== process.pid) held.unshift(parentOf(held[0] ?? 0));
    process.kill(held[0] ?? 0, "SIGKILL");
    const exit = await running.exited;
    return { ...exit, left: held.filter((pid) => existsSync(`/proc/${pid}`)) };
  },
  environment: async () => {
    const env = { PLAIN: `a 'b' "$c" \\n\n\nd`, "dotted.name-x": "e\n'f'", IFS: "x", PATH: "/usr/bin:/bin", EMPTY: "" };
    return variablesOf(await ran(await (await pod()).start(container(["env", "-0"], { env }))));
  },
  "environment of an exec": async () => {
    const running = await (await pod()).start(container(["sleep", "60"], { env: { ONE: "1", TWO: "2" } }));
    const result = await ran(
      await running.exec({ argv: ["env", "-0"], env: { TWO: "two\n" }, tty: false, stdin: false }),
    );
    running.kill("SIGKILL");
    return variablesOf(result);
  },
  "secret in the environment": async () => {
    const running = await (await pod()).start(container(["sleep", "60"], { env: { KEY: "hidden-treasure" } }));
    const entered = await running.exec({
      argv: ["sleep", "60"],
      env: { OTHER: "hidden-too" },
      tty: false,
      stdin: false,
    });
    entered.stdout.resume();
    entered.stderr?.resume();
    await waitFor(() => commandLines().filter((line) => line === "sleep\u000060\0").length >= 2);
    const seen = commandLines().filter((line) => /hidden-/.test(line));
    running.kill("SIGKILL");
    return { seen };
  },
  "term with handler": async () => {
    const running = await (
      await pod()
    ).start(container(shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done")));
    running.stdout.once("data", () => running.kill("SIGTERM"));
    return await ran(running);
  },
  orphans: async () => {
    const script = "(sleep 0.1 & exec true) & sleep 0.4; cat /proc/[0-9]*/stat | grep -c ') Z '";
    return await ran(await (await pod()).start(container(shell(script))));
  },
  files: async () => {
    const script =
      "hostname; cat /etc/hostname /etc/resolv.conf; grep nine /etc/hosts; cat /etc/shadow; id -un; ls /home /root /proc/1/root 2>&1; pwd";
    return await ran(await (await pod()).start(container(shell(script), { workingDirectory: "/made/for it" })));
  },
  sysctls: async () => ran(await (await pod()).start(container(["cat", "/proc/sys/net/ipv4/ip_local_port_range"]))),
  "reopened stdout": async () =>
    ran(await (await pod()).start(container(shell("echo again > /dev/stdout; echo sorry > /dev/stderr")))),
  "memory mount": async () => {
    const memoryMounts = [{ target: "/cache", sizeBytes: 1024 * 1024 }];
    const script = "head -c 2000000 /dev/zero > /cache/big; wc -c < /cache/big";
    return await ran(await (await pod()).start(container(shell(script), { memoryMounts })));
  },
  "nested mounts": async () => {
    const [outer, inner] = ["outer", "inner"].map((name) => join(folder, name));
    for (const path of [outer ?? "", inner ?? ""]) mkdirSync(path);
    writeFileSync(join(inner ?? "", "file"), "inner");
    const mounts = [
      { source: inner ?? "", target: "/data/deep/inner", readOnly: true },
      { source: outer ?? "", target: "/data", readOnly: true },
      { source: inner ?? "", target: "/usr/share/dhow-test", readOnly: true },
    ];
    const script = "cat /data/deep/inner/file /usr/share/dhow-test/file; ls /usr/bin/env; touch /data/x";
    return await ran(await (await pod()).start(container(shell(script), { mounts })));
  },
  "out of memory": async () => {
    const hog = ["sh", "-c", "x=x; while :; do x=$x$x; done"];
    return await ran(await (await pod()).start(container(hog, { limits: { memoryBytes: 32 * 1024 * 1024 } })));
  },
  exec: async () => {
    const running = await (
      await pod()
    ).start(container(["sleep", "60"], { env: { A: "1", B: "2" }, workingDirectory: "/tmp" }));
    const inside = await running.exec({
      argv: shell("id -u; pwd; echo $A$B; cat; exit 4"),
      env: { B: "3" },
      tty: false,
      stdin: true,
    });
    inside.stdin?.end("input");
    return await ran(inside);
  },
  terminal: async () => {
    const running = await (await pod()).start(container(["sleep", "60"]));
    const inside = await running.exec({ argv: ["sh"], tty: true, stdin: true });
    inside.resize({ width: 101, height: 33 });
    inside.stdin?.write("while [ \"$(stty size)\" = '0 0' ]; do sleep 0.02; done; tty; stty size; exit 5\n");
    return await ran(inside);
  },
  "container with a terminal": async () =>
    ran(await (await pod()).start(container(shell("tty; exit 6"), { tty: true }))),
  loopback: async () => {
    const server = `require("node:net").createServer((s) => s.end("from inside")).listen(7777, "127.0.0.1")`;
    const node = { source: process.execPath, target: "/opt/node", readOnly: true };
    const own = await pod();
    await own.start(container(["/opt/node", "-e", server], { mounts: [node] }));
    const refused = await own.connect(7778).then(
      () => "connected",
      (error: Error) => error.message,
    );
    for (;;) {
      try {
        return { refused, said: await text(await own.connect(7777)) };
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  },
  "shared loopback": async () => {
    const own = await pod();
    const node = { source: process.execPath, target: "/opt/node", readOnly: true };
    const server = `require("node:net").createServer((s) => s.end("neighbour")).listen(80, "127.0.0.1", () => console.log("up"))`;
    const first = await own.start(container(["/opt/node", "-e", server], { mounts: [node] }));
    await new Promise((resolve) => first.stdout.once("data", resolve));
    const client = `require("node:net").connect(80, "127.0.0.1").pipe(process.stdout)`;
    return await ran(await own.start(container(["/opt/node", "-e", client], { mounts: [node] })));
  },
  "image layers": async () => {
    const script =
      "cat /etc/layer /app/file /etc/hostname; echo written > /linked/file && cat /real/file; id -u; ls /work /home 2>&1 | head -1";
    const mounts = [
      ...hostPrograms.filter(({ source }) => source !== "/etc"),
      { source: join(folder, "image/top"), target: "/linked/mounted", readOnly: true },
    ];
    const user = userNamespace ? 1234 : 0;
    const running = await (await pod()).start(container(shell(script), { root: layers, mounts, user, group: user }));
    return await ran(running);
  },
  "image read-only": async () => {
    const config = container(shell("touch /x"), { root: layers, mounts: hostPrograms, readOnlyRoot: true });
    return await ran(await (await pod()).start(config));
  },
  "impossible mount": async () => {
    const mounts = [{ source: join(folder, "nothing-here"), target: "/x", readOnly: true }];
    return (await pod()).start(container(["true"], { mounts })).catch((error: Error) => error.message);
  },
  usage: async () => {
    const running = await (
      await pod()
    ).start(container(shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 60")));
    await new Promise((resolve) => running.stdout.once("data", resolve));
    const usage = await running.usage();
    return { cpu: usage.cpuNanoseconds > 10_000_000, memory: usage.workingSetBytes > 10_000 };
  },
  "addresses given back": async () => {
    const own = await pod();
    const before = own.address;
    await own.remove();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    server.close();
    return { before, after: (await pod()).address };
  },
};

for (const [name, run] of Object.entries(cases)) {
  try {
    process.send?.({ name, result: await run() });
  } catch (error) {
    process.send?.({ name, failure: error instanceof Error ? error.stack : String(error) });
  }
}
await sandbox.close();
process.send?.({ folder, done: true }, () => process.exit(0));
