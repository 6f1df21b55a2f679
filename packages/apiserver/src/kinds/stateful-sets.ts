import { clone, deepEqual, type FieldFault, fieldFault, type PodTemplateSpec, type StatefulSet } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { goForm } from "../validation/go-form.ts";
import { nonNegative } from "../validation/metadata.ts";
import { checkLabel1123, labelName } from "../validation/names.ts";
import { claimSpecFaults } from "./persistent-volume-claim-spec.ts";
import { defaultPodSpec } from "./pod/defaults.ts";
import { everlastingFaults, selectorAndTemplateFaults } from "./pod-templates.ts";

// pkg/apis/apps/v1/defaults.go, ValidateStatefulSetSpec in pkg/apis/apps/validation/validation.go

const { forbidden, invalid, notSupported, required } = fieldFault;

const changeable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;

export const statefulSets: Strategy = {
  nameRule: labelName,
  hasGeneration: true,
  applyDefaults(object) {
    const { spec } = object as StatefulSet;
    if (!spec) return;
    spec.podManagementPolicy ||= "OrderedReady";
    const strategy = (spec.updateStrategy ??= {});
    if (!strategy.type) {
      strategy.type = "RollingUpdate";
      strategy.rollingUpdate ??= {};
    }
    if (strategy.type === "RollingUpdate" && strategy.rollingUpdate) {
      strategy.rollingUpdate.partition ??= 0;
    }
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
    retention.whenDeleted ||= "Retain";
    retention.whenScaled ||= "Retain";
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ??= "v1";
      claim.kind ??= "PersistentVolumeClaim";
      if (claim.spec) claim.spec.volumeMode ??= "Filesystem";
      claim.status ??= {};
      claim.status.phase ??= "Pending";
    }
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  // Behind a feature gate (MaxUnavailableStatefulSet) that a stock server has off.
  prepareForCreate: (object) => dropMaxUnavailable(object as StatefulSet),
  prepareForUpdate: (object) => dropMaxUnavailable(object as StatefulSet),
  validate: (object) => [...statefulSetFaults(object as StatefulSet)],
  validateUpdate: (object, old) => [...updateFaults(object as StatefulSet, old as StatefulSet)],
};

function dropMaxUnavailable({ spec }: StatefulSet): void {
  delete spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
}

function* statefulSetFaults({ spec }: StatefulSet): Generator<FieldFault> {
  const policy = spec?.podManagementPolicy;
  if (!policy) yield required("spec.podManagementPolicy");
  else if (policy !== "OrderedReady" && policy !== "Parallel") {
    yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
  }
  yield* strategyFaults(spec?.updateStrategy);
  for (const moment of ["whenDeleted", "whenScaled"] as const) {
    const wish = spec?.persistentVolumeClaimRetentionPolicy?.[moment];
    if (wish === undefined || wish === "Retain" || wish === "Delete") continue;
    yield notSupported(`spec.persistentVolumeClaimRetentionPolicy.${moment}`, wish, ["Retain", "Delete"]);
  }
  for (const [index, claim] of (spec?.volumeClaimTemplates ?? []).entries()) {
    yield* claimSpecFaults(claim.spec, `spec.volumeClaimTemplates[${index}].spec`);
  }
  yield* nonNegative(spec?.replicas, "spec.replicas");
  yield* nonNegative(spec?.minReadySeconds, "spec.minReadySeconds");
  yield* nonNegative(spec?.ordinals?.start, "spec.ordinals.start");
  if (spec?.serviceName) {
    for (const message of checkLabel1123(spec.serviceName))
      yield invalid("spec.serviceName", spec.serviceName, message);
  }
  const template = templateWithClaims(spec);
  yield* selectorAndTemplateFaults({ kind: "statefulset", selector: spec?.selector, template });
  yield* everlastingFaults(template, "StatefulSet");
}

/** Containers mount claims by the names of their templates, so for validation those are volumes. */
function templateWithClaims(spec: StatefulSet["spec"] | undefined): PodTemplateSpec | undefined {
  const claims = spec?.volumeClaimTemplates ?? [];
  if (!spec?.template?.spec) return spec?.template;
  const template = clone(spec.template);
  if (!template.spec) return template;
  const names = new Set(claims.map((claim) => claim.metadata?.name ?? ""));
  template.spec.volumes = [
    ...[...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...(template.spec.volumes ?? []).filter((volume) => !names.has(volume.name)),
  ];
  delete template.spec.hostname;
  delete template.spec.subdomain;
  return template;
}

function* strategyFaults(strategy: StatefulSet["spec"]["updateStrategy"]): Generator<FieldFault> {
  const at = "spec.updateStrategy";
  const rolling = strategy?.rollingUpdate;
  switch (strategy?.type) {
    case "OnDelete":
      if (rolling)
        yield invalid(
          `${at}.rollingUpdate`,
          goForm(rolling, ["Partition", "MaxUnavailable"]),
          "only allowed for updateStrategy 'RollingUpdate'",
        );
      break;
    case "RollingUpdate":
      yield* nonNegative(rolling?.partition, `${at}.rollingUpdate.partition`);
      break;
    default:
      yield invalid(at, goForm(strategy, ["Type", "RollingUpdate"]), "must be 'RollingUpdate' or 'OnDelete'");
  }
}

function* updateFaults(set: StatefulSet, old: StatefulSet): Generator<FieldFault> {
  const fixed = (spec: StatefulSet["spec"]) =>
    Object.fromEntries(Object.entries(spec).filter(([field]) => !(changeable as readonly string[]).includes(field)));
  if (deepEqual(fixed(set.spec), fixed(old.spec))) return;
  const names = `${changeable
    .slice(0, -1)
    .map((name) => `'${name}'`)
    .join(", ")} and '${changeable.at(-1)}'`;
  yield forbidden("spec", `updates to statefulset spec for fields other than ${names} are forbidden`);
}
