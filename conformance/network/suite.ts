import { mkdirSync, readFileSync, writeFileSync, chmodSync, existsSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { ContainerProcess, Mount, PodSandbox, Sandbox } from "@dhow/node";
import { eventually } from "@dhow/testkit";
import { type Container, places, type Program } from "./programs/program.ts";
import { type Outcome, properties, type Property } from "./properties.ts";

export interface SuiteOptions {
  readonly sandbox: Sandbox;
  readonly folder: string;
  /** The repository's folder: its node_modules are what the client needs. */
  readonly repository: string;
  /** Where the programs listen. */
  readonly port: number;
  /** Makes a pod known to the network. */
  readonly addPod: (name: string, app: string, address: string, labels: Record<string, string>) => Promise<void>;
  /** Why a sandbox does not promise a property for a program; undefined where it does. */
  readonly limit: (program: Program, property: Property) => string | undefined;
}

interface RunningPod {
  readonly name: string;
  readonly folder: string;
  readonly sandbox: PodSandbox;
  readonly container: ContainerProcess;
}

/** What a client said. */
interface Reply {
  readonly answer?: string;
  readonly error?: string;
}

const user = 1000;

/** Tries one program after the other in pods of one sandbox. */
export class Suite {
  readonly #options: SuiteOptions;
  #guest: RunningPod | undefined;
  #stranger: RunningPod | undefined;

  constructor(options: SuiteOptions) {
    this.#options = options;
  }

  /** A pod that policies let in everywhere, and one that they do not. */
  async startClients(): Promise<void> {
    const idle = () => ({ argv: [places.node, "-e", "setInterval(() => {}, 1000)"] });
    this.#guest = await this.#startPod("guest", "guest", idle, { guest: "yes" });
    this.#stranger = await this.#startPod("stranger", "stranger", idle, {});
  }

  async tryProgram(program: Program, app: string, upstream: string): Promise<void> {
    const missing = program.missing();
    if (missing !== undefined) {
      const skipped = { program: program.name, verdict: "skipped", detail: missing } as const;
      process.send?.({ outcomes: tried.map((property): Outcome => ({ ...skipped, property })) });
      return;
    }
    const found = this.#options.limit(program, "cluster DNS name") === undefined ? upstream : undefined;
    const serve = (address: string) => program.serve({ port: this.#options.port, upstream: found, address });
    const [a, b] = await Promise.all([
      this.#startPod(`${app}-a`, app, serve, { guest: "yes" }),
      this.#startPod(`${app}-b`, app, serve, {}),
    ]);
    const checks = this.#checks(program, app, upstream, a, b);
    for (const property of tried) {
      const limit = this.#options.limit(program, property);
      const stated: Outcome = { program: program.name, property, verdict: "not kept", detail: limit ?? "" };
      const outcome = limit === undefined ? await attempt(program.name, property, checks[property]) : stated;
      process.send?.({ outcomes: [outcome] });
    }
  }

  #checks(program: Program, app: string, upstream: string, a: RunningPod, b: RunningPod): Record<TriedProperty, Check> {
    const ask = (from: RunningPod | undefined, host: string, path: string) => this.#ask(from, program, host, path);
    const own = (pod: RunningPod) => (program.protocol === "http" ? pod.name : "PostgreSQL");
    return {
      "own address": async () => {
        must(a.sandbox.address !== b.sandbox.address, "two pods have one address");
        equal(await eventually(() => ask(this.#guest, a.sandbox.address, "/")), own(a));
      },
      "two pods on one port": async () => {
        equal(await eventually(() => ask(this.#guest, b.sandbox.address, "/")), own(b));
        equal(await ask(this.#guest, a.sandbox.address, "/"), own(a));
      },
      "port 80": async () => {
        equal(await listeningPort(a), String(this.#options.port));
      },
      "cluster DNS name": async () => {
        for (const name of [app, `${app}.default`, `${app}.default.svc.cluster.local`])
          equal(await ask(this.#guest, name, "/"), own(a));
        const command = program.reachUpstream(upstream);
        const found = command ? await output(a, command) : await ask(this.#guest, a.sandbox.address, "/upstream");
        must(/node-a|PostgreSQL/.test(found), `it got "${found}" from a Service by name`);
      },
      "peer sees the pod's address": async () => {
        equal(await ask(this.#guest, a.sandbox.address, "/peer"), this.#guest?.sandbox.address ?? "");
        equal(await ask(this.#guest, app, "/peer"), this.#guest?.sandbox.address ?? "");
      },
      "a denied edge fails at once": async () => {
        for (const host of [a.sandbox.address, app]) {
          const reply = await this.#request(this.#stranger, program, host, "/");
          equal(reply.error, "ECONNREFUSED");
        }
        equal(await ask(this.#guest, a.sandbox.address, "/"), own(a));
      },
      runAsUser: async () => {
        const users = await output(a, ["sh", "-c", "cat /proc/[0-9]*/status | grep ^Uid: | sort -u"]);
        equal(users.split(/\s+/).join(" "), `Uid: ${user} ${user} ${user} ${user}`);
        const privileges = await output(a, [
          "sh",
          "-c",
          "cat /proc/1/status | grep -e ^CapEff -e ^CapBnd -e ^NoNewPrivs",
        ]);
        equal(privileges.replace(/\s+/g, " "), `CapEff: ${none} CapBnd: ${none} NoNewPrivs: 1`);
      },
      "read-only root": async () => {
        for (const place of ["/", "/usr", "/etc", "/opt", places.site]) {
          const complaint = await output(a, ["sh", "-c", `touch ${place}/probe 2>&1 || true`]);
          must(complaint.includes("Read-only file system"), `${place}: "${complaint}"`);
        }
      },
      "volumes and files at their mountPath": async () => {
        equal(await output(a, ["cat", `${places.site}/index.html`]), a.name);
        equal(await output(a, ["cat", places.settings]), `settings of ${a.name}`);
        await output(a, ["sh", "-c", `echo written > ${places.data}/probe`]);
        equal(readFileSync(join(a.folder, "data/probe"), "utf8").trim(), "written");
        must(!existsSync(join(b.folder, "data/probe")), "the other pod has it too");
      },
    };
  }

  async #ask(from: RunningPod | undefined, program: Program, host: string, path: string): Promise<string> {
    const reply = await this.#request(from, program, host, path);
    if (reply.answer === undefined) throw new Error(`${host}${path}: ${reply.error}`);
    return reply.answer;
  }

  async #request(from: RunningPod | undefined, program: Program, host: string, path: string): Promise<Reply> {
    if (from === undefined) throw new Error("no client");
    // By name it is the Service that is asked, which is on port 80 everywhere.
    const port = isIP(host) === 0 ? 80 : this.#options.port;
    const command = [places.node, `${places.client}/client.mjs`, program.protocol, host, String(port), path];
    return JSON.parse(await output(from, command)) as Reply;
  }

  async #startPod(
    name: string,
    app: string,
    serve: (address: string) => Container,
    labels: Record<string, string>,
  ): Promise<RunningPod> {
    const { sandbox, folder: parent, addPod } = this.#options;
    const folder = join(parent, name);
    const mounts = podMounts(folder, name, this.#options.repository);
    const started = performance.now();
    const pod = await sandbox.createPod({
      uid: name,
      namespace: "default",
      name,
      nodeName: name.endsWith("b") ? "node-2" : "node-1",
      hostname: name,
      resolvConf: `nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n`,
      hosts: [],
      sysctls: {},
    });
    const created = performance.now();
    const container = serve(pod.address);
    await addPod(name, app, pod.address, labels);
    const announced = performance.now();
    const process_ = await pod.start({
      id: name,
      root: "host",
      mounts: [...mounts, ...(container.mounts ?? [])],
      memoryMounts: [],
      argv: container.argv,
      env: { HOME: "/tmp", ...container.env },
      workingDirectory: "/",
      user,
      group: user,
      supplementalGroups: [],
      readOnlyRoot: true,
      capabilities: [],
      noNewPrivileges: true,
      limits: { memoryBytes: 512 * 1024 * 1024 },
      tty: false,
      stdin: false,
    });
    const milliseconds = performance.now() - announced + created - started;
    process.send?.({ started: { name, milliseconds } });
    const log = [process_.stdout, process_.stderr];
    let said = "";
    for (const stream of log) stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
    void process_.exited.then((exit) => process.send?.({ ended: { name, exit, said: said.slice(-2000) } }));
    return { name, folder, sandbox: pod, container: process_ };
  }
}

const none = "0".repeat(16);
/** Tried from outside of the world that is killed. */
const afterAll = "nothing left after kill -9 of everything outside";
type TriedProperty = Exclude<Property, typeof afterAll>;
const tried = properties.filter((property): property is TriedProperty => property !== afterAll);
type Check = () => Promise<void>;

async function attempt(program: string, property: Property, check: Check): Promise<Outcome> {
  try {
    await check();
    return { program, property, verdict: "kept", detail: "" };
  } catch (error) {
    return { program, property, verdict: "broken", detail: error instanceof Error ? error.message : String(error) };
  }
}

function podMounts(folder: string, name: string, repository: string): Mount[] {
  for (const part of ["site", "data"]) mkdirSync(join(folder, part), { recursive: true });
  chmodSync(join(folder, "data"), 0o777);
  writeFileSync(join(folder, "site/index.html"), name);
  writeFileSync(join(folder, "settings.conf"), `settings of ${name}`);
  return [
    { source: join(folder, "site"), target: places.site, readOnly: true },
    { source: join(folder, "data"), target: places.data, readOnly: false },
    { source: join(folder, "settings.conf"), target: places.settings, readOnly: true },
    { source: process.execPath, target: places.node, readOnly: true },
    { source: import.meta.dirname, target: places.client, readOnly: true },
    { source: join(repository, "node_modules"), target: "/node_modules", readOnly: true },
  ];
}

async function output(pod: RunningPod, argv: readonly string[]): Promise<string> {
  const process_ = await pod.container.exec({ argv, tty: false, stdin: false });
  let said = "";
  let complaint = "";
  process_.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  process_.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const ends = [process_.stdout, process_.stderr].map(
    (stream) => new Promise((resolve) => stream?.on("close", resolve)),
  );
  const [{ exitCode }] = await Promise.all([process_.exited, ...ends]);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${complaint || said}`);
  return said.trim();
}

/** The ports at which a pod's own network listens, without what the loopback alone hears. */
async function listeningPort(pod: RunningPod): Promise<string> {
  const table = await output(pod, ["cat", "/proc/net/tcp", "/proc/net/tcp6"]);
  const ports = [...table.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 0A /gm)].map(([, hex]) =>
    Number.parseInt(hex ?? "", 16),
  );
  return [...new Set(ports)].join(",");
}

function equal(actual: string | undefined, expected: string): void {
  must(actual === expected, `"${actual}" instead of "${expected}"`);
}

function must(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
