import { builtInResources, type KubeObject } from "@dhow/kube";
import { type RawAnswer, rawExchange, rawRequest } from "@dhow/testkit";
import type { RawServer } from "../hostile/real-server.ts";
import { collectionOf } from "./cases.ts";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly body?: Uint8Array | string | undefined;
}

/** How long an answer may take (milliseconds); a log that is followed or a watch says nothing for longer, and both are not among the requests. */
const patience = 10_000;

export async function send(server: RawServer, { body, headers = [], method, path }: Sent): Promise<RawAnswer> {
  const proof = ["Authorization", `Bearer ${server.token}`] as const;
  const request = { method, path, headers: [proof, ...headers], ...(body === undefined ? {} : { body }) };
  return await rawExchange(await server.dial(), rawRequest(request), patience);
}

/** Reasons by status, as apimachinery/pkg/apis/meta/v1/types.go names them. */
const reasons: Readonly<Record<number, readonly string[]>> = {
  400: ["BadRequest"],
  401: ["Unauthorized"],
  403: ["Forbidden"],
  404: ["NotFound"],
  405: ["MethodNotAllowed"],
  406: ["NotAcceptable"],
  409: ["Conflict", "AlreadyExists"],
  410: ["Gone", "Expired"],
  413: ["RequestEntityTooLarge"],
  415: ["UnsupportedMediaType"],
  422: ["Invalid"],
  429: ["TooManyRequests"],
  503: ["ServiceUnavailable"],
  504: ["Timeout"],
};

/** What is wrong with an answer, whatever it answers; undefined where nothing is. */
export function faultOf(answer: RawAnswer, method: string): string | undefined {
  const { body, headers, status } = answer;
  if (status === 0) return "no answer";
  if (Object.values(headers).some((value) => /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)))
    return "a control character in a header";
  const type = headers["content-type"] ?? "";
  if (!type.startsWith("application/json")) return undefined;
  if (method === "HEAD") return body === "" ? undefined : "a body where there must be none";
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return "JSON that is none";
  }
  return status < 400 ? undefined : faultOfStatus(value, status);
}

function faultOfStatus(
  { code, kind, message, reason, status: outcome }: Record<string, unknown>,
  status: number,
): string | undefined {
  if (kind !== "Status" || outcome !== "Failure") return "a failure that is no Status";
  if (code !== status) return `code ${String(code)} under HTTP ${status}`;
  if (typeof message !== "string" || message === "") return "a failure without a message";
  const expected = reasons[status];
  if (expected && !expected.includes(String(reason))) return `reason ${String(reason)} under HTTP ${status}`;
  return undefined;
}

/** Every object of every kind by its path, as lists tell; throws where a list does not decode or one of its objects cannot be read. */
export async function everything(server: RawServer): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const info of builtInResources) {
    if (!info.verbs.includes("list") || !info.verbs.includes("create")) continue;
    const collection = collectionOf(info);
    const answer = await send(server, { method: "GET", path: collection });
    if (answer.status !== 200) throw new Error(`${collection}: ${answer.status} ${answer.body}`);
    for (const item of (JSON.parse(answer.body) as { items: KubeObject[] }).items) {
      const path = `${collection}/${encodeURIComponent(item.metadata.name ?? "")}`;
      const read = await send(server, { method: "GET", path });
      const object = JSON.parse(read.body) as KubeObject;
      if (read.status !== 200 || object.metadata.uid !== item.metadata.uid || object.kind !== info.kind)
        throw new Error(`${path} is in its list, and is answered with ${read.status} ${read.body.slice(0, 200)}`);
      all.set(path, `${object.metadata.uid} ${object.metadata.resourceVersion}`);
    }
  }
  return all;
}

/** Throws where a request has altered what all objects share. */
export function requireCleanPrototypes(): void {
  for (const prototype of [Object.prototype, Array.prototype, String.prototype, Function.prototype]) {
    const strange = Object.keys(prototype);
    if (strange.length > 0) throw new Error(`prototype pollution: ${strange.join(", ")}`);
  }
}

/** A request as a command line that sends the same bytes again. */
export function reproduction({ body, headers = [], method, path }: Sent): string {
  const words = [
    "curl",
    "-sk",
    "--path-as-is",
    "-X",
    method,
    ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
  ];
  const quoted = [...words, `$SERVER${path}`].map((word) =>
    /^[\w$:/.-]+$/.test(word) ? word : `$'${escaped(Buffer.from(word))}'`,
  );
  if (body === undefined) return quoted.join(" ");
  return `printf '%s' '${Buffer.from(body).toString("base64")}' | base64 -d | ${quoted.join(" ")} --data-binary @-`;
}

function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x27 || byte === 0x5c
      ? `\\x${byte.toString(16).padStart(2, "0")}`
      : String.fromCharCode(byte),
  ).join("");
}
