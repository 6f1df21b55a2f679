import { customResourceDefinitions } from "../custom/definition.ts";
import type { Strategy } from "../strategy.ts";
import { certificateSigningRequests } from "./certificate-signing-requests.ts";
import { configMaps } from "./config-maps.ts";
import { cronJobs } from "./cron-jobs.ts";
import { daemonSets } from "./daemon-sets.ts";
import { deployments } from "./deployments.ts";
import { endpoints, endpointSlices } from "./endpoints.ts";
import { events } from "./events.ts";
import { horizontalPodAutoscalers } from "./horizontal-pod-autoscalers.ts";
import { ingressClasses, ingresses } from "./ingresses.ts";
import { jobs } from "./jobs.ts";
import { limitRanges } from "./limit-ranges.ts";
import { namespaces } from "./namespaces.ts";
import { networkPolicies } from "./network-policies.ts";
import { leases, nodes } from "./nodes.ts";
import { podDisruptionBudgets } from "./pod-disruption-budgets.ts";
import { pods } from "./pods.ts";
import { priorityClasses } from "./priority-classes.ts";
import { replicaSets } from "./replica-sets.ts";
import { controllerRevisions, podTemplates, replicationControllers } from "./replication-controllers.ts";
import { resourceQuotas } from "./resource-quotas.ts";
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "./roles.ts";
import { secrets } from "./secrets.ts";
import { serviceAccounts } from "./service-accounts.ts";
import { services } from "./services.ts";
import { statefulSets } from "./stateful-sets.ts";
import { persistentVolumeClaims, persistentVolumes, storageClasses, volumeAttachments } from "./volumes.ts";

/** What is particular to each resource, by `pods` or `deployments.apps`. A resource that is missing here is stored as it comes. */
export const strategies: Readonly<Record<string, Strategy>> = {
  configmaps: configMaps,
  endpoints,
  events,
  limitranges: limitRanges,
  namespaces,
  nodes,
  persistentvolumeclaims: persistentVolumeClaims,
  persistentvolumes: persistentVolumes,
  pods,
  podtemplates: podTemplates,
  replicationcontrollers: replicationControllers,
  resourcequotas: resourceQuotas,
  secrets,
  serviceaccounts: serviceAccounts,
  services,
  "certificatesigningrequests.certificates.k8s.io": certificateSigningRequests,
  "clusterrolebindings.rbac.authorization.k8s.io": clusterRoleBindings,
  "clusterroles.rbac.authorization.k8s.io": clusterRoles,
  "controllerrevisions.apps": controllerRevisions,
  "cronjobs.batch": cronJobs,
  "customresourcedefinitions.apiextensions.k8s.io": customResourceDefinitions,
  "daemonsets.apps": daemonSets,
  "deployments.apps": deployments,
  "endpointslices.discovery.k8s.io": endpointSlices,
  "horizontalpodautoscalers.autoscaling": horizontalPodAutoscalers,
  "ingressclasses.networking.k8s.io": ingressClasses,
  "ingresses.networking.k8s.io": ingresses,
  "jobs.batch": jobs,
  "leases.coordination.k8s.io": leases,
  "networkpolicies.networking.k8s.io": networkPolicies,
  "poddisruptionbudgets.policy": podDisruptionBudgets,
  "priorityclasses.scheduling.k8s.io": priorityClasses,
  "replicasets.apps": replicaSets,
  "rolebindings.rbac.authorization.k8s.io": roleBindings,
  "roles.rbac.authorization.k8s.io": roles,
  "statefulsets.apps": statefulSets,
  "storageclasses.storage.k8s.io": storageClasses,
  "volumeattachments.storage.k8s.io": volumeAttachments,
};
