import { z } from "zod";

/** What every service of BookMeUp answers when it does not do what it was asked. */
export const ErrorBody = z.object({
  error: z.object({
    /** Stable, for programs: `SLOT_TAKEN`. */
    code: z.string(),
    /** One sentence for a person. */
    message: z.string(),
    /** Which part of the body, query or path is meant: `openingHours.0.from`. */
    field: z.string().optional(),
  }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

export type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 500 | 503;

/** An answer that is not the one hoped for; thrown anywhere below a route, it becomes the response. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly code: string;
  readonly field: string | undefined;
  /** Seconds, sent as Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(status: ErrorStatus, code: string, message: string, more: { field?: string; retryAfter?: number } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = more.field;
    this.retryAfter = more.retryAfter;
  }

  body(): ErrorBody {
    const { code, message, field } = this;
    return { error: { code, message, ...(field === undefined ? {} : { field }) } };
  }
}

/** The first fault that zod found, as the 400 that names the field. */
export function invalid(error: z.ZodError): ApiError {
  const issue = error.issues[0];
  const unknownKey = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknownKey === undefined ? [] : [unknownKey])].map(String).join(".");
  return new ApiError(400, "INVALID", issue?.message ?? "Invalid", path === "" ? {} : { field: path });
}

export const notFound = (what: string): ApiError => new ApiError(404, "NOT_FOUND", `There is no such ${what}`);
