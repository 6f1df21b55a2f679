import type { KubeObject } from "@dhow/kube";
import { ageColumn, type Cell, type Column, nameColumn, type TableDefinition } from "../tables/definition.ts";
import { since } from "../tables/duration.ts";
import { parseJsonPath } from "./json-path.ts";
import type { PrinterColumn } from "./schema.ts";

// apiextensions-apiserver/pkg/registry/customresource/tableconvertor/tableconvertor.go

const ageOnly: readonly PrinterColumn[] = [
  { name: "Age", type: "date", description: ageColumn.description, jsonPath: ".metadata.creationTimestamp" },
];

/** What `kubectl get` prints of a custom kind: its name, and the columns of the definition, or else the age. */
export function customTable(given: readonly PrinterColumn[] | undefined): TableDefinition {
  const columns = given?.length ? given : ageOnly;
  const readers = columns.map((column) => readerOf(column));
  return {
    columns: [nameColumn, ...columns.map(columnOf)],
    cells: (object, now) => [object.metadata.name ?? "", ...readers.map((read) => read(object, now))],
  };
}

function columnOf({ name, type, format = "", description, jsonPath, priority = 0 }: PrinterColumn): Column {
  return {
    name,
    type: type as Column["type"],
    format,
    description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority,
  };
}

function readerOf({ jsonPath, type }: PrinterColumn): (object: KubeObject, now: number) => Cell {
  const read = parseJsonPath(jsonPath);
  return (object, now) => {
    const values = read?.(object) ?? [];
    if (values.length === 0) return null;
    if (type === "string") return values.map(printed).join(" ");
    return cellOf(values[0], type, now);
  };
}

function printed(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function cellOf(value: unknown, type: string, now: number): Cell {
  if (type === "date") return typeof value === "string" ? since(value, now) : null;
  if (type === "boolean") return typeof value === "boolean" ? value : null;
  if (typeof value !== "number") return null;
  return type === "integer" ? Math.trunc(value) : value;
}
