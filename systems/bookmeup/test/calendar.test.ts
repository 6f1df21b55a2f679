import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { weekdays } from "@bookmeup/contract";
import { dateOf, freeSlots, instantOf, slotAt, slotsOf } from "../logic-service/src/calendar.ts";

const iso = (instant: number) => new Date(instant).toISOString();
const zones = [
  "Europe/Zurich",
  "America/New_York",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Kiritimati",
  "America/St_Johns",
  "UTC",
];

describe("the calendar", () => {
  it("knows when a clock on the wall shows a time, where clocks change too", () => {
    const cases: [string, string, string, string][] = [
      ["2026-07-01", "09:00", "Europe/Zurich", "2026-07-01T07:00:00.000Z"],
      ["2026-12-01", "09:00", "Europe/Zurich", "2026-12-01T08:00:00.000Z"],
      ["2026-12-01", "24:00", "Europe/Zurich", "2026-12-01T23:00:00.000Z"],
      // Put forward: 02:30 is never shown, so half an hour after 03:00.
      ["2026-03-29", "02:30", "Europe/Zurich", "2026-03-29T01:30:00.000Z"],
      // Put back: 02:30 is shown twice, the first counts.
      ["2026-10-25", "02:30", "Europe/Zurich", "2026-10-25T00:30:00.000Z"],
      ["2026-10-25", "03:00", "Europe/Zurich", "2026-10-25T02:00:00.000Z"],
      ["2026-11-01", "01:30", "America/New_York", "2026-11-01T05:30:00.000Z"],
      ["2026-01-01", "00:00", "Asia/Kathmandu", "2025-12-31T18:15:00.000Z"],
    ];
    for (const [date, time, zone, expected] of cases)
      assert.equal(iso(instantOf(date, time, zone)), expected, `${date} ${time} ${zone}`);
  });

  const someTimetable = fc
    .record({
      timeZone: fc.constantFrom(...zones),
      durationMinutes: fc.integer({ min: 5, max: 300 }),
      open: fc.integer({ min: 0, max: 1380 }),
      length: fc.integer({ min: 5, max: 1440 }),
      date: fc
        .date({ min: new Date("2020-01-01"), max: new Date("2035-12-31"), noInvalidDate: true })
        .map((date) => iso(date.getTime()).slice(0, 10)),
    })
    .map(({ timeZone, durationMinutes, open, length, date }) => {
      const time = (minutes: number) =>
        `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
      const to = Math.min(open + length, 1440);
      const openingHours = weekdays.map((day) => ({ day, from: time(open), to: time(to) }));
      return { timetable: { timeZone, durationMinutes, openingHours }, date, from: time(open), to: time(to) };
    });

  it("makes slots that are as long as the service, follow each other, and lie within the opening hours of their day", () => {
    fc.assert(
      fc.property(someTimetable, ({ timetable, date, from, to }) => {
        const slots = slotsOf(timetable, date);
        const opens = instantOf(date, from, timetable.timeZone);
        const closes = instantOf(date, to, timetable.timeZone);
        const length = timetable.durationMinutes * 60_000;
        assert.equal(slots.length, Math.max(0, Math.floor((closes - opens) / length)));
        slots.forEach((slot, index) => {
          assert.equal(Date.parse(slot.start), opens + index * length);
          assert.equal(Date.parse(slot.end) - Date.parse(slot.start), length);
          assert.equal(dateOf(Date.parse(slot.start), timetable.timeZone), date);
          assert.deepEqual(slotAt(timetable, slot.start), slot);
        });
      }),
      { numRuns: 100 },
    );
  });

  it("finds free exactly what overlaps nothing taken and lies ahead", () => {
    fc.assert(
      fc.property(
        someTimetable,
        fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 5 }),
        fc.nat(),
        ({ timetable, date }, offsets, seed) => {
          const slots = slotsOf(timetable, date);
          const base = Date.parse(date) + (seed % 1440) * 60_000;
          const taken = offsets.map((offset) => ({
            start: iso(base + offset * 600_000),
            end: iso(base + offset * 600_000 + 1_800_000),
          }));
          const free = freeSlots(slots, taken, base);
          for (const slot of slots) {
            const overlaps = taken.some(
              (one) => Date.parse(one.start) < Date.parse(slot.end) && Date.parse(slot.start) < Date.parse(one.end),
            );
            assert.equal(free.includes(slot), !overlaps && Date.parse(slot.start) > base);
          }
        },
      ),
    );
  });

  it("is closed on other days", () => {
    const timetable = {
      timeZone: "UTC",
      durationMinutes: 60,
      openingHours: [{ day: "monday" as const, from: "09:00", to: "10:00" }],
    };
    const open = ["2026-11-23", "2026-11-24", "2026-11-29", "2026-11-30"].filter(
      (date) => slotsOf(timetable, date).length > 0,
    );
    assert.deepEqual(open, ["2026-11-23", "2026-11-30"]);
  });
});
