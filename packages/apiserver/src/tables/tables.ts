import type { Clock } from "@dhow/base";
import { groupResource, type KubeObject } from "@dhow/kube";
import { accessTables } from "./access.ts";
import { admissionTables } from "./admission.ts";
import { clusterTables } from "./cluster.ts";
import { configurationTables } from "./configuration.ts";
import { type Column, createdColumn, nameColumn, type TableDefinition } from "./definition.ts";
import { deviceTables } from "./devices.ts";
import { eventTables } from "./events.ts";
import { networkingTables } from "./networking.ts";
import { podTables } from "./pods.ts";
import { policyTables, versionedTables } from "./policy.ts";
import { storageTables } from "./storage.ts";
import { workloadTables } from "./workloads.ts";

/** What `kubectl get` prints, a definition a resource: pkg/printers/internalversion/printers.go. */
const definitions: Readonly<Record<string, TableDefinition>> = {
  ...podTables,
  ...workloadTables,
  ...networkingTables,
  ...storageTables,
  ...clusterTables,
  ...eventTables,
  ...configurationTables,
  ...policyTables,
  ...accessTables,
  ...admissionTables,
  ...deviceTables,
  ...versionedTables,
};

/** Kinds without a table of their own (Role, LimitRange): name and time of creation. */
const plainDefinition: TableDefinition = {
  columns: [nameColumn, createdColumn],
  cells: ({ metadata }) => [metadata.name ?? "", metadata.creationTimestamp ?? null],
};

/** Which resource is shown, in which version. */
export interface TableResource {
  /** Of a custom kind. */
  readonly table?: TableDefinition | undefined;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export interface TableOptions {
  /** What each row carries of its object. */
  readonly includeObject: "None" | "Metadata" | "Object";
  /** Milliseconds since 1970; ages count up to it. */
  readonly now: number;
  /** The list's: resourceVersion, continue, remainingItemCount. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** False leaves the columns out, as in all but the first event of a watch. */
  readonly columns?: boolean;
}

/** A row's cells, in the order of the columns; wide ones are always there. */
export interface TableRow {
  readonly cells: readonly unknown[];
  readonly conditions?: readonly unknown[];
  readonly object: unknown;
}

/** meta.k8s.io/v1 Table. */
export interface Table {
  readonly kind: "Table";
  readonly apiVersion: "meta.k8s.io/v1";
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly columnDefinitions: readonly Column[] | null;
  readonly rows: readonly TableRow[];
}

/** The columns of a resource. */
export function columnsOf(info: TableResource): readonly Column[] {
  return definitionOf(info).columns;
}

/** Objects of one resource as the table that the API server sends to kubectl. */
export function tableFor(info: TableResource, objects: readonly KubeObject[], options: TableOptions): Table {
  const definition = definitionOf(info);
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: options.metadata ?? {},
    columnDefinitions: options.columns === false ? null : definition.columns,
    rows: objects.map((object) => rowOf(definition, object, options)),
  };
}

function rowOf(definition: TableDefinition, object: KubeObject, options: TableOptions): TableRow {
  const conditions = definition.conditions?.(object);
  return {
    cells: definition.cells(object, options.now),
    ...(conditions ? { conditions } : {}),
    object: objectPart(object, options.includeObject),
  };
}

function objectPart(object: KubeObject, include: TableOptions["includeObject"]): unknown {
  if (include === "None") return null;
  if (include === "Object") return object;
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

function definitionOf(info: TableResource): TableDefinition {
  if (info.table) return info.table;
  const name = groupResource(info);
  return definitions[`${name}/${info.version}`] ?? definitions[name] ?? plainDefinition;
}

/** How the HTTP side asks for tables: a resource's info, and options without the time. */
export function tableMaker(clock: Clock) {
  return {
    table: (
      resource: { readonly info: TableResource; readonly custom: { readonly table: TableDefinition } | undefined },
      objects: readonly KubeObject[],
      options: Omit<TableOptions, "now">,
    ): Record<string, unknown> => ({
      ...tableFor({ ...resource.info, table: resource.custom?.table }, objects, { ...options, now: clock.now() }),
    }),
  };
}
