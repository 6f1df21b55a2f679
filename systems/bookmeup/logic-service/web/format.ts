// How times and prices are shown: in the words of the visitor's own locale, with the clock of where the service is given.
import type { Service, Slot } from "./api.ts";

export const ownTimeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The name of a place's clock: `Zurich time (GMT+1)`. */
export function zoneName(timeZone: string, at = new Date()): string {
  const city = timeZone.split("/").at(-1)?.replaceAll("_", " ") ?? timeZone;
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" }).formatToParts(at);
  const offset = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  return offset === city ? city : `${city} time (${offset})`;
}

const isSameClock = (a: string, b: string, at: Date) => clock(at.toISOString(), a) === clock(at.toISOString(), b);

/** `09:30` or `9:30 AM`. */
export function clock(instant: string, timeZone: string): string {
  return new Intl.DateTimeFormat(undefined, { timeZone, timeStyle: "short" }).format(new Date(instant));
}

/** What the visitor's own clock shows then, or undefined where it shows the same. */
export function ownClock(instant: string, timeZone: string): string | undefined {
  return isSameClock(timeZone, ownTimeZone, new Date(instant)) ? undefined : clock(instant, ownTimeZone);
}

/** `Monday, 23 November`, with the year where it is not this one. */
export function dayName(instant: string, timeZone: string): string {
  const date = new Date(instant);
  const year = date.getFullYear() === new Date().getFullYear() ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(undefined, {
    timeZone,
    weekday: "long",
    day: "numeric",
    month: "long",
    ...year,
  }).format(date);
}

/** `Monday, 23 November, 09:30 – 10:00`, on the clock of the place. */
export function wholeTime({ start, end }: Slot, timeZone: string): string {
  return `${dayName(start, timeZone)}, ${clock(start, timeZone)} – ${clock(end, timeZone)}`;
}

/** Whose clock that is, and what the visitor's own shows where it shows something else: `Zurich time (GMT+1); 03:30 your time`. */
export function whoseTime({ start }: Pick<Slot, "start">, timeZone: string): string {
  const own = ownClock(start, timeZone);
  return `${zoneName(timeZone, new Date(start))}${own ? `; ${own} your time` : ""}`;
}

/** The calendar's day, `2026-11-23`, at an instant in a place. */
export function dayOf(instant: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(instant);
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}

/** How many digits a currency has after its point: 2 for EUR, 0 for JPY. */
export function currencyDigits(currency: string): number {
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

export function price({ amount, currency }: Service["price"]): string {
  if (amount === 0) return "free";
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(
    amount / 10 ** currencyDigits(currency),
  );
}

/** `45 min`, `1 h 30 min`. */
export function duration(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 ? `${hours} h` : "", rest > 0 ? `${rest} min` : ""].filter(Boolean).join(" ");
}
