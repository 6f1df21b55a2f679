import type { ContainerConfig, Mount } from "@dhow/node";

/** Where every pod of the suite has what, whatever runs in it. */
export const places = {
  /** A read-only folder with an index.html that names the pod. */
  site: "/site",
  /** A folder to write to. */
  data: "/data",
  /** A single file, in a folder that the host does not have. */
  settings: "/etc/dhow-conformance/settings.conf",
  node: "/opt/node/bin/node",
  client: "/client",
} as const;

export interface ServeRequest {
  readonly port: number;
  /** The name of a Service that the program itself is to reach; undefined where it cannot find names. */
  readonly upstream: string | undefined;
  /** The pod's own: a program that can be told where to listen is told. */
  readonly address: string;
}

/** What a program needs beyond what every pod has. */
export type Container = Pick<ContainerConfig, "argv"> & {
  readonly mounts?: readonly Mount[];
  readonly env?: Readonly<Record<string, string>>;
};

export interface Program {
  readonly name: string;
  readonly protocol: "http" | "postgres";
  /** Why it cannot be tried on this machine; undefined where it can. */
  missing(): string | undefined;
  serve(request: ServeRequest): Container;
  /** A command within its own container, or undefined where the answer of a request tells. */
  reachUpstream(upstream: string): readonly string[] | undefined;
}
