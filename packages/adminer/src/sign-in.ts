import { clientAddress, incomingOf, log } from "@dhow/service";
import type { Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Configuration } from "./configuration.ts";
import { type Credentials, Database } from "./database.ts";
import { explain } from "./failures.ts";
import { isSame, type Sessions } from "./sessions.ts";
import { loginPage } from "./views/login.ts";

export const cookieName = "adminer_session";

/** Whether a form was sent by a page of this very address; browsers say so in Sec-Fetch-Site, older ones in Origin. */
export function isFromHere(context: Context): boolean {
  const site = context.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin" || site === "none";
  const origin = context.req.header("origin");
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === context.req.header("host");
}

interface Admission {
  /** What the session uses at the database; undefined stands for what is in the settings. */
  readonly credentials?: Credentials;
  readonly fault?: string;
}

/** Lets in the page's own user, or, where there is none, whoever the database lets in. */
async function admit(configuration: Configuration, given: Credentials): Promise<Admission> {
  const { pageUser } = configuration;
  if (pageUser) {
    const right = [isSame(given.user, pageUser.user), isSame(given.password, pageUser.password)];
    return right.every(Boolean) ? {} : { fault: "User or password is wrong." };
  }
  try {
    await new Database(configuration, given).check();
    return { credentials: given };
  } catch (error) {
    return { fault: explain(error).message };
  }
}

export function loginRoutes(app: Hono, configuration: Configuration, sessions: Sessions): void {
  const database = decodeURIComponent(new URL(configuration.databaseUrl).pathname.slice(1)) || "database";
  const ownUser = configuration.pageUser !== undefined;
  app.get("/login", (context) => {
    if (sessions.find(getCookie(context, cookieName))) return context.redirect("/", 303);
    return context.html(loginPage({ database, ownUser, user: configuration.pageUser?.user ?? "" }));
  });

  app.post("/login", async (context) => {
    const form = await context.req.parseBody();
    const text = (name: string) => (typeof form[name] === "string" ? form[name] : "");
    const given = { user: text("user"), password: text("password") };
    const incoming = incomingOf(context);
    const address = incoming ? clientAddress(incoming) : "";
    const again = (fault: string) => loginPage({ database, ownUser, user: given.user, fault });
    const wait = sessions.wait(address);
    if (wait !== undefined) {
      context.header("Retry-After", String(wait));
      return context.html(again(`Too many attempts. Try again in ${Math.ceil(wait / 60)} min.`), 429);
    }
    const { credentials, fault } = await admit(configuration, given);
    if (fault !== undefined) {
      sessions.fail(address);
      log.warn("sign-in refused", { user: given.user, ip: address });
      return context.html(again(fault), 401);
    }
    const session = sessions.start(given.user, credentials);
    log.info("signed in", { user: given.user, ip: address });
    const secure = context.req.header("x-forwarded-proto") === "https";
    setCookie(context, cookieName, session.id, { path: "/", httpOnly: true, sameSite: "Strict", secure });
    return context.redirect("/", 303);
  });
}
