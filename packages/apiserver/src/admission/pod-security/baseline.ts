import type { Container } from "@dhow/kube";
import {
  type Check,
  containersOf,
  hasOwnUsers,
  namesWhere,
  quoted,
  setters,
  sortedSet,
  type Subject,
  these,
  type Violation,
} from "./check.ts";

// pod-security-admission/policy/check_*.go, level baseline

type Verdict = Violation | undefined;

const defaultCapabilities = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  ),
);

function appArmor(pod: Subject): Verdict {
  const allowed = ["RuntimeDefault", "Localhost"];
  const isBad = (type: string | undefined) => type !== undefined && !allowed.includes(type);
  const own = pod.spec.securityContext?.appArmorProfile?.type;
  const containers = namesWhere(pod, ({ securityContext }) => isBad(securityContext?.appArmorProfile?.type));
  const values = sortedSet([
    ...(isBad(own) && own ? [own] : []),
    ...containersOf(pod)
      .map(({ securityContext }) => securityContext?.appArmorProfile?.type)
      .filter((type) => type !== undefined)
      .filter(isBad),
  ]);
  const annotations = Object.entries(pod.metadata.annotations ?? {})
    .filter(
      ([key, value]) => key.startsWith("container.apparmor.security.beta.kubernetes.io/") && isBadAnnotation(value),
    )
    .map(([key, value]) => `${key}="${value}"`)
    .sort();
  const who = [
    ...(isBad(own) ? ["pod"] : []),
    ...(containers.length > 0 ? [these("container", containers)] : []),
    ...(annotations.length > 0 ? [annotations.length === 1 ? "annotation" : "annotations"] : []),
  ];
  if (who.length === 0) return undefined;
  const all = [...values, ...annotations];
  return {
    reason: `forbidden AppArmor profile${all.length === 1 ? "" : "s"}`,
    detail: `${who.join(" and ")} must not set AppArmor profile type to ${quoted(all)}`,
  };
}

function isBadAnnotation(profile: string): boolean {
  return profile !== "" && profile !== "runtime/default" && !profile.startsWith("localhost/");
}

function capabilities(pod: Subject): Verdict {
  const added = ({ securityContext }: Container) =>
    (securityContext?.capabilities?.add ?? []).filter((capability) => !defaultCapabilities.has(capability));
  const containers = namesWhere(pod, (container) => added(container).length > 0);
  if (containers.length === 0) return undefined;
  const which = quoted(sortedSet(containersOf(pod).flatMap(added)));
  const detail = `${these("container", containers)} must not include ${which} in securityContext.capabilities.add`;
  return { reason: "non-default capabilities", detail };
}

function hostNamespaces({ spec }: Subject): Verdict {
  const fields = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field]);
  return fields.length === 0
    ? undefined
    : { reason: "host namespaces", detail: fields.map((field) => `${field}=true`).join(", ") };
}

function hostPaths({ spec }: Subject): Verdict {
  const volumes = (spec.volumes ?? []).filter((volume) => volume.hostPath).map(({ name }) => name);
  return volumes.length === 0 ? undefined : { reason: "hostPath volumes", detail: these("volume", volumes) };
}

function hostPorts(pod: Subject): Verdict {
  const portsOf = ({ ports = [] }: Container) => ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const containers = namesWhere(pod, (container) => portsOf(container).length > 0);
  if (containers.length === 0) return undefined;
  const ports = sortedSet(containersOf(pod).flatMap(portsOf));
  const verb = containers.length === 1 ? "uses" : "use";
  const detail = `${these("container", containers)} ${verb} hostPort${ports.length === 1 ? "" : "s"} ${ports.join(", ")}`;
  return { reason: "hostPort", detail };
}

function hostProbes(pod: Subject): Verdict {
  const hostsOf = ({ lifecycle, livenessProbe, readinessProbe, startupProbe }: Container) =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap((handler) =>
      [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host) => host !== undefined && host !== ""),
    ) as string[];
  const containers = sortedSet(namesWhere(pod, (container) => hostsOf(container).length > 0));
  if (containers.length === 0) return undefined;
  const hosts = sortedSet(containersOf(pod).flatMap(hostsOf));
  const verb = containers.length === 1 ? "uses" : "use";
  return {
    reason: "probe or lifecycle host",
    detail: `${these("container", containers)} ${verb} ${these("probe or lifecycle host", hosts)}`,
  };
}

function privileged(pod: Subject): Verdict {
  const containers = namesWhere(pod, ({ securityContext }) => securityContext?.privileged === true);
  if (containers.length === 0) return undefined;
  return {
    reason: "privileged",
    detail: `${these("container", containers)} must not set securityContext.privileged=true`,
  };
}

export function procMount(pod: Subject): Verdict {
  const isBad = ({ securityContext }: Container) => (securityContext?.procMount ?? "Default") !== "Default";
  const containers = namesWhere(pod, isBad);
  if (containers.length === 0) return undefined;
  const types = sortedSet(
    containersOf(pod)
      .filter(isBad)
      .map(({ securityContext }) => securityContext?.procMount ?? ""),
  );
  return {
    reason: "procMount",
    detail: `${these("container", containers)} must not set securityContext.procMount to ${quoted(types)}`,
  };
}

interface SelinuxOptions {
  readonly type?: string;
  readonly user?: string;
  readonly role?: string;
}

function selinux(allowedTypes: readonly string[]) {
  const isBad = (options: SelinuxOptions | undefined) =>
    options !== undefined &&
    (!allowedTypes.includes(options.type ?? "") || Boolean(options.user) || Boolean(options.role));
  return (pod: Subject): Verdict => {
    const own = pod.spec.securityContext?.seLinuxOptions;
    const containers = namesWhere(pod, ({ securityContext }) => isBad(securityContext?.seLinuxOptions));
    if (!isBad(own) && containers.length === 0) return undefined;
    const all = [own, ...containersOf(pod).map(({ securityContext }) => securityContext?.seLinuxOptions)];
    const types = sortedSet(all.map((options) => options?.type ?? "").filter((type) => !allowedTypes.includes(type)));
    const faults = [
      ...(types.length > 0 ? [these("type", types)] : []),
      ...(all.some((options) => options?.user) ? ["user may not be set"] : []),
      ...(all.some((options) => options?.role) ? ["role may not be set"] : []),
    ];
    const detail = `${setters(isBad(own), containers)} set forbidden securityContext.seLinuxOptions: ${faults.join("; ")}`;
    return { reason: "seLinuxOptions", detail };
  };
}

const selinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t"];

export function isGoodSeccomp(type: string | undefined): boolean {
  return type === "RuntimeDefault" || type === "Localhost";
}

/** Who sets a seccomp profile that no level but `privileged` allows. */
export function seccomp(pod: Subject): Verdict {
  const isBad = (profile: { type?: string } | undefined) => profile !== undefined && !isGoodSeccomp(profile.type);
  const own = pod.spec.securityContext?.seccompProfile;
  const containers = namesWhere(pod, ({ securityContext }) => isBad(securityContext?.seccompProfile));
  if (!isBad(own) && containers.length === 0) return undefined;
  const all = [own, ...containersOf(pod).map(({ securityContext }) => securityContext?.seccompProfile)].filter(isBad);
  const values = quoted(sortedSet(all.map((profile) => profile?.type ?? "")));
  const detail = `${setters(isBad(own), containers)} must not set securityContext.seccompProfile.type to ${values}`;
  return { reason: "seccompProfile", detail };
}

function seccompAnnotations(pod: Subject): Verdict {
  const isGood = (value: string) =>
    ["runtime/default", "docker/default"].includes(value) || value.startsWith("localhost/");
  const names = new Set(containersOf(pod).map(({ name }) => `container.seccomp.security.alpha.kubernetes.io/${name}`));
  const bad = Object.entries(pod.metadata.annotations ?? {})
    .filter(([key, value]) => (key === "seccomp.security.alpha.kubernetes.io/pod" || names.has(key)) && !isGood(value))
    .map(([key, value]) => `${key}="${value}"`)
    .sort();
  if (bad.length === 0) return undefined;
  return { reason: "seccompProfile", detail: `forbidden annotation${bad.length === 1 ? "" : "s"} ${bad.join(", ")}` };
}

function sysctls(allowed: ReadonlySet<string>) {
  return ({ spec }: Subject): Verdict => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.has(name));
    return names.length === 0 ? undefined : { reason: "forbidden sysctls", detail: names.join(", ") };
  };
}

const sysctlsFrom0 =
  "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start".split(
    " ",
  );
const sysctlsFrom27 = [...sysctlsFrom0, "net.ipv4.ip_local_reserved_ports"];
const keepalive =
  "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes";
const sysctlsFrom29 = [...sysctlsFrom27, ...keepalive.split(" ")];
const sysctlsFrom32 = [...sysctlsFrom29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

function hostProcess(pod: Subject): Verdict {
  const own = pod.spec.securityContext?.windowsOptions?.hostProcess === true;
  const containers = namesWhere(pod, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  if (!own && containers.length === 0) return undefined;
  return {
    reason: "hostProcess",
    detail: `${setters(own, containers)} must not set securityContext.windowsOptions.hostProcess=true`,
  };
}

/** In the order in which they are named: by id. */
export const baselineChecks: readonly Check[] = [
  { id: "appArmorProfile", versions: [[0, appArmor]] },
  { id: "capabilities_baseline", versions: [[0, capabilities]] },
  { id: "hostNamespaces", versions: [[0, hostNamespaces]] },
  { id: "hostPathVolumes", versions: [[0, hostPaths]] },
  { id: "hostPorts", versions: [[0, hostPorts]] },
  { id: "hostProbesAndHostLifecycle", versions: [[34, hostProbes]] },
  { id: "privileged", versions: [[0, privileged]] },
  {
    id: "procMount",
    versions: [
      [0, procMount],
      [35, (pod) => (hasOwnUsers(pod) ? undefined : procMount(pod))],
    ],
  },
  {
    id: "seLinuxOptions",
    versions: [
      [0, selinux(selinuxTypes)],
      [31, selinux([...selinuxTypes, "container_engine_t"])],
    ],
  },
  {
    id: "seccompProfile_baseline",
    versions: [
      [0, seccompAnnotations],
      [19, seccomp],
    ],
  },
  {
    id: "sysctls",
    versions: [
      [0, sysctls(new Set(sysctlsFrom0))],
      [27, sysctls(new Set(sysctlsFrom27))],
      [29, sysctls(new Set(sysctlsFrom29))],
      [32, sysctls(new Set(sysctlsFrom32))],
    ],
  },
  { id: "windowsHostProcess", versions: [[0, hostProcess]] },
];
