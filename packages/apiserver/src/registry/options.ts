import { type FieldFault, fieldFault, invalid } from "@dhow/kube";
import { isTrue } from "./query.ts";

/** Query parameters common to writes (apimachinery/pkg/apis/meta/v1/validation). */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: "Ignore" | "Warn" | "Strict";
  readonly force: boolean;
}

const usual: WriteOptions = { dryRun: false, fieldManager: "", fieldValidation: "Warn", force: false };

type OptionsKind = "CreateOptions" | "UpdateOptions" | "PatchOptions";

/** @param apply whether a patch is a server-side apply; undefined for other writes. */
export function parseWriteOptions(kind: OptionsKind, query: URLSearchParams, apply?: boolean): WriteOptions {
  if (query.size === 0 && !apply) return usual;
  const faults: FieldFault[] = [];
  const force = query.get("force");
  const fieldManager = query.get("fieldManager") ?? "";
  if (kind === "PatchOptions" && apply && fieldManager === "") {
    faults.push(fieldFault.required("fieldManager", "is required for apply patch"));
  }
  if (kind === "PatchOptions" && !apply && force !== null) {
    faults.push(fieldFault.forbidden("force", "may not be specified for non-apply patch"));
  }
  faults.push(...managerFaults(fieldManager), ...dryRunFaults(query.getAll("dryRun")));
  const fieldValidation = query.get("fieldValidation") ?? "";
  if (!["", "Ignore", "Strict", "Warn"].includes(fieldValidation)) {
    faults.push(fieldFault.notSupported("fieldValidation", fieldValidation, ["", "Ignore", "Strict", "Warn"]));
  }
  if (faults.length > 0) throw invalid("meta.k8s.io", kind, "", faults);
  return {
    dryRun: query.has("dryRun") && query.get("dryRun") !== "",
    fieldManager,
    fieldValidation: (fieldValidation || "Warn") as WriteOptions["fieldValidation"],
    force: isTrue(force),
  };
}

function managerFaults(manager: string): FieldFault[] {
  if (Buffer.byteLength(manager) > 128) return [fieldFault.tooLong("fieldManager", 128)];
  const characters = Array.from(manager);
  const bad = characters.findIndex((character) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character));
  if (bad < 0) return [];
  const code = (characters[bad]?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return [fieldFault.invalid("fieldManager", manager, `invalid character U+${code} (at position ${bad})`)];
}

export function dryRunFaults(values: readonly string[]): FieldFault[] {
  const given = values.filter((value) => value !== "");
  return given.every((value) => value === "All") ? [] : [fieldFault.notSupported("dryRun", given, ["All"])];
}
