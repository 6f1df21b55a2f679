import type { PersistentVolumeClaim, Pod, PolicyRule } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { Store } from "../store.ts";
import type { AuthorizationAttributes, Decision, ResourceAttributes } from "./attributes.ts";
import { rulesAllow } from "./rules.ts";

// plugin/pkg/auth/authorizer/node/node_authorizer.go

const userPrefix = "system:node:";

/** The node that somebody speaks for, if it is one. */
export function nodeOf(user: UserInfo): string | undefined {
  if (!user.groups.includes("system:nodes") || !user.name.startsWith(userPrefix)) return undefined;
  return user.name.slice(userPrefix.length) || undefined;
}

/** What a kubelet needs: the general rules of nodes, and of secrets and the like only those that its own pods name. */
export function authorizeNode(
  node: string,
  attributes: AuthorizationAttributes,
  store: Store,
  nodeRules: readonly PolicyRule[],
): Decision {
  const { resource } = attributes;
  const check = resource && checks[resource.group ? `${resource.resource}.${resource.group}` : resource.resource];
  if (resource && check) return check({ node, verb: attributes.verb, target: resource, store });
  return { allowed: rulesAllow(nodeRules, attributes), reason: "" };
}

interface Question {
  readonly node: string;
  readonly verb: string;
  readonly target: ResourceAttributes;
  readonly store: Store;
}

const allowed: Decision = { allowed: true, reason: "" };

function refused(reason: string): Decision {
  return { allowed: false, reason };
}

const checks: Readonly<Record<string, (question: Question) => Decision>> = {
  secrets: (question) => readByPods(question, (pod) => secretsOf(pod)),
  configmaps: (question) => readByPods(question, (pod) => configMapsOf(pod)),
  persistentvolumeclaims: (question) => claims(question),
  persistentvolumes: (question) => volumes(question),
  serviceaccounts: (question) => accounts(question),
  "leases.coordination.k8s.io": (question) => own(question, "kube-node-lease"),
  "csinodes.storage.k8s.io": (question) => own(question, undefined),
};

function readByPods(question: Question, namesOf: (pod: Pod) => string[]): Decision {
  const { target, verb } = question;
  if (!["get", "list", "watch"].includes(verb)) return refused("can only read resources of this type");
  if (target.subresource) return refused("cannot read subresource");
  if (!target.namespace) return refused("can only read namespaced object of this type");
  return named(question, namesOf);
}

function named({ node, store, target }: Question, namesOf: (pod: Pod) => string[]): Decision {
  if (!target.name) return refused("No Object name found");
  const found = podsOn(store, node, target.namespace).some((pod) => namesOf(pod).includes(target.name));
  return found ? allowed : refused(`no relationship found between node '${node}' and this object`);
}

function podsOn(store: Store, node: string, namespace: string | undefined): Pod[] {
  return store.list<Pod>("pods", namespace).filter((pod) => pod.spec.nodeName === node);
}

function claims(question: Question): Decision {
  const { target, verb } = question;
  const writesStatus = target.subresource === "status" && (verb === "update" || verb === "patch");
  if (!writesStatus && (verb !== "get" || target.subresource))
    return refused("can only get individual resources of this type");
  return named(question, claimsOf);
}

function volumes({ node, store, target, verb }: Question): Decision {
  if (verb !== "get" || target.subresource) return refused("can only get individual resources of this type");
  const found = podsOn(store, node, undefined).some((pod) =>
    claimsOf(pod).some((name) => {
      const claim = store.get<PersistentVolumeClaim>("persistentvolumeclaims", pod.metadata.namespace, name);
      return claim?.spec.volumeName === target.name;
    }),
  );
  return found ? allowed : refused(`no relationship found between node '${node}' and this object`);
}

function accounts(question: Question): Decision {
  const { target, verb } = question;
  const reads = verb === "get" && !target.subresource;
  if (!reads && (verb !== "create" || !target.name))
    return refused("can only create tokens for individual service accounts");
  if (!reads && target.subresource !== "token") return refused("can only create token subresource of serviceaccount");
  return named(question, (pod) => [pod.spec.serviceAccountName ?? ""]);
}

function own({ node, target, verb }: Question, namespace: string | undefined): Decision {
  if (!["get", "create", "update", "patch", "delete"].includes(verb) || target.subresource) {
    return refused("can only get, create, update, patch, or delete a node lease");
  }
  if (target.namespace !== namespace) return refused(`can only access leases in the "${namespace}" system namespace`);
  if (verb === "create" || target.name === node) return allowed;
  return refused("can only access node lease with the same name as the requesting node");
}

function containersOf({ spec }: Pod) {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
}

function secretsOf(pod: Pod): string[] {
  const names = [
    ...(pod.spec.imagePullSecrets ?? []).map((reference) => reference.name),
    ...containersOf(pod).flatMap((container) => [
      ...(container.env ?? []).map((variable) => variable.valueFrom?.secretKeyRef?.name),
      ...(container.envFrom ?? []).map((source) => source.secretRef?.name),
    ]),
    ...(pod.spec.volumes ?? []).flatMap((volume) => [
      volume.secret?.secretName,
      ...(volume.projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
  ];
  return names.filter((name) => name !== undefined);
}

function configMapsOf(pod: Pod): string[] {
  const names = [
    ...containersOf(pod).flatMap((container) => [
      ...(container.env ?? []).map((variable) => variable.valueFrom?.configMapKeyRef?.name),
      ...(container.envFrom ?? []).map((source) => source.configMapRef?.name),
    ]),
    ...(pod.spec.volumes ?? []).flatMap((volume) => [
      volume.configMap?.name,
      ...(volume.projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
  ];
  return names.filter((name) => name !== undefined);
}

function claimsOf(pod: Pod): string[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    if (volume.ephemeral) return [`${pod.metadata.name}-${volume.name}`];
    return volume.persistentVolumeClaim ? [volume.persistentVolumeClaim.claimName] : [];
  });
}
