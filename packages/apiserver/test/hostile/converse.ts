import { rawExchange, type RawAnswer, rawRequest } from "@dhow/testkit";
import { steady } from "../steady.ts";
import type { RawServer } from "./real-server.ts";
import type { HostileRequest } from "./request.ts";
import { requests } from "./requests.ts";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly warnings: string;
  readonly body: unknown;
}

/** More of a text says no more. */
const longest = 600;

/** Sends one request after the other into a namespace that is made for it, and removed at the end. */
export async function converse(server: RawServer): Promise<Record<string, Answer>> {
  await send(server, { why: "", method: "POST", path: "/api/v1/namespaces", body: '{"metadata":{"name":"hostile"}}' });
  const answers: Record<string, Answer> = {};
  for (const request of requests) answers[request.why] = answerOf(await send(server, request));
  await send(server, { why: "", method: "DELETE", path: "/api/v1/namespaces/hostile" });
  return answers;
}

export async function send(server: RawServer, request: HostileRequest): Promise<RawAnswer> {
  const proof = request.anonymous ? [] : [["Authorization", `Bearer ${server.token}`] as const];
  const headers = [["User-Agent", "hostile/1"] as const, ...proof, ...(request.headers ?? [])];
  return await rawExchange(await server.dial(), rawRequest({ ...request, headers }));
}

function answerOf({ body, headers, status }: RawAnswer): Answer {
  const type = headers["content-type"] ?? "";
  return { status, type, warnings: headers["warning"] ?? "", body: shortened(steady(parsed(type, body))) };
}

function parsed(type: string, body: string): unknown {
  if (!type.startsWith("application/json") || body === "") return body;
  try {
    const value = JSON.parse(body) as Record<string, unknown>;
    // What else is in a namespace is another matter.
    if (value["items"]) return { kind: value["kind"] };
    return body.length > 20_000 && value["kind"] !== "Status" ? { fields: Object.keys(value) } : value;
  } catch {
    return body;
  }
}

function shortened(value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, longest);
  if (Array.isArray(value)) return value.slice(0, 20).map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name.slice(0, longest), shortened(field)]));
}
