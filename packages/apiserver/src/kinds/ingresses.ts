import { isIP } from "node:net";
import {
  type FieldFault,
  fieldFault,
  type Ingress,
  type IngressBackend,
  type IngressClass,
  type TypedLocalObjectReference,
} from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable, oneOf } from "../validation/metadata.ts";
import {
  checkLabel1123,
  checkPortName,
  checkPortNumber,
  checkSubdomain,
  checkWildcardSubdomain,
  pathSegmentName,
  subdomainName,
} from "../validation/names.ts";

// pkg/apis/networking/validation/validation.go

const { invalid, notSupported, required } = fieldFault;

const classAnnotation = "kubernetes.io/ingress.class";
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const refusedInPaths = ["//", "/./", "/../", "%2f", "%2F"];
const refusedAtEnds = ["/..", "/."];

export const ingresses: Strategy = {
  hasGeneration: true,
  prepareForCreate(object) {
    (object as Ingress).status = { loadBalancer: {} };
  },
  validate: (object) => [...ingressFaults(object as Ingress)],
};

function* ingressFaults({ metadata, spec }: Ingress): Generator<FieldFault> {
  const rules = spec?.rules ?? [];
  if (rules.length === 0 && !spec?.defaultBackend) {
    yield invalid("spec", null, "either `defaultBackend` or `rules` must be specified");
  }
  if (spec?.defaultBackend) yield* backendFaults(spec.defaultBackend, "spec.defaultBackend");
  for (const [index, rule] of rules.entries()) {
    const at = `spec.rules[${index}]`;
    if (rule.host) yield* hostFaults(rule.host, `${at}.host`);
    if (!rule.http) continue;
    const paths = rule.http.paths ?? [];
    if (paths.length === 0) yield required(`${at}.http.paths`);
    for (const [pathIndex, path] of paths.entries()) yield* pathFaults(path, `${at}.http.paths[${pathIndex}]`);
  }
  for (const [index, tls] of (spec?.tls ?? []).entries()) {
    for (const [hostIndex, host] of (tls.hosts ?? []).entries()) {
      const messages = host.includes("*") ? checkWildcardSubdomain(host) : checkSubdomain(host);
      for (const message of messages) yield invalid(`spec.tls[${index}].hosts[${hostIndex}]`, host, message);
    }
    if (!tls.secretName) continue;
    for (const message of subdomainName(tls.secretName, false)) {
      yield invalid(`spec.tls[${index}].secretName`, tls.secretName, message);
    }
  }
  const name = spec?.ingressClassName;
  if (name !== undefined) {
    for (const message of subdomainName(name, false)) yield invalid("spec.ingressClassName", name, message);
    const annotation = metadata.annotations?.[classAnnotation];
    if (annotation !== undefined && annotation !== name) {
      yield invalid(
        `annotations.${classAnnotation}`,
        annotation,
        "must match `ingressClassName` when both are specified",
      );
    }
  }
}

function* hostFaults(host: string, at: string): Generator<FieldFault> {
  if (isIP(host) !== 0) yield invalid(at, host, "must be a DNS name, not an IP address");
  const messages = host.includes("*") ? checkWildcardSubdomain(host) : checkSubdomain(host);
  for (const message of messages) yield invalid(at, host, message);
}

type Path = NonNullable<NonNullable<NonNullable<Ingress["spec"]>["rules"]>[number]["http"]>["paths"][number];

function* pathFaults({ backend, path = "", pathType }: Path, at: string): Generator<FieldFault> {
  if (pathType === undefined) {
    yield required(`${at}.pathType`, "pathType must be specified");
    return;
  }
  if (!pathTypes.includes(pathType)) yield notSupported(`${at}.pathType`, pathType, pathTypes);
  else if (pathType !== "ImplementationSpecific" || path !== "") {
    if (!path.startsWith("/")) yield invalid(`${at}.path`, path, "must be an absolute path");
    if (pathType !== "ImplementationSpecific") {
      for (const part of refusedInPaths) {
        if (path.includes(part)) yield invalid(`${at}.path`, path, `must not contain '${part}'`);
      }
      for (const end of refusedAtEnds) {
        if (path.endsWith(end)) yield invalid(`${at}.path`, path, `cannot end with '${end}'`);
      }
    }
  }
  yield* backendFaults(backend, `${at}.backend`);
}

function* backendFaults(backend: IngressBackend | undefined, at: string): Generator<FieldFault> {
  const { resource, service } = backend ?? {};
  if (resource && service) yield invalid(at, "", "cannot set both resource and service backends");
  else if (resource) yield* referenceFaults(resource, `${at}.resource`);
  else if (service) {
    if (!service.name) yield required(`${at}.service.name`);
    else for (const message of checkLabel1123(service.name)) yield invalid(`${at}.service.name`, service.name, message);
    const { name, number } = service.port ?? {};
    if (name && number) yield invalid(at, "", "cannot set both port name & port number");
    else if (name) for (const message of checkPortName(name)) yield invalid(`${at}.service.port.name`, name, message);
    else if (number) {
      for (const message of checkPortNumber(number)) yield invalid(`${at}.service.port.number`, number, message);
    } else yield required(at, "port name or number is required");
  } else yield invalid(at, "", "resource or service backend is required");
}

function* referenceFaults(reference: TypedLocalObjectReference, at: string): Generator<FieldFault> {
  if (reference.apiGroup) {
    for (const message of checkSubdomain(reference.apiGroup))
      yield invalid(`${at}.apiGroup`, reference.apiGroup, message);
  }
  for (const field of ["kind", "name"] as const) {
    const value = reference[field];
    if (!value) yield required(`${at}.${field}`, `${field} is required`);
    else for (const message of pathSegmentName(value, false)) yield invalid(`${at}.${field}`, value, message);
  }
}

export const ingressClasses: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    const { spec } = object as IngressClass;
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
  validate: (object) => [...classFaults(object as IngressClass)],
  validateUpdate: (object, old) => [
    ...immutable((object as IngressClass).spec?.controller, (old as IngressClass).spec?.controller, "spec.controller"),
  ],
};

function* classFaults({ spec }: IngressClass): Generator<FieldFault> {
  const controller = spec?.controller ?? "";
  if (controller.length > 250) yield fieldFault.tooLong("spec.controller", 250);
  if (controller === "") yield required("spec.controller");
  else {
    const [domain = "", ...path] = controller.split("/");
    if (!domain || path.join("/") === "") {
      yield invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")');
    } else for (const message of checkSubdomain(domain)) yield invalid("spec.controller", domain, message);
  }
  const parameters = spec?.parameters;
  if (!parameters) return;
  if (!parameters.kind) yield required("spec.parameters.kind");
  if (!parameters.name) yield required("spec.parameters.name");
  yield* oneOf(parameters.scope, ["Cluster", "Namespace"], "spec.parameters.scope");
  if (parameters.scope === "Namespace" && !parameters.namespace) {
    yield required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'");
  }
  if (parameters.scope === "Cluster" && parameters.namespace) {
    yield fieldFault.forbidden("spec.parameters.namespace", "`parameters.scope` is set to 'Cluster'");
  }
}
