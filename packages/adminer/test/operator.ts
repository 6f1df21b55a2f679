// An operator at the page, as a browser would be: keeps its cookie, and sends the forms that it was shown.
import assert from "node:assert/strict";
import type { Hono } from "hono";
import { createAdminer } from "../src/app.ts";
import type { Configuration } from "../src/configuration.ts";

export const pageUser = { user: "admin", password: "a password" };

export function adminerFor(databaseUrl: string, change: Partial<Configuration> = {}): Hono {
  return createAdminer({ databaseUrl, pageUser, writable: false, statementTimeoutSeconds: 5, rowCap: 100, ...change });
}

export class Operator {
  readonly app: Hono;
  #cookie = "";

  constructor(app: Hono) {
    this.app = app;
  }

  async get(path: string): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await this.app.request(path, { headers: { cookie: this.#cookie } });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  async post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams(fields);
    const response = await this.app.request(path, {
      method: "POST",
      body,
      headers: { cookie: this.#cookie, ...headers },
    });
    const cookie = response.headers.get("set-cookie")?.split(";", 1)[0];
    if (cookie !== undefined) this.#cookie = cookie;
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  async signIn(user = pageUser.user, password = pageUser.password): Promise<this> {
    const answer = await this.post("/login", { user, password });
    assert.equal(answer.status, 303, answer.text);
    return this;
  }

  /** The token in the forms of this session. */
  async token(): Promise<string> {
    const { text } = await this.get("/query");
    return /name="token"[^>]*value="([^"]+)"/.exec(text)?.[1] ?? "";
  }

  async query(text: string, path = "/query"): Promise<{ status: number; text: string; headers: Headers }> {
    return this.post(path, { text, token: await this.token() });
  }
}
