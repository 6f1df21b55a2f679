// Loaded into each process of a cluster that is measured: told by SIGUSR2, it collects garbage and writes down what the process holds.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getHeapSpaceStatistics, setFlagsFromString, writeHeapSnapshot } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What one process of the cluster holds after a collection; a snapshot of its heap lies beside it where that is asked for. */
export interface Held {
  /** Bytes of JavaScript objects and buffers: without compiled code, of which there is more the longer a program runs. */
  readonly heap: number;
  readonly handles: number;
}

export const roles = ["host", "control-plane", "agent"] as const;
export type Role = (typeof roles)[number];

const role = roles.find((each) => process.argv[1]?.endsWith(`/${each}/main.ts`)) ?? "host";

async function measure(folder: string): Promise<void> {
  // What one collection lets go of, finalizers included, the next ones take.
  for (let time = 0; time < 4; time++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) =>
    /^(new|old|large_object|new_large_object)/.test(name),
  );
  const objects = spaces.reduce((sum, space) => sum + space.space_used_size, 0);
  const held: Held = {
    heap: objects + process.memoryUsage().external,
    handles: process.getActiveResourcesInfo().length,
  };
  if (process.env["DHOW_PROBE_CLASSES"]) writeHeapSnapshot(join(folder, `${role}.heapsnapshot`));
  writeFileSync(join(folder, `${role}.new`), JSON.stringify(held));
  renameSync(join(folder, `${role}.new`), join(folder, `${role}.json`));
}

const folder = process.env["DHOW_PROBE_FOLDER"];
if (folder) process.on("SIGUSR2", () => void measure(folder));
