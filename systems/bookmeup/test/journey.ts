// What a person does at the page from beginning to end, with nothing but a keyboard.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Why there is no browser to test with, if there is none. */
export const noBrowser = existsSync(executablePath)
  ? false
  : `no browser at ${executablePath} (CHROMIUM names another)`;

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

const focusedName = `(() => {
  const element = document.activeElement;
  return (element?.getAttribute("aria-label") || element?.labels?.[0]?.textContent || element?.textContent || "").trim();
})()`;

/** Somebody at a keyboard, in front of a page as wide as a phone. */
export class KeyboardPerson {
  readonly page: Page;
  /** What the page itself got wrong. */
  readonly faults: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => this.faults.push(String(error)));
  }

  /** Presses Tab until what has the focus is called so. */
  async tabTo(name: string | RegExp): Promise<string> {
    for (let presses = 0; presses < 120; presses += 1) {
      await this.page.keyboard.press("Tab");
      const focused = await this.page.evaluate<string>(focusedName);
      if (typeof name === "string" ? focused === name : name.test(focused)) return focused;
    }
    assert.fail(`Tab never came to ${name}`);
  }

  async press(name: string | RegExp): Promise<string> {
    const found = await this.tabTo(name);
    await this.page.keyboard.press("Enter");
    return found;
  }

  async write(name: string, text: string): Promise<void> {
    await this.tabTo(name);
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.type(text);
  }

  async sees(heading: string): Promise<void> {
    await this.page.getByRole("heading", { level: 1, name: heading }).waitFor();
    const overflow = await this.page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    assert.equal(overflow, 0, `${heading} is wider than the screen`);
  }

  async register(name: string): Promise<void> {
    await this.press("Sign in");
    await this.sees("Sign in");
    await this.press("Register");
    await this.sees("Register");
    await this.write("Name", name);
    await this.write("E-mail address", `${name.toLowerCase().replaceAll(" ", ".")}.${Date.now()}@example.org`);
    await this.write("Password", "correct horse battery");
    await this.page.keyboard.press("Enter");
    await this.sees("Find a service");
  }

  async publish(title: string): Promise<void> {
    await this.press("Offer");
    await this.press("Publish a service");
    await this.write("Title", title);
    await this.write("Price", "59.90");
    await this.press("Add a time on Saturday");
    await this.press("Publish");
    await this.sees(title);
  }

  /** Finds the service, takes its first free time, and gives what that is called. */
  async book(title: string): Promise<string> {
    await this.press("Find");
    await this.write("What are you looking for?", title);
    await this.page.getByText(`1 service for “${title}”`).waitFor();
    await this.press(title);
    await this.sees(title);
    const slot = this.page.locator(".slot").first();
    await slot.waitFor();
    const chosen = (await slot.getAttribute("aria-label")) ?? "";
    await this.press(chosen);
    await this.page.getByRole("dialog").waitFor();
    await this.page.keyboard.press("Enter");
    await this.sees("Your bookings");
    return chosen;
  }
}
