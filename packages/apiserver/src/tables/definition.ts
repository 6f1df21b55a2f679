import type { KubeObject } from "@dhow/kube";

/** A column as meta/v1 Table defines it. Those of priority 1 are shown with `-o wide`. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export type Cell = string | number | boolean | null;

/** Marks rows that kubectl may leave out: completed pods and jobs. */
export interface RowCondition {
  readonly type: "Completed";
  readonly status: "True";
  readonly reason: string;
  readonly message: string;
}

/** What `kubectl get` prints of a kind: always all columns, wide ones too, as the server sends them. */
export interface TableDefinition {
  readonly columns: readonly Column[];
  /** `now` in milliseconds since 1970. */
  readonly cells: (object: KubeObject, now: number) => Cell[];
  readonly conditions?: (object: KubeObject) => readonly RowCondition[] | undefined;
}

interface TypedDefinition<T> {
  readonly columns: readonly Column[];
  readonly cells: (object: T, now: number) => Cell[];
  readonly conditions?: (object: T) => readonly RowCondition[] | undefined;
}

/** A definition whose functions know the kind's fields. The registry gives it objects of that kind only. */
export function table<T extends KubeObject>(definition: TypedDefinition<T>): TableDefinition {
  return definition as unknown as TableDefinition;
}

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, one of a kind in its namespace.",
  priority: 0,
};

export const ageColumn: Column = column("Age", "string", "How long ago the object was created.");

export const createdColumn: Column = column("Created At", "date", "When the object was created.");

export function column(name: string, type: Column["type"] = "string", description = name): Column {
  return { name, type, format: "", description, priority: 0 };
}

/** A column that only `-o wide` shows. */
export function wide(name: string, description = name): Column {
  return { name, type: "string", format: "", description, priority: 1 };
}
