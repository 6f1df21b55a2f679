import { quote } from "../quote.ts";
import { applyConflict, type StatusCause, type StatusError } from "../status.ts";
import { type FieldSet, paths } from "./field-set.ts";
import type { ManagedSet, Managers } from "./managers.ts";
import { formatPath } from "./path-element.ts";

/** The 409 of an apply that would change what others own (managedfields/internal/conflict.go). */
export function conflictError(conflicts: ReadonlyMap<string, FieldSet>, managers: Managers): StatusError {
  const causes: StatusCause[] = [];
  const blocks: string[] = [];
  for (const [identity, fields] of [...conflicts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const owner = describe(managers.get(identity));
    const names = paths(fields).map(formatPath);
    for (const field of names) {
      causes.push({ reason: "FieldManagerConflict", message: `conflict with ${owner}`, field });
    }
    blocks.push(`conflicts with ${owner}:`, ...names.map((name) => `- ${name}`));
  }
  const only = causes[0];
  if (causes.length === 1 && only) {
    return applyConflict(causes, `Apply failed with 1 conflict: ${only.message}: ${only.field}`);
  }
  return applyConflict(causes, `Apply failed with ${causes.length} conflicts: ${blocks.join("\n")}`);
}

function describe(set: ManagedSet | undefined): string {
  if (!set) return quote("unknown");
  const name = set.subresource
    ? `${quote(set.manager)} with subresource ${quote(set.subresource)}`
    : quote(set.manager);
  return set.operation === "Update" ? `${name} using ${set.apiVersion}` : name;
}
