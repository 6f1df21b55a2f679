import { type Namespace, notFound, StatusError } from "@dhow/kube";
import type { AdmissionPlugin } from "../admission.ts";
import { refuse } from "./refusal.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);

/** Nothing new in a namespace that is missing or going, and some namespaces stay (apiserver/pkg/admission/plugin/namespace/lifecycle). */
export const namespaceLifecycle: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  admit(attributes, store) {
    const { namespace, operation, resource } = attributes;
    if (operation === "DELETE" && resource === "namespaces" && immortal.has(attributes.name)) {
      throw refuse(attributes, "this namespace may not be deleted");
    }
    if (!namespace || resource === "namespaces" || operation === "DELETE" || operation === "CONNECT") return;
    if (resource === "localsubjectaccessreviews.authorization.k8s.io") return;
    const found = store.get<Namespace>("namespaces", undefined, namespace);
    if (!found) throw notFound("namespaces", namespace);
    if (operation !== "CREATE" || found.status?.phase !== "Terminating") return;
    const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const { status } = refuse(attributes, message);
    const cause = {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    };
    throw new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
  },
};
