import { type Clock, messageOf, type Reporter } from "@dhow/base";
import { isStatusError, type KubeClient, type Lease, type Node, type NodeStatus } from "@dhow/kube";
import { nodeObject, type NodeOptions } from "./node-object.ts";

/** A lease is renewed every 10 s and counts for 40 (pkg/kubelet/apis/config/v1beta1/defaults.go). */
const renewInterval = 10_000;
const leaseSeconds = 40;
/** The status is written when it changed, and every 5 min where it did not (nodeStatusReportFrequency). */
const reportInterval = 300_000;
const leaseNamespace = "kube-node-lease";

export interface HeartbeatOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly node: NodeOptions;
  status(previous: Node | undefined): NodeStatus;
}

/** Registers a node and keeps telling that it is there. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #node: Node | undefined;
  #reported = "";
  #reportedAt = 0;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Resolves when the node is registered and ready. */
  async start(): Promise<void> {
    await this.#register();
    await Promise.all([this.#report(), this.#renew()]);
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** Something that the status shows has changed. */
  async refresh(): Promise<void> {
    await this.#report();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(renewInterval, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    try {
      await this.#renew();
      await this.#report();
    } catch (error) {
      this.#options.reporter.report({
        kind: "node.heartbeat",
        level: "warn",
        subject: this.#options.node.name,
        message: messageOf(error),
      });
      // The node may have been deleted: it registers again.
      if (isStatusError(error, "NotFound")) await this.#register().catch(() => undefined);
    }
    this.#schedule();
  }

  async #register(): Promise<void> {
    const { client, node } = this.#options;
    const wanted = nodeObject(node);
    try {
      this.#node = await client.create(wanted);
    } catch (error) {
      if (!isStatusError(error, "AlreadyExists")) throw error;
      const ref = { apiVersion: "v1", kind: "Node", name: node.name };
      this.#node = (await client.patch(ref, "merge", {
        metadata: { labels: wanted.metadata.labels },
      })) as unknown as Node;
    }
    this.#reported = "";
  }

  async #report(): Promise<void> {
    const { client, clock, node } = this.#options;
    const status = this.#options.status(this.#node);
    const { conditions, ...rest } = status;
    const text = JSON.stringify([rest, conditions?.map(({ type, status, message }) => [type, status, message])]);
    if (text === this.#reported && clock.now() - this.#reportedAt < reportInterval) return;
    const ref = { apiVersion: "v1", kind: "Node", name: node.name };
    this.#node = (await client.patch(ref, "strategic", { status }, { subresource: "status" })) as unknown as Node;
    this.#reported = text;
    this.#reportedAt = clock.now();
  }

  async #renew(): Promise<void> {
    const { client, clock, node } = this.#options;
    const renewTime = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const ref = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: leaseNamespace, name: node.name };
    try {
      await client.patch(ref, "merge", {
        spec: { renewTime, holderIdentity: node.name, leaseDurationSeconds: leaseSeconds },
      });
    } catch (error) {
      if (!isStatusError(error, "NotFound")) throw error;
      await client.create(this.#lease(renewTime));
    }
  }

  #lease(renewTime: string): Lease {
    const { name } = this.#options.node;
    const uid = this.#node?.metadata.uid ?? "";
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: leaseNamespace, ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid }] },
      spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime },
    };
  }
}
