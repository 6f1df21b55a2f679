import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { startPostgres, type TestPostgres } from "@dhow/testkit";
import { startSystem, type System } from "./fixture.ts";
import { aCrowd, aPerson, aService, ask, freeStarts, haircut, type Person } from "./people.ts";

describe("services and bookings", () => {
  let postgres: TestPostgres;
  let system: System;
  let provider: Person;
  let customer: Person;
  const logic = (path: string, replica = 0) => `${system.logic[replica]?.url}${path}`;
  const book = (id: string, start: string, person = customer, headers = {}) =>
    ask(logic(`/services/${id}/bookings`), { body: { start }, token: person.token, headers });

  before(async () => {
    postgres = await startPostgres();
    system = await startSystem(postgres.url());
    [provider, customer] = await Promise.all([aPerson(system, "Paula Provider"), aPerson(system, "Carl Customer")]);
  });
  after(async () => {
    await system[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });

  it("sells a slot once to 200 customers who race for it at two replicas", async () => {
    const { id } = await aService(system, provider);
    const [start = ""] = await freeStarts(system, id);
    const crowd = await aCrowd(system, 200);
    const statuses = await Promise.all(
      crowd.map(async (token, index) => {
        const reply = await ask(logic(`/services/${id}/bookings`, index % 2), {
          body: { start },
          token,
        });
        return `${reply.status} ${reply.body.error?.code ?? "booked"}`;
      }),
    );
    assert.deepEqual(
      {
        booked: statuses.filter((one) => one === "201 booked").length,
        taken: statuses.filter((one) => one === "409 SLOT_TAKEN").length,
      },
      { booked: 1, taken: 199 },
    );
    assert.ok(!(await freeStarts(system, id)).includes(start));
  });

  it("books, moves and cancels, and gives the old slot back", async () => {
    const { id } = await aService(system, provider, { title: "Massage" });
    const [first = "", second = "", third = ""] = await freeStarts(system, id);
    const booked = await book(id, first);
    assert.equal(booked.status, 201);
    const own = logic(`/profile/bookings/${booked.body.id}`);
    assert.equal(booked.headers.get("location"), `/profile/bookings/${booked.body.id}`);

    const moved = await ask(own, { method: "PATCH", body: { start: second }, token: customer.token });
    assert.deepEqual([moved.status, moved.body.start], [200, second]);
    assert.equal((await book(id, second)).status, 409);
    assert.equal((await book(id, first)).status, 201);
    const onto = await ask(own, { method: "PATCH", body: { start: first }, token: customer.token });
    assert.deepEqual([onto.status, onto.body.error.code], [409, "SLOT_TAKEN"]);

    for (const time of ["once", "twice"]) {
      const cancelled = await ask(own, { method: "DELETE", token: customer.token });
      assert.deepEqual([cancelled.status, cancelled.body.state], [200, "cancelled"], time);
    }
    assert.equal((await book(id, second)).status, 201);
    const again = await ask(own, { method: "PATCH", body: { start: third }, token: customer.token });
    assert.deepEqual([again.status, again.body.error.code], [409, "CANCELLED"]);
  });

  it("refuses what is no slot, what has passed, and what does not exist", async () => {
    const { id } = await aService(system, provider);
    const [start = ""] = await freeStarts(system, id);
    const crooked = await book(id, new Date(Date.parse(start) + 60_000).toISOString());
    assert.deepEqual([crooked.status, crooked.body.error.code, crooked.body.error.field], [422, "NOT_A_SLOT", "start"]);
    const hour = 3_600_000;
    const past = await book(id, new Date(Math.floor((Date.now() - 24 * hour) / hour) * hour).toISOString());
    assert.deepEqual([past.status, past.body.error.code], [422, "PAST"]);
    assert.equal((await book(randomUUID(), start)).status, 404);
    assert.equal((await book("nonsense", start)).status, 404);
    const wrong = await book(id, "tomorrow");
    assert.deepEqual([wrong.status, wrong.body.error.field], [400, "start"]);
  });

  it("gives the same answer to the same Idempotency-Key, whichever replica is asked, and refuses it for something else", async () => {
    const { id } = await aService(system, provider);
    const [first = "", second = ""] = await freeStarts(system, id);
    const key = { "Idempotency-Key": randomUUID() };
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        ask(logic(`/services/${id}/bookings`, index % 2), {
          body: { start: first },
          token: customer.token,
          headers: key,
        }),
      ),
    );
    assert.deepEqual(
      replies.map((reply) => [reply.status, reply.body.id]),
      replies.map(() => [201, replies[0]?.body.id]),
    );
    const other = await book(id, second, customer, key);
    assert.deepEqual([other.status, other.body.error.field], [422, "Idempotency-Key"]);
    assert.equal((await book(id, second, provider, key)).status, 201, "a key is its owner's");
    const bad = await book(id, second, customer, { "Idempotency-Key": "with space" });
    assert.deepEqual([bad.status, bad.body.error.field], [400, "Idempotency-Key"]);
  });

  it("does not keep a refusal: after the slot is free again, the same key books it", async () => {
    const { id } = await aService(system, provider);
    const [start = ""] = await freeStarts(system, id);
    const winner = await book(id, start, provider);
    const key = { "Idempotency-Key": randomUUID() };
    assert.equal((await book(id, start, customer, key)).status, 409);
    await ask(logic(`/profile/bookings/${winner.body.id}`), { method: "DELETE", token: provider.token });
    assert.equal((await book(id, start, customer, key)).status, 201);
  });

  it("lets the provider see and cancel bookings, and nobody else", async () => {
    const { id } = await aService(system, provider);
    const [start = ""] = await freeStarts(system, id);
    const { body: booking } = await book(id, start);
    const seen = await ask(logic(`/services/${id}/bookings`), { token: provider.token });
    assert.deepEqual([seen.status, seen.body.items[0].customer.email], [200, customer.email]);
    assert.equal((await ask(logic(`/services/${id}/bookings`), { token: customer.token })).status, 403);
    assert.equal((await ask(logic(`/profile/bookings/${booking.id}`), { token: provider.token })).status, 404);
    assert.equal(
      (await ask(logic(`/services/${id}/bookings/${booking.id}`), { method: "DELETE", token: customer.token })).status,
      403,
    );
    const cancelled = await ask(logic(`/services/${id}/bookings/${booking.id}`), {
      method: "DELETE",
      token: provider.token,
    });
    assert.equal(cancelled.body.state, "cancelled");
  });

  it("changes and withdraws a service for its provider only", async () => {
    const { id } = await aService(system, provider, { title: "Piano lesson" });
    const change = { title: "Organ lesson" };
    assert.equal(
      (await ask(logic(`/services/${id}`), { method: "PATCH", body: change, token: customer.token })).status,
      403,
    );
    assert.equal((await ask(logic(`/services/${id}`), { method: "PATCH", body: change })).status, 401);
    const changed = await ask(logic(`/services/${id}`), { method: "PATCH", body: change, token: provider.token });
    assert.deepEqual([changed.body.title, changed.body.description], ["Organ lesson", haircut.description]);
    const [start = ""] = await freeStarts(system, id);
    assert.equal((await ask(logic(`/services/${id}`), { method: "DELETE", token: provider.token })).status, 204);
    assert.deepEqual(await freeStarts(system, id), []);
    assert.equal((await book(id, start)).status, 409);
    const found = await ask(logic("/services?search=organ"));
    assert.deepEqual(found.body.items, []);
  });

  it("searches by every word, takes wildcards literally, and pages", async () => {
    for (let index = 0; index < 5; index += 1) await aService(system, provider, { title: `Yoga 100% ${index}` });
    const search = async (words: string) =>
      (await ask(logic(`/services?search=${encodeURIComponent(words)}`))).body.items.map(
        (one: { title: string }) => one.title,
      );
    assert.equal((await search("paula yoga")).length, 5);
    assert.deepEqual(await search("yoga 100% 3"), ["Yoga 100% 3"]);
    assert.deepEqual(await search("yoga_100"), []);
    const seen: string[] = [];
    for (let next: string | undefined = ""; next !== undefined;) {
      const { body } = await ask(logic(`/services?search=yoga&limit=2${next && `&after=${next}`}`));
      seen.push(...body.items.map((one: { title: string }) => one.title));
      next = body.next;
    }
    assert.deepEqual(
      seen,
      [4, 3, 2, 1, 0].map((index) => `Yoga 100% ${index}`),
    );
    assert.equal((await ask(logic("/services?after=nonsense"))).status, 400);
  });

  it("names the field that is wrong when a service is published", async () => {
    const wrong: [object, string][] = [
      [{ title: " " }, "title"],
      [{ durationMinutes: 1 }, "durationMinutes"],
      [{ price: { amount: -1, currency: "CHF" } }, "price.amount"],
      [{ price: { amount: 1, currency: "francs" } }, "price.currency"],
      [{ timeZone: "Europe/Nowhere" }, "timeZone"],
      [{ openingHours: [] }, "openingHours"],
      [{ openingHours: [{ day: "monday", from: "17:00", to: "09:00" }] }, "openingHours.0.to"],
      [
        { openingHours: [...haircut.openingHours, { day: "monday", from: "10:00", to: "11:00" }] },
        "openingHours.7.from",
      ],
      [{ colour: "red" }, "colour"],
    ];
    for (const [change, field] of wrong) {
      const reply = await ask(logic("/services"), { body: { ...haircut, ...change }, token: provider.token });
      assert.deepEqual([reply.status, reply.body.error.field], [400, field], JSON.stringify(reply.body));
    }
    const noJson = await ask(logic("/services"), { body: "{", token: provider.token });
    assert.deepEqual([noJson.status, noJson.body.error.code], [400, "INVALID_JSON"]);
    const large = await ask(logic("/services"), {
      body: { ...haircut, description: "x".repeat(70_000) },
      token: provider.token,
    });
    assert.equal(large.status, 413);
  });

  it("shows and changes the profile, and only its own bookings", async () => {
    const person = await aPerson(system, "Nora");
    const { id } = await aService(system, provider);
    const [start = ""] = await freeStarts(system, id);
    await book(id, start, person);
    const profile = await ask(logic("/profile"), {
      method: "PATCH",
      body: { phone: "+41 44 000 00 00" },
      token: person.token,
    });
    assert.deepEqual([profile.body.name, profile.body.phone], ["Nora", "+41 44 000 00 00"]);
    const upcoming = await ask(logic("/profile/bookings?when=upcoming"), { token: person.token });
    assert.deepEqual(
      upcoming.body.items.map((one: { start: string; provider: { name: string } }) => [one.start, one.provider.name]),
      [[start, "Paula Provider"]],
    );
    assert.deepEqual((await ask(logic("/profile/bookings?when=past"), { token: person.token })).body.items, []);
    assert.equal((await ask(logic("/profile"))).status, 401);
    assert.deepEqual((await ask(logic("/profile/services"), { token: person.token })).body.items, []);
  });
});
