/** What pg and Node say of an error. */
export interface DatabaseFault {
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
  return worthAnotherTry.has((error as DatabaseFault).code ?? "");
}

export function isWrongPassword(error: unknown): boolean {
  return (error as DatabaseFault).code === "28P01";
}

export function isUnreachable(error: unknown): boolean {
  const { code, message } = error as DatabaseFault;
  return unreachable.test(code ?? "") || brokenConnection.test(message ?? "");
}
