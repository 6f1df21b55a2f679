import { readdirSync, readFileSync } from "node:fs";

/** The command lines of all processes of this machine, as any of its users can read them in `/proc`: words, each ended by a NUL. */
export function commandLines(): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return [];
    }
  });
}
