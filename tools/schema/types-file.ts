// TypeScript types of the built-in kinds and their parts.
import type { Facts, TypeFacts } from "./facts.ts";

/** Who keeps the plain name where two groups have a type of the same name. */
const preferred = [
  "meta.v1",
  "core.v1",
  "apps.v1",
  "batch.v1",
  "autoscaling.v2",
  "networking.v1",
  "policy.v1",
  "rbac.v1",
  "discovery.v1",
  "authentication.v1",
  "authorization.v1",
  "storage.v1",
  "admissionregistration.v1",
];

/** These are created without a spec as a matter of course. */
const specIsOptional = new Set([
  "Namespace",
  "Node",
  "Lease",
  "ResourceQuota",
  "LimitRange",
  "PriorityLevelConfiguration",
]);

const scalars: Readonly<Record<string, string>> = {
  string: "string",
  bytes: "string",
  bool: "boolean",
  int32: "number",
  int64: "number",
  float64: "number",
  quantity: "string",
  intOrString: "number | string",
  time: "string",
  microTime: "string",
  duration: "string",
  any: "unknown",
  raw: "unknown",
  json: "unknown",
  fieldsV1: "Record<string, unknown>",
  schemaOrArray: "unknown",
  schemaOrBool: "unknown",
  schemaOrStringArray: "unknown",
};

function homeOf(name: string): string {
  return name.split(".").slice(0, -1).join(".");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Short names, unique: `Event` is core's, that of events.k8s.io is `EventsEvent`; an older version carries it: `HorizontalPodAutoscalerV1`. */
function shortNames(types: readonly string[]): Map<string, string> {
  const byShort = Map.groupBy(types, (name) => name.split(".").at(-1) ?? "");
  const result = new Map<string, string>();
  for (const [short, names] of byShort) {
    const rank = (name: string): number =>
      (preferred.indexOf(homeOf(name)) + preferred.length + 1) % (preferred.length + 1);
    const [first = "", ...others] = names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    const plain = names.length === 1 || preferred.includes(homeOf(first));
    if (plain) result.set(first, short);
    for (const other of plain ? others : names) {
      const [group = "", version = ""] = homeOf(other).split(".");
      const sibling = plain && homeOf(first).startsWith(`${group}.`);
      result.set(other, sibling ? `${short}${capital(version)}` : `${capital(group)}${short}`);
    }
  }
  return result;
}

function render(type: string, names: ReadonlyMap<string, string>): string {
  if (type.startsWith("*")) return render(type.slice(1), names);
  if (type.startsWith("[]")) {
    const element = render(type.slice(2), names);
    return element.includes(" | ") ? `(${element})[]` : `${element}[]`;
  }
  if (type.startsWith("{}")) return `Record<string, ${render(type.slice(2), names)}>`;
  const known = scalars[type] ?? names.get(type);
  if (known === undefined) throw new TypeError(`no TypeScript type for ${type}`);
  return known;
}

function fieldType(
  kind: string,
  apiVersion: string | undefined,
  field: string,
  words: readonly string[],
  names: ReadonlyMap<string, string>,
): string {
  if (apiVersion !== undefined && field === "apiVersion") return JSON.stringify(apiVersion);
  if (apiVersion !== undefined && field === "kind") return JSON.stringify(kind);
  const choices = words.find((word) => word.startsWith("enum="))?.slice(5);
  if (choices === undefined) return render(words[1] ?? "", names);
  return choices
    .split("|")
    .map((choice) => JSON.stringify(choice.replaceAll("%20", " ")))
    .join(" | ");
}

function declare(name: string, type: TypeFacts, names: ReadonlyMap<string, string>): string {
  const kind = name.split(".").at(-1) ?? "";
  const isObject = type.kind !== undefined && "metadata" in type.fields;
  const lines = Object.entries(type.fields).map(([field, text]) => {
    const words = text.split(" ");
    const always =
      isObject &&
      (["apiVersion", "kind", "metadata"].includes(field) || (field === "spec" && !specIsOptional.has(kind)));
    const optional = always || words.includes("!") ? "" : "?";
    const key = /^\w+$/.test(field) ? field : JSON.stringify(field);
    return `  ${key}${optional}: ${fieldType(kind, isObject ? type.kind : undefined, field, words, names)};\n`;
  });
  return `export type ${names.get(name)} = {\n${lines.join("")}};\n`;
}

export function typesFile(facts: Facts): string {
  const names = shortNames(Object.keys(facts.types));
  const parts = Object.entries(facts.types).map(([name, type]) => declare(name, type, names));
  return `// Written by tools/generate-schema.ts from Kubernetes ${facts.version}.\n\n${parts.join("\n")}`;
}
