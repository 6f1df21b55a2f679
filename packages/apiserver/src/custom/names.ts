import { deepEqual } from "@dhow/kube";
import { type Definition, type DefinitionCondition, type DefinitionStatus } from "./definition.ts";
import type { DefinitionNames } from "./schema.ts";

// apiextensions-apiserver/pkg/controller/status/naming_controller.go, pkg/apis/apiextensions/helpers.go

type Draft = { -readonly [Name in keyof DefinitionNames]: DefinitionNames[Name] };

/** The status with a condition; its time changes only with its status. */
export function withCondition(
  conditions: readonly DefinitionCondition[] | null,
  condition: Omit<DefinitionCondition, "lastTransitionTime">,
  now: string,
): DefinitionCondition[] {
  const before = conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
  const { type, status, reason, message } = condition;
  const next = { type, status, lastTransitionTime, reason, message };
  if (!before) return [...(conditions ?? []), next];
  return (conditions ?? []).map((one) => (one === before ? next : one));
}

export function isTrue({ status }: Definition, type: string): boolean {
  return (status?.conditions ?? []).some((one) => one.type === type && one.status === "True");
}

/** Names that definitions of a group hold. */
function taken(others: readonly Definition[]): { resources: Set<string>; kinds: Set<string> } {
  const accepted = others.map(({ status }) => status?.acceptedNames).filter((names) => names !== undefined);
  return {
    resources: new Set(
      accepted.flatMap(({ plural, singular = "", shortNames = [] }) => [plural, singular, ...shortNames]),
    ),
    kinds: new Set(accepted.flatMap(({ kind, listKind = "" }) => [kind, listKind])),
  };
}

/** What a definition's status becomes: names that no other of its group holds are its own, and with all of them it is served. */
export function namedStatus(definition: Definition, others: readonly Definition[], now: string): DefinitionStatus {
  const { names } = definition.spec;
  const before = definition.status;
  const draft: Draft = { plural: "", kind: "", ...before?.acceptedNames };
  const { kinds, resources } = taken(others);
  let conflict: { reason: string; message: string } | undefined;
  const claim = (name: string | undefined, held: ReadonlySet<string>, reason: string, accept: () => void): void => {
    if (name && held.has(name)) conflict = { reason, message: `${JSON.stringify(name)} is already in use` };
    else accept();
  };
  claim(names.plural, resources, "PluralConflict", () => (draft.plural = names.plural));
  claim(names.singular, resources, "SingularConflict", () => set(draft, "singular", names.singular));
  const shortName = names.shortNames?.find((name) => resources.has(name));
  claim(shortName, resources, "ShortNamesConflict", () => set(draft, "shortNames", names.shortNames));
  claim(names.kind, kinds, "KindConflict", () => (draft.kind = names.kind));
  claim(names.listKind, kinds, "ListKindConflict", () => set(draft, "listKind", names.listKind));
  set(draft, "categories", names.categories);
  const conditions = conditionsOf(definition, conflict, now);
  return { conditions, acceptedNames: draft, storedVersions: before?.storedVersions ?? null };
}

function set<Name extends keyof Draft>(draft: Draft, name: Name, value: Draft[Name]): void {
  if (value === undefined) delete draft[name];
  else draft[name] = value;
}

function conditionsOf(
  definition: Definition,
  conflict: { reason: string; message: string } | undefined,
  now: string,
): DefinitionCondition[] {
  const before = definition.status?.conditions ?? null;
  const accepted = conflict
    ? ({ type: "NamesAccepted", status: "False", ...conflict } as const)
    : ({ type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" } as const);
  const named = withCondition(before, accepted, now);
  if (isTrue(definition, "Established")) return named;
  const established = conflict
    ? ({ type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" } as const)
    : ({
        type: "Established",
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      } as const);
  return withCondition(named, established, now);
}

/** Whether a status says the same as another. */
export function sameStatus(a: DefinitionStatus | undefined, b: DefinitionStatus): boolean {
  return a !== undefined && deepEqual(a, b);
}
