import { isGoodSeccomp, procMount, seccomp } from "./baseline.ts";
import {
  type Check,
  containersOf,
  hasOwnUsers,
  isWindows,
  namesWhere,
  quoted,
  setters,
  sortedSet,
  type Subject,
  these,
  type Violation,
} from "./check.ts";

// pod-security-admission/policy/check_*.go, level restricted

type Verdict = Violation | undefined;
type Test = (pod: Subject) => Verdict;

const unlessWindows =
  (test: Test): Test =>
  (pod) =>
    isWindows(pod) ? undefined : test(pod);
const unlessOwnUsers =
  (test: Test): Test =>
  (pod) =>
    hasOwnUsers(pod) ? undefined : test(pod);

function escalation(pod: Subject): Verdict {
  const containers = namesWhere(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (containers.length === 0) return undefined;
  const detail = `${these("container", containers)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: "allowPrivilegeEscalation != false", detail };
}

function capabilities(pod: Subject): Verdict {
  const keeping = namesWhere(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes("ALL"));
  const added = containersOf(pod).map(({ name, securityContext }) => ({
    name,
    which: (securityContext?.capabilities?.add ?? []).filter((capability) => capability !== "NET_BIND_SERVICE"),
  }));
  const adding = added.filter(({ which }) => which.length > 0);
  const details: string[] = [];
  if (keeping.length > 0)
    details.push(`${these("container", keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    const which = quoted(sortedSet(adding.flatMap((container) => container.which)));
    const names = adding.map(({ name }) => name);
    details.push(`${these("container", names)} must not include ${which} in securityContext.capabilities.add`);
  }
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
}

const allowedVolumes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

function volumes({ spec }: Subject): Verdict {
  const bad = (spec.volumes ?? []).filter(
    (volume) => !Object.keys(volume).some((field) => allowedVolumes.includes(field)),
  );
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map((volume) => Object.keys(volume).find((field) => field !== "name") ?? "unknown"));
  const verb = bad.length === 1 ? "uses" : "use";
  const names = bad.map(({ name }) => name);
  return {
    reason: "restricted volume types",
    detail: `${these("volume", names)} ${verb} ${these("restricted volume type", types)}`,
  };
}

function nonRoot(pod: Subject): Verdict {
  const own = pod.spec.securityContext?.runAsNonRoot;
  const reason = "runAsNonRoot != true";
  const explicit = namesWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  if (own === false || explicit.length > 0) {
    return { reason, detail: `${setters(own === false, explicit)} must not set securityContext.runAsNonRoot=false` };
  }
  const silent = own ? [] : namesWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${these("container", silent)} must set securityContext.runAsNonRoot=true` };
}

function user(pod: Subject): Verdict {
  const own = pod.spec.securityContext?.runAsUser === 0;
  const containers = namesWhere(pod, ({ securityContext }) => securityContext?.runAsUser === 0);
  if (!own && containers.length === 0) return undefined;
  return { reason: "runAsUser=0", detail: `${setters(own, containers)} must not set runAsUser=0` };
}

function seccompSet(pod: Subject): Verdict {
  const forbidden = seccomp(pod);
  if (forbidden) return forbidden;
  if (isGoodSeccomp(pod.spec.securityContext?.seccompProfile?.type)) return undefined;
  const silent = namesWhere(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const wish = `must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  return { reason: "seccompProfile", detail: `pod or ${these("container", silent)} ${wish}` };
}

export const restrictedChecks: readonly Check[] = [
  {
    id: "allowPrivilegeEscalation",
    versions: [
      [8, escalation],
      [25, unlessWindows(escalation)],
    ],
  },
  {
    id: "capabilities_restricted",
    overrides: "capabilities_baseline",
    versions: [
      [22, capabilities],
      [25, unlessWindows(capabilities)],
    ],
  },
  { id: "procMount_restricted", overrides: "procMount", versions: [[35, procMount]] },
  { id: "restrictedVolumes", overrides: "hostPathVolumes", versions: [[0, volumes]] },
  {
    id: "runAsNonRoot",
    versions: [
      [0, nonRoot],
      [35, unlessOwnUsers(nonRoot)],
    ],
  },
  {
    id: "runAsUser",
    versions: [
      [23, user],
      [35, unlessOwnUsers(user)],
    ],
  },
  {
    id: "seccompProfile_restricted",
    overrides: "seccompProfile_baseline",
    versions: [
      [19, seccompSet],
      [25, unlessWindows(seccompSet)],
    ],
  },
];
