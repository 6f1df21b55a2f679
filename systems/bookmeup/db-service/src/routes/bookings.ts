import { ApiError, type Booking, notFound } from "@bookmeup/contract";
import type { Hono } from "hono";
import { sql } from "kysely";
import { pageOf, readCursor } from "../cursor.ts";
import { type Asked, type Database, implement } from "../endpoint.ts";

function selectBookings(database: Database) {
  return database
    .selectFrom("bookings")
    .innerJoin("services", "services.id", "bookings.service_id")
    .innerJoin("users as customer", "customer.id", "bookings.customer_id")
    .innerJoin("users as provider", "provider.id", "services.provider_id")
    .selectAll("bookings")
    .select([
      "services.title",
      "services.time_zone",
      "services.duration_minutes",
      "services.price_amount",
      "services.price_currency",
    ])
    .select(["provider.id as provider_id", "provider.name as provider_name"])
    .select(["customer.name as customer_name", "customer.email as customer_email", "customer.phone as customer_phone"]);
}

type BookingRow = Awaited<ReturnType<ReturnType<typeof selectBookings>["executeTakeFirstOrThrow"]>>;

function bookingOf(row: BookingRow): Booking {
  return {
    id: row.id,
    service: {
      id: row.service_id,
      title: row.title,
      timeZone: row.time_zone,
      durationMinutes: row.duration_minutes,
      price: { amount: row.price_amount, currency: row.price_currency },
    },
    provider: { id: row.provider_id, name: row.provider_name },
    customer: { id: row.customer_id, name: row.customer_name, email: row.customer_email, phone: row.customer_phone },
    start: row.starts_at.toISOString(),
    end: row.ends_at.toISOString(),
    state: row.state,
    createdAt: row.created_at.toISOString(),
  };
}

async function readBooking(database: Database, id: string): Promise<Booking> {
  const row = await selectBookings(database).where("bookings.id", "=", id).executeTakeFirst();
  if (!row) throw notFound("booking");
  return bookingOf(row);
}

/**
 * Who wants a time of a service waits here for whoever was first. The exclusion constraint alone would keep a slot from being sold twice; but many at
 * once would find each other's uncommitted rows and end as deadlocks.
 */
async function lockService(database: Database, id: string): Promise<void> {
  const query = database.selectFrom("services").select("withdrawn").where("id", "=", id).forNoKeyUpdate();
  const row = await query.executeTakeFirst();
  if (!row) throw notFound("service");
  if (row.withdrawn) throw new ApiError(409, "WITHDRAWN", "This service is no longer offered");
}

function listBookings({ query }: Asked<"bookings">, database: Database) {
  let rows = selectBookings(database);
  if (query.customerId !== undefined) rows = rows.where("bookings.customer_id", "=", query.customerId);
  if (query.serviceId !== undefined) rows = rows.where("bookings.service_id", "=", query.serviceId);
  if (query.state !== undefined) rows = rows.where("bookings.state", "=", query.state);
  if (query.from !== undefined) rows = rows.where("bookings.ends_at", ">", new Date(query.from));
  if (query.to !== undefined) rows = rows.where("bookings.starts_at", "<", new Date(query.to));
  const cursor = readCursor(query.after);
  if (cursor) rows = rows.where(sql<boolean>`(bookings.starts_at, bookings.id) > (${cursor.time}, ${cursor.id})`);
  return rows
    .orderBy("bookings.starts_at")
    .orderBy("bookings.id")
    .limit(query.limit + 1)
    .execute();
}

async function move({ params, body }: Asked<"moveBooking">, database: Database): Promise<Booking> {
  const booking = await readBooking(database, params.id);
  await lockService(database, booking.service.id);
  const moved = await database
    .updateTable("bookings")
    .set({ starts_at: body.start, ends_at: body.end })
    .where("id", "=", params.id)
    .where("state", "=", "booked")
    .returning("id")
    .executeTakeFirst();
  if (!moved) throw new ApiError(409, "CANCELLED", "This booking is cancelled; book again instead");
  return readBooking(database, params.id);
}

export function bookingRoutes(app: Hono, database: Database): void {
  implement(
    app,
    database,
    "createBooking",
    async ({ body }, open) => {
      await lockService(open, body.serviceId);
      const values = {
        service_id: body.serviceId,
        customer_id: body.customerId,
        starts_at: body.start,
        ends_at: body.end,
      };
      const row = await open.insertInto("bookings").values(values).returning("id").executeTakeFirstOrThrow();
      return readBooking(open, row.id);
    },
    { once: true, status: 201 },
  );
  implement(app, database, "bookings", async (asked, open) => {
    const rows = await listBookings(asked, open);
    return pageOf(rows, asked.query.limit, (row) => ({ time: row.starts_at, id: row.id }), bookingOf);
  });
  implement(app, database, "booking", ({ params }, open) => readBooking(open, params.id));
  implement(app, database, "moveBooking", move);
  implement(app, database, "cancelBooking", async ({ params }, open) => {
    await open.updateTable("bookings").set({ state: "cancelled" }).where("id", "=", params.id).execute();
    return readBooking(open, params.id);
  });
}
