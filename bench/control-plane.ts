import { httpTransport, KubeClient } from "@dhow/kube";
import { cpuSeconds } from "./measure.ts";
import { startHere, temporary } from "./servers.ts";

export interface Start {
  readonly milliseconds: number;
  /** Processor time that went into it. */
  readonly cpuMilliseconds: number;
}

/** From starting the control plane's process until its API has answered a request; the folder is empty at the first start. */
export async function controlPlaneReady(starts: number): Promise<Start[]> {
  const { folder, remove } = temporary("dhow-bench-");
  const figures: Start[] = [];
  try {
    for (let start = 0; start < starts; start++) {
      const begin = performance.now();
      const server = await startHere(folder);
      const transport = httpTransport(server.connection);
      await new KubeClient(transport).get({ apiVersion: "v1", kind: "Namespace", name: "default" });
      const milliseconds = performance.now() - begin;
      figures.push({ milliseconds, cpuMilliseconds: cpuSeconds(server.pids()[0] ?? 0) * 1000 });
      transport.close();
      await server.stop();
    }
  } finally {
    remove();
  }
  return figures;
}
