import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Credentials } from "./database.ts";

const idleMilliseconds = 30 * 60_000;
const longestMilliseconds = 12 * 3_600_000;
const windowMilliseconds = 5 * 60_000;
const mostFailures = 10;

export interface Session {
  readonly id: string;
  readonly user: string;
  /** In each form, and compared when it comes back: a form of another site has none. */
  readonly formToken: string;
  /** The database's own, where there is no page user. */
  readonly credentials: Credentials | undefined;
  readonly started: number;
  seen: number;
}

/** Compares without telling by its time how much was right. */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Who is signed in, in memory: a restart signs everybody out. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #failures = new Map<string, { count: number; until: number }>();

  start(user: string, credentials: Credentials | undefined): Session {
    this.#forgetOld();
    const random = () => randomBytes(32).toString("base64url");
    const now = Date.now();
    const session = { id: random(), user, formToken: random(), credentials, started: now, seen: now };
    this.#sessions.set(session.id, session);
    return session;
  }

  find(id: string | undefined): Session | undefined {
    this.#forgetOld();
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (session) session.seen = Date.now();
    return session;
  }

  end(id: string): void {
    this.#sessions.delete(id);
  }

  /** Seconds until this address may try to sign in again, or undefined where it may now. */
  wait(address: string): number | undefined {
    const failures = this.#failures.get(address);
    if (!failures || failures.until < Date.now() || failures.count < mostFailures) return undefined;
    return Math.ceil((failures.until - Date.now()) / 1000);
  }

  fail(address: string): void {
    const now = Date.now();
    const failures = this.#failures.get(address);
    if (!failures || failures.until < now) this.#failures.set(address, { count: 1, until: now + windowMilliseconds });
    else failures.count += 1;
  }

  #forgetOld(): void {
    const now = Date.now();
    for (const { id, seen, started } of this.#sessions.values())
      if (now - seen > idleMilliseconds || now - started > longestMilliseconds) this.#sessions.delete(id);
    for (const [address, { until }] of this.#failures) if (until < now) this.#failures.delete(address);
  }
}
