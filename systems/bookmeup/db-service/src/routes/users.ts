import { notFound, type User } from "@bookmeup/contract";
import type { Hono } from "hono";
import type { Selectable } from "kysely";
import { type Database, implement } from "../endpoint.ts";
import type { Schema } from "../schema.ts";

export function userOf(row: Selectable<Schema["users"]>): User {
  return { id: row.id, email: row.email, name: row.name, phone: row.phone, createdAt: row.created_at.toISOString() };
}

export function userRoutes(app: Hono, database: Database): void {
  implement(
    app,
    database,
    "createUser",
    async ({ body }, open) => {
      const values = { email: body.email, name: body.name, password_hash: body.passwordHash };
      return userOf(await open.insertInto("users").values(values).returningAll().executeTakeFirstOrThrow());
    },
    // A hash has its own salt each time: the password cannot be part of what makes two requests the same.
    { once: true, status: 201, sameness: ({ email, name }) => ({ email, name }) },
  );

  implement(app, database, "user", async ({ params }, open) => {
    const row = await open.selectFrom("users").selectAll().where("id", "=", params.id).executeTakeFirst();
    if (!row) throw notFound("user");
    return userOf(row);
  });

  implement(app, database, "changeUser", async ({ params, body }, open) => {
    const query = open.updateTable("users").where("id", "=", params.id);
    // Setting the id to itself keeps the statement whole where nothing is to be changed.
    const row = await query
      .set({ id: params.id, ...body })
      .returningAll()
      .executeTakeFirst();
    if (!row) throw notFound("user");
    return userOf(row);
  });
}
