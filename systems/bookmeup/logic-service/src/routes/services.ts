import {
  ApiError,
  type DataClient,
  dataApi,
  Day,
  Id,
  Instant,
  notFound,
  type Service,
  ServiceChange,
  ServiceInput,
} from "@bookmeup/contract";
import { check, readBody, readIdempotency, readQuery } from "@bookmeup/contract/server";
import { counter } from "@dhow/service";
import type { Context, Hono } from "hono";
import { z } from "zod";
import type { Authenticate } from "../authentication.ts";
import { datesBetween, freeSlots, type Slot, slotAt, slotsOf } from "../calendar.ts";

const Search = dataApi.services.query.omit({ providerId: true });
const List = dataApi.bookings.query.pick({ state: true, from: true, to: true, limit: true, after: true });
const mostDays = 31;
const Days = z.union(
  [z.strictObject({ date: Day }), z.strictObject({ from: Day, to: Day })],
  "Give date, or from and to",
);
export const Start = z.strictObject({ start: Instant });

const bookings = counter("bookmeup_bookings_total", "Bookings asked for", ["outcome"]);

/** The id in the path. What is not even an id names nothing. */
export function idIn(context: Context, what: string, name = "id"): string {
  const id = Id.safeParse(context.req.param(name));
  if (!id.success) throw notFound(what);
  return id.data;
}

/** The slot that a person wants, or why there is none. */
export function wantedSlot(service: Service, start: string): Slot {
  const slot = slotAt(service, start);
  if (!slot)
    throw new ApiError(422, "NOT_A_SLOT", "This is not the start of a slot of this service", { field: "start" });
  if (Date.parse(start) <= Date.now()) throw new ApiError(422, "PAST", "This time has passed", { field: "start" });
  return slot;
}

function daysAsked(context: Context): string[] {
  const days = check(Days, context.req.query());
  const [from, to] = "date" in days ? [days.date, days.date] : [days.from, days.to];
  if (to < from) throw new ApiError(400, "INVALID", "Must not be before from", { field: "to" });
  const dates = datesBetween(from, to);
  if (dates.length > mostDays) throw new ApiError(400, "INVALID", `At most ${mostDays} days at once`, { field: "to" });
  return dates;
}

/** /services: what anybody may see, and what providers do with their own. */
export function serviceRoutes(app: Hono, data: DataClient, authenticate: Authenticate): void {
  const read = (context: Context) => data.service({ params: { id: idIn(context, "service") } });
  const readOwn = async (context: Context) => {
    const user = await authenticate(context);
    const service = await read(context);
    if (service.provider.id !== user) throw new ApiError(403, "NOT_YOURS", "Only its provider may do this");
    return service;
  };

  app.get("/services", async (context) => context.json(await data.services({ query: readQuery(context, Search) })));

  app.post("/services", async (context) => {
    const user = await authenticate(context);
    const body = { ...(await readBody(context, ServiceInput)), providerId: user };
    const service = await data.createService({ body, idempotency: readIdempotency(context, user) });
    context.header("Location", `/services/${service.id}`);
    return context.json(service, 201);
  });

  app.get("/services/:id", async (context) => context.json(await read(context)));

  app.patch("/services/:id", async (context) => {
    const { id } = await readOwn(context);
    return context.json(await data.changeService({ params: { id }, body: await readBody(context, ServiceChange) }));
  });

  app.delete("/services/:id", async (context) => {
    const { id } = await readOwn(context);
    await data.changeService({ params: { id }, body: { withdrawn: true } });
    return context.body(null, 204);
  });

  app.get("/services/:id/slots", async (context) => {
    const dates = daysAsked(context);
    const service = await read(context);
    const { timeZone, durationMinutes, withdrawn } = service;
    const all = withdrawn ? [] : dates.flatMap((date) => slotsOf(service, date));
    const [first, last] = [all[0], all.at(-1)];
    if (!first || !last) return context.json({ timeZone, durationMinutes, slots: [] });
    const { items: taken } = await data.taken({
      params: { id: service.id },
      query: { from: first.start, to: last.end },
    });
    return context.json({ timeZone, durationMinutes, slots: freeSlots(all, taken, Date.now()) });
  });
  serviceBookingRoutes(app, data, { authenticate, read, readOwn });
}

interface Readers {
  readonly authenticate: Authenticate;
  readonly read: (context: Context) => Promise<Service>;
  readonly readOwn: (context: Context) => Promise<Service>;
}

function serviceBookingRoutes(app: Hono, data: DataClient, { authenticate, read, readOwn }: Readers): void {
  app.post("/services/:id/bookings", async (context) => {
    const customerId = await authenticate(context);
    const { start } = await readBody(context, Start);
    const service = await read(context);
    const body = { serviceId: service.id, customerId, ...wantedSlot(service, start) };
    try {
      const booking = await data.createBooking({ body, idempotency: readIdempotency(context, customerId) });
      bookings.add({ outcome: "booked" });
      context.header("Location", `/profile/bookings/${booking.id}`);
      return context.json(booking, 201);
    } catch (error) {
      if (error instanceof ApiError && error.code === "SLOT_TAKEN") bookings.add({ outcome: "taken" });
      throw error;
    }
  });

  app.get("/services/:id/bookings", async (context) => {
    const { id } = await readOwn(context);
    return context.json(await data.bookings({ query: { ...readQuery(context, List), serviceId: id } }));
  });

  app.delete("/services/:id/bookings/:booking", async (context) => {
    const service = await readOwn(context);
    const booking = await data.booking({ params: { id: idIn(context, "booking", "booking") } });
    if (booking.service.id !== service.id) throw notFound("booking");
    return context.json(await data.cancelBooking({ params: { id: booking.id } }));
  });
}
