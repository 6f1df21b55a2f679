import {
  type EnvFromSource,
  type EnvVar,
  type FieldFault,
  fieldFault,
  type ObjectFieldSelector,
  type ResourceFieldSelector,
} from "@dhow/kube";
import {
  checkConfigKey,
  checkEnvironmentName,
  checkLabel1123,
  checkQualifiedName,
  subdomainName,
} from "../../validation/names.ts";

// ValidateEnv and ValidateEnvFrom in pkg/apis/core/validation/validation.go

const { invalid, notSupported, required } = fieldFault;

const variableFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

const fileFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/** Fields that the API knows under these names; others cannot be converted at all (pkg/apis/core/pods/helpers.go). */
const knownFields = new Set([
  ...variableFields,
  ...fileFields,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);

const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

export function* environmentFaults(variables: readonly EnvVar[], at: string): Generator<FieldFault> {
  for (const [index, variable] of variables.entries()) {
    const place = `${at}[${index}]`;
    if (!variable.name) yield required(`${place}.name`);
    else {
      for (const message of checkEnvironmentName(variable.name)) yield invalid(`${place}.name`, variable.name, message);
    }
    yield* sourceFaults(variable, `${place}.valueFrom`);
  }
}

function* sourceFaults(variable: EnvVar, at: string): Generator<FieldFault> {
  const source = variable.valueFrom;
  if (!source) return;
  const { configMapKeyRef, fieldRef, fileKeyRef, resourceFieldRef, secretKeyRef } = source;
  if (fieldRef) yield* fieldReferenceFaults(fieldRef, variableFields, `${at}.fieldRef`);
  if (resourceFieldRef) yield* resourceReferenceFaults(resourceFieldRef, `${at}.resourceFieldRef`, false);
  if (configMapKeyRef) yield* keyFaults(configMapKeyRef, `${at}.configMapKeyRef`);
  if (secretKeyRef) yield* keyFaults(secretKeyRef, `${at}.secretKeyRef`);
  if (fileKeyRef) yield* fileKeyFaults(fileKeyRef, `${at}.fileKeyRef`);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (sources === 0) {
    const names = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    yield invalid(at, "", `must specify one of: ${names}`);
  } else if (variable.value) {
    yield invalid(at, "", "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    yield invalid(at, "", "may not have more than one field specified at a time");
  }
}

function* keyFaults(reference: { name?: string; key?: string }, at: string): Generator<FieldFault> {
  const { key, name = "" } = reference;
  for (const message of subdomainName(name, false)) yield invalid(`${at}.name`, name, message);
  if (!key) yield required(`${at}.key`);
  else for (const message of checkConfigKey(key)) yield invalid(`${at}.key`, key, message);
}

function* fileKeyFaults(
  reference: { key?: string; path?: string; volumeName?: string },
  at: string,
): Generator<FieldFault> {
  const { key, path, volumeName } = reference;
  if (!key) yield required(`${at}.key`);
  else for (const message of checkEnvironmentName(key)) yield invalid(`${at}.key`, key, message);
  if (!volumeName) yield required(`${at}.volumeName`);
  else for (const message of checkLabel1123(volumeName)) yield invalid(`${at}.volumeName`, volumeName, message);
  if (!path) yield required(`${at}.path`);
  else if (path.split("/").includes("..")) yield invalid(`${at}.path`, path, "must not contain '..'");
}

export function* fileReferenceFaults(
  file: { fieldRef?: ObjectFieldSelector; resourceFieldRef?: ResourceFieldSelector },
  at: string,
): Generator<FieldFault> {
  if (file.fieldRef) {
    yield* fieldReferenceFaults(file.fieldRef, fileFields, `${at}.fieldRef`);
    if (file.resourceFieldRef) {
      yield invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
    }
  } else if (file.resourceFieldRef) {
    yield* resourceReferenceFaults(file.resourceFieldRef, `${at}.resourceFieldRef`, true);
  } else {
    yield required(at, "one of fieldRef and resourceFieldRef is required");
  }
}

function* fieldReferenceFaults(
  reference: ObjectFieldSelector,
  supported: readonly string[],
  at: string,
): Generator<FieldFault> {
  const path = reference.fieldPath;
  if (!path) {
    yield required(`${at}.fieldPath`);
    return;
  }
  const [, field = path, key] = /^(.+)\['(.*)'\]$/.exec(path) ?? [];
  if (key !== undefined && (field === "metadata.annotations" || field === "metadata.labels")) {
    const name = field === "metadata.annotations" ? key.toLowerCase() : key;
    for (const message of checkQualifiedName(name)) yield invalid(at, name, message);
  } else if (key !== undefined || !knownFields.has(path)) {
    const reason = `error converting fieldPath: field label not supported: ${path}`;
    yield invalid(`${at}.fieldPath`, path, reason);
  } else if (!supported.includes(path)) {
    yield notSupported(`${at}.fieldPath`, path, supported);
  }
}

function* resourceReferenceFaults(
  reference: ResourceFieldSelector,
  at: string,
  inFile: boolean,
): Generator<FieldFault> {
  const { containerName, divisor } = reference;
  const resource = reference.resource ?? "";
  const hugePages = /^(limits|requests)\.hugepages-/.test(resource);
  if (inFile && !containerName) yield required(`${at}.containerName`);
  else if (!resource) yield required(`${at}.resource`);
  else if (!resourceFields.includes(resource) && !hugePages) {
    yield notSupported(`${at}.resource`, resource, resourceFields);
  }
  if (divisor === undefined || divisor === "0") return;
  const isCpu = resource.endsWith(".cpu");
  const fits = isCpu ? /^1m?$/.test(divisor) : /^1([kMGTPE]|[KMGTPE]i)?$/.test(divisor);
  if (fits) return;
  const values = isCpu ? "1m and 1" : "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
  const kind = isCpu
    ? "cpu"
    : resource.endsWith(".memory")
      ? "memory"
      : hugePages
        ? "hugepages"
        : "local ephemeral storage";
  yield invalid(`${at}.divisor`, resource, `only divisor's values ${values} are supported with the ${kind} resource`);
}

export function* environmentSourcesFaults(sources: readonly EnvFromSource[], at: string): Generator<FieldFault> {
  for (const [index, source] of sources.entries()) {
    const place = `${at}[${index}]`;
    if (source.prefix) {
      for (const message of checkEnvironmentName(source.prefix))
        yield invalid(`${place}.prefix`, source.prefix, message);
    }
    for (const kind of ["configMapRef", "secretRef"] as const) {
      const reference = source[kind];
      if (!reference) continue;
      if (!reference.name) yield required(`${place}.${kind}.name`);
      else {
        for (const message of subdomainName(reference.name, true)) {
          yield invalid(`${place}.${kind}.name`, reference.name, message);
        }
      }
    }
    if (!source.configMapRef && !source.secretRef) {
      yield invalid(at, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (source.configMapRef && source.secretRef) {
      yield invalid(at, "", "may not have more than one field specified at a time");
    }
  }
}
