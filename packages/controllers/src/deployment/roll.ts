import { deepEqual, type Deployment, type Pod, refOf, type ReplicaSet } from "@dhow/kube";
import type { EventRecorder } from "../manager/events.ts";
import type { Manager } from "../manager/manager.ts";
import { byCreation, isDeleting, nameOf } from "../objects.ts";
import type { OwnedIndex } from "../owned-pods.ts";
import { isPodTerminal } from "../pods.ts";
import { currentOrNew } from "./new-replicaset.ts";
import { annotations, revisionOf, roomOf, sizeAnnotations, sized, splitRevisions } from "./revisions.ts";
import { newReplicas, scaleProportionally, shrinkOld } from "./rollout.ts";
import { countStatus, isComplete, nextDeadline, rolloutStatus } from "./status.ts";

interface World {
  deployment: Deployment;
  current: ReplicaSet | undefined;
  old: ReplicaSet[];
}

/** One step of a rollout at a time: each changes a little, writes the status, and is called again by what it changed. */
export class DeploymentRollout {
  readonly #manager: Manager;
  readonly #recorder: EventRecorder;
  readonly #pods: OwnedIndex<Pod>;

  constructor(manager: Manager, recorder: EventRecorder, pods: OwnedIndex<Pod>) {
    this.#manager = manager;
    this.#recorder = recorder;
    this.#pods = pods;
  }

  /** RollingUpdate (pkg/controller/deployment/rolling.go): at most one of growing and shrinking. */
  async rolling(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<number | void> {
    const world = await this.#world(deployment, sets, true);
    const { current } = world;
    if (!current) return;
    const room = roomOf(world.deployment);
    const size = newReplicas(room, sized(current), world.old.map(sized));
    if (size !== (current.spec?.replicas ?? 1)) {
      world.current = await this.#resize(world.deployment, current, size);
      return this.#finish(world);
    }
    const sizes = shrinkOld(room, sized(current), world.old.map(sized));
    for (const [index, set] of world.old.entries()) {
      const smaller = sizes.get(nameOf(set));
      if (smaller !== undefined) world.old[index] = await this.#resize(world.deployment, set, smaller);
    }
    if (sizes.size === 0) await this.#cleanUp(world);
    return this.#finish(world);
  }

  /** Recreate (recreate.go): everything old goes before anything new comes. */
  async recreate(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<number | void> {
    let world = await this.#world(deployment, sets, false);
    let shrunk = false;
    for (const [index, set] of world.old.entries()) {
      if ((set.spec?.replicas ?? 1) === 0) continue;
      world.old[index] = await this.#resize(world.deployment, set, 0);
      shrunk = true;
    }
    if (shrunk || this.#oldPodsRun(world)) return this.#finish(world);
    world = await this.#world(world.deployment, [...world.old, ...(world.current ? [world.current] : [])], true);
    const { current } = world;
    if (current) world.current = await this.#resize(world.deployment, current, world.deployment.spec.replicas ?? 1);
    await this.#cleanUp(world);
    return this.#finish(world);
  }

  /** While paused, or when `replicas` was changed: sizes change, revisions do not (sync.go). */
  async scale(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<void> {
    const world = await this.#world(deployment, sets, false);
    await this.#spread(world);
    if (world.deployment.spec.paused) await this.#cleanUp(world, true);
    const all = [...world.old, ...(world.current ? [world.current] : [])];
    const status = countStatus(this.#manager.clock, world.deployment, all, world.current);
    await this.#writeStatus(world.deployment, status);
  }

  async #world(deployment: Deployment, sets: readonly ReplicaSet[], create: boolean): Promise<World> {
    const { current, old } = splitRevisions(deployment, sets);
    const made = await currentOrNew({
      manager: this.#manager,
      recorder: this.#recorder,
      deployment,
      current,
      old,
      create,
    });
    return { ...made, old };
  }

  async #spread(world: World): Promise<void> {
    const { deployment, current, old } = world;
    const room = roomOf(deployment);
    const all = [...old, ...(current ? [current] : [])];
    const active = all.filter((set) => (set.spec?.replicas ?? 1) > 0);
    const sizes = new Map<string, number>();
    const newest = current ?? [...old].sort(byCreation).at(-1);
    const only = active.length > 1 ? undefined : (active[0] ?? newest);
    if (only) sizes.set(nameOf(only), room.desired);
    else if (current && isSaturated(room.desired, current)) {
      for (const set of old) if ((set.spec?.replicas ?? 1) > 0) sizes.set(nameOf(set), 0);
    } else if (deployment.spec.strategy?.type !== "Recreate") {
      const shares = all.map((set) => {
        const max = Number(set.metadata.annotations?.[annotations.max]);
        const createdAt = set.metadata.creationTimestamp ?? "";
        return { ...sized(set), createdAt, maxReplicas: max > 0 ? max : undefined };
      });
      for (const [name, size] of scaleProportionally(room, shares, deployment.status?.replicas ?? 0))
        sizes.set(name, size);
    }
    for (const [index, set] of old.entries()) {
      const size = sizes.get(nameOf(set));
      if (size !== undefined) old[index] = await this.#resize(deployment, set, size);
    }
    const size = current && sizes.get(nameOf(current));
    if (current && size !== undefined) world.current = await this.#resize(deployment, current, size);
  }

  /** Sizes a ReplicaSet, notes the Deployment's size on it, and says so where the size changed. */
  async #resize(deployment: Deployment, set: ReplicaSet, replicas: number): Promise<ReplicaSet> {
    const before = set.spec?.replicas ?? 1;
    const wanted = sizeAnnotations(roomOf(deployment));
    const noted = Object.entries(wanted).every(([key, value]) => set.metadata.annotations?.[key] === value);
    if (before === replicas && noted) return set;
    const metadata = { ...set.metadata, annotations: { ...set.metadata.annotations, ...wanted } };
    const resized = await this.#manager.client.update<ReplicaSet>({
      ...set,
      metadata,
      spec: { ...set.spec, selector: set.spec?.selector ?? {}, replicas },
    });
    if (before !== replicas) {
      const direction = before < replicas ? "up" : "down";
      const message = `Scaled ${direction} replica set ${nameOf(set)} from ${before} to ${replicas}`;
      this.#recorder.event(deployment, "Normal", "ScalingReplicaSet", message);
    }
    return resized;
  }

  #oldPodsRun({ old }: World): boolean {
    if (old.some((set) => (set.status?.replicas ?? 0) > 0)) return true;
    return old.some((set) => this.#pods.ownedBy(set).some((pod) => !isPodTerminal(pod)));
  }

  /** Deletes what is older than the history should reach (cleanupDeployment). */
  async #cleanUp({ deployment, old }: World, always = false): Promise<void> {
    const limit = deployment.spec.revisionHistoryLimit ?? 10;
    if (!always && !isComplete(deployment, deployment.status ?? {})) return;
    const kept = old.filter((set) => !isDeleting(set)).sort((a, b) => revisionOf(a) - revisionOf(b));
    for (const set of kept.slice(0, Math.max(kept.length - limit, 0))) {
      const busy = (set.status?.replicas ?? 0) !== 0 || (set.spec?.replicas ?? 1) !== 0;
      if (busy || (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0)) continue;
      await this.#manager.client.delete(refOf(set), { propagationPolicy: "Background" });
    }
  }

  async #finish({ deployment, current, old }: World): Promise<number | void> {
    const sets = [...old, ...(current ? [current] : [])];
    const status = rolloutStatus(this.#manager.clock, deployment, sets, current);
    await this.#writeStatus(deployment, status);
    return nextDeadline(this.#manager.clock, { ...deployment, status }, status);
  }

  async #writeStatus(deployment: Deployment, status: NonNullable<Deployment["status"]>): Promise<void> {
    if (deepEqual(deployment.status, status)) return;
    await this.#manager.client.updateStatus({ ...deployment, status });
  }
}

/** The new ReplicaSet has taken over, whatever the old ones do (IsSaturated). */
function isSaturated(desired: number, set: ReplicaSet): boolean {
  return (
    Number(set.metadata.annotations?.[annotations.desired]) === desired &&
    (set.spec?.replicas ?? 1) === desired &&
    (set.status?.availableReplicas ?? 0) === desired
  );
}
