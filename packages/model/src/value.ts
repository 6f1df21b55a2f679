import type { Place } from "@dhow/base";
import type { Adminer } from "./adminer.ts";
import type { Ingress } from "./ingress.ts";
import type { Postgres } from "./postgres.ts";
import type { Secret } from "./secret.ts";
import type { Service } from "./service.ts";

/** What all values of a description have in common. */
export interface Named {
  readonly name: string;
  /** Where in the user's file it was made. */
  readonly place: Place | undefined;
}

/** Kubernetes objects as `adjust` sees them: plain data, checked by the API server. */
export type AdjustableObject = { apiVersion: string; kind: string; metadata: { name: string } } & Record<
  string,
  unknown
>;

/** The last resort where a field is missing here: gets the objects a value becomes and gives back those that are meant. */
export type Adjust = (objects: AdjustableObject[]) => AdjustableObject[];

/** Everything a description may hold. A new kind is a file here and a file in `manifests`. */
export type Value = Adminer | Ingress | Postgres | Secret | Service;

export type ValueKind = Value["kind"];
