import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { atTheEnd } from "./endings.ts";
import { ended, temporary } from "./servers.ts";
import { descendants, idlePercent, residentMegabytes, timeUntil } from "./measure.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const command = join(root, "packages/cli/bin/dhow.js");

const description = (replicas: number) => `import { ingress, service, system } from "dhow";
export default system("bench", () => [
  ingress("bench", { routes: { "/": service("api", { source: "api", port: 8000, replicas: ${replicas} }) } }),
]);
`;
const smallService = `import { createServer } from "node:http";
const server = createServer((request, response) => response.end(request.url === "/health" ? "{}" : "version 0"));
server.listen(Number(process.env["PORT"]));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
`;

/** One request on a connection of its own. */
export function status(port: number, path: string): Promise<{ code: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let body = "";
      response.on("data", (data: Buffer) => (body += data.toString()));
      response.on("end", () => resolve({ code: response.statusCode ?? 0, body }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** `dhow up` in the foreground, and what ends it. */
export function up(folder: string, port: number): { readonly child: ChildProcess; readonly stop: () => Promise<void> } {
  const child = spawn(process.execPath, [command, "up", folder, "--port", String(port)], { stdio: "ignore" });
  return { child, stop: atTheEnd(() => ended(child, "SIGTERM")) };
}

/** A system of one service in a temporary folder. */
export function smallSystem(replicas: number): { folder: string; source: string; remove: () => Promise<void> } {
  const { folder, remove } = temporary("dhow-bench-");
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "api/src"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "system.ts"), description(replicas));
  const source = join(folder, "api/src/main.ts");
  writeFileSync(source, smallService);
  return { folder, source, remove };
}

/** Milliseconds from `dhow up systems/bookmeup` with nothing there to the first answer of a service through the ingress. */
export async function coldUp(port: number): Promise<number> {
  rmSync(join(root, "systems/bookmeup/.dhow"), { recursive: true, force: true });
  const { stop } = up(join(root, "systems/bookmeup"), port);
  try {
    return await timeUntil(async () => (await status(port, "/auth/health")).code === 200);
  } finally {
    await stop();
  }
}

export interface SmallSystemFigures {
  readonly idleMegabytes: number;
  readonly idlePercent: number;
  readonly editMilliseconds: readonly number[];
}

/** Runs the small system: what the cluster uses at rest, how soon an edit is served. */
export async function smallSystemFigures(
  port: number,
  edits: number,
  idleSeconds: number,
): Promise<SmallSystemFigures> {
  const { folder, source, remove } = smallSystem(1);
  const serves = () => timeUntil(async () => (await status(port, "/")).body === "version 0");
  // The first run after a change of Dhow's own code translates and compiles it, and keeps the translator in memory.
  const first = up(folder, port);
  await serves();
  await first.stop();
  const { child, stop } = up(folder, port);
  try {
    await serves();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const pids = descendants(child.pid ?? 0, /control-plane\/main\.ts|agent\/main\.ts/).filter(
      (pid) => !isWrapper(pid),
    );
    const figures = {
      idleMegabytes: residentMegabytes(pids),
      idlePercent: await idlePercent(pids, idleSeconds),
    };
    const editMilliseconds: number[] = [];
    for (let version = 1; version <= edits; version++) {
      writeFileSync(source, smallService.replace("version 0", `version ${version}`));
      editMilliseconds.push(await timeUntil(async () => (await status(port, "/")).body === `version ${version}`));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    return { ...figures, editMilliseconds };
  } finally {
    await stop();
    await remove();
  }
}

/** unshare and setpriv carry the agent's command line, too. */
function isWrapper(pid: number): boolean {
  return (
    !readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("node") &&
    !readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("MainThread")
  );
}
