import { type DaemonSet, deepEqual, type FieldFault, fieldFault } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable, nonNegative } from "../validation/metadata.ts";
import { defaultPodSpec } from "./pod/defaults.ts";
import {
  atMostAllFaults,
  countOrPercentFaults,
  everlastingFaults,
  numberIn,
  selectorAndTemplateFaults,
} from "./pod-templates.ts";

// pkg/apis/apps/v1/defaults.go, ValidateDaemonSetSpec in pkg/apis/apps/validation/validation.go

const { invalid, notSupported, required } = fieldFault;

/** How often the template changed; the API keeps it in an annotation (pkg/apis/apps/v1/conversion.go). */
const templateGeneration = "deprecated.daemonset.template.generation";

export const daemonSets: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const { spec } = object as DaemonSet;
    if (!spec) return;
    const strategy = (spec.updateStrategy ??= {});
    strategy.type ||= "RollingUpdate";
    if (strategy.type === "RollingUpdate") {
      strategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...strategy.rollingUpdate };
    }
    spec.revisionHistoryLimit ??= 10;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  prepareForCreate(object) {
    const set = object as DaemonSet;
    set.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
    set.metadata.annotations = { ...set.metadata.annotations, [templateGeneration]: "1" };
  },
  prepareForUpdate(object, old) {
    const [set, before] = [object as DaemonSet, old as DaemonSet];
    const count = Number(before.metadata.annotations?.[templateGeneration] ?? "1");
    const changed = !deepEqual(set.spec.template, before.spec.template);
    set.metadata.annotations = { ...set.metadata.annotations, [templateGeneration]: String(count + (changed ? 1 : 0)) };
  },
  validate: (object) => [...daemonSetFaults(object as DaemonSet)],
  validateUpdate: (object, old) => [
    ...immutable((object as DaemonSet).spec.selector, (old as DaemonSet).spec.selector, "spec.selector"),
  ],
};

function* daemonSetFaults({ spec }: DaemonSet): Generator<FieldFault> {
  yield* selectorAndTemplateFaults({ kind: "daemonset", selector: spec?.selector, template: spec?.template });
  yield* everlastingFaults(spec?.template, "DaemonSet");
  yield* nonNegative(spec?.minReadySeconds, "spec.minReadySeconds");
  yield* strategyFaults(spec?.updateStrategy);
  yield* nonNegative(spec?.revisionHistoryLimit, "spec.revisionHistoryLimit");
}

function* strategyFaults(strategy: DaemonSet["spec"]["updateStrategy"]): Generator<FieldFault> {
  const at = "spec.updateStrategy";
  if (strategy?.type === "OnDelete") return;
  if (strategy?.type !== "RollingUpdate") {
    yield notSupported(at, strategy, ["RollingUpdate", "OnDelete"]);
    return;
  }
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
  const place = `${at}.rollingUpdate`;
  yield* countOrPercentFaults(maxUnavailable, `${place}.maxUnavailable`);
  yield* countOrPercentFaults(maxSurge, `${place}.maxSurge`);
  yield* atMostAllFaults(maxUnavailable, `${place}.maxUnavailable`);
  yield* atMostAllFaults(maxSurge, `${place}.maxSurge`);
  const [surges, lacks] = [numberIn(maxSurge) !== 0, numberIn(maxUnavailable) !== 0];
  if (surges && lacks) yield invalid(`${place}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero");
  if (!surges && !lacks) yield required(`${place}.maxUnavailable`, "cannot be 0 when maxSurge is 0");
}
