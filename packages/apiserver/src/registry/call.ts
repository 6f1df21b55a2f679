import type { UserInfo } from "../admission.ts";
import type { Resource } from "./resource.ts";

/** One authorised request about a resource. */
export interface Call {
  readonly resource: Resource;
  readonly subresource: string;
  readonly namespace: string | undefined;
  /** Empty for collections. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  /** Field manager of writes that name none: what the program calls itself before the first slash. */
  readonly userAgent: string;
  readonly contentType: string;
  /** The whole body, decompressed; empty without one. */
  readonly body: Uint8Array;
  /** Aborted when the client is gone. Asked for by the few that last: making one costs as much as a small request. */
  signal(): AbortSignal | undefined;
  /** Adds a `Warning: 299` header to the answer. */
  warn(message: string): void;
}
