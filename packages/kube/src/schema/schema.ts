import { readFileSync } from "node:fs";
import { FieldSchema } from "./field.ts";

/** Types with a form of their own, which have no fields in the table. */
export type Scalar =
  | "string"
  | "bytes"
  | "bool"
  | "int32"
  | "int64"
  | "float64"
  | "quantity"
  | "intOrString"
  | "time"
  | "microTime"
  | "duration"
  | "fieldsV1"
  | "raw"
  | "json"
  | "any"
  | "schemaOrArray"
  | "schemaOrBool"
  | "schemaOrStringArray";

/** What a value is. */
export type ValueSchema =
  | { readonly form: "scalar"; readonly scalar: Scalar }
  | { readonly form: "object"; readonly object: ObjectSchema }
  | { readonly form: "list"; readonly element: ValueSchema }
  | { readonly form: "map"; readonly element: ValueSchema };

interface TypeFacts {
  readonly kind?: string;
  readonly atomic?: true;
  readonly fields: Readonly<Record<string, string>>;
}

interface Table {
  readonly version: string;
  readonly types: Readonly<Record<string, TypeFacts>>;
}

let table: Table | undefined;

function facts(): Table {
  table ??= JSON.parse(readFileSync(new URL("../generated/schema.json", import.meta.url), "utf8")) as Table;
  return table;
}

/** An object type of the API: a kind such as Deployment, or a part such as Container. Fields are read from the table when they are first asked for. */
export class ObjectSchema {
  /** `apps.v1.Deployment`. */
  readonly name: string;
  /** `Deployment`. */
  readonly shortName: string;
  /** `apps/v1` where it is a kind; undefined for parts. */
  readonly apiVersion: string | undefined;
  /** Server-side apply owns it as a whole, wherever it is used. */
  readonly atomic: boolean;
  readonly #facts: TypeFacts;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;

  constructor(name: string, facts: TypeFacts) {
    this.name = name;
    this.shortName = name.slice(name.lastIndexOf(".") + 1);
    this.apiVersion = facts.kind;
    this.atomic = facts.atomic === true;
    this.#facts = facts;
  }

  get fields(): ReadonlyMap<string, FieldSchema> {
    this.#fields ??= new Map(
      Object.entries(this.#facts.fields).map(([name, text]) => [name, new FieldSchema(name, text, valueSchema)]),
    );
    return this.#fields;
  }

  field(name: string): FieldSchema | undefined {
    return this.fields.get(name);
  }
}

const objects = new Map<string, ObjectSchema>();
const values = new Map<string, ValueSchema>();
let kinds: Map<string, string> | undefined;

/** A type by its name in the table: `core.v1.Container`. */
export function typeSchema(name: string): ObjectSchema | undefined {
  const known = objects.get(name);
  if (known) return known;
  const found = Object.hasOwn(facts().types, name) ? facts().types[name] : undefined;
  if (!found) return undefined;
  const schema = new ObjectSchema(name, found);
  objects.set(name, schema);
  return schema;
}

/** Kinds that belong to every group. */
const metaKinds = new Set(["DeleteOptions", "WatchEvent"]);

/** The schema of a built-in kind; undefined for custom resources. */
export function kindSchema(apiVersion: string, kind: string): ObjectSchema | undefined {
  if (!kinds) {
    kinds = new Map();
    for (const [name, { kind: home }] of Object.entries(facts().types)) {
      if (home !== undefined) kinds.set(`${home} ${name.slice(name.lastIndexOf(".") + 1)}`, name);
    }
  }
  const name = kinds.get(`${apiVersion} ${kind}`) ?? (metaKinds.has(kind) ? `meta.v1.${kind}` : undefined);
  return name === undefined ? undefined : typeSchema(name);
}

/** Reads a type of the table: `core.v1.Container`, `[]string`, `{}quantity`. */
export function valueSchema(text: string): ValueSchema {
  const known = values.get(text);
  if (known) return known;
  let schema: ValueSchema;
  if (text.startsWith("[]")) schema = { form: "list", element: valueSchema(text.slice(2)) };
  else if (text.startsWith("{}")) schema = { form: "map", element: valueSchema(text.slice(2)) };
  else {
    const object = typeSchema(text);
    schema = object ? { form: "object", object } : { form: "scalar", scalar: text as Scalar };
  }
  values.set(text, schema);
  return schema;
}

/** All types, by name: for documents that describe the whole API. */
export function typeNames(): string[] {
  return Object.keys(facts().types);
}

/** The version of Kubernetes that the table was read from: `1.36.3`. */
export function schemaVersion(): string {
  return facts().version;
}
