/** A request that this page itself turns down. */
export class Refusal extends Error {
  readonly status: 403 | 404;

  constructor(status: 403 | 404, message: string) {
    super(message);
    this.name = "Refusal";
    this.status = status;
  }
}

interface DatabaseFault {
  readonly message?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly code?: string;
}

/** What went wrong, for an operator: in the server's own words, with its detail and hint. */
export function explain(thrown: unknown): { message: string; detail: string | undefined } {
  const { message, detail, hint, code } = thrown as DatabaseFault;
  const more = [detail, hint].filter((text) => text !== undefined).join("\n");
  return { message: message || code || String(thrown), detail: more === "" ? undefined : more };
}
