import type { Connection, Pod } from "@dhow/kube";
import { LoadClient } from "./client.ts";

const heartbeat = 5_000;

/** A node without containers: what is bound to it is running and ready at once, and gone at once when it is deleted. */
export class HollowNode {
  readonly #client: LoadClient;
  readonly #name: string;
  #timer: NodeJS.Timeout | undefined;
  #addresses = 0;
  #stopped = false;

  private constructor(client: LoadClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  static async start(connection: Connection, name: string): Promise<HollowNode> {
    const node = new HollowNode(new LoadClient(connection, 8), name);
    const object = { apiVersion: "v1", kind: "Node", metadata: { name } };
    await node.#client.send({ method: "POST", path: "/api/v1/nodes", body: JSON.stringify(object) });
    await node.#beat();
    node.#timer = setInterval(() => void node.#beat().catch(() => undefined), heartbeat);
    void node.#follow();
    return node;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#client.close();
  }

  async #beat(): Promise<void> {
    const amounts = { cpu: "8", memory: "16Gi", pods: "110" };
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: now };
    await this.#patch(`/api/v1/nodes/${this.#name}`, { capacity: amounts, allocatable: amounts, conditions: [ready] });
  }

  #patch(path: string, status: object): Promise<unknown> {
    const contentType = "application/strategic-merge-patch+json";
    return this.#client.try({ method: "PATCH", path: `${path}/status`, contentType, body: JSON.stringify({ status }) });
  }

  async #follow(): Promise<void> {
    const stream = await this.#client.stream(`/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3D${this.#name}`);
    let rest = "";
    try {
      for await (const piece of stream as AsyncIterable<Buffer>) {
        const lines = (rest + piece.toString()).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#seen(JSON.parse(line) as { type: string; object: Pod });
      }
    } catch (error) {
      if (!this.#stopped) throw error;
    }
  }

  #seen({ type, object }: { type: string; object: Pod }): void {
    if (type === "DELETED") return;
    const path = `/api/v1/namespaces/${object.metadata.namespace}/pods/${object.metadata.name}`;
    if (object.metadata.deletionTimestamp) {
      void this.#client.try({ method: "DELETE", path: `${path}?gracePeriodSeconds=0` }).catch(() => undefined);
    } else if (object.status?.phase === "Pending") {
      void this.#patch(path, this.#running(object)).catch(() => undefined);
    }
  }

  #running({ spec }: Pod): object {
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const yes = (type: string) => ({ type, status: "True", lastTransitionTime: now });
    return {
      phase: "Running",
      podIP: `10.244.9.${(this.#addresses++ % 250) + 1}`,
      startTime: now,
      conditions: ["Initialized", "Ready", "ContainersReady"].map(yes),
      containerStatuses: spec.containers.map(({ name, image = "" }) => ({
        name,
        image,
        imageID: image,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      })),
    };
  }
}
