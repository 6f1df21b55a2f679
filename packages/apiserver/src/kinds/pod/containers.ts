import {
  type Container,
  type FieldFault,
  fieldFault,
  type PodSpec,
  type SecurityContext,
  type Volume,
} from "@dhow/kube";
import { goForm } from "../../validation/go-form.ts";
import { checkLabel1123, rangeMessage } from "../../validation/names.ts";
import { environmentFaults, environmentSourcesFaults } from "./environment.ts";
import { containerPortFaults, lifecycleFaults, probeFaults } from "./handlers.ts";
import { requirementFaults } from "./resources.ts";
import { descendingPathFaults, deviceFaults, mountFaults } from "./volumes.ts";

// validateContainers and its relations in pkg/apis/core/validation/validation.go

const { duplicate, forbidden, invalid, notFound, notSupported, required } = fieldFault;

type Volumes = ReadonlyMap<string, Volume>;

const pullPolicies = ["Always", "IfNotPresent", "Never"];
const terminationPolicies = ["File", "FallbackToLogsOnError"];
const largestId = 2 ** 31 - 1;

export function* containersFaults(spec: PodSpec, volumes: Volumes, at: string): Generator<FieldFault> {
  const containers = spec.containers ?? [];
  if (containers.length === 0) {
    yield required(at);
    return;
  }
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const place = `${at}[${index}]`;
    yield* containerFaults(container, volumes, place);
    if (names.has(container.name)) yield duplicate(`${place}.name`, container.name);
    names.add(container.name);
    yield* livingFaults(container, place, grace, spec.os?.name);
    yield* restartPolicyFaults(container, place);
  }
  yield* hostPortFaults(containers, at);
}

export function* initContainersFaults(spec: PodSpec, volumes: Volumes, at: string): Generator<FieldFault> {
  const names = new Set((spec.containers ?? []).map((container) => container.name));
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    const place = `${at}[${index}]`;
    yield* containerFaults(container, volumes, place);
    yield* restartPolicyFaults(container, place);
    if (names.has(container.name)) yield duplicate(`${place}.name`, container.name);
    if (container.name) names.add(container.name);
    yield* hostPortFaults([container], at);
    if (container.restartPolicy === "Always") {
      yield* livingFaults(container, place, spec.terminationGracePeriodSeconds ?? 0, spec.os?.name);
      continue;
    }
    for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
      if (!container[field]) continue;
      yield forbidden(`${place}.${field}`, "may not be set for init containers without restartPolicy=Always");
    }
  }
}

const ephemeralFields = ["ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] as const;

export function* ephemeralContainersFaults(spec: PodSpec, volumes: Volumes, at: string): Generator<FieldFault> {
  const others = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const names = new Set(others.map((container) => container.name));
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
    const place = `${at}[${index}]`;
    yield* containerFaults(container, volumes, place);
    if (names.has(container.name)) yield duplicate(`${place}.name`, container.name);
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.some((other) => other.name === target))
      yield notFound(`${place}.targetContainerName`, target);
    for (const field of ephemeralFields) {
      if (isEmpty(container[field])) continue;
      yield forbidden(`${place}.${field}`, "cannot be set for an Ephemeral Container");
    }
    for (const [mountIndex, mount] of (container.volumeMounts ?? []).entries()) {
      for (const field of ["subPath", "subPathExpr"] as const) {
        if (!mount[field]) continue;
        yield forbidden(`${place}.volumeMounts[${mountIndex}].${field}`, "cannot be set for an Ephemeral Container");
      }
    }
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

function* containerFaults(container: Container, volumes: Volumes, at: string): Generator<FieldFault> {
  if (!container.name) yield required(`${at}.name`);
  else for (const message of checkLabel1123(container.name)) yield invalid(`${at}.name`, container.name, message);
  if (!container.image) yield required(`${at}.image`);
  const policy = container.terminationMessagePolicy;
  if (!policy) yield required(`${at}.terminationMessagePolicy`);
  else if (!terminationPolicies.includes(policy)) {
    yield notSupported(`${at}.terminationMessagePolicy`, policy, terminationPolicies);
  }
  yield* containerPortFaults(container.ports ?? [], `${at}.ports`);
  yield* environmentFaults(container.env ?? [], `${at}.env`);
  yield* environmentSourcesFaults(container.envFrom ?? [], `${at}.envFrom`);
  const privileged = container.securityContext?.privileged === true;
  const devices = container.volumeDevices ?? [];
  yield* mountFaults(container.volumeMounts ?? [], devices, volumes, `${at}.volumeMounts`, privileged);
  yield* deviceFaults(devices, volumes, `${at}.volumeDevices`);
  if (!container.imagePullPolicy) yield required(`${at}.imagePullPolicy`);
  else if (!pullPolicies.includes(container.imagePullPolicy)) {
    yield notSupported(`${at}.imagePullPolicy`, container.imagePullPolicy, pullPolicies);
  }
  yield* requirementFaults(container.resources, `${at}.resources`);
  yield* securityContextFaults(container.securityContext, `${at}.securityContext`);
}

function* livingFaults(container: Container, at: string, grace: number, os: string | undefined): Generator<FieldFault> {
  yield* lifecycleFaults(container.lifecycle, `${at}.lifecycle`, grace, os);
  for (const kind of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    yield* probeFaults(container[kind], kind, at, grace);
  }
}

function* restartPolicyFaults(container: Container, at: string): Generator<FieldFault> {
  const policy = container.restartPolicy;
  if (policy === undefined) {
    if (container.restartPolicyRules?.length) {
      yield required(`${at}.restartPolicy`, "must specify restartPolicy when restart rules are used");
    }
  } else if (!["Always", "Never", "OnFailure"].includes(policy)) {
    yield notSupported(`${at}.restartPolicy`, policy, ["Always", "Never", "OnFailure"]);
  }
}

function* hostPortFaults(containers: readonly Container[], at: string): Generator<FieldFault> {
  const taken = new Set<string>();
  for (const [index, container] of containers.entries()) {
    for (const [portIndex, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (taken.has(key)) yield duplicate(`${at}[${index}].ports[${portIndex}].hostPort`, key);
      taken.add(key);
    }
  }
}

const contextFields = [
  "Capabilities Privileged SELinuxOptions WindowsOptions RunAsUser RunAsGroup RunAsNonRoot ReadOnlyRootFilesystem",
  "AllowPrivilegeEscalation ProcMount SeccompProfile AppArmorProfile",
].flatMap((names) => names.split(" "));

function* securityContextFaults(context: SecurityContext | undefined, at: string): Generator<FieldFault> {
  if (!context) return;
  yield* idFaults(context.runAsUser, `${at}.runAsUser`);
  yield* idFaults(context.runAsGroup, `${at}.runAsGroup`);
  if (context.procMount && !["Default", "Unmasked"].includes(context.procMount)) {
    yield notSupported(`${at}.procMount`, context.procMount, ["Default", "Unmasked"]);
  }
  yield* seccompFaults(context.seccompProfile, `${at}.seccompProfile`);
  if (context.allowPrivilegeEscalation !== false) return;
  const shown = goForm(context, contextFields);
  if (context.seccompProfile) shown["SeccompProfile"] = goForm(context.seccompProfile, ["Type", "LocalhostProfile"]);
  if (context.privileged) {
    yield invalid(at, shown, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
    yield invalid(at, shown, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

export function* idFaults(id: number | undefined, at: string): Generator<FieldFault> {
  if (id !== undefined && (id < 0 || id > largestId)) yield invalid(at, id, rangeMessage(0, largestId));
}

const seccompTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

export function* seccompFaults(
  profile: { type?: string; localhostProfile?: string } | undefined,
  at: string,
): Generator<FieldFault> {
  if (!profile) return;
  if (!profile.type) yield required(`${at}.type`, "type is required when seccompProfile is set");
  else if (!seccompTypes.includes(profile.type)) yield notSupported(`${at}.type`, profile.type, seccompTypes);
  if (profile.type === "Localhost") {
    if (profile.localhostProfile === undefined) {
      yield required(`${at}.localhostProfile`, "must be set when seccomp type is Localhost");
    } else yield* descendingPathFaults(profile.localhostProfile, `${at}.localhostProfile`);
  } else if (profile.localhostProfile !== undefined) {
    yield invalid(`${at}.localhostProfile`, profile, "can only be set when seccomp type is Localhost");
  }
}
