import { isStatusError, type Lease, type Node, type NodeCondition, type Pod, refOf } from "@dhow/kube";
import { findCondition } from "./conditions.ts";
import { kinds } from "./kinds.ts";
import type { EventRecorder } from "./manager/events.ts";
import type { IndexBy } from "./manager/index-by.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { isDeleting, nameOf, timestamp, uidOf } from "./objects.ts";
import { isPodReady, isPodTerminal } from "./pods.ts";
import { reconcileTaints } from "./node-taints.ts";

/** How often silent nodes are looked for (--node-monitor-period). */
const period = 5000;
/** --node-monitor-grace-period. */
const defaultGrace = 50_000;
const leaseNamespace = "kube-node-lease";
const watched = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;

/** Notices nodes that have fallen silent, and taints nodes by their conditions. */
export const nodeLifecycle: Controller = {
  name: "node-lifecycle",
  start(manager) {
    new NodeLifecycle(manager).start();
  },
};

class NodeLifecycle {
  readonly #manager: Manager;
  readonly #recorder: EventRecorder;
  readonly #pods: IndexBy<Pod>;
  /** When a sign of life was last seen here, by this clock: the nodes' clocks may differ. */
  readonly #alive = new Map<string, { sign: string; at: number }>();

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#recorder = manager.recorder("node-controller");
    this.#pods = manager.index(kinds.pod, "node", (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
  }

  start(): void {
    const nodes = this.#manager.informer(kinds.node);
    const queue = this.#manager.queue("node-lifecycle", { reconcile: (name) => this.#reconcile(name) });
    nodes.onChange((node, old) => {
      const name = nameOf((node ?? old) as Node);
      if (node) queue.add(name);
      else {
        this.#alive.delete(name);
        const about = (old as Node) ?? node;
        this.#recorder.event(
          { ...about },
          "Normal",
          "RemovingNode",
          `Node ${name} event: Removing Node ${name} from Controller`,
        );
      }
      if (node && !old) {
        this.#recorder.event(
          node,
          "Normal",
          "RegisteredNode",
          `Node ${name} event: Registered Node ${name} in Controller`,
        );
      }
    });
    this.#manager.informer(kinds.lease).onChange((lease) => {
      if (lease?.metadata.namespace === leaseNamespace) this.#see(nameOf(lease), lease);
    });
    const grace = this.#manager.options.nodeMonitorGraceMilliseconds ?? defaultGrace;
    this.#manager.every(Math.min(period, grace / 10), "node-lifecycle", async () => {
      for (const node of nodes.list()) await this.#monitor(node);
    });
  }

  async #reconcile(name: string): Promise<void> {
    const node = this.#manager.informer(kinds.node).get(undefined, name);
    if (!node) return;
    this.#see(name, this.#lease(name));
    await reconcileTaints(this.#manager.client, this.#manager.clock, node);
    const ready = findCondition(node.status?.conditions, "Ready");
    if (ready && ready.status !== "True") await this.#markPods(node);
  }

  #lease(name: string): Lease | undefined {
    return this.#manager.informer(kinds.lease).get(leaseNamespace, name);
  }

  #see(name: string, lease: Lease | undefined): void {
    const node = this.#manager.informer(kinds.node).get(undefined, name);
    const heartbeat = findCondition(node?.status?.conditions, "Ready")?.lastHeartbeatTime ?? "";
    const sign = `${lease?.spec?.renewTime ?? ""} ${heartbeat}`;
    if (this.#alive.get(name)?.sign !== sign) this.#alive.set(name, { sign, at: this.#manager.clock.now() });
  }

  async #monitor(node: Node): Promise<void> {
    const { clock, options } = this.#manager;
    this.#see(nameOf(node), this.#lease(nameOf(node)));
    const at = this.#alive.get(nameOf(node))?.at ?? clock.now();
    if (clock.now() < at + (options.nodeMonitorGraceMilliseconds ?? defaultGrace)) return;
    const before = node.status?.conditions ?? [];
    if (watched.every((type) => findCondition(before, type)?.status === "Unknown")) return;
    const now = timestamp(clock);
    const lost = watched.map((type): NodeCondition => {
      const current = findCondition(before, type);
      if (current?.status === "Unknown") return current;
      return {
        ...(current?.lastHeartbeatTime ? { lastHeartbeatTime: current.lastHeartbeatTime } : { lastHeartbeatTime: now }),
        lastTransitionTime: now,
        type,
        status: "Unknown",
        reason: current ? "NodeStatusUnknown" : "NodeStatusNeverUpdated",
        message: current ? "Kubelet stopped posting node status." : "Kubelet never posted node status.",
      };
    });
    const others = before.filter(({ type }) => !watched.some((name) => name === type));
    const wasReady = findCondition(before, "Ready")?.status === "True";
    const updated = await this.#manager.client.updateStatus<Node>({
      ...node,
      status: { ...node.status, conditions: [...others, ...lost] },
    });
    if (wasReady)
      this.#recorder.event(node, "Normal", "NodeNotReady", `Node ${nameOf(node)} status is now: NodeNotReady`);
    await this.#markPods(updated);
  }

  /** Nobody can say any more that these pods are ready, so Services should not send anybody there. */
  async #markPods(node: Node): Promise<void> {
    for (const pod of this.#pods.get(nameOf(node))) {
      if (!isPodReady(pod) || isPodTerminal(pod) || isDeleting(pod)) continue;
      const condition = { type: "Ready", status: "False", lastTransitionTime: timestamp(this.#manager.clock) };
      const body = { metadata: { uid: uidOf(pod) }, status: { conditions: [condition] } };
      try {
        await this.#manager.client.patch(refOf(pod), "strategic", body, { subresource: "status" });
        this.#recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready");
      } catch (error) {
        if (!isStatusError(error, "NotFound")) throw error;
      }
    }
  }
}
