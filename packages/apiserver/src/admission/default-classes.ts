import type { Ingress, IngressClass, KubeObject, PersistentVolumeClaim, StorageClass } from "@dhow/kube";
import type { AdmissionPlugin } from "../admission.ts";
import type { Store } from "../store.ts";

/** The newest class that is marked as default; of equally old ones the first by name. */
function defaults<T extends KubeObject>(store: Store, resource: string, annotations: readonly string[]): T[] {
  return store
    .list<T>(resource)
    .filter(({ metadata }) => annotations.some((key) => metadata.annotations?.[key] === "true"))
    .sort((a, b) => {
      const [older, newer] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
      if (older !== newer) return older < newer ? 1 : -1;
      return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
    });
}

/** Claims that name no class get the default one (plugin/pkg/admission/storage/storageclass/setdefault). */
export const defaultStorageClass: AdmissionPlugin = {
  name: "DefaultStorageClass",
  admit({ object, operation, resource, subresource }, store) {
    if (resource !== "persistentvolumeclaims" || subresource || operation !== "CREATE" || !object) return;
    const { metadata, spec } = object as PersistentVolumeClaim;
    if (!spec || spec.storageClassName !== undefined) return;
    if (metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] !== undefined) return;
    const [found] = defaults<StorageClass>(store, "storageclasses.storage.k8s.io", [
      "storageclass.kubernetes.io/is-default-class",
      "storageclass.beta.kubernetes.io/is-default-class",
    ]);
    if (found?.metadata.name) spec.storageClassName = found.metadata.name;
  },
};

/** Ingresses that name no class get the default one (plugin/pkg/admission/network/defaultingressclass). */
export const defaultIngressClass: AdmissionPlugin = {
  name: "DefaultIngressClass",
  admit(attributes, store) {
    const { object, operation, resource, subresource } = attributes;
    if (resource !== "ingresses.networking.k8s.io" || subresource || operation !== "CREATE" || !object) return;
    const { metadata, spec } = object as Ingress;
    if (!spec || spec.ingressClassName !== undefined) return;
    if (metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return;
    const marked = defaults<IngressClass>(store, "ingressclasses.networking.k8s.io", [
      "ingressclass.kubernetes.io/is-default-class",
    ]);
    const [found] = marked;
    if (found?.metadata.name) spec.ingressClassName = found.metadata.name;
  },
};

/** Volumes and claims are not gone before nobody uses them (plugin/pkg/admission/storage/storageobjectinuseprotection). */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  admit({ object, operation, resource, subresource }) {
    if (operation !== "CREATE" || subresource || !object) return;
    const finalizer = protections[resource];
    if (!finalizer || object.metadata.finalizers?.includes(finalizer)) return;
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  },
};

const protections: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
};
