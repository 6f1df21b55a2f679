import { type Booking, newKey, type Service, type ServiceInput, services } from "./api.ts";
import { when } from "./bookings.ts";
import { announce, h } from "./dom.ts";
import { currencyDigits, duration, ownTimeZone, price } from "./format.ts";
import { ask, field, form } from "./forms.ts";
import { openingHoursEditor } from "./opening-hours.ts";
import { go, type Route, showCurrent, type View } from "./router.ts";

const currencies = [
  "EUR",
  "CHF",
  "USD",
  "GBP",
  "SEK",
  "NOK",
  "DKK",
  "PLN",
  "CZK",
  "JPY",
  "CAD",
  "AUD",
  "INR",
  "AED",
  "KES",
  "TZS",
];
const workdays = ["monday", "tuesday", "wednesday", "thursday", "friday"] as const;

const blank: ServiceInput = {
  title: "",
  description: "",
  durationMinutes: 60,
  price: { amount: 0, currency: "EUR" },
  timeZone: ownTimeZone,
  openingHours: workdays.map((day) => ({ day, from: "09:00", to: "17:00" })),
};

function select(options: readonly string[], chosen: string): HTMLSelectElement {
  const all = options.includes(chosen) ? options : [chosen, ...options];
  return h(
    "select",
    {},
    all.map((option) => h("option", { value: option, selected: option === chosen }, option.replaceAll("_", " "))),
  );
}

/** The form of a service: for a new one, and for one that is changed. */
function serviceForm(
  start: ServiceInput,
  submit: string,
  act: (input: ServiceInput) => Promise<void>,
): HTMLFormElement {
  const title = h("input", { value: start.title, autocomplete: "off" });
  const description = h("textarea", { rows: 4 }, start.description);
  const minutes = h("input", {
    type: "number",
    min: 5,
    max: 1440,
    step: 5,
    inputmode: "numeric",
    value: start.durationMinutes,
  });
  const shownPrice = start.price.amount / 10 ** currencyDigits(start.price.currency);
  const amount = h("input", { type: "number", min: 0, step: "any", inputmode: "decimal", value: shownPrice });
  const currency = select(currencies, start.price.currency);
  const timeZone = select(Intl.supportedValuesOf("timeZone"), start.timeZone);
  const hours = openingHoursEditor(start.openingHours);
  const read = (): ServiceInput => ({
    title: title.value,
    description: description.value,
    durationMinutes: Number(minutes.value),
    price: {
      amount: Math.round(Number(amount.value) * 10 ** currencyDigits(currency.value)),
      currency: currency.value,
    },
    timeZone: timeZone.value,
    openingHours: hours.read(),
  });
  return form({
    submit,
    beside: h("a", { class: "button", href: "#/offer" }, "Back"),
    children: [
      field({ label: "Title", name: "title", control: title }),
      field({ label: "Description", name: "description", control: description }),
      h(
        "div",
        { class: "row" },
        field({ label: "Duration in minutes", name: "durationMinutes", control: minutes }),
        field({ label: "Price", name: "price.amount", control: amount }),
        field({ label: "Currency", name: "price.currency", control: currency }),
      ),
      field({
        label: "Time zone",
        name: "timeZone",
        hint: "Opening hours and slots are in the time of this place.",
        control: timeZone,
      }),
      hours.element,
    ],
    act: () => act(read()),
  });
}

function publish(): View {
  const key = newKey();
  const element = serviceForm(blank, "Publish", async (input) => {
    const service = await services.publish(input, key);
    announce(`Published: ${service.title}`);
    go(`/offer/${service.id}`);
  });
  return { title: "Publish a service", content: element };
}

async function change(id: string): Promise<View> {
  const { title, description, durationMinutes, price: cost, timeZone, openingHours } = await services.get(id);
  const element = serviceForm(
    { title, description, durationMinutes, price: cost, timeZone, openingHours },
    "Save",
    async (input) => {
      await services.change(id, input);
      announce("Saved");
      go(`/offer/${id}`);
    },
  );
  return { title: `Change ${title}`, content: element };
}

function card(service: Service): HTMLElement {
  return h(
    "li",
    { class: `card${service.withdrawn ? " is-cancelled" : ""}` },
    h(
      "h2",
      {},
      h("a", { href: `#/offer/${service.id}` }, service.title),
      service.withdrawn ? h("span", { class: "badge" }, "withdrawn") : undefined,
    ),
    h("p", { class: "facts" }, h("span", {}, duration(service.durationMinutes)), h("span", {}, price(service.price))),
  );
}

async function own(): Promise<View> {
  const { items } = await services.own();
  return {
    title: "What you offer",
    content: [
      h("p", {}, h("a", { class: "button primary", href: "#/offer/new" }, "Publish a service")),
      items.length === 0
        ? h("p", { class: "hint" }, "Nothing yet. What you publish can be found and booked at once.")
        : h("ul", { class: "cards" }, items.map(card)),
    ],
  };
}

async function withdraw(service: Service): Promise<void> {
  const isDone = await ask({
    title: `Withdraw ${service.title}?`,
    about: h("p", {}, "It can no longer be found or booked. What is booked already stays booked."),
    yes: "Withdraw",
    no: "Keep it",
    isDanger: true,
    act: () => services.withdraw(service.id),
  });
  if (!isDone) return;
  announce(`Withdrawn: ${service.title}`);
  go("/offer");
}

async function cancelFor(booking: Booking): Promise<void> {
  const isDone = await ask({
    title: `Cancel the booking of ${booking.customer.name}?`,
    about: when(booking, booking.service.timeZone),
    yes: "Cancel the booking",
    no: "Keep it",
    isDanger: true,
    act: async () => {
      await services.cancelBooking(booking.service.id, booking.id);
    },
  });
  if (!isDone) return;
  announce("Cancelled");
  await showCurrent();
}

function customerCard(booking: Booking): HTMLElement {
  const { name, email, phone } = booking.customer;
  return h(
    "li",
    { class: "card" },
    h("h3", {}, name),
    when(booking, booking.service.timeZone),
    h(
      "p",
      { class: "facts" },
      h("a", { href: `mailto:${email}` }, email),
      phone ? h("a", { href: `tel:${phone.replaceAll(" ", "")}` }, phone) : undefined,
    ),
    h(
      "p",
      { class: "actions" },
      h(
        "button",
        { type: "button", "aria-label": `Cancel the booking of ${name}`, onclick: () => void cancelFor(booking) },
        "Cancel",
      ),
    ),
  );
}

async function manage(id: string): Promise<View> {
  const [service, { items }] = await Promise.all([services.get(id), services.bookings(id)]);
  const actions = h(
    "p",
    { class: "actions" },
    h("a", { class: "button", href: `#/offer/${id}/change` }, "Change"),
    h("a", { class: "button", href: `#/services/${id}` }, "As customers see it"),
    h("button", { type: "button", onclick: () => void withdraw(service) }, "Withdraw"),
  );
  return {
    title: service.title,
    content: [
      h("p", { class: "facts" }, h("span", {}, duration(service.durationMinutes)), h("span", {}, price(service.price))),
      service.withdrawn ? h("p", { class: "notice" }, "Withdrawn: it can no longer be found or booked.") : actions,
      h("h2", {}, "Upcoming bookings"),
      items.length === 0
        ? h("p", { class: "hint" }, "None yet.")
        : h("ul", { class: "cards rows" }, items.map(customerCard)),
    ],
  };
}

/** What somebody offers. */
export const offerViews: readonly Route[] = [
  { pattern: /^\/offer$/, show: own, isPersonal: true },
  { pattern: /^\/offer\/new$/, show: publish, isPersonal: true },
  { pattern: /^\/offer\/([^/]+)$/, show: manage, isPersonal: true },
  { pattern: /^\/offer\/([^/]+)\/change$/, show: change, isPersonal: true },
];
