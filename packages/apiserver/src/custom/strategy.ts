import type { FieldFault, KubeObject } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { fillDefaults } from "./prune.ts";
import { ruleFaults } from "./rules.ts";
import { scaleFaults } from "./scale.ts";
import type { DefinitionVersion, Schema } from "./schema.ts";
import { duplicateFaults, validateBySchema } from "./validate.ts";

/** How objects of a custom kind are written (apiextensions-apiserver/pkg/registry/customresource/strategy.go). */
export function customStrategy(schema: Schema, subresources: DefinitionVersion["subresources"]): Strategy {
  const faults = (object: KubeObject, old: KubeObject | undefined): FieldFault[] => {
    const found = [...validateBySchema(object, schema, ""), ...scaleFaults(object, subresources?.scale)];
    return [...found, ...duplicateFaults(object, schema, ""), ...ruleFaults(object, old, schema, "", found)];
  };
  return {
    applyDefaults: (object) => fillDefaults(object, schema),
    validate: faults,
    validateStatusUpdate: (object, old) => statusFaults(object, old, schema, subresources),
  };
}

/** Of the status its schema alone counts (status_strategy.go). */
function statusFaults(
  object: KubeObject,
  old: KubeObject,
  schema: Schema,
  subresources: DefinitionVersion["subresources"],
): FieldFault[] {
  const status = schema.properties?.["status"];
  const value = object["status"];
  const found = status && value !== undefined ? validateBySchema(value, status, "status", "") : [];
  found.push(...scaleFaults(object, subresources?.scale));
  return [
    ...found,
    ...(status ? duplicateFaults(value, status, "status") : []),
    ...ruleFaults(object, old, schema, "", found),
  ];
}
