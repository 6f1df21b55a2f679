import { type FieldFault, fieldFault } from "@dhow/kube";
import { isOfFormat } from "./formats.ts";
import type { Schema } from "./schema.ts";
import { goPattern } from "./patterns.ts";

// k8s.io/kube-openapi/pkg/validation/validate, and how apiextensions-apiserver/pkg/apiserver/validation/validation.go tells of it.

type Fields = Record<string, unknown>;

/** Where a value is: as a fault's field, and as the message says it. They differ on the way of the status subresource only. */
interface Place {
  readonly field: string;
  readonly name: string;
}

const { invalid, notSupported, required, tooMany } = fieldFault;
const nowhere = "<nil>";

/** What does not fit the schema. */
export function validateBySchema(value: unknown, schema: Schema, field: string, name = field): FieldFault[] {
  return faultsOf(value, schema, { field, name });
}

function faultsOf(value: unknown, schema: Schema, place: Place): FieldFault[] {
  if (value === null && schema.nullable) return [];
  return [
    ...typeFaults(value, schema, place),
    ...combinedFaults(value, schema, place),
    ...(typeof value === "string" ? textFaults(value, schema, place) : []),
    ...(typeof value === "number" ? numberFaults(value, schema, place) : []),
    ...(Array.isArray(value) ? listFaults(value, schema, place) : []),
    ...enumFaults(value, schema, place),
    ...(isObject(value) ? objectFaults(value, schema, place) : []),
  ];
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOfType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value !== "number") return typeof value;
  return Number.isInteger(value) ? "integer" : "number";
}

/** What the message calls a value that has no place of its own: the field's path, or nothing at the root. */
function inBody({ name }: Place, text: string): string {
  return `${name} in body ${text}`;
}

function typeFault(place: Place, wanted: string, found: string): FieldFault {
  return {
    type: "TypeInvalid",
    field: place.field || nowhere,
    value: found,
    detail: inBody(place, `must be of type ${wanted}: ${JSON.stringify(found)}`),
  };
}

function typeFaults(value: unknown, schema: Schema, place: Place): FieldFault[] {
  const { type, format = "" } = schema;
  const found = nameOfType(value);
  if (schema["x-kubernetes-int-or-string"]) {
    return found === "integer" || found === "string" ? [] : [typeFault(place, "integer,string", found)];
  }
  if (!type) return [];
  if (type === found || (type === "number" && found === "integer")) return [];
  if (type === "integer" && found === "number") {
    if (!format.startsWith("int")) return [typeFault(place, "integer", found)];
    const checked = `Checked value must be of type integer with format ${format} in ${place.name}`;
    return [typeFault(place, format, "float64"), invalid(nowhere, "", checked)];
  }
  return [typeFault(place, type, found)];
}

function combinedFaults(value: unknown, schema: Schema, place: Place): FieldFault[] {
  const faults: FieldFault[] = [];
  const say = (text: string): void => void faults.push(invalid(nowhere, "", `${JSON.stringify(place.name)} ${text}`));
  const tried = (schemas: readonly Schema[]) => schemas.map((one) => faultsOf(value, one, place));
  if (schema.anyOf?.length) {
    const results = tried(schema.anyOf);
    if (results.every((found) => found.length > 0)) {
      say("must validate at least one schema (anyOf)");
      faults.push(...(results[0] ?? []));
    }
  }
  if (schema.oneOf?.length) {
    const results = tried(schema.oneOf);
    const valid = results.filter((found) => found.length === 0).length;
    const one = "must validate one and only one schema (oneOf).";
    if (valid === 0) {
      say(`${one} Found none valid`);
      faults.push(...(results[0] ?? []));
    } else if (valid > 1) say(`${one} Found ${valid} valid alternatives`);
  }
  if (schema.allOf?.length) {
    const results = tried(schema.allOf);
    const failed = results.filter((found) => found.length > 0);
    if (failed.length > 0) {
      const none = failed.length === results.length ? ". None validated" : "";
      say(`must validate all the schemas (allOf)${none}`);
      faults.push(...failed.flat());
    }
  }
  if (schema.not && faultsOf(value, schema.not, place).length === 0) say("must not validate the schema (not)");
  return faults;
}

function textFaults(value: string, schema: Schema, place: Place): FieldFault[] {
  const { field } = place;
  const { format, maxLength, minLength, pattern } = schema;
  const length = Array.from(value).length;
  const faults: FieldFault[] = [];
  if (maxLength !== undefined && length > maxLength) faults.push(fieldFault.tooLong(field, maxLength));
  if (minLength !== undefined && length < minLength) {
    faults.push(invalid(field, value, inBody(place, `should be at least ${minLength} chars long`)));
  }
  if (pattern !== undefined && !goPattern(pattern).test(value)) {
    faults.push(invalid(field, value, inBody(place, `should match '${pattern}'`)));
  }
  if (format && !isOfFormat(value, format)) faults.push(formatFault(place, format, value));
  return faults;
}

function formatFault(place: Place, format: string, value: string): FieldFault {
  return {
    type: "TypeInvalid",
    field: place.field,
    value,
    detail: inBody(place, `must be of type ${format}: ${JSON.stringify(value)}`),
  };
}

function numberFaults(value: number, schema: Schema, place: Place): FieldFault[] {
  const { multipleOf, maximum, minimum, exclusiveMaximum, exclusiveMinimum } = schema;
  const faults: FieldFault[] = [];
  const say = (text: string): void => void faults.push(invalid(place.field, value, inBody(place, text)));
  if (multipleOf !== undefined) {
    // A whole number is divided by the whole part of the factor.
    const factor = Number.isInteger(value) ? Math.trunc(multipleOf) : multipleOf;
    if (factor <= 0) {
      const text = `factor MultipleOf declared for ${place.name} must be positive: ${factor}`;
      faults.push(invalid(place.field, factor, text));
    } else if (!Number.isInteger(value / factor)) say(`should be a multiple of ${multipleOf}`);
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    say(`should be less than ${exclusiveMaximum ? "" : "or equal to "}${maximum}`);
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    say(`should be greater than ${exclusiveMinimum ? "" : "or equal to "}${minimum}`);
  }
  return faults;
}

function enumFaults(value: unknown, schema: Schema, { field }: Place): FieldFault[] {
  if (!schema.enum?.length || schema.enum.some((one) => JSON.stringify(one) === JSON.stringify(value))) return [];
  const shown = schema.enum.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  return [notSupported(field, value, shown)];
}

function listFaults(value: readonly unknown[], schema: Schema, place: Place): FieldFault[] {
  const { items, maxItems, minItems } = schema;
  const faults = items
    ? value.flatMap((item, at) =>
        faultsOf(item, items, { field: `${place.field}[${at}]`, name: `${place.name}[${at}]` }),
      )
    : [];
  if (minItems !== undefined && value.length < minItems) {
    faults.push(invalid(place.field, value.length, inBody(place, `should have at least ${minItems} items`)));
  }
  if (maxItems !== undefined && value.length > maxItems) faults.push(tooMany(place.field, value.length, maxItems));
  return faults;
}

function below({ field, name }: Place, key: string): Place {
  return { field: field === "" ? key : `${field}.${key}`, name: name === "" ? key : `${name}.${key}` };
}

function objectFaults(value: Fields, schema: Schema, place: Place): FieldFault[] {
  const { additionalProperties, maxProperties, minProperties, properties = {} } = schema;
  const count = Object.keys(value).length;
  const faults: FieldFault[] = [];
  if (minProperties !== undefined && count < minProperties) {
    faults.push(invalid(place.field, count, inBody(place, `should have at least ${minProperties} properties`)));
  }
  if (maxProperties !== undefined && count > maxProperties) faults.push(tooMany(place.field, count, maxProperties));
  for (const name of schema.required ?? [])
    if (value[name] === undefined) faults.push(required(below(place, name).field));
  for (const [key, item] of Object.entries(value)) {
    const of = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (typeof of === "object" && item !== undefined) faults.push(...faultsOf(item, of, below(place, key)));
  }
  return faults;
}

/** Items that stand twice in lists that are sets or maps (schema/listtype/validation.go). */
export function duplicateFaults(value: unknown, schema: Schema, field: string): FieldFault[] {
  if (Array.isArray(value)) return listDuplicates(value, schema, field);
  if (!isObject(value)) return [];
  const { additionalProperties, properties = {} } = schema;
  return Object.entries(value).flatMap(([key, item]) => {
    const of = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    return typeof of === "object" ? duplicateFaults(item, of, field === "" ? key : `${field}.${key}`) : [];
  });
}

function listDuplicates(value: readonly unknown[], schema: Schema, field: string): FieldFault[] {
  const faults: FieldFault[] = [];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const kind = schema["x-kubernetes-list-type"];
  const seen = new Set<string>();
  for (const [at, item] of value.entries()) {
    if (schema.items) faults.push(...duplicateFaults(item, schema.items, `${field}[${at}]`));
    if (kind !== "set" && kind !== "map") continue;
    const identity =
      kind === "set"
        ? item
        : Object.fromEntries(
            keys.filter((key) => isObject(item) && key in item).map((key) => [key, (item as Fields)[key]]),
          );
    const text = JSON.stringify(identity);
    if (seen.has(text)) faults.push(fieldFault.duplicate(`${field}[${at}]`, identity));
    seen.add(text);
  }
  return faults;
}
