export interface GetOptions {
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends GetOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page. */
  readonly limit?: number;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
}

export interface WatchOptions extends GetOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersionMatch?: "NotOlderThan";
  readonly sendInitialEvents?: boolean;
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export interface WriteOptions {
  readonly dryRun?: "All";
  readonly fieldManager?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
  readonly signal?: AbortSignal;
}

export interface SubresourceOptions extends WriteOptions {
  readonly subresource?: string;
}

export interface PatchOptions extends SubresourceOptions {
  /** Only for `apply`. */
  readonly force?: boolean;
}

export interface ApplyOptions extends PatchOptions {
  readonly fieldManager: string;
}

/** The kinds of patch: RFC 6902, RFC 7386, and Kubernetes' own. */
export type PatchType = "json" | "merge" | "strategic";

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: "All";
  /** For a ref without a name, which deletes the collection. */
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal?: AbortSignal;
}
