export { type AgentConfig, defaultNodes, type NodeConfig } from "./agent/config.ts";
export { clusterFolder, type ClusterFolder } from "./folder.ts";
export { cacheFolder } from "./cache.ts";
export type { Retention } from "./control-plane/control-plane.ts";
export { type Cluster, type ClusterOptions, startCluster } from "./host/host.ts";
export { joinCluster, type JoinedNodes, type JoinOptions } from "./host/join.ts";
export { joinObjects } from "./agent/rights.ts";
export { portOwner } from "./host/port-owner.ts";
export { type RunningCluster, runningCluster } from "./host/running.ts";
