import { httpTransport, KubeClient } from "@dhow/kube";
import { cpuSeconds } from "./measure.ts";
import { startHere, temporary } from "./servers.ts";

export interface Start {
  readonly milliseconds: number;
  /** Processor time that went into it. */
  readonly cpuMilliseconds: number;
}

export interface Starts {
  /** As after an installation, or a change of Dhow's own code: its TypeScript has to be translated and compiled. */
  readonly uncompiled: Start;
  /** In an empty folder. */
  readonly first: readonly Start[];
  /** In the same folder again. */
  readonly later: readonly Start[];
}

/** From starting the control plane's process until its API has answered a request. */
export async function controlPlaneReady(rounds: number): Promise<Starts> {
  const cache = temporary("dhow-bench-");
  const uncompiled = await inEmptyFolder((folder) => start(folder, cache.folder));
  await cache.remove();
  await inEmptyFolder((folder) => start(folder));
  const first: Start[] = [];
  const later: Start[] = [];
  for (let round = 0; round < rounds; round++) {
    await inEmptyFolder(async (folder) => {
      first.push(await start(folder));
      later.push(await start(folder));
    });
  }
  return { uncompiled, first, later };
}

async function inEmptyFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const { folder, remove } = temporary("dhow-bench-");
  try {
    return await action(folder);
  } finally {
    await remove();
  }
}

async function start(folder: string, compiled?: string): Promise<Start> {
  const begin = performance.now();
  const server = await startHere(folder, compiled);
  const transport = httpTransport(server.connection);
  await new KubeClient(transport).get({ apiVersion: "v1", kind: "Namespace", name: "default" });
  const milliseconds = performance.now() - begin;
  const cpuMilliseconds = cpuSeconds(server.pids()[0] ?? 0) * 1000;
  transport.close();
  await server.stop();
  return { milliseconds, cpuMilliseconds };
}
