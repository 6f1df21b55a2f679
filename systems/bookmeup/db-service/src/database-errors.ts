import { ApiError } from "@bookmeup/contract";

interface Fault {
  readonly code?: string;
  readonly constraint?: string;
  readonly message?: string;
}

/** PostgreSQL's error codes (Appendix A of its manual), by what they mean here. */
const worthAnotherTry = new Set(["40001", "40P01"]);
/** No connection, or none that may write now: wait for the database. Class 08, shutdown and start, too many connections, a password that is being changed, a read-only standby, a query that timed out. */
const unreachable =
  /^(?:08...|57P0.|57014|53300|28000|28P01|25006|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
const brokenConnection =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

export function isWorthAnotherTry(error: unknown): boolean {
  return worthAnotherTry.has((error as Fault).code ?? "");
}

export function isUnreachable(error: unknown): boolean {
  const { code, message } = error as Fault;
  return unreachable.test(code ?? "") || brokenConnection.test(message ?? "");
}

/** The refusal that a violated constraint means, or undefined. */
export function refusalOf(error: unknown): ApiError | undefined {
  if (isUnreachable(error)) return new ApiError(503, "UNAVAILABLE", "The database is not reachable", { retryAfter: 1 });
  const { code, constraint } = error as Fault;
  if (code === "23505" && constraint === "users_email_key")
    return new ApiError(409, "EMAIL_TAKEN", "There is an account with this e-mail address already", { field: "email" });
  if (code === "23P01") return new ApiError(409, "SLOT_TAKEN", "This time has just been taken", { field: "start" });
  if (code === "23503") return new ApiError(404, "NOT_FOUND", "What this refers to does not exist");
  return undefined;
}
