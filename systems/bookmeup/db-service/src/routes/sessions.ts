import { randomUUID } from "node:crypto";
import type { Hono } from "hono";
import { sql } from "kysely";
import { type Database, implement } from "../endpoint.ts";
import { userOf } from "./users.ts";

interface Limit {
  readonly subject: string;
  /** Attempts within the window. */
  readonly most: number;
}

const windowMinutes = 15;

/**
 * What is counted against guessing: an account from one address (someone who tries passwords), an account from anywhere (many who do together), and an
 * address over all accounts (one password tried on many). The latter two are wide, so that nobody can lock out others cheaply.
 */
function limitsOf({ email, address }: { email: string; address: string }): Limit[] {
  return [
    { subject: `account ${email} from ${address}`, most: 10 },
    { subject: `account ${email}`, most: 100 },
    { subject: `address ${address}`, most: 1000 },
  ];
}

/** Counts one more attempt, and gives the seconds to wait where it is one too many. */
async function countAttempt(database: Database, { subject, most }: Limit): Promise<number | undefined> {
  const until = sql<Date>`now() + make_interval(mins => ${windowMinutes})`;
  const row = await database
    .insertInto("login_attempts")
    .values({ subject, attempts: 1, until })
    .onConflict((conflict) =>
      conflict.column("subject").doUpdateSet({
        attempts: sql`case when login_attempts.until < now() then 1 else login_attempts.attempts + 1 end`,
        until: sql`case when login_attempts.until < now() then ${until} else login_attempts.until end`,
      }),
    )
    .returning(["attempts", sql<number>`ceil(extract(epoch from until - now()))::int`.as("seconds")])
    .executeTakeFirstOrThrow();
  return row.attempts > most ? row.seconds : undefined;
}

export function sessionRoutes(app: Hono, database: Database): void {
  implement(app, database, "beginLogin", async ({ body }, open) => {
    const waits: number[] = [];
    for (const limit of limitsOf(body)) waits.push((await countAttempt(open, limit)) ?? 0);
    const retryAfter = Math.max(...waits);
    if (retryAfter > 0) return { retryAfter };
    const row = await open.selectFrom("users").selectAll().where("email", "=", body.email).executeTakeFirst();
    return row ? { user: { ...userOf(row), passwordHash: row.password_hash } } : {};
  });

  implement(
    app,
    database,
    "createSession",
    async ({ body }, open) => {
      const { userId, tokenHash, expiresAt, attempt } = body;
      const values = { token_hash: tokenHash, session_id: randomUUID(), user_id: userId, expires_at: expiresAt };
      await open.insertInto("refresh_tokens").values(values).execute();
      const own = limitsOf(attempt)
        .slice(0, 1)
        .map((limit) => limit.subject);
      await open.deleteFrom("login_attempts").where("subject", "in", own).execute();
      return {};
    },
    { once: true, status: 201 },
  );

  implement(app, database, "rotateSession", ({ body }, open) => rotate(open, body), { once: true });

  implement(app, database, "endSession", async ({ body }, open) => {
    const query = open.selectFrom("refresh_tokens").select("session_id").where("token_hash", "=", body.tokenHash);
    const token = await query.executeTakeFirst();
    if (token) await endSession(open, token.session_id);
    return {};
  });
}

async function endSession(database: Database, session: string): Promise<void> {
  const query = database.updateTable("refresh_tokens").set({ ended_at: sql`now()` });
  await query.where("session_id", "=", session).where("ended_at", "is", null).execute();
}

interface Rotation {
  readonly tokenHash: string;
  readonly nextTokenHash: string;
  readonly expiresAt: string;
  readonly leewaySeconds: number;
}

/** RFC 9700, section 4.14.2: refresh token rotation; a token that comes a second time ends the session, for owner and thief alike. */
async function rotate(database: Database, { tokenHash, nextTokenHash, expiresAt, leewaySeconds }: Rotation) {
  const token = await database
    .selectFrom("refresh_tokens")
    .selectAll()
    .select([
      sql<boolean>`expires_at <= now()`.as("expired"),
      sql<number>`extract(epoch from now() - used_at)::float8`.as("used_for"),
    ])
    .where("token_hash", "=", tokenHash)
    .forUpdate()
    .executeTakeFirst();
  if (!token || token.expired || token.ended_at) return { outcome: "unknown" as const };
  // Two tabs of one browser ask at the same moment with the same token: not a theft within this leeway.
  if (token.used_at && token.used_for > leewaySeconds) {
    await endSession(database, token.session_id);
    return { outcome: "reused" as const };
  }
  const used = database.updateTable("refresh_tokens").set({ used_at: sql`coalesce(used_at, now())` });
  await used.where("token_hash", "=", tokenHash).execute();
  const next = {
    token_hash: nextTokenHash,
    session_id: token.session_id,
    user_id: token.user_id,
    expires_at: expiresAt,
  };
  await database.insertInto("refresh_tokens").values(next).execute();
  const user = await database.selectFrom("users").selectAll().where("id", "=", token.user_id).executeTakeFirstOrThrow();
  return { outcome: "rotated" as const, user: userOf(user) };
}
