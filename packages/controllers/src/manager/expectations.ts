import type { Clock } from "@dhow/base";

/** How long to wait for a watch that never tells (ExpectationsTimeout, pkg/controller/controller_utils.go). */
const timeout = 5 * 60_000;

interface Expectation {
  creations: number;
  readonly deletions: Set<string>;
  readonly since: number;
}

/**
 * What a controller has asked for and its watch has not shown yet. Until all of it has been seen, the controller must not count pods:
 * it would create or delete the same ones twice (pkg/controller/controller_utils.go, ControllerExpectations).
 */
export class Expectations {
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Expectation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(key: string, creations: number, deletions: readonly string[] = []): void {
    this.#byKey.set(key, { creations, deletions: new Set(deletions), since: this.#clock.now() });
  }

  /** A creation was seen, or is known not to have happened. */
  created(key: string): void {
    const expectation = this.#byKey.get(key);
    if (expectation && expectation.creations > 0) expectation.creations--;
  }

  /** The deletion of what has this uid was seen (a deletion timestamp is enough), or is known not to have happened. */
  deleted(key: string, uid: string): void {
    this.#byKey.get(key)?.deletions.delete(uid);
  }

  satisfied(key: string): boolean {
    const expectation = this.#byKey.get(key);
    if (!expectation) return true;
    if (expectation.creations <= 0 && expectation.deletions.size === 0) return true;
    return this.#clock.now() - expectation.since > timeout;
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }
}
