import type { Clock } from "@dhow/base";
import type { KubeObject } from "@dhow/kube";
import type { AdmissionAttributes, AdmissionPlugin } from "../admission.ts";
import type { Storage } from "../storage/storage.ts";
import type { Store } from "../store.ts";
import type { Call } from "./call.ts";

/** What every verb needs. */
export interface Registry {
  readonly storage: Storage;
  readonly store: Store;
  readonly clock: Clock;
  readonly admission: readonly AdmissionPlugin[];
}

/** Attributes of one write, for admission; `object` is replaced as the write goes on. */
export type Admitting = { -readonly [Name in keyof AdmissionAttributes]: AdmissionAttributes[Name] };

export function attributesOf(
  call: Call,
  operation: AdmissionAttributes["operation"],
  rest: Pick<AdmissionAttributes, "dryRun" | "object" | "old" | "options"> & { name?: string },
): Admitting {
  const { resource, subresource, namespace, user } = call;
  return {
    operation,
    resource: resource.name,
    subresource,
    namespace,
    name: call.name,
    user,
    ...rest,
    warn: (message) => call.warn(message),
  };
}

/** Lets every plugin alter what is about to be written. */
export async function admit(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
  for (const plugin of registry.admission) {
    const pending = plugin.admit?.(attributes, registry.store);
    if (pending) await pending;
  }
}

export async function validateAdmission(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
  for (const plugin of registry.admission) {
    const pending = plugin.validate?.(attributes, registry.store);
    if (pending) await pending;
  }
}

/** What a verb gives back. */
export interface ObjectAnswer {
  readonly status: number;
  readonly object: KubeObject;
  /** JSON of the object where it is known already. */
  readonly text?: string;
}
