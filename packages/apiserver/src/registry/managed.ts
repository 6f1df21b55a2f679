import type { KubeObject } from "@dhow/kube";
import type { Call } from "./call.ts";

/** Notes in `object.metadata.managedFields` who set what. TODO(plug in kube's trackUpdate). */
export function trackManager(_call: Call, _object: KubeObject, _old: KubeObject | undefined, _manager: string): void {
  return;
}

/** A write that names no field manager is its program's: what its user agent says before the first slash. */
export function managerOf(call: Call, fieldManager: string): string {
  return (fieldManager || call.userAgent.split("/")[0] || "unknown").slice(0, 128);
}
