import { log } from "@dhow/service";
import { setTimeout as delay } from "node:timers/promises";
import type { Hono } from "hono";
import type { Client, Pool, PoolConfig } from "pg";
import { Connections, Passwords, withPassword } from "./connections.ts";
import { isUnreachable, isWrongPassword } from "./database-errors.ts";
import type { Database } from "./endpoint.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

export interface DataServiceOptions {
  readonly pool: PoolConfig;
  /** What the role may have as its password. */
  readonly passwords: readonly string[];
  readonly allowDestructive: ReadonlySet<number>;
}

const hour = 3_600_000;

const reasonOf = (error: unknown) => {
  const { code, message } = error as { code?: string; message?: string };
  return message || code || String(error);
};

/**
 * A pool whose connections may break at any time: no fault of the service, the next query takes another. A connection that breaks while a transaction has
 * it, between two queries, says so by an event that would end the process if nobody listened.
 */
function watched(pool: Pool): Pool {
  pool.on("error", (error) => log.warn("a database connection broke", { reason: reasonOf(error) }));
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** The life of db-service: listens at once, waits for its database, brings the schema up to date, serves, and outlives the database's restarts. */
export class DataService {
  readonly #options: DataServiceOptions;
  readonly #passwords: Passwords;
  #pool: Connections | undefined;
  /** A connection for probes alone: a rush that keeps all others busy is no illness. */
  #probePool: Connections | undefined;
  #app: Hono | undefined;
  #state = "starting";
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: DataServiceOptions) {
    this.#options = options;
    this.#passwords = new Passwords(options.passwords);
  }

  async answer(request: Request, environment: never): Promise<Response> {
    if (this.#app) return this.#app.fetch(request, environment);
    const error = { code: "UNAVAILABLE", message: this.#state };
    return Response.json({ error }, { status: 503, headers: { "Retry-After": "1" } });
  }

  /** Why data cannot be had now, or undefined when it can: asks the database itself. */
  async readiness(): Promise<string | undefined> {
    if (!this.#app || !this.#probePool) return this.#state;
    try {
      await Promise.race([
        this.#probe(this.#probePool),
        delay(900, undefined, { ref: false }).then(() => Promise.reject(new Error("no answer in 0.9 s"))),
      ]);
      return undefined;
    } catch (error) {
      return `database: ${reasonOf(error)}`;
    }
  }

  /** Resolves when the service serves; rejects only where waiting would not help, such as a migration that fails. */
  async start(): Promise<void> {
    const { default: pg } = await import("pg");
    const passwords = this.#passwords;
    class CurrentClient extends pg.Client {
      constructor(settings: PoolConfig = {}) {
        super(withPassword(settings, passwords.current));
      }
    }
    const poolOf = (more: PoolConfig) => {
      const pool = new pg.Pool({ ...this.#options.pool, ...more, Client: CurrentClient });
      return new Connections(watched(pool), passwords);
    };
    this.#pool = poolOf({});
    this.#probePool = poolOf({ max: 1, connectionTimeoutMillis: 900 });
    const [{ createDataApp, openDatabase, sweep }] = await Promise.all([
      import("./app.ts"),
      this.#migrateWhenReachable(pg.Client),
    ]);
    const database = openDatabase(this.#pool);
    this.#app = createDataApp(database);
    this.#startSweeping(database, sweep);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([this.#pool?.end(), this.#probePool?.end()]);
  }

  async #probe(connections: Connections): Promise<void> {
    const client = await connections.connect();
    try {
      await client.query("select 1");
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #migrateWhenReachable(PgClient: typeof Client): Promise<void> {
    for (let pause = 25; ; pause = Math.min(pause * 2, 1_000)) {
      // Migrations take the time that they take, so this connection is not the pool's.
      const { statement_timeout: _, idle_in_transaction_session_timeout: __, ...connection } = this.#options.pool;
      const password = this.#passwords.current;
      const client = new PgClient(withPassword(connection, password));
      client.on("error", () => undefined);
      try {
        await client.connect();
        const applied = await migrate(client, { migrations, allowDestructive: this.#options.allowDestructive });
        log.info(`${applied.length} migrations applied`, {
          migrations: migrations.length,
          applied: applied.map((one) => one.name),
        });
        return;
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        if (isWrongPassword(error)) this.#passwords.another(password);
        const state = `waiting for the database: ${reasonOf(error)}`;
        if (state !== this.#state) log.warn(state);
        this.#state = state;
      } finally {
        await client.end().catch(() => undefined);
      }
      await delay(pause);
    }
  }

  #startSweeping(database: Database, sweep: (database: Database) => Promise<void>): void {
    this.#sweeper = setInterval(() => {
      sweep(database).catch((error: unknown) => log.warn("could not sweep", { reason: reasonOf(error) }));
    }, hour);
    this.#sweeper.unref();
  }
}
