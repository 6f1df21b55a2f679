import type { ControllerRevision, PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet } from "@dhow/kube";
import { nameOf, namespaceOf } from "../objects.ts";
import { podFromTemplate } from "../pod-control.ts";

export const revisionLabel = "controller-revision-hash";
const podNameLabel = "statefulset.kubernetes.io/pod-name";
const podIndexLabel = "apps.kubernetes.io/pod-index";

export function podName(set: StatefulSet, ordinal: number): string {
  return `${nameOf(set)}-${ordinal}`;
}

/** The ordinal of a pod of this set; undefined for a name that is not one of its. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${nameOf(set)}-`;
  const rest = nameOf(pod).startsWith(prefix) ? nameOf(pod).slice(prefix.length) : "";
  return /^\d+$/.test(rest) ? Number(rest) : undefined;
}

export function claimName(template: PersistentVolumeClaim, set: StatefulSet, ordinal: number): string {
  return `${nameOf(template)}-${nameOf(set)}-${ordinal}`;
}

/** The template that a revision recorded. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const data = revision.data as { spec: { template: PodTemplateSpec & { $patch?: string } } };
  const { $patch: _, ...template } = data.spec.template;
  return template;
}

/** The pod of an ordinal at a revision: stable name, host name, labels and claims (stateful_set_utils.go, newVersionedStatefulSetPod). */
export function buildPod(set: StatefulSet, revision: ControllerRevision, ordinal: number): Pod {
  const name = podName(set, ordinal);
  const pod = podFromTemplate(set, templateOf(revision), name);
  return withStorage(set, ordinal, {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        [revisionLabel]: nameOf(revision),
        [podNameLabel]: name,
        [podIndexLabel]: String(ordinal),
      },
    },
    spec: { ...pod.spec, hostname: name, ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}) },
  });
}

function withStorage(set: StatefulSet, ordinal: number, pod: Pod): Pod {
  const templates = set.spec.volumeClaimTemplates ?? [];
  const own = templates.map((template) => ({
    name: nameOf(template),
    persistentVolumeClaim: { claimName: claimName(template, set, ordinal) },
  }));
  const names = new Set(own.map(({ name }) => name));
  const volumes = [...own, ...(pod.spec.volumes ?? []).filter(({ name }) => !names.has(name))];
  return volumes.length === 0 ? pod : { ...pod, spec: { ...pod.spec, volumes } };
}

/** The claims of an ordinal, as the templates ask for them. */
export function buildClaims(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    ...template,
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...template.metadata,
      name: claimName(template, set, ordinal),
      namespace: namespaceOf(set),
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
    },
  }));
}
