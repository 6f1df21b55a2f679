import type { Clock } from "@dhow/base";
import { timestamp } from "./objects.ts";

/** What the conditions of all kinds have in common. */
export interface AnyCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export function findCondition<C extends { type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function conditionIs(
  conditions: readonly { type: string; status: string }[] | undefined,
  type: string,
  status: "True" | "False" | "Unknown",
): boolean {
  return findCondition(conditions, type)?.status === status;
}

/**
 * The list with this condition in it. Nothing changes while status and reason stay the same; the transition time changes with the
 * status only (SetDeploymentCondition, SetCondition of the ReplicaSet controller).
 */
export function withCondition<C extends AnyCondition>(conditions: readonly C[] | undefined, next: C): C[] {
  const list = [...(conditions ?? [])];
  const index = list.findIndex((condition) => condition.type === next.type);
  const current = list[index];
  if (!current) return [...list, next];
  if (current.status === next.status && current.reason === next.reason) return list;
  const kept =
    current.status === next.status && current.lastTransitionTime !== undefined
      ? { ...next, lastTransitionTime: current.lastTransitionTime }
      : next;
  list.splice(index, 1);
  return [...list, kept];
}

/** As {@link withCondition}, but the condition stays in its place and its message is kept up to date (api/meta.SetStatusCondition). */
export function withStatusCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  next: C,
  clock: Clock,
): C[] {
  const list = [...(conditions ?? [])];
  const index = list.findIndex((condition) => condition.type === next.type);
  const current = list[index];
  const lastTransitionTime =
    current && current.status === next.status && current.lastTransitionTime !== undefined
      ? current.lastTransitionTime
      : timestamp(clock);
  const merged = { ...current, ...next, lastTransitionTime };
  if (index < 0) list.push(merged);
  else list[index] = merged;
  return list;
}

export function withoutCondition<C extends { type: string }>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
