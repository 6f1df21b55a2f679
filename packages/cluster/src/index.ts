export { type AgentConfig, defaultNodes, type NodeConfig } from "./agent/config.ts";
export { clusterFolder, type ClusterFolder } from "./folder.ts";
export { cacheFolder } from "./cache.ts";
export type { Retention } from "./control-plane/control-plane.ts";
export { type Cluster, type ClusterOptions, startCluster } from "./host/host.ts";
export { portOwner } from "./host/port-owner.ts";
export { type RunningCluster, runningCluster } from "./host/running.ts";
