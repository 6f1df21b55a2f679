import { deepEqual, type Deployment, type ReplicaSet } from "@dhow/kube";
import { DeploymentRollout } from "./deployment/roll.ts";
import { isScaling } from "./deployment/revisions.ts";
import { condition, countStatus, hasDeadline } from "./deployment/status.ts";
import { findCondition, withCondition } from "./conditions.ts";
import { kinds } from "./kinds.ts";
import type { EventRecorder } from "./manager/events.ts";
import type { Controller, Manager } from "./manager/manager.ts";
import { controllerOf, isDeleting, keyOf, namespaceOf, splitKey, uidOf } from "./objects.ts";
import { OwnedIndex, ownedPods, ownershipKeys } from "./owned-pods.ts";
import { claim } from "./ownership.ts";
import { labelSelectorMatcher } from "./selectors.ts";

/** Rolls a template out over ReplicaSets, one a revision. */
export const deployment: Controller = {
  name: "deployment",
  start(manager) {
    const reconciler = new DeploymentReconciler(manager);
    const queue = manager.queue("deployment", { workers: 8, reconcile: (key) => reconciler.reconcile(key) });
    const deployments = manager.informer(kinds.deployment);
    const ownerOf = (set: ReplicaSet) => {
      const reference = controllerOf(set);
      if (reference?.kind !== "Deployment") return undefined;
      const owner = deployments.get(namespaceOf(set), reference.name);
      return owner && uidOf(owner) === reference.uid ? owner : undefined;
    };
    deployments.onChange((next, old) => queue.add(keyOf((next ?? old) as Deployment)));
    manager.informer(kinds.replicaSet).onChange((set, old) => {
      for (const version of [set, old]) {
        const owner = version && ownerOf(version);
        if (owner) queue.add(keyOf(owner));
      }
      if (!set || controllerOf(set)) return;
      for (const candidate of deployments.list(namespaceOf(set))) {
        if (labelSelectorMatcher(candidate.spec.selector)(set.metadata.labels ?? {})) queue.add(keyOf(candidate));
      }
    });
    // A Recreate rollout goes on when the last old pod is gone, of which no ReplicaSet tells.
    manager.informer(kinds.pod).onChange((pod, old) => {
      if (pod || !old) return;
      const reference = controllerOf(old);
      if (reference?.kind !== "ReplicaSet") return;
      const set = manager.informer(kinds.replicaSet).get(namespaceOf(old), reference.name);
      const owner = set && ownerOf(set);
      if (owner?.spec.strategy?.type === "Recreate") queue.add(keyOf(owner));
    });
  },
};

class DeploymentReconciler {
  readonly #manager: Manager;
  readonly #sets: OwnedIndex<ReplicaSet>;
  readonly #rollout: DeploymentRollout;
  readonly #recorder: EventRecorder;

  constructor(manager: Manager) {
    this.#manager = manager;
    this.#recorder = manager.recorder("deployment-controller");
    this.#sets = new OwnedIndex(manager.index(kinds.replicaSet, "owner", ownershipKeys));
    this.#rollout = new DeploymentRollout(manager, this.#recorder, ownedPods(manager));
  }

  async reconcile(key: string): Promise<number | void> {
    const { namespace, name } = splitKey(key);
    const found = this.#manager.informer(kinds.deployment).get(namespace, name);
    if (!found) return;
    if (selectsEverything(found)) {
      const message = "This deployment is selecting all pods. A non-empty selector is required.";
      this.#recorder.event(found, "Warning", "SelectingAll", message);
      return;
    }
    const sets = await claim({
      client: this.#manager.client,
      owner: found,
      matches: labelSelectorMatcher(found.spec.selector),
      candidates: this.#sets.candidates(found),
    });
    if (isDeleting(found)) {
      await this.#onlyStatus(found, sets);
      return;
    }
    const deployment = await this.#notePause(found);
    if (deployment.spec.paused || isScaling(deployment, sets)) return this.#rollout.scale(deployment, sets);
    if (deployment.spec.strategy?.type === "Recreate") return this.#rollout.recreate(deployment, sets);
    return this.#rollout.rolling(deployment, sets);
  }

  async #onlyStatus(deployment: Deployment, sets: readonly ReplicaSet[]): Promise<void> {
    const status = countStatus(this.#manager.clock, deployment, sets, undefined);
    if (!deepEqual(deployment.status, status)) await this.#manager.client.updateStatus({ ...deployment, status });
  }

  /** While a Deployment is paused its deadline does not run: the condition says since when (checkPausedConditions). */
  async #notePause(deployment: Deployment): Promise<Deployment> {
    if (!hasDeadline(deployment)) return deployment;
    const progressing = findCondition(deployment.status?.conditions, "Progressing");
    if (progressing?.reason === "ProgressDeadlineExceeded") return deployment;
    const noted = progressing?.reason === "DeploymentPaused";
    const paused = deployment.spec.paused === true;
    if (paused === noted) return deployment;
    const next = paused
      ? condition(this.#manager.clock, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
      : condition(this.#manager.clock, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
    const status = { ...deployment.status, conditions: withCondition(deployment.status?.conditions, next) };
    return this.#manager.client.updateStatus({ ...deployment, status });
  }
}

function selectsEverything(deployment: Deployment): boolean {
  const { matchLabels = {}, matchExpressions = [] } = deployment.spec.selector;
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}
