// Which view the address stands for. Addresses live behind the `#`, so that any of them can be opened by itself.
import { currentUser, Refused } from "./api.ts";
import { type Child, h, replaceChildren } from "./dom.ts";

export interface View {
  readonly title: string;
  readonly content: Child;
}
export type Show = (...words: string[]) => View | Promise<View>;

export interface Route {
  readonly pattern: RegExp;
  readonly show: Show;
  /** Only for people who are signed in; others are asked to, and come back. */
  readonly isPersonal?: boolean;
}

export const here = (): string => location.hash.replace(/^#/, "") || "/";

export function go(address: string): void {
  location.hash = `#${address}`;
}

/** The way to the sign-in page that leads back to where one is. */
export function signInAddress(page: "sign-in" | "register" = "sign-in", next = here()): string {
  return `/${page}/${encodeURIComponent(next)}`;
}

function failed(error: unknown): View {
  const message = error instanceof Refused ? error.message : "Something went wrong on this page.";
  if (!(error instanceof Refused)) console.error(error);
  const again = h("button", { type: "button", onclick: () => void showCurrent() }, "Try again");
  return { title: "That did not work", content: [h("p", { class: "fault" }, message), again] };
}

let routes: readonly Route[] = [];
let shown = 0;
let isFirst = true;

async function viewOf(address: string): Promise<View> {
  for (const { pattern, show, isPersonal } of routes) {
    const match = pattern.exec(address);
    if (!match) continue;
    if (isPersonal && !currentUser()) {
      go(signInAddress("sign-in", address));
      return { title: "Sign in", content: "" };
    }
    return show(...match.slice(1).map((word) => decodeURIComponent(word ?? "")));
  }
  return {
    title: "Nothing here",
    content: h("p", {}, "There is no such page. ", h("a", { href: "#/" }, "Find a service"), " instead."),
  };
}

/** Shows the view of the current address, and takes the focus to its heading. */
export async function showCurrent(): Promise<void> {
  const turn = (shown += 1);
  const main = document.querySelector("main");
  if (!main) return;
  main.setAttribute("aria-busy", "true");
  const view = await viewOf(here()).catch(failed);
  // Someone who clicks on while a view is being fetched wants the later one.
  if (turn !== shown) return;
  main.removeAttribute("aria-busy");
  document.title = `${view.title} · BookMeUp`;
  const heading = h("h1", { tabindex: "-1" }, view.title);
  replaceChildren(main, heading, view.content);
  scrollTo(0, 0);
  if (!isFirst) heading.focus({ preventScroll: true });
  isFirst = false;
  for (const link of document.querySelectorAll("nav a")) {
    const isHere = link.getAttribute("href") === `#${here()}`;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

export function startRouter(all: readonly Route[]): Promise<void> {
  routes = all;
  addEventListener("hashchange", () => {
    // The skip link's address is a place on the page and not a view.
    if (here() !== "main") void showCurrent();
  });
  return showCurrent();
}
