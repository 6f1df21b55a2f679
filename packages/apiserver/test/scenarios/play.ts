import type { KubeObject } from "@dhow/kube";
import { type Send, textOf } from "../kinds/answers.ts";
import type { Scenario, Step } from "./scenarios.ts";

/** What was said to one step, without what differs from time to time. */
export interface StepAnswer {
  readonly says: string;
  readonly code: number;
  /** The message of a refusal, or the answer itself. */
  readonly answer: unknown;
  readonly details?: unknown;
  readonly warnings?: string;
  readonly retryAfter?: string;
}

/** Plays a scenario in a namespace of its own and says what became of each step. */
export async function play(send: Send, { steps }: Scenario, namespace: string): Promise<StepAnswer[]> {
  await begin(send, namespace);
  try {
    const answers: StepAnswer[] = [];
    for (const step of steps) answers.push(await carryOut(send, step, namespace));
    return answers;
  } finally {
    // Nobody stops pods of nodes that are not there.
    const path = `/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`;
    await send({ method: "DELETE", path, headers: {} });
    await send({ method: "DELETE", path: `/api/v1/namespaces/${namespace}`, headers: {} });
  }
}

const json = { "content-type": "application/json", accept: "application/json" };

async function begin(send: Send, namespace: string): Promise<void> {
  const create = async (path: string, body: unknown) => {
    const { status } = await send({ method: "POST", path, headers: json, body: JSON.stringify(body) });
    return status;
  };
  await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await create(`/api/v1/namespaces/${namespace}/serviceaccounts`, account);
}

async function carryOut(send: Send, step: Step, namespace: string): Promise<StepAnswer> {
  const own = (text: string) => text.replaceAll("{ns}", namespace);
  const headers: Record<string, string> = { ...json };
  if (step.type) headers["content-type"] = step.type;
  if (step.accept) headers["accept"] = step.accept;
  if (step.as) headers["impersonate-user"] = step.as;
  if (step.groups) headers["impersonate-group"] = step.groups.join(",");
  const request = {
    method: step.method,
    path: own(step.path),
    headers,
    ...(step.body === undefined ? {} : { body: own(JSON.stringify(step.body)) }),
  };
  let response = await send(request);
  for (let attempt = 0; step.until && attempt < 30; attempt += 1) {
    // Once more even when all is well: the authorizers and quotas of a real server hear of changes a little later.
    await new Promise((resolve) => setTimeout(resolve, response.status === step.until && attempt > 0 ? 0 : 20));
    if (response.status === step.until && attempt > 0) break;
    if (step.method !== "GET" && response.status === step.until) break;
    response = await send(request);
  }
  const text = (await textOf(response)).replaceAll(namespace, "{ns}");
  const { "retry-after": retryAfter, warning } = response.headers;
  return {
    says: step.says,
    code: response.status,
    ...(step.codeOnly ? { answer: "" } : read(text)),
    ...(warning ? { warnings: warning.replaceAll(namespace, "{ns}") } : {}),
    ...(retryAfter ? { retryAfter } : {}),
  };
}

interface Body extends KubeObject {
  message?: string;
  details?: unknown;
}

function read(text: string): Pick<StepAnswer, "answer" | "details"> {
  let body: Body;
  try {
    body = JSON.parse(text) as Body;
  } catch {
    return { answer: text.length > 200 ? "much" : text };
  }
  if (body.kind === "Status") {
    const message = (body.message ?? (body["status"] as string)).split("\n");
    // The rest is a difference of Go structures.
    if (message[0]?.includes("not currently held"))
      return { answer: message.join("\n"), details: sort(body.details ?? null) };
    return { answer: message[0], details: sort(firstLines(body.details ?? null)) };
  }
  const { metadata, ...rest } = body;
  if (body.kind === "Table") return { answer: withoutProse(body) };
  if (body.kind.endsWith("List")) return { answer: body.kind };
  const status = body["status"] as { conditions?: { reason?: string }[] } | undefined;
  // What a scheduler that runs beside the real server thinks of it.
  if (status?.conditions?.some(({ reason }) => reason === "Unschedulable")) delete status.conditions;
  const { name, labels, annotations, generation } = metadata ?? {};
  return { answer: steady({ ...rest, metadata: { name, labels, annotations, generation } }) };
}

/** Columns and cells; how columns are described is no fact. */
function withoutProse(table: KubeObject): unknown {
  const { columnDefinitions, rows } = table as unknown as Record<string, Record<string, unknown>[]>;
  const columns = columnDefinitions?.map(({ format, name, priority, type }) => ({ format, name, priority, type }));
  return { columns, rows };
}

function steady(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uid>")
    .replaceAll(/kube-api-access-[a-z0-9]{5}/g, "kube-api-access-<random>")
    .replaceAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"/g, '"<time>"')
    .replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, "<token>");
  return sort(JSON.parse(text));
}

function firstLines(value: unknown): unknown {
  if (typeof value === "string") return value.split("\n")[0];
  if (Array.isArray(value)) return value.map(firstLines);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, firstLines(field)]));
}

function sort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sort);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, field]) => [key, sort(field)]));
}
