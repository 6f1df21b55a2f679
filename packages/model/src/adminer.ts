import { checkFields, checkName, checkWhole, invalid, type Subject } from "./check.ts";
import { callingPlace } from "./place.ts";
import type { Postgres } from "./postgres.ts";
import type { Adjust, Named } from "./value.ts";

export interface AdminerOptions {
  readonly database: Postgres;
  /** Opens it on this port of every node, 30000 to 32767. */
  readonly nodePort?: number;
  /** Whether operators may change data; no unless said. */
  readonly writable?: boolean;
  readonly adjust?: Adjust;
}

export interface Adminer extends Named {
  readonly kind: "adminer";
  readonly options: AdminerOptions;
}

/** A page for operators: tables, rows and queries of a database, behind a login whose password is generated. */
export function adminer(name: string, options: AdminerOptions): Adminer {
  const subject: Subject = { what: `adminer(${JSON.stringify(name)})`, place: callingPlace() };
  checkName(subject, name);
  checkFields(subject, options, ["database", "nodePort", "writable", "adjust"], ["database"]);
  checkWhole(subject, "nodePort", options.nodePort, 30000, 32767);
  if ((options.database as Postgres | undefined)?.kind !== "postgres") {
    throw invalid(subject, "database", options.database, "a postgres(…)");
  }
  return Object.freeze({ kind: "adminer", name, place: subject.place, options: Object.freeze({ ...options }) });
}
