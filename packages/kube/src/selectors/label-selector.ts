import type { LabelSelector } from "../generated/types.ts";
import { quote } from "../quote.ts";
import { type FieldFault, formatFault } from "../field-fault.ts";
import { labelKeyFault, labelValueFault } from "./label-syntax.ts";

export type LabelOperator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | ">" | "<";

/** One condition on a label. Values are sorted. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/** All requirements must hold; none at all is everything. */
export type LabelMatcher = (labels: Labels | undefined) => boolean;

/** A matcher of requirements. */
export function labelMatcher(requirements: readonly LabelRequirement[]): LabelMatcher {
  if (requirements.length === 0) return () => true;
  return (labels = {}) => requirements.every((requirement) => holds(requirement, labels));
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return value !== undefined && values.includes(value);
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    default:
      return compares(operator, value, values[0] ?? "");
  }
}

function compares(operator: ">" | "<", value: string | undefined, bound: string): boolean {
  if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
  return operator === ">" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

const operators: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** The requirements of a selector object. No selector at all (undefined) selects nothing, an empty one everything: see `selectorMatcher`. */
export function selectorRequirements(selector: LabelSelector): LabelRequirement[] {
  const fromLabels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => checked(key, "=", [value]));
  const fromExpressions = (selector.matchExpressions ?? []).map(({ key, operator, values }) => {
    const known = operators[operator];
    if (!known) throw new Error(`${quote(operator)} is not a valid label selector operator`);
    return checked(key, known, values ?? []);
  });
  return [...fromLabels, ...fromExpressions];
}

/** Whether labels are selected by a selector object; an undefined selector selects nothing. Throws an Error where the selector is invalid. */
export function selectorMatcher(selector: LabelSelector | undefined): LabelMatcher {
  return selector ? labelMatcher(selectorRequirements(selector)) : () => false;
}

/** `selectorMatcher` for a single use. */
export function matchesLabels(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  return selectorMatcher(selector)(labels);
}

/** Writes a selector object in the form of query parameters and of a Scale's status: `app=web,tier in (a,b)`. */
export function formatLabelSelector(selector: LabelSelector): string {
  return formatRequirements(
    selectorRequirements(selector).sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))),
  );
}

export function formatRequirements(requirements: readonly LabelRequirement[]): string {
  return requirements.map(formatRequirement).join(",");
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  if (operator === "exists") return key;
  if (operator === "!") return `!${key}`;
  if (operator === "in" || operator === "notin") return `${key} ${operator} (${values.join(",")})`;
  return `${key}${operator}${values.join(",")}`;
}

/** A requirement whose parts are sound; throws an Error with the server's words otherwise (apimachinery/pkg/labels/selector.go, NewRequirement). */
export function checked(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const faults: (FieldFault | undefined)[] = [labelKeyFault(key)];
  const count = (ok: boolean, detail: string) =>
    ok ? undefined : ({ type: "Invalid", field: "values", value: values, detail } as const);
  if (operator === "in" || operator === "notin") {
    faults.push(count(values.length > 0, "for 'in', 'notin' operators, values set can't be empty"));
  } else if (operator === "=" || operator === "==" || operator === "!=") {
    faults.push(count(values.length === 1, "exact-match compatibility requires one single value"));
  } else if (operator === "exists" || operator === "!") {
    faults.push(count(values.length === 0, "values set must be empty for exists and does not exist"));
  } else {
    faults.push(count(values.length === 1, "for 'Gt', 'Lt' operators, exactly one value is required"));
    values.forEach((value, at) => faults.push(numberFault(value, at)));
  }
  values.forEach((value, at) => faults.push(labelValueFault(key, value, at)));
  const messages = faults.filter((fault) => fault !== undefined).map(formatFault);
  if (messages.length === 1) throw new Error(messages[0]);
  if (messages.length > 1) throw new Error(`[${messages.join(", ")}]`);
  return { key, operator, values: [...new Set(values)].sort((a, b) => (a < b ? -1 : Number(a > b))) };
}

/** Throws where a key is not one. */
export function labelKeyOnly(key: string): void {
  const fault = labelKeyFault(key);
  if (fault) throw new Error(formatFault(fault));
}

function numberFault(value: string, at: number): FieldFault | undefined {
  // strconv.ParseInt, 64 bits
  if (/^[+-]?\d+$/.test(value) && BigInt.asIntN(64, BigInt(value.replace("+", ""))) === BigInt(value.replace("+", "")))
    return undefined;
  return {
    type: "Invalid",
    field: `values[${at}]`,
    value,
    detail: "for 'Gt', 'Lt' operators, the value must be an integer",
  };
}
