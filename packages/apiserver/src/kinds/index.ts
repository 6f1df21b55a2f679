import type { Strategy } from "../strategy.ts";
import { configMaps } from "./config-maps.ts";
import { daemonSets } from "./daemon-sets.ts";
import { deployments } from "./deployments.ts";
import { namespaces } from "./namespaces.ts";
import { pods } from "./pods.ts";
import { replicaSets } from "./replica-sets.ts";
import { secrets } from "./secrets.ts";
import { serviceAccounts } from "./service-accounts.ts";
import { services } from "./services.ts";
import { statefulSets } from "./stateful-sets.ts";

/** What is particular to each resource, by `pods` or `deployments.apps`. A resource that is missing here is stored as it comes. */
export const strategies: Readonly<Record<string, Strategy>> = {
  configmaps: configMaps,
  "daemonsets.apps": daemonSets,
  "deployments.apps": deployments,
  namespaces,
  pods,
  "replicasets.apps": replicaSets,
  secrets,
  serviceaccounts: serviceAccounts,
  services,
  "statefulsets.apps": statefulSets,
};
