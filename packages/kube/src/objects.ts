import type { ObjectMeta } from "./generated/types.ts";

/**
 * Any Kubernetes object. The interfaces of the built-in kinds (`Pod`, `Deployment`, …) are assignable to it; what it holds beyond the
 * metadata is `unknown` until a kind says more.
 */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** A list as the API returns it. */
export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number; selfLink?: string };
  items: T[];
}

/** A number, a percentage such as `25%`, or the name of a port. */
export type IntOrString = number | string;
