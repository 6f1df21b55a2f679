import type { IncomingMessage } from "node:http";

/**
 * The status of the answer to a request whose end may be found elsewhere by whoever reads it next: a coding that is not for pods (501), or one
 * in a version that knows none (RFC 9112, 6.1). What contradicts itself never comes so far.
 */
export function framingProblem({ headers, httpVersion }: IncomingMessage): number | undefined {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return 505;
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  if (httpVersion !== "1.1") return 400;
  return coding.trim().toLowerCase() === "chunked" ? undefined : 501;
}
