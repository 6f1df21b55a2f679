import { checkFields, checkName, checkQuantity, invalid, type Subject } from "./check.ts";
import { callingPlace } from "./place.ts";
import type { SecretKey } from "./secret.ts";
import { type Address, checkResources, type Resources } from "./service.ts";
import type { Adjust, Named } from "./value.ts";

export interface PostgresOptions {
  readonly user: SecretKey;
  readonly password: SecretKey;
  /** The database's name; the system's unless said. */
  readonly database?: string;
  /** The size of its volume, such as "1Gi". Data survives the pod and a stop of the cluster. */
  readonly storage: string;
  /** The image's version; "18.4" unless said. */
  readonly version?: string;
  readonly resources?: Resources;
  readonly adjust?: Adjust;
}

export interface Postgres extends Named {
  readonly kind: "postgres";
  readonly options: PostgresOptions;
  /** `postgres://user:password@name:5432/database`; whoever has it in its `env` may reach the database. */
  readonly url: Address;
  readonly host: Address;
}

const fields: readonly (keyof PostgresOptions)[] = [
  "user",
  "password",
  "database",
  "storage",
  "version",
  "resources",
  "adjust",
];

/** A PostgreSQL database with one volume. Becomes a Deployment, a Service and a PersistentVolumeClaim. */
export function postgres(name: string, options: PostgresOptions): Postgres {
  const subject: Subject = { what: `postgres(${JSON.stringify(name)})`, place: callingPlace() };
  checkName(subject, name);
  checkFields(subject, options, fields, ["user", "password", "storage"]);
  checkQuantity(subject, "storage", options.storage);
  checkResources(subject, options.resources);
  for (const field of ["user", "password"] as const) {
    if ((options[field] as SecretKey | undefined)?.kind !== "secret-key") {
      throw invalid(subject, field, options[field], "an entry of a secret, such as secrets.POSTGRES_PASSWORD");
    }
    checkUrlSafe(subject, field, options[field]);
  }
  const value: { -readonly [Field in keyof Postgres]?: Postgres[Field] } = {
    kind: "postgres",
    name,
    place: subject.place,
  };
  value.options = Object.freeze({ ...options });
  value.url = Object.freeze({ kind: "address", of: value as Postgres, part: "url" });
  value.host = Object.freeze({ kind: "address", of: value as Postgres, part: "host" });
  return Object.freeze(value as Postgres);
}

/** User and password become part of a URL by Kubernetes' $(NAME) expansion, which escapes nothing. */
function checkUrlSafe(subject: Subject, field: string, entry: SecretKey): void {
  const text = entry.secret.entries[entry.key];
  if (typeof text === "object" && text.kind === "optional") {
    throw invalid(subject, field, text, "an entry that is always there: generated(32), or a text for the user");
  }
  if (typeof text === "string" && !/^[A-Za-z0-9._~-]+$/.test(text)) {
    throw invalid(
      subject,
      field,
      field === "user" ? text : "…",
      `letters, digits and . _ ~ - only, as it becomes part of a URL${field === "password" ? "; better generated(32)" : ""}`,
    );
  }
}
