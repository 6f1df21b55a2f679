import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect as connectTo, stateFolder } from "@dhow/development";
import type { KubeClient } from "@dhow/kube";
import { temporaryFolder } from "@dhow/testkit";

export const command = fileURLToPath(new URL("../bin/dhow.js", import.meta.url));
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a person would, from the given folder, without a terminal. */
export function dhow(cwd: string, ...words: string[]): Answer {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...words], {
    cwd,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

/** Somebody who is not root. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

export const nobody: User = { uid: 65534, gid: 65534 };

/** What runs a program as this user. */
export function asUser({ uid, gid }: User): string[] {
  return ["setpriv", "--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
}

/** A command that goes on until it is told to stop. */
export class Running {
  readonly process: ChildProcess;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  #output = "";

  constructor(cwd: string, words: readonly string[], user?: User) {
    const [program = "", ...argv] = [...(user ? asUser(user) : []), process.execPath, command, ...words];
    // A process group of its own, as a shell gives to what it starts: Ctrl-C goes to the whole group.
    const child = spawn(program, argv, {
      cwd,
      ...(user && { env: { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"], HOME: cwd } }),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    this.ended = new Promise((resolve) => child.once("close", resolve));
  }

  /** What it has said so far. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when it has said so. */
  async said(pattern: RegExp, patience = 60_000): Promise<void> {
    for (const end = Date.now() + patience; !pattern.test(this.#output);) {
      if (this.process.exitCode !== null) throw new Error(`it ended without saying ${pattern}:\n${this.#output}`);
      if (Date.now() > end) throw new Error(`it has not said ${pattern}:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What Ctrl-C at a terminal does. */
  interrupt(): Promise<number | null> {
    process.kill(-(this.process.pid ?? 0), "SIGINT");
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGTERM");
    await this.ended;
  }
}

export function startDhow(cwd: string, ...words: string[]): Running {
  return new Running(cwd, words);
}

/** A user's folder with these files and dhow installed. */
export function userFolder(files: Readonly<Record<string, string>>): ReturnType<typeof temporaryFolder> {
  const folder = temporaryFolder();
  symlinkSync(modules, join(folder.path, "node_modules"));
  for (const [name, text] of Object.entries({ "package.json": '{ "type": "module", "version": "1.2.0" }', ...files }))
    write(folder.path, name, text);
  return folder;
}

export function write(folder: string, name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

/** The same with a `down` at the end, whatever happened before. */
export function clusterFolder(files: Readonly<Record<string, string>>): Disposable & { readonly path: string } {
  const folder = userFolder(files);
  return {
    path: folder.path,
    [Symbol.dispose]() {
      dhow(folder.path, "down");
      folder[Symbol.dispose]();
    },
  };
}

/** The words of a process's command line. */
export function commandsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A client of the cluster that runs for this folder. */
export function connect(folder: string): Disposable & { readonly client: KubeClient } {
  const { client, transport } = connectTo(stateFolder(folder));
  return { client, [Symbol.dispose]: () => transport.close() };
}

/** A program that says who it is, and ends well. */
export const greeter = (word: string) => `import { createServer } from "node:http";

const server = createServer((_request, response) => response.end(\`${word} from \${process.env["HOSTNAME"]}\\n\`));
server.listen(Number(process.env["PORT"]), () => console.log("${word} listens"));
process.on("SIGTERM", () => server.close());
`;
