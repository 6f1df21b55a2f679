import { type FieldFault, fieldFault } from "@dhow/kube";
import { baselineChecks } from "./baseline.ts";
import type { Check, Subject, Violation } from "./check.ts";
import { restrictedChecks } from "./restricted.ts";

// pod-security-admission/api/helpers.go and policy/registry.go

const levels = ["privileged", "baseline", "restricted"];
const latest = Number.POSITIVE_INFINITY;
const prefix = "pod-security.kubernetes.io/";

export interface LevelVersion {
  readonly level: string;
  /** The minor version of Kubernetes whose rules hold; infinite for the newest. */
  readonly minor: number;
}

export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export function nameOf({ level, minor }: LevelVersion): string {
  return `${level}:${minor === latest ? "latest" : `v1.${minor}`}`;
}

/** What a namespace's labels demand, and what is wrong with them. Labels that are wrong enforce the strictest level. */
export function policyOf(labels: Readonly<Record<string, string>>): { policy: Policy; faults: FieldFault[] } {
  const faults: FieldFault[] = [];
  const read = (mode: "enforce" | "audit" | "warn"): LevelVersion => {
    const level = labels[`${prefix}${mode}`];
    const version = labels[`${prefix}${mode}-version`];
    const isKnown = level === undefined || levels.includes(level);
    if (!isKnown) faults.push(fault(mode, level, `must be one of ${levels.join(", ")}`));
    const match = /^v1\.(0|[1-9][0-9]*)$/.exec(version ?? "");
    if (version !== undefined && version !== "latest" && !match) {
      faults.push(fault(`${mode}-version`, version, 'must be "latest" or "v1.x"'));
    }
    const fallback = mode === "enforce" ? "restricted" : "privileged";
    return { level: isKnown ? (level ?? "privileged") : fallback, minor: match ? Number(match[1]) : latest };
  };
  const enforce = read("enforce");
  const audit = read("audit");
  let warn = read("warn");
  const enforceLevel = labels[`${prefix}enforce`];
  if (
    labels[`${prefix}warn`] === undefined &&
    enforceLevel !== undefined &&
    levels.includes(enforceLevel) &&
    enforceLevel !== "privileged"
  ) {
    warn = { level: enforce.level, minor: labels[`${prefix}warn-version`] === undefined ? enforce.minor : warn.minor };
  }
  return { policy: { enforce, audit, warn }, faults };
}

function fault(label: string, value: string, message: string): FieldFault {
  return fieldFault.invalid(`metadata.labels[${prefix}${label}]`, value, message);
}

/** Whether a level asks for more than another. */
export function isStricter(a: LevelVersion, b: LevelVersion): boolean {
  return levels.indexOf(a.level) > levels.indexOf(b.level);
}

/** What of a pod a level forbids, in the server's order: the general rules first. */
export function violations({ level, minor }: LevelVersion, pod: Subject): Violation[] {
  if (level === "privileged") return [];
  const restricted = level === "restricted" ? restrictedChecks.filter((check) => testOf(check, minor)) : [];
  const overridden = new Set(restricted.map((check) => check.overrides));
  const checks = [...baselineChecks.filter((check) => !overridden.has(check.id)), ...restricted];
  return checks.flatMap((check) => testOf(check, minor)?.(pod) ?? []);
}

function testOf({ versions }: Check, minor: number) {
  return versions.findLast(([from]) => from <= minor)?.[1];
}

export function describe(found: readonly Violation[]): string {
  return found.map(({ detail, reason }) => (detail ? `${reason} (${detail})` : reason)).join(", ");
}
