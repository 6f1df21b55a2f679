import { badRequest, type FieldFault, fieldFault, invalid, quote, type Status, StatusError } from "@dhow/kube";

import { integerOf } from "./query.ts";

/** A resourceVersion as a number; undefined for none, and for the empty one. Throws what `wording` makes of anything else. */
export function parseRevision(
  text: string | null | undefined,
  wording: (message: string) => Error,
): number | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  if (!/^\d+$/.test(text)) throw wording(`strconv.ParseUint: parsing ${quote(text)}: invalid syntax`);
  if (BigInt(text) >= 2n ** 64n) throw wording(`strconv.ParseUint: parsing ${quote(text)}: value out of range`);
  return Number(text);
}

/** A 500 whose message says what could not be parsed, as the server answers where it does not expect failure. */
export function plainFailure(message: string): StatusError {
  return new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}

/** Someone asks for a revision that is not reached yet (apiserver/pkg/storage/errors.go NewTooLargeResourceVersionError). */
export function tooLargeRevision(wanted: number | string, current: number): StatusError {
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    reason: "Timeout",
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
    code: 504,
  };
  return new StatusError(status);
}

/** Numbers are read before anything else is looked at. */
export function checkNumbers(query: URLSearchParams): void {
  integerOf(query, "timeoutSeconds");
  integerOf(query, "limit");
}

/** The rules of apimachinery/pkg/apis/meta/internalversion/validation/validation.go. */
export function checkListOptions(query: URLSearchParams, watching: boolean): void {
  checkNumbers(query);
  const faults = watching ? [...watchFaults(query)] : [...listFaults(query)];
  if (faults.length > 0) throw invalid("meta.k8s.io", "ListOptions", "", faults);
}

const { forbidden, notSupported } = fieldFault;

function* watchFaults(query: URLSearchParams): Generator<FieldFault> {
  const match = query.get("resourceVersionMatch") ?? "";
  if (query.has("sendInitialEvents")) {
    if (match !== "NotOlderThan") {
      yield forbidden(
        "resourceVersionMatch",
        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
      );
      if (match !== "") yield notSupported("resourceVersionMatch", match, ["NotOlderThan"]);
    }
    return;
  }
  if (match !== "") {
    yield forbidden(
      "resourceVersionMatch",
      "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    );
  }
}

function* listFaults(query: URLSearchParams): Generator<FieldFault> {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = query.get("resourceVersion") ?? "";
  if (query.has("sendInitialEvents")) {
    yield forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
  }
  if (match === "") return;
  if (query.get("continue")) {
    yield forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
  }
  if (version === "") {
    yield forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (match !== "Exact" && match !== "NotOlderThan") {
    yield notSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]);
  }
  if (match === "Exact" && version === "0") {
    yield forbidden("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
}

export function badResourceVersion(message: string, text: string): StatusError {
  return badRequest(`invalid resource version: resourceVersion: Invalid value: ${quote(text)}: ${message}`);
}
