import { createApi } from "@bookmeup/contract/server";
import type { Hono } from "hono";
import { Kysely, PostgresDialect, type PostgresPool, sql } from "kysely";
import type { Database } from "./endpoint.ts";
import { bookingRoutes } from "./routes/bookings.ts";
import { serviceRoutes } from "./routes/services.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { userRoutes } from "./routes/users.ts";
import type { Schema } from "./schema.ts";

export function openDatabase(pool: PostgresPool): Database {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

export function createDataApp(database: Database): Hono {
  const app = createApi();
  userRoutes(app, database);
  sessionRoutes(app, database);
  serviceRoutes(app, database);
  bookingRoutes(app, database);
  return app;
}

/** Forgets what has served its time: expired tokens, old keys and old attempts. Any replica may do it at any time. */
export async function sweep(database: Database): Promise<void> {
  await database
    .deleteFrom("refresh_tokens")
    .where("expires_at", "<", sql<Date>`now()`)
    .execute();
  await database
    .deleteFrom("login_attempts")
    .where("until", "<", sql<Date>`now()`)
    .execute();
  await database
    .deleteFrom("idempotency_keys")
    .where("created_at", "<", sql<Date>`now() - interval '24 hours'`)
    .execute();
}
