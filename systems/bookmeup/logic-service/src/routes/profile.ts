import { type Booking, type DataClient, dataApi, notFound, UserChange } from "@bookmeup/contract";
import { readBody, readQuery } from "@bookmeup/contract/server";
import type { Context, Hono } from "hono";
import { z } from "zod";
import type { Authenticate } from "../authentication.ts";
import { idIn, Start, wantedSlot } from "./services.ts";

const Mine = z.object({
  /** Seen from now; a booking that goes on is upcoming still. */
  when: z.enum(["upcoming", "past", "all"], "Give upcoming, past or all").default("all"),
  ...dataApi.bookings.query.pick({ state: true, limit: true, after: true }).shape,
});
const Page = dataApi.services.query.pick({ limit: true, after: true });

function period(when: z.output<typeof Mine>["when"]): { from?: string; to?: string } {
  const now = new Date().toISOString();
  if (when === "all") return {};
  return when === "upcoming" ? { from: now } : { to: now };
}

/** /profile: what belongs to whoever is signed in. */
export function profileRoutes(app: Hono, data: DataClient, authenticate: Authenticate): void {
  app.get("/profile", async (context) =>
    context.json(await data.user({ params: { id: await authenticate(context) } })),
  );

  app.patch("/profile", async (context) => {
    const id = await authenticate(context);
    return context.json(await data.changeUser({ params: { id }, body: await readBody(context, UserChange) }));
  });

  app.get("/profile/services", async (context) => {
    const providerId = await authenticate(context);
    return context.json(await data.services({ query: { ...readQuery(context, Page), providerId } }));
  });

  app.get("/profile/bookings", async (context) => {
    const customerId = await authenticate(context);
    const { when, ...query } = readQuery(context, Mine);
    return context.json(await data.bookings({ query: { ...query, ...period(when), customerId } }));
  });
  ownBookingRoutes(app, data, authenticate);
}

function ownBookingRoutes(app: Hono, data: DataClient, authenticate: Authenticate): void {
  /** A booking of somebody else is as good as none: its existence is nobody's business. */
  const readOwn = async (context: Context): Promise<Booking> => {
    const user = await authenticate(context);
    const booking = await data.booking({ params: { id: idIn(context, "booking") } });
    if (booking.customer.id !== user) throw notFound("booking");
    return booking;
  };

  app.get("/profile/bookings/:id", async (context) => context.json(await readOwn(context)));

  app.patch("/profile/bookings/:id", async (context) => {
    const booking = await readOwn(context);
    const { start } = await readBody(context, Start);
    const service = await data.service({ params: { id: booking.service.id } });
    return context.json(
      await data.moveBooking({ params: { id: booking.id }, body: { ...wantedSlot(service, start) } }),
    );
  });

  app.delete("/profile/bookings/:id", async (context) => {
    const { id } = await readOwn(context);
    return context.json(await data.cancelBooking({ params: { id } }));
  });
}
