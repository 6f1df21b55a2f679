// Picking a free slot: a week at a time, in the clock of where the service is.
import { services, type Service, type Slot } from "./api.ts";
import { type Child, h, replaceChildren } from "./dom.ts";
import { addDays, clock, dayName, dayOf, ownClock, zoneName } from "./format.ts";

const daysAtOnce = 7;

function slotButton(slot: Slot, timeZone: string, pick: (slot: Slot) => void): HTMLElement {
  const own = ownClock(slot.start, timeZone);
  const label = `${dayName(slot.start, timeZone)}, ${clock(slot.start, timeZone)}${own ? `, ${own} your time` : ""}`;
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "slot", "data-start": slot.start, "aria-label": label, onclick: () => pick(slot) },
      clock(slot.start, timeZone),
      own ? h("small", {}, `${own} yours`) : undefined,
    ),
  );
}

function daySection(slots: readonly Slot[], timeZone: string, pick: (slot: Slot) => void): HTMLElement {
  const [first] = slots;
  return h(
    "section",
    { class: "day" },
    h("h3", {}, first ? dayName(first.start, timeZone) : ""),
    h(
      "ul",
      { class: "slots" },
      slots.map((slot) => slotButton(slot, timeZone, pick)),
    ),
  );
}

export interface SlotPicker {
  readonly element: HTMLElement;
  /** Shows what is free now, to someone who comes back from a slot: the focus is there again, or at the next that is free. */
  readonly reload: (from: Slot) => Promise<void>;
}

/** Takes the focus to a slot that starts then or, where it is gone, to the next, unless the focus has gone elsewhere meanwhile. */
function focusSlot(list: HTMLElement, start: string): void {
  if (document.activeElement && document.activeElement !== document.body) return;
  const buttons = [...list.querySelectorAll<HTMLElement>(".slot")];
  const next = buttons.find(({ dataset }) => (dataset["start"] ?? "") >= start) ?? buttons.at(-1);
  next?.focus();
}

/** Free slots from today on, with buttons to go through the weeks. */
export function slotPicker(service: Service, pick: (slot: Slot) => void): SlotPicker {
  const { timeZone } = service;
  const today = dayOf(new Date(), timeZone);
  let from = today;
  const list = h("div", { class: "days" });
  const state = h("p", { class: "hint", role: "status" });
  const date = h("input", { type: "date", min: today, "aria-label": "Show slots from this day" });
  const step = (days: number, label: string, ...words: Child[]) =>
    h("button", { type: "button", "aria-label": label, onclick: () => void go(addDays(from, days)) }, ...words);
  const earlier = step(-daysAtOnce, "Seven days earlier", "←", h("span", { class: "word" }, "\u00a0Earlier"));
  const later = step(daysAtOnce, "Seven days later", h("span", { class: "word" }, "Later\u00a0"), "→");

  async function load(returningTo?: Slot): Promise<void> {
    const asked = from;
    list.setAttribute("aria-busy", "true");
    try {
      const { slots } = await services.slots(service.id, asked, addDays(asked, daysAtOnce - 1));
      if (asked !== from) return;
      const days = [...Map.groupBy(slots, (slot) => dayOf(new Date(slot.start), timeZone)).values()];
      const focused = document.activeElement;
      const start = focused instanceof HTMLElement && list.contains(focused) ? focused.dataset["start"] : undefined;
      replaceChildren(
        list,
        days.map((day) => daySection(day, timeZone, pick)),
      );
      // The button that had the focus is gone with the list that it was in.
      const kept = start ?? returningTo?.start;
      if (kept) focusSlot(list, kept);
      state.textContent =
        slots.length === 0
          ? "Nothing is free in these seven days. Look later."
          : `${slots.length} free, ${zoneName(timeZone, new Date(asked))}.`;
    } catch (error) {
      state.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      list.removeAttribute("aria-busy");
    }
  }

  function go(day: string): Promise<void> {
    from = day < today ? today : day;
    date.value = from;
    earlier.toggleAttribute("disabled", from === today);
    return load();
  }

  date.addEventListener("change", () => void go(date.value || today));
  const bar = h("div", { class: "bar" }, earlier, date, later);
  void go(today);
  return { element: h("div", { class: "picker" }, bar, state, list), reload: load };
}
