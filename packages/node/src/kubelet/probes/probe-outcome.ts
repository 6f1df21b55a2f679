/** What one attempt of a probe found; `message` is what a kubelet's event says after `Readiness probe failed: `. */
export interface ProbeOutcome {
  readonly result: "Success" | "Failure";
  readonly message: string;
}

export const success: ProbeOutcome = { result: "Success", message: "" };

export function failure(message: string): ProbeOutcome {
  return { result: "Failure", message };
}

/** The words in which Go says why a connection failed. */
export function dialError(error: unknown, address: string): string {
  const { code, syscall } = (error ?? {}) as { code?: string; syscall?: string };
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "i/o timeout",
  };
  if (code && reasons[code] && syscall !== "read") return `dial tcp ${address}: ${reasons[code]}`;
  if (code === "ECONNRESET") return `read tcp ${address}: read: connection reset by peer`;
  if (code === "ENOTFOUND") return `dial tcp: lookup ${address}: no such host`;
  return error instanceof Error ? error.message : String(error);
}
