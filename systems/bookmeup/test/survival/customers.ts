// People who book, and who remember what they were told.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ask, dayFromNow, haircut, type Reply } from "../people.ts";

const password = "correct horse battery";

/** How long somebody tries the same request until it is answered (milliseconds). */
const patience = 180_000;

/** A booking that was acknowledged: its state as last told. */
interface Booked {
  readonly start: string;
  state: "booked" | "cancelled";
}

/** Books a service of their own from hour to hour, and cancels some of it; sends a request that nobody answered again, with the same key, until it is. */
export class Customer {
  /** By id. */
  readonly booked = new Map<string, Booked>();
  /** What was not answered as it should have been. */
  readonly faults: string[] = [];
  /** Requests that were sent again. */
  repeated = 0;
  answered = 0;
  readonly #url: string;
  readonly #email: string;
  #token: string;
  readonly #service: string;
  #stopped = false;
  #gone = false;
  #running: Promise<void> | undefined;

  private constructor(url: string, email: string, token: string, service: string) {
    this.#url = url;
    this.#email = email;
    this.#token = token;
    this.#service = service;
  }

  static async register(url: string): Promise<Customer> {
    const email = `${randomUUID()}@example.org`;
    const { status, body } = await ask(`${url}/auth/register`, { body: { email, name: "Casey", password } });
    assert.equal(status, 201, JSON.stringify(body));
    const token = await signIn(url, email);
    const offered = { ...haircut, timeZone: "UTC" };
    const service = await ask(`${url}/services`, { body: offered, token });
    assert.equal(service.status, 201, JSON.stringify(service.body));
    return new Customer(url, email, token, service.body.id);
  }

  start(): void {
    this.#running = this.#book();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Stops without insisting on an answer: the system is not there any more. */
  async leave(): Promise<void> {
    this.#gone = true;
    await this.stop();
  }

  /** Resolves when another request of theirs has been answered. */
  async isServed(): Promise<void> {
    const before = this.answered;
    for (const end = Date.now() + patience; this.answered === before;) {
      if (Date.now() > end) throw new Error(`nobody serves ${this.#email}: ${this.faults.at(-1)}`);
      await pause(20);
    }
  }

  /** Compares what their profile shows with what they were told: what is lost, what is there twice, what is not in its last state. */
  async compare(): Promise<{ lost: string[]; doubled: string[] }> {
    const there = new Map<string, Booked>();
    const starts: string[] = [];
    for (let after = ""; ;) {
      const path = `/profile/bookings?limit=50${after && `&after=${after}`}`;
      const { body } = await this.#insist("GET", path);
      for (const { id, start, state } of body.items) {
        there.set(id, { start, state });
        if (state === "booked") starts.push(start);
      }
      if (!body.next) break;
      after = body.next;
    }
    const lost = [...this.booked].filter(
      ([id, { start, state }]) => there.get(id)?.start !== start || there.get(id)?.state !== state,
    );
    const unknown = [...there].filter(([id]) => !this.booked.has(id));
    return {
      lost: lost.map(([id, told]) => `${id}: told ${JSON.stringify(told)}, there is ${JSON.stringify(there.get(id))}`),
      doubled: [
        ...starts.filter((start, index) => starts.indexOf(start) !== index),
        ...unknown.map(([id]) => `${id} was never told`),
      ],
    };
  }

  async #book(): Promise<void> {
    for (let hour = 0; !this.#stopped; hour++) {
      const start = `${dayFromNow(3 + Math.floor(hour / 24))}T${String(hour % 24).padStart(2, "0")}:00:00.000Z`;
      const { status, body } = await this.#insist("POST", `/services/${this.#service}/bookings`, { start });
      if (status !== 201) {
        this.faults.push(`booking ${start}: ${status} ${JSON.stringify(body)}`);
        continue;
      }
      this.booked.set(body.id, { start, state: "booked" });
      if (hour % 4 === 3) {
        const cancelled = await this.#insist("DELETE", `/profile/bookings/${body.id}`);
        if (cancelled.body.state === "cancelled") this.booked.set(body.id, { start, state: "cancelled" });
        else this.faults.push(`cancelling ${start}: ${cancelled.status} ${JSON.stringify(cancelled.body)}`);
      }
      await pause(20);
    }
  }

  /** Sends it until somebody answers; what comes in between is what a killed system may give: no connection, or 5xx. */
  async #insist(method: string, path: string, body?: unknown): Promise<Reply> {
    const headers = { "idempotency-key": randomUUID() };
    for (const end = Date.now() + patience; ;) {
      const sent = { method, headers, token: this.#token, ...(body === undefined ? {} : { body }) };
      const reply = await ask(`${this.#url}${path}`, sent).catch(() => undefined);
      if (reply && reply.status < 500 && reply.status !== 401) {
        this.answered += 1;
        return reply;
      }
      if (this.#gone || Date.now() > end)
        throw new Error(`${method} ${path}: ${reply?.status} ${JSON.stringify(reply?.body)}`);
      if (reply?.status === 401) this.#token = await signIn(this.#url, this.#email).catch(() => this.#token);
      this.repeated += 1;
      await pause(50);
    }
  }
}

async function signIn(url: string, email: string): Promise<string> {
  const { status, body } = await ask(`${url}/auth/login`, { body: { email, password } });
  assert.equal(status, 200, JSON.stringify(body));
  return body.accessToken;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
