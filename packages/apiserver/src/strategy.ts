import type { FieldFault, KubeObject } from "@dhow/kube";
import type { Store } from "./store.ts";
import type { NameRule } from "./validation/names.ts";

/**
 * What is particular to one kind when it is written; everything general is the registry's. Each field is optional: no word means nothing particular.
 *
 * General, and so not repeated in a strategy: metadata (names, labels, annotations, owner references, finalizers, what of it may not change),
 * `status` being dropped at creation and kept on updates of the main path (where the resource has a status subresource), everything but
 * `status` being kept on updates of the status, and the counting of generations.
 */
export interface Strategy {
  /** What names look like, for validateObjectMeta; by default a DNS subdomain. */
  readonly nameRule?: NameRule;
  /** Fills in what a user may leave out (pkg/apis/<group>/<version>/defaults.go). Runs after decoding and on what admission changed. */
  readonly applyDefaults?: (object: KubeObject) => void;
  /** Drops or sets what a user may not choose at creation (registry/.../strategy.go PrepareForCreate), such as a status. Allocations happen here too. */
  readonly prepareForCreate?: (object: KubeObject, store: Store) => void;
  readonly prepareForUpdate?: (object: KubeObject, old: KubeObject, store: Store) => void;
  /** `old` is what is there already, in an update. */
  readonly validate?: (object: KubeObject, old?: KubeObject) => FieldFault[];
  /** What may not change; `validate` runs as well. */
  readonly validateUpdate?: (object: KubeObject, old: KubeObject) => FieldFault[];
  /** On updates of the status, instead of `prepareForUpdate` and `validateUpdate`. */
  readonly prepareForStatusUpdate?: (object: KubeObject, old: KubeObject) => void;
  readonly validateStatusUpdate?: (object: KubeObject, old: KubeObject) => FieldFault[];
  /** Warnings for the client (`Warning: 299`). */
  readonly warnings?: (object: KubeObject) => string[];
  /** Seconds of grace that a delete gets; undefined: deleted at once. Pods only, so far. */
  readonly gracePeriod?: (object: KubeObject, requested: number | undefined) => number | undefined;
  /** Where an update without a resourceVersion is refused. */
  readonly requiresResourceVersion?: boolean;
  /** Where a PUT of what does not exist creates it (AllowCreateOnUpdate). */
  readonly createOnUpdate?: boolean;
  /** Where spec changes do not count generations (ConfigMap, Secret and the like have no generation at all). */
  readonly hasGeneration?: boolean;
  /** What else changes when the object is about to be marked as going away, such as a finalizer that holds it. */
  readonly beforeDelete?: (object: KubeObject, now: number) => KubeObject;
  /** Runs after the object is gone from the store: gives allocations back. */
  readonly afterDelete?: (object: KubeObject, store: Store) => void;
}
