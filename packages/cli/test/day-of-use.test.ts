import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Figures } from "./day/figures.ts";
import { useForADay } from "./day/day.ts";

const skip =
  process.getuid?.() === 0 ? false : "looks into the namespaces and firewall rules of the agent, which needs root";
/** A machine that does much else has its own time (milliseconds). */
const patience = 900_000;
const warm = 8;
const rounds = 24;

/** Objects that hold values and belong to nobody in particular. */
const plain = /: objects: (Object|Array|Map|Set|Date|Uint8Array|ArrayBuffer|Promise|Function|WeakRef)$/;

/**
 * What may differ between two moments at which nothing is under way. Whoever leaks one thing a round has as many more of it as there were
 * rounds, and most figures may grow by half as many. The others have their own measure, with what it stands for.
 */
function allowance(name: string): number {
  const between = rounds - warm;
  // What runs round in a circle takes all it can get; a collection of garbage in the second that was looked at takes a few percent.
  if (name.endsWith("processor at rest, %")) return 20;
  // A Pod as the API server keeps it is a hundred objects, and with its text 20 KiB.
  if (plain.test(name)) return 60 * between;
  if (name.endsWith("heap, KiB")) return 16 * between;
  // What counting the objects takes stays with the process; `npm run day` measures without.
  if (name.endsWith("memory (PSS), MiB")) return Number.POSITIVE_INFINITY;
  // Pages are given back only when there are many, and the log beside the store has a fixed size once it was reached.
  if (name === "database, KiB" || name === "database's log, KiB") return 4096;
  // Node keeps the empty list of a timer that was cancelled until it would have been due.
  if (name.endsWith(": TimersList")) return Number.POSITIVE_INFINITY;
  return between / 2;
}

describe("a day of use", { skip, timeout: patience }, () => {
  test(
    `between ${warm} and ${rounds} rounds of edits, rollouts, scales, Jobs, namespaces and readers nothing becomes more`,
    { timeout: patience },
    async () => {
      const [before, after] = (await useForADay({ looks: [warm, rounds], classes: true })) as [Figures, Figures];
      const more = [...after].filter(([name, value]) => value - (before.get(name) ?? 0) > allowance(name));
      assert.deepEqual(
        more.map(([name, value]) => `${name}: ${before.get(name) ?? 0} → ${value}`),
        [],
      );
      // The figures are of something: what a round makes is among them.
      for (const name of [
        "rows: pods",
        "rows: replicasets.apps",
        "control-plane: objects: texts of objects of the API",
        "agent: objects: PodWorker",
      ])
        assert.ok((after.get(name) ?? 0) > 0, name);
    },
  );
});
