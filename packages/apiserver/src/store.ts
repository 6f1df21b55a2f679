import type { KubeObject } from "@dhow/kube";

/**
 * What strategies and admission see of the storage. A resource is named `pods`, or `deployments.apps` outside the core group.
 * Objects are frozen, come from memory, and are never older than the last acknowledged write.
 */
export interface Store {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers know which kind a resource holds
  get<T extends KubeObject = KubeObject>(resource: string, namespace: string | undefined, name: string): T | undefined;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers know which kind a resource holds
  list<T extends KubeObject = KubeObject>(resource: string, namespace?: string): readonly T[];
  create(resource: string, object: KubeObject): Promise<KubeObject>;
  /** Reads, changes and writes until no other writer came between; `change` gets a copy that it may alter, and returns undefined to leave things as they are. */
  modify(
    resource: string,
    namespace: string | undefined,
    name: string,
    change: (current: KubeObject) => KubeObject | undefined,
  ): Promise<KubeObject | undefined>;
}
