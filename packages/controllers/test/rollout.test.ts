import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  newReplicas,
  resolveRoom,
  type Room,
  scaleProportionally,
  type Share,
  shrinkOld,
  type Sized,
  total,
} from "../src/deployment/rollout.ts";

test("surge rounds up, unavailable rounds down, never both zero", () => {
  assert.deepEqual(resolveRoom(10, "25%", "25%"), { desired: 10, maxSurge: 3, maxUnavailable: 2 });
  assert.deepEqual(resolveRoom(2, "25%", "25%"), { desired: 2, maxSurge: 1, maxUnavailable: 0 });
  assert.deepEqual(resolveRoom(3, 0, 0), { desired: 3, maxSurge: 0, maxUnavailable: 1 });
  assert.deepEqual(resolveRoom(3, 0, "10%"), { desired: 3, maxSurge: 0, maxUnavailable: 1 });
});

const rooms = fc
  .record({
    desired: fc.integer({ min: 0, max: 60 }),
    surge: fc.oneof(
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
    ),
    unavailable: fc.oneof(
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
    ),
  })
  .map(({ desired, surge, unavailable }) => resolveRoom(desired, surge, unavailable));

const sized = (name: string) =>
  fc
    .record({ replicas: fc.integer({ min: 0, max: 40 }), broken: fc.integer({ min: 0, max: 40 }) })
    .map(({ replicas, broken }): Sized => ({ name, replicas, available: Math.max(replicas - broken, 0) }));

const worlds = fc
  .tuple(rooms, sized("new"), fc.array(sized("old"), { maxLength: 4 }))
  .map(([room, current, old]): [Room, Sized, Sized[]] => [
    room,
    current,
    old.map((set, i) => ({ ...set, name: `old-${i}` })),
  ]);

test("one step never exceeds desired + surge by its own doing, and never goes below what must be available", () => {
  fc.assert(
    fc.property(worlds, ([room, current, old]) => {
      const grown = newReplicas(room, current, old);
      assert.ok(grown >= 0 && (grown <= room.desired || grown === current.replicas));
      if (grown > current.replicas) assert.ok(total(old) + grown <= room.desired + room.maxSurge);

      const sizes = shrinkOld(room, current, old);
      const minAvailable = room.desired - room.maxUnavailable;
      const availableBefore = [...old, current].reduce((sum, set) => sum + set.available, 0);
      let availableAfter = current.available;
      for (const set of old) {
        const size = sizes.get(set.name) ?? set.replicas;
        assert.ok(size >= 0 && size <= set.replicas);
        availableAfter += Math.min(set.available, size);
      }
      assert.ok(availableAfter >= Math.min(minAvailable, availableBefore), "available pods went below the minimum");
    }),
  );
});

test("a rollout with healthy pods ends, and holds its limits at every step", () => {
  fc.assert(
    fc.property(rooms, fc.integer({ min: 0, max: 60 }), (room, before) => {
      let current: Sized = { name: "new", replicas: 0, available: 0 };
      let old: Sized = { name: "old", replicas: before, available: before };
      for (let step = 0; step < 500; step++) {
        if (current.replicas === room.desired && current.available === room.desired && old.replicas === 0) return;
        const grown = newReplicas(room, current, [old]);
        if (grown !== current.replicas)
          current = { ...current, replicas: grown, available: Math.min(current.available, grown) };
        else {
          const size = shrinkOld(room, current, [old]).get("old");
          if (size !== undefined) old = { ...old, replicas: size, available: Math.min(old.available, size) };
          else if (current.available < current.replicas) current = { ...current, available: current.available + 1 };
          else assert.fail(`stuck: ${JSON.stringify({ room, current, old })}`);
        }
        const highest = Math.max(room.desired + room.maxSurge, before);
        assert.ok(current.replicas + old.replicas <= highest);
        if (before >= room.desired) assert.ok(current.available + old.available >= room.desired - room.maxUnavailable);
      }
      assert.fail("no end");
    }),
  );
});

test("proportional scaling uses exactly the room there is", () => {
  const shares = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(rooms, shares, (room, replicas) => {
      const max = replicas.reduce((sum, n) => sum + n, 0);
      const sets = replicas.map((n, i): Share => ({
        name: `rs-${i}`,
        replicas: n,
        available: n,
        createdAt: `2026-01-0${i + 1}`,
        maxReplicas: max,
      }));
      const sizes = scaleProportionally(room, sets, max);
      const after = [...sizes.values()].reduce((sum, n) => sum + n, 0);
      const allowed = room.desired === 0 ? 0 : room.desired + room.maxSurge;
      for (const size of sizes.values()) assert.ok(size >= 0);
      if (max > 0) assert.equal(after, allowed);
    }),
  );
});

test("proportional scaling of the documentation's example", () => {
  const sets: Share[] = [
    { name: "old", replicas: 8, available: 8, createdAt: "2026-01-01", maxReplicas: 13 },
    { name: "new", replicas: 5, available: 0, createdAt: "2026-01-02", maxReplicas: 13 },
  ];
  const sizes = scaleProportionally({ desired: 15, maxSurge: 3, maxUnavailable: 2 }, sets, 13);
  assert.deepEqual(Object.fromEntries(sizes), { old: 11, new: 7 });
});
