import { bookings, currentUser, newKey, type Service, services, type Slot } from "./api.ts";
import { when } from "./bookings.ts";
import { announce, h, newId } from "./dom.ts";
import { duration, price, wholeTime, zoneName } from "./format.ts";
import { ask } from "./forms.ts";
import { openingTable } from "./opening-hours.ts";
import { go, type Route, signInAddress, type View } from "./router.ts";
import { type SlotPicker, slotPicker } from "./slots.ts";

function card(service: Service): HTMLElement {
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: `#/services/${service.id}` }, service.title)),
    h("p", { class: "by" }, service.provider.name),
    service.description ? h("p", { class: "excerpt" }, service.description) : undefined,
    h("p", { class: "facts" }, h("span", {}, duration(service.durationMinutes)), h("span", {}, price(service.price))),
  );
}

/** What was looked for last: whoever comes back from a service finds the list as it was. */
let lastSearch = "";

function search(): View {
  const id = newId();
  const input = h("input", {
    id,
    type: "search",
    name: "search",
    autocomplete: "off",
    enterkeyhint: "search",
    placeholder: "Haircut, yoga, piano lesson …",
  });
  const state = h("p", { class: "hint", role: "status" });
  const list = h("ul", { class: "cards" });
  const more = h("button", { type: "button", class: "more", hidden: true }, "Show more");
  input.value = lastSearch;
  let next: string | undefined;
  let turn = 0;

  async function load(after?: string): Promise<void> {
    const mine = (turn += 1);
    lastSearch = input.value.trim();
    try {
      const page = await services.search(lastSearch, after);
      if (mine !== turn) return;
      if (!after) list.replaceChildren();
      list.append(...page.items.map(card));
      next = page.next;
      more.hidden = next === undefined;
      const count = list.childElementCount;
      const what = lastSearch ? ` for “${lastSearch}”` : "";
      if (count === 0 && !lastSearch)
        state.replaceChildren("Nothing is offered yet. ", h("a", { href: "#/offer/new" }, "Publish the first service"));
      else
        state.textContent =
          count === 0
            ? `Nothing found${what}.`
            : `${count}${next ? " or more" : ""} ${count === 1 ? "service" : "services"}${what}`;
    } catch (error) {
      state.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  let waiting: ReturnType<typeof setTimeout> | undefined;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => void load(), 200);
  });
  more.addEventListener("click", () => {
    const before = list.childElementCount;
    void load(next).then(() => list.children[before]?.querySelector("a")?.focus());
  });
  const submit = (event: Event) => {
    event.preventDefault();
    clearTimeout(waiting);
    void load();
  };
  void load();
  const label = h("label", { for: id }, "What are you looking for?");
  const form = h(
    "form",
    { role: "search", class: "search", onsubmit: submit },
    label,
    h("div", {}, input, h("button", { class: "primary" }, "Search")),
  );
  return { title: "Find a service", content: [form, state, list, more] };
}

async function service(id: string): Promise<View> {
  const found = await services.get(id);
  const picker = slotPicker(found, (slot) => void book(found, slot, picker.reload));
  const facts = h(
    "p",
    { class: "facts" },
    h("span", {}, found.provider.name),
    h("span", {}, duration(found.durationMinutes)),
    h("span", {}, price(found.price)),
  );
  const hours = h(
    "details",
    { class: "panel" },
    h("summary", {}, "Opening hours"),
    openingTable(found.openingHours),
    h("p", { class: "hint" }, zoneName(found.timeZone)),
  );
  const slots = found.withdrawn
    ? h("p", { class: "notice" }, "This service is no longer offered.")
    : h("section", { "aria-labelledby": "free" }, h("h2", { id: "free" }, "Free slots"), picker.element);
  const description = found.description ? h("p", { class: "description" }, found.description) : undefined;
  return { title: found.title, content: [facts, description, hours, slots] };
}

async function book(service: Service, slot: Slot, reload: SlotPicker["reload"]): Promise<void> {
  if (!currentUser()) {
    announce("Sign in to book");
    go(signInAddress());
    return;
  }
  const key = newKey();
  const isDone = await ask({
    title: `Book ${service.title}?`,
    about: [when(slot, service.timeZone), h("p", {}, `${service.provider.name}, ${price(service.price)}`)],
    yes: "Book",
    no: "Back",
    act: async () => {
      await bookings.book(service.id, slot.start, key);
    },
  });
  if (!isDone) {
    // Perhaps because somebody else was faster.
    await reload(slot);
    return;
  }
  announce(`Booked: ${service.title}, ${wholeTime(slot, service.timeZone)}`);
  go("/bookings");
}

/** Finding a service, and booking a slot of it. */
export const findViews: readonly Route[] = [
  { pattern: /^\/$/, show: search },
  { pattern: /^\/services\/([^/]+)$/, show: service },
];
