// The services behind this page, and who is signed in. The access token lives in memory only; the refresh token in a cookie that no script can read.
import type { Booking, OpeningHours, Page, Service, ServiceInput, User } from "@bookmeup/contract/values";

export type { Booking, OpeningHours, Page, Service, ServiceInput, User };

export interface Slot {
  readonly start: string;
  readonly end: string;
}
export interface Slots {
  readonly timeZone: string;
  readonly slots: readonly Slot[];
}

/** An answer that is not the one hoped for. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

interface Session {
  readonly token: string;
  readonly expires: number;
  readonly user: User;
}
interface Tokens {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly user: User;
}

const mark = "bookmeup-signed-in";
let session: Session | undefined;
const listeners = new Set<() => void>();

/** Calls back whenever someone signs in or out, or changes their name. */
export function onSession(listener: () => void): void {
  listeners.add(listener);
}

export function currentUser(): User | undefined {
  return session?.user;
}

function setSession(next: Session | undefined): void {
  session = next;
  if (next) localStorage.setItem(mark, "yes");
  else localStorage.removeItem(mark);
  for (const listener of listeners) listener();
}

async function send<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  let response: Response;
  try {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    response = await fetch(path, {
      method,
      headers: {
        ...repeatable(method),
        ...headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...json,
    });
  } catch {
    throw new Refused(0, "OFFLINE", "The service cannot be reached. Check the connection and try again.");
  }
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const error = (answer as { error?: { code: string; message: string; field?: string } } | undefined)?.error;
  throw new Refused(
    response.status,
    error?.code ?? "FAILED",
    error?.message ?? `The service answered ${response.status}`,
    error?.field,
  );
}

function keep({ accessToken, expiresIn, user }: Tokens): void {
  setSession({ token: accessToken, expires: Date.now() + expiresIn * 1000, user });
}

let refreshing: Promise<void> | undefined;

async function refreshNow(): Promise<void> {
  try {
    keep(await send<Tokens>("POST", "/auth/refresh"));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) setSession(undefined);
    throw error;
  }
}

/** Takes the cookie for a new access token; one tab at a time, where the browser has locks. */
function refresh(): Promise<void> {
  const locked = () => (navigator.locks ? navigator.locks.request("bookmeup-refresh", refreshNow) : refreshNow());
  refreshing ??= locked().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

/** Signs in again whoever was signed in when the page was left. */
export async function restoreSession(): Promise<void> {
  if (localStorage.getItem(mark)) await refresh().catch(() => undefined);
  addEventListener("storage", (event) => {
    if (event.key === mark && event.newValue === null && session) setSession(undefined);
  });
}

/** A request in the name of whoever is signed in; renews the access token when it is about to expire, or has. */
async function signed<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  if (session && session.expires - Date.now() < 20_000) await refresh();
  const attempt = () =>
    send<T>(method, path, body, { ...headers, ...(session ? { authorization: `Bearer ${session.token}` } : {}) });
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401 || !session) throw error;
    await refresh();
    return attempt();
  }
}

/** A key for something that is to be created once, however often it is sent. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
const once = (key: string) => ({ "idempotency-key": key });
/** What creates nothing may be sent again as well: the key says so to whatever is on the way, should a program end in the midst of an answer. */
const repeatable = (method: string) => (method === "POST" || method === "PATCH" ? once(newKey()) : {});
const query = (values: Record<string, string | undefined>) => {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) words.set(name, value);
  return words.size > 0 ? `?${words.toString()}` : "";
};

export async function signIn(email: string, password: string): Promise<void> {
  keep(await send<Tokens>("POST", "/auth/login", { email, password, session: "cookie" }));
}
export async function register(person: { name: string; email: string; password: string }, key: string): Promise<void> {
  await send("POST", "/auth/register", person, once(key));
  await signIn(person.email, person.password);
}
export async function signOut(): Promise<void> {
  await send("POST", "/auth/logout");
  setSession(undefined);
}

export const services = {
  search: (search: string, after?: string) =>
    send<Page<Service>>("GET", `/services${query({ search, after, limit: "20" })}`),
  get: (id: string) => send<Service>("GET", `/services/${id}`),
  slots: (id: string, from: string, to: string) => send<Slots>("GET", `/services/${id}/slots${query({ from, to })}`),
  own: (after?: string) => signed<Page<Service>>("GET", `/profile/services${query({ after, limit: "100" })}`),
  publish: (input: ServiceInput, key: string) => signed<Service>("POST", "/services", input, once(key)),
  change: (id: string, input: ServiceInput) => signed<Service>("PATCH", `/services/${id}`, input),
  withdraw: (id: string) => signed<void>("DELETE", `/services/${id}`),
  bookings: (id: string, after?: string) =>
    signed<Page<Booking>>(
      "GET",
      `/services/${id}/bookings${query({ from: new Date().toISOString(), state: "booked", after })}`,
    ),
  cancelBooking: (id: string, booking: string) => signed<Booking>("DELETE", `/services/${id}/bookings/${booking}`),
};

export const bookings = {
  book: (service: string, start: string, key: string) =>
    signed<Booking>("POST", `/services/${service}/bookings`, { start }, once(key)),
  list: (when: "upcoming" | "past", after?: string) =>
    signed<Page<Booking>>("GET", `/profile/bookings${query({ when, after, limit: "50" })}`),
  get: (id: string) => signed<Booking>("GET", `/profile/bookings/${id}`),
  move: (id: string, start: string) => signed<Booking>("PATCH", `/profile/bookings/${id}`, { start }),
  cancel: (id: string) => signed<Booking>("DELETE", `/profile/bookings/${id}`),
};

export async function changeProfile(change: { name: string; phone: string }): Promise<void> {
  const user = await signed<User>("PATCH", "/profile", change);
  if (session) setSession({ ...session, user });
}
