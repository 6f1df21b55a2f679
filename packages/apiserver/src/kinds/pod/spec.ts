import { type FieldFault, fieldFault, type ObjectMeta, type PodSpec } from "@dhow/kube";
import { isIP } from "node:net";
import { annotationFaults, labelFaults, oneOf } from "../../validation/metadata.ts";
import { checkLabel1123, checkQualifiedName, rangeMessage, subdomainName } from "../../validation/names.ts";
import {
  containersFaults,
  ephemeralContainersFaults,
  idFaults,
  initContainersFaults,
  seccompFaults,
} from "./containers.ts";
import { affinityFaults, spreadFaults, tolerationFaults } from "./scheduling.ts";
import { volumeFaults } from "./volumes.ts";

// ValidatePodSpec in pkg/apis/core/validation/validation.go

const { duplicate, forbidden, invalid, notSupported, required } = fieldFault;

const largestInt32 = 2 ** 31 - 1;

export interface PodSpecRules {
  /** The pod's own metadata; templates have none. */
  readonly metadata?: ObjectMeta | undefined;
  readonly isPod: boolean;
}

export function* podSpecFaults(spec: PodSpec, at: string, rules: PodSpecRules): Generator<FieldFault> {
  if (spec.terminationGracePeriodSeconds === undefined) yield required(`${at}.terminationGracePeriodSeconds`);
  const volumes = yield* volumeFaults(spec.volumes ?? [], `${at}.volumes`, rules.metadata?.name);
  yield* containersFaults(spec, volumes, `${at}.containers`);
  yield* initContainersFaults(spec, volumes, `${at}.initContainers`);
  yield* ephemeralContainersFaults(spec, volumes, `${at}.ephemeralContainers`);
  yield* hostNetworkFaults(spec, `${at}.containers`, rules.isPod);
  yield* oneOf(spec.restartPolicy, ["Always", "OnFailure", "Never"], `${at}.restartPolicy`);
  yield* oneOf(spec.dnsPolicy, ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], `${at}.dnsPolicy`);
  yield* labelFaults(spec.nodeSelector, `${at}.nodeSelector`);
  yield* securityFaults(spec, at);
  yield* affinityFaults(spec.affinity, `${at}.affinity`);
  yield* dnsFaults(spec, `${at}.dnsConfig`);
  for (const [index, gate] of (spec.readinessGates ?? []).entries()) {
    const type = gate.conditionType ?? "";
    for (const message of checkQualifiedName(type)) {
      yield invalid(`${at}.readinessGates[${index}].conditionType`, type, message);
    }
  }
  yield* gateFaults(spec, `${at}.schedulingGates`);
  yield* spreadFaults(spec.topologySpreadConstraints ?? [], `${at}.topologySpreadConstraints`);
  yield* nameFaults(spec, at);
  yield* tolerationFaults(spec.tolerations ?? [], `${at}.tolerations`);
  yield* aliasFaults(spec, `${at}.hostAliases`);
  yield* classFaults(spec, at);
}

function* nameFaults(spec: PodSpec, at: string): Generator<FieldFault> {
  for (const field of ["serviceAccountName", "nodeName"] as const) {
    const name = spec[field];
    if (!name) continue;
    for (const message of subdomainName(name, false)) yield invalid(`${at}.${field}`, name, message);
  }
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > largestInt32)) {
    yield invalid(`${at}.activeDeadlineSeconds`, deadline, rangeMessage(1, largestInt32));
  }
  for (const field of ["hostname", "subdomain"] as const) {
    const name = spec[field];
    if (!name) continue;
    for (const message of checkLabel1123(name)) yield invalid(`${at}.${field}`, name, message);
  }
}

function* classFaults(spec: PodSpec, at: string): Generator<FieldFault> {
  if (spec.priorityClassName) {
    for (const message of subdomainName(spec.priorityClassName, false)) {
      yield invalid(`${at}.priorityClassName`, spec.priorityClassName, message);
    }
  }
  if (spec.runtimeClassName !== undefined) {
    for (const message of subdomainName(spec.runtimeClassName, false)) {
      yield invalid(`${at}.runtimeClassName`, spec.runtimeClassName, message);
    }
  }
  if (spec.preemptionPolicy !== undefined) {
    yield* oneOf(spec.preemptionPolicy, ["PreemptLowerPriority", "Never"], `${at}.preemptionPolicy`);
  }
  const system = spec.os?.name;
  if (!spec.os) return;
  if (!system) yield required(`${at}.os.name`, "cannot be empty");
  else if (!["linux", "windows"].includes(system)) yield notSupported(`${at}.os`, system, ["linux", "windows"]);
}

function* hostNetworkFaults(spec: PodSpec, at: string, isPod: boolean): Generator<FieldFault> {
  if (!spec.hostNetwork) return;
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [portIndex, port] of (container.ports ?? []).entries()) {
      const hostPort = port.hostPort ?? 0;
      if ((isPod || hostPort !== 0) && hostPort !== port.containerPort) {
        const message = "must match `containerPort` when `hostNetwork` is true";
        yield invalid(`${at}[${index}].ports[${portIndex}].hostPort`, hostPort, message);
      }
    }
  }
}

/** IsValidSysctlName in pkg/apis/core/validation */
const sysctlName = /^(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/;
const sysctlRule =
  "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

function* securityFaults(spec: PodSpec, at: string): Generator<FieldFault> {
  const context = spec.securityContext;
  const place = `${at}.securityContext`;
  if (!context) return;
  yield* idFaults(context.fsGroup, `${place}.fsGroup`);
  yield* idFaults(context.runAsUser, `${place}.runAsUser`);
  yield* idFaults(context.runAsGroup, `${place}.runAsGroup`);
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    yield* idFaults(group, `${place}.supplementalGroups[${index}]`);
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    yield invalid(`${place}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  const names = new Set<string>();
  for (const [index, { name }] of (context.sysctls ?? []).entries()) {
    if (!name) yield required(`${place}.sysctls[${index}].name`);
    else if (name.length > 253 || !sysctlName.test(name))
      yield invalid(`${place}.sysctls[${index}].name`, name, sysctlRule);
    else if (names.has(name)) yield duplicate(`${place}.sysctls[${index}].name`, name);
    names.add(name);
  }
  const policies = ["Always", "OnRootMismatch"];
  if (context.fsGroupChangePolicy && !policies.includes(context.fsGroupChangePolicy)) {
    yield notSupported(`${place}.fsGroupChangePolicy`, context.fsGroupChangePolicy, policies);
  }
  yield* seccompFaults(context.seccompProfile, `${place}.seccompProfile`);
}

function* dnsFaults(spec: PodSpec, at: string): Generator<FieldFault> {
  const { dnsConfig } = spec;
  const nameservers = dnsConfig?.nameservers ?? [];
  if (spec.dnsPolicy === "None") {
    if (!dnsConfig) yield required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
    else if (nameservers.length === 0) {
      yield required(`${at}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
    if (nameservers.length === 0) return;
  }
  if (nameservers.length > 3) yield invalid(`${at}.nameservers`, nameservers, "must not have more than 3 nameservers");
  for (const [index, address] of nameservers.entries()) {
    if (isIP(address) === 0) {
      yield invalid(
        `${at}.nameservers[${index}]`,
        address,
        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
      );
    }
  }
  const searches = dnsConfig?.searches ?? [];
  if (searches.length > 32) yield invalid(`${at}.searches`, searches, "must not have more than 32 search paths");
  if (searches.join(" ").length > 2048) {
    const message = "must not have more than 2048 characters (including spaces) in the search list";
    yield invalid(`${at}.searches`, searches, message);
  }
  for (const [index, option] of (dnsConfig?.options ?? []).entries()) {
    if (!option.name) yield required(`${at}.options[${index}]`, "must not be empty");
  }
}

function* gateFaults(spec: PodSpec, at: string): Generator<FieldFault> {
  const names = new Set<string>();
  for (const [index, { name = "" }] of (spec.schedulingGates ?? []).entries()) {
    for (const message of checkQualifiedName(name)) yield invalid(`${at}[${index}]`, name, message);
    if (names.has(name)) yield duplicate(`${at}[${index}]`, name);
    names.add(name);
  }
}

function* aliasFaults(spec: PodSpec, at: string): Generator<FieldFault> {
  for (const [index, alias] of (spec.hostAliases ?? []).entries()) {
    if (isIP(alias.ip ?? "") === 0) {
      yield invalid(`${at}[${index}].ip`, alias.ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
    for (const [nameIndex, name] of (alias.hostnames ?? []).entries()) {
      for (const message of subdomainName(name, false))
        yield invalid(`${at}[${index}].hostnames[${nameIndex}]`, name, message);
    }
  }
}

interface Template {
  metadata?: ObjectMeta;
  spec?: PodSpec;
}

/** A workload's pod template, without what its selector demands. */
export function* podTemplateFaults(template: Template, at: string): Generator<FieldFault> {
  yield* labelFaults(template.metadata?.labels, `${at}.labels`);
  yield* annotationFaults(template.metadata?.annotations ?? {}, `${at}.annotations`);
  yield* podAnnotationFaults(template.metadata, template.spec ?? { containers: [] }, `${at}.annotations`);
  yield* podSpecFaults(template.spec ?? { containers: [] }, `${at}.spec`, { isPod: false });
  if ((template.spec?.ephemeralContainers ?? []).length > 0) {
    yield forbidden(`${at}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template");
  }
}

export function* podAnnotationFaults(
  metadata: ObjectMeta | undefined,
  spec: PodSpec,
  at: string,
): Generator<FieldFault> {
  const annotations = metadata?.annotations ?? {};
  const mirror = annotations["kubernetes.io/config.mirror"];
  if (mirror !== undefined && !spec.nodeName) {
    const message = "must set spec.nodeName if mirror pod annotation is set";
    yield invalid(`${at}[kubernetes.io/config.mirror]`, mirror, message);
  }
  const key = "controller.kubernetes.io/pod-deletion-cost";
  const cost = annotations[key];
  if (cost === undefined) return;
  const isInt32 =
    /^-?(0|[1-9][0-9]*)$/.test(cost) && Math.abs(Number(cost)) <= 2 ** 31 - (cost.startsWith("-") ? 0 : 1);
  if (!isInt32) yield invalid(`${at}[${key}]`, cost, "must be a 32bit integer");
}
