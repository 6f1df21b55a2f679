/** The rows of the table: what a pod is promised, whatever runs in it. */
export const properties = [
  "own address",
  "two pods on one port",
  "port 80",
  "cluster DNS name",
  "peer sees the pod's address",
  "a denied edge fails at once",
  "runAsUser",
  "read-only root",
  "volumes and files at their mountPath",
  "nothing left after kill -9 of everything outside",
] as const;

export type Property = (typeof properties)[number];

export const users = ["root", "ordinary user", "without namespaces"] as const;
export type User = (typeof users)[number];

/** One field of the table. */
export interface Outcome {
  readonly program: string;
  readonly property: Property;
  /** `kept` and `broken` are what the test asserts; `not kept` is a stated limit; `skipped` says why nothing was tried. */
  readonly verdict: "kept" | "broken" | "not kept" | "skipped";
  readonly detail: string;
}
