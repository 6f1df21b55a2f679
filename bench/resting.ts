import { idlePercent, residentMegabytes } from "./measure.ts";
import type { Server } from "./servers.ts";

/** What a control plane uses while nothing is asked of it. */
export async function resting(server: Server, seconds: number): Promise<{ megabytes: number; percent: number }> {
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const pids = server.pids();
  return { megabytes: residentMegabytes(pids), percent: await idlePercent(pids, seconds) };
}
