import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { realKubernetes } from "@dhow/testkit";

const run = promisify(execFile);

/** The control plane of a real Kubernetes, alone: API server, controllers and scheduler, and not one node. */
export interface RealControlPlane extends AsyncDisposable {
  readonly folder: string;
  /** An administrator's. */
  readonly kubeconfig: string;
  /** What one of its programs said, such as `kube-controller-manager`. */
  log(program: string): string;
}

/** Starts it on ports that are free. */
export async function startRealControlPlane(): Promise<RealControlPlane> {
  const { folder: real } = realKubernetes();
  if (!real) throw new Error("there is no real Kubernetes on this machine");
  const folder = mkdtempSync(join(tmpdir(), "dhow-real-"));
  const port = await freePorts(5);
  const end = () => run(join(real, "down"), [folder, "--forget"]);
  try {
    const { stdout } = await run(join(real, "up"), [folder, "--port", String(port)]);
    return {
      folder,
      kubeconfig: stdout.trim(),
      log: (program) => readFileSync(join(folder, "logs", `${program}.log`), "utf8"),
      [Symbol.asyncDispose]: async () => void (await end()),
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The program that holds all of Kubernetes' programs; its first argument says which. */
export async function kubernetesProgram(): Promise<string> {
  const { folder: real } = realKubernetes();
  const script = 'source "$1/common.sh"; unpacked';
  const { stdout } = await run("bash", ["-c", script, "-", real ?? ""]);
  return join(stdout.trim(), "kubernetes");
}

/** The first of so many ports in a row that nobody has. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    // Below the ports that the kernel gives to connections, so that none of them is taken meanwhile.
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const opened = await Promise.all(ports.map(open));
    for (const server of opened) server?.close();
    if (opened.every(Boolean)) return first;
  }
}

function open(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
