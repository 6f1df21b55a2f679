// The way to the database. What is read-only here is so because the database's own transaction is, not because of how a statement looks.
import type { Client, QueryArrayResult } from "pg";
import type { Configuration } from "./configuration.ts";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** A result as text, as the server writes each value; null is SQL's NULL. */
export interface Result {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** There were more rows than were asked for. */
  readonly more: boolean;
  /** What the server said it did: `SELECT`, `INSERT`, `CREATE`; and to how many rows. */
  readonly command: string;
  readonly count: number | undefined;
}

const asText = { getTypeParser: () => (value: string) => value };

/** A connection of its own for one piece of work, closed afterwards: nothing that a statement leaves behind in a session reaches the next. */
async function connected<T>(
  configuration: Configuration,
  credentials: Credentials | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { default: pg } = await import("pg");
  const url = new URL(configuration.databaseUrl);
  if (credentials) {
    url.username = encodeURIComponent(credentials.user);
    url.password = encodeURIComponent(credentials.password);
  }
  const client = new pg.Client({
    connectionString: url.href,
    application_name: "adminer",
    connectionTimeoutMillis: 5_000,
    statement_timeout: configuration.statementTimeoutSeconds * 1000,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 60_000,
    ...(configuration.writable ? {} : { options: "-c default_transaction_read_only=on" }),
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** One statement, by the extended protocol: a server refuses a text with two of them there. */
async function statement(
  client: Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<QueryArrayResult<(string | null)[]>> {
  return client.query({ text, values: [...values], rowMode: "array", types: asText, queryMode: "extended" } as never);
}

/**
 * Makes a read-only transaction and checks that it is one. The check reads, which takes the transaction's snapshot: from then on the server refuses to make it
 * writable, whatever statement or function asks (PostgreSQL, src/backend/commands/variable.c, check_transaction_read_only).
 */
async function beginReadOnly(client: Client): Promise<void> {
  await statement(client, "begin transaction isolation level repeatable read read only");
  const { rows } = await statement(client, "select current_setting('transaction_read_only')");
  if (rows[0]?.[0] !== "on") throw new Error("The database did not begin a read-only transaction");
}

function resultOf(answer: QueryArrayResult<(string | null)[]>, cap: number): Result {
  return {
    columns: answer.fields.map((field) => field.name),
    rows: answer.rows.slice(0, cap),
    more: answer.rows.length > cap,
    command: answer.command,
    count: answer.rowCount ?? undefined,
  };
}

const declaration = "declare shown no scroll cursor for ";

async function declare(client: Client, text: string, values: readonly unknown[]): Promise<void> {
  try {
    await statement(client, declaration + text, values);
  } catch (error) {
    const { code, position } = error as { code?: string; position?: string };
    // A syntax error at the very first word: it is none of those that read.
    if (code !== "42601" || Number(position) !== declaration.length + 1) throw error;
    throw new Error("Nothing can be changed here: SELECT, WITH, VALUES, TABLE, EXPLAIN and SHOW only", {
      cause: error,
    });
  }
}

/** The rows of a query, up to a cap, through a cursor: what is not shown is not fetched. DECLARE takes SELECT, VALUES and TABLE, and nothing that modifies. */
async function throughCursor(client: Client, text: string, values: readonly unknown[], cap: number): Promise<Result> {
  await declare(client, text, values);
  const answer = await statement(client, `fetch forward ${cap + 1} from shown`);
  return { ...resultOf(answer, cap), command: "SELECT" };
}

export interface Reader {
  readonly read: (text: string, values?: readonly unknown[], cap?: number) => Promise<Result>;
}

/** The database as one operator sees it. */
export class Database {
  readonly #configuration: Configuration;
  readonly #credentials: Credentials | undefined;

  constructor(configuration: Configuration, credentials: Credentials | undefined) {
    this.#configuration = configuration;
    this.#credentials = credentials;
  }

  /** Reads of the page's own, in one read-only snapshot. */
  read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    return connected(this.#configuration, this.#credentials, async (client) => {
      await beginReadOnly(client);
      return work({
        read: async (text, values = [], cap = 100_000) => resultOf(await statement(client, text, values), cap),
      });
    });
  }

  /** Gives the rows of a query of the page's own in batches, for a download of any length. */
  stream(text: string, values: readonly unknown[], each: (batch: Result) => Promise<void>): Promise<void> {
    return connected(this.#configuration, this.#credentials, async (client) => {
      await beginReadOnly(client);
      await declare(client, text, values);
      for (;;) {
        const batch = await statement(client, "fetch forward 1000 from shown");
        await each(resultOf(batch, 1000));
        if (batch.rows.length < 1000) return;
      }
    });
  }

  /** One statement that an operator wrote. */
  run(text: string): Promise<Result> {
    const { writable, rowCap } = this.#configuration;
    const only = text.trim().replace(/;\s*$/, "");
    const word = /^[a-z]+/i.exec(only)?.[0].toLowerCase() ?? "";
    return connected(this.#configuration, this.#credentials, async (client) => {
      if (!writable) {
        await beginReadOnly(client);
        // These two cannot be a cursor's; both stay within the transaction, and neither runs a program on the server as COPY could.
        if (word === "explain" || word === "show") return resultOf(await statement(client, only), rowCap);
        return throughCursor(client, only, [], rowCap);
      }
      if (!["select", "values", "table"].includes(word)) return resultOf(await statement(client, only), rowCap);
      await statement(client, "begin");
      const result = await throughCursor(client, only, [], rowCap);
      await statement(client, "commit");
      return result;
    });
  }

  /** Rejects where the database cannot be reached, or does not let in. */
  async check(): Promise<void> {
    await this.read(({ read }) => read("select 1"));
  }
}
