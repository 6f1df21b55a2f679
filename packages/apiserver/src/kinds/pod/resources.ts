import { type FieldFault, fieldFault, type ResourceRequirements } from "@dhow/kube";
import { sorted } from "../../validation/metadata.ts";
import { checkQualifiedName } from "../../validation/names.ts";
import { compareQuantities, wholeUnits } from "../../validation/quantities.ts";

// validateResourceRequirements in pkg/apis/core/validation/validation.go; names in pkg/apis/core/helper/helpers.go

const { forbidden, invalid, required } = fieldFault;

const containerResources = new Set(["cpu", "memory", "ephemeral-storage"]);
/** Unqualified names that mean something somewhere, though not in a container. */
const standardResources = new Set(
  [
    "cpu memory ephemeral-storage storage pods",
    "requests.cpu requests.memory requests.storage requests.ephemeral-storage",
    "limits.cpu limits.memory limits.ephemeral-storage",
    "resourcequotas services services.nodeports services.loadbalancers replicationcontrollers",
    "secrets configmaps persistentvolumeclaims",
  ].flatMap((names) => names.split(" ")),
);

export function isHugePages(resource: string): boolean {
  return resource.startsWith("hugepages-");
}

/** Whether requests may be lower than limits: native resources other than huge pages. */
function mayOvercommit(resource: string): boolean {
  return (
    (!resource.includes("/") || resource.split("/")[0]?.endsWith("kubernetes.io") === true) && !isHugePages(resource)
  );
}

export function* resourceNameFaults(resource: string, at: string): Generator<FieldFault> {
  const messages = checkQualifiedName(resource);
  for (const message of messages) yield invalid(at, resource, message);
  if (messages.length > 0 || resource.includes("/")) return;
  if (!standardResources.has(resource) && !isHugePages(resource)) {
    yield invalid(at, resource, "must be a standard resource type or fully qualified");
  }
}

function* containerResourceNameFaults(resource: string, at: string): Generator<FieldFault> {
  yield* resourceNameFaults(resource, at);
  if (!resource.includes("/") && !containerResources.has(resource) && !isHugePages(resource)) {
    yield invalid(at, resource, "must be a standard resource for containers");
  }
}

/** `at` names one resource, such as `spec.hard[pods]`. */
export function* quantityFaults(resource: string, quantity: string, at: string): Generator<FieldFault> {
  if (compareQuantities(quantity, "0") < 0) {
    yield invalid(at, quantity, "must be greater than or equal to 0");
  }
  if (isWhole(resource) && !wholeUnits(quantity)) yield invalid(at, quantity, "must be an integer");
}

/** Counted things and resources of devices come in whole numbers. */
function isWhole(resource: string): boolean {
  if (resource.includes("/")) return !resource.split("/")[0]?.endsWith("kubernetes.io");
  return standardResources.has(resource) && !/(cpu|memory|storage)$/.test(resource);
}

export function* requirementFaults(requirements: ResourceRequirements | undefined, at: string): Generator<FieldFault> {
  if (!requirements) return;
  const limits = requirements.limits ?? {};
  const requests = requirements.requests ?? {};
  for (const [resource, quantity] of sorted(limits)) {
    const place = `${at}.limits[${resource}]`;
    yield* containerResourceNameFaults(resource, place);
    yield* quantityFaults(resource, quantity, place);
  }
  for (const [resource, quantity] of sorted(requests)) {
    const place = `${at}.requests[${resource}]`;
    yield* containerResourceNameFaults(resource, place);
    yield* quantityFaults(resource, quantity, place);
    const limit = limits[resource];
    if (limit === undefined) {
      if (!mayOvercommit(resource))
        yield required(`${at}.limits`, "Limit must be set for non overcommitable resources");
    } else if (!mayOvercommit(resource) && compareQuantities(quantity, limit) !== 0) {
      yield invalid(`${at}.requests`, quantity, `must be equal to ${resource} limit of ${limit}`);
    } else if (compareQuantities(quantity, limit) > 0) {
      yield invalid(`${at}.requests`, quantity, `must be less than or equal to ${resource} limit of ${limit}`);
    }
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    yield forbidden(at, "HugePages require cpu or memory");
  }
}
