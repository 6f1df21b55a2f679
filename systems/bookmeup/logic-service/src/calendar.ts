// Days and opening hours of a place with its own clock, as instants. A slot is `durationMinutes` long; the first of an opening time starts with it.
import { type Service, weekdays } from "@bookmeup/contract";

export interface Slot {
  /** ISO 8601, UTC. */
  readonly start: string;
  readonly end: string;
}

type Timetable = Pick<Service, "timeZone" | "durationMinutes" | "openingHours">;

const minute = 60_000;
const day = 24 * 60 * minute;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    const parts = {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", calendar: "iso8601", ...parts });
    formats.set(timeZone, format);
  }
  return format;
}

/** What a clock on the wall shows at an instant, as if that were UTC. */
function wallClock(instant: number, timeZone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day: date = 1, hour = 0, minute: minutes = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, date, hour, minutes, second);
}

function offsetAt(instant: number, timeZone: string): number {
  const whole = Math.floor(instant / 1000) * 1000;
  return wallClock(whole, timeZone) - whole;
}

/**
 * The instant at which a clock on the wall shows `time` (`09:30`) on `date` (`2026-11-21`). Where clocks are put back and it is shown twice, the first; where
 * they are put forward and it is never shown, as much later (Temporal's disambiguation "compatible").
 */
export function instantOf(date: string, time: string, timeZone: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  const shown = Date.parse(`${date}T00:00:00Z`) + (hours * 60 + minutes) * minute;
  const before = offsetAt(shown - day, timeZone);
  const after = offsetAt(shown + day, timeZone);
  const right = [shown - before, shown - after].find((instant) => wallClock(instant, timeZone) === shown);
  return right ?? shown - before;
}

/** The day of the calendar on which an instant falls. */
export function dateOf(instant: number, timeZone: string): string {
  return new Date(wallClock(instant, timeZone)).toISOString().slice(0, 10);
}

/** The days from `from` to `to`, both included. */
export function datesBetween(from: string, to: string): string[] {
  const dates: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += day) dates.push(new Date(at).toISOString().slice(0, 10));
  return dates;
}

/** Every slot of a day, free or not, in order. */
export function slotsOf(timetable: Timetable, date: string): Slot[] {
  const weekday = weekdays[(new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7];
  const length = timetable.durationMinutes * minute;
  const slots: Slot[] = [];
  for (const { day: open, from, to } of timetable.openingHours) {
    if (open !== weekday) continue;
    const closes = instantOf(date, to, timetable.timeZone);
    for (let start = instantOf(date, from, timetable.timeZone); start + length <= closes; start += length)
      slots.push({ start: new Date(start).toISOString(), end: new Date(start + length).toISOString() });
  }
  return slots.sort((a, b) => a.start.localeCompare(b.start));
}

/** The slot that starts at an instant, or undefined where the timetable has none. */
export function slotAt(timetable: Timetable, start: string): Slot | undefined {
  return slotsOf(timetable, dateOf(Date.parse(start), timetable.timeZone)).find((slot) => slot.start === start);
}

/** Those slots that overlap nothing that is taken and that start after `now`. */
export function freeSlots(slots: readonly Slot[], taken: readonly Slot[], now: number): Slot[] {
  return slots.filter(
    (slot) => Date.parse(slot.start) > now && !taken.some((other) => other.start < slot.end && slot.start < other.end),
  );
}
