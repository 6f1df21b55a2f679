import { type ConfigMap, deepEqual, type FieldFault, fieldFault } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { sorted } from "../validation/metadata.ts";
import { checkConfigKey } from "../validation/names.ts";

// ValidateConfigMap in pkg/apis/core/validation/validation.go

const { forbidden, invalid, tooLong } = fieldFault;

/** Of all values together, of a ConfigMap and of a Secret: 1 MiB. */
export const largestData = 1024 * 1024;

const immutableMessage = "field is immutable when `immutable` is set";

export const configMaps: Strategy = {
  validate: (object) => [...configMapFaults(object as ConfigMap)],
  validateUpdate: (object, old) => [...immutableFaults(object as ConfigMap, old as ConfigMap)],
};

function* configMapFaults({ binaryData = {}, data = {} }: ConfigMap): Generator<FieldFault> {
  let size = 0;
  for (const [key, value] of sorted(data)) {
    for (const message of checkConfigKey(key)) yield invalid(`data[${key}]`, key, message);
    if (Object.hasOwn(binaryData, key)) yield invalid(`data[${key}]`, key, "duplicate of key present in binaryData");
    size += Buffer.byteLength(value);
  }
  for (const [key, value] of sorted(binaryData)) {
    for (const message of checkConfigKey(key)) yield invalid(`binaryData[${key}]`, key, message);
    size += Buffer.byteLength(value, "base64");
  }
  if (size > largestData) yield tooLong("[]", largestData);
}

interface Immutable {
  immutable?: boolean;
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

export function* immutableFaults(object: Immutable, old: Immutable): Generator<FieldFault> {
  if (!old.immutable) return;
  if (!object.immutable) yield forbidden("immutable", immutableMessage);
  for (const field of ["data", "binaryData"] as const) {
    if (!deepEqual(object[field] ?? {}, old[field] ?? {})) yield forbidden(field, immutableMessage);
  }
}
