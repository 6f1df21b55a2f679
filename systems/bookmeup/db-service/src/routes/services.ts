import { notFound, type Service, type ServiceChange } from "@bookmeup/contract";
import type { Hono } from "hono";
import { sql, type Updateable } from "kysely";
import { pageOf, readCursor } from "../cursor.ts";
import { type Database, implement } from "../endpoint.ts";
import type { Schema } from "../schema.ts";

function selectServices(database: Database) {
  return database
    .selectFrom("services")
    .innerJoin("users", "users.id", "services.provider_id")
    .selectAll("services")
    .select("users.name as provider_name");
}

type ServiceRow = Awaited<ReturnType<ReturnType<typeof selectServices>["executeTakeFirstOrThrow"]>>;

function serviceOf(row: ServiceRow): Service {
  return {
    id: row.id,
    provider: { id: row.provider_id, name: row.provider_name },
    title: row.title,
    description: row.description,
    durationMinutes: row.duration_minutes,
    price: { amount: row.price_amount, currency: row.price_currency },
    timeZone: row.time_zone,
    openingHours: row.opening_hours,
    withdrawn: row.withdrawn,
    createdAt: row.created_at.toISOString(),
  };
}

async function readService(database: Database, id: string): Promise<Service> {
  const row = await selectServices(database).where("services.id", "=", id).executeTakeFirst();
  if (!row) throw notFound("service");
  return serviceOf(row);
}

function columnsOf(change: ServiceChange & { withdrawn?: boolean | undefined }): Updateable<Schema["services"]> {
  const { title, description, durationMinutes, price, timeZone, openingHours, withdrawn } = change;
  return {
    title,
    description,
    duration_minutes: durationMinutes,
    price_amount: price?.amount,
    price_currency: price?.currency,
    time_zone: timeZone,
    opening_hours: openingHours && JSON.stringify(openingHours),
    withdrawn,
  };
}

/** Each word must stand somewhere in the title, the description or the provider's name. */
function patternsOf(search: string): string[] {
  const words = search.split(/\s+/).filter((word) => word !== "");
  return words.slice(0, 10).map((word) => `%${word.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`);
}

export function serviceRoutes(app: Hono, database: Database): void {
  implement(
    app,
    database,
    "createService",
    async ({ body }, open) => {
      const { title, description, durationMinutes, price, timeZone, openingHours, providerId } = body;
      const values = {
        provider_id: providerId,
        title,
        description,
        duration_minutes: durationMinutes,
        price_amount: price.amount,
        price_currency: price.currency,
        time_zone: timeZone,
        opening_hours: JSON.stringify(openingHours),
      };
      const row = await open.insertInto("services").values(values).returning("id").executeTakeFirstOrThrow();
      return readService(open, row.id);
    },
    { once: true, status: 201 },
  );

  implement(app, database, "services", async ({ query }, open) => {
    let rows = selectServices(open);
    // Who asks for their own sees the withdrawn ones too.
    rows =
      query.providerId === undefined
        ? rows.where("withdrawn", "=", false)
        : rows.where("provider_id", "=", query.providerId);
    for (const pattern of patternsOf(query.search ?? ""))
      rows = rows.where(
        sql<string>`services.title || ' ' || services.description || ' ' || users.name`,
        "ilike",
        pattern,
      );
    const cursor = readCursor(query.after);
    if (cursor) rows = rows.where(sql<boolean>`(services.created_at, services.id) < (${cursor.time}, ${cursor.id})`);
    const ordered = rows.orderBy("services.created_at", "desc").orderBy("services.id", "desc");
    const found = await ordered.limit(query.limit + 1).execute();
    return pageOf(found, query.limit, (row) => ({ time: row.created_at, id: row.id }), serviceOf);
  });

  implement(app, database, "service", ({ params }, open) => readService(open, params.id));

  implement(app, database, "changeService", async ({ params, body }, open) => {
    await open
      .updateTable("services")
      .set({ id: params.id, ...columnsOf(body) })
      .where("id", "=", params.id)
      .execute();
    return readService(open, params.id);
  });

  implement(app, database, "taken", async ({ params, query }, open) => {
    const rows = await open
      .selectFrom("bookings")
      .select(["starts_at", "ends_at"])
      .where("service_id", "=", params.id)
      .where("state", "=", "booked")
      .where("ends_at", ">", new Date(query.from))
      .where("starts_at", "<", new Date(query.to))
      .orderBy("starts_at")
      .execute();
    return { items: rows.map((row) => ({ start: row.starts_at.toISOString(), end: row.ends_at.toISOString() })) };
  });
}
