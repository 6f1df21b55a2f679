// What the database says about itself.
import type { Reader } from "./database.ts";

export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: "table" | "view" | "materialized view" | "foreign table" | "partitioned table";
  /** Estimated by the last ANALYZE or VACUUM, before the first by the statistics collector; undefined for views. */
  readonly rows: number | undefined;
  /** Bytes with indexes and TOAST. */
  readonly bytes: number;
}

const kinds: Record<string, Relation["kind"]> = {
  r: "table",
  v: "view",
  m: "materialized view",
  f: "foreign table",
  p: "partitioned table",
};

/** Tables and views of every schema but the server's own. */
export async function readRelations({ read }: Reader): Promise<Relation[]> {
  const { rows } = await read(`
    select n.nspname, c.relname, c.relkind,
      case when c.reltuples >= 0 then c.reltuples else coalesce(s.n_live_tup, -1) end::bigint, pg_total_relation_size(c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_stat_all_tables s on s.relid = c.oid
    where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    order by n.nspname, c.relname`);
  return rows.map(([schema, name, kind, estimate, bytes]) => ({
    schema: schema ?? "",
    name: name ?? "",
    kind: kinds[kind ?? ""] ?? "table",
    rows: kind === "v" || Number(estimate) < 0 ? undefined : Number(estimate),
    bytes: Number(bytes),
  }));
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly default: string | null;
  readonly comment: string | null;
}

export interface Structure {
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  readonly indexes: readonly { name: string; definition: string }[];
  readonly constraints: readonly { name: string; definition: string }[];
  /** Of a view: the query that it stands for. */
  readonly definition: string | null;
}

/** Columns, keys, indexes and constraints of a table or view, or undefined where there is none of that name. */
export async function readStructure({ read }: Reader, schema: string, name: string): Promise<Structure | undefined> {
  const found = await read(
    `select c.oid, case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid, true) end
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'v', 'm', 'f', 'p')`,
    [schema, name],
  );
  const [oid, definition] = found.rows[0] ?? [];
  if (!oid) return undefined;
  const columns = await read(
    `select a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [oid],
  );
  const keys = await read(
    `select a.attname from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, place)
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where i.indrelid = $1 and i.indisprimary order by k.place`,
    [oid],
  );
  const indexes = await read(
    `select c.relname, pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1 order by 1`,
    [oid],
  );
  const constraints = await read(
    `select conname, pg_get_constraintdef(oid, true) from pg_constraint where conrelid = $1 and contype <> 'n' order by contype desc, conname`,
    [oid],
  );
  const named = ([name, definition]: readonly (string | null)[]) => ({
    name: name ?? "",
    definition: definition ?? "",
  });
  return {
    columns: columns.rows.map(([name, type, nullable, value, comment]) => ({
      name: name ?? "",
      type: type ?? "",
      nullable: nullable === "t",
      default: value ?? null,
      comment: comment ?? null,
    })),
    primaryKey: keys.rows.map(([column]) => column ?? ""),
    indexes: indexes.rows.map(named),
    constraints: constraints.rows.map(named),
    definition: definition ?? null,
  };
}
