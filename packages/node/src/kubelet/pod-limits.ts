import type { Pod } from "@dhow/kube";
import type { NodeContext } from "./context.ts";
import { onDeadline } from "./pod-deadline.ts";
import type { PodRecord } from "./pod-record.ts";
import { onOverfull } from "./pod-storage.ts";

export interface PodLimitsOptions {
  readonly pod: Pod;
  readonly record: PodRecord;
  /** The pod's own, where its volumes are. */
  readonly folder: string;
  readonly context: NodeContext;
  /** Called when the record says why the node ends the pod. */
  readonly onExceeded: (type: "Normal" | "Warning") => void;
}

/** What a node ends a pod for by itself: its deadline is over, or one of its volumes has outgrown its limit. */
export class PodLimits {
  readonly #options: PodLimitsOptions;
  readonly #cancelStorage: () => void;
  #cancelDeadline: () => void = () => undefined;

  constructor(options: PodLimitsOptions) {
    const { pod, record, folder, context, onExceeded } = options;
    this.#options = options;
    this.#cancelStorage = onOverfull({ pod, record, folder, clock: context.clock }, () => onExceeded("Warning"));
    this.update(pod);
  }

  /** Takes the object as it is now: the deadline may be another. */
  update(pod: Pod): void {
    const { record, context, onExceeded } = this.#options;
    this.#cancelDeadline();
    this.#cancelDeadline = onDeadline(pod, record, context.clock, () => onExceeded("Normal"));
  }

  stop(): void {
    this.#cancelDeadline();
    this.#cancelStorage();
  }
}
