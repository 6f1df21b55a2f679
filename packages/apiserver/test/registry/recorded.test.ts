import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { createApiServer } from "@dhow/apiserver";
import { httpTransport, type HttpResponse, loadKubeconfig, readText, type Transport } from "@dhow/kube";
import { steady } from "../steady.ts";
import { type RecordedRequest, requests } from "./requests.ts";

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly warnings: string;
  readonly body: unknown;
}

const file = new URL("./recorded.json", import.meta.url);

async function answerOf(response: HttpResponse): Promise<Answer> {
  const text = await readText(response.body);
  const lines = text.split("\n").filter((line) => line !== "");
  const type = response.headers["content-type"] ?? "";
  const isJson = type.startsWith("application/json") && text !== "";
  const parsed = isJson && lines.length > 0 ? parse(text, lines) : text;
  return { status: response.status, type, warnings: response.headers["warning"] ?? "", body: steady(parsed) };
}

/** One object, or the events of a watch. */
function parse(text: string, lines: readonly string[]): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return lines.map((line) => JSON.parse(line) as unknown);
  }
}

function ask(transport: Transport, { accept, body, method, path, type }: RecordedRequest): Promise<HttpResponse> {
  return transport.request({
    method,
    path,
    headers: {
      "user-agent": "recorder/1",
      ...(body === undefined ? {} : { "content-type": type ?? "application/json" }),
      ...(accept ? { accept } : {}),
    },
    ...(body === undefined ? {} : { body }),
  });
}

async function converse(transport: Transport, namespace: RecordedRequest): Promise<Answer[]> {
  await readText((await ask(transport, namespace)).body);
  const answers: Answer[] = [];
  for (const request of requests) answers.push(await answerOf(await ask(transport, request)));
  return answers;
}

const namespace = { method: "POST", path: "/api/v1/namespaces", body: '{"metadata":{"name":"recorded"}}' };

if (process.env["RECORD_FROM"]) {
  const transport = httpTransport(loadKubeconfig(process.env["RECORD_FROM"]));
  const answers = await converse(transport, namespace);
  await readText((await ask(transport, { method: "DELETE", path: "/api/v1/namespaces/recorded" })).body);
  writeFileSync(file, `${JSON.stringify(answers, undefined, 1)}\n`);
}

const recorded = JSON.parse(readFileSync(file, "utf8")) as Answer[];
// Timers of the server let the process end.
const awake = setInterval(() => undefined, 1000);
const server = await createApiServer({});
const user = { name: "admin", groups: ["system:masters"] };
const connection = { remoteAddress: "127.0.0.1", user };
const answers = await converse({ request: (request) => server.handle({ ...request, connection }) }, namespace);
await server.close();
clearInterval(awake);

for (const [at, request] of requests.entries()) {
  const { accept = "", body = "", method, path, type = "" } = request;
  test(`${method} ${path} ${type} ${accept} ${body}`.slice(0, 160), () => assert.deepEqual(answers[at], recorded[at]));
}
