import { checkName, checkWhole, invalid, type Subject } from "./check.ts";
import { callingPlace } from "./place.ts";
import type { Named } from "./value.ts";

/** A value that is made when the secret is first created, and kept from then on. */
export interface Generated {
  readonly kind: "generated";
  /** Letters and digits, about 5.95 bits each. */
  readonly length: number;
}

/** An entry that the description leaves empty: whoever operates the system puts it there, and programs start without it. */
export interface Optional {
  readonly kind: "optional";
}

/** One entry of a secret, as it is given to `env`. */
export interface SecretKey {
  readonly kind: "secret-key";
  readonly secret: Secret;
  readonly key: string;
}

export interface Secret extends Named {
  readonly kind: "secret";
  readonly entries: Readonly<Record<string, SecretEntry>>;
}

export type SecretEntry = string | Generated | Optional;

const ownFields = new Set(["kind", "name", "place", "entries"]);

/** A random value of `length` letters and digits: never in a file, never in what is rendered, only in the cluster. */
export function generated(length: number): Generated {
  const subject: Subject = { what: "generated()", place: callingPlace() };
  checkWhole(subject, "length", length, 8, 1024);
  return Object.freeze({ kind: "generated", length });
}

/** An entry for what is there at times only, such as the key before the present one; its variable is not set where it is not there. */
export function optional(): Optional {
  return Object.freeze({ kind: "optional" });
}

/**
 * A Kubernetes Secret. Its entries are fields of the value: `secrets.JWT_SECRET_KEY` in a service's `env` gives the entry to that
 * service and to nobody else. Write only what is no secret as text (a user name); what is one is `generated`.
 */
export function secret<const Entries extends Record<string, SecretEntry>>(
  name: string,
  entries: Entries,
): Secret & { readonly [Key in keyof Entries]: SecretKey } {
  const subject: Subject = { what: `secret(${JSON.stringify(name)})`, place: callingPlace() };
  checkName(subject, name);
  for (const [key, value] of Object.entries(entries)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) || ownFields.has(key)) {
      throw invalid(subject, key, value, "another key: letters, digits and _, such as DATABASE_PASSWORD");
    }
    const kind = (value as Generated | Optional | undefined)?.kind;
    if (typeof value !== "string" && kind !== "generated" && kind !== "optional") {
      throw invalid(subject, key, value, "a text, generated(32), or optional()");
    }
  }
  const value: Secret & Record<string, unknown> = {
    kind: "secret",
    name,
    place: subject.place,
    entries: Object.freeze({ ...entries }),
  };
  for (const key of Object.keys(entries)) value[key] = Object.freeze({ kind: "secret-key", secret: value, key });
  return Object.freeze(value) as unknown as Secret & { readonly [Key in keyof Entries]: SecretKey };
}
