// BookMeUp's services as real processes on ports of their own, over a real PostgreSQL.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export type ServiceName = "auth-service" | "logic-service" | "db-service";

export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** What it has logged so far. */
  readonly lines: string[];
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  kill(signal?: NodeJS.Signals): void;
}

export const secret = "a secret of the tests, long enough for HS256";

function launch(name: ServiceName, environment: Record<string, string>): Omit<Running, "url"> {
  const cwd = fileURLToPath(new URL(`../${name}/`, import.meta.url));
  const env = { PATH: process.env["PATH"], PORT: "0", ...environment };
  const child = spawn(process.execPath, ["src/main.ts"], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  // A test program that ends early takes its services along.
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.removeListener("exit", end));
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => lines.push(line));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    process: child,
    lines,
    ended,
    kill: (signal = "SIGTERM") => child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Starts a service and gives it when it listens. */
export async function start(name: ServiceName, environment: Record<string, string>): Promise<Running> {
  const running = launch(name, environment);
  const port = await new Promise<number>((resolve, reject) => {
    const look = () => {
      for (const line of running.lines) {
        if (!line.includes('"listening"')) continue;
        resolve((JSON.parse(line) as { port: number }).port);
        return;
      }
      setTimeout(look, 10);
    };
    void running.ended.then((code) => reject(new Error(`${name} exited with ${code}: ${running.lines.join("\n")}`)));
    look();
  });
  return { ...running, url: `http://127.0.0.1:${port}` };
}

/** Starts a service that is expected to end by itself. */
export async function run(
  name: ServiceName,
  environment: Record<string, string>,
): Promise<{ code: number | null; lines: string[] }> {
  const running = launch(name, environment);
  return { code: await running.ended, lines: running.lines };
}

/** Waits until /ready says that it can serve. */
export async function healthy({ url, lines }: Pick<Running, "url" | "lines">): Promise<void> {
  for (const end = Date.now() + 20_000; ;) {
    const response = await fetch(`${url}/ready`).catch(() => undefined);
    if (response?.status === 200) return;
    if (Date.now() > end)
      throw new Error(`${url} is not healthy: ${(await response?.text()) ?? "no answer"}\n${lines.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface System extends AsyncDisposable {
  readonly db: Running[];
  readonly auth: Running;
  readonly logic: Running[];
}

/** db-service and logic-service twice each, auth-service once. */
export async function startSystem(databaseUrl: string, environment: Record<string, string> = {}): Promise<System> {
  const db = await Promise.all([1, 2].map(() => start("db-service", { DATABASE_URL: databaseUrl, ...environment })));
  await Promise.all(db.map(healthy));
  const common = (replica: number) => ({
    DB_SERVICE_URL: db[replica]?.url ?? "",
    JWT_SECRET_KEY: secret,
    ...environment,
  });
  const [auth, ...logic] = await Promise.all([
    start("auth-service", common(0)),
    start("logic-service", common(0)),
    start("logic-service", common(1)),
  ]);
  const all = [auth, ...logic, ...db];
  return {
    db,
    auth,
    logic,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}
