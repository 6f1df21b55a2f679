import type { OpeningHours } from "./api.ts";
import { h, newId, replaceChildren } from "./dom.ts";

const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
type Day = (typeof days)[number];

/** 4 January 2027 is a Monday; the locale has its own names for the days. */
export function dayLabel(day: Day): string {
  const date = new Date(Date.UTC(2027, 0, 4 + days.indexOf(day)));
  return new Intl.DateTimeFormat(undefined, { weekday: "long", timeZone: "UTC" }).format(date);
}

function shownTime(time: string): string {
  const date = new Date(`2027-01-04T${time === "24:00" ? "00:00" : time}:00Z`);
  return new Intl.DateTimeFormat(undefined, { timeStyle: "short", timeZone: "UTC" }).format(date);
}

export function openingTable(hours: readonly OpeningHours[]): HTMLElement {
  const times = (day: Day) =>
    hours
      .filter((one) => one.day === day)
      .map(({ from, to }) => h("span", { class: "times" }, `${shownTime(from)} – ${shownTime(to)}`));
  const cell = (day: Day) => h("td", {}, times(day).length > 0 ? times(day) : "closed");
  const rows = days.map((day) => h("tr", {}, h("th", { scope: "row" }, dayLabel(day)), cell(day)));
  return h("table", { class: "hours" }, h("tbody", {}, rows));
}

export interface OpeningHoursEditor {
  readonly element: HTMLElement;
  read(): OpeningHours[];
}

interface Span {
  from: string;
  to: string;
}

const usual: Span = { from: "09:00", to: "17:00" };

/** A line for each day of the week, to which times can be added and taken away. */
export function openingHoursEditor(start: readonly OpeningHours[]): OpeningHoursEditor {
  const spans = new Map<Day, Span[]>(
    days.map((day) => [day, start.filter((one) => one.day === day).map(({ from, to }) => ({ from, to }))]),
  );
  const faultId = newId();

  function time(span: Span, end: "from" | "to", label: string): HTMLElement {
    const input = h("input", { type: "time", "aria-label": label });
    input.value = span[end] === "24:00" ? "00:00" : span[end];
    input.addEventListener("input", () => {
      // The end of the day is the next one's 00:00 on a clock.
      span[end] = end === "to" && input.value === "00:00" ? "24:00" : input.value;
    });
    return input;
  }

  function line(day: Day): HTMLElement {
    const place = h("div", { class: "spans" });
    const label = dayLabel(day);
    const add = h("button", { type: "button", "aria-label": `Add a time on ${label}` }, "+ Add");
    function draw(): void {
      const mine = spans.get(day) ?? [];
      const rows = mine.map((span, index) => {
        const remove = h(
          "button",
          { type: "button", class: "icon", "aria-label": `Remove this time of ${label}` },
          "×",
        );
        remove.addEventListener("click", () => {
          mine.splice(index, 1);
          draw();
          add.focus();
        });
        return h(
          "div",
          { class: "span" },
          time(span, "from", `${label} from`),
          h("span", { "aria-hidden": "true" }, "–"),
          time(span, "to", `${label} to`),
          remove,
        );
      });
      replaceChildren(place, rows, mine.length === 0 ? h("span", { class: "hint" }, "closed") : undefined, add);
    }
    add.addEventListener("click", () => {
      const mine = spans.get(day) ?? [];
      const last = mine.at(-1);
      mine.push(last && last.to < "22:00" ? { from: last.to, to: "22:00" } : { ...usual });
      draw();
      place.querySelector<HTMLInputElement>(".span:last-of-type input")?.focus();
    });
    draw();
    return h(
      "div",
      { class: "weekday", role: "group", "aria-label": label },
      h("span", { class: "weekday-name", "aria-hidden": "true" }, label),
      place,
    );
  }

  const element = h(
    "fieldset",
    { class: "week", "data-field": "openingHours", tabindex: "-1", "aria-describedby": faultId },
    h("legend", {}, "Opening hours"),
    days.map(line),
    h("p", { class: "fault", id: faultId }),
  );
  return { element, read: () => days.flatMap((day) => (spans.get(day) ?? []).map((span) => ({ day, ...span }))) };
}
