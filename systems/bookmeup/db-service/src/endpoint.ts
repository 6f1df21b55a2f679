// Turns a line of the contract and a function over the database into a route.
import { createHash } from "node:crypto";
import { type Answer, ApiError, dataApi, type DataApi, type Operation } from "@bookmeup/contract";
import { check, readBody, readIdempotency } from "@bookmeup/contract/server";
import type { Context, Hono } from "hono";
import type { Kysely } from "kysely";
import type { z } from "zod";
import { isWorthAnotherTry } from "./database-errors.ts";
import { refusalOf } from "./refusals.ts";
import type { Schema } from "./schema.ts";

export type Database = Kysely<Schema>;

export interface Asked<O extends Operation> {
  readonly params: z.output<DataApi[O]["params"]>;
  readonly query: z.output<DataApi[O]["query"]>;
  readonly body: z.output<DataApi[O]["body"]>;
}

/** Does one operation; `database` is a transaction where the operation writes. */
export type Operate<O extends Operation> = (asked: Asked<O>, database: Database) => Promise<Answer<O>>;

export interface Manner<O extends Operation> {
  /** `once`: it creates, so its answer is kept with its Idempotency-Key and a repetition gets the same. */
  readonly once?: boolean;
  /** What makes two requests with one key the same request: the whole body unless said otherwise. */
  readonly sameness?: (body: Asked<O>["body"]) => unknown;
  readonly status?: 200 | 201;
}

interface Key {
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** Keeps the answer with the key, in the transaction of the work itself: both are there, or neither. A second request with the key waits for the first. */
async function once<A>(
  database: Database,
  key: Key,
  work: () => Promise<A>,
): Promise<{ answer: A; replayed: boolean }> {
  const { scope, key: name, fingerprint } = key;
  const claimed = await database
    .insertInto("idempotency_keys")
    .values({ scope, key: name, fingerprint })
    .onConflict((conflict) => conflict.doNothing())
    .returning("key")
    .executeTakeFirst();
  const mine = () => database.updateTable("idempotency_keys").where("scope", "=", scope).where("key", "=", name);
  if (claimed) {
    const answer = await work();
    await mine()
      .set({ answer: JSON.stringify(answer) })
      .execute();
    return { answer, replayed: false };
  }
  const earlier = await database
    .selectFrom("idempotency_keys")
    .select(["fingerprint", "answer"])
    .where("scope", "=", scope)
    .where("key", "=", name)
    .executeTakeFirstOrThrow();
  if (earlier.fingerprint !== fingerprint)
    throw new ApiError(422, "KEY_REUSED", "This Idempotency-Key was used for something else", {
      field: "Idempotency-Key",
    });
  return { answer: earlier.answer as A, replayed: true };
}

async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= 4 || !isWorthAnotherTry(error)) throw refusalOf(error) ?? error;
    }
  }
}

function keyOf<O extends Operation>(
  context: Context,
  operation: O,
  manner: Manner<O>,
  body: Asked<O>["body"],
): Key | undefined {
  const idempotency = readIdempotency(context, context.req.header("idempotency-scope") ?? "");
  if (!manner.once || !idempotency) return undefined;
  const same = JSON.stringify([operation, manner.sameness ? manner.sameness(body) : body]);
  return { ...idempotency, fingerprint: createHash("sha256").update(same).digest("hex") };
}

/** Answers one operation of the contract at its path. */
export function implement<O extends Operation>(
  app: Hono,
  database: Database,
  operation: O,
  operate: Operate<O>,
  manner: Manner<O> = {},
): void {
  const { method, path, params, query, body } = dataApi[operation];
  app.on(method, path, async (context) => {
    const asked = {
      params: check(params, context.req.param()),
      query: check(query, context.req.query()),
      body: method === "GET" || method === "DELETE" ? {} : await readBody(context, body),
    } as Asked<O>;
    const key = keyOf(context, operation, manner, asked.body);
    const work = (open: Database) => operate(asked, open);
    const { answer, replayed } = await withRetries(async () => {
      if (method === "GET") return { answer: await work(database), replayed: false };
      return database
        .transaction()
        .execute(async (open) =>
          key ? once(open, key, () => work(open)) : { answer: await work(open), replayed: false },
        );
    });
    if (replayed) context.header("Idempotency-Replayed", "true");
    return context.json(answer as object, manner.status ?? 200);
  });
}
