import { deepEqual, type KubeObject, type Node, type Pod, type TokenRequest } from "@dhow/kube";
import type { AdmissionAttributes, AdmissionPlugin } from "../admission.ts";
import { nodeOf } from "../authorization/node.ts";
import type { Store } from "../store.ts";
import { refuse } from "./refusal.ts";

// plugin/pkg/admission/noderestriction/admission.go

/** Labels in the API's own domains that a node may set on itself (kubelet/pkg/apis/well_known_labels.go). */
const ownLabels = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
]);
const ownDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];

/** A node changes only itself and the pods that it runs, whatever its role would allow. */
export const nodeRestriction: AdmissionPlugin = {
  name: "NodeRestriction",
  admit(attributes, store) {
    const node = nodeOf(attributes.user);
    if (node === undefined) return;
    switch (attributes.resource) {
      case "pods":
        checkPod(node, attributes, store);
        break;
      case "nodes":
        checkNode(node, attributes);
        break;
      case "persistentvolumeclaims":
        if (attributes.subresource !== "status") throw refuse(attributes, "may only update PVC status");
        break;
      case "serviceaccounts":
        checkToken(node, attributes, store);
        break;
      case "leases.coordination.k8s.io":
        checkLease(node, attributes);
        break;
      default:
    }
  },
};

function checkPod(node: string, attributes: AdmissionAttributes, store: Store): void {
  const { name, namespace, object, old, operation, subresource } = attributes;
  const me = `node "${node}"`;
  const target = (old ?? store.get("pods", namespace, name)) as Pod | undefined;
  const isMine = target?.spec.nodeName === node;
  if (subresource === "status") {
    if (!isMine) throw refuse(attributes, `${me} can only update pod status for pods with spec.nodeName set to itself`);
    if (!deepEqual(object?.metadata.labels ?? {}, target.metadata.labels ?? {})) {
      throw refuse(attributes, `${me} cannot update labels through pod status`);
    }
  } else if (subresource === "eviction") {
    if (!isMine) throw refuse(attributes, `${me} can only evict pods with spec.nodeName set to itself`);
  } else if (subresource) {
    const message = `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`;
    throw refuse(attributes, message);
  } else if (operation === "DELETE") {
    if (target && !isMine) throw refuse(attributes, `${me} can only delete pods with spec.nodeName set to itself`);
  } else if (operation === "CREATE") {
    const { metadata, spec } = object as Pod;
    if (metadata.annotations?.["kubernetes.io/config.mirror"] === undefined) {
      const message = `pod does not have "kubernetes.io/config.mirror" annotation, ${me} can only create mirror pods`;
      throw refuse(attributes, message);
    }
    if (spec.nodeName !== node) throw refuse(attributes, `${me} can only create pods with spec.nodeName set to itself`);
  } else {
    throw refuse(attributes, `unexpected operation "${operation}", ${me} can only create and delete mirror pods`);
  }
}

function checkNode(node: string, attributes: AdmissionAttributes): void {
  const { name, object, old, operation } = attributes;
  const me = `node "${node}"`;
  if ((name || object?.metadata.name) !== node) {
    throw refuse(attributes, `${me} is not allowed to modify node "${name || object?.metadata.name}"`);
  }
  if (operation === "DELETE" || !object) return;
  const changed = changedLabels(object, old);
  const foreign = changed.filter((label) => !isOwnLabel(label)).sort();
  if (foreign.length > 0) {
    const what = operation === "CREATE" ? "set the following labels" : "modify labels";
    throw refuse(attributes, `${me} is not allowed to ${what}: ${foreign.join(", ")}`);
  }
  if (operation !== "UPDATE" || !old) return;
  if (!deepEqual((object as Node).spec?.taints ?? [], (old as Node).spec?.taints ?? [])) {
    throw refuse(attributes, `${me} is not allowed to modify taints`);
  }
  if (!deepEqual(object.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? [])) {
    throw refuse(attributes, `${me} is not allowed to modify ownerReferences`);
  }
}

function changedLabels(object: KubeObject, old: KubeObject | undefined): string[] {
  const [now, before] = [object.metadata.labels ?? {}, old?.metadata.labels ?? {}];
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((label) => now[label] !== before[label]);
}

function isOwnLabel(label: string): boolean {
  const [domain = ""] = label.includes("/") ? label.split("/") : [""];
  if (domain === "node-restriction.kubernetes.io" || domain.endsWith(".node-restriction.kubernetes.io")) return false;
  const isKubernetes = /(^|\.)(kubernetes\.io|k8s\.io)$/.test(domain);
  if (!isKubernetes || ownLabels.has(label)) return true;
  return ownDomains.some((own) => domain === own || domain.endsWith(`.${own}`));
}

function checkToken(node: string, attributes: AdmissionAttributes, store: Store): void {
  const { namespace, object, operation, subresource } = attributes;
  if (operation !== "CREATE" || subresource !== "token") return;
  const me = `node "${node}"`;
  const bound = (object as TokenRequest | undefined)?.spec.boundObjectRef;
  if (bound?.kind !== "Pod" || !bound.name) throw refuse(attributes, `${me} requested token not bound to a pod`);
  if (!bound.uid) throw refuse(attributes, `${me} requested token with a pod binding without a uid`);
  const pod = store.get<Pod>("pods", namespace, bound.name);
  if (!pod) throw refuse(attributes, `pod "${bound.name}" not found`);
  if (pod.metadata.uid !== bound.uid) {
    throw refuse(
      attributes,
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec.nodeName !== node)
    throw refuse(attributes, `${me} requested token bound to a pod scheduled on a different node`);
}

function checkLease(node: string, attributes: AdmissionAttributes): void {
  const { name, namespace, object } = attributes;
  if (namespace !== "kube-node-lease") {
    throw refuse(attributes, `can only access leases in the "kube-node-lease" system namespace`);
  }
  if ((name || object?.metadata.name) !== node) {
    throw refuse(attributes, "can only access node lease with the same name as the requesting node");
  }
}
