import { messageOf } from "@dhow/base";
import { type ControllerRevision, isStatusError, type Pod, refOf, type StatefulSet } from "@dhow/kube";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { isDeleting, nameOf, uidOf } from "../objects.ts";
import { isPodAvailable, isPodReady, isPodTerminal } from "../pods.ts";
import { createClaims, ownClaims } from "./claims.ts";
import { buildPod, ordinalOf, revisionLabel } from "./identity.ts";

export interface StatefulWorld {
  readonly set: StatefulSet;
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly pods: readonly Pod[];
}

/** Brings pods one after the other, or all at once, to what the set asks for (pkg/controller/statefulset/stateful_set_control.go, updateStatefulSet). */
export class StatefulSteps {
  readonly #manager: Manager;
  readonly #recorder: EventRecorder;

  constructor(manager: Manager, recorder: EventRecorder) {
    this.#manager = manager;
    this.#recorder = recorder;
  }

  async step(world: StatefulWorld): Promise<void> {
    const { set, pods } = world;
    const start = set.spec.ordinals?.start ?? 0;
    const end = start + (set.spec.replicas ?? 1);
    const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
    const ordinals = Array.from({ length: end - start }, (_, i) => start + i);
    const condemned = [...byOrdinal.keys()].filter((ordinal) => ordinal >= 0 && (ordinal < start || ordinal >= end));
    condemned.sort((a, b) => b - a);
    const inOrder = set.spec.podManagementPolicy !== "Parallel";
    for (const ordinal of ordinals) {
      const wait = await this.#replica(world, ordinal, byOrdinal.get(ordinal), inOrder);
      if (wait) return;
    }
    for (const ordinal of condemned) {
      const pod = byOrdinal.get(ordinal) as Pod;
      const others = [...ordinals, ...condemned].filter((other) => other !== ordinal);
      const unhealthy = others.some((other) => !healthy(byOrdinal.get(other)));
      await ownClaims(this.#manager, set, ordinal, pod);
      if (isDeleting(pod)) {
        if (inOrder) return;
        continue;
      }
      // A sick pod may go although others are not well; a healthy one waits for them.
      if (inOrder && unhealthy && healthy(pod)) return;
      await this.#delete(set, pod);
      if (inOrder) return;
    }
    await this.#roll(world, ordinals, byOrdinal);
  }

  /** Gives true where the next replica has to wait for this one. */
  async #replica(world: StatefulWorld, ordinal: number, pod: Pod | undefined, inOrder: boolean): Promise<boolean> {
    const { set } = world;
    if (!pod) {
      await this.#create(world, ordinal);
      return inOrder;
    }
    await ownClaims(this.#manager, set, ordinal, pod);
    if (isPodTerminal(pod) && !isDeleting(pod)) {
      const message = `StatefulSet ${set.metadata.namespace}/${nameOf(set)} is recreating failed Pod ${nameOf(pod)}`;
      this.#recorder.event(set, "Warning", "RecreatingFailedPod", message);
      await this.#delete(set, pod);
      return inOrder;
    }
    if (isDeleting(pod)) return inOrder;
    await createClaims(this.#manager, this.#recorder, set, ordinal);
    const available = isPodAvailable(pod, set.spec.minReadySeconds ?? 0, this.#manager.clock.now());
    return inOrder && !(healthy(pod) && available);
  }

  /** Old pods go one at a time, the highest ordinal first; the next pass creates them anew. */
  async #roll(
    { set, update }: StatefulWorld,
    ordinals: readonly number[],
    pods: ReadonlyMap<number, Pod>,
  ): Promise<void> {
    const strategy = set.spec.updateStrategy;
    if (strategy?.type === "OnDelete") return;
    const start = set.spec.ordinals?.start ?? 0;
    const first = Math.max(start, strategy?.rollingUpdate?.partition ?? 0);
    for (const ordinal of ordinals.filter((candidate) => candidate >= first).reverse()) {
      const pod = pods.get(ordinal);
      if (pod && pod.metadata.labels?.[revisionLabel] !== nameOf(update) && !isDeleting(pod)) {
        await this.#delete(set, pod);
        return;
      }
      const available = pod && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, this.#manager.clock.now());
      if (!healthy(pod) || !available) return;
    }
  }

  async #create(world: StatefulWorld, ordinal: number): Promise<void> {
    const { set } = world;
    await createClaims(this.#manager, this.#recorder, set, ordinal);
    const pod = buildPod(set, revisionFor(world, ordinal), ordinal);
    const about = `Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)}`;
    try {
      await this.#manager.client.create(pod);
      this.#recorder.event(set, "Normal", "SuccessfulCreate", `create ${about} successful`);
      await ownClaims(this.#manager, set, ordinal, undefined);
    } catch (error) {
      if (isStatusError(error, "AlreadyExists")) return;
      this.#recorder.event(set, "Warning", "FailedCreate", `create ${about} failed error: ${messageOf(error)}`);
      throw error;
    }
  }

  async #delete(set: StatefulSet, pod: Pod): Promise<void> {
    const about = `Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)}`;
    try {
      await this.#manager.client.delete(refOf(pod), { preconditions: { uid: uidOf(pod) } });
      this.#recorder.event(set, "Normal", "SuccessfulDelete", `delete ${about} successful`);
    } catch (error) {
      if (isStatusError(error, "NotFound") || isStatusError(error, "Conflict")) return;
      this.#recorder.event(set, "Warning", "FailedDelete", `delete ${about} failed error: ${messageOf(error)}`);
      throw error;
    }
  }
}

function healthy(pod: Pod | undefined): boolean {
  return pod !== undefined && pod.status?.phase === "Running" && isPodReady(pod) && !isDeleting(pod);
}

/** Pods below the partition, or that an update has not reached, are created as they were. */
function revisionFor({ set, current, update }: StatefulWorld, ordinal: number): ControllerRevision {
  const strategy = set.spec.updateStrategy;
  if (strategy?.type === "OnDelete") return update;
  const start = set.spec.ordinals?.start ?? 0;
  const { rollingUpdate } = strategy ?? {};
  const before = rollingUpdate ? (rollingUpdate.partition ?? 0) : (set.status?.currentReplicas ?? 0);
  return ordinal < start + before ? current : update;
}
