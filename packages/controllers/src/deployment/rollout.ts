import { scaledValue } from "@dhow/kube";

/**
 * The arithmetic of a rollout, on plain numbers (pkg/controller/deployment/rolling.go and sync.go, util/deployment_util.go).
 */

/** A ReplicaSet as far as the arithmetic sees it. */
export interface Sized {
  readonly name: string;
  /** What is asked of it: spec.replicas. */
  readonly replicas: number;
  /** How many of its pods are available: status.availableReplicas. */
  readonly available: number;
}

export interface Room {
  readonly desired: number;
  /** How many pods may be there beyond the desired ones. */
  readonly maxSurge: number;
  /** How many of the desired ones may be missing. */
  readonly maxUnavailable: number;
}

/** Percentages become counts: surge rounds up, unavailable rounds down, and they are never both nothing (ResolveFenceposts). */
export function resolveRoom(
  desired: number,
  maxSurge: number | string | undefined,
  maxUnavailable: number | string | undefined,
): Room {
  const surge = scaledValue(maxSurge ?? 0, desired, "up");
  const unavailable = Math.min(scaledValue(maxUnavailable ?? 0, desired, "down"), desired);
  if (surge === 0 && unavailable === 0) return { desired, maxSurge: 0, maxUnavailable: 1 };
  return { desired, maxSurge: surge, maxUnavailable: unavailable };
}

export function total(sets: readonly Sized[]): number {
  return sets.reduce((sum, set) => sum + set.replicas, 0);
}

function totalAvailable(sets: readonly Sized[]): number {
  return sets.reduce((sum, set) => sum + set.available, 0);
}

/** How many replicas the new ReplicaSet may have now (NewRSNewReplicas). */
export function newReplicas(room: Room, current: Sized, old: readonly Sized[]): number {
  if (current.replicas > room.desired) return room.desired;
  const space = room.desired + room.maxSurge - total([...old, current]);
  if (space <= 0) return current.replicas;
  return current.replicas + Math.min(space, room.desired - current.replicas);
}

/**
 * How far old ReplicaSets, oldest first, may shrink now: first what is not available anyway, then what the available pods allow
 * (reconcileOldReplicaSets). Gives the sizes of those that change.
 */
export function shrinkOld(room: Room, current: Sized, old: readonly Sized[]): Map<string, number> {
  const sizes = new Map<string, number>();
  const minAvailable = room.desired - room.maxUnavailable;
  const mayGo = total([...old, current]) - minAvailable - (current.replicas - current.available);
  if (mayGo <= 0 || total(old) === 0) return sizes;
  const afterCleanup = old.map((set) => ({ ...set }));
  let gone = 0;
  for (const set of afterCleanup) {
    const unhealthy = Math.min(mayGo - gone, Math.max(set.replicas - set.available, 0));
    if (unhealthy <= 0) continue;
    set.replicas -= unhealthy;
    gone += unhealthy;
    sizes.set(set.name, set.replicas);
  }
  let spare = totalAvailable([...old, current]) - minAvailable;
  for (const set of afterCleanup) {
    const going = Math.min(set.replicas, spare);
    if (going <= 0) continue;
    spare -= going;
    sizes.set(set.name, set.replicas - going);
  }
  return sizes;
}

/** A ReplicaSet that takes part in proportional scaling. */
export interface Share extends Sized {
  readonly createdAt: string;
  /** The annotation `deployment.kubernetes.io/max-replicas`: desired plus surge when the set was last sized. */
  readonly maxReplicas: number | undefined;
}

/**
 * Sizes when a Deployment is scaled in the middle of a rollout: every ReplicaSet gets its share of the change, the largest what is left
 * over (scale, GetReplicaSetProportion). `statusReplicas` stands in where a set carries no annotation.
 */
export function scaleProportionally(room: Room, sets: readonly Share[], statusReplicas: number): Map<string, number> {
  const active = sets.filter((set) => set.replicas > 0);
  const allowed = room.desired > 0 ? room.desired + room.maxSurge : 0;
  const toAdd = allowed - total(active);
  const growing = toAdd > 0;
  const ordered = [...active].sort((a, b) => {
    if (a.replicas !== b.replicas) return b.replicas - a.replicas;
    const older = a.createdAt === b.createdAt ? (a.name < b.name ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1;
    return growing ? -older : older;
  });
  const sizes = new Map<string, number>();
  let added = 0;
  for (const set of ordered) {
    const share = toAdd === added || toAdd === 0 ? 0 : clamp(fraction(room, set, statusReplicas), toAdd - added);
    sizes.set(set.name, set.replicas + share);
    added += share;
  }
  const largest = ordered[0];
  if (largest && toAdd !== 0) {
    sizes.set(largest.name, Math.max((sizes.get(largest.name) ?? 0) + toAdd - added, 0));
  }
  return sizes;
}

function clamp(share: number, left: number): number {
  return left > 0 ? Math.min(share, left) : Math.max(share, left);
}

function fraction(room: Room, set: Share, statusReplicas: number): number {
  if (room.desired === 0) return -set.replicas;
  const before = set.maxReplicas ?? statusReplicas;
  if (before === 0) return 0;
  return Math.round((set.replicas * (room.desired + room.maxSurge)) / before) - set.replicas;
}
