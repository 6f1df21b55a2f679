import type { FieldSchema } from "../schema/field.ts";
import { zeroOf } from "../schema/scalars.ts";
import { typeSchema } from "../schema/schema.ts";
import type { ObjectSchema, Scalar, ValueSchema } from "../schema/schema.ts";
import type { ResourceInfo } from "../resources.ts";
import { prose } from "./prose.ts";

/** A schema as OpenAPI writes it. */
export type JsonSchema = Record<string, unknown>;

/** Which version of OpenAPI a schema is for: they differ in how references stand beside descriptions. */
export type Dialect = "v2" | "v3";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const apiextensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/** Full names of the table's names without fields. */
const scalarNames: Partial<Record<Scalar, string>> = {
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  raw: "io.k8s.apimachinery.pkg.runtime.RawExtension",
  time: `${meta}.Time`,
  microTime: `${meta}.MicroTime`,
  duration: `${meta}.Duration`,
  fieldsV1: `${meta}.FieldsV1`,
  json: `${apiextensions}.JSON`,
  schemaOrArray: `${apiextensions}.JSONSchemaPropsOrArray`,
  schemaOrBool: `${apiextensions}.JSONSchemaPropsOrBool`,
  schemaOrStringArray: `${apiextensions}.JSONSchemaPropsOrStringArray`,
};

const scalarSchemas: Record<Dialect, Partial<Record<Scalar, JsonSchema>>> = {
  v3: {
    quantity: { oneOf: [{ type: "string" }, { type: "number" }] },
    intOrString: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
    raw: { type: "object" },
    time: { type: "string", format: "date-time" },
    microTime: { type: "string", format: "date-time" },
    duration: { type: "string" },
    fieldsV1: { type: "object" },
    json: {},
    schemaOrArray: {},
    schemaOrBool: {},
    schemaOrStringArray: {},
  },
  v2: { quantity: { type: "string" }, intOrString: { type: "string", format: "int-or-string" } },
};

const plainSchemas: Partial<Record<Scalar, JsonSchema>> = {
  string: { type: "string" },
  bytes: { type: "string", format: "byte" },
  bool: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  float64: { type: "number", format: "double" },
  any: { type: "object" },
};

const specialTypes: Readonly<Record<string, string>> = {
  quantity: "api.resource.Quantity",
  time: "meta.v1.Time",
  microTime: "meta.v1.MicroTime",
  fieldsV1: "meta.v1.FieldsV1",
};

/** `core.v1.Pod` → `io.k8s.api.core.v1.Pod`. */
export function openapiName(typeName: string): string {
  if (typeName.startsWith("meta.")) return `io.k8s.apimachinery.pkg.apis.${typeName}`;
  if (typeName.startsWith("apiextensions.")) return `io.k8s.apiextensions-apiserver.pkg.apis.${typeName}`;
  if (typeName.startsWith("apiregistration.")) return `io.k8s.kube-aggregator.pkg.apis.${typeName}`;
  if (typeName.startsWith("metrics.")) return `io.k8s.metrics.pkg.apis.${typeName}`;
  return `io.k8s.api.${typeName}`;
}

/** Collects the schemas that a document needs: those asked for, and all that they refer to. */
export class SchemaCollector {
  readonly schemas: Record<string, JsonSchema> = {};
  readonly #dialect: Dialect;
  readonly #prefix: string;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#prefix = dialect === "v3" ? "#/components/schemas/" : "#/definitions/";
  }

  /** A reference to a type of the table, such as `core.v1.Pod`; the type is collected. */
  reference(typeName: string): JsonSchema {
    const name = openapiName(typeName);
    const schema = typeSchema(typeName);
    if (schema && !Object.hasOwn(this.schemas, name)) {
      // Types refer to themselves: the name is taken before the fields are looked at.
      const written: JsonSchema = (this.schemas[name] = {});
      Object.assign(written, this.#object(schema));
    }
    return { $ref: this.#prefix + name };
  }

  /** A reference to a custom kind, or to its lists; both are collected (apiextensions-apiserver/pkg/controller/openapi/builder). */
  custom(info: ResourceInfo, list: boolean): JsonSchema {
    const { listKind, schema } = info.custom ?? { listKind: "", schema: {} };
    const home = `${info.group.split(".").toReversed().join(".")}.${info.version}`;
    const kinds = (kind: string) => ({
      "x-kubernetes-group-version-kind": [{ group: info.group, kind, version: info.version }],
    });
    const own = () => ({ ...this.#customObject(schema as JsonSchema), ...kinds(info.kind) });
    const reference = this.add(`${home}.${info.kind}`, own());
    if (!list) return reference;
    const properties = {
      apiVersion: { type: "string" },
      items: { type: "array", items: reference },
      kind: { type: "string" },
      metadata: this.reference("meta.v1.ListMeta"),
    };
    const description = `${listKind} is a list of ${info.kind}`;
    return this.add(`${home}.${listKind}`, {
      description,
      type: "object",
      required: ["items"],
      properties,
      ...kinds(listKind),
    });
  }

  #customObject(schema: JsonSchema): JsonSchema {
    const written = this.#dialect === "v2" ? withoutV3Words(schema) : schema;
    const own = written["properties"] as JsonSchema | undefined;
    if (!own) return { type: "object", ...written };
    const general = {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: this.reference("meta.v1.ObjectMeta"),
    };
    return { ...written, properties: { ...own, ...general } };
  }

  /** Adds a schema that is not in the table. */
  add(name: string, schema: JsonSchema): JsonSchema {
    this.schemas[name] ??= schema;
    return { $ref: this.#prefix + name };
  }

  #object(schema: ObjectSchema): JsonSchema {
    const { text, fields: said } = prose(schema.name);
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const field of schema.fields.values()) {
      properties[field.name] = this.#property(field, said.get(field.name));
      if (field.required) required.push(field.name);
    }
    return {
      ...(text !== undefined && { description: text }),
      type: "object",
      ...(required.length > 0 && { required }),
      ...(Object.keys(properties).length > 0 && { properties }),
      ...kindExtension(schema),
      ...(schema.atomic && { "x-kubernetes-map-type": "atomic" }),
    };
  }

  #property(field: FieldSchema, description: string | undefined): JsonSchema {
    const value = this.#value(field.value, field.elementEnum);
    const byDefault = field.default ?? (field.pointer ? undefined : this.#zero(field.value, field.always));
    const extensions = fieldExtensions(field);
    const beside = {
      ...(description !== undefined && { description }),
      ...(byDefault !== undefined && { default: byDefault }),
      ...(field.enum && { enum: field.enum }),
    };
    return { ...this.#beside(value, beside), ...extensions };
  }

  /** Nothing may stand beside a reference in v3. */
  #beside(value: JsonSchema, beside: JsonSchema): JsonSchema {
    const wraps = this.#dialect === "v3" && "$ref" in value && Object.keys(beside).length > 0;
    return wraps ? { ...beside, allOf: [value] } : { ...beside, ...value };
  }

  #value(value: ValueSchema, choices?: readonly string[]): JsonSchema {
    if (value.form === "object") return this.reference(value.object.name);
    if (value.form === "list") return { type: "array", items: this.#element(value.element, choices) };
    if (value.form === "map") return { type: "object", additionalProperties: this.#element(value.element, choices) };
    const name = scalarNames[value.scalar];
    if (name === undefined) return plainSchemas[value.scalar] ?? {};
    const schema = scalarSchemas[this.#dialect][value.scalar] ?? scalarSchemas.v3[value.scalar] ?? {};
    const said = specialTypes[value.scalar];
    const text = said === undefined ? undefined : prose(said).text;
    return this.add(name, { ...(text !== undefined && { description: text }), ...schema });
  }

  #element(value: ValueSchema, choices: readonly string[] | undefined): JsonSchema {
    const zero = this.#zero(value, true);
    return this.#beside(this.#value(value), {
      ...(zero !== undefined && { default: zero }),
      ...(choices && { enum: choices }),
    });
  }

  /** v3 says what Go holds where nothing is said. */
  #zero(value: ValueSchema, always: boolean): unknown {
    if (this.#dialect === "v2") return undefined;
    if (value.form === "object") return {};
    if (value.form !== "scalar" || !always) return undefined;
    return scalarNames[value.scalar] === undefined && value.scalar !== "bytes" ? zeroOf(value.scalar) : undefined;
  }
}

/** What v2 does not know, or its clients choke on (builder.go, ToStructuralOpenAPIV2). */
function withoutV3Words(schema: JsonSchema): JsonSchema {
  const { allOf: _, anyOf: __, default: ___, not: ____, nullable: _____, oneOf: ______, ...rest } = schema;
  if (rest["x-kubernetes-int-or-string"]) delete rest["type"];
  const properties = rest["properties"] as Record<string, JsonSchema> | undefined;
  for (const part of ["items", "additionalProperties"] as const) {
    const below = rest[part];
    if (typeof below === "object" && below !== null) rest[part] = withoutV3Words(below as JsonSchema);
  }
  if (rest["x-kubernetes-preserve-unknown-fields"]) {
    // Whatever stands beside it would be validated by clients as all that there may be.
    for (const part of ["type", "properties", "items", "additionalProperties"]) delete rest[part];
  } else if (properties) {
    rest["properties"] = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, withoutV3Words(property)]),
    );
  }
  return rest;
}

function fieldExtensions(field: FieldSchema): JsonSchema {
  return {
    ...(field.listKeys.length > 0 && { "x-kubernetes-list-map-keys": field.listKeys }),
    ...(field.listType && { "x-kubernetes-list-type": field.listType }),
    ...(field.mapType && { "x-kubernetes-map-type": field.mapType }),
    ...(field.mergeKey && { "x-kubernetes-patch-merge-key": field.mergeKey }),
    ...(field.patchStrategies.length > 0 && { "x-kubernetes-patch-strategy": field.patchStrategies.join(",") }),
  };
}

function kindExtension({ apiVersion, shortName }: ObjectSchema): JsonSchema {
  if (apiVersion === undefined) return {};
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return { "x-kubernetes-group-version-kind": [{ group, version: apiVersion.slice(slash + 1), kind: shortName }] };
}
