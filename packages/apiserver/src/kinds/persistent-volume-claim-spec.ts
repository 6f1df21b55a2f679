import { type FieldFault, fieldFault, type PersistentVolumeClaimSpec } from "@dhow/kube";
import { selectorFaults } from "../validation/metadata.ts";
import { subdomainName } from "../validation/names.ts";
import { compareQuantities } from "../validation/quantities.ts";

// ValidatePersistentVolumeClaimSpec in pkg/apis/core/validation/validation.go

const { forbidden, invalid, notSupported, required } = fieldFault;

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export function* accessModeFaults(
  modes: readonly string[] | undefined,
  at: string,
  missing = "at least 1 access mode is required",
): Generator<FieldFault> {
  if (!modes?.length) yield required(at, missing);
  for (const mode of modes ?? []) if (!accessModes.includes(mode)) yield notSupported(at, mode, accessModes);
  if ((modes?.length ?? 0) > 1 && modes?.includes("ReadWriteOncePod")) {
    yield forbidden(at, "may not use ReadWriteOncePod with other access modes");
  }
}

export function* claimSpecFaults(spec: PersistentVolumeClaimSpec | undefined, at: string): Generator<FieldFault> {
  yield* accessModeFaults(spec?.accessModes, `${at}.accessModes`);
  yield* selectorFaults(spec?.selector, `${at}.selector`);
  const storage = spec?.resources?.requests?.["storage"];
  const place = `${at}.resources[storage]`;
  if (storage === undefined) yield required(place);
  else if (compareQuantities(storage, "0") <= 0) yield invalid(place, storage, "must be greater than zero");
  const className = spec?.storageClassName;
  if (className) {
    for (const message of subdomainName(className, false)) yield invalid(`${at}.storageClassName`, className, message);
  }
  if (spec?.volumeMode !== undefined && !["Block", "Filesystem"].includes(spec.volumeMode)) {
    yield notSupported(`${at}.volumeMode`, spec.volumeMode, ["Block", "Filesystem"]);
  }
  if (spec?.dataSource) {
    if (!spec.dataSource.name) yield required(`${at}.dataSource.name`);
    if (!spec.dataSource.kind) yield required(`${at}.dataSource.kind`);
    if (!spec.dataSource.apiGroup && spec.dataSource.kind !== "PersistentVolumeClaim") {
      yield invalid(
        `${at}.dataSource`,
        spec.dataSource.kind,
        "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
      );
    }
  }
}
