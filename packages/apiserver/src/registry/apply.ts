import { unknownResource } from "@dhow/kube";
import type { Call } from "./call.ts";
import type { ObjectAnswer, Registry } from "./registry.ts";

export async function applyObject(_registry: Registry, _call: Call): Promise<ObjectAnswer> {
  throw unknownResource();
}
