import { causeReason, type FieldFault, faultBody, formatFault } from "./field-fault.ts";
import { quote } from "./quote.ts";

/** How an API server says what became of a request (meta/v1 Status). */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  /** Machine-readable: `NotFound`, `Conflict`, `Invalid` … */
  readonly reason?: string;
  readonly details?: StatusDetails;
  /** The HTTP status code. */
  readonly code?: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The resource (`pods`), or the kind in answers about invalid objects. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** A request that failed in a way that the Kubernetes API has words for. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? status.reason ?? `status ${status.code ?? "unknown"}`);
    this.name = "StatusError";
    this.status = status;
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): string {
    return this.status.reason ?? "Unknown";
  }
}

/** Whether something thrown is a StatusError, of the given reason (`NotFound`, `Conflict`, …) if one is named. */
export function isStatusError(thrown: unknown, reason?: string): thrown is StatusError {
  return thrown instanceof StatusError && (reason === undefined || thrown.reason === reason);
}

// The messages, reasons and codes below are those of apimachinery/pkg/api/errors/errors.go.

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    ...(reason ? { reason } : {}),
    ...(details ? { details } : {}),
    code,
  });
}

/** `deployments.apps` → `{ group: "apps", kind: "deployments" }`; empty parts are left out, as in Go's JSON. */
function about(groupResource: string, name = ""): StatusDetails {
  const dot = groupResource.indexOf(".");
  const group = dot < 0 ? "" : groupResource.slice(dot + 1);
  const kind = dot < 0 ? groupResource : groupResource.slice(0, dot);
  return { ...(name ? { name } : {}), ...(group ? { group } : {}), ...(kind ? { kind } : {}) };
}

/** `groupResource` is `pods` or `deployments.apps`, here and below. */
export function notFound(groupResource: string, name: string): StatusError {
  return failure(404, "NotFound", `${groupResource} ${quote(name)} not found`, about(groupResource, name));
}

/** For paths that lead nowhere within a served API. */
export function unknownResource(): StatusError {
  return failure(404, "NotFound", "the server could not find the requested resource", {});
}

export function alreadyExists(groupResource: string, name: string): StatusError {
  return failure(409, "AlreadyExists", `${groupResource} ${quote(name)} already exists`, about(groupResource, name));
}

/** Where no free name could be made from a generateName. */
export function generateNameConflict(groupResource: string, name: string, retryAfterSeconds: number): StatusError {
  return failure(
    409,
    "AlreadyExists",
    `${groupResource} ${quote(name)} already exists, the server was not able to generate a unique name for the object`,
    { ...about(groupResource, name), retryAfterSeconds },
  );
}

/** The default is what a write with an old resourceVersion gets (apiserver/pkg/registry/generic/registry/store.go). */
export function conflict(
  groupResource: string,
  name: string,
  message = "the object has been modified; please apply your changes to the latest version and try again",
): StatusError {
  return failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${groupResource} ${quote(name)}: ${message}`,
    about(groupResource, name),
  );
}

/** What server-side apply says about fields that others own. */
export function applyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return failure(409, "Conflict", message, { causes });
}

/** `group` is empty for the core group; `faults` are named in order, equal messages once. */
export function invalid(group: string, kind: string, name: string, faults: readonly FieldFault[]): StatusError {
  const messages = [...new Set(faults.map(formatFault))];
  const subject = `${group ? `${kind}.${group}` : kind} ${quote(name)} is invalid`;
  const list = messages.length === 1 ? messages[0] : `[${messages.join(", ")}]`;
  return failure(422, "Invalid", messages.length === 0 ? subject : `${subject}: ${list}`, {
    ...(name ? { name } : {}),
    ...(group ? { group } : {}),
    ...(kind ? { kind } : {}),
    causes: faults.map((fault) => ({
      reason: causeReason(fault.type),
      message: faultBody(fault),
      field: fault.field,
    })),
  });
}

export function forbidden(groupResource: string, name: string, message: string): StatusError {
  const subject = [groupResource, name && quote(name), groupResource && "is"].filter(Boolean).join(" ");
  const start = groupResource ? `${subject} forbidden` : "forbidden";
  return failure(403, "Forbidden", `${start}: ${message}`, about(groupResource, name));
}

export function badRequest(message: string): StatusError {
  return failure(400, "BadRequest", message);
}

export function unauthorized(message = "Unauthorized"): StatusError {
  return failure(401, "Unauthorized", message);
}

/** `verb` as in `create is not supported on resources of kind "pods"`. */
export function methodNotAllowed(groupResource: string, verb: string): StatusError {
  const message = `${verb} is not supported on resources of kind ${quote(groupResource)}`;
  return failure(405, "MethodNotAllowed", message, about(groupResource));
}

/** For methods that a known path does not serve at all. */
export function unknownMethod(): StatusError {
  return failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

/** A resourceVersion or continue token that the server does not remember any more (410). */
export function expired(message: string): StatusError {
  return failure(410, "Expired", message);
}

export function tooManyRequests(
  message: string,
  retryAfterSeconds: number,
  causes?: readonly StatusCause[],
): StatusError {
  return failure(429, "TooManyRequests", message, {
    ...(causes ? { causes } : {}),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}

/** `available` are the media types that the server can answer with, as a 1.36 server lists them. */
export function notAcceptable(available: readonly string[]): StatusError {
  const message = `406: Not Acceptable\n\nAvailable representations: ${available.join(", ")}`;
  return failure(406, "NotAcceptable", message, {});
}

/** `accepted` are the media types that the server can read. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return failure(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
}

/** `message` such as `limit is 3145728`. */
export function tooLarge(message: string): StatusError {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: ${message}`);
}

export function internalError(message: string): StatusError {
  return failure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** The request took too long and may or may not have been carried out. */
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return failure(504, "Timeout", `Timeout: ${message}`, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});
}

/** The request was not carried out and may be sent again. */
export function serverTimeout(groupResource: string, operation: string, retryAfterSeconds: number): StatusError {
  return failure(
    500,
    "ServerTimeout",
    `The ${operation} operation against ${groupResource} could not be completed at this time, please try again.`,
    { ...about(groupResource, operation), ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}) },
  );
}

export function serviceUnavailable(message: string): StatusError {
  return failure(503, "ServiceUnavailable", message);
}

/** The Status of whatever was thrown; what is not a StatusError becomes a 500 with its message, as the API server does (responsewriters/status.go). */
export function statusOf(thrown: unknown): Status {
  if (thrown instanceof StatusError) return thrown.status;
  return failure(500, "", thrown instanceof Error ? thrown.message : String(thrown)).status;
}
