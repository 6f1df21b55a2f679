// BookMeUp as `dhow up` runs it, out of a copy of its own beside the original, so that a developer's data stays untouched.
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const original = fileURLToPath(new URL("../", import.meta.url));
const command = fileURLToPath(new URL("../../../packages/cli/bin/dhow.js", import.meta.url));

/** How long a command may take (milliseconds). */
const patience = 60_000;

export class BookMeUpCluster {
  readonly folder: string;
  readonly port: number;
  readonly httpsPort: number;
  readonly nodePort: number;

  constructor(folder: string, ports: { http: number; https: number; node: number }) {
    this.folder = folder;
    this.port = ports.http;
    this.httpsPort = ports.https;
    this.nodePort = ports.node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get adminerUrl(): string {
    return `http://127.0.0.1:${this.nodePort}`;
  }

  async dhow(verb: string, ...words: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [command, verb, this.folder, ...words], { timeout: patience });
    return stdout;
  }

  up(): Promise<string> {
    return this.dhow("up", "--detach", "--port", String(this.port), "--https-port", String(this.httpsPort));
  }

  get kubeconfig(): string {
    return join(this.folder, ".dhow/kubeconfig");
  }

  async kubectl(...words: string[]): Promise<string> {
    const env = { ...process.env, KUBECONFIG: this.kubeconfig };
    const { stdout } = await run("kubectl", ["--request-timeout=20s", ...words], { env, timeout: patience });
    return stdout;
  }

  /** The objects that `kubectl get` prints. */
  // The tests look at objects of every kind.
  // oxlint-disable-next-line typescript/no-explicit-any
  async objects(...words: string[]): Promise<any[]> {
    return JSON.parse(await this.kubectl("get", ...words, "-o", "json")).items;
  }

  /** Runs a program in a pod of a Deployment, where its packages and variables are, and gives what it printed, read as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any
  async inside(deployment: string, program: string): Promise<any> {
    const node = ["node", "--input-type=module", "-e", program];
    return JSON.parse(await this.kubectl("exec", `deployment/${deployment}`, "--", ...node));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dhow("down").catch(() => undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts it on free ports, with what an edit of system.ts changes. */
export async function startCluster(): Promise<BookMeUpCluster> {
  const folder = mkdtempSync(join(original, "../.bookmeup-"));
  for (const name of ["package.json", "system.ts", "auth-service", "contract", "db-service", "logic-service"])
    cpSync(join(original, name), join(folder, name), { recursive: true });
  const port = await freePort();
  const nodePort = 30_000 + ((port * 11) % 2_700);
  const description = join(folder, "system.ts");
  writeFileSync(
    description,
    readFileSync(description, "utf8").replace(
      "nodePort: environment.development ? 30080",
      `nodePort: environment.development ? ${nodePort}`,
    ),
  );
  const cluster = new BookMeUpCluster(folder, { http: port, https: await freePort(), node: nodePort });
  try {
    await cluster.up();
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
