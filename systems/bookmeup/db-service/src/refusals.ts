import { ApiError } from "@bookmeup/contract";
import { type DatabaseFault, isUnreachable } from "./database-errors.ts";

/** The refusal that a violated constraint means, or undefined. */
export function refusalOf(error: unknown): ApiError | undefined {
  if (isUnreachable(error)) return new ApiError(503, "UNAVAILABLE", "The database is not reachable", { retryAfter: 1 });
  const { code, constraint } = error as DatabaseFault;
  if (code === "23505" && constraint === "users_email_key")
    return new ApiError(409, "EMAIL_TAKEN", "There is an account with this e-mail address already", { field: "email" });
  if (code === "23P01") return new ApiError(409, "SLOT_TAKEN", "This time has just been taken", { field: "start" });
  if (code === "23503") return new ApiError(404, "NOT_FOUND", "What this refers to does not exist");
  return undefined;
}
