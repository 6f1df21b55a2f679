import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { eventually, startPostgres, type TestPostgres } from "@dhow/testkit";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type Front, startFront } from "./front.ts";
import { startSystem, type System } from "./fixture.ts";
import { aPerson, aService, ask, freeStarts, type Person } from "./people.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const skip = existsSync(executablePath) ? false : `no browser at ${executablePath} (CHROMIUM names another)`;

// What is asked of the page itself, as text: this program has no types of a browser's.
const focusedText = 'document.activeElement?.textContent?.trim() ?? ""';
const focusedName = `(() => {
  const element = document.activeElement;
  return (element?.getAttribute("aria-label") || element?.labels?.[0]?.textContent || element?.textContent || "").trim();
})()`;
const measures = `(() => {
  const shown = [...document.querySelectorAll("button, input, select, textarea, .button")].filter((one) => one.offsetParent);
  const isNameless = (one) => !one.getAttribute("aria-label") && !one.labels?.length && !one.textContent?.trim();
  const isSmall = (one) => one.getBoundingClientRect().height < 40 || one.getBoundingClientRect().width < 40;
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    nameless: shown.filter(isNameless).map((one) => one.outerHTML),
    small: shown.filter(isSmall).map((one) => one.outerHTML),
  };
})()`;

describe("the web page", { skip }, () => {
  let postgres: TestPostgres;
  let system: System;
  let front: Front;
  let browser: Browser;
  let provider: Person;
  const faults: string[] = [];

  before(async () => {
    postgres = await startPostgres();
    system = await startSystem(postgres.url());
    front = await startFront({ "/auth": [system.auth.url], "/": system.logic.map((one) => one.url) });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    provider = await aPerson(system, "Paula Provider");
  });
  after(async () => {
    await browser.close();
    await front[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Zurich", ...options });
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      // What the services refuse is logged by the browser too; all else, a violated content policy included, is a fault of the page.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        faults.push(message.text());
    });
    return page;
  }

  async function register(page: Page, name: string): Promise<string> {
    const email = `${name.toLowerCase().replaceAll(" ", ".")}.${Math.random().toString(36).slice(2)}@example.org`;
    await page.goto(`${front.url}/#/register`);
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Register" }).click();
    await page.getByRole("link", { name: "Profile" }).waitFor();
    return email;
  }

  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

  it("lets a person publish, and another register on the way, book, move and cancel", async () => {
    const owner = await open();
    await register(owner, "Olga Owner");
    await owner.getByRole("link", { name: "BookMeUp" }).click();
    await owner.getByRole("link", { name: "Publish the first service" }).click();
    await owner.getByLabel("Title").fill("Cello lesson");
    await owner.getByLabel("Description").fill("For <b>everybody</b>");
    await owner.getByLabel("Duration").fill("45");
    await owner.getByLabel("Price").fill("59.90");
    await owner.getByLabel("Currency").selectOption("CHF");
    await owner.getByRole("button", { name: "Add a time on Saturday" }).click();
    await owner.getByRole("button", { name: "Publish" }).click();
    await heading(owner, "Cello lesson");

    const customer = await open();
    await customer.goto(front.url);
    await customer.getByLabel("What are you looking for?").fill("cello");
    await customer.getByRole("link", { name: "Cello lesson" }).click();
    await heading(customer, "Cello lesson");
    assert.ok(await customer.getByText("For <b>everybody</b>").isVisible());
    assert.ok(await customer.getByText("CHF 59.90").isVisible());
    await customer.locator(".slot").nth(3).click();
    await heading(customer, "Sign in");
    await customer.getByRole("link", { name: "Register" }).click();
    await customer.getByLabel("Name").fill("Carl Customer");
    await customer.getByLabel("E-mail address").fill(`carl.${Date.now()}@example.org`);
    await customer.getByLabel("Password").fill("correct horse battery");
    await customer.getByRole("button", { name: "Register" }).click();
    await heading(customer, "Cello lesson");
    const chosen = (await customer.locator(".slot").nth(3).getAttribute("aria-label")) ?? "";
    await customer.locator(".slot").nth(3).click();
    await customer.getByRole("dialog", { name: "Book Cello lesson?" }).getByRole("button", { name: "Book" }).click();
    await heading(customer, "Your bookings");
    assert.ok(await customer.getByText(chosen).first().isVisible(), chosen);

    await customer.getByRole("link", { name: "Move Cello lesson" }).click();
    await heading(customer, "Move Cello lesson");
    const other = (await customer.locator(".slot").nth(5).getAttribute("aria-label")) ?? "";
    await customer.locator(".slot").nth(5).click();
    await customer.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await heading(customer, "Your bookings");
    assert.ok(await customer.locator("time", { hasText: other }).isVisible(), other);

    await owner.reload();
    await owner.getByRole("heading", { name: "Carl Customer" }).waitFor();
    assert.ok(await owner.locator("time", { hasText: other }).isVisible(), "the provider sees it");

    await customer.getByRole("button", { name: "Cancel Cello lesson" }).click();
    await customer.getByRole("button", { name: "Cancel the booking" }).click();
    await customer.getByText("cancelled", { exact: true }).waitFor();
  });

  it("keeps who is signed in over a reload, through an expired token, until they sign out", async () => {
    const page = await open();
    const email = await register(page, "Rita Reload");
    await page.goto(`${front.url}/#/profile`);
    await page.reload();
    await heading(page, "Profile");
    assert.equal(await page.getByLabel("Name").inputValue(), "Rita Reload");
    await page.getByLabel("Phone").fill("+41 44 111 22 33");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();
    // An access token that is not taken any more is renewed without a word.
    let isRefused = false;
    await page.route("**/profile/bookings*", async (route) => {
      if (isRefused) return route.continue();
      isRefused = true;
      await route.fulfill({ status: 401, json: { error: { code: "TOKEN_EXPIRED", message: "expired" } } });
    });
    await page.getByRole("link", { name: "Bookings" }).click();
    await heading(page, "Your bookings");
    await page.getByText("You have booked nothing yet").waitFor();
    assert.ok(isRefused);

    await page.getByRole("link", { name: "Profile" }).click();
    assert.equal(await page.getByLabel("Phone").inputValue(), "+41 44 111 22 33");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await page.goto(`${front.url}/#/bookings`);
    await heading(page, "Sign in");
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password").fill("wrong password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: "E-mail address or password is wrong" }).waitFor();
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await heading(page, "Your bookings");
  });

  it("tells who was too late, and shows what is free then", async () => {
    const { id } = await aService(system, provider, { title: "Rare thing" });
    const page = await open();
    await register(page, "Lea Late");
    await page.goto(`${front.url}/#/services/${id}`);
    const slots = page.locator(".slot");
    await slots.first().waitFor();
    const count = await slots.count();
    await slots.first().click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    const [start = ""] = (await Promise.all([0, 1].map((days) => freeStarts(system, id, days)))).flat();
    assert.equal(
      (await ask(`${system.logic[0]?.url}/services/${id}/bookings`, { body: { start }, token: provider.token })).status,
      201,
    );
    await dialog.getByRole("button", { name: "Book" }).click();
    await dialog.getByText("This time has just been taken").waitFor();
    await page.keyboard.press("Escape");
    await eventually(async () => (await slots.count()) === count - 1);
  });

  it("can be used with the keyboard alone, and takes the focus along", async () => {
    await aService(system, provider, { title: "Keyboard class" });
    const page = await open();
    const focused = () => page.evaluate<string>(focusedText);
    /** Presses Tab until what has the focus says `text`; a person would do so too. */
    const tabTo = async (text: string) => {
      for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press("Tab");
        if ((await page.evaluate<string>(focusedName)) === text) return;
      }
      assert.fail(`Tab never came to ${text}`);
    };
    await page.goto(front.url);
    await page.locator(".card").first().waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to content");
    await tabTo("Sign in");
    await page.keyboard.press("Enter");
    await heading(page, "Sign in");
    assert.equal(await focused(), "Sign in", "the new view's heading has the focus");
    await tabTo("Register");
    await page.keyboard.press("Enter");
    await heading(page, "Register");
    await tabTo("Name");
    await page.keyboard.type("Kim Keys");
    await tabTo("E-mail address");
    await page.keyboard.type(`kim.${Date.now()}@example.org`);
    await tabTo("Password");
    await page.keyboard.type("short");
    await page.keyboard.press("Enter");
    await page.getByText("At least 8 characters").waitFor();
    assert.equal(await page.evaluate("document.activeElement.getAttribute('aria-invalid')"), "true");
    await page.keyboard.type(" but longer now");
    await page.keyboard.press("Enter");
    await heading(page, "Find a service");
    await tabTo("What are you looking for?");
    await page.keyboard.type("keyboard");
    await page.getByText("1 service for “keyboard”").waitFor();
    await tabTo("Keyboard class");
    await page.keyboard.press("Enter");
    await page.locator(".slot").first().waitFor();
    const label = (await page.locator(".slot").first().getAttribute("aria-label")) ?? "";
    await tabTo(label);
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "Book");
    const refreshed = page.waitForResponse((response) => response.url().includes("/slots"));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await (await refreshed).finished();
    await page.locator(".days:not([aria-busy]) .slot").first().waitFor();
    assert.equal(await page.evaluate<string>(focusedName), label, "the fresh list has the focus where it was");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await heading(page, "Your bookings");
    await tabTo("Cancel Keyboard class");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.getByText("cancelled", { exact: true }).waitFor();
  });

  it("fits a phone 360 pixels wide, with targets that a finger can hit and a name for every control", async () => {
    const { id } = await aService(system, provider, {
      title: "Wunderschöner-außergewöhnlich-langer-Titel-ohne-jedes-Leerzeichen-darin",
    });
    const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await register(page, "Fred Phone");
    await page.goto(`${front.url}/#/services/${id}`);
    await page.locator(".slot").first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Book" }).click();
    await heading(page, "Your bookings");
    for (const address of ["/", `/services/${id}`, "/bookings", "/offer", "/offer/new", "/profile", "/nowhere"]) {
      await page.goto(`${front.url}/#${address}`);
      await page.locator("main:not([aria-busy]) h1").waitFor();
      await page.waitForLoadState("networkidle");
      const found = await page.evaluate<object>(measures);
      assert.deepEqual({ address, ...found }, { address, overflow: 0, nameless: [], small: [] });
    }
  });

  it("shows times on the clock of the service, and the visitor's own beside it", async () => {
    const { id } = await aService(system, provider, { title: "Far away", timeZone: "Asia/Tokyo" });
    const page = await open({ timezoneId: "America/New_York", locale: "en-US" });
    await page.goto(`${front.url}/#/services/${id}`);
    const slot = page.locator(".slot").first();
    await slot.waitFor();
    assert.match((await slot.getAttribute("aria-label")) ?? "", /, \d+:00\s[AP]M, \d+:00\s[AP]M your time$/);
    assert.ok(await page.getByText("Tokyo time (GMT+9)").last().isVisible());
  });

  it("is sent with a policy that allows no inline script, and once only while it does not change", async () => {
    const page = await fetch(front.url);
    assert.match(page.headers.get("content-security-policy") ?? "", /script-src 'self';/);
    const html = await page.text();
    assert.ok(!/<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=/.test(html));
    const script = await fetch(`${front.url}/assets/main.ts`);
    assert.match(script.headers.get("content-type") ?? "", /text\/javascript/);
    const again = await fetch(`${front.url}/assets/main.ts`, {
      headers: { "if-none-match": script.headers.get("etag") ?? "" },
    });
    assert.equal(again.status, 304);
    for (const path of ["/assets/tsconfig.json", "/assets/..%2fpackage.json", "/assets/nothing.ts", "/metrics"])
      assert.equal((await fetch(front.url + path)).status, 404, path);
  });

  it("made no errors of its own meanwhile", () => {
    assert.deepEqual(faults, []);
  });
});
