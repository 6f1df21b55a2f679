import { type Container, isStatusError, type Pod, type PodCondition, type PodStatus } from "@dhow/kube";
import type { NodeContext } from "./context.ts";
import type { PodRecord } from "./pod-record.ts";
import type { ContainerView } from "./status/container-status.ts";
import { podStatus } from "./status/pod-status.ts";
import { StatusWriter } from "./status/status-writer.ts";

export interface PodView {
  readonly pod: Pod;
  readonly address: string | undefined;
  readonly sandboxReady: boolean;
  readonly view: (container: Container) => ContainerView;
}

/** Calculates a pod's status and brings it to the API, and in the end takes the object away. */
export class PodPublisher {
  readonly #pod: Pod;
  readonly #record: PodRecord;
  readonly #context: NodeContext;
  readonly #writer: StatusWriter;
  #conditions: readonly PodCondition[];
  #status: PodStatus | undefined;
  #removed = false;

  constructor(pod: Pod, record: PodRecord, context: NodeContext) {
    this.#pod = pod;
    this.#record = record;
    this.#context = context;
    this.#writer = new StatusWriter(pod, context.client, context.clock, context.reporter);
    this.#conditions = pod.status?.conditions ?? [];
  }

  /** As last calculated. */
  get status(): PodStatus | undefined {
    return this.#status;
  }

  publish({ pod, address, sandboxReady, view }: PodView): void {
    const status = podStatus({
      pod,
      record: this.#record,
      podIP: address ?? pod.status?.podIP,
      hostIP: this.#context.hostIP,
      sandboxReady,
      terminal: this.#record.finished ?? false,
      previousConditions: this.#previousConditions(pod),
      now: this.#context.clock.now(),
      view,
    });
    this.#conditions = status.conditions ?? [];
    this.#status = status;
    this.#writer.set(status);
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  stop(): void {
    this.#writer.stop();
  }

  /** Takes the object out of the API when its last status is there: nothing of the pod is left. */
  async remove(): Promise<void> {
    if (this.#removed) return;
    await this.flush();
    const { namespace = "", name = "", uid = "" } = this.#pod.metadata;
    try {
      const ref = { apiVersion: "v1", kind: "Pod", namespace, name };
      await this.#context.client.delete(ref, { gracePeriodSeconds: 0, preconditions: { uid } });
      this.#removed = true;
    } catch (error) {
      if (!isStatusError(error, "NotFound") && !isStatusError(error, "Conflict")) throw error;
    }
  }

  /** Its own as last calculated, those of others as the API has them. */
  #previousConditions(pod: Pod): PodCondition[] {
    const written = pod.status?.conditions ?? [];
    const foreign = written.filter((one) => !this.#conditions.some(({ type }) => type === one.type));
    const own = this.#conditions.map((one) => (isOwn(one.type) ? one : written.find(({ type }) => type === one.type)));
    return [...own.filter((one) => one !== undefined), ...foreign];
  }
}

function isOwn(type: string): boolean {
  return ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].includes(type);
}
