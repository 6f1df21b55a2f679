import { groupResource, type HttpRequest, type HttpResponse, type KubeObject, resourceByKind } from "@dhow/kube";
import { type Case, namespace } from "./cases.ts";

/** Sends one request to a server, the real one or ours. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/** What a server said to a case, without what differs from time to time. */
export interface Answer {
  readonly code: number;
  readonly object?: unknown;
  readonly message?: string;
  readonly causes?: readonly string[];
  readonly warnings?: string;
}

const json = { "content-type": "application/json", accept: "application/json" };

export async function ask(send: Send, { object, stored: isStored, update }: Case): Promise<Answer> {
  const info = resourceByKind(object.apiVersion, object.kind);
  if (!info) throw new Error(`no resource for ${object.apiVersion} ${object.kind}`);
  const base = info.group === "" ? "/api/v1" : `/apis/${object.apiVersion}`;
  const place = `${base}${info.namespaced ? `/namespaces/${namespace}` : ""}/${info.resource}`;
  const one = `${place}/${object.metadata.name}`;
  if (!update && !isStored)
    return answerOf(
      await send({ method: "POST", path: `${place}?dryRun=All`, headers: json, body: JSON.stringify(object) }),
    );
  const created = await send({ method: "POST", path: place, headers: json, body: JSON.stringify(object) });
  if (created.status !== 201 && !update) return answerOf(created);
  if (created.status !== 201 || !update) throw new Error(`${groupResource(info)}: ${await textOf(created)}`);
  try {
    const found = JSON.parse(await textOf(created)) as KubeObject;
    delete found.metadata.managedFields;
    // Controllers of the real server may have written since.
    delete found.metadata.resourceVersion;
    const body = JSON.stringify(update(found));
    return answerOf(await send({ method: "PUT", path: `${one}?dryRun=All`, headers: json, body }), true);
  } finally {
    await send({ method: "DELETE", path: `${one}?gracePeriodSeconds=0&propagationPolicy=Background`, headers: json });
  }
}

export async function textOf({ body }: HttpResponse): Promise<string> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  let text = "";
  for await (const part of body) text += typeof part === "string" ? part : Buffer.from(part).toString();
  return text;
}

async function answerOf(response: HttpResponse, wasStored = false): Promise<Answer> {
  const body = JSON.parse(await textOf(response)) as KubeObject & {
    message?: string;
    details?: { causes?: { reason?: string; message?: string; field?: string }[] };
  };
  const warnings = response.headers["warning"];
  const warned = warnings ? { warnings } : {};
  if (response.status < 300) return { code: response.status, object: steady(body, wasStored), ...warned };
  // Differences of Go structures follow some messages on lines of their own.
  const causes = (body.details?.causes ?? []).map(({ field, message = "", reason }) =>
    `${field} | ${reason} | ${message.split("\n")[0]}`.replaceAll(random, "<random>"),
  );
  if (causes.length === 0) return { code: response.status, message: body.message ?? "" };
  return { code: response.status, causes: causes.sort() };
}

const random = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<="Web-)[a-z0-9]{5}(?=")/g;
const changing = ["uid", "creationTimestamp", "resourceVersion", "managedFields"];

/** Without identities, times and what was given at random. */
function steady(object: KubeObject, wasStored: boolean): unknown {
  const uid = object.metadata.uid ?? "no uid";
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([field]) => !changing.includes(field)));
  const text = JSON.stringify({ ...object, metadata })
    .replaceAll(uid, "<uid>")
    .replaceAll(/kube-api-access-[a-z0-9]{5}/g, "kube-api-access-<random>")
    .replaceAll(/"10\.96\.\d+\.\d+"/g, '"<address>"')
    .replaceAll(/"(last\w*Time)":"[^"]*"/g, '"$1":"<time>"')
    .replaceAll(/"(nodePort|healthCheckNodePort)":\d+/g, '"$1":"<port>"');
  const result = JSON.parse(text) as { status?: unknown };
  // Controllers of the real server write there as they like.
  if (wasStored) delete result.status;
  return sortFields(result);
}

function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, field]) => [key, sortFields(field)]));
}
