import {
  deepEqual,
  type FieldFault,
  invalid,
  type KubeObject,
  type Namespace,
  type Pod,
  type PodTemplateSpec,
} from "@dhow/kube";
import type { AdmissionAttributes, AdmissionPlugin } from "../../admission.ts";
import type { Store } from "../../store.ts";
import { refuse } from "../refusal.ts";
import type { Subject } from "./check.ts";
import { describe, isStricter, type LevelVersion, nameOf, policyOf, violations } from "./policy.ts";

// pod-security-admission/admission/admission.go

/** Subresources of pods that change nothing of what a pod may do. */
const harmless = new Set(["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"]);

/** Holds pods to the level that their namespace's labels ask for; workloads are warned about at once, not refused. */
export const podSecurity: AdmissionPlugin = {
  name: "PodSecurity",
  validate(attributes, store) {
    const { operation, resource } = attributes;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    if (resource === "namespaces") checkNamespace(attributes, store);
    else if (resource === "pods") checkPod(attributes, store);
    else checkWorkload(attributes, store);
  },
};

function checkPod(attributes: AdmissionAttributes, store: Store): void {
  const { object, old, operation, subresource } = attributes;
  if (harmless.has(subresource) || !object) return;
  if (operation === "UPDATE" && old && !isSignificant(object as Pod, old as Pod)) return;
  const { policy } = policyOf(labelsOf(attributes, store));
  const pod = object as Pod;
  const found = violations(policy.enforce, pod);
  if (found.length > 0)
    throw refuse(attributes, `violates PodSecurity "${nameOf(policy.enforce)}": ${describe(found)}`);
  warn(attributes, policy.warn, pod);
}

function checkWorkload(attributes: AdmissionAttributes, store: Store): void {
  const { object, resource, subresource } = attributes;
  if (subresource || !object) return;
  const template = templateOf(resource, object);
  if (!template?.spec) return;
  const { policy } = policyOf(labelsOf(attributes, store));
  warn(attributes, policy.warn, { metadata: template.metadata ?? {}, spec: template.spec });
}

function warn(attributes: AdmissionAttributes, level: LevelVersion, pod: Subject): void {
  const found = violations(level, pod);
  if (found.length > 0) attributes.warn(`would violate PodSecurity "${nameOf(level)}": ${describe(found)}`);
}

function labelsOf({ namespace }: AdmissionAttributes, store: Store): Readonly<Record<string, string>> {
  return store.get("namespaces", undefined, namespace ?? "")?.metadata.labels ?? {};
}

interface WithTemplate extends KubeObject {
  template?: PodTemplateSpec;
  spec?: { template?: PodTemplateSpec; jobTemplate?: { spec?: { template?: PodTemplateSpec } } };
}

const templated = new Set([
  "replicationcontrollers",
  "replicasets.apps",
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
]);

function templateOf(resource: string, object: KubeObject): PodTemplateSpec | undefined {
  const { spec, template } = object as WithTemplate;
  if (resource === "podtemplates") return template;
  if (resource === "cronjobs.batch") return spec?.jobTemplate?.spec?.template;
  return templated.has(resource) ? spec?.template : undefined;
}

/** Only images and containers change what a stored pod may do; the rest of its spec is fixed. */
function isSignificant({ spec }: Pod, { spec: old }: Pod): boolean {
  const key = (kind: "containers" | "initContainers" | "ephemeralContainers") => (from: Pod["spec"]) =>
    (from[kind] ?? []).map(({ image, name }) => `${kind === "ephemeralContainers" ? name : ""} ${image}`);
  return (["containers", "initContainers", "ephemeralContainers"] as const).some(
    (kind) => !deepEqual(key(kind)(spec), key(kind)(old)),
  );
}

function checkNamespace(attributes: AdmissionAttributes, store: Store): void {
  const { name, object, old, operation, subresource } = attributes;
  if (subresource || !object) return;
  const { faults, policy } = policyOf((object as Namespace).metadata.labels ?? {});
  const before = policyOf(old?.metadata.labels ?? {});
  const isNew = (all: readonly FieldFault[]) => operation === "CREATE" || !deepEqual(all, before.faults);
  if (faults.length > 0 && isNew(faults)) throw invalid("", "Namespace", name, faults);
  if (operation === "CREATE") return;
  const [now, then] = [policy.enforce, before.policy.enforce];
  if (now.level === "privileged" || deepEqual(now, then)) return;
  if (now.minor === then.minor && !isStricter(now, then)) return;
  for (const warning of existingPods(store, name, now)) attributes.warn(warning);
}

/** What a level that is enforced from now on would have refused. */
function existingPods(store: Store, namespace: string, level: LevelVersion): string[] {
  const names = new Map<string, string[]>();
  for (const pod of store.list<Pod>("pods", namespace)) {
    const reason = violations(level, pod)
      .map((violation) => violation.reason)
      .join(", ");
    if (reason) names.set(reason, [...(names.get(reason) ?? []), pod.metadata.name ?? ""]);
  }
  if (names.size === 0) return [];
  const lines = [...names].map(([reason, pods]) => {
    const [first = ""] = pods.sort();
    const others = pods.length - 1;
    const more = others === 0 ? "" : ` (and ${others} other pod${others === 1 ? "" : "s"})`;
    return `${first}${more}: ${reason}`;
  });
  return [
    `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${nameOf(level)}"`,
    ...lines.sort(),
  ];
}
