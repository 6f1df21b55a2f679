import type { KubeObject } from "@dhow/kube";
import type { Store } from "./store.ts";

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** One write on its way into the store. */
export interface AdmissionAttributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** What is about to be stored; `admit` may alter it. Undefined for a delete. */
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
  /** Options of the call, such as a delete's propagationPolicy. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Adds a `Warning: 299` header to the answer. */
  warn(message: string): void;
}

/** One admission plugin a file. All `admit` run before all `validate`; each throws a StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  admit?(attributes: AdmissionAttributes, store: Store): void | Promise<void>;
  validate?(attributes: AdmissionAttributes, store: Store): void | Promise<void>;
}
