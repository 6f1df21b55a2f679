import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from "@dhow/kube";
import { expand } from "./expansion.ts";
import { fieldValue, type PodFacts, resourceValue } from "./field-path.ts";
import { serviceVariables } from "./services.ts";

/** Reads the objects that a pod refers to; undefined where there is none. */
export interface ObjectReader {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly facts: PodFacts;
  readonly services: readonly Service[];
  readonly objects: ObjectReader;
}

/** A container cannot be made as its pod asks: reported as CreateContainerConfigError with this message. */
export class ContainerConfigError extends Error {}

const validName = /^[^\0=]+$/;

/** The environment that the pod gives a container, over what its image brings (makeEnvironmentVariables in pkg/kubelet/kubelet_pods.go). */
export async function containerEnvironment(input: EnvironmentInput): Promise<Record<string, string>> {
  const { pod, container } = input;
  const services = serviceVariables(input.services, pod.metadata.namespace ?? "", pod.spec.enableServiceLinks ?? true);
  const result = await fromSources(input);
  const own: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    const value = await variableValue(input, variable, (name) => own[name] ?? result[name] ?? services[name]);
    if (value !== undefined) own[variable.name] = value;
  }
  return { ...services, ...result, ...own };
}

async function variableValue(
  input: EnvironmentInput,
  variable: EnvVar,
  lookup: (name: string) => string | undefined,
): Promise<string | undefined> {
  const { pod, container, facts, objects } = input;
  const namespace = pod.metadata.namespace ?? "";
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? "", lookup);
  if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath, facts);
  if (from.resourceFieldRef) {
    const { containerName, resource, divisor } = from.resourceFieldRef;
    const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const other = containerName ? all.find(({ name }) => name === containerName) : container;
    if (!other) throw new ContainerConfigError(`container ${containerName} not found`);
    return resourceValue(other, resource, divisor, facts);
  }
  if (from.configMapKeyRef) {
    const { name = "", key, optional } = from.configMapKeyRef;
    const map = await objects.configMap(namespace, name);
    const value = map?.data?.[key];
    if (value !== undefined || optional) return value;
    if (!map) throw new ContainerConfigError(`configmap "${name}" not found`);
    throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (from.secretKeyRef) {
    const { name = "", key, optional } = from.secretKeyRef;
    const secret = await objects.secret(namespace, name);
    const value = secret?.data?.[key];
    if (value !== undefined) return Buffer.from(value, "base64").toString();
    if (optional) return undefined;
    if (!secret) throw new ContainerConfigError(`secret "${name}" not found`);
    throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  return undefined;
}

async function fromSources({ pod, container, objects }: EnvironmentInput): Promise<Record<string, string>> {
  const namespace = pod.metadata.namespace ?? "";
  const result: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    const { name = "", optional } = source.configMapRef ?? source.secretRef ?? {};
    const kind = source.configMapRef ? "configmap" : "secret";
    const found = source.configMapRef
      ? await objects.configMap(namespace, name)
      : await objects.secret(namespace, name);
    if (!found && !optional) throw new ContainerConfigError(`${kind} "${name}" not found`);
    for (const [key, raw] of Object.entries(found?.data ?? {})) {
      const value = source.configMapRef ? raw : Buffer.from(raw, "base64").toString();
      if (validName.test(key)) result[(source.prefix ?? "") + key] = value;
    }
  }
  return result;
}
