// Elements without markup in strings: nothing that a person wrote is ever parsed as HTML.

export type Child = Node | string | number | false | null | undefined | readonly Child[];

type Attribute = string | number | boolean | undefined | ((event: Event) => void);

function append(parent: Node, child: Child): void {
  if (child === false || child === null || child === undefined) return;
  if (child instanceof Node) parent.appendChild(child);
  else if (typeof child === "object") for (const one of child) append(parent, one);
  else parent.appendChild(document.createTextNode(String(child)));
}

/** An element with attributes (`onclick: function` listens, `true` sets, `false` leaves out) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

export function replaceChildren(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** Says something to everybody: shown for a while, and read out by a screen reader. */
export function announce(text: string): void {
  const place = document.querySelector("#announcer");
  if (!place) return;
  // Emptied first: the same words twice are to be read twice.
  place.textContent = "";
  setTimeout(() => {
    place.textContent = text;
  }, 30);
  setTimeout(() => {
    if (place.textContent === text) place.textContent = "";
  }, 6000);
}

let lastId = 0;
export const newId = (): string => `i${(lastId += 1)}`;
