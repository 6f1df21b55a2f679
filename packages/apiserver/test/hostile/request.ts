/** A request that no sensible client sends. */
export interface HostileRequest {
  readonly why: string;
  readonly method: string;
  /** Characters are bytes (Latin-1). */
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
  /** Sent without the administrator's token. */
  readonly anonymous?: boolean;
}

export const configMaps = "/api/v1/namespaces/hostile/configmaps";
export const deployments = "/apis/apps/v1/namespaces/hostile/deployments";

export const json = [["Content-Type", "application/json"]] as const;
export const yaml = [["Content-Type", "application/yaml"]] as const;
export const protobuf = [["Content-Type", "application/vnd.kubernetes.protobuf"]] as const;

/** A creation of a ConfigMap whose body is given as it is. */
export function create(why: string, body: string | Uint8Array, more: Partial<HostileRequest> = {}): HostileRequest {
  return { why, method: "POST", path: configMaps, headers: json, body, ...more };
}

export function get(why: string, path: string, more: Partial<HostileRequest> = {}): HostileRequest {
  return { why, method: "GET", path, ...more };
}

export function patch(
  why: string,
  kind: string,
  body: string | Uint8Array,
  path = `${configMaps}/target`,
): HostileRequest {
  const type = kind === "apply" ? "application/apply-patch+yaml" : `application/${kind}+json`;
  const query = kind === "apply" ? "?fieldManager=hostile" : "";
  return { why, method: "PATCH", path: path + query, headers: [["Content-Type", type]], body };
}
