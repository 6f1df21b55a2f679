// A look at a table's rows: which page, in what order, which ones. Names come from the catalogue and are quoted; values are parameters.
import type { Structure } from "./catalog.ts";

export const operators = {
  contains: "contains",
  eq: "=",
  ne: "≠",
  lt: "<",
  gt: ">",
  null: "is null",
  notnull: "is not null",
} as const;
export type Operator = keyof typeof operators;

export interface Look {
  readonly sort: string | undefined;
  readonly descending: boolean;
  readonly filter: { readonly column: string; readonly operator: Operator; readonly value: string } | undefined;
  /** Counts from 1. */
  readonly page: number;
}

export const pageSize = 50;

/** The look that a page's address asks for; what names no column of the table is left out. */
export function readLook(query: Record<string, string>, { columns }: Structure): Look {
  const known = (name: string | undefined) => (columns.some((column) => column.name === name) ? name : undefined);
  const column = known(query["column"]);
  const operator = query["operator"] ?? "";
  const page = Number(query["page"]);
  return {
    sort: known(query["sort"]),
    descending: query["order"] === "desc",
    filter:
      column !== undefined && operator in operators
        ? { column, operator: operator as Operator, value: query["value"] ?? "" }
        : undefined,
    page: Number.isInteger(page) && page >= 1 && page <= 1_000_000 ? page : 1,
  };
}

/** The look as the query part of an address. */
export function lookAddress(look: Look, change: Partial<Look> = {}): string {
  const { sort, descending, filter, page } = { ...look, ...change };
  const words = new URLSearchParams();
  if (sort !== undefined) words.set("sort", sort);
  if (sort !== undefined && descending) words.set("order", "desc");
  if (filter) {
    words.set("column", filter.column);
    words.set("operator", filter.operator);
    words.set("value", filter.value);
  }
  if (page > 1) words.set("page", String(page));
  const text = words.toString();
  return text === "" ? "" : `?${text}`;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function condition({ column, operator, value }: NonNullable<Look["filter"]>): { text: string; values: string[] } {
  const name = quoted(column);
  if (operator === "null") return { text: `${name} is null`, values: [] };
  if (operator === "notnull") return { text: `${name} is not null`, values: [] };
  if (operator === "contains")
    return { text: `${name}::text ilike $1`, values: [`%${value.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`] };
  const sign = { eq: "=", ne: "is distinct from", lt: "<", gt: ">" }[operator];
  return { text: `${name} ${sign} $1`, values: [value] };
}

/** The query for all rows of a look; a page of it with limit and offset. */
export function rowsQuery(
  schema: string,
  table: string,
  look: Look,
  structure: Structure,
): { text: string; values: string[] } {
  const where = look.filter ? condition(look.filter) : undefined;
  const order = structure.primaryKey.map(quoted);
  if (look.sort !== undefined) order.unshift(`${quoted(look.sort)} ${look.descending ? "desc nulls last" : "asc"}`);
  const text = [
    `select * from ${quoted(schema)}.${quoted(table)}`,
    ...(where ? [`where ${where.text}`] : []),
    ...(order.length > 0 ? [`order by ${order.join(", ")}`] : []),
  ].join(" ");
  return { text, values: where?.values ?? [] };
}
