import type { Container, Pod, PodSpec, Probe, Volume } from "@dhow/kube";

// pkg/apis/core/v1/defaults.go and zz_generated.defaults.go

/** What a pod gets beyond its spec's own defaults; templates of pods do not. */
export function defaultPod(pod: Pod): void {
  const { spec, status } = pod;
  for (const condition of status?.conditions ?? []) {
    // On the wire always, if only as null.
    const times = condition as { lastProbeTime?: unknown; lastTransitionTime?: unknown };
    for (const field of ["lastProbeTime", "lastTransitionTime"] as const) times[field] ??= null;
  }
  if (!spec) return;
  defaultPodSpec(spec);
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const limits = container.resources?.limits;
    if (limits && container.resources) container.resources.requests = { ...limits, ...container.resources.requests };
    if (!spec.hostNetwork) continue;
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
}

export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  // The deprecated name of the same field; the newer one wins (pkg/apis/core/v1/conversion.go).
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
}

function defaultContainer(container: Container): void {
  container.imagePullPolicy ||= pullsAlways(container.image ?? "") ? "Always" : "IfNotPresent";
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const variable of container.env ?? []) {
    if (variable.valueFrom?.fieldRef) variable.valueFrom.fieldRef.apiVersion ||= "v1";
    if (variable.valueFrom?.resourceFieldRef) variable.valueFrom.resourceFieldRef.divisor ??= "0";
    if (variable.valueFrom?.fileKeyRef) variable.valueFrom.fileKeyRef.optional ??= false;
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) defaultProbe(probe);
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler?.httpGet) defaultHttpGet(handler.httpGet);
  }
}

/** Whether a reference without a digest has the tag `latest`, or none. */
export function pullsAlways(image: string): boolean {
  if (image.includes("@")) return image.slice(0, image.indexOf("@")).endsWith(":latest");
  const name = image.slice(image.lastIndexOf("/") + 1);
  return !name.includes(":") || name.endsWith(":latest");
}

function defaultProbe(probe: Probe | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet) defaultHttpGet(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= "";
}

function defaultHttpGet(action: { path?: string; scheme?: string }): void {
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

const readableByAll = 0o644;

function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((field) => field === "name")) volume.emptyDir = {};
  if (volume.secret) volume.secret.defaultMode ??= readableByAll;
  if (volume.configMap) volume.configMap.defaultMode ??= readableByAll;
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.image) {
    volume.image.pullPolicy ||= pullsAlways(volume.image.reference ?? "") ? "Always" : "IfNotPresent";
  }
  if (volume.ephemeral?.volumeClaimTemplate?.spec)
    volume.ephemeral.volumeClaimTemplate.spec.volumeMode ??= "Filesystem";
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= readableByAll;
    for (const file of volume.downwardAPI.items ?? []) defaultDownwardFile(file);
  }
  if (!volume.projected) return;
  volume.projected.defaultMode ??= readableByAll;
  for (const source of volume.projected.sources ?? []) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
    for (const file of source.downwardAPI?.items ?? []) defaultDownwardFile(file);
  }
}

function defaultDownwardFile(file: {
  fieldRef?: { apiVersion?: string };
  resourceFieldRef?: { divisor?: string };
}): void {
  if (file.fieldRef) file.fieldRef.apiVersion ||= "v1";
  if (file.resourceFieldRef) file.resourceFieldRef.divisor ??= "0";
}
