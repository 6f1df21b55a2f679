// Requests as a program sends them, and the people and services that the tests need.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { accessToken, createDataClient, signingKey } from "@bookmeup/contract";
import { SignJWT } from "jose/jwt/sign";
import { secret, type System } from "./fixture.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // The tests look at answers of every kind.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
}

export async function ask(url: string, { method, body, token, headers = {} }: Sent = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
}

export async function aPerson({ auth }: Pick<System, "auth">, name = "Pat"): Promise<Person> {
  const email = `${randomUUID()}@example.org`;
  const password = "correct horse battery";
  const registered = await ask(`${auth.url}/auth/register`, { body: { email, name, password } });
  assert.equal(registered.status, 201, JSON.stringify(registered.body));
  const { body } = await ask(`${auth.url}/auth/login`, { body: { email, password } });
  return { id: body.user.id, email, password, token: body.accessToken, refreshToken: body.refreshToken };
}

/** Access tokens of so many people, made without the work of hashing their passwords. */
export async function aCrowd({ db }: Pick<System, "db">, size: number): Promise<string[]> {
  const data = createDataClient({ url: db[0]?.url ?? "" });
  const key = signingKey(secret);
  return Promise.all(
    Array.from({ length: size }, async (_, index) => {
      const body = { email: `${randomUUID()}@example.org`, name: `Customer ${index}`, passwordHash: "none" };
      const user = await data.createUser({ body });
      return new SignJWT()
        .setProtectedHeader({ alg: accessToken.algorithm, kid: key.id })
        .setSubject(user.id)
        .setIssuer(accessToken.issuer)
        .setAudience(accessToken.audience)
        .setExpirationTime("5 min")
        .sign(key.secret);
    }),
  );
}

/** Open around the clock, so that tests need not look at the calendar. */
export const always = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].map((day) => ({
  day,
  from: "00:00",
  to: "24:00",
}));

export const haircut = {
  title: "Haircut",
  description: "Wash and cut",
  durationMinutes: 60,
  price: { amount: 4500, currency: "CHF" },
  timeZone: "Europe/Zurich",
  openingHours: always,
};

export async function aService(
  { logic }: Pick<System, "logic">,
  { token }: Person,
  change: object = {},
): Promise<{ id: string }> {
  const reply = await ask(`${logic[0]?.url}/services`, { body: { ...haircut, ...change }, token });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
}

/** A day some days from now. */
export const dayFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** The starts of a service's free slots on a day some days from now. */
export async function freeStarts({ logic }: Pick<System, "logic">, id: string, days = 3): Promise<string[]> {
  const reply = await ask(`${logic[0]?.url}/services/${id}/slots?date=${dayFromNow(days)}`);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body.slots.map((slot: { start: string }) => slot.start);
}
