import { type Clock, messageOf, type Reporter, sleep } from "@dhow/base";
import { isStatusError, type KubeClient, type Pod, type PodStatus } from "@dhow/kube";

/** Brings a pod's status to the API: one write at a time, the newest state, again after a failure, and nothing where nothing changed. */
export class StatusWriter {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #pod: Pod;
  #wanted: PodStatus | undefined;
  #written = "";
  /** The addresses that the API has: lists of addresses are merged there, so that old ones have to be taken out. */
  #writtenAddresses: string;
  #busy: Promise<void> | undefined;
  #stopped = false;

  constructor(pod: Pod, client: KubeClient, clock: Clock, reporter: Reporter) {
    this.#pod = pod;
    this.#client = client;
    this.#clock = clock;
    this.#reporter = reporter;
    this.#writtenAddresses = addresses(pod.status);
  }

  set(status: PodStatus): void {
    if (this.#stopped) return;
    this.#wanted = status;
    this.#busy ??= this.#run();
  }

  /** Resolves when the newest state is written, or cannot be because the pod is gone. */
  async flush(): Promise<void> {
    while (this.#busy) await this.#busy;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    let delay = 100;
    // The state of one turn of the event loop is one write.
    await Promise.resolve();
    while (this.#wanted && !this.#stopped) {
      const status = this.#wanted;
      const text = JSON.stringify(status);
      this.#wanted = undefined;
      if (text === this.#written) continue;
      try {
        await this.#write(status);
        this.#written = text;
        delay = 100;
      } catch (error) {
        if (isStatusError(error, "NotFound") || isStatusError(error, "Conflict")) break;
        this.#wanted ??= status;
        this.#report(error);
        await sleep(this.#clock, delay);
        delay = Math.min(delay * 2, 10_000);
      }
    }
    this.#busy = undefined;
  }

  async #write(status: PodStatus): Promise<void> {
    const { namespace = "", name = "", uid } = this.#pod.metadata;
    const ref = { apiVersion: "v1", kind: "Pod", namespace, name };
    await this.#client.patch(
      ref,
      "strategic",
      { metadata: { uid }, status: this.#patch(status) },
      { subresource: "status" },
    );
    this.#writtenAddresses = addresses(status);
  }

  /** What a strategic merge would keep has to be taken back by name: reasons of conditions, an address of an earlier sandbox. */
  #patch(status: PodStatus): unknown {
    const conditions = (status.conditions ?? []).map((condition) => ({ reason: null, message: null, ...condition }));
    const moved = this.#writtenAddresses !== addresses(status);
    const replaced = (list: readonly unknown[] | undefined) =>
      list && moved ? [{ $patch: "replace" }, ...list] : list;
    const { podIPs, hostIPs, ...rest } = status;
    return {
      reason: null,
      message: null,
      ...rest,
      conditions,
      ...(podIPs ? { podIPs: replaced(podIPs) } : {}),
      ...(hostIPs ? { hostIPs: replaced(hostIPs) } : {}),
    };
  }

  #report(error: unknown): void {
    const subject = `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`;
    this.#reporter.report({ kind: "pod.status", level: "debug", subject, message: messageOf(error) });
  }
}

function addresses(status: PodStatus | undefined): string {
  return JSON.stringify([status?.podIPs ?? [], status?.hostIPs ?? []]);
}
