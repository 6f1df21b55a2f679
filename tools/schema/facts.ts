// Joins what an API server publishes (types, required, list types, merge keys) with what its Go modules say (protobuf numbers, pointers).
import { downloadModules, readGoPackage } from "./go-types.ts";
import type { GoField, GoPackage } from "./go-types.ts";
import type { PublishedApi, PublishedSchema } from "./real-api.ts";

export interface TypeFacts {
  /** `apps/v1` where the type is a kind of that API version. */
  readonly kind?: string;
  readonly atomic?: true;
  /** Field → facts; packages/kube/src/schema/field.ts reads them. */
  readonly fields: Record<string, string>;
}

const modules = [
  "k8s.io/api",
  "k8s.io/apimachinery",
  "k8s.io/apiextensions-apiserver",
  "k8s.io/kube-aggregator",
  "k8s.io/metrics",
];

const prefixes =
  /^io\.k8s\.(?:api|apimachinery\.pkg\.apis|apiextensions-apiserver\.pkg\.apis|kube-aggregator\.pkg\.apis|metrics\.pkg\.apis)\./;

/** Types with a form of their own in JSON or protobuf: packages/kube/src/schema/field.ts lists them. */
const special: Readonly<Record<string, string>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microTime",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "duration",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "fieldsV1",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "json",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "schemaOrArray",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "schemaOrBool",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "schemaOrStringArray",
};

/** `io.k8s.api.core.v1.Pod` → `core.v1.Pod`. */
function shorten(name: string): string {
  return special[name] ?? name.replace(prefixes, "");
}

function referenceOf(schema: PublishedSchema): string | undefined {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  return reference === undefined ? undefined : shorten(reference.replace("#/components/schemas/", ""));
}

function scalar(schema: PublishedSchema): string {
  if (schema.type === "string") return schema.format === "byte" ? "bytes" : "string";
  if (schema.type === "boolean") return "bool";
  if (schema.type === "integer") return schema.format === "int64" ? "int64" : "int32";
  return schema.type === "number" ? "float64" : "any";
}

function typeOf(schema: PublishedSchema): string {
  const reference = referenceOf(schema);
  if (reference !== undefined) return reference;
  if (schema.type === "array") return `[]${typeOf(schema.items ?? {})}`;
  if (schema.additionalProperties) return `{}${typeOf(schema.additionalProperties)}`;
  return scalar(schema);
}

interface Flattened extends GoField {
  /** Numbers on the way into embedded structs: `2.1`. */
  readonly path: string;
  readonly wrapped: boolean;
  /** Names of embedded structs on the way: `VolumeSource`. */
  readonly embedded: string;
  /** The type as Go prints it: `[]v1.Container`. */
  readonly printed: string;
}

/** `*Container` within core/v1 → `v1.Container`, as the messages of Go's JSON decoder name it. */
function printGoType(from: GoPackage, type: string): string {
  const [, wrap = "", element = ""] = /^\*?((?:\[\]|map\[\w+\])*)\*?([\w.]+)$/.exec(type) ?? [];
  const home = from.path.split("/").at(-1) ?? "";
  if (element === "byte") return `${wrap}uint8`;
  if (/^[a-z]\w*$/.test(element)) return wrap + element;
  if (!element.includes(".")) return `${wrap}${home}.${element}`;
  return wrap + element.replace(/^(?:metav1|meta|corev1|core)\./, "v1.");
}

/** What `go=` need not say: the same, worked out from the type of the table. */
function usualGoType(type: string): string {
  if (type.startsWith("*")) return usualGoType(type.slice(1));
  if (type.startsWith("[]")) return `[]${usualGoType(type.slice(2))}`;
  if (type.startsWith("{}")) return `map[string]${usualGoType(type.slice(2))}`;
  return type === "bytes" ? "[]uint8" : type.split(".").slice(-2).join(".");
}

/** Their decoders name no Go type. */
const silent = new Set(Object.values(special));

/** The Go packages behind the schema, with embedded structs laid flat. */
class GoWorld {
  readonly #packages = new Map<string, GoPackage>();
  readonly #folders: Map<string, string>;

  constructor(version: string) {
    this.#folders = downloadModules(modules, `v0.${version.split(".").slice(1).join(".")}`);
  }

  package(path: string): GoPackage {
    const known = this.#packages.get(path);
    if (known) return known;
    const module = modules.find((one) => path.startsWith(`${one}/`)) ?? "";
    const read = readGoPackage(`${this.#folders.get(module)}${path.slice(module.length)}`, path);
    this.#packages.set(path, read);
    return read;
  }

  /** Resolves a type named inside `from`. */
  #resolve(from: GoPackage, type: string): [GoPackage, string] {
    const [alias, name] = type.includes(".") ? (type.split(".") as [string, string]) : [undefined, type];
    if (alias === undefined) return [from, name];
    if (alias === "metav1" || alias === "meta") return [this.package("k8s.io/apimachinery/pkg/apis/meta/v1"), name];
    return [this.package("k8s.io/api/core/v1"), name];
  }

  fields(from: GoPackage, name: string): Flattened[] {
    const result: Flattened[] = [];
    for (const field of from.structs.get(name) ?? []) {
      if (!field.inline) {
        const element = field.goType.replace(/^\*?(?:map\[\w+\])?/, "").replace(/^\*/, "");
        const [home, type] = /^[\w.]+$/.test(element) ? this.#resolve(from, element) : [from, element];
        // A named slice is a message with one field in protobuf (ExtraValue, Verbs).
        const wrapped = element !== field.goType.replace(/^\*/, "") && (home.named.get(type) ?? "").startsWith("[]");
        result.push({
          ...field,
          path: String(field.number),
          wrapped,
          embedded: "",
          printed: printGoType(from, field.goType),
        });
        continue;
      }
      const [home, type] = this.#resolve(from, field.goType.replace(/^\*/, ""));
      for (const inner of this.fields(home, type)) {
        // TypeMeta travels in the envelope only.
        result.push({
          ...inner,
          path: field.number > 0 ? `${field.number}.${inner.path}` : "0",
          embedded: inner.embedded === "" ? field.goName : `${field.goName}.${inner.embedded}`,
        });
      }
    }
    return result;
  }
}

/** `io.k8s.api.core.v1.Pod` → [`k8s.io/api/core/v1`, `Pod`]. */
function goName(openapiName: string): [string, string] {
  const parts = openapiName.split(".").slice(2);
  return [`k8s.io/${parts.slice(0, -1).join("/")}`, parts.at(-1) ?? ""];
}

/** Flags stand apart by spaces. */
function choices(values: readonly string[]): string {
  return values.map((value) => value.replaceAll(" ", "%20")).join("|");
}

function flagsOf(schema: PublishedSchema, required: boolean, go: Flattened): string[] {
  const flags: string[] = [];
  if (required) flags.push("!");
  if (!go.omitEmpty) flags.push("+");
  if (go.wrapped) flags.push("wrapped");
  const keys = schema["x-kubernetes-list-map-keys"];
  const list = schema["x-kubernetes-list-type"];
  if (list) flags.push(`list=${list}${keys ? `:${keys.join(",")}` : ""}`);
  if (schema["x-kubernetes-map-type"]) flags.push(`map=${schema["x-kubernetes-map-type"]}`);
  const mergeKey = schema["x-kubernetes-patch-merge-key"];
  const strategy = schema["x-kubernetes-patch-strategy"];
  if (mergeKey) flags.push(`key=${mergeKey}`);
  if (strategy) flags.push(`patch=${strategy}`);
  const published = JSON.stringify(schema.default);
  // The zero value of a struct, or of a scalar that is always written, is its default as a matter of course.
  const isPlain =
    published === "{}" ||
    (!go.omitEmpty && !go.goType.startsWith("*") && ['""', "0", "false", "null"].includes(published));
  if (schema.default !== undefined && !isPlain) flags.push(`default=${published}`);
  const each = (schema.items ?? schema.additionalProperties)?.enum;
  if (schema.enum) flags.push(`enum=${choices(schema.enum)}`);
  if (each) flags.push(`each=${choices(each)}`);
  return flags;
}

function factsOf(name: string, schema: PublishedSchema, world: GoWorld): TypeFacts {
  const [path, type] = goName(name);
  const go = new Map(world.fields(world.package(path), type).map((field) => [field.json, field]));
  const fields: Record<string, string> = {};
  for (const [field, published] of Object.entries(schema.properties ?? {})) {
    const found = go.get(field);
    if (!found) throw new TypeError(`${name}.${field}: published, but not in the Go module`);
    const pointer = found.goType.startsWith("*") ? "*" : "";
    const shape = typeOf(published);
    const flags = flagsOf(published, schema.required?.includes(field) ?? false, found);
    if (found.path !== "0" && found.embedded !== "") flags.push(`in=${found.embedded}`);
    if (!silent.has(shape) && found.printed !== usualGoType(shape)) flags.push(`go=${found.printed}`);
    fields[field] = [found.path, pointer + shape, ...flags].join(" ");
  }
  const kinds = schema["x-kubernetes-group-version-kind"] ?? [];
  const kind = kinds.length === 1 ? kinds[0] : undefined;
  return {
    ...(kind && { kind: kind.group === "" ? kind.version : `${kind.group}/${kind.version}` }),
    ...(schema["x-kubernetes-map-type"] === "atomic" && { atomic: true as const }),
    fields,
  };
}

export interface Facts {
  readonly version: string;
  readonly types: Record<string, TypeFacts>;
}

export function schemaFacts(api: PublishedApi, extra: ReadonlyMap<string, PublishedSchema>): Facts {
  const world = new GoWorld(api.version);
  const types: Record<string, TypeFacts> = {};
  const all = [...api.schemas, ...extra].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, schema] of all) {
    if (special[name] === undefined) types[shorten(name)] = factsOf(name, schema, world);
  }
  return { version: api.version, types };
}
