import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Customer, emptyTally, type Tally } from "./customer.ts";
import type { Door } from "./wire.ts";

/** What became of one scenario. */
export interface Row extends Tally {
  readonly scenario: string;
  readonly lost: number;
  readonly doubled: number;
}

/** No scenario sends more, however long it takes: rounds of about six requests, each customer. */
const mostRounds = 2_000;

/** People who use the system while something is done to it. */
export class Load {
  readonly #customers: readonly Customer[];
  readonly rows: Row[] = [];

  private constructor(customers: readonly Customer[]) {
    this.#customers = customers;
  }

  static async begin(door: Door, size: number): Promise<Load> {
    const customers = Array.from({ length: size }, () => new Customer(door));
    // One after the other: hashing passwords is meant to be work.
    for (const customer of customers) await customer.begin();
    return new Load(customers);
  }

  get tokens(): string[] {
    return this.#customers.map(({ token }) => token);
  }

  /** Everybody gets a new token. */
  async signIn(): Promise<void> {
    for (const customer of this.#customers) await customer.signIn();
  }

  /** Does something under load; afterwards no request may have failed, and every booking must be as its owner was told. */
  async during(scenario: string, act: () => Promise<unknown>): Promise<void> {
    const stop = new AbortController();
    const tally = emptyTally();
    const rounds = this.#customers.map((customer) => customer.run(stop.signal, tally, mostRounds));
    // What is done is seen by people who are in the midst of it, before and after.
    const served = async () => {
      const { requests } = tally;
      for (let turn = 0; tally.requests < requests + 40; turn += 1) {
        assert.ok(turn < 3_000, "the load stands still");
        await delay(10);
      }
    };
    let thrown: unknown;
    try {
      await served();
      await act();
      await served();
    } catch (error) {
      thrown = error;
    }
    stop.abort();
    await Promise.all(rounds);
    const checked = await this.#check();
    const row = { scenario, ...tally, ...checked };
    this.rows.push(row);
    if (thrown) throw thrown;
    const { failures, lost, doubled } = row;
    assert.deepEqual({ failures, lost, doubled }, { failures: [], lost: 0, doubled: 0 }, scenario);
  }

  /** A line a scenario. */
  table(): string[] {
    const cells = this.rows.map(({ scenario, requests, failures, booked, moved, cancelled, lost, doubled, slowest }) =>
      [scenario, requests, failures.length, booked, moved, cancelled, lost, doubled, Math.round(slowest)].map(String),
    );
    const head = ["scenario", "requests", "failed", "booked", "moved", "cancelled", "lost", "doubled", "slowest ms"];
    const widths = head.map((word, index) =>
      Math.max(...[head, ...cells].map((row) => row[index]?.length ?? 0), word.length),
    );
    return [head, ...cells].map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }

  close(): void {
    for (const customer of this.#customers) customer.close();
  }

  /** Compares what the API tells with what was acknowledged. */
  async #check(): Promise<{ lost: number; doubled: number }> {
    let [lost, doubled] = [0, 0];
    for (const customer of this.#customers) {
      const there = new Map((await customer.bookings()).map((booking) => [booking.id, booking]));
      for (const [id, held] of customer.ledger) {
        if (customer.unknown.has(id)) continue;
        const found = there.get(id);
        if (found?.start !== held.start || found.state !== held.state) lost += 1;
      }
      for (const { id, start } of there.values())
        if (!customer.ledger.has(id) && !customer.unknown.has(start)) doubled += 1;
    }
    return { lost, doubled };
  }
}
