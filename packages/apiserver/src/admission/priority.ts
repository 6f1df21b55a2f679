import type { Pod, PriorityClass } from "@dhow/kube";
import type { AdmissionPlugin } from "../admission.ts";
import type { Store } from "../store.ts";
import { refuse } from "./refusal.ts";

// plugin/pkg/admission/priority/admission.go

const classes = "priorityclasses.scheduling.k8s.io";

/** Puts a pod's priority in numbers, and sees to it that there is one default class at most. */
export const priority: AdmissionPlugin = {
  name: "Priority",
  admit(attributes, store) {
    const { object, old, operation, resource, subresource } = attributes;
    if (resource !== "pods" || subresource || !object) return;
    const { spec } = object as Pod;
    if (operation === "UPDATE") {
      // A client that knows neither field must not lose them.
      const { preemptionPolicy, priority } = (old as Pod).spec;
      if (priority !== undefined) spec.priority ??= priority;
      if (preemptionPolicy !== undefined) spec.preemptionPolicy ??= preemptionPolicy;
    }
    if (operation !== "CREATE") return;
    const wanted = spec.priorityClassName;
    const found = wanted ? store.get<PriorityClass>(classes, undefined, wanted) : defaultClass(store);
    if (wanted && !found) throw refuse(attributes, `no PriorityClass with name ${wanted} was found`);
    if (found && !wanted) spec.priorityClassName = found.metadata.name ?? "";
    const value = found?.value ?? 0;
    if (spec.priority !== undefined && spec.priority !== value) {
      const message = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
      throw refuse(attributes, message);
    }
    const policy = found?.preemptionPolicy ?? "PreemptLowerPriority";
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
      const message = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
      throw refuse(attributes, message);
    }
    spec.priority = value;
    spec.preemptionPolicy = policy;
  },
  validate(attributes, store) {
    const { object, operation, resource } = attributes;
    if (resource !== classes || operation === "DELETE" || !object) return;
    const wish = object as PriorityClass;
    const other = wish.globalDefault ? defaultClass(store) : undefined;
    if (!other || other.metadata.name === wish.metadata.name) return;
    const message = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
    throw refuse(attributes, message);
  },
};

function defaultClass(store: Store): PriorityClass | undefined {
  return store
    .list<PriorityClass>(classes)
    .filter((candidate) => candidate.globalDefault)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}
