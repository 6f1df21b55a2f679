import { createRequire } from "node:module";
import { type FieldFault, type FieldFaultType, omittedValue } from "@dhow/kube";
import type { Environment } from "@marcbachmann/cel-js";
import { celValue } from "./cel-value.ts";
import { hasRules, type Rule, type Schema } from "./schema.ts";

// x-kubernetes-validations: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go

type Fields = Readonly<Record<string, unknown>>;
type Evaluate = (context: Fields) => unknown;

let environment: Environment | undefined;

/** The library is loaded with the first rule. */
function celEnvironment(): Environment {
  if (environment) return environment;
  const library = createRequire(import.meta.url)("@marcbachmann/cel-js") as { Environment: typeof Environment };
  environment = new library.Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
  });
  addKubernetesFunctions(environment);
  return environment;
}

/** Of k8s.io/apiserver/pkg/cel/library what is plain on values that CEL has: lists and regular expressions. */
function addKubernetesFunctions(to: Environment): void {
  type Comparable = number | bigint | string;
  const extreme = (list: readonly Comparable[], better: (a: Comparable, b: Comparable) => boolean) => {
    if (list.length === 0) throw new Error("the list is empty");
    return list.reduce((best, one) => (better(one, best) ? one : best));
  };
  to.registerFunction("list.isSorted(): bool", (list: Comparable[]) =>
    list.every((one, at) => at === 0 || (list[at - 1] as Comparable) <= one),
  );
  to.registerFunction("list.sum(): dyn", (list: bigint[]) => list.reduce((sum, one) => sum + one, 0n));
  to.registerFunction("list.min(): dyn", (list: Comparable[]) => extreme(list, (a, b) => a < b));
  to.registerFunction("list.max(): dyn", (list: Comparable[]) => extreme(list, (a, b) => a > b));
  to.registerFunction(
    "string.find(string): string",
    (text: string, pattern: string) => new RegExp(pattern).exec(text)?.[0] ?? "",
  );
  to.registerFunction("string.findAll(string): list<string>", (text: string, pattern: string) => [
    ...(text.match(new RegExp(pattern, "g")) ?? []),
  ]);
  to.registerFunction("string.replace(string, string): string", (text: string, from: string, into: string) =>
    text.replaceAll(from, into),
  );
  to.registerFunction("isURL(string): bool", (text: string) => URL.canParse(text));
}

const programs = new Map<string, Evaluate>();

/** The program of an expression; throws where it cannot be read. */
function program(expression: string): Evaluate {
  let found = programs.get(expression);
  if (!found) programs.set(expression, (found = celEnvironment().parse(expression)));
  return found;
}

/** What is wrong with an expression as a text; undefined where it can be read. */
export function syntaxFault(expression: string): string | undefined {
  try {
    program(expression);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Faults that keep rules from being looked at: the value is not of the types that they rely on. */
const blocking = new Set<FieldFaultType>(["Required", "TooLong", "TooMany", "TypeInvalid", "NotSupported"]);

/**
 * Faults by the rules of a schema. `before` are those found without them.
 * @param old what was there before an update; undefined at creation.
 */
export function ruleFaults(
  value: unknown,
  old: unknown,
  schema: Schema,
  field: string,
  before: readonly FieldFault[],
): FieldFault[] {
  if (!hasRules(schema)) return [];
  if (!before.some(({ type }) => blocking.has(type))) return [...faultsAt(value, old, schema, field)];
  const detail =
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
  return [{ type: "Invalid", field: "<nil>", value: null, detail }];
}

function* faultsAt(value: unknown, old: unknown, schema: Schema, field: string): Generator<FieldFault> {
  if (value === undefined || value === null) return;
  for (const rule of schema["x-kubernetes-validations"] ?? []) yield* ruleFault(rule, value, old, schema, field);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return;
    for (const [at, item] of value.entries())
      yield* faultsAt(item, counterpart(item, old, schema), items, `${field}[${at}]`);
    return;
  }
  if (typeof value !== "object") return;
  const { additionalProperties, properties = {} } = schema;
  for (const [key, item] of Object.entries(value)) {
    const of = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    const path = field === "" ? key : `${field}.${key}`;
    if (typeof of === "object") yield* faultsAt(item, (old as Fields | undefined)?.[key], of, path);
  }
}

/** The item that was there before, where items are known by keys. */
function counterpart(item: unknown, old: unknown, schema: Schema): unknown {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (schema["x-kubernetes-list-type"] !== "map" || !keys || !Array.isArray(old)) return undefined;
  return (old as Fields[]).find((one) => keys.every((key) => one[key] === (item as Fields)[key]));
}

function* ruleFault(rule: Rule, value: unknown, old: unknown, schema: Schema, field: string): Generator<FieldFault> {
  const changes = /\boldSelf\b/.test(rule.rule);
  if (changes && old === undefined && !rule.optionalOldSelf) return;
  const context = { self: celValue(value, schema), ...(changes ? { oldSelf: celValue(old ?? null, schema) } : {}) };
  let holds: unknown;
  try {
    holds = program(rule.rule)(context);
  } catch (error) {
    if (!isUnknownFunction(error)) yield faultOf(rule, field, `rule evaluation error: ${firstLine(error)}`);
    return;
  }
  if (holds !== true) yield faultOf(rule, field, messageOf(rule, context));
}

function messageOf({ message, messageExpression, rule }: Rule, context: Fields): string {
  if (messageExpression) {
    try {
      const text = program(messageExpression)(context);
      if (typeof text === "string" && text.trim() !== "" && !text.includes("\n")) return text;
    } catch {
      // As upstream: the plain message stands where the expression gives none.
    }
  }
  return message ?? `failed rule: ${rule}`;
}

const types: Readonly<Record<string, FieldFaultType>> = {
  FieldValueRequired: "Required",
  FieldValueForbidden: "Forbidden",
  FieldValueDuplicate: "Duplicate",
};

function faultOf({ fieldPath = "", reason = "" }: Rule, field: string, detail: string): FieldFault {
  const path = field === "" ? fieldPath.replace(/^\./, "") : field + fieldPath;
  return { type: types[reason] ?? "Invalid", field: path, value: omittedValue, detail };
}

/** A real server checks types beforehand: what a rule calls that is not there is missing here, and is no fault of the object. */
function isUnknownFunction(error: unknown): boolean {
  return /^found no matching overload|^Unknown variable/.test(firstLine(error));
}

function firstLine(error: unknown): string {
  return (error as Error).message.split("\n")[0] ?? "";
}
