import { randomUUID } from "node:crypto";
import { dayFromNow, haircut } from "../people.ts";
import { type Answer, Client, type Door, type Sent } from "./wire.ts";

/** What one person was told of a booking last. */
export interface Held {
  readonly service: string;
  readonly start: string;
  readonly state: "booked" | "cancelled";
}

/** What went over the wire in one scenario. */
export interface Tally {
  requests: number;
  booked: number;
  moved: number;
  cancelled: number;
  slowest: number;
  readonly failures: string[];
}

export const emptyTally = (): Tally => ({ requests: 0, booked: 0, moved: 0, cancelled: 0, slowest: 0, failures: [] });

const password = "correct horse battery";
const pause = () => new Promise((resolve) => setTimeout(resolve, 15));

/** Ends one round of a customer; the next one begins anew. */
class RoundFailed extends Error {}

/** A person who offers a service of their own and books it, so that every answer is known beforehand: any other one is a failure. */
export class Customer {
  readonly email = `${randomUUID()}@example.org`;
  readonly title = `Service ${randomUUID()}`;
  /** By the booking's id: all that was acknowledged. */
  readonly ledger = new Map<string, Held>();
  /** Starts of bookings, and ids of bookings to be changed, that were asked for and not acknowledged: it may have happened or not. */
  readonly unknown = new Set<string>();
  readonly #client: Client;
  #token = "";
  #service = "";
  #day = 3;
  #round = 0;
  #tally = emptyTally();

  constructor(door: Door) {
    this.#client = new Client(door);
  }

  get token(): string {
    return this.#token;
  }

  get service(): string {
    return this.#service;
  }

  /** Registers, signs in and publishes. */
  async begin(): Promise<void> {
    const person = { email: this.email, name: "Casey Customer", password };
    await this.#ask(201, { method: "POST", path: "/auth/register", body: person, key: randomUUID() });
    await this.signIn();
    const body = { ...haircut, title: this.title, durationMinutes: 5 };
    const service = await this.#ask(201, { method: "POST", path: "/services", body, key: randomUUID() });
    this.#service = service.body.id;
  }

  async signIn(): Promise<void> {
    const body = { email: this.email, password };
    const { body: session } = await this.#ask(200, { method: "POST", path: "/auth/login", body, key: randomUUID() });
    this.#token = session.accessToken;
  }

  /** Rounds until the signal says stop, `rounds` at most; what goes wrong is in the tally. */
  async run(signal: AbortSignal, tally: Tally, rounds: number): Promise<void> {
    this.#tally = tally;
    for (let left = rounds; left > 0 && !signal.aborted; left -= 1) {
      await this.#play().catch((error: unknown) => {
        if (!(error instanceof RoundFailed)) throw error;
      });
    }
  }

  /** All own bookings as the API tells them. */
  async bookings(): Promise<(Held & { id: string })[]> {
    const found: (Held & { id: string })[] = [];
    for (let after = ""; ;) {
      const path = `/profile/bookings?limit=100${after && `&after=${encodeURIComponent(after)}`}`;
      const { body } = await this.#ask(200, { method: "GET", path });
      for (const { id, service, start, state } of body.items) found.push({ id, service: service.id, start, state });
      if (!body.next) return found;
      after = body.next;
    }
  }

  close(): void {
    this.#client.close();
  }

  async #play(): Promise<void> {
    const round = (this.#round += 1);
    const found = await this.#ask(200, { method: "GET", path: `/services?search=${encodeURIComponent(this.title)}` });
    this.#expect(found.body.items?.[0]?.id === this.#service, "the search does not find the service");
    const [first = "", second = ""] = await this.#free();
    const id = await this.#book(first);
    const read = await this.#ask(200, { method: "GET", path: `/profile/bookings/${id}` });
    this.#expect(read.body.start === first && read.body.state === "booked", `a booking reads ${read.body.start}`);
    if (round % 3 === 0) await this.#move(id, second);
    if (round % 2 === 0) await this.#cancel(id);
    if (round % 6 === 0) await this.signIn();
    if (round % 5 === 0) await this.#ask(200, { method: "GET", path: "/" });
  }

  /** The free slots of a day; the next day once it is nearly sold. */
  async #free(): Promise<string[]> {
    const path = `/services/${this.#service}/slots?date=${dayFromNow(this.#day)}`;
    const { body } = await this.#ask(200, { method: "GET", path });
    const held = new Set([...this.ledger.values()].filter(({ state }) => state === "booked").map(({ start }) => start));
    const starts: string[] = body.slots.map((slot: { start: string }) => slot.start);
    this.#expect(!starts.some((start) => held.has(start)), "a slot is shown as free that was sold");
    if (starts.length < 10) this.#day += 1;
    return starts.filter((start) => !this.unknown.has(start));
  }

  async #book(start: string): Promise<string> {
    const path = `/services/${this.#service}/bookings`;
    this.unknown.add(start);
    const { body } = await this.#ask(201, { method: "POST", path, body: { start }, key: randomUUID() });
    this.unknown.delete(start);
    this.ledger.set(body.id, { service: this.#service, start, state: "booked" });
    this.#tally.booked += 1;
    return body.id;
  }

  async #move(id: string, start: string): Promise<void> {
    this.unknown.add(id).add(start);
    const path = `/profile/bookings/${id}`;
    await this.#ask(200, { method: "PATCH", path, body: { start }, key: randomUUID() });
    this.ledger.set(id, { service: this.#service, start, state: "booked" });
    for (const known of [id, start]) this.unknown.delete(known);
    this.#tally.moved += 1;
  }

  async #cancel(id: string): Promise<void> {
    this.unknown.add(id);
    const { body } = await this.#ask(200, { method: "DELETE", path: `/profile/bookings/${id}` });
    this.unknown.delete(id);
    this.ledger.set(id, { service: this.#service, start: body.start, state: "cancelled" });
    this.#tally.cancelled += 1;
  }

  #expect(holds: boolean, what: string): void {
    if (holds) return;
    this.#tally.failures.push(what);
    throw new RoundFailed(what);
  }

  async #ask(status: number, sent: Sent): Promise<Answer> {
    const what = `${sent.method} ${sent.path.replaceAll(/[0-9a-f-]{36}/g, "…")}`;
    const begin = performance.now();
    this.#tally.requests += 1;
    let wrong: string;
    try {
      const answer = await this.#client.send({ ...sent, token: this.#token || undefined });
      if (answer.status === status) return answer;
      wrong = `${answer.status} ${typeof answer.body === "string" ? answer.body.slice(0, 80) : JSON.stringify(answer.body)}`;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      wrong = code ?? message;
    } finally {
      this.#tally.slowest = Math.max(this.#tally.slowest, performance.now() - begin);
      await pause();
    }
    this.#tally.failures.push(`${new Date().toISOString().slice(11, 23)} ${what}: ${wrong}`);
    throw new RoundFailed(wrong);
  }
}
