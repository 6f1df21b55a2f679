import { type Booking, bookings, services, type Slot } from "./api.ts";
import { announce, type Child, h } from "./dom.ts";
import { price, wholeTime, whoseTime } from "./format.ts";
import { ask } from "./forms.ts";
import { go, type Route, showCurrent, type View } from "./router.ts";
import { type SlotPicker, slotPicker } from "./slots.ts";

/** When a booking is, and by whose clock. */
export function when(slot: Slot, timeZone: string): HTMLElement {
  const time = h("time", { datetime: slot.start }, wholeTime(slot, timeZone));
  return h("p", { class: "when" }, time, " ", h("span", { class: "hint" }, whoseTime(slot, timeZone)));
}

async function cancel(booking: Booking): Promise<void> {
  const isDone = await ask({
    title: `Cancel ${booking.service.title}?`,
    about: when(booking, booking.service.timeZone),
    yes: "Cancel the booking",
    no: "Keep it",
    isDanger: true,
    act: async () => {
      await bookings.cancel(booking.id);
    },
  });
  if (!isDone) return;
  announce(`Cancelled: ${booking.service.title}`);
  await showCurrent();
}

function card(booking: Booking, isUpcoming: boolean): HTMLElement {
  const { service, provider, state } = booking;
  const actions = h(
    "p",
    { class: "actions" },
    h("a", { class: "button", href: `#/bookings/${booking.id}/move`, "aria-label": `Move ${service.title}` }, "Move"),
    h(
      "button",
      { type: "button", "aria-label": `Cancel ${service.title}`, onclick: () => void cancel(booking) },
      "Cancel",
    ),
  );
  return h(
    "li",
    { class: `card${state === "cancelled" ? " is-cancelled" : ""}` },
    h(
      "h3",
      {},
      h("a", { href: `#/services/${service.id}` }, service.title),
      state === "cancelled" ? h("span", { class: "badge" }, "cancelled") : undefined,
    ),
    when(booking, service.timeZone),
    h("p", { class: "facts" }, h("span", {}, provider.name), h("span", {}, price(service.price))),
    isUpcoming && state === "booked" ? actions : undefined,
  );
}

function section(title: string, list: readonly Booking[], isUpcoming: boolean, none: Child): HTMLElement {
  const cards = h(
    "ul",
    { class: "cards rows" },
    list.map((booking) => card(booking, isUpcoming)),
  );
  return h("section", {}, h("h2", {}, title), list.length === 0 ? h("p", { class: "hint" }, none) : cards);
}

async function list(): Promise<View> {
  const [upcoming, past] = await Promise.all([bookings.list("upcoming"), bookings.list("past")]);
  const now = new Date().toISOString();
  const isOver = (booking: Booking) => booking.end <= now;
  const none = ["You have booked nothing yet. ", h("a", { href: "#/" }, "Find a service"), "."];
  const over = past.items.filter(isOver).reverse();
  return {
    title: "Your bookings",
    content: [
      section("Upcoming", upcoming.items, true, none),
      over.length > 0 ? section("Past", over, false, "") : undefined,
    ],
  };
}

async function moveTo(booking: Booking, slot: Slot, reload: SlotPicker["reload"]): Promise<void> {
  const { service } = booking;
  const isDone = await ask({
    title: `Move ${service.title}?`,
    about: [h("p", {}, "Instead of ", h("s", {}, wholeTime(booking, service.timeZone))), when(slot, service.timeZone)],
    yes: "Move",
    no: "Back",
    act: async () => {
      await bookings.move(booking.id, slot.start);
    },
  });
  if (!isDone) {
    await reload(slot);
    return;
  }
  announce(`Moved to ${wholeTime(slot, service.timeZone)}`);
  go("/bookings");
}

async function move(id: string): Promise<View> {
  const booking = await bookings.get(id);
  const service = await services.get(booking.service.id);
  const picker = slotPicker(service, (slot) => void moveTo(booking, slot, picker.reload));
  return {
    title: `Move ${booking.service.title}`,
    content: [
      h("div", { class: "notice" }, "Booked now", when(booking, service.timeZone)),
      h("section", { "aria-labelledby": "free" }, h("h2", { id: "free" }, "Pick a new time"), picker.element),
      h("p", {}, h("a", { href: "#/bookings" }, "Leave it as it is")),
    ],
  };
}

/** What somebody has booked. */
export const bookingViews: readonly Route[] = [
  { pattern: /^\/bookings$/, show: list, isPersonal: true },
  { pattern: /^\/bookings\/([^/]+)\/move$/, show: move, isPersonal: true },
];
