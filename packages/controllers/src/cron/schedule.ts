/** A cron schedule: five fields, or a word such as `@hourly`, as robfig/cron reads them for CronJobs. Day of month and of week are alternatives when both are restricted. */
export interface Schedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

const words: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function field(text: string, min: number, max: number, names: readonly string[] = [], offset = 0): Set<number> {
  const value = (part: string): number => {
    const name = names.indexOf(part.toLowerCase());
    const number = name >= 0 ? name + offset : /^\d+$/.test(part) ? Number(part) : Number.NaN;
    if (!(number >= min && number <= max)) throw new Error(`${JSON.stringify(part)} is not between ${min} and ${max}`);
    return number;
  };
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", stepText] = part.split("/");
    const step = stepText === undefined ? 1 : Number(stepText);
    if (!Number.isInteger(step) || step < 1) throw new Error(`${JSON.stringify(part)} has no valid step`);
    const [from = "", to] = range.split("-");
    const any = range === "*" || range === "?";
    const first = any ? min : value(from);
    const last = any || (to === undefined && stepText !== undefined) ? max : to === undefined ? first : value(to);
    if (last < first) throw new Error(`${JSON.stringify(range)} ends before it begins`);
    for (let number = first; number <= last; number += step) values.add(number);
  }
  return values;
}

/** Throws an Error that says which part is wrong. */
export function parseSchedule(text: string): Schedule {
  const fields = (words[text.trim()] ?? text.trim()).split(/\s+/);
  const [minutes = "", hours = "", days = "", months = "", weekdays = ""] = fields;
  if (fields.length !== 5)
    throw new Error(`expected exactly 5 fields, found ${fields.length}: ${JSON.stringify(text)}`);
  const week = field(weekdays, 0, 7, weekdayNames);
  if (week.delete(7)) week.add(0);
  return {
    minutes: field(minutes, 0, 59),
    hours: field(hours, 0, 23),
    days: field(days, 1, 31),
    months: field(months, 1, 12, monthNames, 1),
    weekdays: week,
    anyDay: /^[*?]/.test(days),
    anyWeekday: /^[*?]/.test(weekdays),
  };
}

/** How far local time is ahead of UTC at an instant, in milliseconds. */
function offsetAt(timeZone: string, instant: number): number {
  if (timeZone === "UTC") return 0;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

function matchesDay(schedule: Schedule, date: Date): boolean {
  if (!schedule.months.has(date.getUTCMonth() + 1)) return false;
  const day = schedule.days.has(date.getUTCDate());
  const weekday = schedule.weekdays.has(date.getUTCDay());
  return schedule.anyDay || schedule.anyWeekday ? day && weekday : day || weekday;
}

/** The first time after `after`, in milliseconds since 1970; undefined where there is none within five years. */
export function nextTime(schedule: Schedule, after: number, timeZone = "UTC"): number | undefined {
  // Counted on the local clock, written as if it were UTC.
  const start = Math.floor(after / 60_000) * 60_000 + 60_000;
  let local = start + offsetAt(timeZone, start);
  const end = local + 5 * 366 * 86_400_000;
  while (local < end) {
    const date = new Date(local);
    if (!matchesDay(schedule, date)) {
      local = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
    } else if (!schedule.hours.has(date.getUTCHours())) {
      local = Math.floor(local / 3_600_000) * 3_600_000 + 3_600_000;
    } else if (!schedule.minutes.has(date.getUTCMinutes())) local += 60_000;
    else {
      const instant = local - offsetAt(timeZone, local - offsetAt(timeZone, local));
      // A local time that daylight saving skips comes out before it was asked for.
      if (instant > after) return instant;
      local += 60_000;
    }
  }
  return undefined;
}

/** The latest time that has come since `earliest`, and how many have (mostRecentScheduleTime). */
export function missedTimes(
  schedule: Schedule,
  earliest: number,
  now: number,
  timeZone?: string,
): { latest: number | undefined; count: number } {
  let latest: number | undefined;
  let count = 0;
  for (
    let time = nextTime(schedule, earliest, timeZone);
    time !== undefined && time <= now;
    time = nextTime(schedule, time, timeZone)
  ) {
    latest = time;
    count++;
    if (count > 100) {
      // Too many to walk through: go straight to the last day.
      const recent = missedTimes(schedule, Math.max(time, now - 90 * 60_000), now, timeZone);
      return { latest: recent.latest ?? latest, count: count + recent.count };
    }
  }
  return { latest, count };
}
