import { z } from "zod";

export const Id = z.uuid("Not an id");
/** An instant, UTC, ISO 8601: `2026-11-21T09:00:00.000Z`. */
export const Instant = z.iso
  .datetime({ offset: true, error: "Give an instant such as 2026-11-21T09:00:00Z" })
  .transform((text) => new Date(text).toISOString());
/** A day of the calendar: `2026-11-21`. */
export const Day = z.iso.date("Give a day such as 2026-11-21");
/** A time of day on a clock on the wall, `09:30`; `24:00` is the end of the day. */
export const TimeOfDay = z.string().regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, "Give a time of day such as 09:30");

export const Email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, "At most 254 characters")
  .pipe(z.email("Give an e-mail address"));
export const Name = z.string().trim().min(1, "Give a name").max(100, "At most 100 characters");
export const Phone = z
  .string()
  .trim()
  .max(30, "At most 30 characters")
  .regex(/^[+\d ()/.-]*$/, "Digits, spaces and + ( ) / . - only");
/** NIST SP 800-63B: length is what counts, no rules of composition. The upper bound keeps the hash from being made to work on megabytes. */
export const Password = z.string().min(8, "At least 8 characters").max(200, "At most 200 characters");

export const TimeZone = z.string().refine((zone) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}, "Give a time zone of the IANA list, such as Europe/Zurich");

export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
export const Weekday = z.enum(weekdays, "Give a weekday: monday … sunday");
export type Weekday = z.infer<typeof Weekday>;

export const OpeningHours = z
  .strictObject({ day: Weekday, from: TimeOfDay, to: TimeOfDay })
  .refine(({ from, to }) => from < to, { message: "Must be later than from", path: ["to"] });
export type OpeningHours = z.infer<typeof OpeningHours>;

/** The week's opening hours, in the service's time zone; no two overlap. */
export const Week = z
  .array(OpeningHours)
  .min(1, "Give at least one opening time")
  .max(28, "At most 28 opening times")
  .superRefine((hours, context) => {
    hours.forEach((one, index) => {
      const overlaps = hours
        .slice(0, index)
        .some((other) => other.day === one.day && other.from < one.to && one.from < other.to);
      if (overlaps)
        context.addIssue({ code: "custom", message: "Overlaps another opening time", path: [index, "from"] });
    });
  });

export const Price = z.strictObject({
  /** In the currency's smallest unit: cents, rappen, yen. */
  amount: z
    .int("Give a whole number of the currency's smallest unit")
    .min(0, "Not below 0")
    .max(100_000_000, "Too much"),
  /** ISO 4217. */
  currency: z.string().regex(/^[A-Z]{3}$/, "Give a currency such as EUR"),
});
export type Price = z.infer<typeof Price>;

/** What a provider says when publishing a service. */
export const ServiceInput = z.strictObject({
  title: z.string().trim().min(1, "Give a title").max(120, "At most 120 characters"),
  description: z.string().trim().max(2000, "At most 2000 characters").default(""),
  durationMinutes: z.int("Give whole minutes").min(5, "At least 5 minutes").max(1440, "At most 1440 minutes, a day"),
  price: Price,
  timeZone: TimeZone,
  openingHours: Week,
});
export type ServiceInput = z.infer<typeof ServiceInput>;
/** Any part of it, to be changed. What is not given stays: so no defaults here. */
export const ServiceChange = ServiceInput.extend({ description: ServiceInput.shape.description.unwrap() }).partial();
export type ServiceChange = z.infer<typeof ServiceChange>;

export const Service = z.object({
  id: Id,
  provider: z.object({ id: Id, name: z.string() }),
  title: z.string(),
  description: z.string(),
  durationMinutes: z.int(),
  price: Price,
  timeZone: z.string(),
  openingHours: z.array(OpeningHours),
  /** No longer offered: it is in no search and takes no new bookings. */
  withdrawn: z.boolean(),
  createdAt: Instant,
});
export type Service = z.infer<typeof Service>;

export const User = z.object({ id: Id, email: z.string(), name: z.string(), phone: z.string(), createdAt: Instant });
export type User = z.infer<typeof User>;
export const UserChange = z.strictObject({ name: Name, phone: Phone }).partial();
export type UserChange = z.infer<typeof UserChange>;

export const BookingState = z.enum(["booked", "cancelled"]);
export const Booking = z.object({
  id: Id,
  service: z.object({ id: Id, title: z.string(), timeZone: z.string(), durationMinutes: z.int(), price: Price }),
  provider: z.object({ id: Id, name: z.string() }),
  customer: z.object({ id: Id, name: z.string(), email: z.string(), phone: z.string() }),
  start: Instant,
  end: Instant,
  state: BookingState,
  createdAt: Instant,
});
export type Booking = z.infer<typeof Booking>;

/** A page of a list, and where the next one starts. */
export const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().optional() });
export interface Page<T> {
  items: T[];
  next?: string | undefined;
}
