import { kindSchema } from "../schema/schema.ts";
import { anyScalar, type ListType, type MapType, type NodeType, type ScalarType, typeOf } from "./node-type.ts";

/** The parts of a structural schema that say how values are merged (apiextensions/v1 JSONSchemaProps). */
export interface StructuralSchema {
  readonly type?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema | boolean;
  readonly items?: StructuralSchema;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
}

const scalars: Readonly<Record<string, ScalarType>> = {
  string: { form: "scalar", expects: "string" },
  boolean: { form: "scalar", expects: "boolean" },
  integer: { form: "scalar", expects: "number" },
  number: { form: "scalar", expects: "number" },
};

/** The type of a custom kind for server-side apply (kube-openapi/pkg/schemaconv). */
export function customType(schema: StructuralSchema): MapType {
  const { field, ...type } = objectType(schema);
  const metadata = kindSchema("v1", "Pod")?.field("metadata")?.value;
  const own: Record<string, NodeType | undefined> = {
    apiVersion: scalars["string"],
    kind: scalars["string"],
    metadata: metadata?.form === "object" ? typeOf(metadata.object) : anyScalar,
  };
  return { ...type, field: (name) => own[name] ?? field(name) };
}

function typeOfSchema(schema: StructuralSchema): NodeType {
  if (schema["x-kubernetes-int-or-string"]) return { form: "scalar", expects: "scalar" };
  if (schema.type === "array") return listType(schema);
  if (schema.type === "object") return objectType(schema);
  return scalars[schema.type ?? ""] ?? anyScalar;
}

function objectType(schema: StructuralSchema): MapType {
  const { additionalProperties, properties = {} } = schema;
  const fields = new Map<string, NodeType>();
  const open = schema["x-kubernetes-preserve-unknown-fields"] || additionalProperties === true;
  const element =
    typeof additionalProperties === "object" ? typeOfSchema(additionalProperties) : open ? anyScalar : undefined;
  return {
    form: "map",
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    element,
    field(name) {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (!property) return embeddedField(schema, name);
      let type = fields.get(name);
      if (!type) fields.set(name, (type = typeOfSchema(property)));
      return type;
    },
  };
}

function embeddedField(schema: StructuralSchema, name: string): NodeType | undefined {
  if (!schema["x-kubernetes-embedded-resource"]) return undefined;
  return name === "apiVersion" || name === "kind" || name === "metadata" ? anyScalar : undefined;
}

function listType(schema: StructuralSchema): ListType {
  const { items = {} } = schema;
  const relation = schema["x-kubernetes-list-type"] ?? "atomic";
  const keyNames = relation === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : [];
  const keys = [...keyNames].sort((a, b) => (a < b ? -1 : 1));
  return {
    form: "list",
    relation,
    keyNames,
    keys: keys.map((name) => ({ name, fallback: items.properties?.[name]?.default })),
    element: typeOfSchema(items),
  };
}
