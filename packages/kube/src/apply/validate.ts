import { goFormat } from "../patch/go-format.ts";
import type { ListType, MapType, NodeType, ScalarType } from "./node-type.ts";
import { formatElement, itemElement } from "./path-element.ts";

/** What does not fit the schema, one line a fault, as structured-merge-diff/typed/validate.go words it: `.spec.foo: field not declared in schema`. */
export function schemaFaults(object: object, type: MapType): string[] {
  return mapFaults(object, type, "");
}

/** The lines as one message. */
export function joinFaults(faults: readonly string[]): string {
  return faults.length === 1 ? (faults[0] as string) : `errors:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;
}

function faultsOf(value: unknown, type: NodeType, path: string): string[] {
  if (value === null || value === undefined) return [];
  if (type.form === "map") return mapFaults(value, type, path);
  if (type.form === "list") return listFaults(value, type, path);
  const fault = scalarFault(value, type);
  return fault ? [`${path}: ${fault}`] : [];
}

function mapFaults(value: unknown, type: MapType, path: string): string[] {
  if (typeof value !== "object" || Array.isArray(value)) return [`${path}: expected map, got &{${goFormat(value)}}`];
  const faults: string[] = [];
  for (const [key, field] of Object.entries(value as object)) {
    const fieldType = type.field(key) ?? type.element;
    const at = `${path}.${key}`;
    if (!fieldType) {
      faults.push(`${at}: field not declared in schema`);
      break;
    }
    faults.push(...faultsOf(field, fieldType, at));
  }
  return faults;
}

function listFaults(value: unknown, type: ListType, path: string): string[] {
  if (!Array.isArray(value)) return [`${path}: expected list, got &{${goFormat(value)}}`];
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const [at, item] of value.entries()) {
    try {
      const element = type.relation === "atomic" ? `i:${at}` : itemElement(type, item);
      if (seen.has(element)) faults.push(`${path}: duplicate entries for key ${formatElement(element)}`);
      seen.add(element);
      faults.push(...faultsOf(item, type.element, path + formatElement(element)));
    } catch (error) {
      faults.push(`${path}: element ${at}: ${(error as Error).message}`);
      break;
    }
  }
  return faults;
}

function scalarFault(value: unknown, type: ScalarType): string | undefined {
  if (!type.expects || typeof value === type.expects) return undefined;
  if (type.expects === "scalar") {
    return typeof value === "object" ? `expected any scalar, got &{${goFormat(value)}}` : undefined;
  }
  if (type.expects === "number") return `expected numeric (int or float), got ${goType(value)}`;
  if (type.expects === "boolean") return `expected boolean, got &{${goFormat(value)}}`;
  return `expected string, got &value.valueUnstructured{Value:${goValue(value)}}`;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goValue).join(", ")}}`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${goValue(field)}`);
    return `map[string]interface {}{${fields.join(", ")}}`;
  }
  return JSON.stringify(value);
}
