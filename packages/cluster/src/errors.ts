import { DhowError, type Fault } from "@dhow/base";

export type ClusterErrorCode =
  | "CLUSTER_ALREADY_RUNNING"
  | "CLUSTER_DID_NOT_START"
  | "CLUSTER_FOLDER_UNUSABLE"
  | "CLUSTER_NOT_RUNNING"
  | "CLUSTER_PORT_TAKEN"
  | "CLUSTER_REQUIREMENTS_MISSING";

export function clusterError(code: ClusterErrorCode, fault: Omit<Fault, "code">): DhowError {
  return new DhowError({ code, ...fault });
}
